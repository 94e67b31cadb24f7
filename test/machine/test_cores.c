#define _GNU_SOURCE
#include "machine/cores.h"
#include "test.h"
#include <sys/stat.h>
#if defined(__linux__)
#include <sched.h>
#endif

static void put(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    REQUIRE(file != NULL);
    fputs(text, file);
    fclose(file);
}
TEST(the_quota_of_a_control_group) {
    static const struct {
        const char *text;
        int cpus;
    } cases[] = {{"max 100000\n", 0},  {"200000 100000\n", 2}, {"150000 100000\n", 2}, {"1000 100000\n", 1},
                 {"0 100000\n", 0},    {"100000 0\n", 0},      {"-1 100000\n", 0},     {"", 0},
                 {"100000\n", 0},      {"50000 50000\n", 1},   {"9223372036854775807 1\n", 0}};
    const char *mount = test_temp("mount"), *groups = test_temp("groups");
    REQUIRE(mkdir(mount, 0700) == 0);
    put(groups, "0::/\n");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        put(test_temp("mount/cpu.max"), cases[i].text);
        const int got = cpus_of_quota(groups, mount);
        CHECK_MSG(got == cases[i].cpus, "'%s': got %d, expected %d", cases[i].text, got, cases[i].cpus);
    }
}
TEST(the_least_quota_of_all_groups_above_counts) {
    const char *mount = test_temp("mount"), *groups = test_temp("groups");
    REQUIRE(!mkdir(mount, 0700) && !mkdir(test_temp("mount/a"), 0700) && !mkdir(test_temp("mount/a/b"), 0700));
    put(groups, "12:cpuset:/x\n1:name=systemd:/\n0::/a/b\n");
    CHECK_INT(cpus_of_quota(groups, mount), 0);
    put(test_temp("mount/a/cpu.max"), "300000 100000\n");
    CHECK_INT(cpus_of_quota(groups, mount), 3);
    put(test_temp("mount/a/b/cpu.max"), "max 100000\n");
    CHECK_INT(cpus_of_quota(groups, mount), 3);
    put(test_temp("mount/a/b/cpu.max"), "700000 100000\n");
    CHECK_INT(cpus_of_quota(groups, mount), 3);
    put(test_temp("mount/cpu.max"), "200000 100000\n");
    CHECK_INT(cpus_of_quota(groups, mount), 2);
}
TEST(without_proc_and_sys_there_is_no_quota) {
    CHECK_INT(cpus_of_quota(test_temp("nothing"), test_temp("nothing")), 0);
    const char *groups = test_temp("groups");
    put(groups, "4:cpu:/x\n"); // cgroup v1 only
    CHECK_INT(cpus_of_quota(groups, test_temp("nothing")), 0);
    put(groups, "0::\n");
    CHECK_INT(cpus_of_quota(groups, test_temp("nothing")), 0);
}
#if defined(__linux__)
TEST(cpus_without_topology_are_cores) {
    cpu_set_t allowed;
    REQUIRE(sched_getaffinity(0, sizeof allowed, &allowed) == 0);
    CHECK_INT(cores_in_affinity(test_temp("nothing")), CPU_COUNT(&allowed));
}
TEST(thread_siblings_are_one_core) {
    cpu_set_t allowed;
    int two[2], n = 0;
    REQUIRE(sched_getaffinity(0, sizeof allowed, &allowed) == 0);
    for (int cpu = 0; cpu < CPU_SETSIZE && n < 2; cpu++)
        if (CPU_ISSET(cpu, &allowed)) two[n++] = cpu;
    if (n < 2) test_skip("needs two CPUs");
    char name[64], text[32];
    REQUIRE(!mkdir(test_temp("sys"), 0700));
    for (int i = 0; i < 2; i++) {
        snprintf(name, sizeof name, "sys/cpu%d", two[i]);
        REQUIRE(!mkdir(test_temp(name), 0700));
        snprintf(name, sizeof name, "sys/cpu%d/topology", two[i]);
        REQUIRE(!mkdir(test_temp(name), 0700));
        snprintf(name, sizeof name, "sys/cpu%d/topology/thread_siblings_list", two[i]);
        snprintf(text, sizeof text, "%d,%d\n", two[0], two[1]);
        put(test_temp(name), text);
    }
    CHECK_INT(cores_in_affinity(test_temp("sys")), CPU_COUNT(&allowed) - 1);
    CPU_ZERO(&allowed); // a core of which only the second thread is allowed is a core
    CPU_SET(two[1], &allowed);
    REQUIRE(sched_setaffinity(0, sizeof allowed, &allowed) == 0);
    CHECK_INT(cores_in_affinity(test_temp("sys")), 1);
}
#endif
