/* SPDX-License-Identifier: Apache-2.0 */
/* bench_case_series - cases of ops on series: a column's own, and of columns with one another. */
#ifndef NEP_BENCH_CASE_SERIES_H
#define NEP_BENCH_CASE_SERIES_H

#include "bench_case.h"

static nep_status moments_make(state *s)
{
    NEP_TRY(floats(s, 0, (int64_t)T * V, 1000, 10));
    NEP_TRY(output(s, 1, NEP_F64, V));
    return output(s, 2, NEP_F64, V);
}
static nep_status moments_run(state *s)
{
    return s->be->ops.moments(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, T, V, s->b[1].ptr, s->b[2].ptr);
}
static double column_mean(const float *x, int64_t c)
{
    double mean = 0;
    for (int64_t t = 0; t < T; t++)
        mean += (double)x[t * V + c];
    return mean / T;
}
static nep_status moments_check(state *s, double *worst)
{
    const float *x = s->host[0];
    void *p;
    NEP_TRY(fetch(s, 2, &p));
    const double *got = p;
    for (int64_t c = 0; c < V; c += SAMPLE) {
        const double mean = column_mean(x, c);
        double m2 = 0;
        for (int64_t t = 0; t < T; t++)
            m2 += ((double)x[t * V + c] - mean) * ((double)x[t * V + c] - mean);
        keep_worst(worst, got[c], m2, 1e-12 * m2);
    }
    nep_alloc_free(p);
    return NEP_OK;
}

static nep_status apply_operator_make(state *s)
{
    NEP_TRY(floats(s, 0, (int64_t)T * V, 1000, 10));
    NEP_TRY(doubles(s, 1, (int64_t)T * T, 0, 0.1));
    NEP_TRY(doubles(s, 2, V, 1000, 1));
    return output(s, 3, NEP_F32, (int64_t)T * V);
}
static nep_status apply_operator_run(state *s)
{
    return s->be->ops.apply_operator(s->ctx, s->be->queue(s->ctx), s->b[1].ptr, T, T, s->b[0].ptr, V, s->b[2].ptr,
                                     s->b[3].ptr);
}
static nep_status apply_operator_check(state *s, double *worst)
{
    const float *x = s->host[0];
    const double *m = s->host[1], *mean = s->host[2];
    void *p;
    NEP_TRY(fetch(s, 3, &p));
    const float *got = p;
    for (int64_t c = 0; c < V; c += SAMPLE)
        for (int64_t r = 0; r < T; r += 13) {
            double want = 0, size = 0;
            for (int64_t t = 0; t < T; t++) {
                want += m[r * T + t] * ((double)x[t * V + c] - mean[c]);
                size += fabs(m[r * T + t] * ((double)x[t * V + c] - mean[c]));
            }
            keep_worst(worst, (double)got[r * V + c], want, 1e-6 * size);
        }
    nep_alloc_free(p);
    return NEP_OK;
}

enum { FIRST = 6, LAST = 60, HALF = (T - 1) / 2 };
static nep_status amplitude_sums_make(state *s)
{
    NEP_TRY(floats(s, 0, (int64_t)T * V, 1000, 10));
    NEP_TRY(output(s, 1, NEP_F64, V));
    return output(s, 2, NEP_F64, V);
}
static nep_status amplitude_sums_run(state *s)
{
    return s->be->ops.amplitude_sums(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, T, V, FIRST, LAST, s->b[1].ptr,
                                     s->b[2].ptr);
}
static nep_status amplitude_sums_check(state *s, double *worst)
{
    const float *x = s->host[0];
    void *p;
    NEP_TRY(fetch(s, 1, &p));
    const double *got = p;
    for (int64_t c = 0; c < V; c += 10 * SAMPLE) {
        const double mean = column_mean(x, c);
        double want = 0;
        for (int64_t m = FIRST; m <= LAST; m++) {
            double re = 0, im = 0;
            for (int64_t t = 0; t < T; t++) {
                re += ((double)x[t * V + c] - mean) * cos(2 * M_PI * (double)(m * t % T) / T);
                im += ((double)x[t * V + c] - mean) * sin(2 * M_PI * (double)(m * t % T) / T);
            }
            want += 2 * sqrt(re * re + im * im) / T;
        }
        keep_worst(worst, got[c], want, 1e-11 * want);
    }
    nep_alloc_free(p);
    return NEP_OK;
}

