// The data of constants in a graph's text.
#include "base/rng.h"
#include "graph/lexer.h"
#include <math.h>
#include <string.h>

static const int64_t MOST_MADE = (int64_t)1 << 28; // bytes of zeros, full and random, all constants together

static Status parse_u64(Lexer *lexer, uint64_t *out) {
    const char *word;
    TRY(lex_word(lexer, "an integer", &word));
    *out = 0;
    for (const char *c = word; *c; c++)
        FAIL_IF(*c < '0' || *c > '9' || __builtin_mul_overflow(*out, 10u, out) ||
                    __builtin_add_overflow(*out, (uint64_t)(*c - '0'), out),
                ST_BAD, "line %d: expected an integer that fits uint64, got '%s'", lexer->line, word);
    return ST_OK;
}

static Status parse_integer(Lexer *lexer, Tensor *tensor, int64_t i) {
    int64_t value;
    if (tensor->dtype == DT_U64) {
        uint64_t bits;
        TRY(parse_u64(lexer, &bits));
        ((uint64_t *)tensor->data)[i] = bits;
        return ST_OK;
    }
    TRY(lex_int(lexer, &value));
    tensor_set_int(tensor, i, value);
    const bool fits = tensor->dtype == DT_BOOL ? value == 0 || value == 1 : tensor_get_int(tensor, i) == value;
    FAIL_IF(!fits, ST_BAD, "line %d: expected a value of %s, got %lld", lexer->line, dtype_name(tensor->dtype),
            (long long)value);
    return ST_OK;
}

static Status parse_element(Lexer *lexer, Tensor *tensor, int64_t i) {
    if (!dtype_is_float(tensor->dtype)) return parse_integer(lexer, tensor, i);
    double value;
    TRY(lex_double(lexer, &value));
    tensor_set(tensor, i, value);
    return ST_OK;
}

// Every element takes a character at least, so that a shape can't ask for more memory than the text is worth.
static Status parse_elements(Lexer *lexer, DType dtype, Shape shape, Tensor *out) {
    const int64_t count = shape_count(&shape);
    FAIL_IF(count > lexer->end - lexer->at, ST_BAD, "line %d: expected %lld elements, got fewer", lexer->line,
            (long long)count);
    TRY(tensor_make(&lexer->graph->arena, dtype, shape, out));
    for (int64_t i = 0; i < count; i++) {
        if (i) TRY(lex_expect(lexer, ','));
        TRY(parse_element(lexer, out, i));
    }
    return lex_expect(lexer, '}');
}

typedef struct Normal {
    int64_t seed;
    double scale, offset;
} Normal;

static Status parse_normal_part(Lexer *lexer, Normal *normal) {
    const char *name;
    TRY(lex_word(lexer, "seed, scale or offset", &name));
    TRY(lex_expect(lexer, '='));
    if (strcmp(name, "seed") == 0) return lex_int(lexer, &normal->seed);
    if (strcmp(name, "scale") == 0) return lex_double(lexer, &normal->scale);
    if (strcmp(name, "offset") == 0) return lex_double(lexer, &normal->offset);
    return fail(ST_BAD, "line %d: expected seed, scale or offset, got '%s'", lexer->line, name);
}

static Status parse_normal(Lexer *lexer, Normal *normal) {
    *normal = (Normal){.scale = 1};
    TRY(lex_expect(lexer, '('));
    if (lex_take(lexer, ')')) return ST_OK;
    do TRY(parse_normal_part(lexer, normal));
    while (lex_take(lexer, ','));
    return lex_expect(lexer, ')');
}

// weight: what a byte counts in the budget.
static Status make_tensor(Lexer *lexer, DType dtype, Shape shape, int weight, Tensor *out) {
    const int64_t bytes = shape_count(&shape) * (int64_t)dtype_size(dtype); // parse_tensor has seen that it fits
    FAIL_IF(bytes > (MOST_MADE - lexer->made) / weight, ST_BAD,
            "line %d: expected at most %lld bytes in such constants", lexer->line, (long long)MOST_MADE);
    lexer->made += bytes * weight;
    return tensor_make(&lexer->graph->arena, dtype, shape, out);
}

