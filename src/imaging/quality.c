/* SPDX-License-Identifier: Apache-2.0 */
/* quality - how much a head moved, and a mask for images that come without one. */
#include <nepenthe/imaging.h>

#include <stdlib.h>
#include <string.h>

/* R = Rx Ry Rz of right-handed rotations. */
static void rotation(const double angle[3], double r[3][3])
{
    const double cx = cos(angle[0]), sx = sin(angle[0]), cy = cos(angle[1]), sy = sin(angle[1]), cz = cos(angle[2]), sz = sin(angle[2]);
    const double m[3][3] = {{cy * cz, -cy * sz, sy},
                            {cx * sz + sx * sy * cz, cx * cz - sx * sy * sz, -sx * cy},
                            {sx * sz - cx * sy * cz, sx * cz + cx * sy * sz, cx * cy}};
    memcpy(r, m, sizeof m);
}

static double jenkinson(const double *before, const double *now, double radius)
{
    double a[3][3], b[3][3], square = 0, shift = 0;
    rotation(before + 3, a);
    rotation(now + 3, b);
    for (int i = 0; i < 3; i++) {
        double t = now[i]; /* translation of now * before^-1 = t_now - R t_before, R = b a' */
        for (int j = 0; j < 3; j++) {
            double r = 0;
            for (int k = 0; k < 3; k++)
                r += b[i][k] * a[j][k];
            t -= r * before[j];
            square += (r - (i == j)) * (r - (i == j));
        }
        shift += t * t;
    }
    return sqrt(shift + radius * radius / 5 * square);
}

nep_status nep_quality_fd(nep_ctx *ctx, const double *motion, int64_t n_t, nep_quality_displacement kind, double radius_mm,
                          double *out)
{
    const double radius = isnan(radius_mm) ? (kind == NEP_QUALITY_POWER ? 50 : 80) : radius_mm;
    NEP_REQUIRE(ctx, radius > 0, NEP_E_ARG, "quality: a head radius of %g mm cannot be", radius);
    for (int64_t t = 0; t < n_t; t++) {
        const double *now = motion + t * 6, *before = now - 6;
        out[t] = t == 0 ? (double)NAN : 0;
        for (int k = 0; t > 0 && kind == NEP_QUALITY_POWER && k < 6; k++)
            out[t] += fabs(now[k] - before[k]) * (k < 3 ? 1 : radius);
        if (t > 0 && kind == NEP_QUALITY_JENKINSON)
            out[t] = jenkinson(before, now, radius);
    }
    return NEP_OK;
}

static int by_value(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

nep_status nep_quality_mask(nep_ctx *ctx, const float *mean, int64_t n, float *mask, int64_t *inside)
{
    float *sorted = NULL, threshold = 0, widest = 0;
    int64_t finite = 0, count = 0;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *sorted, "sorted mean image", &sorted));
    for (int64_t v = 0; v < n; v++)
        if (isfinite(mean[v]))
            sorted[finite++] = mean[v];
    qsort(sorted, (size_t)finite, sizeof *sorted, by_value);
    for (int64_t i = finite / 5; i + 1 < finite && i < finite * 85 / 100; i++)
        if (sorted[i + 1] - sorted[i] > widest) {
            widest = sorted[i + 1] - sorted[i];
            threshold = sorted[i] + widest / 2;
        }
    NEP_REQUIRE_OR_DONE(st, ctx, widest > 0, NEP_E_FORMAT, "quality: head and background cannot be told apart; give --mask");
    for (int64_t v = 0; v < n; v++) {
        mask[v] = isfinite(mean[v]) && mean[v] >= threshold ? 1.0f : 0.0f;
        count += mask[v] > 0;
    }
    *inside = count;
done:
    nep_alloc_free(sorted);
    return st;
}
