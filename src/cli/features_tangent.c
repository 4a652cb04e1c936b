/* SPDX-License-Identifier: Apache-2.0 */
/* features_tangent - at the group level, every run's covariance as seen from the mean of all. */
#include <math.h>
#include <string.h>

#include "cli/features_gather.h"

static nep_status file_of(const features_gathering *g, const features_gathered_run *r, const char *what, char *out, size_t size)
{
    return cli_features_path(g->ctx, out, size, "%s/%s/%s_stat-%s_relmat.tsv", g->f->out, r->source->folder, r->source->stem, what);
}

static nep_status read_covariance(features_gathering *g, const char *path, double *out)
{
    const int64_t n = g->n_regions;
    nep_table t = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_tsv_read(g->ctx, path, &t));
    bool same = t.n_rows == n && t.n_cols == n + 1;
    for (int64_t i = 0; same && i < n; i++)
        same = nep_table_cell(&t, i, 0) && strcmp(nep_table_cell(&t, i, 0), g->regions[i]) == 0;
    NEP_REQUIRE_OR_DONE(st, g->ctx, same, NEP_E_SHAPE, "%s: its regions are not those of the other runs; measure all runs with one atlas", path);
    for (int64_t i = 0; i < n * n; i++)
        NEP_TRY_OR_DONE(st, nep_table_number(g->ctx, &t, i / n, 1 + i % n, &out[i]));
done:
    nep_table_free(&t);
    return st;
}

typedef struct {
    int64_t n;
    int64_t *run;                  /* [n] of the gathering */
    double *covariance, *out, *mean; /* [n, regions, regions]; mean [regions, regions] */
} tangents;

static nep_status read_all(features_gathering *g, tangents *k)
{
    const int64_t size = g->n_regions * g->n_regions;
    char path[4096];
    NEP_TRY(nep_alloc(g->ctx, g->n, sizeof *k->run, "runs", &k->run));
    for (int64_t i = 0; i < g->n; i++) {
        NEP_TRY(file_of(g, &g->runs[i], "covariance", path, sizeof path));
        if (g->runs[i].person >= 0 && nep_file_exists(path))
            k->run[k->n++] = i;
    }
    NEP_REQUIRE(g->ctx, k->n >= 2, NEP_E_MISSING, "--tangent: %lld runs have a covariance, 2 are needed; measure it with --features covariance",
                (long long)k->n);
    NEP_TRY(nep_alloc(g->ctx, k->n * size, sizeof *k->covariance, "covariances", &k->covariance));
    NEP_TRY(nep_alloc(g->ctx, k->n * size, sizeof *k->out, "tangents", &k->out));
    NEP_TRY(nep_alloc(g->ctx, size, sizeof *k->mean, "mean covariance", &k->mean));
    for (int64_t i = 0; i < k->n; i++) {
        NEP_TRY(file_of(g, &g->runs[k->run[i]], "covariance", path, sizeof path));
        NEP_TRY(read_covariance(g, path, k->covariance + i * size));
    }
    return NEP_OK;
}

static nep_status write_one(features_gathering *g, const char *path, const double *x, int64_t n_runs, const char *description)
{
    const int64_t n = g->n_regions;
    NEP_TRY(nep_tsv_write_matrix(g->ctx, path, "Node", g->regions, g->regions, n, n, x));
    return cli_sidecar(g->f->c, path, "as the inputs", json_pack("{s:s,s:s,s:s,s:I}", "Description", description, "Measure", "tangent", "Atlas", g->f->seg,
                                                                 "NumberOfRuns", (json_int_t)n_runs));
}

nep_status cli_features_tangent(features_gathering *g)
{
    const int64_t size = g->n_regions * g->n_regions;
    tangents k = {0};
    char path[4096];
    int64_t missing = 0;
    nep_status st;
    NEP_TRY_OR_DONE(st, read_all(g, &k));
    NEP_TRY_OR_DONE(st, nep_connectivity_tangent(g->ctx, k.covariance, k.n, g->n_regions, k.mean, k.out));
    for (int64_t i = 0; i < k.n; i++) {
        NEP_TRY_OR_DONE(st, file_of(g, &g->runs[k.run[i]], "tangent", path, sizeof path));
        NEP_TRY_OR_DONE(st, write_one(g, path, k.out + i * size, k.n, "Logarithm of the covariance as seen from the geometric mean of all runs"));
    }
    NEP_TRY_OR_DONE(st, cli_features_path(g->ctx, path, sizeof path, "%s/group_tangent_mean.tsv", g->f->out));
    NEP_TRY_OR_DONE(st, write_one(g, path, k.mean, k.n, "Geometric mean of the runs' covariances, percent squared"));
    for (int64_t q = 0; q < g->n_regions; q++)
        missing += isnan(k.mean[q * g->n_regions + q]);
    cli_say(g->f->c, "tangents of %lld runs; %lld of %lld regions are missing in some run, and so in all", (long long)k.n, (long long)missing,
            (long long)g->n_regions);
done:
    nep_alloc_free(k.mean);
    nep_alloc_free(k.out);
    nep_alloc_free(k.covariance);
    nep_alloc_free(k.run);
    return st;
}
