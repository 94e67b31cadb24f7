#include "cli/cli.h"
#include <string.h>

int verb_wisdom(int argc, char **argv) {
    static const Help help = {
        "wisdom",
        "list [FILE...] | merge FILE... | export -o FILE | forget all|others [options]",
        "What stent tune measured on this and other machines. It tells in which order configurations are tried, and "
        "decides\n"
        "nothing: only a race changes a plan.\n"
        "  list     what was measured; of the files, if any are named\n"
        "  merge    add the lines of files, say of another PC\n"
        "  export   write it to a file, without damaged and double lines\n"
        "  forget   all of it, or what other machines measured",
        "stent wisdom export -o this-pc.wisdom",
        1,
        -1,
        false};
    Cli cli = {0};
    stent_wisdom_options o = STENT_OPTIONS(stent_wisdom_options);
    stent_result *result = NULL;
    const Option options[] = {{"output", 'o', OPTION_TEXT, &o.output, "FILE", "of export"},
                              {"wisdom", 0, OPTION_TEXT, &o.wisdom, "FILE", "instead of STENT_WISDOM or the user's"},
                              {0}};
    if (!cli_begin(&cli, &help, options, argc, argv)) return cli.exit_status;
    o.common = cli.common;
    int count = cli.n_arguments - 1;
    if (!strcmp(cli.arguments[0], "forget") && count == 1) o.which = cli.arguments[1], count = 0;
    const stent_status status = stent_wisdom(cli.arguments[0], cli.arguments + 1, count, &o, &result);
    return cli_end(&cli, status, result);
}
