// A tensor that the reader knows by a ValueId has an entry once it matters: `value` is what stands for it now. A view
// remembers the call that made it. A write through a view is written into what it is a view of, and so on up to the
// tensor that is none (the root), whose version counts up; other views of that root are made again, by the same call,
// when they are asked for the next time.
#include "import/aten/alias.h"
#include "base/text.h"
#include <assert.h>
#include <string.h>

enum { MAX_VIEWS = 64, MAX_ARGS = 24 }; // views of views; arguments of a call

typedef enum ViewKind {
    VIEW_NONE,
    VIEW_SAME,      // all of it, in its shape
    VIEW_IF_SAME,   // the same where nothing had to be done, else a copy
    VIEW_SHAPE,     // all of it in the same order
    VIEW_MAYBE,     // the same, or a copy: that depends on strides
    VIEW_TRANSPOSE, // undone by itself
    VIEW_PERMUTE,
    VIEW_SELECT,
    VIEW_SLICE,
    VIEW_NARROW,
    VIEW_PARTS, // one of several, cut along an axis
    VIEW_UNBIND,
    VIEW_OTHER // cannot be written through
} ViewKind;

typedef struct View {
    const char *op;
    ViewKind kind;
    const char *arg; // the argument behind self that counts: an axis, a permutation
} View;

static const View views[] = {
    {"aten::alias", VIEW_SAME, NULL},
    {"aten::detach", VIEW_SAME, NULL},
    {"aten::lift_fresh", VIEW_SAME, NULL},
    {"aten::to", VIEW_IF_SAME, NULL},
    {"aten::type_as", VIEW_IF_SAME, NULL},
    {"aten::dropout", VIEW_IF_SAME, NULL},
    {"aten::feature_dropout", VIEW_IF_SAME, NULL},
    {"aten::alpha_dropout", VIEW_IF_SAME, NULL},
    {"aten::feature_alpha_dropout", VIEW_IF_SAME, NULL},
    {"aten::view", VIEW_SHAPE, NULL},
    {"aten::view_as", VIEW_SHAPE, NULL},
    {"aten::squeeze", VIEW_SHAPE, NULL},
    {"aten::unsqueeze", VIEW_SHAPE, NULL},
    {"aten::unflatten", VIEW_SHAPE, NULL},
    {"aten::contiguous", VIEW_MAYBE, NULL},
    {"aten::reshape", VIEW_MAYBE, NULL},
    {"aten::reshape_as", VIEW_MAYBE, NULL},
    {"aten::flatten", VIEW_MAYBE, NULL},
    {"aten::transpose", VIEW_TRANSPOSE, NULL},
    {"aten::swapaxes", VIEW_TRANSPOSE, NULL},
    {"aten::swapdims", VIEW_TRANSPOSE, NULL},
    {"aten::t", VIEW_TRANSPOSE, NULL},
    {"aten::numpy_T", VIEW_TRANSPOSE, NULL},
    {"aten::mT", VIEW_TRANSPOSE, NULL},
    {"aten::permute", VIEW_PERMUTE, "dims"},
    {"aten::select", VIEW_SELECT, NULL},
    {"aten::slice", VIEW_SLICE, NULL},
    {"aten::narrow", VIEW_NARROW, NULL},
    {"aten::chunk", VIEW_PARTS, "dim"},
    {"aten::split", VIEW_PARTS, "dim"},
    {"aten::split_with_sizes", VIEW_PARTS, "dim"},
    {"aten::tensor_split", VIEW_PARTS, "dim"},
    {"aten::unbind", VIEW_UNBIND, "dim"},
    {"aten::expand", VIEW_OTHER, NULL},
    {"aten::expand_as", VIEW_OTHER, NULL},
    {"aten::broadcast_to", VIEW_OTHER, NULL},
    {"aten::movedim", VIEW_OTHER, NULL},
    {"aten::unfold", VIEW_OTHER, NULL},
    {"aten::diagonal", VIEW_OTHER, NULL},
    {"aten::as_strided", VIEW_OTHER, NULL},
};

struct AtenAlias {
    ValueId known;    // by which the reader knows it
    ValueId value;    // that stands for it now
    int base;         // what it is a view of; -1: nothing
    const View *view; // how
    AtenCall call;    // that made it, without its first argument's value
    int part;         // of the call's results, where they are a list; -1: they are none
    int depth;        // views above it
    int64_t version;  // of a root: writes so far; of a view: of its root, when `value` was made
    const char *torn; // of a root: a write that may have been one to a copy
    int torn_by;      // through this view of it
};