enum { GT = 1200, GN = 1000 };
static nep_status gram_make(state *s)
{
    NEP_TRY(floats(s, 0, (int64_t)GT * GN, 100, 10));
    NEP_TRY(doubles(s, 1, GN, 100, 1));
    NEP_TRY(doubles(s, 2, GN, 0.1, 0.01));
    return output(s, 3, NEP_F64, (int64_t)GN * GN);
}
static nep_status gram_run(state *s)
{
    return s->be->ops.gram(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, GT, GN, s->b[1].ptr, s->b[2].ptr, s->b[3].ptr);
}
static nep_status gram_check(state *s, double *worst)
{
    const float *x = s->host[0];
    const double *mean = s->host[1], *scale = s->host[2];
    void *p;
    NEP_TRY(fetch(s, 3, &p));
    const double *got = p;
    for (int64_t k = 0; k < (int64_t)GN * GN; k += SAMPLE * 7) {
        const int64_t i = k / GN, j = k % GN;
        double want = 0;
        for (int64_t t = 0; t < GT; t++)
            want += ((double)x[t * GN + i] - mean[i]) * scale[i] * (((double)x[t * GN + j] - mean[j]) * scale[j]);
        keep_worst(worst, got[k], want, 1e-12 * GT);
    }
    nep_alloc_free(p);
    return NEP_OK;
}

static nep_status difference_squares_make(state *s)
{
    NEP_TRY(floats(s, 0, (int64_t)T * V, 1000, 10));
    NEP_TRY(doubles(s, 1, V, 1, 0.5));
    return output(s, 2, NEP_F64, T);
}
static nep_status difference_squares_run(state *s)
{
    return s->be->ops.difference_squares(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, T, V, s->b[1].ptr, s->b[2].ptr);
}
static nep_status difference_squares_check(state *s, double *worst)
{
    const float *x = s->host[0];
    const double *w = s->host[1];
    void *p;
    NEP_TRY(fetch(s, 2, &p));
    const double *got = p;
    for (int64_t t = 1; t < T; t += 50) {
        double want = 0;
        for (int64_t c = 0; c < V; c++) {
            const double d = (double)x[t * V + c] - (double)x[(t - 1) * V + c];
            want += w[c] * d * d;
        }
        keep_worst(worst, got[t], want, 1e-12 * want);
    }
    nep_alloc_free(p);
    return NEP_OK;
}

enum { LQ = 24 };
static nep_status lag_products_make(state *s)
{
    NEP_TRY(doubles(s, 0, LQ * T, 0, 1));
    NEP_TRY(floats(s, 1, (int64_t)T * V, 100, 10));
    return output(s, 2, NEP_F64, (LQ + 2) * V);
}
static nep_status lag_products_run(state *s)
{
    return s->be->ops.lag_products(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, LQ, T, s->b[1].ptr, V, s->b[2].ptr);
}
static nep_status lag_products_check(state *s, double *worst)
{
    const double *q = s->host[0];
    const float *x = s->host[1];
    void *p;
    NEP_TRY(fetch(s, 2, &p));
    const double *got = p;
    for (int64_t c = 0; c < V; c += SAMPLE)
        for (int k = 0; k < LQ + 2; k++) {
            double want = 0, magnitude = 0;
            for (int64_t t = k == LQ + 1; t < T; t++) {
                const double now = (double)x[t * V + c];
                const double by = k < LQ ? q[k * T + t] : k == LQ ? now : (double)x[(t - 1) * V + c];
                want += by * now;
                magnitude += fabs(by * now);
            }
            keep_worst(worst, got[k * V + c], want, 1e-12 * magnitude);
        }
    nep_alloc_free(p);
    return NEP_OK;
}

static nep_status time_ranks_make(state *s)
{
    NEP_TRY(floats(s, 0, (int64_t)T * V, 100, 10));
    NEP_TRY(output(s, 1, NEP_I16, (int64_t)T * V));
    return output(s, 2, NEP_I64, V);
}
static nep_status time_ranks_run(state *s)
{
    return s->be->ops.time_ranks(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, T, V, NEP_RANK_MIDRANK, s->b[1].ptr, s->b[2].ptr);
}
static nep_status time_ranks_check(state *s, double *worst)
{
    const float *x = s->host[0];
    void *p;
    NEP_TRY(fetch(s, 1, &p));
    const int16_t *got = p;
    for (int64_t v = 0; v < V; v += SAMPLE)
        for (int64_t t = 0; t < T; t++) {
            int less = 0, more = 0;
            for (int64_t u = 0; u < T; u++) {
                less += x[u * V + v] < x[t * V + v];
                more += x[u * V + v] > x[t * V + v];
            }
            keep_worst(worst, got[v * T + t], less - more, 0.5);
        }
    nep_alloc_free(p);
    return NEP_OK;
}

