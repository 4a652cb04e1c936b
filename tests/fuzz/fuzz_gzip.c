/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_gzip - compressed images: the bytes as a gzip stream, and (first byte odd) the bytes inside a sound
 * one. */
#include "image.h"

#include "io/gzip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] % 2 == 0) {
        fuzz_image(data + 1, size - 1);
        return 0;
    }
    nep_ctx *ctx = fuzz_ctx();
    char *packed = NULL;
    int64_t n = 0;
    if (nep_gzip_deflate(ctx, data + 1, (int64_t)size - 1, 1, &packed, &n) != NEP_OK)
        abort();
    fuzz_image(packed, (size_t)n);
    nep_alloc_free(packed);
    fuzz_end(ctx, NEP_OK);
    return 0;
}
