// Products of matrices.
#include "graph/einsum.h"
#include "import/aten/convert.h"
#include <string.h>

// x W' + bias; W (out, in) lies transposed.
Status aten_convert_linear(Call *call) {
    ValueId x, weight, bias, y;
    int rank;
    TRY(aten_arg_tensor(call, "input", &x));
    TRY(aten_arg_tensor(call, "weight", &weight));
    TRY(aten_arg_optional(call, "bias", &bias));
    TRY(aten_rank(call, weight, &rank));
    if (rank == 2) TRY(aten_transpose_last(call, weight, &weight));
    TRY(emit_binary(&call->emit, OP_MatMul, bias == NO_VALUE ? "" : "product", x, weight, &y));
    if (bias != NO_VALUE) TRY(emit_binary(&call->emit, OP_Add, "", y, bias, &y));
    return aten_give(call, y);
}

// beta self + alpha (a b)
static Status add_scaled(Call *call, ValueId self, ValueId product) {
    double alpha, beta;
    ValueId factor;
    TRY(aten_arg_float(call, "alpha", &alpha));
    TRY(aten_arg_float(call, "beta", &beta));
    if (alpha != 1) {
        TRY(aten_scalar_like(call, product, alpha, &factor));
        TRY(aten_two(call, OP_Mul, product, factor, &product));
    }
    if (beta == 0) return aten_give(call, product); // NaN in self does not count
    if (beta != 1) {
        TRY(aten_scalar_like(call, self, beta, &factor));
        TRY(aten_two(call, OP_Mul, self, factor, &self));
    }
    return aten_give_two(call, OP_Add, product, self);
}

// Of arguments `at` and at + 1, which have these numbers of dims; 0: any.
static Status product_of(Call *call, int at, int rank, int second_rank, ValueId *out) {
    const ValueId a = call->args[at].value, b = call->args[at + 1].value;
    int got;
    TRY(aten_rank(call, a, &got));
    FAIL_IF(rank && got != rank, ST_BAD, "argument %d: expected %d dims, got %d", at + 1, rank, got);
    TRY(aten_rank(call, b, &got));
    FAIL_IF(second_rank && got != second_rank, ST_BAD, "argument %d: expected %d dims, got %d", at + 2, second_rank,
            got);
    return emit_binary(&call->emit, OP_MatMul, at ? "product" : "", a, b, out);
}

Status aten_convert_addmm(Call *call) { // addmv too
    ValueId self, product;
    const bool vector = strstr(call->source->op, "addmv") != NULL;
    TRY(aten_arg_tensor(call, "self", &self));
    TRY(product_of(call, 1, 2, vector ? 1 : 2, &product));
    return add_scaled(call, self, product);
}

// addbmm adds the products of all batches up.
Status aten_convert_baddbmm(Call *call) {
    static const int64_t batch = 0;
    ValueId self, product;
    TRY(aten_arg_tensor(call, "self", &self));
    TRY(product_of(call, 1, 3, 3, &product));
    if (strstr(call->source->op, "addbmm") && !strstr(call->source->op, "baddbmm"))
        TRY(aten_over(call, OP_ReduceSum, product, &batch, 1, false, &product));
    return add_scaled(call, self, product);
}

// mm, bmm, mv, dot, matmul: which differ in the dims that they take.
Status aten_convert_matmul(Call *call) {
    static const struct {
        const char *name;
        int a, b;
    } ranks[] = {{"aten::mm", 2, 2}, {"aten::bmm", 3, 3}, {"aten::mv", 2, 1}, {"aten::dot", 1, 1}};
    int a = 0, b = 0;
    ValueId y;
    for (size_t i = 0; i < COUNT_OF(ranks); i++)
        if (strcmp(ranks[i].name, call->source->op) == 0) a = ranks[i].a, b = ranks[i].b;
    TRY(product_of(call, 0, a, b, &y));
    return aten_give(call, y);
}

Status aten_convert_einsum(Call *call) {
    const char *equation;
    ValueId *tensors;
    int count;
    TRY(aten_arg_text(call, "equation", &equation));
    TRY(aten_arg_tensors(call, "tensors", &tensors, &count));
    FAIL_IF(count < 1, ST_BAD, "argument 'tensors': expected at least one");
    FAIL_IF(count > EINSUM_INPUTS, ST_UNSUPPORTED, "an equation of %d tensors (2 at most)", count);
    return aten_give_node(call, OP_Einsum, tensors, count, ATTRS(ATTR_S("equation", equation)));
}
