// Heaps, where names, texts of variable length and messages lie.
//
//     local heap (III.D): the names of one group         "HEAP" -> a segment of bytes
//     global heap (III.E): collections of numbered objects    "GCOL" | number, size, bytes | number, size, bytes ...
//     fractal heap (III.G): one space of addresses in blocks  "FRHP" -> "FHDB", or "FHIB" -> blocks
#include "base/checksum.h"
#include "wire/hdf5_parts.h"
#include <string.h>

// ---- local heap

Status h5_local_name(const H5File *file, uint64_t heap, uint64_t offset, const char **name, size_t *length) {
    H5Cursor cursor = h5_cursor_open(file, heap, "a local heap");
    h5_expect(&cursor, "HEAP", "a local heap");
    h5_version(&cursor, 0, 0, "a local heap");
    h5_skip(&cursor, 3);
    const uint64_t size = h5_length(&cursor);
    h5_length(&cursor); // of free space
    const uint64_t segment = h5_address(&cursor);
    TRY(cursor.status);
    H5Cursor text = h5_cursor(file, segment, size, "a local heap's names");
    h5_skip(&text, offset);
    const uint64_t left = text.end - text.at, window = MIN(left, (uint64_t)H5_MAX_NAME + 1);
    const char *at = (const char *)file->bytes + text.at;
    TRY(text.status);
    *length = strnlen(at, (size_t)window);
    if (*length == window)
        h5_fail(&text, ST_BAD, "expected a name of at most %d bytes, got one without an end; the file is damaged",
                H5_MAX_NAME);
    *name = (const char *)h5_take(&text, *length);
    return text.status;
}

// ---- global heap: its head and each object's head are filled up to multiples of 8 bytes

// Reads a collection's head, and remembers where its objects lie.
static Status open_collection(const H5File *file, uint64_t address) {
    H5State *state = file->state;
    if (state->collection == address) return ST_OK;
    H5Cursor cursor = h5_cursor_open(file, address, "a global heap");
    const uint64_t start = cursor.at;
    h5_expect(&cursor, "GCOL", "a global heap");
    h5_version(&cursor, 1, 1, "a global heap");
    h5_skip(&cursor, 3);
    const uint64_t size = h5_length(&cursor);
    if (cursor.status == ST_OK && (size < cursor.at - start || size > cursor.end - start))
        h5_fail(&cursor, ST_BAD, "expected a global heap of at most %llu bytes, got %llu; the file is damaged",
                (unsigned long long)(cursor.end - start), (unsigned long long)size);
    h5_skip(&cursor, 8 - file->length_size);
    TRY(cursor.status);
    state->collection = address;
    state->objects = state->next_object = cursor.at;
    state->objects_end = start + size;
    return ST_OK;
}

// Walks on to the object of that number, and to its bytes. False: it did not come up to the end.
static bool walk_objects(H5Cursor *cursor, uint64_t number, uint64_t *size) {
    while (cursor->status == ST_OK && cursor->end - cursor->at >= 16) {
        const uint64_t found = h5_uint(cursor, 2);
        h5_skip(cursor, 6); // references, reserved
        *size = h5_length(cursor);
        h5_skip(cursor, 8 - cursor->file->length_size);
        if (found == number) return cursor->status == ST_OK;
        if (found == 0) return false; // free space, up to the end
        h5_skip(cursor, *size);
        h5_skip(cursor, MIN((8 - *size % 8) % 8, cursor->end - cursor->at));
    }
    return false;
}

// Texts of a list mostly lie one behind the other, so the search goes on where the last one ended.
static H5Cursor find_object(const H5File *file, uint64_t number, uint64_t *size) {
    const H5State *state = file->state;
    H5Cursor cursor = {.file = file, .at = state->next_object, .end = state->objects_end};
    if (walk_objects(&cursor, number, size) || cursor.status != ST_OK) return cursor;
    cursor.at = state->objects;
    if (!walk_objects(&cursor, number, size))
        h5_fail(&cursor, ST_BAD, "expected object %llu of a global heap, got none; the file is damaged",
                (unsigned long long)number);
    return cursor;
}

