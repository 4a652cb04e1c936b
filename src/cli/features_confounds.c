/* SPDX-License-Identifier: Apache-2.0 */
/* features_confounds - a run's confounds: sets, or columns by name; motion and its framewise displacement; frames before the
 * steady state. */
#include <math.h>
#include <string.h>

#include "cli/confound_sets.h"
#include "cli/features.h"

static const char *const base_names[6] = {"trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z"};

/* 36p where all nine base columns are; otherwise motion and what there is of csf and white matter. */
static int choose_auto(const nep_table *t, const char **words)
{
    static const char *const tissues[3] = {"csf", "white_matter", "global_signal"};
    int n = 0, have = 0;
    for (int i = 0; i < 3; i++)
        have += nep_table_column(t, tissues[i]) >= 0;
    words[n++] = have == 3 ? "36p" : "6p";
    for (int i = 0; i < 2; i++)
        if (have < 3 && nep_table_column(t, tissues[i]) >= 0)
            words[n++] = tissues[i];
    return n;
}

/* The chosen columns; `label` says which, joined by +. */
static nep_status choose(features *f, const nep_table *t, const char *path, nep_series *out, double **exact, char *label,
                         size_t size)
{
    const char *own[3], *const *words = f->o.confounds;
    int n = f->o.n_confounds;
    size_t used = 0;
    if (n == 1 && strcmp(words[0], "auto") == 0) {
        n = choose_auto(t, own);
        words = own;
    }
    label[0] = '\0';
    for (int i = 0; i < n; i++) {
        snprintf(label + used, size - used, "%s%s", i ? "+" : "", words[i]);
        used = strlen(label);
    }
    if (n == 1 && strcmp(words[0], "none") == 0)
        return NEP_OK;
    return cli_confounds_read(f->ctx, t, path, words, n, out, exact);
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

nep_status cli_features_confounds(features *f, const char *path, int64_t n_frames, nep_series *out, double **exact, char *label,
                                  size_t size, double *fd, bool *steady)
{
    const cli_confounds_censor unsteady = {.fd_mm = (double)NAN, .std_dvars = (double)NAN, .unsteady = true};
    nep_table t = {0};
    nep_series s = {0};
    double *x = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_tsv_read(f->ctx, path, &t));
    if (t.n_rows != n_frames) {
        st = nep_ctx_fail_file(f->ctx, NEP_E_SHAPE, path, "%s: has %lld rows, the series has %lld frames; they are not of one run", path,
                               (long long)t.n_rows, (long long)n_frames);
        goto done;
    }
    NEP_TRY_OR_DONE(st, choose(f, &t, path, &s, &x, label, size));
    NEP_TRY_OR_DONE(st, displacement(f, &t, n_frames, fd));
    for (int64_t row = 0; row < n_frames; row++)
        steady[row] = true;
    NEP_TRY_OR_DONE(st, cli_confounds_keep(f->ctx, &t, &unsteady, steady));
    *out = s;
    *exact = x;
    s = (nep_series){0};
    x = NULL;
done:
    nep_alloc_free(x);
    nep_series_free(&s);
    nep_table_free(&t);
    return st;
}
