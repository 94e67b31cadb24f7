// tools/sbom: a valid document (SPDX 2.3) whose files, packages and relationships are those of the folder.
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "test.h"

static const char *in_folder(const char *folder, const char *name) {
    static Arena kept; // as long as the test
    const char *path = path_join(&kept, folder, name);
    REQUIRE(path);
    return path;
}
static const char *string(const Json *object, const char *key) {
    const Json *value = json_get(object, key);
    return value && value->type == JSON_STRING ? value->string : "(none)";
}
static const Json *list(const Json *object, const char *key, size_t count) {
    const Json *value = json_get(object, key);
    REQUIRE(value && value->type == JSON_ARRAY);
    CHECK_INT(value->count, count);
    REQUIRE(value->count == count);
    return value;
}
static const Json *find(const Json *array, const char *key, const char *text) {
    for (size_t i = 0; i < array->count; i++)
        if (!strcmp(string(&array->items[i], key), text)) return &array->items[i];
    test_failed(__FILE__, __LINE__, "nothing has %s '%s'", key, text);
    test_end();
}
static void write_file(const char *folder, const char *name, const char *text) {
    CHECK_OK(file_write(in_folder(folder, name), text, strlen(text)));
}
static bool has_relationship(const Json *array, const char *from, const char *type, const char *to) {
    for (size_t i = 0; i < array->count; i++)
        if (!strcmp(string(&array->items[i], "spdxElementId"), from) &&
            !strcmp(string(&array->items[i], "relationshipType"), type) &&
            !strcmp(string(&array->items[i], "relatedSpdxElement"), to))
            return true;
    return false;
}

TEST(sbom_tells_of_files_and_what_is_linked_in) {
    Arena arena = {0};
    Json *document;
    static char out[65536];
    char hash[65], linked[1024];
    const char *folder = test_temp("stent-9.8.7"), *list_path = test_temp("linked");
    CHECK_OK(folder_make(in_folder(folder, "LICENSES")));
    write_file(folder, "stent", "program");
    write_file(folder, "README.txt", "text");
    write_file(folder, "LICENSES/zlib.txt", "licence");
    write_file(folder, "SHA256SUMS", "not in it");
    const char *archive = in_folder(folder, "README.txt"); // stands for what was linked
    snprintf(linked, sizeof linked,
             "zlib\tzlib1g-dev\t1:1.2+b\t1.2\tZlib\t%s\n"
             "musl\tmusl-dev\t1.0-1\t1.0\tMIT\t%s\nmusl\tmusl-dev\t1.0-1\t1.0\tMIT\t%s\n",
             archive, archive, archive);
    CHECK_OK(file_write(list_path, linked, strlen(linked)));
    setenv("SOURCE_DATE_EPOCH", "86400", 1);
    const char *const argv[] = {TEST_SOURCE_ROOT "/tools/sbom", "9.8.7", folder, list_path, NULL};
    REQUIRE(test_run_command(argv, out, sizeof out) == 0);
    CHECK_OK(json_parse(&arena, out, strlen(out), &document));
    CHECK_TEXT(string(document, "spdxVersion"), "SPDX-2.3");
    CHECK_TEXT(string(document, "dataLicense"), "CC0-1.0");
    CHECK_TEXT(string(document, "SPDXID"), "SPDXRef-DOCUMENT");
    CHECK_TEXT(string(json_get(document, "creationInfo"), "created"), "1970-01-02T00:00:00Z");
    sha256_hex("program", 7, hash);
    CHECK_MSG(text_ends(string(document, "documentNamespace"), hash), "a namespace of its own for each program");

    const Json *packages = list(document, "packages", 3), *files = list(document, "files", 3);
    CHECK_TEXT(string(find(packages, "name", "stent"), "versionInfo"), "9.8.7");
    CHECK_TEXT(string(find(packages, "name", "musl"), "licenseDeclared"), "MIT");
    const Json *zlib = find(packages, "name", "zlib");
    CHECK_TEXT(string(zlib, "versionInfo"), "1:1.2+b");
    CHECK(strstr(string(zlib, "summary"), "deflate"));
    CHECK_TEXT(string(&json_get(zlib, "externalRefs")->items[0], "referenceLocator"),
               "pkg:deb/debian/zlib1g-dev@1%3A1.2%2Bb?arch=amd64");
    const Json *program = find(files, "fileName", "./stent");
    CHECK_TEXT(string(find(json_get(program, "checksums"), "algorithm", "SHA256"), "checksumValue"), hash);

    const Json *relationships = list(document, "relationships", 1 + 3 + 2);
    CHECK(has_relationship(relationships, "SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-stent"));
    CHECK(has_relationship(relationships, string(program, "SPDXID"), "STATIC_LINK", string(zlib, "SPDXID")));
    for (size_t i = 0; i < files->count; i++)
        CHECK(has_relationship(relationships, "SPDXRef-stent", "CONTAINS", string(&files->items[i], "SPDXID")));
    arena_free(&arena);
}

// `make sbom`, of the program that is under test, where the package manager tells what it was linked of.
TEST(sbom_of_this_build) {
    Arena arena = {0};
    Json *document;
    uint8_t *bytes;
    size_t size;
    static char out[4096];
    char hash[65];
    const char *program = test_program();
    if (!program) test_skip("the program is not there");
    const char *build = path_folder(&arena, program), *folder = test_temp("build");
    if (path_kind(path_join(&arena, build, "stent.map")) != PATH_FILE) test_skip("the linker wrote no map");
    CHECK_OK(folder_make(folder));
    const char *const copy[] = {"cp", program, path_join(&arena, build, "stent.map"), folder, NULL};
    REQUIRE(test_run_command(copy, out, sizeof out) == 0);
    const char *const argv[] = {TEST_SOURCE_ROOT "/tools/sbom", "--build", folder, NULL};
    const int status = test_run_command(argv, out, sizeof out);
    if (strstr(out, "dpkg-query") || strstr(out, "no package owns"))
        test_skip("this system's packages are not Debian's");
    CHECK_MSG(status == 0, "%s", out);
    CHECK_OK(file_read(path_join(&arena, folder, "sbom/stent.spdx.json"), 1 << 20, &bytes, &size));
    CHECK_OK(json_parse(&arena, (char *)bytes, size, &document));
    mem_free(bytes);
    CHECK_OK(file_read(program, 1 << 28, &bytes, &size));
    sha256_hex(bytes, size, hash);
    mem_free(bytes);
    const Json *of_program = find(json_get(document, "files"), "fileName", "./stent");
    CHECK_TEXT(string(find(json_get(of_program, "checksums"), "algorithm", "SHA256"), "checksumValue"), hash);
    const Json *packages = json_get(document, "packages"), *zlib = find(packages, "name", "zlib");
    CHECK(has_relationship(json_get(document, "relationships"), "SPDXRef-file-stent", "STATIC_LINK",
                           string(zlib, "SPDXID")));
    for (size_t i = 0; i < packages->count; i++)
        for (size_t k = 0; k < i; k++)
            CHECK(strcmp(string(&packages->items[i], "SPDXID"), string(&packages->items[k], "SPDXID")));
    arena_free(&arena);
}
