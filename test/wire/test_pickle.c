// Pickles are read as data: each opcode gives its value, nothing is run, and whatever bytes there are end in a status.
#include "base/rng.h"
#include "base/text.h"
#include "test.h"
#include "wire/pickle.h"
#include <unistd.h>

// ---- a value in words

enum { SAY_DEPTH = 12, SAY_BYTES = 4096 };

static void say(Text *text, const PickleValue *value, int depth);

static void say_items(Text *text, const PickleValue *value, const char *open, const char *close, int depth) {
    text_add(text, "%s", open);
    for (size_t i = 0; i < value->count && text->length < SAY_BYTES; i++) {
        text_add(text, "%s", i ? ", " : "");
        say(text, value->items[i], depth);
    }
    text_add(text, "%s", close);
}

static void say_dict(Text *text, const PickleValue *value, int depth) {
    text_add(text, "{");
    for (size_t i = 0; i < value->count && text->length < SAY_BYTES; i++) {
        text_add(text, "%s", i ? ", " : "");
        say(text, value->items[2 * i], depth);
        text_add(text, ": ");
        say(text, value->items[2 * i + 1], depth);
    }
    text_add(text, "}");
}

static void say_part(Text *text, const char *name, const PickleValue *value, int depth) {
    if (!value) return;
    text_add(text, " %s", name);
    say(text, value, depth);
}

// <os.system('ls') list[...] dict{...} state...>
static void say_object(Text *text, const PickleValue *value, int depth) {
    text_add(text, "<");
    say(text, value->maker, depth);
    say_items(text, value->args, "(", ")", depth);
    say_part(text, "kwargs", value->kwargs, depth);
    say_part(text, "list", value->list, depth);
    say_part(text, "dict", value->dict, depth);
    say_part(text, "state ", value->state, depth);
    text_add(text, ">");
}

static void say(Text *text, const PickleValue *value, int depth) {
    if (depth == SAY_DEPTH || text->length > SAY_BYTES) {
        text_add(text, "...");
        return;
    }
    switch (value->kind) {
    case PICKLE_NONE: text_add(text, "None"); break;
    case PICKLE_BOOL: text_add(text, value->i ? "True" : "False"); break;
    case PICKLE_INT: text_add(text, "%lld", (long long)value->i); break;
    case PICKLE_FLOAT: text_double(text, value->f); break;
    case PICKLE_LONG:
    case PICKLE_BYTES:
        text_add(text, value->kind == PICKLE_LONG ? "long" : "b");
        for (size_t i = 0; i < value->size; i++) text_add(text, "%02x", value->bytes[i]);
        break;
    case PICKLE_TEXT:
        text_add(text, "'");
        text_bytes(text, value->bytes, value->size);
        text_add(text, "'");
        break;
    case PICKLE_LIST: say_items(text, value, "[", "]", depth + 1); break;
    case PICKLE_TUPLE: say_items(text, value, "(", ")", depth + 1); break;
    case PICKLE_SET: say_items(text, value, "set(", ")", depth + 1); break;
    case PICKLE_DICT: say_dict(text, value, depth + 1); break;
    case PICKLE_GLOBAL: text_add(text, "%s.%s", value->module, value->name); break;
    case PICKLE_OBJECT: say_object(text, value, depth + 1); break;
    case PICKLE_PERSISTENT:
        text_add(text, "id:");
        say(text, value->id, depth + 1);
        break;
    }
}

static void check_value(const void *bytes, size_t size, const char *expected) {
    Arena arena = {0};
    Pickle pickle;
    Text text = {0};
    const Status status = pickle_read(&arena, bytes, size, &pickle);
    CHECK_MSG(status == ST_OK, "expected %s, got %s", expected, error_message());
    if (status == ST_OK) {
        say(&text, pickle.root, 0);
        CHECK_TEXT(text_get(&text), expected);
        CHECK_INT(pickle.size, size);
    }
    text_free(&text);
    arena_free(&arena);
}

static void check_refused(const void *bytes, size_t size, Status expected, const char *words) {
    Arena arena = {0};
    Pickle pickle;
    error_clear();
    const Status status = pickle_read(&arena, bytes, size, &pickle);
    CHECK_MSG(status == expected && strstr(error_message(), words), "expected status %d with '%s', got %d: %s",
              expected, words, status, error_message());
    arena_free(&arena);
}

