/* SPDX-License-Identifier: Apache-2.0 */
/* bit_hits - CUDA twin of src/backend/cpu_bit_hits.c. Few queries: rows stream past a warp, after their sketches where few pass.
 * Many: bit matrix products with AND (mma.sync m16n8k256), compared with what is needed while they lie in registers. */
#include "launch.h"

enum {
    ROWS = 4096,   /* of a task */
    GROUP = 8,     /* queries of a task of the streaming kernel, and the fewest for products */
    FEW = 8,       /* per cent of rows passing up to which sketches pay */
    EACH = 4,      /* loads in flight per lane */
    VECTORS = 2,   /* of 16 bytes per lane, at most: 32 lanes hold a row of 128 words */
    SLAB = 32,     /* words of a row that registers hold for products */
    STEPS = 8,     /* products of 256 bits in a slab */
    TILES = 2,     /* of 16 queries per warp */
    WARPS = NEP_BLOCK / NEP_WARP,
    TILE_Q = WARPS * TILES * 16,
    TILE_ROWS = 8
};

struct job {
    nep_bit_rows r;
    nep_bit_queries q;
    int64_t cap;
    int32_t *count, *position;
    uint16_t *common;
};

struct alignas(16) vector {
    uint64_t x, y;
};

static __device__ void append(const job &j, int64_t q, int64_t i, int c)
{
    const int32_t to = atomicAdd(&j.count[q], 1);
    if (to < j.cap) {
        j.position[q * j.cap + to] = (int32_t)i;
        j.common[q * j.cap + to] = (uint16_t)c;
    }
}

/* The same for all lanes of a warp at one query: one atomic for those that hit. */
static __device__ void append_warp(const job &j, int64_t q, int64_t i, int c, bool hit)
{
    const unsigned lane = threadIdx.x % NEP_WARP, mask = __ballot_sync(NEP_ALL_LANES, hit);
    int32_t to = 0;
    if (mask == 0)
        return;
    if (lane == 0)
        to = atomicAdd(&j.count[q], (int32_t)__popc(mask));
    to = __shfl_sync(NEP_ALL_LANES, to, 0) + __popc(mask & ((1u << lane) - 1));
    if (hit && to < j.cap) {
        j.position[q * j.cap + to] = (int32_t)i;
        j.common[q * j.cap + to] = (uint16_t)c;
    }
}

static __device__ int needed(const job &j, int64_t q, int64_t i)
{
    return j.q.need[q * (64 * j.r.words + 1) + j.r.popcount[i]];
}

/* Words 2 v and 2 v + 1 of a row, 0 past its end. */
static __device__ vector load(const uint64_t *row, int64_t words, int64_t v)
{
    vector out = {0, 0};
    if (words % 2 == 0) {
        if (2 * v < words)
            out = reinterpret_cast<const vector *>(row)[v];
        return out;
    }
    if (2 * v < words)
        out.x = row[2 * v];
    if (2 * v + 1 < words)
        out.y = row[2 * v + 1];
    return out;
}

/* ---- few queries ------------------------------------------------------------------------------------------------- */
/* Upper bound of the common bits from 16 parts. */
static __device__ int bound(const unsigned *a, const unsigned *b)
{
    unsigned sum = 0;
    NEP_UNROLL
    for (int p = 0; p < NEP_BIT_SKETCH / 4; p++)
        sum = __dp4a(__vminu4(a[p], b[p]), 0x01010101u, sum);
    return (int)sum;
}

static __device__ bool passes(const job &j, int64_t q, int64_t i)
{
    unsigned a[4], b[4];
    for (int p = 0; p < 4; p++) {
        a[p] = reinterpret_cast<const unsigned *>(j.q.sketch + q * NEP_BIT_SKETCH)[p];
        b[p] = reinterpret_cast<const unsigned *>(j.r.sketch + i * NEP_BIT_SKETCH)[p];
    }
    return bound(a, b) >= needed(j, q, i);
}

