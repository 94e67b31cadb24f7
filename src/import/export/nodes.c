#include "base/text.h"
#include "import/export/fields.h"
#include "import/export/place.h"
#include "import/export/program.h"
#include "import/limits.h"
#include <stdio.h>
#include <string.h>

enum { MAX_ARGUMENTS = 64, ARENA_BYTES = 1 << 20 };

// One node. What it says lies in `arena`, until the next one is read.
typedef struct NodeReader {
    ExportProgram *program;
    Scope *scope;
    Arena *arena;
    int depth;                                // graphs around this one
    JsonPart inputs, outputs, metadata, name; // of the text
    const char *target, *place;
} NodeReader;

typedef struct Argument {
    const char *name; // "": by place
    AtenValue value;
    JsonPart graph; // no text: it is a value
} Argument;

static Status read_graph(NodeReader *outer, const JsonPart *graph, const AtenValue *operands, int n_operands,
                         AtenValue *results, int room, int *n_results);

// ---- arguments

static Status read_argument(NodeReader *reader, const JsonPart *part, Argument *out) {
    JsonPart name, arg, graph;
    Json *json;
    *out = (Argument){.name = ""};
    TRY(json_fields(part, (const JsonField[]){{"name", &name}, {"arg", &arg}}, 2));
    FAIL_IF(!arg.text, ST_BAD, "expected 'arg', got none");
    if (name.text) {
        TRY(json_parse_part(reader->arena, &name, &json));
        FAIL_IF(json->type != JSON_STRING, ST_BAD, "expected a text 'name', got something else");
        out->name = json->string;
    }
    // {"as_graph": {"name": ..., "graph": {...}}} may be most of the file.
    TRY(json_fields(&arg, (const JsonField[]){{"as_graph", &graph}}, 1));
    if (graph.text) {
        TRY(json_fields(&graph, (const JsonField[]){{"graph", &out->graph}}, 1));
        FAIL_IF(!out->graph.text, ST_BAD, "expected 'graph', got none");
        return ST_OK;
    }
    TRY(json_parse_part(reader->arena, &arg, &json));
    return scope_argument(reader->scope, reader->arena, json, &out->value);
}

static Status read_arguments(NodeReader *reader, Argument *out, int *count) {
    JsonWalk walk;
    JsonPart part;
    bool more;
    TRY(json_walk(&reader->inputs, JSON_ARRAY, &walk));
    for (*count = 0;; ++*count) {
        TRY(json_next(&walk, NULL, &part, &more));
        if (!more) return ST_OK;
        FAIL_IF(*count >= MAX_ARGUMENTS, ST_BAD, "expected at most %d arguments, got more", MAX_ARGUMENTS);
        const Status status = read_argument(reader, &part, &out[*count]);
        if (status != ST_OK)
            return fail_context(status, "argument %d%s%.100s", *count, *out[*count].name ? " " : "", out[*count].name);
    }
}

// ---- calls

static const char higher[] = "torch.ops.higher_order.";

// "torch.ops.aten.add.Tensor" is "aten::add", "Tensor"; "torch.ops.higher_order.cond" is "higher_order::cond";
// "_operator.mul" is "_operator::mul".
static Status split_target(const NodeReader *reader, const char **op, const char **overload) {
    static const char ops[] = "torch.ops.";
    const bool is_op = text_starts(reader->target, ops), is_higher = is_op && text_starts(reader->target, higher);
    char *text = arena_string(reader->arena, reader->target + (is_op ? strlen(ops) : 0));
    char *last = text ? strrchr(text, '.') : NULL;
    if (!text) return fail_memory(strlen(reader->target));
    *overload = NULL;
    if (is_op && !is_higher && last) {
        *last = 0;
        *overload = strcmp(last + 1, "default") == 0 ? "" : last + 1;
        last = strrchr(text, '.');
    }
    FAIL_IF(!last, ST_UNSUPPORTED, "%.200s is no operator of PyTorch", reader->target);
    char *name = arena_alloc(reader->arena, strlen(text) + 2);
    if (!name) return fail_memory(strlen(text));
    memcpy(name, text, (size_t)(last - text));
    memcpy(name + (last - text), "::", 2);
    memcpy(name + (last - text) + 2, last + 1, strlen(last + 1));
    *op = name;
    return ST_OK;
}

