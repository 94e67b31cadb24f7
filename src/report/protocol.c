// One function a section, in the order of the page. Everything that comes from a file goes through put.
#include "report/protocol.h"
#include "report/parts.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char dash[] = "\u2013";

// ---- What the objects hold ------------------------------------------------------------------------------------

static const Json *child(const Json *object, const char *key, JsonType type) {
    const Json *value = object && object->type == JSON_OBJECT ? json_get(object, key) : NULL;
    return value && value->type == type ? value : NULL;
}
static const char *string_at(const Json *object, const char *key) { // NULL
    const Json *value = child(object, key, JSON_STRING);
    return value ? value->string : NULL;
}
static double number_at(const Json *object, const char *key) { // NaN
    const Json *value = child(object, key, JSON_NUMBER);
    return value ? value->number : (double)NAN;
}
static bool true_at(const Json *object, const char *key) {
    const Json *value = child(object, key, JSON_BOOL);
    return value && value->boolean;
}

// ---- Tables ---------------------------------------------------------------------------------------------------

static void section(Text *out, const char *title) { text_add(out, "<h2>%s</h2>\n", title); }

static void row(Text *out, const char *name, const char *value) {
    text_add(out, "<tr><th scope=\"row\">");
    put(out, "%s", name);
    text_add(out, "</th><td>");
    if (value && *value) put(out, "%s", value);
    else text_add(out, "%s", dash);
    text_add(out, "</td></tr>\n");
}
static void hash_row(Text *out, const char *name, const char *value) {
    text_add(out, "<tr><th scope=\"row\">%s</th><td><code>", name);
    put(out, "%s", value && *value ? value : dash);
    text_add(out, "</code></td></tr>\n");
}
static void name_cell(Text *out, const char *value) {
    text_add(out, "<td class=\"name\">");
    put(out, "%s", value ? value : dash);
    text_add(out, "</td>");
}
// A deviation: 3 digits are plenty.
static void deviation_cell(Text *out, double value) {
    text_add(out, "<td class=\"n\">");
    if (isnan(value)) text_add(out, "%s", dash);
    else if (value == 0) text_add(out, "0");
    else text_add(out, "%.2e", value);
    text_add(out, "</td>");
}
static void count_cell(Text *out, double value) {
    text_add(out, "<td class=\"n\">");
    if (isnan(value)) text_add(out, "%s", dash);
    else text_add(out, "%.0f", value);
    text_add(out, "</td>");
}

// Any JSON, flat: "gate.pooled", "mean.0". Lists of plain values stay together.
static void add_plain(Text *out, const Json *value) {
    switch (value->type) {
    case JSON_NULL: text_add(out, "none"); break;
    case JSON_BOOL: text_add(out, "%s", value->boolean ? "yes" : "no"); break;
    case JSON_NUMBER: text_double(out, value->number); break;
    case JSON_STRING: text_add(out, "%s", value->string); break;
    case JSON_ARRAY:
        for (size_t i = 0; i < value->count; i++) {
            if (i) text_add(out, ", ");
            add_plain(out, &value->items[i]);
        }
        break;
    case JSON_OBJECT: text_add(out, "%s", dash); break; // flat_rows goes into these
    }
}
static void flat_rows(Text *out, const Json *object, const char *prefix) {
    for (size_t i = 0; object && object->type == JSON_OBJECT && i < object->count; i++) {
        Text name = {0}, value = {0};
        text_add(&name, "%s%s%s", prefix, *prefix ? "." : "", object->keys[i]);
        if (object->items[i].type == JSON_OBJECT) {
            flat_rows(out, &object->items[i], text_get(&name));
        } else {
            add_plain(&value, &object->items[i]);
            row(out, text_get(&name), text_get(&value));
        }
        out->failed = out->failed || name.failed || value.failed;
        text_free(&name);
        text_free(&value);
    }
}

