#include "wire/flatbuffer_make.h"
#include <string.h>

static void pad_to(Text *to, size_t align, size_t ahead) {
    while ((to->length + ahead) % align) text_bytes(to, "", 1);
}

static void add_number(Text *to, uint64_t bits, size_t size) {
    for (size_t i = 0; i < size; i++) {
        const uint8_t byte = (uint8_t)(bits >> (8 * i));
        text_bytes(to, &byte, 1);
    }
}

void fbm_number(Text *to, size_t place, uint64_t bits, size_t size) {
    for (size_t i = 0; i < size; i++) to->data[place + i] = (char)(bits >> (8 * i));
}

void fbm_link(Text *to, size_t place, size_t target) { fbm_number(to, place, target - place, 4); }

void fbm_head(Text *to, const char *letters) {
    add_number(to, 0, 4);
    if (letters) text_bytes(to, letters, 4);
}

// Fields of 8 bytes lie on 8 bytes: so does the table, whose first 4 bytes lead to the vtable in front of it.
size_t fbm_table(Text *to, const uint8_t *sizes, int fields, size_t *places) {
    size_t offsets[64], end = 4;
    for (int i = 0; i < fields; i++) {
        if (!sizes[i]) continue;
        end = (end + sizes[i] - 1) / sizes[i] * sizes[i];
        offsets[i] = end;
        end += sizes[i];
    }
    const size_t vtable_size = 4 + 2 * (size_t)fields;
    pad_to(to, 8, vtable_size);
    const size_t vtable = to->length, table = vtable + vtable_size;
    add_number(to, vtable_size, 2);
    add_number(to, end, 2);
    for (int i = 0; i < fields; i++) {
        add_number(to, sizes[i] ? offsets[i] : 0, 2);
        places[i] = sizes[i] ? table + offsets[i] : 0;
    }
    add_number(to, table - vtable, 4);
    for (size_t i = 4; i < end; i++) text_bytes(to, "", 1);
    return table;
}

size_t fbm_vector(Text *to, uint32_t count, size_t element_size, const void *elements, size_t align) {
    pad_to(to, align < 4 ? 4 : align, 4);
    const size_t place = to->length;
    add_number(to, count, 4);
    for (size_t i = 0; i < count * element_size && !elements; i++) text_bytes(to, "", 1);
    if (elements) text_bytes(to, elements, count * element_size);
    return place;
}

size_t fbm_string(Text *to, const char *text) {
    const size_t place = fbm_vector(to, (uint32_t)strlen(text), 1, text, 4);
    text_bytes(to, "", 1);
    return place;
}
