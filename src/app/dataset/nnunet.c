// nnU-Net's raw layout: imagesTr/CASE_0000.png (a file a channel: _0000, _0001 ...), labelsTr/CASE.png with class
// numbers, dataset.json with the names of channels and classes. PNG and TIFF; NIfTI is refused by name.
#include "app/dataset/inside.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>

static const size_t json_limit = 1 << 24; // dataset.json may list thousands of cases

typedef struct Taking {
    FoundList list;
    bool masks;
    int most_channel;
} Taking;

// ---- dataset.json

static Status set_label(Dataset *dataset, const char *path, const char *name, double value) {
    FAIL_IF(!(value >= 0 && value < DATASET_LABELS) || value != (int)value, ST_BAD,
            "%s: labels: expected class numbers from 0 to %d, got %g", path, DATASET_LABELS - 1, value);
    FAIL_IF(dataset->labels[(int)value], ST_BAD, "%s: labels: class %d has two names", path, (int)value);
    FAIL_IF(!strcmp(name, "ignore"), ST_UNSUPPORTED, "%s: a label 'ignore' is not supported", path);
    dataset->labels[(int)value] = arena_string(&dataset->arena, name);
    return dataset->labels[(int)value] ? ST_OK : fail_memory(strlen(name));
}
// {"background": 0, "tumour": 1}, or as the first version had it {"0": "background", "1": "tumour"}.
static Status read_labels(Dataset *dataset, const char *path, const Json *labels) {
    FAIL_IF(labels->type != JSON_OBJECT, ST_BAD, "%s: line %d: labels: expected an object", path, labels->line);
    for (size_t i = 0; i < labels->count; i++) {
        const Json *item = &labels->items[i];
        double number;
        FAIL_IF(item->type == JSON_ARRAY, ST_UNSUPPORTED,
                "%s: line %d: regions of several labels ('%s') are not supported", path, item->line, labels->keys[i]);
        if (item->type == JSON_NUMBER) {
            TRY(set_label(dataset, path, labels->keys[i], item->number));
        } else {
            FAIL_IF(item->type != JSON_STRING || !parse_double(labels->keys[i], &number), ST_BAD,
                    "%s: line %d: labels: expected \"NAME\": NUMBER", path, item->line);
            TRY(set_label(dataset, path, item->string, number));
        }
    }
    while (dataset->n_labels < DATASET_LABELS && dataset->labels[dataset->n_labels]) dataset->n_labels++;
    FAIL_IF((size_t)dataset->n_labels != labels->count, ST_BAD, "%s: labels: expected the numbers 0 to %zu", path,
            labels->count - 1);
    return ST_OK;
}
static bool is_read(const char *ending) {
    return !strcmp(ending, ".png") || !strcmp(ending, ".tif") || !strcmp(ending, ".tiff");
}
static Status read_description(Dataset *dataset, const char *path, const char *bytes, size_t size, int *channels,
                               int64_t *announced) {
    Arena arena = {0};
    Json *json;
    Status status = json_parse(&arena, bytes, size, &json);
    if (status != ST_OK) status = fail_context(status, "%s", path);
    const Json *labels = status == ST_OK ? json_get(json, "labels") : NULL;
    const Json *names = status == ST_OK ? json_get(json, "channel_names") : NULL;
    const Json *ending = status == ST_OK ? json_get(json, "file_ending") : NULL;
    const Json *training = status == ST_OK ? json_get(json, "numTraining") : NULL;
    if (status == ST_OK && !names) names = json_get(json, "modality");
    if (status == ST_OK && json->type != JSON_OBJECT) status = fail(ST_BAD, "%s: expected an object", path);
    if (names && names->type == JSON_OBJECT && names->count && names->count < 64) *channels = (int)names->count;
    if (training && training->type == JSON_NUMBER) *announced = (int64_t)training->number;
    if (status == ST_OK && ending && ending->type == JSON_STRING && !is_read(ending->string))
        status = fail(ST_UNSUPPORTED, "%s: file_ending \"%s\" is not read yet; PNG and TIFF slices are", path,
                      ending->string);
    if (status == ST_OK && labels) status = read_labels(dataset, path, labels);
    arena_free(&arena);
    return status;
}
static Status describe(Dataset *dataset, const char *root, int *channels, int64_t *announced) {
    uint8_t *bytes;
    size_t size;
    PathKind kind;
    const char *path = path_join(&dataset->arena, root, "dataset.json");
    if (!path) return fail_memory(strlen(root));
    TRY(path_known(path, &kind));
    if (kind == PATH_MISSING)
        return dataset_assume(dataset, "There is no dataset.json: the classes are those of the package.");
    TRY(file_read(path, json_limit, &bytes, &size));
    const Status status = read_description(dataset, path, (const char *)bytes, size, channels, announced);
    mem_free(bytes);
    return status;
}

