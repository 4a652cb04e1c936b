/* SPDX-License-Identifier: Apache-2.0 */
/* smoother.c - kernel ridge regression as weights: for each drug, the fit that never saw the labels its mask hides.
 *
 * With K the similarity of drugs, lambda the ridge and B = (K + lambda I)^-1, the value at drug k of the ridge fitted without the rows H
 * (k in H) is sum_{i not in H} c_ki y_i with c_k = -(B_HH^-1 e_k)' B_H,: . It holds no label, so that it is made once and serves every
 * disorder, fold and resample. Source: Saunders, Gammerman & Vovk (1998) ICML 15:515; the block form of leaving out: Rasmussen & Williams
 * (2006) Gaussian Processes for Machine Learning, MIT Press, section 5.4.2. */
#include "smoother.h"

#include <cblas.h>
#include <lapacke.h>
#include <omp.h>

#include <math.h>
#include <string.h>

/* Chosen on disorders outside the nervous system, by drugs left out with all like them. */
static const double kernel_weight[NEP_KERNEL_COUNT] = {1, 1, 3, 1}, ridge = 6;

static nep_status invert(nep_ctx *ctx, double *k, int64_t n)
{
    openblas_set_num_threads(1); /* more threads would change the bits */
    lapack_int info = LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'L', (lapack_int)n, k, (lapack_int)n);
    if (info == 0)
        info = LAPACKE_dpotri(LAPACK_ROW_MAJOR, 'L', (lapack_int)n, k, (lapack_int)n);
    NEP_REQUIRE(ctx, info == 0, NEP_E_SINGULAR, "neighbours: the similarities of the drugs could not be factored");
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = i + 1; j < n; j++)
            k[i * n + j] = k[j * n + i];
    return NEP_OK;
}

static void row_itself(const double *b, int64_t n, int64_t k, double *c)
{
    for (int64_t i = 0; i < n; i++)
        c[i] = i == k ? 0 : -b[k * n + i] / b[k * n + k];
}

/* block [h, h], u [h]. False when the block could not be factored. */
static bool row_without(const double *b, int64_t n, const int64_t *hidden, int64_t h, int64_t k, double *block, double *u, double *c)
{
    for (int64_t i = 0; i < h; i++) {
        u[i] = hidden[i] == k;
        for (int64_t j = 0; j < h; j++)
            block[i * h + j] = b[hidden[i] * n + hidden[j]];
    }
    if (LAPACKE_dposv(LAPACK_ROW_MAJOR, 'L', (lapack_int)h, 1, block, (lapack_int)h, u, 1) != 0)
        return false;
    memset(c, 0, (size_t)n * sizeof *c);
    for (int64_t i = 0; i < h; i++)
        for (int64_t j = 0; j < n; j++)
            c[j] -= u[i] * b[hidden[i] * n + j];
    for (int64_t i = 0; i < h; i++)
        c[hidden[i]] = 0;
    return true;
}

static nep_status fill_rows(nep_ctx *ctx, const nep_inputs *in, const double *b, struct nep_smoother *s)
{
    const int64_t n = s->n;
    int64_t most = 1, failed = 0;
    double *scratch = NULL;
    for (int64_t k = 0; k < n; k++)
        if (in->similar.start[k + 1] - in->similar.start[k] > most)
            most = in->similar.start[k + 1] - in->similar.start[k];
    const int threads = nep_ctx_threads(ctx);
    const int64_t room = most * (most + 1);
    NEP_TRY(nep_alloc(ctx, threads * room, sizeof *scratch, "neighbours: blocks", &scratch));
#pragma omp parallel for schedule(dynamic, 8) num_threads(threads) reduction(+ : failed)
    for (int64_t k = 0; k < n; k++) {
        double *own = scratch + omp_get_thread_num() * room;
        const int64_t h = in->similar.start[k + 1] - in->similar.start[k];
        row_itself(b, n, k, s->itself + k * n);
        failed += !row_without(b, n, in->similar.list + in->similar.start[k], h, k, own + most, own, s->similar + k * n);
    }
    nep_alloc_free(scratch);
    NEP_REQUIRE(ctx, failed == 0, NEP_E_SINGULAR, "neighbours: the similarities of %lld drugs' neighbours could not be factored", (long long)failed);
    for (int64_t k = 0; k < n; k++) {
        const double v = 1 / (ridge * b[k * n + k]) - 1;
        s->doubt[k] = v > 0 ? sqrt(v) : 0;
    }
    return NEP_OK;
}

nep_status evidence_smoother_make(nep_ctx *ctx, nep_inputs *in)
{
    const int64_t n = in->n_drugs;
    struct nep_smoother *s = NULL;
    double *k = NULL;
    bool any = false, there;
    nep_status st = NEP_OK;

    if (!in->network || !in->drug_node)
        return NEP_OK;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 1, sizeof *s, "neighbours", &s));
    s->n = n;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *s->known, "neighbours: drugs", &s->known));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n * n, sizeof *k, "neighbours: similarities", &k));
    for (int w = 0; w < NEP_KERNEL_COUNT; w++) {
        NEP_TRY_OR_DONE(st, evidence_kernels_add(ctx, in, w, kernel_weight[w], k, s->known, &there));
        any = any || there;
    }
    if (!any)
        goto done;
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < n; j++)
            k[i * n + j] += 1; /* the level: what drugs are recorded for at all */
        k[i * n + i] += ridge;
    }
    NEP_TRY_OR_DONE(st, invert(ctx, k, n));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n * n, sizeof *s->itself, "neighbours: weights", &s->itself));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n * n, sizeof *s->similar, "neighbours: weights", &s->similar));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *s->doubt, "neighbours: errors", &s->doubt));
    NEP_TRY_OR_DONE(st, fill_rows(ctx, in, k, s));
    in->smoother = s;
    s = NULL; /* ownership moved to the inputs */
done:
    nep_alloc_free(k);
    evidence_smoother_free(s);
    return st;
}

void evidence_smoother_free(struct nep_smoother *s)
{
    if (!s)
        return;
    nep_alloc_free(s->itself);
    nep_alloc_free(s->similar);
    nep_alloc_free(s->doubt);
    nep_alloc_free(s->known);
    nep_alloc_free(s);
}

const double *evidence_smoother_rows(const nep_inputs *in, const nep_mask *mask)
{
    return mask && mask->list == in->similar.list ? in->smoother->similar : in->smoother->itself;
}

nep_status evidence_smoother_apply(nep_ctx *ctx, const nep_inputs *in, const nep_mask *mask, const double *y, double *out)
{
    const int64_t n = in->n_drugs;
    const double *c = evidence_smoother_rows(in, mask);
    int64_t *list = NULL, m = 0;
    NEP_TRY(nep_alloc(ctx, n, sizeof *list, "neighbours: labels", &list));
    for (int64_t i = 0; i < n; i++)
        if (y[i] != 0)
            list[m++] = i;
#pragma omp parallel for num_threads(nep_ctx_threads(ctx))
    for (int64_t k = 0; k < n; k++) {
        double sum = 0;
        for (int64_t i = 0; i < m; i++)
            sum += c[k * n + list[i]] * y[list[i]];
        out[k] = in->smoother->known[k] ? sum : NAN;
    }
    nep_alloc_free(list);
    return NEP_OK;
}
