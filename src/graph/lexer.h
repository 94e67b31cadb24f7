// Private to the parser of graphs (parse.c, parse_data.c): characters, words, strings, numbers, types.
// Every failure is ST_BAD with the line: "line 3: expected '(', got 'foo'".
#pragma once
#include "graph/graph.h"

typedef struct Lexer {
    const char *at, *end;
    int line;
    Graph *graph;  // symbols and data go there
    Arena scratch; // strings and lists until the end of parsing
    const uint8_t *blob; // data of large constants (graph_parse_blob), or NULL
    size_t blob_size;
    int64_t made;  // bytes of constants that were made without being written out
} Lexer;

Status lex_fail(Lexer *lexer, const char *expected); // with what stands there
char lex_peek(Lexer *lexer);                         // the next character behind space and comments; 0: the end
bool lex_take(Lexer *lexer, char c);                 // takes it if it is the next one
Status lex_expect(Lexer *lexer, char c);
Status lex_expect_word(Lexer *lexer, const char *word);
Status lex_word(Lexer *lexer, const char *what, const char **out);   // letters, digits, and "_.+-"
Status lex_string(Lexer *lexer, const char *what, const char **out); // in double quotes
Status lex_int(Lexer *lexer, int64_t *out);
Status lex_double(Lexer *lexer, double *out);
Status lex_type(Lexer *lexer, Type *out);

// A tensor with its data (parse_data.c).
Status parse_tensor(Lexer *lexer, Tensor *out);
