// Verbs, options, help: what a person who mistypes gets.
#include "cli/program.h"

static const char *const verbs[] = {"demo",    "info",   "machine", "compile", "run",    "bench",
                                    "profile", "verify", "segment", "tune",    "wisdom", "eval",   "report"};

TEST(version) {
    CHECK_INT(program("--version", NULL), 0);
    CHECK(!strncmp(program_out, "stent ", 6));
}
TEST(overview_names_every_verb) {
    REQUIRE(program(NULL, NULL) == 0);
    for (size_t i = 0; i < COUNT_OF(verbs); i++) CHECK_MSG(strstr(program_out, verbs[i]), "%s is missing", verbs[i]);
    CHECK_INT(program("help", NULL), 0);
}
TEST(help_of_each_verb_has_an_example) {
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        CHECK_INT(program_stdout(verbs[i], "--help", NULL), 0);
        CHECK_MSG(strstr(program_out, "example:\n  stent "), "%s:\n%s", verbs[i], program_out);
        CHECK_MSG(strstr(program_out, "--json") && strstr(program_out, "--threads"), "%s:\n%s", verbs[i], program_out);
    }
    CHECK_INT(program_stdout("help", "bench", NULL), 0);
    CHECK(strstr(program_out, "stent bench NET.stent"));
}
TEST(unknown_verb) {
    CHECK_INT(program("benhc", NULL), 2);
    check_one_line("unknown verb 'benhc'; did you mean stent bench?");
    CHECK_INT(program("qwertz", NULL), 2);
    check_one_line("unknown verb 'qwertz'");
}
TEST(unknown_option) {
    CHECK_INT(program("bench", "x.stent", "--repaet", "3", NULL), 2);
    check_one_line("unknown option '--repaet'; did you mean --repeat?");
    CHECK_INT(program("bench", "x.stent", "--thread=3", NULL), 2);
    check_one_line("did you mean --threads?");
    CHECK_INT(program("info", "x.stent", "-z", NULL), 2);
    check_one_line("unknown option '-z'");
}
TEST(wrong_arguments) {
    CHECK_INT(program("bench", NULL), 2);
    check_one_line("expected NET.stent");
    CHECK_INT(program("bench", "a.stent", "b.stent", NULL), 2);
    check_one_line("'b.stent'");
    CHECK_INT(program("bench", "a.stent", "--repeat", NULL), 2);
    check_one_line("--repeat: expected a count");
    CHECK_INT(program("bench", "a.stent", "--repeat", "many", NULL), 2);
    check_one_line("expected a count, got 'many'");
    CHECK_INT(program("bench", "a.stent", "--time=-3", NULL), 2);
    check_one_line("expected a time");
    CHECK_INT(program("run", "a.stent", "--max-memory", "150 apples", NULL), 2);
    check_one_line("expected a size");
    CHECK_INT(program("machine", "--measure=yes", NULL), 2);
    check_one_line("takes no value");
    CHECK_INT(program("compile", "a.onnx", "-O", "4", NULL), 2);
    check_one_line("expected 0 to 3");
    CHECK_INT(program("bench", "a.stent", "--gate", NULL), 2);
    check_one_line("--versus");
    CHECK_INT(program("run", "a.stent", NULL), 2);
    check_one_line("--output");
}
TEST(what_is_not_had_yet_is_named) {
    CHECK_INT(program("tune", "a.stent", "--layout", "greedy", NULL), 4);
    check_one_line("--layout");
}
TEST(full_stdout) {
    if (path_kind("/dev/full") != PATH_OTHER) test_skip("no /dev/full here");
    char command[5000];
    if (!test_program()) test_skip("the program is not built");
    snprintf(command, sizeof command, "'%s' machine --json > /dev/full", test_program());
    const int status =
        test_run_command((const char *const[]){"sh", "-c", command, NULL}, program_out, sizeof program_out);
    CHECK_INT(status, 5);
    check_one_line("stdout: cannot write");
}
TEST(machine) {
    Arena arena = {0};
    REQUIRE(program_stdout("machine", "--json", NULL) == 0);
    const Json *json = program_json(&arena), *machine = json_get(json, "machine");
    REQUIRE(machine && json_get(machine, "isa") && json_get(machine, "threads") && json_get(machine, "cpu"));
    CHECK(json_get(json, "isas") && json_get(json_get(json, "isas"), "sse2")->boolean);
    CHECK_TEXT(json_get(json, "verb")->string, "machine");
    arena_free(&arena);
}
TEST(each_level_says_what_it_lacks) {
    static const char *const names[] = {"sse2", "avx", "avx2", "avx512", "amx"};
    static const char *const last_needed[] = {"sse2", "xcr0.avx", "avx2", "xcr0.hi16_zmm", "xcr0.tiledata"};
    Arena arena = {0};
    REQUIRE(program_stdout("machine", "--json", NULL) == 0);
    const Json *json = program_json(&arena), *levels = json_get(json, "levels"), *isas = json_get(json, "isas");
    REQUIRE(levels && levels->count == COUNT_OF(names));
    REQUIRE(program_stdout("machine", NULL) == 0);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const Json *level = &levels->items[i], *needs = json_get(level, "needs"), *missing = json_get(level, "missing");
        const bool had = json_get(level, "had")->boolean;
        CHECK_TEXT(json_get(level, "isa")->string, names[i]);
        CHECK_INT(had, json_get(isas, names[i])->boolean);
        CHECK_INT(had, missing->count == 0);
        CHECK_TEXT(needs->items[needs->count - 1].string, last_needed[i]);
        char line[64];
        snprintf(line, sizeof line, "\n  %-7s %s%s", names[i], had ? "had\n" : "not had: ",
                 had ? "" : missing->items[0].string);
        CHECK_MSG(strstr(program_out, line) != NULL, "no '%s' in\n%s", line, program_out);
    }
    arena_free(&arena);
}
TEST(forced_isa) {
    setenv("STENT_ISA", "sse2", 1);
    CHECK_INT(program_stdout("machine", NULL), 0);
    CHECK(strstr(program_out, "sse2 is used"));
    setenv("STENT_ISA", "mmx", 1);
    CHECK_INT(program("machine", NULL), 2);
    check_one_line("STENT_ISA: expected sse2");
}
