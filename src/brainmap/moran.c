/* SPDX-License-Identifier: Apache-2.0 */
/* moran - Moran spectral randomisation: the eigenvectors of spatial proximity, and random signs or random
 * pairs for a map's coefficients. */
#include "nulls.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>

#include <nepenthe/math/philox.h>

/* Doubly centres w [m, m] and puts the constant vector on top of the spectrum, so that it can be told from
 * the others. */
static void centre(double *w, int64_t m, double *mean)
{
    double all = 0.0, bound = 0.0;
    for (int64_t i = 0; i < m; i++) {
        double sum = 0.0;
        for (int64_t j = 0; j < m; j++)
            sum += w[i * m + j];
        mean[i] = sum / (double)m;
        all += mean[i];
        bound = fmax(bound, sum); /* w >= 0: the largest row sum bounds every eigenvalue */
    }
    all /= (double)m;
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < m; j++)
            w[i * m + j] += all - mean[i] - mean[j] + 4.0 * bound / (double)m;
}

static nep_status block_vectors(nep_ctx *ctx, nep_nulls *nulls, const char *const *names, int32_t block)
{
    const int64_t n = nulls->n;
    double *w = NULL, *lambda = NULL;
    int64_t *member = NULL;
    int64_t m = 0;
    nep_status st;

    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *member, "moran: regions of a compartment", &member));
    for (int64_t i = 0; i < n; i++)
        if (nulls->block[i] == block)
            member[m++] = i;
    if (m < 2)
        goto done; /* one region alone stays as it is */
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, m * m, sizeof *w, "moran: proximity matrix", &w));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, m, sizeof *lambda, "moran: eigenvalues", &lambda));
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < m; j++) {
            if (i == j)
                continue;
            const double d = nulls_distance(nulls->mm[member[i]], nulls->mm[member[j]]);
            NEP_REQUIRE_OR_DONE(st, ctx, d > 0.0, NEP_E_ARG,
                                "moran: regions '%s' and '%s' lie at the same place, so 1/distance does not exist: correct "
                                "the geometry or leave one out",
                                names[member[i]], names[member[j]]);
            w[i * m + j] = 1.0 / d;
        }
    centre(w, m, lambda);
    openblas_set_num_threads(1); /* more threads would change the bits */
    const lapack_int info = LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'V', 'U', (lapack_int)m, w, (lapack_int)m, lambda);
    NEP_REQUIRE_OR_DONE(st, ctx, info == 0, NEP_E_INTERNAL, "moran: the eigenvalue solver failed with %d", (int)info);
    for (int64_t k = 0; k < m - 1; k++, nulls->n_vectors++) /* the last one is the constant */
        for (int64_t i = 0; i < m; i++)
            nulls->vectors[nulls->n_vectors * n + member[i]] = w[i * m + k];
done:
    nep_alloc_free(lambda);
    nep_alloc_free(w);
    nep_alloc_free(member);
    return st;
}

/* Random pairs take two vectors each, whatever their eigenvalues; an odd one out keeps to a sign. */
nep_status nep_moran_pairs(nep_ctx *ctx, nep_nulls *nulls)
{
    nulls->n_groups = (nulls->n_vectors + 1) / 2;
    NEP_TRY(nep_alloc(ctx, nulls->n_groups, sizeof *nulls->group, "moran: pairs", &nulls->group));
    for (int64_t g = 0; g < nulls->n_groups; g++)
        nulls->group[g] = 2 * g + 1 < nulls->n_vectors ? 2 : 1;
    return NEP_OK;
}

/* Many regions: the modes of neighbours, with the groups of eigenmodes where the right side turns as the left's mirror image. */
static nep_status prepare_by_modes(nep_ctx *ctx, nep_nulls *nulls, const char *const *names)
{
    NEP_TRY(nep_eigenmodes_prepare(ctx, nulls, names));
    if (nulls->kind != NEP_NULLS_MORAN_PAIR)
        return NEP_OK;
    nep_alloc_free(nulls->group);
    nep_alloc_free(nulls->mate);
    nep_alloc_free(nulls->match);
    nulls->group = nulls->mate = NULL;
    nulls->match = NULL;
    return nep_moran_pairs(ctx, nulls);
}

nep_status nep_moran_prepare(nep_ctx *ctx, nep_nulls *nulls, const char *const *names)
{
    if (nulls->by_modes)
        return prepare_by_modes(ctx, nulls, names);
    NEP_TRY(nep_alloc(ctx, nulls->n * nulls->n, sizeof(double), "moran: eigenvectors", &nulls->vectors));
    for (int32_t block = 0; block < nulls->n_blocks; block++)
        NEP_TRY(block_vectors(ctx, nulls, names, block));
    nulls->n_groups = nulls->n_vectors;
    return nulls->kind == NEP_NULLS_MORAN_PAIR ? nep_moran_pairs(ctx, nulls) : NEP_OK;
}

void nep_moran_signs(const nep_nulls *nulls, uint64_t stream, int64_t b, int64_t first, int64_t count, double *sign)
{
    nep_philox_block bits = {0};
    for (int64_t k = first; k < first + count; k++) {
        if (k == first || k % 128 == 0)
            bits = nep_philox_at(nulls->seed, stream, nulls_index(b, k / 128));
        sign[k - first] = (bits.v[k % 128 / 32] >> (k % 32)) & 1u ? 1.0 : -1.0;
    }
}