/* 27 neighbours in a volume of NX x NX x NX; those of a column off the edge are taken from the other side. */
enum { NX = 46, NV = NX * NX * NX, NEAR = 27 };
static nep_status neighbour_ranks_make(state *s)
{
    void *p;
    NEP_TRY(input(s, 0, NEP_I16, (int64_t)NV * T, &p));
    int16_t *rank = p;
    for (int64_t i = 0; i < (int64_t)NV * T; i++)
        rank[i] = (int16_t)(300 * cheap((uint64_t)i));
    NEP_TRY(place(s, 0, NEP_I16, (int64_t)NV * T));
    NEP_TRY(input(s, 1, NEP_I32, (int64_t)NV * NEAR, &p));
    int32_t *near = p;
    for (int32_t v = 0; v < NV; v++)
        for (int k = 0; k < NEAR; k++)
            near[v * NEAR + k] = (v + (k % 3 - 1) + NX * (k / 3 % 3 - 1) + NX * NX * (k / 9 - 1) + NV) % NV;
    NEP_TRY(place(s, 1, NEP_I32, (int64_t)NV * NEAR));
    NEP_TRY(output(s, 2, NEP_I64, NV));
    return output(s, 3, NEP_I64, NV);
}
static nep_status neighbour_ranks_run(state *s)
{
    return s->be->ops.neighbour_ranks(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, T, s->b[1].ptr, NEAR, NV, s->b[2].ptr, s->b[3].ptr);
}
static nep_status neighbour_ranks_check(state *s, double *worst)
{
    const int16_t *rank = s->host[0];
    const int32_t *near = s->host[1];
    void *p;
    NEP_TRY(fetch(s, 3, &p));
    const int64_t *got = p;
    for (int64_t v = 0; v < NV; v += SAMPLE) {
        double want = 0;
        for (int64_t t = 0; t < T; t++) {
            double sum = 0;
            for (int k = 0; k < NEAR; k++)
                sum += rank[near[v * NEAR + k] * T + t];
            want += sum * sum;
        }
        keep_worst(worst, (double)got[v], want, 0.5);
    }
    nep_alloc_free(p);
    return NEP_OK;
}

/* Each column against that of the other end. */
static nep_status paired_dots_make(state *s)
{
    void *p;
    NEP_TRY(floats(s, 0, (int64_t)T * V, 1, 1));
    NEP_TRY(input(s, 1, NEP_I32, V, &p));
    int32_t *at = p;
    for (int32_t c = 0; c < V; c++)
        at[c] = V - 1 - c;
    NEP_TRY(place(s, 1, NEP_I32, V));
    return doubles(s, 2, V, 0, 0);
}
static nep_status paired_dots_run(state *s)
{
    return s->be->ops.paired_dots(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, T, V, s->b[0].ptr, V, s->b[1].ptr, s->b[2].ptr);
}
static nep_status paired_dots_check(state *s, double *worst)
{
    const float *x = s->host[0];
    void *p;
    NEP_TRY(fetch(s, 2, &p)); /* the first run added to nothing */
    const double *got = p;
    for (int64_t c = 0; c < V; c += SAMPLE) {
        double want = 0;
        for (int64_t t = 0; t < T; t++)
            want += (double)x[t * V + c] * (double)x[t * V + V - 1 - c];
        keep_worst(worst, got[c], want, 1e-12 * 4 * T);
    }
    nep_alloc_free(p);
    return NEP_OK;
}

