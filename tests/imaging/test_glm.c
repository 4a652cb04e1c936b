/* SPDX-License-Identifier: Apache-2.0 */
/* test_glm - responses, designs and contrasts of the linear model against nilearn, and every refusal. */
#include "imaging/golden.h"

#include <nepenthe/glm.h>

static nep_ctx *ctx;
static nep_table events_table;
static double onset[64], duration[64], modulation[64];
static const char *type[64];
static nep_glm_events events;

static int load(void **state)
{
    (void)state;
    ctx = test_ctx(2);
    assert_ok(ctx, nep_tsv_read(ctx, TEST_GOLDEN("glm_events.tsv"), &events_table));
    for (int64_t i = 0; i < events_table.n_rows; i++) {
        assert_ok(ctx, nep_table_number(ctx, &events_table, i, 0, &onset[i]));
        assert_ok(ctx, nep_table_number(ctx, &events_table, i, 1, &duration[i]));
        assert_ok(ctx, nep_table_number(ctx, &events_table, i, 3, &modulation[i]));
        type[i] = nep_table_cell(&events_table, i, 2);
    }
    events = (nep_glm_events){events_table.n_rows, onset, duration, modulation, type};
    return 0;
}

static int unload(void **state)
{
    (void)state;
    nep_table_free(&events_table);
    nep_ctx_free(ctx);
    return 0;
}

static void says(nep_status got, nep_status want, const char *word)
{
    assert_int_equal(got, want);
    if (!strstr(nep_ctx_error(ctx), word))
        fail_msg("'%s' does not say '%s'", nep_ctx_error(ctx), word);
    nep_ctx_clear(ctx);
}

/* ---- responses ------------------------------------------------------------------------------------------------------- */

static void test_responses(void **state)
{
    (void)state;
    static double h[8][4096];
    nep_table t = {0};
    double before = 0;
    assert_ok(ctx, nep_tsv_read(ctx, TEST_GOLDEN("glm_hrf.tsv"), &t));
    for (int64_t r = 0; r < t.n_rows; r++) {
        double x[10];
        for (int k = 0; k < 10; k++)
            assert_ok(ctx, nep_table_number(ctx, &t, r, k, &x[k]));
        assert_int_equal(nep_glm_response_length(x[0]), (int64_t)x[1]);
        if (x[0] != before) {
            for (int k = 0; k < 6; k++)
                assert_ok(ctx, nep_glm_response(ctx, k < 3 ? NEP_GLM_SPM : NEP_GLM_GLOVER, k % 3, true, x[0], h[k]));
            assert_ok(ctx, nep_glm_response(ctx, NEP_GLM_GLOVER, 2, false, x[0], h[6]));
            before = x[0];
        }
        for (int k = 0; k < 7; k++)
            if (fabs(h[k][(int)x[2]] - x[3 + k]) > 1e-11 * fabs(x[3 + k]) + 1e-13)
                fail_msg("TR %g, sample %g, response %d: %.15g, reference %.15g", x[0], x[2], k, h[k][(int)x[2]], x[3 + k]);
    }
    nep_table_free(&t);
    says(nep_glm_response(ctx, NEP_GLM_SPM, 0, false, 40, h[0]), NEP_E_ARG, "0.001 to 32 s");
    says(nep_glm_response(ctx, NEP_GLM_SPM, 3, false, 2, h[0]), NEP_E_ARG, "derivative 3");
}

/* ---- designs --------------------------------------------------------------------------------------------------------- */

static nep_glm_design design_of(const char *file)
{
    nep_table t = {0};
    nep_glm_design d = {0};
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", TEST_GOLDEN(""), file);
    assert_ok(ctx, nep_tsv_read(ctx, path, &t));
    d.n = t.n_rows;
    d.p = t.n_cols;
    assert_ok(ctx, nep_alloc(ctx, d.n * d.p, sizeof *d.x, "design", &d.x));
    assert_ok(ctx, nep_alloc(ctx, d.p, sizeof *d.names, "design", &d.names));
    for (int64_t j = 0; j < d.p; j++) {
        assert_ok(ctx, nep_alloc_string(ctx, t.header[j], &d.names[j]));
        for (int64_t i = 0; i < d.n; i++)
            assert_ok(ctx, nep_table_number(ctx, &t, i, j, &d.x[i * d.p + j]));
    }
    nep_table_free(&t);
    return d;
}

