#include "wire/pickle.h"
#include "base/text.h"
#include "wire/pickle_line.h"
#include <string.h>

// What a pickle is: a program for a machine with a stack and a memo. Each opcode pushes a value, joins those on top, or
// remembers the top. MARK puts a mark, from which others collect what was pushed since. The value that is left at STOP
// is the answer.
typedef struct Parser {
    Arena *arena;
    const uint8_t *start, *at, *end;
    size_t offset;    // of the opcode that is being read
    const char *name; // its name
    int argument;     // the number beside it in the table of opcodes
    size_t work, values;
    PickleValue **stack; // NULL: a mark
    size_t n_stack, stack_room;
    PickleValue **memo; // NULL: a number that was not given
    size_t memo_room, n_memo;
    PickleValue **persistent;
    size_t n_persistent, persistent_room;
    bool stopped;
} Parser;

// A failure of the opcode that is being read, with its place.
#define FAIL_OPCODE(parser, code, ...) (name_opcode(parser, fail(code, __VA_ARGS__)), (code))

static void name_opcode(const Parser *parser, Status status) {
    (void)fail_context(status, "byte %zu (%s)", parser->offset, parser->name);
}

// ---- memory

// Room for `needed` pointers; what is new is NULL.
static Status reserve(PickleValue ***array, size_t *room, size_t needed) {
    if (needed <= *room) return ST_OK;
    const size_t more = MAX(needed, MAX((size_t)64, *room * 2));
    PickleValue **grown = mem_resize(*array, more * sizeof *grown);
    if (!grown) return fail_memory(more * sizeof *grown);
    memset(grown + *room, 0, (more - *room) * sizeof *grown);
    *array = grown;
    *room = more;
    return ST_OK;
}

static Status make_value(Parser *parser, PickleKind kind, PickleValue **out) {
    if (parser->values == PICKLE_MAX_VALUES)
        return FAIL_OPCODE(parser, ST_BAD, "expected at most %d values, got more", PICKLE_MAX_VALUES);
    parser->values++;
    *out = arena_alloc(parser->arena, sizeof **out);
    if (!*out) return fail_memory(sizeof **out);
    (*out)->kind = kind;
    (*out)->offset = parser->offset;
    return ST_OK;
}

// ---- the stack

static Status push(Parser *parser, PickleValue *value) {
    if (parser->n_stack == PICKLE_MAX_STACK)
        return FAIL_OPCODE(parser, ST_BAD, "expected at most %d values that wait, got more", PICKLE_MAX_STACK);
    TRY(reserve(&parser->stack, &parser->stack_room, parser->n_stack + 1));
    parser->stack[parser->n_stack++] = value;
    return ST_OK;
}

static Status push_new(Parser *parser, PickleKind kind, PickleValue **out) {
    TRY(make_value(parser, kind, out));
    return push(parser, *out);
}

// The value on top, which stays there.
static Status peek(Parser *parser, PickleValue **out) {
    const bool there = parser->n_stack > 0;
    if (!there || !parser->stack[parser->n_stack - 1])
        return FAIL_OPCODE(parser, ST_BAD, "expected a value before it, got %s", there ? "a mark" : "none");
    *out = parser->stack[parser->n_stack - 1];
    return ST_OK;
}

static Status pop(Parser *parser, PickleValue **out) {
    TRY(peek(parser, out));
    parser->n_stack--;
    return ST_OK;
}

static Status pop_kind(Parser *parser, PickleKind kind, PickleValue **out) {
    TRY(pop(parser, out));
    if ((*out)->kind != kind)
        return FAIL_OPCODE(parser, ST_BAD, "expected %s, got %s", pickle_kind(kind), pickle_kind_name(*out));
    return ST_OK;
}

// Takes what was pushed since the last mark, and the mark. *values stay valid until the next push.
static Status pop_mark(Parser *parser, PickleValue ***values, size_t *count) {
    size_t at = parser->n_stack;
    while (at > 0 && parser->stack[at - 1]) at--;
    if (at == 0) return FAIL_OPCODE(parser, ST_BAD, "expected a mark before it, got none");
    *values = parser->stack + at;
    *count = parser->n_stack - at;
    parser->n_stack = at - 1;
    return ST_OK;
}

