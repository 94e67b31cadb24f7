// Mapped files. A page that is lost (the file shrank, the disk failed) raises SIGBUS in the thread that touches it. The
// handler puts zeros in its place and notes it in the mapping's slot; who reads asks file_intact when it is done, and
// drops what it made of the zeros. So any thread may read, holding locks or memory as it likes.
#define _GNU_SOURCE
#include "base/fault.h"
#include "base/file.h"
#include "base/file_open.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// In static memory, so that the handler may look at it at any moment.
enum { MOST_MAPPINGS = 4096 };
struct MappedFile {
    _Atomic bool taken, lost;
    _Atomic uintptr_t base; // 0: nothing is mapped yet, or any more
    size_t bytes;
    char *path;
    struct stat info; // of the file when it was mapped
};
static MappedFile slots[MOST_MAPPINGS];
static _Atomic int slots_used; // all beyond have never been taken
static uintptr_t page_bytes;
static struct sigaction handler_before;

// Zeros from the page at `address` to the end of its mapping. False: it is none of ours.
static bool replace_lost(uintptr_t address) {
    const int count = atomic_load(&slots_used);
    for (int i = 0; i < count; i++) {
        MappedFile *slot = &slots[i];
        const uintptr_t base = atomic_load(&slot->base);
        if (!base || address - base >= slot->bytes) continue;
        const uintptr_t page = address & ~(page_bytes - 1);
        atomic_store(&slot->lost, true);
        return mmap((void *)page, base + slot->bytes - page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
                    0) != MAP_FAILED;
    }
    return false;
}

static void on_bus_error(int number, siginfo_t *info, void *context) {
    const int saved = errno;
    const bool replaced = replace_lost((uintptr_t)info->si_addr);
    errno = saved;
    if (replaced) return; // the access is repeated and finds zeros
    if (handler_before.sa_flags & SA_SIGINFO) handler_before.sa_sigaction(number, info, context);
    else if (handler_before.sa_handler != SIG_DFL && handler_before.sa_handler != SIG_IGN)
        handler_before.sa_handler(number);
    else signal(SIGBUS, SIG_DFL); // the access is repeated and ends the program, as it would have without us
}

static void install_handler(void) {
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
    sigaction(SIGBUS, &action, &handler_before);
}

static MappedFile *take_slot(void) {
    for (int i = 0; i < MOST_MAPPINGS; i++) {
        if (atomic_exchange(&slots[i].taken, true)) continue;
        atomic_store(&slots[i].lost, false);
        int used = atomic_load(&slots_used);
        while (used <= i && !atomic_compare_exchange_weak(&slots_used, &used, i + 1)) {}
        return &slots[i];
    }
    return NULL;
}

static Status map_handle(const char *path, int handle, const struct stat *info, Mapping *mapping) {
    const size_t bytes = (size_t)info->st_size;
    MappedFile *slot = take_slot();
    FAIL_IF(!slot, ST_RESOURCE, "%s: cannot map: more than %d files are mapped", path, MOST_MAPPINGS);
    slot->path = mem_string(path);
    slot->info = *info;
    slot->bytes = bytes;
    Status status = slot->path ? ST_OK : fail_memory(strlen(path));
    if (status == ST_OK && bytes) { // nothing can't be mapped
        void *base = fault_here(FAULT_MAP) ? MAP_FAILED : mmap(NULL, bytes, PROT_READ, MAP_SHARED, handle, 0);
        if (base == MAP_FAILED) status = fail_errno(path, "map");
        else atomic_store(&slot->base, (uintptr_t)base), mapping->data = base, mapping->size = bytes;
    }
    if (status == ST_OK) {
        mapping->file = slot;
        memory_took();
        return ST_OK;
    }
    mem_free(slot->path);
    atomic_store(&slot->taken, false);
    return status;
}

Status file_map(const char *path, Mapping *mapping) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int handle;
    struct stat info;
    *mapping = (Mapping){.data = (const uint8_t *)""};
    pthread_once(&once, install_handler);
    TRY(file_open_to_read(path, &handle, &info));
    const Status status = map_handle(path, handle, &info, mapping);
    close(handle);
    return status;
}

void file_unmap(Mapping *mapping) {
    MappedFile *slot = mapping->file;
    if (slot) {
        const uintptr_t base = atomic_exchange(&slot->base, 0);
        if (base) munmap((void *)base, slot->bytes);
        mem_free(slot->path);
        memory_gave();
        atomic_store(&slot->taken, false);
    }
    *mapping = (Mapping){0};
}

bool file_lost(const Mapping *mapping) {
    return mapping->file && atomic_load_explicit(&mapping->file->lost, memory_order_relaxed);
}

static bool is_file(const MappedFile *slot, const char *path, struct stat *now) {
    return !stat(path, now) && now->st_dev == slot->info.st_dev && now->st_ino == slot->info.st_ino;
}

bool file_is_mapped(const Mapping *mapping, const char *path) {
    struct stat now;
    return mapping->file && is_file(mapping->file, path, &now);
}

// Another file under the name leaves the mapped one as it was.
static bool is_changed(const MappedFile *slot) {
    struct stat now;
    if (!is_file(slot, slot->path, &now)) return false;
    return now.st_size != slot->info.st_size || now.st_mtim.tv_sec != slot->info.st_mtim.tv_sec ||
           now.st_mtim.tv_nsec != slot->info.st_mtim.tv_nsec;
}

Status file_intact(const Mapping *mapping, Status status) {
    if (!mapping->file || (!file_lost(mapping) && !is_changed(mapping->file))) return status;
    return fail(ST_BAD, "%s: the file was cut short or changed while it was read; copy it here again",
                mapping->file->path);
}

void file_drop_pages(const Mapping *mapping, const void *from, size_t bytes) {
    const uintptr_t base = mapping->file ? atomic_load(&mapping->file->base) : 0;
    uintptr_t start = ((uintptr_t)from + page_bytes - 1) & ~(page_bytes - 1), end = (uintptr_t)from + bytes;
    if (end == base + mapping->size) end = (end + page_bytes - 1) & ~(page_bytes - 1); // the last page is ours alone
    end &= ~(page_bytes - 1);
    if (base && start >= base && start < end) madvise((void *)start, end - start, MADV_DONTNEED);
}
