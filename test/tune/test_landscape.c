// The tuners on recorded landscapes (landscape.h): what they find in a layer's real space, without a clock. And damaged
// landscapes.
#include "base/file.h"
#include "base/statistics.h"
#include "landscape.h"
#include "test.h"
#include <dirent.h>

static const char folder[] = TEST_SOURCE_ROOT "/test/tune/landscapes";

// Of `replays` searches of `trials` first tries, measurements off by 2 %: how many take something within 3 % of the best.
static int near_the_best(Landscape *landscape, Tuner tuner, int trials, int replays) {
    int near = 0;
    for (int seed = 0; seed < replays; seed++) {
        const SearchOptions options = {.tuner = tuner, .trials = trials, .seed = (uint64_t)seed};
        double found;
        CHECK_OK(landscape_replay(landscape, &options, 0.02, &found, NULL));
        near += found <= 1.03;
    }
    return near;
}
// The next recorded landscape of a listing of the folder; false: that was the last.
static bool next_landscape(DIR *listing, char name[256], Landscape *out) {
    for (const struct dirent *entry; (entry = readdir(listing));) {
        if (!strstr(entry->d_name, ".txt")) continue;
        char path[512];
        snprintf(name, 256, "%.200s", entry->d_name);
        snprintf(path, sizeof path, "%s/%s", folder, name);
        CHECK_OK(landscape_read(path, out));
        return true;
    }
    return false;
}
// In 45 of 50 replays on 15 of the 16; the other one stands in docs/TUNING.md.
TEST(the_model_needs_thirty_trials) {
    enum { REPLAYS = 50, NEARLY_ALL = 45, LANDSCAPES = 16, LEAST = 15 };
    DIR *listing = opendir(folder);
    REQUIRE(listing);
    int count = 0, found = 0;
    Landscape landscape;
    char name[256];
    while (next_landscape(listing, name, &landscape)) {
        found += near_the_best(&landscape, TUNER_MODEL, 30, REPLAYS) >= NEARLY_ALL;
        landscape_free(&landscape);
        count++;
    }
    closedir(listing);
    CHECK_INT(count, LANDSCAPES);
    CHECK_MSG(found >= LEAST, "%d of %d", found, count);
}
// Times of one scale: from a way to the next slower one it is never far. (A reader that took the shape's line for a way
// once made all but the best 24 up to 140 times slower than they are, and every tuner's task another one.)
TEST(landscapes_have_no_gap) {
    const double most = 1.5;
    DIR *listing = opendir(folder);
    REQUIRE(listing);
    Landscape landscape;
    char name[256];
    while (next_landscape(listing, name, &landscape)) {
        sort_doubles(landscape.us, (size_t)landscape.count);
        double step = 1;
        for (int i = 1; i < landscape.count * 9 / 10; i++) step = MAX(step, landscape.us[i] / landscape.us[i - 1]);
        CHECK_MSG(step < most, "%s: a step of %.2f", name, step);
        landscape_free(&landscape);
    }
    closedir(listing);
}
TEST(landscapes_that_are_none) {
    static const struct {
        const char *what, *text;
    } files[] = {
        {"empty", ""},
        {"another file", "stent plan 1\n"},
        {"no configurations", "stent landscape 1\nshape x\nmachine y\n"},
        {"one configuration", "stent landscape 1\nshape x\nmachine y\na/1 0,0,0,0,0,0 0,0,0,0,0,0 1 1\n"},
        {"a number too few", "stent landscape 1\nshape x\nmachine y\na/1 0,0,0,0,0,0 0,0,0,0,0,0 1 1\n"
                             "a/1 0,0,0,0,0,0 0,0,0,0,0 1 1\n"},
        {"no time", "stent landscape 1\nshape x\nmachine y\na/1 0,0,0,0,0,0 0,0,0,0,0,0 1 1\n"
                    "a/1 0,0,0,0,0,0 1,0,0,0,0,0 1 0\n"},
        {"a cut line", "stent landscape 1\nshape x\nmachine y\na/1 0,0,0,0,0,0 0,0,0,0,0,0 1 1\n"
                       "a/1 0,0,0,0,0,0 1,0,0,0,0,0 1 2"},
    };
    const char *path = test_temp("landscape");
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        CHECK_OK(file_write(path, files[i].text, strlen(files[i].text)));
        Landscape landscape;
        CHECK_MSG(landscape_read(path, &landscape) == ST_BAD, "%s", files[i].what);
        landscape_free(&landscape);
    }
}