AtenAliases aten_aliases(Aten *aten) { return (AtenAliases){.aten = aten}; }

// ---- entries

static AtenAlias *entry_of(const AtenAliases *aliases, ValueId value) {
    const int at = value >= 0 && value < aliases->n_values ? aliases->of_value[value] : 0;
    return at > 0 ? &aliases->aliases[at - 1] : NULL;
}

static void *larger(const AtenAliases *aliases, const void *from, int count, int more, size_t size) {
    void *to = arena_array(aliases->aten->scratch, (size_t)more, size);
    if (to && count > 0) memcpy(to, from, (size_t)count * size);
    return to;
}

static Status make_room(AtenAliases *aliases, ValueId value) {
    if (value >= aliases->n_values) {
        const int more = MAX(2 * (value + 1), 256);
        int32_t *of_value = larger(aliases, aliases->of_value, aliases->n_values, more, sizeof *of_value);
        if (!of_value) return fail_memory((size_t)more * sizeof *of_value);
        aliases->of_value = of_value;
        aliases->n_values = more;
    }
    if (aliases->count == aliases->capacity) {
        const int more = MAX(2 * aliases->capacity, 64);
        AtenAlias *list = larger(aliases, aliases->aliases, aliases->count, more, sizeof *list);
        if (!list) return fail_memory((size_t)more * sizeof *list);
        aliases->aliases = list;
        aliases->capacity = more;
    }
    return ST_OK;
}

// The entry of a tensor, made at need: no view.
static Status take_entry(AtenAliases *aliases, ValueId value, int *out) {
    TRY(make_room(aliases, value));
    int32_t *at = &aliases->of_value[value];
    if (*at == 0) {
        aliases->aliases[aliases->count++] = (AtenAlias){.known = value, .value = value, .base = -1, .part = -1};
        *at = aliases->count;
    }
    *out = *at - 1;
    return ST_OK;
}

static AtenAlias *root_of(const AtenAliases *aliases, AtenAlias *alias) {
    while (alias->base >= 0) alias = &aliases->aliases[alias->base];
    return alias;
}

static bool is_below(const AtenAliases *aliases, const AtenAlias *alias, int at) {
    for (; alias->base >= 0; alias = &aliases->aliases[alias->base]) {
        if (alias == &aliases->aliases[at]) return true;
    }
    return false;
}

// ---- arguments

// By name, or by place as the schemas of views have them; NULL: not given.
static const AtenValue *argument(const AtenCall *call, const char *name, int place) {
    for (int i = 0; i < call->n_keywords; i++) {
        if (strcmp(call->keywords[i].name, name) == 0) return &call->keywords[i].value;
    }
    return place < call->n_args ? &call->args[place] : NULL;
}

// The first argument, which views and writes are about, is self by place or by name.
static const AtenValue *self_of(const AtenCall *call) {
    if (call->n_args > 0) return &call->args[0];
    return call->n_keywords > 0 ? &call->keywords[0].value : NULL;
}

static Status copy_values(Arena *arena, const AtenValue *from, int count, AtenValue **out) {
    *out = arena_array(arena, (size_t)count + 1, sizeof **out);
    if (!*out) return fail_memory(((size_t)count + 1) * sizeof **out);
    if (count > 0) memcpy(*out, from, (size_t)count * sizeof **out);
    return ST_OK;
}

static Status copy_list(Arena *arena, AtenValue *value, int depth) {
    AtenValue *items;
    if (value->kind != ATEN_LIST) return ST_OK;
    FAIL_IF(depth >= ATEN_LIST_DEPTH, ST_BAD, "expected lists of a depth of at most %d", ATEN_LIST_DEPTH);
    TRY(copy_values(arena, value->items, value->count, &items));
    for (int i = 0; i < value->count; i++) TRY(copy_list(arena, &items[i], depth + 1));
    value->items = items;
    return ST_OK;
}

