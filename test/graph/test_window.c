// Pads and sizes of sliding windows, after auto_pad, ceil_mode and output_shape.
#include "graph/graph.h"
#include "test.h"

typedef struct WindowCase {
    const char *statement; // of a graph with x [1, 1, size], w [1, 1, kernel]
    int64_t size, kernel, begin, end, output;
} WindowCase;

static void run_case(const WindowCase *test) {
    Text text = {0};
    text_add(&text, "graph (%%x: float32[1x1x%lld], %%w: float32[1x1x%lld]) -> (%%y) { %%y = %s }",
             (long long)test->size, (long long)test->kernel, test->statement);
    Graph *graph;
    CHECK_OK(graph_parse(text.data, text.length, &graph));
    const Shape x = type_shape(&graph->values[0].type), w = type_shape(&graph->values[1].type);
    Window window;
    const bool pool = op_info(graph->nodes[0]->op)->kind == KIND_POOL;
    CHECK_OK(window_of(graph->nodes[0], &x, pool ? NULL : &w, &window));
    CHECK_MSG(window.pad_begin[0] == test->begin && window.pad_end[0] == test->end && window.output[0] == test->output,
              "%s\ngot pads %lld %lld output %lld, expected %lld %lld %lld", text.data, (long long)window.pad_begin[0],
              (long long)window.pad_end[0], (long long)window.output[0], (long long)test->begin, (long long)test->end,
              (long long)test->output);
    const int64_t reach = window.dilation[0] * (window.kernel[0] - 1) + 1;
    if (graph->nodes[0]->op == OP_ConvTranspose)
        CHECK_INT(window.output[0], window.stride[0] * (window.input[0] - 1) + window.output_padding[0] + reach -
                                        window.pad_begin[0] - window.pad_end[0]);
    graph_free(graph);
    text_free(&text);
}

TEST(pads) {
    static const WindowCase cases[] = {
        {"Conv(%x, %w) {pads=[1, 2]}", 8, 3, 1, 2, 9},
        {"Conv(%x, %w) {auto_pad=\"SAME_UPPER\"}", 8, 4, 1, 2, 8},
        {"Conv(%x, %w) {auto_pad=\"SAME_LOWER\"}", 8, 4, 2, 1, 8},
        {"Conv(%x, %w) {auto_pad=\"SAME_UPPER\", strides=[2]}", 8, 3, 0, 1, 4},
        {"Conv(%x, %w) {auto_pad=\"SAME_LOWER\", strides=[2]}", 8, 3, 1, 0, 4},
        {"Conv(%x, %w) {auto_pad=\"SAME_UPPER\", strides=[3]}", 7, 2, 0, 1, 3},
        {"Conv(%x, %w) {auto_pad=\"SAME_UPPER\", strides=[5]}", 7, 1, 0, 0, 2},
        {"Conv(%x, %w) {auto_pad=\"SAME_UPPER\", dilations=[3]}", 9, 3, 3, 3, 9},
        {"Conv(%x, %w) {auto_pad=\"VALID\"}", 8, 3, 0, 0, 6},
        {"MaxPool(%x) {kernel_shape=[3], strides=[2], pads=[1, 1], ceil_mode=1}", 8, 1, 1, 1, 5},
        {"MaxPool(%x) {kernel_shape=[3], strides=[2], pads=[1, 1]}", 8, 1, 1, 1, 4},
        {"MaxPool(%x) {kernel_shape=[2], strides=[2], pads=[0, 1], ceil_mode=1}", 4, 1, 0, 1, 2},
        {"ConvTranspose(%x, %w) {strides=[2], pads=[1, 1], output_padding=[1]}", 8, 3, 1, 1, 16},
        {"ConvTranspose(%x, %w) {strides=[2], auto_pad=\"SAME_UPPER\"}", 8, 3, 0, 1, 16},
        {"ConvTranspose(%x, %w) {strides=[2], auto_pad=\"SAME_LOWER\"}", 8, 3, 1, 0, 16},
        {"ConvTranspose(%x, %w) {strides=[3], auto_pad=\"SAME_UPPER\"}", 4, 2, 0, 0, 12},
        {"ConvTranspose(%x, %w) {strides=[2], output_shape=[14]}", 8, 3, 2, 1, 14},
        {"ConvTranspose(%x, %w) {strides=[2], output_shape=[18]}", 8, 3, 0, 0, 18},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) run_case(&cases[i]);
}

