#include "cli/cli.h"

int verb_demo(int argc, char **argv) {
    static const Help help = {
        "demo",
        "[FOLDER] [-o DIR] [options]",
        "The whole story on built-in data: a small U-Net is compiled, run over a phantom of a head with a tumour,\n"
        "compared with the truth, verified and timed. Leaves the data, the package, masks, overlays, table.txt and\n"
        "demo.json in DIR. FOLDER: other data of the same form.",
        "stent demo",
        0,
        1,
        false};
    Cli cli = {0};
    stent_result *result = NULL;
    const char *output = NULL;
    const Option options[] = {{"output", 'o', OPTION_TEXT, &output, "DIR", "where the results go (default: demo-out)"},
                              {0}};
    if (!cli_begin(&cli, &help, options, argc, argv)) return cli.exit_status;
    const stent_status status = stent_demo(cli.n_arguments ? cli.arguments[0] : NULL, output, &cli.common, &result);
    return cli_end(&cli, status, result);
}
