// What compile and info tell of an imported model, and the options that only some formats have.
#include "app/imported.h"
#include "app/pictures.h"
#include "import/torch_writer.h"
#include <math.h>
#include <stddef.h>

// The text and the JSON of a result that tells of `imported` only.
static void told(const Imported *imported, Arena *arena, const char **text, Json **json) {
    struct stent_result *result;
    stent_result *out = NULL;
    REQUIRE(result_begin("test", NULL, common_options(NULL), &result) == ST_OK);
    tell_format(imported, &result->text);
    put_opset(&result->writer, imported);
    tell_notes(imported, result);
    REQUIRE(result_finish(result, ST_OK, &out) == ST_OK);
    *text = arena_string(arena, stent_result_text(out));
    REQUIRE(json_parse(arena, stent_result_json(out), strlen(stent_result_json(out)), json) == ST_OK);
    stent_result_free(out);
}
TEST(a_format_is_told_with_its_operator_set_where_it_has_one) {
    Arena arena = {0};
    const char *text;
    Json *json;
    told(&(Imported){.format = "ONNX", .opset = 17}, &arena, &text, &json);
    CHECK_TEXT(text, "ONNX opset 17");
    CHECK_INT((int)json_get(json, "opset")->number, 17);
    CHECK(json_get(json, "notes")->type == JSON_ARRAY && json_get(json, "notes")->count == 0);
    told(&(Imported){.format = "Keras 3 (.keras)"}, &arena, &text, &json);
    CHECK_TEXT(text, "Keras 3 (.keras)");
    CHECK(json_get(json, "opset")->type == JSON_NULL);
    arena_free(&arena);
}
TEST(notes_are_a_line_and_a_list) {
    Arena arena = {0};
    Imported imported = {.format = "F"};
    const char *text;
    Json *json;
    text_add(&imported.notes, "int8 weights became float32; layer 'a\x1b[31m;b' ignored");
    told(&imported, &arena, &text, &json);
    CHECK_TEXT(text, "Fnote: int8 weights became float32; layer 'a\\x1b[31m;b' ignored\n");
    const Json *notes = json_get(json, "notes");
    REQUIRE(notes->count == 2);
    CHECK_TEXT(notes->items[0].string, "int8 weights became float32");
    CHECK_TEXT(notes->items[1].string, "layer 'a\x1b[31m;b' ignored");
    text_free(&imported.notes);
    arena_free(&arena);
}

static const char *small(void) { return identity_net("net.onnx", "1,1,8,8"); }
static void check_compile(const stent_compile_options *options, stent_status expected, const char *part) {
    own_home();
    const stent_status status = stent_compile(small(), test_temp("net.stent"), options, NULL);
    CHECK_MSG(status == expected, "status %d: %s", status, stent_message());
    CHECK_MSG(strstr(stent_message(), part) != NULL, "no '%s' in '%s'", part, stent_message());
    CHECK_INT(path_kind(test_temp("net.stent")) == PATH_FILE, expected == STENT_OK);
}
TEST(options_of_other_formats_are_refused) {
    stent_compile_options options = STENT_OPTIONS(stent_compile_options);
    options.common.arch = test_temp("net.graph");
    check_compile(&options, STENT_USAGE, "--arch");
    options.common.arch = NULL, options.common.signature = "serving_default";
    check_compile(&options, STENT_USAGE, "--signature");
    options.common.signature = NULL;
    check_compile(&options, STENT_OK, "");
}
// Built before there was the race: what lies behind its struct is not read.
TEST(an_older_caller_compiles) {
    stent_compile_options options = STENT_OPTIONS(stent_compile_options);
    options.size = offsetof(stent_compile_options, race);
    options.race = NAN;
    check_compile(&options, STENT_OK, "");
}
// Weights alone, whose network stands in a text beside them.
typedef struct Weights {
    const char *file, *network;
} Weights;
static Weights weights_alone(void) {
    TorchMade made = torch_made();
    put_dict(&made.object);
    put_floats(&made, "conv.weight", "2,1,1,1", 1);
    put_end(&made.object);
    const char *file = torch_zip(&made, "net.pth");
    torch_drop(&made);
    return (Weights){file,
                     write_text("net.txt", "graph (%x: float32[1x1x4x4], %conv.weight: float32[2x1x1x1]) -> (%y) {\n"
                                           "  %y = Conv (%x, %conv.weight)\n}\n")};
}
static void check_said(stent_status status, stent_status expected, const char *part) {
    CHECK_MSG(status == expected && strstr(stent_message(), part), "status %d, expected %d with '%s': %s", status,
              expected, part, stent_message());
}
TEST(info_and_verify_take_the_network_of_weights) {
    const Weights weights = weights_alone();
    const char *package = test_temp("net.stent");
    stent_compile_options compile = STENT_OPTIONS(stent_compile_options);
    stent_verify_options verify = STENT_OPTIONS(stent_verify_options);
    stent_options info = STENT_OPTIONS(stent_options);
    stent_result *result = NULL;
    own_home();
    compile.opt_level = -1, compile.common.arch = verify.common.arch = info.arch = weights.network;
    check_said(stent_compile(weights.file, package, &compile, NULL), STENT_OK, "");
    check_said(stent_info(weights.file, &info, &result), STENT_OK, "");
    CHECK(strstr(stent_result_text(result), "1 operations: 1 Conv"));
    stent_result_free(result);
    check_said(stent_info(weights.file, NULL, NULL), STENT_UNSUPPORTED, "conv.weight");
    check_said(stent_info(package, &info, NULL), STENT_USAGE, "--arch: goes with a model file");
    check_said(stent_verify(package, &verify, NULL), STENT_USAGE, "--against");
    verify.against = weights.file;
    check_said(stent_verify(package, &verify, NULL), STENT_OK, "");
    verify.common.arch = NULL;
    check_said(stent_verify(package, &verify, NULL), STENT_UNSUPPORTED, "conv.weight");
    verify.common.signature = "serving_default";
    check_said(stent_verify(package, &verify, NULL), STENT_USAGE, "--signature");
}
TEST(info_names_the_format) {
    stent_result *result = NULL;
    own_home();
    REQUIRE(stent_info(small(), NULL, &result) == STENT_OK);
    CHECK_MSG(!strncmp(stent_result_text(result), "net.onnx: ONNX opset 13\n", 24), "%s", stent_result_text(result));
    CHECK(strstr(stent_result_json(result), "\"opset\":13") || strstr(stent_result_json(result), "\"opset\": 13"));
    stent_result_free(result);
}
