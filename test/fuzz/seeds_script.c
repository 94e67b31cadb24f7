#include "fuzz/seeds_make.h"
#include "import/script_writer.h"

// Of the code alone: fuzz_script.c tells what Net holds.
static const char code[] =
    "class Net(Module):\n  __parameters__ = [\"w\", ]\n  w : Tensor\n  __annotations__[\"0\"] = Tensor\n"
    "  size : Final[Tuple[int, int]] = (2, 2)\n  def forward(self: __torch__.Net,\n    x: Tensor,\n"
    "    m: Optional[Tensor]=None) -> Tensor:\n    _0 = __torch__.relu\n    l = annotate(List[int], [])\n"
    "    for i in range(2):\n      _1 = torch.append(l, torch.mul(torch.size(x, i), -1))\n"
    "    if torch.__isnot__(m, None):\n      y = unchecked_cast(Tensor, m)\n    else:\n      y = _0(x, True, )\n"
    "    _2 = torch.lt(l[0], 3)\n    k = 0\n    while _2:\n      k0 = torch.add(k, 1)\n"
    "      _2, k = torch.lt(k0, (self.size)[0]), k0\n    a, b, = torch.split(y, 1)\n    s = self.s\n"
    "    _3 = torch.mul_(torch.slice(a, 1, 0, 1), 0.5)\n    z = (s).helper(b, {\"p\": k}, )\n"
    "    _4 = torch.select(torch.transpose(y, 0, 1), 0, 1)\n    _5 = torch.copy_(_4, torch.slice(self.w, 0, 0, 2))\n"
    "    if torch.ne(torch.dim(x), 2):\n      ops.prim.RaiseException(torch.format(\"got {}D\", torch.dim(x)))\n"
    "    else:\n      pass\n    return {\"out\": torch.cat([y, z]), \"aux\": (a, torch.neg(y))}\n"
    "  def helper(self: __torch__.Net,\n    x: Tensor,\n    d: Dict[str, int]) -> Tensor:\n"
    "    v = (__torch__.Pair(x, d[\"p\"])).n\n    return torch.add(x, float(v), alpha=1)\n"
    "class Pair(NamedTuple):\n  t : Tensor\n  n : int\nclass Color(Enum):\n  RED = 1\n"
    "def relu(input: Tensor,\n    inplace: bool=False) -> Tensor:\n  if inplace:\n    r = torch.relu_(input)\n  else:\n"
    "    r = torch.relu(input)\n  return r\n";

static void add_whole(Seeds *to, const char *name, ScriptMade *made) {
    Text bytes = script_bytes(made);
    seed_add(to, "torchscript", name, bytes.data, bytes.length);
    text_free(&bytes);
    script_drop(made);
}

static void script_whole(Seeds *to) {
    ScriptMade made = script_net("sub = self.sub\ny = torch.conv2d(x, sub.weight, sub.bias, [1, 1], [1, 1], [1, 1])\n"
                                 "return torch.relu(torch.add(y, CONSTANTS.c0))\n");
    text_add(&made.codes[0], "class Sub(Module):\n  weight : Tensor\n  bias : Tensor\n");
    put_str(&made.model.object, "sub");
    put_object(&made.model.object, "__torch__", "Sub");
    put_floats(&made.model, "weight", "2,1,3,3", 1);
    put_floats(&made.model, "bias", "2", 1);
    put_object_end(&made.model.object);
    put_range(&made.constants, "", 3);
    put_dict(&made.traced.object);
    put_str(&made.traced.object, "forward");
    text_add(&made.traced.object, "](");
    put_range(&made.traced, "1,1,4,4", 1);
    text_add(&made.traced.object, "eu");
    made.has_traced = true;
    add_whole(to, "traced.pt", &made);
}

static void script_lines(Seeds *to) {
    ScriptMade made = script_net("return torch.neg(x)\n");
    Text *lines = add_code(&made, "code/__torch__.py.debug_pkl");
    put_proto(lines);
    put_code(lines, '(');
    put_str(lines, "FORMAT_WITH_STRING_TABLE");
    put_code(lines, '(');
    put_str(lines, "a.py(7): forward\n");
    put_str(lines, "/x/a.py");
    text_add(lines, "t((");
    put_number(lines, 0);
    text_add(lines, "((](");
    put_number(lines, 0);
    put_code(lines, 'e');
    put_number(lines, 1);
    put_number(lines, 7);
    put_code(lines, 't');
    put_number(lines, 0);
    put_number(lines, 1);
    put_code(lines, 't');
    put_number(lines, 0);
    text_add(lines, "ttt.");
    put_dict(&made.traced.object);
    put_str(&made.traced.object, "forward");
    text_add(&made.traced.object, "](");
    put_range(&made.traced, "2", 1);
    text_add(&made.traced.object, "eu");
    made.has_traced = true;
    made.deflated = true;
    add_whole(to, "lines.pt", &made);
}

void seed_script(Seeds *to) {
    seed_add_text(to, "script", "net", code);
    seed_add_text(to, "script", "small", "class Net(Module):\n  def forward(self, x):\n    return (x, torch.neg(x))\n");
    script_whole(to);
    script_lines(to);
}
