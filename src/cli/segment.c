#include "cli/cli.h"

int verb_segment(int argc, char **argv) {
    static const Help help = {
        "segment",
        "NET.stent PATH... -o DIR [options]",
        "Pictures (TIFF, PNG) in, masks out: DIR/<folder as under PATH>/<name>.png, 0 and 255 for two classes, else\n"
        "the class number. Folders are walked with all below them; *_mask.* is left out. What became of each picture\n"
        "stands in DIR/results.json. Exit status 3 when a picture could not be read; the others are done then.",
        "stent segment net.stent scans/ -o masks --overlay",
        2,
        -1,
        true};
    Cli cli = {0};
    stent_segment_options o = STENT_OPTIONS(stent_segment_options);
    stent_result *result = NULL;
    int shard[2] = {0};
    o.threshold = -1;
    const Option options[] = {
        {"output", 'o', OPTION_TEXT, &o.output, "DIR", "folder for the masks"},
        {"format", 0, OPTION_TEXT, &o.format, "png|tif", "of the masks (default: png)"},
        {"overlay", 0, OPTION_FLAG, &o.overlay, NULL, "also <name>_overlay.png: the outline over the picture"},
        {"prob", 0, OPTION_FLAG, &o.prob, NULL, "also <name>_prob.tif: probabilities, 32-bit float, a page a class"},
        {"threshold", 0, OPTION_NUMBER, &o.threshold, "T", "a pixel is in the mask above T (default: the package's)"},
        {"shard", 0, OPTION_SHARD, shard, "i/N", "only part i of N; results in results-i-of-N.json"},
        {"resume", 0, OPTION_FLAG, &o.resume, NULL, "leave out what an earlier run has done"},
        {0}};
    if (!cli_begin(&cli, &help, options, argc, argv)) return cli.exit_status;
    if (!o.output) return cli_fail(STENT_USAGE, "segment: expected --output DIR");
    o.common = cli.common;
    o.shard = shard[0], o.shards = shard[1];
    const stent_status status = stent_segment(cli.arguments[0], cli.arguments + 1, cli.n_arguments - 1, &o, &result);
    return cli_end(&cli, status, result);
}
