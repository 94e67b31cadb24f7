#include "import/script/parse.h"
#include "import/limits.h"
#include <string.h>

Status parse_fail(const Parser *parser, const char *expected) {
    char got[48];
    return fail(ST_BAD, "expected %s, got %s", expected, token_name(&parser->lexer.token, got));
}

bool at_mark(const Parser *parser, char mark) {
    return parser->lexer.token.kind == TOKEN_MARK && parser->lexer.token.mark == mark;
}

bool at_word(const Parser *parser, const char *word) {
    const Token *token = &parser->lexer.token;
    return token->kind == TOKEN_NAME && token->length == strlen(word) && memcmp(token->text, word, token->length) == 0;
}

Status take_mark(Parser *parser, char mark) {
    const char expected[] = {'\'', mark, '\'', '\0'};
    if (!at_mark(parser, mark)) return parse_fail(parser, mark == '>' ? "'->'" : expected);
    return lexer_next(&parser->lexer);
}

Status take_name(Parser *parser, Name **out) {
    const Token *token = &parser->lexer.token;
    if (token->kind != TOKEN_NAME) return parse_fail(parser, "a name");
    *out = name_of(parser->names, token->text, token->length);
    return *out ? lexer_next(&parser->lexer) : fail_memory(token->length);
}

static Status take_word(Parser *parser, const char *word) {
    if (!at_word(parser, word)) return parse_fail(parser, word);
    return lexer_next(&parser->lexer);
}

static Status take_kind(Parser *parser, TokenKind kind, const char *expected) {
    if (parser->lexer.token.kind != kind) return parse_fail(parser, expected);
    return lexer_next(&parser->lexer);
}

static Status take_line_end(Parser *parser) {
    if (parser->lexer.token.kind == TOKEN_END) return ST_OK;
    return take_kind(parser, TOKEN_NEWLINE, "the end of the line");
}

int variable_place(Parser *parser, Name *name) {
    if (!parser->function) return -1;
    if (name->owner != parser->function) {
        name->owner = parser->function;
        name->place = parser->function->n_places++;
    }
    return name->place;
}

// ---- statements

static Status parse_block(Parser *parser, Block *out);
static Status parse_function(Parser *parser, Definition **out);

// "a, b = c, d", "a, b, = c", "a : int = b", "a.b = c", "c".
static Status parse_targets(Parser *parser, Growing *values, bool *comma) {
    *comma = false;
    do {
        const Expr *value;
        if (*comma) TRY(take_mark(parser, ','));
        if (*comma && (at_mark(parser, '=') || parser->lexer.token.kind == TOKEN_NEWLINE)) return ST_OK;
        TRY(parse_expression(parser, &value));
        TRY(growing_add(parser->arena, values, value));
        *comma = at_mark(parser, ',');
    } while (*comma);
    return ST_OK;
}

static Status check_targets(const Parser *parser, const Statement *statement) {
    for (int i = 0; i < statement->n_targets; i++) {
        const ExprKind kind = statement->targets[i]->kind;
        const bool good = kind == EXPR_VARIABLE || kind == EXPR_ATTRIBUTE;
        if (!good) return parse_fail(parser, "names in front of '='");
    }
    return ST_OK;
}

static Status tuple_of(Parser *parser, const Growing *values, const Expr **out) {
    Expr *tuple;
    *out = values->items[0];
    if (values->count == 1) return ST_OK;
    tuple = arena_alloc(parser->arena, sizeof *tuple);
    if (!tuple) return fail_memory(sizeof *tuple);
    *tuple = (Expr){.kind = EXPR_TUPLE, .at = (*out)->at, .line = (*out)->line};
    tuple->items = (const Expr **)values->items;
    tuple->count = values->count;
    *out = tuple;
    return ST_OK;
}

static Status parse_simple(Parser *parser, Statement *statement) {
    Growing left = {0}, right = {0};
    bool comma, ignored;
    TRY(parse_targets(parser, &left, &comma));
    if (at_mark(parser, ':')) {
        const Expr *type;
        TRY(take_mark(parser, ':'));
        TRY(parse_expression(parser, &type));
    }
    if (!at_mark(parser, '=')) {
        statement->kind = STATEMENT_EXPR;
        TRY(tuple_of(parser, &left, &statement->value));
        return take_line_end(parser);
    }
    TRY(take_mark(parser, '='));
    statement->kind = STATEMENT_ASSIGN;
    statement->targets = (const Expr **)left.items;
    statement->n_targets = left.count;
    TRY(check_targets(parser, statement));
    TRY(parse_targets(parser, &right, &ignored));
    TRY(tuple_of(parser, &right, &statement->value));
    statement->unpacks = comma || left.count > 1;
    return take_line_end(parser);
}

