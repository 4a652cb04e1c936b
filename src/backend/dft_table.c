/* SPDX-License-Identifier: Apache-2.0 */
/* dft_table - cosines and sines of the bins an amplitude sum needs (math/dft.h). */
#include "backend/dft_table.h"

#include <nepenthe/math/dft.h>

nep_status nep_dft_table_create(nep_ctx *ctx, int64_t n_t, int64_t first, int64_t last, bool all, nep_dft_table *out)
{
    const int64_t half = nep_dft_half(n_t), rows = nep_dft_even_rows(n_t);
    nep_dft_table d = {.n_t = n_t, .first = first, .last = last, .low = first, .high = last};
    nep_status st;
    if (all && half >= 1) {
        d.low = first < 1 ? first : 1;
        d.high = last > half ? last : half;
    }
    const int64_t bins = d.high - d.low + 1;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, bins * rows, sizeof *d.cosine, "cosine table", &d.cosine));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, bins * half, sizeof *d.sine, "sine table", &d.sine));
    for (int64_t i = 0; i < bins; i++) {
        for (int64_t t = 0; t < rows; t++)
            d.cosine[i * rows + t] = nep_dft_cos(d.low + i, t, n_t);
        for (int64_t t = 0; t < half; t++)
            d.sine[i * half + t] = nep_dft_sin(d.low + i, t + 1, n_t);
    }
    *out = d;
    d = (nep_dft_table){0};
done:
    nep_dft_table_free(&d);
    return st;
}

void nep_dft_table_free(nep_dft_table *d)
{
    nep_alloc_free(d->cosine);
    nep_alloc_free(d->sine);
    *d = (nep_dft_table){0};
}
