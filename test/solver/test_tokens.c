// Tokens to an image and back, bit for bit.
#include "solver/harness.h"

extern const Solver solver_tokens;

static void check_tokens(const Shape *image) {
    int64_t pixels = 1;
    for (int i = 2; i < image->rank; i++) pixels *= image->dim[i];
    const int64_t n = image->dim[0], c = image->dim[1], count = shape_count(image);
    const Shape tokens = harness_shape(3, n, pixels, c, 0, 0);
    float *in_image = harness_normal(count, 1), *in_tokens = harness_memory(count, sizeof *in_tokens);
    for (int64_t i = 0; i < count; i++)
        in_tokens[(i / (c * pixels) * pixels + i % pixels) * c + i / pixels % c] = in_image[i];
    const Run to_image = {
        .problem = harness_problem(PROBLEM_TOKENS), .in_shape = {tokens}, .out_shape = {*image}, .in = {in_tokens}};
    const Run to_tokens = {.problem = harness_problem(PROBLEM_TOKENS),
                           .in_shape = {*image},
                           .out_shape = {tokens},
                           .in = {in_image},
                           .blocked = {true}};
    harness_check_bytes("tokens to image", &solver_tokens, &to_image, in_image);
    harness_check_bytes("image to tokens", &solver_tokens, &to_tokens, in_tokens);
}
TEST(tokens_and_images) {
    const Shape images[] = {harness_shape(4, 1, 32, 8, 8, 0),   harness_shape(4, 2, 19, 5, 7, 0),
                            harness_shape(4, 1, 1, 1, 1, 0),    harness_shape(4, 3, 16, 1, 5, 0),
                            harness_shape(4, 1, 128, 61, 9, 0), harness_shape(5, 2, 33, 3, 4, 5)};
    for (size_t i = 0; i < COUNT_OF(images); i++) check_tokens(&images[i]);
}
