// Calls that no PyTorch makes, or that a damaged file makes: one line that begins with the place and the operator.
#include "import/aten_check.h"

typedef struct Refusal {
    const char *call;
    Status status;
    const char *words;
} Refusal;

static void check_refusals(const Refusal *refusals, size_t count) {
    for (size_t i = 0; i < count; i++) {
        AtenCase c;
        error_clear();
        const Status status = case_call(&c, refusals[i].call, ATEN_FIXED, 1);
        CHECK_MSG(status == refusals[i].status, "%s: expected status %d, got %d: %s", refusals[i].call,
                  refusals[i].status, status, error_message());
        CHECK_MSG(text_starts(error_message(), "net.layer (net.py:7): aten::"), "%s: no place in: %s", refusals[i].call,
                  error_message());
        CHECK_MSG(strstr(error_message(), refusals[i].words), "%s: expected '%s' in: %s", refusals[i].call,
                  refusals[i].words, error_message());
        CHECK_INT(c.outs[0].kind, ATEN_MISSING);
        case_end(&c);
    }
}

TEST(aten_arguments_that_are_none) {
    static const Refusal refusals[] = {
        {"relu()", ST_BAD, "argument 'self' is missing"},
        {"relu(2)", ST_BAD, "argument 'self': expected Tensor, got an int"},
        {"relu(None)", ST_BAD, "got None"},
        {"relu([f(2)])", ST_BAD, "got a list"},
        {"relu(f(2), 1)", ST_BAD, "expected at most 1 arguments by place, got 2"},
        {"relu(f(2), out=f(2))", ST_UNSUPPORTED, "argument 'out' is not supported"},
        {"round(f(2), decimals=2)", ST_UNSUPPORTED, "argument 'decimals' is not supported"},
        {"relu(f(2), self=f(2))", ST_BAD, "argument 'self' stands twice"},
        {"conv2d(f(1, 1, 3, 3), None)", ST_BAD, "argument 'weight'"},
        {"conv2d(f(1, 1, 3, 3), f(1, 1, 3, 3), None, 'x')", ST_BAD, "argument 'stride': expected int[], got a text"},
        {"softmax(f(2), 'x')", ST_BAD, "argument 'dim': expected int, got a text"},
        {"softmax(f(2), 0.5)", ST_BAD, "got a float"},
        {"cat([f(2), 3])", ST_BAD, "argument 'tensors'"},
        {"cat([])", ST_BAD, "at least one"},
        {"to(f(2), 99)", ST_UNSUPPORTED, "numbers of type 99"},
        {"to(f(2), -1)", ST_UNSUPPORTED, "numbers of type -1"},
        {"to(f(2), 9)", ST_UNSUPPORTED, "complex"},
        {"add(f(2), 'x')", ST_BAD, "argument"},
        {"add(f(2), f(3))", ST_BAD, "broadcast"},
        {"gelu(f(2), approximate='erf')", ST_BAD, "expected 'none' or 'tanh', got 'erf'"},
        {"div(f(2), 2, rounding_mode='up')", ST_BAD, "expected 'floor' or 'trunc', got 'up'"},
    };
    check_refusals(refusals, COUNT_OF(refusals));
}

