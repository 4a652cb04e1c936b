/* SPDX-License-Identifier: Apache-2.0 */
/* confound_sets - sets of confounds expanded from the base columns of fMRIPrep's tables, CompCor by mask, censoring by columns.
 *
 * Sets with a P: Satterthwaite et al. (2013), doi:10.1016/j.neuroimage.2012.08.052, Ciric et al. (2017),
 * doi:10.1016/j.neuroimage.2017.03.020; derivatives are backward differences, powers are squares of both. CompCor: Behzadi et al.
 * (2007), doi:10.1016/j.neuroimage.2007.04.042. */
#include "cli/confound_sets.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 2048, KINDS = 4 };

static const char *const base_names[9] = {"trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z", "csf", "white_matter", "global_signal"};
static const char *const kind_names[KINDS] = {"", "_derivative1", "_power2", "_derivative1_power2"};
static const struct {
    const char *name;
    int first, last; /* of base_names */
    int kinds;       /* the first of kind_names */
} expanded[] = {{"6p", 0, 6, 1}, {"8p", 0, 8, 1}, {"9p", 0, 9, 1}, {"24p", 0, 6, 4}, {"32p", 0, 8, 4}, {"36p", 0, 9, 4}};
static const struct {
    const char *name;
    const char *parts[5];
} strategies[] = {{"simple", {"24p", "csf", "white_matter", "cosine"}},
                  {"scrubbing", {"32p", "cosine"}},
                  {"compcor", {"24p", "acompcor-combined", "cosine"}}};

typedef struct {
    nep_ctx *ctx;
    const nep_table *t;
    const char *path;
    json_t *doc; /* beside the table; NULL until asked for */
    int n;
    struct {
        int64_t column;
        int kind;
    } pick[MOST];
} picks;

static nep_status add(picks *k, int64_t column, int kind)
{
    for (int i = 0; i < k->n; i++)
        if (k->pick[i].column == column && k->pick[i].kind == kind)
            return NEP_OK;
    NEP_REQUIRE(k->ctx, k->n < MOST, NEP_E_ARG, "%s: more than %d confounds are asked for", k->path, MOST);
    k->pick[k->n].column = column;
    k->pick[k->n++].kind = kind;
    return NEP_OK;
}

static nep_status find(picks *k, const char *name, int64_t *column)
{
    *column = nep_table_column(k->t, name);
    const char *near = *column < 0 ? nep_data_nearest(name, (const char *const *)k->t->header, k->t->n_cols) : NULL;
    if (*column < 0)
        return nep_ctx_fail_file(k->ctx, NEP_E_FORMAT, k->path, "%s: there is no confound '%s'%s%s%s; sets are 6p, 8p, 24p, 36p, acompcor, cosine and more (--help)",
                                 k->path, name, near ? ", the nearest is '" : "", near ? near : "", near ? "'" : "");
    return NEP_OK;
}

/* ---- CompCor ---- */

void cli_confounds_json(const char *path, char *out, size_t size)
{
    static const char *const tails[] = {".gz", ".tsv", ".csv"};
    size_t n = strlen(path);
    for (int i = 0; i < NEP_LEN(tails); i++) {
        const size_t m = strlen(tails[i]);
        n -= n > m && strncmp(path + n - m, tails[i], m) == 0 ? m : 0;
    }
    snprintf(out, size, "%.*s.json", (int)n, path);
}

static nep_status read_json(picks *k)
{
    char name[4200];
    if (k->doc || strlen(k->path) > 4096)
        return NEP_OK;
    cli_confounds_json(k->path, name, sizeof name);
    return nep_file_exists(name) ? nep_json_read(k->ctx, name, &k->doc) : NEP_OK;
}

/* The number of x_comp_cor_<number>, or -1. */
static int component_number(const char *name, char letter)
{
    char *end;
    if (name[0] != letter || strncmp(name + 1, "_comp_cor_", 10) != 0 || name[11] == '\0')
        return -1;
    const long n = strtol(name + 11, &end, 10);
    return *end == '\0' && n >= 0 && n < MOST ? (int)n : -1;
}

