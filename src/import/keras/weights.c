#include "import/keras/weights.h"
#include "import/weight.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum {
    MOST_WEIGHTS = 8,        // of one layer
    MOST_CHANNELS = 1 << 24, // that may have numbers which the file does not hold
    SEARCHED = 1024,         // names that are looked through when the usual one is not it
};

// ---- what there has to be

// "NAME", "NAME:SETTING", "NAME:!SETTING"
static Status wants_weight(const Json *config, const char *setting, bool *out) {
    *out = true;
    if (!setting) return ST_OK;
    if (*setting != '!') return config_bool(config, setting, true, out);
    *out = config_get(config, setting + 1) == NULL;
    return ST_OK;
}

static Status add_wanted(Arena *arena, KerasLayer *layer, const Json *config, char *word, bool is_trainable) {
    char *setting = strchr(word, ':');
    bool is_wanted;
    if (setting) *setting++ = 0;
    TRY(wants_weight(config, setting, &is_wanted));
    if (!is_wanted || layer->n_weights == MOST_WEIGHTS) return ST_OK;
    const char *name = arena_string(arena, word);
    if (!name) return fail_memory(strlen(word));
    layer->weights[layer->n_weights++] = (KerasWeight){.name = name, .is_trainable = is_trainable, .value = NO_VALUE};
    return ST_OK;
}

// The layer that has the weights: TimeDistributed is a shell.
static const LayerKind *weighted_kind(const KerasLayer *layer, const Json **config) {
    *config = layer->config;
    if (!layer->kind || layer->kind->import != keras_time_distributed) return layer->kind;
    const Json *inner = json_get(layer->config, "layer"), *class_name = json_get(inner, "class_name");
    *config = json_get(inner, "config");
    return class_name && class_name->type == JSON_STRING ? layer_kind(class_name->string) : NULL;
}

static Status list_weights(Arena *arena, KerasLayer *layer) {
    const Json *config;
    const LayerKind *kind = weighted_kind(layer, &config);
    char words[256], *save = NULL;
    bool is_trainable = true;
    if (!kind || !kind->weights) return ST_OK;
    layer->weights = arena_array(arena, MOST_WEIGHTS, sizeof *layer->weights);
    if (!layer->weights) return fail_memory(MOST_WEIGHTS * sizeof *layer->weights);
    snprintf(words, sizeof words, "%s", kind->weights);
    for (char *word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        if (*word == '|') is_trainable = false;
        else TRY(add_wanted(arena, layer, config, word, is_trainable));
    }
    return ST_OK;
}

Status keras_list_weights(Arena *arena, KerasModel *model) {
    for (int i = 0; i < model->n_layers; i++) {
        KerasLayer *layer = &model->layers[i];
        const Status status = layer->model ? keras_list_weights(arena, layer->model) : list_weights(arena, layer);
        if (status != ST_OK) return fail_context(status, "layer '%s' (%s)", layer->name, layer->class_name);
    }
    return ST_OK;
}

static void wanted_names(const KerasLayer *layer, Text *out) {
    for (int i = 0; i < layer->n_weights; i++) text_add(out, "%s%s", i ? ", " : "", layer->weights[i].name);
}

static Status fail_count(const KerasLayer *layer, int expected, size_t got) {
    Text names = {0};
    if (!layer->model) wanted_names(layer, &names);
    const Status status =
        fail(ST_BAD, "layer '%s' (%s): expected %d weights%s%s%s, got %zu", layer->name, layer->class_name, expected,
             names.length ? " (" : "", text_get(&names), names.length ? ")" : "", got);
    text_free(&names);
    return status;
}

// ---- .h5

// A weight of a layer on its way to its dataset.
typedef struct Slot {
    const KerasLayer *layer;
    KerasWeight *weight;
} Slot;

static int count_weights(const KerasLayer *layer) {
    int count = layer->n_weights;
    for (int i = 0; layer->model && i < layer->model->n_layers; i++) count += count_weights(&layer->model->layers[i]);
    return count;
}

