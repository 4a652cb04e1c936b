/* SPDX-License-Identifier: Apache-2.0 */
/* features_glm - contrasts of a run's events in the regional means: design of events, chosen confounds, a column for each frame
 * that is left out, cosines; AR(1). */
#include <math.h>
#include <string.h>

#include "cli/features_run.h"
#include "cli/tabular.h"

enum { EFFECT, SE, STAT, Z, VALUES };

/* ---- events ---- */

nep_status cli_features_events(features *f, const nep_bids_run *run, char *out, size_t size)
{
    const char *root = cli_text(f->c, "events") ? cli_text(f->c, "events") : f->root, *slash = strrchr(run->bold, '/');
    char image[4096];
    NEP_TRY(cli_features_path(f->ctx, image, sizeof image, "%s/%s/%s", root, run->folder, slash ? slash + 1 : run->bold));
    const bool named = cli_glm_events_of(image, out, size);
    if (named && nep_file_exists(out))
        return NEP_OK;
    if (run->task) {
        char common[4096];
        NEP_TRY(cli_features_path(f->ctx, common, sizeof common, "%s/task-%s_events.tsv", root, run->task));
        if (nep_file_exists(common)) {
            snprintf(out, size, "%s", common);
            return NEP_OK;
        }
    }
    slash = named ? strrchr(out, '/') : NULL;
    return nep_ctx_fail(f->ctx, NEP_E_MISSING, "%s: glm finds no events for it (%s/%s); name their data set with --events, or choose tasks with --task-id",
                        run->bold, run->folder, slash ? slash + 1 : "events.tsv");
}

/* ---- the model ---- */

/* Confounds, whose first row may be missing, and frames that are left out. */
static nep_status make_confounds(const features_job *j, const features_result *r, nep_glm_design *out)
{
    const nep_series *s = &j->confounds;
    nep_glm_design d = {.n = r->n_frames, .p = s->n_cols + r->n_frames - r->n_kept};
    int64_t at = s->n_cols;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, d.n * d.p, sizeof *d.x, "glm: confounds", &d.x));
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, d.p, sizeof *d.names, "glm: confounds", &d.names));
    for (int64_t k = 0; k < s->n_cols; k++) {
        double sum = 0;
        NEP_TRY_OR_DONE(st, nep_alloc_string(j->ctx, s->names[k], &d.names[k]));
        for (int64_t t = 0; t < d.n; t++) {
            d.x[t * d.p + k] = (double)s->data[t * s->n_cols + k];
            sum += t > 0 ? d.x[t * d.p + k] : 0;
        }
        if (isnan(d.x[k]))
            d.x[k] = sum / (double)(d.n - 1);
    }
    for (int64_t t = 0; t < d.n; t++) {
        char name[32];
        if (r->keep[t])
            continue;
        snprintf(name, sizeof name, "frame_%lld", (long long)t + 1);
        NEP_TRY_OR_DONE(st, nep_alloc_string(j->ctx, name, &d.names[at]));
        d.x[t * d.p + at++] = 1;
    }
    *out = d;
    d = (nep_glm_design){0};
done:
    nep_glm_design_free(&d);
    return st;
}

static nep_status make_design(const features_job *j, const features_result *r, nep_glm_design *out)
{
    nep_glm_timing timing = NEP_GLM_TIMING_DEFAULTS;
    nep_glm_design confounds = {0};
    nep_events e = {0};
    char path[4096];
    nep_status st;
    timing.tr_s = r->tr_s;
    timing.slice_time_ref = cli_real(j->f->c, "slice-time-ref");
    timing.hrf = strcmp(cli_text(j->f->c, "hrf"), "spm") == 0 ? NEP_GLM_SPM : NEP_GLM_GLOVER;
    NEP_TRY_OR_DONE(st, cli_features_events(j->f, j->run, path, sizeof path));
    NEP_TRY_OR_DONE(st, nep_events_read(j->ctx, path, &e));
    NEP_TRY_OR_DONE(st, make_confounds(j, r, &confounds));
    const nep_glm_events events = {e.n, e.onset_s, e.duration_s, e.modulation, (const char *const *)e.trial_type};
    st = nep_glm_design_first(j->ctx, r->n_frames, &events, confounds.p > 0 ? &confounds : NULL, &timing, out);
done:
    nep_glm_design_free(&confounds);
    nep_events_free(&e);
    return st;
}

