// The table of architectures. A state_dict tells no network, only the names and shapes of its weights: the names tell
// the family, the shapes the widths, and every tensor has to have its place in it.
#include "import/torch/arch.h"
#include "import/torch/table.h"
#include <string.h>

enum { SIGNS = 3 }; // tensors by which a family is told

typedef struct Architecture {
    const char *name;
    const char *signs[SIGNS]; // tensors of the first layers: one is enough to try the family
    Status (*build)(Arch *arch);
    bool (*ignores)(const char *name); // of tensors that inference does not need; NULL: none
} Architecture;

static const Architecture architectures[] = {
    {"U-Net as in milesial/Pytorch-UNet",
     {"inc.double_conv.0.weight", "down1.maxpool_conv.1.double_conv.0.weight", "inc.conv.conv.0.weight"},
     arch_milesial,
     NULL},
    {"U-Net as in mateuszbuda/brain-segmentation-pytorch",
     {"encoder1.enc1conv1.weight", "encoder2.enc2conv1.weight"},
     arch_brain_segmentation,
     NULL},
    {"U-Net of enc1, bottleneck, up1, dec1, out_conv",
     {"enc1.0.weight", "enc2.0.weight", "bottleneck.0.weight"},
     arch_enc_dec,
     NULL},
    {"U-Net of encoder1.double_conv, decoder1, final_conv",
     {"encoder1.double_conv.0.weight", "encoder2.double_conv.0.weight"},
     arch_encoder_decoder,
     NULL},
    {"MONAI BasicUNet",
     {"conv_0.conv_0.conv.weight", "down_1.convs.conv_0.conv.weight", "upcat_1.convs.conv_0.conv.weight"},
     arch_monai_basic_unet,
     NULL},
    {"MONAI UNet",
     {"model.0.conv.unit0.conv.weight", "model.0.conv.weight", "model.1.submodule.0.conv.unit0.conv.weight"},
     arch_monai_unet,
     NULL},
    {"MONAI DynUNet",
     {"input_block.conv1.conv.weight", "bottleneck.conv1.conv.weight", "upsamples.0.transp_conv.conv.weight"},
     arch_monai_dynunet,
     arch_dynunet_ignores},
    {"nnU-Net",
     {"encoder.stages.0.0.convs.0.conv.weight", "encoder.stem.convs.0.conv.weight", "decoder.transpconvs.0.weight"},
     arch_nnunet,
     arch_nnunet_ignores},
};

// ---- which one

static int count_signs(const TorchState *state, const Architecture *architecture) {
    int count = 0;
    for (int i = 0; i < SIGNS && architecture->signs[i]; i++)
        count += torch_find(state, architecture->signs[i]) != NULL;
    return count;
}

// The one with most of its signs there; NULL: none has any.
static const Architecture *nearest_architecture(const TorchState *state) {
    const Architecture *nearest = NULL;
    int most = 0;
    for (size_t i = 0; i < COUNT_OF(architectures); i++) {
        const int signs = count_signs(state, &architectures[i]);
        if (signs > most) nearest = &architectures[i];
        most = MAX(most, signs);
    }
    return nearest;
}

// ---- messages

// why: what the nearest architecture lacks, or NULL.
static Status not_known(const TorchState *state, const Architecture *nearest, const char *why) {
    Text text = {0};
    text_add(&text, "this file has weights without their network, which is not known");
    if (nearest) text_add(&text, "; it looks like the %s, but %s; its tensors", nearest->name, why);
    const Status status = torch_table_message(state, text_get(&text));
    text_free(&text);
    return status;
}

static void write_notes(const Architecture *architecture, const Arch *arch, Text *notes) {
    const char *title = text_get(&arch->title);
    torch_note(notes, "%s%s%s", architecture->name, *title ? ", " : "", title);
    if (arch->assumed.length) torch_note(notes, "assumed: %s", text_get(&arch->assumed));
}

// ---- building

static bool is_needed(const Architecture *architecture, const char *name) {
    return !text_ends(name, "num_batches_tracked") && !(architecture->ignores && architecture->ignores(name));
}

static Status check_all_used(Arch *arch, const Architecture *architecture) {
    for (size_t i = 0; i < arch->state->n_tensors; i++) {
        const char *name = arch->state->tensors[i].name;
        if (!arch->used[i] && is_needed(architecture, name)) {
            return arch_misfit(arch, "'%.200s' has no place in it", name);
        }
    }
    return ST_OK;
}

static Status build(Arch *arch, const Architecture *architecture) {
    TRY(architecture->build(arch));
    TRY(check_all_used(arch, architecture));
    return emit_end(arch->graph);
}

static Status try_architecture(Arch *arch, const Architecture *architecture, Text *notes) {
    const Status status = build(arch, architecture);
    if (status == ST_OK) {
        TRY(text_status(&arch->title));
        TRY(text_status(&arch->assumed));
        write_notes(architecture, arch, notes);
        return text_status(notes);
    }
    if (!arch->misfit) return fail_context(status, "%s", architecture->name);
    Text why = {0};
    text_add(&why, "%s", error_message());
    const Status told = not_known(arch->state, architecture, text_get(&why));
    text_free(&why);
    return told;
}

Status torch_network(const TorchState *state, const ImportOptions *options, Arena *scratch, Graph *graph, Text *notes) {
    if (options->arch) return torch_text_network(state, options, graph, notes);
    FAIL_IF(state->n_tensors == 0, ST_BAD, "expected the weights of a network, got no tensor at all");
    const Architecture *architecture = nearest_architecture(state);
    if (!architecture) return not_known(state, NULL, NULL);
    Arch arch = {.state = state, .options = options, .graph = graph};
    arch.used = arena_array(scratch, state->n_tensors, sizeof *arch.used);
    if (!arch.used) return fail_memory(state->n_tensors * sizeof *arch.used);
    const Status status = try_architecture(&arch, architecture, notes);
    text_free(&arch.title);
    text_free(&arch.assumed);
    return status;
}
