/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_mode_sums - CPU twin of kernels/mode_sums.cu: a few maps at a few places in registers, the modes of those places in a near cache for
 * all maps. Each sum runs in the order of the modes, so that no bit depends on the division. */
#include "backend/cpu.h"

#include <string.h>

typedef struct {
    const double *v;
    int64_t n_v, n_places;
    const double *c;
    int64_t n_maps;
    const double *base;
    double *out;
} problem;

enum { WIDE = 8 }; /* places of a vector, which a family may make of several registers */
typedef double vec __attribute__((vector_size(WIDE * sizeof(double)), aligned(sizeof(double))));

/* `maps` maps at `wide` vectors of places: constants, so that the sums stay in registers. The first `had` places are another strip's. */
NEP_CPU_BODY void tile_body(const problem *p, int64_t map, int64_t place, int64_t had, int maps, int wide)
{
    vec sum[8][2];
    const double *c = p->c + map * p->n_v;
    for (int b = 0; b < maps; b++)
        for (int i = 0; i < wide; i++)
            sum[b][i] = *(const vec *)(p->base + place + WIDE * i);
    for (int64_t k = 0; k < p->n_v; k++) {
        const vec *mode = (const vec *)(p->v + k * p->n_places + place);
#pragma GCC unroll 8
        for (int b = 0; b < maps; b++)
#pragma GCC unroll 2
            for (int i = 0; i < wide; i++)
                sum[b][i] += c[b * p->n_v + k] * mode[i];
    }
    for (int b = 0; b < maps; b++)
        memcpy(p->out + (map + b) * p->n_places + place + had, (const double *)(const void *)sum[b] + had,
               (size_t)(WIDE * wide - had) * sizeof(double));
}

static double one_sum(const problem *p, int64_t map, int64_t place)
{
    double sum = p->base[place];
    for (int64_t k = 0; k < p->n_v; k++)
        sum += p->c[map * p->n_v + k] * p->v[k * p->n_places + place];
    return sum;
}

/* All maps at the places of strip t. The last strip reaches back over places that it leaves to the one before. */
NEP_CPU_BODY void strip_body(const problem *p, int64_t t, int maps, int wide)
{
    const int64_t first = t * WIDE * wide, place = nep_cpu_min(first, p->n_places - WIDE * wide);
    int64_t map = 0;
    for (; place >= 0 && map + maps <= p->n_maps; map += maps)
        tile_body(p, map, place, first - place, maps, wide);
    for (; place >= 0 && map < p->n_maps; map++)
        tile_body(p, map, place, first - place, 1, wide);
    for (; map < p->n_maps; map++)
        for (int64_t i = first; i < p->n_places; i++)
            p->out[map * p->n_places + i] = one_sum(p, map, i);
}

typedef void strip_function(const problem *p, int64_t t);

static void strip_any(const problem *p, int64_t t)
{
    strip_body(p, t, 2, 1);
}

NEP_CPU_AVX2_CODE static void strip_avx2(const problem *p, int64_t t)
{
    strip_body(p, t, 4, 1);
}

NEP_CPU_AVX512_CODE static void strip_avx512(const problem *p, int64_t t)
{
    strip_body(p, t, 8, 2);
}

nep_status nep_cpu_mode_sums(nep_ctx *ctx, nep_queue *queue, const double *v, int64_t n_v, int64_t n_places, const double *c, int64_t n_maps,
                             const double *base, double *out)
{
    (void)queue;
    const nep_cpu_family f = nep_cpu_family_get();
    strip_function *const strip = f >= NEP_CPU_AVX512 ? strip_avx512 : f >= NEP_CPU_AVX2 ? strip_avx2 : strip_any;
    const int64_t places = f >= NEP_CPU_AVX512 ? 2 * WIDE : WIDE, strips = nep_cpu_tiles(n_places, places);
    const problem p = {v, n_v, n_places, c, n_maps, base, out};
#pragma omp parallel for schedule(dynamic) num_threads(nep_ctx_threads(ctx))
    for (int64_t t = 0; t < strips; t++)
        strip(&p, t);
    return NEP_OK;
}
