// Words of TorchScript's own serialised language (Source: what torch/csrc/jit/serialization/python_print.cpp of
// pytorch/pytorch writes): Python's names, numbers, strings and marks, with lines and indentation.
#pragma once
#include "base/memory.h"
#include "base/status.h"

typedef enum TokenKind {
    TOKEN_END,
    TOKEN_NEWLINE,
    TOKEN_INDENT,
    TOKEN_DEDENT,
    TOKEN_NAME,
    TOKEN_INT,
    TOKEN_FLOAT,
    TOKEN_STRING,
    TOKEN_MARK // one character, or '>' for "->"
} TokenKind;

typedef struct Token {
    TokenKind kind;
    char mark;
    int line;         // from 1
    size_t at;        // byte of the code
    const char *text; // NAME, STRING: in the arena; STRING: UTF-8 without NUL
    size_t length;
    uint64_t magnitude; // INT
    double number;      // FLOAT
} Token;

enum { TOKEN_BLOCKS = 64 }; // blocks inside each other

typedef struct Lexer {
    Arena *arena; // of texts
    const char *code;
    size_t size, at;
    int line;
    int brackets;              // that are open: lines end behind the last one
    int indents[TOKEN_BLOCKS]; // columns of the blocks that are open
    int n_indents;             // the outermost one, column 0, is not counted
    int dedents;               // that are still to be handed out
    int indent;                // column of the line that begins
    bool line_start;
    Token token; // the one that is looked at
} Lexer;

// Sets lexer->token to the first word. The code has to outlive the lexer.
Status lexer_begin(Lexer *lexer, Arena *arena, const char *code, size_t size);
// The next word. ST_BAD: none of the language's. Messages are without the place.
Status lexer_next(Lexer *lexer);
// "'if'", "a number", "the end of the line": for messages.
const char *token_name(const Token *token, char buffer[48]);
