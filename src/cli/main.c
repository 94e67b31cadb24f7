// stent: the command line. Verbs in the order in which a newcomer needs them.
#include "cli/cli.h"
#include <string.h>

typedef struct Entry {
    const char *name;
    Verb *run;
    const char *summary;
} Entry;
static const Entry verbs[] = {
    {"demo", verb_demo, "the whole story on built-in data"},
    {"info", verb_info, "what a model or package holds"},
    {"machine", verb_machine, "what this machine is"},
    {"compile", verb_compile, "model -> package (.stent), one file for every PC"},
    {"segment", verb_segment, "pictures in, masks out"},
    {"eval", verb_eval, "masks against truth, over a data set"},
    {"run", verb_run, "tensors in, tensors out (.npy, .npz)"},
    {"tune", verb_tune, "choose by measuring; changes a plan only when it wins a race"},
    {"bench", verb_bench, "latency; paired against another package"},
    {"profile", verb_profile, "layer by layer: time, FLOP/s, part of this machine's limit"},
    {"verify", verb_verify, "against the built-in self-check and the reference"},
    {"wisdom", verb_wisdom, "what tune measured on this and other machines"},
    {"report", verb_report, "one page for people from --json results"},
};
enum { VERBS = sizeof verbs / sizeof *verbs };

static int overview(void) {
    printf("stent %s: runs trained medical segmentation networks as fast as this machine allows\n\n"
           "  stent compile model.onnx -o net.stent     once, anywhere\n"
           "  stent segment net.stent scans/ -o masks   on each PC\n\n",
           stent_version());
    for (int i = 0; i < VERBS; i++) printf("  %-9s %s\n", verbs[i].name, verbs[i].summary);
    printf("\nstent VERB --help tells the options of a verb, with an example.\n");
    return cli_flush();
}
static int unknown(const char *name) {
    const char *names[VERBS + 1] = {NULL};
    for (int i = 0; i < VERBS; i++) names[i] = verbs[i].name;
    const char *closest = cli_closest(name, names);
    if (closest) return cli_fail(STENT_USAGE, "unknown verb '%s'; did you mean stent %s?", name, closest);
    return cli_fail(STENT_USAGE, "unknown verb '%s'; stent help lists the verbs", name);
}

int main(int argc, char **argv) {
    terminal_streams();
    terminal_signals();
    if (argc < 2 || !strcmp(argv[1], "help") || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
        if (argc < 3 || strcmp(argv[1], "help")) return overview();
        char *rest[] = {argv[2], (char[]){"--help"}, NULL}; // stent help bench
        for (int i = 0; i < VERBS; i++)
            if (!strcmp(verbs[i].name, argv[2])) return verbs[i].run(2, rest);
        return unknown(argv[2]);
    }
    if (!strcmp(argv[1], "--version")) {
        printf("stent %s\n", stent_version());
        return cli_flush();
    }
    for (int i = 0; i < VERBS; i++)
        if (!strcmp(verbs[i].name, argv[1])) return verbs[i].run(argc - 1, argv + 1);
    return unknown(argv[1]);
}
