// HDF5 files: every name, dataset and attribute that can be asked for.
#include "fuzz/fuzz.h"
#include "wire/hdf5_walk.h"

int fuzz_hdf5(const uint8_t *data, size_t size) {
    const H5Walk walk = h5_walk(data, size);
    if (walk.status != ST_OK) (void)fail(walk.status, "%s", walk.message);
    fuzz_check(walk.status);
    return 0;
}
