// The language of TorchScript: what is known before a run is computed as PyTorch computes it.
#include "import/script_check.h"

// ---- numbers

// The body's last name, `v`, is a number that x is multiplied with.
static void check_number(const char *lines, const char *expected) {
    Text body = {0};
    text_add(&body, "%sreturn torch.mul(x, v)\n", lines);
    check_body("1", text_get(&body), expected);
    text_free(&body);
}

TEST(script_integers) {
    check_number("v = torch.add(2, 3)\n", "output 1 {5}");
    check_number("v = torch.floordiv(-7, 2)\n", "output 1 {-4}");
    check_number("v = torch.remainder(-7, 2)\n", "output 1 {1}");
    check_number("v = torch.floordiv(7, -2)\n", "output 1 {-4}");
    check_number("v = torch.sub(torch.mul(4, 5), torch.neg(-1))\n", "output 1 {19}");
    check_number("v = ops.prim.max(3, ops.prim.min(9, 8))\n", "output 1 {8}");
    check_number("v = ops.prim.max([3, 9, 2])\n", "output 1 {9}");
    check_number("v = -9223372036854775808\nv0 = torch.eq(v, 0)\nv = int(v0)\n", "output 1 {0}");
}

TEST(script_floats) {
    check_number("v = torch.div(7, 2)\n", "output 1 {3.5}");
    check_number("v = torch.add(2, 0.25)\n", "output 1 {2.25}");
    check_number("v = torch.floor(-2.5)\n", "output 1 {-3}");
    check_number("v = torch.ceil(2.25)\n", "output 1 {3}");
    check_number("v = int(-2.75)\n", "output 1 {-2}");
    check_number("v = float(2.)\n", "output 1 {2}");
    check_number("v = torch.pow(2, 3)\n", "output 1 {8}");
    check_number("v = torch.sqrt(16)\n", "output 1 {4}");
    check_number("v = 1.0000000000000001e-05\nv = torch.mul(v, 100000)\n", "output 1 {1}");
}

TEST(script_numbers_that_cannot_be) {
    check_body_fails("v = torch.mul(9223372036854775807, 2)\nreturn torch.mul(x, v)\n", ST_BAD, "aten::mul|64 bits");
    check_body_fails("v = torch.floordiv(1, 0)\nreturn torch.mul(x, v)\n", ST_BAD, "divisor that is not 0");
    check_body_fails("v = torch.neg(-9223372036854775808)\nreturn torch.mul(x, v)\n", ST_BAD, "64 bits");
    check_body_fails("v = int(inf)\nreturn torch.mul(x, v)\n", ST_BAD, "64 bits, got inf");
    check_body_fails("v = 9223372036854775808\nreturn torch.mul(x, v)\n", ST_BAD, "an integer of 64 bits");
}

// ---- lists, dicts, texts

TEST(script_lists) {
    check_number("l = annotate(List[int], [])\n_0 = torch.append(l, 4)\n_1 = torch.append(l, 5)\n"
                 "v = torch.add(torch.mul(10, l[-1]), torch.len(l))\n",
                 "output 1 {52}");
    check_number("l = [1, 2, 3, 4]\nm = torch.slice(l, 1, None, 2)\nv = torch.add(torch.mul(m[0], 10), m[1])\n",
                 "output 1 {24}");
    check_number("l = [1, 2, 3, 4]\nm = torch.slice(l, None, None, -1)\nv = torch.add(torch.mul(m[0], 10), m[3])\n",
                 "output 1 {41}");
    check_number("l = [1, 2, 3, 4]\nm = torch.slice(l, 9, -3, -2)\nv = torch.add(torch.mul(m[0], 10), torch.len(m))\n",
                 "output 1 {41}");
    check_number("l = torch.add([1], torch.mul([7], 3))\nv = torch.add(l[3], torch.len(l))\n", "output 1 {11}");
    check_number("a, b, = (3, 4)\nv = torch.sub(a, b)\n", "output 1 {-1}");
    check_number("t = (1, (2, 3))\nv = ((t)[1])[0]\n", "output 1 {2}");
    check_number("t = (1, 2, 3)\nu = (t)[1:3]\nv = (u)[1]\n", "output 1 {3}");
    check_number("l = [3, 1, 2]\nk = sorted(l)\nv = torch.add(torch.mul(k[0], 10), l[0])\n", "output 1 {13}");
    check_number("l = [1, 2]\nm = l\n_0 = torch.append(m, 5)\nv = torch.len(l)\n", "output 1 {3}"); // one list
}

