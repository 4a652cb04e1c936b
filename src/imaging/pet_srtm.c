/* SPDX-License-Identifier: Apache-2.0 */
/* pet_srtm - the simplified reference tissue model: basis functions find the efflux of each column, Gauss-Newton steps
 * inside the neighbouring basis functions refine it, so that the answer does not depend on the grid.
 *
 *   C(t) = R1 C_R(t) + (k2 - R1 k2a) int_0^t C_R(u) e^(-k2a (t - u)) du,   k2a = k2 / (1 + BP_ND)
 *
 * C_R runs straight from 0 at injection through the middles of the frames; the integral is exact for that curve (peers add
 * it up on a grid of 1,024 steps; one of them starts the exponential at the first middle in place of injection). */
#include "imaging/pet_parts.h"

#include <nepenthe/backend.h>
#include <nepenthe/math/pet.h>

#include <omp.h>
#include <string.h>

/* The convolution and, when asked for, its slope by the rate, at every middle. */
static void convolve(const nep_pet_curve *c, double rate, double *value, double *slope)
{
    double at = 0, level = 0, b = 0, d = 0, length = -1;
    nep_pet_step s = {0};
    for (int64_t i = 0; i < c->n; i++) {
        const double h = c->mid[i] - at;
        if (fabs(h - length) > 1e-12 * h) { /* equal frames follow one another */
            s = nep_pet_step_make(rate * h);
            length = h;
        }
        d = nep_pet_step_slope(&s, h, level, c->reference[i], b, d);
        b = nep_pet_step_value(&s, h, level, c->reference[i], b);
        value[i] = b;
        slope[i] = d;
        level = c->reference[i];
        at = c->mid[i];
    }
}

static double rate_of(const nep_pet_opts *o, int64_t j)
{
    return o->k2a_low * pow(o->k2a_high / o->k2a_low, (double)j / (double)(o->n_basis - 1));
}

/* For each rate two directions q with (q1.y)^2 + (q2.y)^2 = what R1 C_R + phi B explains of the weighted squares of y. */
static void make_pairs(const nep_pet_curve *c, const nep_pet_opts *o, double *pair)
{
    const int64_t n = c->n;
    for (int64_t j = 0; j < o->n_basis; j++) {
        double *a = pair + 2 * j * n, *b = a + n, aa = 0, ab = 0, bb = 0;
        convolve(c, rate_of(o, j), b, a); /* the slope is not needed: a is overwritten */
        for (int64_t i = 0; i < n; i++) {
            const double root = sqrt(c->weight[i]);
            a[i] = root * c->reference[i];
            b[i] *= root;
            aa += a[i] * a[i];
        }
        for (int64_t i = 0; i < n; i++)
            ab += a[i] * b[i] / aa;
        for (int64_t i = 0; i < n; i++) {
            b[i] -= ab * a[i];
            bb += b[i] * b[i];
        }
        for (int64_t i = 0; i < n; i++) { /* the op takes y as it is: one more root of the weight */
            const double root = sqrt(c->weight[i]);
            a[i] *= root / sqrt(aa);
            b[i] *= bb > 1e-20 * aa ? root / sqrt(bb) : 0;
        }
    }
}

typedef struct {
    double rate, r1, phi, rss;
} fit;

/* Best R1 and phi at this rate. value and slope keep the convolution. */
static bool solve(const nep_pet_curve *c, const double *y, double rate, double *value, double *slope, fit *f)
{
    double aa = 0, ab = 0, bb = 0, ay = 0, by = 0;
    convolve(c, rate, value, slope);
    for (int64_t i = 0; i < c->n; i++) {
        const double wa = c->weight[i] * c->reference[i], wb = c->weight[i] * value[i];
        aa += wa * c->reference[i];
        ab += wa * value[i];
        bb += wb * value[i];
        ay += wa * y[i];
        by += wb * y[i];
    }
    const double det = aa * bb - ab * ab;
    if (!(det > 1e-14 * aa * bb))
        return false;
    *f = (fit){.rate = rate, .r1 = (bb * ay - ab * by) / det, .phi = (aa * by - ab * ay) / det};
    for (int64_t i = 0; i < c->n; i++) {
        const double r = y[i] - f->r1 * c->reference[i] - f->phi * value[i];
        f->rss += c->weight[i] * r * r;
    }
    return true;
}

/* Gauss-Newton change of the rate with R1 and phi free: residual on the part of phi B' that C_R and B do not span. */
static double change(const nep_pet_curve *c, const double *y, const fit *f, const double *value, const double *slope)
{
    double g[3][3] = {{0}}, r[3] = {0};
    for (int64_t i = 0; i < c->n; i++) {
        const double x[3] = {c->reference[i], value[i], slope[i]}, e = y[i] - f->r1 * x[0] - f->phi * x[1];
        for (int a = 0; a < 3; a++) {
            r[a] += c->weight[i] * x[a] * e;
            for (int b = 0; b <= a; b++)
                g[a][b] += c->weight[i] * x[a] * x[b];
        }
    }
    const double det = g[0][0] * g[1][1] - g[1][0] * g[1][0];
    const double p = (g[2][0] * g[1][1] - g[2][1] * g[1][0]) / det, q = (g[2][1] * g[0][0] - g[2][0] * g[1][0]) / det;
    const double left = g[2][2] - p * g[2][0] - q * g[2][1];
    return left > 0 ? (r[2] - p * r[0] - q * r[1]) / (left * f->phi) : 0;
}

