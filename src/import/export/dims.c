#include "import/export/dims.h"
#include "import/export/fields.h"
#include "import/limits.h"
#include <stdio.h>
#include <string.h>

// ---- expressions

enum { MAX_DEPTH = 16, LONGEST = 256 };

// factor * symbol + offset; symbol of length 0: a number.
typedef struct Linear {
    int64_t factor, offset;
    const char *symbol;
    int length;
} Linear;

typedef struct Reader {
    const char *at;
    int depth;
} Reader;

static bool read_sum(Reader *reader, Linear *out);

static void skip_blanks(Reader *reader) { reader->at += strspn(reader->at, " "); }

static bool take(Reader *reader, char c) {
    skip_blanks(reader);
    if (*reader->at != c) return false;
    reader->at++;
    return true;
}

static bool read_number(Reader *reader, int64_t *out) {
    const bool is_negative = take(reader, '-');
    skip_blanks(reader);
    const char *begin = reader->at;
    *out = 0;
    for (; *reader->at >= '0' && *reader->at <= '9'; reader->at++) {
        if (!mul_i64(*out, 10, out) || !add_i64(*out, *reader->at - '0', out)) return false;
    }
    if (is_negative) *out = -*out;
    return reader->at > begin;
}

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

static int name_length(const char *at) {
    int length = 0;
    while (is_letter(at[length]) || (length > 0 && at[length] >= '0' && at[length] <= '9')) length++;
    return length;
}

static bool add(const Linear *a, const Linear *b, Linear *out) {
    const Linear *named = a->length > 0 ? a : b;
    if (a->length > 0 && b->length > 0 && (a->length != b->length || memcmp(a->symbol, b->symbol, (size_t)a->length)))
        return false;
    const Linear sum = {.symbol = named->symbol, .length = named->length};
    *out = sum;
    return add_i64(a->factor, b->factor, &out->factor) && add_i64(a->offset, b->offset, &out->offset);
}

static bool multiply(const Linear *a, const Linear *b, Linear *out) {
    if (a->length > 0 && b->length > 0) return false;
    const Linear *named = a->length > 0 ? a : b, *number = a->length > 0 ? b : a;
    const int64_t by = number->offset;
    const Linear product = {.symbol = named->symbol, .length = named->length};
    const Linear from = *named;
    *out = product;
    return mul_i64(from.factor, by, &out->factor) && mul_i64(from.offset, by, &out->offset);
}

// Behind "Symbol(": 's0', positive=True, integer=True).
static bool read_symbol(Reader *reader, Linear *out) {
    if (!take(reader, '\'')) return false;
    out->symbol = reader->at;
    out->length = name_length(reader->at);
    out->factor = 1;
    reader->at += out->length;
    const char *close = strchr(reader->at, ')');
    if (out->length == 0 || *reader->at != '\'' || !close) return false;
    reader->at = close + 1;
    return true;
}

static bool is_word(const char *at, int length, const char *word) {
    return (int)strlen(word) == length && memcmp(at, word, (size_t)length) == 0;
}

// Behind "Add(" or "Mul(".
static bool read_operands(Reader *reader, bool is_sum, Linear *out) {
    Linear next;
    if (!read_sum(reader, out)) return false;
    while (take(reader, ',')) {
        const Linear so_far = *out;
        if (!read_sum(reader, &next)) return false;
        if (!(is_sum ? add(&so_far, &next, out) : multiply(&so_far, &next, out))) return false;
    }
    return take(reader, ')');
}

static bool read_factor(Reader *reader, Linear *out) {
    *out = (Linear){0};
    skip_blanks(reader);
    if (take(reader, '(')) return read_sum(reader, out) && take(reader, ')');
    const char *name = reader->at;
    const int length = name_length(name);
    if (length == 0) return read_number(reader, &out->offset);
    reader->at += length;
    if (!take(reader, '(')) {
        *out = (Linear){.factor = 1, .symbol = name, .length = length};
        return true;
    }
    if (is_word(name, length, "Symbol")) return read_symbol(reader, out);
    if (is_word(name, length, "Integer")) return read_number(reader, &out->offset) && take(reader, ')');
    const bool is_sum = is_word(name, length, "Add");
    return (is_sum || is_word(name, length, "Mul")) && read_operands(reader, is_sum, out);
}

static bool read_product(Reader *reader, Linear *out) {
    Linear next;
    if (!read_factor(reader, out)) return false;
    while (take(reader, '*')) {
        const Linear so_far = *out;
        if (!read_factor(reader, &next) || !multiply(&so_far, &next, out)) return false;
    }
    return true;
}

