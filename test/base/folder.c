#include "base/folder.h"
#include "base/file.h"
#include "base/hash.h"
#include <unistd.h>

typedef void VisitFile(const char *path, const char *below, void *context);
static void visit(const char *folder, const char *below, VisitFile *visit_file, void *context) {
    Arena arena = {0};
    char **names;
    size_t count = 0;
    if (path_kind(folder) == PATH_FOLDER) CHECK_OK(folder_list(folder, &arena, &names, &count));
    for (size_t i = 0; i < count; i++) {
        const char *path = path_join(&arena, folder, names[i]);
        char next[512];
        snprintf(next, sizeof next, "%s%s/", below, names[i]);
        if (path_kind(path) == PATH_FOLDER) visit(path, next, visit_file, context);
        else visit_file(path, below, context);
    }
    arena_free(&arena);
}

// The values of a key are taken out.
static void drop_values(char *text, const char *key) {
    for (char *at = text; (at = strstr(at, key)) != NULL;) {
        at += strlen(key);
        const size_t length = strcspn(at, ",}");
        memmove(at, at + length, strlen(at + length) + 1);
    }
}
static void add_text(const char *path, const char *below, void *list) {
    uint8_t *bytes;
    size_t size;
    char hex[65];
    CHECK_OK(file_read(path, 1 << 26, &bytes, &size));
    if (text_starts(path_name(path), "results") && text_ends(path, ".json")) {
        drop_values((char *)bytes, "\"ms\":");
        drop_values((char *)bytes, "\"plan_hash\":"); // where tuning came before, times decide
        size = strlen((char *)bytes);
    }
    sha256_hex(bytes, size, hex);
    text_add(list, "%s%s %s\n", below, path_name(path), hex);
    mem_free(bytes);
}
void folder_text(const char *folder, const char *below, Text *list) { visit(folder, below, add_text, list); }

size_t folder_count(const char *folder) {
    Arena arena = {0};
    char **names;
    size_t count = 0;
    CHECK_OK(folder_list(folder, &arena, &names, &count));
    arena_free(&arena);
    return count;
}

typedef struct Endings {
    const char *ending;
    size_t count;
} Endings;
static void count_ending(const char *path, const char *below, void *context) {
    Endings *endings = context;
    (void)below;
    endings->count += text_ends(path, endings->ending);
}
size_t folder_endings(const char *folder, const char *ending) {
    Endings endings = {ending, 0};
    visit(folder, "", count_ending, &endings);
    return endings.count;
}

void folder_empty(const char *folder) {
    Arena arena = {0};
    char **names;
    size_t count = 0;
    if (path_kind(folder) == PATH_FOLDER) CHECK_OK(folder_list(folder, &arena, &names, &count));
    for (size_t i = 0; i < count; i++) {
        const char *path = path_join(&arena, folder, names[i]);
        const bool is_folder = path_kind(path) == PATH_FOLDER;
        if (is_folder) folder_empty(path);
        CHECK_INT(is_folder ? rmdir(path) : unlink(path), 0);
    }
    arena_free(&arena);
}
