#include "cli/cli.h"

int verb_tune(int argc, char **argv) {
    static const Help help = {"tune",
                              "NET.stent [options]",
                              "Chooses by measuring: tries the configurations of every layer inside the network, puts "
                              "the best together, and\n"
                              "races the whole against what stands. The winner goes to the user's data folder and is "
                              "found there whenever the\n"
                              "package is opened. Nothing changes unless it is faster beyond the noise.",
                              "stent tune net.stent --time 60s",
                              1,
                              1,
                              true};
    Cli cli = {0};
    stent_tune_options o = STENT_OPTIONS(stent_tune_options);
    int seed = 0;
    stent_result *result = NULL;
    const Option options[] = {
        {"time", 0, OPTION_SECONDS, &o.seconds, "S", "so long, about (default 60s)"},
        {"trials", 0, OPTION_COUNT, &o.trials, "N", "at most so many configurations a layer"},
        {"early-stop", 0, OPTION_COUNT, &o.early_stop, "N", "leave a layer after N without a better one"},
        {"tuner", 0, OPTION_TEXT, &o.tuner, "NAME", "model (default), xgb, ga, random, grid: what is tried first"},
        {"layer", 0, OPTION_TEXT, &o.layer, "NAME", "only this layer"},
        {"list", 0, OPTION_FLAG, &o.list, NULL, "how many configurations each layer has; measure nothing"},
        {"seed", 0, OPTION_COUNT, &seed, "N", "of --tuner xgb, ga and random"},
        {"output", 'o', OPTION_TEXT, &o.output, "OUT.stent", "a copy of the package that carries the plan"},
        {"layout", 0, OPTION_LATER, NULL, "greedy|global", NULL},
        {"wisdom", 0, OPTION_TEXT, &o.wisdom, "FILE", "instead of STENT_WISDOM or the user's"},
        {"resume", 0, OPTION_FLAG, &o.resume, NULL, "what was measured on such a machine before is not measured again"},
        {0}};
    if (!cli_begin(&cli, &help, options, argc, argv)) return cli.exit_status;
    o.common = cli.common;
    o.seed = (uint64_t)seed;
    const stent_status status = stent_tune(cli.arguments[0], &o, &result);
    return cli_end(&cli, status, result);
}
