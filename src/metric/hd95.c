// The 95th percentile Hausdorff distance, by exact Euclidean distance transforms (Felzenszwalb & Huttenlocher 2012:
// the lower envelope of parabolas, one axis after the other), in the box that holds both objects. Time O(voxels),
// memory about 10 bytes a voxel of the box.
#include "base/memory.h"
#include "base/statistics.h"
#include "metric/object.h"
#include <math.h>

typedef struct Extent {
    int64_t depth, height, width;
} Extent;

static int64_t voxels_of(const Extent *extent) { return extent->depth * extent->height * extent->width; }

// ---- Surface --------------------------------------------------------------------------------------------------

static bool on_surface(const uint8_t *mask, const Extent *e, int64_t z, int64_t y, int64_t x, int class) {
    const int64_t row = e->width, slice = e->height * e->width, i = z * slice + y * row + x;
    if (!is_object(mask[i], class)) return false;
    if (x == 0 || x == e->width - 1 || y == 0 || y == e->height - 1) return true;
    if (!is_object(mask[i - 1], class) || !is_object(mask[i + 1], class)) return true;
    if (!is_object(mask[i - row], class) || !is_object(mask[i + row], class)) return true;
    if (e->depth == 1) return false;
    if (z == 0 || z == e->depth - 1) return true;
    return !is_object(mask[i - slice], class) || !is_object(mask[i + slice], class);
}

// The part of the picture that holds both objects. Distances between them are the same in there, and most objects are
// small.
typedef struct Box {
    int64_t from[3], to[3]; // z, y, x; `to` is behind the last
} Box;

static Extent extent_of(const Box *box) {
    return (Extent){box->to[0] - box->from[0], box->to[1] - box->from[1], box->to[2] - box->from[2]};
}

static void box_add(Box *box, const int64_t at[3]) {
    for (int axis = 0; axis < 3; axis++) {
        box->from[axis] = MIN(box->from[axis], at[axis]);
        box->to[axis] = MAX(box->to[axis], at[axis] + 1);
    }
}

static Box box_of(const uint8_t *mask, const uint8_t *truth, const Extent *e, int class) {
    Box box = {{INT64_MAX, INT64_MAX, INT64_MAX}, {0, 0, 0}};
    int64_t i = 0;
    for (int64_t z = 0; z < e->depth; z++) {
        for (int64_t y = 0; y < e->height; y++) {
            for (int64_t x = 0; x < e->width; x++, i++) {
                if (is_object(mask[i], class) || is_object(truth[i], class)) box_add(&box, (const int64_t[3]){z, y, x});
            }
        }
    }
    return box;
}

// surface: 1 on it, else 0, of the box; returns how many voxels lie on it.
static int64_t find_surface(const uint8_t *mask, const Extent *e, const Box *box, int class, uint8_t *surface) {
    int64_t count = 0;
    for (int64_t z = box->from[0]; z < box->to[0]; z++) {
        for (int64_t y = box->from[1]; y < box->to[1]; y++) {
            for (int64_t x = box->from[2]; x < box->to[2]; x++) {
                const bool on = on_surface(mask, e, z, y, x, class);
                *surface++ = on;
                count += on;
            }
        }
    }
    return count;
}

// ---- Distance transform ---------------------------------------------------------------------------------------

// Scratch for one line of at most n voxels.
typedef struct Line {
    double *values;     // n: squared distances so far
    double *from;       // n + 1: where the parabola begins to be the lowest
    int64_t *parabolas; // n: their vertices, in order
} Line;

// values[i] becomes the minimum over j of values[j] + ((i - j) * step)^2, written to out[i * stride].
static void lower_envelope(const Line *line, int64_t n, double step, double *out, int64_t stride) {
    const double *f = line->values;
    const double unit = step * step;
    int64_t k = -1;
    for (int64_t q = 0; q < n; q++) {
        if (isinf(f[q])) continue;
        double start = -INFINITY;
        while (k >= 0) {
            const int64_t p = line->parabolas[k];
            start = (f[q] - f[p] + unit * (double)(q * q - p * p)) / (2 * unit * (double)(q - p));
            if (start > line->from[k]) break;
            k--;
        }
        line->parabolas[++k] = q;
        line->from[k] = k == 0 ? -INFINITY : start;
    }
    if (k < 0) return; // nothing in this line
    line->from[k + 1] = INFINITY;
    for (int64_t i = 0, at = 0; i < n; i++) {
        while (line->from[at + 1] < (double)i) at++;
        const double distance = (double)(i - line->parabolas[at]);
        out[i * stride] = f[line->parabolas[at]] + unit * distance * distance;
    }
}