static Status parse_full(Lexer *lexer, DType dtype, Shape shape, Tensor *out) {
    Tensor one;
    TRY(lex_expect(lexer, '('));
    TRY(tensor_make(&lexer->scratch, dtype, shape_of(0, NULL), &one));
    TRY(parse_element(lexer, &one, 0));
    TRY(lex_expect(lexer, ')'));
    TRY(make_tensor(lexer, dtype, shape, 1, out));
    const size_t size = dtype_size(dtype);
    for (size_t at = 0; at < tensor_bytes(out); at += size) memcpy((char *)out->data + at, one.data, size);
    return ST_OK;
}

static Status parse_random(Lexer *lexer, DType dtype, Shape shape, Tensor *out) {
    Normal normal;
    TRY(parse_normal(lexer, &normal));
    TRY(make_tensor(lexer, dtype, shape, 4, out)); // normal numbers take their time
    Rng rng;
    rng_seed(&rng, (uint64_t)normal.seed);
    for (int64_t i = 0; i < tensor_count(out); i++) tensor_set(out, i, rng_normal(&rng) * normal.scale + normal.offset);
    return ST_OK;
}

// data(OFFSET): the elements lie in the blob, at a multiple of 64.
static Status parse_blob(Lexer *lexer, DType dtype, Shape shape, int64_t bytes, Tensor *out) {
    int64_t offset;
    TRY(lex_expect(lexer, '('));
    TRY(lex_int(lexer, &offset));
    TRY(lex_expect(lexer, ')'));
    FAIL_IF(!lexer->blob, ST_BAD, "line %d: expected the elements of the constant: this text has no data beside it",
            lexer->line);
    FAIL_IF(offset < 0 || offset % 64 || (uint64_t)offset > lexer->blob_size ||
                (uint64_t)bytes > lexer->blob_size - (uint64_t)offset,
            ST_BAD, "line %d: expected data inside %zu bytes, got %lld bytes at %lld", lexer->line, lexer->blob_size,
            (long long)bytes, (long long)offset);
    *out = (Tensor){dtype, shape, (void *)(lexer->blob + offset)};
    return ST_OK;
}

// True where only the hash of the data stands: "#" in the type's own line.
static bool at_hash(const Lexer *lexer) {
    const char *at = lexer->at;
    while (at < lexer->end && *at == ' ') at++;
    return at < lexer->end && *at == '#';
}

Status parse_tensor(Lexer *lexer, Tensor *out) {
    Type type;
    TRY(lex_type(lexer, &type));
    FAIL_IF(!type_is_static(&type), ST_BAD, "line %d: expected a dtype and known dims for data", lexer->line);
    const Shape shape = type_shape(&type);
    const int64_t count = shape_count(&shape);
    int64_t bytes;
    FAIL_IF(count < 0 || !mul_i64(count, (int64_t)dtype_size(type.dtype), &bytes), ST_BAD,
            "line %d: the constant is too large", lexer->line);
    FAIL_IF(at_hash(lexer), ST_BAD,
            "line %d: expected the elements of the constant, got their hash only; print the graph with full data",
            lexer->line);
    if (lex_take(lexer, '{')) return parse_elements(lexer, type.dtype, shape, out);
    const char *word;
    TRY(lex_word(lexer, "'{', zeros, full or random", &word));
    if (strcmp(word, "data") == 0) return parse_blob(lexer, type.dtype, shape, bytes, out);
    if (strcmp(word, "zeros") == 0) return make_tensor(lexer, type.dtype, shape, 1, out);
    if (strcmp(word, "full") == 0) return parse_full(lexer, type.dtype, shape, out);
    if (strcmp(word, "random") == 0) return parse_random(lexer, type.dtype, shape, out);
    return fail(ST_BAD, "line %d: expected '{', zeros, full or random, got '%s'", lexer->line, word);
}
