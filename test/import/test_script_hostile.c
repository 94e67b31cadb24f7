// TorchScript files that are cut, torn or made to harm: a message each time, never more.
#define _GNU_SOURCE
#include "import/script_check.h"
#include "import/torn.h"

// ---- code that lies inside of itself

static void repeat(Text *to, const char *words, int times) {
    for (int i = 0; i < times; i++) text_add(to, "%s", words);
}

static void check_nested(const char *before, const char *open, const char *middle, const char *close, const char *after,
                         const char *words) {
    Text body = {0};
    text_add(&body, "%s", before);
    repeat(&body, open, 10000);
    text_add(&body, "%s", middle);
    repeat(&body, close, 10000);
    text_add(&body, "%s", after);
    check_body_fails(text_get(&body), ST_BAD, words);
    text_free(&body);
}

TEST(script_expressions_10000_deep) {
    const char words[] = "code/__torch__.py:4|expressions nested at most 200 deep";
    check_nested("y = ", "(", "x", ")", "\nreturn y\n", words);
    check_nested("y = ", "[", "x", "]", "\nreturn y\n", words);
    check_nested("y = ", "torch.neg(", "x", ")", "\nreturn y\n", words);
    check_nested("y = ", "{1: ", "x", "}", "\nreturn y\n", words);
    check_nested("y = ", "x[", "0", "]", "\nreturn y\n", words);
    check_nested("y = ", "-", "x", "", "\nreturn y\n", words);
    check_nested("y = annotate(", "List[", "int", "]", ", x)\nreturn y\n", words);
}

TEST(script_chains_10000_long) {
    check_nested("y = x", ".a", "", "", "\nreturn y\n", "fewer calls of what a call gives");
    check_nested("y = x", "[0]", "", "", "\nreturn y\n", "fewer calls of what a call gives");
    check_nested("y = x", "(0)", "", "", "\nreturn y\n", "fewer calls of what a call gives");
}

TEST(script_blocks_10000_deep) {
    Text body = {0};
    for (int i = 0; i < 10000; i++) {
        for (int k = 0; k < MIN(i, 100); k++) text_add(&body, " ");
        text_add(&body, "if True:\n");
    }
    check_body_fails(text_get(&body), ST_BAD, "blocks nested at most");
    text_free(&body);
}

// ---- code without an end

TEST(script_functions_that_call_themselves) {
    ScriptMade made = script_net("return __torch__.f(x, )\n");
    text_add(&made.codes[0], "def f(a: Tensor) -> Tensor:\n  return __torch__.f(a, )\n");
    check_script_fails(&made, ST_UNSUPPORTED, "nested more than 1000 deep");
    made = script_net("return __torch__.f(x, )\n");
    text_add(&made.codes[0], "def f(a: Tensor) -> Tensor:\n  return __torch__.g(a, )\n"
                             "def g(a: Tensor) -> Tensor:\n  return __torch__.f(a, )\n");
    check_script_fails(&made, ST_UNSUPPORTED, "nested more than 1000 deep");
    made = script_net("y = (self).forward(x, )\nreturn y\n");
    check_script_fails(&made, ST_UNSUPPORTED, "nested more than 1000 deep");
}

// f0 calls f1 twice, that f2 twice ... 40 levels.
static void check_doubling(const char *last) {
    ScriptMade made = script_net("return __torch__.f0(x, )\n");
    for (int i = 0; i < 40; i++)
        text_add(&made.codes[0],
                 "def f%d(a: Tensor) -> Tensor:\n  b = __torch__.f%d(a, )\n  return __torch__.f%d(b, )\n", i, i + 1,
                 i + 1);
    text_add(&made.codes[0], "def f40(a: Tensor) -> Tensor:\n  return %s\n", last);
    check_script_fails(&made, ST_UNSUPPORTED, "of more than");
}
TEST(script_functions_that_double) { check_doubling("a"); }
TEST(script_functions_that_double_operators) { check_doubling("torch.neg(a)"); }

TEST(script_loops_without_an_end) {
    check_body_fails("while True:\n  pass\nreturn x\n", ST_UNSUPPORTED, "of more than 1000000 steps");
    check_body_fails("for i in range(9223372036854775807):\n  pass\nreturn x\n", ST_UNSUPPORTED, "steps");
    check_body_fails("l = [1]\nwhile True:\n  _0 = torch.append(l, 2)\nreturn x\n", ST_UNSUPPORTED,
                     "lists of more than 65536 values");
    check_body_fails("l = [1]\nwhile True:\n  l = torch.add(l, l)\nreturn x\n", ST_UNSUPPORTED,
                     "lists of more than 65536 values");
    check_body_fails("s = \"ab\"\nwhile True:\n  s = torch.add(s, s)\nreturn x\n", ST_UNSUPPORTED,
                     "texts of more than");
    check_body_fails("s = \"ab\"\nwhile True:\n  s = torch.format(\"{}{}{}\", s, s, s)\nreturn x\n", ST_UNSUPPORTED,
                     "texts of more than");
    check_body_fails("l = torch.mul([1], 9223372036854775807)\nreturn x\n", ST_UNSUPPORTED, "lists of more than");
    check_body_fails("l = range(9223372036854775807)\nreturn x\n", ST_UNSUPPORTED, "lists of more than");
}

