// Object headers (IV.A.1): what a group or a dataset is, as a list of messages in one or several chunks.
//
//     version 1: prefix of 16 bytes | messages               continuation: messages
//     version 2: "OHDR", prefix | messages | checksum        continuation: "OCHK" | messages | checksum
#include "wire/hdf5_parts.h"
#include <string.h>

enum { FLAG_ORDER = 4, FLAG_LIMITS = 16, FLAG_TIMES = 32, CHECKSUM_SIZE = 4, SIGNATURE_SIZE = 4 };

static void begin_version_1(H5Header *header) {
    H5Cursor *at = &header->at;
    h5_version(at, 1, 1, "an object header");
    h5_skip(at, 1 + 2 + 4); // reserved, messages, references
    const uint64_t size = h5_uint(at, 4);
    h5_skip(at, 4); // so that messages lie on multiples of 8
    header->version = 1;
    header->message_size = 8;
    *at = h5_part(at, size);
}

// `start`: of the chunk; the messages are the next `size` bytes. Checks the checksum that stands behind them.
static H5Cursor checked_messages(H5Cursor *at, uint64_t start, uint64_t size) {
    H5Cursor messages = h5_part(at, size);
    h5_checksum(at, start, "an object header");
    messages.status = at->status;
    return messages;
}

static void begin_version_2(H5Header *header) {
    H5Cursor *at = &header->at;
    const uint64_t start = at->at;
    h5_skip(at, SIGNATURE_SIZE);
    h5_version(at, 2, 2, "an object header");
    const unsigned flags = (unsigned)h5_uint(at, 1);
    h5_skip(at, (flags & FLAG_TIMES ? 16 : 0) + (flags & FLAG_LIMITS ? 4 : 0));
    const uint64_t size = h5_uint(at, 1u << (flags & 3));
    header->version = 2;
    header->message_size = flags & FLAG_ORDER ? 6 : 4;
    *at = checked_messages(at, start, size);
}

void h5_header(const H5File *file, uint64_t address, H5Header *header) {
    *header = (H5Header){.at = h5_cursor_open(file, address, "an object header")};
    H5Cursor peek = header->at;
    const uint8_t *at = peek.end - peek.at >= SIGNATURE_SIZE ? h5_take(&peek, SIGNATURE_SIZE) : NULL;
    if (at && memcmp(at, "OHDR", SIGNATURE_SIZE) == 0) {
        begin_version_2(header);
    } else {
        begin_version_1(header);
    }
}

static void begin_continuation(H5Header *header) {
    const H5File *file = header->at.file;
    const struct H5Chunk *chunk = &header->pending[--header->n_pending];
    H5Cursor at = h5_cursor(file, chunk->address, chunk->size, "an object header's continuation");
    if (header->version == 2) {
        const uint64_t start = at.at;
        h5_expect(&at, "OCHK", "an object header's continuation");
        if (at.status == ST_OK && at.end - at.at < CHECKSUM_SIZE)
            h5_fail(&at, ST_BAD, "expected a continuation of at least 8 bytes, got %llu; the file is damaged",
                    (unsigned long long)chunk->size);
        at = at.status == ST_OK ? checked_messages(&at, start, at.end - at.at - CHECKSUM_SIZE) : at;
    }
    header->at = at;
}

static void add_continuation(H5Header *header, H5Cursor *body) {
    const uint64_t address = h5_address(body), size = h5_length(body);
    if (body->status == ST_OK && header->n_pending == H5_MAX_PENDING)
        h5_fail(body, ST_BAD,
                "expected at most %d continuations of an object header at once, got more; the file is "
                "damaged",
                H5_MAX_PENDING);
    if (body->status != ST_OK) header->at.status = body->status;
    else header->pending[header->n_pending++] = (struct H5Chunk){address, size};
}

bool h5_message(H5Header *header, H5Message *message) {
    H5Cursor *at = &header->at;
    while (at->status == ST_OK) {
        if (at->end - at->at < header->message_size) { // what is left is a gap
            if (header->n_pending == 0) return false;
            begin_continuation(header);
            continue;
        }
        message->type = (unsigned)h5_uint(at, header->version == 1 ? 2 : 1);
        const uint64_t size = h5_uint(at, 2);
        message->flags = (unsigned)h5_uint(at, 1);
        h5_skip(at, header->version == 1 ? 3 : header->message_size - 4); // reserved; order of creation
        message->body = h5_part(at, size);
        if (at->status != ST_OK) return false;
        if (message->type == MSG_CONTINUATION) add_continuation(header, &message->body);
        else if (message->type != MSG_NIL) return true;
    }
    return false;
}

// ---- shared messages

static Status find_unshared(const H5File *file, uint64_t address, unsigned type, H5Message *out, bool *found) {
    H5Header header;
    *found = false;
    h5_header(file, address, &header);
    while (!*found && h5_message(&header, out)) *found = out->type == type;
    return header.at.status;
}

void h5_unshare(H5Cursor *cursor, unsigned type) {
    enum { IN_HEAP = 1 };
    H5Message message;
    bool found = false;
    const unsigned version = h5_version(cursor, 1, 3, "a shared message");
    const unsigned where = (unsigned)h5_uint(cursor, 1);
    if (version == 3 && where == IN_HEAP)
        h5_fail(cursor, ST_UNSUPPORTED, "tables of shared messages are not supported; write the file without them");
    h5_skip(cursor, version == 1 ? 6 : 0);
    const uint64_t address = h5_address(cursor);
    if (cursor->status != ST_OK) return;
    cursor->status = find_unshared(cursor->file, address, type, &message, &found);
    if (cursor->status == ST_OK && (!found || message.flags & MSG_SHARED))
        h5_fail(cursor, ST_BAD, "expected a message of type %u at address %llu, got none; the file is damaged", type,
                (unsigned long long)address);
    if (cursor->status == ST_OK) *cursor = message.body;
}

Status h5_find_message(const H5File *file, uint64_t address, unsigned type, H5Message *out, bool *found) {
    TRY(find_unshared(file, address, type, out, found));
    if (*found && out->flags & MSG_SHARED) h5_unshare(&out->body, type);
    return *found ? out->body.status : ST_OK;
}
