#define _GNU_SOURCE
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

// ---- fault injection ----

static _Atomic int64_t writes_left = -1; // before one fails; negative: none will

void file_fail_after(int64_t n) { atomic_store(&writes_left, n); }

static bool disk_is_full(void) {
    if (atomic_load_explicit(&writes_left, memory_order_relaxed) < 0) return false;
    if (atomic_fetch_sub(&writes_left, 1) != 0) return false;
    errno = ENOSPC;
    return true;
}

// ---- reading ----

// Reads until the end or `size` bytes; the number of bytes, or -1 with errno.
static ssize_t read_fully(int handle, uint8_t *to, size_t size) {
    size_t done = 0;
    while (done < size) {
        ssize_t got = read(handle, to + done, size - done);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -1;
        if (got == 0) break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

static Status open_to_read(const char *path, int *handle, struct stat *info) {
    *handle = open(path, O_RDONLY | O_CLOEXEC);
    if (*handle < 0) return fail_errno(path, "open");
    if (!fstat(*handle, info)) {
        if (!S_ISDIR(info->st_mode)) return ST_OK;
        errno = EISDIR;
    }
    Status status = fail_errno(path, "read");
    close(*handle);
    return status;
}

static Status fail_too_large(const char *path, size_t limit) {
    return fail(ST_BAD, "%s: expected at most %zu bytes, got more", path, limit);
}

// Asks for one byte more than there should be, to notice the end; what has no size beforehand (a pipe) grows.
static Status read_handle(int handle, const char *path, size_t limit, size_t expected, uint8_t **data, size_t *size) {
    size_t capacity = expected, length = 0;
    uint8_t *bytes = NULL;
    for (;;) {
        uint8_t *larger = capacity < SIZE_MAX ? mem_resize(bytes, capacity + 1) : NULL;
        ssize_t got = larger ? read_fully(handle, larger + length, capacity + 1 - length) : 0;
        if (larger) bytes = larger;
        if (!larger || got < 0) {
            Status status = larger ? fail_errno(path, "read") : fail_memory(capacity);
            mem_free(bytes);
            return status;
        }
        length += (size_t)got;
        if (length > limit) {
            mem_free(bytes);
            return fail_too_large(path, limit);
        }
        if (length <= capacity) break;
        capacity = capacity > limit / 2 ? limit : MAX((size_t)65536, capacity * 2);
    }
    bytes[length] = 0;
    *data = bytes;
    *size = length;
    return ST_OK;
}

Status file_read(const char *path, size_t limit, uint8_t **data, size_t *size) {
    int handle;
    struct stat info;
    TRY(open_to_read(path, &handle, &info));
    size_t expected = info.st_size > 0 ? (size_t)info.st_size : 0;
    Status status = expected > limit ? fail_too_large(path, limit) : ST_OK;
    if (status == ST_OK) status = read_handle(handle, path, limit, expected, data, size);
    close(handle);
    return status;
}

// ---- mapping ----

Status file_map(const char *path, Mapping *mapping) {
    int handle;
    struct stat info;
    TRY(open_to_read(path, &handle, &info));
    *mapping = (Mapping){.data = (const uint8_t *)""};
    Status status = ST_OK;
    if (!S_ISREG(info.st_mode)) {
        status = fail(ST_BAD, "%s: expected a file, got something else", path);
    } else if (info.st_size > 0) { // nothing can't be mapped
        void *base = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, handle, 0);
        if (base == MAP_FAILED) status = fail_errno(path, "map");
        else *mapping = (Mapping){base, (size_t)info.st_size, base, (size_t)info.st_size};
    }
    close(handle);
    return status;
}

void file_unmap(Mapping *mapping) {
    if (mapping->base) munmap(mapping->base, mapping->base_size);
    *mapping = (Mapping){0};
}

void file_drop_pages(const Mapping *mapping, const void *from, size_t bytes) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), base = (uintptr_t)mapping->base;
    uintptr_t start = ((uintptr_t)from + page - 1) & ~(page - 1), end = (uintptr_t)from + bytes;
    if (end == base + mapping->base_size) end = (end + page - 1) & ~(page - 1); // the last page is ours alone
    end &= ~(page - 1);
    if (mapping->base && start >= base && start < end) madvise((void *)start, end - start, MADV_DONTNEED);
}

