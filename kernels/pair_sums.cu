/* SPDX-License-Identifier: Apache-2.0 */
/* pair_sums - CUDA twin of src/backend/cpu_pair_sums.c: a block per tile of the upper triangle, reduced to sums of its rows and
 * columns before it leaves the registers. Sums are added up as integers, so that blocks may end in any order. */
#include "pair_tile.h"

#include <nepenthe/math/pair.h>

enum { EACH = 8, SIDE = PAIR_ACROSS * EACH, RED_PITCH = PAIR_ACROSS + 1 };

typedef struct {
    const float *z;
    int64_t n, n_t;
    double threshold;
    float low, high, sign, fisher_scale;
    double quanta;
    int64_t *count, *weighted, *fisher; /* the last two in quanta */
} pair_problem;

typedef unsigned long long ull;

/* Adds up, over the 16 threads that hold parts of the same lines, what each has of them; line l goes to out[first + l]. */
static __device__ __forceinline__ void pair_reduce(const double (&part)[EACH], int group, int member, double *shared, int64_t first, int64_t n,
                                   double quanta, int64_t *out)
{
    NEP_UNROLL
    for (int u = 0; u < EACH; u++)
        shared[(group + PAIR_ACROSS * u) * RED_PITCH + member] = part[u];
    __syncthreads();
    const int line = (int)threadIdx.x;
    if (line < SIDE && first + line < n) {
        double sum = 0.0;
        for (int m = 0; m < PAIR_ACROSS; m++)
            sum += shared[line * RED_PITCH + m];
        atomicAdd((ull *)(out + first + line), (ull)nep_pair_round(sum, quanta));
    }
    __syncthreads();
}

/* Bit u * EACH + v: whether the pair is one of the upper triangle; whether it counts. Pairs that float32 leaves open are few: they
 * are settled one by one afterwards. */
static __device__ __forceinline__ void pair_choose(const pair_problem *p, int64_t i0, int64_t j0, const float (&r)[EACH][EACH], ull *inside,
                                                   ull *over)
{
    ull in = 0, sure = 0, near = 0;
    NEP_UNROLL
    for (int u = 0; u < EACH; u++)
        NEP_UNROLL
        for (int v = 0; v < EACH; v++) {
            const int64_t i = i0 + PAIR_ACROSS * u, j = j0 + PAIR_ACROSS * v;
            const float one = fmaxf(r[u][v], r[u][v] * p->sign);
            const ull bit = i < j && j < p->n ? (ull)1 << (u * EACH + v) : 0;
            in |= bit;
            sure |= one > p->high ? bit : 0;
            near |= one > p->low && !(one > p->high) ? bit : 0;
        }
    for (; p->count && near; near &= near - 1) {
        const int at = __popcll((near & (~near + 1)) - 1);
        const double exact = nep_pair_product(p->z + (i0 + PAIR_ACROSS * (at / EACH)) * p->n_t, p->z + (j0 + PAIR_ACROSS * (at % EACH)) * p->n_t, p->n_t);
        if ((p->sign < 0.0f ? fabs(exact) : exact) > p->threshold)
            sure |= (ull)1 << at;
    }
    *inside = in;
    *over = sure;
}

/* How many pairs count, by row and by column of a tile. */
static __device__ __forceinline__ void pair_add_counts(const pair_problem *p, int64_t i0, int64_t j0, int x, int y, ull over, double *shared)
{
    double part[EACH];
    NEP_UNROLL
    for (int u = 0; u < EACH; u++)
        part[u] = (double)__popcll(over >> (u * EACH) & 0xff);
    pair_reduce(part, y, x, shared, i0, p->n, 1.0, p->count);
    NEP_UNROLL
    for (int v = 0; v < EACH; v++)
        part[v] = (double)__popcll(over >> v & 0x0101010101010101ull);
    pair_reduce(part, x, y, shared, j0, p->n, 1.0, p->count);
}

/* Sums of the values r whose bit is set, by row, then by column. */
static __device__ __forceinline__ void pair_add_values(const pair_problem *p, int64_t i0, int64_t j0, int x, int y,
                                                       const float (&r)[EACH][EACH], ull taken, double *shared, int64_t *out)
{
    double part[EACH];
    NEP_UNROLL
    for (int u = 0; u < EACH; u++) {
        part[u] = 0.0;
        NEP_UNROLL
        for (int v = 0; v < EACH; v++)
            part[u] += taken >> (u * EACH + v) & 1 ? (double)r[u][v] : 0.0;
    }
    pair_reduce(part, y, x, shared, i0, p->n, p->quanta, out);
    NEP_UNROLL
    for (int v = 0; v < EACH; v++) {
        part[v] = 0.0;
        NEP_UNROLL
        for (int u = 0; u < EACH; u++)
            part[v] += taken >> (u * EACH + v) & 1 ? (double)r[u][v] : 0.0;
    }
    pair_reduce(part, x, y, shared, j0, p->n, p->quanta, out);
}

