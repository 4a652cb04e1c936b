/* SPDX-License-Identifier: Apache-2.0 */
/* image - every reader of images over one file, for the two image targets. */
#ifndef NEP_TESTS_FUZZ_IMAGE_H
#define NEP_TESTS_FUZZ_IMAGE_H

#include "fuzz.h"

static inline void fuzz_image(const void *bytes, size_t n)
{
    nep_ctx *ctx = fuzz_ctx();
    nep_nifti *f = NULL;
    nep_volume v = {0};
    nep_series s = {0};
    nep_atlas a = {0};
    nep_grid g;
    char path[64];
    const int fd = fuzz_file(bytes, n, path);
    nep_status st = nep_nifti_open(ctx, path, &f);
    if (st == NEP_OK && nep_nifti_info(f)->n_t > 1)
        st = nep_nifti_read_series(ctx, path, NULL, &s, &g);
    else if (st == NEP_OK && (st = nep_nifti_read_volume(ctx, path, &v)) == NEP_OK)
        st = nep_nifti_read_atlas(ctx, path, NULL, &a);
    nep_nifti_free(f);
    nep_volume_free(&v);
    nep_series_free(&s);
    nep_atlas_free(&a);
    close(fd);
    fuzz_end(ctx, st);
}

#endif
