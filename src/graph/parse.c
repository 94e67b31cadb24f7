// Reads the text form of a graph (see print.c). The text is not trusted: its size, the number of values and the
// memory for constants are bounded, and every node is checked and inferred as it is read.
#include "graph/lexer.h"
#include "graph/table.h"
#include <ctype.h>
#include <string.h>

enum { MAX_TEXT = 16 << 20, MAX_PORTS = 1024, MAX_ATTRS = 256, MAX_ENTRIES = 65536 };

// One "results = Op (inputs) {attributes} : types", before it becomes a node.
typedef struct Statement {
    const char *results[MAX_PORTS]; // NULL: absent
    Type types[MAX_PORTS];
    ValueId inputs[MAX_PORTS];
    Attr attrs[MAX_ATTRS];
    int n_results, n_types, n_inputs, n_attrs;
    Op op;
    const char *name;
    int line;
} Statement;

typedef struct Parser {
    Lexer lexer;
    Statement statement; // reused: large
    const char **outputs;
    size_t n_outputs;
    int output_line;
} Parser;

static Status at_line(int line, Status status) {
    return status == ST_OK ? ST_OK : fail_context(status, "line %d", line);
}

// %name or %"any name"
static Status parse_name(Lexer *lexer, const char **out) {
    TRY(lex_expect(lexer, '%'));
    if (lexer->at < lexer->end && *lexer->at == '"') TRY(lex_string(lexer, "a name", out));
    else TRY(lex_word(lexer, "a name", out));
    FAIL_IF(!**out, ST_BAD, "line %d: expected a name, got an empty one", lexer->line);
    return ST_OK;
}

// A list of names in the scratch arena, up to `close`.
static Status parse_names(Lexer *lexer, char close, const char ***names, size_t *count) {
    Text list = {0};
    Status status = ST_OK;
    *count = 0;
    while (status == ST_OK && !lex_take(lexer, close)) {
        const char *name;
        if (*count) status = lex_expect(lexer, ',');
        if (status == ST_OK) status = parse_name(lexer, &name);
        if (status == ST_OK) text_bytes(&list, &name, sizeof name);
        if (status == ST_OK && ++*count > MAX_ENTRIES) status = lex_fail(lexer, "fewer names");
    }
    if (status == ST_OK) status = text_status(&list);
    *names = arena_array(&lexer->scratch, MAX(*count, 1), sizeof **names);
    if (status == ST_OK && !*names) status = fail_memory(*count * sizeof **names);
    if (status == ST_OK && *count) memcpy(*names, list.data, *count * sizeof **names);
    text_free(&list);
    return status;
}

static Status check_new(const Lexer *lexer, const char *name, int line) {
    FAIL_IF(graph_find(lexer->graph, name) != NO_VALUE, ST_BAD, "line %d: '%s' is defined twice", line, name);
    return ST_OK;
}

static Status parse_inputs(Lexer *lexer) {
    TRY(lex_expect(lexer, '('));
    for (bool first = true; !lex_take(lexer, ')'); first = false) {
        const char *name;
        Type type;
        ValueId id;
        if (!first) TRY(lex_expect(lexer, ','));
        TRY(parse_name(lexer, &name));
        TRY(check_new(lexer, name, lexer->line));
        TRY(lex_expect(lexer, ':'));
        TRY(lex_type(lexer, &type));
        FAIL_IF(type.dtype == DT_NONE, ST_BAD, "line %d: input '%s' has no dtype", lexer->line, name);
        TRY(at_line(lexer->line, graph_add_input(lexer->graph, name, &type, &id)));
    }
    return ST_OK;
}

static Status parse_head(Parser *parser) {
    Lexer *lexer = &parser->lexer;
    TRY(lex_expect_word(lexer, "graph"));
    if (lex_peek(lexer) == '"') {
        const char *name;
        TRY(lex_string(lexer, "a name", &name));
        lexer->graph->name = arena_string(&lexer->graph->arena, name);
        if (!lexer->graph->name) return fail_memory(strlen(name));
    }
    TRY(parse_inputs(lexer));
    TRY(lex_expect(lexer, '-'));
    TRY(lex_expect(lexer, '>'));
    TRY(lex_expect(lexer, '('));
    parser->output_line = lexer->line;
    TRY(parse_names(lexer, ')', &parser->outputs, &parser->n_outputs));
    return lex_expect(lexer, '{');
}

static Status parse_results(Lexer *lexer, Statement *statement) {
    statement->n_results = 0;
    do {
        FAIL_IF(statement->n_results == MAX_PORTS, ST_BAD, "line %d: expected at most %d results", lexer->line,
                MAX_PORTS);
        const char **name = &statement->results[statement->n_results++];
        *name = NULL;
        if (lex_take(lexer, '_')) continue;
        TRY(parse_name(lexer, name));
        TRY(check_new(lexer, *name, lexer->line));
    } while (lex_take(lexer, ','));
    return lex_expect(lexer, '=');
}

