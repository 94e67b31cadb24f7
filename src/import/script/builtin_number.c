// Arithmetic on numbers that are known, with TorchScript's results: int and float give a float, / gives a float, // and
// % go down as in Python.
#include "import/script/machine.h"
#include <float.h>
#include <math.h>
#include <string.h>

static bool is_number(const ScriptValue *value) {
    return value->kind == SCRIPT_INT || value->kind == SCRIPT_FLOAT || value->kind == SCRIPT_BOOL;
}

static double float_of(const ScriptValue *value) {
    return value->kind == SCRIPT_FLOAT ? value->f : value->kind == SCRIPT_INT ? (double)value->i : value->b;
}

static int64_t int_of(const ScriptValue *value) { return value->kind == SCRIPT_BOOL ? value->b : value->i; }

static const char *name_of_call(const ScriptCall *call) { return strstr(call->op, "::") + 2; }

static bool two_numbers(const ScriptCall *call) {
    return call->count == 2 && is_number(&call->args[0]) && is_number(&call->args[1]);
}

static bool two_ints(const ScriptCall *call) {
    return two_numbers(call) && call->args[0].kind != SCRIPT_FLOAT && call->args[1].kind != SCRIPT_FLOAT;
}

static Status too_large(const ScriptCall *call) {
    return fail(ST_BAD, "%s: expected a result of 64 bits, got a larger one", call->op);
}

// ---- two numbers

static Status int_binary(const ScriptCall *call, char what, ScriptValue *out) {
    const int64_t a = int_of(&call->args[0]), b = int_of(&call->args[1]);
    int64_t result = 0;
    bool fits = true;
    if (strchr("/%", what) && b == 0) return fail(ST_BAD, "%s: expected a divisor that is not 0, got 0", call->op);
    switch (what) {
    case '+': fits = add_i64(a, b, &result); break;
    case '-': fits = !__builtin_sub_overflow(a, b, &result); break;
    case '*': fits = mul_i64(a, b, &result); break;
    case '/': // down
        fits = b != -1 || a != INT64_MIN;
        result = fits ? a / b - (a % b != 0 && (a < 0) != (b < 0)) : 0;
        break;
    case '%':
        result = b == -1 ? 0 : a % b;
        if (result != 0 && (result < 0) != (b < 0)) result += b;
        break;
    case '<': result = MIN(a, b); break;
    case '>': result = MAX(a, b); break;
    default: __builtin_unreachable();
    }
    *out = script_int(result);
    return fits ? ST_OK : too_large(call);
}

static void float_binary(const ScriptCall *call, char what, ScriptValue *out) {
    const double a = float_of(&call->args[0]), b = float_of(&call->args[1]);
    double result = 0;
    switch (what) {
    case '+': result = a + b; break;
    case '-': result = a - b; break;
    case '*': result = a * b; break;
    case '/': result = floor(a / b); break;
    case '%':
        result = fmod(a, b);
        if (result != 0 && (result < 0) != (b < 0)) result += b;
        break;
    case '<': result = MIN(a, b); break;
    case '>': result = MAX(a, b); break;
    default: __builtin_unreachable();
    }
    *out = script_float(result);
}

static Status call_binary(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    static const struct {
        const char *name;
        char what;
    } names[] = {{"add", '+'},          {"sub", '-'},       {"mul", '*'}, {"floordiv", '/'},
                 {"floor_divide", '/'}, {"remainder", '%'}, {"min", '<'}, {"max", '>'}};
    (void)machine;
    if (!two_numbers(call)) return ST_OK;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (strcmp(name_of_call(call), names[i].name) != 0) continue;
        *done = true;
        if (two_ints(call)) return int_binary(call, names[i].what, out);
        float_binary(call, names[i].what, out);
    }
    return ST_OK;
}

static Status call_div(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    (void)machine;
    if (!two_numbers(call)) return ST_OK;
    *out = script_float(float_of(&call->args[0]) / float_of(&call->args[1]));
    *done = true;
    return ST_OK;
}

static Status call_pow(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    (void)machine;
    if (!two_numbers(call)) return ST_OK;
    *out = script_float(pow(float_of(&call->args[0]), float_of(&call->args[1])));
    *done = true;
    return ST_OK;
}

static Status call_compare(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    const char *name = name_of_call(call);
    (void)machine;
    if (!two_numbers(call)) return ST_OK;
    const double x = float_of(&call->args[0]), y = float_of(&call->args[1]);
    const int64_t a = two_ints(call) ? int_of(&call->args[0]) : 0, b = two_ints(call) ? int_of(&call->args[1]) : 0;
    const bool less = two_ints(call) ? a < b : x < y, same = two_ints(call) ? a == b : x == y;
    const bool more = two_ints(call) ? a > b : x > y;
    const bool answer = strcmp(name, "lt") == 0   ? less
                        : strcmp(name, "gt") == 0 ? more
                        : strcmp(name, "le") == 0 ? less || same
                                                  : more || same;
    *out = script_bool(answer);
    *done = true;
    return ST_OK;
}

