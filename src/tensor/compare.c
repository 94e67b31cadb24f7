#include "tensor/tensor.h"
#include <math.h>

// Running mean and sum of squares about it (Welford 1962): no cancellation however far the values are from zero.
typedef struct Spread {
    int64_t count;
    double mean, squares;
} Spread;

static void add_value(Spread *spread, double value) {
    double from_old_mean = value - spread->mean;
    spread->mean += from_old_mean / (double)++spread->count;
    spread->squares += from_old_mean * (value - spread->mean);
}

// |actual - expected|; equal infinities and two NaNs differ by 0, other non-finite values by infinity.
static double difference_of(double actual, double expected) {
    if (actual == expected || (isnan(actual) && isnan(expected))) return 0;
    double difference = fabs(actual - expected);
    return isnan(difference) ? INFINITY : difference;
}

static Status check_alike(const Tensor *actual, const Tensor *expected) {
    if (actual->dtype == expected->dtype && shape_equal(&actual->shape, &expected->shape)) return ST_OK;
    Text texts[2] = {{0}, {0}};
    shape_print(&texts[0], &expected->shape);
    shape_print(&texts[1], &actual->shape);
    Status status = fail(ST_BAD, "expected %s %s, got %s %s", dtype_name(expected->dtype), text_get(&texts[0]),
                         dtype_name(actual->dtype), text_get(&texts[1]));
    text_free(&texts[0]);
    text_free(&texts[1]);
    return status;
}

Status tensor_compare(const Tensor *actual, const Tensor *expected, double atol, double rtol, Comparison *out) {
    TRY(check_alike(actual, expected));
    Comparison result = {.worst = -1};
    Spread spread = {0};
    double squares = 0;
    int64_t count = tensor_count(expected);
    for (int64_t i = 0; i < count; i++) {
        double a = tensor_get(actual, i), e = tensor_get(expected, i), difference = difference_of(a, e);
        if (difference > result.max_abs) {
            result.max_abs = difference;
            result.worst = i;
        }
        if (difference > 0 && e != 0) result.max_rel = fmax(result.max_rel, difference / fabs(e)); // fmax drops a NaN
        // an infinite difference is outside whatever the tolerance (|e| may be infinite too)
        if (isinf(difference) || difference > atol + rtol * fabs(e)) result.outside++;
        squares += difference * difference;
        if (isfinite(e)) add_value(&spread, e);
    }
    double rms = count ? sqrt(squares / (double)count) : 0;
    double deviation = spread.count ? sqrt(spread.squares / (double)spread.count) : 0;
    result.rms_rel = deviation > 0 ? rms / deviation : rms;
    *out = result;
    return ST_OK;
}
