#include "import/script/cell.h"
#include "base/text.h"
#include "import/limits.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

struct ScriptCell {
    AtenValue value;
    ScriptCell *base, *root; // base NULL, root itself: no view
    View view;
    unsigned version;       // of the root, when the value was made
    ScriptCell *written;    // of a root: a view that has what the others have not yet; NULL: none
    const char *written_by; // the operator that wrote it
    const char *stored;     // of a root: where in the file
};

static Status make_cell(Machine *machine, const AtenValue *value, ScriptCell **out) {
    ScriptCell *cell = arena_alloc(machine->arena, sizeof *cell);
    if (!cell) return fail_memory(sizeof *cell);
    *cell = (ScriptCell){.value = *value, .root = cell};
    *out = cell;
    return ST_OK;
}

Status tensor_cell(Machine *machine, const AtenValue *value, ScriptValue *out) {
    *out = (ScriptValue){.kind = SCRIPT_TENSOR};
    return make_cell(machine, value, &out->cell);
}

void cell_store(ScriptCell *cell, const char *path) { cell->stored = path; }

void cell_attach(const ScriptValue *made, ScriptCell *base, const View *view) {
    if (made->kind != SCRIPT_TENSOR) return;
    made->cell->base = base;
    made->cell->root = base->root;
    made->cell->view = *view;
    made->cell->version = base->root->version;
}

// ---- calls of aten

// "encoder.conv1.conv2d": what the layer is called in profiles.
static const char *layer_name(const Machine *machine, const char *op, char name[LIMIT_NAME + 1]) {
    const char *path = machine->frame ? machine->frame->path : "";
    op = strstr(op, "::") + 2;
    snprintf(name, LIMIT_NAME + 1, "%s%s%s", path, *path ? "." : "", op + strspn(op, "_"));
    return name;
}

Status aten_run(Machine *machine, const char *op, const AtenValue *args, int n_args, const AtenKeyword *keywords,
                int n_keywords, AtenValue *outs, int n_outs) {
    char name[LIMIT_NAME + 1];
    AtenCall call = {.op = op, .name = layer_name(machine, op, name), .args = args, .n_args = n_args};
    if (machine->probe) return probe_operator(machine->probe, op, args, n_args, outs);
    call.keywords = keywords;
    call.n_keywords = n_keywords;
    FAIL_IF(++machine->calls > MACHINE_CALLS, ST_UNSUPPORTED,
            "programs of more than %d operators are not supported (functions that call each other again and again)",
            MACHINE_CALLS);
    TRY(machine_place(machine, &call.place));
    const Status status = aten_call(machine->aten, &call, outs, n_outs);
    if (status != ST_OK) machine->told = true;
    return status;
}

Status aten_plain(Machine *machine, const char *op, const AtenValue *args, int n_args, AtenValue *out) {
    return aten_run(machine, op, args, n_args, NULL, 0, out, 1);
}

// ---- views

static Status unknown_view(const ScriptCell *cell, const char *by) {
    return fail(ST_UNSUPPORTED,
                "%s changes a tensor in place, and what %s made of it is looked at afterwards: that is not supported; "
                "write x = %.*s(...) instead of changing it",
                by, cell->view.op, (int)strcspn(strstr(by, "::") + 2, "_"), strstr(by, "::") + 2);
}

// The view's value, made of its base's.
static Status make_view(Machine *machine, const ScriptCell *cell, const AtenValue *base, const char *by,
                        AtenValue *out) {
    const View *view = &cell->view;
    AtenValue *args = arena_array(machine->arena, (size_t)view->n_args + 1, sizeof *args);
    if (!args) return fail_memory((size_t)view->n_args * sizeof *args);
    if (view->kind == VIEW_PERHAPS) return unknown_view(cell, by);
    *out = *base;
    if (view->kind == VIEW_SAME) return ST_OK;
    memcpy(args, view->args, (size_t)view->n_args * sizeof *args);
    args[0] = *base;
    TRY(aten_run(machine, view->op, args, view->n_args, view->keywords, view->n_keywords, out, 1));
    if (view->kind != VIEW_PART || out->kind == ATEN_MISSING) return ST_OK;
    if (out->kind != ATEN_LIST || view->part >= out->count) return unknown_view(cell, by);
    *out = out->items[view->part];
    return ST_OK;
}