#define VALUE(literal, expected) check_value(literal, sizeof(literal) - 1, expected)
#define BAD(literal, words) check_refused(literal, sizeof(literal) - 1, ST_BAD, words)
#define UNSUPPORTED(literal, words) check_refused(literal, sizeof(literal) - 1, ST_UNSUPPORTED, words)

// ---- what Python writes

// pickle.dumps(object, protocol) of one object, by CPython 3.11.
typedef struct Dump {
    int protocol;
    const char *bytes;
    size_t size;
} Dump;
#define DUMP(protocol, literal)                                                                                        \
    { protocol, literal, sizeof(literal) - 1 }

// clang-format off
static const Dump dumps[] = {
    DUMP(0,
        "(dp0\nVa\np1\n(lp2\nI1\naI-2\naI300\naI70000\naL1099511627776L\naL-9223372036854775808L\nasVf\np3\nF"
        "1.5\nsVn\np4\nNsVt\np5\n(I01\nI00\ntp6\nsVu\np7\nV\xe9\\u000a\\u005c\\U0001f600\np8\nsVe\np9\n(lp10"
        "\nsVd\np11\n(dp12\nsVl\np13\n(I1\ntp14\nsVm\np15\n(I1\nI2\nI3\ntp16\nsVq\np17\n(I1\nI2\nI3\nI4\ntp18"
        "\nsVx\np19\nccollections\nOrderedDict\np20\n(tRp21\nVk\np22\nI1\nsVj\np23\n(lp24\nI2\nassVagain\np25"
        "\ng21\ns."),
    DUMP(1,
        "}q\x00(X\x01\x00\x00\x00" "aq\x01]q\x02(K\x01J\xfe\xff\xff\xffM,\x01Jp\x11\x01\x00L1099511627776L\nL"
        "-9223372036854775808L\neX\x01\x00\x00\x00" "fq\x03G\?\xf8\x00\x00\x00\x00\x00\x00X\x01\x00\x00\x00nq"
        "\x04NX\x01\x00\x00\x00tq\x05(I01\nI00\ntq\x06X\x01\x00\x00\x00uq\x07X\x08\x00\x00\x00\xc3\xa9\n\\"
        "\xf0\x9f\x98\x80q\x08X\x01\x00\x00\x00" "eq\x09]q\nX\x01\x00\x00\x00" "dq\x0b}q\x0cX\x01\x00\x00\x00"
        "lq\x0d(K\x01tq\x0eX\x01\x00\x00\x00mq\x0f(K\x01K\x02K\x03tq\x10X\x01\x00\x00\x00qq\x11(K\x01K\x02K"
        "\x03K\x04tq\x12X\x01\x00\x00\x00xq\x13" "ccollections\nOrderedDict\nq\x14)Rq\x15(X\x01\x00\x00\x00kq"
        "\x16K\x01X\x01\x00\x00\x00jq\x17]q\x18K\x02" "auX\x05\x00\x00\x00" "againq\x19h\x15u."),
    DUMP(2,
        "\x80\x02}q\x00(X\x01\x00\x00\x00" "aq\x01]q\x02(K\x01J\xfe\xff\xff\xffM,\x01Jp\x11\x01\x00\x8a\x06"
        "\x00\x00\x00\x00\x00\x01\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80" "eX\x01\x00\x00\x00" "fq\x03G\?"
        "\xf8\x00\x00\x00\x00\x00\x00X\x01\x00\x00\x00nq\x04NX\x01\x00\x00\x00tq\x05\x88\x89\x86q\x06X\x01"
        "\x00\x00\x00uq\x07X\x08\x00\x00\x00\xc3\xa9\n\\\xf0\x9f\x98\x80q\x08X\x01\x00\x00\x00" "eq\x09]q\nX"
        "\x01\x00\x00\x00" "dq\x0b}q\x0cX\x01\x00\x00\x00lq\x0dK\x01\x85q\x0eX\x01\x00\x00\x00mq\x0fK\x01K"
        "\x02K\x03\x87q\x10X\x01\x00\x00\x00qq\x11(K\x01K\x02K\x03K\x04tq\x12X\x01\x00\x00\x00xq\x13" "ccolle"
        "ctions\nOrderedDict\nq\x14)Rq\x15(X\x01\x00\x00\x00kq\x16K\x01X\x01\x00\x00\x00jq\x17]q\x18K\x02" "a"
        "uX\x05\x00\x00\x00" "againq\x19h\x15u."),
    DUMP(3,
        "\x80\x03}q\x00(X\x01\x00\x00\x00" "aq\x01]q\x02(K\x01J\xfe\xff\xff\xffM,\x01Jp\x11\x01\x00\x8a\x06"
        "\x00\x00\x00\x00\x00\x01\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80" "eX\x01\x00\x00\x00" "fq\x03G\?"
        "\xf8\x00\x00\x00\x00\x00\x00X\x01\x00\x00\x00nq\x04NX\x01\x00\x00\x00tq\x05\x88\x89\x86q\x06X\x01"
        "\x00\x00\x00uq\x07X\x08\x00\x00\x00\xc3\xa9\n\\\xf0\x9f\x98\x80q\x08X\x01\x00\x00\x00" "eq\x09]q\nX"
        "\x01\x00\x00\x00" "dq\x0b}q\x0cX\x01\x00\x00\x00lq\x0dK\x01\x85q\x0eX\x01\x00\x00\x00mq\x0fK\x01K"
        "\x02K\x03\x87q\x10X\x01\x00\x00\x00qq\x11(K\x01K\x02K\x03K\x04tq\x12X\x01\x00\x00\x00xq\x13" "ccolle"
        "ctions\nOrderedDict\nq\x14)Rq\x15(X\x01\x00\x00\x00kq\x16K\x01X\x01\x00\x00\x00jq\x17]q\x18K\x02" "a"
        "uX\x05\x00\x00\x00" "againq\x19h\x15u."),
    DUMP(4,
        "\x80\x04\x95\xc6\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x01" "a\x94]\x94(K\x01J\xfe\xff\xff\xffM,\x01"
        "Jp\x11\x01\x00\x8a\x06\x00\x00\x00\x00\x00\x01\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80" "e\x8c\x01"
        "f\x94G\?\xf8\x00\x00\x00\x00\x00\x00\x8c\x01n\x94N\x8c\x01t\x94\x88\x89\x86\x94\x8c\x01u\x94\x8c\x08"
        "\xc3\xa9\n\\\xf0\x9f\x98\x80\x94\x8c\x01" "e\x94]\x94\x8c\x01" "d\x94}\x94\x8c\x01l\x94K\x01\x85\x94"
        "\x8c\x01m\x94K\x01K\x02K\x03\x87\x94\x8c\x01q\x94(K\x01K\x02K\x03K\x04t\x94\x8c\x01x\x94\x8c\x0b" "c"
        "ollections\x94\x8c\x0bOrderedDict\x94\x93\x94)R\x94(\x8c\x01k\x94K\x01\x8c\x01j\x94]\x94K\x02" "au"
        "\x8c\x05" "again\x94h\x17u."),
    DUMP(5,
        "\x80\x05\x95\xc6\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x01" "a\x94]\x94(K\x01J\xfe\xff\xff\xffM,\x01"
        "Jp\x11\x01\x00\x8a\x06\x00\x00\x00\x00\x00\x01\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80" "e\x8c\x01"
        "f\x94G\?\xf8\x00\x00\x00\x00\x00\x00\x8c\x01n\x94N\x8c\x01t\x94\x88\x89\x86\x94\x8c\x01u\x94\x8c\x08"
        "\xc3\xa9\n\\\xf0\x9f\x98\x80\x94\x8c\x01" "e\x94]\x94\x8c\x01" "d\x94}\x94\x8c\x01l\x94K\x01\x85\x94"
        "\x8c\x01m\x94K\x01K\x02K\x03\x87\x94\x8c\x01q\x94(K\x01K\x02K\x03K\x04t\x94\x8c\x01x\x94\x8c\x0b" "c"
        "ollections\x94\x8c\x0bOrderedDict\x94\x93\x94)R\x94(\x8c\x01k\x94K\x01\x8c\x01j\x94]\x94K\x02" "au"
        "\x8c\x05" "again\x94h\x17u."),
};
// clang-format on

