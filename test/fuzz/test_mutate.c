// Changed files, fed to the program (hostile.h): each right file cut at random places and with 1, 8 and 200 random
// bytes changed. `make check` runs a few of the changes, `make check-long` all of them; the same ones every time. To
// see the numbers: stent-test --no-fork fuzz/mutate.
#include "app/plan_store.h"
#include "base/rng.h"
#include "fuzz/hostile.h"
#include "fuzz/seeds.h"
#include "import/onnx_writer.h"
#include "package/make_package.h"

enum { LEAST = 3, ALL = 100 }; // changes of each kind

// ---- the changes

typedef struct Base { // a right file, and how the program is called with it
    const char *name;
    const uint8_t *bytes;
    size_t size;
    const char *file; // where the changed one is written
    const char *const *words;
} Base;

static void change_and_run(const Base *base, int changes, Rng *rng, Tally *tally) { // 0: cut
    char name[256];
    uint8_t *copy = malloc(base->size + 1);
    REQUIRE(copy && base->size);
    memcpy(copy, base->bytes, base->size);
    const size_t size = changes ? base->size : rng_below(rng, base->size);
    for (int i = 0; i < changes; i++) copy[rng_below(rng, size)] = (uint8_t)rng_next(rng);
    write_whole(base->file, copy, size);
    free(copy);
    snprintf(name, sizeof name, "%s-%d-%d", base->name, changes, tally->runs);
    run_hostile(base->words, base->file, name, tally);
}

static void change_all(const Base *base, Tally *tally) {
    static const int changes[] = {0, 1, 8, 200};
    Rng rng;
    rng_seed(&rng, base->size);
    for (size_t kind = 0; kind < COUNT_OF(changes); kind++)
        for (int i = 0; i < (test_long() ? ALL : LEAST); i++) change_and_run(base, changes[kind], &rng, tally);
}

// All seeds of one target. FILE in `words` is where the changed file lies.
static void change_seeds(const char *target, const char *file, const char *const *words) {
    Arena arena = {0};
    Seed *seeds;
    size_t count;
    Tally tally = {0};
    make_seeds(&arena, &seeds, &count);
    for (size_t i = 0; i < count; i++) { // as they are: some of them must be what the words ask for
        if (strcmp(seeds[i].target, target)) continue;
        write_whole(file, seeds[i].bytes, seeds[i].size);
        run_hostile(words, file, seeds[i].name, &tally);
    }
    CHECK_MSG(tally.by_status[0] > 0, "no %s that is right was taken", target);
    for (size_t i = 0; i < count; i++)
        if (!strcmp(seeds[i].target, target))
            change_all(&(Base){seeds[i].name, seeds[i].bytes, seeds[i].size, file, words}, &tally);
    tell_tally(target, &tally);
    arena_free(&arena);
}

// ---- the readers

TEST(changed_models) {
    const char *file = test_temp("changed.onnx"), *package = test_temp("out.stent");
    static const uint8_t weights[4096];
    write_whole(test_temp("weights.bin"), weights, sizeof weights);
    change_seeds("onnx", file, (const char *[]){hostile_program(), "compile", file, "-o", package, "-q", NULL});
}

TEST(changed_packages) {
    const char *file = test_temp("changed.stent");
    change_seeds(
        "package", file,
        (const char *[]){hostile_program(), "bench", file, "--repeat", "1", "--max-memory", "500M", "-q", NULL});
}

// A network that takes any grey picture.
static const char *any_picture(void) {
    OnnxFile file = onnx_file(13);
    onnx_input(&file, "x", FLOAT32, "1,1,H,W");
    onnx_filled(&file, "w", "1,1,3,3", 9, 0.01f);
    onnx_node(&file, "Conv", "x w", "y", "pads=[1,1,1,1]");
    onnx_output(&file, "y");
    const char *model = onnx_save(&file, "any.onnx"), *package = test_temp("any.stent");
    make_with_program((const char *[]){"stent", "compile", model, "-o", package, NULL});
    return package;
}

