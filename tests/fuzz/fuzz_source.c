/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_source - rows of other programs' files, through nep_source_open: the first byte chooses the format and whether bits are asked for.
 * HDF5 has a target of its own. */
#include "fuzz.h"

static nep_status read_rows(nep_source *s)
{
    const nep_source_info *info = nep_source_about(s);
    const int64_t words = (info->width + 63) / 64;
    const size_t row = info->kind == NEP_INDEX_BITS ? (size_t)words * 8 : (size_t)info->width * 4;
    char *ids[3];
    int64_t got = 1;
    nep_status st = NEP_OK;
    void *rows = malloc(3 * row);
    for (int block = 0; block < 1000 && got > 0 && st == NEP_OK; block++) {
        st = nep_source_next(s, rows, 3, ids, &got);
        for (int64_t i = 0; st == NEP_OK && info->ids && i < got; i++)
            if (!ids[i])
                abort();
    }
    free(rows);
    return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const formats[] = {"npy", "fps", "fvecs", "bvecs", "ivecs", "fbin", "u8bin", "i8bin", "safetensors"};
    if (size == 0)
        return 0;
    const nep_source_opts opts = {.format = formats[data[0] / 2 % 9], .bits = data[0] % 2};
    nep_ctx *ctx = fuzz_ctx();
    nep_source *s = NULL;
    char path[64];
    const int fd = fuzz_file(data + 1, size - 1, path);
    nep_status st = nep_source_open(ctx, path, &opts, &s);
    if (st == NEP_OK)
        st = read_rows(s);
    nep_source_free(s);
    close(fd);
    fuzz_end(ctx, st);
    return 0;
}
