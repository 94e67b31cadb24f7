// Where a node of an exported program comes from, for messages.
#pragma once
#include "base/json.h"

// "encoder.layer1.0.conv1 (resnet.py:286)": the module's path and the line of the source, of the node's metadata; what
// it does not tell is left out. "": it tells neither. ST_RESOURCE only, and what comes of damaged text.
Status place_of(Arena *arena, const JsonPart *metadata, const char **out);
