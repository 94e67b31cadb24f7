#include "test.h"
#include <errno.h>

static Status fail_when(bool condition) {
    FAIL_IF(condition, ST_UNSUPPORTED, "place: expected %d, got %d", 1, 2);
    return ST_OK;
}

static Status pass_on(bool condition) {
    TRY(fail_when(condition));
    return ST_OK;
}

TEST(messages_and_context) {
    CHECK_TEXT(error_message(), "");
    CHECK_INT(pass_on(false), ST_OK);
    CHECK_INT(pass_on(true), ST_UNSUPPORTED);
    CHECK_TEXT(error_message(), "place: expected 1, got 2");
    CHECK_INT(fail_context(ST_UNSUPPORTED, "%s", "x.onnx"), ST_UNSUPPORTED);
    CHECK_TEXT(error_message(), "x.onnx: place: expected 1, got 2");
    error_clear();
    CHECK_TEXT(error_message(), "");
    fail_context(ST_BAD, "alone");
    CHECK_TEXT(error_message(), "alone");
    CHECK_INT(fail_memory(77), ST_RESOURCE);
    CHECK(strstr(error_message(), "77"));
    CHECK_TEXT(status_text(ST_BAD), "bad or damaged input");
}

TEST(control_characters_are_shown) {
    fail(ST_BAD, "%s", "a\x1b[31m\n\r\x7f\xc2\x9b z\xc3\xa4");
    CHECK_TEXT(error_message(), "a\\x1b[31m\\x0a\\x0d\\x7f\\x9b z\xc3\xa4");
    fail_context(ST_BAD, "%s", "\x01");
    CHECK(!strncmp(error_message(), "\\x01: a\\x1b", 11));
}

TEST(long_messages_are_cut_at_a_character) {
    char text[9001] = "a";
    for (size_t i = 1; i + 1 < sizeof text; i += 2) memcpy(text + i, "\xc3\xa4", 2);
    text[sizeof text - 1] = 0;
    for (int shift = 0; shift < 2; shift++) {
        fail(ST_BAD, "%s", text + shift);
        size_t length = strlen(error_message());
        CHECK(length > 4000 && length < 4096);
        CHECK((unsigned char)error_message()[length - 1] == 0xa4);
    }
    fail_context(ST_BAD, "%s", text); // leaves room for what it stands in front of
    CHECK(strstr(error_message(), ": "));
}

TEST(system_errors) {
    errno = ENOENT;
    CHECK_INT(fail_errno("a/b", "open"), ST_BAD);
    CHECK_TEXT(error_message(), "a/b: cannot open: No such file or directory");
    errno = ENOSPC;
    CHECK_INT(fail_errno("a/b", "write"), ST_RESOURCE);
    errno = EACCES;
    CHECK_INT(fail_errno("a/b", "open"), ST_RESOURCE);
}