// Those that are trained, or the others; of a frozen layer all are others.
static void list_slots(KerasLayer *layer, bool is_trained, Slot *slots, int *count) {
    for (int i = 0; i < layer->n_weights; i++) {
        KerasWeight *weight = &layer->weights[i];
        if ((weight->is_trainable && !layer->is_frozen) == is_trained) slots[(*count)++] = (Slot){layer, weight};
    }
    for (int i = 0; layer->model && i < layer->model->n_layers; i++) {
        list_slots(&layer->model->layers[i], is_trained, slots, count);
    }
}

// The part of a path that ends at `end`: its start.
static const char *part_before(const char *path, const char *end) {
    while (end > path && end[-1] != '/') end--;
    return end;
}

// "block/conv/kernel:0" is the kernel of conv.
static bool is_named(const char *path, const char *layer, const char *weight) {
    const char *end = path + strlen(path), *colon = strrchr(path, ':');
    if (colon && !strchr(colon, '/')) end = colon;
    const char *last = part_before(path, end);
    if ((size_t)(end - last) != strlen(weight) || memcmp(last, weight, strlen(weight)) != 0) return false;
    if (last == path) return true;
    const char *before = part_before(path, last - 1);
    return (size_t)(last - 1 - before) == strlen(layer) && memcmp(before, layer, strlen(layer)) == 0;
}

// Keras goes by the order. Where the name at that place says otherwise and one other name fits, that is it: versions
// have differed in the order.
static const char *pick_name(const char *const *names, size_t count, size_t at, const Slot *slot) {
    const char *found = NULL;
    int n_found = 0;
    if (is_named(names[at], slot->layer->name, slot->weight->name) || count > SEARCHED) return names[at];
    for (size_t i = 0; i < count; i++) {
        if (!is_named(names[i], slot->layer->name, slot->weight->name)) continue;
        found = names[i];
        n_found++;
    }
    return n_found == 1 ? found : names[at];
}

static Status take_dataset(const H5Object *group, const char *name, const Slot *slot) {
    bool is_found = false;
    TRY(h5_find(group, name, &slot->weight->dataset, &is_found));
    FAIL_IF(!is_found || !h5_is_dataset(&slot->weight->dataset), ST_BAD,
            "layer '%s' (%s): expected weight '%s' as dataset '%s', got none", slot->layer->name,
            slot->layer->class_name, slot->weight->name, name);
    slot->weight->is_found = true;
    return ST_OK;
}

// Frozen layers: only their own setting is looked at; that of a model goes to its layers when it is set.
static Status take_listed(Arena *scratch, const H5Object *weights, KerasLayer *layer) {
    const int count = count_weights(layer);
    H5Object group;
    bool is_found = false;
    const char **names = NULL;
    size_t n_names = 0;
    if (count == 0) return ST_OK;
    TRY(h5_find(weights, layer->name, &group, &is_found));
    if (is_found) TRY(h5_attr_texts(&group, "weight_names", &names, &n_names));
    if (!names || n_names != (size_t)count) return fail_count(layer, count, names ? n_names : 0);
    Slot *slots = arena_array(scratch, (size_t)count, sizeof *slots);
    if (!slots) return fail_memory((size_t)count * sizeof *slots);
    int listed = 0;
    list_slots(layer, true, slots, &listed);
    list_slots(layer, false, slots, &listed);
    for (int i = 0; i < count; i++) {
        TRY(take_dataset(&group, pick_name(names, n_names, (size_t)i, &slots[i]), &slots[i]));
    }
    return ST_OK;
}

static Status find_h5(KerasImport *import, const H5Object *root, KerasModel *model) {
    H5Object weights;
    bool is_found = false;
    TRY(h5_find(root, "model_weights", &weights, &is_found));
    FAIL_IF(!is_found, ST_BAD, "expected a group 'model_weights', got none");
    for (int i = 0; i < model->n_layers; i++) TRY(take_listed(import->scratch, &weights, &model->layers[i]));
    return ST_OK;
}

// ---- .keras

static bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
static bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

