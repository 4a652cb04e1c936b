/* SPDX-License-Identifier: Apache-2.0 */
/* hierarchical_sample.c - draws from the Laplace posterior of the hierarchical model, for what has no formula: ranks. */
#include "rank/hierarchical.h"

#include <math.h>
#include <string.h>

/* Lower factor of a symmetric matrix; a row whose pivot is 0 (held at 0) stays 0. */
static void factor_lower(const double *a, int n, double *l)
{
    memset(l, 0, (size_t)n * (size_t)n * sizeof *l);
    for (int j = 0; j < n; j++) {
        double pivot = a[j * n + j];
        for (int k = 0; k < j; k++)
            pivot -= l[j * n + k] * l[j * n + k];
        if (!(pivot > 1e-14 * a[j * n + j]))
            continue;
        l[j * n + j] = sqrt(pivot);
        for (int i = j + 1; i < n; i++) {
            double s = a[i * n + j];
            for (int k = 0; k < j; k++)
                s -= l[i * n + k] * l[j * n + k];
            l[i * n + j] = s / l[j * n + j];
        }
    }
}

/* out += l z, z normals number `from` and on of a stream. */
static void add_normals(const double *l, int n, uint64_t seed, uint64_t stream, uint64_t from, double *out)
{
    for (int k = 0; k < n; k++) {
        const double z = nep_philox_normal(seed, stream, from + (uint64_t)k);
        for (int i = k; i < n; i++)
            out[i] += l[i * n + k] * z;
    }
}

/* Globals first; a group given its globals is normal about its mode less what they moved it by. */
static void draw(const nep_hierarchical *h, const double *global_factor, const double *local_factor, uint64_t seed, int64_t b,
                 double *global, double *local)
{
    const int L = h->n_local, G = h->n_global;
    memcpy(global, h->global, (size_t)G * sizeof *global);
    add_normals(global_factor, G, seed, (uint64_t)b, 0, global);
    for (int c = 0; c < h->channels; c++)
        if (h->oriented[c] && global[c] < 0)
            global[c] = 0;
    for (int64_t j = 0; j < h->groups; j++) {
        double *own = local + j * L;
        const double *cross = h->local_cross + j * L * G;
        memcpy(own, h->local + j * L, (size_t)L * sizeof *own);
        for (int a = 0; a < L; a++)
            for (int g = 0; g < G; g++)
                own[a] -= cross[a * G + g] * (global[g] - h->global[g]);
        add_normals(local_factor + j * L * L, L, seed, (uint64_t)b, (uint64_t)(G + j * L), own);
    }
}

nep_status nep_hierarchical_sample(nep_ctx *ctx, const nep_hierarchical *h, int64_t n_draws, uint64_t seed, nep_hierarchical_draws *out)
{
    double *global_factor = NULL, *local_factor = NULL;
    nep_hierarchical_draws d = {0};
    nep_status st;
    NEP_REQUIRE(ctx, h && n_draws >= 1, NEP_E_ARG, "hierarchical sample: %lld draws; at least 1 is needed", (long long)n_draws);
    const int64_t block = (int64_t)h->n_local * h->n_local;
    d = (nep_hierarchical_draws){.n_boot = n_draws, .groups = h->groups, .n_local = h->n_local, .n_global = h->n_global};
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_draws * d.n_global, sizeof *d.global, "sample: draws", &d.global));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_draws * d.groups * d.n_local, sizeof *d.local, "sample: draws", &d.local));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_draws, sizeof *d.steps, "sample: draws", &d.steps));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, (int64_t)d.n_global * d.n_global, sizeof *global_factor, "sample: factors", &global_factor));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d.groups * block, sizeof *local_factor, "sample: factors", &local_factor));
    factor_lower(h->covariance, d.n_global, global_factor);
    for (int64_t j = 0; j < d.groups; j++)
        factor_lower(h->local_inverse + j * block, d.n_local, local_factor + j * block);
#pragma omp parallel for num_threads(nep_ctx_threads(ctx)) schedule(static)
    for (int64_t b = 0; b < n_draws; b++)
        draw(h, global_factor, local_factor, seed, b, d.global + b * d.n_global, d.local + b * d.groups * d.n_local);
    NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
    *out = d;
    d = (nep_hierarchical_draws){0};
done:
    nep_hierarchical_draws_free(&d);
    nep_alloc_free(local_factor);
    nep_alloc_free(global_factor);
    return st;
}
