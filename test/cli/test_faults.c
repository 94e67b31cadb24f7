// Bad files, bad places, full disks: one clear line, the right exit status, nothing half-written.
#define _GNU_SOURCE
#include "app/pictures.h"
#include "base/folder.h"
#include "cli/program.h"
#include "tensor/npy.h"
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

// A fresh folder in this run's own.
static const char *fresh_folder(void) {
    const char *path = test_temp("out");
    CHECK_OK(folder_make(path));
    return path;
}
static void cut(const char *path, const char *to, size_t size) {
    uint8_t *data;
    size_t whole;
    CHECK_OK(file_read(path, 1 << 24, &data, &whole));
    REQUIRE(size < whole);
    CHECK_OK(file_write(to, data, size));
    mem_free(data);
}

TEST(missing_files) {
    static const char *const verbs[] = {"info", "compile", "bench", "profile", "verify"};
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        CHECK_INT(program(verbs[i], "/no/such/file", NULL), 3);
        check_one_line("/no/such/file");
    }
    CHECK_INT(program("run", "/no/such/file", "--input", "x.npy", "--output", "y.npy", NULL), 3);
    check_one_line("/no/such/file");
}
TEST(missing_tensor_leaves_nothing) {
    const char *package = small_package(), *folder = fresh_folder();
    CHECK_INT(program("run", package, "--input", "/no/such.npy", "--output", test_temp("out/y.npy"), NULL), 3);
    check_one_line("/no/such.npy");
    CHECK_INT(folder_count(folder), 0);
}
TEST(truncated_model) {
    const char *whole = small_model();
    const char *folder = fresh_folder();
    const char *part = test_temp("cut.onnx");
    const size_t size = (size_t)file_size(whole);
    for (size_t at = 1; at <= 7; at++) {
        cut(whole, part, size * at / 8);
        const int status = program("compile", part, "-o", test_temp("out/x.stent"), NULL);
        CHECK_MSG(status == 3, "cut at %zu of 8: status %d\n%s", at, status, program_out);
        check_one_line("cut.onnx");
        CHECK_INT(folder_count(folder), 0);
    }
}
TEST(truncated_package) {
    const char *package = small_package();
    const char *part = test_temp("cut.stent");
    const size_t size = (size_t)file_size(package);
    for (size_t at = 0; at < 8; at++) {
        cut(package, part, MAX(size * at / 8, 1));
        const int status = program("verify", part, NULL);
        CHECK_MSG(status == 3, "cut at %zu of 8: status %d\n%s", at, status, program_out);
        check_one_line("cut.stent");
    }
}
TEST(unsupported_op_is_named) {
    OnnxFile file = onnx_file(13);
    onnx_input(&file, "x", FLOAT32, "1,3,8,8");
    onnx_node(&file, "StringNormalizer", "x", "y", "");
    onnx_output(&file, "y");
    const char *model = onnx_save(&file, "odd.onnx");
    const char *folder = fresh_folder();
    CHECK_INT(program("compile", model, "-o", test_temp("out/x.stent"), NULL), 4);
    check_one_line("StringNormalizer");
    CHECK_INT(folder_count(folder), 0);
}
TEST(missing_folder) {
    const char *model = small_model();
    CHECK_INT(program("compile", model, "-o", "/no/such/folder/x.stent", NULL), 3);
    check_one_line("/no/such/folder/x.stent");
}
TEST(unwritable_output) {
    const char *model = small_model();
    const char *folder = fresh_folder();
    // A folder stands where the package should go; a file stands where the folder should be.
    CHECK_INT(program("compile", model, "-o", folder, NULL), 3);
    check_one_line(folder);
    const char *file = test_temp("small.onnx/x.stent");
    CHECK_INT(program("compile", model, "-o", file, NULL), 3);
    check_one_line(file);
    CHECK_INT(folder_count(folder), 0);
}
TEST(full_disk) {
    if (path_kind("/dev/full") != PATH_OTHER) test_skip("no /dev/full here");
    const char *model = small_model();
    CHECK_INT(program("compile", model, "-o", "/dev/full", NULL), 5);
    check_one_line("/dev/full: cannot write");
    const char *package = small_package();
    CHECK_INT(program("profile", package, "--repeat", "1", "--trace", "/dev/full", NULL), 5);
    check_one_line("/dev/full: cannot write");
    CHECK_INT(program("bench", package, "--repeat", "1", "--log", "/dev/full", NULL), 5);
    check_one_line("/dev/full: cannot write");
}
// The disk is full in the middle of a file: a limit of 4 KB on file sizes does the same.
TEST(half_written_files_go) {
    const char *model = small_model(), *folder = fresh_folder(), *program_path = test_program();
    if (!program_path) test_skip("the program is not built");
    const char *const argv[] = {"sh",         "-c",  "ulimit -f 8; exec \"$0\" compile \"$1\" -o \"$2\"",
                                program_path, model, test_temp("out/x.stent"),
                                NULL};
    CHECK_INT(test_run_command(argv, program_out, sizeof program_out), 5);
    check_one_line("x.stent: cannot write");
    CHECK_INT(folder_count(folder), 0);
}
TEST(too_little_memory_allowed) {
    const char *package = small_package();
    CHECK_INT(program("bench", package, "--repeat", "1", "--max-memory", "10K", NULL), 5);
    check_one_line("--max-memory");
}
TEST(wrong_kind_of_file) {
    const char *package = small_package();
    CHECK_INT(program("compile", package, "-o", test_temp("never.stent"), NULL), 3);
    check_one_line("small.stent");
    const char *model = small_model();
    CHECK_INT(program("bench", model, NULL), 3);
    check_one_line("not a stent package");
}
TEST(precision) {
    const char *package = small_package();
    CHECK_INT(program("bench", package, "--precision", "int8", NULL), 4);
    check_one_line("int8");
    CHECK_INT(program("bench", package, "--precision", "exact", NULL), 2);
    check_one_line("'exact'");
    CHECK_INT(program("verify", package, "--precision", "strict", "--threads", "1", NULL), 0);
    CHECK_INT(program("verify", package, "--precision", "bf16", NULL), 2);
    check_one_line("the package permits fp32");
    CHECK_INT(program("compile", small_model(), "-o", test_temp("never.stent"), "--precision", "fp16", NULL), 4);
    check_one_line("fp16");
    CHECK_INT(program("compile", small_model(), "-o", test_temp("never.stent"), "--precision", "bf16", NULL), 2);
    check_one_line("--calibrate DIR");
    CHECK_INT(program("compile", small_model(), "-o", test_temp("never.stent"), "--max-dice-loss", "1.5", NULL), 2);
    check_one_line("--max-dice-loss");
}
// A machine without the hardware runs fp32 and says so, once.
TEST(bf16_falls_back) {
    const char *package = test_temp("bf16.stent");
    Arena arena = {0};
    CHECK_INT(program("compile", small_model(), "-o", package, "--precision", "bf16", "--no-gate", NULL), 0);
    setenv("STENT_ISA", "sse2", 1);
    CHECK_INT(program("verify", package, NULL), 0);
    const char *note = strstr(program_out, "bf16 takes AMX, which is not had on sse2 here: fp32 runs");
    CHECK(note && !strstr(note + 1, "bf16 takes AMX"));
    CHECK(strstr(program_out, "verified on sse2") && strstr(program_out, "fp32"));
    CHECK_INT(program("verify", package, "--precision", "strict", NULL), 0);
    CHECK(!strstr(program_out, "bf16"));
    CHECK_INT(program_stdout("verify", package, "--json", NULL), 0);
    const Json *precision = json_get(program_json(&arena), "precision");
    CHECK(precision && !strcmp(precision->string, "fp32"));
    arena_free(&arena);
}
TEST(free_dims_are_asked_for) {
    OnnxFile file = onnx_file(13);
    onnx_input(&file, "volume", FLOAT32, "1,1,D,8,8");
    onnx_node(&file, "Relu", "volume", "y", "");
    onnx_output(&file, "y");
    const char *model = onnx_save(&file, "free.onnx");
    const char *package = test_temp("free.stent");
    REQUIRE(program("compile", model, "-o", package, NULL) == 0);
    CHECK_INT(program("bench", package, NULL), 2);
    check_one_line("input 'volume' has free dims");
    CHECK_INT(program("info", package, NULL), 0);
    CHECK(strstr(program_out, "1x1xDx8x8"));
    CHECK_INT(program("bench", package, "--repeat", "1", "--input", "volume=1x1x4x8x8", NULL), 0);
    CHECK_INT(program("bench", package, "--repeat", "1", "--input", "1x1x4x8", NULL), 3);
}