static Status copy_call(Arena *arena, const AtenCall *from, AtenCall *to) {
    AtenValue *args;
    AtenKeyword *keywords = arena_array(arena, (size_t)from->n_keywords + 1, sizeof *keywords);
    *to = *from;
    to->op = arena_string(arena, from->op);
    to->overload = from->overload ? arena_string(arena, from->overload) : NULL;
    to->name = arena_string(arena, from->name ? from->name : "");
    to->place = arena_string(arena, from->place ? from->place : "");
    if (!keywords || !to->op || (from->overload && !to->overload) || !to->name || !to->place) return fail_memory(256);
    TRY(copy_values(arena, from->args, from->n_args, &args));
    for (int i = 0; i < from->n_args; i++) TRY(copy_list(arena, &args[i], 0));
    for (int i = 0; i < from->n_keywords; i++) {
        keywords[i].name = arena_string(arena, from->keywords[i].name);
        keywords[i].value = from->keywords[i].value;
        if (!keywords[i].name) return fail_memory(64);
        TRY(copy_list(arena, &keywords[i].value, 0));
    }
    to->args = args;
    to->keywords = keywords;
    return ST_OK;
}

// ---- reading

static Status current_value(AtenAliases *aliases, ValueId value, ValueId *out);

// The call again, of another first argument.
static Status call_on(AtenAliases *aliases, const AtenCall *of, ValueId self, AtenValue *out) {
    AtenValue args[MAX_ARGS];
    AtenKeyword keywords[MAX_ARGS];
    AtenCall call = *of;
    assert(call.n_args <= MAX_ARGS && call.n_keywords <= MAX_ARGS);
    for (int i = 0; i < call.n_args; i++) args[i] = call.args[i];
    for (int i = 0; i < call.n_keywords; i++) keywords[i] = call.keywords[i];
    *(call.n_args > 0 ? &args[0] : &keywords[0].value) = aten_tensor(self);
    call.args = args;
    call.keywords = keywords;
    return aten_call(aliases->aten, &call, out, 1);
}

// Makes the view again, of what its base is now.
static Status make_again(AtenAliases *aliases, AtenAlias *alias) {
    AtenValue made;
    ValueId base;
    TRY(current_value(aliases, aliases->aliases[alias->base].known, &base));
    TRY(call_on(aliases, &alias->call, base, &made));
    if (alias->part >= 0 && made.kind == ATEN_LIST && alias->part < made.count) made = made.items[alias->part];
    FAIL_IF(made.kind != ATEN_TENSOR, ST_BAD, "%s: %s: expected a tensor", alias->call.place, alias->call.op);
    alias->value = made.value;
    return ST_OK;
}

static Status current_value(AtenAliases *aliases, ValueId value, ValueId *out) {
    AtenAlias *alias = entry_of(aliases, value);
    *out = value;
    if (!alias) return ST_OK;
    const AtenAlias *root = root_of(aliases, alias);
    FAIL_IF(root->torn && !is_below(aliases, alias, root->torn_by), ST_UNSUPPORTED,
            "%s wrote to what may be a copy of this tensor or not; write y = x.reshape(...) and use y from there on",
            root->torn);
    if (alias->base >= 0 && alias->version != root->version) {
        FAIL_IF(
            alias->view->kind == VIEW_MAYBE, ST_UNSUPPORTED,
            "%s: what %s gave is read after a write to what it was made of, which it may be a copy of or not; write "
            "x = x.clone() in front of the write",
            alias->call.place, alias->call.op);
        TRY(make_again(aliases, alias)); // no entry is added on the way
        alias->version = root->version;
    }
    *out = alias->value;
    return ST_OK;
}

static Status current_in(AtenAliases *aliases, AtenValue *value, int depth) {
    AtenValue *items;
    if (value->kind == ATEN_TENSOR) return current_value(aliases, value->value, &value->value);
    if (value->kind != ATEN_LIST || value->count == 0) return ST_OK;
    FAIL_IF(depth >= ATEN_LIST_DEPTH, ST_BAD, "expected lists of a depth of at most %d", ATEN_LIST_DEPTH);
    TRY(copy_values(aliases->aten->scratch, value->items, value->count, &items));
    for (int i = 0; i < value->count; i++) TRY(current_in(aliases, &items[i], depth + 1));
    value->items = items;
    return ST_OK;
}

Status aten_alias_current(AtenAliases *aliases, const AtenValue *value, AtenValue *out) {
    *out = *value;
    return current_in(aliases, out, 0);
}

// ---- writing

static Status call_by_place(AtenAliases *aliases, const AtenCall *of, const char *op, const AtenValue *args, int count,
                            ValueId *out) {
    const AtenCall call = {.op = op, .name = of->name, .place = of->place, .args = args, .n_args = count};
    AtenValue made;
    TRY(aten_call(aliases->aten, &call, &made, 1));
    FAIL_IF(made.kind != ATEN_TENSOR, ST_UNSUPPORTED, "%s: a write through a view needs %s, which is not supported",
            of->place, op);
    *out = made.value;
    return ST_OK;
}