// The outputs' names, as many as there are results.
static Status read_outputs(NodeReader *reader, Json **out) {
    TRY(json_parse_part(reader->arena, &reader->outputs, out));
    FAIL_IF((*out)->type != JSON_ARRAY || (*out)->count > LIMIT_NODE_VALUES, ST_BAD,
            "expected a list of at most %d 'outputs', got something else", LIMIT_NODE_VALUES);
    return ST_OK;
}

// Of the first result; of several it is that of the call (torch 2.6 on), where there is one.
static const char *call_name(const NodeReader *reader, const Json *outputs) {
    const char *kind;
    const Json *output, *name;
    Json *own;
    if (outputs->count > 0 && field_union(&outputs->items[0], &kind, &output) == ST_OK) {
        if (output->type == JSON_ARRAY && output->count > 0) output = &output->items[0];
        if (!(name = json_get(output, "name"))) name = json_get(output, "as_name");
        if (name && name->type == JSON_STRING) return name->string;
    }
    if (reader->name.text && json_part_type(&reader->name) == JSON_STRING &&
        json_parse_part(reader->arena, &reader->name, &own) == ST_OK)
        return own->string;
    error_clear();
    return "";
}

// What stops a run whose sizes are not as they were when the program was made, and computes nothing.
static bool is_assertion(const char *op) {
    return text_starts(op, "aten::_assert") || text_starts(op, "aten::sym_constrain_range");
}

// Operators' arguments go by name, so that it does not matter which of them were left out; those of Python's own
// functions by place.
static Status call_operator(NodeReader *reader, const Argument *arguments, int count) {
    ExportProgram *program = reader->program;
    AtenValue args[MAX_ARGUMENTS], *results;
    AtenKeyword keywords[MAX_ARGUMENTS];
    Json *outputs;
    AtenCall call = {.place = reader->place, .args = args, .keywords = keywords};
    TRY(split_target(reader, &call.op, &call.overload));
    TRY(read_outputs(reader, &outputs));
    if (is_assertion(call.op)) return ST_OK;
    TRY(program_name(program, call_name(reader, outputs), &call.name));
    for (int i = 0; i < count; i++) {
        const Argument *argument = &arguments[i];
        FAIL_IF(argument->graph.text, ST_UNSUPPORTED, "%s takes a graph, which is not supported", call.op);
        if (call.overload && *argument->name)
            keywords[call.n_keywords++] = (AtenKeyword){argument->name, argument->value};
        else args[call.n_args++] = argument->value;
    }
    results = arena_array(reader->arena, outputs->count + 1, sizeof *results);
    if (!results) return fail_memory((outputs->count + 1) * sizeof *results);
    TRY(aten_alias_call(&program->aliases, &call, results, (int)outputs->count));
    return scope_define_results(reader->scope, program->scratch, program->aten->graph, outputs, results);
}

// ---- operators that take graphs

// Values one behind the other, out of lists; texts and numbers that say how to call are none.
static Status flatten(const AtenValue *value, AtenValue *out, int room, int *count) {
    if (value->kind == ATEN_LIST) {
        for (int i = 0; i < value->count; i++) {
            FAIL_IF(value->items[i].kind == ATEN_LIST, ST_UNSUPPORTED, "lists of lists as operands are not supported");
            TRY(flatten(&value->items[i], out, room, count));
        }
        return ST_OK;
    }
    FAIL_IF(*count >= room, ST_BAD, "expected at most %d operands, got more", room);
    if (value->kind != ATEN_TEXT) out[(*count)++] = *value;
    return ST_OK;
}

// The node's outputs are the graph's, one by one.
static Status give_results(NodeReader *reader, const AtenValue *results, int count) {
    Json *outputs;
    int at = 0;
    TRY(read_outputs(reader, &outputs));
    AtenValue *values = arena_array(reader->arena, outputs->count + 1, sizeof *values);
    if (!values) return fail_memory((outputs->count + 1) * sizeof *values);
    for (size_t i = 0; i < outputs->count; i++) {
        const char *kind;
        const Json *output;
        TRY(field_union(&outputs->items[i], &kind, &output));
        const bool is_list = output->type == JSON_ARRAY && strcmp(kind, "as_tensors") == 0;
        const size_t wanted = is_list ? output->count : 1;
        FAIL_IF(wanted > (size_t)(count - at), ST_BAD, "expected %d results of the graph, got names for more", count);
        values[i] = is_list ? aten_list(&results[at], (int)wanted) : results[at];
        at += (int)wanted;
    }
    return scope_define_outputs(reader->scope, outputs, values);
}