static const char dumped[] = "{'a': [1, -2, 300, 70000, 1099511627776, -9223372036854775808], 'f': 1.5, 'n': None, "
                             "'t': (True, False), 'u': '\u00e9\n\\\U0001f600', 'e': [], 'd': {}, 'l': (1), "
                             "'m': (1, 2, 3), 'q': (1, 2, 3, 4), "
                             "'x': <collections.OrderedDict() dict{'k': 1, 'j': [2]}>, "
                             "'again': <collections.OrderedDict() dict{'k': 1, 'j': [2]}>}";

TEST(every_protocol_gives_the_same) {
    for (size_t i = 0; i < COUNT_OF(dumps); i++) check_value(dumps[i].bytes, dumps[i].size, dumped);
}

TEST(numbers) {
    VALUE("K\xff.", "255");
    VALUE("M\xff\xff.", "65535");
    VALUE("J\xff\xff\xff\xff.", "-1");
    VALUE("\x8a\x00.", "0");
    VALUE("\x8a\x01\xff.", "-1");
    VALUE("\x8a\x02\xff\x00.", "255");
    VALUE("\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f.", "9223372036854775807");
    VALUE("\x8b\x02\x00\x00\x00\x00\x80.", "-32768");
    VALUE("\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19.", "long6cfc9c46f9206aa85019");
    VALUE("I-7\n.", "-7");
    VALUE("I01\n.", "True");
    VALUE("I00\n.", "False");
    VALUE("L-7L\n.", "-7");
    VALUE("L7\n.", "7");
    VALUE("F-1.25e3\n.", "-1250");
    VALUE("Finf\n.", "inf");
    VALUE("G\x3f\xb9\x99\x99\x99\x99\x99\x9a.", "0.1");
    BAD("I12a\n.", "byte 0 (INT): expected an integer of 64 bits, got '12a'");
    BAD("L99999999999999999999L\n.", "byte 0 (LONG): expected an integer of 64 bits");
    BAD("F0x10\n.", "byte 0 (FLOAT): expected a number, got '0x10'");
    BAD("I1", "expected a line");
    BAD("G\x3f\xb9\x99", "byte 0 (BINFLOAT): expected 8 bytes, got 3");
    BAD("\x8b\xff\xff\xff\xff.", "expected 4294967295 bytes, got 1");
}

