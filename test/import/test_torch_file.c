// What torch.save writes: state_dicts, checkpoints and modules, in both forms of the file.
#include "import/onnx_check.h"
#include "import/torch_check.h"

// ---- tensors

TEST(a_state_dict) {
    TorchMade made = torch_made();
    put_dict(&made.object);
    put_floats(&made, "conv.weight", "2,3", 1);
    put_floats(&made, "conv.bias", "2", -1.5f);
    put_end(&made.object);
    check_state(&made, "conv.weight 2x3 {1 2 3 4 5 6}; conv.bias 2 {-1.5 -0.5}", "");
}

TEST(an_ordered_dict_with_metadata) {
    TorchMade made = torch_made();
    put_ordered_dict(&made.object);
    put_floats(&made, "a", "2", 1);
    put_floats(&made, "b", "", 7);
    put_end(&made.object);
    put_dict(&made.object);
    put_str(&made.object, "_metadata");
    put_ordered_dict(&made.object);
    put_end(&made.object);
    put_end(&made.object);
    put_code(&made.object, 'b');
    check_state(&made, "a 2 {1 2}; b scalar {7}", "");
}

// OrderedDict([['a', tensor]]), and names as str.
TEST(an_ordered_dict_of_python_2) {
    TorchMade made = torch_made();
    put_global(&made.object, "collections", "OrderedDict");
    text_add(&made.object, "(](](");
    text_bytes(&made.object, "U\1a", 3);
    put_range(&made, "2", 1);
    text_add(&made.object, "eetR");
    check_state(&made, "a 2 {1 2}", "");
}

TEST(numbers_of_every_type) {
    TorchMade made = torch_made();
    put_dict(&made.object);
    put_str(&made.object, "f16");
    put_tensor(&made, "HalfStorage", "2", (const uint16_t[]){0x3c00, 0xc000}, 4);
    put_str(&made.object, "bf16");
    put_tensor(&made, "BFloat16Storage", "2", (const uint16_t[]){0x3f80, 0xc000}, 4);
    put_str(&made.object, "f64");
    put_tensor(&made, "DoubleStorage", "1", (const double[]){0.25}, 8);
    put_str(&made.object, "i64");
    put_tensor(&made, "LongStorage", "1", (const int64_t[]){-5}, 8);
    put_str(&made.object, "i32");
    put_tensor(&made, "IntStorage", "1", (const int32_t[]){-4}, 4);
    put_str(&made.object, "i16");
    put_tensor(&made, "ShortStorage", "1", (const int16_t[]){-3}, 2);
    put_str(&made.object, "i8");
    put_tensor(&made, "CharStorage", "1", (const int8_t[]){-2}, 1);
    put_str(&made.object, "u8");
    put_tensor(&made, "ByteStorage", "1", (const uint8_t[]){200}, 1);
    put_str(&made.object, "bool");
    put_tensor(&made, "BoolStorage", "3", (const uint8_t[]){0, 1, 2}, 3);
    put_end(&made.object);
    check_state(&made,
                "f16 2 {1 -2}; bf16 2 {1 -2}; f64 1 {0.25}; i64 int64 1 {-5}; i32 int32 1 {-4}; i16 int16 1 {-3}; "
                "i8 int8 1 {-2}; u8 uint8 1 {200}; bool bool 3 {0 1 1}",
                "3 tensors of float64, float16, bfloat16 are float32 here");
}

