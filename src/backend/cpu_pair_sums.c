/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_pair_sums - CPU twin of kernels/pair_sums.cu: tiles of the upper triangle by float32 GEMM, each reduced to sums of its rows
 * and columns while it is in cache. The matrix is never there. */
#include "backend/cpu.h"

#include <cblas.h>
#include <math.h>
#include <omp.h>
#include <string.h>

#include <nepenthe/math/lanes.h>
#include <nepenthe/math/pair.h>

enum { SIDE = 256 };

typedef struct {
    const float *z;
    int64_t n, n_t;
    double threshold;
    float low, high; /* float32 products in (low, high] may lie on either side of the threshold */
    float sign;      /* -1: |r| counts; 1: r */
    float fisher_scale;
} problem;

/* Of one tile: index < SIDE its rows, then its columns. */
typedef struct {
    int32_t count[2 * SIDE];
    double weighted[2 * SIDE], fisher[2 * SIDE];
} sums;

typedef struct {
    int64_t i0, j0, ni, nj;
    const float *r; /* [ni, nj] */
} tile;

/* ---- one chunk of a row: m products from column c on ------------------------------------------------------------ */
NEP_CPU_BODY void degree_chunk(const problem *p, const float *r, int64_t m, int32_t *near, int32_t *restrict lane_count,
                               double *restrict lane, int32_t *restrict count, double *restrict weighted)
{
    int32_t close = 0;
    for (int64_t l = 0; l < m; l++) {
        const float back = r[l] * p->sign, v = r[l] > back ? r[l] : back;
        const int32_t over = v > p->high, maybe = v > p->low;
        const double w = over ? (double)v : 0.0;
        close += maybe - over;
        lane_count[l] += over;
        count[l] += over;
        lane[l] += w;
        weighted[l] += w;
    }
    *near += close;
}

/* The pairs of a row that float32 leaves open. */
static void settle(const problem *p, const tile *k, int64_t a, int64_t first, sums *s)
{
    for (int64_t b = first; b < k->nj; b++) {
        const float r = k->r[a * k->nj + b], v = fmaxf(r, r * p->sign);
        if (!(v > p->low) || v > p->high)
            continue;
        const double exact = nep_pair_product(p->z + (k->i0 + a) * p->n_t, p->z + (k->j0 + b) * p->n_t, p->n_t);
        if ((p->sign < 0 ? fabs(exact) : exact) > p->threshold) {
            s->count[a]++;
            s->count[SIDE + b]++;
            s->weighted[a] += (double)v;
            s->weighted[SIDE + b] += (double)v;
        }
    }
}

NEP_CPU_BODY void degree_body(const problem *p, const tile *k, sums *s)
{
    for (int64_t a = 0; a < k->ni; a++) {
        const int64_t first = k->i0 == k->j0 ? a + 1 : 0;
        const float *r = k->r + a * k->nj;
        int32_t near = 0, lane_count[NEP_LANES] = {0};
        double lane[NEP_LANES] = {0};
        int64_t b = first;
        for (; b + NEP_LANES <= k->nj; b += NEP_LANES)
            degree_chunk(p, r + b, NEP_LANES, &near, lane_count, lane, s->count + SIDE + b, s->weighted + SIDE + b);
        degree_chunk(p, r + b, k->nj - b, &near, lane_count, lane, s->count + SIDE + b, s->weighted + SIDE + b);
        for (int l = 0; l < NEP_LANES; l++)
            s->count[a] += lane_count[l];
        s->weighted[a] += nep_lanes_fold(lane);
        if (near > 0)
            settle(p, k, a, first, s);
    }
}

NEP_CPU_BODY void fisher_chunk(const problem *p, const float *r, int64_t m, double *restrict lane, double *restrict fisher)
{
    for (int64_t l = 0; l < m; l++) {
        const double z = (double)nep_pair_fisher(r[l], p->fisher_scale);
        lane[l] += z;
        fisher[l] += z;
    }
}

NEP_CPU_BODY void fisher_body(const problem *p, const tile *k, sums *s)
{
    for (int64_t a = 0; a < k->ni; a++) {
        const float *r = k->r + a * k->nj;
        double lane[NEP_LANES] = {0};
        int64_t b = k->i0 == k->j0 ? a + 1 : 0;
        for (; b + NEP_LANES <= k->nj; b += NEP_LANES)
            fisher_chunk(p, r + b, NEP_LANES, lane, s->fisher + SIDE + b);
        fisher_chunk(p, r + b, k->nj - b, lane, s->fisher + SIDE + b);
        s->fisher[a] += nep_lanes_fold(lane);
    }
}

typedef void body(const problem *p, const tile *k, sums *s);

static void degree_scalar(const problem *p, const tile *k, sums *s)
{
    degree_body(p, k, s);
}

NEP_CPU_AVX2_CODE static void degree_avx2(const problem *p, const tile *k, sums *s)
{
    degree_body(p, k, s);
}