static void transform_line(const Line *line, double *at, int64_t n, int64_t stride, double step) {
    for (int64_t i = 0; i < n; i++) line->values[i] = at[i * stride];
    lower_envelope(line, n, step, at, stride);
}

// squared: becomes the squared distance of every voxel to the nearest one of `surface`.
static void transform(const uint8_t *surface, const Extent *e, const double spacing[3], const Line *line,
                      double *squared) {
    const int64_t slice = e->height * e->width;
    for (int64_t i = 0; i < voxels_of(e); i++) squared[i] = surface[i] ? 0 : INFINITY;
    for (int64_t i = 0; i < e->depth * e->height; i++)
        transform_line(line, squared + i * e->width, e->width, 1, spacing[0]);
    for (int64_t z = 0; z < e->depth; z++) {
        for (int64_t x = 0; x < e->width; x++) {
            transform_line(line, squared + z * slice + x, e->height, e->width, spacing[1]);
        }
    }
    for (int64_t i = 0; e->depth > 1 && i < slice; i++) transform_line(line, squared + i, e->depth, slice, spacing[2]);
}

// ---- Both directions -------------------------------------------------------------------------------------------

// Adds the distance of every voxel on `surface` to `distances`; returns how many there are now.
static int64_t collect(const uint8_t *surface, const double *squared, int64_t voxels, double *distances,
                       int64_t count) {
    for (int64_t i = 0; i < voxels; i++) {
        if (surface[i]) distances[count++] = sqrt(squared[i]);
    }
    return count;
}

// Two surfaces of so many points.
typedef struct Surfaces {
    const uint8_t *mask, *truth;
    int64_t in_mask, in_truth;
} Surfaces;

// The 95th percentile, linear between the two nearest ranks as numpy, scipy and torch have it; sorts them.
static double p95(double *distances, int64_t count) {
    sort_doubles(distances, (size_t)count);
    return sorted_quantile(distances, (size_t)count, 0.95);
}
// distances: room for all points. What each convention does with the two directions.
static Hd95 of_distances(double *distances, int64_t in_mask, int64_t in_truth) {
    const double there = p95(distances, in_mask), back = p95(distances + in_mask, in_truth);
    return (Hd95){.monai = MAX(there, back), .medpy = p95(distances, in_mask + in_truth)};
}

static Status between_surfaces(const Surfaces *s, const Extent *e, const double spacing[3], Hd95 *out) {
    const size_t n = (size_t)MAX(MAX(e->depth, e->height), e->width), voxels = (size_t)voxels_of(e);
    Arena arena = {0};
    double *squared = arena_array(&arena, voxels, sizeof *squared);
    double *distances = arena_array(&arena, (size_t)(s->in_mask + s->in_truth), sizeof *distances);
    const Line line = {arena_array(&arena, n, sizeof(double)), arena_array(&arena, n + 1, sizeof(double)),
                       arena_array(&arena, n, sizeof(int64_t))};
    if (!squared || !distances || !line.values || !line.from || !line.parabolas) {
        arena_free(&arena);
        return fail_memory(voxels * sizeof *squared);
    }
    transform(s->truth, e, spacing, &line, squared);
    const int64_t count = collect(s->mask, squared, (int64_t)voxels, distances, 0);
    transform(s->mask, e, spacing, &line, squared);
    collect(s->truth, squared, (int64_t)voxels, distances, count);
    *out = of_distances(distances, s->in_mask, s->in_truth);
    arena_free(&arena);
    return ST_OK;
}

Status hd95_both(const uint8_t *mask, const uint8_t *truth, int64_t depth, int64_t height, int64_t width, int class,
                 const double spacing[3], Hd95 *out) {
    const Extent whole = {depth, height, width};
    const Box box = box_of(mask, truth, &whole, class);
    *out = (Hd95){NAN, NAN};
    if (box.to[0] == 0) return ST_OK;
    const Extent extent = extent_of(&box);
    const size_t voxels = (size_t)voxels_of(&extent);
    uint8_t *surfaces = mem_alloc(2 * voxels);
    if (!surfaces) return fail_memory(2 * voxels);
    Surfaces s = {surfaces, surfaces + voxels, 0, 0};
    s.in_mask = find_surface(mask, &whole, &box, class, surfaces);
    s.in_truth = find_surface(truth, &whole, &box, class, surfaces + voxels);
    Status status = ST_OK;
    if (s.in_mask > 0 && s.in_truth > 0) status = between_surfaces(&s, &extent, spacing, out);
    mem_free(surfaces);
    return status;
}

Status hd95(const uint8_t *mask, const uint8_t *truth, int64_t depth, int64_t height, int64_t width, int class,
            const double spacing[3], double *distance) {
    Hd95 both;
    const Status status = hd95_both(mask, truth, depth, height, width, class, spacing, &both);
    *distance = both.medpy;
    return status;
}
