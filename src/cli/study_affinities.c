/* SPDX-License-Identifier: Apache-2.0 */
/* study_affinities.c - affinity rows to one consensus per drug and target, and the targets' common names. */
#include "cli/study_tables.h"

#include <string.h>

/* Adds the targets of the table that no receptor map has. */
static nep_status add_targets(nep_ctx *ctx, nep_inputs *in, const nep_table *t, int64_t column, study_lookup *targets)
{
    char **all = NULL;
    nep_status st;
    int64_t n = in->n_mapped;

    NEP_TRY_OR_DONE(st, nep_alloc(ctx, t->n_rows + 1, sizeof *all, "targets", &all));
    for (int64_t r = 0; r < t->n_rows; r++) {
        char *name = t->cells[r * t->n_cols + column];
        all[r] = name ? name : t->header[column];
    }
    study_lookup rows = {0};
    NEP_TRY_OR_DONE(st, cli_study_lookup_make(ctx, all, t->n_rows, &rows));
    NEP_TRY_OR_DONE(st, cli_study_lookup_make(ctx, in->targets, in->n_mapped, targets));
    NEP_TRY_OR_DONE(st, nep_alloc_grow(ctx, n + t->n_rows, sizeof *in->targets, "targets", &in->targets));
    for (int64_t i = 0; i < rows.n; i++) {
        if ((i && strcmp(rows.list[i].name, rows.list[i - 1].name) == 0) || rows.list[i].name == t->header[column] ||
            cli_study_find(targets, rows.list[i].name) >= 0)
            continue;
        NEP_TRY_OR_DONE(st, nep_alloc_string(ctx, rows.list[i].name, &in->targets[n]));
        in->n_targets = ++n;
    }
    nep_alloc_free(targets->list);
    *targets = (study_lookup){0};
    st = cli_study_lookup_make(ctx, in->targets, n, targets);
done:
    nep_alloc_free(rows.list);
    nep_alloc_free(all);
    return st;
}

static nep_status fill_rows(nep_ctx *ctx, const cli_study *s, const nep_table *t, const study_lookup *drugs, const study_lookup *targets,
                            nep_affinity_row *rows, int64_t *n)
{
    static const char *const names[] = {"relation", "type", "species", "action", "source", "licence"};
    int64_t id, target, p, col[NEP_LEN(names)];
    NEP_TRY(nep_table_need(ctx, t, "drug_id", &id));
    NEP_TRY(nep_table_need(ctx, t, "target", &target));
    NEP_TRY(nep_table_need(ctx, t, "p_affinity", &p));
    for (int i = 0; i < NEP_LEN(names); i++)
        col[i] = nep_table_column(t, names[i]);
    *n = 0;
    for (int64_t r = 0; r < t->n_rows; r++) {
        const int64_t k = cli_study_find(drugs, nep_table_cell(t, r, id)), g = cli_study_find(targets, nep_table_cell(t, r, target));
        if (k < 0 || g < 0 || !cli_study_keeps(s, t, r))
            continue; /* a drug that the study does not rank, or a licence that is not open */
        nep_affinity_row *x = &rows[(*n)++];
        *x = (nep_affinity_row){.drug = k, .target = g, .relation = cli_study_cell(t, r, col[0]), .type = cli_study_cell(t, r, col[1]),
                                .species = cli_study_cell(t, r, col[2]), .action = cli_study_cell(t, r, col[3]),
                                .source = cli_study_cell(t, r, col[4]), .licence = cli_study_cell(t, r, col[5])};
        NEP_TRY(nep_table_number(ctx, t, r, p, &x->p_affinity));
    }
    return NEP_OK;
}

nep_status cli_study_affinities(nep_ctx *ctx, cli_study *s, const study_lookup *drugs)
{
    nep_inputs *in = &s->inputs;
    nep_table t = {0};
    nep_affinity_row *rows = NULL;
    study_lookup targets = {0};
    int64_t n, column, kept;
    nep_status st = NEP_OK;

    if (!s->study.affinities)
        return NEP_OK;
    NEP_TRY_OR_DONE(st, cli_study_table(ctx, s, s->study.affinities, &t));
    NEP_TRY_OR_DONE(st, cli_study_count(ctx, s, &t, &kept));
    NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, "target", &column));
    NEP_TRY_OR_DONE(st, add_targets(ctx, in, &t, column, &targets));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, t.n_rows, sizeof *rows, "affinity rows", &rows));
    NEP_TRY_OR_DONE(st, fill_rows(ctx, s, &t, drugs, &targets, rows, &n));
    if (n == 0 && kept > 0)
        nep_warn(ctx, "%s: no row belongs to a drug of %s", s->study.affinities, s->study.drugs);
    NEP_TRY_OR_DONE(st, nep_affinity_consensus(ctx, rows, n, &in->affinities, &in->n_affinities));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_drugs + 1, sizeof(int64_t), "affinity index", &in->affinity_start));
    for (int64_t k = 0, i = 0; k <= in->n_drugs; k++) {
        while (i < in->n_affinities && in->affinities[i].drug < k)
            i++;
        in->affinity_start[k] = i;
    }
done:
    nep_alloc_free(targets.list);
    nep_alloc_free(rows);
    nep_table_free(&t);
    return st;
}

/* Common receptor names beside the gene symbols, from the targets table (columns target, name). */
nep_status cli_study_name_targets(nep_ctx *ctx, cli_study *s)
{
    nep_inputs *in = &s->inputs;
    nep_table t = {0};
    int64_t target = -1, name = -1;
    nep_status st = NEP_OK;

    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_targets, sizeof(char *), "target names", &in->target_names));
    if (s->study.targets) {
        NEP_TRY_OR_DONE(st, cli_study_table(ctx, s, s->study.targets, &t));
        NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, "target", &target));
        NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, "name", &name));
    }
    for (int64_t i = 0; i < in->n_targets; i++) {
        const char *found = in->targets[i];
        for (int64_t r = 0; r < t.n_rows; r++) {
            const char *symbol = nep_table_cell(&t, r, target), *common = nep_table_cell(&t, r, name);
            if (symbol && common && strcmp(symbol, in->targets[i]) == 0)
                found = common;
        }
        NEP_TRY_OR_DONE(st, nep_alloc_string(ctx, found, &in->target_names[i]));
    }
done:
    nep_table_free(&t);
    return st;
}
