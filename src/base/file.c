#define _GNU_SOURCE
#include "base/file.h"
#include "base/fault.h"
#include "base/file_open.h"
#include "base/hash.h"
#include "base/text.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

void file_fail_after(int64_t n) { fault_after(FAULT_WRITE | FAULT_RENAME, n); }

// ---- reading ----

// Reads until the end or `size` bytes; the number of bytes, or -1 with errno.
static ssize_t read_fully(int handle, uint8_t *to, size_t size) {
    size_t done = 0;
    while (done < size) {
        ssize_t got = fault_here(FAULT_READ) ? -1 : read(handle, to + done, size - done);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -1;
        if (got == 0) break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

// Plain files only: a pipe could wait for ever, a device never end. O_NONBLOCK, so that opening one does not wait
// either.
Status file_open_to_read(const char *path, int *handle, struct stat *info) {
    *handle = fault_here(FAULT_OPEN) ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (*handle < 0) return fail_errno(path, "open");
    Status status = ST_OK;
    if (fault_here(FAULT_READ) || fstat(*handle, info)) {
        status = fail_errno(path, "read");
    } else if (S_ISDIR(info->st_mode)) {
        errno = EISDIR;
        status = fail_errno(path, "read");
    } else if (!S_ISREG(info->st_mode)) {
        status = fail(ST_BAD, "%s: expected a file, got something else", path);
    }
    if (status != ST_OK) close(*handle);
    return status;
}

static Status fail_too_large(const char *path, size_t limit) {
    return fail(ST_BAD, "%s: expected at most %zu bytes, got more", path, limit);
}

// Asks for one byte more than there should be, to notice the end; what has no size beforehand (/proc) grows.
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
    TRY(file_open_to_read(path, &handle, &info));
    size_t expected = info.st_size > 0 ? (size_t)info.st_size : 0;
    Status status = expected > limit ? fail_too_large(path, limit) : ST_OK;
    if (status == ST_OK) status = read_handle(handle, path, limit, expected, data, size);
    close(handle);
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

// ---- temporaries of processes that were killed
// Each holds a lock on its temporaries (flock), which ends with the process. So one that can be locked by another is
// stale, and who writes into the folder next takes it away. A file system without locks keeps them.

static bool is_temporary(const char *name) { return text_starts(name, ".stent-") && text_ends(name, ".tmp"); }

static void remove_if_stale(const char *path) {
    const int handle = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat info;
    if (handle < 0) return;
    if (!fstat(handle, &info) && S_ISREG(info.st_mode) && !flock(handle, LOCK_EX | LOCK_NB)) unlink(path);
    close(handle);
}

// Once for each folder and process. What fails here is tried again by the next process.
static void remove_stale(const char *folder) {
    enum { FOLDERS = 64 };
    static _Atomic uint64_t seen[FOLDERS];
    const uint64_t hash = hash64(folder, strlen(folder), (uint64_t)getpid());
    if (atomic_exchange(&seen[hash % FOLDERS], hash) == hash) return;
    DIR *list = opendir(folder);
    for (struct dirent *entry; list && (entry = readdir(list));) {
        char path[PATH_SIZE];
        if (is_temporary(entry->d_name) &&
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) < (int)sizeof path)
            remove_if_stale(path);
    }
    if (list) closedir(list);
}

// ---- opening, writing, closing

// Makes the file of a temporary and locks it; -1 with errno. Another process may have found it before it was locked,
// and removed it: then EAGAIN.
static int make_temporary(const char *path) {
    const int handle = fault_here(FAULT_OPEN) ? -1 : open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    struct stat info;
    if (handle < 0) return -1;
    if (!flock(handle, LOCK_EX | LOCK_NB)) {
        if (!fstat(handle, &info) && info.st_nlink) return handle;
    } else if (errno != EWOULDBLOCK) {
        return handle; // no locks here
    }
    close(handle);
    unlink(path);
    errno = EAGAIN;
    return -1;
}

// Creates ".stent-PID-NUMBER.tmp" beside it, with the permissions of the file to be replaced or the usual ones.
static Status open_temporary(AtomicFile *file, const struct stat *replaced) {
    static _Atomic unsigned counter;
    Temporary *temporary = take_temporary();
    FAIL_IF(!temporary, ST_RESOURCE, "%s: cannot write: more than %d files are being written", file->path,
            MAX_TEMPORARIES);
    const int folder_length = (int)MIN(path_name(file->path) - file->path, PATH_SIZE);
    snprintf(temporary->path, PATH_SIZE, "%.*s.", folder_length, file->path);
    remove_stale(temporary->path);
    errno = ENAMETOOLONG;
    for (int tries = 0; tries < 3 && file->handle < 0 && (!tries || errno == EAGAIN); tries++) {
        atomic_store(&temporary->state, SLOT_TAKEN);
        const int length = snprintf(temporary->path, PATH_SIZE, "%.*s.stent-%ld-%u.tmp", folder_length, file->path,
                                    (long)getpid(), atomic_fetch_add(&counter, 1));
        if (length >= PATH_SIZE) break;
        atomic_store(&temporary->state, SLOT_NAMED);
        file->handle = make_temporary(temporary->path);
    }
    if (file->handle < 0) {
        Status status = fail_errno(file->path, "write");
        atomic_store(&temporary->state, SLOT_FREE);
        return status;
    }
    if (replaced && fchmod(file->handle, replaced->st_mode & 0777)) errno = 0; // not ours: the usual permissions
    file->temporary = temporary;
    return ST_OK;
}

// What is there and no plain file (/dev/null, a pipe) is written to; O_NONBLOCK: a pipe that nobody reads must not
// wait.
static int open_special(const char *path, int flags) {
    const int handle = fault_here(FAULT_OPEN) ? -1 : open(path, flags | O_WRONLY | O_CLOEXEC | O_NONBLOCK, 0666);
    if (handle >= 0) fcntl(handle, F_SETFL, fcntl(handle, F_GETFL) & ~O_NONBLOCK);
    return handle;
}

// A file that is write-protected stays, though its folder would let it be replaced.
static Status open_target(AtomicFile *file) {
    struct stat info;
    const bool exists = !stat(file->path, &info);
    if (exists && S_ISDIR(info.st_mode)) errno = EISDIR;
    else if (exists && S_ISREG(info.st_mode) && faccessat(AT_FDCWD, file->path, W_OK, AT_EACCESS)) errno = EACCES;
    else if (!exists || S_ISREG(info.st_mode)) return open_temporary(file, exists ? &info : NULL);
    else if ((file->handle = open_special(file->path, 0)) >= 0) return ST_OK;
    return fail_errno(file->path, "write");
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
        ssize_t done = fault_here(FAULT_WRITE) ? -1 : write(file->handle, bytes, count);
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

// Some file systems tell of a full disk only when a file is closed. A copy of the handle is closed: the lock stays.
static bool close_fails(int handle) {
    if (fault_here(FAULT_WRITE)) return true;
    const int copy = fcntl(handle, F_DUPFD_CLOEXEC, 0);
    return copy < 0 || close(copy);
}

// The bytes have to be on the disk before the name is: else a power cut could leave an empty file under it.
static Status publish(AtomicFile *file) {
    TRY(flush_buffer(file));
    if (file->temporary && (fault_here(FAULT_WRITE) || fsync(file->handle))) return fail_errno(file->path, "write");
    if (close_fails(file->handle)) return fail_errno(file->path, "write");
    if (file->temporary && (fault_here(FAULT_RENAME) || rename(file->temporary->path, file->path)))
        return fail_errno(file->path, "write");
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

// Waits a second at most: a process that was stopped must not stop the others. False: it is still locked.
static bool lock_handle(int handle) {
    enum { TRIES = 100, PAUSE_US = 10000 };
    for (int i = 0; i < TRIES; i++) {
        if (!flock(handle, LOCK_EX | LOCK_NB)) return true;
        if (errno != EWOULDBLOCK) return false;
        usleep(PAUSE_US);
    }
    return false;
}
static bool names_handle(const char *path, int handle) {
    struct stat named, opened;
    return !stat(path, &named) && !fstat(handle, &opened) && named.st_dev == opened.st_dev &&
           named.st_ino == opened.st_ino;
}
static bool ends_in_a_line(const char *path, off_t size) {
    char last = '\n';
    const int handle = fault_here(FAULT_OPEN) ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (handle < 0) return true;
    const bool had = pread(handle, &last, 1, size - 1) == 1;
    close(handle);
    return !had || last == '\n';
}
// Open for adding; a plain file locked, and not one that another process has just put another in place of.
static int open_end(const char *path) {
    for (;;) {
        struct stat info;
        const int handle = open_special(path, O_CREAT | O_APPEND);
        if (handle < 0 || fstat(handle, &info) || !S_ISREG(info.st_mode)) return handle;
        if (!lock_handle(handle) || names_handle(path, handle)) return handle;
        close(handle);
    }
}
static Status add_lines(int handle, const char *path, const void *lines, size_t count) {
    struct stat info;
    struct iovec parts[2] = {{.iov_base = (char[]){'\n'}, .iov_len = 1},
                             {.iov_base = (void *)(uintptr_t)lines, .iov_len = count}};
    const bool torn =
        !fstat(handle, &info) && S_ISREG(info.st_mode) && info.st_size > 0 && !ends_in_a_line(path, info.st_size);
    const size_t whole = count + torn;
    const ssize_t done = fault_here(FAULT_WRITE) ? -1 : writev(handle, parts + !torn, 1 + torn);
    if (done >= 0 && (size_t)done < whole) errno = ENOSPC;
    return done == (ssize_t)whole ? ST_OK : fail_errno(path, "write");
}
Status file_append(const char *path, const void *lines, size_t count) {
    const int handle = open_end(path);
    if (handle < 0) return fail_errno(path, "write");
    Status status = add_lines(handle, path, lines, count);
    if (status == ST_OK && close_fails(handle)) status = fail_errno(path, "write");
    close(handle);
    return status;
}
int file_hold(const char *path) {
    for (;;) {
        const int handle = open(path, O_RDONLY | O_CLOEXEC);
        if (handle < 0) return -1;
        const bool locked = lock_handle(handle);
        if (locked && names_handle(path, handle)) return handle;
        close(handle);
        if (!locked) return -1;
    }
}
void file_let_go(int hold) {
    if (hold >= 0) close(hold);
}

// ---- folders and paths ----

// Not there, whatever the reason.
static bool is_missing(int error) {
    return error == ENOENT || error == ENOTDIR || error == ELOOP || error == ENAMETOOLONG;
}

PathKind path_kind(const char *path) {
    struct stat info;
    if (fault_here(FAULT_OPEN) || stat(path, &info)) return is_missing(errno) ? PATH_MISSING : PATH_UNKNOWN;
    return S_ISREG(info.st_mode) ? PATH_FILE : S_ISDIR(info.st_mode) ? PATH_FOLDER : PATH_OTHER;
}

Status path_known(const char *path, PathKind *kind) {
    *kind = path_kind(path);
    return *kind == PATH_UNKNOWN ? fail_errno(path, "open") : ST_OK;
}

int64_t file_size(const char *path) {
    struct stat info;
    return stat(path, &info) || !S_ISREG(info.st_mode) ? -1 : (int64_t)info.st_size;
}

static bool is_folder(const char *path) {
    struct stat info;
    return !stat(path, &info) && S_ISDIR(info.st_mode);
}

static Status make_one_folder(const char *path) {
    if (is_folder(path) || (!fault_here(FAULT_WRITE) && !mkdir(path, 0777))) return ST_OK;
    const int error = errno;
    if (error == EEXIST && is_folder(path)) return ST_OK; // another process was faster
    errno = error == EEXIST ? ENOTDIR : error;
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

bool folder_may_be_written(const char *path) {
    char *nearest = mem_string(path); // of what is there
    if (!nearest) return true;        // whoever writes will tell
    int missing;
    while ((missing = access(nearest, W_OK | X_OK)) && errno == ENOENT) {
        char *slash = strrchr(nearest, '/');
        if (!slash || slash == nearest) {
            missing = access(slash ? "/" : ".", W_OK | X_OK);
            break;
        }
        *slash = 0;
    }
    mem_free(nearest);
    return !missing;
}

static int compare_names(const void *a, const void *b) { return natural_compare(*(char *const *)a, *(char *const *)b); }

// The names one after the other, each with its NUL, and how many.
static Status read_names(DIR *folder, const char *path, Text *all, size_t *count) {
    for (;;) {
        errno = 0; // only readdir leaves it so
        struct dirent *entry = fault_here(FAULT_READ) ? NULL : readdir(folder);
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
    DIR *folder = fault_here(FAULT_OPEN) ? NULL : opendir(path);
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

bool path_same(const char *a, const char *b) {
    struct stat first, second;
    return !stat(a, &first) && !stat(b, &second) && first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

Status path_real(Arena *arena, const char *path, char **out) {
    char *real = fault_here(FAULT_OPEN) ? NULL : realpath(path, NULL);
    *out = NULL;
    if (!real) return is_missing(errno) ? ST_OK : fail_errno(path, "open");
    *out = arena_string(arena, real);
    free(real);
    return *out ? ST_OK : fail_memory(strlen(path));
}

char *user_data_folder(Arena *arena) {
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    if (data && data[0] == '/') return path_join(arena, data, "stent"); // the rules: a relative one is ignored
    return home && home[0] == '/' ? path_join(arena, home, ".local/share/stent") : NULL;
}
