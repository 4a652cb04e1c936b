/* SPDX-License-Identifier: Apache-2.0 */
/* inputs.c - what channels share, made once: profiles of the maps with their nulls, and chemical similarities. */
#include <nepenthe/backend.h>
#include <nepenthe/brainmap.h>
#include <nepenthe/signature.h>
#include <nepenthe/tables.h>

#include "paths.h"
#include "kinship.h"
#include "smoother.h"

#include "evidence/channels.h"

#include <math.h>
#include <string.h>

enum { SETS = 1 + NEP_EVIDENCE_TRACERS };
static const double least_reliability = 0.2;

static nep_status check_choices(nep_ctx *ctx, const nep_inputs *in)
{
    NEP_REQUIRE(ctx, in->score == 'A' || in->score == 'B', NEP_E_ARG, "study: score is '%c', must be A or B", in->score);
    NEP_REQUIRE(ctx, in->mode == 'U' || in->mode == 'S' || in->mode == 'T', NEP_E_ARG,
                "study: mode is '%c', must be U, S or T", in->mode);
    NEP_REQUIRE(ctx, in->relative_occupancy > 0 && in->relative_occupancy < 1, NEP_E_ARG,
                "study: relative_occupancy is %g, must lie between 0 and 1", in->relative_occupancy);
    NEP_REQUIRE(ctx, in->n_nulls >= 99, NEP_E_ARG, "study: nulls.n is %lld, must be at least 99", (long long)in->n_nulls);
    return NEP_OK;
}

/* A region without a published value for a receptor takes the compartment's mean (0 of a z-score), so that it says nothing of
 * that receptor and still speaks for the others. */
static void fill_missing(const nep_inputs *in, double *receptor)
{
    for (int64_t i = 0; i < in->n_regions * in->n_mapped; i++)
        if (isnan(receptor[i]))
            receptor[i] = 0;
}

static void warn_missing(nep_ctx *ctx, const nep_inputs *in)
{
    int64_t cells = 0, maps = 0;
    for (int64_t m = 0; m < in->n_mapped; m++) {
        int64_t here = 0;
        for (int64_t i = 0; i < in->n_regions; i++)
            here += isnan(in->receptor[i * in->n_mapped + m]) && (in->geometry->cortex[i] || !in->cortex_only);
        cells += here;
        maps += here > 0;
    }
    if (cells)
        nep_warn(ctx, "receptors: %lld values of %lld maps are missing; such a region counts as its compartment's mean",
                 (long long)cells, (long long)maps);
}

/* The receptor table with its maps redrawn: another tracer where there is one, else noise as large as the tracers'. */
static void redraw_receptors(const nep_inputs *in, int64_t set, double *out)
{
    const uint64_t id = nep_stream_id(NEP_STREAM_TRACER, 0, (uint64_t)set);
    for (int64_t m = 0; m < in->n_mapped; m++) {
        int64_t others = 0, pick = -1;
        for (int64_t t = 0; t < in->n_tracers; t++)
            others += in->tracer_target[t] == m;
        int64_t wanted = (int64_t)(nep_philox_uniform(in->seed, id, (uint64_t)m) * (double)(others + 1));
        for (int64_t t = 0; t < in->n_tracers; t++)
            if (in->tracer_target[t] == m && --wanted == 0)
                pick = t;
        for (int64_t i = 0; i < in->n_regions; i++) {
            double *cell = &out[i * in->n_mapped + m];
            *cell = in->receptor[i * in->n_mapped + m];
            if (pick >= 0 && !isnan(in->tracer[pick * in->n_regions + i]))
                *cell = in->tracer[pick * in->n_regions + i];
            if (others > 0)
                continue;
            double rho = in->reliability ? in->reliability[2 * m + !in->geometry->cortex[i]] : NAN;
            rho = isnan(rho) ? NEP_EVIDENCE_RELIABILITY : rho < least_reliability ? least_reliability : rho;
            const uint64_t index = (uint64_t)(in->n_mapped + m * in->n_regions + i);
            if (rho < 1)
                *cell += sqrt((1.0 - rho) / rho) * nep_philox_normal(in->seed, id, index);
        }
    }
}

