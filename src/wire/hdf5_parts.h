// What the readers of HDF5's parts share (hdf5*.c only): a cursor over the file's bytes, object headers, types, heaps,
// trees. Section numbers are those of the HDF5 File Format Specification 3.0.
//
//     superblock -> object header of the root group -> messages
//     group:   symbol table message -> B-tree (v1) of symbol tables, names in a local heap         (as h5py writes it)
//              link messages, or link info message -> B-tree (v2) of links in a fractal heap       (libver="latest")
//     object:  attribute messages, or attribute info message -> B-tree (v2), fractal heap
//     dataset: dataspace, datatype, fill value, layout, filters -> bytes, or an index of chunks
//
// A foreign file's parts may lead to each other in circles, or many times to the same part. So whatever is parsed is
// paid for, byte by byte (h5_take): a call may look at four times the file, all calls together at 64 times (h5_begin).
#pragma once
#include "wire/hdf5.h"

#define H5_NOWHERE UINT64_MAX // the address of what is not there

enum {
    H5_MAX_DEPTH = 32,    // of trees
    H5_MAX_LINKS = 16,    // soft links that a path may lead through
    H5_MAX_NAME = 4096,   // bytes of a link's or attribute's name
    H5_MAX_PENDING = 64,  // continuations of one object header that wait to be read
    H5_TEXT_COST = 32,    // bytes of memory that a text takes besides its own
    H5_MAX_FILTERS = 32,  // of one pipeline, as the library has it
    H5_MAX_VERIFIED = 64, // blocks of a fractal heap whose checksum is known to be right
};

// What changes while a file is read.
typedef struct H5State {
    Arena *arena;
    uint64_t call_left, file_left; // bytes that may still be looked at
    uint64_t data_left;            // bytes that may still be put into the arena
    uint64_t collection;           // address of the last global heap collection
    uint64_t objects, objects_end; // offsets of its objects in the file
    uint64_t next_object;          // behind the last one that was asked for
} H5State;

struct H5File {
    const uint8_t *bytes;
    size_t size, base;                 // addresses count from `base`
    unsigned offset_size, length_size; // 4 or 8 bytes
    uint64_t root;                     // address of the root group's object header
    H5State *state;
};

void h5_begin(const H5File *file);     // a call of the interface begins
unsigned h5_bytes_for(uint64_t value); // 1 to 8: that hold it
static inline unsigned h5_log2(uint64_t value) { return 63 - (unsigned)__builtin_clzll(value); } // value > 0
// `bytes` more of numbers or texts that are unpacked or copied; ST_UNSUPPORTED beyond 256 MiB and 16 times the file.
Status h5_spend_data(const H5File *file, uint64_t bytes);

// ---- a cursor (hdf5_file.c): reads little-endian numbers; the first thing that is wrong is kept in `status`, and
// everything that is read behind it is 0.

typedef struct H5Cursor {
    const H5File *file;
    uint64_t at, end; // offsets in the file
    Status status;
} H5Cursor;

// `size` bytes at an address; what: "a B-tree", for the message.
H5Cursor h5_cursor(const H5File *file, uint64_t address, uint64_t size, const char *what);
H5Cursor h5_cursor_open(const H5File *file, uint64_t address, const char *what); // to the end of the file
// Records "byte AT: ..." unless something is wrong already.
void h5_fail(H5Cursor *cursor, Status code, const char *format, ...) __attribute__((format(printf, 3, 4), cold));
const uint8_t *h5_take(H5Cursor *cursor, uint64_t bytes); // NULL: they are not there
void h5_skip(H5Cursor *cursor, uint64_t bytes);           // not paid for
uint64_t h5_uint(H5Cursor *cursor, unsigned bytes);       // 1 to 8 bytes
uint64_t h5_address(H5Cursor *cursor);
uint64_t h5_length(H5Cursor *cursor);
H5Cursor h5_part(H5Cursor *cursor, uint64_t bytes); // the next bytes, which are skipped
bool h5_expect(H5Cursor *cursor, const char *signature, const char *what);
unsigned h5_version(H5Cursor *cursor, unsigned least, unsigned most, const char *what);
// The bytes from `start` up to the cursor have their checksum next.
void h5_checksum(H5Cursor *cursor, uint64_t start, const char *what);
// lookup3 (Bob Jenkins 2006) as HDF5 uses it; the four bytes at `hole` count as zeros (SIZE_MAX: none do).
uint32_t h5_lookup3(const uint8_t *bytes, size_t size, size_t hole);

