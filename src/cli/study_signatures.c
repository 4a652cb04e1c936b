/* SPDX-License-Identifier: Apache-2.0 */
/* study_signatures.c - gene signatures of a study: what its disorders and its drugs do to genes, joined by the names of all three. */
#include "cli/study_tables.h"

#include <nepenthe/signature.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One table, its columns (-1 where it has none) and the licence of its sidecar. */
typedef struct {
    nep_table t;
    char *licence_of_all;
    int64_t owner, gene, z, log2fc, se, direction, licence;
    study_strangers strangers;
} source;

static void close_source(source *f)
{
    nep_alloc_free(f->licence_of_all);
    nep_table_free(&f->t);
}

static nep_status open_source(nep_ctx *ctx, cli_study *s, const char *path, const char *owner, source *f)
{
    NEP_TRY(cli_study_table(ctx, s, path, &f->t));
    NEP_TRY(cli_study_sidecar(ctx, path, "licence", &f->licence_of_all));
    NEP_TRY(nep_table_need(ctx, &f->t, owner, &f->owner));
    NEP_TRY(nep_table_need(ctx, &f->t, "gene", &f->gene));
    f->z = nep_table_column(&f->t, "z");
    f->log2fc = nep_table_column(&f->t, "log2fc");
    f->se = nep_table_column(&f->t, "se");
    f->direction = nep_table_column(&f->t, "direction");
    f->licence = nep_table_column(&f->t, "licence");
    NEP_REQUIRE(ctx, f->z >= 0 || (f->log2fc >= 0 && f->se >= 0) || f->direction >= 0, NEP_E_FORMAT,
                "%s: has neither a column z, nor log2fc and se, nor direction (up or down)", path);
    NEP_REQUIRE(ctx, f->licence >= 0 || f->licence_of_all, NEP_E_FORMAT,
                "%s: has neither a column 'licence' nor one in a sidecar (the same name with .json); every row of evidence says its licence", path);
    return NEP_OK;
}

/* All genes of both tables, each once, sorted. */
static nep_status collect_genes(nep_ctx *ctx, const source *a, const source *b, nep_signatures *out, study_lookup *genes)
{
    const int64_t n = a->t.n_rows + b->t.n_rows;
    char **all = NULL;
    study_lookup every = {0};
    nep_status st;

    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *all, "genes", &all));
    for (int64_t r = 0; r < n; r++) {
        const source *f = r < a->t.n_rows ? a : b;
        const int64_t row = r < a->t.n_rows ? r : r - a->t.n_rows;
        all[r] = f->t.cells[row * f->t.n_cols + f->gene];
        NEP_REQUIRE_OR_DONE(st, ctx, all[r], NEP_E_FORMAT, "%s: line %lld: the gene is missing", f->t.path, (long long)row + 2);
    }
    NEP_TRY_OR_DONE(st, cli_study_lookup_make(ctx, all, n, &every));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *out->genes, "genes", &out->genes));
    for (int64_t i = 0; i < n; i++)
        if (i == 0 || strcmp(every.list[i].name, every.list[i - 1].name) != 0) {
            NEP_TRY_OR_DONE(st, nep_alloc_string(ctx, every.list[i].name, &out->genes[out->n_genes]));
            out->n_genes++;
        }
    st = cli_study_lookup_make(ctx, out->genes, out->n_genes, genes);
done:
    nep_alloc_free(every.list);
    nep_alloc_free(all);
    return st;
}

static nep_status find_licence(nep_ctx *ctx, nep_signatures *s, const source *f, int64_t row, signed char *out)
{
    const char *own = cli_study_cell(&f->t, row, f->licence), *text = own ? own : f->licence_of_all;
    *out = -1;
    for (int l = 0; text && l < s->n_licences; l++)
        if (strcmp(s->licences[l], text) == 0) {
            *out = (signed char)l;
            return NEP_OK;
        }
    if (!text)
        return NEP_OK;
    NEP_REQUIRE(ctx, s->n_licences < 100, NEP_E_FORMAT, "%s: line %lld: more than 100 different licences; is 'licence' the right column?", f->t.path,
                (long long)row + 2);
    NEP_TRY(nep_alloc_grow(ctx, s->n_licences + 1, sizeof *s->licences, "licences", &s->licences));
    NEP_TRY(nep_alloc_string(ctx, text, &s->licences[s->n_licences]));
    *out = (signed char)s->n_licences++;
    return NEP_OK;
}