// A whole argument that is given by place, or `otherwise`.
static int64_t view_int(Machine *machine, const View *view, int i, int64_t otherwise, bool *known) {
    int64_t value = otherwise;
    if (i >= view->n_args || view->args[i].kind == ATEN_NONE) return otherwise;
    if (!aten_known_int(machine->aten, &view->args[i], &value)) *known = false;
    return value;
}

// To the shape that the base has: what reshaping views are undone by.
static Status shape_back(Machine *machine, const AtenValue *base, const AtenValue *part, AtenValue *out) {
    AtenValue args[2] = {*part};
    TRY(aten_plain(machine, "aten::size", base, 1, &args[1]));
    return aten_plain(machine, "aten::reshape", args, 2, out);
}

static Status permute_back(Machine *machine, const ScriptCell *cell, const AtenValue *part, const char *by,
                           AtenValue *out) {
    const View *view = &cell->view;
    const AtenValue *perm = view->n_args == 2 && view->args[1].kind == ATEN_LIST ? &view->args[1] : NULL;
    AtenValue inverse[MAX_RANK], args[2] = {*part};
    if (!perm || perm->count > MAX_RANK) return unknown_view(cell, by);
    for (int i = 0; i < perm->count; i++) inverse[i] = aten_int(i);
    for (int i = 0; i < perm->count; i++) {
        int64_t axis;
        if (!aten_known_int(machine->aten, &perm->items[i], &axis)) return unknown_view(cell, by);
        if (axis < 0) axis += perm->count;
        if (axis < 0 || axis >= perm->count) return unknown_view(cell, by);
        inverse[axis] = aten_int(i);
    }
    args[1] = aten_list(inverse, perm->count);
    return aten_plain(machine, "aten::permute", args, 2, out);
}

// aten::select_scatter(base, part, dim, index), aten::slice_scatter(base, part, dim, start, end, step)
static Status scatter(Machine *machine, const char *op, const ScriptCell *cell, const AtenValue *base,
                      const AtenValue *part, AtenValue *out) {
    const View *view = &cell->view;
    AtenValue args[8] = {*base, *part};
    assert(view->n_args <= 6);
    for (int i = 1; i < view->n_args; i++) args[i + 1] = view->args[i];
    return aten_plain(machine, op, args, view->n_args + 1, out);
}

// Parts of a list: split(x, size, dim) and unbind(x, dim).
static Status part_back(Machine *machine, const ScriptCell *cell, const AtenValue *base, const AtenValue *part,
                        const char *by, AtenValue *out) {
    const View *view = &cell->view;
    bool known = true;
    if (strcmp(view->op, "aten::unbind") == 0) {
        const int64_t dim = view_int(machine, view, 1, 0, &known);
        const AtenValue args[4] = {*base, *part, aten_int(dim), aten_int(view->part)};
        return known ? aten_plain(machine, "aten::select_scatter", args, 4, out) : unknown_view(cell, by);
    }
    const bool lists = view->n_args < 2 || view->args[1].kind == ATEN_LIST || strcmp(view->op, "aten::split") != 0;
    if (lists) return unknown_view(cell, by);
    const int64_t size = view_int(machine, view, 1, 1, &known), dim = view_int(machine, view, 2, 0, &known);
    int64_t start, end;
    if (!known || !mul_i64(size, view->part, &start) || !add_i64(start, size, &end)) return unknown_view(cell, by);
    const AtenValue args[6] = {*base, *part, aten_int(dim), aten_int(start), aten_int(end), aten_int(1)};
    return aten_plain(machine, "aten::slice_scatter", args, 6, out);
}