// ---- Sections -------------------------------------------------------------------------------------------------

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<style>\n"
    "body { margin: 2rem auto; padding: 0 1.5rem; max-width: 52rem; color: #17212b; background: #fff;\n"
    "  font: 0.9375rem/1.45 \"Segoe UI\", system-ui, \"Helvetica Neue\", Arial, \"Liberation Sans\", sans-serif;\n"
    "  overflow-wrap: break-word; }\n"
    "h1 { margin: 0; font-size: 1.75rem; line-height: 1.2; }\n"
    "h2 { margin: 2rem 0 0.5rem; font-size: 1.125rem; break-after: avoid; }\n"
    ".subject { margin: 0.25rem 0 1.25rem; color: #52606d; }\n"
    ".verdict { padding: 0.75rem 1rem; border: 2px solid; font-weight: 600; }\n"
    ".good { border-color: #006b4e; color: #006b4e; }\n"
    ".bad { border-color: #a8320a; color: #a8320a; }\n"
    "table { width: 100%; border-collapse: collapse; }\n"
    "th, td { padding: 0.3rem 0.75rem 0.3rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid "
    "#d5dce3; }\n"
    "thead th { border-bottom: 1.5px solid #17212b; font-size: 0.8125rem; vertical-align: bottom; }\n"
    "thead { display: table-header-group; }\n"
    "tr { break-inside: avoid; }\n"
    "tbody th { font-weight: 500; }\n"
    ".facts th { width: 13rem; color: #52606d; }\n"
    "td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }\n"
    ".facts td, .facts th, td.name, tbody th, code { overflow-wrap: anywhere; }\n"
    "code { font-family: ui-monospace, Consolas, \"Liberation Mono\", monospace; font-size: 0.8125rem; }\n"
    ".signatures { break-inside: avoid; }\n"
    ".signatures td, .signatures tbody th { height: 3.25rem; vertical-align: bottom; }\n"
    "@page { margin: 18mm 16mm; }\n"
    "@media print { body { margin: 0; padding: 0; max-width: none; font-size: 9.5pt; } }\n"
    "</style>\n";

