/* SPDX-License-Identifier: Apache-2.0 */
/* resample - a volume read on another grid: nearest, linear, or a cubic B-spline through every voxel, as SciPy does. */
#include <nepenthe/resample.h>

#include <nepenthe/backend.h>

#include <omp.h>
#include <string.h>

enum { SHORT = 32 }; /* z^32 of the spline's pole is below 1e-18 */

static const double pole = -0.26794919243112270647; /* sqrt(3) - 2 */

/* B-spline coefficients of `width` lines side by side: value i of line k at x[i * stride + k], mirrored at both ends.
 * Source: Unser et al. (1993), doi:10.1109/78.193221. */
static void filter_lines(double *x, int64_t n, int64_t stride, int64_t width)
{
    const double gain = (1 - pole) * (1 - 1 / pole);
    if (n < 2)
        return;
    for (int64_t k = 0; k < width; k++) {
        double sum = 0, power = 1;
        const double far = pow(pole, (double)(n - 1));
        for (int64_t i = 0; i < n; i++)
            x[i * stride + k] *= gain;
        sum = x[k] + far * x[(n - 1) * stride + k];
        for (int64_t i = 1; i < n - 1 && i < SHORT; i++) {
            power *= pole;
            sum += power * (x[i * stride + k] + far * x[(n - 1 - i) * stride + k]);
        }
        x[k] = sum / (1 - far * far);
    }
    for (int64_t i = 1; i < n; i++)
        for (int64_t k = 0; k < width; k++)
            x[i * stride + k] += pole * x[(i - 1) * stride + k];
    for (int64_t k = 0; k < width; k++)
        x[(n - 1) * stride + k] = pole / (pole * pole - 1) * (x[(n - 1) * stride + k] + pole * x[(n - 2) * stride + k]);
    for (int64_t i = n - 2; i >= 0; i--)
        for (int64_t k = 0; k < width; k++)
            x[i * stride + k] = pole * (x[(i + 1) * stride + k] - x[i * stride + k]);
}

static void filter_volume(nep_ctx *ctx, const nep_grid *g, double *x)
{
    const int64_t nx = g->nx, ny = g->ny, nz = g->nz;
    const int threads = nep_ctx_threads(ctx);
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t z = 0; z < nz; z++) {
        for (int64_t y = 0; y < ny; y++)
            filter_lines(x + (z * ny + y) * nx, nx, 1, 1);
        filter_lines(x + z * ny * nx, ny, nx, nx);
    }
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t y = 0; y < ny; y++)
        filter_lines(x + y * nx, nz, nx * ny, nx);
}

/* Missing voxels that touch present ones across a face take their mean. */
static void grow(const nep_grid *g, const double *from, double *to)
{
    const int64_t n[3] = {g->nx, g->ny, g->nz}, stride[3] = {1, g->nx, g->nx * g->ny};
    for (int64_t v = 0; v < nep_grid_voxels(g); v++) {
        double sum = 0;
        int near = 0;
        to[v] = from[v];
        if (isfinite(from[v]))
            continue;
        for (int a = 0; a < 3; a++) {
            const int64_t i = v / stride[a] % n[a];
            for (int side = -1; side <= 1; side += 2)
                if (i + side >= 0 && i + side < n[a] && isfinite(from[v + side * stride[a]])) {
                    sum += from[v + side * stride[a]];
                    near++;
                }
        }
        to[v] = near ? sum / near : (double)NAN;
    }
}

static nep_status prepare(nep_ctx *ctx, const nep_grid *g, const float *x, bool spline, bool gaps, float *out)
{
    const int64_t n = nep_grid_voxels(g);
    double *a = NULL, *b = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *a, "volume", &a));
    for (int64_t v = 0; v < n; v++)
        a[v] = (double)x[v];
    if (gaps) {
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *b, "volume", &b));
        grow(g, a, b);
        grow(g, b, a);
        for (int64_t v = 0; v < n; v++)
            a[v] = isfinite(a[v]) ? a[v] : 0;
    }
    if (spline)
        filter_volume(ctx, g, a);
    for (int64_t v = 0; v < n; v++)
        out[v] = (float)a[v];
    st = NEP_OK;
