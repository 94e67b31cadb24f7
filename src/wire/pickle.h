// Python's pickles, protocol 0 to 5, as data. Nothing is executed: what would call or import something in Python
// (GLOBAL, REDUCE, BUILD ...) becomes a value that says so, and whoever reads it looks for the few names it knows.
// Source of the opcodes: CPython's Lib/pickletools.py.
//
//     Pickle pickle;
//     TRY(pickle_read(arena, bytes, size, &pickle));
//     const PickleValue *epoch = pickle_get(pickle.root, "epoch");
//     if (pickle_int(epoch, &number)) ...
//
// Values form a graph and no tree: a small pickle can name one value many times, so that walking all ways through it
// takes exponential time; a list can hold itself, and containers can lie inside each other without end. The reader goes
// through the opcodes once and takes no stack of the machine; who walks the values sets limits on depth and on steps.
//
// Memory is at most some 100 bytes a byte of the pickle, within the limits below and the arena's own. Every error is
// ST_BAD with "byte N (OPCODE): expected ..., got ...", N counted from the start of the pickle; ST_UNSUPPORTED: a
// protocol above 5, codes of an extension registry, buffers outside of the pickle, an object that is set up twice.
#pragma once
#include "base/memory.h"
#include "base/status.h"
#include <stdint.h>

enum {
    PICKLE_MAX_OPCODES = 1 << 24,
    PICKLE_MAX_VALUES = 2000000,
    PICKLE_MAX_MEMO = 1 << 22,  // numbers of PUT and GET
    PICKLE_MAX_STACK = 1 << 20, // values that wait for their container
    PICKLE_MAX_NAME = 1024      // bytes of a global's module, of its name
};

typedef enum PickleKind {
    PICKLE_NONE,
    PICKLE_BOOL,
    PICKLE_INT,
    PICKLE_LONG, // an integer of more than 64 bits
    PICKLE_FLOAT,
    PICKLE_TEXT,
    PICKLE_BYTES, // bytes, bytearray; a str of Python 2 that is not UTF-8
    PICKLE_LIST,
    PICKLE_TUPLE,
    PICKLE_SET, // set, frozenset
    PICKLE_DICT,
    PICKLE_GLOBAL,    // a function or a class, by its name
    PICKLE_OBJECT,    // what calling one would give
    PICKLE_PERSISTENT // something outside of the pickle, by an id
} PickleKind;

typedef struct PickleValue PickleValue;
struct PickleValue {
    PickleKind kind;
    bool has_nul;  // TEXT: a NUL is part of it
    size_t offset; // of the opcode that made it
    union {
        int64_t i; // BOOL, INT
        double f;
        struct { // TEXT: UTF-8 in the arena, a NUL behind it; BYTES, LONG (little-endian, two's complement): in place
            const uint8_t *bytes;
            size_t size;
        };
        struct { // LIST, TUPLE, SET: `count` values; DICT: `count` pairs, key, value, key, value ...
            const PickleValue **items;
            size_t count, capacity; // capacity: of items
        };
        struct {
            const char *module, *name;
        };
        struct {                       // OBJECT
            const PickleValue *maker;  // GLOBAL, OBJECT or PERSISTENT: what is called
            const PickleValue *args;   // TUPLE
            const PickleValue *kwargs; // DICT; NULL: none
            const PickleValue *state;  // of BUILD; NULL: none
            PickleValue *dict, *list;  // what was put into it afterwards: DICT, LIST; NULL: nothing
        };
        const PickleValue *id; // PERSISTENT
    };
};

typedef struct Pickle {
    const PickleValue *root;
    size_t size;                    // bytes that the pickle took, with STOP; others may follow
    const PickleValue **persistent; // every PERSISTENT, in the order of the pickle
    size_t n_persistent;
} Pickle;

// Reads one pickle from the beginning of `bytes`, which have to outlive it where PICKLE_BYTES or PICKLE_LONG are asked
// for; all else is in the arena.
Status pickle_read(Arena *arena, const void *bytes, size_t size, Pickle *out);

// Questions that any value may be asked, NULL too.
bool pickle_is(const PickleValue *value, PickleKind kind);
const char *pickle_text(const PickleValue *value); // NULL: no text, or one with a NUL inside
bool pickle_int(const PickleValue *value, int64_t *out);
bool pickle_is_global(const PickleValue *value, const char *module, const char *name);
// An OBJECT that a global of that name makes.
bool pickle_is_made_by(const PickleValue *value, const char *module, const char *name);
// Element i of a LIST, TUPLE or SET; NULL: there is none.
const PickleValue *pickle_item(const PickleValue *value, size_t i);
// The DICT that the value is, or, being an object, has: by SETITEMS, or as an OrderedDict; NULL: none.
const PickleValue *pickle_dict(const PickleValue *value);
// What the key, a text, stands for in pickle_dict(value), the last one as in Python; NULL: absent. Linear in its count.
const PickleValue *pickle_get(const PickleValue *value, const char *key);
// "None", "a list": for messages.
const char *pickle_kind(PickleKind kind);
const char *pickle_kind_name(const PickleValue *value);
