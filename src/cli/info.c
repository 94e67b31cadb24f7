#include "cli/cli.h"

int verb_info(int argc, char **argv) {
    static const Help help = {
        "info",
        "FILE [options]",
        "What a model file or a package holds: inputs, outputs, operations, parameters, FLOP, pipeline,\n"
        "what runs slowly on this machine, and how much memory running it takes.",
        "stent info net.stent",
        1,
        1,
        true};
    Cli cli = {0};
    stent_result *result = NULL;
    const Option options[] = {OPTIONS_OF_MODEL(cli.common), {0}};
    if (!cli_begin(&cli, &help, options, argc, argv)) return cli.exit_status;
    const stent_status status = stent_info(cli.arguments[0], &cli.common, &result);
    return cli_end(&cli, status, result);
}