// ---- bytes behind an opcode

static Status take(Parser *parser, uint64_t count, const uint8_t **out) {
    const size_t left = (size_t)(parser->end - parser->at);
    if (count > left)
        return FAIL_OPCODE(parser, ST_BAD, "expected %llu bytes, got %zu; the file is cut short or damaged",
                           (unsigned long long)count, left);
    *out = parser->at;
    parser->at += count;
    return ST_OK;
}

// An integer of `bytes` bytes without a sign, little-endian.
static Status take_number(Parser *parser, int bytes, uint64_t *out) {
    const uint8_t *at;
    TRY(take(parser, (uint64_t)bytes, &at));
    *out = 0;
    for (int i = 0; i < bytes; i++) *out |= (uint64_t)at[i] << (8 * i);
    return ST_OK;
}

// As many bytes as the number in front of them says.
static Status take_counted(Parser *parser, int bytes, const uint8_t **out, size_t *size) {
    uint64_t count;
    TRY(take_number(parser, bytes, &count));
    TRY(take(parser, count, out));
    *size = (size_t)count;
    return ST_OK;
}

// Up to the end of the line, as a NUL-terminated copy; the text forms of protocol 0.
static Status take_line(Parser *parser, char **out, size_t *size) {
    const uint8_t *start = parser->at, *end = memchr(start, '\n', (size_t)(parser->end - start));
    if (!end) return FAIL_OPCODE(parser, ST_BAD, "expected a line, got the end of the file");
    *size = (size_t)(end - start);
    parser->at = end + 1;
    *out = arena_string_n(parser->arena, (const char *)start, *size);
    return *out ? ST_OK : fail_memory(*size);
}

static Status check_name(const Parser *parser, size_t size) {
    if (size <= PICKLE_MAX_NAME) return ST_OK;
    return FAIL_OPCODE(parser, ST_BAD, "expected a name of at most %d bytes, got %zu", PICKLE_MAX_NAME, size);
}

static Status take_name(Parser *parser, const char **out) {
    char *line;
    size_t size;
    TRY(take_line(parser, &line, &size));
    if (strlen(line) != size || !utf8_valid(line, size))
        return FAIL_OPCODE(parser, ST_BAD, "expected a name in UTF-8, got other bytes");
    *out = line;
    return check_name(parser, size);
}

// ---- numbers

// None, or a container that is still empty.
static Status read_empty(Parser *parser) {
    const int kind = parser->argument;
    PickleValue *value;
    return push_new(parser, (PickleKind)kind, &value);
}

static Status push_bool(Parser *parser, bool is_true) {
    PickleValue *value;
    TRY(push_new(parser, PICKLE_BOOL, &value));
    value->i = is_true;
    return ST_OK;
}

static Status read_bool(Parser *parser) { return push_bool(parser, parser->argument); }

static Status push_int(Parser *parser, int64_t number) {
    PickleValue *value;
    TRY(push_new(parser, PICKLE_INT, &value));
    value->i = number;
    return ST_OK;
}

// Of 4 bytes with a sign, of fewer without.
static Status read_int(Parser *parser) {
    const int bytes = parser->argument;
    uint64_t number;
    TRY(take_number(parser, bytes, &number));
    return push_int(parser, bytes == 4 ? (int32_t)(uint32_t)number : (int64_t)number);
}

static Status bad_line(const Parser *parser, const char *what, const char *line) {
    int shown = 0;
    while (shown < 40 && line[shown] >= ' ' && line[shown] <= '~') shown++;
    return FAIL_OPCODE(parser, ST_BAD, "expected %s, got '%.*s'", what, shown, line);
}

static Status read_int_line(Parser *parser) {
    char *line;
    size_t size;
    int64_t number;
    TRY(take_line(parser, &line, &size));
    if (strcmp(line, "00") == 0 || strcmp(line, "01") == 0) return push_bool(parser, line[1] == '1');
    if (!parse_i64(line, &number)) return bad_line(parser, "an integer of 64 bits", line);
    return push_int(parser, number);
}

