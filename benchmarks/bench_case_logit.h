/* SPDX-License-Identifier: Apache-2.0 */
/* bench_case_logit - case of the op of logistic regressions over grouped rows. */
#ifndef NEP_BENCH_CASE_LOGIT_H
#define NEP_BENCH_CASE_LOGIT_H

#include <nepenthe/math/logit.h>

#include "bench_case.h"

enum { LN = 24000, LG = 16, LW = 41, LD = 8, LU = 1500 };

static nep_status logit_sums_make(state *s)
{
    void *p, *q, *r, *v;
    NEP_TRY(doubles(s, 0, (int64_t)LN * LW, 0, 1));
    NEP_TRY(input(s, 1, NEP_F64, LN, &p));
    NEP_TRY(doubles(s, 2, LN, 1.5, 0.5));
    NEP_TRY(input(s, 3, NEP_I32, LN, &q));
    NEP_TRY(input(s, 4, NEP_I64, LG + 1, &r));
    NEP_TRY(input(s, 5, NEP_I32, (int64_t)LD * LU, &v));
    for (int i = 0; i < LN; i++) {
        ((double *)p)[i] = i % 7 == 0;
        ((int32_t *)q)[i] = i % LU;
    }
    for (int j = 0; j <= LG; j++)
        ((int64_t *)r)[j] = (int64_t)j * LN / LG;
    for (int i = 0; i < LD * LU; i++)
        ((int32_t *)v)[i] = 1 + i % 3;
    NEP_TRY(place(s, 1, NEP_F64, LN));
    NEP_TRY(place(s, 3, NEP_I32, LN));
    NEP_TRY(place(s, 4, NEP_I64, LG + 1));
    NEP_TRY(place(s, 5, NEP_I32, (int64_t)LD * LU));
    NEP_TRY(input(s, 6, NEP_I32, LD * LG, &p));
    for (int i = 0; i < LD * LG; i++)
        ((int32_t *)p)[i] = 1;
    NEP_TRY(place(s, 6, NEP_I32, LD * LG));
    NEP_TRY(doubles(s, 7, (int64_t)LD * LG * LW, 0, 0.3));
    return output(s, 8, NEP_F64, LD * LG * nep_logit_size(LW));
}
static nep_status logit_sums_run(state *s)
{
    return s->be->ops.logit_sums(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, s->b[1].ptr, s->b[2].ptr, s->b[3].ptr, s->b[4].ptr, LG, LW,
                                 s->b[5].ptr, LU, s->b[6].ptr, s->b[7].ptr, LD, s->b[8].ptr);
}
static nep_status logit_sums_check(state *s, double *worst)
{
    const double *f = s->host[0], *w = s->host[2], *at = s->host[7], *y = s->host[1];
    const int32_t *unit = s->host[3], *times = s->host[5];
    const int64_t *start = s->host[4], size = nep_logit_size(LW);
    void *p;
    NEP_TRY(fetch(s, 8, &p));
    const double *got = p;
    for (int64_t i = 0; i < LD * LG; i += 5) {
        double likelihood = 0, cell = 0, magnitude = 0;
        for (int64_t k = start[i % LG]; k < start[i % LG + 1]; k++) {
            double t = 0;
            for (int a = 0; a < LW; a++)
                t += f[k * LW + a] * at[i * LW + a];
            const double weight = w[k] * times[i / LG * LU + unit[k]], chance = 1 / (1 + exp(-t));
            likelihood += weight * log(y[k] > 0 ? chance : 1 - chance);
            cell += weight * chance * (1 - chance) * f[k * LW + 2] * f[k * LW + 3];
            magnitude += weight;
        }
        keep_worst(worst, got[i * size], likelihood, 1e-9 * magnitude);
        keep_worst(worst, got[i * size + 1 + LW + nep_packed_index(2, 3, LW)], cell, 1e-9 * magnitude);
    }
    nep_alloc_free(p);
    return NEP_OK;
}

#endif
