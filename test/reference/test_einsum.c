// Einsum, against sums done by hand.
#include "gives.h"

#define A23 "%a = const float32[2x3] {1, 2, 3, 4, 5, 6} "
#define B32 "%b = const float32[3x2] {1, -1, 2, 0, 3, 1} "

TEST(einsum_of_one_input) {
    GIVES(A23 "%y = Einsum (%a) {equation=\"ij->ji\"}", "float32[3x2] {1, 4, 2, 5, 3, 6}");
    GIVES(A23 "%y = Einsum (%a) {equation=\"ba\"}", "float32[3x2] {1, 4, 2, 5, 3, 6}");
    GIVES(A23 "%y = Einsum (%a) {equation=\"ij->i\"}", "float32[2] {6, 15}");
    GIVES(A23 "%y = Einsum (%a) {equation=\"ij->\"}", "float32[] {21}");
    GIVES(A23 "%y = Einsum (%a) {equation=\"...j->j...\"}", "float32[3x2] {1, 4, 2, 5, 3, 6}");
    GIVES("%a = const float32[] {3} %y = Einsum (%a) {equation=\"->\"}", "float32[] {3}");
    GIVES("%a = const float32[0x2] {} %y = Einsum (%a) {equation=\"ij->j\"}", "float32[2] {0, 0}");
}

TEST(einsum_diagonals) {
    const char *const m = "%a = const float32[2x2x2] {1, 2, 3, 4, 5, 6, 7, 8} ";
    GIVES_AFTER(m, "%y = Einsum (%a) {equation=\"iij->ij\"}", "float32[2x2] {1, 2, 7, 8}");
    GIVES_AFTER(m, "%y = Einsum (%a) {equation=\"iji->j\"}", "float32[2] {7, 11}");
    GIVES_AFTER(m, "%y = Einsum (%a) {equation=\"iii->i\"}", "float32[2] {1, 8}");
    GIVES_AFTER(m, "%y = Einsum (%a) {equation=\"...ii->...\"}", "float32[2] {5, 13}");
    GIVES_AFTER(m, "%b = const float32[2] {10, 1} %y = Einsum (%a, %b) {equation=\"ijj,j->i\"}", "float32[2] {14, 58}");
}

TEST(einsum_products) {
    GIVES(A23 B32 "%y = Einsum (%a, %b) {equation=\"ij,jk->ik\"}", "float32[2x2] {14, 2, 32, 2}");
    GIVES(A23 B32 "%y = Einsum (%a, %b) {equation=\"ij,jk->ki\"}", "float32[2x2] {14, 32, 2, 2}");
    GIVES(A23 B32 "%y = Einsum (%a, %b) {equation=\"ij,ji\"}", "float32[] {16}");
    GIVES(A23 B32 "%y = Einsum (%a, %b) {equation=\"ij,kl->\"}", "float32[] {126}");
    GIVES(A23 "%b = const float32[2] {1, 10} %y = Einsum (%a, %b) {equation=\"ij,i->ij\"}",
          "float32[2x3] {1, 2, 3, 40, 50, 60}");
    GIVES("%a = const float32[2] {1, 2} %b = const float32[3] {3, 4, 5} %y = Einsum (%a, %b) {equation=\"i,j->ij\"}",
          "float32[2x3] {3, 4, 5, 6, 8, 10}");
}

TEST(einsum_broadcasts_dims_of_one) {
    GIVES(A23 "%b = const float32[1x3] {1, 0, 1} %y = Einsum (%a, %b) {equation=\"ij,ij->i\"}", "float32[2] {4, 10}");
    GIVES(A23 "%b = const float32[2x1] {1, 10} %y = Einsum (%a, %b) {equation=\"ij,ij->i\"}", "float32[2] {6, 150}");
    GIVES(A23 "%b = const float32[2x1x3] {1, 0, 0, 0, 0, 1} %y = Einsum (%a, %b) {equation=\"...j,...j->...\"}",
          "float32[2x2] {1, 4, 3, 6}");
}

TEST(einsum_integers_are_exact) {
    GIVES("%a = const int64[2] {9007199254740993, 1} %b = const int64[2] {1, 1} "
          "%y = Einsum (%a, %b) {equation=\"i,i\"}",
          "int64[] {9007199254740994}");
    GIVES("%a = const int32[2] {65536, 1} %b = const int32[2] {65536, 5} %y = Einsum (%a, %b) {equation=\"i,i\"}",
          "int32[] {5}");
}

TEST(einsum_accumulates_in_double) {
    GIVES_NARROW("%a = const float32[4] {16777216, 1, 1, -16777216} %y = Einsum (%a) {equation=\"i->\"}",
                 "float32[] {2}");
}