// "12L"
static Status read_long_line(Parser *parser) {
    char *line;
    size_t size;
    int64_t number;
    TRY(take_line(parser, &line, &size));
    if (size > 0 && line[size - 1] == 'L') line[size - 1] = 0;
    if (!parse_i64(line, &number)) return bad_line(parser, "an integer of 64 bits", line);
    return push_int(parser, number);
}

// Two's complement, little-endian, as long as it takes.
static Status read_long(Parser *parser) {
    const int bytes = parser->argument;
    const uint8_t *at;
    size_t size;
    uint64_t number = 0;
    PickleValue *value;
    TRY(take_counted(parser, bytes, &at, &size));
    if (size > 8) {
        TRY(push_new(parser, PICKLE_LONG, &value));
        value->bytes = at;
        value->size = size;
        return ST_OK;
    }
    if (size > 0 && at[size - 1] >= 0x80) number = UINT64_MAX;
    for (size_t i = size; i > 0; i--) number = number << 8 | at[i - 1];
    return push_int(parser, (int64_t)number);
}

static Status push_float(Parser *parser, double number) {
    PickleValue *value;
    TRY(push_new(parser, PICKLE_FLOAT, &value));
    value->f = number;
    return ST_OK;
}

static Status read_float(Parser *parser) {
    const int bytes = parser->argument;
    const uint8_t *at;
    uint64_t bits = 0;
    double number;
    TRY(take(parser, (uint64_t)bytes, &at));
    for (int i = 0; i < bytes; i++) bits = bits << 8 | at[i]; // big-endian, unlike all else
    memcpy(&number, &bits, sizeof number);
    return push_float(parser, number);
}

static Status read_float_line(Parser *parser) {
    char *line;
    size_t size;
    double number;
    TRY(take_line(parser, &line, &size));
    if (!parse_double(line, &number)) return bad_line(parser, "a number", line);
    return push_float(parser, number);
}

// ---- texts and bytes

// `copy`: of the arena, with a NUL behind it.
static Status push_string(Parser *parser, PickleKind kind, const void *copy, size_t size) {
    PickleValue *value;
    TRY(push_new(parser, kind, &value));
    value->bytes = copy;
    value->size = size;
    value->has_nul = memchr(copy, 0, size);
    return ST_OK;
}

static Status copy_counted(Parser *parser, int bytes, char **copy, size_t *size) {
    const uint8_t *at;
    TRY(take_counted(parser, bytes, &at, size));
    *copy = arena_string_n(parser->arena, (const char *)at, *size);
    return *copy ? ST_OK : fail_memory(*size);
}

static Status read_text(Parser *parser) {
    const int bytes = parser->argument;
    char *copy;
    size_t size;
    TRY(copy_counted(parser, bytes, &copy, &size));
    if (!utf8_valid(copy, size)) return FAIL_OPCODE(parser, ST_BAD, "expected a text in UTF-8, got other bytes");
    return push_string(parser, PICKLE_TEXT, copy, size);
}

static Status push_old_string(Parser *parser, const char *copy, size_t size) {
    return push_string(parser, utf8_valid(copy, size) ? PICKLE_TEXT : PICKLE_BYTES, copy, size);
}

// A str of Python 2: names, mostly.
static Status read_old_string(Parser *parser) {
    const int bytes = parser->argument;
    char *copy;
    size_t size;
    TRY(copy_counted(parser, bytes, &copy, &size));
    return push_old_string(parser, copy, size);
}

static Status read_bytes(Parser *parser) {
    const int bytes = parser->argument;
    const uint8_t *at;
    size_t size;
    PickleValue *value;
    TRY(take_counted(parser, bytes, &at, &size));
    TRY(push_new(parser, PICKLE_BYTES, &value));
    value->bytes = at;
    value->size = size;
    return ST_OK;
}

// 'it\'s': repr() of a str of Python 2.
static Status read_quoted_line(Parser *parser) {
    char *line;
    size_t size;
    TRY(take_line(parser, &line, &size));
    if (!pickle_unquote(line, &size)) return bad_line(parser, "a text in quotes", line);
    return push_old_string(parser, line, size);
}

