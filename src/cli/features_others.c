/* SPDX-License-Identifier: Apache-2.0 */
/* features_others - PET and radiomics tables of all participants, read twice: once for what there is, once
 * for the values. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/features_others.h"

const char *cli_features_seg(const nep_bids_run *r, nep_bids_name *k)
{
    const char *slash = strrchr(r->bold, '/');
    return slash && nep_bids_parse(slash + 1, k) ? nep_bids_value(k, "seg") : NULL;
}

nep_status cli_features_others_find(features *f, const nep_bids_filter *filter, features_others *o)
{
    nep_bids_filter pet = *filter, anat = *filter;
    pet.datatypes = NEP_BIDS_PET;
    anat.datatypes = NEP_BIDS_ANAT;
    NEP_TRY(nep_bids_find_files(f->ctx, f->out, &pet, NULL, "kinpar", ".tsv", &o->pet));
    return nep_bids_find_files(f->ctx, f->out, &anat, "radiomics", "T1w", ".tsv", &o->anat);
}

void cli_features_others_free(features_others *o)
{
    for (int64_t b = 0; b < o->n; b++) {
        nep_data_free_names(o->block[b].names, o->block[b].n);
        nep_alloc_free(o->block[b].x);
    }
    nep_alloc_free(o->block);
    nep_bids_free(&o->pet);
    nep_bids_free(&o->anat);
    *o = (features_others){0};
}

/* ---- one value after the other ---- */

typedef struct {
    features *f;
    features_others *o;
    int64_t hint; /* where the next name of a block is likely to be */
    /* second reading */
    bool filling;
    int64_t person;
    double **count; /* [n blocks][n_people * n] */
} reading;

static nep_status find_block(reading *r, const char *feature, features_block **out)
{
    features_others *o = r->o;
    for (int64_t b = 0; b < o->n; b++)
        if (strcmp(o->block[b].feature, feature) == 0) {
            *out = &o->block[b];
            return NEP_OK;
        }
    if (o->n == o->room) {
        NEP_TRY(nep_alloc_grow(r->f->ctx, o->room ? 2 * o->room : 8, sizeof *o->block, "group tables",
                               &o->block));
        o->room = o->room ? 2 * o->room : 8;
    }
    *out = &o->block[o->n++];
    snprintf((*out)->feature, sizeof(*out)->feature, "%s", feature);
    return NEP_OK;
}

static nep_status find_name(reading *r, features_block *b, const char *name, int64_t *at)
{
    for (int64_t k = 0; k < b->n; k++) {
        const int64_t i = (r->hint + k) % b->n;
        if (strcmp(b->names[i], name) == 0) {
            *at = i;
            r->hint = i + 1;
            return NEP_OK;
        }
    }
    if (b->n == b->room) {
        NEP_TRY(nep_alloc_grow(r->f->ctx, b->room ? 2 * b->room : 64, sizeof *b->names, "names of features",
                               &b->names));
        b->room = b->room ? 2 * b->room : 64;
    }
    NEP_TRY(nep_alloc_string(r->f->ctx, name, &b->names[b->n]));
    *at = b->n++;
    r->hint = b->n;
    return NEP_OK;
}

static nep_status take(reading *r, const char *feature, const char *name, double value)
{
    features_block *b;
    int64_t at;
    NEP_TRY(find_block(r, feature, &b));
    NEP_TRY(find_name(r, b, name, &at));
    if (r->filling && isfinite(value)) {
        b->x[r->person * b->n + at] += value;
        r->count[b - r->o->block][r->person * b->n + at] += 1;
    }
    return NEP_OK;
}

/* Node and parameters: each a feature, without the standard errors. */
static nep_status read_pet(reading *r, const nep_bids_run *run, const nep_table *t, const char *path)
{
    nep_bids_name k;
    char feature[NEP_BIDS_MAX_NAME + 8];
    const char *slash = strrchr(run->bold, '/'),
               *model = slash && nep_bids_parse(slash + 1, &k) ? nep_bids_value(&k, "model") : NULL;
    NEP_REQUIRE(r->f->ctx, model && t->n_cols >= 2 && strcmp(t->header[0], "Node") == 0, NEP_E_FORMAT,
                "%s: must have model- in its name and a first column Node; run the participant level again",
                path);
    for (int64_t c = 1; c < t->n_cols; c++) {
        const size_t n = strlen(t->header[c]);
        if (n > 3 && strcmp(t->header[c] + n - 3, "_se") == 0)
            continue;
        snprintf(feature, sizeof feature, "pet_%.40s_%.80s", model, t->header[c]);
        for (int64_t i = 0; i < t->n_rows; i++) {
            double value;
            NEP_REQUIRE(r->f->ctx, nep_table_cell(t, i, 0), NEP_E_FORMAT, "%s: row %lld has no Node", path,
                        (long long)i + 1);
            NEP_TRY(nep_table_number(r->f->ctx, t, i, c, &value));
            NEP_TRY(take(r, feature, nep_table_cell(t, i, 0), value));
        }
    }
    return NEP_OK;
}

