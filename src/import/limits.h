// What a foreign model file may ask for at most. Far beyond any network that makes sense here, low enough that a
// hostile file ends in a message and not in a machine that swaps.
#pragma once
#include <stdint.h>

enum {
    LIMIT_NODES = 100000,        // nodes of one graph
    LIMIT_VALUES = 500000,       // names of inputs, constants and node outputs together
    LIMIT_NODE_VALUES = 1024,    // inputs, or outputs, of one node
    LIMIT_NODE_ATTRIBUTES = 256, // of one node
    LIMIT_LIST = 65536,          // entries of one attribute that is a list
    LIMIT_NAME = 4096,           // bytes of a name
    LIMIT_TEXT = 65536,          // bytes of an attribute that is a text
    LIMIT_OPSETS = 256,          // operator sets that a model names
    LIMIT_EXTERNAL_FILES = 1024, // files with weights beside the model
    LIMIT_GRAPH_DEPTH = 16,      // graphs inside each other: branches of If, bodies of Loop and Scan
    LIMIT_STEPS = 256,           // of a Loop or Scan, which is put in step by step
    LIMIT_CONDITION = 200000,    // nodes that are looked at to find out what conditions are, all together
    LIMIT_FAULTS = 8,            // faults of one model that are told in full
};

static const int64_t LIMIT_FILE_BYTES = INT64_C(8) << 30; // of the model, and of each file beside it
// Memory for what the file says about nodes and names; weights are not counted.
static const int64_t LIMIT_DESCRIPTION_BYTES = INT64_C(1) << 29;
