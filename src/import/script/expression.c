#include "base/text.h"
#include "import/script/parse.h"
#include <string.h>

Status growing_add(Arena *arena, Growing *list, const void *item) {
    FAIL_IF(list->count == SCRIPT_ARGUMENTS, ST_BAD, "expected at most %d entries of a list, got more",
            SCRIPT_ARGUMENTS);
    if (list->count == list->room) {
        const int room = MAX(4, 2 * list->room);
        void **items = arena_array(arena, (size_t)room, sizeof *items);
        if (!items) return fail_memory((size_t)room * sizeof *items);
        if (list->count > 0) memcpy(items, list->items, (size_t)list->count * sizeof *items);
        list->items = items;
        list->room = room;
    }
    list->items[list->count++] = (void *)(uintptr_t)item;
    return ST_OK;
}

static Status make(Parser *parser, ExprKind kind, Expr **out) {
    Expr *expr = arena_alloc(parser->arena, sizeof *expr);
    if (!expr) return fail_memory(sizeof *expr);
    *expr = (Expr){.kind = kind, .at = (uint32_t)parser->lexer.token.at, .line = parser->lexer.token.line};
    *out = expr;
    return ST_OK;
}

static void set_items(Expr *expr, const Growing *items) {
    expr->items = (const Expr **)items->items;
    expr->count = items->count;
}

Status parse_list(Parser *parser, char close, Growing *items) {
    while (!at_mark(parser, close)) {
        const Expr *item;
        TRY(parse_expression(parser, &item));
        TRY(growing_add(parser->arena, items, item));
        if (at_mark(parser, close)) break;
        TRY(take_mark(parser, ','));
    }
    return take_mark(parser, close);
}

// ---- what stands alone

// "(a)" is a; "()", "(a,)" and "(a, b)" are tuples.
static Status parse_parentheses(Parser *parser, const Expr **out) {
    Expr *tuple = NULL;
    Growing items = {0};
    bool is_tuple = true;
    TRY(make(parser, EXPR_TUPLE, &tuple));
    TRY(take_mark(parser, '('));
    while (!at_mark(parser, ')')) {
        const Expr *item;
        TRY(parse_expression(parser, &item));
        TRY(growing_add(parser->arena, &items, item));
        is_tuple = at_mark(parser, ',');
        if (!is_tuple) break;
        TRY(take_mark(parser, ','));
    }
    TRY(take_mark(parser, ')'));
    set_items(tuple, &items);
    *out = is_tuple || items.count > 1 ? tuple : items.items[0];
    return ST_OK;
}

static Status parse_brackets(Parser *parser, const Expr **out) {
    Expr *list = NULL;
    Growing items = {0};
    TRY(make(parser, EXPR_LIST, &list));
    TRY(take_mark(parser, '['));
    TRY(parse_list(parser, ']', &items));
    set_items(list, &items);
    *out = list;
    return ST_OK;
}

static Status parse_braces(Parser *parser, const Expr **out) {
    Expr *dict = NULL;
    Growing items = {0};
    TRY(make(parser, EXPR_DICT, &dict));
    TRY(take_mark(parser, '{'));
    while (!at_mark(parser, '}')) {
        const Expr *key, *value;
        TRY(parse_expression(parser, &key));
        TRY(take_mark(parser, ':'));
        TRY(parse_expression(parser, &value));
        TRY(growing_add(parser->arena, &items, key));
        TRY(growing_add(parser->arena, &items, value));
        if (at_mark(parser, '}')) break;
        TRY(take_mark(parser, ','));
    }
    TRY(take_mark(parser, '}'));
    set_items(dict, &items);
    *out = dict;
    return ST_OK;
}

