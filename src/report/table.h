// Text tables for the terminal: columns as wide as their widest cell, numbers to the right.
//
//     Table table = {0};
//     table_begin(&table, "name <", "ms >", NULL);    // '<' or '>': which side it keeps to
//     table_cell(&table, "%s", name);
//     table_cell(&table, "%.2f", ms);
//     table_end(&table, &text);                       // prints and frees
#pragma once
#include "base/memory.h"
#include "base/text.h"

enum { TABLE_COLUMNS = 16 };
typedef struct Table {
    Arena arena;
    int columns;
    char side[TABLE_COLUMNS];
    const char **cells; // row by row, headings first
    size_t n_cells, capacity;
    bool failed; // no memory: reported by table_end
} Table;
void table_begin(Table *table, ...) __attribute__((sentinel)); // "heading <" or "heading >" for each column, NULL
// The next cell; behind the last column a new row begins. Control characters come out as \xNN.
void table_cell(Table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
Status table_end(Table *table, Text *out);
