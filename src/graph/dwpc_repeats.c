/* SPDX-License-Identifier: Apache-2.0 */
/* dwpc_repeats - what of the walks along a metapath of up to four steps visits a node twice.
 *
 * The source s is fixed in each column, so that a later position on s is set to 0. Two other positions can hold the same node only as
 * 1 = 3, 2 = 4 and 1 = 4 (neighbours on a path differ), and 1 = 3 together with 2 = 4. Each is taken out in closed form, with the walks
 * through s, which are gone already, given back. */
#include "graph/dwpc.h"

void nep_dwpc_free_repeats(nep_repeats *r)
{
    nep_alloc_free(r->return_1);
    nep_alloc_free(r->return_2);
    nep_alloc_free(r->triangle_1);
    nep_alloc_free(r->there_and_back);
    *r = (nep_repeats){0};
}

/* out[x] = sum over y of go(x, y) come(y, x). */
static nep_status returns(nep_ctx *ctx, const nep_leg *go, const nep_leg *come, double **out)
{
    NEP_TRY(nep_alloc(ctx, go->n_behind, sizeof **out, "closed walks", out));
    for (int64_t x = 0; x < go->n_behind; x++)
        (*out)[x] = nep_legs_common(go->out, go->w_out, x, come->in, come->w_in, x);
    return NEP_OK;
}

/* out[t] = sum over y, z of leg2(t, y) leg3(y, z) leg4(z, t). */
static nep_status triangles(nep_ctx *ctx, const nep_legs *l, double **out)
{
    const nep_leg *a = &l->leg[2], *b = &l->leg[3], *c = &l->leg[4];
    double *last = NULL; /* [n[3]] leg4(z, t) of one t */
    NEP_TRY(nep_alloc(ctx, l->n[1], sizeof **out, "closed walks", out));
    NEP_TRY(nep_alloc(ctx, l->n[3], sizeof *last, "closed walks", &last));
    for (int64_t t = 0; t < l->n[1]; t++) {
        for (int64_t k = c->in->start[t]; k < c->in->start[t + 1]; k++)
            last[c->in->node[k]] = c->w_in[k];
        for (int64_t i = a->out->start[t]; i < a->out->start[t + 1]; i++) {
            const int64_t y = a->out->node[i];
            double sum = 0.0;
            for (int64_t j = b->out->start[y]; j < b->out->start[y + 1]; j++)
                sum += b->w_out[j] * last[b->out->node[j]];
            (*out)[t] += a->w_out[i] * sum;
        }
        for (int64_t k = c->in->start[t]; k < c->in->start[t + 1]; k++)
            last[c->in->node[k]] = 0.0;
    }
    nep_alloc_free(last);
    return NEP_OK;
}

/* Along leg4.in from t to x: leg2(x, t) leg3(t, x) leg4(x, t). */
static nep_status thrice(nep_ctx *ctx, const nep_legs *l, double **out)
{
    const nep_leg *a = &l->leg[2], *b = &l->leg[3], *c = &l->leg[4];
    NEP_TRY(nep_alloc(ctx, c->in->start[l->n[4]], sizeof **out, "closed walks", out));
    for (int64_t t = 0; t < l->n[4]; t++)
        for (int64_t k = c->in->start[t]; k < c->in->start[t + 1]; k++)
            (*out)[k] = nep_legs_weight(a->out, a->w_out, c->in->node[k], t) * nep_legs_weight(b->out, b->w_out, t, c->in->node[k]) * c->w_in[k];
    return NEP_OK;
}

nep_status nep_dwpc_find_repeats(nep_ctx *ctx, const nep_legs *l, nep_repeats *out)
{
    nep_repeats r = {0};
    nep_status st = NEP_OK;
    if (l->length >= 3 && nep_legs_same(l, 1, 3))
        NEP_TRY_OR_DONE(st, returns(ctx, &l->leg[2], &l->leg[3], &r.return_1));
    if (l->length == 4 && nep_legs_same(l, 2, 4))
        NEP_TRY_OR_DONE(st, returns(ctx, &l->leg[3], &l->leg[4], &r.return_2));
    if (l->length == 4 && nep_legs_same(l, 1, 4))
        NEP_TRY_OR_DONE(st, triangles(ctx, l, &r.triangle_1));
    if (r.return_1 && r.return_2)
        NEP_TRY_OR_DONE(st, thrice(ctx, l, &r.there_and_back));
    *out = r;
    r = (nep_repeats){0};
done:
    nep_dwpc_free_repeats(&r);
    return st;
}

