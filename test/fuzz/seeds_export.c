#include "fuzz/seeds_make.h"
#include "import/export_writer.h"

static ExportFile export_net(ExportLayout layout) {
    ExportFile file = export_file(layout);
    file.out_spec =
        "[1, {'type': 'builtins.dict', 'context': '[\"mask\"]', 'children_spec': [{'type': null, 'context': "
        "null, 'children_spec': []}]}]";
    export_weight(&file, "conv.w", "2,1,3,3", -4);
    export_constant(&file, "c", "2,1,1", 1);
    export_input(&file, "x", "1,1,4,4");
    export_node(&file, "aten.conv2d.default", "input=%x weight=%conv.w bias=None stride=[1,1] padding=[1,1]", "conv2d");
    export_node(&file, "aten.relu_.default", "self=%conv2d", "relu_");
    export_node(&file, "aten.max_pool2d.default", "self=%conv2d kernel_size=[2,2] stride=[2,2]", "pool");
    export_node(&file, "aten.add.Tensor", "self=%pool other=%c alpha=2", "add");
    export_node(&file, "aten.upsample_nearest2d.vec", "input=%add output_size=None scale_factors=[2.0,2.0]", "up");
    export_node(&file, "aten.cat.default", "tensors=[%conv2d,%up] dim=1", "y");
    export_output(&file, "%y");
    return file;
}

static ExportFile export_free(void) {
    ExportFile file = export_file(EXPORT_LISTS);
    file.ranges = "'s0': {'min_val': 2, 'max_val': 8}";
    export_input(&file, "x", "2,2*s0");
    export_node(&file, "aten.clone.default", "self=%x", "copy");
    export_node(&file, "aten.sym_size.int", "self=%x dim=1", "#n");
    export_node(&file, "_operator.floordiv", "a=#n b=2", "#half");
    export_node(&file, "aten.slice.Tensor", "self=%copy dim=0 start=1 end=2", "end");
    export_node(&file, "aten.mul_.Tensor", "self=%end other=0.5", "mul_");
    export_node(&file, "aten.chunk.default", "self=%copy chunks=2 dim=0", "[a,b]");
    export_node(&file, "aten.view.default", "self=%b size=[2,#half]", "y");
    export_output(&file, "%y");
    return file;
}

static void add_export(Seeds *to, const char *name, ExportFile *file) {
    Text bytes = export_bytes(file);
    seed_add(to, "export", name, bytes.data, bytes.length);
    seed_add(to, "recognise", name, bytes.data, bytes.length);
    text_free(&bytes);
}

static ExportFile export_nested(void) {
    ExportFile file = export_file(EXPORT_LISTS);
    Text nodes = {0}, call = {0};
    export_input(&file, "x", "2");
    export_put_node(&nodes, "aten.add.Tensor", "self=%p other=%p", "sum");
    Text graph = export_graph("p", &nodes, "%sum");
    text_add(&call, "=False =%s =%%x", text_get(&graph));
    export_node(&file, "higher_order.wrap_with_set_grad_enabled", text_get(&call), "y");
    text_free(&call);
    text_add(&call, "=True =%s =%s =[%%y]", text_get(&graph), text_get(&graph));
    export_node(&file, "higher_order.cond", text_get(&call), "z");
    text_free(&call), text_free(&nodes), text_free(&graph);
    export_output(&file, "%z");
    return file;
}

void seed_export(Seeds *to) {
    static const char *const names[] = {"net.pt2", "net.2.8.pt2", "net.2.5.pt2"};
    for (int layout = EXPORT_LISTS; layout <= EXPORT_2_5; layout++) {
        ExportFile file = export_net((ExportLayout)layout);
        add_export(to, names[layout], &file);
    }
    ExportFile file = export_nested();
    add_export(to, "nested.pt2", &file);
    file = export_free();
    add_export(to, "sizes.pt2", &file);
}