// ---- reading a mapping that may lose its file ----

static _Thread_local sigjmp_buf guard_exit;
static _Thread_local const Mapping *volatile guarded; // NULL: no guard in this thread
static struct sigaction handler_before;

static void on_bus_error(int number, siginfo_t *info, void *context) {
    const Mapping *mapping = guarded;
    uintptr_t base = mapping ? (uintptr_t)mapping->base : 0;
    if (mapping && (uintptr_t)info->si_addr - base < mapping->base_size) siglongjmp(guard_exit, 1);
    if (handler_before.sa_flags & SA_SIGINFO) handler_before.sa_sigaction(number, info, context);
    else if (handler_before.sa_handler != SIG_DFL && handler_before.sa_handler != SIG_IGN)
        handler_before.sa_handler(number);
    else signal(SIGBUS, SIG_DFL); // the access is repeated and ends the program, as it would have without us
}

static void install_handler(void) {
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, &handler_before);
}

Status file_guarded(const Mapping *mapping, GuardedBody *body, void *context) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install_handler);
    if (sigsetjmp(guard_exit, 0)) { // SA_NODEFER: the signal is not blocked, so there is no mask to restore
        guarded = NULL;
        return fail(ST_BAD, "the file was cut short while it was read; copy it here again");
    }
    guarded = mapping;
    body(context);
    guarded = NULL;
    return ST_OK;
}

typedef struct GuardedRead {
    const uint8_t *from;
    size_t bytes;
    void *to;
    uint64_t hash;
} GuardedRead;

static void copy_body(void *context) {
    GuardedRead *read = context;
    if (read->bytes) memcpy(read->to, read->from, read->bytes);
}

static void hash_body(void *context) {
    GuardedRead *read = context;
    read->hash = hash64(read->from, read->bytes, 0);
}

static Status check_range(const Mapping *mapping, size_t offset, size_t bytes) {
    FAIL_IF(offset > mapping->size || bytes > mapping->size - offset, ST_BAD,
            "byte %zu: expected %zu more bytes, got %zu", offset, bytes,
            offset > mapping->size ? 0 : mapping->size - offset);
    return ST_OK;
}

Status file_guarded_copy(void *to, const Mapping *mapping, size_t offset, size_t bytes) {
    TRY(check_range(mapping, offset, bytes));
    GuardedRead read = {.from = mapping->data + offset, .bytes = bytes, .to = to};
    return file_guarded(mapping, copy_body, &read);
}

Status file_guarded_hash(const Mapping *mapping, size_t offset, size_t bytes, uint64_t *hash) {
    TRY(check_range(mapping, offset, bytes));
    GuardedRead read = {.from = mapping->data + offset, .bytes = bytes};
    Status status = file_guarded(mapping, hash_body, &read);
    *hash = read.hash;
    return status;
}

// ---- atomic files ----
// The names of temporaries stand in static memory, so that a signal handler may read them at any moment.

enum { MAX_TEMPORARIES = 64, PATH_SIZE = 4096, WRITE_BUFFER = 65536 };
enum { SLOT_FREE, SLOT_TAKEN, SLOT_NAMED }; // NAMED: the path is complete and the file may be there
typedef struct Temporary {
    _Atomic int state;
    char path[PATH_SIZE];
} Temporary;
static Temporary temporaries[MAX_TEMPORARIES];

struct AtomicFile {
    int handle;
    Temporary *temporary; // NULL: what is written to is no plain file (/dev/null, a pipe) and must not be replaced
    char *path;
    size_t buffered;
    uint8_t buffer[WRITE_BUFFER];
};

static Temporary *take_temporary(void) {
    for (int i = 0; i < MAX_TEMPORARIES; i++) {
        int expected = SLOT_FREE;
        if (atomic_compare_exchange_strong(&temporaries[i].state, &expected, SLOT_TAKEN)) return &temporaries[i];
    }
    return NULL;
}

void atomic_cleanup(void) {
    for (int i = 0; i < MAX_TEMPORARIES; i++)
        if (atomic_load(&temporaries[i].state) == SLOT_NAMED) unlink(temporaries[i].path);
}