static Status read_unicode_line(Parser *parser) {
    char *line, *copy;
    size_t size, room;
    TRY(take_line(parser, &line, &size));
    if (!mul_size(size, 2, &room)) return fail_memory(size);
    if (!(copy = arena_alloc(parser->arena, room + 1))) return fail_memory(room);
    if (!pickle_unescape(line, size, copy, &size)) return bad_line(parser, "a text with escapes as \\u00e9", line);
    return push_string(parser, PICKLE_TEXT, copy, size);
}

// ---- containers

// Room for `more` pointers behind those that are there.
static Status reserve_items(Parser *parser, PickleValue *container, size_t more) {
    const size_t there = container->count * (container->kind == PICKLE_DICT ? 2 : 1);
    if (there + more <= container->capacity) return ST_OK;
    const size_t room = MAX(there + more, container->capacity * 2);
    const PickleValue **items = arena_array(parser->arena, room, sizeof *items);
    if (!items) return fail_memory(room * sizeof *items);
    if (there) memcpy(items, container->items, there * sizeof *items);
    container->items = items;
    container->capacity = room;
    return ST_OK;
}

// Puts `count` values behind those that are there.
static Status add_items(Parser *parser, PickleValue *container, PickleValue *const *values, size_t count) {
    const size_t each = container->kind == PICKLE_DICT ? 2 : 1, there = container->count * each;
    TRY(reserve_items(parser, container, count));
    for (size_t i = 0; i < count; i++) container->items[there + i] = values[i];
    container->count += count / each;
    return ST_OK;
}

static Status check_pairs(const Parser *parser, size_t count) {
    if (count % 2 == 0) return ST_OK;
    return FAIL_OPCODE(parser, ST_BAD, "expected a value for each key, got %zu together", count);
}

// What was pushed since the mark becomes a container.
static Status collect(Parser *parser) {
    const int kind = parser->argument;
    PickleValue **values, *container;
    size_t count;
    TRY(pop_mark(parser, &values, &count));
    if (kind == PICKLE_DICT) TRY(check_pairs(parser, count));
    TRY(make_value(parser, (PickleKind)kind, &container));
    TRY(add_items(parser, container, values, count));
    return push(parser, container);
}

static Status collect_tuple(Parser *parser) {
    const int count = parser->argument;
    PickleValue *tuple, *values[3];
    for (int i = count - 1; i >= 0; i--) TRY(pop(parser, &values[i]));
    TRY(make_value(parser, PICKLE_TUPLE, &tuple));
    TRY(add_items(parser, tuple, values, (size_t)count));
    return push(parser, tuple);
}

// The container itself, or what an object keeps of that kind, made at need.
static Status open_container(Parser *parser, PickleValue *target, PickleKind kind, PickleValue **out) {
    *out = target;
    if (target->kind == kind) return ST_OK;
    if (target->kind != PICKLE_OBJECT)
        return FAIL_OPCODE(parser, ST_BAD, "expected %s or an object to fill, got %s", pickle_kind(kind),
                           pickle_kind_name(target));
    PickleValue **inside = kind == PICKLE_DICT ? &target->dict : &target->list;
    if (!*inside) TRY(make_value(parser, kind == PICKLE_DICT ? PICKLE_DICT : PICKLE_LIST, inside));
    *out = *inside;
    return ST_OK;
}

static Status fill_one(Parser *parser) {
    const int kind = parser->argument;
    PickleValue *values[2], *target, *container;
    const int count = kind == PICKLE_DICT ? 2 : 1;
    for (int i = count - 1; i >= 0; i--) TRY(pop(parser, &values[i]));
    TRY(peek(parser, &target));
    TRY(open_container(parser, target, (PickleKind)kind, &container));
    return add_items(parser, container, values, (size_t)count);
}

static Status fill_many(Parser *parser) {
    const int kind = parser->argument;
    PickleValue **values, *target, *container;
    size_t count;
    TRY(pop_mark(parser, &values, &count));
    if (kind == PICKLE_DICT) TRY(check_pairs(parser, count));
    TRY(peek(parser, &target));
    TRY(open_container(parser, target, (PickleKind)kind, &container));
    return add_items(parser, container, values, count);
}

// ---- stack and memo

