#include "cli/cli.h"

int verb_verify(int argc, char **argv) {
    static const Help help = {
        "verify",
        "NET.stent [options]",
        "Whether a package gives the right answer on this machine: against its built-in self-check and the reference,\n"
        "against a model file, or against given tensors. Exit status 1 when it does not.",
        "stent verify net.stent --against model.onnx",
        1,
        1,
        true};
    Cli cli = {0};
    List files = {.count = 0};
    stent_verify_options o = STENT_OPTIONS(stent_verify_options);
    stent_result *result = NULL;
    const Option options[] = {
        {"against", 0, OPTION_TEXT, &o.against, "MODEL", "a model file, run by the reference"},
        {"expect", 0, OPTION_TEXT, &o.expect, "y.npy", "what --input x.npy must give"},
        {"atol", 0, OPTION_NUMBER, &o.atol, "A", "allowed difference: A + R * |expected|"},
        {"rtol", 0, OPTION_NUMBER, &o.rtol, "R", "(default: the precision's budget)"},
        {"layers", 0, OPTION_FLAG, &o.layers, NULL, "layer by layer: who deviates first"},
        OPTIONS_OF_MODEL(cli.common),
        {"protocol", 0, OPTION_TEXT, &o.protocol, "FILE.html", "a page of what was found, to be signed"},
        {0}};
    if (!cli_begin(&cli, &help, options, argc, argv)) return cli.exit_status;
    cli_split_inputs(&cli, &files);
    if (files.count > 1) return cli_fail(STENT_USAGE, "--input: one file, please (.npz for several inputs)");
    o.common = cli.common;
    o.input = files.count ? files.items[0] : NULL;
    const stent_status status = stent_verify(cli.arguments[0], &o, &result);
    return cli_end(&cli, status, result);
}
