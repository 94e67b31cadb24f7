// Parsing of arguments: long options --name VALUE and --name=VALUE, letters -o VALUE, -oVALUE, "--" ends options.
#include "cli/cli.h"
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

int cli_fail(stent_status status, const char *format, ...) {
    va_list args;
    terminal_clear();
    fputs("stent: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return status == STENT_CANCELLED ? 130 : (int)status;
}

// Edit distance (Levenshtein 1966) of two short words.
static int distance(const char *a, const char *b) {
    enum { WORD = 32 };
    const size_t columns = strlen(b);
    int row[WORD + 1];
    if (columns > WORD) return WORD;
    for (size_t j = 0; j <= columns; j++) row[j] = (int)j;
    for (size_t i = 0; a[i]; i++) {
        int diagonal = row[0];
        row[0] = (int)i + 1;
        for (size_t j = 0; j < columns; j++) {
            const int change = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            row[j + 1] = row[j + 1] < row[j] ? row[j + 1] + 1 : row[j] + 1;
            if (change < row[j + 1]) row[j + 1] = change;
        }
    }
    return row[columns];
}
const char *cli_closest(const char *wrong, const char *const *names) {
    const char *best = NULL;
    int least = 3; // further away is no help
    if (strlen(wrong) < 4) least = 2;
    for (; *names; names++) {
        const size_t length = strlen(wrong);
        const int d = length >= 3 && !strncmp(*names, wrong, length) ? 0 : distance(wrong, *names);
        if (d < least) best = *names, least = d;
    }
    return best;
}

static int wrong_option(const Option *const tables[2], const char *given) {
    const char *names[128];
    int count = 0;
    for (int t = 0; t < 2; t++)
        for (const Option *option = tables[t]; option->name && count < 127; option++) names[count++] = option->name;
    names[count] = NULL;
    char word[33];
    const char *bare = given + strspn(given, "-");
    snprintf(word, sizeof word, "%.*s", (int)strcspn(bare, "="), bare);
    const char *closest = cli_closest(word, names);
    const int length = (int)strcspn(given, "=");
    if (closest) return cli_fail(STENT_USAGE, "unknown option '%.*s'; did you mean --%s?", length, given, closest);
    return cli_fail(STENT_USAGE, "unknown option '%.*s'; --help lists what there is", length, given);
}
static const Option *find(const Option *const tables[2], const char *name, size_t length, char letter) {
    for (int t = 0; t < 2; t++)
        for (const Option *option = tables[t]; option->name; option++) {
            if (letter && option->letter == letter) return option;
            if (!letter && strlen(option->name) == length && !strncmp(option->name, name, length)) return option;
        }
    return NULL;
}

static bool parse_number(const char *text, double *out, const char **end) {
    char *stop;
    errno = 0;
    *out = strtod(text, &stop);
    *end = stop;
    return stop != text && !errno && isfinite(*out);
}
// A number with one of `units` behind it ("ms" 1e-3 ...).
typedef struct Unit {
    const char *name;
    double factor;
} Unit;
static bool parse_unit(const char *text, const Unit *units, double *out) {
    const char *end;
    if (!parse_number(text, out, &end)) return false;
    for (; units->name; units++)
        if (!strcmp(end, units->name)) return *out *= units->factor, *out >= 0;
    return false;
}
static const Unit seconds_units[] = {{"", 1}, {"s", 1}, {"ms", 1e-3}, {"m", 60}, {"min", 60}, {"h", 3600}, {0}};
static const Unit bytes_units[] = {{"", 1},         {"K", 1e3},         {"M", 1e6},  {"G", 1e9},
                                   {"KB", 1e3},     {"MB", 1e6},        {"GB", 1e9}, {"Ki", 1024},
                                   {"Mi", 1048576}, {"Gi", 1073741824}, {0}};
static bool parse_count(const char *text, int *out) {
    double number;
    const char *end;
    if (!parse_number(text, &number, &end) || *end || number < 0 || number > 1e9 || number != floor(number))
        return false;
    *out = (int)number;
    return true;
}
static bool parse_shard(const char *text, int out[2]) {
    char first[16];
    const size_t length = strcspn(text, "/");
    if (text[length] != '/' || length >= sizeof first) return false;
    memcpy(first, text, length), first[length] = 0;
    return parse_count(first, &out[0]) && parse_count(text + length + 1, &out[1]) && out[0] >= 1 && out[0] <= out[1];
}

static const char *expected_form(OptionKind kind) {
    switch (kind) {
    case OPTION_COUNT: return "a count";
    case OPTION_NUMBER: return "a number";
    case OPTION_SECONDS: return "a time such as 3, 500ms or 1m";
    case OPTION_BYTES: return "a size such as 150M or 2G";
    case OPTION_SHARD: return "i/N such as 1/4";
    default: return "a value";
    }
}
static bool store(const Option *option, const char *value) {
    double number;
    const char *end;
    switch (option->kind) {
    case OPTION_TEXT: *(const char **)option->to = value; return true;
    case OPTION_COUNT: return parse_count(value, option->to);
    case OPTION_NUMBER: return parse_number(value, option->to, &end) && !*end;
    case OPTION_SECONDS: return parse_unit(value, seconds_units, option->to);
    case OPTION_SHARD: return parse_shard(value, option->to);
    case OPTION_BYTES:
        if (!parse_unit(value, bytes_units, &number) || number > 1e18) return false;
        *(uint64_t *)option->to = (uint64_t)number;
        return true;
    case OPTION_LIST: {
        List *list = option->to;
        if (list->count >= LIST_ITEMS) return false;
        list->items[list->count++] = value;
        return true;
    }
    default: return false;
    }
}
// One option at argv[*at]; moves *at over its value. 0, or the exit status.
static int take_option(const Option *const tables[2], int argc, char **argv, int *at) {
    const char *given = argv[*at], *value = NULL;
    const bool is_long = given[1] == '-';
    const size_t length = is_long ? strcspn(given + 2, "=") : 1;
    const Option *option = find(tables, given + 2, length, is_long ? 0 : given[1]);
    if (!option) return wrong_option(tables, given);
    if (option->kind == OPTION_LATER) return cli_fail(STENT_UNSUPPORTED, "--%s: not had yet", option->name);
    const char *behind = is_long ? given + 2 + length : given + 2;
    if (*behind) value = behind + (is_long || *behind == '=');
    if (option->kind == OPTION_FLAG) {
        if (value) return cli_fail(STENT_USAGE, "%.*s takes no value", (int)(behind - given), given);
        *(bool *)option->to = true;
        return 0;
    }
    if (!value && *at + 1 < argc) value = argv[++*at];
    if (!value) return cli_fail(STENT_USAGE, "%s: expected %s behind it", given, expected_form(option->kind));
    if (store(option, value)) return 0;
    return cli_fail(STENT_USAGE, "--%s: expected %s, got '%s'", option->name, expected_form(option->kind), value);
}

static void print_options(const Option *options) {
    for (; options->name; options++) {
        if (options->kind == OPTION_LATER || !options->help) continue;
        char left[64], letter[8] = "";
        if (options->letter) snprintf(letter, sizeof letter, "-%c, ", options->letter);
        snprintf(left, sizeof left, "%s--%s%s%s", letter, options->name, options->argument ? " " : "",
                 options->argument ? options->argument : "");
        printf("  %-24s %s\n", left, options->help);
    }
}
static int print_help(const Help *help, const Option *const tables[2]) {
    printf("stent %s %s\n\n%s\n\n", help->verb, help->arguments, help->summary);
    print_options(tables[0]);
    print_options(tables[1]);
    printf("\nexample:\n  %s\n", help->example);
    return cli_flush();
}

static int check_arguments(const Cli *cli, const Help *help) {
    if (cli->n_arguments < help->min_arguments)
        return cli_fail(STENT_USAGE, "%s: expected %s", help->verb, help->arguments);
    if (help->max_arguments >= 0 && cli->n_arguments > help->max_arguments)
        return cli_fail(STENT_USAGE, "%s: one argument too many: '%s'; expected %s", help->verb,
                        cli->arguments[help->max_arguments], help->arguments);
    return 0;
}
bool cli_begin(Cli *cli, const Help *help, const Option *options, int argc, char **argv) {
    bool wants_help = false;
    cli->common.size = sizeof cli->common;
    enum { GENERAL = 5 };
    const Option common[] = {
        {"json", 0, OPTION_FLAG, &cli->json, NULL, "one JSON object on stdout"},
        {"threads", 0, OPTION_COUNT, &cli->common.threads, "N", "threads (default: the physical cores)"},
        {"quiet", 'q', OPTION_FLAG, &cli->quiet, NULL, "no progress and notes"},
        {"verbose", 'v', OPTION_FLAG, &cli->verbose, NULL, "tell more"},
        {"help", 'h', OPTION_FLAG, &wants_help, NULL, "this text"},
        {"input", 0, OPTION_LIST, &cli->inputs, "[NAME=]SHAPE", "fixes free dims: 1x3x256x256"},
        {"precision", 0, OPTION_TEXT, &cli->common.precision, "P", "the package's (default) or stricter: bf16, fp32, strict (direct sums)"},
        {"max-memory", 0, OPTION_BYTES, &cli->common.max_memory, "SIZE",
         "what the network may take (150M); slower where it must"},
        {"untuned", 0, OPTION_FLAG, &cli->common.untuned, NULL, "ignore stored plans"},
        {"log", 0, OPTION_TEXT, &cli->common.log_file, "FILE", "add a line about this run to FILE: hashes, no names"},
        {"log-paths", 0, OPTION_FLAG, &cli->common.log_paths, NULL, "in that line also paths and messages"},
        {0}};
    Option own[GENERAL + 1] = {{0}};
    memcpy(own, common, GENERAL * sizeof *own);
    const Option *const tables[2] = {options, help->opens_package ? common : own};
    bool ended = false;
    cli->arguments = (const char **)(void *)argv; // gathered in place: an argument never moves behind where it stood
    for (int i = 1; i < argc && !cli->exit_status; i++) {
        if (ended || argv[i][0] != '-' || !argv[i][1]) cli->arguments[cli->n_arguments++] = argv[i];
        else if (!strcmp(argv[i], "--")) ended = true;
        else cli->exit_status = take_option(tables, argc, argv, &i);
    }
    if (cli->exit_status) return false;
    if (wants_help) return cli->exit_status = print_help(help, tables), false;
    cli->exit_status = check_arguments(cli, help);
    if (cli->exit_status) return false;
    terminal_begin(cli->quiet, cli->verbose);
    cli->common.inputs = cli->inputs.count ? cli->inputs.items : NULL;
    cli->common.progress = terminal_progress;
    return true;
}

// "[NAME=]1x3x256x256" rather than "[NAME=]x.npy".
static bool is_shape(const char *item) {
    const char *equals = strrchr(item, '='), *text = equals ? equals + 1 : item;
    return *text && strspn(text, "0123456789x") == strlen(text);
}
void cli_split_inputs(Cli *cli, List *files) {
    int shapes = 0;
    const int count = cli->inputs.count;
    for (int i = 0; i < count; i++) {
        const char *item = cli->inputs.items[i];
        if (is_shape(item)) cli->inputs.items[shapes++] = item;
        else files->items[files->count++] = item;
    }
    cli->inputs.items[shapes] = NULL, cli->inputs.count = shapes;
    cli->common.inputs = shapes ? cli->inputs.items : NULL;
}

int cli_flush(void) {
    errno = 0;
    const bool now = fflush(stdout) != 0; // else an earlier write failed, and its reason is gone
    if (!now && !ferror(stdout)) return 0;
    return cli_fail(STENT_RESOURCE, "stdout: cannot write%s%s", now ? ": " : "", now ? strerror(errno) : "");
}
static int print(const char *text, bool newline) {
    fputs(text, stdout);
    if (newline) putchar('\n');
    return cli_flush();
}
int cli_end(Cli *cli, stent_status status, stent_result *result) {
    char message[4096];
    snprintf(message, sizeof message, "%s", stent_message()); // before another call clears it
    terminal_clear();
    int failed = 0;
    if (result) failed = cli->json ? print(stent_result_json(result), true) : print(stent_result_text(result), false);
    stent_result_free(result);
    if (failed) return failed;
    if (status == STENT_OK) return cli_flush(); // of what was printed on the way
    return message[0] ? cli_fail(status, "%s", message) : status == STENT_CANCELLED ? 130 : (int)status;
}
