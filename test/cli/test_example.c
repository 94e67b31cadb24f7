// examples/c/run.c is compiled as its comment says and runs a package.
#include "cli/program.h"

#ifndef TEST_SOURCE_ROOT
#define TEST_SOURCE_ROOT "."
#endif
#if defined(__SANITIZE_ADDRESS__)
static const char link_options[] = "-fsanitize=address,undefined";
#else
static const char link_options[] = "-O1";
#endif

TEST(c_example) {
    Arena arena = {0};
    const char *package = small_package(), *source = TEST_SOURCE_ROOT "/examples/c/run.c", *binary = test_temp("run");
    const char *build = path_folder(&arena, test_program()), *library = path_join(&arena, build, "libstent.so");
    REQUIRE(build && library);
    if (path_kind(source) != PATH_FILE) test_skip("the sources are not here");
    if (path_kind(library) != PATH_FILE) test_skip("libstent.so is not built");
    const char *const compile[] = {
        "cc", "-std=c99", "-Wall", "-Wextra", "-Werror", link_options, "-I", TEST_SOURCE_ROOT "/include",
        "-o", binary,     source,  library,   NULL};
    if (test_run_command((const char *const[]){"cc", "--version", NULL}, program_out, sizeof program_out))
        test_skip("no cc on this machine");
    unsetenv("LD_AUDIT"); // tools/older-cpu masks CPUID so: not for a compiler
    const int compiled = test_run_command(compile, program_out, sizeof program_out);
    CHECK_MSG(compiled == 0, "%s", program_out);
    const char *input = test_temp("in.raw"), *output = test_temp("out.raw");
    float picture[3 * 32 * 32] = {1, 2, 3};
    CHECK_OK(file_write(input, picture, sizeof picture));
    setenv("LD_LIBRARY_PATH", build, 1);
    const int status =
        test_run_command((const char *const[]){binary, package, input, output, NULL}, program_out, sizeof program_out);
    CHECK_MSG(status == 0, "status %d\n%s", status, program_out);
    CHECK(strstr(program_out, "image: 1 3 32 32"));
    CHECK_INT(file_size(output), 4 * 32 * 32);
    CHECK_INT(test_run_command((const char *const[]){binary, "/no/such.stent", input, output, NULL}, program_out,
                               sizeof program_out),
              1);
    CHECK(strstr(program_out, "/no/such.stent"));
    arena_free(&arena);
}
