// See demo_data.h. CMake lists the files of examples/phantom in demo_files.def, a DEMO_FILE(number, "name below it")
// each; the assembler puts their bytes between two symbols.
#include "app/demo_data.h"
#include "base/file.h"
#include <string.h>

#define DEMO_FILE(number, name)                                                                                        \
    __asm__(".pushsection .rodata\n.balign 16\n"                                                                       \
            ".globl demo_file_" #number "\n.hidden demo_file_" #number "\ndemo_file_" #number ":\n"                    \
            ".incbin \"" name "\"\n"                                                                                   \
            ".globl demo_file_end_" #number "\n.hidden demo_file_end_" #number "\ndemo_file_end_" #number ":\n"        \
            ".byte 0\n.popsection\n");                                                                                 \
    extern const char demo_file_##number[] __attribute__((visibility("hidden")));                                      \
    extern const char demo_file_end_##number[] __attribute__((visibility("hidden")));
#include "demo_files.def"
#undef DEMO_FILE

typedef struct DemoFile {
    const char *name;
    const char *begin, *end;
} DemoFile;
static const DemoFile files[] = {
#define DEMO_FILE(number, name) {name, demo_file_##number, demo_file_end_##number},
#include "demo_files.def"
#undef DEMO_FILE
};

static Status unpack(const char *folder, const DemoFile *file, Arena *arena) {
    const char *path = path_join(arena, folder, file->name), *parent = path ? path_folder(arena, path) : NULL;
    if (!parent) return fail_memory(strlen(folder));
    TRY(folder_make(parent));
    return file_write(path, file->begin, (size_t)(file->end - file->begin));
}
Status demo_data_unpack(const char *folder) {
    Arena arena = {0};
    Status status = ST_OK;
    for (size_t i = 0; i < COUNT_OF(files) && status == ST_OK; i++) status = unpack(folder, &files[i], &arena);
    arena_free(&arena);
    return status;
}
