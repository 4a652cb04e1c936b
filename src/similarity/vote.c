/* SPDX-License-Identifier: Apache-2.0 */
/* vote - whether the diagnoses of neighbours tell anything, against labels permuted and beside the confounds alone. */
#include <math.h>
#include <omp.h>
#include <stdlib.h>

#include "core/order.h"
#include "similarity/vote_parts.h"

static const double tie = 1e-10, level = 0.05;

/* One data set: the features, or the confounds alone. */
typedef struct {
    const nep_cases_near *near;
    double value[2]; /* balanced accuracy, area */
    double *share;   /* [n, n_classes] observed */
    nep_vote_item *sorted; /* [n_classes, n] observed */
    double *null[2]; /* [n_perm] of both */
    double *boot[2]; /* [n_boot] */
} side;

typedef struct {
    nep_vote_shape s;
    int64_t k;
    const int32_t *label;
    const nep_vote_opts *o;
    uint64_t seed;
    int64_t *member;      /* [n] subjects by block */
    int64_t *block_start; /* [n_blocks + 1] */
    int64_t n_blocks, widest;
} job;

/* Scratch of one thread. */
typedef struct {
    int32_t *label, *order;
    nep_vote_draw draw;
    double *swapped; /* the prior with right for wrong */
    double *share;
    nep_vote_item *sorted;
} bench;

static void permute(const job *j, int64_t t, int32_t *order, int32_t *out)
{
    for (int64_t b = 0; b < j->n_blocks; b++) {
        const int64_t *member = j->member + j->block_start[b], m = j->block_start[b + 1] - j->block_start[b];
        nep_philox_permutation(j->seed, (uint64_t)(t * j->n_blocks + b), m, order);
        for (int64_t i = 0; i < m; i++)
            out[member[i]] = j->label[member[order[i]]];
    }
}

static void measure(const job *j, const nep_cases_near *near, const int32_t *label, double *share, nep_vote_item *sorted, double out[2])
{
    nep_vote_shares(near, j->k, label, j->s.n_classes, share);
    nep_vote_sort(&j->s, share, sorted);
    out[0] = nep_vote_balanced(&j->s, share, label, NULL);
    out[1] = nep_vote_area(&j->s, sorted, label, NULL);
}

static void one_permutation(const job *j, const side *sides, int n_sides, int64_t t, bench *b)
{
    double x[2];
    permute(j, t, b->order, b->label);
    for (int q = 0; q < n_sides; q++) {
        measure(j, sides[q].near, b->label, b->share, b->sorted, x);
        sides[q].null[0][t] = x[0];
        sides[q].null[1][t] = x[1];
    }
}

/* Subjects reweighted: the Bayesian bootstrap, with Jeffreys' prior of half a right and half a wrong answer per class, without which a class that is right throughout would seem to be so for certain. Weights are Gamma(1), the prior's Gamma(1/2). What
 * is right of the prior by the features is wrong by the confounds, so that their difference has a prior as well. */
static void one_redraw(const job *j, const side *sides, int n_sides, int64_t t, bench *b)
{
    const uint64_t stream = UINT64_MAX - 2 * (uint64_t)t;
    for (int64_t i = 0; i < j->s.n; i++)
        b->draw.weight[i] = -log(nep_philox_uniform(j->seed, stream, (uint64_t)i));
    for (int64_t c = 0; c < 2 * (int64_t)j->s.n_classes; c++) {
        const double z = nep_philox_normal(j->seed, stream - 1, (uint64_t)c);
        b->draw.prior[c] = b->swapped[c ^ 1] = z * z / 2;
    }
    for (int q = 0; q < n_sides; q++) {
        const nep_vote_draw draw = {b->draw.weight, q == 0 ? b->draw.prior : b->swapped};
        sides[q].boot[0][t] = nep_vote_balanced(&j->s, sides[q].share, j->label, &draw);
        sides[q].boot[1][t] = nep_vote_area(&j->s, sides[q].sorted, j->label, &draw);
    }
}