// ---- object headers (hdf5_header.c)

enum {
    MSG_NIL = 0x00,
    MSG_DATASPACE = 0x01,
    MSG_LINK_INFO = 0x02,
    MSG_DATATYPE = 0x03,
    MSG_FILL_VALUE = 0x05,
    MSG_LINK = 0x06,
    MSG_EXTERNAL_FILES = 0x07,
    MSG_LAYOUT = 0x08,
    MSG_FILTERS = 0x0b,
    MSG_ATTRIBUTE = 0x0c,
    MSG_CONTINUATION = 0x10,
    MSG_SYMBOL_TABLE = 0x11,
    MSG_ATTRIBUTE_INFO = 0x15,
    MSG_SHARED = 2, // flag: the body says where the message is
};

typedef struct H5Message {
    unsigned type, flags;
    H5Cursor body;
} H5Message;

typedef struct H5Header {
    H5Cursor at;                    // what is left of the chunk that is being read
    unsigned version, message_size; // of a message's own header
    size_t n_pending;
    struct H5Chunk {
        uint64_t address, size;
    } pending[H5_MAX_PENDING];
} H5Header;

//     H5Header header;
//     H5Message message;
//     for (h5_header(file, address, &header); h5_message(&header, &message);) ...
//     TRY(header.at.status);
void h5_header(const H5File *file, uint64_t address, H5Header *header);
bool h5_message(H5Header *header, H5Message *message);
// The first message of that type, shared ones resolved.
Status h5_find_message(const H5File *file, uint64_t address, unsigned type, H5Message *out, bool *found);
// `cursor` stands on a shared message of that type (IV.A.2, "Shared Message"): it is put on the message itself.
void h5_unshare(H5Cursor *cursor, unsigned type);

// ---- dataspace and datatype (hdf5_type.c)

typedef struct H5Space {
    Shape shape; // of a null dataspace: {0}
    bool is_null;
    uint64_t most[MAX_RANK]; // the dims that it may grow to; H5_NOWHERE: no limit
} H5Space;

typedef enum H5Kind { H5_NUMBER, H5_TEXT, H5_VARIABLE_TEXT } H5Kind;
typedef struct H5Type {
    H5Kind kind;
    size_t size; // bytes of an element in the file
    DType dtype; // H5_NUMBER
    bool big_endian;
    bool space_padded; // H5_TEXT
} H5Type;

void h5_space(H5Cursor *cursor, H5Space *out);
// ST_UNSUPPORTED for what is neither a number nor a text, with its name.
void h5_type(H5Cursor *cursor, H5Type *out);
// The numbers in native byte order, in place where that may be; `data` stands on them.
Status h5_numbers(H5Cursor *data, const H5Type *type, const H5Space *space, Tensor *out);
// Fresh zeroed memory for them, which counts as data of datasets; h5_native brings what was put there in order.
Status h5_make_tensor(const H5File *file, const H5Type *type, const H5Space *space, Tensor *out);
void h5_native(const H5Type *type, Tensor *tensor);

// ---- heaps (hdf5_heap.c)

// A text of a local heap (III.D), which ends with a NUL there.
Status h5_local_name(const H5File *file, uint64_t heap, uint64_t offset, const char **name, size_t *length);
// `reference` stands on a variable-length element: its bytes in the global heap (III.E). *size 0: none.
Status h5_global_object(H5Cursor *reference, const uint8_t **bytes, size_t *size);