/* Rows first .. end - 1 that pass, 32 at a time; a warp counts together each one that does. query lies in shared memory. */
static __device__ void by_sketch(const job &j, int64_t q, const uint64_t *query, int64_t first, int64_t end)
{
    const int lane = (int)threadIdx.x % NEP_WARP;
    for (int64_t base = first + threadIdx.x / NEP_WARP * NEP_WARP; base < end; base += blockDim.x) {
        const int64_t mine = base + lane;
        unsigned left = __ballot_sync(NEP_ALL_LANES, mine < end && passes(j, q, mine));
        for (; left; left &= left - 1) {
            const int64_t i = base + __popc((left & (0u - left)) - 1);
            int c = 0;
            for (int64_t w = lane; w < j.r.words; w += NEP_WARP)
                c += __popcll(query[w] & j.r.row[i * j.r.words + w]);
            for (int half = NEP_WARP / 2; half > 0; half /= 2)
                c += __shfl_xor_sync(NEP_ALL_LANES, c, half);
            if (lane == 0 && c >= needed(j, q, i))
                append(j, q, i, c);
        }
    }
}

/* Rows first .. end - 1 against those queries of the group whose bit is set. `across` lanes share a row. */
static __device__ void by_rows(const job &j, int64_t q0, const uint64_t *query, unsigned which, int across, int64_t first, int64_t end)
{
    const int lane = (int)threadIdx.x % NEP_WARP, sub = lane % across, rows = NEP_WARP / across;
    const int64_t step = (int64_t)rows * EACH;
    for (int64_t base = first + threadIdx.x / NEP_WARP * step; base < end; base += blockDim.x / NEP_WARP * step) {
        vector x[EACH][VECTORS];
        NEP_UNROLL
        for (int e = 0; e < EACH; e++) {
            const int64_t i = base + e * rows + lane / across;
            NEP_UNROLL
            for (int v = 0; v < VECTORS; v++)
                x[e][v] = i < end ? load(j.r.row + i * j.r.words, j.r.words, sub + v * across) : vector{0, 0};
        }
        for (int k = 0; k < GROUP; k++) {
            if (!(which >> k & 1))
                continue;
            vector y[VECTORS];
            NEP_UNROLL
            for (int v = 0; v < VECTORS; v++)
                y[v] = load(query + k * NEP_BIT_WORDS, j.r.words, sub + v * across);
            NEP_UNROLL
            for (int e = 0; e < EACH; e++) {
                const int64_t i = base + e * rows + lane / across;
                int c = 0;
                NEP_UNROLL
                for (int v = 0; v < VECTORS; v++)
                    c += __popcll(x[e][v].x & y[v].x) + __popcll(x[e][v].y & y[v].y);
                for (int half = across / 2; half > 0; half /= 2)
                    c += __shfl_xor_sync(NEP_ALL_LANES, c, half);
                append_warp(j, q0 + k, i, c, sub == 0 && i < end && c >= needed(j, q0 + k, i));
            }
        }
    }
}

/* Whether few of the first rows of a task pass; the same answer in all threads. */
static __device__ bool pays(const job &j, int64_t q, int64_t first, int64_t end)
{
    const int64_t i = first + threadIdx.x;
    const int kept = __syncthreads_count(i < end && passes(j, q, i));
    const int64_t looked = end - first < blockDim.x ? end - first : (int64_t)blockDim.x;
    return 100 * kept <= FEW * looked;
}