/* As the reference had them: float32. */
static nep_glm_design golden_confounds(void)
{
    nep_glm_design d = design_of("glm_confounds.tsv");
    for (int64_t i = 0; i < d.n * d.p; i++)
        d.x[i] = (double)(float)d.x[i];
    return d;
}

static const struct {
    const char *file;
    nep_glm_timing o;
    bool confounds;
} made[] = {
    {"glm_design_full.tsv",
     {.tr_s = 2, .slice_time_ref = 0.5, .hrf = NEP_GLM_SPM, .derivatives = 2, .drift = NEP_GLM_COSINE, .high_pass_hz = 0.01, .nilearn = true},
     true},
    {"glm_design_polynomial.tsv",
     {.tr_s = 2, .hrf = NEP_GLM_GLOVER, .derivatives = 1, .drift = NEP_GLM_POLYNOMIAL, .drift_order = 3, .leave_outside = true},
     false},
    {"glm_design_glover.tsv",
     {.tr_s = 1.37, .hrf = NEP_GLM_GLOVER, .derivatives = 2, .drift = NEP_GLM_COSINE, .high_pass_hz = 0.02, .nilearn = true},
     false},
    {"glm_design_plain.tsv", {.tr_s = 2, .hrf = NEP_GLM_GLOVER, .drift = NEP_GLM_NO_DRIFT}, false},
};

static void test_designs(void **state)
{
    (void)state;
    nep_glm_design confounds = golden_confounds();
    for (int k = 0; k < NEP_LEN(made); k++) {
        nep_glm_design want = design_of(made[k].file), got = {0};
        assert_ok(ctx, nep_glm_design_first(ctx, 120, &events, made[k].confounds ? &confounds : NULL, &made[k].o, &got));
        assert_int_equal(got.n, want.n);
        assert_int_equal(got.p, want.p);
        for (int64_t j = 0; j < got.p; j++) {
            assert_string_equal(got.names[j], want.names[j]);
            for (int64_t i = 0; i < got.n; i++)
                if (fabs(got.x[i * got.p + j] - want.x[i * got.p + j]) > 1e-10 * (1 + fabs(want.x[i * got.p + j])))
                    fail_msg("%s: column %s, frame %lld: %.14g, reference %.14g", made[k].file, got.names[j], (long long)i, got.x[i * got.p + j],
                             want.x[i * got.p + j]);
        }
        nep_glm_design_free(&want);
        nep_glm_design_free(&got);
    }
    nep_glm_design_free(&confounds);
}

/* The whole convolution, point by point on the fine grid, of one event that no golden has: a regressor is linear in its events. */
static void test_regressors_are_linear(void **state)
{
    (void)state;
    enum { N = 70 };
    const double at[3] = {12.3, 40.07, 77}, lasts[3] = {0, 6.1, 3}, size[3] = {2, -0.5, 1.25};
    const nep_glm_timing o = {.tr_s = 1.9, .hrf = NEP_GLM_SPM, .drift = NEP_GLM_NO_DRIFT};
    nep_glm_design all = {0}, one[3] = {{0}};
    const nep_glm_events together = {3, at, lasts, size, NULL};
    assert_ok(ctx, nep_glm_design_first(ctx, N, &together, NULL, &o, &all));
    assert_string_equal(all.names[0], "dummy");
    for (int k = 0; k < 3; k++) {
        const nep_glm_events e = {1, at + k, lasts + k, NULL, NULL};
        assert_ok(ctx, nep_glm_design_first(ctx, N, &e, NULL, &o, &one[k]));
    }
    for (int i = 0; i < N; i++)
        assert_near(all.x[2 * i], 2 * one[0].x[2 * i] - 0.5 * one[1].x[2 * i] + 1.25 * one[2].x[2 * i], 1e-12);
    for (int k = 0; k < 3; k++)
        nep_glm_design_free(&one[k]);
    nep_glm_design_free(&all);
}

