// The pipeline: what happens to a picture before the network and to its output after it. The file format and the order
// of the steps are INTERFACE's ("The pipeline file"); an unknown key is an error.
#pragma once
#include "base/json.h"
#include "tensor/tensor.h"

typedef enum PipelineResize { RESIZE_NONE, RESIZE_BILINEAR, RESIZE_PAD } PipelineResize;
typedef enum PipelineNormalise { NORMALISE_NONE, NORMALISE_ZSCORE, NORMALISE_PERCENTILE } PipelineNormalise;
typedef enum PipelineScope { SCOPE_SLICE, SCOPE_VOLUME } PipelineScope;
typedef enum PipelineActivation { ACTIVATION_NONE, ACTIVATION_SIGMOID, ACTIVATION_SOFTMAX } PipelineActivation;
enum { PIPELINE_CHANNELS = 64, PIPELINE_CLASSES = 256 };

typedef struct Pipeline {
    int channels;              // 0: as the network's input
    int64_t height, width;     // 0: as the network's input, else the picture's own
    PipelineResize resize;
    bool has_clip;
    double clip[2];
    double scale;
    double mean[PIPELINE_CHANNELS], std[PIPELINE_CHANNELS];
    int n_mean, n_std;         // 0: 0 and 1 for every channel
    PipelineNormalise normalise;
    double percentiles[2];
    PipelineScope scope;
    PipelineActivation activation;
    double threshold;
    const char *classes[PIPELINE_CLASSES]; // in the arena given to pipeline_parse
    int n_classes;
    bool keep_largest;
    int64_t min_area;
} Pipeline;

Pipeline pipeline_default(void);
// ST_BAD: "line L: key 'input.scal': not known; expected one of ...".
Status pipeline_parse(const char *text, size_t length, Arena *arena, Pipeline *out);
// About the largest value that the network gets of a picture of 8 bits, where that is far from 1; else 1.
double pipeline_amplitude(const Pipeline *pipeline);
void pipeline_print(const Pipeline *pipeline, Text *json); // reads back to an equal one