Status h5_global_object(H5Cursor *reference, const uint8_t **bytes, size_t *size) {
    const H5File *file = reference->file;
    const uint64_t expected = h5_uint(reference, 4), address = h5_address(reference), number = h5_uint(reference, 4);
    uint64_t there = 0;
    *bytes = NULL;
    *size = 0;
    TRY(reference->status);
    if (expected == 0 || number == 0) return ST_OK;
    TRY(open_collection(file, address));
    H5Cursor object = find_object(file, number, &there);
    if (object.status == ST_OK && expected > there)
        h5_fail(&object, ST_BAD, "expected a text of %llu bytes in a global heap, got %llu; the file is damaged",
                (unsigned long long)expected, (unsigned long long)there);
    *bytes = h5_take(&object, expected);
    TRY(object.status);
    *size = (size_t)expected;
    h5_skip(&object, MIN(there - expected + (8 - there % 8) % 8, object.end - object.at));
    file->state->next_object = object.at;
    return ST_OK;
}

// ---- fractal heap

static bool is_power(uint64_t value) { return value != 0 && (value & (value - 1)) == 0; }

// The doubling table: rows of `width` blocks, of start, start, 2 start, 4 start, ... bytes; blocks beyond `most` bytes
// are indirect: tables of their own.
static void read_table(H5Cursor *cursor, H5Heap *heap, uint64_t most_object) {
    heap->width = (unsigned)h5_uint(cursor, 2);
    heap->start_size = h5_length(cursor);
    const uint64_t most = h5_length(cursor);
    heap->max_bits = (unsigned)h5_uint(cursor, 2);
    h5_skip(cursor, 2); // rows of a new root
    heap->root = h5_address(cursor);
    heap->rows = (unsigned)h5_uint(cursor, 2);
    if (cursor->status != ST_OK) return;
    const bool is_right = is_power(heap->width) && is_power(heap->start_size) && is_power(most) &&
                          most >= heap->start_size && heap->max_bits >= 1 && heap->max_bits <= 62;
    if (is_right) {
        const unsigned first_bits = h5_log2(heap->width) + h5_log2(heap->start_size);
        heap->most_direct_rows = h5_log2(most) - h5_log2(heap->start_size) + 2;
        heap->offset_bytes = (heap->max_bits + 7) / 8;
        heap->length_bytes = MIN((h5_log2(most) + 7) / 8, h5_bytes_for(most_object));
        if (first_bits <= heap->max_bits && heap->rows <= heap->max_bits - first_bits + 1) return;
    }
    h5_fail(cursor, ST_BAD,
            "expected a fractal heap's table of blocks, got width %u, blocks of %llu to %llu bytes, %u "
            "rows, %u bits; the file is damaged",
            heap->width, (unsigned long long)heap->start_size, (unsigned long long)most, heap->rows, heap->max_bits);
}

Status h5_heap_open(const H5File *file, uint64_t address, H5Heap *heap) {
    enum { HAS_CHECKSUMS = 2 };
    H5Cursor cursor = h5_cursor_open(file, address, "a fractal heap");
    const uint64_t start = cursor.at;
    *heap = (H5Heap){.file = file, .address = address};
    h5_expect(&cursor, "FRHP", "a fractal heap");
    h5_version(&cursor, 0, 0, "a fractal heap");
    heap->id_size = (unsigned)h5_uint(&cursor, 2);
    const uint64_t filters = h5_uint(&cursor, 2);
    heap->has_checksums = h5_uint(&cursor, 1) & HAS_CHECKSUMS;
    const uint64_t most_object = h5_uint(&cursor, 4);
    h5_length(&cursor); // the next huge object
    heap->huge_tree = h5_address(&cursor);
    h5_skip(&cursor, 9 * (uint64_t)file->length_size + file->offset_size); // sizes and counts; free space
    if (cursor.status == ST_OK && filters != 0)
        h5_fail(&cursor, ST_UNSUPPORTED, "packed fractal heaps are not supported; write the file without filters");
    read_table(&cursor, heap, most_object);
    h5_checksum(&cursor, start, "a fractal heap");
    return cursor.status;
}