// Creates ".stent-PID-NUMBER.tmp" beside it, with the permissions of the file to be replaced or the usual ones.
static Status open_temporary(AtomicFile *file, const struct stat *replaced) {
    static _Atomic unsigned counter;
    Temporary *temporary = take_temporary();
    FAIL_IF(!temporary, ST_RESOURCE, "%s: cannot write: more than %d files are being written", file->path,
            MAX_TEMPORARIES);
    int folder_length = (int)MIN(path_name(file->path) - file->path, PATH_SIZE);
    int length = snprintf(temporary->path, PATH_SIZE, "%.*s.stent-%ld-%u.tmp", folder_length, file->path,
                          (long)getpid(), atomic_fetch_add(&counter, 1));
    errno = ENAMETOOLONG;
    if (length < PATH_SIZE) atomic_store(&temporary->state, SLOT_NAMED);
    if (length < PATH_SIZE) file->handle = open(temporary->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file->handle < 0) {
        Status status = fail_errno(file->path, "write");
        atomic_store(&temporary->state, SLOT_FREE);
        return status;
    }
    if (replaced && fchmod(file->handle, replaced->st_mode & 0777)) errno = 0; // not ours: the usual permissions
    file->temporary = temporary;
    return ST_OK;
}

static Status open_target(AtomicFile *file) {
    struct stat info;
    bool exists = !stat(file->path, &info);
    if (exists && S_ISDIR(info.st_mode)) {
        errno = EISDIR;
        return fail_errno(file->path, "write");
    }
    if (!exists || S_ISREG(info.st_mode)) return open_temporary(file, exists ? &info : NULL);
    file->handle = open(file->path, O_WRONLY | O_CLOEXEC);
    return file->handle < 0 ? fail_errno(file->path, "write") : ST_OK;
}

static void atomic_free(AtomicFile *file) {
    if (file->handle >= 0) close(file->handle);
    if (file->temporary) atomic_store(&file->temporary->state, SLOT_FREE);
    mem_free(file->path);
    mem_free(file);
}

Status atomic_open(const char *path, AtomicFile **out) {
    AtomicFile *file = mem_alloc(sizeof *file);
    if (!file) return fail_memory(sizeof *file);
    file->handle = -1;
    file->temporary = NULL;
    file->buffered = 0;
    file->path = mem_string(path);
    Status status = file->path ? open_target(file) : fail_memory(strlen(path));
    if (status == ST_OK) *out = file;
    else atomic_free(file);
    return status;
}

static Status write_fully(AtomicFile *file, const uint8_t *bytes, size_t count) {
    while (count > 0) {
        ssize_t done = disk_is_full() ? -1 : write(file->handle, bytes, count);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return fail_errno(file->path, "write");
        bytes += done;
        count -= (size_t)done;
    }
    return ST_OK;
}

static Status flush_buffer(AtomicFile *file) {
    size_t count = file->buffered;
    file->buffered = 0;
    return write_fully(file, file->buffer, count);
}

Status atomic_write(AtomicFile *file, const void *bytes, size_t count) {
    if (count > WRITE_BUFFER - file->buffered) TRY(flush_buffer(file));
    if (count >= WRITE_BUFFER) return write_fully(file, bytes, count);
    if (count) memcpy(file->buffer + file->buffered, bytes, count);
    file->buffered += count;
    return ST_OK;
}

// The bytes have to be on the disk before the name is: else a power cut could leave an empty file under it.
static Status publish(AtomicFile *file) {
    TRY(flush_buffer(file));
    if (!file->temporary) return ST_OK;
    if (disk_is_full() || fsync(file->handle)) return fail_errno(file->path, "write");
    int handle = file->handle;
    file->handle = -1;
    if (close(handle)) return fail_errno(file->path, "write");
    if (disk_is_full() || rename(file->temporary->path, file->path)) return fail_errno(file->path, "write");
    return ST_OK;
}

Status atomic_commit(AtomicFile *file) {
    Status status = publish(file);
    if (status != ST_OK) {
        atomic_abort(file);
        return status;
    }
    atomic_free(file);
    return ST_OK;
}

void atomic_abort(AtomicFile *file) {
    if (!file) return;
    if (file->temporary) unlink(file->temporary->path);
    atomic_free(file);
}