TEST(script_dicts) {
    check_number("d = annotate(Dict[str, int], {})\ntorch._set_item(d, \"a\", 3)\ntorch._set_item(d, \"a\", 4)\n"
                 "v = torch.add(d[\"a\"], torch.len(d))\n",
                 "output 1 {5}");
    check_number("d = {\"p\": 7, \"q\": 8}\nk = torch.keys(d)\nif torch.__contains__(d, \"q\"):\n  v = d[k[1]]\nelse:\n"
                 "  v = 0\n",
                 "output 1 {8}");
    check_number("d = {1: 5}\nv = torch.get(d, 2, 9)\n", "output 1 {9}");
    check_number("d = torch.dict()\ntorch._set_item(d, \"a\", 3)\nv = torch.len(torch.dict(d))\n", "output 1 {1}");
    check_number("d = torch.dict([(\"a\", 3), (\"b\", 4)])\nv = d[\"b\"]\n", "output 1 {4}");
    check_body_fails("d = {\"p\": 7}\nv = d[\"q\"]\nreturn torch.mul(x, v)\n", ST_BAD, "a key of the dict|q");
}

TEST(script_texts) {
    check_number("s = torch.format(\"{}-{}\", 3, \"a\")\nif torch.eq(s, \"3-a\"):\n  v = 1\nelse:\n  v = 0\n",
                 "output 1 {1}");
    check_number("s = torch.add(\"ab\", 'c\\n\\'')\nv = torch.len(s)\n", "output 1 {5}");
    check_number("v = int(torch.startswith(\"conv1\", \"conv\"))\n", "output 1 {1}");
    check_number("s = \"\\303\\274\"\nv = torch.len(s)\n", "output 1 {2}"); // bytes
}

TEST(script_none) {
    check_number("n = None\nif torch.__is__(n, None):\n  v = 2\nelse:\n  v = 3\n", "output 1 {2}");
    check_number("if torch.__isnot__(x, None):\n  v = 2\nelse:\n  v = 3\n", "output 1 {2}");
    check_number("o = annotate(Optional[int], 4)\nv = unchecked_cast(int, o)\n", "output 1 {4}");
    check_number("v = torch._unwrap_optional(annotate(Optional[int], 4))\n", "output 1 {4}");
}

TEST(script_isinstance) {
    check_number("v = int(isinstance(3, int))\n", "output 1 {1}");
    check_number("v = int(isinstance([3], List[float]))\n", "output 1 {0}");
    check_number("v = int(isinstance((3, 1.), Tuple[int, float]))\n", "output 1 {1}");
    check_number("v = int(isinstance(x, (str, Tensor)))\n", "output 1 {1}");
    check_number("v = int(isinstance(None, Optional[Tensor]))\n", "output 1 {1}");
    check_number("v = int(isinstance({\"a\": 1}, Dict[str, int]))\n", "output 1 {1}");
}

// ---- control

TEST(script_loops) {
    check_number("v = 0\nfor i in range(5):\n  v = torch.add(v, i)\n", "output 1 {10}");
    check_number("v = 1\n_0 = True\nwhile _0:\n  v0 = torch.mul(v, 3)\n  _0, v = torch.lt(v0, 50), v0\n",
                 "output 1 {81}");
    check_number("v = 0\nfor i in range(torch.__range_length(1, 10, 4)):\n"
                 "  v = torch.add(torch.mul(v, 10), torch.__derive_index(i, 1, 4))\n",
                 "output 1 {159}");
    check_number("v = 3\nfor i in range(0):\n  v = 4\n", "output 1 {3}");
}

TEST(script_sizes_decide) {
    check_body("2x3", "if torch.eq(torch.size(x, 1), 3):\n  y = torch.add(x, 10)\nelse:\n  y = x\nreturn y\n",
               "output 2x3 {11 12 13 14 15 16}");
    check_body("2x3", "s = torch.size(x)\nreturn torch.view(x, [torch.mul(s[0], s[1])])\n", "output 6 {1 2 3 4 5 6}");
    check_body("4",
               "_0 = ops.prim.NumToTensor(torch.size(x, 0))\nn = int(torch.floor_divide(_0, 2))\n"
               "return torch.slice(x, 0, 0, n)\n",
               "output 2 {1 2}");
}

TEST(script_values_do_not_decide) {
    check_body_fails("m = torch.max(x)\nif bool(torch.gt(m, 0)):\n  y = x\nelse:\n  y = torch.neg(x)\nreturn y\n",
                     ST_UNSUPPORTED, "the condition of an if is known in a run only|code/__torch__.py:5");
    check_body_fails("y = x\nfor i in range(int(torch.max(x))):\n  y = torch.add(y, 1)\nreturn y\n", ST_UNSUPPORTED,
                     "how often a loop goes");
}

// Whether a check would stop the program is not known: what is behind it counts.
TEST(script_checks_of_values) {
    check_body("2",
               "if bool(torch.gt(torch.max(x), 9)):\n  ops.prim.RaiseException(\"too large\")\nelse:\n  pass\n"
               "return torch.add(x, 1)\n",
               "output 2 {2 3}");
    check_body("2",
               "if bool(torch.gt(torch.max(x), 9)):\n  torch.warn(\"large\")\nelse:\n  pass\nreturn torch.add(x, 1)\n",
               "output 2 {2 3}");
}

