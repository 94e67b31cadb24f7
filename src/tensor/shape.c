#include "tensor/tensor.h"
#include <assert.h>
#include <string.h>

Shape shape_of(int rank, const int64_t *dims) {
    assert(rank >= 0 && rank <= MAX_RANK);
    Shape shape = {.rank = rank};
    for (int i = 0; i < rank; i++) shape.dim[i] = dims[i];
    return shape;
}

bool shape_equal(const Shape *a, const Shape *b) {
    if (a->rank != b->rank) return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dim[i] != b->dim[i]) return false;
    return true;
}

// A zero makes the product zero whatever the others are, as in numpy, but a negative dim is refused even then.
int64_t shape_count(const Shape *shape) {
    int64_t count = 1;
    bool is_empty = false, overflows = false;
    for (int i = 0; i < shape->rank; i++) {
        if (shape->dim[i] < 0) return -1;
        if (shape->dim[i] == 0) is_empty = true;
        else if (!mul_i64(count, shape->dim[i], &count)) overflows = true;
    }
    return is_empty ? 0 : overflows ? -1 : count;
}

// Aligned at the last dim; a missing or 1-sized dim stretches.
bool shape_broadcast(const Shape *a, const Shape *b, Shape *out) {
    Shape result = {.rank = MAX(a->rank, b->rank)};
    for (int i = 1; i <= result.rank; i++) {
        int64_t from_a = i <= a->rank ? a->dim[a->rank - i] : 1, from_b = i <= b->rank ? b->dim[b->rank - i] : 1;
        if (from_a != from_b && from_a != 1 && from_b != 1) return false;
        result.dim[result.rank - i] = from_a == 1 ? from_b : from_a;
    }
    *out = result;
    return true;
}

void shape_print(Text *text, const Shape *shape) {
    if (shape->rank == 0) text_add(text, "scalar");
    for (int i = 0; i < shape->rank; i++) text_add(text, i ? "x%lld" : "%lld", (long long)shape->dim[i]);
}

bool shape_parse(const char *text, Shape *out) {
    Shape shape = {0};
    if (!strcmp(text, "scalar")) {
        *out = shape;
        return true;
    }
    for (;;) {
        char number[24];
        size_t length = strcspn(text, "x");
        if (shape.rank == MAX_RANK || length == 0 || length >= sizeof number || text[0] < '0' || text[0] > '9')
            return false;
        memcpy(number, text, length);
        number[length] = 0;
        if (!parse_i64(number, &shape.dim[shape.rank++])) return false;
        if (!text[length]) break;
        text += length + 1;
    }
    *out = shape;
    return true;
}