// A tuple of a tuple twice, of that twice ...: what goes through all of it is cut short.
TEST(script_values_that_double) {
    check_body_fails("t = (1, 2)\nfor i in range(100):\n  t = (t, t)\ns = str(t)\nreturn x\n", ST_UNSUPPORTED,
                     "nested deeper than 8");
    check_body_fails(
        "t = (1, 2)\nfor i in range(100):\n  t = (t, t)\nif torch.eq(t, t):\n  pass\nelse:\n  pass\nreturn x\n",
        ST_UNSUPPORTED, "nested deeper than 8");
    check_body_fails("l = annotate(List[int], [])\n_0 = torch.append(l, l)\nreturn torch.view(x, l)\n", ST_UNSUPPORTED,
                     "nested deeper than 8");
    check_body_fails("l = annotate(List[int], [])\n_0 = torch.append(l, l)\nreturn l\n", ST_UNSUPPORTED,
                     "outputs nested deeper");
}

// ---- code that is none

TEST(script_code_that_is_none) {
    check_body_fails("return x +\n", ST_BAD, "code/__torch__.py:4|the byte 0x2b");
    check_body_fails("return (x\n", ST_BAD, "got the end of the code");
    check_body_fails("return \"x\n", ST_BAD, "the end of the string");
    check_body_fails("if True:\nreturn x\n", ST_BAD, "a block that is indented, got 'return'");
    check_body_fails("1 = x\n", ST_BAD, "names in front of '='");
    check_body_fails("return y\n", ST_BAD, "code/__torch__.py:4|a variable that has a value, got y");
    check_body_fails("return f(x)\n", ST_BAD, "a function that is known, got f");
    check_body_fails("return __torch__.f(x)\n", ST_BAD, "expected f in code/__torch__.py, got none");
    check_body_fails("return __torch__.a.f(x)\n", ST_BAD, "expected net/code/__torch__/a.py in the archive");
    check_body_fails("return self.nothing\n", ST_BAD, "the attribute nothing of __torch__.Net, got none");
    check_body_fails("return (self).nothing(x)\n", ST_BAD, "the method nothing in the class Net");
    check_body_fails("return CONSTANTS.c7\n", ST_BAD, "expected CONSTANTS.c7 in constants.pkl");
    check_body_fails("a, b, = (1, 2, 3)\nreturn x\n", ST_BAD, "expected 2 values, got 3");
    check_body_fails("l = [1]\nreturn torch.mul(x, l[1])\n", ST_BAD, "an index within the 1 values, got 1");
    check_body_fails("return torch.mul(x, 1j)\n", ST_UNSUPPORTED, "complex numbers");
    check_body_fails("return \"\\x41\"\n", ST_BAD, "an escape that is not known");
    check_body_fails("  pass\n pass\n", ST_BAD, "indented");
}

TEST(script_operators_that_are_not_had) {
    check_body_fails("y = torch.no_such_operator(x)\nz = ops.other.thing(y)\nreturn torch.add(z, 1)\n", ST_UNSUPPORTED,
                     "aten::no_such_operator (1 call)|code/__torch__.py:4");
    check_body_fails("y = torch.no_such_operator(x)\nif bool(torch.max(y)):\n  pass\nelse:\n  y = x\nreturn y\n",
                     ST_UNSUPPORTED, "aten::no_such_operator (1 call)");
    check_body_fails("y = torch.no_such_operator(x)\nreturn torch.masked_fill(y, torch.ne(y, 0), 1.)\n", ST_UNSUPPORTED,
                     "aten::no_such_operator (1 call)");
}

// ---- objects

// Net.a is Net itself.
TEST(script_objects_in_a_circle) {
    ScriptMade made = script_net("a = self.a\nb = a.a\nreturn torch.mul(x, b.n)\n");
    Text *object = &made.model.object;
    // A memo of the object before its state: the object is made anew here, with BINPUT behind NEWOBJ.
    text_free(object);
    text_bytes(object, "\x80\x02", 2);
    put_global(object, "__torch__", "Net");
    text_add(object, ")\x81q%c}(", 1);
    put_str(object, "a");
    text_bytes(object, "h\x01", 2);
    put_str(object, "n");
    put_number(object, 4);
    check_script(&made, "2", "output 2 {4 8}");
}

