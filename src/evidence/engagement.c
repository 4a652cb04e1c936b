/* SPDX-License-Identifier: Apache-2.0 */
/* engagement.c - VOTE: does the drug occupy receptors where the disorder changes the brain, more than on null maps? */
#include "channels.h"

#include <nepenthe/brainmap.h>
#include <nepenthe/pharmacology.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SETS = 1 + NEP_EVIDENCE_TRACERS };
static const double partial_effect = 0.5; /* a partial agonist's sign in mode S: half an agonist, a stated assumption */

nep_coverage nep_engagement_coverage(const nep_inputs *in, int64_t drug, int *n_measured)
{
    double strongest = NAN, strongest_mapped = NAN;
    int measured = 0;
    for (int64_t i = in->affinity_start[drug]; i < in->affinity_start[drug + 1]; i++) {
        const nep_affinity *a = &in->affinities[i];
        if (isnan(a->p_affinity) || a->censored)
            continue;
        if (!(a->p_affinity <= strongest))
            strongest = a->p_affinity;
        if (a->target >= in->n_mapped)
            continue;
        measured++;
        if (!(a->p_affinity <= strongest_mapped))
            strongest_mapped = a->p_affinity;
    }
    if (n_measured)
        *n_measured = measured;
    if (isnan(strongest))
        return NEP_COVERAGE_NONE;
    if (measured < NEP_EVIDENCE_MIN_TARGETS)
        return NEP_COVERAGE_FEW;
    /* a difference within the error of one measurement names no strongest target */
    const bool mapped = strongest_mapped >= strongest - NEP_AFFINITY_SE_FLOOR;
    return in->any_strongest || mapped ? NEP_COVERAGE_OK : NEP_COVERAGE_STRONGEST;
}

/* The gate as prepared once, else worked out. */
static bool covered(const nep_inputs *in, int64_t k)
{
    return (in->coverage ? (nep_coverage)in->coverage[k] : nep_engagement_coverage(in, k, NULL)) == NEP_COVERAGE_OK;
}

static double sign_of(const nep_inputs *in, const nep_affinity *a)
{
    if (in->mode == 'U')
        return 1.0;
    if (in->mode == 'T' && nep_tone_moves(in->targets[a->target]))
        return 0.0;
    return a->partial ? partial_effect : (double)a->action;
}

/* Occupancy of every measured entry [n_affinities]; NaN where nothing exact was measured. */
static nep_status occupancies(nep_ctx *ctx, const nep_inputs *in, uint64_t stream, double *occ)
{
    double *p = NULL;
    int64_t *drug = NULL;
    nep_status st;

    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_affinities, sizeof *p, "engagement: affinities", &p));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_affinities, sizeof *drug, "engagement: owners", &drug));
    const uint64_t id = nep_stream_id(NEP_STREAM_AFFINITY, 0, stream);
    for (int64_t i = 0; i < in->n_affinities; i++) {
        const nep_affinity *a = &in->affinities[i];
        drug[i] = a->drug;
        p[i] = a->censored ? NAN : a->p_affinity;
        if (stream && !isnan(p[i]))
            p[i] += a->p_se * nep_philox_normal(in->seed, id, (uint64_t)i);
    }
    NEP_TRY_OR_DONE(st, nep_occupancy_relative(ctx, p, drug, in->n_affinities, in->relative_occupancy, occ));
done:
    nep_alloc_free(drug);
    nep_alloc_free(p);
    return st;
}

nep_status nep_engagement_weights(nep_ctx *ctx, const nep_inputs *in, uint64_t stream, double *a)
{
    double *occ = NULL, *blocked = NULL;
    nep_status st;

    if (stream == 0 && in->weights) {
        memcpy(a, in->weights, (size_t)(in->n_drugs * in->n_mapped) * sizeof *a);
        return NEP_OK;
    }

    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_affinities, sizeof *occ, "engagement: occupancies", &occ));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_targets, sizeof *blocked, "engagement: blocked targets", &blocked));
    NEP_TRY_OR_DONE(st, occupancies(ctx, in, stream, occ));
    for (int64_t k = 0; k < in->n_drugs; k++) {
        double *row = a + k * in->n_mapped;
        for (int64_t m = 0; m < in->n_mapped; m++)
            row[m] = 0;
        for (int64_t t = 0; t < in->n_targets; t++)
            blocked[t] = 0;
        for (int64_t i = in->affinity_start[k]; i < in->affinity_start[k + 1]; i++) {
            const nep_affinity *f = &in->affinities[i];
            if (isnan(occ[i]))
                continue;
            blocked[f->target] = f->action < 0 ? occ[i] : 0;
            if (f->target < in->n_mapped)
                row[f->target] += sign_of(in, f) * occ[i];
        }
        if (in->mode == 'T')
            nep_tone_apply(in, blocked, row);
    }
done:
    nep_alloc_free(blocked);
    nep_alloc_free(occ);
    return st;
}