TEST(texts_and_bytes) {
    VALUE("X\x03\x00\x00\x00"
          "a\xc3\xa9.",
          "'a\u00e9'");
    VALUE("\x8c\x00.", "''");
    VALUE("\x8d\x01\x00\x00\x00\x00\x00\x00\x00z.", "'z'");
    VALUE("C\x02\x00\xff.", "b00ff");
    VALUE("B\x01\x00\x00\x00\x07.", "b07");
    VALUE("\x8e\x01\x00\x00\x00\x00\x00\x00\x00\x07.", "b07");
    VALUE("\x96\x01\x00\x00\x00\x00\x00\x00\x00\x07.", "b07");
    VALUE("U\x02hi.", "'hi'");
    VALUE("T\x02\x00\x00\x00hi.", "'hi'");
    VALUE("U\x02\xe9i.", "be969"); // a str of Python 2 in Latin-1
    VALUE("S'it\\'s \\x41\\\\ \\n\\t\\101'\n.", "'it's A\\ \n\tA'");
    VALUE("S\"it's\"\n.", "'it's'");
    VALUE("S''\n.", "''");
    VALUE("S'\\xff'\n.", "bff");
    VALUE("Va\\u00e9\\U0001F600\\n\xe9\n.", "'a\u00e9\U0001f600\\n\u00e9'");
    BAD("X\x01\x00\x00\x00\xff.", "byte 0 (BINUNICODE): expected a text in UTF-8");
    BAD("X\x05\x00\x00\x00"
        "ab.",
        "expected 5 bytes, got 3");
    BAD("\x8d\xff\xff\xff\xff\xff\xff\xff\xffz.", "expected 18446744073709551615 bytes, got 2");
    BAD("S'abc\n.", "text in quotes");
    BAD("S'\n.", "text in quotes");
    BAD("S\n.", "text in quotes");
    BAD("S'a\\'\n.", "text in quotes");
    BAD("S'a\\q'\n.", "text in quotes");
    BAD("S'a\\x4'\n.", "text in quotes");
    BAD("Va\\u12\n.", "escapes");
    BAD("Va\\ud800\n.", "escapes"); // half of a pair
    BAD("Va\\U00110000\n.", "escapes");
    BAD("V\\u", "expected a line");
}

TEST(texts_with_a_nul_are_no_names) {
    Arena arena = {0};
    Pickle pickle;
    CHECK_OK(pickle_read(&arena,
                         "X\x03\x00\x00\x00"
                         "a\0b.",
                         9, &pickle));
    CHECK_INT(pickle.root->kind, PICKLE_TEXT);
    CHECK_INT(pickle.root->size, 3);
    CHECK(pickle_text(pickle.root) == NULL);
    arena_free(&arena);
    BAD("\x8c\x02"
        "a\0\x8c\x01"
        "b\x93.",
        "NUL");
    BAD("ca\0b\nc\n.", "expected a name in UTF-8");
}

