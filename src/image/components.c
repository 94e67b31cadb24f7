// Connected components by union-find over the already visited neighbours (Rosenfeld & Pfaltz 1966; the smaller root
// wins, so that a component's root is its first pixel).
#include "image/components.h"
#include "base/memory.h"

static int32_t find_root(int32_t *parent, int32_t i) {
    while (parent[i] != i) {
        parent[i] = parent[parent[i]]; // halves the path
        i = parent[i];
    }
    return i;
}

static void unite(int32_t *parent, int32_t a, int32_t b) {
    const int32_t root_a = find_root(parent, a), root_b = find_root(parent, b);
    if (root_a < root_b) {
        parent[root_b] = root_a;
    } else {
        parent[root_a] = root_b;
    }
}

// parent: (height, width), of each pixel the index of one that belongs to the same component.
static void unite_neighbours(const uint8_t *mask, int64_t height, int64_t width, int32_t *parent) {
    for (int64_t y = 0; y < height; y++) {
        for (int64_t x = 0; x < width; x++) {
            const int64_t i = y * width + x;
            parent[i] = (int32_t)i;
            if (!mask[i]) continue;
            if (x > 0 && mask[i - 1] == mask[i]) unite(parent, (int32_t)i, (int32_t)(i - 1));
            for (int64_t dx = -1; y > 0 && dx <= 1; dx++) {
                const int64_t above = i - width + dx;
                if (x + dx < 0 || x + dx >= width || mask[above] != mask[i]) continue;
                unite(parent, (int32_t)i, (int32_t)above);
            }
        }
    }
}

Status components_label(const uint8_t *mask, int64_t height, int64_t width, int32_t *labels, int32_t *count) {
    int64_t pixels;
    *count = 0;
    FAIL_IF(height < 1 || width < 1 || !mul_i64(height, width, &pixels) || pixels > INT32_MAX - 1, ST_UNSUPPORTED,
            "components of a mask of %lld x %lld pixels", (long long)width, (long long)height);
    int32_t *parent = mem_alloc((size_t)pixels * sizeof *parent);
    if (!parent) return fail_memory((size_t)pixels * sizeof *parent);
    unite_neighbours(mask, height, width, parent);
    for (int64_t i = 0; i < pixels; i++) {
        const int32_t root = find_root(parent, (int32_t)i);
        labels[i] = !mask[i] ? 0 : root == i ? ++*count : labels[root]; // a root comes before its pixels
    }
    mem_free(parent);
    return ST_OK;
}

typedef struct Component {
    int64_t area;
    uint8_t class;
    bool keep;
} Component;

static void measure(const uint8_t *mask, const int32_t *labels, int64_t pixels, Component *components) {
    for (int64_t i = 0; i < pixels; i++) {
        Component *component = &components[labels[i]];
        component->area++;
        component->class = mask[i];
    }
}

static void choose(Component *components, int32_t count, bool keep_largest, int64_t min_area) {
    int32_t largest[256] = {0}; // of each class; 0: none yet
    for (int32_t k = 1; k <= count; k++) {
        int32_t *best = &largest[components[k].class];
        if (*best == 0 || components[k].area > components[*best].area) *best = k;
    }
    for (int32_t k = 1; k <= count; k++) {
        components[k].keep = components[k].area >= min_area && (!keep_largest || largest[components[k].class] == k);
    }
}

static Status clean_labelled(uint8_t *mask, const int32_t *labels, int64_t pixels, int32_t count, bool keep_largest,
                             int64_t min_area) {
    Component *components = mem_zero((size_t)count + 1, sizeof *components);
    if (!components) return fail_memory(((size_t)count + 1) * sizeof *components);
    measure(mask, labels, pixels, components);
    choose(components, count, keep_largest, min_area);
    for (int64_t i = 0; i < pixels; i++) {
        if (!components[labels[i]].keep) mask[i] = 0;
    }
    mem_free(components);
    return ST_OK;
}

Status components_clean(uint8_t *mask, int64_t height, int64_t width, bool keep_largest, int64_t min_area) {
    if (!keep_largest && min_area <= 1) return ST_OK;
    size_t bytes;
    FAIL_IF(height < 1 || width < 1 || !mul_size((size_t)height, (size_t)width, &bytes) ||
                !mul_size(bytes, sizeof(int32_t), &bytes),
            ST_UNSUPPORTED, "components of a mask of %lld x %lld pixels", (long long)width, (long long)height);
    int32_t *labels = mem_alloc(bytes), count;
    if (!labels) return fail_memory(bytes);
    Status status = components_label(mask, height, width, labels, &count);
    if (status == ST_OK) status = clean_labelled(mask, labels, height * width, count, keep_largest, min_area);
    mem_free(labels);
    return status;
}
