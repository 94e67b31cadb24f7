// Small HDF5 files made in memory, as h5py writes them by default (superblock 0, version 1 headers, old groups):
//
//     H5Make file = h5make_begin();
//     const size_t layer = h5make_group(&file, H5MAKE_ROOT, "conv");
//     h5make_text(&file, H5MAKE_ROOT, "model_config", "{...}");
//     h5make_texts(&file, layer, "weight_names", (const char *const[]){"conv/kernel:0"}, 1);
//     h5make_floats(&file, layer, "kernel:0", "3,3,1,8", values);
//     Text bytes = h5make_finish(&file); // free the text
//
// Data, texts and blobs lie in the file as soon as they are added, headers and groups when it is finished. Below the
// functions for files that are right stand those for all others: messages and blobs as one likes.
#pragma once
#include "base/text.h"
#include "tensor/tensor.h"

enum { H5MAKE_ROOT = 0, H5MAKE_ALONE = -1 }; // ALONE: in no group

typedef struct H5MadeObject {
    char *name;
    size_t parent;
    bool is_group;
    Text messages;
    size_t n_messages;
    uint64_t address; // 0: not yet in the file
} H5MadeObject;

typedef struct H5Make {
    Text file;
    unsigned width;   // bytes of addresses and lengths: 8, or 4 where it is set before anything is added
    unsigned version; // of the superblock: 0, or 2 or 3 where it is set before the file is finished
    bool tight;       // texts take no more bytes than they need; the library asks for 4096
    uint64_t root;    // where it is set: another root group than the one that was made
    H5MadeObject *objects;
    size_t count, capacity;
} H5Make;

H5Make h5make_begin(void);
size_t h5make_group(H5Make *file, size_t parent, const char *name);
// dims: "3,3,1,8", "" for a scalar. As many values as they ask for; NULL: zeros.
size_t h5make_floats(H5Make *file, size_t parent, const char *name, const char *dims, const float *values);
// Attributes: of variable length (h5py's str), of fixed length (h5py's bytes), a list of fixed length.
void h5make_text(H5Make *file, size_t object, const char *name, const char *text);
void h5make_fixed_text(H5Make *file, size_t object, const char *name, const char *text);
void h5make_texts(H5Make *file, size_t object, const char *name, const char *const *texts, size_t count);
Text h5make_finish(H5Make *file);                        // the whole file; drops what was made
const char *h5make_save(H5Make *file, const char *name); // finishes, and writes it into this run's folder: its path

// ---- parts

void h5put(Text *to, uint64_t value, unsigned bytes); // little-endian
void h5put_fill(Text *to, size_t multiple);           // zeros up to it
void h5put_space(Text *to, unsigned width, const char *dims);
void h5put_type(Text *to, DType dtype);
void h5put_text_type(Text *to, size_t size); // fixed length, filled up with NULs
// Bytes at a multiple of 8: their address.
uint64_t h5make_blob(H5Make *file, const void *bytes, size_t size);
uint64_t h5make_text_blob(H5Make *file, Text *text);                                         // the same, frees the text
size_t h5make_object(H5Make *file, size_t parent, const char *name);                         // without messages
void h5make_message(H5Make *file, size_t object, unsigned type, unsigned flags, Text *body); // frees the body
// An attribute of version 1; frees type, space and data.
void h5make_attribute(H5Make *file, size_t object, const char *name, Text *type, Text *space, Text *data);
// A dataset's messages but for its layout: dataspace, datatype, fill value.
size_t h5make_dataset(H5Make *file, size_t parent, const char *name, DType dtype, const char *dims);
// Version 2: messages one behind the other, and a header of them.
void h5put_checksum(Text *to);                                             // of what it holds so far
void h5put_message_2(Text *to, unsigned type, unsigned flags, Text *body); // frees the body
uint64_t h5make_header_2(H5Make *file, Text *messages);                    // frees the messages
uint64_t h5make_place(H5Make *file, size_t object); // puts its header into the file now, if it is not there

// Files with what libver="latest" writes, one for each number from 0 on; no data: there are no more (test_hdf5_new.c).
Text h5make_latest(unsigned which);