/* z, or log2fc over its se, or 1 and -1; NaN where the cell is missing. */
static nep_status read_weight(nep_ctx *ctx, const source *f, int64_t row, double *out)
{
    const long long line = (long long)row + 2;
    double se = 1;
    if (f->z < 0 && f->log2fc < 0) {
        const char *word = nep_table_cell(&f->t, row, f->direction);
        const bool up = word && strcmp(word, "up") == 0;
        NEP_REQUIRE(ctx, up || (word && strcmp(word, "down") == 0), NEP_E_FORMAT, "%s: line %lld: direction is '%.40s', must be up or down", f->t.path,
                    line, word ? word : "n/a");
        *out = up ? 1 : -1;
        return NEP_OK;
    }
    NEP_TRY(nep_table_number(ctx, &f->t, row, f->z >= 0 ? f->z : f->log2fc, out));
    if (f->z < 0 && !isnan(*out)) {
        NEP_TRY(nep_table_number(ctx, &f->t, row, f->se, &se));
        NEP_REQUIRE(ctx, se > 0 && se < INFINITY, NEP_E_FORMAT, "%s: line %lld: se is %g, must be above 0", f->t.path, line, se);
        *out /= se;
    }
    NEP_REQUIRE(ctx, !isinf(*out), NEP_E_FORMAT, "%s: line %lld: z is infinite", f->t.path, line);
    return NEP_OK;
}

static nep_status read_disorders(nep_ctx *ctx, const cli_study *s, source *f, const study_lookup *genes, nep_signatures *out)
{
    const int64_t cells = out->n_disorders * out->n_genes;
    study_lookup disorders = {0};
    nep_status st;

    NEP_TRY_OR_DONE(st, cli_study_lookup_make(ctx, s->inputs.disorder_ids, s->inputs.n_disorders, &disorders));
    NEP_REQUIRE_OR_DONE(st, ctx, f->z >= 0 || f->log2fc >= 0, NEP_E_FORMAT, "%s: disorders need z, or log2fc and se: their genes are ranked", f->t.path);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, cells, sizeof *out->disorder_z, "signatures of disorders", &out->disorder_z));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, cells, sizeof *out->disorder_licence, "signatures of disorders", &out->disorder_licence));
    for (int64_t i = 0; i < cells; i++) {
        out->disorder_z[i] = (double)NAN;
        out->disorder_licence[i] = -1;
    }
    for (int64_t r = 0; r < f->t.n_rows; r++) {
        const char *name = nep_table_cell(&f->t, r, f->owner);
        const int64_t j = cli_study_find(&disorders, name);
        if (!cli_study_keeps(s, &f->t, r))
            continue;
        if (j < 0) {
            cli_study_stranger(&f->strangers, name ? name : "n/a");
            continue;
        }
        const int64_t cell = j * out->n_genes + cli_study_find(genes, nep_table_cell(&f->t, r, f->gene));
        NEP_REQUIRE_OR_DONE(st, ctx, isnan(out->disorder_z[cell]), NEP_E_FORMAT, "%s: line %lld: gene %s of %s stands there twice; keep one", f->t.path,
                            (long long)r + 2, nep_table_cell(&f->t, r, f->gene), name);
        NEP_TRY_OR_DONE(st, read_weight(ctx, f, r, &out->disorder_z[cell]));
        NEP_TRY_OR_DONE(st, find_licence(ctx, out, f, r, &out->disorder_licence[cell]));
    }
    cli_study_warn_strangers(ctx, f->t.path, "disorders", &f->strangers);
done:
    nep_alloc_free(disorders.list);
    return st;
}

typedef struct {
    int64_t drug, row;
    int32_t gene;
    double weight;
} entry;

static int by_drug(const void *a, const void *b)
{
    const entry *p = a, *q = b;
    if (p->drug != q->drug)
        return p->drug < q->drug ? -1 : 1;
    if (p->gene != q->gene)
        return p->gene < q->gene ? -1 : 1;
    return p->row < q->row ? -1 : p->row > q->row;
}

static nep_status keep_drugs(nep_ctx *ctx, const source *f, const entry *e, int64_t n, nep_signatures *out)
{
    NEP_TRY(nep_alloc(ctx, out->n_drugs + 1, sizeof *out->drug_start, "signatures of drugs", &out->drug_start));
    NEP_TRY(nep_alloc(ctx, n, sizeof *out->drug_gene, "signatures of drugs", &out->drug_gene));
    NEP_TRY(nep_alloc(ctx, n, sizeof *out->drug_weight, "signatures of drugs", &out->drug_weight));
    NEP_TRY(nep_alloc(ctx, n, sizeof *out->drug_licence, "signatures of drugs", &out->drug_licence));
    for (int64_t i = 0; i < n; i++) {
        NEP_REQUIRE(ctx, i == 0 || e[i].drug != e[i - 1].drug || e[i].gene != e[i - 1].gene, NEP_E_FORMAT,
                    "%s: line %lld: gene %s of %s stands there twice (line %lld); keep one", f->t.path, (long long)e[i].row + 2,
                    out->genes[e[i].gene], nep_table_cell(&f->t, e[i].row, f->owner), (long long)e[i - 1].row + 2);
        out->drug_gene[i] = e[i].gene;
        out->drug_weight[i] = e[i].weight;
        NEP_TRY(find_licence(ctx, out, f, e[i].row, &out->drug_licence[i]));
    }
    for (int64_t k = 0, i = 0; k <= out->n_drugs; k++) {
        while (i < n && e[i].drug < k)
            i++;
        out->drug_start[k] = i;
    }
    return NEP_OK;
}

