// Small programs of torch.export.save made in memory, in each of the archive's layouts:
//
//     ExportFile file = export_file(EXPORT_LISTS);
//     export_input(&file, "x", "1,2,s0");                          // a dim that is no number is a symbol
//     export_weight(&file, "conv.weight", "2,3", 1);               // 1 2 3 4 5 6; "conv.weight" is its name in nodes
//     too export_node(&file, "aten.add.Tensor", "self=%x other=2.5 alpha=1", "y"); export_output(&file, "%y"); const
//     char *path = export_save(&file, "m.pt2");
//
// Arguments: %x a tensor, #s a symbolic number, [%a,%b] or [1,2,#s] lists, 2, 2.5, True, None, 'text', {json} with '
// for
// ". Results: "y", "a b", "[a,b]" a list, "#s" a number, "_" None.
#pragma once
#include "import/torch_writer.h"

typedef enum ExportLayout { EXPORT_LISTS, EXPORT_2_8, EXPORT_2_5 } ExportLayout;
enum { EXPORT_WEIGHTS = 16, EXPORT_CHANGES = 8 };

typedef struct ExportWeight {
    char name[64], dims[64];
    float first;
    bool is_constant, is_mine; // mine: its numbers are another one's
} ExportWeight;

typedef struct ExportFile {
    ExportLayout layout;
    Text inputs, nodes, outputs, values, specs, output_specs;
    ExportWeight weights[EXPORT_WEIGHTS];
    int n_weights;
    const char *out_spec; // of what forward() returns, JSON with ' for "
    const char *ranges;   // JSON with ' for ": "'s0': {'min_val': 2, 'max_val': 8}"
    const char *omit;     // the file whose name ends so is left out
    const char *extra;    // a file of that name is there as well
    struct {
        const char *from, *to;
    } changes[EXPORT_CHANGES]; // of the JSON texts, ' for "; all of them have to be found
    int n_changes;
    bool deflated;
} ExportFile;

static inline ExportFile export_file(ExportLayout layout) { return (ExportFile){.layout = layout}; }

static inline void export_change(ExportFile *file, const char *from, const char *to) {
    REQUIRE(file->n_changes < EXPORT_CHANGES);
    file->changes[file->n_changes].from = from;
    file->changes[file->n_changes++].to = to;
}

// ---- pieces of JSON, ' for " until all is written

static inline void export_comma(Text *to) { text_add(to, to->length > 0 ? ", " : ""); }

static inline bool export_is_number(const char *at) {
    const size_t digits = strspn(at, "-0123456789");
    return digits > 0 && (at[digits] == 0 || at[digits] == ',');
}

static inline void export_sizes(Text *to, const char *dims) {
    text_add(to, "[");
    for (const char *at = dims; *at;) {
        const int length = (int)strcspn(at, ",");
        text_add(to, at == dims ? "" : ", ");
        if (export_is_number(at)) text_add(to, "{'as_int': %.*s}", length, at);
        else text_add(to, "{'as_expr': {'expr_str': '%.*s', 'hint': null}}", length, at);
        at += length;
        at += *at == ',';
    }
    text_add(to, "]");
}

static inline void export_meta(Text *to, int type, const char *dims) {
    int64_t size[8], step = 1;
    int rank = 0;
    char strides[8][24];
    text_add(to, "{'dtype': %d, 'sizes': ", type);
    export_sizes(to, dims);
    for (const char *at = dims; *at; at += *at == ',') {
        size[rank++] = export_is_number(at) ? atoll(at) : 1;
        at += strcspn(at, ",");
    }
    for (int i = rank - 1; i >= 0; i--) {
        snprintf(strides[i], sizeof strides[i], "{'as_int': %lld}", (long long)step);
        step *= size[i];
    }
    text_add(to, ", 'requires_grad': false, 'device': {'type': 'cpu', 'index': null}, 'strides': [");
    for (int i = 0; i < rank; i++) text_add(to, "%s%s", i ? ", " : "", strides[i]);
    text_add(to, "], 'storage_offset': {'as_int': 0}, 'layout': 7}");
}

static inline void export_type(ExportFile *file, const char *name, int type, const char *dims) {
    export_comma(&file->values);
    text_add(&file->values, "'%s': ", name);
    export_meta(&file->values, type, dims);
}

static inline void export_input_of(ExportFile *file, const char *name, int type, const char *dims) {
    export_comma(&file->inputs);
    text_add(&file->inputs, "{'as_tensor': {'name': '%s'}}", name);
    export_comma(&file->specs);
    text_add(&file->specs, "{'user_input': {'arg': {'as_tensor': {'name': '%s'}}}}", name);
    export_type(file, name, type, dims);
}
static inline void export_input(ExportFile *file, const char *name, const char *dims) {
    export_input_of(file, name, 7, dims);
}

