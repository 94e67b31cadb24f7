// The file as a whole: superblock (II.A), addresses, the cursor that everything is read with, checksums.
#include "base/checksum.h"
#include "wire/hdf5_parts.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char signature[8] = "\x89HDF\r\n\x1a\n";

static const uint64_t CALL_WORK = UINT64_C(1) << 22, FILE_WORK = UINT64_C(1) << 30, DATA = UINT64_C(1) << 28;
enum { CALL_GROWTH = 4, FILE_GROWTH = 64, DATA_GROWTH = 16 };

// ---- what a file may ask for

static uint64_t most_data(size_t size) { return MAX(DATA, DATA_GROWTH * (uint64_t)size); }

void h5_begin(const H5File *file) { file->state->call_left = CALL_WORK + CALL_GROWTH * (uint64_t)file->size; }

static bool spend_work(const H5File *file, uint64_t bytes) {
    H5State *state = file->state;
    if (bytes > state->call_left || bytes > state->file_left) return false;
    state->call_left -= bytes;
    state->file_left -= bytes;
    return true;
}

Status h5_spend_data(const H5File *file, uint64_t bytes) {
    H5State *state = file->state;
    FAIL_IF(bytes > state->data_left, ST_UNSUPPORTED,
            "a file of %zu bytes that unpacks to %llu bytes and %llu more is too much; write it without compression",
            file->size, (unsigned long long)(most_data(file->size) - state->data_left), (unsigned long long)bytes);
    state->data_left -= bytes;
    return ST_OK;
}

unsigned h5_bytes_for(uint64_t value) {
    unsigned bytes = 1;
    while (bytes < 8 && value >> 8 * bytes) bytes++;
    return bytes;
}

// ---- the cursor

void h5_fail(H5Cursor *cursor, Status code, const char *format, ...) {
    char text[512];
    va_list args;
    if (cursor->status != ST_OK) return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    cursor->status = fail(code, "byte %llu: %s", (unsigned long long)cursor->at, text);
}

static H5Cursor cursor_at(const H5File *file, uint64_t address, const char *what) {
    H5Cursor cursor = {.file = file};
    const uint64_t space = file->size - file->base;
    if (address >= space) {
        cursor.status = fail(ST_BAD, "expected the address of %s within %llu bytes, got %llu; the file is damaged",
                             what, (unsigned long long)space, (unsigned long long)address);
        return cursor;
    }
    cursor.at = file->base + address;
    cursor.end = file->size;
    return cursor;
}

H5Cursor h5_cursor_open(const H5File *file, uint64_t address, const char *what) {
    return cursor_at(file, address, what);
}

H5Cursor h5_cursor(const H5File *file, uint64_t address, uint64_t size, const char *what) {
    H5Cursor cursor = cursor_at(file, address, what);
    if (size > cursor.end - cursor.at) {
        h5_fail(&cursor, ST_BAD, "expected %llu bytes of %s, got %llu; the file is cut short or damaged",
                (unsigned long long)size, what, (unsigned long long)(cursor.end - cursor.at));
    } else {
        cursor.end = cursor.at + size;
    }
    return cursor;
}

static bool has(H5Cursor *cursor, uint64_t bytes) {
    if (cursor->status != ST_OK) return false;
    if (bytes <= cursor->end - cursor->at) return true;
    h5_fail(cursor, ST_BAD, "expected %llu bytes more, got %llu; the file is cut short or damaged",
            (unsigned long long)bytes, (unsigned long long)(cursor->end - cursor->at));
    return false;
}

const uint8_t *h5_take(H5Cursor *cursor, uint64_t bytes) {
    if (!has(cursor, bytes)) return NULL;
    if (!spend_work(cursor->file, bytes)) {
        h5_fail(cursor, ST_BAD, "expected another part of the file, got the same ones again and again; it is damaged");
        return NULL;
    }
    cursor->at += bytes;
    return cursor->file->bytes + cursor->at - bytes;
}

void h5_skip(H5Cursor *cursor, uint64_t bytes) {
    if (has(cursor, bytes)) cursor->at += bytes;
}

uint64_t h5_uint(H5Cursor *cursor, unsigned bytes) {
    const uint8_t *at = h5_take(cursor, bytes);
    uint64_t value = 0;
    for (unsigned i = 0; at && i < bytes; i++) value |= (uint64_t)at[i] << 8 * i;
    return value;
}

