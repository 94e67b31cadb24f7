#include "report/table.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void add(Table *table, const char *cell) {
    if (table->n_cells == table->capacity) {
        const size_t capacity = table->capacity ? 2 * table->capacity : 64;
        const char **grown = arena_array(&table->arena, capacity, sizeof *grown);
        if (!grown) {
            table->failed = true;
            return;
        }
        if (table->n_cells) memcpy(grown, table->cells, table->n_cells * sizeof *grown);
        table->cells = grown, table->capacity = capacity;
    }
    table->failed = table->failed || !cell;
    table->cells[table->n_cells++] = cell ? cell : "";
}
void table_begin(Table *table, ...) {
    va_list args;
    *table = (Table){0};
    va_start(args, table);
    for (const char *heading; (heading = va_arg(args, const char *)) != NULL && table->columns < TABLE_COLUMNS;) {
        const size_t length = strlen(heading);
        table->side[table->columns++] = heading[length - 1];
        add(table, arena_string_n(&table->arena, heading, length - 2));
    }
    va_end(args);
}
// Bytes that a terminal would interpret as \xNN; all else, UTF-8 too, as it is.
static const char *visible(Table *table, const char *text) {
    Text out = {0};
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) text_add(&out, "\\x%02x", (unsigned char)*text);
        else text_bytes(&out, text, 1);
    }
    const char *copy = out.failed ? NULL : arena_string(&table->arena, text_get(&out));
    text_free(&out);
    return copy;
}
void table_cell(Table *table, const char *format, ...) {
    Text text = {0};
    va_list args;
    va_start(args, format);
    text_addv(&text, format, args);
    va_end(args);
    add(table, text.failed ? NULL : visible(table, text_get(&text)));
    text_free(&text);
}

// Characters, not bytes: those of UTF-8 that begin one.
static int width_of(const char *text) {
    int width = 0;
    for (; *text; text++) width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}
static void print_row(const Table *table, const char *const *row, const int *width, Text *out) {
    Text line = {0};
    for (int c = 0; c < table->columns; c++) {
        const int blanks = width[c] - width_of(row[c]);
        if (c) text_add(&line, "  ");
        if (table->side[c] == '>') text_add(&line, "%*s", blanks, "");
        text_add(&line, "%s", row[c]);
        if (table->side[c] != '>') text_add(&line, "%*s", blanks, "");
    }
    while (line.length && line.data[line.length - 1] == ' ') line.length--;
    text_bytes(out, text_get(&line), line.length);
    text_add(out, "\n");
    out->failed = out->failed || line.failed;
    text_free(&line);
}
Status table_end(Table *table, Text *out) {
    int width[TABLE_COLUMNS] = {0};
    const size_t columns = (size_t)table->columns;
    const bool failed = table->failed;
    while (!table->failed && table->n_cells % columns) add(table, ""); // the rest of the last row
    for (size_t i = 0; i < table->n_cells; i++) {
        const int own = width_of(table->cells[i]);
        if (own > width[i % columns]) width[i % columns] = own;
    }
    for (size_t i = 0; !failed && i + columns <= table->n_cells; i += columns)
        print_row(table, table->cells + i, width, out);
    arena_free(&table->arena);
    *table = (Table){0};
    return failed ? fail_memory(64) : text_status(out);
}
