/* SPDX-License-Identifier: Apache-2.0 */
/* connectome_pairs - what needs every pair: degree, Fisher z, neighbours. */
#include <math.h>

#include "imaging/connectome_parts.h"

static const double afni_scale = 1 / 1.0001; /* log((1.0001 + r) / (1.0001 - r)) / 2 = atanh(r / 1.0001) */

nep_status nep_connectome_pairs(nep_ctx *ctx, const nep_connectome *c, const nep_connectome_opts *opts, double *degree, double *weighted,
                                double *mean_z)
{
    const nep_connectome_opts defaults = NEP_CONNECTOME_DEFAULTS, *o = opts ? opts : &defaults;
    int64_t *count = NULL;
    double *value = NULL, *sum, *z;
    nep_status st;
    NEP_REQUIRE(ctx, o->threshold >= 0 && o->threshold < 1, NEP_E_ARG, "connectome: the threshold %g must be at least 0 and below 1",
                o->threshold);
    NEP_TRY(nep_connectome_enough(ctx, c));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, c->n, sizeof *count, "degrees", &count));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 3 * c->n, sizeof *value, "sums of correlations", &value));
    sum = value + c->n;
    z = sum + c->n;
    NEP_TRY_OR_DONE(st, nep_backend_pair_sums(ctx, c->unit, c->n, c->n_t, o->threshold, o->two_sided, o->afni ? afni_scale : 1,
                                              degree ? count : NULL, weighted ? sum : NULL, mean_z ? z : NULL));
    for (int64_t i = 0; i < c->n; i++) {
        value[i] = (double)count[i];
        z[i] /= (double)(c->n - 1);
        z[i] = o->afni ? tanh(z[i]) : z[i];
    }
    if (degree)
        nep_connectome_scatter(c, value, 1, degree);
    if (weighted)
        nep_connectome_scatter(c, sum, 1, weighted);
    if (mean_z)
        nep_connectome_scatter(c, z, 1, mean_z);
done:
    nep_alloc_free(value);
    nep_alloc_free(count);
    return st;
}

nep_status nep_connectome_neighbours(nep_ctx *ctx, const nep_connectome *c, int64_t k, int64_t *neighbour, double *r)
{
    int32_t *index = NULL;
    double *value = NULL;
    nep_status st;
    NEP_REQUIRE(ctx, k >= 1 && k < c->room, NEP_E_ARG, "connectome: %lld neighbours of each of %lld voxels; ask for 1 to %lld", (long long)k,
                (long long)c->room, (long long)(c->room - 1));
    NEP_TRY(nep_connectome_enough(ctx, c));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, c->n * k, sizeof *index, "neighbours", &index));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, c->n * k, sizeof *value, "correlations of neighbours", &value));
    NEP_TRY_OR_DONE(st, nep_backend_top_pairs(ctx, c->unit, c->n, c->n_t, k, index, value));
    for (int64_t i = 0; i < c->n_cols * k; i++) {
        neighbour[i] = -1;
        r[i] = (double)NAN;
    }
    for (int64_t i = 0; i < c->n * k; i++) {
        const int64_t to = c->column[i / k] * k + i % k;
        if (index[i] < 0)
            continue;
        neighbour[to] = c->column[index[i]];
        r[to] = fmin(1, fmax(-1, value[i]));
    }
done:
    nep_alloc_free(value);
    nep_alloc_free(index);
    return st;
}