// Also of texts, lists and enums; of what is known in a run only as far as it is.
static Status call_equal(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    bool equal, known;
    if (call->count != 2) return ST_OK;
    const bool number = call->args[0].kind == SCRIPT_NUMBER || call->args[1].kind == SCRIPT_NUMBER;
    if (call->args[0].kind == SCRIPT_TENSOR || call->args[1].kind == SCRIPT_TENSOR) return ST_OK;
    if (call->args[0].kind == SCRIPT_MISSING || call->args[1].kind == SCRIPT_MISSING) return ST_OK; // told by its name
    TRY(values_equal(machine, &call->args[0], &call->args[1], 0, &equal, &known));
    if (!known && number) return ST_OK; // aten has it
    *out =
        known ? script_bool(equal == (strcmp(name_of_call(call), "eq") == 0)) : (ScriptValue){.kind = SCRIPT_UNKNOWN};
    *done = true;
    return ST_OK;
}

static Status call_bits(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    const char *name = name_of_call(call);
    (void)machine;
    if (!two_ints(call)) return ST_OK;
    const int64_t a = int_of(&call->args[0]), b = int_of(&call->args[1]);
    const bool bools = call->args[0].kind == SCRIPT_BOOL && call->args[1].kind == SCRIPT_BOOL;
    const bool shifts = strstr(name, "shift") != NULL;
    FAIL_IF(shifts && (b < 0 || b > 62), ST_BAD, "%s: expected a shift of 0 to 62, got %lld", call->op, (long long)b);
    int64_t result = strstr(name, "and") ? (a & b) : strstr(name, "xor") ? (a ^ b) : (a | b);
    if (strstr(name, "lshift") && !mul_i64(a, INT64_C(1) << b, &result)) return too_large(call);
    if (strstr(name, "rshift")) result = a >> b;
    *out = bools && !shifts ? script_bool(result != 0) : script_int(result);
    *done = true;
    return ST_OK;
}

// ---- one number

static Status call_unary(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    static const struct {
        const char *name;
        double (*function)(double);
    } functions[] = {{"sqrt", sqrt},   {"exp", exp},     {"log", log},   {"log2", log2}, {"log10", log10},
                     {"sin", sin},     {"cos", cos},     {"tan", tan},   {"tanh", tanh}, {"atan", atan},
                     {"expm1", expm1}, {"log1p", log1p}, {"fabs", fabs}, {"erf", erf},   {"asin", asin},
                     {"acos", acos},   {"sinh", sinh},   {"cosh", cosh}, {"round", rint}};
    (void)machine;
    if (call->count != 1 || !is_number(&call->args[0])) return ST_OK;
    for (size_t i = 0; i < COUNT_OF(functions); i++) {
        if (strcmp(name_of_call(call), functions[i].name) != 0) continue;
        *out = script_float(functions[i].function(float_of(&call->args[0])));
        *done = true;
    }
    return ST_OK;
}

static Status to_int(const ScriptCall *call, double value, ScriptValue *out) {
    FAIL_IF(!(value >= -9.2233720368547e18 && value <= 9.2233720368547e18), ST_BAD,
            "%s: expected a number of 64 bits, got %g", call->op, value);
    *out = script_int((int64_t)value);
    return ST_OK;
}

// Int(x), floor(x), ceil(x), trunc(x)
static Status call_whole(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    const char *name = name_of_call(call);
    (void)machine;
    if (call->count == 1 && call->args[0].kind == SCRIPT_TEXT && strcmp(name, "Int") == 0)
        return fail(ST_UNSUPPORTED, "int of a text is not supported");
    if (call->count != 1 || !is_number(&call->args[0])) return ST_OK;
    *done = true;
    if (call->args[0].kind != SCRIPT_FLOAT) {
        *out = script_int(int_of(&call->args[0]));
        return ST_OK;
    }
    const double value = call->args[0].f;
    return to_int(call,
                  strcmp(name, "floor") == 0  ? floor(value)
                  : strcmp(name, "ceil") == 0 ? ceil(value)
                                              : trunc(value),
                  out);
}

static Status call_float(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    (void)machine;
    if (call->count != 1) return ST_OK;
    FAIL_IF(call->args[0].kind == SCRIPT_TEXT, ST_UNSUPPORTED, "float of a text is not supported");
    if (!is_number(&call->args[0])) return ST_OK;
    *out = script_float(float_of(&call->args[0]));
    *done = true;
    return ST_OK;
}

