#include "tensor/function.h"

static const char *const function_names[] = {
#define FUNCTION_NAME(id, name) [id] = name,
    FUNCTION_MAP(FUNCTION_NAME)
#undef FUNCTION_NAME
};
const char *function_name(Function function) { return function < FN_COUNT ? function_names[function] : "unknown"; }
