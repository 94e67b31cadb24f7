#include "report/table.h"
#include "test.h"

TEST(columns_are_aligned) {
    Table table;
    Text text = {0};
    table_begin(&table, "name <", "ms >", NULL);
    table_cell(&table, "%s", "conv1");
    table_cell(&table, "%.2f", 3.5);
    table_cell(&table, "%s", "a longer name");
    table_cell(&table, "%.2f", 1234.5);
    CHECK_OK(table_end(&table, &text));
    CHECK_TEXT(text_get(&text), "name                ms\n"
                                "conv1             3.50\n"
                                "a longer name  1234.50\n");
    text_free(&text);
}
TEST(characters_count_not_bytes) {
    Table table;
    Text text = {0};
    table_begin(&table, "a <", "b <", NULL);
    table_cell(&table, "\u00e4\u00f6"), table_cell(&table, "x");
    table_cell(&table, "ab"), table_cell(&table, "y");
    CHECK_OK(table_end(&table, &text));
    CHECK_TEXT(text_get(&text), "a   b\n\u00e4\u00f6  x\nab  y\n");
    text_free(&text);
}
TEST(control_characters_are_shown) {
    Table table;
    Text text = {0};
    table_begin(&table, "a <", NULL);
    table_cell(&table, "%s", "x\033[2Jy\nz");
    CHECK_OK(table_end(&table, &text));
    CHECK_TEXT(text_get(&text), "a\nx\\x1b[2Jy\\x0az\n");
    text_free(&text);
}
TEST(unfinished_row_is_filled) {
    Table table;
    Text text = {0};
    table_begin(&table, "a <", "b >", NULL);
    table_cell(&table, "1");
    CHECK_OK(table_end(&table, &text));
    CHECK_TEXT(text_get(&text), "a  b\n1\n");
    text_free(&text);
}
TEST(many_rows) {
    Table table;
    Text text = {0};
    int lines = 0;
    table_begin(&table, "i >", "square >", NULL);
    for (int i = 0; i < 500; i++) table_cell(&table, "%d", i), table_cell(&table, "%d", i * i);
    CHECK_OK(table_end(&table, &text));
    for (const char *at = text_get(&text); *at; at++) lines += *at == '\n';
    CHECK_INT(lines, 501);
    CHECK(strstr(text_get(&text), "\n499  249001\n"));
    text_free(&text);
}
// Whichever allocation fails: a status, no leak (the sanitizers see it), nothing written half.
TEST(no_memory) {
    for (int n = 0; n < 12; n++) {
        Table table;
        Text text = {0};
        mem_fail_after(n);
        table_begin(&table, "a <", "b >", NULL);
        for (int i = 0; i < 100; i++) table_cell(&table, "%d", i);
        Status status = table_end(&table, &text);
        mem_fail_after(-1);
        CHECK(status == ST_OK || status == ST_RESOURCE);
        if (n == 0) CHECK_INT(status, ST_RESOURCE);
        text_free(&text);
    }
}
