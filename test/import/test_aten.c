// Operators of PyTorch against what PyTorch computes.
#include "import/aten/convert.h"
#include "import/aten_cases.h"
#include "import/aten_check.h"

TEST(aten_operators_compute_what_pytorch_does) {
    for (size_t i = 0; i < COUNT_OF(aten_cases); i++) check_case(aten_cases[i], ATEN_FIXED);
}

// The same where all tensors are inputs and their first dim is known in a run only: most go.
TEST(aten_operators_of_free_dims) {
    size_t open = 0;
    for (size_t i = 0; i < COUNT_OF(aten_cases); i++) {
        if (check_case(aten_cases[i], ATEN_FREE)) continue;
        if (getenv("ATEN_VERBOSE")) printf("%s: %s\n", aten_cases[i], error_message());
        open++;
    }
    CHECK_MSG(open < COUNT_OF(aten_cases) / 5, "%zu of %zu are refused", open, COUNT_OF(aten_cases));
}

static bool same_name(const char *a, const char *b) {
    const size_t length = strcspn(a, "(");
    return strcspn(b, "(") == length && strncmp(a, b, length) == 0;
}

TEST(aten_rows_of_one_name_stand_together) {
    size_t n;
    const Converter *rows = aten_converters(&n);
    for (size_t i = 1; i < n; i++)
        for (size_t k = 0; k + 1 < i; k++)
            CHECK_MSG(!same_name(rows[i].schema, rows[k].schema) || same_name(rows[i].schema, rows[i - 1].schema),
                      "%s stands apart", rows[i].schema);
}