static nep_status test_all(features_job *j, const nep_glm_fit *fit, const nep_glm_contrast *c, features_result *r)
{
    const int n = j->f->contrasts.n;
    const int64_t q = fit->n_cols;
    nep_glm_pool *pool = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_glm_pool_open(j->ctx, c, n, q, NEP_GLM_PRECISION, &pool));
    NEP_TRY_OR_DONE(st, nep_glm_pool_add(pool, fit, NULL));
    nep_glm_pool_next(pool, fit->df);
    r->glm_df = fit->df;
    for (int k = 0; k < n; k++) {
        double *x = r->glm + k * VALUES * q;
        NEP_TRY_OR_DONE(st, nep_glm_pool_test(pool, k, c[k].f ? NULL : x, c[k].f ? NULL : x + SE * q, x + STAT * q, x + Z * q));
    }
done:
    nep_glm_pool_free(pool);
    return st;
}

static nep_status fit_contrasts(features_job *j, features_result *r)
{
    const int64_t n = j->atlas->n_regions;
    const nep_glm_opts o = {NEP_GLM_AR1, NEP_GLM_PERCENT, false};
    nep_glm_design d = {0};
    nep_glm_contrast *c = NULL;
    nep_glm *g = NULL;
    nep_glm_fit fit = {0};
    float *y = NULL;
    char where[NEP_BIDS_MAX_NAME + 64];
    nep_status st;
    snprintf(where, sizeof where, "the design of %s", j->run->stem);
    NEP_TRY_OR_DONE(st, make_design(j, r, &d));
    NEP_TRY_OR_DONE(st, cli_glm_contrasts(j->ctx, &j->f->contrasts, &d, where, &c));
    NEP_TRY_OR_DONE(st, nep_glm_open(j->ctx, &d, c, j->f->contrasts.n, &o, where, &g));
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, r->n_frames * n, sizeof *y, "regional series", &y));
    for (int64_t i = 0; i < r->n_frames * n; i++)
        y[i] = (float)j->means[i];
    NEP_TRY_OR_DONE(st, nep_glm_run(g, y, n, &fit));
    st = test_all(j, &fit, c, r);
done:
    nep_alloc_free(y);
    nep_glm_fit_free(&fit);
    nep_glm_free(g);
    cli_glm_contrasts_free(c, j->f->contrasts.n);
    nep_glm_design_free(&d);
    return st;
}

/* A run that fails by its motion may have too few frames left for a fit: that is its verdict, no error. */
nep_status cli_features_glm(features_job *j, features_result *r)
{
    const int64_t n = j->f->contrasts.n * VALUES * j->atlas->n_regions;
    NEP_TRY(nep_alloc(j->ctx, n, sizeof *r->glm, "contrasts", &r->glm));
    for (int64_t i = 0; i < n; i++)
        r->glm[i] = (double)NAN;
    r->glm_df = (double)NAN;
    const nep_status st = fit_contrasts(j, r);
    if ((st == NEP_E_SHAPE || st == NEP_E_SINGULAR) && strcmp(r->verdict, "fail") == 0) {
        cli_features_reason(r, true, "no contrasts: %s", nep_ctx_error(j->ctx));
        nep_ctx_clear(j->ctx);
        return NEP_OK;
    }
    return st;
}

/* ---- the table ---- */

nep_status cli_features_glm_write(features *f, const char *path, const features_result *r)
{
    static const char *const head[VALUES] = {"effect", "se", "stat", "z"};
    const int64_t n = f->atlas.n_regions, rows = n * f->contrasts.n;
    const char **node = NULL, **name = NULL;
    double *x = NULL, *df = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(f->ctx, rows, sizeof *node, "contrasts", &node));
    NEP_TRY_OR_DONE(st, nep_alloc(f->ctx, rows, sizeof *name, "contrasts", &name));
    NEP_TRY_OR_DONE(st, nep_alloc(f->ctx, rows * VALUES, sizeof *x, "contrasts", &x));
    NEP_TRY_OR_DONE(st, nep_alloc(f->ctx, rows, sizeof *df, "contrasts", &df));
    for (int64_t row = 0; row < rows; row++) {
        node[row] = f->atlas.names[row % n];
        name[row] = f->contrasts.name[row / n];
        df[row] = r->glm_df;
        for (int q = 0; q < VALUES; q++)
            x[q * rows + row] = r->glm[(row / n * VALUES + q) * n + row % n];
    }
    cli_column columns[3 + VALUES] = {{"Node", node, NULL}, {"contrast", name, NULL}};
    for (int q = 0; q < VALUES; q++)
        columns[2 + q] = (cli_column){head[q], NULL, x + q * rows};
    columns[2 + VALUES] = (cli_column){"df", NULL, df};
    st = cli_tabular_write(f->ctx, path, columns, NEP_LEN(columns), rows);
done:
    nep_alloc_free(df);
    nep_alloc_free(x);
    nep_alloc_free(name);
    nep_alloc_free(node);
    return st;
}
