// Parts of the Keras importer by themselves.
#include "import/keras/config.h"
#include "import/keras/weights.h"
#include "test.h"

TEST(keras_groups_are_called_after_classes) {
    static const char *const names[][2] = {
        {"Conv2D", "conv2d"},
        {"Conv2DTranspose", "conv2d_transpose"},
        {"BatchNormalization", "batch_normalization"},
        {"PReLU", "p_re_lu"},
        {"LeakyReLU", "leaky_re_lu"},
        {"SeparableConv1D", "separable_conv1d"},
        {"MultiHeadAttention", "multi_head_attention"},
        {"Addons>GroupNormalization", "group_normalization"},
        {"Functional", "functional"},
        {"ELU", "elu"},
    };
    Arena arena = {0};
    for (size_t i = 0; i < COUNT_OF(names); i++) CHECK_TEXT(keras_snake_case(&arena, names[i][0]), names[i][1]);
    arena_free(&arena);
}

static Json *parse(Arena *arena, const char *text) {
    Json *json = NULL;
    CHECK_OK(config_parse(arena, text, strlen(text), &json));
    return json;
}

// What Python writes, and JSON has no words for.
TEST(keras_json_of_python) {
    Arena arena = {0};
    Json *json =
        parse(&arena, "{\"a\": NaN, \"b\": -Infinity, \"c\": [Infinity], \"NaN \\\" Infinity\": \"Infinity\"}");
    double number;
    CHECK(config_get(json, "a") == NULL);
    CHECK_OK(config_float(json, "b", 0, &number));
    CHECK(number == -1e308);
    CHECK(json_get(json, "c")->items[0].number == 1e308);
    CHECK(json_is(json_get(json, "NaN \" Infinity"), "Infinity"));
    CHECK_INT(config_parse(&arena, "{\"a\": \"NaN", 10, &json), ST_BAD);
    CHECK_INT(config_parse(&arena, "NaNcy", 5, &json), ST_BAD);
    arena_free(&arena);
}

TEST(keras_settings) {
    Arena arena = {0};
    Json *json =
        parse(&arena, "{\"strides\": 2, \"size\": [1, 3], \"bad\": [1, 2.5], \"border_mode\": \"same\", \"p\": "
                      "0.5, \"bias\": false, \"numpy\": {\"class_name\": \"__numpy__\", \"config\": {\"value\": "
                      "4}}, \"nothing\": null}");
    int64_t sizes[3];
    const char *text;
    double number;
    bool flag;
    CHECK_OK(config_sizes(json, "strides", 2, 1, sizes));
    CHECK(sizes[0] == 2 && sizes[1] == 2);
    CHECK_OK(config_sizes(json, "size", 2, 1, sizes));
    CHECK(sizes[0] == 1 && sizes[1] == 3);
    CHECK_INT(config_sizes(json, "size", 3, 1, sizes), ST_BAD);
    CHECK_INT(config_sizes(json, "bad", 2, 1, sizes), ST_BAD);
    CHECK_INT(config_sizes(json, "absent", 2, 0, sizes), ST_BAD);
    CHECK_OK(config_text(json, "padding", "valid", &text));
    CHECK_TEXT(text, "same");
    CHECK_INT(config_text(json, "strides", "valid", &text), ST_BAD);
    CHECK_OK(config_float(json, "rate", 0, &number));
    CHECK(number == 0.5);
    CHECK_OK(config_float(json, "numpy", 0, &number));
    CHECK(number == 4);
    CHECK_OK(config_bool(json, "use_bias", true, &flag));
    CHECK(!flag);
    CHECK_OK(config_bool(json, "nothing", true, &flag));
    CHECK(flag);
    arena_free(&arena);
}