TEST(containers) {
    VALUE("].", "[]");
    VALUE(").", "()");
    VALUE("}.", "{}");
    VALUE("\x8f.", "set()");
    VALUE("]K\x01"
          "aK\x02"
          "a.",
          "[1, 2]");
    VALUE("](K\x01K\x02"
          "e(e.",
          "[1, 2]");
    VALUE("(K\x01K\x02l.", "[1, 2]");
    VALUE("(K\x01K\x02t.", "(1, 2)");
    VALUE("(t.", "()");
    VALUE("K\x01\x85\x85.", "((1))");
    VALUE("K\x01K\x02\x86.", "(1, 2)");
    VALUE("K\x01K\x02K\x03\x87.", "(1, 2, 3)");
    VALUE("(K\x01K\x02"
          "d.",
          "{1: 2}");
    VALUE("}K\x01K\x02s.", "{1: 2}");
    VALUE("}(K\x01K\x02K\x03K\x04u.", "{1: 2, 3: 4}");
    VALUE("\x8f(K\x01K\x02\x90.", "set(1, 2)");
    VALUE("(K\x01\x91.", "set(1)");
    BAD("(K\x01"
        "d.",
        "byte 3 (DICT): expected a value for each key, got 1");
    BAD("}(K\x01u.", "expected a value for each key");
    BAD("K\x01K\x02"
        "a.",
        "byte 4 (APPEND): expected a list or an object to fill, got an integer");
    BAD("K\x01K\x02K\x03s.", "expected a dict or an object to fill, got an integer");
    BAD(")(K\x01"
        "e.",
        "expected a list or an object to fill, got a tuple");
    BAD("](K\x01K\x02u.", "got a list");
    BAD("K\x01\x86.", "byte 2 (TUPLE2): expected a value before it, got none");
    BAD("(\x85.", "expected a value before it, got a mark");
    BAD("K\x01t.", "byte 2 (TUPLE): expected a mark before it, got none");
}

TEST(stack_and_memo) {
    VALUE("K\x01"
          "0K\x02.",
          "2");
    VALUE("K\x01"
          "2\x86.",
          "(1, 1)");
    VALUE("K\x01(K\x02K\x03"
          "1.",
          "1");
    VALUE("K\x01(0.", "1"); // POP takes a mark too
    VALUE("K\x07q\x00"
          "0h\x00.",
          "7");
    VALUE("K\x07p0\n0g0\n.", "7");
    VALUE("K\x07r\x03\x00\x00\x00"
          "0j\x03\x00\x00\x00.",
          "7");
    VALUE("K\x07\x94K\x08\x94"
          "00h\x01h\x00\x86.",
          "(8, 7)");
    VALUE("K\x07q\x00"
          "0K\x08q\x00"
          "0h\x00.",
          "8");
    BAD("h\x00.", "byte 0 (BINGET): expected a number of the memo that was given before, got 0");
    BAD("K\x01q\x00"
        "0j\xff\xff\xff\xff.",
        "got 4294967295");
    BAD("K\x01r\xff\xff\xff\xff.", "byte 2 (LONG_BINPUT): expected a number of the memo below 8");
    BAD("K\x01p-1\n.", "a number of the memo, got '-1'");
    BAD("q\x00.", "expected a value before it, got none");
    BAD("0.", "byte 0 (POP)");
    BAD("2.", "byte 0 (DUP)");
    BAD("1.", "expected a mark before it");
    BAD(".", "byte 0 (STOP): expected a value before it, got none");
    BAD("(.", "got a mark");
    BAD("NN.", "byte 2 (STOP): expected one value at the end, got 2");
    BAD("(N.", "expected one value at the end, got 2");
}

TEST(the_pickle_ends_at_stop) {
    Arena arena = {0};
    Pickle pickle;
    CHECK_OK(pickle_read(&arena, "\x80\x02K\x05.more", 9, &pickle));
    CHECK_INT(pickle.size, 5);
    arena_free(&arena);
    BAD("", "byte 0: expected an opcode of a pickle, got the end");
    BAD("N", "byte 1: expected an opcode of a pickle, got the end");
    BAD("N\x01.", "byte 1: expected an opcode of a pickle, got 0x01");
    BAD("\x95\x05\x00\x00\x00\x00\x00\x00\x00N.", "byte 0 (FRAME): expected 5 bytes, got 2");
    UNSUPPORTED("\x80\x06N.", "byte 0 (PROTO): expected a protocol of 0 to 5, got 6");
}

