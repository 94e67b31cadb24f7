// The system's counters, read from a made-up /proc and /sys.
#include "base/counters.h"
#include "base/fault.h"
#include "base/file.h"
#include "test.h"

// Written in place, as the system does: the open file is read again.
static void put(const char *name, const char *text) {
    FILE *file = fopen(test_temp(name), "w");
    REQUIRE(file != NULL);
    fputs(text, file);
    fclose(file);
}
static void make_proc(void) {
    CHECK_OK(folder_make(test_temp("proc/self/task/7")));
    CHECK_OK(folder_make(test_temp("proc/self/task/12")));
    CHECK_OK(folder_make(test_temp("cpus/cpu0/cpufreq")));
    CHECK_OK(folder_make(test_temp("cpus/cpu1/cpufreq")));
    put("proc/stat", "cpu  100 20 30 5000 40 5 6 7 900 90\ncpu0 1 1 1 1 1 1 1 1 1 1\n");
    put("proc/self/task/7/schedstat", "111 2500000 3\n");
    put("proc/self/task/12/schedstat", "222 1000000 4\n");
    // A thread's name may hold blanks and brackets.
    put("proc/self/task/7/stat", "7 (a ) b (c) R 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 "
                                 "29 30 31 32 33 34 35 36 37 38 1 40 41\n");
    put("proc/self/task/12/stat", "12 (stent) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 "
                                  "29 30 31 32 33 34 35 36 37 38 0 40 41\n");
    put("cpus/cpu0/cpufreq/scaling_cur_freq", "2000000\n");
    put("cpus/cpu1/cpufreq/scaling_cur_freq", "3000000\n");
}
static void read_counters(CounterFiles *files, Counters *out) {
    counters_open(test_temp("proc"), test_temp("cpus"), files);
    counters_read(files, out);
}

TEST(a_made_up_machine) {
    CounterFiles files;
    Counters c;
    make_proc();
    read_counters(&files, &c);
    const double tick = 10; // USER_HZ is 100 wherever Linux runs
    CHECK(c.busy_ms == (100 + 20 + 30 + 5 + 6) * tick);
    CHECK(c.stolen_ms == 7 * tick);
    CHECK(fabs(c.waited_ms - 3.5) < 1e-9);
    CHECK_INT(c.threads, 2);
    CHECK_INT(c.cpu[0], 1);
    CHECK_INT(c.cpu[1], 0);
    CHECK(c.mhz == 2500);
    CHECK(c.own_ms > 0 && c.preempted >= 0 && c.page_faults > 0 && c.disk_faults >= 0);
    put("proc/self/task/12/schedstat", "333 4000000 5\n"); // the same file is read again
    counters_read(&files, &c);
    CHECK(fabs(c.waited_ms - 6.5) < 1e-9);
    counters_close(&files);
}
TEST(what_the_system_does_not_tell_is_not_known) {
    CounterFiles files;
    Counters c;
    read_counters(&files, &c);
    CHECK(isnan(c.busy_ms) && isnan(c.stolen_ms) && isnan(c.waited_ms) && isnan(c.mhz));
    CHECK(c.threads == 0 && c.own_ms > 0);
    counters_close(&files);
    static const char *const odd[][2] = {
        {"proc/stat", "cpu 1 2 3\n"},           {"proc/stat", ""},
        {"proc/self/task/7/schedstat", "12\n"}, {"proc/self/task/7/stat", "7 (x) R 1 2\n"},
        {"proc/self/task/7/stat", "\n"},        {"cpus/cpu0/cpufreq/scaling_cur_freq", "<unknown>\n"}};
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        make_proc();
        put(odd[i][0], odd[i][1]);
        read_counters(&files, &c);
        CHECK(isnan(c.busy_ms) == (i < 2) && isnan(c.waited_ms) == (i == 2) && (c.cpu[0] < 0) == (i == 3 || i == 4));
        CHECK(c.mhz == (i < 3 ? 2500 : i < 5 ? 2000 : 3000));
        counters_close(&files);
    }
}
TEST(faults_leave_nothing_open) {
    CounterFiles files;
    Counters c;
    make_proc();
    for (int n = 0;; n++) {
        fault_after(FAULT_ALL, n);
        read_counters(&files, &c);
        const unsigned met = fault_met();
        fault_after(0, -1);
        counters_close(&files);
        if (!met) break;
        CHECK(!error_message()[0]);
        REQUIRE(n < 1000);
    }
    for (int i = 0; i < 2000; i++) read_counters(&files, &c), counters_close(&files); // more than may be open at once
    CHECK(c.mhz == 2500);
}
