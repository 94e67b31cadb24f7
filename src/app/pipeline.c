#include "app/pipeline.h"
#include <math.h>
#include <string.h>

static const char *const resize_names[] = {"none", "bilinear", "pad", NULL};
static const char *const normalise_names[] = {"none", "zscore", "percentile", NULL};
static const char *const scope_names[] = {"slice", "volume", NULL};
static const char *const activation_names[] = {"none", "sigmoid", "softmax", NULL};

Pipeline pipeline_default(void) { return (Pipeline){.scale = 1.0 / 255, .percentiles = {10, 99}, .threshold = 0.5}; }

// Where a value stands, for messages: "input.scale".
typedef struct Place {
    const char *section, *key;
    const Json *value;
} Place;
static Status wrong(const Place *place, const char *expected) {
    return fail(ST_BAD, "line %d: %s.%s: expected %s", place->value->line, place->section, place->key, expected);
}
static Status read_number(const Place *place, double low, double high, double *out) {
    const Json *v = place->value;
    if (v->type != JSON_NUMBER || !(v->number >= low && v->number <= high)) {
        return fail(ST_BAD, "line %d: %s.%s: expected a number from %g to %g", v->line, place->section, place->key, low,
                    high);
    }
    *out = v->number;
    return ST_OK;
}
static Status read_count(const Place *place, int64_t low, int64_t high, int64_t *out) {
    double value;
    TRY(read_number(place, (double)low, (double)high, &value));
    if (value != floor(value)) return wrong(place, "a whole number");
    *out = (int64_t)value;
    return ST_OK;
}
static Status read_bool(const Place *place, bool *out) {
    if (place->value->type != JSON_BOOL) return wrong(place, "true or false");
    *out = place->value->boolean;
    return ST_OK;
}
static Status read_choice(const Place *place, const char *const names[], int *out) {
    Text list = {0};
    for (*out = 0; names[*out]; ++*out)
        if (place->value->type == JSON_STRING && !strcmp(place->value->string, names[*out])) return ST_OK;
    for (int i = 0; names[i]; i++) text_add(&list, "%s%s", i ? "|" : "", names[i]);
    Status status = wrong(place, text_get(&list));
    text_free(&list);
    return status;
}
static Status read_numbers(const Place *place, int least, int most, double *out, int *count) {
    const Json *v = place->value;
    if (v->type != JSON_ARRAY || v->count < (size_t)least || v->count > (size_t)most)
        return wrong(place, "a list of numbers");
    for (size_t i = 0; i < v->count; i++) {
        if (v->items[i].type != JSON_NUMBER) return wrong(place, "a list of numbers");
        out[i] = v->items[i].number;
    }
    if (count) *count = (int)v->count;
    return ST_OK;
}

