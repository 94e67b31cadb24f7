// A CSV of pairs (RFC 4180): a heading with the columns image, mask and, where there are patients, patient; paths are
// relative to the folder of the CSV and stay below it.
#include "app/dataset/inside.h"
#include "base/file.h"
#include "base/text.h"
#include <stdlib.h>
#include <string.h>

static const size_t csv_limit = (size_t)1 << 28;
enum { COLUMNS = 64, IMAGE = 0, MASK = 1, PATIENT = 2, WANTED = 3 };
static const char *const column_names[WANTED] = {"image", "mask", "patient"};

typedef struct Reader {
    const char *at, *end;
    int line; // of the row that was read
    int next_line;
    Text cells[COLUMNS];
    int n_cells;
} Reader;
typedef struct Row {
    const char *image, *mask, *patient; // patient NULL: there is no such column
    int line;
} Row;
typedef struct Table {
    Dataset *dataset;
    int columns[WANTED], n_columns; // where they stand; -1: none
    Row *rows;
    size_t n_rows, capacity;
    bool folders; // some pictures lie in folders
} Table;

// ---- cells

static Status take_quoted(Reader *reader, Text *cell) {
    for (reader->at++; reader->at < reader->end; reader->at++) {
        if (*reader->at == '"' && (++reader->at >= reader->end || *reader->at != '"')) return ST_OK;
        reader->next_line += *reader->at == '\n';
        text_bytes(cell, reader->at, 1);
    }
    return fail(ST_BAD, "line %d: a quote is opened and never closed", reader->line);
}
static bool ends_cell(const Reader *reader) {
    return reader->at >= reader->end || *reader->at == ',' || *reader->at == '\n' || *reader->at == '\r';
}
static Status take_cell(Reader *reader, Text *cell) {
    cell->length = 0;
    text_bytes(cell, "", 0);
    if (reader->at < reader->end && *reader->at == '"') TRY(take_quoted(reader, cell));
    for (; !ends_cell(reader); reader->at++) text_bytes(cell, reader->at, 1);
    return text_status(cell);
}
// A row; n_cells 0: an empty line. Cells beyond COLUMNS are passed over.
static Status take_row(Reader *reader) {
    Text spare = {0};
    Status status = ST_OK;
    reader->line = reader->next_line;
    reader->n_cells = 0;
    for (bool more = true; more && status == ST_OK;) {
        status = take_cell(reader, reader->n_cells < COLUMNS ? &reader->cells[reader->n_cells] : &spare);
        reader->n_cells += reader->n_cells < COLUMNS;
        more = reader->at < reader->end && *reader->at == ',';
        reader->at += more;
    }
    text_free(&spare);
    if (reader->at < reader->end && *reader->at == '\r') reader->at++;
    if (reader->at < reader->end && *reader->at == '\n') reader->at++, reader->next_line++;
    if (reader->n_cells == 1 && !reader->cells[0].length) reader->n_cells = 0;
    return status;
}
static const char *cell_text(const Reader *reader, int column) {
    return column >= 0 && column < reader->n_cells ? text_get(&reader->cells[column]) : NULL;
}

// ---- rows