// ---- what is no plain file never hangs, neither as input nor as output

TEST(pipes_and_devices_as_input) {
    static const char *const verbs[] = {"info", "compile", "bench", "verify"};
    REQUIRE(mkfifo(test_temp("pipe"), 0600) == 0);
    const char *paths[] = {test_temp("pipe"), "/dev/zero", "/dev/null"};
    for (size_t p = 0; p < COUNT_OF(paths); p++) {
        for (size_t i = 0; i < COUNT_OF(verbs); i++) {
            CHECK_INT(program(verbs[i], paths[p], NULL), 3);
            check_one_line(paths[p]);
        }
        CHECK_INT(program("compile", small_model(), "--pipeline", paths[p], "-o", test_temp("x.stent"), NULL), 3);
        check_one_line(paths[p]);
        CHECK_INT(program("run", small_package(), "--input", paths[p], "--output", test_temp("y.npy"), NULL), 3);
        check_one_line(paths[p]);
        CHECK_INT(program("segment", small_package(), paths[p], "-o", test_temp("masks"), NULL), 3);
        CHECK(strstr(program_out, "expected a file, got something else"));
    }
    CHECK_INT(program("compile", small_model(), "-o", paths[0], NULL), 3); // nobody reads the pipe
    check_one_line("pipe: cannot write");
}
TEST(a_folder_of_pipes_and_circles) {
    static const uint8_t picture[32 * 32 * 3] = {1, 2, 3};
    const char *package = small_package();
    CHECK_OK(folder_make(test_temp("in/deep")));
    REQUIRE(mkfifo(test_temp("in/pipe"), 0600) == 0 && mkfifo(test_temp("in/pipe.png"), 0600) == 0);
    REQUIRE(symlink("..", test_temp("in/deep/round")) == 0 && symlink("self.png", test_temp("in/self.png")) == 0);
    REQUIRE(symlink("/dev/zero", test_temp("in/zero.png")) == 0);
    write_u8(test_temp("in/deep/a.png"), 32, 32, 3, picture);
    CHECK_INT(program("segment", package, test_temp("in"), "-o", test_temp("out"), NULL), 0);
    CHECK(is_there(test_temp("out"), "deep/a.png"));
    CHECK_INT(folder_count(test_temp("out")), 2); // deep, results.json
}