NEP_CPU_AVX512_CODE static void degree_avx512(const problem *p, const tile *k, sums *s)
{
    degree_body(p, k, s);
}

static void fisher_scalar(const problem *p, const tile *k, sums *s)
{
    fisher_body(p, k, s);
}

NEP_CPU_AVX2_CODE static void fisher_avx2(const problem *p, const tile *k, sums *s)
{
    fisher_body(p, k, s);
}

NEP_CPU_AVX512_CODE static void fisher_avx512(const problem *p, const tile *k, sums *s)
{
    fisher_body(p, k, s);
}

static body *choose(bool fisher)
{
    const nep_cpu_family f = nep_cpu_family_get();
    if (f >= NEP_CPU_AVX512)
        return fisher ? fisher_avx512 : degree_avx512;
    if (f >= NEP_CPU_AVX2)
        return fisher ? fisher_avx2 : degree_avx2;
    return fisher ? fisher_scalar : degree_scalar;
}

/* ---- the tiles ---------------------------------------------------------------------------------------------------- */
typedef struct {
    int64_t *count, *weighted, *fisher; /* [n], the last two in quanta; NULL = not asked for */
    double quanta;
} totals;

static void add(int64_t *to, int64_t what)
{
#pragma omp atomic
    *to += what;
}

static void add_side(const totals *all, const sums *s, int64_t from, int64_t first, int64_t n)
{
    for (int64_t a = 0; a < n; a++) {
        if (all->count) {
            add(&all->count[first + a], s->count[from + a]);
            add(&all->weighted[first + a], nep_pair_round(s->weighted[from + a], all->quanta));
        }
        if (all->fisher)
            add(&all->fisher[first + a], nep_pair_round(s->fisher[from + a], all->quanta));
    }
}

static void one_tile(const problem *p, int64_t bi, int64_t bj, float *r, sums *s, const totals *all)
{
    const tile k = {bi * SIDE, bj * SIDE, nep_cpu_min(SIDE, p->n - bi * SIDE), nep_cpu_min(SIDE, p->n - bj * SIDE), r};
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)k.ni, (blasint)k.nj, (blasint)p->n_t, 1.0f, p->z + k.i0 * p->n_t,
                (blasint)p->n_t, p->z + k.j0 * p->n_t, (blasint)p->n_t, 0.0f, r, (blasint)k.nj);
    memset(s, 0, sizeof *s);
    if (all->count)
        choose(false)(p, &k, s);
    if (all->fisher)
        choose(true)(p, &k, s);
    add_side(all, s, 0, k.i0, k.ni);
    add_side(all, s, SIDE, k.j0, k.nj);
}

static void run(const problem *p, int threads, float *r, sums *s, const totals *all)
{
    const int64_t blocks = nep_cpu_tiles(p->n, SIDE);
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (int64_t k = 0; k < blocks * blocks; k++) {
        const int64_t i = k / blocks, j = k % blocks, me = omp_get_thread_num();
        if (j >= i && !nep_ctx_interrupt_signal())
            one_tile(p, i, j, r + me * SIDE * SIDE, s + me, all);
    }
}

static void give(const int64_t *sum, int64_t n, double quanta, double *out)
{
    for (int64_t i = 0; out && i < n; i++)
        out[i] = (double)sum[i] / quanta;
}

nep_status nep_cpu_pair_sums(nep_ctx *ctx, nep_queue *queue, const float *z, int64_t n, int64_t n_t, double threshold, bool two_sided,
                             double fisher_scale, int64_t *count, double *weighted, double *fisher)
{
    (void)queue;
    const int threads = nep_ctx_threads(ctx);
    const double margin = nep_pair_margin(n_t);
    const problem p = {z, n, n_t, threshold, nextafterf((float)(threshold - margin), -INFINITY),
                       nextafterf((float)(threshold + margin), INFINITY), two_sided ? -1.0f : 1.0f, (float)fisher_scale};
    totals all = {.quanta = nep_pair_quanta(n)};
    float *r = NULL;
    sums *s = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, (int64_t)threads * SIDE * SIDE, sizeof *r, "tiles of correlations", &r));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, threads, sizeof *s, "sums of tiles", &s));
    if (count || weighted) {
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *all.count, "degrees", &all.count));
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *all.weighted, "weighted degrees", &all.weighted));
    }
    if (fisher)
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *all.fisher, "sums of z", &all.fisher));
    nep_cpu_blas_single();
    run(&p, threads, r, s, &all);
    NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
    if (count)
        memcpy(count, all.count, (size_t)n * sizeof *count);
    give(all.weighted, n, all.quanta, weighted);
    give(all.fisher, n, all.quanta, fisher);
done:
    nep_alloc_free(all.fisher);
    nep_alloc_free(all.weighted);
    nep_alloc_free(all.count);
    nep_alloc_free(s);
    nep_alloc_free(r);
    return st;
}
