// machine: what this machine is, and what it can do at most.
#include "app/app.h"
#include "kernel/kernel.h"
#include "measure/peaks.h"
#include "report/table.h"

static void describe(const Machine *machine, int threads, struct stent_result *result) {
    JsonWriter *w = &result->writer;
    Text *text = &result->text;
    result_machine(result, machine, threads);
    text_add(text, "%s\n%d cores, %.1f GB of memory, caches: %zu KB and %zu KB a core, %zu KB shared\n", machine->cpu,
             machine->cores, (double)machine->memory / 1e9, machine->l1d >> 10, machine->l2 >> 10, machine->l3 >> 10);
    text_add(text, "instruction sets: %s is used\n", isa_name(machine->isa));
    for (int isa = 0; isa < ISA_COUNT; isa++) tell_level(machine, (Isa)isa, text);
    result_levels(result, machine);
    const bool bf16 = machine->best >= ISA_AVX512 && machine_has(machine, FEATURE_AVX512_BF16);
    json_key(w, "isas"), json_begin_object(w);
    for (int isa = 0; isa < ISA_COUNT; isa++)
        json_key(w, isa_name((Isa)isa)), json_bool(w, kernels_for((Isa)isa) != NULL);
    json_end_object(w);
    json_key(w, "best_isa"), json_string(w, isa_name(machine->best));
    json_key(w, "amx"), json_bool(w, machine->best >= ISA_AMX);
    json_key(w, "avx512_bf16"), json_bool(w, bf16);
    json_key(w, "fma"), json_bool(w, machine->best >= ISA_AVX2);
    json_key(w, "vector_bytes"), json_integer(w, machine->vector_bytes);
    json_key(w, "cores"), json_integer(w, machine->cores);
    json_key(w, "cpus_allowed"), json_integer(w, cpus_allowed());
    json_key(w, "l1d_bytes"), json_integer(w, (int64_t)machine->l1d);
    json_key(w, "l2_bytes"), json_integer(w, (int64_t)machine->l2);
    json_key(w, "l3_bytes"), json_integer(w, (int64_t)machine->l3);
    json_key(w, "memory_bytes"), json_integer(w, (int64_t)machine->memory);
}

static Status measure_isa(Isa isa, Pool *one, Pool *all, JsonWriter *w, Table *table) {
    double single, together;
    TRY(measure_peak(kernels_for(isa), one, &single));
    TRY(measure_peak(kernels_for(isa), all, &together));
    json_begin_object(w);
    json_key(w, "isa"), json_string(w, isa_name(isa));
    json_key(w, "gflops_one_thread"), json_number(w, single);
    json_key(w, "gflops"), json_number(w, together);
    json_end_object(w);
    table_cell(table, "%s", isa_name(isa));
    table_cell(table, "%.1f", single);
    table_cell(table, "%.1f", together);
    return ST_OK;
}
static Status measure_all(const Machine *machine, const stent_options *options, Pool *one, Pool *all, JsonWriter *w,
                          Table *table) {
    json_key(w, "peaks"), json_begin_array(w);
    Status status = ST_OK;
    for (int isa = 0; isa <= (int)machine->best && status == ST_OK; isa++) {
        if (kernels_for((Isa)isa)) status = measure_isa((Isa)isa, one, all, w, table);
        if (status == ST_OK) status = report_progress(options, "measuring", isa + 1, ISA_COUNT + 1);
    }
    json_end_array(w);
    return status;
}
static void tell_bandwidth(const Peaks *peaks, struct stent_result *result) {
    static const char *const names[] = {"l2_gbytes", "l3_gbytes"};
    for (int i = 0; i < 2; i++)
        if (peaks->cache_bytes[i]) {
            json_key(&result->writer, names[i]), json_number(&result->writer, peaks->cache_gbytes[i]);
            text_add(&result->text, "cache of level %d: %.1f GB/s, ", 2 + i, peaks->cache_gbytes[i]);
        }
    json_key(&result->writer, "memory_gbytes"), json_number(&result->writer, peaks->memory_gbytes);
    text_add(&result->text, "memory: %.1f GB/s (out = a + b, 12 bytes an element)\n", peaks->memory_gbytes);
}
static Status measure(const Machine *machine, const stent_options *options, int threads, struct stent_result *result) {
    Pool *one = NULL, *all = NULL;
    Table table;
    Peaks peaks;
    char heading[64];
    snprintf(heading, sizeof heading, "%d threads >", threads);
    table_begin(&table, "GFLOP/s <", "1 thread >", heading, NULL);
    Status status = pool_create(1, &one);
    if (status == ST_OK) status = pool_create(threads, &all);
    if (status == ST_OK) status = measure_all(machine, options, one, all, &result->writer, &table);
    if (status == ST_OK) status = measure_peaks(machine, all, &peaks);
    const Status printed = table_end(&table, &result->text);
    if (status == ST_OK) status = printed;
    if (status == ST_OK) tell_bandwidth(&peaks, result);
    pool_destroy(one);
    pool_destroy(all);
    return status;
}

static Status tell_machine(bool wants_measure, const stent_options *options, struct stent_result *result) {
    Machine machine;
    int threads;
    TRY(machine_detect(&machine));
    TRY(choose_threads(options, &machine, &threads));
    describe(&machine, threads, result);
    return wants_measure ? measure(&machine, options, threads, result) : ST_OK;
}
stent_status stent_machine(bool wants_measure, const stent_options *given, stent_result **out) {
    stent_options options = *common_options(NULL);
    struct stent_result *result = NULL;
    error_clear();
    if (out) *out = NULL;
    Status status = options_take(given, sizeof options, &options);
    if (status == ST_OK) status = result_begin("machine", NULL, &options, &result);
    if (status == ST_OK) status = result_finish(result, tell_machine(wants_measure, &options, result), out);
    return (stent_status)status;
}