static nep_status make_profiles(nep_ctx *ctx, nep_inputs *in, const char *null_kind)
{
    bool *use = NULL;
    double *receptor = NULL;
    nep_nulls_kind kinds[NEP_EVIDENCE_FAMILIES];
    int n_kinds;
    nep_status st;

    NEP_TRY(nep_alloc(ctx, in->n_disorders * SETS, sizeof(struct nep_profile *), "profiles", &in->profiles));
    NEP_TRY(nep_alloc(ctx, in->n_disorders, sizeof(struct nep_profile *), "profiles", &in->second));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_regions, sizeof *use, "profiles: regions", &use));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_regions * in->n_mapped, sizeof *receptor, "profiles: receptors", &receptor));
    warn_missing(ctx, in);
    nep_progress_open(ctx, "map nulls", in->n_disorders * SETS);
    for (int64_t s = 0; s < SETS; s++) {
        if (s)
            redraw_receptors(in, s, receptor);
        else
            memcpy(receptor, in->receptor, (size_t)(in->n_regions * in->n_mapped) * sizeof *receptor);
        fill_missing(in, receptor);
        for (int64_t j = 0; j < in->n_disorders; j++) {
            NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
            nep_progress_step(ctx, s * in->n_disorders + j);
            NEP_TRY_OR_DONE(st, nep_inputs_choose_nulls(ctx, in, j, null_kind, use, kinds, &n_kinds));
            for (int f = 0; f < (s ? n_kinds > 0 : n_kinds); f++) {
                const nep_profile_opts opts = {
                    .kind = kinds[f],
                    .n_nulls = s && in->n_nulls > 1000 ? 1000 : in->n_nulls,
                    .lambda = NEP_EVIDENCE_RIDGE,
                    .stream = nep_stream_id(NEP_STREAM_NULL, j, 2 * (uint64_t)f),
                };
                NEP_TRY_OR_DONE(st, nep_profile_create(ctx, in->geometry, use, receptor, in->n_mapped,
                                                       in->reliability, in->effect + j * in->n_regions,
                                                       in->effect_se ? in->effect_se + j * in->n_regions : NULL, &opts,
                                                       f ? &in->second[j] : &in->profiles[j * SETS + s]));
            }
        }
    }
    nep_progress_close(ctx);
done:
    nep_alloc_free(receptor);
    nep_alloc_free(use);
    return st;
}

/* The least p_max of all drugs that pass the gate under one family of null maps. value, p [n]: scratch. */
static nep_status test_map(nep_ctx *ctx, const nep_inputs *in, const struct nep_profile *profile, const double *a, int64_t n,
                           double *value, double *p, double *out)
{
    *out = NAN;
    if (!profile || n == 0)
        return NEP_OK;
    NEP_TRY(nep_profile_score(ctx, profile, in->score, 0, a, n, value, NULL, p));
    for (int64_t k = 0; k < n; k++)
        if (!isnan(p[k]) && !(*out <= p[k]))
            *out = p[k];
    return NEP_OK;
}