static Status call_bool(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    (void)machine;
    if (call->count != 1 || !is_number(&call->args[0])) return ST_OK;
    *out = script_bool(float_of(&call->args[0]) != 0);
    *done = true;
    return ST_OK;
}

static Status call_neg(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    (void)machine;
    if (call->count != 1 || !is_number(&call->args[0])) return ST_OK;
    *done = true;
    if (call->args[0].kind == SCRIPT_FLOAT) {
        *out = script_float(-call->args[0].f);
        return ST_OK;
    }
    const int64_t value = int_of(&call->args[0]);
    if (value == INT64_MIN) return too_large(call);
    *out = script_int(-value);
    return ST_OK;
}

static Status call_abs(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    if (call->count != 1 || !is_number(&call->args[0])) return ST_OK;
    if (float_of(&call->args[0]) < 0) return call_neg(machine, call, out, done);
    *out = call->args[0];
    *done = true;
    return ST_OK;
}

static Status call_is_finite(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    const char *name = name_of_call(call);
    (void)machine;
    if (call->count != 1 || !is_number(&call->args[0])) return ST_OK;
    const double value = float_of(&call->args[0]);
    *out = script_bool(strcmp(name, "isnan") == 0   ? isnan(value)
                       : strcmp(name, "isinf") == 0 ? isinf(value)
                                                    : isfinite(value));
    *done = true;
    return ST_OK;
}

// range(lo, hi, step): how many, and the i-th of them.
static Status call_range_length(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    int64_t lo, hi, step;
    if (call->count != 3 || !known_int(machine, &call->args[0], &lo) || !known_int(machine, &call->args[1], &hi) ||
        !known_int(machine, &call->args[2], &step))
        return ST_OK;
    FAIL_IF(step == 0 || step == INT64_MIN, ST_BAD, "expected a step of a range that is not 0, got %lld",
            (long long)step);
    int64_t span;
    if (__builtin_sub_overflow(step > 0 ? hi : lo, step > 0 ? lo : hi, &span)) return too_large(call);
    *out = script_int(span > 0 ? div_up(span, step > 0 ? step : -step) : 0);
    *done = true;
    return ST_OK;
}

static Status call_derive_index(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    int64_t i, lo, step, at;
    if (call->count != 3 || !known_int(machine, &call->args[0], &i) || !known_int(machine, &call->args[1], &lo) ||
        !known_int(machine, &call->args[2], &step))
        return ST_OK;
    if (!mul_i64(i, step, &at) || !add_i64(at, lo, &at)) return too_large(call);
    *out = script_int(at);
    *done = true;
    return ST_OK;
}

const BuiltinRow builtin_numbers[] = {{"add", call_binary},
                                      {"sub", call_binary},
                                      {"mul", call_binary},
                                      {"floordiv", call_binary},
                                      {"floor_divide", call_binary},
                                      {"remainder", call_binary},
                                      {"prim::min", call_binary},
                                      {"prim::max", call_binary},
                                      {"div", call_div},
                                      {"pow", call_pow},
                                      {"lt", call_compare},
                                      {"le", call_compare},
                                      {"gt", call_compare},
                                      {"ge", call_compare},
                                      {"eq", call_equal},
                                      {"ne", call_equal},
                                      {"__and__", call_bits},
                                      {"__or__", call_bits},
                                      {"__xor__", call_bits},
                                      {"__lshift__", call_bits},
                                      {"__rshift__", call_bits},
                                      {"sqrt", call_unary},
                                      {"exp", call_unary},
                                      {"log", call_unary},
                                      {"log2", call_unary},
                                      {"log10", call_unary},
                                      {"log1p", call_unary},
                                      {"expm1", call_unary},
                                      {"sin", call_unary},
                                      {"cos", call_unary},
                                      {"tan", call_unary},
                                      {"asin", call_unary},
                                      {"acos", call_unary},
                                      {"atan", call_unary},
                                      {"sinh", call_unary},
                                      {"cosh", call_unary},
                                      {"tanh", call_unary},
                                      {"erf", call_unary},
                                      {"fabs", call_unary},
                                      {"round", call_unary},
                                      {"Int", call_whole},
                                      {"floor", call_whole},
                                      {"ceil", call_whole},
                                      {"trunc", call_whole},
                                      {"Float", call_float},
                                      {"Bool", call_bool},
                                      {"neg", call_neg},
                                      {"abs", call_abs},
                                      {"prim::abs", call_abs},
                                      {"isnan", call_is_finite},
                                      {"isinf", call_is_finite},
                                      {"isfinite", call_is_finite},
                                      {"__range_length", call_range_length},
                                      {"__derive_index", call_derive_index},
                                      {NULL, NULL}};
