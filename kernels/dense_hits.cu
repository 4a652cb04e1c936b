/* SPDX-License-Identifier: Apache-2.0 */
/* dense_hits - CUDA twin of src/backend/cpu_dense_hits.c. Few queries: a warp per group of rows, 16 bytes a lane, rows read once. Many:
 * tiles of rows x queries, float32 by threads over shared memory, int8 by matrix units straight from 16-byte loads (the order of items is
 * no matter for a sum, so that a lane's four words serve two steps). Products are tested in registers and never written. */
#include "pair_tile.h"

#include <nepenthe/math/dense.h>

enum {
    FEW = 8,                           /* queries up to which rows are streamed */
    GROUP = 4,                         /* rows a warp holds at a time, and queries */
    WARPS = NEP_BLOCK / NEP_WARP,
    ACROSS = PAIR_ACROSS, EACH = 8, SIDE = ACROSS * EACH, DEPTH = PAIR_DEPTH, PITCH = SIDE + 1, /* float32 tile */
    INT_ROWS = 128, INT_QUERIES = 128, /* int8 tile: 4 x 2 warps of 32 rows x 64 queries */
    M_TILES = 2, N_TILES = 8
};

struct alignas(16) quad {
    uint32_t w[4];
};

struct row_bound {
    float n, s, r;
    bool allowed;
};

static __device__ row_bound bound_of(const nep_dense_rows &x, nep_dense_metric m, int64_t i)
{
    row_bound b;
    b.allowed = i < x.n && (!x.allow || (x.allow[i / 64] >> (i % 64) & 1));
    if (i < x.n)
        nep_dense_row_bound(m, x.norm[i], x.residual ? x.residual[i] : 0.0f, b.allowed, &b.n, &b.s, &b.r);
    else
        b.n = b.s = b.r = 0.0f;
    return b;
}

struct result {
    int64_t cap;
    int32_t *count;
    nep_dense_hit *hit;
};

static __device__ __forceinline__ void offer(const nep_dense_queries &q, const result &out, const row_bound &b, int64_t row, int64_t query, float a)
{
    if (!b.allowed || query >= q.n_q || a < nep_dense_need(q.gate + query, q.n_q, b.n, b.s, b.r))
        return;
    const int32_t at = atomicAdd(&out.count[query], 1);
    if (at < out.cap) {
        nep_dense_hit h;
        h.position = (int32_t)row;
        h.near = a;
        out.hit[query * out.cap + at] = h;
    }
}

/* ---- few queries ------------------------------------------------------------------------------------------------- */
/* Adds to sum the products of the 16 bytes at `chunk` of a row with as many items of a query. */
template <nep_dense_type T>
static __device__ __forceinline__ float chunk_product(const quad &x, const void *query, int64_t chunk, float sum)
{
    const int items = T == NEP_DENSE_F32 ? 4 : 8;
    const float *q = (const float *)query + chunk * items;
    NEP_UNROLL
    for (int i = 0; i < items; i++) {
        uint32_t word = x.w[T == NEP_DENSE_F32 ? i : i / 2];
        float v;
        if (T == NEP_DENSE_F32)
            memcpy(&v, &word, sizeof v);
        else
            v = T == NEP_DENSE_F16 ? nep_half_unpack_f16((uint16_t)(word >> (i % 2 * 16))) : nep_half_unpack_bf16((uint16_t)(word >> (i % 2 * 16)));
        sum = fmaf(q[i], v, sum);
    }
    return sum;
}

static __device__ __forceinline__ int32_t chunk_product_int(const quad &x, const void *query, int64_t chunk, int32_t sum)
{
    const quad q = ((const quad *)query)[chunk];
    NEP_UNROLL
    for (int i = 0; i < 4; i++)
        sum = nep_dot4(x.w[i], q.w[i], sum);
    return sum;
}

template <class V>
static __device__ __forceinline__ V warp_sum(V v)
{
    for (int half = NEP_WARP / 2; half > 0; half /= 2)
        v += __shfl_down_sync(NEP_ALL_LANES, v, half);
    return __shfl_sync(NEP_ALL_LANES, v, 0);
}

