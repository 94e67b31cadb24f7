#include "solver/explain.h"
#include "base/memory.h"

static const double worth_saying = 0.03;

void explain_places(Text *text, const char *what, int64_t used, int64_t taken) {
    if ((double)(taken - used) < worth_saying * (double)taken) return;
    text_add(text, "; %s fill %lld of %lld places", what, (long long)used, (long long)taken);
}
void explain_groups(Text *text, const char *what, int64_t count, int64_t most) {
    if (count < 1 || most < 2) return;
    const int64_t groups = div_up(count, most), each = div_up(count, groups);
    // A micro-kernel with r rows and two vectors loads r + 2 times for 2 r products.
    const double loads = (double)(count + 2 * groups) / (double)count, least = (double)(most + 2) / (double)most;
    if (loads < (1 + 2 * worth_saying) * least) return; // loads are about half of the work
    text_add(text, "; %lld %s go in groups of %lld, registers would hold %lld", (long long)count, what, (long long)each,
             (long long)most);
}
void explain_beyond_l2(Text *text, const char *what, double bytes, const Machine *machine, const char *more) {
    if (bytes <= 0.5 * (double)machine->l2) return;
    text_add(text, "; %s (%.1f MB) do not stay in the L2 (%.1f MB)%s", what, 1e-6 * bytes, 1e-6 * (double)machine->l2,
             more);
}
void explain_waiting(Text *text, double part) {
    if (part < worth_saying) return;
    text_add(text, "; threads wait %.0f %% of the time for the last one", 100 * part);
}
