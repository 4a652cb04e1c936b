/* SPDX-License-Identifier: Apache-2.0 */
/* features_confounds - a run's confounds: presets expanded from the base columns, or columns by name; motion and its
 * framewise displacement; frames before the steady state. */
#include <math.h>
#include <string.h>

#include "cli/features.h"

/* Presets of Satterthwaite et al. (2013), doi:10.1016/j.neuroimage.2012.08.052, and Ciric et al. (2017),
 * doi:10.1016/j.neuroimage.2017.03.020: derivatives are backward differences, powers are squares of both. */
static const char *const base_names[9] = {"trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z",
                                          "csf", "white_matter", "global_signal"};
static const struct {
    const char *name;
    int bases; /* of base_names, from the first */
    int kinds; /* 1 = as they are, 4 = with derivatives, squares and squares of derivatives */
} presets[] = {{"6p", 6, 1}, {"8p", 8, 1}, {"9p", 9, 1}, {"24p", 6, 4}, {"32p", 8, 4}, {"36p", 9, 4}};
static const char *const kind_names[4] = {"", "_derivative1", "_power2", "_derivative1_power2"};

/* What is regressed out: `n` columns of the table, each in its first `kinds` forms. */
typedef struct {
    const char *name[512];
    int64_t column[512];
    int n, kinds;
} choice;

static nep_status choose_column(features *f, const nep_table *t, const char *path, const char *name, choice *k)
{
    const int64_t column = nep_table_column(t, name);
    if (column < 0)
        return nep_ctx_fail_file(f->ctx, NEP_E_FORMAT, path,
                                 "%s: there is no confound '%s'; choose others with --confounds (6p, 8p, 24p, none or column names)", path, name);
    NEP_REQUIRE(f->ctx, k->n < NEP_LEN(k->name), NEP_E_ARG, "--confounds names more than %d columns", NEP_LEN(k->name));
    k->name[k->n] = name;
    k->column[k->n++] = column;
    return NEP_OK;
}

/* 36p where all nine base columns are; otherwise motion and what there is of csf and white matter. */
static nep_status choose_auto(features *f, const nep_table *t, const char *path, choice *k, char *label, size_t size)
{
    bool all = true;
    for (int i = 6; i < 9; i++)
        all = all && nep_table_column(t, base_names[i]) >= 0;
    k->kinds = all ? 4 : 1;
    for (int i = 0; i < (all ? 9 : 8); i++)
        if (i < 6 || nep_table_column(t, base_names[i]) >= 0)
            NEP_TRY(choose_column(f, t, path, base_names[i], k));
    if (all)
        snprintf(label, size, "36p");
    else
        snprintf(label, size, "6p%s%s", nep_table_column(t, "csf") >= 0 ? "+csf" : "",
                 nep_table_column(t, "white_matter") >= 0 ? "+white_matter" : "");
    return NEP_OK;
}

static nep_status choose(features *f, const nep_table *t, const char *path, choice *k, char *label, size_t size)
{
    const char *const *given = f->o.confounds;
    const int n = f->o.n_confounds;
    k->kinds = 1;
    snprintf(label, size, "%s", n == 1 ? given[0] : "columns");
    if (n == 1 && strcmp(given[0], "none") == 0)
        return NEP_OK;
    if (n == 1 && strcmp(given[0], "auto") == 0)
        return choose_auto(f, t, path, k, label, size);
    for (int p = 0; n == 1 && p < NEP_LEN(presets); p++)
        if (strcmp(given[0], presets[p].name) == 0) {
            k->kinds = presets[p].kinds;
            for (int i = 0; i < presets[p].bases; i++)
                NEP_TRY(choose_column(f, t, path, base_names[i], k));
            return NEP_OK;
        }
    for (int i = 0; i < n; i++)
        NEP_TRY(choose_column(f, t, path, given[i], k));
    return NEP_OK;
}

