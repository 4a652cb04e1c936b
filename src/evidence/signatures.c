/* SPDX-License-Identifier: Apache-2.0 */
/* signatures.c - all pairs of a study: lists ranked once each, every query read against them. */
#include <nepenthe/tables.h>

#include "signature_sets.h"
#include "signatures.h"

#include <math.h>
#include <omp.h>
#include <string.h>

/* What one thread needs: a list's arrays and the hits of a query. */
typedef struct {
    nep_signature_list list;
    signature_entry *entries;
    signature_hit *hits;
    double *z;       /* a drug's list, whole */
} bench;

static void free_bench(bench *b)
{
    nep_signature_free(&b->list);
    nep_alloc_free(b->entries);
    nep_alloc_free(b->hits);
    nep_alloc_free(b->z);
}

static nep_status make_bench(nep_ctx *ctx, const nep_signatures *s, int64_t longest, bench *b)
{
    NEP_TRY(nep_alloc(ctx, s->n_genes, sizeof *b->list.before, "signatures: ranks", &b->list.before));
    NEP_TRY(nep_alloc(ctx, s->n_genes, sizeof *b->list.through, "signatures: ranks", &b->list.through));
    NEP_TRY(nep_alloc(ctx, s->n_genes, sizeof *b->entries, "signatures: order", &b->entries));
    NEP_TRY(nep_alloc(ctx, longest, sizeof *b->hits, "signatures: genes of a query", &b->hits));
    return nep_alloc(ctx, s->n_genes, sizeof *b->z, "signatures: a list", &b->z);
}

const double *signatures_drug_list(const nep_signatures *s, int64_t drug, double *z)
{
    for (int64_t g = 0; g < s->n_genes; g++)
        z[g] = (double)NAN;
    for (int64_t i = s->drug_start[drug]; i < s->drug_start[drug + 1]; i++)
        z[s->drug_gene[i]] = s->drug_weight[i];
    return z;
}

nep_signature_query signatures_drug_query(const nep_signatures *s, int64_t drug)
{
    const int64_t at = s->drug_start[drug];
    return (nep_signature_query){s->drug_start[drug + 1] - at, s->drug_gene + at, s->drug_weight + at};
}

nep_status signatures_disorder_query(nep_ctx *ctx, const nep_signatures *s, int64_t disorder, int32_t **gene, double **weight, int64_t *n)
{
    const double *z = s->disorder_z + disorder * s->n_genes;
    nep_signature_list list = {0};
    nep_status st;

    *n = 0;
    NEP_TRY_OR_DONE(st, nep_signature_rank(ctx, z, s->n_genes, NEP_SIGNATURE_QUERY, &list));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, s->n_genes, sizeof **gene, "signatures: query", gene));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, s->n_genes, sizeof **weight, "signatures: query", weight));
    for (int64_t g = 0; g < s->n_genes; g++) {
        if (isnan(z[g]))
            continue;
        const bool up = z[g] > 0 && list.before[g] < NEP_SIGNATURE_QUERY;
        const bool down = z[g] < 0 && list.n_measured - list.through[g] < NEP_SIGNATURE_QUERY;
        if (!up && !down)
            continue;
        (*gene)[*n] = (int32_t)g;
        (*weight)[(*n)++] = z[g];
    }
done:
    nep_signature_free(&list);
    return st;
}

static void write_cell(nep_signatures *s, int64_t disorder, int64_t drug, const nep_signature_list *list, const nep_signature_query *q,
                       signature_hit *hits)
{
    const int64_t cell = disorder * s->n_drugs + drug;
    for (int m = 0; m < NEP_SIGNATURES_CHANNELS; m++) {
        const double score = signature_score_with(list, q, (nep_signature_method)m, hits, &s->se[m][cell]);
        s->value[m][cell] = score == 0 ? 0 : -score; /* positive: the drug undoes what the disorder does */
    }
}

/* Drugs are queries of each disorder's list. */
static void score_sets(nep_signatures *s, int64_t disorder, bench *b)
{
    signature_rank_into(s->disorder_z + disorder * s->n_genes, s->n_genes, NEP_SIGNATURE_EXTREME, b->entries, &b->list);
    for (int64_t k = 0; k < s->n_drugs; k++) {
        const nep_signature_query q = signatures_drug_query(s, k);
        write_cell(s, disorder, k, &b->list, &q, b->hits);
    }
}

/* Disorders are queries of each drug's list. */
static void score_lists(nep_signatures *s, int64_t drug, const nep_signature_query *queries, bench *b)
{
    signature_rank_into(signatures_drug_list(s, drug, b->z), s->n_genes, NEP_SIGNATURE_EXTREME, b->entries, &b->list);
    for (int64_t j = 0; j < s->n_disorders; j++)
        write_cell(s, j, drug, &b->list, &queries[j], b->hits);
}

