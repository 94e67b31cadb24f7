#define _GNU_SOURCE
#include "base/file.h"
#include "base/folder.h"
#include "base/hash.h"
#include "base/text.h"
#include "test.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void put(const char *path, const char *text) { CHECK_OK(file_write(path, text, strlen(text))); }

static void check_content(const char *path, const char *wanted) {
    uint8_t *data = NULL;
    size_t size = 0;
    CHECK_OK(file_read(path, 1 << 20, &data, &size));
    CHECK_INT(size, strlen(wanted));
    CHECK_TEXT((const char *)data, wanted);
    mem_free(data);
}

TEST(read_and_limits) {
    uint8_t *data;
    size_t size;
    const char *path = test_temp("a");
    put(path, "0123456789");
    check_content(path, "0123456789");
    CHECK_OK(file_read(path, 10, &data, &size));
    mem_free(data);
    CHECK_INT(file_read(path, 9, &data, &size), ST_BAD);
    CHECK(strstr(error_message(), path));
    CHECK_INT(file_read(test_temp("missing"), 10, &data, &size), ST_BAD);
    CHECK_INT(file_read(test_temp(""), 10, &data, &size), ST_BAD); // a folder
    put(path, "");
    check_content(path, "");
    CHECK_OK(file_read("/proc/self/status", 1 << 20, &data, &size)); // has content, but its size is given as 0
    CHECK(size > 100);
    CHECK_INT(data[size], 0);
    mem_free(data);
    CHECK_INT(file_read("/dev/zero", 200001, &data, &size), ST_BAD);
    CHECK_INT(file_read("/dev/zero", 7, &data, &size), ST_BAD);
}

TEST(atomic_replaces_or_leaves) {
    const char *path = test_temp("a");
    AtomicFile *file = NULL;
    put(path, "old");
    CHECK_OK(atomic_open(path, &file));
    CHECK_OK(atomic_write(file, "new", 3));
    check_content(path, "old");
    atomic_abort(file);
    check_content(path, "old");
    CHECK_INT(chmod(path, 0640), 0);
    put(path, "new");
    check_content(path, "new");
    CHECK_INT(folder_count(test_temp("")), 1);
    struct stat info;
    CHECK_INT(stat(path, &info), 0);
    CHECK_INT(info.st_mode & 0777, 0640);
    atomic_abort(NULL);
}

TEST(atomic_large) {
    const char *path = test_temp("large");
    uint8_t block[5000], *data;
    size_t size;
    AtomicFile *file;
    CHECK_OK(atomic_open(path, &file));
    for (int i = 0; i < 100; i++) {
        memset(block, i, sizeof block);
        CHECK_OK(atomic_write(file, block, (size_t)i * 50));
    }
    uint8_t *big = mem_zero(1, 200000);
    REQUIRE(big);
    CHECK_OK(atomic_write(file, big, 200000)); // past the buffer
    mem_free(big);
    CHECK_OK(atomic_commit(file));
    CHECK_OK(file_read(path, 1 << 20, &data, &size));
    CHECK_INT(size, 50 * 4950 + 200000);
    for (size_t i = 0, at = 0; i < 100; at += i * 50, i++)
        for (size_t j = 0; j < i * 50; j++) REQUIRE(data[at + j] == i);
    mem_free(data);
}

// Each write, flush and rename fails once: the old file stays, and nothing lies about.
TEST(atomic_on_a_full_disk) {
    const char *path = test_temp("a");
    put(path, "old");
    uint8_t *data = mem_zero(1, 100000);
    REQUIRE(data);
    Status status = ST_RESOURCE;
    int failures = 0;
    for (; status == ST_RESOURCE && failures < 20; failures++) {
        check_content(path, "old");
        file_fail_after(failures);
        status = file_write(path, data, 100000);
        file_fail_after(-1);
        if (status != ST_OK) CHECK(strstr(error_message(), failures < 3 ? "No space left" : "Permission denied"));
        CHECK_INT(folder_count(test_temp("")), 1);
    }
    CHECK_INT(status, ST_OK);
    CHECK_INT(failures, 5); // write, flush, close, rename, and all is well
    for (int i = 0; i < 2; i++) {
        mem_fail_after(i);
        CHECK_INT(file_write(path, data, 10), ST_RESOURCE);
        mem_fail_after(-1);
    }
    mem_free(data);
    CHECK_INT(symlink("/dev/full", test_temp("device")), 0); // through a link, so that a fault can't harm the machine
    CHECK_INT(file_write(test_temp("device"), "x", 1), ST_RESOURCE); // no plain file: written to, not replaced
    CHECK_INT(path_kind(test_temp("device")), PATH_OTHER);
    CHECK_INT(file_write(test_temp("no/such/folder"), "x", 1), ST_BAD);
    CHECK_INT(file_write(test_temp(""), "x", 1), ST_BAD);
}

