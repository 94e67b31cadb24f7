#include "cli/cli.h"

int verb_bench(int argc, char **argv) {
    static const Help help = {
        "bench",
        "NET.stent [options]",
        "Latency of a network, from input tensor to output tensor. --versus runs another package in turn with it and "
        "tells\n"
        "the ratio of their times with its 95 % interval. --lockstep serves another program: prints 'ready MAXABSERR\n"
        "VERSION', then for every line 'run N' on stdin a JSON list of N latencies in ms.",
        "stent bench net.stent --time 5s --versus other.stent --gate",
        1,
        1,
        true};
    Cli cli = {0};
    List files = {.count = 0};
    bool lockstep = false;
    stent_bench_options o = STENT_OPTIONS(stent_bench_options);
    stent_result *result = NULL;
    const Option options[] = {
        {"repeat", 0, OPTION_COUNT, &o.repeat, "N", "so many runs (default: by time)"},
        {"time", 0, OPTION_SECONDS, &o.seconds, "S", "run for so long (default 3s)"},
        {"list", 0, OPTION_FLAG, &o.list, NULL, "each run, and why one took longer"},
        {"versus", 0, OPTION_TEXT, &o.versus, "OTHER.stent", "paired and interleaved with another package"},
        {"gate", 0, OPTION_FLAG, &o.gate, NULL, "with --versus: exit status 1 when slower"},
        {"expect", 0, OPTION_TEXT, &o.expect, "y.npy", "with --lockstep: what --input x.npy must give"},
        {"lockstep", 0, OPTION_FLAG, &lockstep, NULL, "answer 'run N' lines on stdin"},
        {0}};
    if (!cli_begin(&cli, &help, options, argc, argv)) return cli.exit_status;
    cli_split_inputs(&cli, &files);
    if (files.count > 1) return cli_fail(STENT_USAGE, "--input: one file, please (.npz for several inputs)");
    o.common = cli.common;
    o.input = files.count ? files.items[0] : NULL;
    if (o.gate && !o.versus) return cli_fail(STENT_USAGE, "--gate: needs --versus OTHER.stent");
    if (lockstep) return cli_end(&cli, stent_bench_lockstep(cli.arguments[0], &o, stdin, stdout), NULL);
    const stent_status status = stent_bench(cli.arguments[0], &o, &result);
    return cli_end(&cli, status, result);
}
