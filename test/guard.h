// Memory between two inaccessible pages, for tests: an access beyond its end, or before its start, ends the test and
// names the memory, the place and, where the machine tells it, whether it was a read or a write.
//
//     | no access | lead | memory           gap | no access |     GUARD_END: the gap is less than `align`
//     | no access | memory                 rest | no access |     GUARD_START
//
// Lead, gap and rest hold a pattern, which guard_free checks: there only writes are seen.
#pragma once
#include <stdbool.h>
#include <stddef.h>

typedef enum GuardSide { GUARD_END, GUARD_START } GuardSide;

// `bytes` (0 too) full of 0xff, aligned to `align`, a power of two of at most a page. name: lives as long as the
// memory. Ends the test when there is no memory.
void *guard_alloc(const char *name, size_t bytes, size_t align, GuardSide side);
void guard_free(void *memory); // NULL: nothing

// Calls `act` in a process of its own: whether that ended badly, and what it wrote. For tests that go wrong on purpose.
bool guard_ends_badly(void (*act)(void), char *out, size_t size);