// ---- places that refuse

// As a user who is not root: permissions count.
static void become_nobody(void) {
    if (geteuid()) return;
    CHECK_INT(chmod(test_temp(".."), 0711), 0);
    CHECK_INT(chmod(test_temp(""), 0777), 0);
    REQUIRE(setegid(65534) == 0 && seteuid(65534) == 0);
}
static void become_oneself(void) {
    CHECK(seteuid(getuid()) == 0 && setegid(getgid()) == 0);
    CHECK_INT(prctl(PR_SET_DUMPABLE, 1), 0); // for the leak checker, which looks at the process from outside
}
TEST(no_permission) {
    static const uint8_t picture[32 * 32 * 3] = {1, 2, 3};
    const char *model = small_model(), *package = small_package();
    write_u8(test_temp("a.png"), 32, 32, 3, picture);
    become_nobody();
    setenv("XDG_DATA_HOME", test_temp("own"), 1);
    CHECK_OK(folder_make(test_temp("closed")));
    CHECK_OK(file_write(test_temp("kept.stent"), "kept", 4));
    CHECK_INT(chmod(test_temp("closed"), 0555), 0);
    CHECK_INT(chmod(test_temp("kept.stent"), 0444), 0);
    stent_segment_options options = STENT_OPTIONS(stent_segment_options);
    options.threshold = -1, options.output = test_temp("closed/masks");
    const char *const pictures[] = {test_temp("a.png")};
    CHECK_INT(stent_compile(model, test_temp("closed/x.stent"), NULL, NULL), STENT_RESOURCE);
    CHECK(strstr(stent_message(), "closed/x.stent: cannot write: Permission denied"));
    CHECK_INT(stent_segment(package, pictures, 1, &options, NULL), STENT_RESOURCE);
    CHECK(strstr(stent_message(), "closed/masks: cannot make the folder"));
    options.output = test_temp("closed");
    CHECK_INT(stent_segment(package, pictures, 1, &options, NULL), STENT_RESOURCE);
    CHECK(strstr(stent_message(), "closed/a.png: cannot write"));
    CHECK_INT(folder_count(test_temp("closed")), 0);
    // A write-protected file is not replaced, though its folder would let it be.
    CHECK_INT(stent_compile(model, test_temp("kept.stent"), NULL, NULL), STENT_RESOURCE);
    CHECK(strstr(stent_message(), "kept.stent: cannot write: Permission denied"));
    CHECK_INT(file_size(test_temp("kept.stent")), 4);
    become_oneself();
}
TEST(nothing_is_written_over_its_source) {
    const char *model = small_model();
    const int64_t size = file_size(model);
    REQUIRE(link(model, test_temp("same.onnx")) == 0 && symlink("small.onnx", test_temp("alias.onnx")) == 0);
    const char *names[] = {model, test_temp("same.onnx"), test_temp("alias.onnx")};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        CHECK_INT(program("compile", model, "-o", names[i], NULL), 2);
        check_one_line("would overwrite the model or its weights");
    }
    CHECK_INT(file_size(model), size);
    static const uint8_t picture[32 * 32 * 3] = {1, 2, 3};
    const char *package = small_package();
    CHECK_OK(folder_make(test_temp("in")));
    write_u8(test_temp("in/a.png"), 32, 32, 3, picture);
    CHECK_INT(program("segment", package, test_temp("in/a.png"), "-o", test_temp("in"), NULL), 2);
    check_one_line("would overwrite");
    CHECK_INT(folder_count(test_temp("in")), 1);
    static float zeros[3 * 32 * 32];
    CHECK_OK(npy_write(test_temp("x.npy"), &(Tensor){DT_F32, shape_of(4, (const int64_t[]){1, 3, 32, 32}), zeros}));
    REQUIRE(symlink("x.npy", test_temp("y.npy")) == 0);
    CHECK_INT(program("run", package, "--input", test_temp("x.npy"), "-o", test_temp("y.npy"), NULL), 2);
    check_one_line("would overwrite an input");
    CHECK_INT(program("run", package, "--input", test_temp("x.npy"), "-o", package, NULL), 2);
    check_one_line("would overwrite the package");
}