// Float numbers first, first + 1, ...
static inline void export_tensor(ExportFile *file, const char *kind, const char *name, const char *dims, float first) {
    REQUIRE(file->n_weights < EXPORT_WEIGHTS);
    ExportWeight *weight = &file->weights[file->n_weights++];
    snprintf(weight->name, sizeof weight->name, "%s", name);
    snprintf(weight->dims, sizeof weight->dims, "%s", dims);
    weight->first = first;
    weight->is_constant = strcmp(kind, "tensor_constant") == 0;
    export_comma(&file->inputs);
    text_add(&file->inputs, "{'as_tensor': {'name': '%s'}}", name);
    export_comma(&file->specs);
    text_add(&file->specs, "{'%s': {'arg': {'name': '%s'}, '%s_name': '%s', 'persistent': true}}", kind, name, kind,
             name);
    export_type(file, name, 7, dims);
}
static inline void export_weight(ExportFile *file, const char *name, const char *dims, float first) {
    export_tensor(file, "parameter", name, dims, first);
}
static inline void export_constant(ExportFile *file, const char *name, const char *dims, float first) {
    export_tensor(file, "tensor_constant", name, dims, first);
}

static inline void export_list(Text *to, const char *at, int length) {
    const bool is_tensors = length > 2 && at[1] == '%', is_symbolic = memchr(at, '#', (size_t)length) != NULL;
    const bool is_floats = !is_symbolic && memchr(at, '.', (size_t)length) != NULL;
    text_add(to, "{'%s': [",
             is_tensors    ? "as_tensors"
             : is_symbolic ? "as_sym_ints"
             : is_floats   ? "as_floats"
                           : "as_ints");
    for (const char *item = at + 1; *item != ']';) {
        const int size = (int)strcspn(item, ",]");
        text_add(to, item == at + 1 ? "" : ", ");
        if (*item == '%') text_add(to, "{'name': '%.*s'}", size - 1, item + 1);
        else if (*item == '#') text_add(to, "{'as_name': '%.*s'}", size - 1, item + 1);
        else if (is_symbolic) text_add(to, "{'as_int': %.*s}", size, item);
        else text_add(to, "%.*s", size, item);
        item += size;
        item += *item == ',';
    }
    text_add(to, "]}");
}

static inline void export_value(Text *to, const char *at, int length) {
    if (*at == '%') text_add(to, "{'as_tensor': {'name': '%.*s'}}", length - 1, at + 1);
    else if (*at == '#') text_add(to, "{'as_sym_int': {'as_name': '%.*s'}}", length - 1, at + 1);
    else if (*at == '[') export_list(to, at, length);
    else if (*at == '{') text_add(to, "%.*s", length, at);
    else if (*at == '\'') text_add(to, "{'as_string': %.*s}", length, at);
    else if (*at == 'N') text_add(to, "{'as_none': true}");
    else if (*at == 'T' || *at == 'F') text_add(to, "{'as_bool': %s}", *at == 'T' ? "true" : "false");
    else text_add(to, "{'%s': %.*s}", memchr(at, '.', (size_t)length) ? "as_float" : "as_int", length, at);
}

// Up to a blank that is in no brackets.
static inline int export_word(const char *at) {
    int depth = 0, length = 0;
    for (; at[length] && (at[length] != ' ' || depth > 0); length++) depth += (at[length] == '{') - (at[length] == '}');
    return length;
}

static inline void export_arguments(Text *to, const char *arguments) {
    for (const char *at = arguments; *at;) {
        const char *equal = strchr(at, '=');
        REQUIRE(equal);
        const int length = export_word(equal + 1);
        text_add(to, "%s{'name': '%.*s', 'arg': ", at == arguments ? "" : ", ", (int)(equal - at), at);
        export_value(to, equal + 1, length);
        text_add(to, ", 'kind': 1}");
        at = equal + 1 + length;
        at += *at == ' ';
    }
}

static inline void export_results(Text *to, const char *results) {
    for (const char *at = results; *at;) {
        const int length = export_word(at);
        text_add(to, at == results ? "" : ", ");
        if (*at == '_') text_add(to, "{'as_none': true}");
        else if (*at == '#') text_add(to, "{'as_sym_int': {'as_name': '%.*s'}}", length - 1, at + 1);
        else if (*at == '[') {
            text_add(to, "{'as_tensors': [");
            for (const char *item = at + 1; item < at + length; item++) {
                const int size = (int)strcspn(item, ",]");
                text_add(to, "%s{'name': '%.*s'}", item == at + 1 ? "" : ", ", size, item);
                item += size;
            }
            text_add(to, "]}");
        } else text_add(to, "{'as_tensor': {'name': '%.*s'}}", length, at);
        at += length;
        at += *at == ' ';
    }
}

