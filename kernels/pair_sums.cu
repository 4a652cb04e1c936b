/* SPDX-License-Identifier: Apache-2.0 */
/* pair_sums - CUDA twin of src/backend/cpu_pair_sums.c: a block per tile of the upper triangle, reduced to sums of its rows and
 * columns before it leaves the registers. Sums are added up as integers, so that blocks may end in any order. */
#include "pair_tile.h"

#include <nepenthe/math/pair.h>

enum { THREADS_ACROSS = 16, RED_PITCH = THREADS_ACROSS + 1 };

typedef struct {
    const float *z;
    int64_t n, n_t;
    double threshold;
    float low, high, sign, fisher_scale;
    double quanta;
    int64_t *count, *weighted, *fisher; /* the last two in quanta */
} pair_problem;

typedef unsigned long long ull;

/* Adds up, over the 16 threads that hold parts of the same 4 lines, what each has of them; line l goes to out[first + l]. */
static __device__ void pair_reduce(const double part[PAIR_EACH], int group, int member, double *shared, int64_t first, int64_t n,
                                   double quanta, int64_t *out)
{
    for (int u = 0; u < PAIR_EACH; u++)
        shared[(group * PAIR_EACH + u) * RED_PITCH + member] = part[u];
    __syncthreads();
    const int line = (int)threadIdx.x;
    if (line < PAIR_SIDE && first + line < n) {
        double sum = 0.0;
        for (int m = 0; m < THREADS_ACROSS; m++)
            sum += shared[line * RED_PITCH + m];
        atomicAdd((ull *)(out + first + line), (ull)nep_pair_round(sum, quanta));
    }
    __syncthreads();
}

static __device__ bool pair_passes(const pair_problem *p, int64_t i, int64_t j, float v)
{
    if (v > p->high)
        return true;
    if (!(v > p->low))
        return false;
    const double exact = nep_pair_product(p->z + i * p->n_t, p->z + j * p->n_t, p->n_t);
    return (p->sign < 0.0f ? fabs(exact) : exact) > p->threshold;
}

static __global__ void pair_sums_kernel(pair_problem p)
{
    NEP_SHARED(float, a, PAIR_DEPTH * PAIR_PITCH);
    NEP_SHARED(float, b, PAIR_DEPTH * PAIR_PITCH);
    NEP_SHARED(double, reduced, PAIR_SIDE * RED_PITCH);
    const int x = (int)threadIdx.x % THREADS_ACROSS, y = (int)threadIdx.x / THREADS_ACROSS;
    const int64_t blocks = (p.n + PAIR_SIDE - 1) / PAIR_SIDE;
    for (int64_t tile = blockIdx.x; tile < blocks * blocks; tile += gridDim.x) {
        const int64_t i0 = tile / blocks * PAIR_SIDE, j0 = tile % blocks * PAIR_SIDE;
        if (j0 < i0)
            continue;
        float r[PAIR_EACH][PAIR_EACH];
        double count[2][PAIR_EACH] = {{0}}, weighted[2][PAIR_EACH] = {{0}}, fisher[2][PAIR_EACH] = {{0}}; /* of rows, of columns */
        pair_products(p.z, p.n, p.n_t, i0, j0, a, b, r);
        for (int u = 0; u < PAIR_EACH; u++)
            for (int v = 0; v < PAIR_EACH; v++) {
                const int64_t i = i0 + y * PAIR_EACH + u, j = j0 + x * PAIR_EACH + v;
                if (i >= j || j >= p.n)
                    continue;
                const float one = fmaxf(r[u][v], r[u][v] * p.sign);
                const double z = p.fisher ? (double)nep_pair_fisher(r[u][v], p.fisher_scale) : 0.0;
                const bool over = p.count && pair_passes(&p, i, j, one);
                count[0][u] += over;
                count[1][v] += over;
                weighted[0][u] += over ? (double)one : 0.0;
                weighted[1][v] += over ? (double)one : 0.0;
                fisher[0][u] += z;
                fisher[1][v] += z;
            }
        for (int side = 0; side < 2; side++) {
            const int group = side ? x : y, member = side ? y : x;
            const int64_t first = side ? j0 : i0;
            if (p.count) {
                pair_reduce(count[side], group, member, reduced, first, p.n, 1.0, p.count);
                pair_reduce(weighted[side], group, member, reduced, first, p.n, p.quanta, p.weighted);
            }
            if (p.fisher)
                pair_reduce(fisher[side], group, member, reduced, first, p.n, p.quanta, p.fisher);
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
    const int64_t blocks = (n + PAIR_SIDE - 1) / PAIR_SIDE;
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
