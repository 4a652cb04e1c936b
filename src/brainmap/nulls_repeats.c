/* SPDX-License-Identifier: Apache-2.0 */
/* nulls_repeats - spins that are the same permutation as an earlier one, counted by sorting their hashes. */
#include "nulls.h"

#include <stdlib.h>
#include <string.h>

static int by_value(const void *x, const void *y)
{
    return memcmp(x, y, sizeof(nep_hash));
}

nep_status nep_nulls_repeats(nep_ctx *ctx, const nep_nulls *nulls, uint64_t stream, int64_t n, int64_t *repeats)
{
    enum { CHUNK = 1024 };
    nep_hash *hash = NULL;
    int32_t *index = NULL;
    int64_t found = 0;
    nep_status st;
    NEP_REQUIRE(ctx, nulls && repeats && n >= 0, NEP_E_ARG, "nulls: repeats of %lld surrogates", (long long)n);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *hash, "nulls: hashes", &hash));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, CHUNK * nulls->n, sizeof *index, "nulls: permutations", &index));
    for (int64_t first = 0; first < n; first += CHUNK) {
        const int64_t count = n - first < CHUNK ? n - first : CHUNK;
        NEP_TRY_OR_DONE(st, nep_nulls_indices(ctx, nulls, stream, first, count, index));
        for (int64_t b = 0; b < count; b++)
            hash[first + b] = nep_hash_bytes(index + b * nulls->n, (size_t)nulls->n * sizeof *index);
    }
    qsort(hash, (size_t)n, sizeof *hash, by_value);
    for (int64_t b = 1; b < n; b++)
        found += by_value(&hash[b], &hash[b - 1]) == 0;
    *repeats = found;
    st = NEP_OK;
done:
    nep_alloc_free(index);
    nep_alloc_free(hash);
    return st;
}
