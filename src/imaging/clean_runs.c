/* SPDX-License-Identifier: Apache-2.0 */
/* clean_runs - several runs in one series, each cleaned by itself. */
#include "imaging/clean_parts.h"

void nep_clean_runs_free(nep_clean_runs *r)
{
    for (int64_t i = 0; r->run && i < r->n; i++)
        nep_clean_free(&r->run[i]);
    nep_alloc_free(r->run);
    *r = (nep_clean_runs){0};
}

/* The run of `length` frames from the first on: its confounds are a block of rows. */
static nep_status build_one(nep_ctx *ctx, int64_t first, int64_t length, const nep_series *confounds, const nep_clean_opts *opts, nep_clean *out)
{
    nep_clean_opts o = *opts;
    nep_series own = {0};
    o.keep = opts->keep ? opts->keep + first : NULL;
    if (!confounds)
        return nep_clean_build(ctx, length, NULL, &o, out);
    own = *confounds;
    own.n_t = length;
    own.data = confounds->data + first * confounds->n_cols;
    o.confounds = opts->confounds ? opts->confounds + first * confounds->n_cols : NULL;
    return nep_clean_build(ctx, length, &own, &o, out);
}

nep_status nep_clean_runs_build(nep_ctx *ctx, const int64_t *length, int64_t n, int64_t n_t, const nep_series *confounds,
                                const nep_clean_opts *opts, nep_clean_runs *out)
{
    nep_clean_runs r = {.n_in = n_t};
    int64_t sum = 0;
    nep_status st;
    for (int64_t i = 0; i < n; i++) {
        NEP_REQUIRE(ctx, length[i] >= 1 && length[i] <= n_t, NEP_E_ARG, "clean: a run of %lld frames in a series of %lld", (long long)length[i],
                    (long long)n_t);
        sum += length[i];
    }
    NEP_REQUIRE(ctx, n >= 1 && sum == n_t, NEP_E_ARG, "clean: the runs have %lld frames together, the series has %lld", (long long)sum, (long long)n_t);
    NEP_REQUIRE(ctx, !confounds || confounds->n_t == n_t, NEP_E_SHAPE, "clean: the confounds have %lld rows, the series %lld",
                confounds ? (long long)confounds->n_t : 0, (long long)n_t);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *r.run, "runs", &r.run));
    for (int64_t first = 0; r.n < n; first += length[r.n++]) {
        NEP_TRY_OR_DONE(st, build_one(ctx, first, length[r.n], confounds, opts, &r.run[r.n]));
        r.n_out += r.run[r.n].n_out;
    }
    *out = r;
    r = (nep_clean_runs){0};
    st = NEP_OK;
done:
    nep_clean_runs_free(&r);
    return st;
}

nep_status nep_clean_runs_apply(nep_ctx *ctx, const nep_clean_runs *r, const float *x, int64_t n_cols, float *out)
{
    for (int64_t i = 0; i < r->n; i++) {
        NEP_TRY(nep_clean_apply(ctx, &r->run[i], x, n_cols, out));
        x += r->run[i].n_in * n_cols;
        out += r->run[i].n_out * n_cols;
    }
    return NEP_OK;
}