// Sizes by counting: windows placed one after the other until one does not fit.
static int64_t count_windows(const Window *window, bool ceil_mode) {
    const int64_t reach = window->dilation[0] * (window->kernel[0] - 1) + 1;
    const int64_t padded = window->pad_begin[0] + window->input[0] + window->pad_end[0];
    int64_t count = 0;
    for (int64_t start = 0;; start += window->stride[0], count++) {
        if (start + reach <= padded) continue;
        // One more when something of the padded input is left over and the window starts before the right pad.
        const int64_t covered = start - window->stride[0] + reach;
        return count + (ceil_mode && covered < padded && start < window->pad_begin[0] + window->input[0]);
    }
}

TEST(sizes_by_counting) {
    for (int k = 1; k <= 4; k++)
        for (int64_t code = 0; code < 9 * 4 * 3 * 4 * 2; code++) {
            const int64_t size = 3 + code % 9, stride = 1 + code / 9 % 4, dilation = 1 + code / 36 % 3;
            const int64_t pad = code / 108 % 4, ceil_mode = code / 432;
            Attr attrs[] = {{.name = "kernel_shape", .type = ATTR_INTS, .ints = (int64_t[]){k}, .count = 1},
                            {.name = "strides", .type = ATTR_INTS, .ints = &stride, .count = 1},
                            {.name = "dilations", .type = ATTR_INTS, .ints = &dilation, .count = 1},
                            {.name = "pads", .type = ATTR_INTS, .ints = (int64_t[]){pad, 1}, .count = 2},
                            {.name = "ceil_mode", .type = ATTR_INT, .i = ceil_mode}};
            const Node node = {.op = OP_AveragePool, .name = "", .attrs = attrs, .n_attrs = COUNT_OF(attrs)};
            const Shape shape = {3, {1, 1, size}};
            Window window;
            if (window_of(&node, &shape, NULL, &window) != ST_OK) {
                CHECK(size + pad + 1 < dilation * (k - 1) + 1);
                continue;
            }
            CHECK_INT(window.output[0], count_windows(&window, ceil_mode));
        }
}

TEST(refusals_name_the_node) {
    const int64_t kernel[] = {5, 5};
    Attr attr = {.name = "kernel_shape", .type = ATTR_INTS, .ints = kernel, .count = 2};
    const Node node = {.op = OP_MaxPool, .name = "pool3", .attrs = &attr, .n_attrs = 1};
    const Shape small = {4, {1, 1, 8, 4}}, flat = {2, {1, 8}}, line = {3, {1, 1, 8}};
    Window window;
    CHECK(window_of(&node, &small, NULL, &window) == ST_BAD);
    CHECK_TEXT(error_message(), "MaxPool 'pool3': spatial dim 1: the window spans 5, but the padded input has only 4");
    CHECK(window_of(&node, &flat, NULL, &window) == ST_BAD);
    CHECK(window_of(&node, &line, NULL, &window) == ST_BAD);
    CHECK_TEXT(error_message(), "MaxPool 'pool3': attribute 'kernel_shape': expected 1 numbers, got 2");
}

TEST(slices) {
    for (int64_t dim = 0; dim < 5; dim++)
        for (int64_t code = 0; code < 13 * 13 * 7; code++) {
            const int64_t start = code % 13 - 6, end = code / 13 % 13 - 6, step = code / 169 - 3;
            int64_t first, count, expected = 0;
            if (slice_range(dim, start, end, step, &first, &count) != ST_OK) {
                CHECK(step == 0);
                continue;
            }
            // Walk from the clamped start.
            int64_t at = start < 0 ? start + dim : start, stop = end < 0 ? end + dim : end;
            at = at < 0 ? 0 : at;
            if (step < 0 && at > dim - 1) at = dim - 1;
            for (; at >= 0 && at < dim && (step > 0 ? at < stop : at > stop); at += step) expected++;
            CHECK_MSG(count == expected, "dim %lld slice %lld:%lld:%lld got %lld expected %lld", (long long)dim,
                      (long long)start, (long long)end, (long long)step, (long long)count, (long long)expected);
            CHECK(count == 0 ||
                  (first >= 0 && first < dim && first + (count - 1) * step >= 0 && first + (count - 1) * step < dim));
        }
}