done:
    nep_alloc_free(b);
    nep_alloc_free(a);
    return st;
}

static void clip(const float *x, int64_t n, float *out, int64_t n_out)
{
    float low = 0, high = 0;
    for (int64_t v = 0; v < n; v++)
        if (isfinite(x[v])) {
            low = fminf(low, x[v]);
            high = fmaxf(high, x[v]);
        }
    for (int64_t v = 0; v < n_out; v++)
        if (!isnan(out[v]))
            out[v] = out[v] < low ? low : out[v] > high ? high : out[v];
}

static nep_status make_plan(nep_ctx *ctx, const nep_grid *from, const nep_grid *to, const nep_resample_opts *o, nep_spline_plan *p)
{
    double back[3][4];
    NEP_REQUIRE(ctx, nep_grid_inverse(from, back), NEP_E_GRID, "resample: the affine of the image cannot be inverted");
    *p = (nep_spline_plan){.in = {from->nx, from->ny, from->nz}, .out = {to->nx, to->ny, to->nz}, .outside = o->outside};
    p->order = o->interpolation == NEP_RESAMPLE_NEAREST ? 0 : o->interpolation == NEP_RESAMPLE_LINEAR ? 1 : 3;
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 4; j++) {
            p->m[i][j] = j == 3 ? back[i][3] : 0;
            for (int k = 0; k < 3; k++)
                p->m[i][j] += back[i][k] * to->affine[k][j];
            if (fabs(p->m[i][j] - round(p->m[i][j])) < 1e-9) /* inverses leave a hair, which order 0 would feel at .5 */
                p->m[i][j] = round(p->m[i][j]);
        }
    return NEP_OK;
}

/* NaN where the nearest source voxel is missing. */
static nep_status punch(nep_ctx *ctx, const nep_spline_plan *plan, const float *x, int64_t n_in, float *c, float *out)
{
    nep_spline_plan p = *plan;
    float *hole = NULL;
    const int64_t n_out = p.out[0] * p.out[1] * p.out[2];
    nep_status st;
    p.order = 0;
    p.outside = 0;
    NEP_TRY(nep_alloc(ctx, n_out, sizeof *hole, "missing voxels", &hole));
    for (int64_t v = 0; v < n_in; v++)
        c[v] = isfinite(x[v]) ? 0.0f : 1.0f;
    NEP_TRY_OR_DONE(st, nep_backend_resample(ctx, c, 1, &p, hole));
    for (int64_t v = 0; v < n_out; v++)
        out[v] = hole[v] > 0 ? NAN : out[v];
done:
    nep_alloc_free(hole);
    return st;
}

nep_status nep_resample(nep_ctx *ctx, const nep_grid *from, const float *x, const nep_grid *to, const nep_resample_opts *opts, float *out)
{
    const nep_resample_opts defaults = NEP_RESAMPLE_DEFAULTS, *o = opts ? opts : &defaults;
    const int64_t n = nep_grid_voxels(from);
    nep_spline_plan p;
    float *c = NULL;
    bool gaps = false;
    nep_status st;
    NEP_TRY(make_plan(ctx, from, to, o, &p));
    for (int64_t v = 0; v < n; v++)
        gaps = gaps || !isfinite(x[v]);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *c, "volume", &c));
    NEP_TRY_OR_DONE(st, prepare(ctx, from, x, p.order == 3, gaps, c));
    NEP_TRY_OR_DONE(st, nep_backend_resample(ctx, c, 1, &p, out));
    if (!o->overshoot)
        clip(x, n, out, nep_grid_voxels(to));
    if (gaps)
        st = punch(ctx, &p, x, n, c, out);
done:
    nep_alloc_free(c);
    return st;
}
