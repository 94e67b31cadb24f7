#include "fuzz/seeds_make.h"
#include "wire/hdf5_make.h"

static void add_hdf5(Seeds *to, const char *name, Text bytes) {
    seed_add(to, "hdf5", name, bytes.data, bytes.length);
    text_free(&bytes);
}

void seed_hdf5(Seeds *to) {
    const float values[6] = {1, -2, 3.5f, 4, 5, 6};
    for (unsigned width = 4; width <= 8; width += 4) {
        H5Make file = h5make_begin();
        file.width = width;
        file.tight = true;
        h5make_text(&file, H5MAKE_ROOT, "model_config", "{\"class_name\": \"Model\"}");
        const size_t layer = h5make_group(&file, H5MAKE_ROOT, "conv");
        h5make_texts(&file, layer, "weight_names", (const char *const[]){"kernel:0", "b"}, 2);
        h5make_floats(&file, layer, "kernel:0", "3,2", values);
        h5make_floats(&file, layer, "b", "0", NULL);
        for (int i = 0; width == 4 && i < 10; i++) h5make_group(&file, H5MAKE_ROOT, (char[]){(char)('a' + i), 0});
        add_hdf5(to, width == 4 ? "narrow.h5" : "small.h5", h5make_finish(&file));
    }
    for (unsigned which = 0;; which++) {
        char name[32];
        Text bytes = h5make_latest(which);
        if (!bytes.data) break;
        snprintf(name, sizeof name, "latest%u.h5", which);
        add_hdf5(to, name, bytes);
    }
}