TEST(changed_tiffs) {
    const char *package = any_picture(), *file = test_temp("changed.tif"), *out = test_temp("masks");
    change_seeds("tiff", file, (const char *[]){hostile_program(), "segment", package, file, "-o", out, "-q", NULL});
}
TEST(changed_pngs) {
    const char *package = any_picture(), *file = test_temp("changed.png"), *out = test_temp("masks");
    change_seeds("png", file, (const char *[]){hostile_program(), "segment", package, file, "-o", out, "-q", NULL});
}

// A network with one input, as a seed has it.
static const char *tensor_network(int element, const char *dims) {
    OnnxFile file = onnx_file(13);
    onnx_input(&file, "x", element, dims);
    onnx_node(&file, "Cast", "x", "y", "to=1");
    onnx_output(&file, "y");
    const char *model = onnx_save(&file, "cast.onnx"), *package = test_temp("cast.stent");
    make_with_program((const char *[]){"stent", "compile", model, "-o", package, NULL});
    return package;
}
TEST(changed_npys) {
    const char *package = tensor_network(FLOAT32, "2,1,3"), *file = test_temp("changed.npy"), *out = test_temp("y.npy");
    change_seeds("npy", file,
                 (const char *[]){hostile_program(), "run", package, "--input", file, "--output", out, "-q", NULL});
}
TEST(changed_npzs) {
    const char *package = tensor_network(UINT8, "8,8"), *file = test_temp("changed.npz"), *out = test_temp("y.npy");
    change_seeds("npz", file,
                 (const char *[]){hostile_program(), "run", package, "--input", file, "--output", out, "-q", NULL});
}

TEST(changed_pipelines) {
    const char *file = test_temp("changed.json"), *out = test_temp("out.stent");
    OnnxFile onnx = onnx_file(13);
    onnx_input(&onnx, "x", FLOAT32, "1,3,256,200");
    onnx_node(&onnx, "Relu", "x", "y", "");
    onnx_output(&onnx, "y");
    const char *model = onnx_save(&onnx, "three.onnx");
    change_seeds("pipeline", file,
                 (const char *[]){hostile_program(), "compile", model, "--pipeline", file, "-o", out, "-q", NULL});
}

TEST(changed_profiles) {
    const char *package = tensor_network(FLOAT32, "2,1,3"), *file = test_temp("changed.json");
    change_seeds(
        "profile", file,
        (const char *[]){hostile_program(), "profile", package, "--repeat", "1", "--versus", file, "-q", NULL});
}

TEST(changed_results) {
    const char *package = any_picture(), *out = test_temp("masks"), *file = test_temp("masks/results.json");
    const char *picture = test_temp("a.png");
    Arena arena = {0};
    Seed *seeds;
    size_t count;
    make_seeds(&arena, &seeds, &count);
    for (size_t i = 0; i < count; i++)
        if (!strcmp(seeds[i].name, "grey16.png")) write_whole(picture, seeds[i].bytes, seeds[i].size);
    CHECK_OK(folder_make(out));
    arena_free(&arena);
    change_seeds("results", file,
                 (const char *[]){hostile_program(), "segment", package, picture, "-o", out, "-q", "--resume", NULL});
}

// The plan of a package in the user's data folder: whatever is in it, the package opens.
TEST(changed_plans) {
    const char *package = any_picture();
    Arena arena = {0};
    Opened opened;
    StoredPlan stored = {.n_layers = 0};
    const char *path, *words[] = {hostile_program(), "bench", package, "--input", "1x1x16x20", "--threads", "2",
                                  "--repeat",        "1",     "-q",    NULL};
    const stent_options options = {.size = sizeof options, .threads = 2, .inputs = (const char *[]){"1x1x16x20", NULL}};
    Tally tally = {0};
    bool dropped;
    size_t size;
    setenv("XDG_DATA_HOME", test_temp("data"), 1);
    REQUIRE(open_package(package, &options, 0, &opened) == ST_OK);
    CHECK_OK(stored_plan_put(&stored, executable_plan(opened.executable), &arena, &dropped));
    REQUIRE(plan_store_write(&opened, &stored, &path) == ST_OK);
    uint8_t *bytes = read_whole(path, &size);
    change_all(&(Base){"plan", bytes, size, path, words}, &tally);
    CHECK_INT(tally.by_status[0], tally.runs);
    tell_tally("plan", &tally);
    mem_free(bytes);
    close_package(&opened);
    arena_free(&arena);
}

