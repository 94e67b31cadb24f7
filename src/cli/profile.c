#include "cli/cli.h"

int verb_profile(int argc, char **argv) {
    static const Help help = {
        "profile",
        "NET.stent [options]",
        "Layer by layer: time, FLOP/s, part of this machine's limit, solver and configuration, and why. --versus says "
        "which\n"
        "layers differ from those of another package, or of an earlier profile --json, by how much and why.",
        "stent profile net.stent --versus other.stent",
        1,
        1,
        true};
    Cli cli = {0};
    stent_profile_options o = STENT_OPTIONS(stent_profile_options);
    stent_result *result = NULL;
    const Option options[] = {
        {"repeat", 0, OPTION_COUNT, &o.repeat, "N", "runs, of which the median counts (default 10)"},
        {"trace", 0, OPTION_TEXT, &o.trace, "FILE.json", "write a Chrome trace"},
        {"versus", 0, OPTION_TEXT, &o.versus, "OTHER",
         "line up with another package, or with what profile --json printed"},
        {0}};
    if (!cli_begin(&cli, &help, options, argc, argv)) return cli.exit_status;
    o.common = cli.common;
    const stent_status status = stent_profile(cli.arguments[0], &o, &result);
    return cli_end(&cli, status, result);
}