/* Rows of unit length: a common part, so that many pairs pass, and noise. */
enum { UN = 6000, UT = 300, UK = 10, UM = 32 };
static const double pair_threshold = 0.25;
static nep_status unit_rows(state *s, int i)
{
    void *p;
    NEP_TRY(input(s, i, NEP_F32, (int64_t)UN * UT, &p));
    float *z = p;
    for (int64_t r = 0; r < UN; r++) {
        double squares = 0;
        for (int64_t t = 0; t < UT; t++) {
            const double common = nep_philox_normal(3, (uint64_t)(r % 7), (uint64_t)t);
            z[r * UT + t] = (float)(0.5 * common + nep_philox_normal(3, (uint64_t)(100 + r), (uint64_t)t));
            squares += (double)z[r * UT + t] * (double)z[r * UT + t];
        }
        for (int64_t t = 0; t < UT; t++)
            z[r * UT + t] = (float)((double)z[r * UT + t] / sqrt(squares));
    }
    return place(s, i, NEP_F32, (int64_t)UN * UT);
}
static double pair_product(const float *z, int64_t i, int64_t j)
{
    double sum = 0;
    for (int64_t t = 0; t < UT; t++)
        sum += (double)z[i * UT + t] * (double)z[j * UT + t];
    return sum;
}
static nep_status pair_sums_make(state *s)
{
    NEP_TRY(unit_rows(s, 0));
    NEP_TRY(output(s, 1, NEP_I64, UN));
    NEP_TRY(output(s, 2, NEP_F64, UN));
    return output(s, 3, NEP_F64, UN);
}
static nep_status pair_sums_run(state *s)
{
    return s->be->ops.pair_sums(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, UN, UT, pair_threshold, false, 1, s->b[1].ptr, s->b[2].ptr,
                                s->b[3].ptr);
}
static nep_status pair_sums_check(state *s, double *worst)
{
    const float *z = s->host[0];
    void *p[3];
    for (int i = 0; i < 3; i++)
        NEP_TRY(fetch(s, 1 + i, &p[i]));
    for (int64_t i = 0; i < UN; i += 10 * SAMPLE) {
        double count = 0, weighted = 0, fisher = 0;
        for (int64_t j = 0; j < UN; j++) {
            const double r = j == i ? 0 : pair_product(z, i, j);
            count += r > pair_threshold;
            weighted += r > pair_threshold ? r : 0;
            fisher += atanh(r);
        }
        keep_worst(worst, (double)((int64_t *)p[0])[i], count, 0.5);
        keep_worst(worst, ((double *)p[1])[i], weighted, 1e-6 * (1 + weighted));
        keep_worst(worst, ((double *)p[2])[i], fisher, 1e-6 * UN);
    }
    for (int i = 0; i < 3; i++)
        nep_alloc_free(p[i]);
    return NEP_OK;
}

static nep_status top_pairs_make(state *s)
{
    NEP_TRY(unit_rows(s, 0));
    NEP_TRY(output(s, 1, NEP_I32, (int64_t)UN * UK));
    return output(s, 2, NEP_F64, (int64_t)UN * UK);
}
static nep_status top_pairs_run(state *s)
{
    return s->be->ops.top_pairs(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, UN, UT, UK, s->b[1].ptr, s->b[2].ptr);
}
static nep_status top_pairs_check(state *s, double *worst)
{
    const float *z = s->host[0];
    void *p[2];
    for (int i = 0; i < 2; i++)
        NEP_TRY(fetch(s, 1 + i, &p[i]));
    for (int64_t i = 0; i < UN; i += 10 * SAMPLE) {
        const int32_t *index = (int32_t *)p[0] + i * UK;
        const double last = ((double *)p[1])[i * UK + UK - 1];
        double above = 0;
        for (int64_t j = 0; j < UN; j++)
            above += j != i && pair_product(z, i, j) > last + 1e-12;
        keep_worst(worst, above, UK - 1, 0.5);
        for (int q = 0; q < UK; q++)
            keep_worst(worst, ((double *)p[1])[i * UK + q], pair_product(z, i, index[q]), 1e-12);
    }
    for (int i = 0; i < 2; i++)
        nep_alloc_free(p[i]);
    return NEP_OK;
}

static nep_status project_rows_make(state *s)
{
    NEP_TRY(unit_rows(s, 0));
    NEP_TRY(doubles(s, 1, (int64_t)UM * UT, 0, 1));
    return output(s, 2, NEP_F64, (int64_t)UN * UM);
}
static nep_status project_rows_run(state *s)
{
    return s->be->ops.project_rows(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, UN, UT, s->b[1].ptr, UM, false, s->b[2].ptr);
}
static nep_status project_rows_check(state *s, double *worst)
{
    const float *z = s->host[0];
    const double *q = s->host[1];
    void *p;
    NEP_TRY(fetch(s, 2, &p));
    for (int64_t i = 0; i < (int64_t)UN * UM; i += SAMPLE) {
        double want = 0;
        for (int64_t t = 0; t < UT; t++)
            want += (double)z[i / UM * UT + t] * q[i % UM * UT + t];
        keep_worst(worst, ((double *)p)[i], want, 1e-10);
    }
    nep_alloc_free(p);
    return NEP_OK;
}

#endif