static nep_status read_drugs(nep_ctx *ctx, const cli_study *s, source *f, const study_lookup *drugs, const study_lookup *genes, nep_signatures *out)
{
    entry *e = NULL;
    int64_t n = 0;
    nep_status st;

    out->drugs_are_lists = f->z >= 0 || f->log2fc >= 0;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, f->t.n_rows, sizeof *e, "signatures of drugs", &e));
    for (int64_t r = 0; r < f->t.n_rows; r++) {
        const char *name = nep_table_cell(&f->t, r, f->owner);
        const int64_t k = cli_study_find(drugs, name);
        if (!cli_study_keeps(s, &f->t, r))
            continue;
        if (k < 0) {
            cli_study_stranger(&f->strangers, name ? name : "n/a");
            continue;
        }
        e[n] = (entry){.drug = k, .row = r, .gene = (int32_t)cli_study_find(genes, nep_table_cell(&f->t, r, f->gene))};
        NEP_TRY_OR_DONE(st, read_weight(ctx, f, r, &e[n].weight));
        n += !isnan(e[n].weight);
    }
    cli_study_warn_strangers(ctx, f->t.path, "drugs", &f->strangers);
    NEP_REQUIRE_OR_DONE(st, ctx, n > 0, NEP_E_SHAPE, "%s: no row is of a drug of the study; both are joined by their ids", f->t.path);
    qsort(e, (size_t)n, sizeof *e, by_drug);
    st = keep_drugs(ctx, f, e, n, out);
done:
    nep_alloc_free(e);
    return st;
}

/* Both tables must speak of the same genes: symbols in one and numbers in the other join nothing. */
static nep_status check_common(nep_ctx *ctx, const cli_study *s, const nep_signatures *x)
{
    for (int64_t i = 0; i < x->drug_start[x->n_drugs]; i++)
        for (int64_t j = 0; j < x->n_disorders; j++)
            if (!isnan(x->disorder_z[j * x->n_genes + x->drug_gene[i]]))
                return NEP_OK;
    return nep_ctx_fail(ctx, NEP_E_SHAPE, "%s and %s have no gene of the study's disorders and drugs in common; both must name genes alike",
                        s->study.disorder_signatures, s->study.drug_signatures);
}

nep_status cli_study_signatures(nep_ctx *ctx, cli_study *s, const study_lookup *drugs)
{
    source of_disorders = {0}, of_drugs = {0};
    study_lookup genes = {0};
    int64_t kept[2];
    nep_status st;

    if (!s->study.disorder_signatures)
        return NEP_OK;
    NEP_TRY_OR_DONE(st, open_source(ctx, s, s->study.disorder_signatures, "disorder", &of_disorders));
    NEP_TRY_OR_DONE(st, open_source(ctx, s, s->study.drug_signatures, "drug_id", &of_drugs));
    NEP_TRY_OR_DONE(st, cli_study_count(ctx, s, &of_disorders.t, &kept[0]));
    NEP_TRY_OR_DONE(st, cli_study_count(ctx, s, &of_drugs.t, &kept[1]));
    if (s->open_only && (kept[0] == 0 || kept[1] == 0))
        goto done;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 1, sizeof *s->inputs.signatures, "signatures", &s->inputs.signatures));
    nep_signatures *x = s->inputs.signatures;
    x->n_disorders = s->inputs.n_disorders;
    x->n_drugs = s->inputs.n_drugs;
    NEP_TRY_OR_DONE(st, collect_genes(ctx, &of_disorders, &of_drugs, x, &genes));
    NEP_TRY_OR_DONE(st, read_disorders(ctx, s, &of_disorders, &genes, x));
    NEP_TRY_OR_DONE(st, read_drugs(ctx, s, &of_drugs, drugs, &genes, x));
    st = check_common(ctx, s, x);
done:
    nep_alloc_free(genes.list);
    close_source(&of_disorders);
    close_source(&of_drugs);
    return st;
}
