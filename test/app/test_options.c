#include "app/options.h"
#include "test.h"

typedef struct Older { // as a header before it knew `late`
    size_t size;
    int early;
} Older;
typedef struct Known {
    size_t size;
    int early, late;
} Known;
typedef struct Newer {
    size_t size;
    int early, late;
    char newest[12];
} Newer;

TEST(no_options_are_the_defaults) {
    Known known = {.size = sizeof known, .early = 3, .late = 4};
    CHECK_OK(options_take(NULL, sizeof known, &known));
    CHECK(known.early == 3 && known.late == 4);
}
TEST(an_older_caller_lacks_fields_which_are_zero) {
    const struct {
        Older given;
        int behind; // of the caller's stack, not ours to read
    } caller = {{.size = offsetof(Known, late), .early = 7}, 99};
    Known known = {.size = sizeof known, .early = 3, .late = 4};
    CHECK_OK(options_take(&caller.given, sizeof known, &known));
    CHECK_INT(known.early, 7);
    CHECK_INT(known.late, 0);
    CHECK_INT(known.size, sizeof known);
}
TEST(a_newer_caller_may_not_ask_for_what_is_not_had) {
    Newer given = {.size = sizeof given, .early = 7, .late = 8};
    Known known;
    CHECK_OK(options_take(&given, sizeof known, &known));
    CHECK(known.early == 7 && known.late == 8 && known.size == sizeof known);
    given.newest[11] = 1;
    CHECK_INT(options_take(&given, sizeof known, &known), ST_USAGE);
    CHECK(strstr(error_message(), "older than the header"));
}
TEST(a_struct_without_its_size_is_wrong_use) {
    Known given = {.early = 7}, known;
    CHECK_INT(options_take(&given, sizeof known, &known), ST_USAGE);
    given.size = (size_t)-1;
    CHECK_INT(options_take(&given, sizeof known, &known), ST_USAGE);
}
// Each verb takes its options that way: none reads one without a size, or with a reserved field that is set.
TEST(every_verb_looks_at_the_size) {
#define CHECK_VERB(type, where, call)                                                                                  \
    do {                                                                                                               \
        type options = {0};                                                                                            \
        CHECK_INT(call, STENT_USAGE);                                                                                  \
        CHECK(strstr(stent_message(), "options: expected their size"));                                                \
        options.size = sizeof options;                                                                                 \
        options where reserved[5] = 1;                                                                                 \
        CHECK_INT(call, STENT_USAGE);                                                                                  \
        CHECK(strstr(stent_message(), "reserved"));                                                                    \
    } while (0)
    const char *const paths[] = {"nothing"};
    stent_executable *executable;
    CHECK_VERB(stent_options, ., stent_machine(false, &options, NULL));
    CHECK_VERB(stent_options, ., stent_info("nothing", &options, NULL));
    CHECK_VERB(stent_options, ., stent_open("nothing", &options, &executable));
    CHECK_VERB(stent_options, ., stent_demo(NULL, "/nothing", &options, NULL));
    CHECK_VERB(stent_compile_options, .common., stent_compile("nothing", "nothing", &options, NULL));
    CHECK_VERB(stent_run_options, .common., stent_run_files("nothing", &options, NULL));
    CHECK_VERB(stent_bench_options, .common., stent_bench("nothing", &options, NULL));
    CHECK_VERB(stent_bench_options, .common., stent_bench_lockstep("nothing", &options, stdin, stdout));
    CHECK_VERB(stent_profile_options, .common., stent_profile("nothing", &options, NULL));
    CHECK_VERB(stent_verify_options, .common., stent_verify("nothing", &options, NULL));
    CHECK_VERB(stent_segment_options, .common., stent_segment("nothing", paths, 1, &options, NULL));
}