TEST(persistent_ids_are_listed) {
    Arena arena = {0};
    Pickle pickle;
    static const char bytes[] = "(K\x01QPsome id\nK\x01Qt.";
    VALUE("(K\x01QPsome id\nK\x01Qt.", "(id:1, id:'some id', id:1)");
    CHECK_OK(pickle_read(&arena, bytes, sizeof bytes - 1, &pickle));
    CHECK_INT(pickle.n_persistent, 3);
    for (size_t i = 0; i < 3; i++) CHECK(pickle.persistent[i] == pickle_item(pickle.root, i));
    arena_free(&arena);
}

// ---- nothing is run

TEST(calls_are_data) {
    VALUE("cos\nsystem\n.", "os.system");
    VALUE("cos\nsystem\n(S'touch pwned'\ntR.", "<os.system('touch pwned')>");
    VALUE("cm\nColor\nK\x02R.", "<m.Color(2)>"); // as PyTorch writes the members of enums
    VALUE("\x8c\x02os\x8c\x06system\x93\x8c\x0btouch pwned\x85R.", "<os.system('touch pwned')>");
    VALUE("(S'touch pwned'\nios\nsystem\n.", "<os.system('touch pwned')>");
    VALUE("(cos\nsystem\nS'touch pwned'\no.", "<os.system('touch pwned')>");
    VALUE("cevil\nClass\n)\x81.", "<evil.Class()>");
    VALUE("cevil\nClass\nK\x01\x85}\x8c\x01kK\x02s\x92.", "<evil.Class(1) kwargs{'k': 2}>");
    // BUILD calls __setstate__ in Python
    VALUE("cevil\nClass\n)\x81}\x8c\x0c__setstate__cos\nsystem\nsb.",
          "<evil.Class() state {'__setstate__': os.system}>");
    VALUE("cbuiltins\neval\n\x8c\x03"
          "1+1\x85R.",
          "<builtins.eval('1+1')>");
    VALUE("cm\nf\n)R)R.", "<<m.f()>()>"); // what a call gives is called
    VALUE("(\x8c\x06modulecnet\nUNet\ntQ)\x81.", "<id:('module', net.UNet)()>");
    CHECK(access("pwned", F_OK) != 0);
}

TEST(objects_are_filled) {
    VALUE("cm\nf\n)R(K\x01K\x02u.", "<m.f() dict{1: 2}>");
    VALUE("cm\nf\n)RK\x01K\x02sK\x03"
          "a.",
          "<m.f() list[3] dict{1: 2}>");
    VALUE("cm\nf\n)R(K\x03K\x04"
          "e.",
          "<m.f() list[3, 4]>");
    VALUE("cm\nf\n)R(K\x03\x90.", "<m.f() list[3]>");
    VALUE("ccollections\nOrderedDict\n)R.", "<collections.OrderedDict() dict{}>");
    VALUE("ccollections\nOrderedDict\n((lp0\n(lp1\nS'k'\naI1\naatR.",
          "<collections.OrderedDict([['k', 1]]) dict{'k': 1}>"); // Python 2
    BAD("ccollections\nOrderedDict\n(]K\x01"
        "atR.",
        "expected pairs for an OrderedDict, got an integer");
    BAD("ccollections\nOrderedDict\n(](K\x01\x85"
        "etR.",
        "expected pairs for an OrderedDict, got a tuple");
    BAD("cm\nf\nNR.", "byte 6 (REDUCE): expected a tuple, got None");
    BAD("K\x01)R.", "byte 3 (REDUCE): expected a class or function, got an integer");
    BAD("X\x06\x00\x00\x00system)R.", "expected a class or function, got a text");
    BAD("K\x01)\x81.", "byte 3 (NEWOBJ): expected a class or function");
    BAD("cm\nf\n)N\x92.", "byte 7 (NEWOBJ_EX): expected a dict, got None");
    BAD("(o.", "byte 1 (OBJ): expected a class or function, got a mark");
    BAD("]Nb.", "byte 2 (BUILD): expected an object to set up, got a list");
    BAD("K\x01K\x02\x93.", "byte 4 (STACK_GLOBAL): expected a text, got an integer");
    BAD("cm\n", "byte 0 (GLOBAL): expected a line");
    BAD("c\xff\nf\n.", "expected a name in UTF-8");
    UNSUPPORTED("cm\nf\n)RNbNb.", "set up twice");
}

