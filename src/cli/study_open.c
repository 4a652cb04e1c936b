/* SPDX-License-Identifier: Apache-2.0 */
/* study_open.c - open licences alone: which rows of a study's tables stay, and the count of those that do not. */
#include "cli/study_tables.h"

#include <jansson.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

nep_status cli_study_note_dropped(nep_ctx *ctx, cli_study *s, const char *table, int64_t rows, int64_t of)
{
    if (!s->open_only)
        return NEP_OK;
    for (int64_t i = 0; i < s->n_dropped; i++)
        if (strcmp(s->dropped[i].table, table) == 0)
            return NEP_OK; /* read twice, counted once */
    NEP_TRY(nep_alloc_grow(ctx, s->n_dropped + 1, sizeof *s->dropped, "open licences", &s->dropped));
    study_dropped *d = &s->dropped[s->n_dropped];
    *d = (study_dropped){.rows = rows, .of = of};
    NEP_TRY(nep_alloc_string(ctx, table, &d->table));
    s->n_dropped++;
    if (rows > 0 && rows == of)
        nep_warn(ctx, "open licences alone: nothing is left of %s (%lld rows)", base_name(table), (long long)of);
    else if (rows > 0)
        nep_warn(ctx, "open licences alone: %lld of %lld rows of %s are left out", (long long)rows, (long long)of, base_name(table));
    return NEP_OK;
}

bool cli_study_keeps(const cli_study *s, const nep_table *t, int64_t row)
{
    const char *own = cli_study_cell(t, row, nep_table_column(t, "licence"));
    for (int64_t i = 0; !own && s->open_only && i < s->n_files; i++)
        if (strcmp(s->files[i], t->path) == 0)
            own = s->file_licences[i];
    return !s->open_only || nep_licence_is_open(own);
}

nep_status cli_study_count(nep_ctx *ctx, cli_study *s, const nep_table *t, int64_t *kept)
{
    *kept = t->n_rows;
    for (int64_t r = 0; s->open_only && r < t->n_rows; r++)
        *kept -= !cli_study_keeps(s, t, r);
    return cli_study_note_dropped(ctx, s, t->path, t->n_rows - *kept, t->n_rows);
}

/* The licence of a column of maps: its own in the sidecar, else the file's. */
nep_status cli_study_keeps_map(nep_ctx *ctx, const cli_study *s, const char *path, const char *column, bool *keep)
{
    char *licence = NULL;
    *keep = true;
    if (!s->open_only)
        return NEP_OK;
    NEP_TRY(cli_study_sidecar_of(ctx, path, column, "licence", &licence));
    if (!licence)
        NEP_TRY(cli_study_sidecar(ctx, path, "licence", &licence));
    *keep = nep_licence_is_open(licence);
    nep_alloc_free(licence);
    return NEP_OK;
}

/* Identifier, name and codes of a class are facts and stay; what was computed from a structure goes with it. */
nep_status cli_study_open_drugs(nep_ctx *ctx, cli_study *s)
{
    nep_molset *m = &s->drugs;
    nep_table t = {0};
    int64_t kept;
    nep_status st;

    if (!s->open_only)
        return NEP_OK;
    NEP_TRY_OR_DONE(st, nep_tsv_read(ctx, s->study.drugs, &t));
    NEP_TRY_OR_DONE(st, cli_study_count(ctx, s, &t, &kept));
    if (kept < t.n_rows)
        nep_warn(ctx, "open licences alone: %lld drugs lose structure, fingerprint and descriptors; drugs too alike to judge one another are "
                      "found by InChIKey and ATC class alone", (long long)(t.n_rows - kept));
    for (int64_t k = 0; k < t.n_rows && k < m->n; k++) {
        if (cli_study_keeps(s, &t, k))
            continue;
        if (m->smiles) {
            nep_alloc_free(m->smiles[k]);
            m->smiles[k] = NULL;
        }
        if (m->bits)
            memset(m->bits + k * m->words, 0, (size_t)m->words * sizeof *m->bits);
        for (int64_t d = 0; d < m->n_descriptors; d++)
            m->descriptor[k * m->n_descriptors + d] = NAN;
    }
done:
    nep_table_free(&t);
    return st;
}

json_t *cli_study_open_json(const cli_study *s)
{
    json_t *list = json_array();
    for (int64_t i = 0; i < s->n_dropped; i++)
        json_array_append_new(list, json_pack("{s:s,s:I,s:I}", "table", base_name(s->dropped[i].table), "rows", (json_int_t)s->dropped[i].rows, "of",
                                              (json_int_t)s->dropped[i].of));
    return json_pack("{s:o}", "dropped", list);
}
