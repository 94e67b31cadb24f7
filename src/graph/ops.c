#include "graph/table.h"
#include <assert.h>
#include <string.h>

static const OpInfo infos[OP_COUNT] = {
    [OP_NONE] = {.name = "none", .attributes = "", .doc = ""},
#define OP(op_name, min_in, max_in, min_out, max_out, op_kind, attribute_list, text)                                   \
    [OP_##op_name] = {.name = #op_name,                                                                                \
                      .min_inputs = min_in,                                                                            \
                      .max_inputs = max_in,                                                                            \
                      .min_outputs = min_out,                                                                          \
                      .max_outputs = max_out,                                                                          \
                      .kind = op_kind,                                                                                 \
                      .attributes = attribute_list,                                                                    \
                      .doc = text},
#include "graph/ops.def"
#undef OP
};

const OpInfo *op_info(Op op) {
    assert(op >= 0 && op < OP_COUNT);
    return &infos[op];
}

Op op_from_name(const char *name) {
    for (int op = OP_NONE + 1; op < OP_COUNT; op++)
        if (strcmp(infos[op].name, name) == 0) return (Op)op;
    return OP_NONE;
}

static const char *const type_names[] = {
    [ATTR_INT] = "int",       [ATTR_FLOAT] = "float",     [ATTR_STRING] = "string", [ATTR_INTS] = "ints",
    [ATTR_FLOATS] = "floats", [ATTR_STRINGS] = "strings", [ATTR_TENSOR] = "tensor",
};

const char *attr_type_name(AttrType type) { return type_names[type]; }

static bool word_is(const char *word, size_t length, const char *text) {
    return strlen(text) == length && memcmp(word, text, length) == 0;
}

static AttrRule rule_of(const char *word, size_t length) {
    for (int type = ATTR_INT; type <= ATTR_TENSOR; type++)
        if (word_is(word, length, type_names[type])) return (AttrRule){.type = (AttrType)type};
    assert(word_is(word, length, "dtype"));
    return (AttrRule){.type = ATTR_STRING, .is_dtype = true};
}

// The list is "name:type[=default] name:type ...".
bool op_attribute(Op op, const char *name, AttrRule *rule) {
    for (const char *at = op_info(op)->attributes; *at;) {
        const size_t length = strcspn(at, ":");
        const char *type = at + length + 1;
        if (word_is(at, length, name)) {
            *rule = rule_of(type, strcspn(type, "= "));
            return true;
        }
        at = type + strcspn(type, " ");
        at += strspn(at, " ");
    }
    return false;
}

static Status check_count(const char *what, int got, int min, int max) {
    if (got >= min && (max < 0 || got <= max)) return ST_OK;
    if (max < 0) return fail(ST_BAD, "expected at least %d %ss, got %d", min, what, got);
    if (min == max) return fail(ST_BAD, "expected %d %s%s, got %d", min, what, min == 1 ? "" : "s", got);
    return fail(ST_BAD, "expected %d to %d %ss, got %d", min, max, what, got);
}

static Status check_attr(const Node *node, const Attr *attr) {
    AttrRule rule;
    FAIL_IF(!op_attribute(node->op, attr->name, &rule), ST_BAD, "there is no attribute '%s'", attr->name);
    FAIL_IF(attr->type != rule.type, ST_BAD, "attribute '%s': expected type %s, got %s", attr->name,
            attr_type_name(rule.type), attr_type_name(attr->type));
    FAIL_IF(rule.is_dtype && dtype_from_name(attr->s) == DT_NONE, ST_UNSUPPORTED,
            "attribute '%s': '%s' is not a dtype that is known here", attr->name, attr->s);
    return ST_OK;
}

Status node_check(const Node *node) {
    const OpInfo *info = op_info(node->op);
    FAIL_IF(node->op == OP_NONE, ST_BAD, "the node has no op");
    TRY(check_count("input", node->n_inputs, info->min_inputs, info->max_inputs));
    TRY(check_count("output", node->n_outputs, info->min_outputs, info->max_outputs));
    const int required = info->max_inputs < 0 ? node->n_inputs : info->min_inputs;
    for (int i = 0; i < required; i++) FAIL_IF(!node_has_input(node, i), ST_BAD, "input %d is required, but absent", i);
    for (int i = 0; i < node->n_attrs; i++) {
        TRY(check_attr(node, &node->attrs[i]));
        for (int k = 0; k < i; k++)
            FAIL_IF(strcmp(node->attrs[i].name, node->attrs[k].name) == 0, ST_BAD, "attribute '%s' stands twice",
                    node->attrs[i].name);
    }
    return ST_OK;
}
