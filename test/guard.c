#define _GNU_SOURCE
#include "guard.h"
#include "test.h"
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__linux__) && defined(__x86_64__)
#include <ucontext.h>
#endif

enum { MOST_REGIONS = 4096, PATTERN = 0xa5 };

typedef struct Region {
    const char *name;
    unsigned char *map; // with both guard pages; NULL: free
    size_t map_bytes;
    unsigned char *memory;
    size_t bytes;
} Region;
static Region regions[MOST_REGIONS];
static struct sigaction before[2]; // of SIGSEGV and SIGBUS

static size_t page_size(void) { return (size_t)sysconf(_SC_PAGESIZE); }

// "read", "write", or a word for either.
static const char *kind_of_access(const void *context) {
#if defined(__linux__) && defined(__x86_64__)
    const ucontext_t *state = context;
    return state->uc_mcontext.gregs[REG_ERR] & 2 ? "write" : "read";
#else
    (void)context;
    return "access";
#endif
}
static void say(const Region *region, const unsigned char *at, const char *kind) {
    char line[256];
    const bool behind = at >= region->memory + region->bytes;
    const ptrdiff_t away = behind ? at - (region->memory + region->bytes) : region->memory - at;
    const int length = snprintf(line, sizeof line, "guard: %s of '%s' (%zu bytes), %td bytes %s\n", kind, region->name,
                                region->bytes, away, behind ? "behind its end" : "before its start");
    const ssize_t written = write(STDERR_FILENO, line, (size_t)length);
    (void)written;
}
// Names the memory; then the access faults again, and whoever handled that before has it.
static void on_fault(int number, siginfo_t *info, void *context) {
    const unsigned char *at = info->si_addr;
    for (int i = 0; i < MOST_REGIONS; i++)
        if (regions[i].map && at >= regions[i].map && at < regions[i].map + regions[i].map_bytes)
            say(&regions[i], at, kind_of_access(context));
    sigaction(number, &before[number == SIGBUS], NULL);
}
static void watch(void) {
    static bool watching;
    if (watching) return;
    watching = true;
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    REQUIRE(!sigaction(SIGSEGV, &action, &before[0]) && !sigaction(SIGBUS, &action, &before[1]));
}
static Region *free_region(void) {
    for (int i = 0; i < MOST_REGIONS; i++)
        if (!regions[i].map) return &regions[i];
    test_failed(__FILE__, __LINE__, "more than %d pieces of guarded memory", (int)MOST_REGIONS);
    test_end();
}

void *guard_alloc(const char *name, size_t bytes, size_t align, GuardSide side) {
    const size_t page = page_size(), inner = MAX((bytes + page - 1) / page, 1) * page;
    watch();
    Region *region = free_region();
    unsigned char *map = mmap(NULL, inner + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(map != MAP_FAILED && align <= page);
    REQUIRE(!mprotect(map + page, inner, PROT_READ | PROT_WRITE));
    const size_t lead = side == GUARD_END ? (inner - bytes) / align * align : 0;
    *region = (Region){name, map, inner + 2 * page, map + page + lead, bytes};
    memset(map + page, PATTERN, lead);
    memset(region->memory, 0xff, bytes);
    memset(region->memory + bytes, PATTERN, inner - lead - bytes);
    return region->memory;
}
static void check_pattern(const Region *region, const unsigned char *from, const unsigned char *end) {
    for (const unsigned char *at = from; at < end; at++) {
        if (*at == PATTERN) continue;
        const bool behind = at >= region->memory;
        test_failed(__FILE__, __LINE__, "guard: write of '%s' (%zu bytes), %td bytes %s", region->name, region->bytes,
                    behind ? at - (region->memory + region->bytes) : region->memory - at,
                    behind ? "behind its end" : "before its start");
        return;
    }
}
void guard_free(void *memory) {
    if (!memory) return;
    int i = 0;
    while (i < MOST_REGIONS && !(regions[i].map && regions[i].memory == memory)) i++;
    REQUIRE(i < MOST_REGIONS);
    Region *region = &regions[i];
    check_pattern(region, region->map + page_size(), region->memory);
    check_pattern(region, region->memory + region->bytes, region->map + region->map_bytes - page_size());
    munmap(region->map, region->map_bytes);
    *region = (Region){0};
}

bool guard_ends_badly(void (*act)(void), char *out, size_t size) {
    const char *path = test_temp("guard.out");
    fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) {
        REQUIRE(freopen(path, "w", stdout) && dup2(STDOUT_FILENO, STDERR_FILENO) >= 0);
        setvbuf(stdout, NULL, _IOLBF, 0);
        act();
        test_end();
    }
    int status = 0;
    REQUIRE(pid > 0 && waitpid(pid, &status, 0) == pid);
    FILE *file = fopen(path, "r");
    REQUIRE(file);
    out[fread(out, 1, size - 1, file)] = 0;
    fclose(file);
    return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}
