/* SPDX-License-Identifier: Apache-2.0 */
/* demo_truth - which drugs are treatments of a simulated disorder: by their affinity for the target it is built on. */
#include <math.h>
#include <string.h>

#include "cli/demo.h"

static int64_t target_index(const demo *d, const char *name)
{
    for (int64_t i = 0; i < d->n_targets; i++)
        if (strcmp(d->targets[i], name) == 0)
            return i;
    return -1;
}

static nep_status fill_row(demo *d, int64_t i, const int64_t column[8], nep_affinity_row *row)
{
    const char *cell[8];
    for (int k = 0; k < 8; k++)
        cell[k] = nep_table_cell(&d->affinities, i, column[k]);
    NEP_REQUIRE(d->ctx, cell[0] && cell[1], NEP_E_FORMAT, "demo: affinities.tsv, line %lld has no drug or no target", (long long)i + 2);
    *row = (nep_affinity_row){.drug = nep_molset_find(&d->drugs, cell[0]), .relation = cell[3], .type = cell[4], .species = cell[5],
                              .action = cell[6], .source = cell[7], .licence = "n/a"};
    NEP_REQUIRE(d->ctx, row->drug >= 0, NEP_E_FORMAT, "demo: affinities.tsv, line %lld: drug '%s' is not in drugs.tsv", (long long)i + 2,
                cell[0]);
    row->target = target_index(d, cell[1]);
    if (row->target < 0) {
        NEP_TRY(nep_alloc_string(d->ctx, cell[1], &d->targets[d->n_targets]));
        row->target = d->n_targets++;
    }
    return nep_table_number(d->ctx, &d->affinities, i, column[2], &row->p_affinity);
}

nep_status demo_consensus(demo *d)
{
    static const char *const names[8] = {"drug_id", "target", "p_affinity", "relation", "type", "species", "action", "source"};
    const int64_t n = d->affinities.n_rows;
    int64_t column[8];
    nep_affinity_row *rows = NULL;
    nep_status st;
    for (int k = 0; k < 8; k++)
        NEP_TRY(nep_table_need(d->ctx, &d->affinities, names[k], &column[k]));
    NEP_TRY_OR_DONE(st, nep_alloc(d->ctx, n, sizeof *rows, "affinity rows", &rows));
    NEP_TRY_OR_DONE(st, nep_alloc(d->ctx, n, sizeof *d->targets, "targets", &d->targets));
    for (int64_t i = 0; i < n; i++)
        NEP_TRY_OR_DONE(st, fill_row(d, i, column, &rows[i]));
    st = nep_affinity_consensus(d->ctx, rows, n, &d->consensus, &d->n_consensus);
done:
    nep_alloc_free(rows);
    return st;
}

/* A drug acts through a target when it binds it at about 30 nM or better and within a factor of ten of its best one. */
static bool acts_through(const demo *d, int64_t drug, int64_t target)
{
    double here = 0, best = 0;
    for (int64_t i = 0; i < d->n_consensus; i++) {
        const nep_affinity *a = &d->consensus[i];
        if (a->drug != drug || a->censored || !isfinite(a->p_affinity))
            continue;
        best = fmax(best, a->p_affinity);
        if (a->target == target)
            here = a->p_affinity;
    }
    return here >= 7.5 && here >= best - 1.0;
}

static nep_status write_one(demo *d, int k, nep_file *labels)
{
    const int64_t target = target_index(d, demo_plans[k].indication);
    char path[8600];
    int64_t found = 0;
    nep_file *truth = NULL;
    nep_status st;
    snprintf(path, sizeof path, "%s/truth-%s.tsv", d->out, demo_plans[k].letter);
    NEP_TRY_OR_DONE(st, nep_file_create(d->ctx, path, &truth));
    NEP_TRY_OR_DONE(st, nep_file_printf(truth, "drug_id\trelevant\n"));
    for (int64_t i = 0; i < d->drugs.n; i++) {
        const bool acts = acts_through(d, i, target);
        NEP_TRY_OR_DONE(st, nep_file_printf(truth, "%s\t%d\n", d->drugs.id[i], demo_plans[k].target && acts));
        if (acts && found++ % 2 == 0)
            NEP_TRY_OR_DONE(st, nep_file_printf(labels, "%s\t%s\tapproved\tn/a\tsimulated by nepenthe demo\tCC0-1.0\n", d->drugs.id[i],
                                                demo_plans[k].id));
    }
    NEP_REQUIRE_OR_DONE(st, d->ctx, found >= 4, NEP_E_FORMAT, "demo: only %lld drugs act through %s; the shipped tables are not whole",
                        (long long)found, demo_plans[k].indication);
    st = nep_file_commit(truth);
    truth = NULL;
done:
    nep_file_abort(truth);
    return st;
}

nep_status demo_write_truth(demo *d)
{
    char path[8600];
    nep_file *labels = NULL;
    nep_status st;
    snprintf(path, sizeof path, "%s/labels.tsv", d->out);
    NEP_TRY_OR_DONE(st, nep_file_create(d->ctx, path, &labels));
    NEP_TRY_OR_DONE(st, nep_file_printf(labels, "drug_id\tdisorder\tstatus\tsince\tsource\tlicence\n"));
    for (int k = 0; k < DEMO_COHORTS; k++)
        NEP_TRY_OR_DONE(st, write_one(d, k, labels));
    st = nep_file_commit(labels);
    labels = NULL;
done:
    nep_file_abort(labels);
    return st;
}
