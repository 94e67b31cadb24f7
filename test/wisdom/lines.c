#include "wisdom/lines.h"
#include "base/file.h"
#include "test.h"

WisdomLine wisdom_line(const char *incumbent, const char *candidate, double ratio) {
    return (WisdomLine){
        "2026-11-28T22:47:32Z", "avx2", "a CPU, caches 1 2 3", 2, "conv", incumbent, candidate, ratio, ratio, ratio};
}
void wisdom_add(const char *path, const WisdomLine *line) {
    Text text = {0};
    CHECK_OK(wisdom_print(line, &text));
    CHECK_OK(wisdom_append(path, &text));
    text_free(&text);
}
typedef struct Lie {
    const char *path;
    double ratio;
} Lie;
static Status tell_lie(void *context, const WisdomLine *line, const char *text, size_t length) {
    const Lie *lie = context;
    WisdomLine changed = *line;
    (void)text, (void)length;
    changed.ratio = changed.low = changed.high = lie->ratio;
    wisdom_add(lie->path, &changed), wisdom_add(lie->path, &changed);
    return ST_OK;
}
void wisdom_lie(const char *from, const char *to, double ratio) {
    WisdomCount count;
    CHECK_OK(wisdom_read(from, tell_lie, &(Lie){to, ratio}, &count));
    REQUIRE(count.lines > 0);
}