static AtenValue argument_or(const AtenCall *call, const char *name, int place, AtenValue otherwise) {
    const AtenValue *value = argument(call, name, place);
    return value ? *value : otherwise;
}

static Status write_permuted(AtenAliases *aliases, const AtenAlias *alias, ValueId value, ValueId *out) {
    const AtenValue *dims = argument(&alias->call, alias->view->arg, 1);
    AtenValue inverse[MAX_RANK];
    FAIL_IF(!dims || dims->kind != ATEN_LIST || dims->count > MAX_RANK, ST_BAD, "expected a permutation");
    for (int i = 0; i < dims->count; i++) {
        int64_t axis;
        FAIL_IF(!aten_known_int(aliases->aten, &dims->items[i], &axis), ST_BAD, "expected a permutation");
        axis += axis < 0 ? dims->count : 0;
        FAIL_IF(axis < 0 || axis >= dims->count, ST_BAD, "expected a permutation");
        inverse[axis] = aten_int(i);
    }
    return call_by_place(aliases, &alias->call, "aten::permute",
                         (const AtenValue[]){aten_tensor(value), aten_list(inverse, dims->count)}, 2, out);
}

static Status write_slice(AtenAliases *aliases, const AtenAlias *alias, ValueId base, ValueId value, ValueId *out) {
    const AtenCall *call = &alias->call;
    const AtenValue args[] = {aten_tensor(base),
                              aten_tensor(value),
                              argument_or(call, "dim", 1, aten_int(0)),
                              argument_or(call, "start", 2, aten_none()),
                              argument_or(call, "end", 3, aten_none()),
                              argument_or(call, "step", 4, aten_int(1))};
    return call_by_place(aliases, call, "aten::slice_scatter", args, 6, out);
}

static Status write_range(AtenAliases *aliases, const AtenCall *call, ValueId base, ValueId value, AtenValue dim,
                          int64_t start, int64_t length, ValueId *out) {
    const AtenValue args[] = {aten_tensor(base), aten_tensor(value),       dim,
                              aten_int(start),   aten_int(start + length), aten_int(1)};
    return call_by_place(aliases, call, "aten::slice_scatter", args, 6, out);
}

static Status write_narrow(AtenAliases *aliases, const AtenAlias *alias, ValueId base, ValueId value, ValueId *out) {
    const AtenCall *call = &alias->call;
    const AtenValue start = argument_or(call, "start", 2, aten_none());
    const AtenValue length = argument_or(call, "length", 3, aten_none());
    int64_t from, count;
    FAIL_IF(!aten_known_int(aliases->aten, &start, &from) || !aten_known_int(aliases->aten, &length, &count) ||
                from < 0 || count < 0 || count > INT64_MAX - from,
            ST_UNSUPPORTED, "a write to a part whose place is not known");
    return write_range(aliases, call, base, value, argument_or(call, "dim", 1, aten_int(0)), from, count, out);
}

// Where the part begins follows from the parts in front of it: the base's dim, cut as the call cut it.
static Status write_part(AtenAliases *aliases, const AtenAlias *alias, ValueId base, ValueId value, ValueId *out) {
    const AtenCall *call = &alias->call;
    const AtenValue dim = argument_or(call, "dim", 2, aten_int(0));
    const Graph *graph = aliases->aten->graph;
    AtenValue all;
    int64_t axis, start = 0, length = 0;
    TRY(call_on(aliases, call, base, &all));
    FAIL_IF(all.kind != ATEN_LIST || alias->part >= all.count || !aten_known_int(aliases->aten, &dim, &axis), ST_BAD,
            "expected parts of a tensor");
    for (int i = 0; i <= alias->part; i++) {
        const Type *type = &graph->values[all.items[i].value].type;
        const int64_t at = axis < 0 ? axis + type->rank : axis;
        FAIL_IF(type->rank < 0 || at < 0 || at >= type->rank || type->dim[at] < 0, ST_UNSUPPORTED,
                "a write to a part whose place is not known");
        start += length;
        length = type->dim[at];
    }
    return write_range(aliases, call, base, value, dim, start, length, out);
}