TEST(aten_windows_that_cannot_be) {
    static const Refusal refusals[] = {
        {"conv2d(f(1, 1, 3, 3), f(1, 1, 3, 3), None, [0, 1])", ST_BAD, "at least 1"},
        {"conv2d(f(1, 1, 3, 3), f(1, 1, 3, 3), None, [1, 1], [-1, 0])", ST_BAD, "pads"},
        {"conv2d(f(1, 1, 3, 3), f(1, 1, 3, 3), None, [1, 1, 1])", ST_BAD,
         "argument 'stride': expected 2 numbers, got 3"},
        {"conv2d(f(1, 1, 3, 3), f(1, 1, 3, 3), None, [1, 1], [9223372036854775807, 0])", ST_BAD, "pads"},
        {"conv2d(f(1, 1, 3, 3), f(1, 1, 5, 5))", ST_BAD, "spans 5"},
        {"conv2d(f(1, 1, 3, 3), f(1, 2, 3, 3))", ST_BAD, "channels"},
        {"conv2d(f(1, 1, 3, 3), f(1, 1, 3, 3), f(2))", ST_BAD, "input 2"},
        {"conv2d(f(1, 1, 3, 3), f(1, 1, 3, 3), None, [1, 1], [0, 0], [1, 1], 0)", ST_BAD, "argument 'groups'"},
        {"conv2d(f(1, 1, 3, 3), f(2))", ST_BAD, "weights of 3 to 5 dims"},
        {"conv2d(f(3), f(1, 1, 3, 3))", ST_BAD, "an input of 3 or 4 dims, got 1"},
        {"conv2d(f(1, 1, 3, 3), f(1, 1, 3, 3), None, [2, 2], 'same')", ST_BAD, "stride of 1"},
        {"conv2d(f(1, 1, 3, 3), f(1, 1, 3, 3), None, [1, 1], 'full')", ST_BAD, "'same' or 'valid', got 'full'"},
        {"conv_transpose2d(f(1, 1, 3, 3), f(1, 1, 3, 3), None, [1, 1], [9, 9])", ST_BAD, "nothing is left"},
        {"conv_transpose2d(f(1, 1, 3, 3), f(1, 1, 3, 3), None, [1, 1], [0, 0], [5, 5])", ST_BAD, "output_padding"},
        {"max_pool2d(f(1, 1, 4, 4), [0, 2])", ST_BAD, "at least 1"},
        {"max_pool2d(f(1, 1, 4, 4), [2, 2], [0, 0])", ST_BAD, "at least 1"},
        {"max_pool2d(f(1, 1, 4, 4), [2, 2], [2, 2], [2, 2])", ST_BAD, "at most half of the kernel"},
        {"max_pool2d(f(4), [2, 2])", ST_BAD, "3 or 4 dims"},
        {"avg_pool2d(f(1, 1, 4, 4), [2, 2], [2, 2], [0, 0], False, True, 0)", ST_BAD, "divisor_override"},
        {"avg_pool2d(f(1, 1, 4, 4), [9223372036854775807, 9223372036854775807])", ST_BAD, "kernel_shape"},
        {"adaptive_avg_pool2d(f(1, 1, 4, 4), [0, 1])", ST_BAD, "from 1, got 0"},
        {"adaptive_avg_pool2d(f(1, 1, 4, 4), [9223372036854775807, 3])", ST_UNSUPPORTED, "an adaptive pool of"},
        {"adaptive_max_pool2d(f(1, 1, 4, 4), [1000000, 3])", ST_UNSUPPORTED, "an adaptive pool"},
        {"im2col(f(1, 1, 4, 4), [9, 9], [1, 1], [0, 0], [1, 1])", ST_BAD, "larger than the padded input"},
        {"im2col(f(1, 1, 4, 4), [2, 2], [1, 1], [0, 0], [0, 1])", ST_BAD, "at least 1"},
        {"im2col(f(1, 1, 4, 4), [2, 2], [1, 1], [1000000000, 0], [1, 1])", ST_UNSUPPORTED, "windows"},
        {"col2im(f(1, 5, 4), [4, 4], [2, 2], [1, 1], [0, 0], [2, 2])", ST_BAD, "a multiple of 4 rows, got 5"},
        {"col2im(f(1, 4, 5), [4, 4], [2, 2], [1, 1], [0, 0], [2, 2])", ST_BAD, "elements"},
        {"unfold(f(4), 0, 9, 1)", ST_BAD, "a size up to 4"},
        {"unfold(f(4), 0, 2, 0)", ST_BAD, "a step of at least 1"},
        {"unfold(f(4), 0, -1, 1)", ST_BAD, "a size up to 4"},
    };
    check_refusals(refusals, COUNT_OF(refusals));
}