static bool read_terms(Reader *reader, Linear *out) {
    static const Linear minus_one = {.offset = -1};
    Linear next;
    if (!read_product(reader, out)) return false;
    for (;;) {
        const bool is_minus = take(reader, '-');
        if (!is_minus && !take(reader, '+')) return true;
        if (!read_product(reader, &next) || (is_minus && !multiply(&next, &minus_one, &next))) return false;
        const Linear so_far = *out;
        if (!add(&so_far, &next, out)) return false;
    }
}

static bool read_sum(Reader *reader, Linear *out) {
    if (reader->depth >= MAX_DEPTH) return false;
    reader->depth++;
    const bool is_read = read_terms(reader, out);
    reader->depth--;
    return is_read;
}

// As Python writes it: "s0", "2*s0", "2*s0 - 1".
static const char *print_linear(Arena *arena, const Linear *linear) {
    char text[LONGEST];
    int length = 0;
    if (linear->factor == -1) length = snprintf(text, sizeof text, "-");
    else if (linear->factor != 1) length = snprintf(text, sizeof text, "%lld*", (long long)linear->factor);
    length += snprintf(text + length, sizeof text - (size_t)length, "%.*s", MIN(linear->length, 128), linear->symbol);
    if (linear->offset != 0)
        snprintf(text + length, sizeof text - (size_t)length, " %c %lld", linear->offset < 0 ? '-' : '+',
                 linear->offset < 0 ? -(long long)linear->offset : (long long)linear->offset);
    return arena_string(arena, text);
}

Status dims_parse(Arena *arena, const char *expression, DimRule *out) {
    Reader reader = {.at = expression};
    Linear linear;
    const bool is_linear = read_sum(&reader, &linear) && *reader.at == 0 && linear.length > 0 && linear.factor != 0 &&
                           linear.offset > -INT64_MAX && linear.factor > -INT64_MAX;
    *out = (DimRule){0};
    if (!is_linear) {
        out->text = arena_string_n(arena, expression, strnlen(expression, LONGEST));
        return out->text ? ST_OK : fail_memory(LONGEST);
    }
    out->text = print_linear(arena, &linear);
    out->symbol = arena_string_n(arena, linear.symbol, (size_t)linear.length);
    out->factor = linear.factor;
    out->offset = linear.offset;
    return out->text && out->symbol ? ST_OK : fail_memory(LONGEST);
}

// ---- limits

static Status read_limit(const Json *range, const char *key, int64_t otherwise, int64_t *out) {
    const Json *json = json_get(range, key);
    *out = otherwise;
    return json && json->type == JSON_NUMBER ? field_int(json, out) : ST_OK; // null, "inf": none
}

Status dims_read_ranges(Arena *arena, const JsonPart *constraints, DimRanges *out) {
    Json *json;
    *out = (DimRanges){0};
    if (!constraints->text) return ST_OK;
    TRY(json_parse_part(arena, constraints, &json));
    FAIL_IF(json->type != JSON_OBJECT, ST_BAD, "expected an object 'range_constraints', got something else");
    out->at = arena_array(arena, json->count + 1, sizeof *out->at);
    if (!out->at) return fail_memory((json->count + 1) * sizeof *out->at);
    for (size_t i = 0; i < json->count; i++) {
        DimRange *range = &out->at[out->count];
        range->name = json->keys[i];
        TRY(read_limit(&json->items[i], "min_val", INT64_MIN, &range->min));
        TRY(read_limit(&json->items[i], "max_val", INT64_MAX, &range->max));
        TRY(name_add(&out->names, arena, range->name, out->count++));
    }
    return ST_OK;
}

// As PyTorch does when it runs a program, which takes sizes of 0 and 1 wherever 2 is the least: tracing cannot tell
// those from "any".
static Status check_range(const DimRanges *ranges, const char *name, int64_t size) {
    const int32_t at = name_find(&ranges->names, name);
    if (at < 0) return ST_OK;
    const DimRange *range = &ranges->at[at];
    const int64_t least = range->min <= 2 ? 0 : range->min;
    FAIL_IF(size < least, ST_USAGE, "expected %s of at least %lld, got %lld", name, (long long)least, (long long)size);
    FAIL_IF(size > range->max, ST_USAGE, "expected %s of at most %lld, got %lld", name, (long long)range->max,
            (long long)size);
    return ST_OK;
}

Status dims_check(const DimRanges *ranges, const DimRule *rule, int64_t size, int64_t *symbol) {
    int64_t rest;
    *symbol = -1;
    TRY(check_range(ranges, rule->text, size));
    if (!rule->symbol || !add_i64(size, -rule->offset, &rest)) return ST_OK;
    FAIL_IF(rest % rule->factor != 0 || rest / rule->factor < 0, ST_USAGE, "expected %s, got %lld", rule->text,
            (long long)size);
    *symbol = rest / rule->factor;
    return check_range(ranges, rule->symbol, *symbol);
}