// A fractal heap (III.G).
typedef struct H5Heap {
    const H5File *file;
    uint64_t address;
    unsigned id_size, offset_bytes, length_bytes; // of an ID, of the offset and the length in it
    bool has_checksums;                           // of direct blocks
    uint64_t huge_tree, start_size;
    unsigned width, most_direct_rows, rows; // rows 0: the root is a direct block
    unsigned max_bits;
    uint64_t root;
    uint64_t verified[H5_MAX_VERIFIED];
    size_t n_verified;
} H5Heap;
Status h5_heap_open(const H5File *file, uint64_t address, H5Heap *heap);
// `id` stands on a heap ID of heap->id_size bytes.
Status h5_heap_object(H5Heap *heap, H5Cursor *id, H5Cursor *object);

// ---- version 2 B-trees (hdf5_btree.c, III.A.2)

typedef Status H5Visit(void *context, H5Cursor *record);
// Only what can hold the number `value` in the 4 bytes at `at` of a record, by which the tree is sorted.
typedef struct H5Only {
    unsigned at;
    uint32_t value;
} H5Only;
// Calls visit for each record; only: NULL for all. `type` is that of the tree's records.
Status h5_visit_records(const H5File *file, uint64_t address, unsigned type, const H5Only *only, H5Visit *visit,
                        void *context);

// ---- filters (hdf5_filter.c)

typedef struct H5Filters {
    size_t count;
    struct H5Filter {
        unsigned id;
        unsigned width; // of shuffle: bytes of an element
    } filters[H5_MAX_FILTERS];
} H5Filters;
// ST_UNSUPPORTED, with its name, for a filter that is not known.
void h5_filters(H5Cursor *cursor, H5Filters *out);
typedef struct H5Unpacker { // memory that is used for one chunk after the other
    uint8_t *buffers[2];
    size_t capacity;
} H5Unpacker;
// Undoes the filters whose bit in `skipped` is 0; gives `size` bytes, valid until the next call.
Status h5_unpack(H5Unpacker *unpacker, const H5Filters *filters, uint64_t skipped, H5Cursor *packed, size_t size,
                 const uint8_t **out);
void h5_unpacker_free(H5Unpacker *unpacker);

// ---- chunks (hdf5_chunk.c)

typedef enum H5Index {
    INDEX_TREE = 0, // of layout version 3
    INDEX_SINGLE = 1,
    INDEX_IMPLICIT = 2,
    INDEX_FIXED_ARRAY = 3,
    INDEX_EXTENSIBLE_ARRAY = 4,
    INDEX_TREE2 = 5,
} H5Index;

typedef struct H5Chunks {
    const H5File *file;
    const H5Type *type;
    const H5Space *space;
    H5Filters filters;
    H5Index index;
    bool whole_edges;        // chunks that reach beyond the dataset are stored without filters
    bool is_filtered_single; // INDEX_SINGLE: single_size and single_mask are told
    unsigned size_bytes;     // of a packed chunk's size, in an index of layout version 4
    uint64_t address;        // of the index
    uint64_t single_size, single_mask;
    uint64_t dims[MAX_RANK];   // of a chunk, in elements
    uint64_t counts[MAX_RANK]; // of chunks in the dataset
    size_t bytes;              // of a chunk that is unpacked
    uint64_t left;             // chunks that the index may still give
    H5Unpacker unpacker;
    Tensor *tensor;
} H5Chunks;
// Puts all chunks into chunks->tensor, in the file's byte order.
Status h5_read_chunks(H5Chunks *chunks);
Status h5_read_chunk_array(H5Chunks *chunks); // implicit, fixed array, extensible array (hdf5_array.c)
// One chunk: its place in the grid, where it lies; bits of the filters that were left out.
Status h5_read_chunk(H5Chunks *chunks, const uint64_t *place, uint64_t address, uint64_t size, uint64_t mask);