static Status read_size(const Place *place, Pipeline *p) {
    double size[2];
    TRY(read_numbers(place, 2, 2, size, NULL));
    for (int i = 0; i < 2; i++)
        if (!(size[i] >= 1 && size[i] <= 65536) || size[i] != floor(size[i])) return wrong(place, "[height, width]");
    p->height = (int64_t)size[0], p->width = (int64_t)size[1];
    return ST_OK;
}
static Status read_clip(const Place *place, Pipeline *p) {
    p->has_clip = place->value->type != JSON_NULL;
    if (!p->has_clip) return ST_OK;
    TRY(read_numbers(place, 2, 2, p->clip, NULL));
    return p->clip[0] <= p->clip[1] ? ST_OK : wrong(place, "[low, high]");
}
static Status read_input_key(const Place *place, Pipeline *p) {
    const char *key = place->key;
    int choice;
    int64_t count = 0;
    if (!strcmp(key, "channels")) {
        TRY(read_count(place, 1, PIPELINE_CHANNELS, &count));
        p->channels = (int)count;
    } else if (!strcmp(key, "size")) {
        TRY(read_size(place, p));
    } else if (!strcmp(key, "resize")) {
        TRY(read_choice(place, resize_names, &choice));
        p->resize = (PipelineResize)choice;
    } else if (!strcmp(key, "scale")) {
        TRY(read_number(place, -1e30, 1e30, &p->scale));
    } else if (!strcmp(key, "mean")) {
        TRY(read_numbers(place, 0, PIPELINE_CHANNELS, p->mean, &p->n_mean));
    } else if (!strcmp(key, "std")) {
        TRY(read_numbers(place, 0, PIPELINE_CHANNELS, p->std, &p->n_std));
        for (int i = 0; i < p->n_std; i++)
            if (!(p->std[i] != 0)) return wrong(place, "numbers other than 0");
    } else if (!strcmp(key, "normalise")) {
        TRY(read_choice(place, normalise_names, &choice));
        p->normalise = (PipelineNormalise)choice;
    } else if (!strcmp(key, "percentiles")) {
        TRY(read_numbers(place, 2, 2, p->percentiles, NULL));
        if (!(p->percentiles[0] >= 0 && p->percentiles[0] < p->percentiles[1] && p->percentiles[1] <= 100))
            return wrong(place, "[low, high] within 0 and 100");
    } else if (!strcmp(key, "scope")) {
        TRY(read_choice(place, scope_names, &choice));
        p->scope = (PipelineScope)choice;
    } else if (!strcmp(key, "clip")) {
        TRY(read_clip(place, p));
    } else {
        return fail(ST_BAD,
                    "line %d: input.%s: not known; expected channels, size, resize, scale, mean, std, normalise, "
                    "percentiles, scope or clip",
                    place->value->line, key);
    }
    return ST_OK;
}
static Status read_classes(const Place *place, Arena *arena, Pipeline *p) {
    const Json *v = place->value;
    if (v->type != JSON_ARRAY || v->count > PIPELINE_CLASSES) return wrong(place, "a list of at most 256 names");
    for (size_t i = 0; i < v->count; i++) {
        if (v->items[i].type != JSON_STRING) return wrong(place, "a list of names");
        p->classes[i] = arena_string(arena, v->items[i].string);
        if (!p->classes[i]) return fail_memory(strlen(v->items[i].string));
    }
    p->n_classes = (int)v->count;
    return ST_OK;
}
static Status read_output_key(const Place *place, Arena *arena, Pipeline *p) {
    const char *key = place->key;
    int choice;
    if (!strcmp(key, "activation")) {
        TRY(read_choice(place, activation_names, &choice));
        p->activation = (PipelineActivation)choice;
        return ST_OK;
    }
    if (!strcmp(key, "threshold")) return read_number(place, -1e30, 1e30, &p->threshold);
    if (!strcmp(key, "classes")) return read_classes(place, arena, p);
    if (!strcmp(key, "keep_largest")) return read_bool(place, &p->keep_largest);
    if (!strcmp(key, "min_area")) return read_count(place, 0, (int64_t)1 << 40, &p->min_area);
    return fail(ST_BAD,
                "line %d: output.%s: not known; expected activation, threshold, classes, keep_largest or min_area",
                place->value->line, key);
}
static Status read_section(const char *name, const Json *section, Arena *arena, Pipeline *p) {
    FAIL_IF(section->type != JSON_OBJECT, ST_BAD, "line %d: %s: expected an object", section->line, name);
    for (size_t i = 0; i < section->count; i++) {
        const Place place = {name, section->keys[i], &section->items[i]};
        TRY(!strcmp(name, "input") ? read_input_key(&place, p) : read_output_key(&place, arena, p));
    }
    return ST_OK;
}
Status pipeline_parse(const char *text, size_t length, Arena *arena, Pipeline *out) {
    Json *root;
    *out = pipeline_default();
    TRY(json_parse(arena, text, length, &root));
    FAIL_IF(root->type != JSON_OBJECT, ST_BAD, "line %d: expected an object with version, input and output",
            root->line);
    const Json *version = json_get(root, "version");
    FAIL_IF(version && (version->type != JSON_NUMBER || version->number < 1), ST_BAD, "line %d: version: expected 1",
            version->line);
    FAIL_IF(version && version->number != 1, ST_UNSUPPORTED,
            "line %d: a pipeline of version %g; this stent knows version 1", version->line, version->number);
    for (size_t i = 0; i < root->count; i++) {
        const char *key = root->keys[i];
        if (!strcmp(key, "input") || !strcmp(key, "output")) TRY(read_section(key, &root->items[i], arena, out));
        else
            FAIL_IF(strcmp(key, "version"), ST_BAD, "line %d: key '%s': not known; expected version, input or output",
                    root->items[i].line, key);
    }
    return ST_OK;
}

static void print_numbers(JsonWriter *w, const char *key, const double *values, int count) {
    json_key(w, key);
    json_begin_array(w);
    for (int i = 0; i < count; i++) json_number(w, values[i]);
    json_end_array(w);
}
static void print_choice(JsonWriter *w, const char *key, const char *value) {
    json_key(w, key);
    json_string(w, value);
}
double pipeline_amplitude(const Pipeline *pipeline) {
    const double most = 255 * pipeline->scale / (pipeline->n_std ? pipeline->std[0] : 1);
    return pipeline->normalise == NORMALISE_NONE && isfinite(most) && fabs(most) > 16 ? fabs(most) : 1;
}
void pipeline_print(const Pipeline *p, Text *json) {
    JsonWriter w = {.text = json};
    json_begin_object(&w);
    json_key(&w, "version"), json_integer(&w, 1);
    json_key(&w, "input"), json_begin_object(&w);
    if (p->channels) json_key(&w, "channels"), json_integer(&w, p->channels);
    if (p->height) print_numbers(&w, "size", (double[]){(double)p->height, (double)p->width}, 2);
    print_choice(&w, "resize", resize_names[p->resize]);
    json_key(&w, "scale"), json_number(&w, p->scale);
    print_numbers(&w, "mean", p->mean, p->n_mean);
    print_numbers(&w, "std", p->std, p->n_std);
    print_choice(&w, "normalise", normalise_names[p->normalise]);
    print_numbers(&w, "percentiles", p->percentiles, 2);
    print_choice(&w, "scope", scope_names[p->scope]);
    if (p->has_clip) print_numbers(&w, "clip", p->clip, 2);
    json_end_object(&w);
    json_key(&w, "output"), json_begin_object(&w);
    print_choice(&w, "activation", activation_names[p->activation]);
    json_key(&w, "threshold"), json_number(&w, p->threshold);
    json_key(&w, "classes"), json_begin_array(&w);
    for (int i = 0; i < p->n_classes; i++) json_string(&w, p->classes[i]);
    json_end_array(&w);
    json_key(&w, "keep_largest"), json_bool(&w, p->keep_largest);
    json_key(&w, "min_area"), json_integer(&w, p->min_area);
    json_end_object(&w);
    json_end_object(&w);
}
