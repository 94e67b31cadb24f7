// Where tuned plans lie: in the user's data folder, one file for a network, a kind of machine, shapes and a precision
// (plan/stored.h), found there whenever the package is opened; else in the package itself (`tune -o`).
#pragma once
#include "app/app.h"
#include "plan/stored.h"

// What a stored plan is for, in one line; shapes are bound. In opened->arena; NULL: no memory.
const char *plan_store_key(Opened *opened);
// A missing, foreign or damaged file counts as none (a damaged one is told in a note): plans can be made again.
Status plan_store_read(Opened *opened, StoredPlan *out);
// *path: where it went; NULL: nowhere, there is no data folder, or it may not be written. ST_RESOURCE when
// writing fails.
Status plan_store_write(Opened *opened, const StoredPlan *stored, const char **path);
// A copy of the package that carries this plan beside those for other machines and shapes that it carries already.
Status plan_store_carry(Opened *opened, const StoredPlan *stored, const char *path);
// What the package carries plans for, one call each; key NULL: a damaged one.
typedef struct CarriedList {
    void (*tell)(void *context, const char *key);
    void *context;
} CarriedList;
Status plan_store_carried(Opened *opened, const CarriedList *list);