TEST(script_lists_in_a_circle) {
    ScriptMade made = script_net("l = self.l\nreturn torch.view(x, l)\n");
    Text *object = &made.model.object;
    put_str(object, "l");
    text_add(object, "]q%c(", 1);
    text_bytes(object,
               "h\x01"
               "e",
               3);
    check_script_fails(&made, ST_UNSUPPORTED, "nested deeper than 8");
}

TEST(script_lists_10000_deep) {
    ScriptMade made = script_net("l = self.l\nreturn x\n");
    Text *object = &made.model.object;
    put_str(object, "l");
    for (int i = 0; i < 10000; i++) text_add(object, "](");
    for (int i = 0; i < 10000; i++) text_add(object, "e");
    check_script_fails(&made, ST_UNSUPPORTED, "l: lists nested more than 16 deep");
}

TEST(script_objects_that_are_none) {
    ScriptMade made = script_net("return torch.add(x, self.w)\n");
    put_str(&made.model.object, "w");
    put_global(&made.model.object, "os", "system");
    text_add(&made.model.object, "(");
    put_str(&made.model.object, "true");
    text_add(&made.model.object, "tR");
    check_script_fails(&made, ST_UNSUPPORTED, "w: an object of os.system is not supported");
    made = script_net("return torch.add(x, self.w)\n");
    put_str(&made.model.object, "w");
    put_global(&made.model.object, "__torch__.torch.classes.quantized", "Conv2dPackedParamsBase");
    text_add(&made.model.object, ")\x81(K\x01tb");
    check_script_fails(&made, ST_UNSUPPORTED, "Conv2dPackedParamsBase|before it is quantised");
}

// ---- tensors that lie

static void check_weight(int64_t offset, const char *size, const char *stride, const char *words) {
    const float values[6] = {1, 2, 3, 4, 5, 6};
    ScriptMade made = script_net("return torch.add(x, self.w)\n");
    put_str(&made.model.object, "w");
    put_view(&made.model, add_storage(&made.model, "FloatStorage", values, sizeof values, 6), offset, size, stride);
    check_script_fails(&made, ST_BAD, words);
}

TEST(script_tensors_that_lie) {
    check_weight(0, "2", "9", "tensor 'w'|within the 6 numbers of storage '0'");
    check_weight(5, "2", "1", "within the 6 numbers");
    check_weight(0, "3", "9000000000000000000", "strides that fit");
    check_weight(-1, "2", "1", "an offset in its storage");
    check_weight(0, "2", "1,1", "expected 1 strides, got 2");
}

TEST(script_storages_that_are_not_there) {
    ScriptMade made = script_net("return torch.add(x, self.w)\n");
    put_floats(&made.model, "w", "2", 1);
    made.model.missing = 0;
    check_script_fails(&made, ST_BAD, "expected net/data/0 in the archive, got none");
    made = script_net("return torch.add(x, CONSTANTS.c0)\n");
    put_range(&made.constants, "2", 1);
    made.constants.missing = 0;
    check_script_fails(&made, ST_BAD, "expected net/constants/0 in the archive, got none");
}

// ---- files

static Text whole_file(void) {
    ScriptMade made = script_net("w = self.w\nif torch.eq(torch.dim(x), 1):\n  y = torch.add(x, w)\nelse:\n  y = x\n"
                                 "_0 = torch.mul_(torch.slice(y, 0, 1), 2)\nreturn (y, torch.mul(y, CONSTANTS.c0))\n");
    put_floats(&made.model, "w", "2", 1);
    put_range(&made.constants, "", 3);
    put_dict(&made.traced.object);
    put_str(&made.traced.object, "forward");
    text_add(&made.traced.object, "](");
    put_range(&made.traced, "2", 1);
    text_add(&made.traced.object, "eu");
    made.has_traced = true;
    Text bytes = script_bytes(&made);
    script_drop(&made);
    return bytes;
}

TEST(script_file_cut) {
    Text whole = whole_file();
    CHECK_INT(torn_import("net.pt", whole.data, whole.length), ST_OK);
    CHECK_INT(torn_cuts("net.pt", &whole, ST_OK), 0);
    text_free(&whole);
}

TEST(script_file_flipped) {
    Text whole = whole_file();
    torn_flips("net.pt", &whole);
    text_free(&whole);
}

TEST(script_file_moved) {
    Text whole = whole_file();
    torn_moves("net.pt", &whole, 4);
    text_free(&whole);
}

TEST(script_file_without_memory) {
    Text whole = whole_file();
    torn_memory("net.pt", &whole);
    text_free(&whole);
}