static nep_status read_radiomics(reading *r, const nep_table *t, const char *path)
{
    int64_t label, feature, number;
    NEP_TRY(nep_table_need(r->f->ctx, t, "label", &label));
    NEP_TRY(nep_table_need(r->f->ctx, t, "feature", &feature));
    NEP_TRY(nep_table_need(r->f->ctx, t, "value", &number));
    for (int64_t i = 0; i < t->n_rows; i++) {
        char name[256];
        double value;
        const char *l = nep_table_cell(t, i, label), *n = nep_table_cell(t, i, feature);
        NEP_REQUIRE(r->f->ctx, l && n, NEP_E_FORMAT, "%s: row %lld has no label or feature", path,
                    (long long)i + 1);
        NEP_TRY(nep_table_number(r->f->ctx, t, i, number, &value));
        snprintf(name, sizeof name, "%.40s:%.200s", l, n);
        NEP_TRY(take(r, "radiomics", name, value));
    }
    return NEP_OK;
}

static nep_status read_tables(reading *r, const nep_bids_runs *runs, bool pet, char *const *ids,
                              int64_t n_people)
{
    r->person = 0;
    for (int64_t i = 0; i < runs->n; i++) {
        char path[4096];
        nep_bids_name k;
        nep_table t = {0};
        const char *seg = pet ? cli_features_seg(&runs->runs[i], &k) : NULL;
        if (pet && !(seg && strcmp(seg, r->f->seg) == 0))
            continue;
        while (r->person < n_people && strcmp(ids[r->person] + 4, runs->runs[i].participant) != 0)
            r->person++;
        NEP_REQUIRE(r->f->ctx, r->person < n_people, NEP_E_INTERNAL,
                    "features: tables of sub-%s are out of order", runs->runs[i].participant);
        NEP_TRY(cli_features_path(r->f->ctx, path, sizeof path, "%s/%s", r->f->out, runs->runs[i].bold));
        nep_status st = nep_tsv_read(r->f->ctx, path, &t);
        if (st == NEP_OK)
            st = pet ? read_pet(r, &runs->runs[i], &t, path) : read_radiomics(r, &t, path);
        nep_table_free(&t);
        NEP_TRY(st);
    }
    return NEP_OK;
}

static nep_status make_room(reading *r, int64_t n_people)
{
    features_others *o = r->o;
    NEP_TRY(nep_alloc(r->f->ctx, o->n, sizeof *r->count, "group tables", &r->count));
    for (int64_t b = 0; b < o->n; b++) {
        NEP_TRY(nep_alloc(r->f->ctx, n_people * o->block[b].n, sizeof *o->block[b].x, "group table",
                          &o->block[b].x));
        NEP_TRY(
            nep_alloc(r->f->ctx, n_people * o->block[b].n, sizeof **r->count, "group table", &r->count[b]));
    }
    return NEP_OK;
}

nep_status cli_features_others_read(features *f, features_others *o, char *const *ids, int64_t n_people)
{
    reading r = {.f = f, .o = o};
    nep_status st;
    for (int pass = 0; pass < 2; pass++) {
        r.filling = pass > 0;
        if (r.filling)
            NEP_TRY_OR_DONE(st, make_room(&r, n_people));
        NEP_TRY_OR_DONE(st, read_tables(&r, &o->pet, true, ids, n_people));
        NEP_TRY_OR_DONE(st, read_tables(&r, &o->anat, false, ids, n_people));
    }
    for (int64_t b = 0; b < o->n; b++)
        for (int64_t i = 0; i < n_people * o->block[b].n; i++)
            o->block[b].x[i] = r.count[b][i] > 0 ? o->block[b].x[i] / r.count[b][i] : (double)NAN;
done:
    for (int64_t b = 0; r.count && b < o->n; b++)
        nep_alloc_free(r.count[b]);
    nep_alloc_free(r.count);
    return st;
}
