/* SPDX-License-Identifier: Apache-2.0 */
/* bench_case_variogram - cases of the ops of variogram-matched surrogates. */
#ifndef NEP_BENCH_CASE_VARIOGRAM_H
#define NEP_BENCH_CASE_VARIOGRAM_H

#include "bench_case.h"

enum { VM = 9, VN = 400, VC = 256, VPAIRS = 20000, VBINS = 192, VMOMENTS = 4 };

static nep_status pair_squares_make(state *s)
{
    void *p, *q, *r;
    NEP_TRY(floats(s, 0, (int64_t)VM * VN * VC, 0, 1));
    NEP_TRY(input(s, 1, NEP_I32, VPAIRS, &p));
    NEP_TRY(input(s, 2, NEP_I32, VPAIRS, &q));
    NEP_TRY(input(s, 4, NEP_I64, VBINS + 1, &r));
    int32_t *a = p, *b = q;
    int64_t *start = r;
    for (int i = 0; i < VPAIRS; i++) {
        a[i] = (int32_t)((cheap((uint64_t)i) + 1) * 0.5 * VN);
        b[i] = (int32_t)((cheap((uint64_t)(i + VPAIRS)) + 1) * 0.5 * VN);
    }
    for (int i = 0; i <= VBINS; i++)
        start[i] = (int64_t)i * VPAIRS / VBINS;
    NEP_TRY(place(s, 1, NEP_I32, VPAIRS));
    NEP_TRY(place(s, 2, NEP_I32, VPAIRS));
    NEP_TRY(doubles(s, 3, VPAIRS, 0, 0.5));
    NEP_TRY(place(s, 4, NEP_I64, VBINS + 1));
    return output(s, 5, NEP_F64, (int64_t)VM * VBINS * VMOMENTS * VC);
}
static nep_status pair_squares_run(state *s)
{
    return s->be->ops.pair_squares(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, VM, VN, VC, s->b[1].ptr, s->b[2].ptr, s->b[3].ptr,
                                   s->b[4].ptr, VBINS, VMOMENTS, s->b[5].ptr);
}
static nep_status pair_squares_check(state *s, double *worst)
{
    const float *x = s->host[0];
    const int32_t *a = s->host[1], *b = s->host[2];
    const double *offset = s->host[3];
    const int64_t *start = s->host[4];
    void *p;
    NEP_TRY(fetch(s, 5, &p));
    const double *got = p;
    for (int64_t i = 0; i < (int64_t)VM * VBINS * VMOMENTS * VC; i += SAMPLE) {
        const int64_t c = i % VC, q = i / VC % VMOMENTS, bin = i / VC / VMOMENTS % VBINS, m = i / VC / VMOMENTS / VBINS;
        double want = 0, magnitude = 0;
        for (int64_t k = start[bin]; k < start[bin + 1]; k++) {
            const double d = (double)x[(m * VN + a[k]) * VC + c] - (double)x[(m * VN + b[k]) * VC + c];
            const double v = pow(offset[k], (double)q) * d * d;
            want += v;
            magnitude += fabs(v);
        }
        keep_worst(worst, got[i], want, 1e-6 * magnitude);
    }
    nep_alloc_free(p);
    return NEP_OK;
}

#endif