static int64_t longest_query(const nep_signatures *s, const nep_signature_query *queries)
{
    int64_t longest = 1;
    for (int64_t k = 0; !s->drugs_are_lists && k < s->n_drugs; k++)
        longest = s->drug_start[k + 1] - s->drug_start[k] > longest ? s->drug_start[k + 1] - s->drug_start[k] : longest;
    for (int64_t j = 0; s->drugs_are_lists && j < s->n_disorders; j++)
        longest = queries[j].n > longest ? queries[j].n : longest;
    return longest;
}

static nep_status score_all(nep_ctx *ctx, nep_signatures *s, const nep_signature_query *queries)
{
    const int threads = nep_ctx_threads(ctx);
    const int64_t n = s->drugs_are_lists ? s->n_drugs : s->n_disorders, longest = longest_query(s, queries);
    bench *benches = NULL;
    nep_status st;

    NEP_TRY_OR_DONE(st, nep_alloc(ctx, threads, sizeof *benches, "signatures: threads", &benches));
    for (int t = 0; t < threads; t++)
        NEP_TRY_OR_DONE(st, make_bench(ctx, s, longest, &benches[t]));
    NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
    for (int64_t i = 0; i < n; i++) {
        bench *b = &benches[omp_get_thread_num()];
        if (s->drugs_are_lists)
            score_lists(s, i, queries, b);
        else
            score_sets(s, i, b);
    }
    st = nep_ctx_check(ctx);
done:
    for (int t = 0; benches && t < threads; t++)
        free_bench(&benches[t]);
    nep_alloc_free(benches);
    return st;
}

nep_status nep_signatures_prepare(nep_ctx *ctx, nep_signatures *s)
{
    nep_signature_query *queries = NULL;
    nep_status st;

    nep_signatures_release(s);
    for (int m = 0; m < NEP_SIGNATURES_CHANNELS; m++) {
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, s->n_disorders * s->n_drugs, sizeof(double), "signatures: values", &s->value[m]));
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, s->n_disorders * s->n_drugs, sizeof(double), "signatures: errors", &s->se[m]));
    }
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, s->n_disorders, sizeof *queries, "signatures: queries", &queries));
    for (int64_t j = 0; s->drugs_are_lists && j < s->n_disorders; j++) {
        int32_t *gene = NULL;
        double *weight = NULL;
        const nep_status made = signatures_disorder_query(ctx, s, j, &gene, &weight, &queries[j].n);
        queries[j].gene = gene;
        queries[j].weight = weight;
        NEP_TRY_OR_DONE(st, made);
    }
    st = score_all(ctx, s, queries);
done:
    for (int64_t j = 0; queries && s->drugs_are_lists && j < s->n_disorders; j++) {
        nep_alloc_free((void *)(uintptr_t)queries[j].gene);
        nep_alloc_free((void *)(uintptr_t)queries[j].weight);
    }
    nep_alloc_free(queries);
    if (st != NEP_OK)
        nep_signatures_release(s);
    return st;
}

void nep_signatures_release(nep_signatures *s)
{
    for (int m = 0; m < NEP_SIGNATURES_CHANNELS; m++) {
        nep_alloc_free(s->value[m]);
        nep_alloc_free(s->se[m]);
        s->value[m] = s->se[m] = NULL;
    }
}

void nep_signatures_free(nep_signatures *s)
{
    nep_signatures_release(s);
    for (int64_t g = 0; s->genes && g < s->n_genes; g++)
        nep_alloc_free(s->genes[g]);
    for (int l = 0; s->licences && l < s->n_licences; l++)
        nep_alloc_free(s->licences[l]);
    void *const all[] = {s->genes, s->licences, s->disorder_z, s->disorder_licence, s->drug_start, s->drug_gene, s->drug_weight, s->drug_licence};
    for (int i = 0; i < NEP_LEN(all); i++)
        nep_alloc_free(all[i]);
    *s = (nep_signatures){0};
}

static bool is_open(const nep_signatures *s, signed char licence)
{
    return licence >= 0 && nep_tables_open_licence(s->licences[licence]);
}

void nep_signatures_keep_open(nep_signatures *s, int64_t dropped[2])
{
    int64_t of_disorders = 0, kept = 0;
    nep_signatures_release(s);
    for (int64_t i = 0; i < s->n_disorders * s->n_genes; i++)
        if (!isnan(s->disorder_z[i]) && !is_open(s, s->disorder_licence[i])) {
            s->disorder_z[i] = (double)NAN;
            of_disorders++;
        }
    const int64_t all = s->drug_start[s->n_drugs];
    for (int64_t k = 0, first = 0; k < s->n_drugs; k++) {
        const int64_t last = s->drug_start[k + 1];
        for (int64_t i = first; i < last; i++)
            if (is_open(s, s->drug_licence[i])) {
                s->drug_gene[kept] = s->drug_gene[i];
                s->drug_weight[kept] = s->drug_weight[i];
                s->drug_licence[kept++] = s->drug_licence[i];
            }
        first = last;
        s->drug_start[k + 1] = kept;
    }
    if (dropped) {
        dropped[0] = of_disorders;
        dropped[1] = all - kept;
    }
}