static Status parse_header(Parser *parser, Statement *statement) {
    TRY(lexer_next(&parser->lexer)); // if, while, with
    return parse_expression(parser, &statement->value);
}

static Status parse_body(Parser *parser, Block *out) {
    TRY(take_mark(parser, ':'));
    TRY(take_kind(parser, TOKEN_NEWLINE, "the end of the line"));
    return parse_block(parser, out);
}

static Status parse_if(Parser *parser, Statement *statement) {
    statement->kind = STATEMENT_IF;
    TRY(parse_header(parser, statement));
    TRY(parse_body(parser, &statement->body));
    if (!at_word(parser, "else")) return ST_OK;
    TRY(lexer_next(&parser->lexer));
    return parse_body(parser, &statement->other);
}

static Status parse_while(Parser *parser, Statement *statement) {
    statement->kind = STATEMENT_WHILE;
    TRY(parse_header(parser, statement));
    return parse_body(parser, &statement->body);
}

static Status parse_target(Parser *parser, Statement *statement) {
    Growing targets = {0};
    const Expr *target;
    TRY(parse_expression(parser, &target));
    TRY(growing_add(parser->arena, &targets, target));
    statement->targets = (const Expr **)targets.items;
    statement->n_targets = 1;
    return check_targets(parser, statement);
}

static Status parse_for(Parser *parser, Statement *statement) {
    statement->kind = STATEMENT_FOR;
    TRY(lexer_next(&parser->lexer));
    TRY(parse_target(parser, statement));
    TRY(take_word(parser, "in"));
    TRY(parse_expression(parser, &statement->value));
    return parse_body(parser, &statement->body);
}

static Status parse_with(Parser *parser, Statement *statement) {
    statement->kind = STATEMENT_WITH;
    TRY(parse_header(parser, statement));
    if (at_word(parser, "as")) {
        TRY(lexer_next(&parser->lexer));
        TRY(parse_target(parser, statement));
    }
    return parse_body(parser, &statement->body);
}

static Status parse_return(Parser *parser, Statement *statement) {
    Growing values = {0};
    bool comma;
    statement->kind = STATEMENT_RETURN;
    TRY(lexer_next(&parser->lexer));
    if (parser->lexer.token.kind == TOKEN_NEWLINE) return take_line_end(parser);
    TRY(parse_targets(parser, &values, &comma));
    TRY(tuple_of(parser, &values, &statement->value));
    return take_line_end(parser);
}

static Status parse_pass(Parser *parser, Statement *statement) {
    statement->kind = STATEMENT_PASS;
    TRY(lexer_next(&parser->lexer));
    return take_line_end(parser);
}

// Its names are its own, and those of the function around it.
static Status parse_inner(Parser *parser, Statement *statement) {
    Definition *inner, *outer = parser->function;
    statement->kind = STATEMENT_DEF;
    const Status status = parse_function(parser, &inner);
    parser->function = outer;
    return status;
}

typedef Status ParseStatement(Parser *parser, Statement *statement);

static Status parse_statement(Parser *parser, const Statement **out) {
    static const struct {
        const char *word;
        ParseStatement *parse;
    } words[] = {{"if", parse_if},         {"while", parse_while}, {"for", parse_for},  {"with", parse_with},
                 {"return", parse_return}, {"pass", parse_pass},   {"def", parse_inner}};
    Statement *statement = arena_alloc(parser->arena, sizeof *statement);
    if (!statement) return fail_memory(sizeof *statement);
    *statement = (Statement){.at = (uint32_t)parser->lexer.token.at, .line = parser->lexer.token.line};
    *out = statement;
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (at_word(parser, words[i].word)) return words[i].parse(parser, statement);
    }
    return parse_simple(parser, statement);
}

static bool at_block_end(const Parser *parser) {
    return parser->lexer.token.kind == TOKEN_DEDENT || parser->lexer.token.kind == TOKEN_END;
}

static Status take_block_end(Parser *parser) {
    return parser->lexer.token.kind == TOKEN_END ? ST_OK : take_kind(parser, TOKEN_DEDENT, "the end of the block");
}

