/* SPDX-License-Identifier: Apache-2.0 */
/* connectome - unit series of the columns that vary: less their mean (and line), of length 1, one after the other. */
#include <nepenthe/connectome.h>

#include <math.h>

#include "imaging/connectome_parts.h"

enum { COLUMNS_AT_ONCE = 16 };

nep_status nep_connectome_open(nep_ctx *ctx, int64_t n_t, int64_t room, bool detrend, nep_connectome *out)
{
    nep_connectome c = {.n_t = n_t, .room = room, .detrend = detrend};
    nep_status st;
    NEP_REQUIRE(ctx, n_t >= 3, NEP_E_ARG, "connectome: %lld frames; at least 3 are needed", (long long)n_t);
    NEP_REQUIRE(ctx, room >= 1, NEP_E_ARG, "connectome: no voxel to correlate");
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, room * n_t, sizeof *c.unit, "unit series of all voxels", &c.unit));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, room, sizeof *c.column, "voxels that vary", &c.column));
    *out = c;
    c = (nep_connectome){0};
done:
    nep_connectome_free(&c);
    return st;
}

void nep_connectome_free(nep_connectome *c)
{
    nep_alloc_free(c->unit);
    nep_alloc_free(c->column);
    *c = (nep_connectome){0};
}

/* Time about its middle, and its sum of squares. */
static double centred(int64_t t, int64_t n_t)
{
    return (double)t - (double)(n_t - 1) / 2;
}

static double centred_squares(int64_t n_t)
{
    const double n = (double)n_t;
    return n * (n * n - 1) / 12;
}

/* Slope of each column, and what it takes from the sum of squares. */
static void take_lines(const float *x, int64_t n_t, int64_t n_cols, const double *mean, double *m2, double *slope)
{
    for (int64_t t = 0; t < n_t; t++)
        for (int64_t i = 0; i < n_cols; i++)
            slope[i] += centred(t, n_t) * ((double)x[t * n_cols + i] - mean[i]);
    for (int64_t i = 0; i < n_cols; i++) {
        slope[i] /= centred_squares(n_t);
        m2[i] -= slope[i] * slope[i] * centred_squares(n_t);
    }
}

/* A column whose SD is within the rounding of its level and of the line taken off it does not vary. */
static bool varies(double mean, double m2, double slope, int64_t n_t)
{
    const double level = 1e-7 * (fabs(mean) + fabs(slope) * (double)n_t / 2);
    return isfinite(m2) && m2 > (double)n_t * level * level;
}

/* Columns `first` .. `first + n` of x, those with a scale, onto the end of the unit series. */
static void put_units(nep_connectome *c, const float *x, int64_t n_cols, int64_t first, int64_t n, const double *mean, const double *slope,
                      const double *scale)
{
    float *to[COLUMNS_AT_ONCE];
    for (int64_t i = 0; i < n; i++) {
        to[i] = scale[first + i] > 0 ? c->unit + c->n * c->n_t : NULL;
        if (to[i])
            c->column[c->n++] = c->n_cols + first + i;
    }
    for (int64_t t = 0; t < c->n_t; t++)
        for (int64_t i = 0; i < n; i++)
            if (to[i]) {
                const int64_t k = first + i;
                to[i][t] = (float)(((double)x[t * n_cols + k] - mean[k] - slope[k] * centred(t, c->n_t)) * scale[k]);
            }
}

nep_status nep_connectome_add(nep_ctx *ctx, nep_connectome *c, const float *x, int64_t n_cols)
{
    double *mean = NULL, *m2 = NULL, *slope = NULL;
    nep_status st;
    NEP_REQUIRE(ctx, n_cols >= 0 && n_cols <= c->room - c->n_cols, NEP_E_ARG, "connectome: %lld columns more than the %lld there is place for",
                (long long)(c->n_cols + n_cols - c->room), (long long)c->room);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_cols, sizeof *mean, "voxel means", &mean));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_cols, sizeof *m2, "voxel variances", &m2));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_cols, sizeof *slope, "voxel slopes", &slope));
    NEP_TRY_OR_DONE(st, nep_backend_moments(ctx, x, c->n_t, n_cols, mean, m2));
    if (c->detrend)
        take_lines(x, c->n_t, n_cols, mean, m2, slope);
    for (int64_t i = 0; i < n_cols; i++)
        m2[i] = varies(mean[i], m2[i], slope[i], c->n_t) ? 1 / sqrt(m2[i]) : 0;
    for (int64_t i = 0; i < n_cols; i += COLUMNS_AT_ONCE)
        put_units(c, x, n_cols, i, n_cols - i < COLUMNS_AT_ONCE ? n_cols - i : COLUMNS_AT_ONCE, mean, slope, m2);
    c->n_cols += n_cols;
done:
    nep_alloc_free(slope);
    nep_alloc_free(m2);
    nep_alloc_free(mean);
    return st;
}

nep_status nep_connectome_enough(nep_ctx *ctx, const nep_connectome *c)
{
    NEP_REQUIRE(ctx, c->n >= 2, NEP_E_FORMAT, "connectome: %lld of %lld voxels vary; at least 2 are needed to correlate", (long long)c->n,
                (long long)c->n_cols);
    return NEP_OK;
}

void nep_connectome_scatter(const nep_connectome *c, const double *value, int64_t stride, double *out)
{
    for (int64_t v = 0; v < c->n_cols; v++)
        out[v] = (double)NAN;
    for (int64_t i = 0; i < c->n; i++)
        out[c->column[i]] = value[i * stride];
}

bool nep_connectome_unit(const nep_connectome *c, double *series)
{
    double mean = 0, slope = 0, m2 = 0;
    for (int64_t t = 0; t < c->n_t; t++)
        mean += series[t] / (double)c->n_t;
    for (int64_t t = 0; c->detrend && t < c->n_t; t++)
        slope += centred(t, c->n_t) * (series[t] - mean) / centred_squares(c->n_t);
    for (int64_t t = 0; t < c->n_t; t++) {
        series[t] -= mean + slope * centred(t, c->n_t);
        m2 += series[t] * series[t];
    }
    for (int64_t t = 0; t < c->n_t; t++)
        series[t] /= sqrt(m2);
    return varies(mean, m2, slope, c->n_t);
}