TEST(aten_shapes_that_cannot_be) {
    static const Refusal refusals[] = {
        {"view(f(2, 3), [4])", ST_BAD, "elements"},
        {"view(f(2, 3), [-1, -1])", ST_BAD, "at most one -1"},
        {"view(f(2, 3), [-2, 3])", ST_BAD, "sizes from -1, got -2"},
        {"view(f(2), [1, 1, 1, 1, 1, 1, 1, 1, 2])", ST_UNSUPPORTED, "at most 8 dims"},
        {"view(f(2), [9223372036854775807, 9223372036854775807])", ST_BAD, ""},
        {"flatten(f(2, 3), 1, 0)", ST_BAD, "start_dim up to the end_dim"},
        {"flatten(f(2, 3), 5)", ST_BAD, "from -2 to 1, got 5"},
        {"permute(f(2, 3), [0])", ST_BAD, "expected 2 numbers, got 1"},
        {"permute(f(2, 3), [0, 0])", ST_BAD, "dim 0 stands twice"},
        {"permute(f(2, 3), [0, 2])", ST_BAD, "from -2 to 1, got 2"},
        {"transpose(f(2, 3), 0, 7)", ST_BAD, "got 7"},
        {"t(f(1, 2, 3))", ST_BAD, "at most 2 dims"},
        {"movedim(f(1, 2, 3), [0, 1], [0])", ST_BAD, "as many destinations"},
        {"unsqueeze(f(2), 5)", ST_BAD, "from -2 to 1, got 5"},
        {"unsqueeze(f(1, 1, 1, 1, 1, 1, 1, 1), 0)", ST_UNSUPPORTED, "at most 8 dims"},
        {"expand(f(2), [3])", ST_BAD, "expected 2 in dim 0, got 3"},
        {"expand(f(2), [-1, 2])", ST_BAD, "-1 keeps dim 0"},
        {"expand(f(2, 3), [3])", ST_BAD, "at least 2 numbers"},
        {"expand(f(1), [-5])", ST_BAD, "got -5"},
        {"repeat(f(2), [-1])", ST_BAD, "from 0, got -1"},
        {"repeat(f(2, 3), [2])", ST_BAD, "at least 2 numbers, got 1"},
        {"repeat(f(2), [9223372036854775807])", ST_BAD, "too large"},
        {"repeat_interleave(f(2), -1)", ST_BAD, "at least 0"},
        {"pixel_shuffle(f(1, 3, 2, 2), 2)", ST_BAD, "multiple of 4"},
        {"pixel_shuffle(f(1, 4, 2, 2), 0)", ST_BAD, "1 to 4096, got 0"},
        {"pixel_shuffle(f(1, 4, 2, 2), 4294967296)", ST_BAD, "1 to 4096"},
        {"pixel_unshuffle(f(1, 1, 3, 2), 2)", ST_BAD, "a multiple of 2, got 3"},
        {"channel_shuffle(f(1, 3, 2), 2)", ST_BAD, "a multiple of 2, got 3"},
        {"cat([f(2, 3), f(3, 2)])", ST_BAD, "expected 3 in dim 1"},
        {"cat([f(2), f(2)], 3)", ST_BAD, "got 3"},
        {"split(f(4), 0)", ST_BAD, "at least 1, got 0"},
        {"split(f(4), -3)", ST_BAD, "got -3"},
        {"split(f(4), [1, 1])", ST_BAD, "add up to 4, got 2"},
        {"split(f(4), [5, -1])", ST_BAD, "from 0, got -1"},
        {"chunk(f(4), 0)", ST_BAD, "at least 1"},
        {"tensor_split(f(4), 0)", ST_UNSUPPORTED, "into 0 parts"},
        {"unbind(f())", ST_BAD, "a tensor with dims"},
        {"roll(f(4), [1], [0, 0])", ST_BAD, "a shift for each dim"},
        {"rot90(f(2, 2), 1, [0])", ST_BAD, "expected 2 numbers"},
        {"pad(f(2), [1])", ST_BAD, "pairs of numbers"},
        {"pad(f(2), [1, 1, 1, 1])", ST_BAD, "for at most 1 dims"},
        {"pad(f(2), [-3, 0])", ST_BAD, "crop more"},
        {"pad(f(1, 3), [3, 0], 'reflect')", ST_BAD, "pads below 3"},
        {"pad(f(1, 3), [1, 0], 'mirror')", ST_BAD, "got 'mirror'"},
        {"pad(f(2), [9223372036854775807, 9223372036854775807])", ST_BAD, "too large"},
        {"select(f(2, 3), 1, 3)", ST_BAD, "expected -3 to 2, got 3"},
        {"select(f(), 0, 0)", ST_BAD, "a tensor with dims"},
        {"slice(f(4), 0, 0, 2, 0)", ST_BAD, "at least 1, got 0"},
        {"slice(f(4), 0, 0, 2, -1)", ST_BAD, "at least 1, got -1"},
        {"narrow(f(4), 0, 3, 2)", ST_BAD, "a part of 4 elements"},
        {"narrow(f(4), 0, 9223372036854775807, 9223372036854775807)", ST_BAD, "too large"},
        {"index(f(4), [x([4])])", ST_BAD, "expected -4 to 3, got 4"},
        {"index(f(4), [None, x([0])])", ST_BAD, "at most 1, got 2"},
        {"index(f(4), [f(2)])", ST_BAD, "integers or bools"},
        {"index(f(4), [None])", ST_UNSUPPORTED, "without indices"},
        {"gather(f(2, 3), 1, x([0]))", ST_BAD, "input 1 (indices)"},
        {"slice_scatter(f(4), f(3), 0, 0, 2)", ST_BAD, "expected"},
        {"one_hot(n(3), 9223372036854775807)", ST_UNSUPPORTED, "classes"},
    };
    check_refusals(refusals, COUNT_OF(refusals));
}