/* Golden section between two rates, for the few columns on which Gauss-Newton does not settle. */
static bool golden(const nep_pet_curve *c, const double *y, double low, double high, double *value, double *slope, fit *best)
{
    const double part = 0.6180339887498949;
    double a = log(low), b = log(high);
    fit left = {0}, right = {0};
    for (int turn = 0; turn < 100 && b - a > 1e-9; turn++) {
        const double u = b - part * (b - a), v = a + part * (b - a);
        if (!solve(c, y, exp(u), value, slope, &left) || !solve(c, y, exp(v), value, slope, &right))
            return false;
        if (left.rss <= right.rss)
            b = v;
        else
            a = u;
    }
    return solve(c, y, exp((a + b) / 2), value, slope, best);
}

static bool refine(const nep_pet_curve *c, const nep_pet_opts *o, const double *y, int64_t j, double *value, double *slope, fit *f)
{
    const double low = rate_of(o, j - 1), high = rate_of(o, j + 1);
    fit next;
    if (!solve(c, y, rate_of(o, j), value, slope, f))
        return false;
    for (int turn = 0; turn < 12; turn++) {
        const double step = change(c, y, f, value, slope), to = f->rate + step;
        if (!(fabs(step) > 1e-9 * f->rate))
            return f->phi != 0;
        if (!(to > low && to < high) || !solve(c, y, to, value, slope, &next) || next.rss > f->rss * (1 + 1e-12))
            break;
        *f = next;
    }
    return golden(c, y, low, high, value, slope, f);
}

/* Values and errors from the fit; J = [C_R, B, phi B'] in R1, phi and k2a. */
static void report(const nep_pet_curve *c, const fit *f, const double *y, const double *value, const double *slope, double *x,
                   bool bound, double *out)
{
    double step[NEP_PET_MOST], v[NEP_PET_MOST][NEP_PET_MOST];
    const double a = f->rate, k2 = f->phi + f->r1 * a;
    const double gradient[4][3] = {{1, 1 / a, -f->phi / (a * a)}, {1, 0, 0}, {a, 1, f->r1}, {0, 0, 1}};
    const double answer[4] = {k2 / a - 1, f->r1, k2, a};
    double *residual = x + 3 * c->n;
    for (int64_t i = 0; i < c->n; i++) {
        x[i * 3] = c->reference[i];
        x[i * 3 + 1] = value[i];
        x[i * 3 + 2] = f->phi * slope[i];
        residual[i] = y[i] - f->r1 * c->reference[i] - f->phi * value[i];
    }
    const bool known = !bound && nep_pet_regress(c->n, 3, x, residual, c->weight, step, v);
    for (int k = 0; k < 4; k++) {
        double squares = 0;
        for (int p = 0; known && p < 3; p++)
            for (int q = 0; q < 3; q++)
                squares += gradient[k][p] * v[p][q] * gradient[k][q];
        out[2 * k] = answer[k];
        out[2 * k + 1] = known ? sqrt(squares) : (double)NAN;
    }
}

static void one_column(const nep_pet_curve *c, const nep_pet_opts *o, int32_t best, double *scratch, double *out)
{
    const int64_t n = c->n;
    double *y = scratch, *value = y + n, *slope = value + n, *x = slope + n;
    const bool bound = best == 0 || best == o->n_basis - 1;
    fit f;
    for (int k = 0; k < 8; k++)
        out[k] = (double)NAN;
    if (best < 0)
        return;
    if (bound ? solve(c, y, rate_of(o, best), value, slope, &f) : refine(c, o, y, best, value, slope, &f))
        report(c, &f, y, value, slope, x, bound, out);
}

nep_status nep_pet_srtm(nep_ctx *ctx, const nep_pet_curve *c, const float *x, int64_t n_cols, const nep_pet_opts *o, double *out)
{
    enum { TILE = 256 };
    const int threads = nep_ctx_threads(ctx);
    const int64_t n = c->n, each = 8 * n, tiles = (n_cols + TILE - 1) / TILE;
    double *pair = NULL, *scratch = NULL;
    int32_t *best = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, o->n_basis * 2 * n, sizeof *pair, "basis functions", &pair));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_cols, sizeof *best, "best basis functions", &best));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, threads * each, sizeof *scratch, "fits", &scratch));
    make_pairs(c, o, pair);
    NEP_TRY_OR_DONE(st, nep_backend_best_pair(ctx, pair, o->n_basis, n, x, n_cols, best));
#pragma omp parallel for schedule(static, 1) num_threads(threads)
    for (int64_t t = 0; t < tiles; t++) {
        double *mine = scratch + omp_get_thread_num() * each;
        for (int64_t v = t * TILE; v < n_cols && v < (t + 1) * TILE; v++) {
            for (int64_t i = 0; i < n; i++)
                mine[i] = (double)x[i * n_cols + v];
            one_column(c, o, best[v], mine, out + v * 8);
        }
    }
done:
    nep_alloc_free(scratch);
    nep_alloc_free(best);
    nep_alloc_free(pair);
    return st;
}
