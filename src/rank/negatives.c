/* SPDX-License-Identifier: Apache-2.0 */
/* negatives.c - the sets of drugs that recorded treatments are held against. */
#include "rank/negatives.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *name, *definition;
} kinds[NEP_NEGATIVES_COUNT] = {
    [NEP_NEGATIVES_ALL] = {"all", "all scored drugs that are no recorded treatment of the disorder; investigational ones are left out, unless the study lets them count as none"},
    [NEP_NEGATIVES_NERVOUS_SYSTEM] = {"nervous_system", "of these, drugs of ATC group N and recorded treatments of another disorder of the study"},
    [NEP_NEGATIVES_POPULARITY] = {"popularity", "each treatment against those of them that are recorded for as many other disorders of the study and "
                                                "have a similar number of measured targets (0, 1, 2 to 3, 4 to 7, 8 to 15, ...)"},
    [NEP_NEGATIVES_FAILED] = {"failed", "of these, drugs recorded as failed or contraindicated in the disorder"},
};

const char *nep_negatives_name(nep_negatives k)
{
    return (int)k >= 0 && k < NEP_NEGATIVES_COUNT ? kinds[k].name : "unknown";
}

const char *nep_negatives_definition(nep_negatives k)
{
    return (int)k >= 0 && k < NEP_NEGATIVES_COUNT ? kinds[k].definition : "";
}

bool nep_negatives_find(const char *name, nep_negatives *out)
{
    for (int i = 0; name && i < NEP_NEGATIVES_COUNT; i++)
        if (strcmp(name, kinds[i].name) == 0) {
            *out = (nep_negatives)i;
            return true;
        }
    return false;
}

/* For how many of the first d disorders other than this one the drug is recorded. */
static int64_t other_disorders(const nep_inputs *in, int64_t d, int64_t disorder, int64_t k)
{
    int64_t n = 0;
    for (int64_t j = 0; j < d; j++)
        n += j != disorder && nep_label_indicated(in->labels[j * in->n_drugs + k]);
    return n;
}

void nep_negatives_strata(const nep_inputs *in, int64_t disorder, int64_t *out)
{
    for (int64_t k = 0; k < in->n_drugs; k++) {
        int64_t n = 0, doublings = 0;
        for (int64_t i = in->affinity_start ? in->affinity_start[k] : 0; in->affinity_start && i < in->affinity_start[k + 1]; i++)
            n += !in->affinities[i].censored;
        for (; n > 0; n /= 2)
            doublings++;
        out[k] = 64 * other_disorders(in, in->n_disorders, disorder, k) + doublings;
    }
}

/* ATC group N, or a recorded treatment of another disorder of the study. */
static bool is_nervous(const nep_inputs *in, int64_t disorder, int64_t k)
{
    const char *atc = in->drugs->atc4 ? in->drugs->atc4[k] : NULL;
    for (const char *p = atc; p && *p; p = strchr(p, ';') ? strchr(p, ';') + 1 : NULL)
        if (*p == 'N')
            return true;
    return other_disorders(in, nep_inputs_listed(in), disorder, k) > 0;
}

static bool is_failed(nep_label l)
{
    return l == NEP_LABEL_FAILED || l == NEP_LABEL_CONTRAINDICATED;
}

nep_status rank_negatives_open(nep_ctx *ctx, const nep_inputs *in, const bool *asked, rank_negatives *out)
{
    const int64_t d = nep_inputs_ranked(in), cells = d * in->n_drugs;
    *out = (rank_negatives){.n_drugs = in->n_drugs, .n_disorders = d};
    NEP_TRY(nep_alloc(ctx, cells, 1, "evaluation: positives", &out->pos));
    NEP_TRY(nep_alloc(ctx, cells, 1, "evaluation: grades", &out->grade));
    if (asked[NEP_NEGATIVES_NERVOUS_SYSTEM])
        NEP_TRY(nep_alloc(ctx, cells, 1, "evaluation: nervous-system negatives", &out->nervous));
    if (asked[NEP_NEGATIVES_FAILED])
        NEP_TRY(nep_alloc(ctx, cells, 1, "evaluation: failed negatives", &out->failed));
    if (!asked[NEP_NEGATIVES_POPULARITY])
        return NEP_OK;
    NEP_TRY(nep_alloc(ctx, cells, sizeof *out->stratum, "evaluation: strata", &out->stratum));
    for (int64_t j = 0; j < d; j++)
        nep_negatives_strata(in, j, out->stratum + j * in->n_drugs);
    return NEP_OK;
}

void rank_negatives_free(rank_negatives *g)
{
    nep_alloc_free(g->pos);
    nep_alloc_free(g->grade);
    nep_alloc_free(g->nervous);
    nep_alloc_free(g->failed);
    nep_alloc_free(g->stratum);
    *g = (rank_negatives){0};
}

/* How good a find is: of a simulated truth all are equal. */
static signed char grade_of(const nep_inputs *in, int64_t at, signed char pos)
{
    if (pos == SAMPLE_LEFT_OUT)
        return -1;
    if (in->truth && in->truth[at] >= 0)
        return in->truth[at] ? 3 : 0;
    switch (in->labels[at]) {
    case NEP_LABEL_APPROVED: return 3;
    case NEP_LABEL_SYMPTOMATIC: return 2;
    case NEP_LABEL_INVESTIGATIONAL: return 1;
    default: return 0;
    }
}

void rank_negatives_set(const nep_inputs *in, nep_protocol p, const double *score, rank_negatives *g)
{
    for (int64_t j = 0; j < g->n_disorders; j++) {
        signed char *pos = g->pos + j * g->n_drugs;
        rank_sample_positives(in, j, pos);
        for (int64_t k = 0; k < g->n_drugs; k++) {
            const int64_t at = j * g->n_drugs + k;
            const nep_label l = in->labels[at];
            if (p == NEP_PROTOCOL_APPROVED_VS_FAILED)
                pos[k] = nep_label_indicated(l) ? 1 : is_failed(l) ? 0 : SAMPLE_LEFT_OUT;
            if (isnan(score[at]))
                pos[k] = SAMPLE_LEFT_OUT;
            g->grade[at] = grade_of(in, at, pos[k]);
            if (g->nervous)
                g->nervous[at] = pos[k] == 0 && !is_nervous(in, j, k) ? SAMPLE_LEFT_OUT : pos[k];
            if (g->failed)
                g->failed[at] = pos[k] == 0 && !is_failed(l) ? SAMPLE_LEFT_OUT : pos[k];
        }
    }
}
