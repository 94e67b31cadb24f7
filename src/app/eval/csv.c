// A row a case, for spreadsheets; with more than two classes a row for any class and one for each.
#include "app/eval/csv.h"
#include "base/file.h"
#include <math.h>
#include <string.h>

struct CsvFile {
    AtomicFile *file;
    Text row;
};

// RFC 4180. What a spreadsheet would take for a formula gets an apostrophe in front.
static void add_text(Text *row, const char *text) {
    const bool formula = *text && strchr("=+-@", *text);
    if (!formula && !text[strcspn(text, ",\"\r\n")]) {
        text_add(row, "%s", text);
        return;
    }
    text_add(row, formula ? "\"'" : "\"");
    for (; *text; text++) {
        if (*text == '"') text_add(row, "\"");
        text_bytes(row, text, 1);
    }
    text_add(row, "\"");
}
static void add_number(Text *row, double value) {
    text_add(row, ",");
    if (isfinite(value)) text_double(row, value);
}
static void add_row(Text *row, const EvalRecord *record, int figure) {
    const CaseMetrics *m = &record->figures[figure];
    add_text(row, record->name), text_add(row, ",");
    add_text(row, record->patient);
    if (record->n_figures == 1) text_add(row, ",1");
    else if (figure) text_add(row, ",%d", figure);
    else text_add(row, ",any");
    text_add(row, ",%lld,%lld,%lld,%lld", (long long)m->counts.pixels, (long long)m->counts.truth,
             (long long)m->counts.mask, (long long)m->counts.intersection);
    const double values[] = {m->dice,    m->dice_smooth1, m->dice_smooth100, m->dice_soft,   m->iou,
                             m->hd95_px, m->hd95_mm,      m->sensitivity,    m->specificity, record->ms};
    for (size_t i = 0; i < COUNT_OF(values); i++) add_number(row, values[i]);
    text_add(row, "\n");
}
Status csv_open(const char *path, CsvFile **out) {
    static const char heading[] = "case,patient,class,pixels,truth_px,mask_px,intersection_px,dice,dice_smooth1,"
                                  "dice_smooth100,dice_soft,iou,hd95_px,hd95_mm,sensitivity,specificity,ms\n";
    CsvFile *csv = mem_zero(1, sizeof *csv);
    *out = NULL;
    if (!csv) return fail_memory(sizeof *csv);
    Status status = atomic_open(path, &csv->file);
    if (status == ST_OK) status = atomic_write(csv->file, heading, sizeof heading - 1);
    if (status == ST_OK) *out = csv;
    else csv_abort(csv);
    return status;
}
Status csv_add(CsvFile *csv, const EvalRecord *record) {
    csv->row.length = 0;
    for (int k = 0; k < record->n_figures; k++) add_row(&csv->row, record, k);
    TRY(text_status(&csv->row));
    return atomic_write(csv->file, csv->row.data, csv->row.length);
}
Status csv_commit(CsvFile *csv) {
    const Status status = atomic_commit(csv->file);
    csv->file = NULL;
    csv_abort(csv);
    return status;
}
void csv_abort(CsvFile *csv) {
    if (!csv) return;
    atomic_abort(csv->file);
    text_free(&csv->row);
    mem_free(csv);
}
