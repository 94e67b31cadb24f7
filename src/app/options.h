// Option structs of stent.h as this library knows them, whatever header the caller was built with.
#pragma once
#include "base/status.h"
#include "stent.h"

// Copies *given over *out, a struct of `known` bytes that holds the defaults and begins, as *given does, with its size.
// A caller with an older header gives a smaller struct: the fields that it lacks are zero. One with a newer header
// gives a larger one: what lies beyond must be zero (ST_USAGE: it asks for what is not had here). given NULL: *out
// stays.
Status options_take(const void *given, size_t known, void *out);
// The fields that all verbs have, which lie inside other structs: what is reserved must be zero.
Status options_check_common(const stent_options *options);
