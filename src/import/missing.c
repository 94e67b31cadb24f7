#include "import/missing.h"
#include <string.h>

void missing_add(Missing *missing, const char *name) {
    for (int i = 0; i < missing->n_names; i++) {
        if (strcmp(missing->names[i], name) != 0) continue;
        missing->counts[i]++;
        return;
    }
    if (missing->n_names == MISSING_NAMES) {
        missing->others++;
        return;
    }
    missing->names[missing->n_names] = name;
    missing->counts[missing->n_names++] = 1;
}

Status missing_status(const Missing *missing, const char *what, const char *one, const char *hint) {
    if (missing->n_names == 0) return ST_OK;
    Text text = {0};
    for (int i = 0; i < missing->n_names; i++) {
        text_add(&text, "%s%s (%d %s%s)", i ? ", " : "", missing->names[i], missing->counts[i], one,
                 missing->counts[i] == 1 ? "" : "s");
    }
    if (missing->others > 0) text_add(&text, " and others (%d %ss)", missing->others, one);
    const Status status = fail(ST_UNSUPPORTED, "%s that are not supported: %s; %s", what, text_get(&text), hint);
    text_free(&text);
    return status;
}
