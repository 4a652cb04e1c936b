/* SPDX-License-Identifier: Apache-2.0 */
/* subjects - subjects by features out of a TSV whose first column is their ids, or out of an AnnData file such as features.h5. */
#include "cli/subjects.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nepenthe/io.h>

void cli_subjects_free(cli_subjects *s)
{
    nep_data_free_names(s->ids, s->n);
    nep_data_free_names(s->columns, s->p);
    nep_alloc_free(s->x);
    *s = (cli_subjects){0};
}

int64_t cli_subjects_find(char *const *names, int64_t n, const char *name)
{
    for (int64_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static nep_status check_distinct(nep_ctx *ctx, const char *path, const char *what, char *const *names, int64_t n)
{
    const char **sorted = NULL;
    nep_status st = NEP_OK;
    NEP_TRY(nep_alloc_copy(ctx, names, n, sizeof *sorted, "names", &sorted));
    qsort(sorted, (size_t)n, sizeof *sorted, by_text);
    for (int64_t i = 0; i < n && st == NEP_OK; i++) {
        if (sorted[i][0] == '\0')
            st = nep_ctx_fail_file(ctx, NEP_E_FORMAT, path, "%s: a %s has no name", path, what);
        else if (i > 0 && strcmp(sorted[i], sorted[i - 1]) == 0)
            st = nep_ctx_fail_file(ctx, NEP_E_FORMAT, path, "%s: %s '%s' stands there twice", path, what, sorted[i]);
    }
    nep_alloc_free(sorted);
    return st;
}

static nep_status read_table(nep_ctx *ctx, const char *path, cli_subjects *s)
{
    nep_table t = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_tsv_read(ctx, path, &t));
    NEP_REQUIRE_OR_DONE(st, ctx, t.n_cols >= 2 && t.n_rows >= 1, NEP_E_FORMAT,
                        "%s: needs a first column of ids, a column per feature and a row per subject", path);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, t.n_rows, sizeof *s->ids, "subjects", &s->ids));
    s->n = t.n_rows;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, t.n_cols - 1, sizeof *s->columns, "features", &s->columns));
    s->p = t.n_cols - 1;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, s->n * s->p, sizeof *s->x, "features", &s->x));
    for (int64_t f = 0; f < s->p; f++)
        NEP_TRY_OR_DONE(st, nep_alloc_string(ctx, t.header[f + 1], &s->columns[f]));
    for (int64_t i = 0; i < s->n; i++) {
        const char *id = nep_table_cell(&t, i, 0);
        NEP_TRY_OR_DONE(st, nep_alloc_string(ctx, id ? id : "", &s->ids[i]));
        for (int64_t f = 0; f < s->p; f++) {
            double v;
            NEP_TRY_OR_DONE(st, nep_table_number(ctx, &t, i, f + 1, &v));
            s->x[i * s->p + f] = (float)v;
        }
    }
done:
    nep_table_free(&t);
    return st;
}

/* ---- AnnData ---- */

/* The names of a data frame lie under the name its _index attribute gives; these are the ones in use. */
static nep_status read_names(nep_ctx *ctx, const char *path, const char *frame, char ***names, int64_t *n)
{
    static const char *const index[] = {"_index", "participant_id", "name", "index"};
    for (int k = 0; k < NEP_LEN(index); k++) {
        char dataset[64];
        snprintf(dataset, sizeof dataset, "%s/%s", frame, index[k]);
        if (nep_hdf5_read_strings(ctx, path, dataset, names, n) == NEP_OK)
            return NEP_OK;
        if (k + 1 < NEP_LEN(index) && strstr(nep_ctx_error(ctx), "has no dataset"))
            nep_ctx_clear(ctx);
        else
            break;
    }
    if (!strstr(nep_ctx_error(ctx), "has no dataset"))
        return NEP_E_FORMAT;
    nep_ctx_clear(ctx);
    return nep_ctx_fail_file(ctx, NEP_E_FORMAT, path, "%s: no AnnData file: '%s' has no list of names (_index, participant_id, name, index)",
                             path, frame);
}

static nep_status read_anndata(nep_ctx *ctx, const char *path, cli_subjects *s)
{
    double *x = NULL;
    int rank = 0;
    int64_t dims[4];
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_hdf5_read_f64(ctx, path, "X", &x, &rank, dims));
    NEP_TRY_OR_DONE(st, read_names(ctx, path, "obs", &s->ids, &s->n));
    NEP_TRY_OR_DONE(st, read_names(ctx, path, "var", &s->columns, &s->p));
    NEP_REQUIRE_OR_DONE(st, ctx, rank == 2 && dims[0] == s->n && dims[1] == s->p && s->n > 0 && s->p > 0, NEP_E_FORMAT,
                        "%s: X is not %lld subjects by %lld features, as obs and var name them", path, (long long)s->n, (long long)s->p);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, s->n * s->p, sizeof *s->x, "features", &s->x));
    for (int64_t i = 0; i < s->n * s->p; i++)
        s->x[i] = (float)x[i];
