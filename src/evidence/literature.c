/* SPDX-License-Identifier: Apache-2.0 */
/* literature.c - VOTE: how many papers name drug and disorder together, recent ones more. */
#include "channels.h"
#include "tables_make.h"

#include <math.h>

static double half_life(const nep_tables_one *one)
{
    return one->half_life > 0 ? one->half_life : NEP_TABLES_HALF_LIFE;
}

static int64_t reference(const nep_tables_one *one)
{
    int64_t latest = one->reference_year;
    for (int64_t i = 0; one->reference_year == 0 && i < one->n_rows; i++)
        latest = i == 0 || one->rows[i].year > latest ? one->rows[i].year : latest;
    return latest;
}

/* Of one paper: 1 in the reference year, halved every half_life before it, 0 after it. */
static double weight(const nep_tables_one *one, int64_t year, int64_t now)
{
    return year > now ? 0 : exp2(-(double)(now - year) / half_life(one));
}

/* S = sum of w n over the years; papers of one year are Poisson, so that Var S = sum of w^2 n. */
static double total(const nep_tables_one *one, int64_t pair, int64_t now, double *variance)
{
    double sum = 0;
    *variance = 0;
    for (int64_t i = one->start[pair]; i < one->start[pair + 1]; i++) {
        const double w = weight(one, one->rows[i].year, now);
        sum += w * one->rows[i].value;
        *variance += w * w * one->rows[i].value;
    }
    return sum;
}

nep_status nep_literature_make(nep_ctx *ctx, nep_tables_one *one, int64_t n_pairs)
{
    const int64_t now = reference(one);
    int64_t later = 0;
    for (int64_t i = 0; i < one->n_rows; i++)
        later += one->rows[i].year > now;
    if (later)
        nep_warn(ctx, "%s: %lld rows are later than the reference year %lld and count nothing", one->path, (long long)later, (long long)now);
    for (int64_t p = 0; p < n_pairs; p++) {
        double variance;
        if (one->start[p] == one->start[p + 1])
            continue;
        const double sum = total(one, p, now, &variance);
        one->value[p] = log1p(sum);
        one->se[p] = sqrt(variance) / (1 + sum);
    }
    return NEP_OK;
}

static nep_status score(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, uint64_t stream, double *value, double *se)
{
    (void)ctx;
    nep_tables_score(in, NEP_TABLES_LITERATURE, visible->disorder, stream, value, se);
    return NEP_OK;
}

/* Each year's part of log(1 + S) in proportion to its part of S. */
static nep_status explain(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, int64_t drug, int limit, nep_reason *out, int *n)
{
    const nep_tables_one *one = nep_tables_get(in, NEP_TABLES_LITERATURE);
    const int64_t p = visible->disorder * in->n_drugs + drug, now = reference(one);
    double variance;
    (void)ctx;
    const double sum = total(one, p, now, &variance);
    for (int64_t i = one->start[p]; sum > 0 && i < one->start[p + 1]; i++) {
        const nep_tables_row *row = &one->rows[i];
        const double w = weight(one, row->year, now);
        nep_reason r;
        nep_tables_reason(row, one->value[p] * w * row->value / sum, &r, "%.0f papers of %lld, weight %.2f", row->value, (long long)row->year, w);
        nep_tables_keep_reason(&r, limit, out, n);
    }
    return NEP_OK;
}

const nep_channel nep_literature_channel = {
    .name = "literature",
    .summary = "log(1 + sum over years of papers 2^(-(reference - year) / half-life)); half-life 5 years unless the study says otherwise, "
               "reference year that of the study or the table's latest",
    .source = "half-life 5 years is an assumption; Poisson error of counts by the delta method",
    .orientation = "larger is more written about, and more of it lately; it says nothing of what was found",
    .licence = "that of each row of the evidence table",
    .role = NEP_ROLE_VOTE,
    .needs = NEP_NEEDS_TABLE,
    .uses_labels = false,
    .score = score,
    .explain = explain,
};