/* Whether a column is a retained component of the mask. Newer tables say the mask by the letter too; a JSON decides. */
static bool has_mask(const picks *k, const char *column, const char *mask, char letter)
{
    const json_t *entry = json_object_get(k->doc, column);
    const char *said = json_string_value(json_object_get(entry, "Mask"));
    if (json_is_false(json_object_get(entry, "Retained")))
        return false;
    return !mask || (said ? strcmp(said, mask) == 0 : !k->doc && column[0] == letter);
}

/* The first `most` components of a mask in the order of their numbers. */
static nep_status add_components(picks *k, const char *letters, const char *mask, char letter, long most)
{
    long have = 0;
    for (const char *l = letters; *l; l++)
        for (int number = 0; number < MOST && have < most; number++)
            for (int64_t c = 0; c < k->t->n_cols; c++)
                if (component_number(k->t->header[c], *l) == number && has_mask(k, k->t->header[c], mask, letter)) {
                    NEP_TRY(add(k, c, 0));
                    have++;
                }
    if (have == 0)
        return nep_ctx_fail_file(k->ctx, NEP_E_FORMAT, k->path, "%s: there is no %s component%s%s%s", k->path, letters[0] == 't' ? "tCompCor" : "aCompCor",
                                 mask ? " of mask " : "", mask ? mask : "", k->doc || !mask ? "" : "; masks stand in the JSON beside it, which is missing");
    if (have < most && most < MOST)
        nep_warn(k->ctx, "%s: %ld components%s%s are asked for, %ld are there", k->path, most, mask ? " of mask " : "", mask ? mask : "", have);
    return NEP_OK;
}

/* acompcor[N], acompcor-combined[N], tcompcor[N]: true when it is one. */
static bool read_compcor(const char *word, const char *stem, long *most)
{
    char *end;
    const size_t n = strlen(stem);
    if (strncmp(word, stem, n) != 0)
        return false;
    *most = MOST;
    if (word[n] == '\0')
        return true;
    *most = strtol(word + n, &end, 10);
    return *end == '\0' && *most > 0 && *most < MOST && word[n] >= '1' && word[n] <= '9';
}

/* ---- sets ---- */

static nep_status add_expanded(picks *k, int at)
{
    for (int kind = 0; kind < expanded[at].kinds; kind++)
        for (int b = expanded[at].first; b < expanded[at].last; b++) {
            int64_t column;
            NEP_TRY(find(k, base_names[b], &column));
            NEP_TRY(add(k, column, kind));
        }
    return NEP_OK;
}

static nep_status add_prefixed(picks *k, const char *prefix)
{
    bool any = false;
    for (int64_t c = 0; c < k->t->n_cols; c++)
        if (strncmp(k->t->header[c], prefix, strlen(prefix)) == 0) {
            NEP_TRY(add(k, c, 0));
            any = true;
        }
    if (!any)
        return nep_ctx_fail_file(k->ctx, NEP_E_FORMAT, k->path, "%s: there is no column %s*", k->path, prefix);
    return NEP_OK;
}

static nep_status add_part(picks *k, const char *word)
{
    int64_t column = nep_table_column(k->t, word);
    long most;
    if (column >= 0)
        return add(k, column, 0);
    for (int i = 0; i < NEP_LEN(expanded); i++)
        if (strcmp(word, expanded[i].name) == 0)
            return add_expanded(k, i);
    if (strcmp(word, "cosine") == 0)
        return add_prefixed(k, "cosine");
    if (read_compcor(word, "tcompcor", &most)) {
        NEP_TRY(read_json(k));
        return add_components(k, "t", NULL, 't', most);
    }
    if (read_compcor(word, "acompcor-combined", &most)) {
        NEP_TRY(read_json(k));
        return add_components(k, "a", "combined", 'a', most);
    }
    if (read_compcor(word, "acompcor", &most)) {
        NEP_TRY(read_json(k));
        NEP_TRY(add_components(k, "ac", "CSF", 'c', most));
        return add_components(k, "aw", "WM", 'w', most);
    }
    return find(k, word, &column);
}

static nep_status add_word(picks *k, const char *word)
{
    for (int i = 0; nep_table_column(k->t, word) < 0 && i < NEP_LEN(strategies); i++)
        if (strcmp(word, strategies[i].name) == 0) {
            for (int p = 0; strategies[i].parts[p]; p++)
                NEP_TRY(add_part(k, strategies[i].parts[p]));
            return NEP_OK;
        }
    return add_part(k, word);
}

