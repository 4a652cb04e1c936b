/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_spin_greedy - CPU twin of kernels/spin_greedy.cu: a rotation per thread, all its distances made once, eight columns side by side. */
#include "backend/cpu.h"

#include <omp.h>
#include <string.h>

enum { STRANDS = 8 };

/* Of one thread. */
typedef struct {
    double *distances;       /* [n, width] from each point to each turned one */
    double *turned[3];       /* [width] each axis */
    double *taken;           /* [width] 0, or infinity for columns taken and those past the last */
    double *distance;        /* [n] to the nearest column left */
    int32_t *nearest, *rows; /* [n] that column; rows left, ascending */
} greedy;

static int64_t width_of(int64_t n)
{
    return nep_cpu_tiles(n, STRANDS) * STRANDS;
}

static int64_t room_of(int64_t n)
{
    return (n + 6) * width_of(n); /* the two int32 arrays share the last row */
}

static greedy greedy_at(double *room, int64_t n)
{
    const int64_t w = width_of(n);
    greedy g = {.distances = room, .taken = room + (n + 3) * w, .distance = room + (n + 4) * w};
    for (int k = 0; k < 3; k++)
        g.turned[k] = room + (n + k) * w;
    g.nearest = (int32_t *)(void *)(room + (n + 5) * w);
    g.rows = g.nearest + n;
    return g;
}

NEP_CPU_BODY void measure_body(const greedy *g, const double *point, int64_t n)
{
    const int64_t w = width_of(n);
    const double *tx = g->turned[0], *ty = g->turned[1], *tz = g->turned[2];
    for (int64_t i = 0; i < n; i++) {
        const double *p = point + 3 * i;
        double *row = g->distances + i * w;
        for (int64_t j = 0; j < w; j++) { /* nep_sphere_square(p, turned j), term by term */
            const double x = p[0] - tx[j], y = p[1] - ty[j], z = p[2] - tz[j];
            row[j] = sqrt(x * x + y * y + z * z);
        }
    }
}

/* The nearest column left of row i, the lowest of equals. */
NEP_CPU_BODY void look_body(const greedy *g, int64_t n, int64_t i)
{
    const int64_t w = width_of(n);
    const double *row = g->distances + i * w;
    double least[STRANDS], at[STRANDS];
    for (int s = 0; s < STRANDS; s++) {
        least[s] = (double)INFINITY;
        at[s] = (double)n;
    }
    for (int64_t j = 0; j < w; j += STRANDS)
        for (int s = 0; s < STRANDS; s++) {
            const double d = row[j + s] + g->taken[j + s];
            at[s] = d < least[s] ? (double)(j + s) : at[s];
            least[s] = d < least[s] ? d : least[s];
        }
    int best = 0;
    for (int s = 1; s < STRANDS; s++)
        if (least[s] < least[best] || (least[s] == least[best] && at[s] < at[best]))
            best = s;
    g->distance[i] = least[best];
    g->nearest[i] = (int32_t)at[best];
}

NEP_CPU_BODY void assign_body(const greedy *g, const double *point, int64_t n, int32_t *out)
{
    int32_t gone = -1;
    measure_body(g, point, n);
    for (int64_t left = n; left > 0; left--) {
        int64_t best = 0;
        double top = -1.0;
        for (int64_t r = 0; r < left; r++) {
            const int32_t i = g->rows[r];
            if (g->nearest[i] == gone)
                look_body(g, n, i);
            if (g->distance[i] > top) {
                top = g->distance[i];
                best = r;
            }
        }
        const int32_t row = g->rows[best];
        gone = out[row] = g->nearest[row];
        g->taken[gone] = (double)INFINITY;
        memmove(g->rows + best, g->rows + best + 1, (size_t)(left - best - 1) * sizeof *g->rows);
    }
}

typedef void assign_function(const greedy *g, const double *point, int64_t n, int32_t *out);

static void assign_scalar(const greedy *g, const double *point, int64_t n, int32_t *out)
{
    assign_body(g, point, n, out);
}

NEP_CPU_AVX2_CODE static void assign_avx2(const greedy *g, const double *point, int64_t n, int32_t *out)
{
    assign_body(g, point, n, out);
}

NEP_CPU_AVX512_CODE static void assign_avx512(const greedy *g, const double *point, int64_t n, int32_t *out)
{
    assign_body(g, point, n, out);
}

/* Turned points by axis, and every row and column there. */
static void begin(const greedy *g, const double *point, int64_t n, const double *rotation)
{
    const int64_t w = width_of(n);
    for (int64_t j = 0; j < w; j++) {
        double turned[3] = {0.0, 0.0, 0.0};
        if (j < n) {
            nep_sphere_turn(rotation, point + 3 * j, turned);
            g->nearest[j] = -1;
            g->rows[j] = (int32_t)j;
        }
        for (int k = 0; k < 3; k++)
            g->turned[k][j] = turned[k];
        g->taken[j] = j < n ? 0.0 : (double)INFINITY;
    }
}

nep_status nep_cpu_spin_greedy(nep_ctx *ctx, nep_queue *queue, const double *point, int64_t n, const double *rotation, int64_t n_rotations,
                               int32_t *out)
{
    (void)queue;
    const nep_cpu_family f = nep_cpu_family_get();
    assign_function *const assign = f >= NEP_CPU_AVX512 ? assign_avx512 : f >= NEP_CPU_AVX2 ? assign_avx2 : assign_scalar;
    const int threads = (int)nep_cpu_min(nep_ctx_threads(ctx), n_rotations);
    const int64_t own = room_of(n);
    double *room = NULL;
    NEP_TRY(nep_alloc(ctx, own * threads, sizeof *room, "distances of an assignment", &room));
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
    for (int64_t b = 0; b < n_rotations; b++) {
        const greedy g = greedy_at(room + own * omp_get_thread_num(), n);
        begin(&g, point, n, rotation + 9 * b);
        assign(&g, point, n, out + b * n);
    }
    nep_alloc_free(room);
    return NEP_OK;
}