TEST(what_lies_outside_is_refused) {
    UNSUPPORTED("\x82\x01.", "byte 0 (EXT1): codes of an extension registry are not supported");
    UNSUPPORTED("\x83\x01\x00.", "EXT2");
    UNSUPPORTED("\x84\x01\x00\x00\x00.", "EXT4");
    UNSUPPORTED("\x97.", "byte 0 (NEXT_BUFFER): buffers outside of the pickle are not supported");
    UNSUPPORTED("N\x98.", "READONLY_BUFFER");
}

TEST(questions_of_values) {
    Arena arena = {0};
    Pickle pickle;
    int64_t number = 0;
    static const char bytes[] = "}(\x8c\x01"
                                "aK\x01\x8c\x01"
                                "bN\x8c\x01"
                                "aK\x02K\x09K\x0au.";
    CHECK_OK(pickle_read(&arena, bytes, sizeof bytes - 1, &pickle));
    CHECK(pickle_int(pickle_get(pickle.root, "a"), &number) && number == 2); // the last one, as in Python
    CHECK(pickle_is(pickle_get(pickle.root, "b"), PICKLE_NONE));
    CHECK(pickle_get(pickle.root, "c") == NULL);
    CHECK(!pickle_int(pickle_get(pickle.root, "b"), &number));
    CHECK(pickle_item(pickle.root, 0) == NULL);
    CHECK(pickle_get(NULL, "a") == NULL && pickle_dict(NULL) == NULL && pickle_item(NULL, 0) == NULL);
    CHECK(!pickle_text(NULL) && !pickle_is_global(NULL, "m", "f") && !pickle_is_made_by(NULL, "m", "f"));
    CHECK_TEXT(pickle_kind_name(NULL), "nothing");
    CHECK_TEXT(pickle_kind_name(pickle.root), "a dict");
    arena_free(&arena);
}

// ---- hostile

// Reads it, whatever comes of it, within 512 MiB.
static Status read_any(const void *bytes, size_t size) {
    Arena arena = {.limit = (size_t)1 << 29};
    Pickle pickle;
    Text text = {0};
    error_clear();
    const Status status = pickle_read(&arena, bytes, size, &pickle);
    CHECK_MSG(status == ST_OK || status == ST_BAD || status == ST_UNSUPPORTED, "status %d: %s", status,
              error_message());
    CHECK(status == ST_OK || *error_message());
    if (status == ST_OK) {
        say(&text, pickle.root, 0);
        CHECK(pickle.size <= size);
    }
    text_free(&text);
    arena_free(&arena);
    return status;
}

TEST(cut_at_every_byte) {
    for (size_t i = 0; i < COUNT_OF(dumps); i++)
        for (size_t size = 0; size < dumps[i].size; size++) CHECK_INT(read_any(dumps[i].bytes, size), ST_BAD);
}

TEST(every_opcode_behind_every_other) {
    for (int a = 0; a < 256; a++) {
        for (int b = 0; b < 256; b++) {
            const uint8_t bytes[] = {'K', 1, ']', '(', (uint8_t)a, (uint8_t)b, 0, 0, '\n', '.'};
            read_any(bytes, sizeof bytes);
            read_any(bytes + 4, sizeof bytes - 4);
        }
    }
}

TEST(flipped_bits_and_bytes) {
    uint8_t torn[1024];
    Rng rng;
    rng_seed(&rng, 1);
    const int rounds = test_long() ? 1000000 : 20000;
    for (int round = 0; round < rounds; round++) {
        const Dump *dump = &dumps[rng_below(&rng, COUNT_OF(dumps))];
        REQUIRE(dump->size <= sizeof torn);
        memcpy(torn, dump->bytes, dump->size);
        for (uint64_t flips = 1 + rng_below(&rng, 3); flips > 0; flips--) {
            const size_t at = rng_below(&rng, dump->size);
            torn[at] = round % 2 ? (uint8_t)rng_next(&rng) : torn[at] ^ (uint8_t)(1u << rng_below(&rng, 8));
        }
        read_any(torn, dump->size);
    }
}