// "torch.nn" and the rest of a name that begins at one of the roots, which no variable is called by.
static Status parse_global(Parser *parser, Name *root, Expr *expr) {
    Text text = {0};
    Status status = ST_OK;
    text_add(&text, "%s", root->text);
    while (status == ST_OK && at_mark(parser, '.')) {
        Name *name = NULL;
        status = take_mark(parser, '.');
        if (status == ST_OK) status = take_name(parser, &name);
        if (status == ST_OK) text_add(&text, ".%s", name->text);
        if (status == ST_OK && text.length > SCRIPT_ARGUMENTS) status = parse_fail(parser, "a shorter name");
    }
    if (status == ST_OK) status = text_status(&text);
    if (status == ST_OK) {
        expr->name = name_of(parser->names, text_get(&text), text.length);
        if (!expr->name) status = fail_memory(text.length);
    }
    text_free(&text);
    return status;
}

static bool is_root(const char *name) {
    static const char *const roots[] = {"torch", "ops", "__torch__", "CONSTANTS"};
    for (size_t i = 0; i < COUNT_OF(roots); i++) {
        if (strcmp(roots[i], name) == 0) return true;
    }
    return false;
}

static Status parse_name(Parser *parser, const Expr **out) {
    static const struct {
        const char *word;
        ExprKind kind;
    } constants[] = {{"None", EXPR_NONE}, {"True", EXPR_TRUE}, {"False", EXPR_FALSE}};
    Expr *expr = NULL;
    Name *name;
    TRY(make(parser, EXPR_VARIABLE, &expr));
    TRY(take_name(parser, &name));
    *out = expr;
    for (size_t i = 0; i < COUNT_OF(constants); i++) {
        if (strcmp(name->text, constants[i].word) != 0) continue;
        expr->kind = constants[i].kind;
        return ST_OK;
    }
    if (is_root(name->text)) {
        expr->kind = EXPR_GLOBAL;
        return parse_global(parser, name, expr);
    }
    expr->name = name;
    expr->place = variable_place(parser, name);
    return ST_OK;
}

static Status parse_number(Parser *parser, bool negative, const Expr **out) {
    const Token *token = &parser->lexer.token;
    const bool is_float = token->kind == TOKEN_FLOAT;
    const uint64_t most = (uint64_t)INT64_MAX + negative;
    Expr *expr = NULL;
    TRY(make(parser, is_float ? EXPR_FLOAT : EXPR_INT, &expr));
    if (!is_float && token->magnitude > most) return parse_fail(parser, "an integer of 64 bits");
    if (is_float) {
        expr->f = negative ? -token->number : token->number;
    } else {
        expr->i = negative ? (int64_t)(0 - token->magnitude) : (int64_t)token->magnitude;
    }
    *out = expr;
    return lexer_next(&parser->lexer);
}

static Status parse_text(Parser *parser, const Expr **out) {
    Expr *expr = NULL;
    TRY(make(parser, EXPR_TEXT, &expr));
    expr->text = parser->lexer.token.text;
    *out = expr;
    return lexer_next(&parser->lexer);
}

static Status parse_atom(Parser *parser, const Expr **out) {
    const Token *token = &parser->lexer.token;
    if (token->kind == TOKEN_NAME) return parse_name(parser, out);
    if (token->kind == TOKEN_INT || token->kind == TOKEN_FLOAT) return parse_number(parser, false, out);
    if (token->kind == TOKEN_STRING) return parse_text(parser, out);
    if (at_mark(parser, '(')) return parse_parentheses(parser, out);
    if (at_mark(parser, '[')) return parse_brackets(parser, out);
    if (at_mark(parser, '{')) return parse_braces(parser, out);
    return parse_fail(parser, "an expression");
}

// ---- what stands behind it

// "name=value": told from an expression that begins with a name by what comes next.
static Status parse_argument(Parser *parser, Growing *items, Growing *keywords) {
    const Expr *item;
    const bool named = parser->lexer.token.kind == TOKEN_NAME;
    TRY(parse_expression(parser, &item));
    if (named && at_mark(parser, '=') && item->kind == EXPR_VARIABLE) {
        TRY(growing_add(parser->arena, keywords, item->name));
        TRY(take_mark(parser, '='));
        TRY(parse_expression(parser, &item));
    } else if (keywords->count > 0) {
        return parse_fail(parser, "arguments with a name behind others with one");
    }
    return growing_add(parser->arena, items, item);
}

