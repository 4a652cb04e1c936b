/* SPDX-License-Identifier: Apache-2.0 */
/* cohort - simulated resting-state runs with a planted group difference in slow amplitude and a nuisance one in motion. */
#include <nepenthe/simulate.h>

#include <math.h>

enum { WAVES = 10, NETWORKS = 7, MOTION = 6, N_CONFOUNDS = 9 };
static const double pi = 3.14159265358979323846;
static const double band_low_hz = 0.012, band_high_hz = 0.078; /* inside 0.01 to 0.08 Hz, where ALFF looks */
static const double head_radius_mm = 50.0; /* Power et al. (2012), doi:10.1016/j.neuroimage.2011.10.018 */

/* Streams of one subject: each kind of number has its own, so that none depends on how many others were drawn. */
enum { STREAM_NETWORK, STREAM_REGION, STREAM_AMPLITUDE, STREAM_MOTION, STREAM_VOXEL, STREAM_NOISE, STREAMS };

static uint64_t stream(int64_t subject, int kind)
{
    return (uint64_t)subject * STREAMS + (uint64_t)kind;
}

/* A unit-variance slow wave: equal cosines at fixed frequencies with random phases. */
static void slow_wave(uint64_t seed, uint64_t s, int64_t which, const nep_cohort_opts *o, double weight, double *out)
{
    for (int w = 0; w < WAVES; w++) {
        const double f = band_low_hz + (band_high_hz - band_low_hz) * ((double)w + 0.5) / WAVES;
        const double phase = 2 * pi * nep_philox_uniform(seed, s, (uint64_t)(which * WAVES + w));
        for (int64_t t = 0; t < o->n_t; t++)
            out[t] += weight * sqrt(2.0 / WAVES) * cos(2 * pi * f * o->tr_s * (double)t + phase);
    }
}

/* Slow signal of every region [n_regions, n_t], in percent of the mean. */
static void region_signals(const nep_atlas *a, const nep_cohort_opts *o, int64_t subject, bool patient, double *out)
{
    const double overall = 0.05 * nep_philox_normal(o->seed, stream(subject, STREAM_AMPLITUDE), UINT32_MAX);
    for (int64_t r = 0; r < a->n_regions; r++) {
        double *x = out + r * o->n_t;
        slow_wave(o->seed, stream(subject, STREAM_NETWORK), r % NETWORKS, o, sqrt(0.5), x);
        slow_wave(o->seed, stream(subject, STREAM_REGION), r, o, sqrt(0.5), x);
        double amplitude = exp(overall + o->spread * nep_philox_normal(o->seed, stream(subject, STREAM_AMPLITUDE), (uint64_t)r));
        if (patient && o->profile)
            amplitude *= exp(o->effect * o->profile[r]);
        for (int64_t t = 0; t < o->n_t; t++)
            x[t] *= amplitude;
    }
}

/* A pulled-back random walk per axis; rotations in rad so that 50 mm of arc match the translations. */
static void motion_traces(const nep_cohort_opts *o, int64_t subject, bool patient, bool bad, double *out)
{
    const double sd = o->motion_mm[patient] * (bad ? o->bad_factor : 1.0);
    for (int m = 0; m < MOTION; m++) {
        double at = 0;
        for (int64_t t = 0; t < o->n_t; t++) {
            at = 0.97 * at + sd * nep_philox_normal(o->seed, stream(subject, STREAM_MOTION), (uint64_t)(m * o->n_t + t));
            out[m * o->n_t + t] = m < 3 ? at : at / head_radius_mm;
        }
    }
}

static nep_status make_confounds(nep_ctx *ctx, const nep_cohort_opts *o, int64_t subject, const double *motion, nep_series *out)
{
    static const char *const names[N_CONFOUNDS] = {"trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z",
                                                   "framewise_displacement", "csf", "white_matter"};
    nep_series s = {.n_t = o->n_t, .n_cols = N_CONFOUNDS, .tr_s = o->tr_s};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, o->n_t * N_CONFOUNDS, sizeof *s.data, "confounds", &s.data));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, N_CONFOUNDS, sizeof *s.names, "confounds", &s.names));
    for (int k = 0; k < N_CONFOUNDS; k++)
        NEP_TRY_OR_DONE(st, nep_alloc_string(ctx, names[k], &s.names[k]));
    for (int64_t t = 0; t < o->n_t; t++) {
        float *row = s.data + t * N_CONFOUNDS;
        double fd = t == 0 ? (double)NAN : 0.0;
        for (int m = 0; m < MOTION; m++) {
            row[m] = (float)motion[m * o->n_t + t];
            if (t > 0)
                fd += fabs(motion[m * o->n_t + t] - motion[m * o->n_t + t - 1]) * (m < 3 ? 1.0 : head_radius_mm);
        }
        row[6] = (float)fd;
        for (int k = 7; k < N_CONFOUNDS; k++)
            row[k] = (float)(1000.0 + 4.0 * nep_philox_normal(o->seed, stream(subject, STREAM_NOISE), UINT64_MAX - (uint64_t)(t * 2 + k)));
    }
    *out = s;
    s = (nep_series){0};
done:
    nep_series_free(&s);
    return st;
}

nep_status nep_cohort_subject(nep_ctx *ctx, const nep_atlas *atlas, const nep_cohort_opts *opts, int64_t subject, bool patient,
                              bool bad, float *bold, nep_series *confounds)
{
    const nep_cohort_opts *o = opts;
    const int64_t n_vox = nep_grid_voxels(&atlas->grid);
    double *signal = NULL, *motion = NULL;
    nep_status st;
    NEP_REQUIRE(ctx, o->n_t >= 10 && o->tr_s > 0 && subject >= 0, NEP_E_ARG,
                "simulated subject: needs at least 10 frames, a positive TR and an index of 0 or more");
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, atlas->n_regions * o->n_t, sizeof *signal, "simulated signals", &signal));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, MOTION * o->n_t, sizeof *motion, "simulated motion", &motion));
    region_signals(atlas, o, subject, patient, signal);
    motion_traces(o, subject, patient, bad, motion);
    NEP_TRY_OR_DONE(st, make_confounds(ctx, o, subject, motion, confounds));
#pragma omp parallel for schedule(static)
    for (int64_t v = 0; v < n_vox; v++) {
        const int32_t r = atlas->label[v];
        const uint64_t own = stream(subject, STREAM_VOXEL), noise = stream(subject, STREAM_NOISE);
        const double base = 1000.0 + 60.0 * nep_philox_normal(o->seed, own, (uint64_t)(v * 8));
        double weight[MOTION];
        for (int m = 0; m < MOTION; m++)
            weight[m] = (m < 3 ? 8.0 : 8.0 * head_radius_mm) * nep_philox_normal(o->seed, own, (uint64_t)(v * 8 + 1 + m));
        const double drift = 6.0 * nep_philox_normal(o->seed, own, (uint64_t)(v * 8 + 7));
        for (int64_t t = 0; t < o->n_t; t++) {
            double x = 0;
            if (r > 0) {
                x = base * (1.0 + 0.01 * signal[(r - 1) * o->n_t + t]) + drift * ((double)t / (double)o->n_t - 0.5);
                for (int m = 0; m < MOTION; m++)
                    x += weight[m] * motion[m * o->n_t + t];
                x += 5.0 * nep_philox_normal(o->seed, noise, (uint64_t)(v * o->n_t + t));
            }
            bold[t * n_vox + v] = (float)x;
        }
    }
done:
    nep_alloc_free(motion);
    nep_alloc_free(signal);
    return st;
}
