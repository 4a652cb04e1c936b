/* SPDX-License-Identifier: Apache-2.0 */
/* glm_design - the design of one run: events through the response, confounds, drifts, constant.
 *
 * Events become steps on a grid of 50 points per frame that begins 24 s before the run; the convolution is computed at the
 * two grid points beside each frame alone. The grid's arithmetic is that of numpy.linspace, so that an event on a grid point
 * falls on the same side of it. */
#include "imaging/glm_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nepenthe/data.h>

#define WINDOW_S 24.0
#define PI       3.14159265358979323846

void nep_glm_design_free(nep_glm_design *d)
{
    nep_alloc_free(d->x);
    nep_data_free_names(d->names, d->names ? d->p : 0);
    *d = (nep_glm_design){0};
}

typedef struct {
    int64_t n;      /* frames */
    double *time;   /* [n] s */
    double tr_s;    /* least distance of frames */
    int64_t n_grid; /* points of the fine grid: start + i step, the last one `stop` */
    double start, stop, step;
} clock_grid;

static double grid_time(const clock_grid *g, int64_t i)
{
    return i == g->n_grid - 1 ? g->stop : (double)i * g->step + g->start;
}

/* First grid point at or after t, n_grid when there is none. */
static int64_t grid_find(const clock_grid *g, double t)
{
    int64_t low = 0, high = g->n_grid;
    while (low < high) {
        const int64_t mid = (low + high) / 2;
        if (grid_time(g, mid) < t)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static nep_status clock_make(nep_ctx *ctx, int64_t n, const nep_glm_timing *o, clock_grid *g)
{
    const double first = o->slice_time_ref * o->tr_s, last = ((double)(n - 1) + o->slice_time_ref) * o->tr_s;
    const double step = (last - first) / (double)(n - 1), more = 1 + 1.0 / (double)(n - 1);
    g->n = n;
    NEP_TRY(nep_alloc(ctx, n, sizeof *g->time, "glm: frame times", &g->time));
    g->tr_s = INFINITY;
    for (int64_t i = 0; i < n; i++) {
        g->time[i] = i == n - 1 ? last : (double)i * step + first;
        if (i > 0)
            g->tr_s = fmin(g->tr_s, g->time[i] - g->time[i - 1]);
    }
    const double points = (double)(n - 1) / (last - first) * ((last * more - first + WINDOW_S) * NEP_GLM_OVERSAMPLING) + 1;
    g->n_grid = (int64_t)rint(points);
    g->start = first - WINDOW_S;
    g->stop = last * more;
    g->step = (g->stop - g->start) / (double)(g->n_grid - 1);
    return NEP_OK;
}

/* ---- one condition ---------------------------------------------------------------------------------------------- */

static bool outside(const clock_grid *g, double onset, double duration)
{
    return onset + duration < g->start || onset > g->stop;
}

/* Adds an event to the differences of the fine course. */
static void add_event(const clock_grid *g, double onset, double duration, double size, double *course)
{
    const int64_t on = grid_find(g, onset), off = grid_find(g, onset + duration), end = g->n_grid - 1;
    const int64_t a = on < end ? on : end;
    int64_t b = off < end ? off : end;
    if (b < end && b == a) /* an instant lasts one step */
        b++;
    course[a] += size;
    course[b] -= size;
}

/* The course convolved with h [m], at the frames: straight between the grid points beside them. */
static void convolve_at_frames(const clock_grid *g, const double *course, const double *h, int64_t m, double *out,
                               int64_t stride)
{
    for (int64_t f = 0; f < g->n; f++) {
        int64_t right = grid_find(g, g->time[f]);
        right = right < 1 ? 1 : right > g->n_grid - 1 ? g->n_grid - 1 : right;
        double y[2] = {0, 0};
        for (int side = 0; side < 2; side++) {
            const int64_t at = right - 1 + side, most = at + 1 < m ? at + 1 : m;
            for (int64_t k = 0; k < most; k++)
                y[side] += h[k] * course[at - k];
        }
        const double left = grid_time(g, right - 1), width = grid_time(g, right) - left;
        out[f * stride] = (y[1] - y[0]) / width * (g->time[f] - left) + y[0];
    }
}

/* Takes column j of x [n, p] down to its part orthogonal to columns from .. j - 1; q [j - from + 1, n] keeps their basis. */
static void orthogonal_to_before(double *x, int64_t n, int64_t p, int64_t from, int64_t j, double *q)
{
    double *own = q + (j - from) * n;
    for (int64_t i = 0; i < n; i++)
        own[i] = x[i * p + j];
    const double norm = nep_ortho_residual(q, j - from, n, own, NULL);
    for (int64_t i = 0; i < n; i++) {
        x[i * p + j] = own[i];
        own[i] = norm > 0 ? own[i] / norm : 0;
    }
}

typedef struct {
    nep_ctx *ctx;
    const nep_glm_timing *o;
    clock_grid grid;
    double *course, *response[3], *basis;
    int64_t n_response;
} builder;

static nep_status condition_columns(builder *b, const nep_glm_events *e, const char *type, int64_t at, nep_glm_design *d)
{
    static const char *const endings[] = {"", "_derivative", "_dispersion"};
    const clock_grid *g = &b->grid;
    int64_t left_out = 0, all = 0;
    memset(b->course, 0, (size_t)g->n_grid * sizeof *b->course);
    for (int64_t i = 0; i < e->n; i++) {
        if (e->trial_type && strcmp(e->trial_type[i], type) != 0)
            continue;
        const bool out = !b->o->nilearn && outside(g, e->onset_s[i], e->duration_s[i]);
        NEP_REQUIRE(b->ctx, !out || b->o->leave_outside, NEP_E_FORMAT,
                    "glm: event %lld, '%s' at %g s for %g s, lies outside the run, which lasts %g s; check that times are in s and the "
                    "repetition time is right, or give --leave-outside",
                    (long long)i + 1, type, e->onset_s[i], e->duration_s[i], g->stop);
        all++;
        left_out += out;
        if (!out)
            add_event(g, e->onset_s[i], e->duration_s[i], e->modulation ? e->modulation[i] : 1, b->course);
    }
    NEP_REQUIRE(b->ctx, left_out < all, NEP_E_FORMAT, "glm: all %lld events of '%s' lie outside the run, which lasts %g s", (long long)all,
                type, g->stop);
    if (left_out > 0)
        nep_warn(b->ctx, "glm: %lld of %lld events of '%s' lie outside the run and are left out", (long long)left_out, (long long)all, type);
    for (int64_t i = 1; i < g->n_grid; i++)
        b->course[i] += b->course[i - 1];
    for (int k = 0; k <= b->o->derivatives; k++) {
        char name[512];
        snprintf(name, sizeof name, "%.480s%s", type, endings[k]);
        NEP_TRY(nep_alloc_string(b->ctx, name, &d->names[at + k]));
        convolve_at_frames(g, b->course, b->response[k], b->n_response, d->x + at + k, d->p);
        orthogonal_to_before(d->x, d->n, d->p, at, at + k, b->basis);
    }
    return NEP_OK;
}

static nep_status builder_open(nep_ctx *ctx, int64_t n_t, const nep_glm_timing *o, builder *b)
{
    b->ctx = ctx;
    b->o = o;
    NEP_TRY(clock_make(ctx, n_t, o, &b->grid));
    b->n_response = nep_glm_response_length(b->grid.tr_s);
    NEP_TRY(nep_alloc(ctx, b->grid.n_grid, sizeof *b->course, "glm: course of events", &b->course));
    NEP_TRY(nep_alloc(ctx, (3 + (int64_t)o->drift_order) * n_t, sizeof *b->basis, "glm: basis", &b->basis));
    for (int k = 0; k <= o->derivatives; k++) {
        NEP_TRY(nep_alloc(ctx, b->n_response, sizeof *b->response[k], "glm: response", &b->response[k]));
        NEP_TRY(nep_glm_response(ctx, o->hrf, k, o->nilearn, b->grid.tr_s, b->response[k]));
    }
    return NEP_OK;
}

static void builder_free(builder *b)
{
    for (int k = 0; k < 3; k++)
        nep_alloc_free(b->response[k]);
    nep_alloc_free(b->basis);
    nep_alloc_free(b->course);
    nep_alloc_free(b->grid.time);
}

/* ---- confounds and drifts ---------------------------------------------------------------------------------------- */

static nep_status confound_columns(nep_ctx *ctx, const nep_glm_design *c, int64_t at, nep_glm_design *d)
{
    for (int64_t k = 0; c && k < c->p; k++) {
        NEP_TRY(nep_alloc_string(ctx, c->names[k], &d->names[at + k]));
        for (int64_t i = 0; i < d->n; i++) {
            const double v = c->x[i * c->p + k];
            NEP_REQUIRE(ctx, isfinite(v), NEP_E_FORMAT, "glm: confound '%s' has no value in frame %lld", c->names[k],
                        (long long)i + 1);
            d->x[i * d->p + at + k] = v;
        }
    }
    return NEP_OK;
}

static int64_t drift_count(int64_t n, const clock_grid *g, const nep_glm_timing *o)
{
    if (o->drift == NEP_GLM_POLYNOMIAL)
        return o->drift_order;
    if (o->drift == NEP_GLM_NO_DRIFT)
        return 0;
    const double dt = (g->time[n - 1] - g->time[0]) / (double)(n - 1);
    const int64_t k = (int64_t)floor((double)(2 * n) * o->high_pass_hz * dt);
    return k < n - 1 ? k : n - 1;
}

static nep_status drift_columns(builder *b, int64_t count, int64_t at, nep_glm_design *d)
{
    const int64_t n = d->n, constant = at + count;
    for (int64_t i = 0; i < n; i++)
        d->x[i * d->p + constant] = 1;
    NEP_TRY(nep_alloc_string(b->ctx, "constant", &d->names[constant]));
    for (int64_t i = 0; i < n; i++)
        b->basis[i] = 1 / sqrt((double)n);
    for (int64_t k = 1; k <= count; k++) {
        char name[32];
        const int64_t j = at + k - 1;
        snprintf(name, sizeof name, "drift_%lld", (long long)k);
        NEP_TRY(nep_alloc_string(b->ctx, name, &d->names[j]));
        for (int64_t i = 0; i < n; i++)
            d->x[i * d->p + j] = b->o->drift == NEP_GLM_COSINE
                                     ? sqrt(2 / (double)n) * cos(PI / (double)n * ((double)i + 0.5) * (double)k)
                                     : pow(b->grid.time[i] / b->grid.time[n - 1], (double)k);
        if (b->o->drift == NEP_GLM_POLYNOMIAL) /* the basis begins with the constant, as if it stood before drift_1 */
            orthogonal_to_before(d->x, n, d->p, at - 1, j, b->basis);
    }
    return NEP_OK;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static nep_status check(nep_ctx *ctx, int64_t n_t, const nep_glm_events *e, const nep_glm_design *c,
                        const nep_glm_timing *o)
{
    NEP_REQUIRE(ctx, o->tr_s > 0 && isfinite(o->tr_s), NEP_E_ARG, "glm: the repetition time is not known; give it in s");
    NEP_REQUIRE(ctx, n_t >= 3, NEP_E_SHAPE, "glm: %lld frames are no time series", (long long)n_t);
    NEP_REQUIRE(ctx, o->slice_time_ref >= 0 && o->slice_time_ref <= 1, NEP_E_ARG,
                "glm: slice_time_ref is %g; it is a share of the repetition time, 0 to 1", o->slice_time_ref);
    NEP_REQUIRE(ctx, o->derivatives >= 0 && o->derivatives <= 2, NEP_E_ARG, "glm: %d derivatives; 0, 1 or 2", o->derivatives);
    NEP_REQUIRE(ctx, o->drift != NEP_GLM_COSINE || (o->high_pass_hz >= 0 && 2 * o->high_pass_hz * o->tr_s < 1), NEP_E_ARG,
                "glm: a high-pass of %g Hz leaves nothing at a repetition time of %g s; it must be below %g", o->high_pass_hz,
                o->tr_s, 0.5 / o->tr_s);
    NEP_REQUIRE(ctx, o->drift_order >= 0 && o->drift_order <= 100, NEP_E_ARG, "glm: drift of order %d, must be 0 to 100",
                o->drift_order);
    NEP_REQUIRE(ctx, !c || c->n == n_t, NEP_E_SHAPE, "glm: the confounds have %lld rows, the run has %lld frames",
                c ? (long long)c->n : 0, (long long)n_t);
    NEP_REQUIRE(ctx, e && e->n > 0, NEP_E_FORMAT, "glm: there is no event");
    for (int64_t i = 0; i < e->n; i++) {
        NEP_REQUIRE(ctx, isfinite(e->onset_s[i]), NEP_E_FORMAT, "glm: event %lld has no onset", (long long)i + 1);
        NEP_REQUIRE(ctx, isfinite(e->duration_s[i]) && e->duration_s[i] >= 0, NEP_E_FORMAT,
                    "glm: event %lld, at %g s, lasts %g s; durations are 0 or more", (long long)i + 1, e->onset_s[i],
                    e->duration_s[i]);
        NEP_REQUIRE(ctx, !e->modulation || isfinite(e->modulation[i]), NEP_E_FORMAT,
                    "glm: event %lld, at %g s, has no modulation", (long long)i + 1, e->onset_s[i]);
        NEP_REQUIRE(ctx, !e->trial_type || e->trial_type[i], NEP_E_FORMAT, "glm: event %lld, at %g s, has no trial_type",
                    (long long)i + 1, e->onset_s[i]);
    }
    return NEP_OK;
}

static nep_status check_names(nep_ctx *ctx, const nep_glm_design *d)
{
    for (int64_t j = 0; j < d->p; j++)
        for (int64_t k = 0; k < j; k++)
            NEP_REQUIRE(ctx, strcmp(d->names[j], d->names[k]) != 0, NEP_E_FORMAT,
                        "glm: two columns of the design are called '%s'; rename the confound or the trial type", d->names[j]);
    return NEP_OK;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted distinct trial types; returns their number. */
static int64_t find_types(const nep_glm_events *e, const char **type)
{
    int64_t m = 0;
    for (int64_t i = 0; i < e->n; i++)
        type[i] = e->trial_type ? e->trial_type[i] : "dummy";
    qsort(type, (size_t)e->n, sizeof *type, by_text);
    for (int64_t i = 0; i < e->n; i++)
        if (i == 0 || strcmp(type[i], type[m - 1]) != 0)
            type[m++] = type[i];
    return m;
}

nep_status nep_glm_design_first(nep_ctx *ctx, int64_t n_t, const nep_glm_events *events, const nep_glm_design *confounds,
                                const nep_glm_timing *timing, nep_glm_design *out)
{
    builder b = {0};
    nep_glm_design d = {.n = n_t};
    const char **type = NULL;
    nep_status st;
    NEP_TRY(check(ctx, n_t, events, confounds, timing));
    NEP_TRY_OR_DONE(st, builder_open(ctx, n_t, timing, &b));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, events->n, sizeof *type, "glm: trial types", &type));
    const int64_t n_types = find_types(events, type), each = timing->derivatives + 1;
    const int64_t n_confounds = confounds ? confounds->p : 0, n_drifts = drift_count(n_t, &b.grid, timing);
    d.p = n_types * each + n_confounds + n_drifts + 1;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d.n * d.p, sizeof *d.x, "glm: design", &d.x));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d.p, sizeof *d.names, "glm: design", &d.names));
    for (int64_t k = 0; k < n_types; k++)
        NEP_TRY_OR_DONE(st, condition_columns(&b, events, type[k], k * each, &d));
    NEP_TRY_OR_DONE(st, confound_columns(ctx, confounds, n_types * each, &d));
    NEP_TRY_OR_DONE(st, drift_columns(&b, n_drifts, n_types * each + n_confounds, &d));
    NEP_TRY_OR_DONE(st, check_names(ctx, &d));
    *out = d;
    d = (nep_glm_design){0};
done:
    nep_alloc_free(type);
    nep_glm_design_free(&d);
    builder_free(&b);
    return st;
}
