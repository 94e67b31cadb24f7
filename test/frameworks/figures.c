// src/metric as a program, for test_metrics.py: figures of masks that lie in .npy files.
//
//   stent-figures FOLDER CLASS
//
// FOLDER holds mask.npy and truth.npy (uint8, cases x depth x height x width) and, where they are there,
// probability.npy (float32, likewise), spacing.npy (float64: x, y, z) and patient.npy (int64, a number below the number
// of cases for each case; else each case is a patient). CLASS -1: all that is not 0. One JSON object on stdout:
// "cases", the figures of each; "study", those of all; "intervals" (2000 draws, seed 1).
#include "base/file.h"
#include "base/json.h"
#include "metric/metric.h"
#include "tensor/npy.h"
#include <stdio.h>
#include <stdlib.h>

typedef struct Study {
    Arena arena;
    Tensor mask, truth, probability, spacing, patient; // data NULL: not there
    int class;
    PatientSum *sums;
} Study;

static Status read_array(Study *study, const char *folder, const char *name, DType dtype, bool needed, Tensor *out) {
    const char *path = path_join(&study->arena, folder, name);
    if (!path) return fail_memory(0);
    if (!needed && path_kind(path) != PATH_FILE) return ST_OK;
    TRY(npy_read(&study->arena, path, out));
    FAIL_IF(out->dtype != dtype, ST_BAD, "%s: expected %s, got %s", path, dtype_name(dtype), dtype_name(out->dtype));
    return ST_OK;
}

static Status read_all(Study *study, const char *folder) {
    TRY(read_array(study, folder, "mask.npy", DT_U8, true, &study->mask));
    TRY(read_array(study, folder, "truth.npy", DT_U8, true, &study->truth));
    TRY(read_array(study, folder, "probability.npy", DT_F32, false, &study->probability));
    TRY(read_array(study, folder, "spacing.npy", DT_F64, false, &study->spacing));
    TRY(read_array(study, folder, "patient.npy", DT_I64, false, &study->patient));
    const int64_t cases = study->mask.shape.dim[0];
    const Tensor *p = &study->probability;
    FAIL_IF(study->mask.shape.rank != 4 || !shape_equal(&study->mask.shape, &study->truth.shape) ||
                (p->data && !shape_equal(&p->shape, &study->mask.shape)) ||
                (study->spacing.data && tensor_count(&study->spacing) != 3) ||
                (study->patient.data && tensor_count(&study->patient) != cases),
            ST_BAD, "%s: shapes do not go together", folder);
    study->sums = arena_array(&study->arena, (size_t)cases, sizeof *study->sums);
    return study->sums ? ST_OK : fail_memory(0);
}

static void print_case(JsonWriter *w, const CaseMetrics *metrics) {
    json_begin_object(w);
#define PRINT(name) json_number_at(w, #name, metrics->name);
    CASE_FIGURES(PRINT)
#undef PRINT
    json_end_object(w);
}

static Status measure_case(Study *study, int64_t i, CaseMetrics *out) {
    const int64_t *dim = study->mask.shape.dim, pixels = dim[1] * dim[2] * dim[3];
    const float *probability = study->probability.data;
    const CaseInput input = {.mask = (const uint8_t *)study->mask.data + i * pixels,
                             .truth = (const uint8_t *)study->truth.data + i * pixels,
                             .probability = probability ? probability + i * pixels : NULL,
                             .depth = dim[1],
                             .height = dim[2],
                             .width = dim[3],
                             .class = study->class,
                             .spacing = study->spacing.data};
    return case_metrics(&input, out);
}

static Status print_cases(Study *study, JsonWriter *w, size_t *patients) {
    const int64_t *patient = study->patient.data, cases = study->mask.shape.dim[0];
    json_key(w, "cases"), json_begin_array(w);
    for (int64_t i = 0; i < cases; i++) {
        CaseMetrics metrics;
        TRY(measure_case(study, i, &metrics));
        const int64_t owner = patient ? patient[i] : i;
        FAIL_IF(owner < 0 || owner >= cases, ST_BAD, "patient.npy: expected numbers below %lld", (long long)cases);
        patient_sum_add(&study->sums[owner], &metrics);
        *patients = MAX(*patients, (size_t)owner + 1);
        print_case(w, &metrics);
    }
    json_end_array(w);
    return ST_OK;
}

static Status print_study(Study *study, JsonWriter *w) {
    size_t patients = 0, count;
    const MetricConvention *conventions = metric_conventions(&count);
    json_begin_object(w);
    TRY(print_cases(study, w, &patients));
    json_key(w, "study"), json_begin_object(w);
    for (size_t k = 0; k < count; k++)
        json_number_at(w, conventions[k].key, metric_value(study->sums, patients, (MetricKey)k));
    json_end_object(w);
    json_key(w, "intervals"), json_begin_object(w);
    for (size_t k = 0; k < count; k++) {
        double interval[2];
        TRY(bootstrap_interval(study->sums, patients, (MetricKey)k, 2000, 1, interval));
        json_key(w, conventions[k].key), json_begin_array(w);
        json_number(w, interval[0]), json_number(w, interval[1]);
        json_end_array(w);
    }
    json_end_object(w), json_end_object(w);
    return ST_OK;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fputs("usage: stent-figures FOLDER CLASS\n", stderr);
        return 2;
    }
    Study study = {.class = atoi(argv[2])};
    Text text = {0};
    JsonWriter writer = {.text = &text};
    Status status = read_all(&study, argv[1]);
    if (status == ST_OK) status = print_study(&study, &writer);
    if (status == ST_OK) status = text_status(&text);
    if (status == ST_OK) puts(text_get(&text));
    else fprintf(stderr, "stent-figures: %s\n", error_message());
    text_free(&text);
    arena_free(&study.arena);
    return status;
}