static void close_bench(bench *b, int threads)
{
    for (int t = 0; b && t < threads; t++) {
        nep_alloc_free(b[t].label);
        nep_alloc_free(b[t].order);
        nep_alloc_free(b[t].draw.weight);
        nep_alloc_free(b[t].draw.prior);
        nep_alloc_free(b[t].swapped);
        nep_alloc_free(b[t].share);
        nep_alloc_free(b[t].sorted);
    }
    nep_alloc_free(b);
}

static nep_status open_bench(nep_ctx *ctx, const job *j, int threads, bench **out)
{
    static const char what[] = "nearest cases: permuted labels";
    bench *b = NULL;
    nep_status st;
    NEP_TRY(nep_alloc(ctx, threads, sizeof *b, what, &b));
    for (int t = 0; t < threads; t++) {
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, j->s.n, sizeof *b->label, what, &b[t].label));
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, j->widest, sizeof *b->order, what, &b[t].order));
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, j->s.n, sizeof *b->draw.weight, what, &b[t].draw.weight));
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, 2 * (int64_t)j->s.n_classes, sizeof *b->draw.prior, what, &b[t].draw.prior));
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, 2 * (int64_t)j->s.n_classes, sizeof *b->swapped, what, &b[t].swapped));
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, j->s.n * j->s.n_classes, sizeof *b->share, what, &b[t].share));
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, j->s.n * j->s.n_classes, sizeof *b->sorted, what, &b[t].sorted));
    }
    *out = b;
    return NEP_OK;
done:
    close_bench(b, threads);
    return st;
}

static nep_status resample(nep_ctx *ctx, const job *j, const side *sides, int n_sides)
{
    enum { TILE = 64 };
    const int threads = nep_ctx_threads(ctx);
    const int64_t n = j->o->n_perm + j->o->n_boot;
    bench *b = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, open_bench(ctx, j, threads, &b));
    nep_progress_open(ctx, "permuted diagnoses", n);
    for (int64_t tile = 0; tile < n; tile += TILE) {
        const int64_t to = tile + TILE < n ? tile + TILE : n;
        NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
#pragma omp parallel for schedule(dynamic) num_threads(threads)
        for (int64_t t = tile; t < to; t++) {
            bench *mine = &b[omp_get_thread_num()];
            if (t < j->o->n_perm)
                one_permutation(j, sides, n_sides, t, mine);
            else
                one_redraw(j, sides, n_sides, t - j->o->n_perm, mine);
        }
        nep_progress_step(ctx, to);
    }
    nep_progress_close(ctx);
done:
    close_bench(b, threads);
    return st;
}

/* ---- the check ---- */

static nep_status group_by(nep_ctx *ctx, const int32_t *of, int64_t n, int64_t groups, int64_t **member, int64_t **start)
{
    int64_t *next = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof **member, "nearest cases: blocks", member));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, groups + 1, sizeof **start, "nearest cases: blocks", start));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, groups, sizeof *next, "nearest cases: blocks", &next));
    for (int64_t i = 0; i < n; i++)
        (*start)[(of ? of[i] : 0) + 1]++;
    for (int64_t g = 0; g < groups; g++) {
        (*start)[g + 1] += (*start)[g];
        next[g] = (*start)[g];
    }
    for (int64_t i = 0; i < n; i++)
        (*member)[next[of ? of[i] : 0]++] = i;
done:
    nep_alloc_free(next);
    return st;
}

static nep_status open_job(nep_ctx *ctx, job *j)
{
    int64_t blocks = 1;
    for (int64_t i = 0; j->o->block && i < j->s.n; i++)
        blocks = j->o->block[i] >= blocks ? j->o->block[i] + 1 : blocks;
    j->n_blocks = blocks;
    NEP_TRY(group_by(ctx, j->o->block, j->s.n, blocks, &j->member, &j->block_start));
    for (int64_t b = 0; b < blocks; b++)
        if (j->block_start[b + 1] - j->block_start[b] > j->widest)
            j->widest = j->block_start[b + 1] - j->block_start[b];
    return NEP_OK;
}