// The text of one node; target "aten.relu.default", or one with its "torch.ops." or "_operator." in front.
static inline void export_put_node(Text *to, const char *target, const char *arguments, const char *results) {
    const bool is_whole = text_starts(target, "torch.") || text_starts(target, "_") || text_starts(target, "math");
    export_comma(to);
    text_add(to, "{'target': '%s%s', 'inputs': [", is_whole ? "" : "torch.ops.", target);
    export_arguments(to, arguments);
    text_add(to, "], 'outputs': [");
    export_results(to, results);
    text_add(to, "], 'metadata': {'stack_trace': 'File \\'/a/net.py\\', line 12, in f', "
                 "'nn_module_stack': 'E,,Net;E_enc,enc.conv,Conv2d'}}");
}
static inline void export_node(ExportFile *file, const char *target, const char *arguments, const char *results) {
    export_put_node(&file->nodes, target, arguments, results);
}

// A graph as an argument of a higher-order operator: "{'as_graph': ...}"; `inputs` as results, `outputs` as arguments
// separated by blanks. The caller frees the text.
static inline Text export_graph(const char *inputs, const Text *nodes, const char *outputs) {
    Text text = {0};
    text_add(&text, "{'as_graph': {'name': 'submodule', 'graph': {'inputs': [");
    export_results(&text, inputs);
    text_add(&text, "], 'outputs': [");
    for (const char *at = outputs; *at; at += *at == ' ') {
        const int length = export_word(at);
        text_add(&text, at == outputs ? "" : ", ");
        export_value(&text, at, length);
        at += length;
    }
    text_add(&text, "], 'nodes': [%s], 'tensor_values': {}, 'sym_int_values': {}, 'sym_bool_values': {}}}}",
             text_get(nodes));
    return text;
}

static inline void export_output(ExportFile *file, const char *value) {
    export_comma(&file->outputs);
    export_value(&file->outputs, value, (int)strlen(value));
    export_comma(&file->output_specs);
    text_add(&file->output_specs, "{'user_output': {'arg': ");
    export_value(&file->output_specs, value, (int)strlen(value));
    text_add(&file->output_specs, "}}");
}

// ---- the archive

// " for ', ' for `, and \' stays within a text; with the changes.
static inline Text export_json(ExportFile *file, const Text *from) {
    Text text = {0}, changed = {0};
    text_bytes(&changed, from->data, from->length);
    for (int i = 0; i < file->n_changes; i++) {
        const char *found = strstr(text_get(&changed), file->changes[i].from);
        if (!found) continue;
        Text next = {0};
        text_bytes(&next, changed.data, (size_t)(found - changed.data));
        text_add(&next, "%s%s", file->changes[i].to, found + strlen(file->changes[i].from));
        text_free(&changed);
        changed = next;
        file->changes[i].from = "\x01"; // found once
    }
    for (const char *at = text_get(&changed); *at; at++) {
        if (at[0] == '\\' && at[1] == '\'') {
            text_add(&text, "\\\"");
            at++;
        } else text_add(&text, "%c", *at == '\'' ? '"' : *at == '`' ? '\'' : *at);
    }
    text_free(&changed);
    return text;
}

static inline void export_put(ExportFile *file, MadeZip *zip, const char *name, const void *data, size_t size) {
    if (file->omit && text_ends(name, file->omit)) return;
    zip_put(zip, name, data, size);
}
static inline void export_put_text(ExportFile *file, MadeZip *zip, const char *name, const char *text) {
    export_put(file, zip, name, text, strlen(text));
}

static inline Text export_program(ExportFile *file) {
    Text text = {0};
    text_add(&text,
             "{'graph_module': {'graph': {'inputs': [%s], 'outputs': [%s], 'nodes': [%s], 'tensor_values': {%s}, "
             "'sym_int_values': {}, 'sym_bool_values': {}, 'is_single_tensor_return': false, 'custom_obj_values': {}}, "
             "'signature': {'input_specs': [%s], 'output_specs': [%s]}, 'module_call_graph': [{'fqn': '', 'signature': "
             "{'inputs': [], 'outputs': [], 'in_spec': '', 'out_spec': '",
             text_get(&file->inputs), text_get(&file->outputs), text_get(&file->nodes), text_get(&file->values),
             text_get(&file->specs), text_get(&file->output_specs));
    for (const char *at = file->out_spec ? file->out_spec : ""; *at; at++) {
        if (*at == '"') text_add(&text, "\\\\\\'"); // in a text in a text
        else if (*at == '\'') text_add(&text, "\\'");
        else text_add(&text, "%c", *at);
    }
    text_add(&text,
             "'}}], 'metadata': {}, 'treespec_namedtuple_fields': {'Pair': {'field_names': ['left', 'right']}}}, "
             "'opset_version': {'aten': 10}, 'range_constraints': {%s}, 'schema_version': {'major': %d, 'minor': 3}, "
             "'verifiers': ['ATEN'], 'torch_version': '2.15.0'}",
             file->ranges ? file->ranges : "", file->layout == EXPORT_2_5 ? 7 : 8);
    return text;
}

