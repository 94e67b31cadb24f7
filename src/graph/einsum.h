// Equations of Einsum: "bhid,bhjd->bhij". A letter is a dim; those that do not stand behind the arrow are summed; "..."
// stands for the dims that no letter names. Blanks mean nothing.
#pragma once
#include "graph/graph.h"

enum {
    EINSUM_INPUTS = 2,          // of a node; the importer cuts longer equations into steps of two
    EINSUM_TERM = MAX_RANK + 2, // bytes of a term: letters, '.' for the ellipsis, 0
    EINSUM_LETTERS = 52,
    EINSUM_LABELS = EINSUM_LETTERS + MAX_RANK
};

// terms[0 .. count - 1] become the terms of the `count` inputs, terms[count] that of the output, which is made where
// the equation has no arrow: "." if there is one, then the letters that stand once, in the order of ASCII. ST_BAD: not
// an equation of so many inputs; ST_UNSUPPORTED: a term of more than MAX_RANK dims.
Status einsum_terms(const char *equation, int count, char (*terms)[EINSUM_TERM]);

// The same with the ranks known. Labels 0 .. 51 are letters; the last dim that an ellipsis stands for is
// EINSUM_LABELS - 1, the one before it EINSUM_LABELS - 2 ...
typedef struct Einsum {
    int count;                   // inputs
    int rank[EINSUM_INPUTS + 1]; // [count]: of the output
    int label[EINSUM_INPUTS + 1][MAX_RANK];
} Einsum;
Status einsum_read(const Node *node, const int *ranks, Einsum *out);
// dim[label] from the dims of the inputs, which may be unknown; dims of 1 broadcast. ST_BAD where they do not go
// together. Labels that do not stand anywhere get -1.
Status einsum_dims(const Einsum *einsum, const int64_t *const *dims, int64_t dim[EINSUM_LABELS]);
