#include "cli/cli.h"

int verb_run(int argc, char **argv) {
    static const Help help = {"run",
                              "NET.stent --input [NAME=]x.npy --output y.npy [options]",
                              "Runs a network on tensors: .npy or .npz in, .npy out (.npz for several outputs).\n"
                              "--input also takes shapes, NAME=1x3x256x256, for inputs with free dims.",
                              "stent run net.stent --input x.npy --output y.npy",
                              1,
                              1,
                              true};
    Cli cli = {0};
    List files = {.count = 0};
    stent_run_options o = STENT_OPTIONS(stent_run_options);
    stent_result *result = NULL;
    const Option options[] = {{"output", 'o', OPTION_TEXT, &o.output, "y.npy", "where the result goes"},
                              {"reference", 0, OPTION_FLAG, &o.reference, NULL, "by the reference, slow and plain"},
                              {0}};
    if (!cli_begin(&cli, &help, options, argc, argv)) return cli.exit_status;
    cli_split_inputs(&cli, &files);
    o.common = cli.common;
    o.inputs = files.items;
    if (!o.output) return cli_fail(STENT_USAGE, "run: expected --output y.npy");
    const stent_status status = stent_run_files(cli.arguments[0], &o, &result);
    return cli_end(&cli, status, result);
}
