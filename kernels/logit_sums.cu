/* SPDX-License-Identifier: Apache-2.0 */
/* logit_sums - CUDA twin of src/backend/cpu_logit_sums.c: a block per draw and group, rows by tiles of ROWS in shared memory. */
#include "launch.h"

#include <nepenthe/math/logit.h>

enum { ROWS = 16, LANES = 8, ACROSS = 16, DOWN = 8, LOGIT_BLOCK = ROWS * LANES };

typedef struct {
    double *f, *part, *residual, *curvature, *value; /* [ROWS, width], [ROWS, LANES], [ROWS] each */
} tile;

/* Logit, residual, curvature and log likelihood of the rows of a tile; LANES threads per row. */
static __device__ void look(const tile *t, int64_t rows, int64_t width, const double *y, const double *w, const int32_t *unit,
                            const int32_t *times, const double *at)
{
    const int64_t row = threadIdx.x / LANES, lane = threadIdx.x % LANES;
    double sum = 0;
    for (int64_t a = lane; row < rows && a < width; a += LANES)
        sum += t->f[row * width + a] * at[a];
    t->part[threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.x < rows) {
        const int64_t i = threadIdx.x;
        const double weight = w[i] * (double)times[unit[i]];
        double logit = 0, residual, curvature;
        for (int64_t k = 0; k < LANES; k++)
            logit += t->part[i * LANES + k];
        t->value[i] = weight * nep_logit_row(logit, y[i], &residual, &curvature);
        t->residual[i] = weight * residual;
        t->curvature[i] = weight * curvature;
    }
    __syncthreads();
}

/* Adds a tile to the sums of the block. An item belongs to one thread, which adds its rows in order. */
static __device__ void add(const tile *t, int64_t rows, int64_t width, double *out)
{
    if (threadIdx.x == 0)
        for (int64_t i = 0; i < rows; i++)
            out[0] += t->value[i];
    for (int64_t a = threadIdx.x; a < width; a += LOGIT_BLOCK) {
        double sum = 0;
        for (int64_t i = 0; i < rows; i++)
            sum += t->residual[i] * t->f[i * width + a];
        out[1 + a] += sum;
    }
    for (int64_t a = threadIdx.x / ACROSS; a < width; a += DOWN)
        for (int64_t b = threadIdx.x % ACROSS; b < width; b += ACROSS) {
            double sum = 0;
            if (b < a)
                continue;
            for (int64_t i = 0; i < rows; i++)
                sum += t->curvature[i] * t->f[i * width + a] * t->f[i * width + b];
            out[1 + width + nep_packed_index(a, b, width)] += sum;
        }
}

static __global__ void logit_sums_kernel(const double *f, const double *y, const double *w, const int32_t *unit, const int64_t *start,
                                         int64_t n_groups, int64_t width, const int32_t *times, int64_t n_units, const int32_t *wanted,
                                         const double *at, int64_t n_draws, double *out)
{
    NEP_SHARED_DYNAMIC(double, shared);
    double *const after = shared + ROWS * width;
    const tile t = {shared, after, after + ROWS * LANES, after + ROWS * (LANES + 1), after + ROWS * (LANES + 2)};
    const int64_t size = nep_logit_size(width);
    for (int64_t i = blockIdx.x; i < n_draws * n_groups; i += gridDim.x) {
        const int64_t d = i / n_groups, j = i % n_groups, end = wanted[i] ? start[j + 1] : start[j];
        for (int64_t k = threadIdx.x; k < size; k += LOGIT_BLOCK)
            out[i * size + k] = 0;
        for (int64_t first = start[j]; first < end; first += ROWS) {
            const int64_t rows = end - first < ROWS ? end - first : (int64_t)ROWS;
            __syncthreads(); /* nobody reads the last tile any more, and the zeros are seen */
            for (int64_t k = threadIdx.x; k < rows * width; k += LOGIT_BLOCK)
                t.f[k] = f[first * width + k];
            __syncthreads();
            look(&t, rows, width, y + first, w + first, unit + first, times + d * n_units, at + i * width);
            add(&t, rows, width, out + i * size);
        }
    }
}

extern "C" nep_status nep_cuda_logit_sums(nep_ctx *ctx, nep_queue *queue, const double *f, const double *y, const double *w,
                                          const int32_t *unit, const int64_t *start, int64_t n_groups, int64_t width, const int32_t *times,
                                          int64_t n_units, const int32_t *wanted, const double *at, int64_t n_draws, double *out)
{
    const size_t bytes = (size_t)(ROWS * (width + LANES + 3)) * sizeof(double);
    NEP_LAUNCH_SHARED(logit_sums_kernel, nep_grid(n_draws * n_groups, 1), LOGIT_BLOCK, bytes, queue, f, y, w, unit, start, n_groups, width,
                      times, n_units, wanted, at, n_draws, out);
    return nep_cuda_launched(ctx, "logit_sums");
}
