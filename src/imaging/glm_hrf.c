/* SPDX-License-Identifier: Apache-2.0 */
/* glm_hrf - the haemodynamic response as a difference of two gamma densities, and its derivatives. */
#include "imaging/glm_parts.h"

#include <math.h>

#define LASTS_S 32.0

typedef struct {
    double peak, undershoot, width, undershoot_width, ratio, later; /* s; `later`: starts that much later */
} shape;

int64_t nep_glm_response_length(double tr_s)
{
    return (int64_t)rint(LASTS_S / (tr_s / NEP_GLM_OVERSAMPLING));
}

static double gamma_density(double x, double k, double scale)
{
    if (x < 0 || (x == 0 && k != 1))
        return 0;
    return exp((k - 1) * log(x / scale) - x / scale - lgamma(k)) / scale;
}

/* Both densities start one step late; the sum over the samples is 1. */
static void sample(const shape *s, double tr_s, int64_t n, double *out)
{
    const double step = tr_s / NEP_GLM_OVERSAMPLING;
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        const double t = (n > 1 ? LASTS_S * (double)i / (double)(n - 1) : 0) - s->later - step;
        out[i] = gamma_density(t, s->peak / s->width, s->width) -
                 s->ratio * gamma_density(t, s->undershoot / s->undershoot_width, s->undershoot_width);
        sum += out[i];
    }
    for (int64_t i = 0; i < n; i++)
        out[i] /= sum;
}

nep_status nep_glm_response(nep_ctx *ctx, nep_glm_hrf hrf, int derivative, bool nilearn, double tr_s, double *out)
{
    shape s = hrf == NEP_GLM_SPM ? (shape){6, 16, 1, 1, 0.167, 0} : (shape){6, 12, 0.9, 0.9, 0.48, 0};
    double *other = NULL;
    NEP_REQUIRE(ctx, tr_s >= 1e-3 && tr_s <= LASTS_S, NEP_E_ARG,
                "glm: a repetition time of %g s; the response needs 0.001 to 32 s", tr_s);
    NEP_REQUIRE(ctx, derivative >= 0 && derivative <= 2, NEP_E_ARG, "glm: derivative %d of the response, must be 0, 1 or 2",
                derivative);
    const int64_t n = nep_glm_response_length(tr_s);
    if (derivative == 2 && nilearn)
        s.undershoot_width = 1;
    sample(&s, tr_s, n, out);
    if (derivative == 0)
        return NEP_OK;
    NEP_TRY(nep_alloc(ctx, n, sizeof *other, "glm: response", &other));
    const double by = derivative == 1 ? 0.1 : 0.01;
    if (derivative == 1)
        s.later = by;
    else
        s.width += by;
    sample(&s, tr_s, n, other);
    for (int64_t i = 0; i < n; i++)
        out[i] = (out[i] - other[i]) / by;
    nep_alloc_free(other);
    return NEP_OK;
}
