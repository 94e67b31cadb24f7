// A file of TorchScript's code as a tree. Names of a function's variables are numbered while it is read, so that a call
// of it is a frame of numbered places.
//
//     Names names = {.arena = arena};
//     ScriptCode code;
//     TRY(script_parse(&names, "code/__torch__.py", bytes, size, &code));
//
// Blocks and expressions lie inside each other at most so deep as the limits say: who walks the tree may recurse.
#pragma once
#include "base/memory.h"
#include "base/status.h"

enum {
    SCRIPT_DEPTH = 200,      // expressions inside each other
    SCRIPT_BLOCKS = 60,      // blocks inside each other
    SCRIPT_ARGUMENTS = 65536 // of a call, entries of a list
};

// A name, once for each spelling: names are the same where their pointers are.
typedef struct Definition Definition;
typedef struct ScriptCode ScriptCode;
typedef struct Name Name;
struct Name {
    const char *text;
    Name *next;              // of the same slot
    const Definition *owner; // the function that is read and has a variable of this name ...
    int place;               // ... there
    // Of a qualified name, once they were looked up: the module of the code that it names (a ScriptCode), and what else
    // it stands for (a Definition, or a row of the table of built-in functions).
    const ScriptCode *module;
    const void *found;
};

typedef struct Names {
    Arena *arena;
    Name **slots;
    size_t n_slots, count;
} Names;

// NULL: no memory.
Name *name_of(Names *names, const char *text, size_t length);

typedef enum ExprKind {
    EXPR_NONE,
    EXPR_TRUE,
    EXPR_FALSE,
    EXPR_INT,
    EXPR_FLOAT,
    EXPR_TEXT,
    EXPR_VARIABLE,  // name, place
    EXPR_GLOBAL,    // name: "torch.add", "ops.prim.dtype", "__torch__.Net", "CONSTANTS.c0"
    EXPR_ATTRIBUTE, // of `object`: name
    EXPR_CALL,      // of `object`: items; keywords
    EXPR_INDEX,     // object[items[0]]
    EXPR_SLICE,     // object[items[0]:items[1]], NULL where left out
    EXPR_NEGATE,    // of object
    EXPR_LIST,
    EXPR_TUPLE,
    EXPR_DICT // items: key, value, key, value ...
} ExprKind;

typedef struct Expr Expr;
struct Expr {
    ExprKind kind;
    uint32_t at; // byte of the code
    int line;
    union {
        int64_t i;
        double f;
        const char *text;
        struct {
            Name *name;
            int place; // in the frame
        };
    };
    const Expr *object;
    const Expr **items;
    Name **keywords; // of a call: the names of its last n_keywords items
    int count, n_keywords;
};

typedef enum StatementKind {
    STATEMENT_PASS,
    STATEMENT_EXPR,   // value
    STATEMENT_ASSIGN, // targets = value; unpacks: the value is taken apart
    STATEMENT_IF,     // value, body, other
    STATEMENT_WHILE,  // value, body
    STATEMENT_FOR,    // targets[0] in range(value) or in value, body
    STATEMENT_WITH,   // value, targets[0] or none, body
    STATEMENT_RETURN, // value or none
    STATEMENT_DEF     // a function inside of a function: what it is for is not had
} StatementKind;

typedef struct Statement Statement;
typedef struct Block {
    const Statement **statements;
    int count;
} Block;

struct Statement {
    StatementKind kind;
    uint32_t at;
    int line;
    bool unpacks;
    const Expr **targets; // VARIABLE or ATTRIBUTE
    int n_targets;
    const Expr *value;
    Block body, other;
};

typedef struct Parameter {
    Name *name;
    const Expr *type, *otherwise; // NULL: none
} Parameter;

typedef enum DefinitionKind {
    DEFINITION_FUNCTION,
    DEFINITION_MODULE,
    DEFINITION_CLASS,
    DEFINITION_TUPLE, // NamedTuple: fields
    DEFINITION_ENUM,  // constants
    DEFINITION_INTERFACE
} DefinitionKind;

typedef struct Field {
    Name *name;
    const Expr *type, *value; // value: of Final and of enums; NULL: none
} Field;

struct Definition {
    DefinitionKind kind;
    Name *name;
    const ScriptCode *code;
    // functions
    Parameter *parameters;
    int n_parameters, n_places; // places of a frame: parameters first
    Block body;
    // classes
    Field *fields;
    int n_fields;
    Definition **methods;
    int n_methods;
};

struct ScriptCode {
    const char *path; // in the archive
    Definition **definitions;
    int count;
    void *lines; // SourceLines of source.c; NULL: not read yet
};

// ST_BAD: "PATH:LINE: expected ..., got ..."; more than the limits allow. ST_UNSUPPORTED: words of the language that
// are not had. The bytes need not outlive the tree.
Status script_parse(Names *names, const char *path, const char *code, size_t size, ScriptCode *out);
const Definition *code_find(const ScriptCode *code, const Name *name); // NULL: none
const Definition *class_method(const Definition *class, const Name *name);