TEST(views_of_one_storage) {
    const float values[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    TorchMade made = torch_made();
    const int storage = add_storage(&made, "FloatStorage", values, sizeof values, 12);
    put_dict(&made.object);
    put_str(&made.object, "whole");
    put_view(&made, storage, 0, "3,4", "4,1");
    put_str(&made.object, "part");
    put_view(&made, storage, 4, "2,3", "3,1");
    put_str(&made.object, "transposed");
    put_view(&made, storage, 0, "4,3", "1,4");
    put_str(&made.object, "column");
    put_view(&made, storage, 1, "3", "4");
    put_str(&made.object, "expanded");
    put_view(&made, storage, 5, "2,3", "0,0");
    put_str(&made.object, "channels_last"); // (2, 2, 1, 3) as N H W C
    put_view(&made, storage, 0, "2,2,1,3", "6,1,6,2");
    put_str(&made.object, "one"); // strides of dims of 1 say nothing
    put_view(&made, storage, 11, "1,1", "9000000000000000000,77");
    put_str(&made.object, "empty");
    put_view(&made, storage, 12, "0,9000000000000000000,5", "1,1,1");
    put_str(&made.object, "cube");
    put_view(&made, storage, 0, "2,2,2", "1,2,6");
    put_end(&made.object);
    check_state(&made,
                "whole 3x4 {0 1 2 3 4 5 6 7 8 9 10 11}; part 2x3 {4 5 6 7 8 9}; "
                "transposed 4x3 {0 4 8 1 5 9 2 6 10 3 7 11}; column 3 {1 5 9}; expanded 2x3 {5 5 5 5 5 5}; "
                "channels_last 2x2x1x3 {0 2 4 1 3 5 6 8 10 7 9 11}; one 1x1 {11}; empty 0x9000000000000000000x5 {}; "
                "cube 2x2x2 {0 6 2 8 1 7 3 9}",
                "");
}

// A half and a bool that are no runs: copied, then converted.
TEST(views_that_are_converted) {
    const uint16_t halves[] = {0x3c00, 0x4000, 0x4200, 0x4400};
    const uint8_t flags[] = {0, 3, 1, 0};
    TorchMade made = torch_made();
    put_dict(&made.object);
    put_str(&made.object, "h");
    put_view(&made, add_storage(&made, "HalfStorage", halves, 8, 4), 0, "2,2", "1,2");
    put_str(&made.object, "b");
    put_view(&made, add_storage(&made, "BoolStorage", flags, 4, 4), 1, "2", "2");
    put_end(&made.object);
    check_state(&made, "h 2x2 {1 3 2 4}; b bool 2 {1 0}", "1 tensor of float16 is float32 here");
}

static bool is_inside(const void *data, const Mapping *mapping) {
    return (const uint8_t *)data >= mapping->data && (const uint8_t *)data < mapping->data + mapping->size;
}

TEST(large_tensors_stay_in_the_mapping) {
    TorchMade made = torch_made();
    Loaded loaded;
    put_dict(&made.object);
    put_floats(&made, "large", "64,64", 1);
    put_floats(&made, "small", "8", 1);
    put_end(&made.object);
    CHECK_OK(torch_load_file(torch_zip(&made, "a.pth"), &loaded));
    CHECK(is_inside(torch_find(&loaded.state, "large")->data, &loaded.imported.mappings[0]));
    CHECK(!is_inside(torch_find(&loaded.state, "small")->data, &loaded.imported.mappings[0]));
    torch_unload(&loaded);
    torch_drop(&made);
}

TEST(a_zip_that_was_packed) {
    TorchMade made = torch_made();
    put_dict(&made.object);
    put_floats(&made, "a", "2,20", 1);
    put_end(&made.object);
    Text bytes = torch_zip_bytes(&made, true);
    Loaded loaded;
    CHECK_OK(torch_load_file(torch_write(&bytes, "packed.pth"), &loaded));
    CHECK(tensor_get(torch_find(&loaded.state, "a"), 39) == 40);
    torch_unload(&loaded);
    torch_drop(&made);
}

TEST(parameters_and_subclasses) {
    TorchMade made = torch_made();
    Text *to = &made.object;
    put_dict(to);
    put_str(to, "parameter");
    put_global(to, "torch._utils", "_rebuild_parameter");
    put_code(to, '(');
    put_range(&made, "2", 1);
    put_code(to, 0x88);
    put_global(to, "collections", "OrderedDict");
    text_add(to, ")RtR");
    put_str(to, "subclass"); // _rebuild_from_type_v2(function, type, arguments, state)
    put_global(to, "torch._tensor", "_rebuild_from_type_v2");
    put_code(to, '(');
    put_global(to, "torch._utils", "_rebuild_tensor_v2");
    put_global(to, "monai.data", "MetaTensor");
    put_code(to, '(');
    put_storage(&made, add_storage(&made, "FloatStorage", (const float[]){3, 4}, 8, 2));
    put_number(to, 0);
    put_tuple(to, "2");
    put_tuple(to, "1");
    put_code(to, 0x89);
    text_add(to, "}t}tR");
    put_end(to);
    check_state(&made, "parameter 2 {1 2}; subclass 2 {3 4}", "");
}

// _rebuild_tensor of old files; _rebuild_tensor_v3, which names the type itself; torch.Size.
TEST(other_forms_of_tensors) {
    TorchMade made = torch_made();
    Text *to = &made.object;
    put_dict(to);
    put_str(to, "v1");
    put_global(to, "torch._utils", "_rebuild_tensor");
    put_code(to, '(');
    put_storage(&made, add_storage(&made, "FloatStorage", (const float[]){3, 4}, 8, 2));
    put_number(to, 0);
    put_global(to, "torch", "Size");
    put_tuple(to, "2");
    text_add(to, "\x85R");
    put_tuple(to, "1");
    text_add(to, "tR");
    put_str(to, "v3");
    put_global(to, "torch._utils", "_rebuild_tensor_v3");
    put_code(to, '(');
    put_storage(&made, add_storage(&made, "UntypedStorage", (const uint16_t[]){7, 65535, 9}, 6, 6));
    put_number(to, 1);
    put_tuple(to, "2");
    put_tuple(to, "1");
    put_code(to, 0x89);
    text_add(to, "}");
    put_global(to, "torch", "uint16");
    text_add(to, "tR");
    put_end(to);
    check_state(&made, "v1 2 {3 4}; v3 uint16 2 {65535 9}", "");
}

// ---- where the weights are

static void put_weights(TorchMade *made, const char *prefix, float first) {
    char name[64];
    put_dict(&made->object);
    snprintf(name, sizeof name, "%sconv.weight", prefix);
    put_floats(made, name, "2", first);
    put_end(&made->object);
}

static void put_pair(Text *to, const char *key, int64_t value) {
    put_str(to, key);
    put_number(to, value);
}

TEST(a_checkpoint) {
    TorchMade made = torch_made();
    put_dict(&made.object);
    put_pair(&made.object, "epoch", 12);
    put_floats(&made, "best", "", 0.5f); // a tensor beside them
    put_str(&made.object, "optimizer_state_dict");
    put_weights(&made, "", 5);
    put_str(&made.object, "model_state_dict");
    put_weights(&made, "", 1);
    put_end(&made.object);
    check_state(&made, "conv.weight 2 {1 2}", "weights of 'model_state_dict'");
}

TEST(the_better_key_wins) {
    TorchMade made = torch_made();
    put_dict(&made.object);
    put_str(&made.object, "ema");
    put_weights(&made, "", 5);
    put_str(&made.object, "state_dict");
    put_weights(&made, "", 1);
    put_str(&made.object, "net");
    put_code(&made.object, 'N');
    put_end(&made.object);
    check_state(&made, "conv.weight 2 {1 2}", "weights of 'state_dict'");
}

TEST(the_only_dict_with_weights) {
    TorchMade made = torch_made();
    put_dict(&made.object);
    put_str(&made.object, "whatever");
    put_dict(&made.object);
    put_pair(&made.object, "version", 1);
    put_str(&made.object, "inside");
    put_weights(&made, "", 1);
    put_end(&made.object);
    put_str(&made.object, "optim");
    put_weights(&made, "", 5);
    put_end(&made.object);
    check_state(&made, "conv.weight 2 {1 2}", "weights of 'inside'");
}

TEST(several_networks) {
    TorchMade made = torch_made();
    put_dict(&made.object);
    put_str(&made.object, "G");
    put_weights(&made, "", 1);
    put_str(&made.object, "D");
    put_weights(&made, "", 1);
    put_end(&made.object);
    check_state_fails(&made, ST_UNSUPPORTED, "this file holds several networks ('G', 'D'); save the state_dict of one");
}

TEST(prefixes_that_all_names_have) {
    TorchMade made = torch_made();
    put_dict(&made.object);
    put_floats(&made, "module._orig_mod.model.a.weight", "1", 1);
    put_floats(&made, "module._orig_mod.model.b.weight", "1", 2);
    put_end(&made.object);
    check_state(&made, "a.weight 1 {1}; b.weight 1 {2}", "names without 'module._orig_mod.model.' in front");
    made = torch_made();
    put_dict(&made.object);
    put_floats(&made, "model.a.weight", "1", 1);
    put_floats(&made, "loss.weight", "1", 2);
    put_end(&made.object);
    check_state(&made, "model.a.weight 1 {1}; loss.weight 1 {2}", "");
    made = torch_made();
    put_dict(&made.object);
    put_floats(&made, "module.model.0.weight", "1", 1); // a list of layers that the network calls its model
    put_floats(&made, "module.model.1.weight", "1", 2);
    put_end(&made.object);
    check_state(&made, "model.0.weight 1 {1}; model.1.weight 1 {2}", "names without 'module.' in front");
    made = torch_made();
    put_dict(&made.object);
    put_floats(&made, "module.", "1", 1);
    put_end(&made.object);
    check_state(&made, "module. 1 {1}", "");
}

TEST(counters_and_others_are_left_out) {
    TorchMade made = torch_made();
    put_dict(&made.object);
    put_str(&made.object, "n_averaged");
    put_tensor(&made, "LongStorage", "", (const int64_t[]){3}, 8);
    put_floats(&made, "module.bn.weight", "1", 1);
    put_str(&made.object, "module.bn.num_batches_tracked");
    put_tensor(&made, "LongStorage", "", (const int64_t[]){99}, 8);
    put_pair(&made.object, "version", 1);
    put_number(&made.object, 5);
    put_range(&made, "1", 1); // a key that is no text
    put_end(&made.object);
    check_state(&made, "bn.weight 1 {1}",
                "names without 'module.' in front; 2 entries that are no tensors are left out");
}

// ---- whole modules

// An object of class net.NAME, open for its state: {'training': True, '_parameters': OrderedDict(...
static void put_module(TorchMade *made, const char *name) {
    Text *to = &made->object;
    put_global(to, "net", name);
    text_add(to, ")\x81");
    put_dict(to);
    put_str(to, "training");
    put_code(to, 0x88);
}
static void put_empty(Text *to, const char *key) {
    put_str(to, key);
    put_ordered_dict(to);
    put_end(to);
}
static void end_module(TorchMade *made) {
    put_end(&made->object);
    put_code(&made->object, 'b');
}
static void put_layer(TorchMade *made, const char *name, float first) {
    Text *to = &made->object;
    put_module(made, name);
    put_str(to, "_parameters");
    put_ordered_dict(to);
    put_floats(made, "weight", "2", first);
    put_str(to, "bias");
    put_code(to, 'N');
    put_end(to);
    put_str(to, "_buffers");
    put_ordered_dict(to);
    put_floats(made, "running_mean", "1", first + 10);
    put_floats(made, "grid", "1", 0);
    put_end(to);
    put_str(to, "_non_persistent_buffers_set"); // set(['grid'])
    put_global(to, "__builtin__", "set");
    text_add(to, "](");
    put_str(to, "grid");
    text_add(to, "e\x85R");
    put_empty(to, "_modules");
    end_module(made);
}
static void put_net(TorchMade *made) {
    Text *to = &made->object;
    put_module(made, "UNet");
    put_empty(to, "_parameters");
    put_empty(to, "_buffers");
    put_str(to, "_modules");
    put_ordered_dict(to);
    put_str(to, "inc");
    put_layer(made, "Conv2d", 1);
    put_str(to, "none");
    put_code(to, 'N');
    put_str(to, "outc");
    put_layer(made, "Conv2d", 5);
    put_end(to);
    end_module(made);
}
static const char net[] = "inc.weight 2 {1 2}; inc.running_mean 1 {11}; outc.weight 2 {5 6}; outc.running_mean 1 {15}";

TEST(a_whole_module) {
    TorchMade made = torch_made();
    put_net(&made);
    check_state(&made, net, "weights of a module of class UNet");
}

TEST(a_module_in_a_wrapper_in_a_checkpoint) {
    TorchMade made = torch_made();
    Text *to = &made.object;
    put_dict(to);
    put_str(to, "model");
    put_module(&made, "DataParallel");
    put_empty(to, "_parameters");
    put_str(to, "_modules"); // a plain dict, as newer versions have it
    put_dict(to);
    put_str(to, "module");
    put_net(&made);
    put_end(to);
    end_module(&made);
    put_end(to);
    check_state(&made, net, "weights of a module of class DataParallel; names without 'module.' in front");
}

// Before 1.6 a class came with its source: the persistent id ('module', class, file, source).
TEST(a_module_with_its_source) {
    TorchMade made = torch_made();
    Text *to = &made.object;
    put_code(to, '(');
    put_str(to, "module");
    put_global(to, "net", "UNet");
    put_str(to, "net.py");
    put_str(to, "import os; os.system('true')");
    text_add(to, "tQ)\x81");
    put_dict(to);
    put_str(to, "_parameters");
    put_ordered_dict(to);
    put_floats(&made, "w", "1", 1);
    put_end(to);
    put_empty(to, "_modules");
    end_module(&made);
    check_state(&made, "w 1 {1}", "weights of a module of class UNet");
}

// copy_reg._reconstructor(net.UNet, object, None): before protocol 2.
TEST(a_module_of_protocol_1) {
    TorchMade made = torch_made();
    Text *to = &made.object;
    put_global(to, "copy_reg", "_reconstructor");
    put_code(to, '(');
    put_global(to, "net", "UNet");
    put_global(to, "__builtin__", "object");
    text_add(to, "NtR");
    put_dict(to);
    put_str(to, "_parameters");
    put_dict(to);
    put_floats(&made, "w", "1", 1);
    put_end(to);
    put_empty(to, "_modules");
    end_module(&made);
    check_state(&made, "w 1 {1}", "weights of a module of class UNet");
}

TEST(modules_that_are_not_understood) {
    TorchMade made = torch_made();
    Text *to = &made.object;
    put_module(&made, "UNet");
    put_empty(to, "_parameters");
    put_str(to, "_modules");
    put_ordered_dict(to);
    put_str(to, "down");
    put_module(&made, "Special");
    end_module(&made);
    put_end(to);
    end_module(&made);
    check_state_fails(&made, ST_UNSUPPORTED,
                      "this file holds a whole module (class UNet); save model.state_dict() instead: what is called "
                      "'down.' in it is an object without parameters");
    made = torch_made();
    put_global(&made.object, "net", "Namespace");
    text_add(&made.object, ")\x81}b");
    check_state_fails(&made, ST_UNSUPPORTED, "this file holds an object of class Namespace; save model.state_dict()");
    made = torch_made();
    put_module(&made, "UNet");
    put_empty(&made.object, "_parameters");
    put_empty(&made.object, "_modules");
    end_module(&made);
    check_state_fails(&made, ST_UNSUPPORTED, "a whole module (class UNet) without weights");
}

// ---- files without a state_dict

TEST(other_objects) {
    TorchMade made = torch_made();
    put_range(&made, "2", 1);
    check_state_fails(&made, ST_UNSUPPORTED, "expected a state_dict (names and tensors), got one tensor");
    made = torch_made();
    text_add(&made.object, "]");
    check_state_fails(&made, ST_UNSUPPORTED, "expected a state_dict (names and tensors), got a list");
    made = torch_made();
    put_dict(&made.object);
    put_pair(&made.object, "epoch", 1);
    put_pair(&made.object, "lr", 2);
    put_end(&made.object);
    check_state_fails(&made, ST_UNSUPPORTED, "got a dict of 2 without tensors: 'epoch', 'lr'; save");
    made = torch_made();
    text_add(&made.object, "}");
    check_state_fails(&made, ST_UNSUPPORTED, "got a dict of 0 without tensors; save");
    made = torch_made();
    put_dict(&made.object);
    put_str(&made.object, "num_batches_tracked");
    put_tensor(&made, "LongStorage", "", (const int64_t[]){3}, 8);
    put_end(&made.object);
    check_state_fails(&made, ST_UNSUPPORTED, "expected weights, got counters only");
}

TEST(tensors_that_are_not_had_are_told_together) {
    TorchMade made = torch_made();
    Text *to = &made.object;
    put_dict(to);
    for (int i = 0; i < 2; i++) {
        put_str(to, i ? "q1" : "q0");
        put_global(to, "torch._utils", "_rebuild_qtensor");
        text_add(to, ")R");
    }
    put_str(to, "c");
    put_tensor(&made, "ComplexFloatStorage", "1", (const float[]){1, 2}, 8);
    put_floats(&made, "w", "1", 1);
    put_end(to);
    check_state_fails(&made, ST_UNSUPPORTED,
                      "tensors that are not supported: _rebuild_qtensor (2 tensors), ComplexFloatStorage (1 tensor); "
                      "save a state_dict of plain float32 tensors");
}

TEST(tensors_that_are_not_had_elsewhere_do_no_harm) {
    TorchMade made = torch_made();
    put_dict(&made.object);
    put_str(&made.object, "state_dict");
    put_weights(&made, "", 1);
    put_str(&made.object, "optimizer");
    put_tensor(&made, "ComplexFloatStorage", "1", (const float[]){1, 2}, 8);
    put_end(&made.object);
    check_state(&made, "conv.weight 2 {1 2}", "weights of 'state_dict'");
}

// ---- the importer

TEST(weights_without_a_known_network) {
    TorchMade made = torch_made();
    put_dict(&made.object);
    for (int i = 0; i < 14; i++) {
        char name[32];
        snprintf(name, sizeof name, "odd%d.weight", i);
        put_floats(&made, name, "2,3", 1);
    }
    put_end(&made.object);
    check_refused_with(torch_zip(&made, "a.pth"), NULL, ST_UNSUPPORTED, "odd0.weight 2x3|torch.onnx.export|--arch");
    check_refused_with(torch_row(&made, "b.pth"), NULL, ST_UNSUPPORTED, "odd0.weight 2x3|torch.onnx.export|--arch");
    torch_drop(&made);
}

TEST(pickles_of_others) {
    static const char plain[] = "\x80\x04\x95\n\0\0\0\0\0\0\0}\x94\x8c\x01"
                                "a\x94K\x01s.and what comes behind it";
    const char *path = test_temp("plain.pkl");
    CHECK_OK(file_write(path, plain, sizeof plain - 1));
    check_refused_with(path, NULL, ST_UNSUPPORTED, "a pickle that torch.save did not write|torch.onnx.export");
    CHECK_OK(file_write(path, plain, 21));
    check_refused_with(path, NULL, ST_UNSUPPORTED, "a pickle that torch.save did not write");
}

// ---- files by others: names, shapes and numbers as read by hand (Python's zipfile, pickletools and struct)

typedef struct Known {
    const char *name, *shape;
    int64_t at; // negative: from the end
    float value;
} Known;

static void check_known(const TorchState *state, const Known *known) {
    const Tensor *tensor = torch_find(state, known->name);
    CHECK_MSG(tensor, "no %s", known->name);
    if (!tensor) return;
    Text shape = {0};
    shape_print(&shape, &tensor->shape);
    CHECK_TEXT(text_get(&shape), known->shape);
    const int64_t at = known->at < 0 ? tensor_count(tensor) + known->at : known->at;
    const double got = tensor_get(tensor, at);
    CHECK_MSG((float)got == known->value, "%s[%lld]: expected %.9g, got %.9g", known->name, (long long)at,
              (double)known->value, got);
    text_free(&shape);
}

static void check_real_state(const char *file, size_t tensors, int64_t elements, const Known *known, size_t count) {
    const char *path = test_data(file);
    Loaded loaded;
    int64_t sum = 0;
    if (!path) test_skip("the files by others are not here");
    CHECK_OK(torch_load_file(path, &loaded));
    CHECK_INT(loaded.state.n_tensors, tensors);
    for (size_t i = 0; i < loaded.state.n_tensors; i++) {
        const Tensor *tensor = &loaded.state.tensors[i].tensor;
        const bool small = tensor_bytes(tensor) <= 4096;
        sum += tensor_count(tensor);
        CHECK_MSG(small || is_inside(tensor->data, &loaded.imported.mappings[0]), "%s was copied",
                  loaded.state.tensors[i].name);
        CHECK(tensor->dtype == DT_F32);
    }
    CHECK_INT(sum, elements);
    CHECK_TEXT(text_get(&loaded.imported.notes), "");
    CHECK_TEXT(loaded.state.tensors[0].name, known[0].name);
    CHECK_TEXT(loaded.state.tensors[tensors - 1].name, known[count - 1].name);
    for (size_t i = 0; i < count; i++) check_known(&loaded.state, &known[i]);
    check_whole(&loaded.state);
    torch_unload(&loaded);
}

TEST(real_lgg) {
    static const Known known[] = {
        {"inc.double_conv.0.weight", "32x3x3x3", 0, 0.019636819139122963f},
        {"inc.double_conv.0.weight", "32x3x3x3", 2, -0.13513466715812683f},
        {"inc.double_conv.0.weight", "32x3x3x3", -1, -0.032882895320653915f},
        {"inc.double_conv.1.running_var", "32", 1, 0.004482748452574015f},
        {"down2.maxpool_conv.1.double_conv.3.weight", "128x128x3x3", 0, -0.0038245064206421375f},
        {"outc.conv.weight", "1x32x1x1", 0, -0.4943705201148987f},
        {"outc.conv.bias", "1", 0, -0.21053658425807953f},
    };
    check_real_state("models/lgg/seed-torch-w32.state_dict.pth", 110, 3356225, known, COUNT_OF(known));
}

TEST(real_brats) {
    static const Known known[] = {
        {"enc1.0.weight", "16x1x3x3", 1, -0.1768052875995636f},
        {"enc1.0.weight", "16x1x3x3", -1, -0.20941202342510223f},
        {"enc3.2.weight", "64x64x3x3", 0, 0.03656238317489624f},
        {"out_conv.bias", "1", 0, -0.03406507149338722f},
    };
    check_real_state("models/pytorch/brats-flair-unet-nobn.state_dict.pth", 36, 481745, known, COUNT_OF(known));
}

TEST(real_drive) {
    static const Known known[] = {
        {"encoder1.double_conv.0.weight", "16x3x5x5", 0, -0.0007135921041481197f},
        {"encoder1.double_conv.0.weight", "16x3x5x5", -3, 0.010799090377986431f},
        {"decoder3.weight", "64x16x2x2", 1, 0.15688422322273254f},
        {"decoder3.weight", "64x16x2x2", -2, 0.2652810513973236f},
        {"final_conv.bias", "1", 0, 0.07657857984304428f},
    };
    check_real_state("models/pytorch/drive-retina-unet-5x5.state_dict.pt", 56, 521633, known, COUNT_OF(known));
}
