// Every pixel of the mask has four edges, each with the pixel on its right hand; an edge between two pixels of the mask
// is none. What is left runs in closed lines, which are followed from corner to corner:
//
//      0 0 +--->+ 1 0          each corner of the grid holds the directions in which edges leave it (at most two);
//          ^    |              where two leave, the line turns right, so that pixels that touch at a corner only stay
//          |    v              apart
//      0 1 +<---+ 1 1
#include "image/outline.h"
#include "base/memory.h"

enum { RIGHT, DOWN, LEFT, UP };
static const int step_x[4] = {1, 0, -1, 0}, step_y[4] = {0, 1, 0, -1};

typedef struct Grid {
    const uint8_t *mask;
    int64_t height, width;
    uint8_t *leaving; // (height + 1, width + 1): a bit for each direction
} Grid;

static bool is_set(const Grid *grid, int64_t y, int64_t x) {
    return y >= 0 && y < grid->height && x >= 0 && x < grid->width && grid->mask[y * grid->width + x];
}
static uint8_t *corner(const Grid *grid, int64_t y, int64_t x) { return &grid->leaving[y * (grid->width + 1) + x]; }
static void add_edges(const Grid *grid, int64_t y, int64_t x) {
    if (!is_set(grid, y, x)) return;
    if (!is_set(grid, y - 1, x)) *corner(grid, y, x) |= 1 << RIGHT;
    if (!is_set(grid, y, x + 1)) *corner(grid, y, x + 1) |= 1 << DOWN;
    if (!is_set(grid, y + 1, x)) *corner(grid, y + 1, x + 1) |= 1 << LEFT;
    if (!is_set(grid, y, x - 1)) *corner(grid, y + 1, x) |= 1 << UP;
}
// The direction in which the line goes on: right, straight on or left of the one that it came in.
static int next_direction(uint8_t leaving, int came) {
    static const int turns[3] = {1, 0, 3};
    for (int i = 0; i < 3; i++) {
        const int direction = (came + turns[i]) % 4;
        if (leaving >> direction & 1) return direction;
    }
    return -1;
}
// One closed line from (x, y), which no edge enters from the left: a corner. Its last side is z.
static void follow(const Grid *grid, int64_t y, int64_t x, Text *out) {
    int direction = RIGHT;
    int64_t length = 0;
    text_add(out, "M%lld %lld", (long long)x, (long long)y);
    for (;;) {
        const int next = next_direction(*corner(grid, y, x), length ? direction : UP);
        if (length && next != direction) {
            if (next < 0) break;
            const int64_t by = length * (direction == LEFT || direction == UP ? -1 : 1);
            text_add(out, "%c%lld", direction == RIGHT || direction == LEFT ? 'h' : 'v', (long long)by);
            length = 0;
        }
        direction = next;
        *corner(grid, y, x) &= (uint8_t) ~(1 << direction);
        x += step_x[direction], y += step_y[direction];
        length++;
    }
    text_add(out, "z");
}
Status outline_path(const uint8_t *mask, int64_t height, int64_t width, Text *out) {
    Grid grid = {mask, height, width, mem_zero((size_t)(height + 1), (size_t)(width + 1))};
    if (!grid.leaving) return fail_memory((size_t)((height + 1) * (width + 1)));
    for (int64_t y = 0; y < height; y++)
        for (int64_t x = 0; x < width; x++) add_edges(&grid, y, x);
    for (int64_t y = 0; y < height; y++)
        for (int64_t x = 0; x < width; x++)
            while (*corner(&grid, y, x) >> RIGHT & 1) follow(&grid, y, x, out);
    mem_free(grid.leaving);
    return text_status(out);
}