static __global__ void bit_stream_kernel(job j, int across)
{
    NEP_SHARED(vector, held, GROUP *NEP_BIT_WORDS / 2);
    uint64_t *const query = reinterpret_cast<uint64_t *>(held);
    const int64_t groups = (j.q.n_q + GROUP - 1) / GROUP, tasks = (j.r.n + ROWS - 1) / ROWS * groups;
    for (int64_t task = blockIdx.x; task < tasks; task += gridDim.x) {
        const int64_t q0 = task % groups * GROUP, first = task / groups * ROWS;
        const int64_t end = first + ROWS < j.r.n ? first + ROWS : j.r.n;
        const int n = (int)(j.q.n_q - q0 < GROUP ? j.q.n_q - q0 : (int64_t)GROUP);
        unsigned whole = 0;
        for (int64_t w = threadIdx.x; w < n * j.r.words; w += blockDim.x)
            query[w / j.r.words * NEP_BIT_WORDS + w % j.r.words] = j.q.query[q0 * j.r.words + w];
        __syncthreads();
        for (int k = 0; k < n; k++)
            if (j.r.sketch && j.q.sketch && pays(j, q0 + k, first, end))
                by_sketch(j, q0 + k, query + k * NEP_BIT_WORDS, first, end);
            else
                whole |= 1u << k;
        if (whole)
            by_rows(j, q0, query, whole, across, first, end);
        __syncthreads();
    }
}

/* ---- many queries ------------------------------------------------------------------------------------------------ */
/* A lane's words of row i for the products of a slab: vector lane % 4 + 4 p serves products 2 p and 2 p + 1. Which words go together
 * does not matter to a sum as long as rows and queries agree. */
static __device__ void fragment(const uint64_t *rows, int64_t n, int64_t words, int64_t i, int64_t slab, unsigned *out)
{
    const int t = (int)threadIdx.x % 4;
    NEP_UNROLL
    for (int p = 0; p < STEPS / 2; p++) {
        const vector v = i < n ? load(rows + i * words, words, slab * (SLAB / 2) + t + 4 * p) : vector{0, 0};
        out[4 * p] = (unsigned)v.x;
        out[4 * p + 1] = (unsigned)(v.x >> 32);
        out[4 * p + 2] = (unsigned)v.y;
        out[4 * p + 3] = (unsigned)(v.y >> 32);
    }
}

/* The 16 queries from q0 on. */
static __device__ void query_fragment(const job &j, int64_t q0, int64_t slab, unsigned *low, unsigned *high)
{
    const int64_t g = threadIdx.x % NEP_WARP / 4;
    fragment(j.q.query, j.q.n_q, j.r.words, q0 + g, slab, low);
    fragment(j.q.query, j.q.n_q, j.r.words, q0 + g + 8, slab, high);
}

static __device__ void products(const unsigned *low, const unsigned *high, const unsigned *row, int *c)
{
    NEP_UNROLL
    for (int s = 0; s < STEPS; s++) {
        const unsigned a[4] = {low[2 * s], high[2 * s], low[2 * s + 1], high[2 * s + 1]}, b[2] = {row[2 * s], row[2 * s + 1]};
        nep_mma_bits(c, a, b);
    }
}

/* What is needed of rows of `bits` bits by a lane's queries: TILES x {g, g + 8}. */
static __device__ void needs(const job &j, int64_t q0, int bits, int need[TILES][2])
{
    const int64_t g = threadIdx.x % NEP_WARP / 4;
    NEP_UNROLL
    for (int m = 0; m < TILES; m++)
        NEP_UNROLL
        for (int h = 0; h < 2; h++) {
            const int64_t q = q0 + 16 * m + 8 * h + g;
            need[m][h] = q < j.q.n_q ? (int)j.q.need[q * (64 * j.r.words + 1) + bits] : (int)NEP_BIT_NEVER;
        }
}

/* Compares the counts of 8 rows from i0 on; `bits` is what all of them have, -1 when they differ. */
static __device__ void compare(const job &j, int64_t q0, int64_t i0, int bits, const int need[TILES][2], const int c[TILES][4])
{
    const int64_t g = threadIdx.x % NEP_WARP / 4, t = threadIdx.x % 4;
    NEP_UNROLL
    for (int m = 0; m < TILES; m++)
        NEP_UNROLL
        for (int e = 0; e < 4; e++) {
            const int64_t q = q0 + 16 * m + 8 * (e / 2) + g, i = i0 + 2 * t + e % 2;
            if (i < j.r.n && q < j.q.n_q && c[m][e] >= (bits >= 0 ? need[m][e / 2] : needed(j, q, i)))
                append(j, q, i, c[m][e]);
        }
}

