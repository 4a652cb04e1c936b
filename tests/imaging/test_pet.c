/* SPDX-License-Identifier: Apache-2.0 */
/* test_pet - every model against SciPy and NumPy, recovery of known truth, which way weights go, bounds, refusals. */
#include "imaging/golden.h"

#include <nepenthe/io.h>
#include <nepenthe/pet.h>

enum { MOST_FRAMES = 64, MOST_COLUMNS = 16, MOST_WIDTH = 8 };

static nep_ctx *ctx;
static nep_series tacs;
static double start[MOST_FRAMES], duration[MOST_FRAMES], reference[MOST_FRAMES];
static float curves[MOST_FRAMES * MOST_COLUMNS];
static int64_t n_curves;
static nep_pet_frames frames;

static int load(void **state)
{
    (void)state;
    ctx = test_ctx(2);
    tacs = golden_series(ctx, "pet_tacs.tsv");
    n_curves = tacs.n_cols - 3;
    for (int64_t t = 0; t < tacs.n_t; t++) {
        const float *row = tacs.data + t * tacs.n_cols;
        start[t] = (double)row[0];
        duration[t] = (double)(row[1] - row[0]);
        reference[t] = (double)row[2];
        memcpy(curves + t * n_curves, row + 3, (size_t)n_curves * sizeof *row);
    }
    frames = (nep_pet_frames){.n = tacs.n_t, .start_s = start, .duration_s = duration};
    return 0;
}

static int unload(void **state)
{
    (void)state;
    nep_series_free(&tacs);
    nep_ctx_free(ctx);
    return 0;
}

static int64_t column(const char *region)
{
    for (int64_t c = 0; c < n_curves; c++)
        if (strcmp(tacs.names[3 + c], region) == 0)
            return c;
    fail_msg("no curve %s", region);
    return -1;
}

static void fit(nep_pet_model model, const nep_pet_opts *o, double *out)
{
    assert_ok(ctx, nep_pet_fit(ctx, model, &frames, reference, curves, n_curves, o, out));
}

/* Options of the golden's models; the name of the model in *model. */
static nep_pet_opts golden_options(const char *name, nep_pet_model *model)
{
    nep_pet_opts o = NEP_PET_DEFAULTS;
    const bool with_k2 = strcmp(name, "logan_k2") == 0;
    for (int m = NEP_PET_SUVR; m <= NEP_PET_PATLAK; m++)
        if (strcmp(name, nep_pet_name((nep_pet_model)m)) == 0)
            *model = (nep_pet_model)m;
    if (with_k2)
        *model = NEP_PET_LOGAN;
    if (*model == NEP_PET_MRTM2 || with_k2)
        o.k2_prime_per_min = 0.12;
    if (*model == NEP_PET_LOGAN || *model == NEP_PET_PATLAK)
        o.t_star_min = 20;
    if (*model == NEP_PET_SUVR) {
        o.from_min = 30;
        o.to_min = 60;
    }
    return o;
}

static void test_golden(void **state)
{
    (void)state;
    nep_table t = {0};
    int64_t checked = 0;
    assert_ok(ctx, nep_tsv_read(ctx, TEST_GOLDEN("pet.tsv"), &t));
    for (int64_t r = 0; r < t.n_rows; r++) {
        nep_pet_model model = NEP_PET_SUVR;
        const char *region = nep_table_cell(&t, r, 0);
        const nep_pet_opts o = golden_options(nep_table_cell(&t, r, 1), &model);
        double out[MOST_COLUMNS * MOST_WIDTH], value, se;
        int n;
        const char *const *names = nep_pet_parameters(model, &n);
        assert_ok(ctx, nep_table_number(ctx, &t, r, 3, &value));
        assert_ok(ctx, nep_table_number(ctx, &t, r, 4, &se));
        if (model == NEP_PET_SRTM && strcmp(region, "none") == 0)
            continue; /* k2a is not determined there: the reference's own curve */
        fit(model, &o, out);
        for (int p = 0; p < n; p++)
            if (strcmp(names[p], nep_table_cell(&t, r, 2)) == 0) {
                const double *got = out + column(region) * 2 * n + 2 * p;
                if (fabs(got[0] - value) > 1e-5 * fabs(value) || fabs(got[1] - se) > 1e-4 * se)
                    fail_msg("%s %s %s: %.12g +- %.12g, reference %.12g +- %.12g", region, nep_pet_name(model), names[p], got[0], got[1],
                             value, se);
                checked++;
            }
    }
    assert_true(checked > 40);
    nep_table_free(&t);
}

