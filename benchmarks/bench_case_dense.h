/* SPDX-License-Identifier: Apache-2.0 */
/* bench_case_dense - the cases of the ops on dense vectors. */
#ifndef NEP_BENCH_CASE_DENSE_H
#define NEP_BENCH_CASE_DENSE_H

#include "bench_case.h"

/* Rows in (-1, 1): few products reach the gate. */
enum { DN = 40000, DD = 256, DQ = 256, DCAP = 1024, DPAIRS = 100000 };
static const float dense_gate = 18.0f;
static nep_dense_rows dense_rows(const state *s)
{
    return (nep_dense_rows){.type = NEP_DENSE_F32, .n = DN, .dims = DD, .stride = DD, .row = s->b[0].ptr, .norm = s->b[2].ptr};
}
static nep_status dense_hits_make(state *s)
{
    void *p;
    NEP_TRY(floats(s, 0, (int64_t)DN * DD, 0, 1));
    NEP_TRY(floats(s, 1, (int64_t)DQ * DD, 0, 1));
    NEP_TRY(doubles(s, 2, DN, 9, 0));
    NEP_TRY(input(s, 3, NEP_F32, 4 * DQ, &p));
    for (int q = 0; q < DQ; q++)
        ((float *)p)[q] = dense_gate;
    NEP_TRY(place(s, 3, NEP_F32, 4 * DQ));
    NEP_TRY(output(s, 4, NEP_I32, DQ));
    return output(s, 5, NEP_U64, (int64_t)DQ * DCAP);
}
static nep_status dense_hits_run(state *s)
{
    const nep_dense_rows x = dense_rows(s);
    const nep_dense_queries q = {.query = s->b[1].ptr, .gate = s->b[3].ptr, .n_q = DQ, .metric = NEP_DENSE_INNER};
    return s->be->ops.dense_hits(s->ctx, s->be->queue(s->ctx), &x, &q, DCAP, s->b[4].ptr, s->b[5].ptr);
}
static nep_status dense_hits_check(state *s, double *worst)
{
    const float *x = s->host[0], *q = s->host[1];
    void *p;
    NEP_TRY(fetch(s, 4, &p));
    const int32_t *got = p;
    for (int64_t j = 0; j < DQ; j += 51) {
        double sure = 0, near = 0; /* products well above the gate, and those about it */
        for (int64_t i = 0; i < DN; i++) {
            const double v = nep_dense_sum(NEP_DENSE_F32, false, q + j * DD, x + i * DD, 1.0f, DD);
            sure += v > (double)dense_gate + 1e-3;
            near += fabs(v - (double)dense_gate) <= 1e-3;
        }
        keep_worst(worst, (double)got[j], sure + near / 2, near / 2 + 0.5);
        keep_worst(worst, 0, sure > 0 && sure < DCAP ? 0 : 2, 1);
    }
    nep_alloc_free(p);
    return NEP_OK;
}

static nep_status dense_scores_make(state *s)
{
    void *p;
    NEP_TRY(floats(s, 0, (int64_t)DN * DD, 0, 1));
    NEP_TRY(floats(s, 1, (int64_t)DQ * DD, 0, 1));
    for (int k = 2; k < 4; k++) {
        NEP_TRY(input(s, k, NEP_I32, DPAIRS, &p));
        for (int32_t i = 0; i < DPAIRS; i++)
            ((int32_t *)p)[i] = k == 2 ? i % DQ : (int32_t)((int64_t)i * 7919 % DN);
        NEP_TRY(place(s, k, NEP_I32, DPAIRS));
    }
    return output(s, 4, NEP_F64, DPAIRS);
}
static nep_status dense_scores_run(state *s)
{
    const nep_dense_rows x = dense_rows(s);
    return s->be->ops.dense_scores(s->ctx, s->be->queue(s->ctx), &x, s->b[1].ptr, false, s->b[2].ptr, s->b[3].ptr, DPAIRS, s->b[4].ptr);
}
static nep_status dense_scores_check(state *s, double *worst)
{
    const float *x = s->host[0], *q = s->host[1];
    void *p;
    NEP_TRY(fetch(s, 4, &p));
    const double *got = p;
    for (int64_t i = 0; i < DPAIRS; i += SAMPLE)
        keep_worst(worst, got[i], nep_dense_sum(NEP_DENSE_F32, false, q + i % DQ * DD, x + i * 7919 % DN * DD, 1.0f, DD), 1e-300);
    nep_alloc_free(p);
    return NEP_OK;
}

#endif
