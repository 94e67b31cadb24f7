// MatMul and Gemm: row m of the product is the sum over k of a[m, k] times row k of b.
#include "reference/evaluate.h"
#include "reference/rows.h"
#include <string.h>

// numpy's rules: a vector on the left is a row, one on the right a column, and that dim is not in the result;
// dims before the last two are broadcast.
typedef struct Product {
    Shape a, b, y; // rank at least 2
    int64_t m, k, n;
} Product;

static Shape with_dim(const Shape *shape, int at, int64_t dim) {
    Shape out = *shape;
    out.rank++;
    for (int i = out.rank - 1; i > at; i--) out.dim[i] = shape->dim[i - 1];
    out.dim[at] = dim;
    return out;
}

static Product product_of(const Evaluation *e) {
    Product p = {.a = e->inputs[0]->shape, .b = e->inputs[1]->shape, .y = e->outputs[0].shape};
    const bool a_is_row = p.a.rank == 1, b_is_column = p.b.rank == 1;
    if (a_is_row) p.a = with_dim(&p.a, 0, 1);
    if (b_is_column) p.b = with_dim(&p.b, 1, 1);
    if (a_is_row) p.y = with_dim(&p.y, b_is_column ? p.y.rank : p.y.rank - 1, 1);
    if (b_is_column) p.y = with_dim(&p.y, p.y.rank, 1);
    p.m = p.a.dim[p.a.rank - 2];
    p.k = p.a.dim[p.a.rank - 1];
    p.n = p.b.dim[p.b.rank - 1];
    return p;
}

// A walk over the matrices of the result; at[0], at[1]: first elements of the matrices of a and b.
static void walk_matrices(const Product *p, Walk *walk) {
    int64_t stride[MAX_RANK];
    Shape batch = p->y;
    batch.rank -= 2;
    walk_begin(walk, &batch);
    broadcast_strides(&p->a, &p->y, stride);
    memcpy(walk->stride[0], stride, (size_t)batch.rank * sizeof(int64_t));
    broadcast_strides(&p->b, &p->y, stride);
    memcpy(walk->stride[1], stride, (size_t)batch.rank * sizeof(int64_t));
}

// y (m, n) += a (m, k) b (k, n)
static void multiply(const double *a, const double *b, int64_t m, int64_t k, int64_t n, double *y) {
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < k; j++) row_add(y + i * n, a[i * k + j], b + j * n, 1, n);
}

static Status matmul_floats(const Evaluation *e, const Product *p) {
    double *a, *b;
    TRY(load_doubles(e, e->inputs[0], &a));
    TRY(load_doubles(e, e->inputs[1], &b));
    const int64_t size = p->m * p->n;
    double *y;
    TRY(make_doubles(e, size, &y));
    Walk walk;
    walk_matrices(p, &walk);
    for (int64_t i = 0; walk.left > 0; i++, walk_step(&walk)) {
        for (int64_t j = 0; j < size; j++) y[j] = 0;
        multiply(a + walk.at[0], b + walk.at[1], p->m, p->k, p->n, y);
        tensor_write(&e->outputs[0], i * size, y, size);
    }
    return ST_OK;
}

static int64_t dot_integers(const Tensor *a, int64_t at_a, const Tensor *b, int64_t at_b, int64_t step_b, int64_t k) {
    uint64_t sum = 0; // wraps
    for (int64_t i = 0; i < k; i++)
        sum += as_unsigned(tensor_get_int(a, at_a + i)) * as_unsigned(tensor_get_int(b, at_b + i * step_b));
    return (int64_t)sum;
}

static void matmul_integers(const Evaluation *e, const Product *p) {
    const Tensor *const a = e->inputs[0], *const b = e->inputs[1];
    int64_t to = 0;
    Walk walk;
    for (walk_matrices(p, &walk); walk.left > 0; walk_step(&walk))
        for (int64_t i = 0; i < p->m; i++)
            for (int64_t j = 0; j < p->n; j++)
                tensor_set_int(&e->outputs[0], to++,
                               dot_integers(a, walk.at[0] + i * p->k, b, walk.at[1] + j, p->n, p->k));
}

Status evaluate_MatMul(const Evaluation *e) {
    const Product p = product_of(e);
    if (dtype_is_float(e->inputs[0]->dtype)) return matmul_floats(e, &p);
    matmul_integers(e, &p);
    return ST_OK;
}

// (rows, columns) to (columns, rows)
static Status transpose(const Evaluation *e, int64_t rows, int64_t columns, double **matrix) {
    double *out;
    TRY(make_doubles(e, rows * columns, &out));
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) out[j * rows + i] = (*matrix)[i * columns + j];
    *matrix = out;
    return ST_OK;
}

static void gemm_integers(const Evaluation *e, int64_t m, int64_t k, int64_t n, bool trans_a, bool trans_b);

// y = alpha a b + beta c; a (m, k), b (k, n), either stored transposed; c is broadcast to (m, n).
Status evaluate_Gemm(const Evaluation *e) {
    const Tensor *const c = input_or_null(e, 2);
    Tensor *const y = &e->outputs[0];
    const bool trans_a = node_int(e->node, "transA", 0) != 0, trans_b = node_int(e->node, "transB", 0) != 0;
    const double alpha = node_float(e->node, "alpha", 1), beta = node_float(e->node, "beta", 1);
    const int64_t m = y->shape.dim[0], n = y->shape.dim[1], k = e->inputs[0]->shape.dim[trans_a ? 0 : 1];
    if (!dtype_is_float(y->dtype)) {
        FAIL_IF(alpha != 1 || beta != 1, ST_UNSUPPORTED, "alpha and beta other than 1 are not had for integers");
        gemm_integers(e, m, k, n, trans_a, trans_b);
        return ST_OK;
    }
    double *a, *b, *sum;
    TRY(make_doubles(e, m * n, &sum));
    TRY(load_doubles(e, e->inputs[0], &a));
    TRY(load_doubles(e, e->inputs[1], &b));
    if (trans_a) TRY(transpose(e, k, m, &a));
    if (trans_b) TRY(transpose(e, n, k, &b));
    multiply(a, b, m, k, n, sum);
    Walk walk;
    walk_begin(&walk, &y->shape);
    if (c) broadcast_strides(&c->shape, &y->shape, walk.stride[0]);
    for (int64_t i = 0; walk.left > 0; i++, walk_step(&walk))
        sum[i] = alpha * sum[i] + (c && beta != 0 ? beta * tensor_get(c, walk.at[0]) : 0);
    tensor_write(y, 0, sum, m * n);
    return ST_OK;
}

static void gemm_integers(const Evaluation *e, int64_t m, int64_t k, int64_t n, bool trans_a, bool trans_b) {
    const Tensor *const a = e->inputs[0], *const b = e->inputs[1], *const c = input_or_null(e, 2);
    Tensor *const y = &e->outputs[0];
    Walk walk;
    walk_begin(&walk, &y->shape);
    if (c) broadcast_strides(&c->shape, &y->shape, walk.stride[0]);
    for (int64_t to = 0; walk.left > 0; to++, walk_step(&walk)) {
        const int64_t i = walk.index[0], j = walk.index[1];
        uint64_t sum = c ? as_unsigned(tensor_get_int(c, walk.at[0])) : 0;
        for (int64_t l = 0; l < k; l++)
            sum += as_unsigned(tensor_get_int(a, trans_a ? l * m + i : i * k + l)) *
                   as_unsigned(tensor_get_int(b, trans_b ? j * k + l : l * n + j));
        tensor_set_int(y, to, (int64_t)sum);
    }
}
