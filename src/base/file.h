// Files, folders, mapping: all that touches the file system is here (POSIX now, Windows later).
// Errors name the path. Paths are UTF-8.
#pragma once
#include "base/memory.h"
#include "base/status.h"
#include <stdint.h>

// Reads a whole file of at most `limit` bytes into fresh memory (mem_free), plus one NUL byte behind it. What is no plain
// file (a folder, a pipe, a device) is ST_BAD, here and for file_map: reading it might never end.
Status file_read(const char *path, size_t limit, uint8_t **data, size_t *size);

// A read-only mapping of a plain file. A file that shrinks meanwhile, or a disk that fails, is no signal: the lost bytes
// read as zeros, on any thread, and file_intact tells. So bytes are read first, and believed once the file is intact.
typedef struct MappedFile MappedFile;
typedef struct Mapping {
    const uint8_t *data;
    size_t size;
    MappedFile *file; // NULL: not mapped
} Mapping;
Status file_map(const char *path, Mapping *mapping);
void file_unmap(Mapping *mapping);
// `status` is what came of reading the mapping: it is given back where the file is as it was when it was mapped; else
// ST_BAD, in place of whatever came of it ("PATH: the file was cut short..."). A file that was replaced by another of
// its name counts as intact: the mapped one is still whole.
Status file_intact(const Mapping *mapping, Status status);
// `path` is the mapped file, by whatever name or link.
bool file_is_mapped(const Mapping *mapping, const char *path);
// A page was lost. Less than file_intact, but one load: for every run of a network.
bool file_lost(const Mapping *mapping);
// Tells the system that these bytes are not needed any more (they can be read again).
void file_drop_pages(const Mapping *mapping, const void *from, size_t bytes);

// A file that appears under its name only when it is complete: written beside it (".stent-PID-NUMBER.tmp"), then
// renamed. A temporary that a killed process left goes when another one writes into the folder.
typedef struct AtomicFile AtomicFile;
Status atomic_open(const char *path, AtomicFile **out);
Status atomic_write(AtomicFile *file, const void *bytes, size_t count);
Status atomic_commit(AtomicFile *file); // flushes, renames, frees; on failure removes the temporary
void atomic_abort(AtomicFile *file);    // removes and frees; NULL is fine
Status file_write(const char *path, const void *bytes, size_t count); // the three calls above in one
// Removes temporaries of unfinished atomic files of this process; async-signal-safe, for SIGINT handlers.
void atomic_cleanup(void);

// Adds whole lines at the end of a file, which is made when it is not there; in one write, so that lines of several
// processes do not mix. A last line without an end, which a killed process left, gets its end first.
Status file_append(const char *path, const void *lines, size_t count);
// Keeps file_append of other processes waiting (for a second at most) while a file is read and another put in its
// place; -1: it is not there, or could not be had. Given back with file_let_go.
int file_hold(const char *path);
void file_let_go(int hold); // -1 is fine

// Fault injection (base/fault.h): the n-th following write, flush, close, rename or making of a folder (0 = next) fails
// once. Negative: none.
void file_fail_after(int64_t n);

// UNKNOWN: it could not be found out (no permission, a failing disk). path_known gives a status for that.
typedef enum PathKind { PATH_MISSING, PATH_FILE, PATH_FOLDER, PATH_OTHER, PATH_UNKNOWN } PathKind;
PathKind path_kind(const char *path);
Status path_known(const char *path, PathKind *kind);
int64_t file_size(const char *path); // -1 when it cannot be had
Status folder_make(const char *path); // with parents; fine when it is there
// Whether this user may write into the folder, or make it: false on a read-only file system, or without permission.
bool folder_may_be_written(const char *path);
// Names in a folder (no "." and ".."), in natural order; in `arena`.
Status folder_list(const char *path, Arena *arena, char ***names, size_t *count);
char *path_join(Arena *arena, const char *folder, const char *name); // NULL: no memory
const char *path_name(const char *path);                             // behind the last '/'
char *path_folder(Arena *arena, const char *path);                   // before the last '/', or "."
Status path_real(Arena *arena, const char *path, char **out);        // without links; *out NULL: it is not there
bool path_same(const char *a, const char *b); // both are there and are one file, by whatever names or links
// The user's data folder for stent ($XDG_DATA_HOME/stent or ~/.local/share/stent), or NULL.
char *user_data_folder(Arena *arena);
