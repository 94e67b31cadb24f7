#include "import/script/token.h"
#include "base/text.h"
#include "import/limits.h"
#include <stdio.h>
#include <string.h>

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static char here(const Lexer *lexer) { return lexer->at < lexer->size ? lexer->code[lexer->at] : '\0'; }
static char ahead(const Lexer *lexer) { return lexer->at + 1 < lexer->size ? lexer->code[lexer->at + 1] : '\0'; }

// ---- numbers

static Status read_magnitude(const char *text, Token *token) {
    token->magnitude = 0;
    for (const char *at = text; *at; at++) {
        const uint64_t digit = (uint64_t)(*at - '0');
        FAIL_IF(token->magnitude > (UINT64_MAX - digit) / 10, ST_BAD, "expected an integer of 64 bits, got %s", text);
        token->magnitude = token->magnitude * 10 + digit;
    }
    return ST_OK;
}

// "12", "2.", "1.0000000000000001e-05".
static Status read_number(Lexer *lexer) {
    enum { MOST = 64 };
    Token *token = &lexer->token;
    char text[MOST + 1];
    size_t length = 0;
    bool is_float = false;
    for (char c = here(lexer); is_digit(c) || is_letter(c) || c == '.' || c == '+' || c == '-'; c = here(lexer)) {
        const char last = length > 0 ? text[length - 1] : '\0';
        if ((c == '+' || c == '-') && last != 'e' && last != 'E') break;
        FAIL_IF(length == MOST, ST_BAD, "expected a number of at most %d characters, got more", MOST);
        is_float |= !is_digit(c);
        text[length++] = c;
        lexer->at++;
    }
    text[length] = '\0';
    token->kind = is_float ? TOKEN_FLOAT : TOKEN_INT;
    if (!is_float) return read_magnitude(text, token);
    FAIL_IF(text[length - 1] == 'j', ST_UNSUPPORTED, "complex numbers are not supported");
    if (text[length - 1] == '.') text[--length] = '\0';
    FAIL_IF(!parse_double(text, &token->number), ST_BAD, "expected a number, got %s", text);
    return ST_OK;
}

// ---- strings

static int octal(const char *at) {
    int value = 0;
    for (int i = 0; i < 3; i++) {
        if (at[i] < '0' || at[i] > '7') return -1;
        value = value * 8 + (at[i] - '0');
    }
    return value;
}

// What stands behind a backslash; -1: nothing that is known.
static int read_escape(Lexer *lexer) {
    static const char letters[] = "abfnrtv\\'\"", meanings[] = "\a\b\f\n\r\t\v\\'\"";
    const char c = here(lexer);
    const char *found = c ? strchr(letters, c) : NULL;
    if (found) {
        lexer->at++;
        return meanings[found - letters];
    }
    if (lexer->size - lexer->at < 3) return -1;
    const int value = octal(lexer->code + lexer->at);
    lexer->at += 3;
    return value <= 255 ? value : -1;
}

static Status read_string(Lexer *lexer) {
    Token *token = &lexer->token;
    const char quote = here(lexer);
    const char *end = lexer->code + lexer->size;
    const size_t room = (size_t)(end - (lexer->code + lexer->at));
    size_t most = 1; // up to the quote that ends it
    while (most < room && lexer->code[lexer->at + most] != quote) most += lexer->code[lexer->at + most] == '\\' ? 2 : 1;
    FAIL_IF(most >= room, ST_BAD, "expected the end of the string, got the end of the code");
    FAIL_IF(most > LIMIT_TEXT, ST_BAD, "expected a string of at most %d bytes, got %zu", LIMIT_TEXT, most);
    char *text = arena_alloc(lexer->arena, most + 1);
    if (!text) return fail_memory(most);
    token->length = 0;
    for (lexer->at++; here(lexer) != quote;) {
        int c = (unsigned char)lexer->code[lexer->at++];
        FAIL_IF(c == '\n', ST_BAD, "expected the end of the string, got the end of the line");
        if (c == '\\') c = read_escape(lexer);
        FAIL_IF(c <= 0, ST_BAD, "expected characters of a string, got an escape that is not known or a NUL");
        text[token->length++] = (char)c;
    }
    lexer->at++;
    token->kind = TOKEN_STRING;
    token->text = text;
    return ST_OK;
}

// ---- lines

// Passes over blanks, comments, empty lines and line ends within brackets. True: the line has ended.
static bool skip_blanks(Lexer *lexer, int *column) {
    bool ended = false;
    for (; lexer->at < lexer->size; lexer->at++) {
        const char c = here(lexer);
        if (c == '#') {
            while (lexer->at + 1 < lexer->size && ahead(lexer) != '\n') lexer->at++;
        } else if (c == '\n') {
            lexer->line++;
            if (lexer->brackets > 0) continue;
            ended |= !lexer->line_start;
            lexer->line_start = true;
            *column = 0;
        } else if (c == ' ') {
            ++*column;
        } else if (c != '\r') {
            break;
        }
    }
    return ended;
}

