#include "base/checksum.h"

#ifdef STENT_CHECKSUMS_OFF
bool checksums_on(void) { return false; }
#else
bool checksums_on(void) { return true; }
#endif

bool checksum_matches(uint64_t computed, uint64_t stored) { return computed == stored || !checksums_on(); }