static Status put_in(NodeReader *reader, const JsonPart *graph, const Argument *arguments, int first, int count) {
    AtenValue *operands = arena_array(reader->arena, 2 * LIMIT_NODE_VALUES, sizeof *operands);
    AtenValue *results = operands ? operands + LIMIT_NODE_VALUES : NULL;
    int n_operands = 0, n_results;
    if (!operands) return fail_memory(2 * LIMIT_NODE_VALUES * sizeof *operands);
    for (int i = first; i < count; i++) {
        if (*arguments[i].name || arguments[i].graph.text) continue;
        TRY(flatten(&arguments[i].value, operands, LIMIT_NODE_VALUES, &n_operands));
    }
    TRY(read_graph(reader, graph, operands, n_operands, results, LIMIT_NODE_VALUES, &n_results));
    return give_results(reader, results, n_results);
}

// cond(condition, graph, other graph, operands)
static Status call_cond(NodeReader *reader, const Argument *arguments, int count) {
    AtenValue condition;
    bool is_true;
    FAIL_IF(count < 3 || !arguments[1].graph.text || !arguments[2].graph.text, ST_BAD,
            "expected a condition and two graphs");
    TRY(aten_alias_current(&reader->program->aliases, &arguments[0].value, &condition));
    FAIL_IF(
        !aten_known_bool(reader->program->aten, &condition, &is_true), ST_UNSUPPORTED,
        "torch.cond: which branch is taken is not known before a run; give the sizes that it follows from (--input)");
    return put_in(reader, &arguments[is_true ? 1 : 2].graph, arguments, 3, count);
}

// What comes to computing the graph that is the first one among the arguments, of those behind it.
static bool is_wrapper(const char *target) {
    static const char *const wrappers[] = {"wrap_with_set_grad_enabled",
                                           "wrap_with_autocast",
                                           "wrap",
                                           "strict_mode",
                                           "invoke_subgraph",
                                           "hints_wrapper",
                                           "tag_activation_checkpoint",
                                           "wrap_activation_checkpoint",
                                           "dynamo_bypassing_wrapper",
                                           "inductor_compiled_code"};
    for (size_t i = 0; i < COUNT_OF(wrappers); i++) {
        if (strcmp(wrappers[i], target) == 0) return true;
    }
    return false;
}

static Status call_higher(NodeReader *reader, const char *name, const Argument *arguments, int count) {
    int at = 0;
    if (strcmp(name, "cond") == 0) return call_cond(reader, arguments, count);
    while (at < count && !arguments[at].graph.text) at++;
    if (is_wrapper(name)) {
        FAIL_IF(at == count, ST_BAD, "expected a graph among its arguments, got none");
        return put_in(reader, &arguments[at].graph, arguments, at + 1, count);
    }
    return call_operator(reader, NULL, 0); // not had, and named with the others
}

// ---- one node

static Status read_text(NodeReader *reader, const JsonPart *part, const char *what, const char **out) {
    Json *json;
    FAIL_IF(!part->text || json_part_type(part) != JSON_STRING, ST_BAD, "expected a text '%s', got %s", what,
            part->text ? "something else" : "none");
    TRY(json_parse_part(reader->arena, part, &json));
    FAIL_IF(strlen(json->string) > LIMIT_NAME, ST_BAD, "'%s': expected at most %d bytes", what, LIMIT_NAME);
    *out = json->string;
    return ST_OK;
}

static Status call_node(NodeReader *reader) {
    Argument arguments[MAX_ARGUMENTS];
    int count;
    FAIL_IF(!reader->inputs.text || !reader->outputs.text, ST_BAD, "expected 'inputs' and 'outputs', got none");
    TRY(read_arguments(reader, arguments, &count));
    if (text_starts(reader->target, higher))
        return call_higher(reader, reader->target + strlen(higher), arguments, count);
    return call_operator(reader, arguments, count);
}

