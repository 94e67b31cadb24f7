// Softmax and LogSoftmax over one axis; the maximum is taken away first so that nothing overflows.
#include "reference/evaluate.h"
#include <math.h>

// x, y: `count` elements, `step` apart.
typedef void RowFunction(const double *x, double *y, int64_t step, int64_t count, double largest, double sum);

static void softmax_row(const double *x, double *y, int64_t step, int64_t count, double largest, double sum) {
    for (int64_t i = 0; i < count; i++) y[i * step] = exp(x[i * step] - largest) / sum;
}
static void log_softmax_row(const double *x, double *y, int64_t step, int64_t count, double largest, double sum) {
    for (int64_t i = 0; i < count; i++) y[i * step] = x[i * step] - largest - log(sum);
}

static Status along_axis(const Evaluation *e, RowFunction *function) {
    const Shape *const shape = &e->inputs[0]->shape;
    int axis;
    TRY(read_axis(node_int(e->node, "axis", -1), shape->rank, &axis));
    const int64_t outer = product(shape, 0, axis), inner = product(shape, axis + 1, shape->rank);
    const int64_t count = shape->dim[axis], total = outer * count * inner;
    double *x, *y;
    TRY(load_doubles(e, e->inputs[0], &x));
    TRY(make_doubles(e, total, &y));
    for (int64_t i = 0; i < outer * inner && count > 0; i++) {
        const double *const row = x + i / inner * count * inner + i % inner;
        double largest = row[0], sum = 0;
        for (int64_t j = 1; j < count; j++)
            if (row[j * inner] > largest) largest = row[j * inner];
        for (int64_t j = 0; j < count; j++) sum += exp(row[j * inner] - largest);
        function(row, y + (row - x), inner, count, largest, sum);
    }
    tensor_write(&e->outputs[0], 0, y, total);
    return ST_OK;
}

Status evaluate_Softmax(const Evaluation *e) { return along_axis(e, softmax_row); }
Status evaluate_LogSoftmax(const Evaluation *e) { return along_axis(e, log_softmax_row); }