// Only so many blocks are checked, each once: each again for each of its objects would take far too long.
static bool needs_check(H5Heap *heap, uint64_t address) {
    for (size_t i = 0; i < heap->n_verified; i++)
        if (heap->verified[i] == address) return false;
    if (heap->n_verified == H5_MAX_VERIFIED) return false;
    heap->verified[heap->n_verified++] = address;
    return true;
}

// The checksum stands in the block itself, and counts as zeros in it.
static Status check_block(H5Heap *heap, uint64_t address, uint64_t size) {
    const unsigned hole = 5 + heap->file->offset_size + heap->offset_bytes;
    if (!heap->has_checksums || !needs_check(heap, address)) return ST_OK;
    H5Cursor block = h5_cursor(heap->file, address, size, "a fractal heap's block");
    H5Cursor stored = block;
    h5_skip(&stored, hole);
    const uint64_t checksum = h5_uint(&stored, 4);
    const uint8_t *bytes = h5_take(&block, size);
    TRY(stored.status);
    TRY(block.status);
    if (!checksum_matches(h5_lookup3(bytes, (size_t)size, hole), checksum))
        h5_fail(&stored, ST_BAD, "the checksum of a fractal heap's block is wrong; the file is damaged");
    return stored.status;
}

static Status check_table(H5Heap *heap, uint64_t address, unsigned rows) {
    const unsigned head = 5 + heap->file->offset_size + heap->offset_bytes;
    if (!needs_check(heap, address)) return ST_OK;
    H5Cursor table = h5_cursor_open(heap->file, address, "a fractal heap's table");
    const uint64_t start = table.at;
    h5_skip(&table, head + (uint64_t)rows * heap->width * heap->file->offset_size);
    h5_checksum(&table, start, "a fractal heap's table");
    return table.status;
}

typedef struct Block {
    uint64_t address, size; // size: 0 while it is indirect
    uint64_t start;         // of the heap's space
    unsigned rows;          // 0: direct
} Block;

// The block in the indirect block `block` that holds `offset`.
static Status enter_block(H5Heap *heap, uint64_t offset, Block *block) {
    const unsigned head = 5 + heap->file->offset_size + heap->offset_bytes;
    const unsigned direct_rows = MIN(block->rows, heap->most_direct_rows);
    uint64_t start = block->start, size = heap->start_size;
    unsigned row = 0;
    for (; row < block->rows && offset - start >= size * heap->width; row++) {
        start += size * heap->width;
        size *= row == 0 ? 1 : 2;
    }
    H5Cursor cursor = h5_cursor_open(heap->file, block->address, "a fractal heap's table");
    const uint64_t table = cursor.at;
    h5_expect(&cursor, "FHIB", "a fractal heap's table");
    if (cursor.status == ST_OK && (offset < block->start || row == block->rows))
        h5_fail(&cursor, ST_BAD,
                "expected an object of a fractal heap, got one at %llu beyond its end; the file is "
                "damaged",
                (unsigned long long)offset);
    TRY(cursor.status);
    TRY(check_table(heap, block->address, block->rows));
    const uint64_t column = (offset - start) / size;
    cursor.at = table + head;
    h5_skip(&cursor, (row * (uint64_t)heap->width + column) * heap->file->offset_size);
    block->address = h5_address(&cursor);
    block->start = start + column * size;
    block->size = size;
    block->rows = 0;
    if (row < direct_rows) return cursor.status;
    const unsigned bits = h5_log2(size), first_bits = h5_log2(heap->start_size) + h5_log2(heap->width);
    if (cursor.status == ST_OK && bits < first_bits)
        h5_fail(&cursor, ST_BAD, "expected a table of a fractal heap, got one without rows; the file is damaged");
    block->rows = bits < first_bits ? 0 : bits - first_bits + 1; // fewer than before: this ends
    return cursor.status;
}

