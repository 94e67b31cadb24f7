#include "pass/pass_test.h"

TEST(equal_nodes_and_constants_become_one) {
    CHECK_REWRITE("cse",
                  "graph (%x: float32[2]) -> (%y) {\n %a = const float32[2] {1, 2}\n %b = const float32[2] {1, 2}\n"
                  " %p = Add (%x, %a)\n %q = Add (%x, %b)\n %r = Exp (%p)\n %s = Exp (%q)\n %y = Mul (%r, %s)\n}",
                  "graph (%x: float32[2]) -> (%y) {\n %a = const float32[2] {1, 2}\n"
                  " %p = Add (%x, %a)\n %r = Exp (%p)\n %y = Mul (%r, %r)\n}");
}

TEST(what_differs_stays_apart) {
    CHECK_KEPT("cse", "graph (%x: float32[2x2]) -> (%y) {\n"
                      " %a = const float32[2] {1, 2}\n %b = const float32[2x1] {1, 2}\n" // same bytes, another shape
                      " %p = Add (%x, %a)\n %q = Add (%x, %b)\n"
                      " %r = LeakyRelu (%p) {alpha=0.1}\n %s = LeakyRelu (%p) {alpha=0.2}\n" // another attribute
                      " %t = Exp (%q)\n %u = Log (%q)\n"                                     // another op
                      " %v = Sub (%r, %s)\n %w = Sub (%s, %r)\n"                             // another order
                      " %z = Add (%t, %u)\n %y = Max (%v, %w, %z)\n}");
    CHECK_KEPT("cse", "graph (%x: float32[2]) -> (%y) {\n %a = const float32[1] {0}\n %b = const float32[1] {-0}\n"
                      " %p = Div (%x, %a)\n %q = Div (%x, %b)\n %y = Add (%p, %q)\n}");
}

TEST(equal_outputs_stay_two) {
    CHECK_KEPT("cse", "graph (%x: float32[2]) -> (%y, %z) {\n %y = Exp (%x)\n %z = Exp (%x)\n}");
}

TEST(nodes_with_several_outputs) {
    CHECK_REWRITE("cse",
                  "graph (%x: float32[4]) -> (%y) {\n %a, %b = Split (%x) {axis=0, num_outputs=2}\n"
                  " %c, %d = Split (%x) {num_outputs=2, axis=0}\n %p = Add (%a, %d)\n %q = Add (%b, %c)\n"
                  " %y = Sub (%p, %q)\n}",
                  "graph (%x: float32[4]) -> (%y) {\n %a, %b = Split (%x) {axis=0, num_outputs=2}\n"
                  " %p = Add (%a, %b)\n %q = Add (%b, %a)\n %y = Sub (%p, %q)\n}");
}