Status file_write(const char *path, const void *bytes, size_t count) {
    AtomicFile *file;
    TRY(atomic_open(path, &file));
    Status status = atomic_write(file, bytes, count);
    if (status == ST_OK) return atomic_commit(file);
    atomic_abort(file);
    return status;
}

Status file_append(const char *path, const void *bytes, size_t count) {
    const int handle = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (handle < 0) return fail_errno(path, "write");
    const ssize_t done = disk_is_full() ? -1 : write(handle, bytes, count);
    if (done >= 0 && (size_t)done < count) errno = ENOSPC;
    Status status = done == (ssize_t)count ? ST_OK : fail_errno(path, "write");
    if (close(handle) && status == ST_OK) status = fail_errno(path, "write");
    return status;
}

// ---- folders and paths ----

PathKind path_kind(const char *path) {
    struct stat info;
    if (stat(path, &info)) return PATH_MISSING;
    return S_ISREG(info.st_mode) ? PATH_FILE : S_ISDIR(info.st_mode) ? PATH_FOLDER : PATH_OTHER;
}

int64_t file_size(const char *path) {
    struct stat info;
    return stat(path, &info) || !S_ISREG(info.st_mode) ? -1 : (int64_t)info.st_size;
}

static Status make_one_folder(const char *path) {
    if (!mkdir(path, 0777) || path_kind(path) == PATH_FOLDER) return ST_OK;
    if (errno == EEXIST) errno = ENOTDIR;
    return fail_errno(path, "make the folder");
}

Status folder_make(const char *path) {
    char *partial = mem_string(path);
    if (!partial) return fail_memory(strlen(path));
    Status status = ST_OK;
    for (char *slash = partial; *slash && status == ST_OK && (slash = strchr(slash + 1, '/')) != NULL;) {
        *slash = 0;
        status = make_one_folder(partial);
        *slash = '/';
    }
    mem_free(partial);
    return status == ST_OK ? make_one_folder(path) : status;
}

static int compare_names(const void *a, const void *b) { return natural_compare(*(char *const *)a, *(char *const *)b); }

// The names one after the other, each with its NUL, and how many.
static Status read_names(DIR *folder, const char *path, Text *all, size_t *count) {
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(folder);
        if (!entry) return errno ? fail_errno(path, "read") : text_status(all);
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        text_bytes(all, entry->d_name, strlen(entry->d_name) + 1);
        ++*count;
    }
}

static Status list_names(Arena *arena, const Text *all, size_t count, char ***names) {
    char **list = arena_array(arena, count, sizeof *list), *copy = arena_string_n(arena, text_get(all), all->length);
    if (!list || !copy) return fail_memory(all->length);
    for (size_t i = 0; i < count; i++) {
        list[i] = copy;
        copy += strlen(copy) + 1;
    }
    qsort(list, count, sizeof *list, compare_names);
    *names = list;
    return ST_OK;
}

Status folder_list(const char *path, Arena *arena, char ***names, size_t *count) {
    DIR *folder = opendir(path);
    if (!folder) return fail_errno(path, "open the folder");
    Text all = {0};
    *count = 0;
    Status status = read_names(folder, path, &all, count);
    closedir(folder);
    if (status == ST_OK) status = list_names(arena, &all, *count, names);
    text_free(&all);
    return status;
}

char *path_join(Arena *arena, const char *folder, const char *name) {
    size_t length = strlen(folder), size = length + strlen(name) + 2;
    bool has_slash = length == 0 || folder[length - 1] == '/';
    char *path = arena_alloc(arena, size);
    if (path) snprintf(path, size, "%s%s%s", folder, has_slash ? "" : "/", name);
    return path;
}

const char *path_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

char *path_folder(Arena *arena, const char *path) {
    const char *slash = strrchr(path, '/');
    if (!slash) return arena_string(arena, ".");
    return arena_string_n(arena, path, slash == path ? 1 : (size_t)(slash - path));
}

char *path_real(Arena *arena, const char *path) {
    char *real = realpath(path, NULL);
    char *copy = real ? arena_string(arena, real) : NULL;
    free(real);
    return copy;
}

char *user_data_folder(Arena *arena) {
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    if (data && data[0] == '/') return path_join(arena, data, "stent"); // the rules: a relative one is ignored
    return home && home[0] == '/' ? path_join(arena, home, ".local/share/stent") : NULL;
}
