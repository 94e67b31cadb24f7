// eval as a user calls it.
#include "app/datasets.h"
#include "cli/program.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

TEST(eval_tells_people_and_programs) {
    Arena arena = {0};
    const char *package = eval_package(), *data = put_dataset("lgg");
    CHECK_INT(program("eval", package, data, NULL), 0);
    static const char *const told[] = {"lgg (kaggle_3m): 6 cases of 3 patients",      "pooled Dice", "0.8861",
                                       "1 for a case with nothing in truth and mask", "worst cases", "B/B_2"};
    for (size_t i = 0; i < COUNT_OF(told); i++) CHECK_MSG(strstr(program_out, told[i]), "%s", program_out);
    CHECK_INT(program_stdout("eval", package, data, "--json", "--bootstrap", "0", NULL), 0);
    const Json *json = program_json(&arena);
    CHECK_TEXT(eval_text(json, "verb"), "eval");
    CHECK(!json_get(json, "intervals") && eval_number(json, "cases") == 6);
    arena_free(&arena);
}
TEST(eval_with_faults_ends_with_3) {
    Arena arena = {0};
    const char *package = eval_package(), *data = put_dataset("lgg");
    CHECK(!unlink(in_folder(data, "B/B_2_mask.tif")));
    CHECK_INT(program("eval", package, data, "--csv", test_temp("rows.csv"), NULL), 3);
    CHECK(strstr(program_out, "5 cases of 3 patients, 1 faults") && strstr(program_out, "missing mask"));
    CHECK(strstr(program_out, "stent: B/B_2.tif: missing mask: the picture has no mask\n"));
    CHECK(path_kind(test_temp("rows.csv")) == PATH_FILE);
    CHECK_INT(program_stdout("eval", package, data, "--json", NULL), 3);
    check_fault(program_json(&arena), "B/B_2.tif", "missing mask");
    arena_free(&arena);
}
TEST(eval_of_shards_in_their_own_files) {
    const char *package = eval_package(), *data = put_dataset("lgg"), *csv = test_temp("rows.csv");
    CHECK_INT(program("eval", package, data, "--shard", "1/2", "--csv", csv, NULL), 0);
    CHECK_INT(program("eval", package, data, "--shard=2/2", "--csv", csv, NULL), 0);
    const char *first = test_temp("lgg.1-of-2.cases.jsonl"), *second = test_temp("lgg.2-of-2.cases.jsonl");
    CHECK_INT(program("eval", package, "--merge", first, second, NULL), 0);
    CHECK(strstr(program_out, "lgg (kaggle_3m): 6 cases of 3 patients"));
    CHECK_INT(program("eval", package, data, "--shard", "2/2", "--csv", csv, "--resume", NULL), 0);
    CHECK(strstr(program_out, "3 of them done before"));
}
TEST(eval_splits_without_a_package) {
    const char *data = put_dataset("lgg"), *split = test_temp("split.tsv");
    CHECK_INT(program("eval", data, "--make-split", split, "--fractions", "1/1/1", "--seed", "3", NULL), 0);
    CHECK(strstr(program_out, "3 patients: 1 train, 1 validation, 1 test (seed 3)"));
    CHECK_INT(program("eval", data, "--make-split", split, "--fractions", "1/1", NULL), 2);
    CHECK_INT(program("eval", data, "--make-split", split, "--fractions", "0/0/-1", NULL), 2);
}
TEST(eval_refuses_wrong_arguments) {
    const char *package = eval_package(), *data = put_dataset("lgg");
    CHECK_INT(program("eval", package, NULL), 2);
    CHECK_INT(program("eval", package, data, data, NULL), 2);
    CHECK_INT(program("eval", package, data, "--part", "test", NULL), 2);
    CHECK_INT(program("eval", package, data, "--merge", "--resume", NULL), 2);
    CHECK_INT(program("eval", package, data, "--csv", package, NULL), 2);
    check_one_line("would be overwritten");
    CHECK_INT(program("eval", package, data, "--arch", "x", NULL), 2);
    CHECK_INT(program("eval", package, test_temp("none"), NULL), 3);
    CHECK_INT(program("eval", data, data, NULL), 3);
}
// Ctrl-C: what is done stays, and --resume ends with the figures of an undisturbed run.
TEST(eval_interrupted_goes_on) {
    Arena arena = {0};
    const char *package = eval_package(), *data = test_temp("many"), *cases = test_temp("many.jsonl");
    for (int i = 0; i < 600; i++) put_pair(data, i % 2 ? "P" : "Q", i, 2, 2 + i % 3, 6);
    if (!test_program()) test_skip("the program is not built");
    setenv("XDG_DATA_HOME", test_temp("data"), 1);
    const char *const command[] = {"stent", "eval", package, data, "--cases", cases, NULL};
    const pid_t pid = fork();
    if (pid == 0) {
        const int null = open("/dev/null", O_RDWR);
        for (int i = 0; i < 3; i++) dup2(null, i);
        signal(SIGINT, SIG_DFL);
        execv(test_program(), (char *const *)(uintptr_t)command);
        _exit(127);
    }
    REQUIRE(pid > 0);
    for (int i = 0; i < 2000 && file_size(cases) < 20000; i++) usleep(5000); // some tens of cases
    kill(pid, SIGINT);
    int status = 0;
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status) && (WEXITSTATUS(status) == 130 || WEXITSTATUS(status) == 0));
    CHECK_INT(program_stdout("eval", package, data, "--cases", cases, "--resume", "--json", NULL), 0);
    const Json *resumed = program_json(&arena);
    CHECK(eval_number(resumed, "resumed") >= 10);
    CHECK_INT(program_stdout("eval", package, data, "--json", NULL), 0);
    const Json *whole = program_json(&arena);
    CHECK(eval_number(resumed, "dice_mean") == eval_number(whole, "dice_mean") && eval_number(whole, "cases") == 600);
    CHECK(eval_number(resumed, "dice_soft") == eval_number(whole, "dice_soft"));
    arena_free(&arena);
}