uint64_t h5_address(H5Cursor *cursor) {
    const unsigned bytes = cursor->file->offset_size;
    const uint64_t value = h5_uint(cursor, bytes);
    return value == UINT64_MAX >> (64 - 8 * bytes) ? H5_NOWHERE : value;
}

uint64_t h5_length(H5Cursor *cursor) { return h5_uint(cursor, cursor->file->length_size); }

H5Cursor h5_part(H5Cursor *cursor, uint64_t bytes) {
    H5Cursor part = *cursor;
    h5_skip(cursor, bytes);
    part.status = cursor->status;
    if (part.status == ST_OK) part.end = cursor->at;
    return part;
}

bool h5_expect(H5Cursor *cursor, const char *name, const char *what) {
    H5Cursor before = *cursor;
    const uint8_t *at = h5_take(cursor, 4);
    if (!at || memcmp(at, name, 4) == 0) return at != NULL;
    h5_fail(&before, ST_BAD, "expected %s (\"%s\"), got %02x %02x %02x %02x; the file is damaged", what, name, at[0],
            at[1], at[2], at[3]);
    cursor->status = before.status;
    return false;
}

unsigned h5_version(H5Cursor *cursor, unsigned least, unsigned most, const char *what) {
    H5Cursor before = *cursor;
    const unsigned version = (unsigned)h5_uint(cursor, 1);
    if (cursor->status == ST_OK && (version < least || version > most)) {
        h5_fail(&before, version > most && version < 16 ? ST_UNSUPPORTED : ST_BAD,
                "expected version %u to %u of %s, got %u", least, most, what, version);
        cursor->status = before.status;
    }
    return version;
}

// ---- checksums

// The 12 bytes of one round; what lies behind the end counts as zeros.
static void round_words(const uint8_t *bytes, size_t size, size_t at, size_t hole, uint32_t words[3]) {
    uint8_t round[12] = {0};
    memcpy(round, bytes + at, MIN(size - at, sizeof round));
    for (size_t i = 0; hole != SIZE_MAX && i < 4; i++)
        if (hole + i >= at && hole + i - at < sizeof round) round[hole + i - at] = 0;
    for (size_t i = 0; i < 3; i++) {
        const uint8_t *word = round + 4 * i;
        words[i] += word[0] | (uint32_t)word[1] << 8 | (uint32_t)word[2] << 16 | (uint32_t)word[3] << 24;
    }
}

static uint32_t rotate(uint32_t value, int bits) { return value << bits | value >> (32 - bits); }

// v[0], v[1], v[2] are a, b, c of the original; each step works on the three in turn.
static void mix_words(uint32_t v[3]) {
    static const int bits[6] = {4, 6, 8, 16, 19, 4};
    for (int i = 0; i < 6; i++) {
        uint32_t *a = &v[i % 3], *b = &v[(i + 1) % 3], *c = &v[(i + 2) % 3];
        *a -= *c;
        *a ^= rotate(*c, bits[i]);
        *c += *b;
    }
}

static void finish_words(uint32_t v[3]) {
    static const int bits[7] = {14, 11, 25, 16, 4, 14, 24};
    for (int i = 0; i < 7; i++) { // c from b, a from c, b from a, ...
        uint32_t *to = &v[(i + 2) % 3], *from = &v[(i + 1) % 3];
        *to ^= *from;
        *to -= rotate(*from, bits[i]);
    }
}

uint32_t h5_lookup3(const uint8_t *bytes, size_t size, size_t hole) {
    const uint32_t start = 0xdeadbeef + (uint32_t)size;
    uint32_t words[3] = {start, start, start};
    size_t at = 0;
    if (size == 0) return start;
    for (; size - at > 12; at += 12) {
        round_words(bytes, size, at, hole, words);
        mix_words(words);
    }
    round_words(bytes, size, at, hole, words);
    finish_words(words);
    return words[2];
}

void h5_checksum(H5Cursor *cursor, uint64_t start, const char *what) {
    H5Cursor whole = *cursor;
    whole.at = start;
    const uint64_t size = cursor->at - start;
    const uint8_t *bytes = h5_take(&whole, size);
    const uint32_t stored = (uint32_t)h5_uint(cursor, 4);
    if (whole.status != ST_OK) cursor->status = whole.status;
    if (cursor->status != ST_OK) return;
    if (!checksum_matches(h5_lookup3(bytes, (size_t)size, SIZE_MAX), stored))
        h5_fail(cursor, ST_BAD, "the checksum of %s is wrong; the file is damaged", what);
}

// ---- the superblock

