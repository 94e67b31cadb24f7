// Arithmetic on numbers (sizes, indices, factors): computed here where they are known, else in the graph. And what
// programs ask of tensors, lists and texts on the way.
#include "import/aten/convert.h"
#include <math.h>
#include <string.h>

// ---- two numbers, both known

typedef struct Pair {
    bool is_float;
    int64_t i[2];
    double f[2];
} Pair;

static void take(Pair *pair, int at, const AtenValue *value) {
    const bool is_float = value->kind == ATEN_FLOAT;
    pair->is_float = pair->is_float || is_float;
    pair->i[at] = value->kind == ATEN_BOOL ? value->b : is_float ? 0 : value->i;
    pair->f[at] = is_float ? value->f : (double)pair->i[at];
}

static bool compare(const char *name, const Pair *p, AtenValue *out) {
    const int order =
        p->is_float ? (p->f[0] > p->f[1]) - (p->f[0] < p->f[1]) : (p->i[0] > p->i[1]) - (p->i[0] < p->i[1]);
    const bool unordered = p->is_float && (isnan(p->f[0]) || isnan(p->f[1]));
    if (!strcmp(name, "eq")) *out = aten_bool(!unordered && order == 0);
    else if (!strcmp(name, "ne")) *out = aten_bool(unordered || order != 0);
    else if (!strcmp(name, "lt")) *out = aten_bool(!unordered && order < 0);
    else if (!strcmp(name, "le")) *out = aten_bool(!unordered && order <= 0);
    else if (!strcmp(name, "gt")) *out = aten_bool(!unordered && order > 0);
    else if (!strcmp(name, "ge")) *out = aten_bool(!unordered && order >= 0);
    else return false;
    return true;
}