static nep_status open_side(nep_ctx *ctx, const job *j, const nep_cases_near *near, side *out)
{
    static const char what[] = "nearest cases: shares";
    out->near = near;
    NEP_TRY(nep_alloc(ctx, j->s.n * j->s.n_classes, sizeof *out->share, what, &out->share));
    NEP_TRY(nep_alloc(ctx, j->s.n * j->s.n_classes, sizeof *out->sorted, what, &out->sorted));
    for (int m = 0; m < 2; m++) {
        NEP_TRY(nep_alloc(ctx, j->o->n_perm, sizeof *out->null[m], what, &out->null[m]));
        NEP_TRY(nep_alloc(ctx, j->o->n_boot, sizeof *out->boot[m], what, &out->boot[m]));
    }
    measure(j, near, j->label, out->share, out->sorted, out->value);
    return NEP_OK;
}

static void close_side(side *x)
{
    nep_alloc_free(x->share);
    nep_alloc_free(x->sorted);
    for (int m = 0; m < 2; m++) {
        nep_alloc_free(x->null[m]);
        nep_alloc_free(x->boot[m]);
    }
}

/* Sorts x and gives its linear quantiles at 5 and 95 %. */
static void interval(double *x, int64_t n, double *low, double *high)
{
    *low = *high = (double)NAN;
    if (n < 1)
        return;
    qsort(x, (size_t)n, sizeof *x, nep_order_ascending);
    for (int end = 0; end < 2; end++) {
        const double at = (end ? 1 - level : level) * (double)(n - 1);
        const int64_t i = (int64_t)at;
        const double v = x[i] + (at - (double)i) * ((i + 1 < n ? x[i + 1] : x[i]) - x[i]);
        *(end ? high : low) = v;
    }
}

/* Sorts the null. The least value with p <= 0.05 lies just above the null's m-th largest, m the most that may reach it. */
static nep_vote_measure summarise(side *x, int m, int64_t n_perm, int64_t n_boot)
{
    nep_vote_measure r = {.value = x->value[m], .p = (double)NAN, .null_mean = (double)NAN, .null_95 = (double)NAN};
    int64_t reach = 0;
    interval(x->boot[m], n_boot, &r.low, &r.high);
    if (n_perm < 1)
        return r;
    r.null_mean = 0;
    for (int64_t t = 0; t < n_perm; t++) {
        reach += x->null[m][t] >= x->value[m] * (1 - tie);
        r.null_mean += x->null[m][t] / (double)n_perm;
    }
    r.p = (double)(1 + reach) / (double)(1 + n_perm);
    qsort(x->null[m], (size_t)n_perm, sizeof *x->null[m], nep_order_ascending);
    const int64_t may = (int64_t)floor(level * (double)(1 + n_perm) * (1 + tie)) - 1;
    if (may >= 0 && may < n_perm)
        r.null_95 = x->null[m][n_perm - 1 - may];
    return r;
}

static nep_vote_verdict judge(const nep_vote_result *r, const nep_vote_opts *o, bool baseline)
{
    if (o->n_perm < 1 || o->n_boot < 1)
        return NEP_VOTE_UNCHECKED;
    if (!(r->balanced.p <= level && r->balanced.low > r->balanced.null_mean))
        return NEP_VOTE_NO_SIGNAL;
    return baseline && !o->adjusted && !(r->more_low > 0) ? NEP_VOTE_CONFOUNDS : NEP_VOTE_SIGNAL;
}