// It stands at the start, or behind a user block of 512, 1024, 2048, ... bytes.
static Status find_superblock(H5File *file) {
    for (size_t at = 0; at < file->size; at = at ? 2 * at : 512) {
        if (file->size - at < sizeof signature) break;
        if (memcmp(file->bytes + at, signature, sizeof signature) == 0) {
            file->base = at;
            return ST_OK;
        }
    }
    return fail(ST_BAD,
                "expected an HDF5 file (\\x89HDF\\r\\n), got other bytes; it was cut short, damaged, or changed "
                "as if it were text");
}

static void read_sizes(H5Cursor *cursor, H5File *file) {
    file->offset_size = (unsigned)h5_uint(cursor, 1);
    file->length_size = (unsigned)h5_uint(cursor, 1);
    const bool is_known =
        (file->offset_size == 4 || file->offset_size == 8) && (file->length_size == 4 || file->length_size == 8);
    if (cursor->status == ST_OK && !is_known)
        h5_fail(cursor, ST_UNSUPPORTED, "expected addresses and lengths of 4 or 8 bytes, got %u and %u",
                file->offset_size, file->length_size);
    if (!is_known) file->offset_size = file->length_size = 8; // so that the cursor goes on
}

// Versions 0 and 1: the root group is told as an entry of a symbol table. Gives the bytes that the file should have.
static uint64_t read_superblock_0(H5Cursor *cursor, H5File *file, unsigned version) {
    h5_skip(cursor, 4); // versions of free space, of the root's entry, of shared messages; reserved
    read_sizes(cursor, file);
    h5_skip(cursor, 1 + 2 + 2 + 4 + (version == 1 ? 4 : 0));
    const uint64_t base = h5_address(cursor);
    h5_skip(cursor, file->offset_size); // free space
    const uint64_t end = h5_address(cursor);
    h5_skip(cursor, 2 * file->offset_size); // driver information; the root's name
    file->root = h5_address(cursor);
    return end == H5_NOWHERE ? 0 : end - MIN(base, end);
}

static uint64_t read_superblock_2(H5Cursor *cursor, H5File *file) {
    read_sizes(cursor, file);
    h5_skip(cursor, 1); // flags
    const uint64_t base = h5_address(cursor);
    h5_skip(cursor, file->offset_size); // extension
    const uint64_t end = h5_address(cursor);
    file->root = h5_address(cursor);
    h5_checksum(cursor, file->base, "the superblock");
    return end == H5_NOWHERE ? 0 : end - MIN(base, end);
}

// The place of the signature counts, not the base address that is written there: a user block may have been put in
// front of the file, or taken away (h5jam, h5unjam).
static Status read_superblock(H5File *file) {
    H5Cursor cursor = h5_cursor_open(file, sizeof signature, "the superblock");
    const unsigned version = h5_version(&cursor, 0, 3, "the superblock");
    const uint64_t size = version < 2 ? read_superblock_0(&cursor, file, version) : read_superblock_2(&cursor, file);
    if (cursor.status == ST_OK && size > file->size - file->base)
        h5_fail(&cursor, ST_BAD, "expected a file of %llu bytes, got %zu; it is cut short", (unsigned long long)size,
                file->size - file->base);
    return cursor.status;
}

static Status check_root(const H5File *file) {
    H5Message message;
    bool is_old, is_new;
    TRY(h5_find_message(file, file->root, MSG_SYMBOL_TABLE, &message, &is_old));
    TRY(h5_find_message(file, file->root, MSG_LINK_INFO, &message, &is_new));
    FAIL_IF(!is_old && !is_new, ST_BAD, "byte %llu: expected the root group, got an object without links",
            (unsigned long long)(file->base + file->root));
    return ST_OK;
}

Status h5_open(Arena *arena, const void *bytes, size_t size, H5Object *root) {
    H5File *file = arena_alloc(arena, sizeof *file);
    H5State *state = arena_alloc(arena, sizeof *state);
    if (!file || !state) return fail_memory(sizeof *file + sizeof *state);
    *state = (H5State){.arena = arena,
                       .file_left = FILE_WORK + FILE_GROWTH * (uint64_t)size,
                       .data_left = most_data(size),
                       .collection = H5_NOWHERE};
    *file = (H5File){.bytes = bytes, .size = size, .offset_size = 8, .length_size = 8, .state = state};
    h5_begin(file);
    TRY(find_superblock(file));
    TRY(read_superblock(file));
    *root = (H5Object){.file = file, .address = file->root};
    return check_root(file);
}
