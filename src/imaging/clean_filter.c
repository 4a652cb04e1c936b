/* SPDX-License-Identifier: Apache-2.0 */
/* clean_filter - Butterworth filter in second-order sections, forwards and backwards over columns.
 *
 * Design: analogue prototype, bilinear transform with prewarping (Oppenheim & Schafer, Discrete-Time Signal
 * Processing, ch. 7). Padding and initial state: Gustafsson (1996), doi:10.1109/78.492552, in scipy's odd form, or XCP-D's
 * constant one. */
#include "imaging/clean_parts.h"

#include <complex.h>
#include <float.h>
#include <stdlib.h>
#include <string.h>

enum { USUAL_ORDER = 5, XCPD_ORDER = 2, MAX_ORDER = 10, TILE = 64 };
static const double pi = 3.14159265358979323846;

typedef struct {
    double b[3], a1, a2, zi[2];
} section;

typedef struct {
    int n, padding;
    bool constant; /* padding repeats the ends */
    section s[MAX_ORDER];
} cascade;

/* A cut-off as a fraction of the Nyquist frequency, kept inside the open interval as nilearn does. */
static double fraction(double hz, double tr_s)
{
    const double nyquist = 0.5 / tr_s;
    if (hz >= nyquist)
        return 1 - 10 * (double)FLT_EPSILON;
    return fmax(hz / nyquist, (double)FLT_EPSILON);
}

static double complex bilinear(double complex s)
{
    return (4 + s) / (4 - s);
}

static int by_radius(const void *a, const void *b)
{
    const section *s = a, *t = b;
    return (s->a2 > t->a2) - (s->a2 < t->a2);
}

/* Two poles (the second 0 for a first-order section) and the numerator become one section. */
static section make_section(double complex p, double complex q, const double *b)
{
    return (section){.b = {b[0], b[1], b[2]}, .a1 = -creal(p + q), .a2 = creal(p * q)};
}

/* Steady state of the section under a constant input of 1, times what reaches it; returns what leaves it. */
static double steady(section *s, double in)
{
    const double gain = (s->b[0] + s->b[1] + s->b[2]) / (1 + s->a1 + s->a2);
    s->zi[1] = (s->b[2] - s->a2 * gain) * in;
    s->zi[0] = (s->b[1] - s->a1 * gain) * in + s->zi[1];
    return gain * in;
}

/* w1 and w2 are prewarped cut-offs (rad/s at sampling rate 2); 0 = none on that side. */
static void design(int order, double w1, double w2, cascade *f)
{
    static const double low[2][3] = {{1, 2, 1}, {1, 1, 0}}, high[2][3] = {{1, -2, 1}, {1, -1, 0}}, band[3] = {1, 0, -1};
    const bool is_band = w1 > 0 && w2 > 0;
    double complex gain = 1;
    f->n = 0;
    for (int m = 0; m < (order + 1) / 2; m++) { /* poles in the upper half plane; of an odd order the last one is real */
        const double complex p = -cexp(I * pi * (order - 1 - 2 * m) / (2.0 * order));
        const bool is_real = 2 * m + 1 == order;
        if (is_band) {
            const double complex half = p * (w2 - w1) / 2, root = csqrt(half * half - w1 * w2);
            const double complex s1 = half + root, s2 = half - root, z1 = bilinear(s1), z2 = bilinear(s2);
            gain *= is_real ? 4 * (w2 - w1) / ((4 - s1) * (4 - s2)) : cpow(4 * (w2 - w1), 2) / ((4 - s1) * (4 - conj(s1)) * (4 - s2) * (4 - conj(s2)));
            if (is_real)
                f->s[f->n++] = make_section(z1, z2, band);
            else {
                f->s[f->n++] = make_section(z1, conj(z1), band);
                f->s[f->n++] = make_section(z2, conj(z2), band);
            }
            continue;
        }
        const double complex s = w2 > 0 ? p * w2 : w1 / p, z = bilinear(s);
        const double top = w2 > 0 ? w2 : 4; /* of each zero: the cut-off itself, or 4 - 0 for a zero at the origin */
        gain *= is_real ? top / (4 - s) : top * top / ((4 - s) * (4 - conj(s)));
        f->s[f->n++] = make_section(z, is_real ? 0 : conj(z), (w2 > 0 ? low : high)[is_real]);
    }
    f->padding = 3 * ((is_band ? 2 * order : order) + 1);
    qsort(f->s, (size_t)f->n, sizeof f->s[0], by_radius);
    for (int k = 0; k < 3; k++)
        f->s[0].b[k] *= creal(gain);
    double in = 1;
    for (int k = 0; k < f->n; k++)
        in = steady(&f->s[k], in);
}

