#include "cli/cli.h"
#include <math.h>
#include <string.h>

static void emit(void *context, const char *pass, const char *text) {
    (void)context;
    terminal_clear();
    printf("# after %s\n%s\n", pass, text);
}
// "models/net.onnx" to "net.stent", in this folder. False: too long.
static bool default_output(const char *model, char *out, size_t size) {
    const char *slash = strrchr(model, '/'), *name = slash ? slash + 1 : model, *dot = strrchr(name, '.');
    const int stem = dot && dot != name ? (int)(dot - name) : (int)strlen(name);
    return snprintf(out, size, "%.*s.stent", stem, name) < (int)size;
}
static int check(const stent_compile_options *options, const char *emits, double loss, bool json) {
    if (loss < 0 || loss > 1) return cli_fail(STENT_USAGE, "--max-dice-loss: expected 0 to 1");
    if (options->opt_level > 3) return cli_fail(STENT_USAGE, "-O: expected 0 to 3, got %d", options->opt_level);
    if (emits && strcmp(emits, "graph")) return cli_fail(STENT_USAGE, "--emit: expected graph, got '%s'", emits);
    if (emits && json) return cli_fail(STENT_USAGE, "--emit and --json both want stdout; choose one");
    return 0;
}

int verb_compile(int argc, char **argv) {
    static const Help help = {
        "compile",
        "MODEL -o NET.stent [options]",
        "Makes a package of a model: one file for every PC, never changed afterwards. MODEL: ONNX, PyTorch\n"
        "(programs and weights), Keras, TensorFlow (a SavedModel is a folder), TFLite; the content tells which.\n"
        "--input fixes free dims; without it they stay free and are bound when the package is opened.",
        "stent compile unet.onnx -o unet.stent --pipeline unet.json",
        1,
        1,
        true};
    Cli cli = {0};
    List bind = {.count = 0};
    stent_compile_options o = STENT_OPTIONS(stent_compile_options);
    const char *output = NULL, *emits = NULL;
    char named[4096];
    stent_result *result = NULL;
    o.opt_level = -1;
    int level = 3;
    double loss = NAN;
    const Option options[] = {
        {"output", 'o', OPTION_TEXT, &output, "NET.stent", "the package (default: the model's name, in this folder)"},
        {"bind", 0, OPTION_LIST, &bind, "NAME=x.npy", "that input becomes a constant"},
        {"opt-level", 'O', OPTION_COUNT, &level, "0..3", "0 as is, 1 clean-up, 2 folding, 3 fused regions (default)"},
        {"pipeline", 0, OPTION_TEXT, &o.pipeline, "FILE.json",
         "pre- and post-processing (default: what the model says)"},
        {"sample", 0, OPTION_TEXT, &o.sample, "x.npy", "sample of the self-check; the package then carries it"},
        {"emit", 0, OPTION_TEXT, &emits, "graph", "print the graph after each pass"},
        {"calibrate", 0, OPTION_TEXT, &o.calibrate, "DIR", "pictures on which --precision bf16 has to keep the masks"},
        {"max-dice-loss", 0, OPTION_NUMBER, &loss, "L", "what their masks may lose of their Dice (default: 0.001)"},
        {"no-gate", 0, OPTION_FLAG, &o.no_gate, NULL, "bf16 without --calibrate, for measuring only"},
        {"race", 0, OPTION_SECONDS, &o.race, "S", "race what wisdom holds for the best; the winner is stored (2s)"},
        OPTIONS_OF_MODEL(cli.common),
        {0}};
    if (!cli_begin(&cli, &help, options, argc, argv)) return cli.exit_status;
    o.common = cli.common;
    o.opt_level = level;
    o.max_dice_loss = isnan(loss) ? 0 : loss == 0 ? -1 : loss;
    o.bind = bind.count ? bind.items : NULL;
    o.emit_graph = emits ? emit : NULL;
    const int wrong = check(&o, emits, loss, cli.json);
    if (wrong) return wrong;
    if (!output && !default_output(cli.arguments[0], named, sizeof named))
        return cli_fail(STENT_USAGE, "name the package: -o NET.stent");
    const stent_status status = stent_compile(cli.arguments[0], output ? output : named, &o, &result);
    return cli_end(&cli, status, result);
}
