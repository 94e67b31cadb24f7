#include "problem/problem.h"
#include <string.h>

static double elements(const Layout *layout) { return (double)shape_count(&layout->shape); }

static const char *const precision_names[] = {
    [PRECISION_FP32] = "fp32", [PRECISION_STRICT] = "strict", [PRECISION_BF16] = "bf16"};
const char *precision_name(Precision precision) { return precision_names[precision]; }
bool precision_parse(const char *name, Precision *out) {
    for (size_t i = 0; i < COUNT_OF(precision_names); i++)
        if (!strcmp(name, precision_names[i])) {
            *out = (Precision)i;
            return true;
        }
    return false;
}

int64_t problem_taps(const Problem *problem) {
    return problem->kernel[AXIS_D] * problem->kernel[AXIS_H] * problem->kernel[AXIS_W];
}
int64_t problem_weight_count(const Problem *problem) {
    return problem->oc * (problem->ic / MAX(problem->group, 1)) * problem_taps(problem);
}
double problem_flop(const Problem *problem) {
    double out = elements(&problem->out[0]);
    const double taps = (double)problem_taps(problem);
    switch (problem->kind) {
    case PROBLEM_CONV: return 2 * out * taps * (double)problem->ic / (double)problem->group;
    case PROBLEM_CONV_TRANSPOSE:
        return 2 * elements(&problem->in[0]) * taps * (double)problem->oc / (double)problem->group;
    case PROBLEM_MATMUL: return 2 * out * (double)problem->ic;
    case PROBLEM_POOL: return out * taps;
    case PROBLEM_RESIZE: {
        double sum = 0;
        for (int axis = 0; axis < AXES; axis++) sum += 2.0 * problem->taps[axis].taps;
        return out * sum;
    }
    case PROBLEM_CONVERT:
    case PROBLEM_TOKENS:
    case PROBLEM_COPY: return 0;
    default: return out;
    }
}

static void print_operand(const Layout *layout, Text *text) {
    text_add(text, " ");
    shape_print(text, &layout->shape);
    if (layout->kind == LAYOUT_BLOCKED) text_add(text, "/%d", layout->block);
    else if (layout->dtype != DT_F32) text_add(text, ":%s", dtype_name(layout->dtype));
}
static void print_axes(const char *name, const int64_t values[AXES], int64_t usual, Text *text) {
    if (values[AXIS_D] == usual && values[AXIS_H] == usual && values[AXIS_W] == usual) return;
    text_add(text, " %s %lldx%lldx%lld", name, (long long)values[AXIS_D], (long long)values[AXIS_H],
             (long long)values[AXIS_W]);
}
static void print_activation(const char *name, const Activation *activation, Text *text) {
    if (activation->function != FN_NONE) text_add(text, " %s %s", name, function_name(activation->function));
}
static bool has_window(const Problem *p) {
    return p->kind == PROBLEM_CONV || p->kind == PROBLEM_CONV_TRANSPOSE || p->kind == PROBLEM_POOL;
}
void problem_print(const Problem *problem, Text *text) {
    static const char *const kinds[] = {[PROBLEM_CONV] = "conv",
                                        [PROBLEM_CONV_TRANSPOSE] = "conv_transpose",
                                        [PROBLEM_MATMUL] = "matmul",
                                        [PROBLEM_POOL] = "pool",
                                        [PROBLEM_RESIZE] = "resize",
                                        [PROBLEM_UNARY] = "unary",
                                        [PROBLEM_BINARY] = "binary",
                                        [PROBLEM_AFFINE] = "affine",
                                        [PROBLEM_NORM] = "norm",
                                        [PROBLEM_SOFTMAX] = "softmax",
                                        [PROBLEM_CONVERT] = "convert",
                                        [PROBLEM_TOKENS] = "tokens",
                                        [PROBLEM_COPY] = "copy",
                                        [PROBLEM_LOGIC] = "logic",
                                        [PROBLEM_GRID_SAMPLE] = "grid_sample",
                                        [PROBLEM_REFERENCE] = "reference"};
    text_add(text, "%s %s", kinds[problem->kind], precision_name(problem->precision));
    for (int i = 0; i < problem->n_inputs; i++) print_operand(&problem->in[i], text);
    text_add(text, " ->");
    for (int i = 0; i < problem->n_outputs; i++) print_operand(&problem->out[i], text);
    if (has_window(problem)) {
        print_axes("kernel", problem->kernel, 1, text), print_axes("stride", problem->stride, 1, text);
        print_axes("dilation", problem->dilation, 1, text), print_axes("pads", problem->pad_begin, 0, text);
        print_axes("and", problem->pad_end, 0, text);
        if (problem->group > 1) text_add(text, " group %lld", (long long)problem->group);
    }
    if (problem->kind == PROBLEM_POOL) text_add(text, problem->pool == POOL_MAX ? " max" : " average");
    if (problem->kind == PROBLEM_NORM)
        text_add(text, " %d of %lld", (int)problem->norm, (long long)problem->norm_groups);
    for (int axis = 0; problem->kind == PROBLEM_RESIZE && axis < AXES; axis++)
        text_add(text, "%s%d", axis ? "x" : " taps ", problem->taps[axis].taps);
    if (problem->kind == PROBLEM_MATMUL) text_add(text, problem->weight ? " weight" : " two");
    if (problem->kind == PROBLEM_BINARY) text_add(text, " operator %d", (int)problem->binary);
    if (problem->kind == PROBLEM_LOGIC) text_add(text, " operator %d", (int)problem->logic);
    if (problem->kind == PROBLEM_GRID_SAMPLE)
        text_add(text, " %d outside %d corners %d", (int)problem->sample, (int)problem->outside,
                 problem->align_corners);
    if (problem->bias) text_add(text, " bias");
    if (problem->has_residual) text_add(text, " residual");
    print_activation("then", &problem->activation, text);
    if (problem->has_pool) text_add(text, problem->pool_scale ? " scaled and pooled" : " pooled");
    print_activation("then", &problem->pool_activation, text);
}