static bool same_word(const char *given, const char *word) {
    given += strspn(given, " ");
    while (*word && (*given == *word || (*given >= 'A' && *given <= 'Z' && *given + 32 == *word))) given++, word++;
    return !*word && !given[strspn(given, " ")];
}
static Status read_heading(Table *table, Reader *reader) {
    static const char bom[] = "\xef\xbb\xbf";
    if (reader->end - reader->at >= 3 && !memcmp(reader->at, bom, 3)) reader->at += 3;
    TRY(take_row(reader));
    table->n_columns = reader->n_cells;
    for (int k = 0; k < WANTED; k++) {
        table->columns[k] = -1;
        for (int i = 0; i < reader->n_cells; i++) {
            if (!same_word(text_get(&reader->cells[i]), column_names[k])) continue;
            FAIL_IF(table->columns[k] >= 0, ST_BAD, "line %d: two columns are called '%s'", reader->line,
                    column_names[k]);
            table->columns[k] = i;
        }
        FAIL_IF(table->columns[k] < 0 && k != PATIENT, ST_BAD,
                "line %d: expected a heading image,mask[,patient] with commas between, there is no column '%s'",
                reader->line, column_names[k]);
    }
    return ST_OK;
}
static Status row_fault(const Table *table, int line, const char *fault, const char *format, const char *word) {
    Text place = {0}, message = {0};
    text_add(&place, "%s:%d", table->dataset->name, line);
    text_add(&message, format, word);
    Status status = text_status(&place);
    if (status == ST_OK) status = text_status(&message);
    if (status == ST_OK) status = faults_add(&table->dataset->faults, text_get(&place), fault, text_get(&message));
    text_free(&place);
    text_free(&message);
    return status;
}
static bool leaves_folder(const char *path) {
    for (; *path; path += strcspn(path, "/"), path += strspn(path, "/"))
        if (path[0] == '.' && path[1] == '.' && (!path[2] || path[2] == '/')) return true;
    return false;
}
// Whether a path of the row can be used; else *status is of its fault.
static bool path_is_good(const Table *table, int line, int column, const char *path, Status *status) {
    const char *what = column_names[column];
    PathKind kind = PATH_FILE;
    *status = ST_OK;
    if (!path || !*path) {
        *status = row_fault(table, line, column == MASK ? "missing mask" : "missing picture", "no %s is named", what);
    } else if (*path == '/') {
        *status = row_fault(table, line, "absolute path", "expected a path below the CSV's folder, got %s", path);
    } else if (leaves_folder(path)) {
        *status = row_fault(table, line, "path outside", "expected a path below the CSV's folder, got %s", path);
    } else {
        Arena arena = {0};
        const char *whole = path_join(&arena, table->dataset->root, path);
        *status = whole ? path_known(whole, &kind) : fail_memory(strlen(path));
        arena_free(&arena);
        if (*status == ST_OK && kind == PATH_FILE) return true;
        if (*status == ST_OK)
            *status = row_fault(table, line, column == MASK ? "missing mask" : "missing picture",
                                kind == PATH_MISSING ? "there is no file %s" : "%s is no file", path);
    }
    return false;
}
static Status keep_row(Table *table, const Reader *reader) {
    Arena *arena = &table->dataset->arena;
    if (table->n_rows == table->capacity) {
        const size_t capacity = MAX((size_t)64, table->capacity * 2), bytes = capacity * sizeof *table->rows;
        Row *rows = mem_resize(table->rows, bytes);
        if (!rows) return fail_memory(bytes);
        table->rows = rows, table->capacity = capacity;
    }
    const char *patient = cell_text(reader, table->columns[PATIENT]);
    Row row = {arena_string(arena, cell_text(reader, table->columns[IMAGE])),
               arena_string(arena, cell_text(reader, table->columns[MASK])),
               patient ? arena_string(arena, patient) : NULL, reader->line};
    if (!row.image || !row.mask || (patient && !row.patient)) return fail_memory(sizeof row);
    table->folders = table->folders || strchr(row.image, '/');
    table->rows[table->n_rows++] = row;
    return ST_OK;
}
static Status check_row(Table *table, const Reader *reader) {
    Status status;
    if (reader->n_cells < table->n_columns)
        return row_fault(table, reader->line, "missing column", "expected as many columns as the heading has%s", "");
    if (!path_is_good(table, reader->line, IMAGE, cell_text(reader, table->columns[IMAGE]), &status)) return status;
    if (!path_is_good(table, reader->line, MASK, cell_text(reader, table->columns[MASK]), &status)) return status;
    const char *patient = cell_text(reader, table->columns[PATIENT]);
    if (patient && !patient[strspn(patient, " ")])
        return row_fault(table, reader->line, "missing patient", "no patient is named%s", "");
    for (const char *at = patient ? patient : ""; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            return row_fault(table, reader->line, "bad name", "the patient's name has control characters%s", "");
    return keep_row(table, reader);
}

// ---- cases

static int compare_rows(const void *a, const void *b) {
    const Row *x = a, *y = b;
    const int order = strcmp(x->image, y->image);
    return order ? order : (x->line > y->line) - (x->line < y->line);
}
static bool same_row(const Row *a, const Row *b) {
    return !strcmp(a->mask, b->mask) && !strcmp(a->patient ? a->patient : "", b->patient ? b->patient : "");
}
static Status add_row(Table *table, const Row *row) {
    Dataset *dataset = table->dataset;
    Arena *arena = &dataset->arena;
    const char *slash = strchr(row->image, '/'), *last = strrchr(row->image, '/');
    const char *name_at = last ? last + 1 : row->image;
    const char *name = arena_string_n(arena, row->image, (size_t)(name_at - row->image) + name_stem(name_at));
    const char *patient = row->patient ? row->patient
                          : slash      ? arena_string_n(arena, row->image, (size_t)(slash - row->image))
                                       : name;
    const char **pictures = arena_array(arena, 1, sizeof *pictures);
    const char *mask = path_join(arena, dataset->root, row->mask);
    if (!name || !patient || !pictures || !mask) return fail_memory(strlen(row->image));
    pictures[0] = path_join(arena, dataset->root, row->image);
    if (!pictures[0]) return fail_memory(strlen(row->image));
    return dataset_add_case(dataset, &(DatasetCase){patient, name, pictures, 1, mask, 0});
}
// Rows of one picture: equal ones count once; of different ones none, as nothing says which is right.
static Status add_rows(Table *table) {
    if (table->n_rows) qsort(table->rows, table->n_rows, sizeof *table->rows, compare_rows);
    for (size_t first = 0, end; first < table->n_rows; first = end) {
        bool equal = true;
        for (end = first + 1; end < table->n_rows && !strcmp(table->rows[first].image, table->rows[end].image); end++)
            equal = equal && same_row(&table->rows[first], &table->rows[end]);
        for (size_t i = first + equal; end - first > 1 && i < end; i++)
            TRY(row_fault(table, table->rows[i].line, equal ? "duplicate row" : "two masks",
                          equal ? "the row of %s stands there twice" : "%s has several rows that differ",
                          table->rows[i].image));
        if (equal) TRY(add_row(table, &table->rows[first]));
    }
    return ST_OK;
}
static Status read_rows(Table *table, Reader *reader) {
    TRY(read_heading(table, reader));
    while (reader->at < reader->end) {
        TRY(take_row(reader));
        if (reader->n_cells) TRY(check_row(table, reader));
    }
    return ST_OK;
}
static Status say_patients(const Table *table) {
    if (table->columns[PATIENT] >= 0) return ST_OK;
    return dataset_assume(table->dataset,
                          table->folders ? "Pictures of one folder are of one patient: the CSV has no column "
                                           "'patient'."
                                         : "Each picture is a patient of its own: the CSV has no column 'patient'.");
}
Status dataset_list_csv(Dataset *dataset) {
    uint8_t *bytes;
    size_t size;
    TRY(file_read(dataset->path, csv_limit, &bytes, &size));
    Reader reader = {.at = (const char *)bytes, .end = (const char *)bytes + size, .next_line = 1};
    Table table = {.dataset = dataset};
    Status status = ST_OK;
    if (memchr(bytes, 0, size))
        status = fail(ST_BAD, "expected a folder or a CSV of pairs (image,mask[,patient]), this is neither");
    if (status == ST_OK) status = read_rows(&table, &reader);
    if (status == ST_OK) status = add_rows(&table);
    if (status == ST_OK) status = say_patients(&table);
    if (status != ST_OK) status = fail_context(status, "%s", dataset->path);
    for (int i = 0; i < COLUMNS; i++) text_free(&reader.cells[i]);
    mem_free(table.rows);
    mem_free(bytes);
    return status;
}
