/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_permute_t - CPU twin of kernels/permute_t.cu: permutations times a tile of columns by GEMM in float32, whose error has a bound.
 *
 * What the bound leaves open, a value beside its column's own or beside the largest so far, is computed again in float64,
 * summed over observations in order: maxima and counts are those of float64, for any tile and number of threads. */
#include "backend/count_max.h"
#include "backend/cpu.h"

#include <cblas.h>
#include <omp.h>
#include <string.h>

#include <nepenthe/math/tstat.h>

enum { TILE_ROWS = 384 }; /* rows of basis in one product */
enum { DEPTH = 512 };     /* observations in one product: bounds the error of its sums */
#define UNIT 5.9604644775390625e-8 /* 2^-24, the rounding of float32 */

typedef struct {
    const double *y, *basis, *observed;
    int64_t n, n_cols, n_perm, k, chunk;
    double dof;
    float *basis32; /* [n_perm, 1 + k, n] */
    double longest; /* row of basis */
} problem;

/* What a thread holds: one tile of columns, and what it has found. */
typedef struct {
    double *y;      /* [n, NEP_CPU_TILE] */
    float *y32, *product;
    float need[NEP_CPU_TILE]; /* share of 1 - a2 that b^2 must be to reach the column's own t */
    float off, fixed, shift;  /* errors: of an inner product; of b^2 beside its own, of a2 */
    double *max_abs;          /* [n_perm] */
    float *share;             /* [n_perm] the share that max_abs is */
    int64_t *count;           /* [n_cols] */
} worker;

/* |t| >= bound when b^2 >= share (1 - a2). */
static double share_of(const problem *q, double bound)
{
    return isinf(bound) ? 2.0 : bound * bound / (bound * bound + q->dof - 1.0);
}

NEP_CPU_BODY void load_body(const problem *q, int64_t c0, int64_t cols, double *y, float *y32, double *squares)
{
    for (int64_t i = 0; i < q->n; i++) {
        const double *from = q->y + i * q->n_cols + c0;
        for (int64_t c = 0; c < cols; c++) {
            y[i * NEP_CPU_TILE + c] = from[c];
            y32[i * NEP_CPU_TILE + c] = (float)from[c];
            squares[c] += from[c] * from[c];
        }
    }
}

static void load_any(const problem *q, int64_t c0, int64_t cols, double *y, float *y32, double *squares)
{
    load_body(q, c0, cols, y, y32, squares);
}

NEP_CPU_AVX512_CODE static void load_avx512(const problem *q, int64_t c0, int64_t cols, double *y, float *y32, double *squares)
{
    load_body(q, c0, cols, y, y32, squares);
}

/* Takes in a tile and works out the errors: a sum of m rounded products is off by at most m units of the vectors' lengths. */
static void load(const problem *q, worker *w, int64_t c0, int64_t cols)
{
    double squares[NEP_CPU_TILE] = {0}, most = 0.0;
    (nep_cpu_family_get() >= NEP_CPU_AVX512 ? load_avx512 : load_any)(q, c0, cols, w->y, w->y32, squares);
    for (int64_t c = 0; c < cols; c++) {
        most = squares[c] > most ? squares[c] : most; /* NaN passes by */
        w->need[c] = (float)share_of(q, nep_tstat_bound(q->observed[c0 + c]));
    }
    const double length = sqrt(most) * q->longest, scale = length * length > 1.0 ? length * length : 1.0;
    const double sums = (double)(nep_cpu_min(q->n, DEPTH) + q->n / DEPTH + 5), rows = (double)q->k;
    w->off = (float)(1.01 * sums * UNIT * length);
    w->shift = (float)(1.01 * (2.0 * sqrt(rows) * length + rows * (double)w->off) * (double)w->off);
    w->fixed = (float)(1.01 * ((double)w->off * (double)w->off + (rows + 8.0) * UNIT * scale));
}

/* t of permutation p on column c of the tile, in float64. */
static double exact(const problem *q, const worker *w, int64_t p, int64_t c)
{
    const double *basis = q->basis + p * (1 + q->k) * q->n;
    double b = 0.0, a2 = 0.0;
    for (int64_t j = 0; j <= q->k; j++) {
        double s = 0.0;
        for (int64_t i = 0; i < q->n; i++)
            s += basis[j * q->n + i] * w->y[i * NEP_CPU_TILE + c];
        b = j == 0 ? s : b;
        a2 += j == 0 ? 0.0 : s * s;
    }
    return fabs(nep_tstat_partial(b, a2, q->dof));
}

enum { SETTLED = 0, COUNT_OPEN = 1, MAX_OPEN = 2 };