/* Classes with enough subjects; result has how many and of how many subjects. */
static nep_status choose_classes(nep_ctx *ctx, const job *j, bool *counts, nep_vote_result *r)
{
    for (int64_t i = 0; i < j->s.n; i++)
        NEP_REQUIRE(ctx, j->label[i] >= 0 && j->label[i] < j->s.n_classes && (!j->o->block || j->o->block[i] >= 0), NEP_E_ARG,
                    "nearest cases: subject %lld has no valid class or block", (long long)i + 1);
    for (int32_t c = 0; c < j->s.n_classes; c++) {
        int64_t m = 0;
        for (int64_t i = 0; i < j->s.n; i++)
            m += j->label[i] == c;
        counts[c] = m >= (j->o->least > 1 ? j->o->least : 1);
        r->n_classes += counts[c];
        r->n += counts[c] ? m : 0;
    }
    return NEP_OK;
}

static nep_vote_result unchecked(void)
{
    const double x = (double)NAN;
    const nep_vote_measure none = {x, x, x, x, x, x};
    return (nep_vote_result){0, 0, none, none, none, none, x, x, x, NEP_VOTE_UNCHECKED};
}

/* difference: room for n_boot. */
static void fill(const job *j, side *sides, int n_sides, double *difference, nep_vote_result *r)
{
    const int64_t n_perm = j->o->n_perm, n_boot = j->o->n_boot;
    if (n_sides == 2) {
            r->more = sides[0].value[0] - sides[1].value[0];
        for (int64_t t = 0; t < n_boot; t++)
            difference[t] = sides[0].boot[0][t] - sides[1].boot[0][t];
        interval(difference, n_boot, &r->more_low, &r->more_high);
        r->baseline = summarise(&sides[1], 0, n_perm, n_boot);
        r->baseline_auroc = summarise(&sides[1], 1, n_perm, n_boot);
    }
    r->balanced = summarise(&sides[0], 0, n_perm, n_boot);
    r->auroc = summarise(&sides[0], 1, n_perm, n_boot);
    r->verdict = judge(r, j->o, n_sides == 2);
}

nep_status nep_vote_check(nep_ctx *ctx, const nep_cases_near *near, const nep_cases_near *baseline, int64_t k, const int32_t *label,
                          int64_t n, int32_t n_classes, const nep_vote_opts *opts, nep_vote_result *out)
{
    const nep_vote_opts defaults = NEP_VOTE_DEFAULTS, *o = opts ? opts : &defaults;
    nep_vote_result r = unchecked();
    bool *counts = NULL;
    double *difference = NULL;
    side sides[2] = {0};
    const int n_sides = baseline ? 2 : 1;
    job j = {.k = k, .label = label, .o = o, .seed = nep_ctx_seed(ctx), .s = {n, n_classes, NULL}};
    nep_status st;
    NEP_REQUIRE(ctx, k >= 1 && n >= 1 && n_classes >= 1 && o->n_perm >= 0 && o->n_boot >= 0 && near->n == n && (!baseline || baseline->n == n),
                NEP_E_ARG, "nearest cases: the check needs k, a class, and neighbours of each of the %lld subjects", (long long)n);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_classes, sizeof *counts, "nearest cases: classes", &counts));
    NEP_TRY_OR_DONE(st, choose_classes(ctx, &j, counts, &r));
    j.s.counts = counts;
    if (r.n_classes >= 2) {
        NEP_TRY_OR_DONE(st, open_job(ctx, &j));
        NEP_TRY_OR_DONE(st, open_side(ctx, &j, near, &sides[0]));
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, o->n_boot, sizeof *difference, "nearest cases: intervals", &difference));
        if (baseline)
            NEP_TRY_OR_DONE(st, open_side(ctx, &j, baseline, &sides[1]));
        NEP_TRY_OR_DONE(st, resample(ctx, &j, sides, n_sides));
        fill(&j, sides, n_sides, difference, &r);
    }
    *out = r;
done:
    for (int q = 0; q < 2; q++)
        close_side(&sides[q]);
    nep_alloc_free(difference);
    nep_alloc_free(j.member);
    nep_alloc_free(j.block_start);
    nep_alloc_free(counts);
    return st;
}