static void put_title(Text *out, const Json *verified, const Json *facts) {
    const char *file = string_at(facts, "file"), *date = string_at(facts, "date");
    text_add(out, "%s<title>Verification protocol: ", head);
    put(out, "%s", file ? file : dash);
    text_add(out, "</title>\n</head>\n<body>\n<h1>Verification protocol</h1>\n<p class=\"subject\">");
    put(out, "%s", file ? file : dash);
    text_add(out, ", ");
    put(out, "%s", date ? date : dash);
    text_add(out, "</p>\n");
    if (true_at(verified, "ok"))
        text_add(
            out,
            "<p class=\"verdict good\">VERIFIED. On this machine the network gives the expected answer, within the "
            "budget below.</p>\n");
    else
        text_add(
            out,
            "<p class=\"verdict bad\">NOT VERIFIED. On this machine the network's answer differs from the expected "
            "one. Do not use this package on this machine.</p>\n");
}
static void put_package(Text *out, const Json *verified, const Json *facts) {
    section(out, "What was checked");
    text_add(out, "<table class=\"facts\">\n");
    row(out, "package", string_at(facts, "file"));
    row(out, "network", string_at(verified, "model"));
    hash_row(out, "content hash (SHA-256)", string_at(verified, "content_hash"));
    hash_row(out, "plan hash", string_at(verified, "plan_hash"));
    row(out, "plan", string_at(verified, "plan"));
    row(out, "precision", string_at(verified, "precision"));
    text_add(out, "</table>\n");
}
static void put_making(Text *out, const Json *facts) {
    section(out, "How the package was made");
    text_add(out, "<table class=\"facts\">\n");
    flat_rows(out, child(facts, "made", JSON_OBJECT), "");
    row(out, "built-in self-check", string_at(facts, "self_check"));
    text_add(out, "</table>\n");
    section(out, "What happens to a picture before and after the network");
    text_add(out, "<table class=\"facts\">\n");
    flat_rows(out, child(facts, "pipeline", JSON_OBJECT), "");
    text_add(out, "</table>\n");
}
static void put_machine(Text *out, const Json *verified, const Json *facts) {
    section(out, "Where and when");
    text_add(out, "<table class=\"facts\">\n");
    const Json *machine = child(verified, "machine", JSON_OBJECT);
    const double threads = number_at(machine, "threads");
    char count[32] = "";
    if (!isnan(threads)) snprintf(count, sizeof count, "%.0f", threads);
    row(out, "processor", string_at(machine, "cpu"));
    row(out, "instruction set", string_at(machine, "isa"));
    row(out, "threads", count);
    row(out, "stent", string_at(verified, "stent"));
    row(out, "date (UTC)", string_at(facts, "date"));
    row(out, "input of the check", string_at(verified, "input"));
    text_add(out, "</table>\n");
}
static void put_check(Text *out, const Json *check) {
    const char *with = string_at(check, "with");
    text_add(out, "<tr><th scope=\"row\">");
    put(out, "%s", with ? with : dash);
    if (!isnan(number_at(check, "outside")))
        text_add(out, " (%.0f values beyond %g + %g * |expected|)", number_at(check, "outside"),
                 number_at(check, "atol"), number_at(check, "rtol"));
    text_add(out, "</th><td>%s</td>", true_at(check, "ok") ? "agrees" : "<strong>differs</strong>");
    deviation_cell(out, number_at(check, "rms_rel"));
    deviation_cell(out, number_at(check, "allowed"));
    deviation_cell(out, number_at(check, "max_abs"));
    count_cell(out, number_at(check, "mask_changed"));
    count_cell(out, number_at(check, "mask_ties"));
    count_cell(out, number_at(check, "mask_pixels"));
    text_add(out, "</tr>\n");
}
static void put_checks(Text *out, const Json *verified) {
    const Json *checks = child(verified, "checks", JSON_ARRAY);
    const char *skipped = string_at(verified, "skipped");
    section(out, "Results");
    text_add(
        out,
        "<table>\n<thead><tr><th>compared with</th><th>result</th><th class=\"n\">deviation, rms / std</th>"
        "<th class=\"n\">allowed</th><th class=\"n\">largest difference</th><th class=\"n\">mask pixels changed</th>"
        "<th class=\"n\">of them on the threshold</th><th class=\"n\">of mask pixels</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; checks && i < checks->count; i++) put_check(out, &checks->items[i]);
    text_add(out, "</tbody>\n</table>\n");
    if (skipped) text_add(out, "<p>Not done: "), put(out, "%s", skipped), text_add(out, ".</p>\n");
}
static void put_layer(Text *out, const Json *layer) {
    const char *name = string_at(layer, "name"), *op = string_at(layer, "op");
    text_add(out, "<tr>");
    name_cell(out, name);
    name_cell(out, op);
    deviation_cell(out, number_at(layer, "rms_rel"));
    deviation_cell(out, number_at(layer, "max_abs"));
    text_add(out, "<td>%s</td></tr>\n", true_at(layer, "ok") ? "within" : "<strong>beyond</strong>");
}
static void put_layers(Text *out, const Json *verified) {
    const Json *layers = child(verified, "layers", JSON_ARRAY);
    const char *first = string_at(verified, "first");
    if (!layers) return;
    section(out, "Layer by layer, against the reference");
    text_add(out, "<p>First value beyond the budget: ");
    put(out, "%s", first ? first : "none");
    text_add(out, ".</p>\n<table>\n<thead><tr><th>value</th><th>operation</th><th class=\"n\">deviation, rms / std</th>"
                  "<th class=\"n\">largest difference</th><th>budget</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < layers->count; i++) put_layer(out, &layers->items[i]);
    text_add(out, "</tbody>\n</table>\n");
}
static void put_meaning(Text *out) {
    section(out, "What this check means");
    text_add(
        out,
        "<p>The network was run on this machine with the plan named above, on the input named above, and its output "
        "was "
        "compared with what others say of the same input: the package's built-in self-check (an answer that was "
        "computed "
        "when the package was made), the reference (a plain and slow way to compute the same network, inside stent), a "
        "model file, or given numbers. The deviation is the root mean square of the differences, divided by the "
        "standard deviation of the expected output. A check agrees when the deviation is within the allowed one and at "
        "most 1 in 100 000 mask pixels changed; pixels whose expected value lies on the threshold itself are counted "
        "and "
        "do not fail. With tolerances that the caller gave, these decide instead.</p>\n"
        "<p>It shows that this program, on this machine, computes the network that the content hash stands for. It "
        "says "
        "nothing about whether that network is good at its task, and replaces no clinical evaluation. The content hash "
        "changes with the network, its weights or the steps before and after it; when hash, machine, version and plan "
        "are the same, the result is.</p>\n"
        "<p>This page was made on the machine itself. Nothing was sent anywhere, and nothing on it comes from a "
        "network.</p>\n");
}
static void put_signatures(Text *out) {
    static const char *const roles[] = {"Checked by", "Released by", "For the department"};
    text_add(out, "<div class=\"signatures\">\n");
    section(out, "Signatures");
    text_add(out,
             "<table>\n<thead><tr><th></th><th>name</th><th>function</th><th>date</th><th>signature</th></tr></thead>\n"
             "<tbody>\n");
    for (size_t i = 0; i < COUNT_OF(roles); i++)
        text_add(out, "<tr><th scope=\"row\">%s</th><td></td><td></td><td></td><td></td></tr>\n", roles[i]);
    text_add(out, "</tbody>\n</table>\n</div>\n");
}

Status protocol_html(const Json *verified, const Json *facts, Text *out) {
    const char *verb = string_at(verified, "verb");
    FAIL_IF(!verb || strcmp(verb, "verify") != 0 || !child(verified, "ok", JSON_BOOL), ST_BAD,
            "protocol: expected a result of verify");
    put_title(out, verified, facts);
    put_checks(out, verified);
    put_package(out, verified, facts);
    put_machine(out, verified, facts);
    put_making(out, facts);
    put_layers(out, verified);
    put_meaning(out);
    put_signatures(out);
    text_add(out, "</body>\n</html>\n");
    return text_status(out);
}
