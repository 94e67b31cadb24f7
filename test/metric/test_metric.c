// Figures by hand, by brute force, and as other programs give them for real masks.
#include "base/rng.h"
#include "image/image.h"
#include "metric/metric.h"
#include "test.h"

static bool near(double a, double b) { return fabs(a - b) <= 1e-12 * MAX(1.0, fabs(b)); }

TEST(counts_and_figures_by_hand) {
    static const uint8_t mask[8] = {0, 1, 1, 1, 255, 0, 0, 2}, truth[8] = {0, 255, 1, 0, 0, 1, 0, 2};
    MaskCounts c = mask_counts(mask, truth, 8, ANY_CLASS);
    CHECK(c.pixels == 8 && c.mask == 5 && c.truth == 4 && c.intersection == 3);
    CHECK(near(dice(&c), 6.0 / 9) && near(dice_smooth(&c, 1), 7.0 / 10) && near(iou(&c), 3.0 / 6));
    CHECK(near(dice_smooth(&c, 100), 106.0 / 109) && near(sensitivity(&c), 3.0 / 4) && near(specificity(&c), 2.0 / 4));
    c = mask_counts(mask, truth, 8, 1);
    CHECK(c.mask == 3 && c.truth == 2 && c.intersection == 1);
}

TEST(empty_masks_follow_the_convention) {
    const MaskCounts both = {10, 0, 0, 0}, missed = {10, 0, 4, 0}, invented = {10, 4, 0, 0}, full = {10, 10, 10, 10};
    CHECK(dice(&both) == 1 && iou(&both) == 1 && dice_smooth(&both, 1) == 1);
    CHECK(isnan(sensitivity(&both)) && specificity(&both) == 1);
    CHECK(dice(&missed) == 0 && iou(&missed) == 0 && sensitivity(&missed) == 0);
    CHECK(dice(&invented) == 0 && near(specificity(&invented), 0.6) && near(dice_smooth(&invented, 1), 0.2));
    CHECK(dice(&full) == 1 && isnan(specificity(&full)));
}

TEST(soft_counts_by_hand) {
    static const uint8_t truth[4] = {0, 1, 1, 2};
    static const float probability[4] = {0.5f, 0.25f, 1, 0};
    SoftCounts c = soft_counts(probability, truth, 4, 1);
    CHECK(c.intersection == 1.25 && c.mask == 1.75 && c.truth == 2);
    CHECK(near(dice_soft(&c, 0), 2.5 / 3.75) && near(dice_soft(&c, 1), 3.5 / 4.75));
    c = soft_counts(probability, truth, 4, ANY_CLASS);
    CHECK(c.intersection == 1.25 && c.truth == 3);
    const SoftCounts nothing = {0, 0, 0};
    CHECK(dice_soft(&nothing, 0) == 1 && dice_soft(&nothing, SOFT_SMOOTH) == 1);
}

// ---- HD95 -----------------------------------------------------------------------------------------------------

static const double unit[3] = {1, 1, 1};

TEST(hd95_by_hand) {
    static uint8_t a[10 * 10], b[10 * 10];
    double distance;
    CHECK_OK(hd95(a, b, 1, 10, 10, ANY_CLASS, unit, &distance));
    CHECK(isnan(distance));
    a[5 * 10 + 1] = 1;
    CHECK_OK(hd95(a, b, 1, 10, 10, ANY_CLASS, unit, &distance));
    CHECK(isnan(distance));
    CHECK_OK(hd95(a, a, 1, 10, 10, ANY_CLASS, unit, &distance));
    CHECK(distance == 0);
    b[8 * 10 + 5] = 1;
    CHECK_OK(hd95(a, b, 1, 10, 10, ANY_CLASS, unit, &distance));
    CHECK(distance == 5);
    CHECK_OK(hd95(a, b, 1, 10, 10, ANY_CLASS, (const double[3]){3, 3, 9}, &distance));
    CHECK(distance == 15);
    CHECK_OK(hd95(a, b, 1, 10, 10, ANY_CLASS, (const double[3]){3, 2, 9}, &distance));
    CHECK(near(distance, sqrt(12 * 12 + 6 * 6)));
    CHECK_OK(hd95(a, b, 1, 10, 10, 2, unit, &distance));
    CHECK(isnan(distance));
    // As a volume of ten rows one below the other.
    CHECK_OK(hd95(a, b, 10, 1, 10, ANY_CLASS, (const double[3]){3, 7, 2}, &distance));
    CHECK(near(distance, sqrt(12 * 12 + 6 * 6)));
}

typedef struct Volume {
    uint8_t voxels[600];
    int depth, height, width;
} Volume;

static bool is_in(const Volume *v, int z, int y, int x) {
    if (z < 0 || z >= v->depth || y < 0 || y >= v->height || x < 0 || x >= v->width) return false;
    return v->voxels[(z * v->height + y) * v->width + x] != 0;
}

static bool on_surface(const Volume *v, int z, int y, int x) {
    if (!is_in(v, z, y, x)) return false;
    const bool flat = is_in(v, z, y, x - 1) && is_in(v, z, y, x + 1) && is_in(v, z, y - 1, x) && is_in(v, z, y + 1, x);
    return !flat || (v->depth > 1 && !(is_in(v, z - 1, y, x) && is_in(v, z + 1, y, x)));
}