/* b [1 + k, cols] of one permutation: counts what surely reaches its own; says what is open. left = 1 - a2. */
NEP_CPU_BODY int sift_body(const float *b, int64_t k, int64_t cols, const worker *w, float share, int32_t *hits, float *left)
{
    const float twice = 2.0f * w->off, fixed = w->fixed, shift = w->shift, top_fixed = w->fixed + share * w->shift;
    int count_open = 0, max_open = 0;
    for (int64_t c = 0; c < cols; c++)
        left[c] = 1.0f;
    for (int64_t j = 1; j <= k; j++)
        for (int64_t c = 0; c < cols; c++)
            left[c] -= b[j * cols + c] * b[j * cols + c];
    for (int64_t c = 0; c < cols; c++) {
        const float b2 = b[c] * b[c], wide = twice * fabsf(b[c]);
        const float over = b2 - w->need[c] * left[c], error = wide + fixed + w->need[c] * shift;
        const float above = b2 - share * left[c] + wide + top_fixed;
        const int whole = left[c] - b2 <= wide + fixed + shift; /* a perfect fit: t is held finite there */
        hits[c] += (over > error) & !whole;
        count_open |= (fabsf(over) <= error) | ((over > error) & whole);
        max_open |= above >= 0.0f;
    }
    return (count_open ? COUNT_OPEN : 0) | (max_open ? MAX_OPEN : 0);
}

static int sift_any(const float *b, int64_t k, int64_t cols, const worker *w, float share, int32_t *hits, float *left)
{
    return sift_body(b, k, cols, w, share, hits, left);
}

NEP_CPU_AVX512_CODE static int sift_avx512(const float *b, int64_t k, int64_t cols, const worker *w, float share, int32_t *hits, float *left)
{
    return sift_body(b, k, cols, w, share, hits, left);
}

/* Counts what the bound left open. */
static void settle_counts(const problem *q, const worker *w, int64_t p, const float *b, const float *left, int64_t c0, int64_t cols,
                          int32_t *hits)
{
    for (int64_t c = 0; c < cols; c++) {
        const float b2 = b[c] * b[c], wide = 2.0f * w->off * fabsf(b[c]);
        const float over = b2 - w->need[c] * left[c], error = wide + w->fixed + w->need[c] * w->shift;
        const bool whole = left[c] - b2 <= wide + w->fixed + w->shift;
        if (fabsf(over) <= error || (over > error && whole))
            hits[c] += exact(q, w, p, c) >= nep_tstat_bound(q->observed[c0 + c]);
    }
}

static void raise(const problem *q, worker *w, int64_t p, int64_t c)
{
    const double t = exact(q, w, p, c);
    if (!(t > w->max_abs[p]))
        return;
    w->max_abs[p] = t;
    w->share[p] = (float)(share_of(q, t) * (1.0 - 4.0 * UNIT)); /* not above the share itself */
}

/* The column that looks largest first: few others can then be. */
static void settle_max(const problem *q, worker *w, int64_t p, const float *b, const float *left, int64_t cols)
{
    float most = -1.0f;
    int64_t best = -1;
    for (int64_t c = 0; c < cols; c++) {
        const float score = left[c] > 1e-6f ? b[c] * b[c] / left[c] : 1.0f;
        if (score > most && !isnan(b[c])) {
            most = score;
            best = c;
        }
    }
    if (best >= 0)
        raise(q, w, p, best);
    for (int64_t c = 0; c < cols; c++)
        if (c != best &&
            b[c] * b[c] - w->share[p] * left[c] + 2.0f * w->off * fabsf(b[c]) + w->fixed + w->share[p] * w->shift >= 0.0f)
            raise(q, w, p, c);
}

/* Permutations p0 .. p0 + perms on the tile at hand. */
static void one_chunk(const problem *q, worker *w, int64_t p0, int64_t perms, int64_t c0, int64_t cols, int32_t *hits)
{
    const int64_t rows = 1 + q->k;
    const bool wide = nep_cpu_family_get() >= NEP_CPU_AVX512;
    float left[NEP_CPU_TILE];
    for (int64_t i = 0; i < q->n; i += DEPTH)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)(perms * rows), (blasint)cols, (blasint)nep_cpu_min(DEPTH, q->n - i), 1.0f,
                    q->basis32 + p0 * rows * q->n + i, (blasint)q->n, w->y32 + i * NEP_CPU_TILE, NEP_CPU_TILE, i > 0 ? 1.0f : 0.0f, w->product,
                    (blasint)cols);
    for (int64_t p = p0; p < p0 + perms; p++) {
        const float *b = w->product + (p - p0) * rows * cols;
        const int open = (wide ? sift_avx512 : sift_any)(b, q->k, cols, w, w->share[p], hits, left);
        if (open & COUNT_OPEN)
            settle_counts(q, w, p, b, left, c0, cols, hits);
        if (open & MAX_OPEN)
            settle_max(q, w, p, b, left, cols);
    }
}

