/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_hdf5 - the answer of the HDF5 helper; stands for nep_hdf5_read_f64 and nep_hdf5_read_strings, whose own
 * work is to start the helper. */
#include "fuzz.h"

#include "io/hdf5_read.h"

static void texts(const uint8_t *data, size_t size)
{
    nep_ctx *ctx = fuzz_ctx();
    char **names = NULL, path[64];
    int64_t n = 0;
    const int fd = fuzz_file(data, size, path);
    const nep_status st = nep_hdf5_receive_strings(ctx, "fuzz.h5", fd, 1, &names, &n);
    nep_data_free_names(names, n);
    close(fd);
    fuzz_end(ctx, st);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nep_ctx *ctx = fuzz_ctx();
    double *values = NULL;
    int rank;
    int64_t dims[4];
    char path[64];
    const int fd = fuzz_file(data, size, path);
    const nep_status st = nep_hdf5_receive(ctx, "fuzz.h5", fd, 1, &values, &rank, dims);
    nep_alloc_free(values);
    close(fd);
    fuzz_end(ctx, st);
    texts(data, size);
    return 0;
}