static Status parse_operand(Lexer *lexer, ValueId *out) {
    const char *name;
    *out = NO_VALUE;
    if (lex_take(lexer, '_')) return ST_OK;
    TRY(parse_name(lexer, &name));
    *out = graph_find(lexer->graph, name);
    FAIL_IF(*out == NO_VALUE, ST_BAD, "line %d: expected a value that is defined above, got '%s'", lexer->line, name);
    return ST_OK;
}

static Status parse_operands(Lexer *lexer, Statement *statement) {
    statement->n_inputs = 0;
    TRY(lex_expect(lexer, '('));
    while (!lex_take(lexer, ')')) {
        FAIL_IF(statement->n_inputs == MAX_PORTS, ST_BAD, "line %d: expected at most %d inputs", lexer->line,
                MAX_PORTS);
        if (statement->n_inputs) TRY(lex_expect(lexer, ','));
        TRY(parse_operand(lexer, &statement->inputs[statement->n_inputs++]));
    }
    return ST_OK;
}

typedef union Entry {
    int64_t i;
    double f;
    const char *s;
} Entry;

static Status parse_entry(Lexer *lexer, AttrType type, Entry *out) {
    if (type == ATTR_INT || type == ATTR_INTS) return lex_int(lexer, &out->i);
    if (type == ATTR_FLOAT || type == ATTR_FLOATS) return lex_double(lexer, &out->f);
    return lex_string(lexer, "a string in quotes", &out->s);
}

// [a, b, ...] into the attribute; all kinds of entries take 8 bytes.
static Status parse_entries(Lexer *lexer, Text *list, Attr *attr) {
    TRY(lex_expect(lexer, '['));
    while (!lex_take(lexer, ']')) {
        Entry entry;
        if (attr->count) TRY(lex_expect(lexer, ','));
        TRY(parse_entry(lexer, attr->type, &entry));
        text_bytes(list, &entry, sizeof entry);
        FAIL_IF(++attr->count > MAX_ENTRIES, ST_BAD, "line %d: expected at most %d entries", lexer->line, MAX_ENTRIES);
    }
    TRY(text_status(list));
    void *copy = arena_array(&lexer->scratch, MAX(attr->count, 1), sizeof(Entry));
    if (!copy) return fail_memory(attr->count * sizeof(Entry));
    if (attr->count) memcpy(copy, list->data, attr->count * sizeof(Entry));
    if (attr->type == ATTR_INTS) attr->ints = copy;
    else if (attr->type == ATTR_FLOATS) attr->floats = copy;
    else attr->strings = copy;
    return ST_OK;
}

static Status parse_attr_value(Lexer *lexer, Attr *attr) {
    Entry entry = {0};
    if (attr->type == ATTR_TENSOR) return parse_tensor(lexer, &attr->tensor);
    if (attr->type == ATTR_INTS || attr->type == ATTR_FLOATS || attr->type == ATTR_STRINGS) {
        Text list = {0};
        const Status status = parse_entries(lexer, &list, attr);
        text_free(&list);
        return status;
    }
    TRY(parse_entry(lexer, attr->type, &entry));
    if (attr->type == ATTR_INT) attr->i = entry.i;
    else if (attr->type == ATTR_FLOAT) attr->f = entry.f;
    else attr->s = entry.s;
    return ST_OK;
}

static Status parse_attr(Lexer *lexer, Statement *statement) {
    FAIL_IF(statement->n_attrs == MAX_ATTRS, ST_BAD, "line %d: expected at most %d attributes", lexer->line, MAX_ATTRS);
    Attr *attr = &statement->attrs[statement->n_attrs];
    *attr = (Attr){0};
    AttrRule rule;
    TRY(lex_word(lexer, "an attribute's name", &attr->name));
    FAIL_IF(!op_attribute(statement->op, attr->name, &rule), ST_UNSUPPORTED,
            "line %d: %s has no attribute '%.60s' here; a newer stent may know it", lexer->line,
            op_info(statement->op)->name, attr->name);
    for (int i = 0; i < statement->n_attrs; i++)
        FAIL_IF(strcmp(statement->attrs[i].name, attr->name) == 0, ST_BAD, "line %d: attribute '%s' stands twice",
                lexer->line, attr->name);
    attr->type = rule.type;
    statement->n_attrs++;
    TRY(lex_expect(lexer, '='));
    return parse_attr_value(lexer, attr);
}

static Status parse_attrs(Lexer *lexer, Statement *statement) {
    statement->n_attrs = 0;
    if (!lex_take(lexer, '{')) return ST_OK;
    while (!lex_take(lexer, '}')) {
        if (statement->n_attrs) TRY(lex_expect(lexer, ','));
        TRY(parse_attr(lexer, statement));
    }
    return ST_OK;
}

static Status parse_types(Lexer *lexer, Statement *statement) {
    statement->n_types = 0;
    if (!lex_take(lexer, ':')) return ST_OK;
    do {
        Type *type = &statement->types[statement->n_types];
        FAIL_IF(statement->n_types == statement->n_results, ST_BAD, "line %d: expected %d types, got more", lexer->line,
                statement->n_results);
        *type = (Type){.dtype = DT_NONE, .rank = -1};
        if (!lex_take(lexer, '_')) TRY(lex_type(lexer, type));
        statement->n_types++;
    } while (lex_take(lexer, ','));
    FAIL_IF(statement->n_types != statement->n_results, ST_BAD, "line %d: expected %d types, got %d", lexer->line,
            statement->n_results, statement->n_types);
    return ST_OK;
}