/* A warp's 32 queries stay in registers (rows of one slab) while rows pass by, 8 at a time; the warps of a block share rows through
 * the first cache. */
template <bool ONE_SLAB> static __global__ void bit_product_kernel(job j)
{
    const int64_t groups = (j.q.n_q + TILE_Q - 1) / TILE_Q, tasks = (j.r.n + ROWS - 1) / ROWS * groups;
    const int64_t slabs = (j.r.words + SLAB - 1) / SLAB;
    for (int64_t task = blockIdx.x; task < tasks; task += gridDim.x) {
        const int64_t q0 = task % groups * TILE_Q + threadIdx.x / NEP_WARP * (TILES * 16), first = task / groups * ROWS;
        const int64_t end = first + ROWS < j.r.n ? first + ROWS : j.r.n;
        unsigned low[TILES][2 * STEPS], high[TILES][2 * STEPS], row[2 * STEPS];
        int need[TILES][2], known = -1;
        if (q0 >= j.q.n_q)
            continue; /* the whole warp */
        if (ONE_SLAB)
            NEP_UNROLL
            for (int m = 0; m < TILES; m++)
                query_fragment(j, q0 + 16 * m, 0, low[m], high[m]);
        for (int64_t i0 = first; i0 < end; i0 += TILE_ROWS) {
            const int64_t last = i0 + TILE_ROWS <= j.r.n ? i0 + TILE_ROWS - 1 : j.r.n - 1;
            const int bits = j.r.popcount[i0] == j.r.popcount[last] ? (int)j.r.popcount[i0] : -1;
            int c[TILES][4] = {};
            for (int64_t slab = 0; slab < (ONE_SLAB ? 1 : slabs); slab++) {
                fragment(j.r.row, j.r.n, j.r.words, i0 + threadIdx.x % NEP_WARP / 4, slab, row);
                NEP_UNROLL
                for (int m = 0; m < TILES; m++) {
                    if (!ONE_SLAB)
                        query_fragment(j, q0 + 16 * m, slab, low[m], high[m]);
                    products(low[m], high[m], row, c[m]);
                }
            }
            if (bits >= 0 && bits != known)
                needs(j, q0, known = bits, need);
            compare(j, q0, i0, bits, need, c);
        }
    }
}

enum { EMULATED = 10 }; /* the compute capability from which bit products are made of others */

extern "C" nep_status nep_cuda_bit_hits(nep_ctx *ctx, nep_queue *queue, const nep_bit_rows *rows, const nep_bit_queries *queries,
                                        int64_t cap, int32_t *count, int32_t *position, uint16_t *common)
{
    const job j = {*rows, *queries, cap, count, position, common};
    const nep_cuda_state *s = static_cast<const nep_cuda_state *>(nep_ctx_backend_state(ctx));
    int across = 1;
    while (across < NEP_WARP && 2 * VECTORS * across < rows->words)
        across *= 2;
    NEP_TRY(nep_cuda_zero(ctx, queue, count, (size_t)queries->n_q * sizeof *count));
    if (rows->n == 0)
        return NEP_OK;
    const int64_t chunks = (rows->n + ROWS - 1) / ROWS;
    if (queries->n_q < GROUP || s->major >= EMULATED)
        NEP_LAUNCH(bit_stream_kernel, nep_grid(chunks * ((queries->n_q + GROUP - 1) / GROUP), 1), NEP_BLOCK, queue, j, across);
    else if (rows->words <= SLAB)
        NEP_LAUNCH(bit_product_kernel<true>, nep_grid(chunks * ((queries->n_q + TILE_Q - 1) / TILE_Q), 1), NEP_BLOCK, queue, j);
    else
        NEP_LAUNCH(bit_product_kernel<false>, nep_grid(chunks * ((queries->n_q + TILE_Q - 1) / TILE_Q), 1), NEP_BLOCK, queue, j);
    return nep_cuda_launched(ctx, "bit_hits");
}