/* One pass over a tile [rows, n], in place, forwards or backwards. */
static void pass(const cascade *f, double *x, int64_t rows, int64_t n, bool backwards)
{
    double z0[TILE], z1[TILE];
    for (int k = 0; k < f->n; k++) {
        const section s = f->s[k];
        const double *first = x + (backwards ? rows - 1 : 0) * n;
        /* the state follows the cascade's input at its first row; earlier sections have overwritten it, so it is
         * recovered from the row kept below the tile */
        const double *entry = k == 0 ? first : x + rows * n;
        if (k == 0)
            memcpy(x + rows * n, first, (size_t)n * sizeof *x);
        for (int64_t c = 0; c < n; c++) {
            z0[c] = s.zi[0] * entry[c];
            z1[c] = s.zi[1] * entry[c];
        }
        for (int64_t i = 0; i < rows; i++) {
            double *row = x + (backwards ? rows - 1 - i : i) * n;
            for (int64_t c = 0; c < n; c++) {
                const double in = row[c], out = s.b[0] * in + z0[c];
                z0[c] = s.b[1] * in - s.a1 * out + z1[c];
                z1[c] = s.b[2] * in - s.a2 * out;
                row[c] = out;
            }
        }
    }
}

/* Columns c .. c + n - 1 extended: odd, 2 x[0] - x[pad .. 1], x, 2 x[last] - x[last - 1 ..], or by their end values. */
static void extended(const nep_clean_matrix *m, int64_t c, int64_t n, const cascade *f, double *tile)
{
    for (int64_t i = -f->padding; i < m->rows + f->padding; i++) {
        const int64_t from = i < 0 ? -i : i >= m->rows ? 2 * (m->rows - 1) - i : i;
        const double *row = m->x + from * m->cols + c, *end = m->x + (i < 0 ? 0 : m->rows - 1) * m->cols + c;
        double *to = tile + (i + f->padding) * n;
        const bool inside = from == i;
        for (int64_t k = 0; k < n; k++)
            to[k] = inside ? row[k] : f->constant ? end[k] : 2 * end[k] - row[k];
    }
}

nep_status nep_clean_cutoffs(nep_ctx *ctx, const nep_clean_opts *o)
{
    const double high = o->high_pass_hz, low = o->low_pass_hz, fastest = 0.5 / o->tr_s;
    NEP_REQUIRE(ctx, o->order >= 0 && o->order <= MAX_ORDER, NEP_E_ARG, "clean: order %d; a filter of order 1 to %d can be made", o->order, MAX_ORDER);
    NEP_REQUIRE(ctx, o->tr_s > 0 && isfinite(o->tr_s), NEP_E_ARG, "clean: a filter needs the repetition time; give --tr in seconds");
    NEP_REQUIRE(ctx, isnan(high) || high >= 0, NEP_E_ARG, "clean: high-pass of %g Hz is negative", high);
    NEP_REQUIRE(ctx, isnan(low) || low > 0, NEP_E_ARG, "clean: low-pass of %g Hz is not above 0", low);
    NEP_REQUIRE(ctx, isnan(high) || isnan(low) || high < low, NEP_E_ARG, "clean: the band %g to %g Hz is empty", high, low);
    NEP_REQUIRE(ctx, isnan(high) || high < fastest, NEP_E_ARG,
                "clean: high-pass of %g Hz is not below %g Hz, the fastest that frames every %g s can show", high, fastest, o->tr_s);
    return NEP_OK;
}

nep_status nep_clean_butterworth(nep_ctx *ctx, nep_clean_matrix *m, const nep_clean_opts *o)
{
    const bool xcpd = o->definition == NEP_CLEAN_XCPD, high = !isnan(o->high_pass_hz), low = !isnan(o->low_pass_hz);
    cascade f = {.constant = xcpd};
    double *tile = NULL;
    if (!high && !low)
        return NEP_OK;
    NEP_TRY(nep_clean_cutoffs(ctx, o));
    design(o->order ? o->order : xcpd ? XCPD_ORDER : USUAL_ORDER, high ? 4 * tan(pi * fraction(o->high_pass_hz, o->tr_s) / 2) : 0,
           low ? 4 * tan(pi * fraction(o->low_pass_hz, o->tr_s) / 2) : 0, &f);
    if (xcpd)
        f.padding = (int)m->rows - 1;
    NEP_REQUIRE(ctx, m->rows > f.padding, NEP_E_FORMAT,
                "clean: %lld frames are too few for this filter, which needs more than %d; use --filter cosine or a longer run",
                (long long)m->rows, f.padding);
    const int64_t rows = m->rows + 2 * f.padding;
    NEP_TRY(nep_alloc(ctx, (rows + 1) * TILE, sizeof *tile, "filter tile", &tile));
    for (int64_t c = 0; c < m->cols; c += TILE) {
        const int64_t n = m->cols - c < TILE ? m->cols - c : TILE;
        extended(m, c, n, &f, tile);
        pass(&f, tile, rows, n, false);
        pass(&f, tile, rows, n, true);
        for (int64_t i = 0; i < m->rows; i++)
            memcpy(m->x + i * m->cols + c, tile + (i + f.padding) * n, (size_t)n * sizeof *tile);
    }
    nep_alloc_free(tile);
    return NEP_OK;
}
