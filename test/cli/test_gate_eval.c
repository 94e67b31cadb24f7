// The gate of compile --precision bf16 and eval say the same of the same pictures: what the gate finds that masks lose
// is what eval finds between a network whose products are rounded to bf16 and the one whose are not.
//
// The rounding stands in the model itself here (Cast to bfloat16 and back), so that the test needs no CPU with AMX. The
// masks of the exact network are the truth of the data set: then Dice against the truth is the gate's Dice.
#include "app/pictures.h"
#include "cli/program.h"

static const char pipeline[] = "{\"version\": 1, \"output\": {\"threshold\": 0.3963}}";

// y = x, with x rounded or not; it gives its picture back, v / 255, and the mask is what lies above 0.3963: 101 / 255 =
// 0.39608 lies below, and its nearest bf16, 203 / 512 = 0.39648, above.
static const char *network(const char *name, bool rounded) {
    static const float one = 1, zero = 0;
    OnnxFile file = onnx_file(13);
    onnx_input(&file, "x", FLOAT32, "1,1,8,8");
    onnx_floats(&file, "w", "1,1,1,1", &one, 1);
    onnx_floats(&file, "b", "1", &zero, 1);
    if (rounded) onnx_node(&file, "Cast", "x", "short", "to=16");
    if (rounded) onnx_node(&file, "Cast", "short", "long", "to=1");
    onnx_node(&file, "Conv", rounded ? "long w b" : "x w b", "y", "");
    onnx_output(&file, "y");
    return onnx_save(&file, name);
}

enum { PICTURES = 14 };

// A square of 3 x 3 pixels and up to 4 others that bf16 moves over the threshold; the last two have no square.
static void write_pictures(const char *folder) {
    char name[32];
    CHECK_OK(folder_make(folder));
    for (int i = 0; i < PICTURES; i++) {
        uint8_t samples[64];
        for (int k = 0; k < 64; k++)
            samples[k] = i < PICTURES - 2 && k / 8 < 3 && k % 8 < 3 ? 255 : k >= 64 - i % 5 ? 101 : 100;
        samples[32] = (uint8_t)i; // no two alike: eval names those
        snprintf(name, sizeof name, "p_%d.png", i);
        write_u8(in_folder(folder, name), 8, 8, 1, samples);
    }
}

static double number(const Json *object, const char *key) {
    const Json *value = object ? json_get(object, key) : NULL;
    return value && value->type == JSON_NUMBER ? value->number : NAN;
}

// The gate takes pictures whose mask in fp32 is not empty for `worst`.
static double worst_loss(const Json *worst) {
    double most = 0;
    for (size_t i = 0; worst && i < worst->count; i++)
        if (number(&worst->items[i], "truth_px") > 0) most = fmax(most, 1 - number(&worst->items[i], "dice"));
    return most;
}

TEST(gate_and_eval_agree) {
    Arena arena = {0};
    const char *pictures = test_temp("pictures"), *masks = test_temp("masks");
    const char *text = write_text("pipeline.json", pipeline);
    const char *exact = test_temp("exact.stent"), *rounded = test_temp("rounded.stent"),
               *gated = test_temp("gated.stent");
    write_pictures(pictures);
    if (program("eval", NULL) == STENT_UNSUPPORTED) test_skip("eval is not had yet");
    CHECK_INT(program("compile", network("exact.onnx", false), "-o", exact, "--pipeline", text, NULL), 0);
    CHECK_INT(program("compile", network("rounded.onnx", true), "-o", rounded, "--pipeline", text, NULL), 0);
    REQUIRE(program_stdout("compile", test_temp("exact.onnx"), "-o", gated, "--pipeline", text, "--precision", "bf16",
                           "--calibrate", pictures, "--max-dice-loss", "0.5", "--json", NULL) == 0);
    const Json *gate = json_get(program_json(&arena), "gate");
    const double pooled = number(gate, "dice_loss_pooled"), worst = number(gate, "dice_loss_worst");
    CHECK_INT(number(gate, "pictures"), PICTURES - 2);
    CHECK_MSG(worst > 0.1 && pooled > 0.01 && pooled < worst, "the pictures lose something: %g, %g", pooled, worst);

    CHECK_INT(program("segment", exact, pictures, "-o", masks, NULL), 0);
    CHECK(remove(in_folder(masks, "results.json")) == 0); // no mask
    const int status = program_stdout("eval", rounded, pictures, "--masks", masks, "--compare", exact, "--json", NULL);
    CHECK_MSG(status == 0, "exit status %d", status);
    const Json *eval = program_json(&arena), *compare = json_get(eval, "compare");
    CHECK_INT(number(eval, "cases"), PICTURES);
    CHECK_MSG(fabs(1 - number(eval, "dice_pooled") - pooled) < 1e-12, "eval %.15g, gate %.15g",
              1 - number(eval, "dice_pooled"), pooled);
    CHECK_MSG(fabs(worst_loss(json_get(eval, "worst")) - worst) < 1e-12, "eval %.15g, gate %.15g",
              worst_loss(json_get(eval, "worst")), worst);
    CHECK(number(compare, "dice_pooled_other") == 1 && fabs(fabs(number(compare, "dice_difference")) - pooled) < 1e-12);
    int crossing = 0;
    for (int i = 0; i < PICTURES; i++) crossing += i % 5;
    CHECK_INT(number(compare, "changed_px"), crossing);
    arena_free(&arena);
}