TEST(memory_that_runs_out) {
    Status status = ST_RESOURCE;
    int failures = 0;
    for (; status != ST_OK && failures < 5000; failures++) {
        Arena arena = {0};
        Pickle pickle;
        mem_fail_after(failures);
        status = pickle_read(&arena, dumps[0].bytes, dumps[0].size, &pickle);
        mem_fail_after(-1);
        CHECK_MSG(status == ST_OK || status == ST_RESOURCE, "allocation %d: status %d: %s", failures, status,
                  error_message());
        arena_free(&arena);
    }
    CHECK_MSG(failures > 3 && failures < 5000, "%d allocations", failures);
    Arena small = {.limit = 1000};
    Pickle pickle;
    CHECK_INT(pickle_read(&small, dumps[0].bytes, dumps[0].size, &pickle), ST_RESOURCE);
    arena_free(&small);
}

// [[[...], [...]], [[...], [...]]]: 2^60 ways through 60 lists.
TEST(a_bomb_of_names_is_small) {
    Text bytes = {0};
    text_add(&bytes, "]");
    for (int i = 0; i < 60; i++) text_add(&bytes, "2\x86");
    text_add(&bytes, ".");
    CHECK_INT(read_any(bytes.data, bytes.length), ST_OK);
    text_free(&bytes);
}

TEST(a_list_that_holds_itself) {
    VALUE("]q\x00h\x00"
          "a.",
          "[[[[[[[[[[[[...]]]]]]]]]]]]");
    VALUE("cm\nf\n)R2b.", "<m.f() state <m.f() state <m.f() state <m.f() state <m.f() state <m.f() state <m.f() state "
                          "<m.f() state <m.f() state <m.f() state <m.f() state <...() state ...>>>>>>>>>>>>");
}

static void add_many(Text *bytes, const char *what, int count) {
    const size_t length = strlen(what);
    for (int i = 0; i < count; i++) text_bytes(bytes, what, length);
}

TEST(a_million_lists_inside_each_other) {
    Text bytes = {0};
    add_many(&bytes, "]", 1000000);
    add_many(&bytes, "a", 999999);
    text_add(&bytes, ".");
    CHECK_INT(read_any(bytes.data, bytes.length), ST_OK);
    text_free(&bytes);
}

TEST(more_than_the_limits) {
    Text bytes = {0};
    add_many(&bytes, "(", PICKLE_MAX_STACK + 1);
    check_refused(bytes.data, bytes.length, ST_BAD, "at most 1048576 values that wait");
    bytes.length = 0;
    add_many(&bytes, "N0", PICKLE_MAX_VALUES + 1);
    check_refused(bytes.data, bytes.length, ST_BAD, "at most 2000000 values");
    bytes.length = 0;
    add_many(&bytes, "(1", PICKLE_MAX_OPCODES / 2 + 1);
    check_refused(bytes.data, bytes.length, ST_BAD, "at most 16777216 opcodes");
    bytes.length = 0;
    text_add(&bytes, "Nr");
    text_bytes(&bytes, "\0\0\x40\0", 4); // PICKLE_MAX_MEMO
    add_many(&bytes, "(1", PICKLE_MAX_MEMO / 2 + 8);
    check_refused(bytes.data, bytes.length, ST_BAD, "below 4194304, got 4194304");
    bytes.length = 0;
    text_add(&bytes, "c");
    add_many(&bytes, "m", PICKLE_MAX_NAME + 1);
    text_add(&bytes, "\nf\n.");
    check_refused(bytes.data, bytes.length, ST_BAD, "byte 0 (GLOBAL): expected a name of at most 1024 bytes, got 1025");
    text_free(&bytes);
}

// One list of pairs that many an OrderedDict is made of: its pairs are counted each time.
TEST(one_list_for_many_dicts) {
    Text bytes = {0};
    Arena arena = {.limit = (size_t)1 << 29};
    Pickle pickle;
    text_add(&bytes, "](");
    add_many(&bytes, "NN\x86", 20000);
    text_add(&bytes, "e\x85");
    text_bytes(&bytes, "q\0ccollections\nOrderedDict\nq\1(", 30);
    for (int i = 0; i < 100000; i++) text_bytes(&bytes, "h\1h\0R0", 6);
    CHECK_INT(pickle_read(&arena, bytes.data, bytes.length, &pickle), ST_BAD);
    CHECK_MSG(strstr(error_message(), "at most 16777216 opcodes"), "%s", error_message());
    text_free(&bytes);
    arena_free(&arena);
}