static Status parse_statements(Parser *parser, Block *out) {
    Growing statements = {0};
    TRY(take_kind(parser, TOKEN_INDENT, "a block that is indented"));
    while (!at_block_end(parser)) {
        const Statement *statement = NULL;
        TRY(parse_statement(parser, &statement));
        TRY(growing_add(parser->arena, &statements, statement));
    }
    out->statements = (const Statement **)statements.items;
    out->count = statements.count;
    return take_block_end(parser);
}

static Status parse_block(Parser *parser, Block *out) {
    FAIL_IF(parser->blocks == SCRIPT_BLOCKS, ST_BAD, "expected blocks nested at most %d deep, got more", SCRIPT_BLOCKS);
    parser->blocks++;
    const Status status = parse_statements(parser, out);
    parser->blocks--;
    return status;
}

// ---- definitions

// A mark and a type or a default: names in it are no variables of the function.
static Status parse_apart(Parser *parser, const Expr **out) {
    Definition *function = parser->function;
    parser->function = NULL;
    Status status = lexer_next(&parser->lexer);
    if (status == ST_OK) status = parse_expression(parser, out);
    parser->function = function;
    return status;
}

static Status parse_parameter(Parser *parser, Growing *list) {
    Parameter *parameter = arena_alloc(parser->arena, sizeof *parameter);
    if (!parameter) return fail_memory(sizeof *parameter);
    TRY(take_name(parser, &parameter->name));
    if (variable_place(parser, parameter->name) != list->count) return parse_fail(parser, "each parameter once");
    if (at_mark(parser, ':')) TRY(parse_apart(parser, &parameter->type));
    if (at_mark(parser, '=')) TRY(parse_apart(parser, &parameter->otherwise));
    return growing_add(parser->arena, list, parameter);
}

static Status parse_parameters(Parser *parser, Definition *function) {
    Growing list = {0};
    TRY(take_mark(parser, '('));
    while (!at_mark(parser, ')')) {
        TRY(parse_parameter(parser, &list));
        if (at_mark(parser, ')')) break;
        TRY(take_mark(parser, ','));
    }
    TRY(take_mark(parser, ')'));
    function->n_parameters = list.count;
    function->parameters = arena_array(parser->arena, (size_t)list.count + 1, sizeof *function->parameters);
    if (!function->parameters) return fail_memory((size_t)list.count * sizeof *function->parameters);
    for (int i = 0; i < list.count; i++) function->parameters[i] = *(const Parameter *)list.items[i];
    if (!at_mark(parser, '>')) return ST_OK;
    const Expr *type;
    return parse_apart(parser, &type);
}

static Status make_definition(Parser *parser, DefinitionKind kind, Definition **out) {
    Definition *made = arena_alloc(parser->arena, sizeof *made);
    if (!made) return fail_memory(sizeof *made);
    *made = (Definition){.kind = kind, .code = parser->code};
    *out = made;
    return take_name(parser, &made->name);
}

static Status parse_function(Parser *parser, Definition **out) {
    TRY(take_word(parser, "def"));
    TRY(make_definition(parser, DEFINITION_FUNCTION, out));
    parser->function = *out;
    TRY(parse_parameters(parser, *out));
    TRY(parse_body(parser, &(*out)->body));
    parser->function = NULL;
    return ST_OK;
}

// "name : type", "name : Final[type] = value", "NAME = value", "__annotations__["0"] = type".
static Status parse_field(Parser *parser, Growing *fields) {
    Field *field = arena_alloc(parser->arena, sizeof *field);
    const Expr *key;
    if (!field) return fail_memory(sizeof *field);
    TRY(take_name(parser, &field->name)); // any one: "ops", "torch"
    if (at_mark(parser, '[')) {
        field->name = NULL;
        TRY(take_mark(parser, '['));
        TRY(parse_expression(parser, &key));
        TRY(take_mark(parser, ']'));
    }
    if (at_mark(parser, ':')) {
        TRY(take_mark(parser, ':'));
        TRY(parse_expression(parser, &field->type));
    }
    if (at_mark(parser, '=')) {
        TRY(take_mark(parser, '='));
        TRY(parse_expression(parser, &field->value));
    }
    TRY(take_line_end(parser));
    return field->name ? growing_add(parser->arena, fields, field) : ST_OK;
}

