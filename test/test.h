// The test runner's side of a test file. Each TEST runs in a process of its own with a timeout; a failed CHECK
// prints where and goes on, a failed REQUIRE ends the test. SKIP says why. The program test/runner.c ends with
// "N passed, N failed, N skipped".
#pragma once
#include "base/memory.h"
#include "base/status.h"
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void TestFunction(void);
typedef struct TestCase {
    const char *name, *file;
    TestFunction *run;
    struct TestCase *next;
} TestCase;
void test_register(TestCase *test);
void test_failed(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));
void test_skip(const char *why) __attribute__((noreturn));
void test_end(void) __attribute__((noreturn)); // ends the running test (with the failures so far)
const char *test_data(const char *relative);   // path below STENT_TESTDATA (default ../shared), or NULL when absent
const char *test_temp(const char *name);       // path in a folder of this run's own, removed at the end
// Exit status (128 + signal; -1: could not start); stdout+stderr (cut) in out. argv[0] "stent" is the built program.
int test_run_command(const char *const *argv, char *out, size_t out_size);
const char *test_program(void); // path of the built program ($STENT_PROGRAM), or NULL when it is not there
bool test_long(void);           // `make check-long` is running: sweeps may take minutes
bool test_emulated(void);       // tools/older-cpu is running this on an emulated CPU

#define TEST(name)                                                                     \
    static void test_##name(void);                                                     \
    static TestCase case_##name = {#name, __FILE__, test_##name, NULL};                \
    __attribute__((constructor)) static void register_##name(void) { test_register(&case_##name); } \
    static void test_##name(void)
#define CHECK(condition)                                                  \
    do {                                                                  \
        if (!(condition)) test_failed(__FILE__, __LINE__, "%s", #condition); \
    } while (0)
#define CHECK_MSG(condition, ...)                                 \
    do {                                                          \
        if (!(condition)) test_failed(__FILE__, __LINE__, __VA_ARGS__); \
    } while (0)
#define REQUIRE(condition)                                  \
    do {                                                    \
        if (!(condition)) {                                 \
            test_failed(__FILE__, __LINE__, "%s", #condition); \
            test_end();                                     \
        }                                                   \
    } while (0)
#define CHECK_OK(expression)                                                                   \
    do {                                                                                       \
        if ((expression) != ST_OK) {                                                           \
            test_failed(__FILE__, __LINE__, "%s: %s", #expression, error_message());           \
            test_end();                                                                        \
        }                                                                                      \
    } while (0)
#define CHECK_INT(actual, expected)                                                            \
    do {                                                                                       \
        long long a_ = (long long)(actual), e_ = (long long)(expected);                        \
        if (a_ != e_) test_failed(__FILE__, __LINE__, "%s: got %lld, expected %lld", #actual, a_, e_); \
    } while (0)
#define CHECK_TEXT(actual, expected)                                                           \
    do {                                                                                       \
        const char *a_ = (actual), *e_ = (expected);                                           \
        if (strcmp(a_, e_)) test_failed(__FILE__, __LINE__, "%s: got\n%s\nexpected\n%s", #actual, a_, e_); \
    } while (0)
