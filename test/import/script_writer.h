// Small files of torch.jit.save made in memory:
//
//     ScriptMade made = script_net("y = torch.add(x, self.k)\n"      // the body of Net.forward(self, x)
//                                  "return y\n");
//     put_str(&made.model.object, "k");                                // attributes of Net
//     put_number(&made.model.object, 3);
//     const char *path = script_zip(&made, "a.pt");
//     script_drop(&made);
#pragma once
#include "import/torch_writer.h"

enum { MOST_CODES = 4 };

typedef struct ScriptMade {
    TorchMade model, constants, traced; // open: model.object in the state of Net
    const char *names[MOST_CODES];      // "code/__torch__.py"
    Text codes[MOST_CODES];
    int n_codes;
    bool has_constants, has_traced, deflated;
} ScriptMade;

static inline void add_lines(Text *to, const char *indent, const char *lines) {
    for (const char *at = lines; *at;) {
        const int length = (int)strcspn(at, "\n");
        text_add(to, "%s%.*s\n", indent, length, at);
        at += length + (at[length] == '\n');
    }
}

static inline Text *add_code(ScriptMade *made, const char *name) {
    REQUIRE(made->n_codes < MOST_CODES);
    made->names[made->n_codes] = name;
    return &made->codes[made->n_codes++];
}

// An object of a class of the code, open for its attributes; put_object_end closes it.
static inline void put_object(Text *to, const char *module, const char *class) {
    put_global(to, module, class);
    text_add(to, ")\x81}(");
}
static inline void put_object_end(Text *to) { text_add(to, "ub"); }

// Without any code.
static inline ScriptMade script_made(void) {
    ScriptMade made = {.model = torch_made(), .constants = torch_made(), .traced = torch_made()};
    put_object(&made.model.object, "__torch__", "Net");
    put_code(&made.constants.object, '(');
    return made;
}

// class Net with the method forward(self, x) of that body. More may be added to codes[0] behind it.
static inline ScriptMade script_net(const char *body) {
    ScriptMade made = script_made();
    Text *code = add_code(&made, "code/__torch__.py");
    text_add(code, "class Net(Module):\n  def forward(self: __torch__.Net,\n    x: Tensor) -> Tensor:\n");
    add_lines(code, "    ", body);
    return made;
}

static inline void script_drop(ScriptMade *made) {
    torch_drop(&made->model);
    torch_drop(&made->constants);
    torch_drop(&made->traced);
    for (int i = 0; i < made->n_codes; i++) text_free(&made->codes[i]);
}

static inline void put_part(MadeZip *zip, const TorchMade *part, const char *name, const char *folder,
                            const char *end) {
    char path[64];
    Text object = {0};
    text_bytes(&object, part->object.data, part->object.length);
    text_add(&object, "%s", end);
    snprintf(path, sizeof path, "net/%s", name);
    zip_put(zip, path, object.data, object.length);
    for (int i = 0; i < part->n_storages; i++) {
        snprintf(path, sizeof path, "net/%s/%d", folder, i);
        if (i != part->missing) zip_put(zip, path, text_get(&part->storages[i].data), part->storages[i].data.length);
    }
    text_free(&object);
}

static inline Text script_bytes(const ScriptMade *made) {
    MadeZip zip = {.deflated = made->deflated};
    put_part(&zip, &made->model, "data.pkl", "data", "ub.");
    for (int i = 0; i < made->n_codes; i++) {
        char path[128];
        snprintf(path, sizeof path, "net/%s", made->names[i]);
        zip_put(&zip, path, text_get(&made->codes[i]), made->codes[i].length);
    }
    put_part(&zip, &made->constants, "constants.pkl", "constants", "t.");
    if (made->has_traced) put_part(&zip, &made->traced, "traced_inputs.pkl", "traced_inputs", ".");
    zip_put(&zip, "net/version", "3\n", 2);
    zip_put(&zip, "net/byteorder", "little", 6);
    return zip_end(&zip);
}

static inline const char *script_zip(const ScriptMade *made, const char *name) {
    Text bytes = script_bytes(made);
    return torch_write(&bytes, name);
}
