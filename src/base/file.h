// Files, folders, mapping: all that touches the file system is here (POSIX now, Windows later).
// Errors name the path. Paths are UTF-8.
#pragma once
#include "base/memory.h"
#include "base/status.h"
#include <stdint.h>

// Reads a whole file of at most `limit` bytes into fresh memory (mem_free), plus one NUL byte behind it.
Status file_read(const char *path, size_t limit, uint8_t **data, size_t *size);

// A read-only mapping. A file that shrinks meanwhile makes its lost pages fatal to touch (SIGBUS): read them through
// file_guarded or its two helpers below.
typedef struct Mapping {
    const uint8_t *data;
    size_t size;
    void *base;       // what was mapped
    size_t base_size;
} Mapping;
Status file_map(const char *path, Mapping *mapping);
void file_unmap(Mapping *mapping);
// Tells the system that these bytes are not needed any more (they can be read again).
void file_drop_pages(const Mapping *mapping, const void *from, size_t bytes);

// Runs body(context), which may read the mapping; when a page of it can't be had (the file shrank, the disk failed),
// the body is left where it stands and ST_BAD returned ("the file was cut short..."; put the path in front with
// fail_context). So the body must hold no lock and own no memory that only it knows. Counts for this thread only:
// each thread that reads guards itself. Guards don't nest. A SIGBUS elsewhere goes to the handler that was there.
typedef void GuardedBody(void *context);
Status file_guarded(const Mapping *mapping, GuardedBody *body, void *context);
Status file_guarded_copy(void *to, const Mapping *mapping, size_t offset, size_t bytes);      // also checks the range
Status file_guarded_hash(const Mapping *mapping, size_t offset, size_t bytes, uint64_t *hash); // hash64, seed 0

// A file that appears under its name only when it is complete: written beside it, then renamed.
typedef struct AtomicFile AtomicFile;
Status atomic_open(const char *path, AtomicFile **out);
Status atomic_write(AtomicFile *file, const void *bytes, size_t count);
Status atomic_commit(AtomicFile *file); // flushes, renames, frees; on failure removes the temporary
void atomic_abort(AtomicFile *file);    // removes and frees; NULL is fine
Status file_write(const char *path, const void *bytes, size_t count); // the three calls above in one
// Removes temporaries of unfinished atomic files of this process; async-signal-safe, for SIGINT handlers.
void atomic_cleanup(void);

// Adds bytes at the end of a file, which is made when it is not there; in one write, so that lines of several processes
// do not mix.
Status file_append(const char *path, const void *bytes, size_t count);

// Fault injection: the n-th following write, flush or rename (0 = next) fails once as on a full disk. Negative: none.
void file_fail_after(int64_t n);

typedef enum PathKind { PATH_MISSING, PATH_FILE, PATH_FOLDER, PATH_OTHER } PathKind;
PathKind path_kind(const char *path);
int64_t file_size(const char *path); // -1 when it cannot be had
Status folder_make(const char *path); // with parents; fine when it is there
// Names in a folder (no "." and ".."), in natural order; in `arena`.
Status folder_list(const char *path, Arena *arena, char ***names, size_t *count);
char *path_join(Arena *arena, const char *folder, const char *name); // NULL: no memory
const char *path_name(const char *path);                             // behind the last '/'
char *path_folder(Arena *arena, const char *path);                   // before the last '/', or "."
char *path_real(Arena *arena, const char *path);                     // without links; NULL: it is not there
// The user's data folder for stent ($XDG_DATA_HOME/stent or ~/.local/share/stent), or NULL.
char *user_data_folder(Arena *arena);
