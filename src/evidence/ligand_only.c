/* SPDX-License-Identifier: Apache-2.0 */
/* ligand_only.c - BASELINE: what engagement knows, without the image: does the drug bind as the indicated drugs do? */
#include "channels.h"

#include <math.h>

/* Rows of `a` to unit length; a row without an entry stays zero. */
static void normalise(double *a, int64_t n, int64_t p)
{
    for (int64_t k = 0; k < n; k++) {
        double norm = 0;
        for (int64_t m = 0; m < p; m++)
            norm += a[k * p + m] * a[k * p + m];
        for (int64_t m = 0; m < p && norm > 0; m++)
            a[k * p + m] /= sqrt(norm);
    }
}

static double cosine(const double *x, const double *y, int64_t p)
{
    double sum = 0;
    for (int64_t m = 0; m < p; m++)
        sum += x[m] * y[m];
    return sum;
}

static bool covered(const nep_inputs *in, int64_t k)
{
    return (in->coverage ? (nep_coverage)in->coverage[k] : nep_engagement_coverage(in, k, NULL)) == NEP_COVERAGE_OK;
}

static nep_status score(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, uint64_t stream, double *value,
                        double *se)
{
    const int64_t n = in->n_drugs, p = in->n_mapped;
    double *a = NULL;
    int64_t *list = NULL, n_list = 0;
    nep_status st;

    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n * p, sizeof *a, "ligand_only: occupancy profiles", &a));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *list, "ligand_only: indicated drugs", &list));
    const int64_t n_indicated = nep_visible_list(in, visible, stream, list);
    for (int64_t l = 0; l < n_indicated; l++)
        if (covered(in, list[l]))
            list[n_list++] = list[l];
    NEP_TRY_OR_DONE(st, nep_engagement_weights(ctx, in, stream, a));
    normalise(a, n, p);
    for (int64_t k = 0; k < n; k++) {
        double sum = 0, squares = 0;
        int64_t others = 0;
        const bool known = covered(in, k);
        for (int64_t l = 0; known && l < n_list; l++) {
            if (nep_visible_hides(visible, k, list[l]))
                continue;
            const double c = cosine(a + k * p, a + list[l] * p, p);
            sum += c;
            squares += c * c;
            others++;
        }
        value[k] = others ? sum / (double)others : NAN;
        const double var = others > 1 ? (squares - sum * sum / (double)others) / (double)(others - 1) : NAN;
        se[k] = others > 1 ? sqrt((var > 0 ? var : 0) / (double)others) : NAN;
    }
done:
    nep_alloc_free(list);
    nep_alloc_free(a);
    return st;
}

const nep_channel nep_ligand_only_channel = {
    .name = "ligand_only",
    .summary = "mean cosine of the drug's occupancy profile to those of the other visible indicated drugs, on the same targets "
               "and drugs as engagement, without any image",
    .source = "target-profile baseline; standard error of the mean",
    .orientation = "larger binds more like the recorded treatments",
    .licence = "that of the affinity and label tables of the study",
    .role = NEP_ROLE_BASELINE,
    .needs = NEP_NEEDS_MAP | NEP_NEEDS_AFFINITY | NEP_NEEDS_LABELS,
    .uses_labels = true,
    .masks = true,
    .score = score,
};
