// What a model asks for and is not had, each by its name and how often, for one message about all of it.
//
//     Missing missing = {0};
//     missing_add(&missing, "ReverseV2");
//     status = missing_status(&missing, "operations", "node", "export the model without them");
//     // "operations that are not supported: ReverseV2 (2 nodes); export the model without them"
#pragma once
#include "base/text.h"

enum { MISSING_NAMES = 32 }; // different ones that are told by name

typedef struct Missing {
    const char *names[MISSING_NAMES]; // not copied
    int counts[MISSING_NAMES];
    int n_names, others;
} Missing;

void missing_add(Missing *missing, const char *name);
// ST_OK when nothing is missing, else ST_UNSUPPORTED.
Status missing_status(const Missing *missing, const char *what, const char *one, const char *hint);