TEST(aten_numbers_that_cannot_be) {
    static const Refusal refusals[] = {
        {"floordiv(3, 0)", ST_BAD, "divided by zero"},
        {"remainder(3, 0)", ST_BAD, "divided by zero"},
        {"div(3, 0)", ST_BAD, "divided by zero"},
        {"mul(9223372036854775807, 2)", ST_BAD, "too large"},
        {"add(9223372036854775807, 1)", ST_BAD, "too large"},
        {"neg(-9223372036854775808)", ST_BAD, "too large"},
        {"floordiv(-9223372036854775808, -1)", ST_BAD, "too large"},
        {"pow(10, 9223372036854775807)", ST_BAD, "too large"},
        {"floor(1e300)", ST_BAD, "that an int can hold"},
        {"Int(nan)", ST_BAD, "that an int can hold"},
        {"__getitem__([1, 2], 2)", ST_BAD, "from -2 to 1, got 2"},
        {"__getitem__([], 0)", ST_BAD, "got 0"},
        {"mul([1, 2], 9223372036854775807)", ST_BAD, "too long"},
        {"mul([1, 2], 1000000)", ST_BAD, "at most 65536"},
        {"zeros([-1])", ST_BAD, "sizes from 0, got -1"},
        {"zeros([9223372036854775807, 9223372036854775807])", ST_BAD, "addressed"},
        {"full([2, 2, 2, 2, 2, 2, 2, 2, 2], 1)", ST_UNSUPPORTED, "at most 8 dims"},
        {"arange(0, 10, 0)", ST_BAD, "argument 'step'"},
        {"arange(5, 0)", ST_BAD, "that the steps lead to"},
        {"arange(9223372036854775807)", ST_UNSUPPORTED, "numbers"},
        {"linspace(0, 1, -1)", ST_BAD, "at least 0"},
        {"linspace(0, 1, 9223372036854775807)", ST_UNSUPPORTED, "numbers"},
        {"tensor([[1, 2], [3]])", ST_BAD, "of one length"},
        {"tensor([[[[[[[[[1]]]]]]]]])", ST_BAD, "depth"},
        {"upsample_nearest2d(f(1, 1, 2, 2), [0, 2])", ST_BAD, "from 1, got 0"},
        {"upsample_nearest2d(f(1, 1, 2, 2), [2])", ST_BAD, "expected 2 numbers, got 1"},
        {"upsample_nearest2d(f(1, 1, 2, 2), None, [0.0, 2.0])", ST_BAD, "a factor above 0, got 0"},
        {"upsample_nearest2d(f(1, 1, 2, 2), None, [nan, 2.0])", ST_BAD, "a factor above 0"},
        {"upsample_nearest2d(f(1, 1, 2, 2), None, [1e300, 2.0])", ST_BAD, "a factor"},
        {"upsample_nearest2d(f(2, 2), [2, 2])", ST_BAD, "4 dims, got 2"},
        {"batch_norm(f(2, 3), f(2), f(3), f(3), f(3), False, 0.1, 1e-5, True)", ST_BAD, "input 1"},
        {"batch_norm(f(2, 3), None, None, f(3), f(3), True, 0.1, 1e-5, True)", ST_UNSUPPORTED, "call model.eval()"},
        {"dropout(f(2), 0.5, True)", ST_UNSUPPORTED, "call model.eval()"},
        {"group_norm(f(2, 3, 4), 2)", ST_BAD, "equal groups"},
        {"group_norm(f(2, 3, 4), 0)", ST_BAD, "num_groups"},
        {"layer_norm(f(2, 3), [2])", ST_BAD, "expected 3, the size of the input, got 2"},
        {"layer_norm(f(2, 3), [])", ST_BAD, "1 to 2 numbers, got 0"},
        {"mean(f(2, 3), [0, 0])", ST_BAD, "dim 0 stands twice"},
        {"mean(f(2, 3), [2])", ST_BAD, "got 2"},
        {"topk(f(2, 3), 4)", ST_BAD, "expected 0 to 3, got 4"},
        {"einsum('bij,bjk', [])", ST_BAD, "at least one"},
        {"einsum('i,i,i->i', [f(2), f(2), f(2)])", ST_UNSUPPORTED, "2 at most"},
        {"einsum('$', [f(2)])", ST_BAD, ""},
        {"mm(f(2), f(2, 2))", ST_BAD, "expected 2 dims, got 1"},
        {"linear(f(2, 3), f(2, 4))", ST_BAD, "go together"},
        {"scaled_dot_product_attention(f(2, 3, 4), f(2, 3, 5), f(2, 3, 4))", ST_BAD, "go together"},
        {"scaled_dot_product_attention(f(2, 3, 4), f(2, 3, 4), f(2, 3, 4), None, 0.5)", ST_UNSUPPORTED, "dropout"},
    };
    check_refusals(refusals, COUNT_OF(refusals));
}

TEST(aten_lists_without_end) {
    AtenCase c;
    AtenValue deep[2 * ATEN_LIST_DEPTH];
    AtenValue out;
    const AtenValue long_list = {.kind = ATEN_LIST, .items = deep, .count = ATEN_LIST_COUNT + 1};
    CHECK_OK(case_call(&c, "relu(f(2))", ATEN_FIXED, 1));
    deep[0] = aten_int(1);
    for (int i = 1; i < 2 * ATEN_LIST_DEPTH; i++) deep[i] = aten_list(&deep[i - 1], 1);
    AtenCall call = {.op = "aten::len", .args = &deep[2 * ATEN_LIST_DEPTH - 1], .n_args = 1};
    CHECK_INT(aten_call(&c.aten, &call, &out, 1), ST_BAD);
    CHECK_TEXT(error_message(), "aten::len: expected lists of a depth of at most 8");
    call.args = &long_list;
    CHECK_INT(aten_call(&c.aten, &call, &out, 1), ST_BAD);
    CHECK(strstr(error_message(), "at most 65536 values"));
    case_end(&c);
}
