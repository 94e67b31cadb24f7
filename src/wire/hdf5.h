// HDF5 files, as h5py and Keras write them, read from memory (HDF5 File Format Specification 3.0,
// support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html). Values only: groups, attributes of text and numbers,
// datasets of numbers.
//
// Read are superblocks 0 to 3 (also behind a user block), object headers 1 and 2, old and new groups, hard and soft
// links, attributes in headers and in heaps, datasets that are compact, contiguous or chunked (every index), the
// filters deflate, shuffle and fletcher32, both byte orders. Checksums are checked.
//
// ST_BAD: damaged, cut short, or leading in circles, with the byte where. ST_UNSUPPORTED, by name: other datatypes
// (bfloat16, records, texts as datasets ...), filters and layouts, links to other files, shared message tables;
// contents that unpack, or are copied, to more than 256 MiB and 16 times the file, all calls together. A file is for
// one thread at a time.
#pragma once
#include "tensor/tensor.h"

typedef struct H5File H5File;

// A group or a dataset; small, may be copied.
typedef struct H5Object {
    const H5File *file;
    uint64_t address; // of its object header
} H5Object;

// Everything that is handed out lives in `arena`, or in the bytes, which have to outlive it.
Status h5_open(Arena *arena, const void *bytes, size_t size, H5Object *root);

bool h5_is_dataset(const H5Object *object);
// "a/b/c" from `from` on. *found false: no such path.
Status h5_find(const H5Object *from, const char *path, H5Object *out, bool *found);
// Names of a group's members, in natural order.
Status h5_names(const H5Object *group, const char ***names, size_t *count);

// An attribute that is a text (fixed or variable length): *text NULL when it is absent.
Status h5_attr_text(const H5Object *object, const char *name, const char **text);
// One that is a list of texts; an empty list has *count 0; *texts NULL when it is absent. Lists that Keras has split,
// as they are too long for one attribute ("name0", "name1", ...), are joined.
Status h5_attr_texts(const H5Object *object, const char *name, const char ***texts, size_t *count);
// One that holds numbers; *found false when absent.
Status h5_attr_tensor(const H5Object *object, const char *name, Tensor *out, bool *found);

// A dataset of numbers, row-major: in place where it is contiguous, little-endian and aligned, else in the arena.
Status h5_tensor(const H5Object *dataset, Tensor *out);
