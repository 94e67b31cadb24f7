#include "cli/cli.h"
#include <stdio.h>

// "64/16/20"
static bool parse_fractions(const char *text, double out[3]) {
    char rest;
    return sscanf(text, "%lf/%lf/%lf%c", &out[0], &out[1], &out[2], &rest) == 3;
}
int verb_eval(int argc, char **argv) {
    static const Help help = {
        "eval",
        "NET.stent DATASET [options]",
        "Masks against truth. DATASET: a folder of patients' folders with X.tif and X_mask.tif (Kaggle's kaggle_3m), a "
        "folder with\nimages/ and masks/, a folder of pictures with --masks DIR, nnU-Net's raw layout (PNG, TIFF), or "
        "a "
        "CSV of pairs\n(image,mask[,patient]). Pictures and masks are paired by name. What does not fit is named, the "
        "rest is evaluated;\nexit status 3 then. What each figure means, and what empty masks count, is told with it.",
        "stent eval net.stent lgg/ --csv cases.csv",
        1,
        -1,
        true};
    Cli cli = {0};
    stent_eval_options o = STENT_OPTIONS(stent_eval_options);
    stent_result *result = NULL;
    int shard[2] = {0}, seed = 0, bootstrap = -1, slices = -1;
    const char *fractions = NULL;
    o.threshold = -1;
    const Option options[] = {
        {"output", 'o', OPTION_TEXT, &o.report, "FILE.html", "a report: one page that needs nothing else"},
        {"csv", 0, OPTION_TEXT, &o.csv, "FILE", "a row a case"},
        {"masks", 0, OPTION_TEXT, &o.masks, "DIR", "DATASET is a folder of pictures, DIR of their masks"},
        {"threshold", 0, OPTION_NUMBER, &o.threshold, "T", "a pixel is in the mask above T (default: the package's)"},
        {"compare", 0, OPTION_TEXT, &o.compare, "OTHER", "another package, or a model file: which pixels change"},
        {"slices", 0, OPTION_COUNT, &slices, "N", "pictures of each patient: worst, median, best (with -o: 3)"},
        {"bootstrap", 0, OPTION_COUNT, &bootstrap, "N", "resamples of the intervals (default 2000; 0: none)"},
        {"seed", 0, OPTION_COUNT, &seed, "N", "of intervals and --make-split"},
        {"split", 0, OPTION_TEXT, &o.split, "FILE", "patients and their parts, as --make-split writes them"},
        {"part", 0, OPTION_TEXT, &o.part, "NAME", "with --split: train, validation or test"},
        {"make-split", 0, OPTION_TEXT, &o.make_split, "FILE", "split DATASET by patient; evaluates nothing"},
        {"fractions", 0, OPTION_TEXT, &fractions, "A/B/C", "of --make-split (default 64/16/20)"},
        {"cases", 0, OPTION_TEXT, &o.cases, "FILE", "case file: a line a case, as it comes"},
        {"resume", 0, OPTION_FLAG, &o.resume, NULL, "what stands in the case file is not run again"},
        {"shard", 0, OPTION_SHARD, shard, "i/N", "only part i of N; --merge puts the case files together"},
        {"merge", 0, OPTION_FLAG, &o.merge, NULL, "instead of DATASET case files of earlier runs"},
        OPTIONS_OF_MODEL(cli.common),
        {0}};
    if (!cli_begin(&cli, &help, options, argc, argv)) return cli.exit_status;
    const int first = cli.n_arguments == 1 && o.make_split ? 0 : 1; // no package is needed for a split
    if (cli.n_arguments <= first) return cli_fail(STENT_USAGE, "eval: expected %s", help.arguments);
    if (fractions && !parse_fractions(fractions, o.fractions))
        return cli_fail(STENT_USAGE, "--fractions: expected three numbers such as 64/16/20, got '%s'", fractions);
    o.common = cli.common;
    o.shard = shard[0], o.shards = shard[1];
    o.seed = (uint64_t)seed;
    o.bootstrap = bootstrap < 0 ? 0 : bootstrap == 0 ? -1 : bootstrap;
    o.slices = slices < 0 ? 0 : slices == 0 ? -1 : slices;
    const stent_status status =
        stent_eval(first ? cli.arguments[0] : NULL, cli.arguments + first, cli.n_arguments - first, &o, &result);
    return cli_end(&cli, status, result);
}
