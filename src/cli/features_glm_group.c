/* SPDX-License-Identifier: Apache-2.0 */
/* features_glm_group - effects of all runs gathered per participant: fixed effects, each run weighted by its precision. */
#include <dirent.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "cli/features.h"

void cli_features_contrasts_free(features_contrast *c, int64_t n)
{
    for (int64_t k = 0; c && k < n; k++) {
        nep_alloc_free(c[k].name);
        nep_alloc_free(c[k].effect);
    }
    nep_alloc_free(c);
}

nep_status cli_features_glm_clear(features *f)
{
    DIR *d = opendir(f->out);
    nep_status st = NEP_OK;
    NEP_REQUIRE(f->ctx, d, NEP_E_MISSING, "%s: cannot be listed", f->out);
    for (struct dirent *e = readdir(d); e && st == NEP_OK; e = readdir(d)) {
        char path[4096];
        if (strncmp(e->d_name, "group_glm_", 10) != 0)
            continue;
        st = cli_features_path(f->ctx, path, sizeof path, "%s/%s", f->out, e->d_name);
        if (st == NEP_OK)
            unlink(path);
    }
    closedir(d);
    return st;
}

/* Sums over the runs of a participant while they are read. */
typedef struct {
    features *f;
    char *const *regions;
    int64_t n_regions, n_people;
    features_contrast *c; /* effect: sum of effect / se^2 */
    double **weight;      /* [n] sum of 1 / se^2 */
    int64_t n;
} sums;

static nep_status find_contrast(sums *s, const char *name, int64_t *at)
{
    nep_ctx *ctx = s->f->ctx;
    for (*at = 0; *at < s->n; (*at)++)
        if (strcmp(s->c[*at].name, name) == 0)
            return NEP_OK;
    NEP_TRY(nep_alloc_grow(ctx, s->n + 1, sizeof *s->c, "contrasts", &s->c));
    NEP_TRY(nep_alloc_grow(ctx, s->n + 1, sizeof *s->weight, "contrasts", &s->weight));
    s->c[s->n] = (features_contrast){0};
    s->weight[s->n++] = NULL;
    NEP_TRY(nep_alloc_string(ctx, name, &s->c[*at].name));
    NEP_TRY(nep_alloc(ctx, s->n_people * s->n_regions, sizeof *s->c->effect, "effects", &s->c[*at].effect));
    return nep_alloc(ctx, s->n_people * s->n_regions, sizeof **s->weight, "effects", &s->weight[*at]);
}

/* Rows of a contrast follow each other in the order of the regions. */
static nep_status add_row(sums *s, const nep_table *t, int64_t row, const int64_t col[4], int64_t person)
{
    nep_ctx *ctx = s->f->ctx;
    const char *node = nep_table_cell(t, row, col[0]), *name = nep_table_cell(t, row, col[1]);
    double effect, se;
    int64_t at;
    NEP_REQUIRE(ctx, name && node && strcmp(node, s->regions[row % s->n_regions]) == 0, NEP_E_SHAPE,
                "%s: its regions are not those of the other runs; measure all runs with one atlas", t->path);
    NEP_TRY(nep_table_number(ctx, t, row, col[2], &effect));
    NEP_TRY(nep_table_number(ctx, t, row, col[3], &se));
    NEP_TRY(find_contrast(s, name, &at));
    if (isfinite(effect) && se > 0) {
        const int64_t cell = person * s->n_regions + row % s->n_regions;
        s->c[at].effect[cell] += effect / (se * se);
        s->weight[at][cell] += 1 / (se * se);
    }
    return NEP_OK;
}

static nep_status add_table(sums *s, const char *path, int64_t person)
{
    static const char *const names[4] = {"Node", "contrast", "effect", "se"};
    nep_table t = {0};
    int64_t col[4];
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_tsv_read(s->f->ctx, path, &t));
    for (int k = 0; k < 4; k++)
        NEP_TRY_OR_DONE(st, nep_table_need(s->f->ctx, &t, names[k], &col[k]));
    for (int64_t row = 0; row < t.n_rows; row++)
        NEP_TRY_OR_DONE(st, add_row(s, &t, row, col, person));
done:
    nep_table_free(&t);
    return st;
}

/* Sums become means; contrasts without any effect, as F tests are, go. */
static void finish(sums *s)
{
    int64_t kept = 0;
    for (int64_t k = 0; k < s->n; k++) {
        bool any = false;
        for (int64_t i = 0; i < s->n_people * s->n_regions; i++) {
            const double w = s->weight[k][i];
            any = any || w > 0;
            s->c[k].effect[i] = w > 0 ? s->c[k].effect[i] / w : (double)NAN;
        }
        const features_contrast c = s->c[k];
        s->c[k] = (features_contrast){0};
        if (any) {
            s->c[kept++] = c;
        } else {
            nep_alloc_free(c.name);
            nep_alloc_free(c.effect);
        }
    }
    for (int64_t k = 0; k < s->n; k++)
        nep_alloc_free(s->weight[k]);
    s->n = kept;
}

nep_status cli_features_glm_gather(features *f, const features_glm_run *runs, int64_t n, char *const *regions, int64_t n_regions,
                                   int64_t n_people, features_contrast **out, int64_t *n_out)
{
    sums s = {.f = f, .regions = regions, .n_regions = n_regions, .n_people = n_people};
    nep_status st = NEP_OK;
    for (int64_t i = 0; i < n; i++)
        if (runs[i].person >= 0 && nep_file_exists(runs[i].table))
            NEP_TRY_OR_DONE(st, add_table(&s, runs[i].table, runs[i].person));
    finish(&s);
    *out = s.c;
    *n_out = s.n;
    s.c = NULL;
    s.n = 0;
done:
    for (int64_t k = 0; k < s.n; k++)
        nep_alloc_free(s.weight[k]);
    nep_alloc_free(s.weight);
    cli_features_contrasts_free(s.c, s.n);
    return st;
}
