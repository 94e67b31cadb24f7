// Arguments against schemas: "conv1d(Tensor input, Tensor weight, Tensor? bias=None, int[] stride=1, ...)". What stands
// behind a "*, " is given by name only: the table has it where places would be ambiguous.
#include "import/aten/convert.h"
#include <stdlib.h>
#include <string.h>

// ---- types of schemas

#define A(kind) (1u << ATEN_##kind)
enum { NUMBER_KINDS = A(BOOL) | A(INT) | A(FLOAT) | A(NUMBER) };

// What a value of the type may be, and what the values of a list; a `?` behind it lets None be one.
typedef struct SchemaType {
    const char *name;
    unsigned kinds, items;
} SchemaType;

static const SchemaType types[] = {
    {"Tensor", A(TENSOR), 0},
    {"Operand", A(TENSOR) | NUMBER_KINDS, 0}, // a tensor or a number
    {"Scalar", NUMBER_KINDS, 0},
    {"int", A(INT) | A(NUMBER), 0},
    {"float", A(FLOAT) | A(INT) | A(NUMBER), 0},
    {"bool", A(BOOL) | A(NUMBER), 0},
    {"str", A(TEXT), 0},
    {"int[]", A(LIST) | A(INT) | A(NUMBER), A(INT) | A(NUMBER)},
    {"float[]", A(LIST) | A(FLOAT) | A(INT) | A(NUMBER), A(FLOAT) | A(INT) | A(NUMBER)},
    {"Tensor[]", A(LIST), A(TENSOR)},
    {"Tensor?[]", A(LIST), A(TENSOR) | A(NONE)},
    {"list", A(LIST), ~0u},
    {"any", ~0u, ~0u},
};
#undef A

static const SchemaType *type_of(const Parameter *parameter, bool *optional) {
    int length = parameter->type_length;
    *optional = parameter->type[length - 1] == '?';
    length -= *optional;
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if ((int)strlen(types[i].name) == length && strncmp(types[i].name, parameter->type, (size_t)length) == 0)
            return &types[i];
    abort(); // the table has a type that is none
}

static bool accepts(const Parameter *parameter, const AtenValue *value) {
    bool optional;
    const SchemaType *type = type_of(parameter, &optional);
    if (value->kind == ATEN_NONE && optional) return true;
    if (!(type->kinds >> value->kind & 1)) return false;
    for (int i = 0; value->kind == ATEN_LIST && i < value->count; i++)
        if (!(type->items >> value->items[i].kind & 1)) return false;
    return true;
}

static const char *kind_words(const AtenValue *value) {
    static const char *const words[] = {"None",     "a bool",   "an int", "a float",        "a text",
                                        "a tensor", "a number", "a list", "what is missing"};
    return words[value->kind];
}

// ---- schemas as text

static int name_length(const char *schema) { return (int)strcspn(schema, "("); }

// "Tensor? bias=None, ..." to one parameter; where the next one stands.
static const char *read_parameter(const char *at, Parameter *out) {
    const int whole = (int)strcspn(at, ",)");
    const int type = (int)strcspn(at, " "), rest = type + 1;
    const int name = (int)strcspn(at + rest, "=,)");
    *out = (Parameter){.type = at, .type_length = type, .name = at + rest, .name_length = name};
    if (at[rest + name] == '=') {
        out->otherwise = at + rest + name + 1;
        out->otherwise_length = whole - rest - name - 1;
    }
    at += whole;
    return *at == ',' ? at + 2 : at;
}

static void read_schema(Call *call, const char *schema) {
    const char *at = schema + name_length(schema) + 1;
    call->n_places = CALL_PARAMETERS;
    for (call->n_parameters = 0; *at != ')'; call->n_parameters++) {
        if (call->n_parameters == CALL_PARAMETERS) abort();
        if (*at == '*') {
            call->n_places = call->n_parameters;
            at += strlen("*, ");
        }
        at = read_parameter(at, &call->parameters[call->n_parameters]);
    }
    call->n_places = MIN(call->n_places, call->n_parameters);
}

// None, True, False, [], 'text', a number.
static Status read_default(Call *call, const Parameter *parameter, AtenValue *out) {
    const char *text = parameter->otherwise;
    char *end;
    *out = aten_none();
    if (*text == 'N') return ST_OK;
    if (*text == 'T' || *text == 'F') *out = aten_bool(*text == 'T');
    else if (*text == '[') *out = aten_list(NULL, 0);
    else if (*text == '\'') {
        out->kind = ATEN_TEXT;
        out->text = arena_string_n(call->aten->scratch, text + 1, (size_t)parameter->otherwise_length - 2);
        if (!out->text) return fail_memory(64);
    } else {
        const int64_t whole = strtoll(text, &end, 10);
        *out = *end == '.' || *end == 'e' ? aten_float(strtod(text, NULL)) : aten_int(whole);
    }
    return ST_OK;
}

