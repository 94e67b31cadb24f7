#include "base/log.h"
#include "base/text.h"
#include "test.h"

static void collect(void *context, LogLevel level, const char *line) { text_add(context, "%d:%s;", (int)level, line); }

TEST(levels_and_sink) {
    Text text = {0};
    log_set(collect, &text, LOG_NOTE);
    log_note("a %d", 1);
    log_verbose("b");
    log_set(collect, &text, LOG_VERBOSE);
    log_verbose("c");
    log_set(collect, &text, LOG_QUIET);
    log_note("d");
    CHECK_TEXT(text_get(&text), "1:a 1;2:c;");
    text_free(&text);
}