// What Keras does with two replacements: "_" in front of a capital with small letters behind it, and between a small
// letter and a capital. The first looks on behind the letters that it found.
const char *keras_snake_case(Arena *arena, const char *class_name) {
    const char *bare = strrchr(class_name, '>') ? strrchr(class_name, '>') + 1 : class_name;
    const size_t length = strlen(bare);
    char *out = arena_array(arena, length + 1, 3);
    size_t n = 0, free_from = 0; // where the first replacement may begin
    if (!out) return NULL;
    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)bare[i]) && bare[i] != '_') continue; // classes have no such letters
        const bool starts_word = i > free_from && is_upper(bare[i]) && is_lower(bare[i + 1]);
        if (starts_word) {
            for (free_from = i + 1; is_lower(bare[free_from]);) free_from++;
        }
        if (starts_word || (i > 0 && is_lower(bare[i - 1]) && is_upper(bare[i]))) out[n++] = '_';
        out[n++] = (char)tolower((unsigned char)bare[i]);
    }
    out[n] = 0;
    return out;
}

// How often each class has been there.
typedef struct ClassCount {
    const char *name; // in snake_case
    int count;
} ClassCount;
typedef struct Classes {
    ClassCount *classes;
    int count, capacity;
} Classes;

static Status count_class(Arena *arena, Classes *classes, const char *name, int *before) {
    for (int i = 0; i < classes->count; i++) {
        if (strcmp(classes->classes[i].name, name) != 0) continue;
        *before = classes->classes[i].count++;
        return ST_OK;
    }
    if (classes->count == classes->capacity) {
        const int capacity = MAX(32, classes->capacity * 2);
        ClassCount *grown = arena_array(arena, (size_t)capacity, sizeof *grown);
        if (!grown) return fail_memory((size_t)capacity * sizeof *grown);
        if (classes->count) memcpy(grown, classes->classes, (size_t)classes->count * sizeof *grown);
        classes->classes = grown;
        classes->capacity = capacity;
    }
    classes->classes[classes->count++] = (ClassCount){name, 1};
    *before = 0;
    return ST_OK;
}

// A group of layers: "layers", or what Keras 2.12 and 2.13 took first. There each layer that has weights is counted
// twice, so that names have gaps: the n-th layer of a class is the n-th group of that class.
typedef struct Container {
    H5Object group;
    bool is_there, has_gaps;
    const char **names;
    size_t n_names;
} Container;

static Status open_container(const H5Object *parent, Container *out) {
    *out = (Container){.is_there = false};
    TRY(h5_find(parent, "layers", &out->group, &out->is_there));
    if (!out->is_there) {
        TRY(h5_find(parent, "_layer_checkpoint_dependencies", &out->group, &out->is_there));
        out->has_gaps = out->is_there;
    }
    return out->is_there ? h5_names(&out->group, &out->names, &out->n_names) : ST_OK;
}

// "conv2d", "conv2d_1" are of class conv2d, "conv2d_transpose" is not.
static bool is_of_class(const char *name, const char *class_name) {
    const size_t length = strlen(class_name);
    if (strncmp(name, class_name, length) != 0) return false;
    if (!name[length]) return true;
    return name[length] == '_' && name[length + 1] &&
           strspn(name + length + 1, "0123456789") == strlen(name + length + 1);
}

static Status nth_of_class(const Container *container, const char *class_name, int n, H5Object *out, bool *is_found) {
    *is_found = false;
    for (size_t i = 0; i < container->n_names; i++) {
        if (!is_of_class(container->names[i], class_name) || n-- > 0) continue;
        return h5_find(&container->group, container->names[i], out, is_found);
    }
    return ST_OK;
}

// Newer files tell the layer's name; older ones do not (NULL).
static Status told_name(const H5Object *group, const char **out) {
    H5Object vars;
    bool is_found = false;
    *out = NULL;
    TRY(h5_find(group, "vars", &vars, &is_found));
    return is_found ? h5_attr_text(&vars, "name", out) : ST_OK;
}

static Status find_by_told_name(const Container *container, const char *name, H5Object *out, bool *is_found) {
    H5Object group;
    for (size_t i = 0; i < container->n_names && container->n_names <= SEARCHED; i++) {
        const char *told;
        bool is_there = false;
        TRY(h5_find(&container->group, container->names[i], &group, &is_there));
        if (is_there && !h5_is_dataset(&group)) TRY(told_name(&group, &told));
        else continue;
        if (!told || strcmp(told, name) != 0) continue;
        *out = group;
        *is_found = true;
        return ST_OK;
    }
    return ST_OK;
}

