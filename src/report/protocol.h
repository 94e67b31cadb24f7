// The verification protocol as a page, for the file of a hospital's IT or of a medical device: what was checked, on
// which machine, what came of it, and where to sign. One HTML file without script, network, font or picture; printed it
// is two or three sheets of paper. Whatever the strings hold, it comes out as text, never as markup.
#pragma once
#include "base/json.h"

// verified: what verify prints with --json. facts: what it does not print, an object with `file` (of the package,
// without its folder), `date` (UTC), `self_check` (who made it), `made` and `pipeline` (objects, as in the package).
// Anything may be missing: it is left out, or shown as a dash. ST_BAD: no result of verify.
Status protocol_html(const Json *verified, const Json *facts, Text *out);
