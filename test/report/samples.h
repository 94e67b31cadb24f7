// Results as the verbs print them, small; '@' stands in every text that comes from outside, so that a test can put
// anything in its place (sample_with).
#pragma once
#include "report/html.h"

typedef enum Sample {
    SAMPLE_EVAL,
    SAMPLE_BENCH,
    SAMPLE_PROFILE,
    SAMPLE_VERIFY,
    SAMPLE_TUNE,
    SAMPLE_MACHINE,
    SAMPLE_SEGMENT,
    SAMPLE_PICTURES,
    SAMPLE_PAGE,
    SAMPLES
} Sample;
extern const char *const samples[SAMPLES];
extern const char *const sample_names[SAMPLES];

// A copy that lives as long as the test; the text is freed.
const char *kept_until_the_end(Text *text);
// The sample with `text`, which may hold anything, in place of every '@'. Lives as long as the test.
ReportInput sample_with(Sample sample, const char *text);
// All of them; inputs holds SAMPLES.
void samples_with(const char *text, ReportInput *inputs);
