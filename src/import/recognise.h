// Which framework a file is from, by its content.
#pragma once
#include "base/file.h"
#include "wire/protobuf.h"

typedef enum Format {
    FORMAT_UNKNOWN,
    FORMAT_ONNX,
    FORMAT_HDF5,         // Keras .h5
    FORMAT_KERAS_ZIP,    // .keras
    FORMAT_TORCH_ZIP,    // torch.save: .pt, .pth
    FORMAT_PICKLE,       // torch.save before 1.6
    FORMAT_TORCH_PT2,    // torch.export.save
    FORMAT_SAVED_MODEL,  // TensorFlow: the folder, or saved_model.pb
    FORMAT_FROZEN_GRAPH, // TensorFlow: GraphDef or MetaGraphDef
    FORMAT_TFLITE,
    FORMAT_TORCHSCRIPT, // torch.jit.save
    // Known, not read yet:
    FORMAT_ZIP, // another zip
    FORMAT_COREML,
    // No model at all:
    FORMAT_ZIP_CUT, // without its directory
    FORMAT_LFS_POINTER,
    FORMAT_TEXT_FILTERED, // bytes above 127 replaced by U+FFFD
    FORMAT_WEB_PAGE,
    FORMAT_GZIP,
    FORMAT_COUNT
} Format;

Format recognise_bytes(const uint8_t *data, size_t size);
// TensorFlow's GraphDef: its first node says so (a name and an operation). Reads no further.
bool recognise_graph_def(PbReader message);
// Of a folder; FORMAT_UNKNOWN when it is none of a model's.
Status recognise_folder(const char *path, Format *format);

// ST_OK for those that are read; else the message for that format: ST_UNSUPPORTED for a known one, with the way to
// ONNX, ST_BAD for what is no model.
Status format_status(Format format);
