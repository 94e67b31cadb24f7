#include "base/fault.h"
#include <errno.h>

_Atomic int64_t fault_left = -1;
static _Atomic int64_t first_left; // what fault_left began with
static _Atomic unsigned kinds_counted, kind_met;

void fault_after(unsigned kinds, int64_t n) {
    atomic_store(&fault_left, -1); // nobody counts while the rest is set
    atomic_store(&kinds_counted, kinds);
    atomic_store(&kind_met, 0);
    atomic_store(&first_left, n);
    atomic_store(&fault_left, n);
}

unsigned fault_met(void) { return atomic_load(&kind_met); }

int64_t fault_passed(void) {
    const int64_t left = atomic_load(&fault_left), first = atomic_load(&first_left);
    return kind_met ? first + 1 : first - left;
}

static int error_of(FaultKind kind) {
    switch (kind) {
#define FAULT_ERROR(name, bit, error)                                                                                  \
    case name: return error;
        FAULT_KINDS(FAULT_ERROR)
#undef FAULT_ERROR
    case FAULT_ALL: break;
    }
    return EIO;
}

bool fault_count(FaultKind kind) {
    if (!(atomic_load(&kinds_counted) & kind) || atomic_fetch_sub(&fault_left, 1) != 0) return false;
    atomic_store(&kind_met, kind);
    errno = error_of(kind);
    return true;
}