static void test_truth(void **state)
{
    (void)state;
    static const struct {
        const char *region;
        double bp, r1, k2;
    } truth[] = {{"high_clean", 2.4, 0.95, 0.16}, {"middle_clean", 1.1, 1.1, 0.12}, {"low_clean", 0.15, 0.9, 0.1}};
    for (int64_t n_basis = 30; n_basis < 300; n_basis += 89) { /* the grid does not show */
        nep_pet_opts o = NEP_PET_DEFAULTS;
        double out[MOST_COLUMNS * MOST_WIDTH];
        o.n_basis = n_basis;
        fit(NEP_PET_SRTM, &o, out);
        for (int i = 0; i < NEP_LEN(truth); i++) {
            const double *got = out + column(truth[i].region) * 8;
            assert_near(got[0], truth[i].bp, 1e-6);
            assert_near(got[2], truth[i].r1, 1e-6);
            assert_near(got[4], truth[i].k2, 1e-6);
        }
    }
}

/* One peer takes weights for standard deviations, which turns them round. A wild frame of little weight must not matter. */
static void test_weights_right_way_round(void **state)
{
    (void)state;
    double weight[MOST_FRAMES], out[8], turned[8];
    float y[MOST_FRAMES];
    nep_pet_frames f = frames;
    for (int64_t t = 0; t < f.n; t++) {
        weight[t] = t == 8 ? 1e-4 : 1;
        y[t] = curves[t * n_curves + column("middle_clean")] + (t == 8 ? 20.0f : 0.0f);
    }
    f.weight = weight;
    assert_ok(ctx, nep_pet_fit(ctx, NEP_PET_SRTM, &f, reference, y, 1, NULL, out));
    assert_near(out[0], 1.1, 1e-3);
    for (int64_t t = 0; t < f.n; t++)
        weight[t] = 1 / weight[t];
    assert_ok(ctx, nep_pet_fit(ctx, NEP_PET_SRTM, &f, reference, y, 1, NULL, turned));
    assert_true(fabs(turned[0] - 1.1) > 0.02);
}

/* Units of activity and a factor on the weights change nothing. */
static void test_scale(void **state)
{
    (void)state;
    static float scaled[MOST_FRAMES * MOST_COLUMNS];
    double ref[MOST_FRAMES], weight[MOST_FRAMES], one[MOST_COLUMNS * MOST_WIDTH], two[MOST_COLUMNS * MOST_WIDTH];
    nep_pet_frames f = frames;
    for (int64_t t = 0; t < f.n; t++) {
        ref[t] = 1024 * reference[t];
        weight[t] = 3 * duration[t];
        for (int64_t c = 0; c < n_curves; c++)
            scaled[t * n_curves + c] = 1024 * curves[t * n_curves + c];
    }
    f.weight = weight;
    for (int m = NEP_PET_SUVR; m <= NEP_PET_PATLAK; m++) {
        nep_pet_opts o = NEP_PET_DEFAULTS;
        int n;
        nep_pet_parameters((nep_pet_model)m, &n);
        o.k2_prime_per_min = 0.12;
        fit((nep_pet_model)m, &o, one);
        assert_ok(ctx, nep_pet_fit(ctx, (nep_pet_model)m, &f, ref, scaled, n_curves, &o, two));
        for (int64_t k = 0; k < n_curves * 2 * n; k++)
            if (k % 2 == 0 || isnan(one[k])) /* errors of exact fits are rounding */
                assert_near(two[k], one[k], 1e-7);
    }
}