static Status managed_object(H5Heap *heap, uint64_t offset, uint64_t length, H5Cursor *object) {
    Block block = {.address = heap->root, .size = heap->start_size, .start = 0, .rows = heap->rows};
    while (block.rows > 0) TRY(enter_block(heap, offset, &block));
    *object = h5_cursor(heap->file, block.address, block.size, "a fractal heap's block");
    H5Cursor head = *object;
    h5_expect(&head, "FHDB", "a fractal heap's block");
    TRY(head.status);
    TRY(check_block(heap, block.address, block.size));
    if (offset < block.start || offset - block.start >= block.size)
        h5_fail(object, ST_BAD,
                "expected an object of a fractal heap, got one at %llu beyond its end; the file is "
                "damaged",
                (unsigned long long)offset);
    h5_skip(object, offset - block.start);
    *object = h5_part(object, length);
    return object->status;
}

typedef struct Huge {
    uint64_t number, address, length;
} Huge;

static Status match_huge(void *context, H5Cursor *record) {
    Huge *huge = context;
    const uint64_t address = h5_address(record), length = h5_length(record), number = h5_length(record);
    if (record->status == ST_OK && number == huge->number) {
        huge->address = address;
        huge->length = length;
    }
    return record->status;
}

// Objects that are too large for the heap's blocks lie on their own; a B-tree knows where.
static Status huge_object(H5Heap *heap, H5Cursor *id, H5Cursor *object) {
    enum { HUGE_OBJECTS = 1 };
    const H5File *file = heap->file;
    const unsigned direct_size = file->offset_size + file->length_size;
    Huge huge = {.address = H5_NOWHERE};
    if (heap->id_size - 1 >= direct_size) {
        huge.address = h5_address(id);
        huge.length = h5_length(id);
    } else {
        huge.number = h5_uint(id, MIN(heap->id_size - 1, file->length_size));
        TRY(id->status);
        TRY(h5_visit_records(file, heap->huge_tree, HUGE_OBJECTS, NULL, match_huge, &huge));
    }
    TRY(id->status);
    *object = h5_cursor(file, huge.address, huge.length, "a large object of a fractal heap");
    return object->status;
}

Status h5_heap_object(H5Heap *heap, H5Cursor *id, H5Cursor *object) {
    enum { MANAGED, HUGE_KIND, TINY };
    H5Cursor whole = h5_part(id, heap->id_size);
    const unsigned head = (unsigned)h5_uint(&whole, 1), kind = head >> 4 & 3;
    if (whole.status == ST_OK && (head >> 6 != 0 || kind > TINY))
        h5_fail(&whole, ST_BAD, "expected an object of a fractal heap, got kind %u, version %u; the file is damaged",
                kind, head >> 6);
    TRY(whole.status);
    if (kind == HUGE_KIND) return huge_object(heap, &whole, object);
    if (kind == TINY) { // in the ID itself; IDs of more than 18 bytes have a second byte of length
        const unsigned high = heap->id_size > 18 ? (head & 15) << 8 : head & 15;
        const unsigned low = heap->id_size > 18 ? (unsigned)h5_uint(&whole, 1) : 0;
        *object = h5_part(&whole, high + low + 1);
        return object->status;
    }
    const uint64_t offset = h5_uint(&whole, heap->offset_bytes), length = h5_uint(&whole, heap->length_bytes);
    TRY(whole.status);
    return managed_object(heap, offset, length, object);
}
