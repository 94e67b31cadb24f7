// Formats are told by content; real files by others; what is no model is refused in clear words.
#include "import/onnx_check.h"
#include "import/recognise.h"

static const char *data_or_skip(const char *name) {
    const char *path = test_data(name);
    if (!path) test_skip("the data by others is not there");
    return path;
}

static int64_t count_parameters(const Graph *graph) {
    int64_t parameters = 0;
    for (int i = 0; i < graph->n_values; i++) {
        const Tensor *constant = graph->values[i].constant;
        if (constant && dtype_is_float(constant->dtype)) parameters += tensor_count(constant);
    }
    return parameters;
}

static int count_op(const Graph *graph, Op op) {
    int count = 0;
    for (int i = 0; i < graph->n_nodes; i++) count += graph->nodes[i]->op == op;
    return count;
}

static void check_real(const char *name, const char *format, int nodes, int convs, int64_t parameters) {
    Imported model;
    CHECK_OK(import_model(data_or_skip(name), NULL, &model));
    CHECK_TEXT(model.format, format);
    CHECK_INT(model.graph->n_nodes, nodes);
    CHECK_INT(count_op(model.graph, OP_Conv), convs);
    CHECK_INT(count_parameters(model.graph), parameters);
    CHECK_INT(model.graph->n_outputs, 1);
    CHECK_OK(graph_verify(model.graph));
    import_free(&model);
}

TEST(real_files) {
    check_real("models/lgg/seed-torch-w32.onnx", "ONNX", 81, 19,
               3348305); // 16 of them are the scales of four Resize nodes
    check_real("models/lgg/seed-keras-w16.onnx", "ONNX", 54, 19, 1942065);
    check_real("models/onnx/cervix-unet-224.onnx", "ONNX", 27, 11, 466529);
    check_real("models/lgg/seed-torch-w32.pt2", "PyTorch export", 72, 19, 3356229);
}

TEST(real_values_keep_their_names) {
    Imported model;
    CHECK_OK(import_model(data_or_skip("models/lgg/seed-torch-w32.onnx"), NULL, &model));
    const ValueId weight = graph_find(model.graph, "onnx::Conv_420");
    CHECK(weight != NO_VALUE && model.graph->values[weight].constant);
    CHECK_TEXT(model.graph->nodes[model.graph->n_nodes - 1]->name, "/outc/conv/Conv");
    CHECK_TEXT(model.graph->values[model.graph->outputs[0]].name, "output");
    import_free(&model);
}

TEST(formats_of_others_are_named) {
    static const struct {
        const char *path, *words;
    } files[] = {
        {"models/coreml/tiramisu45.mlmodel", "Core ML|ONNX"},
    };
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        check_refused_with(data_or_skip(files[i].path), NULL, ST_UNSUPPORTED, files[i].words);
    }
}

TEST(damaged_files_are_refused) {
    check_refused_with(data_or_skip("models/damaged/lfs-pointer.hdf5"), NULL, ST_BAD, "Git LFS|git lfs pull");
    check_refused_with(data_or_skip("models/damaged/lfs-pointer.tif"), NULL, ST_BAD, "Git LFS");
    check_refused_with(data_or_skip("models/damaged/text-filtered.h5"), NULL, ST_BAD, "conversion of text");
    check_refused_with(data_or_skip("models/lgg/expected.json"), NULL, ST_BAD, "no known format");
}

static void check_bytes(const char *bytes, size_t size, Status status, const char *words) {
    const char *path = test_temp("file.bin");
    CHECK_OK(file_write(path, bytes, size));
    check_refused_with(path, NULL, status, words);
}

TEST(small_files_that_are_no_models) {
    check_bytes("", 0, ST_BAD, "empty file");
    check_bytes("\x08", 1, ST_BAD, "no known format");
    check_bytes("hello, world", 12, ST_BAD, "no known format");
    check_bytes("<!DOCTYPE html><html>", 21, ST_BAD, "web page");
    check_bytes("\x1f\x8b\x08\0\0\0", 6, ST_BAD, "gzip");
    check_bytes("version https://git-lfs.github.com/spec/v1\noid", 46, ST_BAD, "Git LFS");
    check_bytes("\x89HDF\n\x1a\n\0\0\0", 10, ST_BAD, "conversion of text");
    check_bytes("\x80\x02\x8a\nl\xfc\x9c", 7, ST_BAD, "pickle at byte 0|expected 10 bytes, got 3");
    check_bytes("\x89HDF\r\n\x1a\n\0\0", 10, ST_BAD, "cut short");
    check_bytes("PK\x03\x04 nothing PK\x05\x06 nothing", 24, ST_UNSUPPORTED, "zip");
    check_bytes("PK\x03\x04 nothing", 12, ST_BAD, "cut short");
    check_bytes("\0\0\0\0TFL3\0\0\0\0", 12, ST_BAD, "byte 0: expected an offset");
    check_bytes("\x08\x08\xef\xbf\xbdonnx \xef\xbf\xbd", 13, ST_BAD, "conversion of text");
}

TEST(missing_files_and_folders) {
    Imported model;
    const char *path = test_temp("nothing.onnx");
    CHECK_INT(import_model(path, NULL, &model), ST_BAD);
    CHECK_MSG(text_starts(error_message(), path), "%s", error_message());
    CHECK_OK(folder_make(test_temp("folder")));
    check_refused_with(test_temp("folder"), NULL, ST_BAD, "got another folder");
}

TEST(format_is_told_without_the_name) {
    OnnxFile file = onnx_file(13);
    onnx_input(&file, "x", FLOAT32, "2");
    onnx_node(&file, "Relu", "x", "y", "");
    onnx_output(&file, "y");
    Imported model;
    CHECK_OK(import_model(onnx_save(&file, "model.h5"), NULL, &model));
    CHECK_INT(model.graph->n_nodes, 1);
    import_free(&model);
    import_free(&model); // twice is fine
}