static Status push_mark(Parser *parser) { return push(parser, NULL); }

static Status drop_marked(Parser *parser) {
    PickleValue **values;
    size_t count;
    return pop_mark(parser, &values, &count);
}

static Status drop_top(Parser *parser) {
    if (parser->n_stack == 0) return FAIL_OPCODE(parser, ST_BAD, "expected a value before it, got none");
    parser->n_stack--; // a mark too
    return ST_OK;
}

static Status copy_top(Parser *parser) {
    PickleValue *value;
    TRY(peek(parser, &value));
    return push(parser, value);
}

// The number of a memo, of `bytes` bytes; 0: it stands there as text.
static Status take_memo_number(Parser *parser, int bytes, uint64_t *out) {
    char *line;
    size_t size;
    int64_t number;
    if (bytes > 0) return take_number(parser, bytes, out);
    TRY(take_line(parser, &line, &size));
    if (!parse_i64(line, &number) || number < 0) return bad_line(parser, "a number of the memo", line);
    *out = (uint64_t)number;
    return ST_OK;
}

static Status get_memo(Parser *parser) {
    const int bytes = parser->argument;
    uint64_t number;
    TRY(take_memo_number(parser, bytes, &number));
    if (number >= parser->memo_room || !parser->memo[number])
        return FAIL_OPCODE(parser, ST_BAD, "expected a number of the memo that was given before, got %llu",
                           (unsigned long long)number);
    return push(parser, parser->memo[number]);
}

// Pickles number what they remember in its order, so that the number is below the pickle's size.
static Status remember(Parser *parser, uint64_t number) {
    const size_t most = MIN((size_t)PICKLE_MAX_MEMO, (size_t)(parser->end - parser->start));
    PickleValue *value;
    TRY(peek(parser, &value));
    if (number >= most)
        return FAIL_OPCODE(parser, ST_BAD, "expected a number of the memo below %zu, got %llu", most,
                           (unsigned long long)number);
    TRY(reserve(&parser->memo, &parser->memo_room, (size_t)number + 1));
    parser->n_memo += !parser->memo[number];
    parser->memo[number] = value;
    return ST_OK;
}

static Status put_memo(Parser *parser) {
    const int bytes = parser->argument;
    uint64_t number;
    TRY(take_memo_number(parser, bytes, &number));
    return remember(parser, number);
}

static Status memoize(Parser *parser) { return remember(parser, parser->n_memo); }

// ---- globals, objects, persistent ids

static Status push_global(Parser *parser, const char *module, const char *name) {
    PickleValue *value;
    TRY(push_new(parser, PICKLE_GLOBAL, &value));
    value->module = module;
    value->name = name;
    return ST_OK;
}

static Status read_global(Parser *parser) {
    const char *module, *name;
    TRY(take_name(parser, &module));
    TRY(take_name(parser, &name));
    return push_global(parser, module, name);
}

static Status read_stack_global(Parser *parser) {
    PickleValue *module, *name;
    TRY(pop_kind(parser, PICKLE_TEXT, &name));
    TRY(pop_kind(parser, PICKLE_TEXT, &module));
    if (!pickle_text(module) || !pickle_text(name))
        return FAIL_OPCODE(parser, ST_BAD, "expected the name of a global, got one with a NUL inside");
    TRY(check_name(parser, module->size));
    TRY(check_name(parser, name->size));
    return push_global(parser, pickle_text(module), pickle_text(name));
}

// collections.OrderedDict() is empty, not absent; as Python 2 writes it, OrderedDict([[key, value], ...]), it has its
// pairs at once, which others get by SETITEMS.
static Status open_ordered_dict(Parser *parser, PickleValue *object) {
    const PickleValue *list = pickle_item(object->args, 0);
    PickleValue *dict;
    if (!pickle_is_made_by(object, "collections", "OrderedDict")) return ST_OK;
    TRY(open_container(parser, object, PICKLE_DICT, &dict));
    if (!pickle_is(list, PICKLE_LIST)) return ST_OK;
    parser->work += 2 * list->count; // the same list may come again and again
    TRY(reserve_items(parser, dict, 2 * list->count));
    for (size_t i = 0; i < list->count; i++) {
        const PickleValue *pair = list->items[i];
        if ((!pickle_is(pair, PICKLE_LIST) && !pickle_is(pair, PICKLE_TUPLE)) || pair->count != 2)
            return FAIL_OPCODE(parser, ST_BAD, "expected pairs for an OrderedDict, got %s", pickle_kind_name(pair));
        PickleValue *const values[2] = {(PickleValue *)(uintptr_t)pair->items[0],
                                        (PickleValue *)(uintptr_t)pair->items[1]};
        TRY(add_items(parser, dict, values, 2));
    }
    return ST_OK;
}