static Status parse_members(Parser *parser, Definition *class) {
    Growing fields = {0}, methods = {0};
    TRY(take_kind(parser, TOKEN_INDENT, "a block that is indented"));
    while (!at_block_end(parser)) {
        Definition *method;
        Statement ignored;
        if (at_word(parser, "def")) {
            TRY(parse_function(parser, &method));
            TRY(growing_add(parser->arena, &methods, method));
        } else if (at_word(parser, "pass")) {
            TRY(parse_pass(parser, &ignored));
        } else {
            TRY(parse_field(parser, &fields));
        }
    }
    class->fields = arena_array(parser->arena, (size_t)fields.count + 1, sizeof *class->fields);
    if (!class->fields) return fail_memory((size_t)fields.count * sizeof *class->fields);
    for (int i = 0; i < fields.count; i++) class->fields[i] = *(const Field *)fields.items[i];
    class->n_fields = fields.count;
    class->methods = (Definition **)methods.items;
    class->n_methods = methods.count;
    return take_block_end(parser);
}

static Status kind_of_class(Parser *parser, Definition *class) {
    static const struct {
        const char *base;
        DefinitionKind kind;
    } bases[] = {{"Module", DEFINITION_MODULE},
                 {"NamedTuple", DEFINITION_TUPLE},
                 {"Enum", DEFINITION_ENUM},
                 {"Interface", DEFINITION_INTERFACE},
                 {"ModuleInterface", DEFINITION_INTERFACE}};
    Name *base;
    if (!at_mark(parser, '(')) return ST_OK;
    TRY(take_mark(parser, '('));
    TRY(take_name(parser, &base));
    for (size_t i = 0; i < COUNT_OF(bases); i++) {
        if (strcmp(base->text, bases[i].base) != 0) continue;
        class->kind = bases[i].kind;
        return take_mark(parser, ')');
    }
    return fail(ST_UNSUPPORTED, "classes of base %s are not supported", base->text);
}

static Status parse_class(Parser *parser, Definition **out) {
    TRY(take_word(parser, "class"));
    TRY(make_definition(parser, DEFINITION_CLASS, out));
    TRY(kind_of_class(parser, *out));
    TRY(take_mark(parser, ':'));
    TRY(take_kind(parser, TOKEN_NEWLINE, "the end of the line"));
    if (parser->lexer.token.kind != TOKEN_INDENT) return ST_OK; // without any member
    return parse_members(parser, *out);
}

// "op_version_set = 1" and "import __torch__.x", which files of PyTorch 1.2 and older begin with.
static Status parse_prologue(Parser *parser) {
    Statement ignored;
    if (!at_word(parser, "import")) return parse_simple(parser, &ignored);
    TRY(lexer_next(&parser->lexer));
    return parse_simple(parser, &ignored);
}

static Status parse_file(Parser *parser, ScriptCode *out) {
    Growing definitions = {0};
    while (parser->lexer.token.kind != TOKEN_END) {
        Definition *made = NULL;
        if (at_word(parser, "class")) {
            TRY(parse_class(parser, &made));
        } else if (at_word(parser, "def")) {
            TRY(parse_function(parser, &made));
        } else {
            TRY(parse_prologue(parser));
        }
        if (made) TRY(growing_add(parser->arena, &definitions, made));
    }
    out->definitions = (Definition **)definitions.items;
    out->count = definitions.count;
    return ST_OK;
}

Status script_parse(Names *names, const char *path, const char *code, size_t size, ScriptCode *out) {
    Parser parser = {.names = names, .arena = names->arena, .code = out};
    *out = (ScriptCode){.path = path};
    FAIL_IF(size > UINT32_MAX, ST_UNSUPPORTED, "%s: code of more than 4 GiB is not supported", path);
    Status status = lexer_begin(&parser.lexer, parser.arena, code, size);
    if (status == ST_OK) status = parse_file(&parser, out);
    return status == ST_OK ? ST_OK : fail_context(status, "%s:%d", path, parser.lexer.token.line);
}

const Definition *code_find(const ScriptCode *code, const Name *name) {
    for (int i = 0; i < code->count; i++) {
        if (code->definitions[i]->name == name) return code->definitions[i];
    }
    return NULL;
}

const Definition *class_method(const Definition *class, const Name *name) {
    for (int i = 0; i < class->n_methods; i++) {
        if (class->methods[i]->name == name) return class->methods[i];
    }
    return NULL;
}