static nep_status fill(features *f, const nep_table *t, const choice *k, nep_series *s)
{
    char name[256];
    for (int i = 0; i < k->n; i++) {
        double before = (double)NAN;
        for (int64_t row = 0; row < s->n_t; row++) {
            double x;
            NEP_TRY(nep_table_number(f->ctx, t, row, k->column[i], &x));
            const double step = x - before, form[4] = {x, step, x * x, step * step};
            for (int kind = 0; kind < k->kinds; kind++)
                s->data[row * s->n_cols + kind * k->n + i] = (float)form[kind];
            before = x;
        }
        for (int kind = 0; kind < k->kinds; kind++) {
            snprintf(name, sizeof name, "%.200s%s", k->name[i], kind_names[kind]);
            NEP_TRY(nep_alloc_string(f->ctx, name, &s->names[kind * k->n + i]));
        }
    }
    return NEP_OK;
}

/* From the six motion columns; where they lack, from framewise_displacement; else unknown. */
static nep_status displacement(features *f, const nep_table *t, int64_t n, double *fd)
{
    double *motion = NULL;
    bool all = true;
    nep_status st = NEP_OK;
    const int64_t given = nep_table_column(t, "framewise_displacement");
    for (int i = 0; i < 6; i++)
        all = all && nep_table_column(t, base_names[i]) >= 0;
    for (int64_t row = 0; row < n; row++) {
        fd[row] = (double)NAN;
        if (!all && given >= 0)
            NEP_TRY(nep_table_number(f->ctx, t, row, given, &fd[row]));
    }
    if (!all)
        return NEP_OK;
    NEP_TRY(nep_alloc(f->ctx, n * 6, sizeof *motion, "motion", &motion));
    for (int64_t row = 0; row < n; row++)
        for (int i = 0; i < 6; i++)
            NEP_TRY_OR_DONE(st, nep_table_number(f->ctx, t, row, nep_table_column(t, base_names[i]), &motion[row * 6 + i]));
    st = nep_quality_fd(f->ctx, motion, n, NEP_QUALITY_POWER, (double)NAN, fd);
done:
    nep_alloc_free(motion);
    return st;
}

static nep_status find_unsteady(features *f, const nep_table *t, int64_t n, bool *steady)
{
    for (int64_t row = 0; row < n; row++)
        steady[row] = true;
    for (int64_t c = 0; c < t->n_cols; c++)
        for (int64_t row = 0; row < n && strncmp(t->header[c], "non_steady_state_outlier", 24) == 0; row++) {
            double x;
            NEP_TRY(nep_table_number(f->ctx, t, row, c, &x));
            steady[row] = steady[row] && !(x > 0);
        }
    return NEP_OK;
}

nep_status cli_features_confounds(features *f, const char *path, int64_t n_frames, nep_series *out, char *label, size_t size,
                                  double *fd, bool *steady)
{
    nep_table t = {0};
    choice *k = NULL;
    nep_series s = {.n_t = n_frames, .tr_s = (double)NAN};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(f->ctx, 1, sizeof *k, "confounds", &k));
    NEP_TRY_OR_DONE(st, nep_tsv_read(f->ctx, path, &t));
    if (t.n_rows != n_frames) {
        st = nep_ctx_fail_file(f->ctx, NEP_E_SHAPE, path, "%s: has %lld rows, the series has %lld frames; they are not of one run", path,
                               (long long)t.n_rows, (long long)n_frames);
        goto done;
    }
    NEP_TRY_OR_DONE(st, choose(f, &t, path, k, label, size));
    s.n_cols = k->n * k->kinds;
    NEP_TRY_OR_DONE(st, nep_alloc(f->ctx, n_frames * s.n_cols, sizeof *s.data, "confounds", &s.data));
    NEP_TRY_OR_DONE(st, nep_alloc(f->ctx, s.n_cols, sizeof *s.names, "confounds", &s.names));
    NEP_TRY_OR_DONE(st, fill(f, &t, k, &s));
    NEP_TRY_OR_DONE(st, displacement(f, &t, n_frames, fd));
    NEP_TRY_OR_DONE(st, find_unsteady(f, &t, n_frames, steady));
    *out = s;
    s = (nep_series){0};
done:
    nep_series_free(&s);
    nep_table_free(&t);
    nep_alloc_free(k);
    return st;
}