static double floor_remainder(double a, double b) {
    const double rest = fmod(a, b);
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

static Status of_floats(const char *name, double a, double b, AtenValue *out) {
    const bool divides = strstr("div truediv floordiv remainder mod fmod", name) != NULL;
    FAIL_IF(divides && b == 0, ST_BAD, "a number is divided by zero");
    if (!strcmp(name, "add")) *out = aten_float(a + b);
    else if (!strcmp(name, "sub")) *out = aten_float(a - b);
    else if (!strcmp(name, "mul")) *out = aten_float(a * b);
    else if (!strcmp(name, "div")) *out = aten_float(a / b);
    else if (!strcmp(name, "floordiv")) *out = aten_float(floor(a / b));
    else if (!strcmp(name, "remainder")) *out = aten_float(floor_remainder(a, b));
    else if (!strcmp(name, "fmod")) *out = aten_float(fmod(a, b));
    else if (!strcmp(name, "min")) *out = aten_float(b < a ? b : a);
    else if (!strcmp(name, "max")) *out = aten_float(b > a ? b : a);
    else if (!strcmp(name, "pow")) *out = aten_float(pow(a, b));
    else return fail(ST_UNSUPPORTED, "of floats");
    return ST_OK;
}

static int64_t floor_quotient(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

static bool power(int64_t base, int64_t exponent, int64_t *out) {
    *out = 1;
    for (int64_t i = 0; i < exponent; i++) {
        if (*out == base && (base == 0 || base == 1)) return true;
        if (!mul_i64(*out, base, out)) return false;
    }
    return true;
}

static Status of_ints(const char *name, int64_t a, int64_t b, AtenValue *out) {
    const bool divides = strstr("floordiv remainder", name) != NULL;
    int64_t result = 0;
    bool fits = true;
    FAIL_IF(divides && b == 0, ST_BAD, "a number is divided by zero");
    FAIL_IF(divides && b == -1 && a == INT64_MIN, ST_BAD, "a number is too large");
    if (!strcmp(name, "div") || !strcmp(name, "fmod") || (!strcmp(name, "pow") && b < 0))
        return of_floats(name, (double)a, (double)b, out);
    if (!strcmp(name, "add")) fits = add_i64(a, b, &result);
    else if (!strcmp(name, "sub")) fits = !__builtin_sub_overflow(a, b, &result);
    else if (!strcmp(name, "mul")) fits = mul_i64(a, b, &result);
    else if (!strcmp(name, "floordiv")) result = floor_quotient(a, b);
    else if (!strcmp(name, "remainder")) result = b == -1 ? 0 : a - floor_quotient(a, b) * b;
    else if (!strcmp(name, "min")) result = b < a ? b : a;
    else if (!strcmp(name, "max")) result = b > a ? b : a;
    else if (!strcmp(name, "pow")) fits = b < 64 || a == 0 || a == 1 ? power(a, MIN(b, 64), &result) : false;
    else if (!strcmp(name, "__and__")) result = a & b;
    else if (!strcmp(name, "__or__")) result = a | b;
    else if (!strcmp(name, "__xor__")) result = a ^ b;
    else return fail(ST_UNSUPPORTED, "of ints");
    FAIL_IF(!fits, ST_BAD, "a number is too large");
    *out = aten_int(result);
    return ST_OK;
}

static Status of_known(const char *name, const AtenValue *a, const AtenValue *b, AtenValue *out) {
    Pair pair = {0};
    const bool bools = a->kind == ATEN_BOOL && b->kind == ATEN_BOOL && text_starts(name, "__");
    take(&pair, 0, a);
    take(&pair, 1, b);
    if (compare(name, &pair, out)) return ST_OK;
    if (pair.is_float) return of_floats(name, pair.f[0], pair.f[1], out);
    TRY(of_ints(name, pair.i[0], pair.i[1], out));
    if (bools) *out = aten_bool(out->i != 0);
    return ST_OK;
}

// ---- two numbers in the graph

typedef struct NumberOp {
    const char *name;
    Op op;
} NumberOp;

static Op op_of(const char *name) {
    static const NumberOp ops[] = {{"add", OP_Add},        {"sub", OP_Sub},    {"mul", OP_Mul},
                                   {"div", OP_Div},        {"min", OP_Min},    {"max", OP_Max},
                                   {"pow", OP_Pow},        {"eq", OP_Equal},   {"lt", OP_Less},
                                   {"le", OP_LessOrEqual}, {"gt", OP_Greater}, {"ge", OP_GreaterOrEqual},
                                   {"__and__", OP_And},    {"__or__", OP_Or},  {"__xor__", OP_Xor},
                                   {"remainder", OP_Mod},  {"fmod", OP_Mod}};
    for (size_t i = 0; i < COUNT_OF(ops); i++)
        if (strcmp(ops[i].name, name) == 0) return ops[i].op;
    return OP_NONE;
}

static Status graph_value(Call *call, const AtenValue *number, DType dtype, ValueId *out) {
    TRY(aten_number_value(call->aten, call->emit.layer, number, out));
    return aten_cast(call, *out, dtype, out);
}

// floor(a / b): integers give (a - (a mod b)) / b, which leaves nothing to round.
static Status floor_divide(Call *call, DType dtype, ValueId a, ValueId b, ValueId *out) {
    ValueId rest, multiple;
    if (dtype_is_float(dtype)) {
        TRY(aten_two(call, OP_Div, a, b, &multiple));
        return aten_one(call, OP_Floor, multiple, out);
    }
    TRY(aten_two(call, OP_Mod, a, b, &rest));
    TRY(aten_two(call, OP_Sub, a, rest, &multiple));
    return aten_two(call, OP_Div, multiple, b, out);
}

static Status in_graph(Call *call, const char *name, const AtenValue *a, const AtenValue *b, AtenValue *out) {
    const AtenValue both[] = {*a, *b};
    ValueId x, y, result;
    DType dtype = aten_result_type(call, both, 2);
    const bool logical = text_starts(name, "__"), powers = !strcmp(name, "pow"), unequal = !strcmp(name, "ne");
    if (dtype_is_float(dtype) || !strcmp(name, "div") || powers) dtype = DT_F64;
    else dtype = logical && dtype == DT_BOOL ? DT_BOOL : DT_I64;
    FAIL_IF(logical && dtype != DT_BOOL, ST_UNSUPPORTED, "of ints that are known in a run only");
    FAIL_IF(!strcmp(name, "remainder") && dtype == DT_F64, ST_UNSUPPORTED, "of floats that are known in a run only");
    TRY(graph_value(call, a, dtype, &x));
    TRY(graph_value(call, b, dtype, &y));
    if (!strcmp(name, "floordiv")) TRY(floor_divide(call, dtype, x, y, &result));
    else if (unequal) {
        TRY(aten_two(call, OP_Equal, x, y, &result));
        TRY(aten_one(call, OP_Not, result, &result));
    } else if (!strcmp(name, "fmod"))
        TRY(aten_node(call, OP_Mod, (const ValueId[]){x, y}, 2, ATTRS(ATTR_I("fmod", 1)), &result));
    else TRY(aten_two(call, op_of(name), x, y, &result));
    *out = aten_number(result);
    return ST_OK;
}

// A number whose value is a constant of the graph by now.
static AtenValue settled(const Call *call, const AtenValue *value) {
    const Tensor *constant = value->kind == ATEN_NUMBER ? emit_constant(&call->emit, value->value) : NULL;
    if (!constant || tensor_count(constant) != 1) return *value;
    if (constant->dtype == DT_BOOL) return aten_bool(tensor_get_int(constant, 0) != 0);
    return dtype_is_float(constant->dtype) ? aten_float(tensor_get(constant, 0))
                                           : aten_int(tensor_get_int(constant, 0));
}

Status aten_number_binary(Call *call, const char *name, const AtenValue *a, const AtenValue *b, AtenValue *out) {
    const AtenValue x = settled(call, a), y = settled(call, b);
    if (x.kind != ATEN_NUMBER && y.kind != ATEN_NUMBER) return of_known(name, &x, &y, out);
    return in_graph(call, name, &x, &y, out);
}

// The operator's name without what is in front of it and, of sizes, "sym_": "_operator::mul", "torch::sym_max".
static const char *bare_name(const Call *call) {
    static const char *const same[][2] = {{"truediv", "div"},  {"true_divide", "div"}, {"mod", "remainder"},
                                          {"and_", "__and__"}, {"or_", "__or__"},      {"floor_divide", "floordiv"}};
    const char *colon = strrchr(call->source->op, ':'), *name = colon ? colon + 1 : call->source->op;
    if (text_starts(name, "sym_")) name += strlen("sym_");
    for (size_t i = 0; i < COUNT_OF(same); i++)
        if (strcmp(same[i][0], name) == 0) return same[i][1];
    return name;
}

Status aten_convert_number_binary(Call *call) {
    AtenValue out;
    TRY(aten_number_binary(call, bare_name(call), aten_arg(call, "a"), aten_arg(call, "b"), &out));
    return aten_give_value(call, out);
}

// min and max of a list of numbers.
Status aten_convert_list_extreme(Call *call) {
    const AtenValue *list = aten_arg(call, "list");
    FAIL_IF(list->count == 0, ST_BAD, "expected a list that is not empty");
    AtenValue out = list->items[0];
    for (int i = 0; i < list->count; i++) {
        FAIL_IF(!aten_is_number(&list->items[i]), ST_BAD, "expected a list of numbers");
        TRY(aten_number_binary(call, bare_name(call), &out, &list->items[i], &out));
    }
    return aten_give_value(call, out);
}

// ---- one number

static Status to_int(double value, AtenValue *out) {
    FAIL_IF(!(fabs(value) < 0x1p62), ST_BAD, "expected a number that an int can hold, got %g", value);
    *out = aten_int((int64_t)value);
    return ST_OK;
}

static Status unary_known(const char *name, const AtenValue *a, AtenValue *out) {
    Pair pair = {0};
    take(&pair, 0, a);
    const double f = pair.f[0];
    const bool is_int = a->kind != ATEN_FLOAT;
    if (!strcmp(name, "neg")) {
        FAIL_IF(is_int && pair.i[0] == INT64_MIN, ST_BAD, "a number is too large");
        *out = is_int ? aten_int(-pair.i[0]) : aten_float(-f);
    } else if (!strcmp(name, "abs")) {
        FAIL_IF(is_int && pair.i[0] == INT64_MIN, ST_BAD, "a number is too large");
        *out = is_int ? aten_int(pair.i[0] < 0 ? -pair.i[0] : pair.i[0]) : aten_float(fabs(f));
    } else if (!strcmp(name, "sqrt")) *out = aten_float(sqrt(f));
    else if (is_int && strcmp(name, "round")) *out = aten_int(pair.i[0]); // floor, ceil, trunc
    else if (!strcmp(name, "floor")) return to_int(floor(f), out);
    else if (!strcmp(name, "ceil")) return to_int(ceil(f), out);
    else if (!strcmp(name, "trunc")) return to_int(trunc(f), out);
    else *out = aten_float(nearbyint(f));
    return ST_OK;
}

static Status unary_in_graph(Call *call, const char *name, ValueId x, AtenValue *out) {
    const bool is_float = dtype_is_float(aten_type(call, x)->dtype);
    if (!strcmp(name, "sqrt") || !strcmp(name, "round")) TRY(aten_cast(call, x, DT_F64, &x));
    if (!strcmp(name, "neg")) TRY(aten_one(call, OP_Neg, x, &x));
    else if (!strcmp(name, "abs")) TRY(aten_one(call, OP_Abs, x, &x));
    else if (!strcmp(name, "sqrt")) TRY(aten_one(call, OP_Sqrt, x, &x));
    else if (!strcmp(name, "round")) TRY(aten_one(call, OP_Round, x, &x));
    else if (is_float) {
        if (!strcmp(name, "floor")) TRY(aten_one(call, OP_Floor, x, &x));
        if (!strcmp(name, "ceil")) TRY(aten_one(call, OP_Ceil, x, &x));
        TRY(aten_cast(call, x, DT_I64, &x));
    }
    *out = aten_number(x);
    return ST_OK;
}

Status aten_convert_number_unary(Call *call) {
    const AtenValue a = settled(call, aten_arg(call, "a"));
    AtenValue out;
    if (a.kind == ATEN_NUMBER) TRY(unary_in_graph(call, bare_name(call), a.value, &out));
    else TRY(unary_known(bare_name(call), &a, &out));
    return aten_give_value(call, out);
}

Status aten_convert_number_not(Call *call) {
    bool value;
    ValueId out;
    const AtenValue *a = aten_arg(call, "a");
    if (aten_known_bool(call->aten, a, &value)) return aten_give_value(call, aten_bool(!value));
    TRY(aten_as_bool(call, a->value, &out));
    TRY(aten_one(call, OP_Not, out, &out));
    return aten_give_value(call, aten_number(out));
}

// ---- numbers and tensors

// A tensor of one element as a number; one that can be computed now is known.
Status aten_number_of(Call *call, ValueId value, AtenValue *out) {
    const Type *type = aten_type(call, value);
    const AtenValue tensor = aten_tensor(value);
    const bool is_float = dtype_is_float(type->dtype);
    int64_t whole;
    double number;
    for (int i = 0; i < type->rank; i++)
        FAIL_IF(type->dim[i] >= 0 && type->dim[i] != 1, ST_BAD, "expected a tensor of one element");
    if (!is_float && aten_known_int(call->aten, &tensor, &whole)) {
        *out = type->dtype == DT_BOOL ? aten_bool(whole != 0) : aten_int(whole);
        return ST_OK;
    }
    if (is_float && aten_known_float(call->aten, &tensor, &number)) {
        *out = aten_float(number);
        return ST_OK;
    }
    if (type->rank != 0) TRY(aten_reshape_ints(call, value, NULL, 0, &value));
    *out = aten_number(value);
    return ST_OK;
}

Status aten_convert_item(Call *call) {
    AtenValue out;
    TRY(aten_number_of(call, call->args[0].value, &out));
    return aten_give_value(call, out);
}

// Int, Float, Bool (and sym_int, sym_float) of a number or of a tensor of one element.
Status aten_convert_number_cast(Call *call) {
    const char *name = bare_name(call);
    const AtenValue *a = aten_arg(call, "a");
    AtenValue number = *a;
    double f;
    ValueId x;
    const char first = *name | 32; // Int and int
    if (a->kind == ATEN_TENSOR) TRY(aten_number_of(call, a->value, &number));
    number = settled(call, &number);
    if (number.kind == ATEN_NUMBER) {
        TRY(aten_cast(call, number.value, first == 'i' ? DT_I64 : first == 'f' ? DT_F64 : DT_BOOL, &x));
        return aten_give_value(call, aten_number(x));
    }
    if (first == 'i' && number.kind == ATEN_INT) return aten_give_value(call, number);
    FAIL_IF(!aten_known_float(call->aten, &number, &f), ST_BAD, "expected a number");
    if (first == 'i') TRY(to_int(trunc(f), &number));
    else number = first == 'f' ? aten_float(f) : aten_bool(f != 0);
    return aten_give_value(call, number);
}

// A number as a tensor without dims.
Status aten_convert_num_to_tensor(Call *call) {
    ValueId out;
    const AtenValue *a = aten_arg(call, "a");
    if (a->kind == ATEN_TENSOR) return aten_give_value(call, *a);
    TRY(aten_operand(call, a, aten_value_dtype(call, a), &out));
    return aten_give(call, out);
}

Status aten_convert_size(Call *call) {
    const ValueId x = aten_arg(call, "self")->value;
    AtenValue out;
    int rank, axis;
    TRY(aten_rank(call, x, &rank));
    FAIL_IF(rank == 0, ST_BAD, "expected a tensor with dims");
    TRY(aten_arg_axis(call, "dim", rank, &axis));
    TRY(aten_dim(call, x, axis, &out));
    return aten_give_value(call, out);
}

Status aten_convert_size_all(Call *call) {
    AtenValue *items = arena_array(call->aten->scratch, MAX_RANK, sizeof *items);
    int rank;
    if (!items) return fail_memory(MAX_RANK * sizeof *items);
    TRY(aten_dims(call, aten_arg(call, "self")->value, items, &rank));
    return aten_give_value(call, aten_list(items, rank));
}

Status aten_convert_numel(Call *call) {
    int64_t axes[MAX_RANK];
    AtenValue out;
    int rank;
    const ValueId x = aten_arg(call, "self")->value;
    TRY(aten_rank(call, x, &rank));
    for (int i = 0; i < rank; i++) axes[i] = i;
    TRY(aten_count(call, x, axes, rank, &out));
    return aten_give_value(call, out);
}

Status aten_convert_rank(Call *call) {
    int rank;
    TRY(aten_rank(call, aten_arg(call, "self")->value, &rank));
    return aten_give_value(call, aten_int(rank));
}

Status aten_convert_dtype_of(Call *call) {
    const int64_t number = aten_scalar_type(aten_type(call, aten_arg(call, "a")->value)->dtype);
    FAIL_IF(number < 0, ST_UNSUPPORTED, "of a tensor of a type that is not known");
    return aten_give_value(call, aten_int(number));
}

Status aten_convert_device_of(Call *call) { return aten_give_value(call, aten_text("cpu")); }

Status aten_convert_is_floating(Call *call) {
    return aten_give_value(call, aten_bool(dtype_is_float(aten_type(call, aten_arg(call, "self")->value)->dtype)));
}

// Checks that the program makes of itself, hints for compilers.
Status aten_convert_nothing(Call *call) {
    (void)call;
    return ST_OK;
}

// ---- anything: None, texts, lists

static bool same(const AtenValue *a, const AtenValue *b) {
    AtenValue out;
    if (aten_is_number(a) && aten_is_number(b) && a->kind != ATEN_NUMBER && b->kind != ATEN_NUMBER)
        return of_known("eq", a, b, &out) == ST_OK && out.b;
    if (a->kind != b->kind) return false;
    if (a->kind == ATEN_TEXT) return strcmp(a->text, b->text) == 0;
    if (a->kind == ATEN_TENSOR || a->kind == ATEN_NUMBER) return a->value == b->value;
    if (a->kind != ATEN_LIST) return a->kind == ATEN_NONE;
    if (a->count != b->count) return false;
    for (int i = 0; i < a->count; i++)
        if (!same(&a->items[i], &b->items[i])) return false; // as deep as lists may be
    return true;
}

// Numbers that are known in a run only leave it open.
static bool is_open(const AtenValue *value) {
    if (value->kind == ATEN_NUMBER) return true;
    for (int i = 0; value->kind == ATEN_LIST && i < value->count; i++)
        if (is_open(&value->items[i])) return true;
    return false;
}

static Status give_same(Call *call, bool wanted) {
    const AtenValue *a = aten_arg(call, "a"), *b = aten_arg(call, "b");
    return aten_give_value(call, aten_bool(same(a, b) == wanted));
}
Status aten_convert_same(Call *call) { return give_same(call, true); }      // is
Status aten_convert_not_same(Call *call) { return give_same(call, false); } // is not

// == and != of texts and lists.
Status aten_convert_equal(Call *call) {
    const AtenValue *a = aten_arg(call, "a"), *b = aten_arg(call, "b");
    if (is_open(a) || is_open(b)) return aten_not_known(call, NULL, "comparison");
    return give_same(call, bare_name(call)[0] == 'e');
}

Status aten_convert_contains(Call *call) {
    const AtenValue *list = aten_arg(call, "list"), *item = aten_arg(call, "item");
    bool found = false;
    if (is_open(list) || is_open(item)) return aten_not_known(call, NULL, "comparison");
    for (int i = 0; i < list->count && !found; i++) found = same(&list->items[i], item);
    return aten_give_value(call, aten_bool(found));
}

Status aten_convert_len(Call *call) {
    const AtenValue *a = aten_arg(call, "a");
    AtenValue out;
    if (a->kind == ATEN_LIST) return aten_give_value(call, aten_int(a->count));
    if (a->kind == ATEN_TEXT) return aten_give_value(call, aten_int((int64_t)strlen(a->text)));
    FAIL_IF(a->kind != ATEN_TENSOR || aten_type(call, a->value)->rank < 1, ST_BAD,
            "expected a list, a text or a tensor");
    TRY(aten_dim(call, a->value, 0, &out));
    return aten_give_value(call, out);
}

Status aten_convert_get_item(Call *call) {
    const AtenValue *list = aten_arg(call, "list");
    int64_t index;
    TRY(aten_arg_int(call, "index", &index));
    FAIL_IF(index < -list->count || index >= list->count, ST_BAD, "expected an index from %d to %d, got %lld",
            -list->count, list->count - 1, (long long)index);
    return aten_give_value(call, list->items[index < 0 ? index + list->count : index]);
}

static Status make_list(Call *call, int64_t count, AtenValue **out) {
    FAIL_IF(count > ATEN_LIST_COUNT, ST_BAD, "expected a list of at most %d values, got %lld", ATEN_LIST_COUNT,
            (long long)count);
    *out = arena_array(call->aten->scratch, (size_t)count + 1, sizeof **out);
    return *out ? ST_OK : fail_memory((size_t)count * sizeof **out);
}

Status aten_convert_list_add(Call *call) {
    const AtenValue *a = aten_arg(call, "a"), *b = aten_arg(call, "b");
    AtenValue *items;
    TRY(make_list(call, (int64_t)a->count + b->count, &items));
    for (int i = 0; i < a->count; i++) items[i] = a->items[i];
    for (int i = 0; i < b->count; i++) items[a->count + i] = b->items[i];
    return aten_give_value(call, aten_list(items, a->count + b->count));
}

Status aten_convert_list_repeat(Call *call) {
    const AtenValue *list = aten_arg(call, "list");
    AtenValue *items;
    int64_t times, count;
    TRY(aten_arg_int(call, "times", &times));
    FAIL_IF(!mul_i64(list->count, MAX(times, 0), &count), ST_BAD, "a list is too long");
    TRY(make_list(call, count, &items));
    for (int64_t i = 0; i < count; i++) items[i] = list->items[i % list->count];
    return aten_give_value(call, aten_list(items, (int)count));
}

Status aten_convert_list_slice(Call *call) {
    const AtenValue *list = aten_arg(call, "list");
    AtenValue *items;
    int64_t start = 0, end = INT64_MAX, step, first, count;
    if (!aten_arg_is(call, "start", ATEN_NONE)) TRY(aten_arg_int(call, "start", &start));
    if (!aten_arg_is(call, "end", ATEN_NONE)) TRY(aten_arg_int(call, "end", &end));
    TRY(aten_arg_int(call, "step", &step));
    FAIL_IF(step < 1, ST_BAD, "expected a step of at least 1, got %lld", (long long)step);
    TRY(slice_range(list->count, start, end, step, &first, &count));
    TRY(make_list(call, count, &items));
    for (int64_t i = 0; i < count; i++) items[i] = list->items[first + i * step];
    return aten_give_value(call, aten_list(items, (int)count));
}