/* Lane u * GROUP + v of the warp tests row u of its group with query v. */
template <nep_dense_type T>
static __global__ void stream_kernel(nep_dense_rows x, nep_dense_queries q, result out)
{
    const int64_t chunks = x.stride * nep_dense_size(T) / (int64_t)sizeof(quad), groups = (x.n + GROUP - 1) / GROUP;
    const int64_t query_bytes = x.stride * (T == NEP_DENSE_I8 ? 1 : 4);
    const int lane = (int)threadIdx.x % NEP_WARP;
    for (int64_t g = (int64_t)blockIdx.x * WARPS + threadIdx.x / NEP_WARP; g < groups; g += (int64_t)gridDim.x * WARPS)
        for (int64_t q0 = 0; q0 < q.n_q; q0 += GROUP) {
            float sum[GROUP][GROUP] = {};
            int32_t whole[GROUP][GROUP] = {};
            for (int64_t c = lane; c < chunks; c += NEP_WARP) {
                quad row[GROUP];
                NEP_UNROLL
                for (int u = 0; u < GROUP; u++) {
                    const int64_t i = g * GROUP + u < x.n ? g * GROUP + u : x.n - 1;
                    row[u] = ((const quad *)x.row)[i * chunks + c];
                }
                NEP_UNROLL
                for (int v = 0; v < GROUP; v++) {
                    if (q0 + v >= q.n_q)
                        continue;
                    const char *query = (const char *)q.query + (q0 + v) * query_bytes;
                    NEP_UNROLL
                    for (int u = 0; u < GROUP; u++)
                        if (T == NEP_DENSE_I8)
                            whole[u][v] = chunk_product_int(row[u], query, c, whole[u][v]);
                        else
                            sum[u][v] = chunk_product<T>(row[u], query, c, sum[u][v]);
                }
            }
            float mine = 0.0f;
            NEP_UNROLL
            for (int u = 0; u < GROUP; u++)
                NEP_UNROLL
                for (int v = 0; v < GROUP; v++) {
                    const float a = T == NEP_DENSE_I8 ? (float)warp_sum(whole[u][v]) : warp_sum(sum[u][v]);
                    mine = lane == u * GROUP + v ? a : mine;
                }
            const int64_t i = g * GROUP + lane / GROUP;
            if (lane < GROUP * GROUP && i < x.n)
                offer(q, out, bound_of(x, q.metric, i), i, q0 + lane % GROUP, T == NEP_DENSE_I8 ? mine * x.scale[i] : mine);
        }
}

/* ---- many queries, float32 --------------------------------------------------------------------------------------- */
template <nep_dense_type T>
static __global__ void tile_kernel(nep_dense_rows x, nep_dense_queries q, result out)
{
    NEP_SHARED(float, rows, DEPTH * PITCH);
    NEP_SHARED(float, asked, DEPTH * PITCH);
    NEP_SHARED(row_bound, bounds, SIDE);
    const int across = (int)threadIdx.x % ACROSS, down = (int)threadIdx.x / ACROSS;
    const int64_t tiles_q = (q.n_q + SIDE - 1) / SIDE, tiles = (x.n + SIDE - 1) / SIDE * tiles_q, bytes = x.stride * nep_dense_size(T);
    for (int64_t tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
        const int64_t i0 = tile / tiles_q * SIDE, j0 = tile % tiles_q * SIDE;
        float r[EACH][EACH] = {};
        for (int u = (int)threadIdx.x; u < SIDE; u += NEP_BLOCK)
            bounds[u] = bound_of(x, q.metric, i0 + u);
        for (int64_t k0 = 0; k0 < x.stride; k0 += DEPTH) {
            for (int e = (int)threadIdx.x; e < SIDE * DEPTH; e += NEP_BLOCK) {
                const int u = e / DEPTH, k = e % DEPTH; /* a stride is whole in DEPTH */
                rows[k * PITCH + u] = i0 + u < x.n ? nep_dense_item(T, (const char *)x.row + (i0 + u) * bytes, k0 + k) : 0.0f;
                asked[k * PITCH + u] = j0 + u < q.n_q ? ((const float *)q.query)[(j0 + u) * x.stride + k0 + k] : 0.0f;
            }
            __syncthreads();
            pair_step<EACH>(rows, asked, r);
            __syncthreads();
        }
        NEP_UNROLL
        for (int u = 0; u < EACH; u++)
            NEP_UNROLL
            for (int v = 0; v < EACH; v++)
                offer(q, out, bounds[down + ACROSS * u], i0 + down + ACROSS * u, j0 + across + ACROSS * v, r[u][v]);
        __syncthreads();
    }
}

/* ---- many queries, int8 ------------------------------------------------------------------------------------------ */
static __device__ __forceinline__ quad load_quad(const void *base, int64_t row, int64_t n, int64_t chunks, int64_t chunk)
{
    return ((const quad *)base)[(row < n ? row : n - 1) * chunks + chunk];
}

