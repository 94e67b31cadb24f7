// Version 2 B-trees (III.A.2): records of one size, sorted, in the nodes at all depths.
//
//     "BTHD" -> "BTIN" | records | pointers to nodes | checksum -> ... -> "BTLF" | records | checksum
//
// A pointer is an address, how many records its node has, and (above the last but one depth) how many lie below it;
// the two numbers take as many bytes as the largest that fits into a node asks for.
#include "wire/hdf5_parts.h"
#include <string.h>

enum { NODE_HEAD = 6, NODE_CHECKSUM = 4 };

typedef struct Tree {
    const H5File *file;
    unsigned type, record_size;
    unsigned count_bytes;                   // of a node's number of records
    unsigned total_bytes[H5_MAX_DEPTH + 1]; // of the number of all records below a node of that depth
    const H5Only *only;
    H5Visit *visit;
    void *context;
} Tree;

// How many bytes the numbers in pointers take, from the leaves upwards.
static bool find_widths(Tree *tree, uint64_t node_size, unsigned depth) {
    const uint64_t room = node_size - MIN(node_size, (uint64_t)(NODE_HEAD + NODE_CHECKSUM));
    uint64_t most = room / tree->record_size, total = most;
    tree->count_bytes = h5_bytes_for(most);
    tree->total_bytes[0] = 0; // of leaves it is not told
    for (unsigned i = 1; i <= depth; i++) {
        const uint64_t pointer = tree->file->offset_size + tree->count_bytes + tree->total_bytes[i - 1];
        if (room < pointer + tree->record_size) return false;
        most = (room - pointer) / (tree->record_size + pointer);
        uint64_t below;
        if (__builtin_mul_overflow(most + 1, total, &below) || __builtin_add_overflow(below, most, &total))
            total = UINT64_MAX;
        tree->total_bytes[i] = h5_bytes_for(total);
    }
    return most > 0;
}

static uint32_t key_of(const Tree *tree, const uint8_t *records, uint64_t i) {
    const uint8_t *at = records + i * tree->record_size + tree->only->at;
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

// Whether the subtree before record i of n can hold what is searched for.
static bool may_be_before(const Tree *tree, const uint8_t *records, uint64_t i, uint64_t n) {
    if (!tree->only) return true;
    return (i == 0 || key_of(tree, records, i - 1) <= tree->only->value) &&
           (i == n || key_of(tree, records, i) >= tree->only->value);
}

static Status visit_record(const Tree *tree, uint64_t at) {
    H5Cursor record = {.file = tree->file, .at = at, .end = at + tree->record_size};
    if (tree->only && key_of(tree, tree->file->bytes + at, 0) != tree->only->value) return ST_OK;
    return tree->visit(tree->context, &record);
}

static Status visit_node(const Tree *tree, uint64_t address, uint64_t n, unsigned depth) {
    H5Cursor node = h5_cursor_open(tree->file, address, "a B-tree's node");
    const uint64_t start = node.at;
    h5_expect(&node, depth ? "BTIN" : "BTLF", "a B-tree's node");
    h5_version(&node, 0, 0, "a B-tree's node");
    if (h5_uint(&node, 1) != tree->type)
        h5_fail(&node, ST_BAD, "expected a node of a B-tree of type %u, got another; the file is damaged", tree->type);
    const uint64_t first = node.at;
    const uint8_t *records = h5_take(&node, n * tree->record_size);
    const unsigned total_bytes = depth ? tree->total_bytes[depth - 1] : 0;
    H5Cursor pointers =
        h5_part(&node, depth ? (n + 1) * (tree->file->offset_size + tree->count_bytes + total_bytes) : 0);
    h5_checksum(&node, start, "a B-tree's node");
    TRY(node.status);
    for (uint64_t i = 0; i <= n; i++) {
        if (depth) {
            const uint64_t child = h5_address(&pointers), count = h5_uint(&pointers, tree->count_bytes);
            h5_skip(&pointers, total_bytes);
            TRY(pointers.status);
            if (may_be_before(tree, records, i, n)) TRY(visit_node(tree, child, count, depth - 1));
        }
        if (i < n) TRY(visit_record(tree, first + i * tree->record_size));
    }
    return ST_OK;
}

Status h5_visit_records(const H5File *file, uint64_t address, unsigned type, const H5Only *only, H5Visit *visit,
                        void *context) {
    Tree tree = {.file = file, .type = type, .only = only, .visit = visit, .context = context};
    H5Cursor cursor = h5_cursor_open(file, address, "a B-tree");
    const uint64_t start = cursor.at;
    h5_expect(&cursor, "BTHD", "a B-tree");
    h5_version(&cursor, 0, 0, "a B-tree");
    const unsigned found = (unsigned)h5_uint(&cursor, 1);
    const uint64_t node_size = h5_uint(&cursor, 4);
    tree.record_size = (unsigned)h5_uint(&cursor, 2);
    const unsigned depth = (unsigned)h5_uint(&cursor, 2);
    h5_skip(&cursor, 2); // percent at which nodes are split and merged
    const uint64_t root = h5_address(&cursor), n = h5_uint(&cursor, 2);
    h5_length(&cursor); // all records
    h5_checksum(&cursor, start, "a B-tree");
    if (cursor.status == ST_OK && (found != type || depth > H5_MAX_DEPTH || tree.record_size == 0 ||
                                   (only && tree.record_size < only->at + 4) || !find_widths(&tree, node_size, depth)))
        h5_fail(&cursor, ST_BAD,
                "expected a B-tree of type %u at most %d deep, got type %u, depth %u, records of %u bytes in nodes of "
                "%llu; the file is damaged",
                type, H5_MAX_DEPTH, found, depth, tree.record_size, (unsigned long long)node_size);
    TRY(cursor.status);
    return root == H5_NOWHERE || n == 0 ? ST_OK : visit_node(&tree, root, n, depth);
}
