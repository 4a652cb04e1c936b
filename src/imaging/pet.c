/* SPDX-License-Identifier: Apache-2.0 */
/* pet - checks frames and reference, prepares what every kinetic model needs, and runs a model over columns. */
#include "imaging/pet_parts.h"

#include <omp.h>

static const char *const suvr_names[] = {"suvr"};
static const char *const srtm_names[] = {"bp_nd", "r1", "k2_per_min", "k2a_per_min"};
static const char *const mrtm_names[] = {"bp_nd", "r1", "k2_per_min", "k2_prime_per_min"};
static const char *const mrtm2_names[] = {"bp_nd", "r1", "k2_per_min"};
static const char *const logan_names[] = {"bp_nd", "dvr"};
static const char *const patlak_names[] = {"ki_per_min", "intercept"};

static const struct {
    const char *name;
    const char *const *parameters;
    int n, free; /* parameters given, and fitted */
    nep_pet_one *one;
} models[] = {
    [NEP_PET_SUVR] = {"suvr", suvr_names, NEP_LEN(suvr_names), 1, nep_pet_suvr},
    [NEP_PET_SRTM] = {"srtm", srtm_names, NEP_LEN(srtm_names), 3, NULL},
    [NEP_PET_MRTM] = {"mrtm", mrtm_names, NEP_LEN(mrtm_names), 3, nep_pet_mrtm},
    [NEP_PET_MRTM2] = {"mrtm2", mrtm2_names, NEP_LEN(mrtm2_names), 2, nep_pet_mrtm2},
    [NEP_PET_LOGAN] = {"logan", logan_names, NEP_LEN(logan_names), 2, nep_pet_logan},
    [NEP_PET_PATLAK] = {"patlak", patlak_names, NEP_LEN(patlak_names), 2, nep_pet_patlak},
};

const char *const *nep_pet_parameters(nep_pet_model model, int *n)
{
    *n = models[model].n;
    return models[model].parameters;
}

const char *nep_pet_name(nep_pet_model model)
{
    return models[model].name;
}

static nep_status check_frames(nep_ctx *ctx, const nep_pet_frames *f)
{
    NEP_REQUIRE(ctx, f->n >= 1, NEP_E_ARG, "pet: no frames");
    for (int64_t i = 0; i < f->n; i++) {
        const double s = f->start_s[i], d = f->duration_s[i];
        NEP_REQUIRE(ctx, isfinite(s) && isfinite(d) && d > 0 && s >= 0, NEP_E_ARG,
                    "pet: frame %lld starts at %g s and lasts %g s; starts are from injection and durations above 0", (long long)i + 1, s, d);
        NEP_REQUIRE(ctx, i == 0 || s >= f->start_s[i - 1] + f->duration_s[i - 1] - 1e-3, NEP_E_ARG,
                    "pet: frame %lld starts at %g s, before frame %lld ends at %g s; frames must not overlap", (long long)i + 1, s,
                    (long long)i, f->start_s[i - 1] + f->duration_s[i - 1]);
        NEP_REQUIRE(ctx, !f->weight || (isfinite(f->weight[i]) && f->weight[i] >= 0), NEP_E_ARG,
                    "pet: the weight of frame %lld is %g; weights are 1 / variance and not negative", (long long)i + 1, f->weight[i]);
    }
    return NEP_OK;
}

static nep_status check_options(nep_ctx *ctx, nep_pet_model model, const nep_pet_frames *f, const nep_pet_opts *o)
{
    NEP_REQUIRE(ctx, model == NEP_PET_SUVR || f->start_s[0] <= 60, NEP_E_ARG,
                "pet: %s integrates from injection and the first frame starts %g s after it; take suvr, or all frames",
                models[model].name, f->start_s[0]);
    NEP_REQUIRE(ctx, model != NEP_PET_MRTM2 || o->k2_prime_per_min > 0, NEP_E_ARG,
                "pet: mrtm2 needs k2', the reference region's efflux in 1/min; take it from mrtm in a region of high binding");
    NEP_REQUIRE(ctx, isnan(o->k2_prime_per_min) || o->k2_prime_per_min > 0, NEP_E_ARG, "pet: k2' is %g 1/min, must be above 0",
                o->k2_prime_per_min);
    NEP_REQUIRE(ctx, model != NEP_PET_SRTM || (o->k2a_low > 0 && o->k2a_high > o->k2a_low && o->k2a_high <= 1e3), NEP_E_ARG,
                "pet: k2a from %g to %g 1/min; the bounds must ascend from above 0", o->k2a_low, o->k2a_high);
    NEP_REQUIRE(ctx, model != NEP_PET_SRTM || (o->n_basis >= 3 && o->n_basis <= 10000), NEP_E_ARG,
                "pet: %lld basis functions, must be 3 to 10000", (long long)o->n_basis);
    return NEP_OK;
}