// ---- the program's own streams

static int shell(const char *script, const char *package) {
    const char *const argv[] = {"sh", "-c", script, test_program() ? test_program() : "", package, NULL};
    if (!test_program()) test_skip("the program is not built");
    return test_run_command(argv, program_out, sizeof program_out);
}
TEST(stdout_that_refuses) {
    static const char *const words[] = {
        "info \"$1\"", "info \"$1\" --json", "machine",       "--version",
        "help",        "help bench",         "verify \"$1\"", "bench --repeat 1 \"$1\""};
    static const char *const ways[] = {">/dev/full", ">&-"};
    const char *package = small_package();
    for (size_t i = 0; i < COUNT_OF(words); i++)
        for (size_t way = 0; way < COUNT_OF(ways); way++) {
            char script[200];
            snprintf(script, sizeof script, "exec \"$0\" %s %s", words[i], ways[way]);
            CHECK_MSG(shell(script, package) == 5, "%s: %s", script, program_out);
            check_one_line("stdout: cannot write");
        }
    // Nobody reads: an error as well, rather than a signal in the middle of a file.
    int ends[2], status = 0;
    REQUIRE(pipe(ends) == 0);
    close(ends[0]);
    const pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        execl(test_program(), "stent", "info", package, (char *)NULL);
    }
    close(ends[1]);
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 5);
}
// A closed stream must not become the file that is opened next.
TEST(closed_streams_do_no_harm) {
    const char *package = small_package(), *out = test_temp("again.stent");
    char script[9000];
    snprintf(script, sizeof script, "exec \"$0\" compile '%s' -o \"$1\" <&- >&- 2>&-", test_temp("small.onnx"));
    CHECK_INT(shell(script, out), 5);
    uint8_t *first, *second;
    size_t size, again = 0;
    CHECK_OK(file_read(package, 1 << 24, &first, &size));
    CHECK_OK(file_read(out, 1 << 24, &second, &again));
    CHECK(size == again && !memcmp(first, second, size));
    mem_free(first);
    mem_free(second);
}
