#include "graph/lexer.h"
#include <ctype.h>
#include <string.h>

static bool word_char(char c) {
    return c && isascii((unsigned char)c) && (isalnum((unsigned char)c) || strchr("_.+-", c));
}

char lex_peek(Lexer *lexer) {
    bool comment = false;
    for (; lexer->at < lexer->end; lexer->at++) {
        const char c = *lexer->at;
        if (c == '\n') {
            lexer->line++;
            comment = false;
        } else if (c == '#') {
            comment = true;
        } else if (!comment && c != ' ' && c != '\t' && c != '\r') {
            return c;
        }
    }
    return 0;
}

Status lex_fail(Lexer *lexer, const char *expected) {
    if (!lex_peek(lexer) && lexer->at == lexer->end)
        return fail(ST_BAD, "line %d: expected %s, got the end of the text", lexer->line, expected);
    int length = 0;
    while (lexer->at + length < lexer->end && length < 32 && word_char(lexer->at[length])) length++;
    return fail(ST_BAD, "line %d: expected %s, got '%.*s'", lexer->line, expected, MAX(length, 1), lexer->at);
}

bool lex_take(Lexer *lexer, char c) {
    if (lex_peek(lexer) != c || lexer->at == lexer->end) return false;
    lexer->at++;
    return true;
}

Status lex_expect(Lexer *lexer, char c) {
    const char expected[] = {'\'', c, '\'', 0};
    return lex_take(lexer, c) ? ST_OK : lex_fail(lexer, expected);
}

Status lex_word(Lexer *lexer, const char *what, const char **out) {
    lex_peek(lexer);
    size_t length = 0;
    while (lexer->at + length < lexer->end && word_char(lexer->at[length])) length++;
    if (!length) return lex_fail(lexer, what);
    *out = arena_string_n(&lexer->scratch, lexer->at, length);
    if (!*out) return fail_memory(length);
    lexer->at += length;
    return ST_OK;
}

// Goes back, so that the message shows what stands there.
static Status lex_refuse(Lexer *lexer, const Lexer *before, const char *expected) {
    lexer->at = before->at;
    lexer->line = before->line;
    return lex_fail(lexer, expected);
}

Status lex_expect_word(Lexer *lexer, const char *word) {
    const Lexer before = *lexer;
    const char *got;
    TRY(lex_word(lexer, word, &got));
    return strcmp(got, word) == 0 ? ST_OK : lex_refuse(lexer, &before, word);
}

static int hex_digit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

// One character of a string, behind a backslash.
static Status lex_escape(Lexer *lexer, char *out) {
    const char *at = lexer->at;
    const ptrdiff_t left = lexer->end - at;
    if (left >= 1 && (*at == '"' || *at == '\\')) {
        *out = *at;
        lexer->at++;
        return ST_OK;
    }
    const int high = left >= 3 && *at == 'x' ? hex_digit(at[1]) : -1, low = high >= 0 ? hex_digit(at[2]) : -1;
    FAIL_IF(low < 0 || high * 16 + low == 0, ST_BAD, "line %d: expected \\\", \\\\ or \\xNN (not 00) in a string",
            lexer->line);
    *out = (char)(high * 16 + low);
    lexer->at += 3;
    return ST_OK;
}

Status lex_string(Lexer *lexer, const char *what, const char **out) {
    if (!lex_take(lexer, '"')) return lex_fail(lexer, what);
    const char *quote = lexer->at; // an upper bound of the length: to the next quote that is not escaped
    while (quote < lexer->end && *quote != '"' && *quote != '\n') quote += *quote == '\\' ? 2 : 1;
    FAIL_IF(quote >= lexer->end || *quote != '"', ST_BAD, "line %d: the string has no end in its line", lexer->line);
    char *string = arena_alloc(&lexer->scratch, (size_t)(quote - lexer->at) + 1);
    if (!string) return fail_memory((size_t)(quote - lexer->at) + 1);
    size_t length = 0;
    while (lexer->at < quote) {
        char c = *lexer->at++;
        FAIL_IF(c == 0, ST_BAD, "line %d: a string can't hold a NUL", lexer->line);
        if (c == '\\') TRY(lex_escape(lexer, &c));
        string[length++] = c;
    }
    string[length] = 0;
    lexer->at = quote + 1;
    *out = string;
    return ST_OK;
}

Status lex_int(Lexer *lexer, int64_t *out) {
    const Lexer before = *lexer;
    const char *word;
    TRY(lex_word(lexer, "an integer", &word));
    return parse_i64(word, out) ? ST_OK : lex_refuse(lexer, &before, "an integer");
}

Status lex_double(Lexer *lexer, double *out) {
    const Lexer before = *lexer;
    const char *word;
    TRY(lex_word(lexer, "a number", &word));
    return parse_double(word, out) ? ST_OK : lex_refuse(lexer, &before, "a number");
}

static Status lex_symbol(Lexer *lexer, int64_t *dim) {
    const char *name;
    if (*lexer->at == '"') {
        TRY(lex_string(lexer, "a symbol", &name));
        return graph_symbol(lexer->graph, name, dim);
    }
    size_t length = 0;
    for (; lexer->at + length < lexer->end; length++) {
        const char c = lexer->at[length];
        if (c == 'x' || (c != '_' && !(isascii((unsigned char)c) && isalnum((unsigned char)c)))) break;
    }
    if (!length) return lex_fail(lexer, "a dim");
    name = arena_string_n(&lexer->scratch, lexer->at, length);
    if (!name) return fail_memory(length);
    lexer->at += length;
    return graph_symbol(lexer->graph, name, dim);
}

static Status lex_dim(Lexer *lexer, int64_t *dim) {
    const char c = lex_peek(lexer);
    *dim = DIM_UNKNOWN;
    if (lex_take(lexer, '?')) return ST_OK;
    if (!c || !isdigit((unsigned char)c)) return c ? lex_symbol(lexer, dim) : lex_fail(lexer, "a dim");
    *dim = 0;
    for (; lexer->at < lexer->end && isdigit((unsigned char)*lexer->at); lexer->at++)
        FAIL_IF(!mul_i64(*dim, 10, dim) || !add_i64(*dim, *lexer->at - '0', dim), ST_BAD, "line %d: a dim is too large",
                lexer->line);
    return ST_OK;
}

static Status lex_dims(Lexer *lexer, Type *out) {
    TRY(lex_expect(lexer, '['));
    out->rank = 0;
    if (lex_take(lexer, ']')) return ST_OK;
    if (lex_take(lexer, '*')) {
        out->rank = -1;
        return lex_expect(lexer, ']');
    }
    do {
        FAIL_IF(out->rank == MAX_RANK, ST_BAD, "line %d: expected at most %d dims", lexer->line, MAX_RANK);
        TRY(lex_dim(lexer, &out->dim[out->rank++]));
    } while (lex_take(lexer, 'x'));
    return lex_take(lexer, ']') ? ST_OK : lex_fail(lexer, "'x' or ']'");
}

Status lex_type(Lexer *lexer, Type *out) {
    *out = (Type){.dtype = DT_NONE, .rank = -1};
    if (lex_take(lexer, '?')) return lex_dims(lexer, out);
    const Lexer before = *lexer;
    const char *word;
    TRY(lex_word(lexer, "a dtype", &word));
    out->dtype = dtype_from_name(word);
    if (out->dtype != DT_NONE) return lex_dims(lexer, out);
    FAIL_IF(isalpha((unsigned char)*word), ST_UNSUPPORTED,
            "line %d: dtype '%.40s' is not known here; a newer stent may know it", lexer->line, word);
    return lex_refuse(lexer, &before, "a dtype");
}