/* nilearn moves an event that ended 33 s before the run to 24 s before it, where it reaches the first frames. */
static void test_events_outside(void **state)
{
    (void)state;
    nep_glm_design reference = design_of("glm_outside_nilearn.tsv"), d = {0};
    const double at[3] = {-40, 20, 60}, lasts[3] = {1, 1, 1};
    const char *const face[3] = {"face", "face", "face"}, *const types[3] = {"face", "face", "late"};
    const nep_glm_events e = {2, at, lasts, NULL, face}, late = {3, at, lasts, NULL, types};
    nep_glm_timing o = {.tr_s = 2, .hrf = NEP_GLM_SPM, .drift = NEP_GLM_NO_DRIFT, .leave_outside = true};
    assert_true(fabs(reference.x[0]) > 1e-4 && reference.x[1] == 0);
    for (int nilearn = 0; nilearn < 2; nilearn++) {
        o.nilearn = nilearn;
        assert_ok(ctx, nep_glm_design_first(ctx, 30, &e, NULL, &o, &d));
        for (int64_t i = 0; i < 30; i++)
            assert_near(d.x[2 * i], reference.x[2 * i + !nilearn], 1e-11);
        nep_glm_design_free(&d);
    }
    o.nilearn = false;
    says(nep_glm_design_first(ctx, 29, &late, NULL, &o, &d), NEP_E_FORMAT, "all 1 events of 'late' lie outside the run, which lasts 58 s");
    o.leave_outside = false;
    says(nep_glm_design_first(ctx, 30, &e, NULL, &o, &d), NEP_E_FORMAT, "event 1, 'face' at -40 s for 1 s, lies outside the run");
    assert_null(d.x);
    nep_glm_design_free(&reference);
}

static void test_design_refusals(void **state)
{
    (void)state;
    nep_glm_design d = {0}, confounds = golden_confounds();
    nep_glm_timing o = NEP_GLM_TIMING_DEFAULTS;
    nep_glm_events e = events;
    double hole[64];
    memcpy(hole, onset, sizeof hole);
    says(nep_glm_design_first(ctx, 120, &e, NULL, &o, &d), NEP_E_ARG, "repetition time is not known");
    o.tr_s = 2;
    says(nep_glm_design_first(ctx, 2, &e, NULL, &o, &d), NEP_E_SHAPE, "2 frames");
    says(nep_glm_design_first(ctx, 100, &e, &confounds, &o, &d), NEP_E_SHAPE, "120 rows, the run has 100 frames");
    o.high_pass_hz = 0.3;
    says(nep_glm_design_first(ctx, 120, &e, NULL, &o, &d), NEP_E_ARG, "must be below 0.25");
    o.high_pass_hz = 0.01;
    o.slice_time_ref = 2;
    says(nep_glm_design_first(ctx, 120, &e, NULL, &o, &d), NEP_E_ARG, "slice_time_ref is 2");
    o.slice_time_ref = 0;
    o.derivatives = 3;
    says(nep_glm_design_first(ctx, 120, &e, NULL, &o, &d), NEP_E_ARG, "3 derivatives");
    o.derivatives = 0;
    o.drift_order = -1;
    says(nep_glm_design_first(ctx, 120, &e, NULL, &o, &d), NEP_E_ARG, "drift of order -1");
    o.drift_order = 1;
    e.n = 0;
    says(nep_glm_design_first(ctx, 120, &e, NULL, &o, &d), NEP_E_FORMAT, "no event");
    e = events;
    e.onset_s = hole;
    hole[4] = (double)NAN;
    says(nep_glm_design_first(ctx, 120, &e, NULL, &o, &d), NEP_E_FORMAT, "event 5 has no onset");
    hole[4] = -1;
    e = events;
    e.duration_s = hole;
    hole[4] = -1;
    says(nep_glm_design_first(ctx, 120, &e, NULL, &o, &d), NEP_E_FORMAT, "lasts -1 s");
    hole[4] = (double)NAN;
    e = events;
    e.modulation = hole;
    says(nep_glm_design_first(ctx, 120, &e, NULL, &o, &d), NEP_E_FORMAT, "has no modulation");
    const char *nothing[64];
    memcpy(nothing, type, sizeof nothing);
    nothing[2] = NULL;
    e = events;
    e.trial_type = nothing;
    says(nep_glm_design_first(ctx, 120, &e, NULL, &o, &d), NEP_E_FORMAT, "has no trial_type");
    confounds.x[7] = (double)NAN;
    says(nep_glm_design_first(ctx, 120, &events, &confounds, &o, &d), NEP_E_FORMAT, "confound 'rot_x' has no value in frame 4");
    confounds.x[7] = 0;
    nep_alloc_free(confounds.names[0]);
    assert_ok(ctx, nep_alloc_string(ctx, "face", &confounds.names[0]));
    says(nep_glm_design_first(ctx, 120, &events, &confounds, &o, &d), NEP_E_FORMAT, "two columns of the design are called 'face'");
    assert_null(d.x);
    nep_glm_design_free(&confounds);
}

/* ---- contrasts ------------------------------------------------------------------------------------------------------- */