static Status parse_node(Lexer *lexer, Statement *statement) {
    statement->name = "";
    if (lex_peek(lexer) == '"') TRY(lex_string(lexer, "a name", &statement->name));
    TRY(parse_operands(lexer, statement));
    TRY(parse_attrs(lexer, statement));
    return parse_types(lexer, statement);
}

static Status add_node(Graph *graph, const Statement *statement) {
    ValueId outputs[MAX_PORTS];
    Node *node;
    for (int i = 0; i < statement->n_results; i++) {
        const char *name = statement->results[i];
        outputs[i] = NO_VALUE;
        if (!name) continue;
        FAIL_IF(graph_find(graph, name) != NO_VALUE, ST_BAD, "'%s' is defined twice", name);
        TRY(graph_add_value(graph, name, statement->n_types ? &statement->types[i] : NULL, &outputs[i]));
    }
    TRY(graph_add_node(graph, statement->op, statement->name, statement->inputs, statement->n_inputs, outputs,
                       statement->n_results, -1, &node));
    for (int i = 0; i < statement->n_attrs; i++) TRY(node_set(graph, node, &statement->attrs[i]));
    return graph_infer_node(graph, node);
}

static Status parse_constant(Lexer *lexer, const Statement *statement) {
    Tensor tensor;
    ValueId id;
    FAIL_IF(statement->n_results != 1 || !statement->results[0], ST_BAD, "line %d: expected one name for a constant",
            statement->line);
    TRY(parse_tensor(lexer, &tensor));
    return at_line(statement->line, graph_add_constant(lexer->graph, statement->results[0], &tensor, &id));
}

static Status parse_statement(Parser *parser) {
    Lexer *lexer = &parser->lexer;
    Statement *statement = &parser->statement;
    const char *word;
    lex_peek(lexer);
    statement->line = lexer->line;
    TRY(parse_results(lexer, statement));
    const Lexer before = *lexer;
    TRY(lex_word(lexer, "an op or const", &word));
    if (strcmp(word, "const") == 0) return parse_constant(lexer, statement);
    statement->op = op_from_name(word);
    // Well-formed: what a later version of the table may hold.
    FAIL_IF(statement->op == OP_NONE && isalpha((unsigned char)*word), ST_UNSUPPORTED,
            "line %d: operator '%.60s' is not known here; a newer stent may know it", lexer->line, word);
    if (statement->op == OP_NONE) {
        lexer->at = before.at;
        lexer->line = before.line;
        return lex_fail(lexer, "an op or const");
    }
    TRY(parse_node(lexer, statement));
    return at_line(statement->line, add_node(lexer->graph, statement));
}

static Status parse_graph(Parser *parser) {
    Lexer *lexer = &parser->lexer;
    TRY(parse_head(parser));
    while (!lex_take(lexer, '}')) TRY(parse_statement(parser));
    if (lex_peek(lexer) || lexer->at < lexer->end) return lex_fail(lexer, "nothing behind the graph");
    for (size_t i = 0; i < parser->n_outputs; i++) {
        const ValueId id = graph_find(lexer->graph, parser->outputs[i]);
        FAIL_IF(id == NO_VALUE, ST_BAD, "line %d: output '%s' is not defined", parser->output_line, parser->outputs[i]);
        TRY(graph_add_output(lexer->graph, id));
    }
    return graph_verify(lexer->graph);
}

// `graph` is empty.
static Status parse_text(const char *text, size_t length, const void *blob, size_t blob_size, Graph *graph) {
    FAIL_IF(length > MAX_TEXT, ST_BAD, "expected a graph's text of at most %d MB, got %zu bytes", MAX_TEXT >> 20,
            length);
    Parser *parser = mem_zero(1, sizeof *parser);
    if (!parser) return fail_memory(sizeof *parser);
    parser->lexer =
        (Lexer){.at = text, .end = text + length, .line = 1, .graph = graph, .blob = blob, .blob_size = blob_size};
    const Status status = parse_graph(parser);
    arena_free(&parser->lexer.scratch);
    mem_free(parser);
    return status;
}

Status graph_parse(const char *text, size_t length, Graph **out) {
    return graph_parse_blob(text, length, NULL, 0, out);
}

Status graph_parse_into(const char *text, size_t length, Graph *graph) {
    return parse_text(text, length, NULL, 0, graph);
}

Status graph_parse_blob(const char *text, size_t length, const void *blob, size_t blob_size, Graph **out) {
    Graph *graph;
    *out = NULL;
    TRY(graph_create(&graph));
    const Status status = parse_text(text, length, blob, blob_size, graph);
    if (status == ST_OK) *out = graph;
    else graph_free(graph);
    return status;
}
