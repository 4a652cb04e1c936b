/* SPDX-License-Identifier: Apache-2.0 */
/* evaluation_maps.c - the image under null maps of every family: the fused ranking with another map, and the image by itself. */
#include "rank/evaluation.h"

#include <math.h>
#include <string.h>

static bool has_map(const rank_evaluation *w, int64_t j)
{
    return w->in->profiles && w->in->profiles[j * (1 + NEP_EVIDENCE_TRACERS)];
}

static int families(const rank_evaluation *w, int64_t j)
{
    return w->in->second && w->in->second[j] ? NEP_EVIDENCE_FAMILIES : 1;
}

/* p of an AUROC by one family's null maps (w->auroc); the first family gives the 95 % range. */
static void settle(rank_evaluation *w, int family, double observed, double p_family[NEP_EVIDENCE_FAMILIES], double *low, double *high, double *p)
{
    p_family[family] = rank_sample_p(observed, w->auroc, w->n_nulls);
    *p = family ? fmax(*p, p_family[family]) : p_family[family];
    if (family)
        return;
    const int64_t there = rank_sample_sort(w->auroc, w->n_nulls);
    *low = rank_sample_quantile(w->auroc, there, 0.025);
    *high = rank_sample_quantile(w->auroc, there, 0.975);
}

/* The fused AUROC with other engagement scores: the rest and the scale stay. */
static nep_status exchange(nep_ctx *ctx, rank_evaluation *w, nep_protocol p, int64_t j, int engagement, const double *scores, double *auroc)
{
    const nep_protocol_scores *s = &w->e->scores[p];
    const int c = w->r->n_channels;
    nep_status st;
    NEP_TRY(nep_fuse_normal_scores(ctx, scores, w->n, w->one));
    for (int64_t k = 0; k < w->n; k++) {
        const int64_t at = j * w->n + k;
        double sum = 0;
        bool any = false;
        for (int v = 0; v < w->n_votes; v++) {
            const double z = v == engagement ? w->one[k] : s->z[at * c + v];
            sum += isnan(z) ? 0 : z;
            any = any || !isnan(z);
        }
        w->two[k] = any ? sum / s->scale[at] : NAN;
    }
    *auroc = rank_evaluation_auroc(w, w->two, w->set.pos + j * w->n, &st, ctx);
    return st;
}

/* w->null holds the family's null maps of the disorder, w->score the measured map's own scores by it. */
static nep_status fused_protocol(nep_ctx *ctx, rank_evaluation *w, nep_protocol p, int64_t j, int engagement, int family)
{
    nep_performance *out = &w->e->fused.disorders[p][j];
    double observed;
    rank_evaluation_set(w, p);
    NEP_TRY(exchange(ctx, w, p, j, engagement, w->score, &observed));
    for (int64_t b = 0; b < w->n_nulls; b++)
        NEP_TRY(exchange(ctx, w, p, j, engagement, w->null + b * w->n, &w->auroc[b]));
    settle(w, family, observed, out->null_p_family, &out->null_low, &out->null_high, &out->null_p);
    return NEP_OK;
}

nep_status rank_maps_fused(nep_ctx *ctx, rank_evaluation *w)
{
    const int engagement = rank_evaluation_channel(w, "engagement");
    if (engagement < 0 || engagement >= w->n_votes || w->r->fusion != NEP_FUSION_STOUFFER)
        return NEP_OK;
    nep_progress_open(ctx, "map nulls of the evaluation", w->d);
    for (int64_t j = 0; j < w->d; j++) {
        nep_progress_step(ctx, j);
        NEP_TRY(nep_ctx_check(ctx));
        for (int f = 0; has_map(w, j) && f < families(w, j); f++) {
            NEP_TRY(nep_engagement_null_family(ctx, w->in, j, f, 0, w->n_nulls, w->null));
            NEP_TRY(nep_engagement_family(ctx, w->in, j, f, w->score));
            for (nep_protocol p = 0; p < NEP_PROTOCOL_COUNT; p++)
                if (w->e->fused.run[p] && !isnan(w->e->fused.disorders[p][j].auroc.value))
                    NEP_TRY(fused_protocol(ctx, w, p, j, engagement, f));
        }
    }
    nep_progress_close(ctx);
    return NEP_OK;
}