// Weights or constants as a file of torch.save.
static inline void export_put_pickled(ExportFile *file, MadeZip *zip, const char *name, bool constants) {
    TorchMade made = torch_made();
    put_dict(&made.object);
    for (int i = 0; i < file->n_weights; i++) {
        const ExportWeight *weight = &file->weights[i];
        if (weight->is_constant == constants) put_floats(&made, weight->name, weight->dims, weight->first);
    }
    put_end(&made.object);
    Text bytes = torch_zip_bytes(&made, false);
    export_put(file, zip, name, bytes.data, bytes.length);
    text_free(&bytes);
    torch_drop(&made);
}

// ... or as a list, with a file each.
static inline void export_put_list(ExportFile *file, MadeZip *zip, const char *folder, const char *what,
                                   bool constants) {
    Text list = {0};
    char name[128];
    int number = 0;
    for (int i = 0; i < file->n_weights; i++) {
        const ExportWeight *weight = &file->weights[i];
        int64_t dims[8];
        int rank;
        if (weight->is_constant != constants) continue;
        const int64_t count = parse_size(weight->dims, dims, &rank);
        float *values = calloc((size_t)count + 1, sizeof *values);
        REQUIRE(values);
        for (int64_t k = 0; k < count; k++) values[k] = weight->first + (float)k;
        snprintf(name, sizeof name, "m/data/%s/%s_%d", folder, what, number);
        export_put(file, zip, name, values, (size_t)count * sizeof *values);
        free(values);
        export_comma(&list);
        text_add(&list,
                 "'%s': {'path_name': '%s_%d', 'is_param': true, 'use_pickle': false, 'tensor_meta': ", weight->name,
                 what, number++);
        export_meta(&list, 7, weight->dims);
        text_add(&list, "}");
    }
    Text config = {0};
    text_add(&config, "{'config': {%s}}", text_get(&list));
    Text json = export_json(file, &config);
    snprintf(name, sizeof name, "m/data/%s/model_%s_config.json", folder, folder);
    export_put_text(file, zip, name, text_get(&json));
    text_free(&json), text_free(&config), text_free(&list);
}

static inline void export_drop(ExportFile *file) {
    Text *texts[] = {&file->inputs, &file->nodes, &file->outputs, &file->values, &file->specs, &file->output_specs};
    for (size_t i = 0; i < COUNT_OF(texts); i++) text_free(texts[i]);
}

// Drops the file; the caller frees the text.
static inline Text export_bytes(ExportFile *file) {
    MadeZip zip = {.deflated = file->deflated};
    if (file->layout == EXPORT_LISTS) { // changes apply to these first
        export_put_list(file, &zip, "weights", "weight", false);
        export_put_list(file, &zip, "constants", "tensor", true);
    }
    Text program = export_program(file), json = export_json(file, &program);
    if (file->layout == EXPORT_2_5) {
        export_put_text(file, &zip, "serialized_exported_program.json", text_get(&json));
        export_put_pickled(file, &zip, "serialized_state_dict.pt", false);
        export_put_pickled(file, &zip, "serialized_constants.pt", true);
        export_put_text(file, &zip, "version", "7.3");
    } else {
        export_put_text(file, &zip, "m/models/model.json", text_get(&json));
        if (file->layout == EXPORT_2_8) {
            export_put_pickled(file, &zip, "m/data/weights/model.pt", false);
            export_put_pickled(file, &zip, "m/data/constants/model.pt", true);
        }
        export_put_text(file, &zip, "m/archive_format", "pt2");
        export_put_text(file, &zip, "m/archive_version", "0");
        export_put_text(file, &zip, "m/byteorder", "little");
    }
    if (file->extra) zip_put(&zip, file->extra, "{}", 2);
    for (int i = 0; i < file->n_changes; i++)
        CHECK_MSG(*file->changes[i].from == 1, "no '%s' to change", file->changes[i].from);
    text_free(&json), text_free(&program);
    export_drop(file);
    return zip_end(&zip);
}

static inline const char *export_save(ExportFile *file, const char *name) {
    Text bytes = export_bytes(file);
    return torch_write(&bytes, name);
}
