// HDF5 files that Keras wrote.
#include "base/file.h"
#include "base/text.h"
#include "base/zip.h"
#include "test.h"
#include "wire/hdf5.h"
#include "wire/hdf5_walk.h"

static Arena arena;

static Mapping map_or_skip(const char *relative) {
    Mapping mapping;
    const char *path = test_data(relative);
    if (!path) test_skip("the files by others are not here");
    CHECK_OK(file_map(path, &mapping));
    return mapping;
}

// Every dataset that the layers' weight_names tell: how many; all numbers finite.
static int read_layers(const H5Object *root) {
    const char **layers, **weights;
    size_t n_layers, n_weights;
    int tensors = 0;
    CHECK_OK(h5_attr_texts(root, "layer_names", &layers, &n_layers));
    REQUIRE(layers);
    for (size_t i = 0; i < n_layers; i++) {
        H5Object layer, object;
        bool found = false;
        CHECK_OK(h5_find(root, layers[i], &layer, &found));
        REQUIRE(found);
        CHECK_OK(h5_attr_texts(&layer, "weight_names", &weights, &n_weights));
        REQUIRE(weights);
        for (size_t k = 0; k < n_weights; k++) {
            Tensor tensor;
            CHECK_OK(h5_find(&layer, weights[k], &object, &found));
            REQUIRE(found && h5_is_dataset(&object));
            CHECK_OK(h5_tensor(&object, &tensor));
            CHECK(tensor.dtype == DT_F32 && tensor_count(&tensor) > 0);
            for (int64_t j = 0; j < tensor_count(&tensor); j++) REQUIRE(isfinite(((const float *)tensor.data)[j]));
            tensors++;
        }
    }
    return tensors;
}

static void check_keras(const char *file, int tensors) {
    H5Object root, weights;
    const char *config;
    bool found = false;
    Mapping mapping = map_or_skip(file);
    CHECK_OK(h5_open(&arena, mapping.data, mapping.size, &root));
    CHECK_OK(h5_attr_text(&root, "model_config", &config));
    REQUIRE(config);
    CHECK_MSG(text_starts(config, "{\"class_name\"") || text_starts(config, "{\"module\""), "%.40s", config);
    CHECK_OK(h5_find(&root, "model_weights", &weights, &found));
    REQUIRE(found);
    CHECK_INT(read_layers(&weights), tensors);
    CHECK_INT(h5_walk(mapping.data, mapping.size).status, ST_OK);
    arena_free(&arena);
    file_unmap(&mapping);
}

TEST(keras_files_of_all_ages) {
    check_keras("models/keras/brats-unet-128.h5", 22);
    check_keras("models/keras/tiramisu45.h5", 242);
    check_keras("models/keras/voxelmorph-3d-vm1.h5", 22);
    check_keras("models/lgg/seed-keras-w16.h5", 82);
}

// Weights lie in groups called after layers: _layer_checkpoint_dependencies or layers, then vars/0, vars/1.
TEST(weights_of_keras_3) {
    Mapping mapping = map_or_skip("models/lgg/seed-keras-w16.keras");
    Zip zip;
    H5Object root, group;
    const uint8_t *bytes;
    const char **names;
    size_t count;
    bool found = false;
    CHECK_OK(zip_open(&arena, mapping.data, mapping.size, &zip));
    const ZipEntry *entry = zip_find(&zip, "model.weights.h5");
    REQUIRE(entry);
    CHECK_OK(zip_data(&arena, &zip, entry, &bytes));
    CHECK_OK(h5_open(&arena, bytes, entry->size, &root));
    CHECK_OK(h5_names(&root, &names, &count));
    for (size_t i = 0; i < count; i++) printf("%s\n", names[i]);
    CHECK_OK(h5_find(&root, "layers/conv2d/vars/0", &group, &found));
    REQUIRE(found && h5_is_dataset(&group));
    Tensor tensor;
    CHECK_OK(h5_tensor(&group, &tensor));
    CHECK(tensor.dtype == DT_F32 && tensor.shape.rank == 4);
    arena_free(&arena);
    file_unmap(&mapping);
}

TEST(damaged_hdf5_files_are_refused) {
    static const char *const files[] = {"models/damaged/lfs-pointer.hdf5", "models/damaged/text-filtered.h5"};
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        H5Object root;
        Mapping mapping = map_or_skip(files[i]);
        CHECK_INT(h5_open(&arena, mapping.data, mapping.size, &root), ST_BAD);
        CHECK_MSG(strstr(error_message(), "expected an HDF5 file"), "%s", error_message());
        file_unmap(&mapping);
        arena_free(&arena);
    }
}