/* ---- imaging by itself ---- */
static nep_status ligand_auroc(nep_ctx *ctx, rank_evaluation *w, nep_protocol p, int64_t j, int ligand, double *out)
{
    nep_status st = NEP_OK;
    *out = NAN;
    if (ligand < 0 || !w->e->fused.run[p])
        return NEP_OK;
    for (int64_t k = 0; k < w->n; k++)
        w->one[k] = w->e->scores[p].value[(j * w->n + k) * w->r->n_channels + ligand];
    rank_sample_fill(w->set.pos + j * w->n, w->one, w->n, w->two);
    *out = rank_evaluation_auroc(w, w->one, w->set.pos + j * w->n, &st, ctx);
    return st;
}

static nep_status alone_family(nep_ctx *ctx, rank_evaluation *w, int64_t j, int family, nep_imaging_alone *m)
{
    const signed char *pos = w->set.pos + j * w->n;
    nep_status st;
    NEP_TRY(nep_engagement_null_family(ctx, w->in, j, family, 0, w->n_nulls, w->null));
    NEP_TRY(nep_engagement_family(ctx, w->in, j, family, w->two));
    const double observed = rank_evaluation_auroc(w, w->two, pos, &st, ctx);
    NEP_TRY(st);
    for (int64_t b = 0; b < w->n_nulls; b++) {
        w->auroc[b] = rank_evaluation_auroc(w, w->null + b * w->n, pos, &st, ctx);
        NEP_TRY(st);
    }
    settle(w, family, observed, m->null_p_family, &m->null_low, &m->null_high, &m->null_p);
    return NEP_OK;
}

nep_status rank_maps_alone(nep_ctx *ctx, rank_evaluation *w)
{
    const int engagement = rank_evaluation_channel(w, "engagement"), ligand = rank_evaluation_channel(w, "ligand_only");
    nep_evaluation *e = w->e;
    nep_status st;

    NEP_TRY(nep_alloc(ctx, w->d, sizeof *e->imaging, "imaging alone", &e->imaging));
    for (int64_t j = 0; j < w->d; j++) {
        nep_imaging_alone *m = &e->imaging[j];
        *m = (nep_imaging_alone){.auroc = NAN, .null_low = NAN, .null_high = NAN, .null_p = NAN, .null_p_family = {NAN, NAN}, .ligand_only = NAN,
                                 .ligand_only_new_drug = NAN};
        if (engagement < 0 || !has_map(w, j))
            continue;
        signed char *pos = w->set.pos + j * w->n;
        rank_sample_positives(w->in, j, pos);
        for (int64_t k = 0; k < w->n; k++) {
            w->two[k] = w->r->disorders[j].value[k * w->r->n_channels + engagement];
            if (isnan(w->two[k]))
                pos[k] = SAMPLE_LEFT_OUT;
            m->n_pos += pos[k] == 1;
            m->n_neg += pos[k] == 0;
        }
        m->auroc = rank_evaluation_auroc(w, w->two, pos, &st, ctx);
        NEP_TRY(st);
        if (isnan(m->auroc))
            continue;
        for (int f = 0; f < families(w, j); f++)
            NEP_TRY(alone_family(ctx, w, j, f, m));
        NEP_TRY(ligand_auroc(ctx, w, NEP_PROTOCOL_MASKED, j, ligand, &m->ligand_only));
        NEP_TRY(ligand_auroc(ctx, w, NEP_PROTOCOL_NEW_DRUG, j, ligand, &m->ligand_only_new_drug));
    }
    return NEP_OK;
}