static Status open_or_close(Lexer *lexer, int column) {
    const int last = lexer->n_indents > 0 ? lexer->indents[lexer->n_indents - 1] : 0;
    if (column > last) {
        FAIL_IF(lexer->n_indents == TOKEN_BLOCKS, ST_BAD, "expected blocks nested at most %d deep, got more",
                TOKEN_BLOCKS);
        lexer->indents[lexer->n_indents++] = column;
        lexer->token.kind = TOKEN_INDENT;
        return ST_OK;
    }
    while (lexer->n_indents > 0 && lexer->indents[lexer->n_indents - 1] > column) {
        lexer->n_indents--;
        lexer->dedents++;
    }
    const int now = lexer->n_indents > 0 ? lexer->indents[lexer->n_indents - 1] : 0;
    FAIL_IF(now != column, ST_BAD, "expected a line indented as the block that it is in, got another indentation");
    return ST_OK;
}

static Status read_name(Lexer *lexer) {
    const size_t from = lexer->at;
    while (is_letter(here(lexer)) || is_digit(here(lexer))) lexer->at++;
    const size_t length = lexer->at - from;
    FAIL_IF(length > LIMIT_NAME, ST_BAD, "expected a name of at most %d bytes, got %zu", LIMIT_NAME, length);
    lexer->token.kind = TOKEN_NAME;
    lexer->token.text = lexer->code + from;
    lexer->token.length = length;
    return ST_OK;
}

static Status read_mark(Lexer *lexer) {
    static const char marks[] = "()[]{}.,:=-";
    const char c = here(lexer);
    FAIL_IF(!c || !strchr(marks, c), ST_BAD, "expected TorchScript's code, got the byte 0x%02x", (unsigned)(uint8_t)c);
    lexer->token.kind = TOKEN_MARK;
    lexer->token.mark = c;
    if (c == '-' && ahead(lexer) == '>') {
        lexer->token.mark = '>';
        lexer->at++;
    }
    lexer->at++;
    if (strchr("([{", c)) lexer->brackets++;
    if (strchr(")]}", c) && lexer->brackets > 0) lexer->brackets--;
    return ST_OK;
}

static Status read_word(Lexer *lexer) {
    const char c = here(lexer);
    if (is_letter(c)) return read_name(lexer);
    if (is_digit(c)) return read_number(lexer);
    if (c == '"' || c == '\'') return read_string(lexer);
    return read_mark(lexer);
}

Status lexer_next(Lexer *lexer) {
    int column = 0;
    const bool was_start = lexer->line_start;
    const bool ended = lexer->dedents == 0 && skip_blanks(lexer, &column);
    lexer->token = (Token){.line = lexer->line, .at = lexer->at};
    if (ended) {
        lexer->token.kind = TOKEN_NEWLINE;
        lexer->indent = column;
        return ST_OK;
    }
    if (lexer->dedents == 0 && was_start && lexer->line_start) {
        TRY(open_or_close(lexer, lexer->indent ? lexer->indent : column));
        lexer->indent = 0;
        lexer->line_start = false;
        if (lexer->token.kind == TOKEN_INDENT) return ST_OK;
    }
    if (lexer->dedents > 0) {
        lexer->dedents--;
        lexer->token.kind = TOKEN_DEDENT;
        return ST_OK;
    }
    return lexer->at < lexer->size ? read_word(lexer) : ST_OK;
}

Status lexer_begin(Lexer *lexer, Arena *arena, const char *code, size_t size) {
    *lexer = (Lexer){.arena = arena, .code = code, .size = size, .line = 1, .line_start = true};
    return lexer_next(lexer);
}

const char *token_name(const Token *token, char buffer[48]) {
    static const char *const names[] = {[TOKEN_END] = "the end of the code",
                                        [TOKEN_NEWLINE] = "the end of the line",
                                        [TOKEN_INDENT] = "a deeper line",
                                        [TOKEN_DEDENT] = "the end of a block",
                                        [TOKEN_INT] = "a number",
                                        [TOKEN_FLOAT] = "a number",
                                        [TOKEN_STRING] = "a string"};
    if (token->kind == TOKEN_NAME) {
        snprintf(buffer, 48, "'%.*s'", (int)MIN(token->length, (size_t)40), token->text);
    } else if (token->kind == TOKEN_MARK) {
        snprintf(buffer, 48, "'%s%c'", token->mark == '>' ? "-" : "", token->mark);
    } else {
        snprintf(buffer, 48, "%s", names[token->kind]);
    }
    return buffer;
}