static Status find_group(KerasImport *import, const Container *container, const KerasLayer *layer, Classes *classes,
                         H5Object *out, bool *is_found) {
    const char *class_name = keras_snake_case(import->scratch, layer->class_name), *told = NULL;
    int before;
    *is_found = false;
    if (!class_name) return fail_memory(strlen(layer->class_name));
    TRY(count_class(import->scratch, classes, class_name, &before));
    if (!container->is_there || count_weights(layer) == 0) return ST_OK;
    if (container->has_gaps) return nth_of_class(container, class_name, before, out, is_found);
    Text name = {0};
    text_add(&name, before ? "%s_%d" : "%s", class_name, before);
    const Status status = h5_find(&container->group, text_get(&name), out, is_found);
    text_free(&name);
    if (status != ST_OK) return status;
    if (*is_found) TRY(told_name(out, &told));
    if (*is_found && (!told || strcmp(told, layer->name) == 0)) return ST_OK;
    return find_by_told_name(container, layer->name, out, is_found);
}

// vars/0, 1 ... of a group, for `count` weights from `first` on; *taken: how many there are.
static Status take_vars(const H5Object *group, KerasLayer *layer, int first, int count, size_t *taken) {
    H5Object vars;
    const char **names;
    bool is_found = false;
    *taken = 0;
    TRY(h5_find(group, "vars", &vars, &is_found));
    if (is_found) TRY(h5_names(&vars, &names, taken));
    for (int i = 0; i < count && *taken == (size_t)count; i++) {
        char name[16];
        const Slot slot = {layer, &layer->weights[first + i]};
        snprintf(name, sizeof name, "%d", i);
        TRY(take_dataset(&vars, name, &slot));
    }
    return ST_OK;
}

// The layers in a MultiHeadAttention: with and without "_" in front. Each has as many weights as another.
static Status take_attention(const H5Object *group, KerasLayer *layer) {
    static const char *const parts[] = {"_query_dense", "_key_dense", "_value_dense", "_output_dense"};
    const int each = layer->n_weights / (int)COUNT_OF(parts);
    for (int i = 0; i < (int)COUNT_OF(parts); i++) {
        H5Object part;
        bool is_found = false;
        size_t taken = 0;
        TRY(h5_find(group, parts[i] + 1, &part, &is_found));
        if (!is_found) TRY(h5_find(group, parts[i], &part, &is_found));
        if (is_found) TRY(take_vars(&part, layer, i * each, each, &taken));
        if (taken != (size_t)each) return fail_count(layer, layer->n_weights, (size_t)(i * each) + taken);
    }
    return ST_OK;
}

// A shell has the weights in the layer in it.
static Status take_own(const H5Object *group, KerasLayer *layer) {
    H5Object inner = *group;
    bool is_found = true;
    size_t taken = 0;
    if (layer->kind->import == keras_multi_head_attention) return take_attention(group, layer);
    if (layer->kind->import == keras_time_distributed) TRY(h5_find(group, "layer", &inner, &is_found));
    if (is_found) TRY(take_vars(&inner, layer, 0, layer->n_weights, &taken));
    return taken == (size_t)layer->n_weights ? ST_OK : fail_count(layer, layer->n_weights, taken);
}

static Status find_models(KerasImport *import, const H5Object *group, KerasModel *model) {
    Container container;
    Classes classes = {0};
    TRY(open_container(group, &container));
    for (int i = model->is_input_added ? 1 : 0; i < model->n_layers; i++) {
        KerasLayer *layer = &model->layers[i];
        H5Object own;
        bool is_found;
        if (layer->is_operation) continue;
        TRY(find_group(import, &container, layer, &classes, &own, &is_found));
        if (count_weights(layer) == 0) continue;
        if (!is_found) return fail_count(layer, count_weights(layer), 0);
        TRY(layer->model ? find_models(import, &own, layer->model) : take_own(&own, layer));
    }
    return ST_OK;
}

