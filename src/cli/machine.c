#include "cli/cli.h"

int verb_machine(int argc, char **argv) {
    static const Help help = {"machine",
                              "[--measure]",
                              "What this machine is: instruction sets, cores, caches, memory.",
                              "stent machine --measure",
                              0,
                              0,
                              false};
    Cli cli = {0};
    bool measure = false;
    stent_result *result = NULL;
    const Option options[] = {
        {"measure", 0, OPTION_FLAG, &measure, NULL, "measure peak FLOP/s by instruction set, and bandwidth"}, {0}};
    if (!cli_begin(&cli, &help, options, argc, argv)) return cli.exit_status;
    const stent_status status = stent_machine(measure, &cli.common, &result);
    return cli_end(&cli, status, result);
}
