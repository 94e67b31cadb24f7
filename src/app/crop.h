// A network on a smaller picture.
#pragma once
#include "app/app.h"

// A smaller copy of the graph, whose types are known: spatial dims of the first input are cut to `side` where they are
// larger, and so are the sizes of a Resize inside. *out NULL when other sizes are fixed inside (a reshape to a constant
// size), or there is not one picture that goes in.
Status crop_graph(const Graph *graph, int64_t side, Graph **out);
