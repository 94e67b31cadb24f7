// --log tells what was done to what by hashes. A folder and a file with a patient's name leave no trace in it.
#include "app/pictures.h"
#include "base/hash.h"
#include "base/json.h"

#define PATIENT "MUELLER_ANNA_1961"

static const char *text_of(const char *path) {
    uint8_t *bytes;
    size_t size;
    static Arena kept; // as long as the test
    CHECK_OK(file_read(path, 1 << 20, &bytes, &size));
    const char *copy = arena_string_n(&kept, (const char *)bytes, size);
    mem_free(bytes);
    REQUIRE(copy);
    return copy;
}
static void hash_file(const char *path, char hash[65]) {
    uint8_t *bytes;
    size_t size;
    CHECK_OK(file_read(path, 1 << 20, &bytes, &size));
    sha256_hex(bytes, size, hash);
    mem_free(bytes);
}
// The lines of a log, each an object.
static size_t read_log(const char *path, Arena *arena, Json *lines[8]) {
    size_t count = 0;
    for (const char *at = text_of(path); *at && count < 8; at += strcspn(at, "\n") + 1)
        CHECK_OK(json_parse(arena, at, strcspn(at, "\n"), &lines[count++]));
    return count;
}
static const char *member(const Json *object, const char *key) {
    const Json *value = json_get(object, key);
    return value && value->type == JSON_STRING ? value->string : "(none)";
}
// A good and a cut picture in a folder of that name; the package too lies there.
static const char *patients_folder(void) {
    const char *folder = test_temp(PATIENT);
    CHECK_OK(folder_make(folder));
    write_square(in_folder(folder, PATIENT ".png"), 16, 10, 4, 8);
    CHECK_OK(file_write(in_folder(folder, PATIENT "-cut.png"), "\x89PNG\r\n\x1a\n cut", 12));
    return folder;
}
static stent_segment_options with_log(const char *log, bool paths) {
    stent_segment_options options = STENT_OPTIONS(stent_segment_options);
    options.output = test_temp("masks"), options.threshold = -1;
    options.common.log_file = log, options.common.log_paths = paths;
    return options;
}

TEST(log_has_hashes_and_no_names) {
    Arena arena = {0};
    Json *lines[8];
    char picture[65], mask[65];
    const char *folder = patients_folder(), *log = test_temp("log"), *const paths[] = {folder};
    const char *package = compile_to(PATIENT "/" PATIENT ".stent", identity_net("x.onnx", "1,1,16,16"), NULL);
    stent_segment_options options = with_log(log, false);
    CHECK_INT(stent_segment(package, paths, 1, &options, NULL), STENT_BAD);
    CHECK_MSG(!strstr(text_of(log), "MUELLER"), "%s", text_of(log));
    hash_file(in_folder(folder, PATIENT ".png"), picture);
    hash_file(in_folder(options.output, PATIENT ".png"), mask);
    REQUIRE(read_log(log, &arena, lines) == 3);
    const Json *good = strcmp(member(lines[0], "picture"), picture) ? lines[1] : lines[0];
    const Json *bad = good == lines[0] ? lines[1] : lines[0];
    CHECK_TEXT(member(good, "picture"), picture);
    CHECK_TEXT(member(good, "mask"), mask);
    CHECK_TEXT(member(good, "status"), "ok");
    CHECK_INT(strlen(member(good, "content_hash")), 64);
    CHECK_TEXT(member(bad, "status"), "bad");
    CHECK_TEXT(member(bad, "mask"), "(none)");
    CHECK_INT(strlen(member(bad, "picture")), 64);
    CHECK_TEXT(member(lines[2], "status"), "bad");
    CHECK_INT(json_get(lines[2], "failed")->number, 1);
    // Once more, with --resume: what was done is said to be so.
    options.resume = true;
    CHECK_INT(stent_segment(package, paths, 1, &options, NULL), STENT_BAD);
    CHECK(strstr(text_of(log), "\"skipped\": true") && !strstr(text_of(log), "MUELLER"));
    arena_free(&arena);
}
TEST(log_has_no_names_when_nothing_can_be_opened) {
    const char *folder = patients_folder(), *log = test_temp("log"), *const paths[] = {folder};
    const char *cut = in_folder(folder, PATIENT "-cut.png"), *missing = in_folder(folder, PATIENT "/none");
    stent_segment_options segment = with_log(log, false);
    stent_compile_options compile = STENT_OPTIONS(stent_compile_options);
    stent_verify_options verify = STENT_OPTIONS(stent_verify_options);
    stent_run_options run = STENT_OPTIONS(stent_run_options);
    compile.common.log_file = verify.common.log_file = run.common.log_file = log;
    run.inputs = (const char *const[]){cut, NULL}, run.output = missing;
    CHECK_INT(stent_segment(cut, paths, 1, &segment, NULL), STENT_BAD);
    CHECK_INT(stent_segment(missing, paths, 1, &segment, NULL), STENT_BAD);
    CHECK_INT(stent_compile(cut, missing, &compile, NULL), STENT_BAD);
    CHECK_INT(stent_verify(cut, &verify, NULL), STENT_BAD);
    CHECK_INT(stent_run_files(cut, &run, NULL), STENT_BAD);
    compile.common.size = sizeof compile.common;
    CHECK_INT(stent_info(cut, &compile.common, NULL), STENT_BAD);
    Arena arena = {0};
    Json *lines[8];
    CHECK_INT(read_log(log, &arena, lines), 6);
    CHECK_MSG(!strstr(text_of(log), "MUELLER"), "%s", text_of(log));
    for (int i = 0; i < 6; i++) CHECK_TEXT(member(lines[i], "status"), "bad");
    arena_free(&arena);
}
TEST(log_paths_adds_names_and_messages) {
    Arena arena = {0};
    Json *lines[8];
    const char *folder = patients_folder(), *log = test_temp("log"), *const paths[] = {folder};
    const char *package = compile_to("x.stent", identity_net("x.onnx", "1,1,16,16"), NULL);
    stent_segment_options options = with_log(log, true);
    CHECK_INT(stent_segment(package, paths, 1, &options, NULL), STENT_BAD);
    REQUIRE(read_log(log, &arena, lines) == 3);
    for (int i = 0; i < 2; i++) CHECK(strstr(member(lines[i], "path"), PATIENT));
    const Json *bad = strcmp(member(lines[0], "status"), "bad") ? lines[1] : lines[0];
    CHECK(strstr(member(bad, "message"), "-cut.png"));
    CHECK_TEXT(member(lines[2], "path"), package);
    arena_free(&arena);
}
