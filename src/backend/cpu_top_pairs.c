/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_top_pairs - CPU twin of kernels/top_pairs.cu: tiles of the upper triangle by float32 GEMM, each scanned for pairs that may
 * enter the lists of its rows and columns; those are settled in float64. The order is total: lists do not depend on who comes first. */
#include "backend/cpu.h"

#include <cblas.h>
#include <math.h>
#include <omp.h>

#include <nepenthe/math/pair.h>

enum { SIDE = 256 };

typedef struct {
    const float *z;
    int64_t n, n_t, k;
    double margin;
    float *gate; /* [n] */
    int32_t *index;
    double *value;
    omp_lock_t *lock; /* of each block of SIDE rows: its lists and gates */
} problem;

static void offer(const problem *p, int64_t to, int64_t from, double exact)
{
    nep_pair_insert(exact, (int32_t)from, p->k, p->index + to * p->k, p->value + to * p->k);
    p->gate[to] = nep_pair_gate(p->k, p->index + to * p->k, p->value + to * p->k, p->margin);
}

/* Whether any product of a row passes its own gate or that of its column. */
NEP_CPU_BODY int row_passes(const float *r, int64_t n, float gate, const float *gates)
{
    int any = 0;
    for (int64_t b = 0; b < n; b++)
        any |= (r[b] >= gate) | (r[b] >= gates[b]);
    return any;
}

typedef struct {
    int64_t i0, j0, ni, nj;
    const float *r; /* [ni, nj] */
} tile;

NEP_CPU_BODY void scan_body(const problem *p, const tile *k)
{
    for (int64_t a = 0; a < k->ni; a++) {
        const int64_t i = k->i0 + a, first = k->i0 == k->j0 ? a + 1 : 0;
        const float *r = k->r + a * k->nj;
        if (!row_passes(r + first, k->nj - first, p->gate[i], p->gate + k->j0 + first))
            continue;
        for (int64_t b = first; b < k->nj; b++) {
            const int64_t j = k->j0 + b;
            if (!(r[b] >= p->gate[i]) && !(r[b] >= p->gate[j]))
                continue;
            const double exact = nep_pair_product(p->z + i * p->n_t, p->z + j * p->n_t, p->n_t);
            offer(p, i, j, exact);
            offer(p, j, i, exact);
        }
    }
}

typedef void scan_function(const problem *p, const tile *k);

static void scan_scalar(const problem *p, const tile *k)
{
    scan_body(p, k);
}

NEP_CPU_AVX2_CODE static void scan_avx2(const problem *p, const tile *k)
{
    scan_body(p, k);
}

NEP_CPU_AVX512_CODE static void scan_avx512(const problem *p, const tile *k)
{
    scan_body(p, k);
}

static void one_tile(const problem *p, scan_function *scan, int64_t bi, int64_t bj, float *r)
{
    const tile k = {bi * SIDE, bj * SIDE, nep_cpu_min(SIDE, p->n - bi * SIDE), nep_cpu_min(SIDE, p->n - bj * SIDE), r};
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)k.ni, (blasint)k.nj, (blasint)p->n_t, 1.0f, p->z + k.i0 * p->n_t,
                (blasint)p->n_t, p->z + k.j0 * p->n_t, (blasint)p->n_t, 0.0f, r, (blasint)k.nj);
    omp_set_lock(&p->lock[bi]); /* in the order of the blocks, so that no two threads wait for each other */
    if (bj != bi)
        omp_set_lock(&p->lock[bj]);
    scan(p, &k);
    if (bj != bi)
        omp_unset_lock(&p->lock[bj]);
    omp_unset_lock(&p->lock[bi]);
}

static void run(const problem *p, int threads, float *r)
{
    const nep_cpu_family f = nep_cpu_family_get();
    scan_function *const scan = f >= NEP_CPU_AVX512 ? scan_avx512 : f >= NEP_CPU_AVX2 ? scan_avx2 : scan_scalar;
    const int64_t blocks = nep_cpu_tiles(p->n, SIDE);
    for (int64_t b = 0; b < blocks; b++)
        omp_init_lock(&p->lock[b]);
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (int64_t k = 0; k < blocks * blocks; k++) { /* along diagonals: tiles in hand share no block, and near rows come first */
        const int64_t i = k % blocks, j = i + k / blocks;
        if (j < blocks && !nep_ctx_interrupt_signal())
            one_tile(p, scan, i, j, r + omp_get_thread_num() * SIDE * SIDE);
    }
    for (int64_t b = 0; b < blocks; b++)
        omp_destroy_lock(&p->lock[b]);
}

nep_status nep_cpu_top_pairs(nep_ctx *ctx, nep_queue *queue, const float *z, int64_t n, int64_t n_t, int64_t k, int32_t *index,
                             double *value)
{
    (void)queue;
    const int threads = nep_ctx_threads(ctx);
    problem p = {.z = z, .n = n, .n_t = n_t, .k = k, .margin = nep_pair_margin(n_t), .index = index, .value = value};
    float *r = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, (int64_t)threads * SIDE * SIDE, sizeof *r, "tiles of correlations", &r));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *p.gate, "gates of lists", &p.gate));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, nep_cpu_tiles(n, SIDE), sizeof *p.lock, "locks of lists", &p.lock));
    for (int64_t i = 0; i < n * k; i++) {
        index[i] = -1;
        value[i] = (double)NAN;
    }
    for (int64_t i = 0; i < n; i++)
        p.gate[i] = -INFINITY;
    nep_cpu_blas_single();
    run(&p, threads, r);
    st = nep_ctx_check(ctx);
done:
    nep_alloc_free(p.lock);
    nep_alloc_free(p.gate);
    nep_alloc_free(r);
    return st;
}
