// Real models: what the passes leave of them, and the same results. Inputs are made small: the networks are fully
// convolutional, and the reference is slow.
#include "import/import.h"
#include "pass/pass_test.h"

static void import_small(const char *relative, int64_t size, Imported *model) {
    const char *const path = test_data(relative);
    if (!path) test_skip("no foreign models here");
    CHECK_OK(import_model(path, NULL, model));
    Graph *const graph = model->graph;
    Type *const type = &graph->values[graph->inputs[0]].type;
    type->dim[0] = 1;
    type->dim[2] = type->dim[3] = size;
    for (int i = 0; i < graph->n_values; i++)
        if (!graph->values[i].is_input && !graph->values[i].constant)
            graph->values[i].type = (Type){.dtype = DT_NONE, .rank = -1};
    CHECK_OK(graph_infer(graph));
}

static void check_model(const char *relative, int64_t size, const Op *kept, size_t n_kept) {
    Imported model;
    Graph *after;
    import_small(relative, size, &model);
    CHECK_OK(graph_copy(model.graph, &after));
    CHECK_OK(passes_run(after, 2, NULL, NULL));
    for (int i = 0; i < after->n_nodes; i++) {
        bool known = false;
        for (size_t k = 0; k < n_kept; k++) known |= after->nodes[i]->op == kept[k];
        if (!known) test_failed(__FILE__, __LINE__, "%s: a %s is left", relative, op_info(after->nodes[i]->op)->name);
    }
    CHECK_OK(pass_resolve_shapes(model.graph));
    check_same_results(__FILE__, __LINE__, model.graph, after, 1, 1e-6);
    graph_free(after);
    import_free(&model);
}

TEST(torch_unet) {
    const Op kept[] = {OP_Conv, OP_Relu, OP_MaxPool, OP_Resize, OP_Concat};
    check_model("models/lgg/seed-torch-w32.onnx", 32, kept, COUNT_OF(kept));
}

TEST(keras_unet) {
    const Op kept[] = {OP_Conv, OP_Relu, OP_MaxPool, OP_ConvTranspose, OP_Concat, OP_Sigmoid, OP_BatchNormalization};
    check_model("models/lgg/seed-keras-w16.onnx", 32, kept, COUNT_OF(kept));
}

TEST(cervix_unet) {
    const Op kept[] = {OP_Conv, OP_Relu, OP_MaxPool, OP_ConvTranspose, OP_Concat};
    check_model("models/onnx/cervix-unet-224.onnx", 32, kept, COUNT_OF(kept));
}
