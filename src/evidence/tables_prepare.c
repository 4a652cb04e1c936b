/* SPDX-License-Identifier: Apache-2.0 */
/* tables_prepare.c - what the tables say, made once, since no label can change it; redraws and explanations of it. */
#include "tables_make.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static nep_status make(nep_ctx *ctx, nep_tables *t, nep_tables_kind kind)
{
    nep_tables_one *one = t->of[kind];
    const int64_t disorders = kind == NEP_TABLES_EXPOSURE ? 1 : t->n_disorders, n = disorders * t->n_drugs;
    NEP_TRY(nep_ctx_check(ctx));
    NEP_TRY(nep_alloc(ctx, n, sizeof *one->value, "evidence: values", &one->value));
    NEP_TRY(nep_alloc(ctx, n, sizeof *one->se, "evidence: errors", &one->se));
    for (int64_t p = 0; p < n; p++)
        one->value[p] = one->se[p] = (double)NAN;
    switch (kind) {
    case NEP_TABLES_VOTES: return nep_expert_votes_make(ctx, one, n);
    case NEP_TABLES_LITERATURE: return nep_literature_make(ctx, one, n);
    case NEP_TABLES_RECORDS: return nep_record_signal_make(ctx, one, disorders, t->n_drugs);
    case NEP_TABLES_ASSAY: return nep_assay_potency_make(ctx, one, n);
    case NEP_TABLES_EXPOSURE: return nep_exposure_make(ctx, one, n);
    case NEP_TABLES_COUNT: break;
    }
    return NEP_OK;
}

nep_status nep_tables_prepare(nep_ctx *ctx, nep_tables *t)
{
    nep_status st = NEP_OK;
    nep_tables_release(t);
    for (int k = 0; st == NEP_OK && k < NEP_TABLES_COUNT; k++)
        if (t->of[k])
            st = make(ctx, t, (nep_tables_kind)k);
    if (st != NEP_OK)
        nep_tables_release(t);
    return st;
}

const nep_tables_one *nep_tables_get(const nep_inputs *in, nep_tables_kind kind)
{
    return in->tables ? in->tables->of[kind] : NULL;
}

static double redraw(nep_tables_kind kind, double value, double se, double normal)
{
    if (isnan(value) || isnan(se))
        return value;
    if (kind == NEP_TABLES_VOTES) {
        const double slope = value * (1 - value); /* of the probability on its logit */
        return slope > 0 ? 1 / (1 + exp(-(log(value / (1 - value)) + se / slope * normal))) : value;
    }
    const double moved = value + se * normal;
    return kind == NEP_TABLES_RECORDS || moved > 0 ? moved : 0;
}

void nep_tables_score(const nep_inputs *in, nep_tables_kind kind, int64_t disorder, uint64_t stream, double *value, double *se)
{
    const nep_tables_one *one = nep_tables_get(in, kind);
    const uint64_t id = nep_stream_id(NEP_STREAM_TABLE, disorder, stream);
    for (int64_t k = 0; k < in->n_drugs; k++) {
        const int64_t p = disorder * in->n_drugs + k;
        value[k] = one->value[p];
        se[k] = one->se[p];
        if (stream)
            value[k] = redraw(kind, value[k], se[k], nep_philox_normal(in->seed, id, (uint64_t)((int64_t)kind * in->n_drugs + k)));
    }
}

void nep_tables_reason(const nep_tables_row *r, double share, nep_reason *out, const char *fmt, ...)
{
    va_list args;
    char text[128];
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (r->source)
        snprintf(out->label, sizeof out->label, "%s", r->source);
    else
        snprintf(out->label, sizeof out->label, "line %lld", (long long)r->line);
    snprintf(out->detail, sizeof out->detail, "%s; line %lld%s%s", text, (long long)r->line, r->licence ? ", " : "", r->licence ? r->licence : "");
    out->share = share;
}

void nep_tables_keep_reason(const nep_reason *one, int limit, nep_reason *out, int *n)
{
    int at = *n;
    while (at > 0 && fabs(out[at - 1].share) < fabs(one->share))
        at--;
    if (at >= limit)
        return;
    const int last = *n < limit ? *n : limit - 1;
    memmove(out + at + 1, out + at, (size_t)(last - at) * sizeof *out);
    out[at] = *one;
    *n = last + 1;
}