done:
    nep_alloc_free(x);
    return st;
}

static bool is_hdf5(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot && (strcmp(dot, ".h5") == 0 || strcmp(dot, ".h5ad") == 0 || strcmp(dot, ".hdf5") == 0);
}

static nep_status check(nep_ctx *ctx, const char *path, const cli_subjects *s)
{
    NEP_TRY(check_distinct(ctx, path, "subject", s->ids, s->n));
    NEP_TRY(check_distinct(ctx, path, "column", s->columns, s->p));
    for (int64_t i = 0; i < s->n * s->p; i++)
        if (isinf(s->x[i]))
            return nep_ctx_fail_file(ctx, NEP_E_FORMAT, path, "%s: column '%s' of subject '%s' is infinite or too large", path,
                                     s->columns[i % s->p], s->ids[i / s->p]);
    return NEP_OK;
}

nep_status cli_subjects_read(nep_ctx *ctx, const char *path, cli_subjects *out)
{
    cli_subjects s = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, is_hdf5(path) ? read_anndata(ctx, path, &s) : read_table(ctx, path, &s));
    NEP_TRY_OR_DONE(st, check(ctx, path, &s));
    *out = s;
    s = (cli_subjects){0};
done:
    cli_subjects_free(&s);
    return st;
}

/* ---- columns ---- */

/* Column j becomes column pick[j], for j < p; names of columns not picked are freed. */
static nep_status pick_columns(nep_ctx *ctx, cli_subjects *s, const int64_t *pick, int64_t p)
{
    char **columns = NULL;
    float *x = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, p, sizeof *columns, "features", &columns));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, s->n * p, sizeof *x, "features", &x));
    for (int64_t f = 0; f < p; f++) {
        columns[f] = s->columns[pick[f]];
        s->columns[pick[f]] = NULL;
    }
    for (int64_t i = 0; i < s->n; i++)
        for (int64_t f = 0; f < p; f++)
            x[i * p + f] = s->x[i * s->p + pick[f]];
    nep_data_free_names(s->columns, s->p);
    nep_alloc_free(s->x);
    s->columns = columns;
    s->x = x;
    s->p = p;
    return NEP_OK;
done:
    nep_alloc_free(columns);
    return st;
}

static bool answers_to(const char *column, const char *name)
{
    const size_t n = strlen(name);
    return strncmp(column, name, n) == 0 && (column[n] == '\0' || column[n] == ':');
}

nep_status cli_subjects_choose(nep_ctx *ctx, cli_subjects *s, const char *const *names, int n, const char *path)
{
    int64_t *pick = NULL, p = 0;
    nep_status st;
    if (n == 0)
        return NEP_OK;
    NEP_TRY(nep_alloc(ctx, s->p, sizeof *pick, "features", &pick));
    for (int k = 0; k < n; k++) {
        bool any = false;
        for (int64_t f = 0; f < s->p; f++)
            any = any || answers_to(s->columns[f], names[k]);
        NEP_REQUIRE_OR_DONE(st, ctx, any, NEP_E_ARG, "%s has no column '%s', nor one that begins with '%s:'", path, names[k], names[k]);
    }
    for (int64_t f = 0; f < s->p; f++) {
        bool any = false;
        for (int k = 0; k < n; k++)
            any = any || answers_to(s->columns[f], names[k]);
        if (any)
            pick[p++] = f;
    }
    st = pick_columns(ctx, s, pick, p);
done:
    nep_alloc_free(pick);
    return st;
}

typedef struct {
    const char *name;
    int64_t at;
} entry;

static int by_name(const void *a, const void *b)
{
    return strcmp(((const entry *)a)->name, ((const entry *)b)->name);
}

nep_status cli_subjects_align(nep_ctx *ctx, cli_subjects *s, char *const *columns, int64_t p, const char *path)
{
    entry *list = NULL;
    int64_t *pick = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, s->p, sizeof *list, "features", &list));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, p, sizeof *pick, "features", &pick));
    for (int64_t f = 0; f < s->p; f++)
        list[f] = (entry){s->columns[f], f};
    qsort(list, (size_t)s->p, sizeof *list, by_name);
    for (int64_t f = 0; f < p; f++) {
        const entry want = {columns[f], 0};
        const entry *found = bsearch(&want, list, (size_t)s->p, sizeof *list, by_name);
        NEP_REQUIRE_OR_DONE(st, ctx, found, NEP_E_SHAPE, "%s has no column '%s', which the reference has; features are joined by name", path,
                            columns[f]);
        pick[f] = found->at;
    }
    st = pick_columns(ctx, s, pick, p);
done:
    nep_alloc_free(pick);
    nep_alloc_free(list);
    return st;
}
