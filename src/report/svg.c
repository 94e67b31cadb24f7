// Plots of inline SVG. Places along x are per cent of the width, so that a plot is as wide as its column while text and
// lines keep their size; colours come from the style sheet by class, so that they follow light, dark and print.
#include "base/statistics.h"
#include "report/parts.h"
#include <math.h>
#include <string.h>

// ---- statistics

void spread_of(double *values, size_t count, Spread *out) {
    double mean;
    sort_doubles(values, count);
    const double deviation = mean_and_deviation(values, count, &mean);
    *out = (Spread){.min = values[0],
                    .p5 = sorted_quantile(values, count, 0.05),
                    .q1 = sorted_quantile(values, count, 0.25),
                    .median = sorted_quantile(values, count, 0.5),
                    .q3 = sorted_quantile(values, count, 0.75),
                    .p95 = sorted_quantile(values, count, 0.95),
                    .max = values[count - 1],
                    .mean = mean,
                    .cv = mean > 0 ? deviation / mean : (double)NAN,
                    .count = count};
}

// ---- scale

// 1, 2 or 5 times a power of ten, at least `least`.
static double round_step(double least) {
    const double power = pow(10, floor(log10(least)));
    const double part = least / power;
    return power * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
}
Scale scale_make(double low, double high, int ticks) {
    enum { MOST_DIGITS = 9 };
    if (!(fabs(low) < 1e15 && fabs(high) < 1e15)) low = 0, high = 1; // not finite, or beyond what anybody measures
    if (high - low < 1e-9 * fmax(fabs(low), 1e-6)) high = low + fmax(fabs(low) * 0.1, 1e-6);
    const double step = round_step((high - low) / ticks);
    const double digits = ceil(-log10(step) - 1e-9);
    return (Scale){.low = floor(low / step + 1e-9) * step,
                   .high = ceil(high / step - 1e-9) * step,
                   .step = step,
                   .digits = digits > 0 ? (int)fmin(digits, MOST_DIGITS) : 0};
}
double scale_at(const Scale *scale, double value) {
    const double part = 100 * (value - scale->low) / (scale->high - scale->low);
    return part >= 0 ? fmin(part, 100) : 0; // also where it is not a number
}
static int tick_count(const Scale *scale) { return (int)lround((scale->high - scale->low) / scale->step); }

// ---- drawing

void svg_grid(Text *out, const Scale *scale, int height) {
    const int count = tick_count(scale);
    for (int i = 0; i <= count; i++) {
        const double x = 100.0 * i / count;
        put(out, "<line class=\"grid\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"0\" y2=\"%d\"/>", x, x, height);
    }
}
void svg_axis(Text *out, const Scale *scale, const char *unit) {
    const int count = tick_count(scale);
    put(out, "<svg class=\"axis\" width=\"100%%\" height=\"18\" aria-hidden=\"true\">");
    for (int i = 0; i <= count; i++) {
        const char *anchor = i == 0 ? "start" : i == count ? "end" : "middle";
        put(out, "<text x=\"%.2f%%\" y=\"13\" text-anchor=\"%s\">", 100.0 * i / count, anchor);
        put_figure(out, scale->low + scale->step * i, scale->digits);
        if (i == count && unit && *unit) put(out, " %s", unit);
        put(out, "</text>");
    }
    put(out, "</svg>");
}
void svg_bar(Text *out, double part, double limit_part) {
    put(out,
        "<svg class=\"bar\" width=\"100%%\" height=\"12\" aria-hidden=\"true\">"
        "<rect class=\"bar-all\" x=\"0\" y=\"0.5\" width=\"%.2f%%\" height=\"11\"/>",
        part);
    if (limit_part > 0)
        put(out, "<rect class=\"bar-limit\" x=\"0\" y=\"0.5\" width=\"%.2f%%\" height=\"11\"/>",
            fmin(part, limit_part));
    put(out, "</svg>");
}
void svg_dot(Text *out, const Scale *scale, Estimate e, double reference) {
    put(out, "<svg class=\"dot\" width=\"100%%\" height=\"16\" aria-hidden=\"true\">"
             "<line class=\"rail\" x1=\"0\" x2=\"100%%\" y1=\"8\" y2=\"8\"/>");
    if (isfinite(reference)) {
        const double x = scale_at(scale, reference);
        put(out, "<line class=\"reference\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"0\" y2=\"16\"/>", x, x);
    }
    if (isfinite(e.low) && isfinite(e.high))
        put(out, "<line class=\"whisker\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"8\" y2=\"8\"/>", scale_at(scale, e.low),
            scale_at(scale, e.high));
    if (isfinite(e.value))
        put(out, "<circle class=\"point\" cx=\"%.2f%%\" cy=\"8\" r=\"4\"/>", scale_at(scale, e.value));
    put(out, "</svg>");
}