/* map_p: the strongest of all drugs that pass the gate, against the strongest on each null map. */
static nep_status test_maps(nep_ctx *ctx, nep_inputs *in)
{
    double *a = NULL, *value = NULL, *p = NULL;
    int64_t n = 0;
    nep_status st;

    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_disorders, sizeof *in->map_p, "map p values", &in->map_p));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_disorders * NEP_EVIDENCE_FAMILIES, sizeof *in->map_p_family, "map p values",
                                  &in->map_p_family));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_drugs * in->n_mapped, sizeof *a, "map p values: weights", &a));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_drugs, sizeof *value, "map p values: scores", &value));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_drugs, sizeof *p, "map p values: p", &p));
    NEP_TRY_OR_DONE(st, nep_engagement_weights(ctx, in, 0, a));
    for (int64_t k = 0; k < in->n_drugs; k++)
        if (nep_engagement_coverage(in, k, NULL) == NEP_COVERAGE_OK) {
            for (int64_t m = 0; m < in->n_mapped; m++)
                a[n * in->n_mapped + m] = a[k * in->n_mapped + m];
            n++;
        }
    for (int64_t j = 0; j < in->n_disorders; j++) {
        double *own = in->map_p_family + j * NEP_EVIDENCE_FAMILIES;
        NEP_TRY_OR_DONE(st, test_map(ctx, in, in->profiles[j * SETS], a, n, value, p, &own[0]));
        NEP_TRY_OR_DONE(st, test_map(ctx, in, in->second[j], a, n, value, p, &own[1]));
        in->map_p[j] = fmax(own[0], own[1]); /* the number where the other is NaN */
    }
done:
    nep_alloc_free(p);
    nep_alloc_free(value);
    nep_alloc_free(a);
    return st;
}

static nep_status make_similarities(nep_ctx *ctx, nep_inputs *in)
{
    const nep_molset *m = in->drugs;
    int32_t *common = NULL, *total = NULL;
    nep_status st = NEP_OK;

    if (!m || !m->bits || m->words < 1)
        return NEP_OK;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, m->n * m->n, sizeof *in->similarity, "similarities", &in->similarity));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, m->n * m->n, sizeof *common, "similarities: common bits", &common));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, m->n * m->n, sizeof *total, "similarities: all bits", &total));
    NEP_TRY_OR_DONE(st, nep_backend_tanimoto(ctx, m->bits, m->n, m->bits, m->n, m->words, common, total));
    for (int64_t i = 0; i < m->n; i++)
        for (int64_t k = 0; k < m->n; k++) {
            const bool known = common[i * m->n + i] > 0 && common[k * m->n + k] > 0;
            in->similarity[i * m->n + k] = known ? (float)common[i * m->n + k] / (float)total[i * m->n + k] : NAN;
        }
done:
    nep_alloc_free(total);
    nep_alloc_free(common);
    return st;
}

static nep_status keep_weights(nep_ctx *ctx, nep_inputs *in)
{
    double *weights = NULL;
    NEP_TRY(nep_alloc(ctx, in->n_drugs, 1, "coverage", &in->coverage));
    for (int64_t k = 0; k < in->n_drugs; k++)
        in->coverage[k] = (signed char)nep_engagement_coverage(in, k, NULL);
    NEP_TRY(nep_alloc(ctx, in->n_drugs * in->n_mapped, sizeof *weights, "engagement: weights", &weights));
    const nep_status st = nep_engagement_weights(ctx, in, 0, weights);
    in->weights = weights;
    return st;
}

static nep_status find_kind(nep_ctx *ctx, const nep_network *net, const char *kind, char *const *ids, int64_t n, int64_t **out)
{
    const int64_t k = nep_network_find_kind(net, kind);
    NEP_TRY(nep_alloc(ctx, n, sizeof **out, "network: nodes of the study", out));
    for (int64_t i = 0; i < n; i++)
        (*out)[i] = k < 0 ? -1 : nep_network_find_node(net, k, ids[i]);
    return NEP_OK;
}

/* The study's drugs and disorders in the network. */
static nep_status find_nodes(nep_ctx *ctx, nep_inputs *in)
{
    if (!in->network)
        return NEP_OK;
    NEP_TRY(find_kind(ctx, in->network, "C", in->drugs->id, in->n_drugs, &in->drug_node));
    return find_kind(ctx, in->network, "D", in->disorder_ids, in->n_disorders, &in->disorder_node);
}