TEST(atomic_long_name_and_cleanup) {
    char name[256];
    memset(name, 'n', 255);
    name[255] = 0;
    put(test_temp(name), "x"); // as long as a name may be: the temporary's must not be longer
    AtomicFile *files[65] = {NULL};
    for (int i = 0; i < 64; i++) CHECK_OK(atomic_open(test_temp("b"), &files[i]));
    CHECK_INT(atomic_open(test_temp("b"), &files[64]), ST_RESOURCE);
    CHECK_INT(folder_count(test_temp("")), 65);
    atomic_cleanup();
    CHECK_INT(folder_count(test_temp("")), 1);
    for (int i = 0; i < 64; i++) atomic_abort(files[i]);
    put(test_temp("b"), "x");
}

TEST(mapping) {
    Mapping mapping;
    const char *path = test_temp("a");
    put(path, "mapped");
    CHECK_OK(file_map(path, &mapping));
    CHECK_INT(mapping.size, 6);
    CHECK(!memcmp(mapping.data, "mapped", 6));
    file_drop_pages(&mapping, mapping.data, mapping.size);
    CHECK(!memcmp(mapping.data, "mapped", 6));
    file_unmap(&mapping);
    file_unmap(&mapping);
    put(path, "");
    CHECK_OK(file_map(path, &mapping));
    CHECK_INT(mapping.size, 0);
    file_unmap(&mapping);
    CHECK_INT(file_map(test_temp("missing"), &mapping), ST_BAD);
    CHECK_INT(file_map(test_temp(""), &mapping), ST_BAD);
    CHECK_INT(file_map("/dev/null", &mapping), ST_BAD);
}

TEST(dropped_pages_leave_memory) {
    enum { SIZE = 64 * 4096 };
    Mapping mapping;
    char *data = mem_zero(1, SIZE);
    REQUIRE(data);
    CHECK_OK(file_write(test_temp("a"), data, SIZE));
    mem_free(data);
    CHECK_OK(file_map(test_temp("a"), &mapping));
    file_drop_pages(&mapping, mapping.data - 4096, 4096); // none of ours: nothing happens
    CHECK(hash64(mapping.data, mapping.size, 0) != 0);
    file_drop_pages(&mapping, mapping.data + 100, SIZE - 100); // the first page is kept: it is shared
    long kilobytes = -1;
    char line[256];
    FILE *smaps = fopen("/proc/self/smaps", "r");
    if (!smaps) test_skip("no /proc/self/smaps");
    for (bool is_ours = false; fgets(line, sizeof line, smaps);) {
        unsigned long start, end;
        if (sscanf(line, "%lx-%lx ", &start, &end) == 2) is_ours = start == (unsigned long)(uintptr_t)mapping.data;
        if (is_ours && sscanf(line, "Rss: %ld kB", &kilobytes) == 1) break;
    }
    fclose(smaps);
    CHECK_INT(kilobytes, 4);
    file_unmap(&mapping);
}

static Mapping map_sevens(const char *path, size_t size) {
    Mapping mapping;
    uint8_t *data = mem_alloc(size);
    REQUIRE(data);
    memset(data, 7, size);
    CHECK_OK(file_write(path, data, size));
    mem_free(data);
    CHECK_OK(file_map(path, &mapping));
    return mapping;
}
static void *sum_bytes(void *context) {
    const Mapping *mapping = context;
    size_t sum = 0;
    for (size_t i = 0; i < mapping->size; i++) sum += mapping->data[i];
    return (void *)sum;
}

