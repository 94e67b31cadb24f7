// GridSample: x (n, c, spatial...) at the places that a grid (n, out..., r) names, each by r numbers from -1 to 1 (the
// last spatial dim first). A place on an axis of `size` elements:
//     align_corners  (g + 1) / 2 (size - 1)       -1 and 1 are the centres of the first and the last element
//     else           ((g + 1) size - 1) / 2       ... their outer edges
// Outside x there are zeros (zeros), or the place is moved to the border (border) or mirrored at it (reflection): as a
// whole, but for cubic, where each of the 4 x 4 elements is. Cubic: Keys 1981 with a = -0.75. Spatial dims are made up
// to three; of one element they take nothing from the others.
#include "reference/evaluate.h"
#include <math.h>

typedef struct Grid {
    int64_t size[3], stride[3]; // of x; dims that x has not: 1
    int r;                      // spatial dims
    char mode, padding;         // first letters
    bool corners;
    const Tensor *x;
} Grid;

// One axis: the elements that a place takes, with their weights. -1: none, which is 0.
typedef struct Taps {
    int count;
    int64_t at[4];
    double weight[4];
} Taps;

static double mirror(double x, double low, double high) { // low, high: twice the ends
    const double span = (high - low) / 2, offset = low / 2;
    if (low == high) return 0;
    x = fabs(x - offset);
    const double extra = fmod(x, span), flips = floor(x / span);
    return fmod(flips, 2) == 0 ? extra + offset : span - extra + offset;
}

// Far outside is as good as further outside; NaN is outside.
static double bounded(double x) { return isnan(x) ? -1e9 : fmin(fmax(x, -1e9), 1e9); }

static double padded(const Grid *grid, double x, int64_t size) {
    const double last = (double)(size - 1);
    if (grid->padding == 'z') return x;
    if (grid->padding == 'r') x = grid->corners ? mirror(x, 0, 2 * last) : mirror(x, -1, 2 * (double)size - 1);
    return fmin(fmax(x, 0), last);
}

// Which element is the nearest hangs on the last bit: in float32, as others compute it.
static double place_of(const Grid *grid, double g, int64_t size) {
    if (grid->mode != 'n')
        return bounded(grid->corners ? (g + 1) / 2 * (double)(size - 1) : ((g + 1) * (double)size - 1) / 2);
    const float f = (float)g, n = (float)size;
    return bounded(grid->corners ? (f + 1) / 2 * (n - 1) : ((f + 1) * n - 1) / 2);
}

static int64_t inside_or_none(double at, int64_t size) { return at < 0 || at > (double)(size - 1) ? -1 : (int64_t)at; }

static double cubic(double x) {
    const double a = -0.75;
    x = fabs(x);
    if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

static void find_taps(const Grid *grid, double g, int64_t size, Taps *taps) {
    double x = place_of(grid, g, size);
    if (grid->mode != 'c') x = padded(grid, x, size);
    const double below = grid->mode == 'n' ? nearbyint(x) : floor(x), rest = x - below;
    *taps = (Taps){.count = grid->mode == 'n' ? 1 : grid->mode == 'l' ? 2 : 4};
    for (int k = 0; k < taps->count; k++) {
        const double at = grid->mode == 'c' ? padded(grid, below + k - 1, size) : below + k;
        taps->at[k] = inside_or_none(at, size);
        if (grid->mode == 'n') taps->weight[k] = 1;
        else if (grid->mode == 'l') taps->weight[k] = k ? rest : 1 - rest;
        else taps->weight[k] = cubic(rest - (k - 1));
    }
}

static double sample(const Grid *grid, const Taps taps[3], int64_t from) {
    double sum = 0;
    for (int a = 0; a < taps[0].count; a++)
        for (int b = 0; b < taps[1].count; b++)
            for (int c = 0; c < taps[2].count; c++) {
                const double weight = taps[0].weight[a] * taps[1].weight[b] * taps[2].weight[c];
                const int64_t i = taps[0].at[a], j = taps[1].at[b], k = taps[2].at[c];
                if (i < 0 || j < 0 || k < 0 || weight == 0) continue;
                sum += weight *
                       tensor_get(grid->x, from + i * grid->stride[0] + j * grid->stride[1] + k * grid->stride[2]);
            }
    return sum;
}

static Grid read_grid(const Evaluation *e) {
    const Shape *shape = &e->inputs[0]->shape;
    Grid grid = {.r = shape->rank - 2,
                 .mode = *node_string(e->node, "mode", "linear"),
                 .padding = *node_string(e->node, "padding_mode", "zeros"),
                 .corners = node_int(e->node, "align_corners", 0) != 0,
                 .x = e->inputs[0]};
    for (int d = 0; d < 3; d++) {
        const int dim = d - (3 - grid.r);
        grid.size[d] = dim < 0 ? 1 : shape->dim[2 + dim];
    }
    grid.stride[2] = 1;
    grid.stride[1] = grid.size[2];
    grid.stride[0] = grid.size[1] * grid.size[2];
    return grid;
}

Status evaluate_GridSample(const Evaluation *e) {
    static const Taps whole = {.count = 1, .weight = {1}};
    const Grid grid = read_grid(e);
    const Shape *y = &e->outputs[0].shape;
    const int64_t places = product(y, 2, y->rank), size = grid.size[0] * grid.stride[0], channels = y->dim[1];
    FAIL_IF(size == 0 && tensor_count(&e->outputs[0]) > 0, ST_BAD, "there is nothing to sample from");
    for (int64_t n = 0; n < y->dim[0]; n++)
        for (int64_t i = 0; i < places; i++) {
            Taps taps[3] = {whole, whole, whole};
            for (int k = 0; k < grid.r; k++) // the last dim first
                find_taps(&grid, tensor_get(e->inputs[1], (n * places + i) * grid.r + k), grid.size[2 - k],
                          &taps[2 - k]);
            for (int64_t c = 0; c < channels; c++)
                tensor_set(&e->outputs[0], (n * channels + c) * places + i,
                           sample(&grid, taps, (n * channels + c) * size));
        }
    return ST_OK;
}
