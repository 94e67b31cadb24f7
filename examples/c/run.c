/* Runs a package on raw float32 values: the first input comes from a file (zeros without it), the output goes to another.
 *
 *     run: run.c ; $(CC) -std=c99 -O2 -o run run.c -lstent        # the line for a Makefile
 *     stent compile unet.onnx -o unet.stent && ./run unet.stent image.raw mask.raw
 */
#include <stdio.h>
#include <stdlib.h>
#include <stent.h>

/* Room for a tensor of the network; its name and dims are told. */
static stent_tensor make(const char *name, stent_tensor tensor, size_t *count) {
    printf("%s:", name);
    *count = 1;
    for (int i = 0; i < tensor.rank; i++) *count *= (size_t)tensor.dim[i], printf(" %lld", (long long)tensor.dim[i]);
    tensor.data = tensor.dtype == STENT_FLOAT32 ? calloc(*count + 1, sizeof(float)) : NULL;
    puts(tensor.data ? "" : " (not float32, or no memory)");
    return tensor;
}
static int stop(const char *message) { return fprintf(stderr, "run: %s\n", message), 1; }

int main(int argc, char **argv) {
    stent_executable *net;
    stent_session *session;
    stent_tensor in, out;
    size_t n_in, n_out;
    if (argc != 4) return stop("usage: run NET.stent IN.raw OUT.raw");
    if (stent_open(argv[1], NULL, &net) || stent_session_create(net, &session)) return stop(stent_message());
    if (stent_input_count(net) != 1 || stent_output_count(net) != 1) return stop("expected one input and one output");
    const char *in_name = stent_input(net, 0, &in), *out_name = stent_output(net, 0, &out);
    in = make(in_name, in, &n_in), out = make(out_name, out, &n_out);
    FILE *from = fopen(argv[2], "rb"), *to = fopen(argv[3], "wb");
    if (!in.data || !out.data || !to) return stop("no memory, or the output cannot be written");
    if (from) printf("%zu values read\n", fread(in.data, sizeof(float), n_in, from)), fclose(from);
    if (stent_run(session, &in, 1, &out, 1)) return stop(stent_message());
    const size_t written = fwrite(out.data, sizeof(float), n_out, to);
    stent_session_destroy(session);
    stent_release(net);
    free(in.data), free(out.data);
    return fclose(to) || written != n_out;
}