// The base with the view's value put in where it came from.
static Status put_back(Machine *machine, const ScriptCell *cell, const AtenValue *base, const AtenValue *part,
                       const char *by, AtenValue *out) {
    static const char *const shapes[] = {"aten::view", "aten::unsqueeze", "aten::squeeze", "aten::view_as",
                                         "aten::unflatten"};
    const char *op = cell->view.op;
    *out = *part;
    if (cell->view.kind == VIEW_PERHAPS || cell->view.n_keywords > 0) return unknown_view(cell, by);
    if (cell->view.kind == VIEW_SAME) return ST_OK;
    if (cell->view.kind == VIEW_PART) return part_back(machine, cell, base, part, by, out);
    if (strcmp(op, "aten::select") == 0) return scatter(machine, "aten::select_scatter", cell, base, part, out);
    if (strcmp(op, "aten::slice") == 0) return scatter(machine, "aten::slice_scatter", cell, base, part, out);
    if (strcmp(op, "aten::permute") == 0) return permute_back(machine, cell, part, by, out);
    if (strcmp(op, "aten::transpose") == 0 || strcmp(op, "aten::t") == 0) {
        AtenValue args[3] = {*part};
        for (int i = 1; i < cell->view.n_args && i < 3; i++) args[i] = cell->view.args[i];
        return aten_plain(machine, op, args, cell->view.n_args, out);
    }
    for (size_t i = 0; i < COUNT_OF(shapes); i++) {
        if (strcmp(op, shapes[i]) == 0) return shape_back(machine, base, part, out);
    }
    return unknown_view(cell, by);
}

// ---- reading and writing

// The chain from a cell to its root is walked from the root on; `*chain` has the cell last.
static Status chain_of(Machine *machine, ScriptCell *cell, ScriptCell ***chain, int *count) {
    int n = 0;
    for (const ScriptCell *at = cell; at->base; at = at->base) n++;
    TRY(machine_charge(machine, n));
    ScriptCell **cells = arena_array(machine->arena, (size_t)n + 1, sizeof *cells);
    if (!cells) return fail_memory((size_t)n * sizeof *cells);
    for (ScriptCell *at = cell; at->base; at = at->base) cells[--n] = at;
    *chain = cells;
    for (*count = 0; cells[*count]; ++*count) continue;
    return ST_OK;
}

// Makes the values of views up to this one agree with the root's.
static Status refresh(Machine *machine, ScriptCell *cell, const char *by) {
    ScriptCell *root = cell->root, **chain;
    int count;
    if (cell->version == root->version) return ST_OK;
    TRY(chain_of(machine, cell, &chain, &count));
    for (int i = 0; i < count; i++) {
        if (chain[i]->version == root->version) continue;
        TRY(make_view(machine, chain[i], &chain[i]->base->value, by, &chain[i]->value));
        chain[i]->version = root->version;
    }
    return ST_OK;
}

// What was written into a view goes into the root.
static Status flush(Machine *machine, ScriptCell *root) {
    ScriptCell *cell = root->written, **chain;
    const char *by = root->written_by;
    int count;
    if (!cell) return ST_OK;
    TRY(refresh(machine, cell->base, by));
    TRY(chain_of(machine, cell, &chain, &count));
    AtenValue value = cell->value;
    for (int i = count - 1; i >= 0; i--) {
        TRY(put_back(machine, chain[i], &chain[i]->base->value, &value, by, &value));
        if (i > 0) chain[i - 1]->value = value;
    }
    root->value = value;
    root->version++;
    for (int i = 0; i < count; i++) chain[i]->version = root->version;
    root->written = NULL;
    return ST_OK;
}

Status cell_settle(Machine *machine, ScriptCell *cell) { return flush(machine, cell->root); }

Status cell_read(Machine *machine, ScriptCell *cell, AtenValue *out) {
    ScriptCell *root = cell->root;
    if (root->written && root->written != cell) TRY(flush(machine, root));
    if (root->written != cell) TRY(refresh(machine, cell, root->written_by));
    *out = cell->value;
    return ST_OK;
}

Status cell_write(Machine *machine, ScriptCell *cell, const AtenValue *value, const char *by) {
    ScriptCell *root = cell->root;
    FAIL_IF(root->stored, ST_UNSUPPORTED, "%s changes %s, which is stored in the model, in each run: not supported", by,
            root->stored);
    if (root->written && root->written != cell) TRY(flush(machine, root));
    cell->value = *value;
    root->written_by = by;
    if (cell == root) {
        root->version++;
    } else {
        root->written = cell;
    }
    return ST_OK;
}
