#include "cli/cli.h"

int verb_report(int argc, char **argv) {
    static const Help help = {
        "report",
        "RESULT... -o FILE.html [options]",
        "One page for people from what verbs printed with --json: eval, bench, profile, verify, tune, machine, "
        "segment\n"
        "(also its results.json), or pages of sections. The file needs no network and nothing beside it.",
        "stent report eval.json profile.json -o report.html",
        1,
        -1,
        false};
    Cli cli = {0};
    stent_report_options o = STENT_OPTIONS(stent_report_options);
    stent_result *result = NULL;
    const Option options[] = {{"output", 'o', OPTION_TEXT, &o.output, "FILE.html", "the page"},
                              {"csv", 0, OPTION_TEXT, &o.csv, "FILE", "the tables, a value a line"},
                              {"title", 0, OPTION_TEXT, &o.title, "TEXT", "instead of the answer in one line"},
                              {0}};
    if (!cli_begin(&cli, &help, options, argc, argv)) return cli.exit_status;
    o.common = cli.common;
    const stent_status status = stent_report(cli.arguments, cli.n_arguments, &o, &result);
    return cli_end(&cli, status, result);
}
