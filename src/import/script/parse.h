// What the two halves of the parser share: statements (parse.c) and expressions (expression.c).
#pragma once
#include "import/script/syntax.h"
#include "import/script/token.h"

typedef struct Parser {
    Lexer lexer;
    Names *names;
    Arena *arena;
    const ScriptCode *code;
    Definition *function; // that is read; NULL: none
    int depth, blocks;    // of expressions, of blocks
} Parser;

// A list that grows in the arena: each piece of it is twice as long.
typedef struct Growing {
    void **items;
    int count, room;
} Growing;
Status growing_add(Arena *arena, Growing *list, const void *item);

Status parse_fail(const Parser *parser, const char *expected);
bool at_mark(const Parser *parser, char mark);
bool at_word(const Parser *parser, const char *word);
Status take_mark(Parser *parser, char mark);
Status take_name(Parser *parser, Name **out); // no qualified one
// The place of a variable in the frame of the function that is read; made at need.
int variable_place(Parser *parser, Name *name);
Status parse_expression(Parser *parser, const Expr **out);
// Expressions up to `close`, the last one perhaps with a comma behind it: ASCII "a, b, )".
Status parse_list(Parser *parser, char close, Growing *items);
