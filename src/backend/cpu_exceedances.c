/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_exceedances - CPU twin of kernels/exceedances.cu. The inner products are summed in the order of q on both, without
 * fused steps, so that both count alike. */
#include "backend/cpu.h"

#include <math.h>

#include <nepenthe/math/tstat.h>

NEP_CPU_BODY int64_t row_body(const double *a, int64_t p, const double *centred, int64_t n, double bound)
{
    double dot[NEP_CPU_TILE] = {0};
    int64_t hits = 0;
    for (int64_t q = 0; q < p; q++)
        for (int64_t b = 0; b < n; b++)
            dot[b] += a[q] * centred[q * n + b];
    for (int64_t b = 0; b < n; b++)
        hits += fabs(dot[b]) >= bound;
    return hits;
}

static int64_t row_any(const double *a, int64_t p, const double *centred, int64_t n, double bound)
{
    return row_body(a, p, centred, n, bound);
}

NEP_CPU_AVX512_CODE static int64_t row_avx512(const double *a, int64_t p, const double *centred, int64_t n,
                                              double bound)
{
    return row_body(a, p, centred, n, bound);
}

nep_status nep_cpu_exceedances(nep_ctx *ctx, nep_queue *queue, const double *a, int64_t n, int64_t p, const double *c,
                               int64_t n_null, const double *centre, const double *observed, int64_t *count)
{
    (void)queue;
    const bool wide = nep_cpu_family_get() >= NEP_CPU_AVX512;
    const int64_t tiles = nep_cpu_tiles(n_null, NEP_CPU_TILE);
    double *centred = NULL; /* tile after tile, [p, columns of the tile] */
    NEP_TRY(nep_alloc(ctx, n_null * p, sizeof *centred, "centred nulls", &centred));
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(ctx))
    for (int64_t tile = 0; tile < tiles; tile++) {
        const int64_t first = tile * NEP_CPU_TILE, columns = nep_cpu_min(NEP_CPU_TILE, n_null - first);
        for (int64_t b = 0; b < columns; b++)
            for (int64_t q = 0; q < p; q++)
                centred[first * p + q * columns + b] = c[(first + b) * p + q] - centre[q];
    }
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(ctx))
    for (int64_t i = 0; i < n; i++) {
        const double bound = nep_tstat_bound(observed[i]);
        int64_t hits = 0;
        for (int64_t tile = 0; tile < tiles; tile++) {
            const int64_t first = tile * NEP_CPU_TILE, columns = nep_cpu_min(NEP_CPU_TILE, n_null - first);
            hits += (wide ? row_avx512 : row_any)(a + i * p, p, centred + first * p, columns, bound);
        }
        count[i] = hits;
    }
    nep_alloc_free(centred);
    return NEP_OK;
}