static const struct nep_profile *profile_of(const nep_inputs *in, int64_t disorder, uint64_t stream)
{
    return in->profiles[disorder * SETS + (int64_t)(stream % SETS)];
}

static const struct nep_profile *family_of(const nep_inputs *in, int64_t disorder, int family)
{
    return family ? in->second[disorder] : profile_of(in, disorder, 0);
}

static bool empty_row(const double *row, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (row[i] != 0)
            return false;
    return true;
}

/* Error of the score by the map's own standard errors alone, from a few redraws of the map. */
static nep_status map_error(nep_ctx *ctx, const nep_inputs *in, int64_t disorder, const double *a, double *se)
{
    enum { DRAWS = 32 };
    double *draw = NULL, *sum = NULL;
    nep_status st;

    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_drugs, sizeof *draw, "engagement: redraw", &draw));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 2 * in->n_drugs, sizeof *sum, "engagement: moments", &sum));
    for (uint64_t d = 1; d <= DRAWS; d++) {
        const uint64_t id = nep_stream_id(NEP_STREAM_MAP, disorder, 0xffffff00u + d);
        NEP_TRY_OR_DONE(st, nep_profile_score(ctx, profile_of(in, disorder, 0), in->score, id, a, in->n_drugs, draw, NULL,
                                              NULL));
        for (int64_t k = 0; k < in->n_drugs; k++) {
            sum[2 * k] += draw[k];
            sum[2 * k + 1] += draw[k] * draw[k];
        }
    }
    for (int64_t k = 0; k < in->n_drugs; k++) {
        const double mean = sum[2 * k] / DRAWS, var = sum[2 * k + 1] / DRAWS - mean * mean;
        se[k] = sqrt(var > 0 ? var : 0);
    }
done:
    nep_alloc_free(sum);
    nep_alloc_free(draw);
    return st;
}

static bool has_error(const nep_inputs *in, int64_t disorder)
{
    for (int64_t i = 0; in->effect_se && i < in->n_regions; i++)
        if (in->effect_se[disorder * in->n_regions + i] > 0)
            return true;
    return false;
}

/* p becomes the larger of itself and the second family's. */
static nep_status second_p(nep_ctx *ctx, const nep_inputs *in, int64_t disorder, const double *a, double *p)
{
    double *value = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 2 * in->n_drugs, sizeof *value, "engagement: second family", &value));
    double *own = value + in->n_drugs;
    NEP_TRY_OR_DONE(st, nep_profile_score(ctx, in->second[disorder], in->score, 0, a, in->n_drugs, value, own, NULL));
    for (int64_t k = 0; k < in->n_drugs; k++)
        p[k] = fmax(p[k], own[k]);
done:
    nep_alloc_free(value);
    return st;
}

nep_status nep_engagement_signed(nep_ctx *ctx, const nep_inputs *in, int64_t disorder, uint64_t stream, double *value,
                                 double *se, double *p)
{
    double *a = NULL;
    const struct nep_profile *profile = profile_of(in, disorder, stream);
    nep_status st;

    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_drugs * in->n_mapped, sizeof *a, "engagement: weights", &a));
    if (profile) {
        NEP_TRY_OR_DONE(st, nep_engagement_weights(ctx, in, stream, a));
        const uint64_t id = stream ? nep_stream_id(NEP_STREAM_MAP, disorder, stream) : 0;
        NEP_TRY_OR_DONE(st, nep_profile_score(ctx, profile, in->score, id, a, in->n_drugs, value, p, NULL));
        if (p && in->second[disorder])
            NEP_TRY_OR_DONE(st, second_p(ctx, in, disorder, a, p));
        if (se && has_error(in, disorder))
            NEP_TRY_OR_DONE(st, map_error(ctx, in, disorder, a, se));
        for (int64_t k = 0; se && !has_error(in, disorder) && k < in->n_drugs; k++)
            se[k] = NAN;
    }
    for (int64_t k = 0; k < in->n_drugs; k++)
        if (!profile || !covered(in, k) ||
            empty_row(a + k * in->n_mapped, in->n_mapped)) {
            value[k] = NAN;
            if (se)
                se[k] = NAN;
            if (p)
                p[k] = NAN;
        }
    st = NEP_OK;
done:
    nep_alloc_free(a);
    return st;
}

/* |B|, or the signed score times the direction declared beforehand. */
static double orient(const nep_inputs *in, int64_t disorder, double signed_score)
{
    const int direction = in->direction ? in->direction[disorder] : 0;
    return direction ? direction * signed_score : fabs(signed_score);
}

nep_status nep_engagement_null(nep_ctx *ctx, const nep_inputs *in, int64_t disorder, int64_t first, int64_t n, double *out)
{
    return nep_engagement_null_family(ctx, in, disorder, 0, first, n, out);
}