/* x[i, :] -= factor[i] * y[i, :]. */
static void take(const nep_tile *t, const double *factor, int64_t n, const double *y, double *x, int threads)
{
#pragma omp parallel for schedule(static) num_threads(threads) if (n * t->width > 1 << 20)
    for (int64_t i = 0; i < n; i++)
        for (int64_t c = 0; factor[i] != 0.0 && c < t->width; c++)
            x[i * t->width + c] -= factor[i] * y[i * t->width + c];
}

/* Walks s, x, ., x less those over the source, which are gone already: s, x, s, x. */
static void take_return_1(const nep_legs *l, const nep_repeats *r, nep_tile *t)
{
    const nep_leg *first = &l->leg[1], *a = &l->leg[2], *b = &l->leg[3];
    for (int64_t c = 0; c < t->width; c++) {
        const int64_t s = t->first + c;
        for (int64_t k = first->out->start[s]; k < first->out->start[s + 1]; k++) {
            const int64_t x = first->out->node[k];
            const double over_s = nep_legs_same(l, 2, 0) ? nep_legs_weight(a->out, a->w_out, x, s) * nep_legs_weight(b->in, b->w_in, x, s) : 0.0;
            t->x[3][x * t->width + c] -= first->w_out[k] * (r->return_1[x] - over_s);
        }
    }
}

/* Walks s, ., t, s, t, which are gone already, back into what return_2 took. */
static void give_back_2(const nep_legs *l, nep_tile *t)
{
    const nep_leg *b = &l->leg[3], *last = &l->leg[4];
    for (int64_t c = 0; c < t->width; c++) {
        const int64_t s = t->first + c;
        for (int64_t k = last->out->start[s]; k < last->out->start[s + 1]; k++) {
            const int64_t i = last->out->node[k], at = i * t->width + c;
            t->x[4][at] += t->x[2][at] * nep_legs_weight(b->out, b->w_out, i, s) * last->w_out[k];
        }
    }
}

/* Walks s, x, t, x, t: gone with 1 = 3 already. */
static void give_back_both(const nep_legs *l, const nep_repeats *r, nep_tile *t, int threads)
{
    const nep_network_side *in = l->leg[4].in;
#pragma omp parallel for schedule(dynamic, 64) num_threads(threads) if (in->start[l->n[4]] > 1 << 16)
    for (int64_t i = 0; i < l->n[4]; i++)
        for (int64_t k = in->start[i]; k < in->start[i + 1]; k++)
            if (r->there_and_back[k] != 0.0)
                nep_dwpc_add_first(&l->leg[1], t, in->node[k], r->there_and_back[k], t->x[4] + i * t->width);
}

/* Walks s, t, y, z, t less those over the source at position 2 or 3, which are gone already. */
static void take_triangle(const nep_legs *l, const nep_repeats *r, nep_tile *t)
{
    const nep_leg *first = &l->leg[1], *a = &l->leg[2], *b = &l->leg[3], *last = &l->leg[4];
    for (int64_t c = 0; c < t->width; c++) {
        const int64_t s = t->first + c;
        for (int64_t k = first->out->start[s]; k < first->out->start[s + 1]; k++) {
            const int64_t i = first->out->node[k];
            double closed = r->triangle_1[i];
            const double over_2 = nep_legs_same(l, 2, 0) ? nep_legs_weight(a->out, a->w_out, i, s) : 0.0;
            const double over_3 = nep_legs_same(l, 3, 0) ? nep_legs_weight(last->in, last->w_in, i, s) : 0.0;
            if (over_2 != 0.0)
                closed -= over_2 * nep_legs_common(b->out, b->w_out, s, last->in, last->w_in, i);
            if (over_3 != 0.0)
                closed -= over_3 * nep_legs_common(a->out, a->w_out, i, b->in, b->w_in, s);
            t->x[4][i * t->width + c] -= first->w_out[k] * closed;
        }
    }
}

void nep_dwpc_drop_repeats(const nep_legs *l, const nep_repeats *r, nep_tile *t, int p, int threads)
{
    if (p > l->length)
        return;
    if (p == 3 && r->return_1)
        take_return_1(l, r, t);
    if (p == 4 && r->return_2) {
        take(t, r->return_2, l->n[4], t->x[2], t->x[4], threads);
        if (nep_legs_same(l, 3, 0))
            give_back_2(l, t);
        if (r->there_and_back)
            give_back_both(l, r, t, threads);
    }
    if (p == 4 && r->triangle_1)
        take_triangle(l, r, t);
    for (int64_t c = 0; nep_legs_same(l, p, 0) && c < t->width; c++)
        t->x[p][(t->first + c) * t->width + c] = 0.0;
}