static Status push_object(Parser *parser, PickleValue *maker, PickleValue *args, PickleValue *kwargs) {
    PickleValue *object;
    if (maker->kind != PICKLE_GLOBAL && maker->kind != PICKLE_OBJECT && maker->kind != PICKLE_PERSISTENT)
        return FAIL_OPCODE(parser, ST_BAD, "expected a class or function, got %s", pickle_kind_name(maker));
    TRY(push_new(parser, PICKLE_OBJECT, &object));
    object->maker = maker;
    object->args = args;
    object->kwargs = kwargs;
    return open_ordered_dict(parser, object);
}

static Status make_args(Parser *parser, PickleValue *const *values, size_t count, PickleValue **out) {
    TRY(make_value(parser, PICKLE_TUPLE, out));
    return add_items(parser, *out, values, count);
}

// maker, args: REDUCE, NEWOBJ. maker, args, kwargs: NEWOBJ_EX. PyTorch's own pickler, of TorchScript, gives the value
// of an enum without a tuple around it.
static Status read_object(Parser *parser) {
    const int has_kwargs = parser->argument;
    PickleValue *maker, *args, *kwargs = NULL;
    if (has_kwargs) TRY(pop_kind(parser, PICKLE_DICT, &kwargs));
    const PickleValue *top = parser->n_stack > 0 ? parser->stack[parser->n_stack - 1] : NULL;
    if (pickle_is(top, PICKLE_INT) || pickle_is(top, PICKLE_FLOAT) || pickle_is(top, PICKLE_TEXT)) {
        PickleValue *value;
        TRY(pop(parser, &value));
        TRY(make_args(parser, &value, 1, &args));
    } else {
        TRY(pop_kind(parser, PICKLE_TUPLE, &args));
    }
    TRY(pop(parser, &maker));
    return push_object(parser, maker, args, kwargs);
}

// mark, args...; the class stands behind the opcode.
static Status read_inst(Parser *parser) {
    PickleValue **values, *maker, *args;
    size_t count;
    TRY(pop_mark(parser, &values, &count));
    TRY(make_args(parser, values, count, &args));
    TRY(read_global(parser));
    TRY(pop(parser, &maker));
    return push_object(parser, maker, args, NULL);
}

// mark, class, args...
static Status read_obj(Parser *parser) {
    PickleValue **values, *args;
    size_t count;
    TRY(pop_mark(parser, &values, &count));
    if (count == 0) return FAIL_OPCODE(parser, ST_BAD, "expected a class or function, got a mark");
    PickleValue *const maker = values[0];
    TRY(make_args(parser, values + 1, count - 1, &args));
    return push_object(parser, maker, args, NULL);
}

static Status read_build(Parser *parser) {
    PickleValue *state, *object;
    TRY(pop(parser, &state));
    TRY(peek(parser, &object));
    if (object->kind != PICKLE_OBJECT)
        return FAIL_OPCODE(parser, ST_BAD, "expected an object to set up, got %s", pickle_kind_name(object));
    if (object->state) return FAIL_OPCODE(parser, ST_UNSUPPORTED, "objects that are set up twice are not supported");
    object->state = state;
    return ST_OK;
}

static Status push_persistent(Parser *parser, PickleValue *id) {
    PickleValue *value;
    TRY(push_new(parser, PICKLE_PERSISTENT, &value));
    value->id = id;
    TRY(reserve(&parser->persistent, &parser->persistent_room, parser->n_persistent + 1));
    parser->persistent[parser->n_persistent++] = value;
    return ST_OK;
}