// What the base is, after `value` was written through the view of it.
static Status write_into(AtenAliases *aliases, const AtenAlias *alias, ValueId base, ValueId value, ValueId *out) {
    const AtenCall *call = &alias->call;
    const AtenValue old = aten_tensor(base), new = aten_tensor(value);
    const AtenValue dim = argument_or(call, "dim", 1, aten_int(0));
    *out = value;
    switch (alias->view->kind) {
    case VIEW_SAME:
    case VIEW_IF_SAME: return ST_OK;
    case VIEW_SHAPE: return call_by_place(aliases, call, "aten::view_as", (const AtenValue[]){new, old}, 2, out);
    case VIEW_TRANSPOSE: {
        AtenValue args[3] = {new, argument_or(call, "dim0", 1, aten_none()), argument_or(call, "dim1", 2, aten_none())};
        return call_by_place(aliases, call, call->op, args, args[1].kind == ATEN_NONE ? 1 : 3, out);
    }
    case VIEW_PERMUTE: return write_permuted(aliases, alias, value, out);
    case VIEW_SELECT: {
        const AtenValue args[] = {old, new, dim, argument_or(call, "index", 2, aten_none())};
        return call_by_place(aliases, call, "aten::select_scatter", args, 4, out);
    }
    case VIEW_SLICE: return write_slice(aliases, alias, base, value, out);
    case VIEW_NARROW: return write_narrow(aliases, alias, base, value, out);
    case VIEW_PARTS: return write_part(aliases, alias, base, value, out);
    case VIEW_UNBIND: {
        const AtenValue args[] = {old, new, dim, aten_int(alias->part)};
        return call_by_place(aliases, call, "aten::select_scatter", args, 4, out);
    }
    default: break;
    }
    return fail(ST_UNSUPPORTED, "%s: a write through a view that %s made is not supported", call->place, call->op);
}

// Up to the root; at most MAX_VIEWS steps.
static Status write_value(AtenAliases *aliases, int at, ValueId value, const char *writer) {
    AtenAlias *alias = &aliases->aliases[at];
    AtenAlias *root = root_of(aliases, alias);
    const int64_t version = root->version + 1;
    while (alias->base >= 0) {
        ValueId base;
        if (alias->view->kind == VIEW_MAYBE) { // nobody may ask for what is above
            root->torn = writer;
            root->torn_by = (int)(alias - aliases->aliases);
            break;
        }
        TRY(current_value(aliases, aliases->aliases[alias->base].known, &base));
        const ValueId written = value;
        TRY(write_into(aliases, alias, base, written, &value));
        alias->value = written;
        alias->version = version;
        alias = &aliases->aliases[alias->base];
    }
    alias->value = value;
    alias->version = root->version = version;
    return ST_OK;
}

// ---- calls

static const View *view_of(const char *op) {
    for (size_t i = 0; i < COUNT_OF(views); i++) {
        if (strcmp(views[i].op, op) == 0) return &views[i];
    }
    return NULL;
}

// relu_, copy_, __iadd__: the name says it.
static bool is_write(const char *op) {
    const size_t length = strlen(op);
    if (strncmp(op, "aten::__i", 9) == 0 && op[9] != 's' && op[9] != 'n')
        return true; // no __is__, __isnot__, __index__
    return strncmp(op, "aten::", 6) == 0 && length > 7 && op[length - 1] == '_' && op[length - 2] != '_';
}

static Status add_view(AtenAliases *aliases, const AtenCall *call, const View *view, int part, ValueId made) {
    const ValueId self = self_of(call)->value;
    int base, at;
    AtenCall copy;
    TRY(take_entry(aliases, self, &base));
    if (entry_of(aliases, made)) return ST_OK; // a value that stands for something already, as one of a constant may
    TRY(copy_call(aliases->aten->scratch, call, &copy));
    TRY(take_entry(aliases, made, &at));
    const AtenAlias *of = &aliases->aliases[base];
    FAIL_IF(of->depth >= MAX_VIEWS, ST_BAD, "expected at most %d views of views, got more", MAX_VIEWS);
    aliases->aliases[at] = (AtenAlias){.known = made,
                                       .value = made,
                                       .base = base,
                                       .view = view,
                                       .call = copy,
                                       .part = part,
                                       .depth = of->depth + 1,
                                       .version = root_of(aliases, &aliases->aliases[base])->version};
    return ST_OK;
}