static void test_same_bits_for_any_threads(void **state)
{
    (void)state;
    enum { WIDE = 700 };
    static float x[MOST_FRAMES * WIDE];
    static double one[WIDE * 8], other[WIDE * 8];
    for (int64_t t = 0; t < frames.n; t++)
        for (int64_t c = 0; c < WIDE; c++)
            x[t * WIDE + c] = curves[t * n_curves + c % n_curves] + (float)(0.5 * nep_philox_normal(3, (uint64_t)c, (uint64_t)t));
    for (int threads = 1; threads <= 3; threads++) {
        nep_ctx *own = test_ctx(threads);
        assert_ok(own, nep_pet_fit(own, NEP_PET_SRTM, &frames, reference, x, WIDE, NULL, threads == 1 ? one : other));
        assert_true(threads == 1 || memcmp(one, other, sizeof one) == 0);
        nep_ctx_free(own);
    }
}

static void test_missing_and_bounds(void **state)
{
    (void)state;
    float x[MOST_FRAMES * 2];
    double out[16];
    nep_pet_opts o = NEP_PET_DEFAULTS;
    for (int64_t t = 0; t < frames.n; t++) {
        x[2 * t] = t == 5 ? NAN : 1;
        x[2 * t + 1] = curves[t * n_curves + column("high_clean")];
    }
    o.k2a_low = 0.06; /* above the truth, 0.047 */
    assert_ok(ctx, nep_pet_fit(ctx, NEP_PET_SRTM, &frames, reference, x, 2, &o, out));
    for (int k = 0; k < 8; k++)
        assert_true(isnan(out[k]));
    assert_near(out[8 + 6], 0.06, 1e-12);
    assert_true(isfinite(out[8]) && isnan(out[9]));
    assert_ok(ctx, nep_pet_fit(ctx, NEP_PET_LOGAN, &frames, reference, x, 2, NULL, out));
    assert_true(isnan(out[0]) && isfinite(out[4]));
    assert_ok(ctx, nep_pet_fit(ctx, NEP_PET_SRTM, &frames, reference, x, 0, NULL, out)); /* no columns, no work */
}

static void refused(nep_pet_model model, const nep_pet_frames *f, const double *ref, const nep_pet_opts *o, nep_status want, const char *word)
{
    double out[MOST_COLUMNS * MOST_WIDTH] = {-7};
    assert_fails(nep_pet_fit(ctx, model, f, ref, curves, n_curves, o, out), want);
    if (!strstr(nep_ctx_error(ctx), word))
        fail_msg("'%s' does not say '%s'", nep_ctx_error(ctx), word);
    nep_ctx_clear(ctx);
    assert_true(out[0] == -7);
}

static void test_refusals(void **state)
{
    (void)state;
    double late[MOST_FRAMES], hole[MOST_FRAMES], zero[MOST_FRAMES] = {0}, lap[MOST_FRAMES];
    nep_pet_opts o = NEP_PET_DEFAULTS;
    nep_pet_frames f = frames;
    for (int64_t t = 0; t < f.n; t++) {
        late[t] = start[t] + 3000;
        lap[t] = start[t] - (t == 4 ? 5 : 0);
        hole[t] = t == 2 ? (double)NAN : reference[t];
    }
    refused(NEP_PET_MRTM2, &f, reference, &o, NEP_E_ARG, "k2'");
    refused(NEP_PET_MRTM, &f, hole, &o, NEP_E_FORMAT, "frame 3");
    refused(NEP_PET_MRTM, &f, zero, &o, NEP_E_FORMAT, "never above 0");
    o.t_star_min = 85;
    refused(NEP_PET_LOGAN, &f, reference, &o, NEP_E_FORMAT, "needs 3 frames");
    f.start_s = late;
    refused(NEP_PET_SRTM, &f, reference, NULL, NEP_E_ARG, "3000 s after");
    f.start_s = lap;
    refused(NEP_PET_SUVR, &f, reference, NULL, NEP_E_ARG, "overlap");
    f = frames;
    f.duration_s = zero;
    refused(NEP_PET_SUVR, &f, reference, NULL, NEP_E_ARG, "durations above 0");
    o = (nep_pet_opts)NEP_PET_DEFAULTS;
    o.k2a_high = 0.001;
    refused(NEP_PET_SRTM, &frames, reference, &o, NEP_E_ARG, "ascend");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_truth),
        cmocka_unit_test(test_weights_right_way_round),
        cmocka_unit_test(test_scale),
        cmocka_unit_test(test_same_bits_for_any_threads),
        cmocka_unit_test(test_missing_and_bounds),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