Status keras_find_weights(KerasImport *import, const H5Object *root, KerasModel *model) {
    TRY(keras_list_weights(import->scratch, model));
    return import->is_zip ? find_models(import, root, model) : find_h5(import, root, model);
}

// ---- for layers

KerasWeight *layer_slot(const LayerCall *call, const char *name) {
    for (int i = 0; i < call->layer->n_weights; i++) {
        if (strcmp(call->layer->weights[i].name, name) == 0) return &call->layer->weights[i];
    }
    return NULL;
}

bool layer_has_weight(const LayerCall *call, const char *name) { return layer_slot(call, name) != NULL; }

// Everything is computed from float32.
static Status as_floats(LayerCall *call, Tensor *tensor) {
    if (tensor->dtype == DT_F32) return ST_OK;
    call->import->notes.half_weights++;
    return weight_as_float(&call->emit.graph->arena, tensor, tensor);
}

static Status read_weight(LayerCall *call, KerasWeight *weight) {
    if (weight->is_read) return ST_OK;
    const Status status = h5_tensor(&weight->dataset, &weight->tensor);
    if (status != ST_OK) return fail_context(status, "weight '%s'", weight->name);
    FAIL_IF(!dtype_is_float(weight->tensor.dtype), ST_BAD, "weight '%s': expected floats, got %s", weight->name,
            dtype_name(weight->tensor.dtype));
    TRY(as_floats(call, &weight->tensor));
    weight->is_read = true;
    return ST_OK;
}

Status layer_weight(LayerCall *call, const char *name, int rank, Tensor *weight) {
    KerasWeight *found = layer_slot(call, name);
    FAIL_IF(!found || !found->is_found, ST_BAD, "expected a weight '%s', got none", name);
    TRY(read_weight(call, found));
    *weight = found->tensor;
    FAIL_IF(rank >= 0 && weight->shape.rank != rank, ST_BAD, "weight '%s': expected %d dims, got %d", name, rank,
            weight->shape.rank);
    return ST_OK;
}

// Numbers that lie unaligned in the file were copied; of those one copy is enough.
void layer_weight_done(LayerCall *call, const char *name) {
    const KerasWeight *slot = layer_slot(call, name);
    if (slot->is_read) pages_forget(slot->tensor.data, tensor_bytes(&slot->tensor));
}

static Status check_dims(const char *name, const Tensor *weight, const int64_t *dims) {
    Text got = {0};
    for (int i = 0; i < weight->shape.rank; i++) {
        if (dims[i] < 0 || dims[i] == weight->shape.dim[i]) continue;
        shape_print(&got, &weight->shape);
        const Status status = fail(ST_BAD, "weight '%s': expected %lld at axis %d, got shape %s", name,
                                   (long long)dims[i], i, text_get(&got));
        text_free(&got);
        return status;
    }
    return ST_OK;
}

Status layer_constant(LayerCall *call, const char *name, const int64_t *dims, int rank, const int *perm, ValueId *out) {
    KerasWeight *slot = layer_slot(call, name);
    Tensor weight;
    FAIL_IF(!slot, ST_BAD, "expected a weight '%s', got none", name);
    if (slot->value != NO_VALUE) {
        *out = slot->value;
        return ST_OK;
    }
    TRY(layer_weight(call, name, rank, &weight));
    TRY(check_dims(name, &weight, dims));
    if (perm) TRY(emit_permuted(&call->emit, name, &weight, perm, &slot->value));
    if (perm) layer_weight_done(call, name);
    else TRY(emit_tensor(&call->emit, name, &weight, &slot->value));
    *out = slot->value;
    return ST_OK;
}

Status layer_vector(LayerCall *call, const char *name, int64_t count, double otherwise, ValueId *out) {
    Tensor made;
    if (layer_has_weight(call, name)) return layer_constant(call, name, &count, 1, NULL, out);
    FAIL_IF(count > MOST_CHANNELS, ST_UNSUPPORTED, "%lld channels", (long long)count);
    TRY(tensor_make(&call->emit.graph->arena, DT_F32, shape_of(1, &count), &made));
    for (int64_t i = 0; i < count; i++) tensor_set(&made, i, otherwise);
    return emit_tensor(&call->emit, name, &made, out);
}