nep_status nep_engagement_family(nep_ctx *ctx, const nep_inputs *in, int64_t disorder, int family, double *out)
{
    double *a = NULL;
    const struct nep_profile *profile = family_of(in, disorder, family);
    nep_status st;

    NEP_REQUIRE(ctx, profile, NEP_E_ARG, "engagement: disorder %lld has no map or no such nulls", (long long)disorder);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_drugs * in->n_mapped, sizeof *a, "engagement: weights", &a));
    NEP_TRY_OR_DONE(st, nep_engagement_weights(ctx, in, 0, a));
    NEP_TRY_OR_DONE(st, nep_profile_score(ctx, profile, in->score, 0, a, in->n_drugs, out, NULL, NULL));
    for (int64_t k = 0; k < in->n_drugs; k++)
        out[k] = !covered(in, k) || empty_row(a + k * in->n_mapped, in->n_mapped) ? NAN : orient(in, disorder, out[k]);
done:
    nep_alloc_free(a);
    return st;
}

nep_status nep_engagement_null_family(nep_ctx *ctx, const nep_inputs *in, int64_t disorder, int family, int64_t first,
                                      int64_t n, double *out)
{
    double *a = NULL;
    const struct nep_profile *profile = family_of(in, disorder, family);
    nep_status st;

    NEP_REQUIRE(ctx, profile, NEP_E_ARG, "engagement: disorder %lld has no map or no such nulls", (long long)disorder);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_drugs * in->n_mapped, sizeof *a, "engagement: weights", &a));
    NEP_TRY_OR_DONE(st, nep_engagement_weights(ctx, in, 0, a));
    NEP_TRY_OR_DONE(st, nep_profile_null_scores(ctx, profile, in->score, first, n, a, in->n_drugs, out));
    for (int64_t k = 0; k < in->n_drugs; k++) {
        const bool gone = !covered(in, k) || empty_row(a + k * in->n_mapped, in->n_mapped);
        for (int64_t b = 0; b < n; b++)
            out[b * in->n_drugs + k] = gone ? NAN : orient(in, disorder, out[b * in->n_drugs + k]);
    }
done:
    nep_alloc_free(a);
    return st;
}

static nep_status score(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, uint64_t stream, double *value,
                        double *se)
{
    NEP_TRY(nep_engagement_signed(ctx, in, visible->disorder, stream, value, stream ? NULL : se, NULL));
    for (int64_t k = 0; k < in->n_drugs; k++) {
        value[k] = isnan(value[k]) ? NAN : orient(in, visible->disorder, value[k]);
        if (stream)
            se[k] = NAN;
    }
    return NEP_OK;
}

static nep_status explain(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, int64_t drug, int limit,
                          nep_reason *out, int *n)
{
    double *a = NULL, *share = NULL;
    const struct nep_profile *profile = profile_of(in, visible->disorder, 0);
    nep_status st = NEP_OK;

    if (!profile || !covered(in, drug))
        return NEP_OK;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_drugs * in->n_mapped, sizeof *a, "engagement: weights", &a));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_mapped, sizeof *share, "engagement: shares", &share));
    NEP_TRY_OR_DONE(st, nep_engagement_weights(ctx, in, 0, a));
    const double *row = a + drug * in->n_mapped;
    if (empty_row(row, in->n_mapped))
        goto done;
    NEP_TRY_OR_DONE(st, nep_profile_share(ctx, profile, in->score, row, share));
    double total = 0;
    for (int64_t m = 0; m < in->n_mapped; m++)
        total += share[m];
    const int direction = in->direction ? in->direction[visible->disorder] : 0;
    const double sign = direction ? direction : total < 0 ? -1.0 : 1.0;
    for (int64_t m = 0; m < in->n_mapped && *n < limit; m++) {
        if (row[m] == 0)
            continue;
        nep_reason *r = &out[(*n)++];
        snprintf(r->label, sizeof r->label, "%s", in->targets[m]);
        snprintf(r->detail, sizeof r->detail, "%s: occupancy %.2f%s", in->target_names ? in->target_names[m] : "target",
                 fabs(row[m]), in->mode == 'U' ? "" : row[m] < 0 ? ", lowers" : ", raises");
        r->share = sign * share[m];
    }
done:
    nep_alloc_free(share);
    nep_alloc_free(a);
    return st;
}

const nep_channel nep_engagement_channel = {
    .name = "engagement",
    .summary = "occupancy-weighted match of the drug's receptors with the disorder's brain map, against spatial null maps",
    .source = "score B or A of the receptor profile; Hill (1910) J Physiol 40:iv-vii; Dukart et al. (2018) Sci Rep 8:4074, "
              "doi:10.1038/s41598-018-22444-0",
    .orientation = "larger |score| ranks higher; the sign counts only where the study declared a direction beforehand",
    .licence = "that of the receptor, map and affinity tables of the study",
    .role = NEP_ROLE_VOTE,
    .needs = NEP_NEEDS_MAP | NEP_NEEDS_AFFINITY,
    .uses_labels = false,
    .score = score,
    .explain = explain,
};