// ---- files

// The channel of "CASE_0001"; -1: it has none.
static int channel_of(const char *stem, size_t length) {
    int channel = 0;
    if (length < 6 || stem[length - 5] != '_') return -1;
    for (size_t i = length - 4; i < length; i++) {
        if (stem[i] < '0' || stem[i] > '9') return -1;
        channel = channel * 10 + stem[i] - '0';
    }
    return channel;
}
static Status take_file(void *context, Dataset *dataset, const char *below, const char *name, const char *path) {
    Taking *taking = context;
    const size_t length = name_stem(name);
    char *stem = arena_string_n(&dataset->arena, name, length);
    if (!stem) return fail_memory(length);
    const int channel = taking->masks ? 0 : channel_of(stem, length);
    if (channel < 0)
        return dataset_fault(dataset, path, "bad name", "expected CASE_0000 with the number of the channel");
    if (!taking->masks) stem[length - 5] = 0;
    taking->most_channel = MAX(taking->most_channel, channel);
    return found_add(&taking->list, &(Found){below, stem, path, taking->masks, channel});
}
static const char *name_of(Dataset *dataset, const Found *found) {
    return *found->below ? path_join(&dataset->arena, found->below, found->stem) : found->stem;
}
// By its name at the end, whatever is in the file.
static Status refuse_volumes(const Dataset *dataset) {
    static const char *const endings[] = {".nii", ".nii.gz", ".mha", ".nrrd"};
    for (size_t i = 0; i < dataset->faults.count; i++)
        for (size_t k = 0; k < COUNT_OF(endings); k++)
            FAIL_IF(text_ends(dataset->faults.items[i].file, endings[k]), ST_UNSUPPORTED,
                    "%s: volumes (%s) are not read yet; PNG and TIFF slices are", dataset->faults.items[i].file,
                    k < 2 ? "NIfTI" : endings[k] + 1);
    return ST_OK;
}
static Status walk_part(Dataset *dataset, const char *root, const char *what, const char *part, Taking *taking) {
    char name[16];
    snprintf(name, sizeof name, "%s%s", what, part);
    const char *folder = path_join(&dataset->arena, root, name);
    if (!folder) return fail_memory(strlen(root));
    return dataset_walk(dataset, folder, take_file, taking);
}
static Status list_part(Dataset *dataset, const char *root, const char *part, Taking *taking) {
    int channels = 0;
    int64_t announced = -1;
    TRY(describe(dataset, root, &channels, &announced));
    TRY(walk_part(dataset, root, "images", part, taking));
    taking->masks = true;
    TRY(walk_part(dataset, root, "labels", part, taking));
    TRY(refuse_volumes(dataset));
    // One file may hold all channels (a colour PNG), whatever their names.
    if (!taking->most_channel) channels = 1;
    if (!channels) channels = taking->most_channel + 1;
    TRY(dataset_pair(dataset, &taking->list, channels, name_of, name_of));
    if (announced >= 0 && !strcmp(part, "Tr") && (size_t)announced != dataset->n_cases)
        TRY(dataset_assume(dataset, "dataset.json speaks of %lld training cases; %zu are here.", (long long)announced,
                           dataset->n_cases));
    return dataset_assume(dataset, "Each case of images%s is a patient of its own.", part);
}
Status dataset_list_nnunet(Dataset *dataset, const char *root, const char *part) {
    Taking taking = {.masks = false};
    dataset->root = root;
    const Status status = list_part(dataset, root, part, &taking);
    mem_free(taking.list.items);
    return status;
}