// Threads that read while the file shrinks go on, with zeros, and the status is there for all of them.
TEST(truncated_mapping_is_an_error) {
    enum { SIZE = 5 * 4096 + 10 };
    for (int round = 0; round < 2; round++) { // twice: the next mapping starts afresh
        Mapping mapping = map_sevens(test_temp("a"), SIZE), other = map_sevens(test_temp("b"), SIZE);
        CHECK_INT((size_t)sum_bytes(&mapping), 7 * SIZE);
        CHECK_OK(file_intact(&mapping, ST_OK));
        CHECK_INT(file_intact(&mapping, ST_CANCELLED), ST_CANCELLED); // what it is given, it gives back
        CHECK_INT(truncate(test_temp("a"), 4096), 0);
        pthread_t threads[4];
        for (int i = 0; i < 4; i++) CHECK_INT(pthread_create(&threads[i], NULL, sum_bytes, &mapping), 0);
        for (int i = 0; i < 4; i++) {
            void *sum;
            pthread_join(threads[i], &sum);
            CHECK_INT((size_t)sum, 7 * 4096);
        }
        CHECK(file_lost(&mapping) && !file_lost(&other));
        CHECK_INT(file_intact(&mapping, ST_OK), ST_BAD);
        CHECK(strstr(error_message(), "cut short"));
        CHECK_INT(file_intact(&mapping, ST_RESOURCE), ST_BAD); // an error that came of the zeros is not the one to tell
        CHECK_OK(file_intact(&other, ST_OK));
        file_unmap(&mapping);
        file_unmap(&other);
    }
}
// What no signal tells: less than a page is lost, the file has grown again, its bytes are others.
TEST(changed_mapping_is_an_error) {
    enum { SIZE = 4096 + 100 };
    const struct timespec past[2] = {{1000000000, 0}, {1000000000, 0}};
    for (int way = 0; way < 4; way++) {
        const char *path = test_temp("a");
        Mapping mapping = map_sevens(path, SIZE);
        file_unmap(&mapping);
        CHECK_INT(utimensat(AT_FDCWD, path, past, 0), 0);
        CHECK_OK(file_map(path, &mapping));
        if (way == 0) CHECK_INT(truncate(path, SIZE - 50), 0);
        if (way == 1) CHECK(!truncate(path, 0) && !truncate(path, SIZE));
        if (way == 2) put(path, "another file under this name: the mapped one is whole");
        if (way == 3) CHECK_INT(unlink(path), 0);
        CHECK_INT((size_t)sum_bytes(&mapping), 7 * (way == 0 ? SIZE - 50 : way == 1 ? 0 : SIZE));
        CHECK(!file_lost(&mapping));
        CHECK_INT(file_intact(&mapping, ST_OK), way < 2 ? ST_BAD : ST_OK);
        file_unmap(&mapping);
    }
}

// A lost page that is none of ours ends the process, as it would have without us.
TEST(foreign_bus_error_still_dies) {
    Mapping mapping = map_sevens(test_temp("a"), 1); // the handler is there now
    file_unmap(&mapping);
    put(test_temp("b"), "x");
    const int handle = open(test_temp("b"), O_RDONLY);
    const volatile uint8_t *foreign = mmap(NULL, 1, PROT_READ, MAP_SHARED, handle, 0);
    REQUIRE(foreign != MAP_FAILED);
    close(handle);
    CHECK_INT(truncate(test_temp("b"), 0), 0);
    pid_t child = fork();
    if (child == 0) {
        alarm(10);
        _exit(foreign[0]);
    }
    int status = 0;
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK(!WIFEXITED(status) || WEXITSTATUS(status) != 0); // a sanitizer may turn the signal into an exit status
    CHECK(!WIFSIGNALED(status) || WTERMSIG(status) == SIGBUS);
}

// Pipes and devices could keep a reader for ever.
TEST(what_is_no_file_is_not_read) {
    uint8_t *data;
    size_t size;
    Mapping mapping;
    CHECK_INT(mkfifo(test_temp("pipe"), 0600), 0);
    static const char *const devices[] = {"/dev/zero", "/dev/null", "/dev/tty"};
    for (size_t i = 0; i <= COUNT_OF(devices); i++) {
        const char *path = i ? devices[i - 1] : test_temp("pipe");
        CHECK_INT(file_read(path, 100, &data, &size), ST_BAD);
        CHECK_INT(file_map(path, &mapping), ST_BAD);
    }
    CHECK_INT(file_write(test_temp("pipe"), "x", 1), ST_BAD); // nobody reads it
    CHECK_INT(file_append(test_temp("pipe"), "x", 1), ST_BAD);
    CHECK_INT(folder_count(test_temp("")), 1);
}

