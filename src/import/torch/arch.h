// Pieces that the architectures share. The weights of a network are found by name; each piece checks that the shapes go
// together, and marks what it took, so that a file with more in it than the architecture has is not taken for one.
//
//     TRY(arch_begin(arch, "inc.double_conv.0", &x));       // the input, of as many channels as that convolution has
//     TRY(arch_conv_same(arch, "inc.double_conv.0", x, &x));
//     TRY(arch_batch_norm(arch, "inc.double_conv.1", x, &x));
//     TRY(arch_relu(arch, "inc.double_conv.2", x, 0, &x));
//     TRY(arch_end(arch, x));
//
// Prefixes name modules as state_dict does, without the last dot. A tensor that is not there, or has another shape than
// the piece needs, is a misfit (arch->misfit): the file may be of another architecture. Values are N C spatial...
#pragma once
#include "import/emit.h"
#include "import/torch/state.h"

enum { ARCH_NAME = 512, ARCH_LEVELS = 16 }; // bytes of a name with its NUL; levels of a U-Net at most

typedef struct Arch {
    const TorchState *state;
    const ImportOptions *options;
    Graph *graph;
    bool *used;   // of state->tensors: part of the network
    int spatial;  // dims of the input behind batch and channels, 1 to 3
    bool misfit;  // why a piece failed
    Text title;   // which network of the family this is: "bilinear up-sampling, 5 levels"
    Text assumed; // what the tensors do not tell: "strides of 2, epsilon 1e-5"
} Arch;

typedef struct ArchName {
    char text[ARCH_NAME];
} ArchName;
// A name in pieces; what does not fit is cut off. arch_conv(arch, arch_name("%s.0", prefix).text, ...)
ArchName arch_name(const char *format, ...) __attribute__((format(printf, 1, 2)));

// A failure of which the reason is that the tensors are not those of the architecture.
Status arch_misfit(Arch *arch, const char *format, ...) __attribute__((format(printf, 2, 3)));
void arch_tell(Arch *arch, const char *format, ...) __attribute__((format(printf, 2, 3)));   // adds to the title
void arch_assume(Arch *arch, const char *format, ...) __attribute__((format(printf, 2, 3))); // once each

// A name that is longer than ARCH_NAME is no tensor's.
bool arch_has(const Arch *arch, const char *format, ...) __attribute__((format(printf, 2, 3)));
// How many tensors "PREFIX1SUFFIX", "PREFIX2SUFFIX", ... there are in a row, from the number `first` on; at most
// ARCH_LEVELS.
int arch_count(const Arch *arch, const char *prefix, int first, const char *suffix);
// The tensor's shape; a misfit where there is none. Does not mark it.
Status arch_shape(Arch *arch, Shape *out, const char *format, ...) __attribute__((format(printf, 3, 4)));

// The tensor as a constant of its name, float32: other floats are converted. dims: -1 is any. Marks it.
Status arch_weight(Arch *arch, const char *name, int rank, const int64_t *dims, ValueId *out);

// The input "input": float32, batch, as many channels as the convolution `conv` ("PREFIX", weight oc ic k...) takes,
// and free spatial dims, as many as that weight has; arch->options are bound to it. The output "output".
Status arch_begin(Arch *arch, const char *conv, ValueId *input);
Status arch_end(Arch *arch, ValueId output);

// The window of "PREFIX.weight": its kernel, and PyTorch's usual pads of (kernel - 1) / 2 on either side. Strides are
// those that *window has.
Status arch_window(Arch *arch, const char *prefix, EmitWindow *window);
// Convolution by "PREFIX.weight" (oc, ic, k...) and, where there is one, "PREFIX.bias"; conv_same: stride 1, usual
// pads.
Status arch_conv(Arch *arch, const char *prefix, ValueId x, const EmitWindow *window, ValueId *out);
Status arch_conv_same(Arch *arch, const char *prefix, ValueId x, ValueId *out);
// Transposed, weight (ic, oc, k...); arch_up: the stride is the kernel, no pads.
Status arch_conv_transpose(Arch *arch, const char *prefix, ValueId x, const EmitWindow *window, ValueId *out);
Status arch_up(Arch *arch, const char *prefix, ValueId x, ValueId *out);

// BatchNorm of "PREFIX.running_mean" and its kin, in inference form; epsilon is PyTorch's default, 1e-5.
Status arch_batch_norm(Arch *arch, const char *prefix, ValueId x, ValueId *out);
// What is there: BatchNorm, InstanceNorm with "PREFIX.weight", or InstanceNorm without parameters. Assumptions are
// told.
Status arch_norm(Arch *arch, const char *prefix, ValueId x, ValueId *out);

// ReLU (slope 0) or LeakyReLU. `layer` names the value.
Status arch_relu(Arch *arch, const char *layer, ValueId x, double slope, ValueId *out);
// PReLU by "PREFIX.weight" of one slope or one a channel, where there is one; else LeakyReLU, which is told.
Status arch_prelu(Arch *arch, const char *prefix, ValueId x, double slope, ValueId *out);

Status arch_pool(Arch *arch, const char *layer, ValueId x, ValueId *out); // maximum of 2, stride 2
Status arch_concat(Arch *arch, const char *layer, ValueId a, ValueId b, ValueId *out);
// The end of a residual layer: a and b of as many channels, which else is a misfit.
Status arch_add(Arch *arch, const char *layer, ValueId a, ValueId b, ValueId *out);
// By 2, linear, align_corners=True.
Status arch_upsample(Arch *arch, const char *layer, ValueId x, ValueId *out);
// Pads (or crops) the spatial dims of x to those of `like`, computed in the graph as the sizes are free: on both sides
// with zeros, the odd one at the end; or at the end only by repeating the edge.
typedef enum ArchPad { ARCH_PAD_NONE, ARCH_PAD_ZERO, ARCH_PAD_EDGE } ArchPad;
Status arch_pad_like(Arch *arch, const char *layer, ValueId x, ValueId like, ArchPad pad, ValueId *out);

// ---- the architectures (arch_*.c). Each builds the whole network, or fails.
Status arch_milesial(Arch *arch);
Status arch_brain_segmentation(Arch *arch);
Status arch_enc_dec(Arch *arch);
Status arch_encoder_decoder(Arch *arch);
Status arch_monai_basic_unet(Arch *arch);
Status arch_monai_unet(Arch *arch);
Status arch_monai_dynunet(Arch *arch);
Status arch_nnunet(Arch *arch);
bool arch_dynunet_ignores(const char *name); // tensors that inference does not need
bool arch_nnunet_ignores(const char *name);

// The network that the text at options->arch describes: inputs that are called as tensors of the state are weights.
Status torch_text_network(const TorchState *state, const ImportOptions *options, Graph *graph, Text *notes);
