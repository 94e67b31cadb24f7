// The CSV of eval.
#pragma once
#include "app/eval/eval.h"

typedef struct CsvFile CsvFile;
Status csv_open(const char *path, CsvFile **out); // appears when it is committed
Status csv_add(CsvFile *csv, const EvalRecord *record);
Status csv_commit(CsvFile *csv); // frees it, also on failure
void csv_abort(CsvFile *csv);    // NULL is fine