nep_status nep_inputs_prepare(nep_ctx *ctx, nep_inputs *in, const char *null_kind)
{
    nep_status st;

    NEP_TRY_OR_DONE(st, check_choices(ctx, in));
    in->null_kind = null_kind;
    if (in->affinities && in->affinity_start)
        NEP_TRY_OR_DONE(st, keep_weights(ctx, in));
    if (in->effect && in->receptor && in->n_mapped > 0 && in->affinities) {
        NEP_TRY_OR_DONE(st, make_profiles(ctx, in, null_kind));
        NEP_TRY_OR_DONE(st, test_maps(ctx, in));
    }
    NEP_TRY_OR_DONE(st, make_similarities(ctx, in));
    NEP_TRY_OR_DONE(st, find_nodes(ctx, in));
    NEP_TRY_OR_DONE(st, evidence_paths_open(ctx, in));
    if (in->drugs)
        NEP_TRY_OR_DONE(st, evidence_mask_make(ctx, in));
    NEP_TRY_OR_DONE(st, evidence_smoother_make(ctx, in));
    NEP_TRY_OR_DONE(st, evidence_kinship_make(ctx, in));
    if (in->tables)
        NEP_TRY_OR_DONE(st, nep_tables_prepare(ctx, in->tables));
    if (in->signatures)
        NEP_TRY_OR_DONE(st, nep_signatures_prepare(ctx, in->signatures));
done:
    if (st != NEP_OK)
        nep_inputs_release(in);
    return st;
}

void nep_inputs_target_profile(const nep_inputs *in, int64_t disorder, double *out)
{
    const struct nep_profile *p = in->profiles ? in->profiles[disorder * SETS] : NULL;
    for (int64_t m = 0; m < in->n_mapped; m++)
        out[m] = p ? nep_profile_beta(p)[m] : NAN;
}

int64_t nep_inputs_ranked(const nep_inputs *in)
{
    return in->n_ranked > 0 ? in->n_ranked : in->n_disorders;
}

int64_t nep_inputs_listed(const nep_inputs *in)
{
    return in->n_listed > 0 ? in->n_listed : in->n_disorders;
}

bool nep_inputs_by_truth(const nep_inputs *in, int64_t disorder)
{
    bool any = false;
    for (int64_t k = 0; in->truth && k < in->n_drugs; k++)
        any = any || in->truth[disorder * in->n_drugs + k] >= 0;
    return any;
}

void nep_inputs_release(nep_inputs *in)
{
    if (in->tables)
        nep_tables_release(in->tables);
    if (in->signatures)
        nep_signatures_release(in->signatures);
    for (int64_t i = 0; in->profiles && i < in->n_disorders * SETS; i++)
        nep_profile_free(in->profiles[i]);
    for (int64_t j = 0; in->second && j < in->n_disorders; j++)
        nep_profile_free(in->second[j]);
    nep_alloc_free(in->profiles);
    nep_alloc_free(in->second);
    nep_alloc_free(in->map_p);
    nep_alloc_free(in->map_p_family);
    nep_alloc_free(in->weights);
    nep_alloc_free(in->coverage);
    in->weights = NULL;
    in->coverage = NULL;
    nep_alloc_free(in->similarity);
    evidence_paths_free(in->paths);
    in->paths = NULL;
    evidence_smoother_free(in->smoother);
    evidence_kinship_free(in->kinship);
    in->smoother = NULL;
    in->kinship = NULL;
    nep_alloc_free(in->drug_node);
    nep_alloc_free(in->disorder_node);
    nep_alloc_free(in->itself.start);
    nep_alloc_free(in->itself.list);
    nep_alloc_free(in->similar.start);
    nep_alloc_free(in->similar.list);
    in->drug_node = in->disorder_node = NULL;
    in->itself = in->similar = (nep_mask){NULL, NULL};
    in->profiles = NULL;
    in->second = NULL;
    in->map_p = NULL;
    in->map_p_family = NULL;
    in->similarity = NULL;
}