TEST(changed_wisdom) {
    const char *file = test_temp("changed.wisdom"), *out = test_temp("all.wisdom");
    change_seeds("wisdom", file,
                 (const char *[]){hostile_program(), "wisdom", "merge", file, "-q", "--wisdom", out, NULL});
}

// ---- files by others

static void change_shared(const char *const *names, size_t count, const char *verb) {
    const char *file = test_temp("changed.bin"), *out = test_temp("out.stent");
    const char *const info[] = {hostile_program(), "info", file, "-q", NULL};
    const char *const compile[] = {hostile_program(), "compile", file, "-o", out, "-q", NULL};
    Tally tally = {0};
    for (size_t i = 0; i < count; i++) {
        const char *path = test_data(names[i]);
        size_t size;
        if (!path) test_skip("the files by others are not here");
        uint8_t *bytes = read_whole(path, &size);
        const Base base = {path_name(path), bytes, size, file, strcmp(verb, "info") ? compile : info};
        write_whole(file, bytes, size);
        run_hostile(base.words, file, base.name, &tally); // as it is
        change_all(&base, &tally);
        mem_free(bytes);
    }
    tell_tally(verb, &tally);
}

TEST(changed_files_of_other_formats) {
    static const char *const names[] = {"models/damaged/lfs-pointer.hdf5",
                                        "models/damaged/lfs-pointer.tif",
                                        "models/damaged/text-filtered.h5",
                                        "models/coreml/tiramisu45.mlmodel",
                                        "models/lgg/seed-keras-w16.savedmodel/saved_model.pb",
                                        "models/pytorch/brats-flair-unet-nobn.state_dict.pth",
                                        "models/pytorch/drive-retina-unet-5x5.state_dict.pt",
                                        "models/tensorflow/brain-t1c-120-savedmodel/saved_model.pb"};
    change_shared(names, COUNT_OF(names), "compile");
}

// Their self-checks take many seconds with sanitizers, so they are read, optimised and planned, and not run.
TEST(changed_large_models) {
    static const char *const names[] = {"models/onnx/cervix-unet-224.onnx", "models/lgg/seed-keras-w16.onnx",
                                        "models/lgg/seed-torch-w32.onnx",   "models/keras/brats-unet-128.h5",
                                        "models/lgg/seed-keras-w16.keras",  "models/lgg/seed-keras-w16.tflite",
                                        "models/lgg/seed-torch-w32.pt2",    "models/lgg/seed-torch-w32.torchscript.pt"};
    change_shared(names, COUNT_OF(names), "info");
}

// Packages of the large models, made once; opened with all but the run.
TEST(changed_large_packages) {
    const char *file = test_temp("changed.stent"), *whole = test_temp("whole.stent");
    const char *model = test_data("models/onnx/cervix-unet-224.onnx");
    if (!model) test_skip("the models by others are not here");
    const char *fast = test_program();
    make_with_program((const char *[]){fast, "compile", model, "-o", whole, "-q", "--max-memory", "1M", NULL});
    Tally tally = {0};
    size_t size;
    uint8_t *bytes = read_whole(whole, &size);
    const char *const words[] = {hostile_program(), "info", file, "-q", NULL};
    change_all(&(Base){"cervix.stent", bytes, size, file, words}, &tally);
    mem_free(bytes);
    tell_tally("large package", &tally);
}
