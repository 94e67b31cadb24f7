#include "fuzz/seeds_make.h"
#include "import/torch_writer.h"

static void add_pickle(Seeds *to, const char *name, const TorchMade *made) {
    Text object = object_bytes(made);
    seed_add(to, "pickle", name, object.data, object.length);
    text_free(&object);
}
static void add_torch(Seeds *to, const char *name, TorchMade *made) {
    char file[64];
    Text zip = torch_zip_bytes(made, false), packed = torch_zip_bytes(made, true), row = torch_row_bytes(made);
    add_pickle(to, name, made);
    snprintf(file, sizeof file, "%s.zip.pth", name);
    seed_add(to, "torch", file, zip.data, zip.length);
    snprintf(file, sizeof file, "%s.packed.pth", name);
    seed_add(to, "torch", file, packed.data, packed.length);
    snprintf(file, sizeof file, "%s.row.pth", name);
    seed_add(to, "torch", file, row.data, row.length);
    text_free(&zip), text_free(&packed), text_free(&row);
    torch_drop(made);
}

static void torch_checkpoint(Seeds *to) {
    const float values[] = {0, 1, 2, 3, 4, 5};
    TorchMade made = torch_made();
    put_dict(&made.object);
    put_str(&made.object, "epoch");
    put_number(&made.object, 3);
    put_str(&made.object, "state_dict");
    put_ordered_dict(&made.object);
    put_floats(&made, "module.model.0.weight", "2,1,3,3", 1);
    put_str(&made.object, "module.model.0.bias");
    put_view(&made, add_storage(&made, "FloatStorage", values, sizeof values, 6), 1, "2", "3");
    put_str(&made.object, "module.model.1.weight");
    put_tensor(&made, "HalfStorage", "1", (const uint16_t[]){0x3c00}, 2);
    put_end(&made.object);
    put_end(&made.object);
    add_torch(to, "checkpoint", &made);
}

// A module in a module, its state by BUILD.
static void torch_module(Seeds *to) {
    TorchMade made = torch_made();
    Text *object = &made.object;
    for (int i = 0; i < 2; i++) {
        text_add(object, "cnet\nUNet\n)\x81}(");
        put_str(object, "_parameters");
        put_ordered_dict(object);
        put_floats(&made, "weight", "2,2", 1);
        put_end(object);
        put_str(object, "_modules");
        put_dict(object);
        if (i == 0) put_str(object, "down");
    }
    text_add(object, "uubuub");
    add_torch(to, "module", &made);
}

static void seed_pickles(Seeds *to) {
    seed_add_text(
        to, "pickle", "lines",
        "(dp0\nS'it\\'s'\np1\n(lp2\nI1\naI01\naL-3L\naF1.5\nasVa\\u00e9\np3\n(I1\nNtp4\nsS'o'\n(i__main__\nC\np5\n"
        "(dp6\nS'x'\ng2\nsbsS'f'\ncm\nf\n(g1\ntRsPid\ng2\ns.");
    seed_add_text(to, "pickle", "four", "\x80\x04\x8c\1m\x8c\1C\x93\x94)\x81}\x94\x8c\1k\x8f(K\1K\2\x90sbh\1C\1a\x87.");
}

void seed_torch(Seeds *to) {
    torch_checkpoint(to);
    torch_module(to);
    seed_pickles(to);
}