static Status parse_call(Parser *parser, const Expr *object, const Expr **out) {
    Expr *call = NULL;
    Growing items = {0}, keywords = {0};
    TRY(make(parser, EXPR_CALL, &call));
    call->at = object->at; // a call is where its function's name is
    call->line = object->line;
    TRY(take_mark(parser, '('));
    while (!at_mark(parser, ')')) {
        TRY(parse_argument(parser, &items, &keywords));
        if (at_mark(parser, ')')) break;
        TRY(take_mark(parser, ','));
    }
    TRY(take_mark(parser, ')'));
    set_items(call, &items);
    call->object = object;
    call->keywords = (Name **)keywords.items;
    call->n_keywords = keywords.count;
    *out = call;
    return ST_OK;
}

// object[index], object[begin:end], Dict[str, int]
static Status parse_subscript(Parser *parser, const Expr *object, const Expr **out) {
    Expr *subscript = NULL;
    Growing items = {0};
    const Expr *item = NULL;
    TRY(make(parser, EXPR_INDEX, &subscript));
    TRY(take_mark(parser, '['));
    if (!at_mark(parser, ':')) TRY(parse_expression(parser, &item));
    TRY(growing_add(parser->arena, &items, item));
    if (at_mark(parser, ':')) {
        subscript->kind = EXPR_SLICE;
        item = NULL;
        TRY(take_mark(parser, ':'));
        if (!at_mark(parser, ']')) TRY(parse_expression(parser, &item));
        TRY(growing_add(parser->arena, &items, item));
        TRY(take_mark(parser, ']'));
    } else if (at_mark(parser, ',')) {
        TRY(take_mark(parser, ','));
        TRY(parse_list(parser, ']', &items));
    } else {
        TRY(take_mark(parser, ']'));
    }
    set_items(subscript, &items);
    subscript->object = object;
    *out = subscript;
    return ST_OK;
}

static Status parse_attribute(Parser *parser, const Expr *object, const Expr **out) {
    Expr *attribute = NULL;
    TRY(make(parser, EXPR_ATTRIBUTE, &attribute));
    TRY(take_mark(parser, '.'));
    TRY(take_name(parser, &attribute->name));
    attribute->object = object;
    *out = attribute;
    return ST_OK;
}

// Each one behind the other makes the tree deeper by one.
static Status parse_postfix(Parser *parser, const Expr **out) {
    const Expr *expr;
    TRY(parse_atom(parser, &expr));
    for (int steps = 0; at_mark(parser, '(') || at_mark(parser, '[') || at_mark(parser, '.'); steps++) {
        if (steps == SCRIPT_DEPTH) return parse_fail(parser, "fewer calls of what a call gives");
        if (at_mark(parser, '(')) {
            TRY(parse_call(parser, expr, &expr));
        } else if (at_mark(parser, '[')) {
            TRY(parse_subscript(parser, expr, &expr));
        } else {
            TRY(parse_attribute(parser, expr, &expr));
        }
    }
    *out = expr;
    return ST_OK;
}

static Status parse_negative(Parser *parser, const Expr **out) {
    Expr *negative = NULL;
    TRY(make(parser, EXPR_NEGATE, &negative));
    TRY(take_mark(parser, '-'));
    const TokenKind kind = parser->lexer.token.kind;
    if (kind == TOKEN_INT || kind == TOKEN_FLOAT) return parse_number(parser, true, out);
    TRY(parse_expression(parser, &negative->object));
    *out = negative;
    return ST_OK;
}

Status parse_expression(Parser *parser, const Expr **out) {
    FAIL_IF(parser->depth == SCRIPT_DEPTH, ST_BAD, "expected expressions nested at most %d deep, got more",
            SCRIPT_DEPTH);
    parser->depth++;
    const Status status = at_mark(parser, '-') ? parse_negative(parser, out) : parse_postfix(parser, out);
    parser->depth--;
    return status;
}