static Status read_node(NodeReader *reader, const JsonPart *node) {
    JsonPart target;
    reader->target = reader->place = "";
    TRY(json_fields(node,
                    (const JsonField[]){{"target", &target},
                                        {"inputs", &reader->inputs},
                                        {"outputs", &reader->outputs},
                                        {"metadata", &reader->metadata},
                                        {"name", &reader->name}},
                    5));
    FAIL_IF(++reader->program->n_nodes > LIMIT_NODES, ST_BAD, "expected at most %d nodes, got more", LIMIT_NODES);
    TRY(read_text(reader, &target, "target", &reader->target));
    if (reader->metadata.text) TRY(place_of(reader->arena, &reader->metadata, &reader->place));
    return call_node(reader);
}

// What a converter says begins with the place and the operator; all else has them put in front.
static Status explain(const NodeReader *reader, Status status, int number) {
    char begin[512];
    snprintf(begin, sizeof begin, "%s%s", reader->place, *reader->place ? ": " : "");
    if (text_starts(error_message(), begin) && *begin) return status;
    return fail_context(status, "%snode %d (%.200s)", begin, number, reader->target);
}

static Status read_nodes_in(NodeReader *reader, const JsonPart *nodes) {
    JsonWalk walk;
    JsonPart node;
    bool more;
    TRY(json_walk(nodes, JSON_ARRAY, &walk));
    for (int number = 0;; number++) {
        TRY(json_next(&walk, NULL, &node, &more));
        if (!more) return ST_OK;
        const Status status = read_node(reader, &node);
        if (status != ST_OK) return explain(reader, status, number);
        if (reader->arena->total > ARENA_BYTES) arena_free(reader->arena);
    }
}

static Status read_nodes(ExportProgram *program, Scope *scope, const JsonPart *nodes, int depth) {
    Arena arena = {.limit = (size_t)LIMIT_DESCRIPTION_BYTES};
    NodeReader reader = {.program = program, .scope = scope, .arena = &arena, .depth = depth};
    const Status status = read_nodes_in(&reader, nodes);
    arena_free(&arena);
    return status;
}

// ---- graphs inside of nodes

static Status bind_operands(Scope *scope, const Json *inputs, const AtenValue *operands, int count) {
    FAIL_IF(inputs->type != JSON_ARRAY || inputs->count != (size_t)count, ST_BAD,
            "expected a graph of %d inputs, got another", count);
    return scope_define_outputs(scope, inputs, operands); // names and values alike
}

static Status read_results(const Scope *scope, Arena *arena, const Json *outputs, AtenValue *results, int room,
                           int *n_results) {
    FAIL_IF(outputs->type != JSON_ARRAY, ST_BAD, "expected a list of outputs, got something else");
    *n_results = 0;
    for (size_t i = 0; i < outputs->count; i++) {
        AtenValue value;
        TRY(scope_argument(scope, arena, &outputs->items[i], &value));
        TRY(flatten(&value, results, room, n_results));
    }
    return ST_OK;
}

static Status read_graph(NodeReader *outer, const JsonPart *graph, const AtenValue *operands, int n_operands,
                         AtenValue *results, int room, int *n_results) {
    JsonPart inputs, outputs, nodes, values;
    Json *names;
    FAIL_IF(outer->depth + 1 > LIMIT_GRAPH_DEPTH, ST_BAD, "expected at most %d graphs inside each other, got more",
            LIMIT_GRAPH_DEPTH);
    TRY(json_fields(
        graph,
        (const JsonField[]){{"inputs", &inputs}, {"outputs", &outputs}, {"nodes", &nodes}, {"tensor_values", &values}},
        4));
    Scope scope = {.arena = outer->program->scratch, .metas = {.values = values}};
    FAIL_IF(!inputs.text || !outputs.text || !nodes.text, ST_BAD, "expected inputs, outputs and nodes, got fewer");
    TRY(json_parse_part(outer->arena, &inputs, &names));
    TRY(bind_operands(&scope, names, operands, n_operands));
    TRY(read_nodes(outer->program, &scope, &nodes, outer->depth + 1));
    TRY(json_parse_part(outer->arena, &outputs, &names));
    return read_results(&scope, outer->arena, names, results, room, n_results);
}

Status program_read_nodes(ExportProgram *program) {
    JsonPart nodes;
    TRY(json_fields(&program->graph, (const JsonField[]){{"nodes", &nodes}}, 1));
    FAIL_IF(!nodes.text, ST_BAD, "expected a list 'nodes', got none");
    return read_nodes(program, &program->scope, &nodes, 0);
}