static Status read_persistent(Parser *parser) {
    PickleValue *id;
    TRY(pop(parser, &id));
    return push_persistent(parser, id);
}

static Status read_persistent_line(Parser *parser) {
    const char *line;
    PickleValue *id;
    TRY(take_name(parser, &line));
    TRY(push_string(parser, PICKLE_TEXT, line, strlen(line)));
    TRY(pop(parser, &id));
    return push_persistent(parser, id);
}

static Status refuse(Parser *parser) {
    return FAIL_OPCODE(parser, ST_UNSUPPORTED, "%s are not supported",
                       parser->name[0] == 'E' ? "codes of an extension registry" : "buffers outside of the pickle");
}

// ---- the pickle's own

static Status read_protocol(Parser *parser) {
    const int most = parser->argument;
    uint64_t version;
    TRY(take_number(parser, 1, &version));
    if (version > (uint64_t)most)
        return FAIL_OPCODE(parser, ST_UNSUPPORTED, "expected a protocol of 0 to %d, got %llu", most,
                           (unsigned long long)version);
    return ST_OK;
}

// Says how many bytes follow that may be read at once: all are there.
static Status read_frame(Parser *parser) {
    const int bytes = parser->argument;
    uint64_t size;
    const uint8_t *content;
    TRY(take_number(parser, bytes, &size));
    TRY(take(parser, size, &content));
    parser->at = content;
    return ST_OK;
}

static Status stop(Parser *parser) {
    PickleValue *root;
    TRY(peek(parser, &root));
    if (parser->n_stack != 1)
        return FAIL_OPCODE(parser, ST_BAD, "expected one value at the end, got %zu", parser->n_stack);
    parser->stopped = true;
    return ST_OK;
}

// clang-format off
static const struct {
    const char *name;
    Status (*read)(Parser *parser);
    int argument;
} opcodes[256] = {
    ['.'] = {"STOP", stop, 0},
    [0x80] = {"PROTO", read_protocol, 5},
    [0x95] = {"FRAME", read_frame, 8},
    ['N'] = {"NONE", read_empty, PICKLE_NONE},
    [0x88] = {"NEWTRUE", read_bool, 1},
    [0x89] = {"NEWFALSE", read_bool, 0},
    ['I'] = {"INT", read_int_line, 0},
    ['J'] = {"BININT", read_int, 4},
    ['K'] = {"BININT1", read_int, 1},
    ['M'] = {"BININT2", read_int, 2},
    ['L'] = {"LONG", read_long_line, 0},
    [0x8a] = {"LONG1", read_long, 1},
    [0x8b] = {"LONG4", read_long, 4},
    ['F'] = {"FLOAT", read_float_line, 0},
    ['G'] = {"BINFLOAT", read_float, 8},
    ['S'] = {"STRING", read_quoted_line, 0},
    ['T'] = {"BINSTRING", read_old_string, 4},
    ['U'] = {"SHORT_BINSTRING", read_old_string, 1},
    ['B'] = {"BINBYTES", read_bytes, 4},
    ['C'] = {"SHORT_BINBYTES", read_bytes, 1},
    [0x8e] = {"BINBYTES8", read_bytes, 8},
    [0x96] = {"BYTEARRAY8", read_bytes, 8},
    ['V'] = {"UNICODE", read_unicode_line, 0},
    [0x8c] = {"SHORT_BINUNICODE", read_text, 1},
    ['X'] = {"BINUNICODE", read_text, 4},
    [0x8d] = {"BINUNICODE8", read_text, 8},
    [']'] = {"EMPTY_LIST", read_empty, PICKLE_LIST},
    ['a'] = {"APPEND", fill_one, PICKLE_LIST},
    ['e'] = {"APPENDS", fill_many, PICKLE_LIST},
    ['l'] = {"LIST", collect, PICKLE_LIST},
    [')'] = {"EMPTY_TUPLE", read_empty, PICKLE_TUPLE},
    ['t'] = {"TUPLE", collect, PICKLE_TUPLE},
    [0x85] = {"TUPLE1", collect_tuple, 1},
    [0x86] = {"TUPLE2", collect_tuple, 2},
    [0x87] = {"TUPLE3", collect_tuple, 3},
    ['}'] = {"EMPTY_DICT", read_empty, PICKLE_DICT},
    ['d'] = {"DICT", collect, PICKLE_DICT},
    ['s'] = {"SETITEM", fill_one, PICKLE_DICT},
    ['u'] = {"SETITEMS", fill_many, PICKLE_DICT},
    [0x8f] = {"EMPTY_SET", read_empty, PICKLE_SET},
    [0x90] = {"ADDITEMS", fill_many, PICKLE_SET},
    [0x91] = {"FROZENSET", collect, PICKLE_SET},
    ['('] = {"MARK", push_mark, 0},
    ['1'] = {"POP_MARK", drop_marked, 0},
    ['0'] = {"POP", drop_top, 0},
    ['2'] = {"DUP", copy_top, 0},
    ['g'] = {"GET", get_memo, 0},
    ['h'] = {"BINGET", get_memo, 1},
    ['j'] = {"LONG_BINGET", get_memo, 4},
    ['p'] = {"PUT", put_memo, 0},
    ['q'] = {"BINPUT", put_memo, 1},
    ['r'] = {"LONG_BINPUT", put_memo, 4},
    [0x94] = {"MEMOIZE", memoize, 0},
    ['c'] = {"GLOBAL", read_global, 0},
    [0x93] = {"STACK_GLOBAL", read_stack_global, 0},
    ['R'] = {"REDUCE", read_object, 0},
    [0x81] = {"NEWOBJ", read_object, 0},
    [0x92] = {"NEWOBJ_EX", read_object, 1},
    ['i'] = {"INST", read_inst, 0},
    ['o'] = {"OBJ", read_obj, 0},
    ['b'] = {"BUILD", read_build, 0},
    ['P'] = {"PERSID", read_persistent_line, 0},
    ['Q'] = {"BINPERSID", read_persistent, 0},
    [0x82] = {"EXT1", refuse, 0},
    [0x83] = {"EXT2", refuse, 0},
    [0x84] = {"EXT4", refuse, 0},
    [0x97] = {"NEXT_BUFFER", refuse, 0},
    [0x98] = {"READONLY_BUFFER", refuse, 0},
};
// clang-format on