// A tensor has a value of its own where a write to it is, or may be, none to what it was made of.
static Status make_own(AtenAliases *aliases, const AtenCall *now, AtenValue *out) {
    const AtenValue *self = self_of(now);
    Emit emit = {.graph = aliases->aten->graph, .layer = now->name ? now->name : ""};
    if (out->kind != ATEN_TENSOR || !self || self->kind != ATEN_TENSOR || self->value != out->value) return ST_OK;
    return emit_unary(&emit, OP_Identity, "", out->value, &out->value);
}

// One result of a call that gives views: what is its own first argument is known as that.
static Status add_result(AtenAliases *aliases, const AtenCall *given, const AtenCall *now, const View *view, int part,
                         AtenValue *out) {
    if (out->kind != ATEN_TENSOR || self_of(given)->kind != ATEN_TENSOR) return ST_OK;
    if (view->kind == VIEW_MAYBE) TRY(make_own(aliases, now, out));
    const bool is_same = out->value == self_of(now)->value;
    if (is_same) out->value = self_of(given)->value;
    return is_same || view->kind == VIEW_IF_SAME ? ST_OK : add_view(aliases, given, view, part, out->value);
}

static Status add_results(AtenAliases *aliases, const AtenCall *given, const AtenCall *now, const View *view,
                          AtenValue *out) {
    AtenValue *items;
    if (!self_of(given)) return ST_OK;
    if (out->kind != ATEN_LIST) return add_result(aliases, given, now, view, -1, out);
    TRY(copy_values(aliases->aten->scratch, out->items, out->count, &items));
    for (int i = 0; i < out->count; i++) TRY(add_result(aliases, given, now, view, i, &items[i]));
    out->items = items;
    return ST_OK;
}

// What changes the shape of a tensor, and of no other that shares its memory.
static bool is_reshaping(const char *op) {
    static const char *const ops[] = {"aten::squeeze_",  "aten::unsqueeze_", "aten::t_",      "aten::transpose_",
                                      "aten::swapaxes_", "aten::swapdims_",  "aten::resize_", "aten::as_strided_"};
    for (size_t i = 0; i < COUNT_OF(ops); i++) {
        if (strcmp(ops[i], op) == 0) return true;
    }
    return false;
}

static Status write_result(AtenAliases *aliases, const AtenCall *given, AtenValue *out) {
    const AtenValue *self = self_of(given);
    const ValueId made = out->value;
    int at;
    if (out->kind != ATEN_TENSOR || !self || self->kind != ATEN_TENSOR) return ST_OK;
    FAIL_IF(is_reshaping(given->op) && entry_of(aliases, self->value), ST_UNSUPPORTED,
            "%s: %s of a tensor that shares its memory is not supported", given->place ? given->place : "", given->op);
    *out = *self;
    const char *writer = arena_string(aliases->aten->scratch, given->op);
    if (!writer) return fail_memory(64);
    TRY(take_entry(aliases, self->value, &at));
    return write_value(aliases, at, made, writer);
}

static Status substitute(AtenAliases *aliases, const AtenCall *call, AtenValue *args, AtenKeyword *keywords,
                         AtenCall *out) {
    FAIL_IF(call->n_args > MAX_ARGS || call->n_keywords > MAX_ARGS, ST_BAD, "%s: expected at most %d arguments",
            call->op, MAX_ARGS);
    for (int i = 0; i < call->n_args; i++) TRY(aten_alias_current(aliases, &call->args[i], &args[i]));
    for (int i = 0; i < call->n_keywords; i++) {
        keywords[i].name = call->keywords[i].name;
        TRY(aten_alias_current(aliases, &call->keywords[i].value, &keywords[i].value));
    }
    *out = *call;
    out->args = args;
    out->keywords = keywords;
    return ST_OK;
}

Status aten_alias_call(AtenAliases *aliases, const AtenCall *call, AtenValue *outs, int n_outs) {
    AtenValue args[MAX_ARGS];
    AtenKeyword keywords[MAX_ARGS];
    AtenCall now;
    TRY(substitute(aliases, call, args, keywords, &now));
    TRY(aten_call(aliases->aten, &now, outs, n_outs));
    if (n_outs == 0) return ST_OK;
    if (is_write(call->op)) return write_result(aliases, call, &outs[0]);
    const View *view = view_of(call->op);
    if (view) return add_results(aliases, call, &now, view, &outs[0]);
    for (int i = 0; i < n_outs; i++) TRY(make_own(aliases, &now, &outs[i]));
    return ST_OK;
}
