// Where tuned plans lie: in the user's data folder, one file for a network, a kind of machine, shapes and a precision
// (plan/stored.h), found there whenever the package is opened.
#pragma once
#include "app/app.h"
#include "plan/stored.h"

// What a stored plan is for, in one line; shapes are bound. In opened->arena; NULL: no memory.
const char *plan_store_key(Opened *opened);
// A missing, foreign or damaged file counts as none (a damaged one is told in a note): plans can be made again.
Status plan_store_read(Opened *opened, StoredPlan *out);
// *path: where it went. ST_RESOURCE when it cannot be written.
Status plan_store_write(Opened *opened, const StoredPlan *stored, const char **path);