static __global__ void __launch_bounds__(PAIR_THREADS, 2) pair_sums_kernel(pair_problem p)
{
    NEP_SHARED(float, a, PAIR_ROOM(EACH));
    NEP_SHARED(float, b, PAIR_ROOM(EACH));
    NEP_SHARED(double, reduced, SIDE * RED_PITCH);
    const int x = (int)threadIdx.x % PAIR_ACROSS, y = (int)threadIdx.x / PAIR_ACROSS;
    const int64_t blocks = (p.n + SIDE - 1) / SIDE;
    for (int64_t tile = blockIdx.x; tile < blocks * blocks; tile += gridDim.x) {
        const int64_t i0 = tile / blocks * SIDE, j0 = tile % blocks * SIDE;
        float r[EACH][EACH], z[EACH][EACH];
        ull inside, over;
        if (j0 < i0)
            continue;
        pair_products<EACH>(p.z, p.n, p.n_t, i0, j0, a, b, r);
        pair_choose(&p, i0 + y, j0 + x, r, &inside, &over);
        if (p.count) {
            pair_add_counts(&p, i0, j0, x, y, over, reduced);
            NEP_UNROLL
            for (int u = 0; u < EACH; u++)
                NEP_UNROLL
                for (int v = 0; v < EACH; v++)
                    z[u][v] = fmaxf(r[u][v], r[u][v] * p.sign);
            pair_add_values(&p, i0, j0, x, y, z, over, reduced, p.weighted);
        }
        if (p.fisher) {
            NEP_UNROLL
            for (int u = 0; u < EACH; u++)
                NEP_UNROLL
                for (int v = 0; v < EACH; v++)
                    z[u][v] = nep_pair_fisher(r[u][v], p.fisher_scale);
            pair_add_values(&p, i0, j0, x, y, z, inside, reduced, p.fisher);
        }
    }
}

/* From quanta to numbers, in place. */
static __global__ void pair_give_kernel(double *sum, int64_t n, double quanta)
{
    NEP_FOR_EACH (i, n)
        sum[i] = (double)((const int64_t *)sum)[i] / quanta;
}

extern "C" nep_status nep_cuda_pair_sums(nep_ctx *ctx, nep_queue *queue, const float *z, int64_t n, int64_t n_t, double threshold,
                                         bool two_sided, double fisher_scale, int64_t *count, double *weighted, double *fisher)
{
    const double margin = nep_pair_margin(n_t);
    const int64_t blocks = (n + SIDE - 1) / SIDE;
    const size_t bytes = (size_t)n * sizeof(double);
    void *own_count = NULL, *own_weighted = NULL;
    nep_status st = NEP_OK;
    if (!count && weighted)
        NEP_TRY_OR_DONE(st, nep_cuda_alloc(ctx, bytes, "degrees", &own_count));
    if (count && !weighted)
        NEP_TRY_OR_DONE(st, nep_cuda_alloc(ctx, bytes, "weighted degrees", &own_weighted));
    {
        const pair_problem p = {z, n, n_t, threshold, nextafterf((float)(threshold - margin), -INFINITY),
                                nextafterf((float)(threshold + margin), INFINITY), two_sided ? -1.0f : 1.0f, (float)fisher_scale,
                                nep_pair_quanta(n), count ? count : (int64_t *)own_count,
                                (int64_t *)(weighted ? (void *)weighted : own_weighted), (int64_t *)(void *)fisher};
        void *const sums[] = {p.count, p.weighted, p.fisher};
        for (int i = 0; i < 3; i++)
            if (sums[i])
                NEP_TRY_OR_DONE(st, nep_cuda_zero(ctx, queue, sums[i], bytes));
        NEP_LAUNCH(pair_sums_kernel, nep_grid(blocks * blocks, 1), PAIR_THREADS, queue, p);
        NEP_TRY_OR_DONE(st, nep_cuda_launched(ctx, "pair_sums"));
        if (weighted)
            NEP_LAUNCH(pair_give_kernel, nep_grid(n, NEP_BLOCK), NEP_BLOCK, queue, weighted, n, p.quanta);
        if (fisher)
            NEP_LAUNCH(pair_give_kernel, nep_grid(n, NEP_BLOCK), NEP_BLOCK, queue, fisher, n, p.quanta);
        NEP_TRY_OR_DONE(st, nep_cuda_launched(ctx, "pair_sums"));
    }
done:
    nep_cuda_release(own_weighted);
    nep_cuda_release(own_count);
    return st;
}
