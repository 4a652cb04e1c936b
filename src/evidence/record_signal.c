/* SPDX-License-Identifier: Apache-2.0 */
/* record_signal.c - VOTE: estimates from records of patients, drawn towards their mean by as much as they are uncertain. */
#include "channels.h"
#include "tables_make.h"

#include <math.h>
#include <stdio.h>

/* Inverse-variance mean of a pair's rows; *n_rows 0 = none. */
static double pool(const nep_tables_one *one, int64_t p, double *variance)
{
    double sum = 0, weights = 0;
    for (int64_t i = one->start[p]; i < one->start[p + 1]; i++) {
        const double w = 1 / (one->rows[i].se * one->rows[i].se);
        sum += w * one->rows[i].value;
        weights += w;
    }
    *variance = 1 / weights;
    return sum / weights;
}

typedef struct {
    int64_t n;
    double mean, spread2, mean_variance; /* spread2 = tau^2 */
} normal_prior;

/* tau^2 by DerSimonian and Laird's moments over the pairs [first, last), then the mean of the estimates under it. */
static normal_prior estimate(const nep_tables_one *one, int64_t first, int64_t last)
{
    normal_prior e = {.mean = NAN, .spread2 = NAN, .mean_variance = NAN};
    double w1 = 0, w2 = 0, wy = 0, q = 0, sum = 0, weights = 0, v;
    for (int64_t p = first; p < last; p++)
        if (one->start[p + 1] > one->start[p]) {
            const double y = pool(one, p, &v);
            w1 += 1 / v;
            w2 += 1 / (v * v);
            wy += y / v;
            e.n++;
        }
    if (e.n < NEP_TABLES_FEW)
        return e;
    for (int64_t p = first; p < last; p++)
        if (one->start[p + 1] > one->start[p]) {
            const double y = pool(one, p, &v);
            q += (y - wy / w1) * (y - wy / w1) / v;
        }
    const double tau2 = (q - (double)(e.n - 1)) / (w1 - w2 / w1);
    e.spread2 = tau2 > 0 ? tau2 : 0;
    for (int64_t p = first; p < last; p++)
        if (one->start[p + 1] > one->start[p]) {
            const double y = pool(one, p, &v);
            sum += y / (v + e.spread2);
            weights += 1 / (v + e.spread2);
        }
    e.mean = sum / weights;
    e.mean_variance = 1 / weights;
    return e;
}

/* The prior of a disorder: its own estimates, all estimates where it has too few, none where there are too few in all. */
static normal_prior prior_of(const nep_tables_one *one, int64_t disorder, int64_t n_disorders, int64_t n_drugs)
{
    const normal_prior own = estimate(one, disorder * n_drugs, (disorder + 1) * n_drugs);
    return own.n >= NEP_TABLES_FEW ? own : estimate(one, 0, n_disorders * n_drugs);
}

nep_status nep_record_signal_make(nep_ctx *ctx, nep_tables_one *one, int64_t n_disorders, int64_t n_drugs)
{
    (void)ctx;
    for (int64_t j = 0; j < n_disorders; j++) {
        const normal_prior e = prior_of(one, j, n_disorders, n_drugs);
        for (int64_t p = j * n_drugs; p < (j + 1) * n_drugs; p++) {
            double v;
            if (one->start[p + 1] == one->start[p])
                continue;
            const double y = pool(one, p, &v), drawn = e.n < NEP_TABLES_FEW ? 0 : v / (v + e.spread2);
            one->value[p] = drawn > 0 ? drawn * e.mean + (1 - drawn) * y : y;
            one->se[p] = sqrt((1 - drawn) * v + (drawn > 0 ? drawn * drawn * e.mean_variance : 0));
        }
    }
    return NEP_OK;
}

static nep_status score(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, uint64_t stream, double *value, double *se)
{
    (void)ctx;
    nep_tables_score(in, NEP_TABLES_RECORDS, visible->disorder, stream, value, se);
    return NEP_OK;
}

static nep_status explain(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, int64_t drug, int limit, nep_reason *out, int *n)
{
    const nep_tables_one *one = nep_tables_get(in, NEP_TABLES_RECORDS);
    const int64_t p = visible->disorder * in->n_drugs + drug;
    const normal_prior e = prior_of(one, visible->disorder, in->tables->n_disorders, in->n_drugs);
    nep_reason r;
    double v;
    (void)ctx;
    if (one->start[p + 1] == one->start[p])
        return NEP_OK;
    pool(one, p, &v);
    const double drawn = e.n < NEP_TABLES_FEW ? 0 : v / (v + e.spread2);
    for (int64_t i = one->start[p]; i < one->start[p + 1]; i++) {
        const nep_tables_row *row = &one->rows[i];
        nep_tables_reason(row, (1 - drawn) * row->value * v / (row->se * row->se), &r, "estimate %.3g, se %.2g", row->value, row->se);
        nep_tables_keep_reason(&r, limit, out, n);
    }
    if (drawn > 0) {
        r = (nep_reason){.label = "shrinkage", .share = drawn * e.mean};
        snprintf(r.detail, sizeof r.detail, "drawn %.0f %% of the way to the mean %.3g of %lld estimates", 100 * drawn, e.mean, (long long)e.n);
        nep_tables_keep_reason(&r, limit, out, n);
    }
    return NEP_OK;
}

const nep_channel nep_record_signal_channel = {
    .name = "record_signal",
    .summary = "estimate from patients' records (larger speaks for the drug), rows of a pair pooled by inverse variance, then shrunk by a "
               "normal prior whose mean and variance are those of the disorder's estimates (of all, below 5)",
    .source = "DerSimonian & Laird (1986) Control Clin Trials 7:177, doi:10.1016/0197-2456(86)90046-2; Efron & Morris (1975) J Am Stat Assoc "
              "70:311, doi:10.1080/01621459.1975.10479864",
    .orientation = "larger is the better course on the drug; the table's value is given so",
    .licence = "that of each row of the evidence table",
    .role = NEP_ROLE_VOTE,
    .needs = NEP_NEEDS_TABLE,
    .uses_labels = false,
    .score = score,
    .explain = explain,
};