static double nearest(const Volume *v, int z, int y, int x, const double spacing[3]) {
    double best = INFINITY;
    for (int i = 0; i < v->depth * v->height * v->width; i++) {
        const int vz = i / v->width / v->height, vy = i / v->width % v->height, vx = i % v->width;
        if (!on_surface(v, vz, vy, vx)) continue;
        const double dz = (vz - z) * spacing[2], dy = (vy - y) * spacing[1], dx = (vx - x) * spacing[0];
        best = MIN(best, sqrt(dz * dz + dy * dy + dx * dx));
    }
    return best;
}

static int add_distances(const Volume *from, const Volume *to, const double spacing[3], double *distances, int count) {
    for (int i = 0; i < from->depth * from->height * from->width; i++) {
        const int z = i / from->width / from->height, y = i / from->width % from->height, x = i % from->width;
        if (on_surface(from, z, y, x)) distances[count++] = nearest(to, z, y, x, spacing);
    }
    return count;
}

static int by_size(const void *a, const void *b) {
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

static double brute_percentile(double *distances, int count) {
    qsort(distances, (size_t)count, sizeof *distances, by_size);
    const double rank = 0.95 * (count - 1);
    const int below = (int)rank;
    const double above = distances[MIN(below + 1, count - 1)];
    return distances[below] + (above - distances[below]) * (rank - below);
}

static Hd95 brute_hd95(const Volume *a, const Volume *b, const double spacing[3]) {
    static double distances[1200];
    const int there = add_distances(a, b, spacing, distances, 0);
    if (there == 0 || isinf(distances[0])) return (Hd95){NAN, NAN};
    const int count = add_distances(b, a, spacing, distances, there);
    const double directed = brute_percentile(distances, there);
    const double larger = MAX(directed, brute_percentile(distances + there, count - there));
    return (Hd95){brute_percentile(distances, count), larger};
}

static bool same(double a, double b) { return isnan(a) ? isnan(b) : fabs(a - b) < 1e-9; }

static void fill_blob(Volume *v, Rng *rng) {
    const double cz = rng_uniform(rng) * v->depth, cy = rng_uniform(rng) * v->height, cx = rng_uniform(rng) * v->width;
    const double radius = 1 + rng_uniform(rng) * 6;
    for (int i = 0; i < v->depth * v->height * v->width; i++) {
        const double dz = i / v->width / v->height - cz, dy = i / v->width % v->height - cy, dx = i % v->width - cx;
        v->voxels[i] = dz * dz + dy * dy + dx * dx < radius * radius || rng_below(rng, 60) == 0;
    }
}

TEST(hd95_equals_brute_force) {
    Rng rng;
    rng_seed(&rng, 11);
    for (int round = 0; round < 150; round++) {
        const int depth = round % 3 ? 1 : 1 + (int)rng_below(&rng, 6);
        Volume a = {{0}, depth, 1 + (int)rng_below(&rng, 10), 1 + (int)rng_below(&rng, 10)}, b = a;
        fill_blob(&a, &rng);
        fill_blob(&b, &rng);
        const double other[3] = {0.4 + rng_uniform(&rng), 0.4 + rng_uniform(&rng), 0.4 + rng_uniform(&rng)};
        const double *spacing = round % 2 ? unit : other;
        Hd95 got;
        CHECK_OK(hd95_both(a.voxels, b.voxels, a.depth, a.height, a.width, ANY_CLASS, spacing, &got));
        const Hd95 expected = brute_hd95(&a, &b, spacing);
        CHECK_MSG(same(got.medpy, expected.medpy) && same(got.monai, expected.monai),
                  "%dx%dx%d: got %.12g and %.12g, expected %.12g and %.12g", a.depth, a.height, a.width, got.medpy,
                  got.monai, expected.medpy, expected.monai);
    }
}

static void read_mask(const char *relative, uint8_t *mask) {
    const char *path = test_data(relative);
    if (!path) test_skip("the LGG pictures are not here");
    ImageSource *source;
    CHECK_OK(image_open(path, IMAGE_FIRST_PAGE, &source));
    REQUIRE(image_shape(source)->width == 256 && image_shape(source)->height == 256 &&
            image_shape(source)->channels == 1);
    const ImageBox box = image_slice(image_shape(source), 0);
    CHECK_OK(image_read_box(source, &box, SAMPLE_U8, mask));
    image_close(source);
}

// Expected: the same convention computed with scipy's binary_erosion and distance_transform_edt, and numpy's
// percentile.
TEST(figures_of_real_masks_are_what_others_compute) {
    static uint8_t a[256 * 256], b[256 * 256];
    double distance;
    read_mask("lgg/TCGA_CS_4944_20010208/TCGA_CS_4944_20010208_8_mask.tif", a);
    read_mask("lgg/TCGA_CS_4944_20010208/TCGA_CS_4944_20010208_12_mask.tif", b);
    const MaskCounts counts = mask_counts(a, b, 256 * 256, ANY_CLASS);
    CHECK(counts.mask == 3428 && counts.truth == 3911 && counts.intersection == 2518);
    CHECK_OK(hd95(a, b, 1, 256, 256, ANY_CLASS, unit, &distance));
    CHECK(near(distance, 19.615774643787066));
    CHECK_OK(hd95(a, b, 1, 256, 256, ANY_CLASS, (const double[3]){1.3, 0.7, 1}, &distance));
    CHECK(near(distance, 16.706165345113977));
}

TEST(hd95_without_memory_is_a_status) {
    static uint8_t a[16] = {1};
    double distance;
    for (int n = 0; n < 4; n++) {
        mem_fail_after(n);
        const Status status = hd95(a, a, 1, 4, 4, ANY_CLASS, unit, &distance);
        mem_fail_after(-1);
        CHECK(status == ST_RESOURCE || (status == ST_OK && n > 1));
    }
}