TEST(script_raises) {
    check_body_fails("if torch.ne(torch.dim(x), 4):\n  _0 = torch.format(\"expected 4D input (got {}D input)\", "
                     "torch.dim(x))\n  ops.prim.RaiseException(_0, \"builtins.ValueError\")\nelse:\n  pass\nreturn x\n",
                     ST_USAGE, "the model refuses this input: expected 4D input (got 1D input)|--input");
}

// ---- functions and classes

TEST(script_functions) {
    ScriptMade made = script_net("_0 = __torch__.F.twice\nreturn _0(torch.add(x, 1), 3, )\n");
    text_add(add_code(&made, "code/__torch__/F.py"),
             "def twice(a: Tensor,\n    n: int,\n    more: bool=True) -> Tensor:\n"
             "  if more:\n    r = torch.mul(a, n)\n  else:\n    r = a\n"
             "  return r\n");
    check_script(&made, "2", "output 2 {6 9}");
}

TEST(script_submodules_and_attributes) {
    ScriptMade made = script_net("sub = self.sub\n_0 = getattr(self, \"0\")\ny = (sub).forward(x, )\n"
                                 "return torch.mul(torch.mul(y, _0), self.size)\n");
    Text *object = &made.model.object;
    // A field may be called like a root of PyTorch's names.
    text_add(
        &made.codes[0],
        "  size : Final[int] = 2\n  ops : int\n  __annotations__[\"0\"] = int\nclass Sub(Module):\n  weight : Tensor\n"
        "  def forward(self: __torch__.Sub,\n    a: Tensor) -> Tensor:\n"
        "    return torch.add(a, self.weight)\n");
    put_str(object, "sub");
    put_object(object, "__torch__", "Sub");
    put_floats(&made.model, "weight", "2", 10);
    put_object_end(object);
    put_str(object, "0");
    put_number(object, 3);
    check_script(&made, "2", "output 2 {66 78}");
}

TEST(script_tuples_with_names) {
    ScriptMade made = script_net("p = __torch__.Pair(x, 3)\nreturn torch.mul((p)[0], p.n)\n");
    text_add(&made.codes[0], "class Pair(NamedTuple):\n  t : Tensor\n  n : int\n");
    check_script(&made, "2", "output 2 {3 6}");
}

TEST(script_enums) {
    ScriptMade made = script_net("c = self.color\nif torch.eq(c, __torch__.Color.GREEN):\n"
                                 "  v = (c).value\nelse:\n  v = 0\nreturn torch.mul(x, v)\n");
    text_add(&made.codes[0], "class Color(Enum):\n  RED = 1\n  GREEN = 2\n");
    put_str(&made.model.object, "color");
    put_global(&made.model.object, "__torch__", "Color");
    put_number(&made.model.object, 2);
    put_code(&made.model.object, 'R');
    check_script(&made, "2", "output 2 {2 4}");
}

TEST(script_objects_of_classes) {
    ScriptMade made = script_net("b = __torch__.Box.__new__(__torch__.Box)\n_0 = (b).__init__(4, )\n"
                                 "b.v = torch.add(b.v, 1)\nreturn torch.mul(x, b.v)\n");
    text_add(&made.codes[0], "class Box:\n  v : int\n  def __init__(self: __torch__.Box,\n    v: int) -> NoneType:\n"
                             "    self.v = v\n    return None\n");
    check_script(&made, "2", "output 2 {5 10}");
}

TEST(script_constants) {
    ScriptMade made = script_net("return torch.add(x, torch.mul(CONSTANTS.c1, CONSTANTS.c0))\n");
    put_range(&made.constants, "2", 5);
    put_number(&made.constants.object, 10);
    // CONSTANTS.c0 is the tensor, c1 the number.
    check_script(&made, "2", "output 2 {51 62}");
}

// As a trace of torch.zeros(2, device=x.device) has it.
TEST(script_device_of_a_text) {
    check_body("2",
               "z = torch.zeros([2], dtype=None, layout=None, device=torch.device(\"cuda:0\"), pin_memory=False)\n"
               "return torch.add(torch.fill_(z, 3), x)\n",
               "output 2 {4 5}");
}

// ---- outputs

TEST(script_outputs) {
    check_body("2", "return (x, torch.add(x, 1), None)\n", "output 2 {1 2}; output_1 2 {2 3}");
    check_body("2", "return {\"out\": torch.add(x, 1), \"aux\": [x, torch.neg(x)]}\n",
               "out 2 {2 3}; aux 2 {1 2}; aux_1 2 {-1 -2}");
    check_body_fails("return None\n", ST_UNSUPPORTED, "expected a tensor from forward, got None");
}

TEST(script_output_of_a_named_tuple) {
    ScriptMade made = script_net("return __torch__.Pair(x, torch.add(x, 1))\n");
    text_add(&made.codes[0], "class Pair(NamedTuple):\n  left : Tensor\n  right : Tensor\n");
    check_script(&made, "2", "left 2 {1 2}; right 2 {2 3}");
}
