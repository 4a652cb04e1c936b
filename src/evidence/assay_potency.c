/* SPDX-License-Identifier: Apache-2.0 */
/* assay_potency.c - VOTE: how potent is the drug in assays that stand for the disorder? */
#include "channels.h"
#include "tables_make.h"

#include <math.h>

/* Expected potency above the least that counts: hit (value - 4), 0 for one tested without effect. Its variance is that of a potency
 * with its error under a hit that is there with probability `hit`. */
static double expected(const nep_tables_row *r, double *variance)
{
    const double hit = isnan(r->hit) ? 1 : r->hit, se = isnan(r->se) ? NEP_TABLES_POTENCY_SE : r->se;
    const double above = r->value > NEP_TABLES_POTENCY ? r->value - NEP_TABLES_POTENCY : 0; /* NaN is not above */
    *variance = hit * (se * se + (1 - hit) * above * above);
    return hit * above;
}

static double measurements(const nep_tables_row *r)
{
    return isnan(r->n) || r->n <= 0 ? 1 : r->n;
}

nep_status nep_assay_potency_make(nep_ctx *ctx, nep_tables_one *one, int64_t n_pairs)
{
    (void)ctx;
    for (int64_t p = 0; p < n_pairs; p++) {
        double sum = 0, variance = 0, weights = 0, v;
        for (int64_t i = one->start[p]; i < one->start[p + 1]; i++) {
            const double n = measurements(&one->rows[i]);
            sum += n * expected(&one->rows[i], &v);
            variance += n * n * v;
            weights += n;
        }
        if (!(weights > 0))
            continue;
        one->value[p] = sum / weights;
        one->se[p] = sqrt(variance) / weights;
    }
    return NEP_OK;
}

static nep_status score(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, uint64_t stream, double *value, double *se)
{
    (void)ctx;
    nep_tables_score(in, NEP_TABLES_ASSAY, visible->disorder, stream, value, se);
    return NEP_OK;
}

static nep_status explain(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, int64_t drug, int limit, nep_reason *out, int *n)
{
    const nep_tables_one *one = nep_tables_get(in, NEP_TABLES_ASSAY);
    const int64_t p = visible->disorder * in->n_drugs + drug;
    double weights = 0, v;
    (void)ctx;
    for (int64_t i = one->start[p]; i < one->start[p + 1]; i++)
        weights += measurements(&one->rows[i]);
    for (int64_t i = one->start[p]; i < one->start[p + 1]; i++) {
        const nep_tables_row *row = &one->rows[i];
        const double share = measurements(row) * expected(row, &v) / weights;
        nep_reason r;
        if (isnan(row->value))
            nep_tables_reason(row, share, &r, "tested without effect%s%.60s", row->note ? ": " : "", row->note ? row->note : "");
        else
            nep_tables_reason(row, share, &r, "-log10 M %.2f, hit %.2f%s%.60s", row->value, isnan(row->hit) ? 1 : row->hit, row->note ? ": " : "",
                              row->note ? row->note : "");
        nep_tables_keep_reason(&r, limit, out, n);
    }
    return NEP_OK;
}

const nep_channel nep_assay_potency_channel = {
    .name = "assay_potency",
    .summary = "mean over assays, weighted by their measurements, of hit (-log10 M - 4) where that is above 0: tenfold steps of potency below "
               "100 uM, 0 when tested without effect",
    .source = "definition of this program; hit call in [0, 1] as of tcplfit2 (Sheffield et al. 2022, doi:10.1093/bioinformatics/btab779); "
              "0.3 log units where a potency has no error",
    .orientation = "larger is more potent in assays of the disorder",
    .licence = "that of each row of the evidence table",
    .role = NEP_ROLE_VOTE,
    .needs = NEP_NEEDS_TABLE,
    .uses_labels = false,
    .score = score,
    .explain = explain,
};
