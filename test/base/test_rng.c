#include "base/clock.h"
#include "base/rng.h"
#include "test.h"
#include <time.h>

// Known answers: the state 1, 2, 3, 4 gives 11520, 0, 1509978240, 1215971899390074240 (the authors'
// xoshiro256starstar.c), and splitmix64 from 0 begins with e220a8397b1dcdaf.
TEST(known_answers) {
    Rng rng = {{1, 2, 3, 4}};
    static const uint64_t wanted[] = {11520, 0, 1509978240, 1215971899390074240};
    for (size_t i = 0; i < COUNT_OF(wanted); i++) CHECK(rng_next(&rng) == wanted[i]);
    rng_seed(&rng, 0);
    CHECK(rng.state[0] == 0xe220a8397b1dcdaf && rng.state[1] == 0x6e789e6aa1b965f4);
}

TEST(distributions) {
    enum { COUNT = 100000 };
    Rng rng;
    rng_seed(&rng, 42);
    double sum = 0, normal_sum = 0, normal_squares = 0, normal_fourth = 0;
    int64_t counts[3] = {0};
    for (int i = 0; i < COUNT; i++) {
        double uniform = rng_uniform(&rng), normal = rng_normal(&rng);
        uint64_t below = rng_below(&rng, 3);
        REQUIRE(uniform >= 0 && uniform < 1 && below < 3);
        sum += uniform;
        counts[below]++;
        normal_sum += normal;
        normal_squares += normal * normal;
        normal_fourth += normal * normal * normal * normal;
    }
    CHECK(fabs(sum / COUNT - 0.5) < 0.005); // five standard errors
    CHECK(fabs(normal_sum / COUNT) < 0.016);
    CHECK(fabs(normal_squares / COUNT - 1) < 0.023);
    CHECK(fabs(normal_fourth / COUNT - 3) < 0.16); // a normal one's, not a uniform one's 1.8
    for (int i = 0; i < 3; i++) CHECK(llabs(counts[i] - COUNT / 3) < 750);
    for (int i = 0; i < 100; i++) CHECK(rng_below(&rng, 1) == 0);
}

TEST(clock_runs) {
    uint64_t start = clock_ns(), now;
    do now = clock_ns();
    while (now == start);
    CHECK(now > start);
    CHECK(clock_ms_since(start) > 0 && clock_ms_since(start) < 60000);
}

TEST(date_is_utc_and_now) {
    char date[24];
    struct tm parts = {0};
    setenv("TZ", "Pacific/Auckland", 1); // must not matter
    clock_date(date);
    CHECK_INT(sscanf(date, "%d-%d-%dT%d:%d:%dZ", &parts.tm_year, &parts.tm_mon, &parts.tm_mday, &parts.tm_hour,
                     &parts.tm_min, &parts.tm_sec),
              6);
    CHECK_INT(strlen(date), 20);
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    CHECK(llabs((long long)timegm(&parts) - (long long)time(NULL)) < 60);
}
