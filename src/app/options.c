#include "app/options.h"
#include "base/memory.h"
#include <string.h>

static const size_t largest = 65536; // bytes; no header of ours has such a struct, so the first field is no size

Status options_take(const void *given, size_t known, void *out) {
    size_t size;
    if (!given) return ST_OK;
    memcpy(&size, given, sizeof size);
    FAIL_IF(size < sizeof size || size > largest, ST_USAGE,
            "options: expected their size in the first field (STENT_OPTIONS sets it), got %zu", size);
    for (size_t i = known; i < size; i++)
        FAIL_IF(((const char *)given)[i], ST_USAGE,
                "options: byte %zu is set, this library (%s) knows %zu; it is older than the header", i, STENT_VERSION,
                known);
    memset(out, 0, known);
    memcpy(out, given, MIN(size, known));
    memcpy(out, &known, sizeof known);
    return ST_OK;
}
Status options_check_common(const stent_options *options) {
    for (size_t i = 0; i < COUNT_OF(options->reserved); i++)
        FAIL_IF(options->reserved[i], ST_USAGE,
                "options: a reserved field is set; this library (%s) is older than the header", STENT_VERSION);
    return ST_OK;
}