// ---- matching

static bool is_named(const Parameter *parameter, const char *name) {
    return (int)strlen(name) == parameter->name_length &&
           strncmp(parameter->name, name, (size_t)parameter->name_length) == 0;
}

static int find_parameter(const Call *call, const char *name) {
    for (int i = 0; i < call->n_parameters; i++)
        if (is_named(&call->parameters[i], name)) return i;
    return -1;
}

static Status put(Call *call, int at, const AtenValue *value, bool *given) {
    const Parameter *parameter = &call->parameters[at];
    FAIL_IF(given[at], ST_BAD, "argument '%.*s' stands twice", parameter->name_length, parameter->name);
    FAIL_IF(!accepts(parameter, value), ST_BAD, "argument '%.*s': expected %.*s, got %s", parameter->name_length,
            parameter->name, parameter->type_length, parameter->type, kind_words(value));
    given[at] = true;
    call->args[at] = *value;
    return ST_OK;
}

static Status match_row(Call *call, const Converter *row, bool all_places) {
    const AtenCall *source = call->source;
    bool given[CALL_PARAMETERS] = {false};
    read_schema(call, row->schema);
    if (all_places) call->n_places = call->n_parameters;
    FAIL_IF(source->n_args > call->n_places, ST_BAD, "expected at most %d arguments by place, got %d", call->n_places,
            source->n_args);
    for (int i = 0; i < source->n_args; i++) TRY(put(call, i, &source->args[i], given));
    for (int i = 0; i < source->n_keywords; i++) {
        const int at = find_parameter(call, source->keywords[i].name);
        FAIL_IF(at < 0, ST_BAD, "it has no argument '%s'", source->keywords[i].name);
        TRY(put(call, at, &source->keywords[i].value, given));
    }
    for (int i = 0; i < call->n_parameters; i++) {
        const Parameter *parameter = &call->parameters[i];
        if (given[i]) continue;
        FAIL_IF(!parameter->otherwise, ST_BAD, "argument '%.*s' is missing", parameter->name_length, parameter->name);
        TRY(read_default(call, parameter, &call->args[i]));
    }
    return ST_OK;
}

static bool is_called(const Converter *row, const char *op, size_t length) {
    return (size_t)name_length(row->schema) == length && strncmp(row->schema, op, length) == 0;
}

// The rows of an operator stand one after the other. "add_" is "add", where it has no rows of its own.
static const Converter *find_rows(const char *op, int *count) {
    size_t n, length;
    const Converter *rows = aten_converters(&n), *first = NULL;
    if (text_starts(op, "aten::")) op += strlen("aten::");
    length = strlen(op);
    for (int stripped = 0; stripped < 2 && !first; stripped++, length--) {
        *count = 0;
        if (length == 0 || (stripped && (op[length] != '_' || op[length - 1] == '_'))) break;
        for (size_t i = 0; i < n; i++) {
            if (!is_called(&rows[i], op, length)) continue;
            if (!first) first = &rows[i];
            ++*count;
        }
    }
    return first;
}

bool aten_has(const char *op) {
    int count;
    return find_rows(op, &count) != NULL;
}

// An argument that no row knows belongs to an overload that is not had.
static Status check_keywords(Call *call, const Converter *rows, int count) {
    for (int i = 0; i < call->source->n_keywords; i++) {
        bool known = false;
        for (int k = 0; k < count && !known; k++) {
            read_schema(call, rows[k].schema);
            known = find_parameter(call, call->source->keywords[i].name) >= 0;
        }
        FAIL_IF(!known, ST_UNSUPPORTED, "argument '%s' is not supported", call->source->keywords[i].name);
    }
    return ST_OK;
}

// Where no row fits, what is given by name only may be given by place. Of several that don't fit the message is that of
// the last one.
Status aten_match(Call *call, const Converter **out) {
    int count;
    const Converter *rows = find_rows(call->source->op, &count);
    Status status = ST_BAD;
    TRY(check_keywords(call, rows, count));
    for (int i = 0; i < 2 * count && status == ST_BAD; i++) {
        const Converter *row = &rows[i % count];
        status = match_row(call, row, i >= count);
        *out = row;
        call->op = row->op;
    }
    if (status == ST_OK) error_clear();
    return status;
}

const AtenValue *aten_arg(const Call *call, const char *name) {
    const int at = find_parameter(call, name);
    if (at < 0) abort(); // the converter asks for what the row's schema has not
    return &call->args[at];
}
