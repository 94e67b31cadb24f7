// What is measured depends on the machine; here only that every kernel set and memory level gives a figure, and how
// limits follow from the figures.
#include "measure/peaks.h"
#include "test.h"

TEST(every_isa_gives_a_peak) {
    Machine machine;
    Pool *pool;
    CHECK_OK(machine_detect(&machine));
    CHECK_OK(pool_create(2, &pool));
    for (int isa = 0; isa <= (int)machine.best; isa++) {
        double gflops = 0;
        if (!kernels_for((Isa)isa)) continue;
        CHECK_OK(measure_peak(kernels_for((Isa)isa), pool, &gflops));
        CHECK_MSG(gflops > 0 && isfinite(gflops), "%s: %g", isa_name((Isa)isa), gflops);
        CHECK_OK(measure_tiles(kernels_for((Isa)isa), pool, &gflops));
        CHECK_MSG(isa == ISA_AMX ? gflops > 0 && isfinite(gflops) : gflops == 0, "%s: %g", isa_name((Isa)isa), gflops);
    }
    pool_destroy(pool);
}
TEST(the_yardstick_is_as_long_as_asked_for) {
    Machine machine;
    Yardstick *yardstick;
    CHECK_OK(machine_detect(&machine));
    for (double ms = 1; ms < 20; ms *= 10) {
        double least = INFINITY;
        CHECK_OK(yardstick_open(kernels_for(machine.isa), 2, ms, &yardstick));
        for (int i = 0; i < 5; i++) least = MIN(least, yardstick_ms(yardstick));
        CHECK_MSG(least > 0.05 * ms && isfinite(least), "%g ms: took %g", ms,
                  least); // what is longer is the machine's affair
        yardstick_close(yardstick);
    }
}
TEST(bandwidth_of_small_and_large_sets) {
    Machine machine;
    Pool *pool;
    CHECK_OK(machine_detect(&machine));
    CHECK_OK(pool_create(2, &pool));
    for (size_t bytes = 1; bytes < 1 << 22; bytes = bytes * 16 + 12345) {
        double gbytes = 0;
        CHECK_OK(measure_bandwidth(kernels_for(machine.isa), pool, bytes, &gbytes));
        CHECK_MSG(gbytes > 0 && isfinite(gbytes), "%zu bytes: %g", bytes, gbytes);
    }
    pool_destroy(pool);
}
TEST(limits_follow_from_peaks) {
    const Peaks peaks = {100, {1000, 10000}, {80, 20}, 10, 0};
    bool by_memory;
    CHECK(fabs(peaks_seconds(&peaks, 200e9, 10, &by_memory) - 2) < 1e-12 && !by_memory);
    CHECK(fabs(peaks_seconds(&peaks, 1, 1e9, &by_memory) - 0.1) < 1e-12 && by_memory);            // from memory
    CHECK(fabs(peaks_seconds(&peaks, 0, 10000, &by_memory) - 10000 / 20e9) < 1e-15 && by_memory); // third level
    CHECK(fabs(peaks_seconds(&peaks, 0, 1000, &by_memory) - 1000 / 80e9) < 1e-15);                // second level
}
