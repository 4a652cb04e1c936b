/* SPDX-License-Identifier: Apache-2.0 */
/* spin_greedy - CUDA twin of src/backend/cpu_spin_greedy.c: a block per rotation. Distances are made anew when they are needed, so a block
 * holds the turned points and each row's nearest, in shared memory where they fit. A row is looked through by a whole warp. */
#include "launch.h"

#include <limits.h>

enum { WARPS = NEP_BLOCK / NEP_WARP };

/* What a block holds; columns that are taken lie infinitely far, rows that are done have a distance of -1. */
typedef struct {
    double *turned;   /* [n, 3] */
    double *distance; /* [n] to the nearest column left */
    int32_t *nearest; /* [n] that column, -1 = not looked for yet */
} greedy_room;

static size_t room_bytes(int64_t n)
{
    return (size_t)(4 * n + (n + 1) / 2) * sizeof(double);
}

static __device__ __forceinline__ greedy_room room_at(double *bytes, int64_t n)
{
    const greedy_room room = {bytes, bytes + 3 * n, (int32_t *)(bytes + 4 * n)};
    return room;
}

/* The warp finds the nearest column left of a row, the lowest of equals. */
static __device__ __forceinline__ void look_through(const greedy_room &room, const double *point, int64_t n, int64_t row)
{
    double least = INFINITY;
    int32_t at = INT_MAX;
    for (int64_t j = threadIdx.x % NEP_WARP; j < n; j += NEP_WARP) {
        const double d = sqrt(nep_sphere_square(point + 3 * row, room.turned + 3 * j));
        if (d < least) {
            least = d;
            at = (int32_t)j;
        }
    }
    for (unsigned by = NEP_WARP / 2; by > 0; by /= 2) {
        const double d = __shfl_xor_sync(NEP_ALL_LANES, least, by);
        const int32_t j = __shfl_xor_sync(NEP_ALL_LANES, at, by);
        if (d < least || (d == least && j < at)) {
            least = d;
            at = j;
        }
    }
    if (threadIdx.x % NEP_WARP == 0) {
        room.distance[row] = least;
        room.nearest[row] = at;
    }
}

/* Keeps the farther of two rows, the lower of equals. */
static __device__ __forceinline__ void keep_farther(double d, int32_t row, double *top, int32_t *best)
{
    if (d > *top || (d == *top && row < *best)) {
        *top = d;
        *best = row;
    }
}

/* Rows that lost the column `gone` look again; then the warp's farthest row is in all of its lanes. */
static __device__ __forceinline__ void farthest_of_warp(const greedy_room &room, const double *point, int64_t n, int32_t gone, double *top,
                                                        int32_t *best)
{
    const int64_t lane = threadIdx.x % NEP_WARP;
    *top = -1.0;
    *best = INT_MAX;
    for (int64_t base = threadIdx.x - lane; base < n; base += blockDim.x) {
        const int64_t i = base + lane;
        unsigned again = __ballot_sync(NEP_ALL_LANES, i < n && room.distance[i] >= 0.0 && room.nearest[i] == gone);
        for (int64_t row = base; again; again >>= 1, row++)
            if (again & 1u)
                look_through(room, point, n, row);
        __syncwarp();
        if (i < n)
            keep_farther(room.distance[i], (int32_t)i, top, best);
    }
    for (unsigned by = NEP_WARP / 2; by > 0; by /= 2) {
        const double d = __shfl_xor_sync(NEP_ALL_LANES, *top, by);
        const int32_t row = __shfl_xor_sync(NEP_ALL_LANES, *best, by);
        keep_farther(d, row, top, best);
    }
}

static __device__ void assign(const greedy_room &room, const double *point, int64_t n, double *tops, int32_t *rows, int32_t *out)
{
    int32_t gone = -1;
    for (int64_t step = 0; step < n; step++) {
        double top;
        int32_t row;
        farthest_of_warp(room, point, n, gone, &top, &row);
        if (threadIdx.x % NEP_WARP == 0) {
            tops[threadIdx.x / NEP_WARP] = top;
            rows[threadIdx.x / NEP_WARP] = row;
        }
        __syncthreads();
        for (unsigned w = 0; w < blockDim.x / NEP_WARP; w++)
            keep_farther(tops[w], rows[w], &top, &row);
        gone = room.nearest[row];
        if (threadIdx.x == 0) { /* nobody reads these before the barrier */
            out[row] = gone;
            room.distance[row] = -1.0;
            room.turned[3 * (int64_t)gone] = INFINITY;
        }
        __syncthreads();
    }
}

static __global__ void spin_greedy_kernel(const double *point, int64_t n, const double *rotation, int64_t n_rotations, double *outside,
                                          int64_t stride, int32_t *out)
{
    NEP_SHARED(double, tops, WARPS);
    NEP_SHARED(int32_t, rows, WARPS);
    NEP_SHARED_DYNAMIC(double, inside);
    const greedy_room room = room_at(outside ? outside + blockIdx.x * stride : inside, n);
    for (int64_t b = blockIdx.x; b < n_rotations; b += gridDim.x) {
        for (int64_t j = threadIdx.x; j < n; j += blockDim.x) {
            nep_sphere_turn(rotation + 9 * b, point + 3 * j, room.turned + 3 * j);
            room.distance[j] = 0.0;
            room.nearest[j] = -1;
        }
        __syncthreads();
        assign(room, point, n, tops, rows, out + b * n);
    }
}

extern "C" nep_status nep_cuda_spin_greedy(nep_ctx *ctx, nep_queue *queue, const double *point, int64_t n, const double *rotation,
                                           int64_t n_rotations, int32_t *out)
{
    const unsigned block = n < NEP_BLOCK ? (unsigned)((n + NEP_WARP - 1) / NEP_WARP * NEP_WARP) : (unsigned)NEP_BLOCK;
    const size_t bytes = room_bytes(n);
    const bool fits = bytes <= NEP_SHARED_MOST;
    unsigned grid = nep_grid(n_rotations, 1);
    void *outside = NULL;
    nep_status st = NEP_OK;
    if (!fits) {
        const int64_t most = NEP_CUDA_SCRATCH / (int64_t)bytes;
        grid = most < 1 ? 1u : grid > most ? (unsigned)most : grid;
        NEP_TRY(nep_cuda_alloc(ctx, bytes * grid, "rows and turned points of an assignment", &outside));
    }
    NEP_LAUNCH_SHARED(spin_greedy_kernel, grid, block, fits ? bytes : 0, queue, point, n, rotation, n_rotations, (double *)outside,
                      (int64_t)(bytes / sizeof(double)), out);
    st = nep_cuda_launched(ctx, "spin_greedy");
    nep_cuda_release(outside);
    return st;
}