static char *names[] = {"face", "house", "cat 2-back", "cat", "face-house", "constant"};
static double nothing[6];
static const nep_glm_design small = {1, 6, nothing, names};

static void test_contrast_forms(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int rows;
        bool f;
        double w[2][6];
    } cases[] = {
        {"face", 1, false, {{1}}},
        {"face - house", 1, false, {{1, -1}}},
        {"face-house", 1, false, {{0, 0, 0, 0, 1}}}, /* a column of that name */
        {"face- house", 1, false, {{1, -1}}},
        {"-(face + house)/2 + cat 2-back", 1, false, {{-0.5, -0.5, 1}}},
        {"cat 2-back - cat", 1, false, {{0, 0, 1, -1}}},
        {"0.5*(face + house) - 2*cat*0.5", 1, false, {{0.5, 0.5, 0, -1}}},
        {"1,-1", 1, false, {{1, -1}}},
        {"[0 0 1, -1e0, 0, .5]", 1, false, {{0, 0, 1, -1, 0, 0.5}}},
        {"1", 1, false, {{1}}},
        {"F:face", 1, true, {{1}}},
        {"face; house", 2, true, {{1}, {0, 1}}},
        {"1,0,0;0,1,0;", 2, true, {{1}, {0, 1}}},
        {"--face", 1, false, {{1}}},
    };
    for (int k = 0; k < NEP_LEN(cases); k++) {
        nep_glm_contrast c = {0};
        assert_ok(ctx, nep_glm_contrast_read(ctx, "c", cases[k].text, &small, "the design", &c));
        assert_int_equal(c.rows, cases[k].rows);
        assert_true(c.f == cases[k].f);
        for (int i = 0; i < cases[k].rows; i++)
            for (int j = 0; j < 6; j++)
                if (fabs(c.weight[i * 6 + j] - cases[k].w[i][j]) > 1e-15)
                    fail_msg("'%s': weight %g of %s", cases[k].text, c.weight[i * 6 + j], names[j]);
        nep_glm_contrast_free(&c);
    }
}

static void test_contrast_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *text, *word;
    } cases[] = {
        {"fase - house", "no column 'fase'; did you mean 'face'?"},
        {"face - 1", "adds the number -1"},
        {"face*house", "multiplies or divides columns"},
        {"2/face", "multiplies or divides columns"},
        {"face/0", "multiplies or divides columns"},
        {"face - face", "weights are all zero"},
        {"0,0,0", "weights are all zero"},
        {"", "ends where a column's name should stand"},
        {"face -", "ends where a column's name should stand"},
        {"(face", "lacks a ')'"},
        {"face house", "is left over"},
        {"1,2,3,4,5,6,7", "more than 6 numbers"},
        {"1,x", "is no list of numbers"},
        {"1,nan", "is no list of numbers"},
        {"face; 2*face", "row 2 follows from the rows before it"},
        {"((((((((((((((((((((((((((((((((face", "parentheses"},
    };
    for (int k = 0; k < NEP_LEN(cases); k++) {
        nep_glm_contrast c = {0};
        says(nep_glm_contrast_read(ctx, "c", cases[k].text, &small, "the design", &c), NEP_E_ARG, cases[k].word);
        assert_null(c.weight);
    }
}

/* Any text is either read or refused with a sentence. */
static void test_contrast_any_text(void **state)
{
    (void)state;
    static const char *const piece[] = {"face", "cat 2-back", "house", "-", "+", "*", "/", "(", ")", ";", ",", "0.5", "[", "]", " ", "F:", "\t", "e9", "\xff"};
    for (uint64_t k = 0; k < 20000; k++) {
        char text[200] = "";
        nep_glm_contrast c = {0};
        for (uint64_t i = 0; i < k % 9; i++)
            strcat(text, piece[(size_t)(nep_philox_uniform(5, k, i) * NEP_LEN(piece)) % NEP_LEN(piece)]);
        if (nep_glm_contrast_read(ctx, "c", text, &small, "the design", &c) != NEP_OK)
            assert_true(strlen(nep_ctx_error(ctx)) > 10);
        nep_ctx_clear(ctx);
        nep_glm_contrast_free(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_responses),           cmocka_unit_test(test_designs),
        cmocka_unit_test(test_regressors_are_linear), cmocka_unit_test(test_events_outside),
        cmocka_unit_test(test_design_refusals),     cmocka_unit_test(test_contrast_forms),
        cmocka_unit_test(test_contrast_refusals),   cmocka_unit_test(test_contrast_any_text),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
