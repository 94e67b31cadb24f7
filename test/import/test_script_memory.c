// What operators in place change, and who sees it.
#include "import/script_check.h"

TEST(script_in_place_changes_all_names) {
    check_body("2", "y = x\n_0 = torch.add_(x, 1)\nreturn torch.add(y, 0)\n", "output 2 {2 3}");
    check_body("2", "y = torch.add(x, 0)\n_0 = torch.mul_(y, 3)\nreturn torch.add(x, y)\n", "output 2 {4 8}");
    check_body("2", "y = torch.relu_(torch.neg(x))\nreturn y\n", "output 2 {0 0}");
    check_body("2", "l = [torch.add(x, 0)]\n_0 = torch.add_(l[0], 5)\nreturn l[0]\n", "output 2 {6 7}");
}

TEST(script_in_place_through_views) {
    // x[:, 0] = 0
    check_body("2x2",
               "y = torch.add(x, 0)\n_0 = torch.select(torch.slice(y, 0), 1, 0)\n"
               "_1 = torch.copy_(_0, torch.zeros([2]))\nreturn y\n",
               "output 2x2 {0 2 0 4}");
    // x[1:] *= 2, the view read afterwards
    check_body("3",
               "y = torch.add(x, 0)\nv = torch.slice(y, 0, 1)\n_0 = torch.mul_(v, 2)\n"
               "return torch.cat([y, v])\n",
               "output 5 {1 4 6 4 6}");
    // a view taken before sees what the base gets
    check_body("3",
               "y = torch.add(x, 0)\nv = torch.slice(y, 0, 0, 2)\n_0 = torch.add_(y, 10)\n"
               "return torch.cat([v, y])\n",
               "output 5 {11 12 11 12 13}");
    // and another view
    check_body("3",
               "y = torch.add(x, 0)\na = torch.slice(y, 0, 0, 2)\nb = torch.slice(y, 0, 1, 3)\n"
               "_0 = torch.add_(a, 10)\n_1 = torch.mul_(b, 2)\nreturn torch.cat([a, b, y])\n",
               "output 7 {11 24 24 6 11 24 6}");
}

TEST(script_in_place_through_shapes) {
    check_body("2x2",
               "y = torch.add(x, 0)\nv = torch.view(y, [4])\n_0 = torch.add_(torch.slice(v, 0, 0, 3), 10)\n"
               "return y\n",
               "output 2x2 {11 12 13 4}");
    check_body("2x2",
               "y = torch.add(x, 0)\nv = torch.select(torch.transpose(y, 0, 1), 0, 0)\n_0 = torch.add_(v, 10)\n"
               "return y\n",
               "output 2x2 {11 2 13 4}");
    check_body("1x2x2",
               "y = torch.add(x, 0)\nv = torch.permute(y, [2, 0, 1])\n_0 = torch.add_(torch.select(v, 0, 1), 10)\n"
               "return y\n",
               "output 1x2x2 {1 12 3 14}");
    check_body("2", "y = torch.add(x, 0)\nv = torch.unsqueeze(y, 0)\n_0 = torch.add_(v, 10)\nreturn y\n",
               "output 2 {11 12}");
}

TEST(script_in_place_through_parts) {
    check_body("4",
               "y = torch.add(x, 0)\na, b, = torch.split(y, 2)\n_0 = torch.add_(b, 10)\nreturn torch.cat([y, a])\n",
               "output 6 {1 2 13 14 1 2}");
    check_body("2x2", "y = torch.add(x, 0)\na, b, = torch.unbind(y, 1)\n_0 = torch.add_(b, 10)\nreturn y\n",
               "output 2x2 {1 12 3 14}");
}

// Nobody looks at what the change would have to reach.
TEST(script_in_place_that_nobody_sees) {
    check_body("2", "y = torch.reshape(x, [1, 2])\n_0 = torch.add_(y, 10)\nreturn y\n", "output 1x2 {11 12}");
}

TEST(script_in_place_that_is_not_known) {
    check_body_fails("y = torch.add(x, 0)\nv = torch.contiguous(y)\n_0 = torch.add_(v, 10)\nreturn y\n", ST_UNSUPPORTED,
                     "aten::add_ changes a tensor in place, and what aten::contiguous made of it|x = add(...)");
    check_body_fails("y = torch.add(x, 0)\nv = torch.contiguous(y)\n_0 = torch.add_(y, 10)\nreturn v\n", ST_UNSUPPORTED,
                     "aten::add_ changes a tensor in place");
    check_body_fails("y = torch.add(x, 0)\n_0 = torch.resize_(y, [1])\nreturn y\n", ST_UNSUPPORTED, "aten::resize_");
}

// The next run would begin with another model.
TEST(script_changes_of_the_model) {
    ScriptMade made = script_net("w = self.w\n_0 = torch.add_(w, 1)\nreturn torch.add(x, w)\n");
    put_floats(&made.model, "w", "2", 1);
    check_script_fails(&made, ST_UNSUPPORTED, "aten::add_ changes w, which is stored in the model");
    made = script_net("n = self.n\nself.n = torch.add(n, 1)\nreturn torch.add(x, n)\n");
    put_str(&made.model.object, "n");
    put_number(&made.model.object, 1);
    check_script_fails(&made, ST_UNSUPPORTED, "changes its attribute n in each run");
    made = script_net("_0 = torch.append(self.l, 4)\nreturn x\n");
    put_str(&made.model.object, "l");
    text_add(&made.model.object, "](K\x01K\x02"
                                 "e");
    check_script_fails(&made, ST_UNSUPPORTED, "aten::append changes what is stored in the model");
}

// Written before it is read: each run gives the same.
TEST(script_attributes_that_are_set_first) {
    ScriptMade made = script_net("self.n = torch.size(x, 0)\nreturn torch.mul(x, self.n)\n");
    put_str(&made.model.object, "n");
    put_number(&made.model.object, 1);
    check_script(&made, "2", "output 2 {2 4}");
}

TEST(script_in_place_keeps_the_dtype) {
    check_body("2", "y = torch.ones_like(x, dtype=4)\n_0 = torch.copy_(y, torch.mul(x, 1.5))\nreturn y\n",
               "output 2 int64 {1 3}");
}
