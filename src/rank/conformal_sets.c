/* SPDX-License-Identifier: Apache-2.0 */
/* conformal_sets.c - per disorder, the set of drugs that should hold 90 % of its treatments, and whether it held the recorded ones.
 *
 * What is ranked within the disorder is compared, since the level of a disorder that was never seen cannot be known. A disorder with
 * enough treatments of its own sets its bound by them (each is asked by the others); else the bound is that of a whole new disorder:
 * in 4 of 5 new disorders it should hold 90 % of the treatments. */
#include "rank/ranking.h"
#include "rank/sample.h"

#include <nepenthe/model.h>

#include <math.h>

static const double content = 0.9, level = 0.8;

/* Strangeness of every drug: its mid-rank from the top, as a share of the drugs that count. */
static nep_status strangeness(nep_ctx *ctx, const double *logit, const signed char *pos, int64_t n, double *out)
{
    double *score = NULL;
    NEP_TRY(nep_alloc(ctx, n, sizeof *score, "conformal: scores", &score));
    for (int64_t k = 0; k < n; k++)
        score[k] = pos[k] == SAMPLE_LEFT_OUT ? NAN : logit[k];
    const nep_status st = nep_aggregation_ranks(ctx, score, n, out);
    nep_alloc_free(score);
    return st;
}

/* Bound that the disorder's own treatments set, treatment `without` (-1: none) left out: the largest but a tenth. */
static double own_bound(const double *alpha, const signed char *pos, int64_t n, int64_t without, double *scratch)
{
    int64_t m = 0;
    for (int64_t k = 0; k < n; k++)
        if (pos[k] == 1 && k != without && !isnan(alpha[k]))
            scratch[m++] = alpha[k];
    m = rank_sample_sort(scratch, m);
    const int64_t at = (int64_t)ceil(content * (double)(m + 1)) - 1;
    return at >= m ? INFINITY : scratch[at];
}

static nep_status bound_of_others(nep_ctx *ctx, const double *alpha, const signed char *pos, int64_t d, int64_t n, int64_t j, double *bound)
{
    double *list = NULL;
    int32_t *group = NULL;
    int64_t m = 0;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d * n, sizeof *list, "conformal: treatments", &list));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d * n, sizeof *group, "conformal: disorders", &group));
    for (int64_t at = 0; at < d * n; at++)
        if (at / n != j && pos[at] == 1 && !isnan(alpha[at])) {
            list[m] = alpha[at];
            group[m++] = (int32_t)(at / n);
        }
    st = nep_conformal_threshold(ctx, list, group, m, d, content, level, bound, NULL);
done:
    nep_alloc_free(group);
    nep_alloc_free(list);
    return st;
}

nep_status rank_conformal_sets(nep_ctx *ctx, const double *logit, const signed char *pos, int64_t d, int64_t n, bool own_visible, nep_evaluation *e)
{
    double *alpha = NULL, *scratch = NULL, coverage = 0, size = 0;
    int64_t counted = 0;
    nep_status st;

    e->conformal_level = content;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d * n, sizeof *alpha, "conformal: ranks", &alpha));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *scratch, "conformal: scratch", &scratch));
    for (int64_t j = 0; j < d; j++)
        NEP_TRY_OR_DONE(st, strangeness(ctx, logit + j * n, pos + j * n, n, alpha + j * n));
    for (int64_t j = 0; j < d; j++) {
        nep_conformal_set *s = &e->conformal[j];
        const double *a = alpha + j * n;
        double bound;
        int64_t kept = 0, all = 0;
        *s = (nep_conformal_set){.coverage = NAN, .low = NAN, .high = NAN, .size = NAN};
        for (int64_t k = 0; k < n; k++)
            s->n_pos += pos[j * n + k] == 1;
        if (s->n_pos == 0)
            continue;
        s->own = own_visible && s->n_pos >= NEP_CONFORMAL_MIN_OWN;
        NEP_TRY_OR_DONE(st, bound_of_others(ctx, alpha, pos, d, n, j, &bound));
        if (s->own)
            bound = own_bound(a, pos + j * n, n, -1, scratch);
        for (int64_t k = 0; k < n; k++) {
            all += !isnan(a[k]);
            kept += a[k] <= bound;
            if (pos[j * n + k] == 1)
                s->covered += a[k] <= (s->own ? own_bound(a, pos + j * n, n, k, scratch) : bound);
        }
        s->coverage = (double)s->covered / (double)s->n_pos;
        s->size = (double)kept / (double)all;
        nep_binomial_interval(s->covered, s->n_pos, 0.95, &s->low, &s->high);
        e->conformal_failing += s->high < content;
        if (!(s->coverage >= e->conformal_min))
            e->conformal_min = s->coverage;
        coverage += s->coverage;
        size += s->size;
        counted++;
    }
    if (counted) {
        e->conformal_coverage = coverage / (double)counted;
        e->conformal_size = size / (double)counted;
    }
done:
    nep_alloc_free(scratch);
    nep_alloc_free(alpha);
    return st;
}
