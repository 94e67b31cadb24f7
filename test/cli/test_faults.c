// Bad files, bad places, full disks: one clear line, the right exit status, nothing half-written.
#include "cli/program.h"
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
    CHECK_INT(files_in(folder), 0);
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
        CHECK_INT(files_in(folder), 0);
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
    CHECK_INT(files_in(folder), 0);
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
    CHECK_INT(files_in(folder), 0);
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
    CHECK_INT(files_in(folder), 0);
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
