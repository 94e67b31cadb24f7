// Time.
#pragma once
#include <stdint.h>
uint64_t clock_ns(void); // monotonic, nanoseconds
void clock_date(char out[24]); // now, "2024-01-31T12:00:00Z"
// What measurements take of their usual time and memory: 1; less in tests that make thousands of them.
extern double measuring_effort;
static inline double clock_ms_since(uint64_t start_ns) { return (double)(clock_ns() - start_ns) * 1e-6; }