static Status read_opcode(Parser *parser) {
    parser->offset = (size_t)(parser->at - parser->start);
    FAIL_IF(parser->at == parser->end, ST_BAD,
            "byte %zu: expected an opcode of a pickle, got the end; the file is cut short", parser->offset);
    const uint8_t code = *parser->at++;
    FAIL_IF(!opcodes[code].read, ST_BAD, "byte %zu: expected an opcode of a pickle, got 0x%02x", parser->offset, code);
    parser->name = opcodes[code].name;
    if (parser->work++ >= PICKLE_MAX_OPCODES)
        return FAIL_OPCODE(parser, ST_BAD, "expected at most %d opcodes, got more", PICKLE_MAX_OPCODES);
    parser->argument = opcodes[code].argument;
    return opcodes[code].read(parser);
}

static Status finish(Parser *parser, Pickle *out) {
    out->root = parser->stack[0];
    out->size = (size_t)(parser->at - parser->start);
    out->n_persistent = parser->n_persistent;
    out->persistent = arena_array(parser->arena, parser->n_persistent + 1, sizeof *out->persistent);
    if (!out->persistent) return fail_memory(parser->n_persistent * sizeof *out->persistent);
    for (size_t i = 0; i < parser->n_persistent; i++) out->persistent[i] = parser->persistent[i];
    return ST_OK;
}

Status pickle_read(Arena *arena, const void *bytes, size_t size, Pickle *out) {
    static const uint8_t nothing[1];
    const uint8_t *start = size > 0 ? bytes : nothing;
    Parser parser = {.arena = arena, .start = start, .at = start, .end = start + size};
    Status status = ST_OK;
    *out = (Pickle){0};
    while (status == ST_OK && !parser.stopped) status = read_opcode(&parser);
    if (status == ST_OK) status = finish(&parser, out);
    mem_free(parser.stack);
    mem_free(parser.memo);
    mem_free(parser.persistent);
    return status;
}
