/* SPDX-License-Identifier: Apache-2.0 */
/* features.c - channel values under a protocol, one call per channel and disorder: masks are honoured by the channels. */
#include "rank/features.h"

#include <math.h>
#include <string.h>

static const double bend = 0.3; /* chosen on disorders outside the nervous system */

nep_status rank_features_open(nep_ctx *ctx, const nep_inputs *in, const nep_channel *const *channels, int n_channels, rank_features *out)
{
    *out = (rank_features){.in = in, .channels = channels, .n_channels = n_channels};
    NEP_TRY(nep_alloc(ctx, in->n_drugs, sizeof *out->own, "features: labels", &out->own));
    NEP_TRY(nep_alloc(ctx, in->n_drugs * in->n_disorders, sizeof *out->others, "features: labels of others", &out->others));
    NEP_TRY(nep_alloc(ctx, in->n_drugs, sizeof *out->value, "features: values", &out->value));
    return nep_alloc(ctx, in->n_drugs, sizeof *out->se, "features: errors", &out->se);
}

void rank_features_close(rank_features *f)
{
    nep_alloc_free(f->own);
    nep_alloc_free(f->others);
    nep_alloc_free(f->value);
    nep_alloc_free(f->se);
    *f = (rank_features){0};
}

bool rank_features_speaks(const nep_channel *c, nep_protocol p)
{
    const bool new_drug = p == NEP_PROTOCOL_MASKED || p == NEP_PROTOCOL_NEW_DRUG;
    return !(c->knows_drug && new_drug && (c->role == NEP_ROLE_VOTE || c->role == NEP_ROLE_NUISANCE));
}

static nep_visible look(rank_features *f, nep_protocol p, int64_t disorder, int64_t held_out)
{
    const nep_inputs *in = f->in;
    const int64_t n = in->n_drugs;
    const nep_visible all = nep_visible_labels(in, disorder, f->own, f->others);
    for (int64_t k = 0; k < n; k++) {
        if (p == NEP_PROTOCOL_ZERO_SHOT)
            f->own[k] = NEP_LABEL_NONE;
        if (held_out >= 0)
            f->others[held_out * n + k] = NEP_LABEL_NONE;
    }
    return all;
}

nep_status rank_features_read(nep_ctx *ctx, rank_features *f, nep_protocol p, int64_t disorder, int64_t held_out, bool changed,
                              uint64_t stream, double *value)
{
    const nep_visible labels = look(f, p, disorder, held_out);
    for (int c = 0; c < f->n_channels; c++) {
        const nep_channel *channel = f->channels[c];
        nep_visible visible = labels;
        if (changed && !channel->uses_others)
            continue;
        NEP_REQUIRE(ctx, channel->masks || !channel->uses_labels, NEP_E_CONFIG,
                    "study: channel %s reads labels that cannot be hidden drug by drug; leave it out of a model learned from other disorders",
                    channel->name);
        if (!channel->knows_drug)
            visible.mask = p == NEP_PROTOCOL_MASKED ? &f->in->similar : &f->in->itself;
        if (rank_features_speaks(channel, p))
            NEP_TRY(nep_channel_score(ctx, channel, f->in, &visible, stream, f->value, f->se));
        for (int64_t k = 0; k < f->in->n_drugs; k++)
            value[k * f->n_channels + c] = rank_features_speaks(channel, p) ? f->value[k] : NAN;
    }
    return NEP_OK;
}

void rank_features_scale(double *column, int64_t n, int64_t step)
{
    double sum = 0;
    int64_t there = 0;
    for (int64_t k = 0; k < n; k++)
        if (!isnan(column[k * step])) {
            sum += fabs(column[k * step]);
            there++;
        }
    for (int64_t k = 0; k < n && sum > 0; k++)
        column[k * step] = asinh(bend * column[k * step] * (double)there / sum);
}