/* Few tiles are shared out by permutations too. */
static void run(const problem *q, int threads, worker *workers)
{
    const int64_t chunks = nep_cpu_tiles(q->n_perm, q->chunk), tiles = nep_cpu_tiles(q->n_cols, NEP_CPU_TILE);
    const int64_t parts = tiles >= 4 * threads ? 1 : chunks;
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (int64_t task = 0; task < tiles * parts; task++) {
        worker *w = workers + omp_get_thread_num();
        const int64_t c0 = task / parts * NEP_CPU_TILE, cols = nep_cpu_min(NEP_CPU_TILE, q->n_cols - c0);
        const int64_t first = task % parts, last = parts == 1 ? chunks : first + 1;
        int32_t hits[NEP_CPU_TILE] = {0};
        load(q, w, c0, cols);
        for (int64_t i = first; i < last; i++)
            one_chunk(q, w, i * q->chunk, nep_cpu_min(q->chunk, q->n_perm - i * q->chunk), c0, cols, hits);
        for (int64_t c = 0; c < cols; c++)
            w->count[c0 + c] += hits[c];
    }
}

static nep_status worker_make(nep_ctx *ctx, const problem *q, worker *w)
{
    NEP_TRY(nep_alloc(ctx, q->n * NEP_CPU_TILE, sizeof *w->y, "permutation tiles", &w->y));
    NEP_TRY(nep_alloc(ctx, q->n * NEP_CPU_TILE, sizeof *w->y32, "permutation tiles", &w->y32));
    NEP_TRY(nep_alloc(ctx, q->chunk * (1 + q->k) * NEP_CPU_TILE, sizeof *w->product, "permutation tiles", &w->product));
    NEP_TRY(nep_alloc(ctx, q->n_perm, sizeof *w->max_abs, "permutation maxima", &w->max_abs));
    NEP_TRY(nep_alloc(ctx, q->n_perm, sizeof *w->share, "permutation maxima", &w->share));
    return nep_alloc(ctx, q->n_cols, sizeof *w->count, "permutation counts", &w->count);
}

static void worker_free(worker *w)
{
    nep_alloc_free(w->count);
    nep_alloc_free(w->share);
    nep_alloc_free(w->max_abs);
    nep_alloc_free(w->product);
    nep_alloc_free(w->y32);
    nep_alloc_free(w->y);
}

/* The basis in float32, and its longest row. */
static void narrow_basis(problem *q)
{
    for (int64_t r = 0; r < q->n_perm * (1 + q->k); r++) {
        double squares = 0.0;
        for (int64_t i = 0; i < q->n; i++) {
            const double v = q->basis[r * q->n + i];
            q->basis32[r * q->n + i] = (float)v;
            squares += v * v;
        }
        q->longest = sqrt(squares) > q->longest ? sqrt(squares) : q->longest;
    }
}

/* Brings what the threads found together, in the first. */
static void gather(const problem *q, int threads, worker *w)
{
    for (int i = 1; i < threads; i++) {
        for (int64_t p = 0; p < q->n_perm; p++)
            w->max_abs[p] = w[i].max_abs[p] > w->max_abs[p] ? w[i].max_abs[p] : w->max_abs[p];
        for (int64_t c = 0; c < q->n_cols; c++)
            w->count[c] += w[i].count[c];
    }
}

nep_status nep_cpu_permute_t(nep_ctx *ctx, nep_queue *queue, const double *y, int64_t n, int64_t n_cols,
                             const double *basis, int64_t n_perm, int64_t k, const double *observed, double *max_abs,
                             int64_t *count, int64_t *count_max)
{
    (void)queue;
    const int threads = nep_ctx_threads(ctx);
    problem q = {.y = y, .basis = basis, .observed = observed, .n = n, .n_cols = n_cols, .n_perm = n_perm, .k = k,
                 .chunk = 1 + k < TILE_ROWS ? TILE_ROWS / (1 + k) : 1, .dof = (double)(n - k)};
    worker *w = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_perm * (1 + k) * n, sizeof *q.basis32, "permuted basis", &q.basis32));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, threads, sizeof *w, "permutation tiles", &w));
    for (int i = 0; i < threads; i++)
        NEP_TRY_OR_DONE(st, worker_make(ctx, &q, &w[i]));
    narrow_basis(&q);
    nep_cpu_blas_single();
    run(&q, threads, w);
    gather(&q, threads, w);
    if (count_max)
        NEP_TRY_OR_DONE(st, nep_count_max_add(ctx, w->max_abs, n_perm, observed, n_cols, count_max));
    memcpy(max_abs, w->max_abs, (size_t)n_perm * sizeof *max_abs);
    for (int64_t c = 0; c < n_cols; c++)
        count[c] += w->count[c];
done:
    for (int i = 0; w && i < threads; i++)
        worker_free(&w[i]);
    nep_alloc_free(w);
    nep_alloc_free(q.basis32);
    return st;
}