static nep_status fill(picks *k, nep_series *s, double *exact)
{
    char name[256];
    for (int i = 0; i < k->n; i++) {
        double before = (double)NAN;
        for (int64_t row = 0; row < s->n_t; row++) {
            double x;
            NEP_TRY(nep_table_number(k->ctx, k->t, row, k->pick[i].column, &x));
            const double step = x - before, form[KINDS] = {x, step, x * x, step * step};
            exact[row * s->n_cols + i] = form[k->pick[i].kind];
            s->data[row * s->n_cols + i] = (float)form[k->pick[i].kind];
            before = x;
        }
        snprintf(name, sizeof name, "%.200s%s", k->t->header[k->pick[i].column], kind_names[k->pick[i].kind]);
        NEP_TRY(nep_alloc_string(k->ctx, name, &s->names[i]));
    }
    return NEP_OK;
}

nep_status cli_confounds_read(nep_ctx *ctx, const nep_table *t, const char *path, const char *const *names, int n, nep_series *out,
                              double **exact)
{
    picks *k = NULL;
    double *x = NULL;
    nep_series s = {.n_t = t->n_rows, .tr_s = (double)NAN};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 1, sizeof *k, "confounds", &k));
    *k = (picks){.ctx = ctx, .t = t, .path = path};
    for (int64_t c = 0; n == 0 && c < t->n_cols; c++)
        NEP_TRY_OR_DONE(st, add(k, c, 0));
    for (int i = 0; i < n; i++)
        NEP_TRY_OR_DONE(st, add_word(k, names[i]));
    s.n_cols = k->n;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, s.n_t * s.n_cols, sizeof *s.data, "confounds", &s.data));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, s.n_cols, sizeof *s.names, "confounds", &s.names));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, s.n_t * s.n_cols, sizeof *x, "confounds", &x));
    NEP_TRY_OR_DONE(st, fill(k, &s, x));
    *out = s;
    *exact = x;
    s = (nep_series){0};
    x = NULL;
done:
    nep_alloc_free(x);
    nep_series_free(&s);
    if (k)
        json_decref(k->doc);
    nep_alloc_free(k);
    return st;
}

/* ---- frames ---- */

static nep_status censor_above(nep_ctx *ctx, const nep_table *t, const char *name, double most, bool *keep)
{
    int64_t column;
    if (isnan(most))
        return NEP_OK;
    NEP_TRY(nep_table_need(ctx, t, name, &column));
    for (int64_t row = 0; row < t->n_rows; row++) {
        double x;
        NEP_TRY(nep_table_number(ctx, t, row, column, &x));
        keep[row] = keep[row] && !(x > most);
    }
    return NEP_OK;
}

static nep_status censor_unsteady(nep_ctx *ctx, const nep_table *t, bool *keep)
{
    for (int64_t c = 0; c < t->n_cols; c++)
        for (int64_t row = 0; strncmp(t->header[c], "non_steady_state_outlier", 24) == 0 && row < t->n_rows; row++) {
            double x;
            NEP_TRY(nep_table_number(ctx, t, row, c, &x));
            keep[row] = keep[row] && !(x > 0);
        }
    return NEP_OK;
}

void cli_confounds_short_runs(int64_t n, int64_t least, bool *keep)
{
    for (int64_t first = 0, end = 0; first < n; first = end + 1) {
        for (end = first; end < n && keep[end]; end++)
            ;
        if (end - first < least && end - first < n)
            memset(keep + first, 0, (size_t)(end - first) * sizeof *keep);
    }
}

nep_status cli_confounds_keep(nep_ctx *ctx, const nep_table *t, const cli_confounds_censor *k, bool *keep)
{
    NEP_TRY(censor_above(ctx, t, "framewise_displacement", k->fd_mm, keep));
    NEP_TRY(censor_above(ctx, t, "std_dvars", k->std_dvars, keep));
    if (k->unsteady)
        NEP_TRY(censor_unsteady(ctx, t, keep));
    return NEP_OK;
}
