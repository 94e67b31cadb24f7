// What the variables of a program hold while it is walked, before there is any image: numbers, texts and lists that are
// known, tensors as values of the graph, and objects as the file stores them.
#pragma once
#include "import/aten/aten.h"
#include "import/script/syntax.h"
#include "wire/pickle.h"

typedef enum ScriptKind {
    SCRIPT_UNSET, // a variable without a value
    SCRIPT_NONE,
    SCRIPT_BOOL,
    SCRIPT_INT,
    SCRIPT_FLOAT,
    SCRIPT_TEXT,
    SCRIPT_TENSOR,
    SCRIPT_NUMBER,  // an int, float or bool that is known in a run only
    SCRIPT_UNKNOWN, // what follows from such numbers and is no number of the graph: nothing may be decided by it
    SCRIPT_LIST,
    SCRIPT_TUPLE,
    SCRIPT_DICT,
    SCRIPT_OBJECT, // of a class: a module, too
    SCRIPT_ENUM,
    SCRIPT_GLOBAL, // a function or a class of the code, by its name
    SCRIPT_MISSING // what an operator would give that is not had: text, as of ATEN_MISSING
} ScriptKind;

typedef struct ScriptValue ScriptValue;
typedef struct ScriptCell ScriptCell;
typedef struct ScriptItems ScriptItems;
typedef struct ScriptObject ScriptObject;
typedef struct ScriptEnum ScriptEnum;

struct ScriptValue {
    ScriptKind kind;
    union {
        bool b;
        int64_t i;
        double f;
        const char *text;
        ScriptCell *cell;
        ValueId number;
        ScriptItems *items; // LIST, TUPLE; DICT: key, value, key, value ...
        ScriptObject *object;
        const ScriptEnum *constant;
        Name *name; // GLOBAL
    };
};

// Lists and dicts are shared by all variables that name them.
struct ScriptItems {
    ScriptValue *at;
    int count, room;
    const Definition *class; // of a NamedTuple
    bool stored;             // in the file: nothing is changed in it
};

struct ScriptEnum {
    const Name *class, *name; // name NULL: the code does not tell
    ScriptValue value;
};

typedef struct ScriptField {
    Name *name;
    const PickleValue *stored; // in the file; NULL: made by the program
    ScriptValue value;
    bool loaded; // value is there
    bool read;   // before anything was written to it
} ScriptField;

struct ScriptObject {
    Name *class;
    const Definition *definition; // NULL: not looked up yet
    const char *path;             // of a module: "encoder.conv1", "" for the whole model
    ScriptField *fields;          // sorted by the names' addresses
    int n_fields;
    bool stored; // in the file: a second run begins with what is there
};

static inline ScriptValue script_none(void) { return (ScriptValue){.kind = SCRIPT_NONE}; }
static inline ScriptValue script_bool(bool b) { return (ScriptValue){.kind = SCRIPT_BOOL, .b = b}; }
static inline ScriptValue script_int(int64_t i) { return (ScriptValue){.kind = SCRIPT_INT, .i = i}; }
static inline ScriptValue script_float(double f) { return (ScriptValue){.kind = SCRIPT_FLOAT, .f = f}; }
static inline ScriptValue script_text(const char *text) { return (ScriptValue){.kind = SCRIPT_TEXT, .text = text}; }
static inline bool script_is_list(const ScriptValue *value) {
    return value->kind == SCRIPT_LIST || value->kind == SCRIPT_TUPLE;
}
const char *script_kind_name(ScriptKind kind); // "a list": for messages

Status script_list(Arena *arena, ScriptKind kind, int count, ScriptValue *out); // LIST, TUPLE or DICT of UNSET items
// ST_UNSUPPORTED: more than ATEN_LIST_COUNT.
Status script_append(Arena *arena, ScriptItems *items, const ScriptValue *value);