/* Lane 4 g + t holds 16 bytes of row g (and g + 8) of each tile of 16 rows and of query g of each tile of 8. */
static __global__ void int_kernel(nep_dense_rows x, nep_dense_queries q, result out)
{
    const int warp = (int)threadIdx.x / NEP_WARP, g = (int)threadIdx.x % NEP_WARP / 4, t = (int)threadIdx.x % 4;
    const int64_t chunks = x.stride / (int64_t)sizeof(quad);
    const int64_t tiles_q = (q.n_q + INT_QUERIES - 1) / INT_QUERIES, tiles = (x.n + INT_ROWS - 1) / INT_ROWS * tiles_q;
    for (int64_t tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
        const int64_t i0 = tile / tiles_q * INT_ROWS + warp / 2 * 16 * M_TILES, j0 = tile % tiles_q * INT_QUERIES + warp % 2 * 8 * N_TILES;
        int32_t c[M_TILES][N_TILES][4] = {};
        for (int64_t k = t; k < chunks; k += 4) { /* a stride is whole in four of them */
            quad low[M_TILES], high[M_TILES];
            NEP_UNROLL
            for (int m = 0; m < M_TILES; m++) {
                low[m] = load_quad(x.row, i0 + 16 * m + g, x.n, chunks, k);
                high[m] = load_quad(x.row, i0 + 16 * m + g + 8, x.n, chunks, k);
            }
            NEP_UNROLL
            for (int n = 0; n < N_TILES; n++) {
                const quad b = load_quad(q.query, j0 + 8 * n + g, q.n_q, chunks, k);
                NEP_UNROLL
                for (int m = 0; m < M_TILES; m++)
                    NEP_UNROLL
                    for (int step = 0; step < 2; step++) {
                        const uint32_t a[4] = {low[m].w[2 * step], high[m].w[2 * step], low[m].w[2 * step + 1], high[m].w[2 * step + 1]};
                        nep_mma_bytes(c[m][n], a, b.w + 2 * step);
                    }
            }
        }
        NEP_UNROLL
        for (int m = 0; m < M_TILES; m++)
            NEP_UNROLL
            for (int half = 0; half < 2; half++) {
                const int64_t i = i0 + 16 * m + 8 * half + g;
                const row_bound b = bound_of(x, q.metric, i);
                const float scale = i < x.n ? x.scale[i] : 0.0f;
                NEP_UNROLL
                for (int n = 0; n < N_TILES; n++)
                    NEP_UNROLL
                    for (int v = 0; v < 2; v++)
                        offer(q, out, b, i, j0 + 8 * n + 2 * t + v, (float)c[m][n][2 * half + v] * scale);
            }
    }
}

template <nep_dense_type T>
static void launch_float(nep_queue *queue, const nep_dense_rows &x, const nep_dense_queries &q, const result &out)
{
    if (q.n_q <= FEW)
        NEP_LAUNCH(stream_kernel<T>, nep_grid(x.n, GROUP * WARPS), NEP_BLOCK, queue, x, q, out);
    else
        NEP_LAUNCH(tile_kernel<T>, nep_grid((x.n + SIDE - 1) / SIDE * ((q.n_q + SIDE - 1) / SIDE), 1), NEP_BLOCK, queue, x, q, out);
}

extern "C" nep_status nep_cuda_dense_hits(nep_ctx *ctx, nep_queue *queue, const nep_dense_rows *rows, const nep_dense_queries *queries,
                                          int64_t cap, int32_t *count, nep_dense_hit *hit)
{
    const nep_dense_rows x = *rows;
    const nep_dense_queries q = *queries;
    const result out = {cap, count, hit};
    NEP_TRY(nep_cuda_zero(ctx, queue, count, (size_t)q.n_q * sizeof *count));
    if (x.type == NEP_DENSE_F32)
        launch_float<NEP_DENSE_F32>(queue, x, q, out);
    else if (x.type == NEP_DENSE_F16)
        launch_float<NEP_DENSE_F16>(queue, x, q, out);
    else if (x.type == NEP_DENSE_BF16)
        launch_float<NEP_DENSE_BF16>(queue, x, q, out);
    else if (q.n_q <= FEW)
        NEP_LAUNCH(stream_kernel<NEP_DENSE_I8>, nep_grid(x.n, GROUP * WARPS), NEP_BLOCK, queue, x, q, out);
    else
        NEP_LAUNCH(int_kernel, nep_grid((x.n + INT_ROWS - 1) / INT_ROWS * ((q.n_q + INT_QUERIES - 1) / INT_QUERIES), 1), NEP_BLOCK, queue, x, q, out);
    return nep_cuda_launched(ctx, "dense_hits");
}
