#include "solver/space.h"

Knob knob(int at, int64_t value) { return (Knob){.at = at, .count = 1, .value = {(int32_t)value}}; }
void knob_add(Knob *knob, int64_t value) {
    for (int i = 0; i < knob->count; i++)
        if (knob->value[i] == value) return;
    if (knob->count < KNOB_VALUES) knob->value[knob->count++] = (int32_t)value;
}
Knob knob_switch(int at, bool useful) {
    Knob k = knob(at, 0);
    if (useful) knob_add(&k, 1);
    return k;
}
Knob knob_cuts(int at, int64_t length, int64_t usual, int64_t most) {
    Knob k = knob(at, 0);
    for (int64_t units = 1; units <= length;) {
        const int64_t each = div_up(length, units);
        if (each != usual && each <= MAX(most, 1)) knob_add(&k, each);
        if (each == 1) break;
        units = div_up(length, each - 1); // the fewest units that are shorter
    }
    return k;
}
Knob knob_groups(int at, int64_t count, int rows) {
    Knob k = knob(at, 0);
    const int64_t fewer = div_up(2 * rows, 3); // with still fewer, products would wait for sums
    if (div_up(count, fewer) != div_up(count, rows)) knob_add(&k, fewer);
    return k;
}
bool knobs_visit(const Configuration *base, const Knob *knobs, int n, ConfigurationVisitor *visit, void *context) {
    if (!n) return visit(context, base);
    Configuration c = *base;
    for (int i = 0; i < knobs->count; i++) {
        c.schedule[knobs->at] = knobs->value[i];
        if (!knobs_visit(&c, knobs + 1, n - 1, visit, context)) return false;
    }
    return true;
}