/* Frames that a model does not use get weight 0. */
static nep_status choose_frames(nep_ctx *ctx, nep_pet_model model, const nep_pet_frames *f, const nep_pet_opts *o, nep_pet_curve *c)
{
    int64_t used = 0;
    for (int64_t i = 0; i < f->n; i++) {
        const double from = f->start_s[i] / 60, to = from + c->length[i];
        bool in = true;
        if (model == NEP_PET_SUVR)
            in = !(from < o->from_min - 1e-6) && !(to > o->to_min + 1e-6);
        else if (model == NEP_PET_LOGAN || model == NEP_PET_PATLAK)
            in = from >= o->t_star_min - 1e-6;
        if (!in)
            c->weight[i] = 0;
        used += c->weight[i] > 0;
    }
    const int least = model == NEP_PET_SUVR ? 1 : models[model].free + 1;
    NEP_REQUIRE(ctx, used >= least, NEP_E_FORMAT, "pet: %s needs %d frames and %lld are within its window with a weight above 0",
                models[model].name, least, (long long)used);
    return NEP_OK;
}

static nep_status curve_make(nep_ctx *ctx, nep_pet_model model, const nep_pet_frames *f, const double *reference,
                             const nep_pet_opts *o, nep_pet_curve *c)
{
    const int64_t n = f->n;
    NEP_TRY(nep_alloc(ctx, 6 * n, sizeof *c->memory, "frames", &c->memory));
    c->n = n;
    c->mid = c->memory;
    c->length = c->mid + n;
    c->weight = c->length + n;
    c->before = c->weight + n;
    c->reference = c->before + n;
    c->reference_integral = c->reference + n;
    double top = 0;
    for (int64_t i = 0; i < n; i++) {
        const double start = f->start_s[i] / 60, length = f->duration_s[i] / 60, end = start + length;
        const double ended = i ? (f->start_s[i - 1] + f->duration_s[i - 1]) / 60 : 0;
        const double next = i + 1 < n ? f->start_s[i + 1] / 60 : end;
        c->mid[i] = start + length / 2;
        c->length[i] = length;
        c->weight[i] = f->weight ? f->weight[i] : length;
        c->before[i] = length + (start - ended) / 2 + (next - end) / 2;
        NEP_REQUIRE(ctx, isfinite(reference[i]), NEP_E_FORMAT, "pet: the reference has no value in frame %lld", (long long)i + 1);
        c->reference[i] = reference[i];
        top = fmax(top, reference[i]);
    }
    NEP_REQUIRE(ctx, top > 0, NEP_E_FORMAT, "pet: the reference is never above 0; is it the right region?");
    nep_pet_integral(c, c->reference, c->reference_integral);
    return choose_frames(ctx, model, f, o, c);
}

void nep_pet_integral(const nep_pet_curve *c, const double *y, double *out)
{
    double whole = 0;
    for (int64_t i = 0; i < c->n; i++) {
        const double start = c->mid[i] - c->length[i] / 2, ended = i ? c->mid[i - 1] + c->length[i - 1] / 2 : 0;
        out[i] = whole + y[i] * (c->length[i] + start - ended) / 2;
        whole += y[i] * c->before[i];
    }
}

typedef struct {
    const nep_pet_curve *c;
    const nep_pet_opts *o;
    nep_pet_one *one;
    const float *x;
    int64_t n_cols;
    int width;
    double *scratch, *out;
} sweep;

static void one_column(const sweep *s, int64_t v, double *scratch)
{
    const int64_t n = s->c->n;
    double *y = scratch + 8 * n, *out = s->out + v * s->width;
    bool whole = true;
    for (int64_t i = 0; i < n; i++) {
        y[i] = (double)s->x[i * s->n_cols + v];
        whole = whole && isfinite(y[i]);
    }
    for (int k = 0; k < s->width; k++)
        out[k] = (double)NAN;
    if (whole)
        s->one(s->c, s->o, y, scratch, out);
}

static nep_status run_columns(nep_ctx *ctx, sweep *s)
{
    enum { TILE = 256 };
    const int threads = nep_ctx_threads(ctx);
    const int64_t tiles = (s->n_cols + TILE - 1) / TILE, each = 9 * s->c->n;
    NEP_TRY(nep_alloc(ctx, threads * each, sizeof *s->scratch, "fits", &s->scratch));
#pragma omp parallel for schedule(static, 1) num_threads(threads)
    for (int64_t t = 0; t < tiles; t++)
        for (int64_t v = t * TILE; v < s->n_cols && v < (t + 1) * TILE; v++)
            one_column(s, v, s->scratch + omp_get_thread_num() * each);
    nep_alloc_free(s->scratch);
    return NEP_OK;
}

nep_status nep_pet_fit(nep_ctx *ctx, nep_pet_model model, const nep_pet_frames *frames, const double *reference,
                       const float *x, int64_t n_cols, const nep_pet_opts *opts, double *out)
{
    const nep_pet_opts defaults = NEP_PET_DEFAULTS, *o = opts ? opts : &defaults;
    nep_pet_curve c = {0};
    nep_status st;
    NEP_REQUIRE(ctx, frames && reference && out && (x || n_cols == 0) && n_cols >= 0, NEP_E_ARG, "pet: an array is missing");
    NEP_TRY(check_frames(ctx, frames));
    NEP_TRY(check_options(ctx, model, frames, o));
    NEP_TRY_OR_DONE(st, curve_make(ctx, model, frames, reference, o, &c));
    if (model == NEP_PET_SRTM) {
        st = nep_pet_srtm(ctx, &c, x, n_cols, o, out);
    } else {
        sweep s = {&c, o, models[model].one, x, n_cols, 2 * models[model].n, NULL, out};
        st = run_columns(ctx, &s);
    }
done:
    nep_alloc_free(c.memory);
    return st;
}