// What a killed process left goes when the next one writes there, and what a living one is writing stays.
TEST(stale_temporaries_go) {
    AtomicFile *mine;
    CHECK_OK(folder_make(test_temp("x")));
    CHECK_OK(atomic_open(test_temp("x/a"), &mine));
    CHECK_INT(folder_count(test_temp("x")), 1);
    pid_t child = fork();
    if (child == 0) {
        AtomicFile *file;
        for (int i = 0; i < 3; i++) (void)atomic_open(test_temp("x/b"), &file);
        raise(SIGKILL);
    }
    int status = 0;
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK_INT(folder_count(test_temp("x")), 4);
    child = fork(); // a folder is looked through once a process
    if (child == 0) _exit(file_write(test_temp("x/c"), "", 0));
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK_INT(status, 0);
    CHECK_INT(folder_count(test_temp("x")), 2); // c, and the temporary of a
    CHECK_OK(atomic_commit(mine));
    CHECK_INT(folder_count(test_temp("x")), 2);
}

TEST(appends) {
    CHECK_OK(file_append(test_temp("a"), "one\n", 4));
    CHECK_OK(file_append(test_temp("a"), "two\n", 4));
    check_content(test_temp("a"), "one\ntwo\n");
    file_fail_after(0);
    CHECK_INT(file_append(test_temp("a"), "x", 1), ST_RESOURCE);
    CHECK_INT(file_append(test_temp("no/such"), "x", 1), ST_BAD);
    check_content(test_temp("a"), "one\ntwo\n");
}

TEST(folders) {
    Arena arena = {0};
    char **names = NULL;
    size_t count = 0;
    CHECK_OK(folder_make(test_temp("x/y//z/")));
    CHECK_OK(folder_make(test_temp("x/y/z")));
    CHECK_INT(path_kind(test_temp("x/y/z")), PATH_FOLDER);
    put(test_temp("x/slice_10.tif"), "");
    put(test_temp("x/slice_2.tif"), "ab");
    put(test_temp("x/.hidden"), "");
    CHECK_OK(folder_list(test_temp("x"), &arena, &names, &count));
    static const char *const wanted[] = {".hidden", "slice_2.tif", "slice_10.tif", "y"};
    REQUIRE(count == COUNT_OF(wanted));
    for (size_t i = 0; i < count; i++) CHECK_TEXT(names[i], wanted[i]);
    CHECK_INT(folder_make(test_temp("x/slice_2.tif")), ST_BAD);
    CHECK_INT(folder_make(test_temp("x/slice_2.tif/below")), ST_BAD);
    CHECK_INT(folder_list(test_temp("missing"), &arena, &names, &count), ST_BAD);
    CHECK(folder_may_be_written(test_temp("x")) && folder_may_be_written(test_temp("x/a/b/c")));
    CHECK(folder_may_be_written("here/or/there"));
    CHECK(!folder_may_be_written(test_temp("x/slice_2.tif/below")) && !folder_may_be_written("/dev/null/a/b"));
    CHECK_INT(file_size(test_temp("x/slice_2.tif")), 2);
    CHECK_INT(file_size(test_temp("x")), -1);
    CHECK_INT(path_kind(test_temp("x/slice_2.tif")), PATH_FILE);
    CHECK_INT(path_kind(test_temp("missing")), PATH_MISSING);
    arena_free(&arena);
}

TEST(paths) {
    Arena arena = {0};
    CHECK_TEXT(path_join(&arena, "a", "b"), "a/b");
    CHECK_TEXT(path_join(&arena, "a/", "b"), "a/b");
    CHECK_TEXT(path_join(&arena, "", "b"), "b");
    CHECK_TEXT(path_name("a/b.c"), "b.c");
    CHECK_TEXT(path_name("b.c"), "b.c");
    CHECK_TEXT(path_folder(&arena, "a/b/c"), "a/b");
    CHECK_TEXT(path_folder(&arena, "c"), ".");
    CHECK_TEXT(path_folder(&arena, "/c"), "/");
    setenv("XDG_DATA_HOME", "/data", 1);
    setenv("HOME", "/home/u", 1);
    CHECK_TEXT(user_data_folder(&arena), "/data/stent");
    setenv("XDG_DATA_HOME", "relative", 1);
    CHECK_TEXT(user_data_folder(&arena), "/home/u/.local/share/stent");
    unsetenv("XDG_DATA_HOME");
    unsetenv("HOME");
    CHECK(!user_data_folder(&arena));
    arena_free(&arena);
}
