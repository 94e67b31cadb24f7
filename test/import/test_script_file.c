// Files of torch.jit.save as a whole: what stands where, what the inputs are, what a message says.
#include "import/script_check.h"

static void put_examples(ScriptMade *made, const char *size) {
    Text *object = &made->traced.object;
    put_global(object, "torch.jit._pickle", "restore_type_tag");
    text_add(object, "(");
    put_dict(object);
    put_str(object, "forward");
    put_global(object, "torch.jit._pickle", "restore_type_tag");
    text_add(object, "(](");
    put_range(&made->traced, size, 1);
    text_add(object, "e");
    put_str(object, "List[Any]");
    text_add(object, "tRu");
    put_str(object, "Dict[str, List[Any]]");
    text_add(object, "tR");
    made->traced.missing = 0; // PyTorch leaves the numbers out, too
    made->has_traced = true;
}

static void check_traced(const InputShape *shapes, size_t count, Status status, const char *expected) {
    ScriptMade made = script_net("return torch.add(x, 1)\n");
    Imported model;
    Text text = {0};
    put_examples(&made, "1,2");
    const ImportOptions options = {.inputs = shapes, .n_inputs = count};
    const char *path = script_zip(&made, "traced.pt");
    const Status got = import_model(path, &options, &model);
    CHECK_MSG(got == status, "expected status %d, got %d: %s", status, got, error_message());
    if (got == ST_OK) {
        run_imported(&model, &text);
        CHECK_TEXT(text_get(&text), expected);
        CHECK_TEXT(model.format, "TorchScript");
    } else {
        check_message(path, expected);
    }
    text_free(&text);
    import_free(&model);
    script_drop(&made);
}

TEST(script_shape_of_the_trace) {
    const InputShape other = {.name = "x", .shape = {2, {1, 3}}}, unnamed = {.shape = {2, {1, 3}}};
    const InputShape rank = {.name = "x", .shape = {1, {3}}}, name = {.name = "y", .shape = {2, {1, 3}}};
    check_traced(NULL, 0, ST_OK, "output 1x2 {2 3}");
    check_traced(&other, 1, ST_OK, "output 1x3 {2 3 4}");
    check_traced(&unnamed, 1, ST_OK, "output 1x3 {2 3 4}");
    check_traced(&rank, 1, ST_USAGE, "input 'x': expected a shape of 2 dims, got 1");
    check_traced(&name, 1, ST_USAGE, "expected the name of an input ('x'), got 'y'");
}

TEST(script_shape_that_is_not_known) {
    ScriptMade made = script_net("return torch.add(x, 1)\n");
    Imported model;
    const char *path = script_zip(&made, "scripted.pt");
    error_clear();
    CHECK_INT(import_model(path, NULL, &model), ST_USAGE);
    check_message(path, "input 'x': expected its shape|--input x=1x3x256x256");
    import_free(&model);
    script_drop(&made);
}

// Rank and channels are those of the first convolution; the other dims are free.
TEST(script_shape_of_the_first_convolution) {
    ScriptMade made =
        script_net("y = torch.div(torch.sub(x, 0.5), 2)\n_0 = torch.conv2d(y, self.w, None, [1, 1], [0, 0], "
                   "[1, 1], 2)\nreturn _0\n");
    Imported model;
    put_floats(&made.model, "w", "4,3,1,1", 1);
    CHECK_OK(import_model(script_zip(&made, "conv.pt"), NULL, &model));
    REQUIRE(model.graph && model.graph->n_inputs == 1);
    const Type *type = &model.graph->values[model.graph->inputs[0]].type;
    CHECK_INT(type->rank, 4);
    CHECK_INT(type->dim[1], 6);
    CHECK(type->dim[0] <= DIM_SYMBOL_0 && type->dim[2] <= DIM_SYMBOL_0 && type->dim[3] <= DIM_SYMBOL_0);
    import_free(&model);
    script_drop(&made);
}

// y has a default: it is no input until somebody gives it a shape.
TEST(script_optional_inputs) {
    ScriptMade made = script_made();
    text_add(add_code(&made, "code/__torch__.py"),
             "class Net(Module):\n  def forward(self: __torch__.Net,\n    x: Tensor,\n    y: Optional[Tensor]=None,\n"
             "    n: int=3) -> Tensor:\n    if torch.__is__(y, None):\n      r = torch.mul(x, n)\n    else:\n"
             "      r = torch.add(x, unchecked_cast(Tensor, y))\n    return r\n");
    const char *path = script_zip(&made, "optional.pt");
    const InputShape shapes[] = {{.name = "x", .shape = {1, {2}}}, {.name = "y", .shape = {1, {2}}}};
    for (size_t n = 1; n <= 2; n++) {
        const ImportOptions options = {.inputs = shapes, .n_inputs = n};
        Imported model;
        Text text = {0};
        CHECK_OK(import_model(path, &options, &model));
        run_imported(&model, &text);
        CHECK_TEXT(text_get(&text), n == 1 ? "output 2 {3 6}" : "output 2 {2 4}");
        text_free(&text);
        import_free(&model);
    }
    script_drop(&made);
}

