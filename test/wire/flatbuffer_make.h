// FlatBuffers written from the front: a table is put with room for its fields, what they point at follows, and the
// link is put in then. (The library of others writes from the end, so that nothing has to be put in later.)
//
//     Text out = {0};
//     size_t root, places[2];
//     fbm_head(&out, "TFL3");
//     root = fbm_table(&out, (const uint8_t[]){4, 4}, 2, places); // two fields of 4 bytes; 0: absent
//     fbm_link(&out, 0, root);
//     fbm_number(&out, places[0], 3, 4);
//     fbm_link(&out, places[1], fbm_string(&out, "name"));
//     ... out.data, out.length ...; text_free(&out);
#pragma once
#include "base/text.h"
#include <stddef.h>
#include <stdint.h>

// The offset of the root, to be linked, and four letters (NULL: none).
void fbm_head(Text *to, const char *letters);
// A vtable and its table, zeros. places[i]: where field i lies, 0 where its size is 0. The place of the table.
size_t fbm_table(Text *to, const uint8_t *sizes, int fields, size_t *places);
// A vector on `align` bytes; elements NULL: zeros. The place of its count; its elements begin 4 bytes behind that.
size_t fbm_vector(Text *to, uint32_t count, size_t element_size, const void *elements, size_t align);
size_t fbm_string(Text *to, const char *text);
// Puts a number of that many bytes, or the distance to `target`, at a place.
void fbm_number(Text *to, size_t place, uint64_t bits, size_t size);
void fbm_link(Text *to, size_t place, size_t target);