// A tensor of float16 counts as float32, and that is told.
TEST(script_half_weights) {
    ScriptMade made = script_net("return torch.add(x, self.w)\n");
    const uint16_t halves[2] = {0x3c00, 0x4000}; // 1, 2
    Imported model;
    Text text = {0};
    put_str(&made.model.object, "w");
    put_tensor(&made.model, "HalfStorage", "2", halves, sizeof halves);
    CHECK_OK(script_import_shape(script_zip(&made, "half.pt"), "2", &model));
    run_imported(&model, &text);
    CHECK_TEXT(text_get(&text), "output 2 {2 4}");
    CHECK_TEXT(text_get(&model.notes), "1 tensor of float16 is float32 here");
    text_free(&text);
    import_free(&model);
    script_drop(&made);
}

TEST(script_weights_have_the_names_of_the_state_dict) {
    ScriptMade made = script_net("sub = self.sub\nreturn torch.add(x, sub.weight)\n");
    Imported model;
    text_add(&made.codes[0], "class Sub(Module):\n  weight : Tensor\n");
    put_str(&made.model.object, "sub");
    put_object(&made.model.object, "__torch__", "Sub");
    put_floats(&made.model, "weight", "2", 10);
    put_object_end(&made.model.object);
    CHECK_OK(script_import_shape(script_zip(&made, "named.pt"), "2", &model));
    CHECK(graph_find(model.graph, "sub.weight") != NO_VALUE);
    import_free(&model);
    script_drop(&made);
}

TEST(script_deflated) {
    ScriptMade made = script_net("return torch.add(x, self.w)\n");
    put_floats(&made.model, "w", "2", 10);
    made.deflated = true;
    check_script(&made, "2", "output 2 {11 13}");
}

// ---- places

// The module, and the line of its own source where the file tells it.
TEST(script_place_of_a_fault) {
    ScriptMade made = script_net("sub = self.sub\nreturn (sub).forward(x, )\n");
    text_add(&made.codes[0], "class Sub(Module):\n  def forward(self: __torch__.Sub,\n    a: Tensor) -> Tensor:\n"
                             "    return torch.conv2d(a, a)\n");
    put_str(&made.model.object, "sub");
    put_object(&made.model.object, "__torch__", "Sub");
    put_object_end(&made.model.object);
    check_script_fails(&made, ST_BAD, "sub (code/__torch__.py:9): aten::conv2d: ");
}

static void put_lines(Text *to, const char *first, const char *second, int64_t begin) {
    put_proto(to);
    text_add(to, "(");
    put_str(to, "FORMAT_WITH_STRING_TABLE");
    text_add(to, "(");
    put_str(to, first);
    put_str(to, second);
    put_str(to, "/home/x/resnet.py");
    text_add(to, "t(");
    // (0, ((pieces, file, line), begin, end), 0)
    text_add(to, "(");
    put_number(to, 0);
    text_add(to, "((");
    put_global(to, "torch.jit._pickle", "build_intlist");
    text_add(to, "(](");
    put_number(to, 0);
    put_number(to, 1);
    text_add(to, "etR");
    put_number(to, 2);
    put_number(to, 280);
    text_add(to, "t");
    put_number(to, begin);
    put_number(to, begin + 1);
    text_add(to, "t");
    put_number(to, 0);
    text_add(to, "ttt.");
}

static void check_line(const char *first, const char *second, int64_t begin, const char *words) {
    ScriptMade made = script_net("return torch.conv2d(x, x)\n");
    put_lines(add_code(&made, "code/__torch__.py.debug_pkl"), first, second, begin);
    check_script_fails(&made, ST_BAD, words);
}

TEST(script_place_in_the_source) {
    check_line("def forward(self, x):\n", "    return conv2d(x, x)\n", 26, "resnet.py:281: aten::conv2d");
    check_line("def forward(self, x):\n", "    return conv2d(x, x)\n", 0, "resnet.py:280: aten::conv2d");
    // Of a trace: the innermost call that is not PyTorch's.
    check_line("/x/site-packages/torch/nn/functional.py(510): conv2d\n", "/home/x/unet.py(7): forward\n", 0,
               "unet.py:7: aten::conv2d");
    check_line("/x/site-packages/torch/nn/modules/conv.py(510): forward\n", "nothing", 0, "conv.py:510: aten::conv2d");
}

// ---- files that are something else

TEST(script_files_of_other_kinds) {
    MadeZip zip = {0};
    zip_put(&zip, "net/model.json", "{}", 2);
    zip_put(&zip, "net/tensors/0", "1234", 4);
    Text bytes = zip_end(&zip);
    Imported model;
    const char *path = torch_write(&bytes, "old.pt");
    CHECK_INT(import_model(path, NULL, &model), ST_UNSUPPORTED);
    check_message(path, "TorchScript of PyTorch 1.3 and older|torch.jit.save");

    ScriptMade made = script_made();
    zip = (MadeZip){0};
    put_part(&zip, &made.model, "data.pkl", "data", "ub.");
    put_part(&zip, &made.constants, "constants.pkl", "constants", "t.");
    zip_put(&zip, "net/bytecode.pkl", "\x80\x02N.", 4);
    bytes = zip_end(&zip);
    path = torch_write(&bytes, "phone.ptl");
    CHECK_INT(import_model(path, NULL, &model), ST_UNSUPPORTED);
    check_message(path, "bytecode only");
    script_drop(&made);
}

TEST(script_hooks) {
    ScriptMade made = script_net("return x\n");
    Text code = {0};
    text_add(&code, "class Net(Module):\n  __forward_hooks__ = [\"h\", ]\n%s",
             strchr(text_get(&made.codes[0]), '\n') + 1);
    text_free(&made.codes[0]);
    made.codes[0] = code;
    check_script_fails(&made, ST_UNSUPPORTED, "hooks of the whole model");
}
