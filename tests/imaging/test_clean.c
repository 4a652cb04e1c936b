/* SPDX-License-Identifier: Apache-2.0 */
/* test_clean - the cleaning operator against nilearn and SciPy, the two spikes, and what must hold for any series. */
#include "imaging/golden.h"

static nep_ctx *ctx;

static nep_series haxby_columns(const json_t *doc)
{
    const json_t *voxels = json_object_get(json_object_get(doc, "haxby"), "voxels_i_fastest");
    nep_series all = {0}, s = {0};
    nep_grid grid;
    assert_ok(ctx, nep_nifti_read_series(ctx, golden_shared("haxby2001/run001/bold_1slice.nii.gz"), NULL, &all, &grid));
    s.n_t = all.n_t;
    s.n_cols = (int64_t)json_array_size(voxels);
    assert_ok(ctx, nep_alloc(ctx, s.n_t * s.n_cols, sizeof *s.data, "columns", &s.data));
    for (int64_t k = 0; k < s.n_cols; k++) {
        const json_int_t v = json_integer_value(json_array_get(voxels, (size_t)k));
        for (int64_t t = 0; t < s.n_t; t++)
            s.data[t * s.n_cols + k] = all.data[t * all.n_cols + v];
    }
    nep_series_free(&all);
    return s;
}

static nep_series only_columns(const nep_series *from, const json_t *names)
{
    nep_series s = {.n_t = from->n_t, .n_cols = (int64_t)json_array_size(names)};
    assert_ok(ctx, nep_alloc(ctx, s.n_t * s.n_cols, sizeof *s.data, "columns", &s.data));
    for (int64_t k = 0; k < s.n_cols; k++) {
        int64_t at = 0;
        while (strcmp(from->names[at], json_string_value(json_array_get(names, (size_t)k))) != 0)
            at++;
        for (int64_t t = 0; t < s.n_t; t++)
            s.data[t * s.n_cols + k] = from->data[t * from->n_cols + at];
    }
    return s;
}

static double hz(const json_t *v, const char *key)
{
    const json_t *x = json_object_get(v, key);
    return json_is_number(x) ? json_number_value(x) : (double)NAN;
}

static int choice(const json_t *v, const char *key, const char *const *words, int n)
{
    const char *text = json_string_value(json_object_get(v, key));
    for (int k = 0; text && k < n; k++)
        if (strcmp(text, words[k]) == 0)
            return k;
    return 0;
}

static nep_clean_opts options(const json_t *v)
{
    static const char *const definitions[] = {"default", "nilearn", "xcpd", "afni", "3dbandpass", "fsl"}, *const cenmodes[] = {"kill", "zero", "ntrp"}, *const ends[] = {"drop", "nearest", "spline"};
    const char *filter = json_string_value(json_object_get(v, "filter")), *scale = json_string_value(json_object_get(v, "standardize"));
    return (nep_clean_opts){
        .tr_s = json_number_value(json_object_get(v, "tr_s")),
        .filter = strcmp(filter, "cosine") == 0 ? NEP_CLEAN_COSINE : strcmp(filter, "none") == 0 ? NEP_CLEAN_NO_FILTER : NEP_CLEAN_BUTTERWORTH,
        .high_pass_hz = hz(v, "high_pass"),
        .low_pass_hz = hz(v, "low_pass"),
        .detrend = json_is_true(json_object_get(v, "detrend")),
        .scale = strcmp(scale, "psc") == 0 ? NEP_CLEAN_PSC : strcmp(scale, "none") == 0 ? NEP_CLEAN_UNSCALED : NEP_CLEAN_ZSCORE,
        .unscaled_confounds = json_is_false(json_object_get(v, "standardize_confounds")),
        .definition = (nep_clean_definition)choice(v, "definition", definitions, NEP_LEN(definitions)),
        .ends = (nep_clean_ends)choice(v, "ends", ends, NEP_LEN(ends)),
        .order = (int)json_integer_value(json_object_get(v, "order")),
        .polort = json_object_get(v, "polort") ? (int)json_integer_value(json_object_get(v, "polort")) : 2,
        .cenmode = (nep_clean_cenmode)choice(v, "cenmode", cenmodes, NEP_LEN(cenmodes)),
        .fill = json_is_true(json_object_get(v, "fill")),
    };
}

/* Every value within 1e-5 of its column's SD. */
static void compare(const char *name, const float *got, int64_t n_out, const nep_series *want)
{
    assert_int_equal(n_out, want->n_t);
    for (int64_t c = 0; c < want->n_cols; c++) {
        double mean = 0, ss = 0, worst = 0;
        for (int64_t t = 0; t < n_out; t++)
            mean += (double)want->data[t * want->n_cols + c] / (double)n_out;
        for (int64_t t = 0; t < n_out; t++) {
            const double w = (double)want->data[t * want->n_cols + c];
            ss += (w - mean) * (w - mean);
            worst = fmax(worst, fabs((double)got[t * want->n_cols + c] - w));
        }
        /* an unscaled series keeps its mean of hundreds, of which float32 itself holds 6e-8 */
        const double bound = 1e-5 * sqrt(ss / (double)n_out) + 1.2e-7 * fabs(mean);
        if (!(worst <= bound))
            fail_msg("%s: column %lld is off by %g, allowed %g", name, (long long)c, worst, bound);
    }
}

static void compare_variant(const json_t *doc, const json_t *v)
{
    const char *file = json_string_value(json_object_get(v, "file")), *series = json_string_value(json_object_get(v, "series"));
    const json_t *confounds = json_object_get(v, "confounds"), *columns = json_object_get(v, "columns"), *censored = json_object_get(v, "censored");
    const bool haxby = strcmp(series, "haxby") == 0;
    nep_series x = haxby ? haxby_columns(doc) : golden_series(ctx, series), c = {0}, picked = {0}, want = golden_series(ctx, file);
    nep_clean_opts o = options(v);
    bool keep[1000];
    memset(keep, 1, sizeof keep);
    for (size_t i = 0; i < json_array_size(censored); i++)
        keep[json_integer_value(json_array_get(censored, i))] = false;
    o.keep = json_array_size(censored) ? keep : NULL;
    if (json_is_string(confounds))
        c = haxby ? golden_motion(ctx) : golden_series(ctx, json_string_value(confounds));
    if (json_is_array(columns))
        picked = only_columns(&c, columns);
    const nep_series *use = picked.data ? &picked : c.data ? &c : NULL;
    const json_t *runs = json_object_get(v, "runs");
    nep_clean_runs op = {0};
    float *out = NULL;
    int64_t length[8] = {x.n_t};
    for (size_t i = 0; i < json_array_size(runs); i++)
        length[i] = json_integer_value(json_array_get(runs, i));
    assert_ok(ctx, nep_clean_runs_build(ctx, length, runs ? (int64_t)json_array_size(runs) : 1, x.n_t, use, &o, &op));
    assert_ok(ctx, nep_alloc(ctx, op.n_out * x.n_cols, sizeof *out, "result", &out));
    assert_ok(ctx, nep_clean_runs_apply(ctx, &op, x.data, x.n_cols, out));
    compare(file, out, op.n_out, &want);
    nep_alloc_free(out);
    nep_clean_runs_free(&op);
    nep_series_free(&want);
    nep_series_free(&picked);
    nep_series_free(&c);
    nep_series_free(&x);
}

/* Variants of the made series, or of the Haxby run; at least `least` of them. */
static void compare_all(bool haxby, int least)
{
    json_t *doc = golden_json("clean.json");
    const json_t *variants = json_object_get(doc, "variants");
    int compared = 0;
    for (size_t i = 0; i < json_array_size(variants); i++) {
        const json_t *v = json_array_get(variants, i);
        if ((strcmp(json_string_value(json_object_get(v, "series")), "haxby") == 0) != haxby)
            continue;
        compare_variant(doc, v);
        compared++;
    }
    assert_true(compared >= least);
    json_decref(doc);
    assert_int_equal(nep_alloc_used(ctx), 0);
}

static void test_golden(void **state)
{
    (void)state;
    compare_all(false, 39);
}

static void test_golden_haxby(void **state)
{
    (void)state;
    if (!test_shared())
        test_skip();
    compare_all(true, 11);
}

enum { T = 200, COLS = 3 };

static void noise(float *x, uint64_t stream)
{
    for (int i = 0; i < T * COLS; i++)
        x[i] = (float)(500 + 10 * nep_philox_normal(5, stream, (uint64_t)i));
}

static void cleaned(const float *x, const nep_clean_opts *o, const nep_series *c, float *out, int64_t *n_out)
{
    nep_clean op = {0};
    assert_ok(ctx, nep_clean_build(ctx, T, c, o, &op));
    assert_ok(ctx, nep_clean_apply(ctx, &op, x, COLS, out));
    *n_out = op.n_out;
    nep_clean_free(&op);
}

static double furthest(const float *a, const float *b, int64_t n)
{
    double worst = 0;
    for (int64_t i = 0; i < n; i++)
        worst = fmax(worst, fabs((double)a[i] - (double)b[i]));
    return worst;
}

/* Two spikes at mirrored frames, both censored: nothing of them reaches the kept frames. The peer's own rule lets more
 * than 100 units through, and this test would see it. */
static void test_two_spikes(void **state)
{
    (void)state;
    float x[T * COLS], spiked[T * COLS], a[T * COLS], b[T * COLS];
    bool keep[T];
    int64_t n;
    memset(keep, 1, sizeof keep);
    noise(x, 1);
    memcpy(spiked, x, sizeof x);
    keep[60] = keep[139] = false;
    for (int c = 0; c < COLS; c++) {
        spiked[60 * COLS + c] += 500;
        spiked[139 * COLS + c] += 500;
    }
    nep_clean_opts o = NEP_CLEAN_DEFAULTS;
    o.tr_s = 2;
    o.high_pass_hz = 0.01;
    o.low_pass_hz = 0.08;
    o.scale = NEP_CLEAN_UNSCALED;
    o.keep = keep;
    cleaned(x, &o, NULL, a, &n);
    cleaned(spiked, &o, NULL, b, &n);
    assert_int_equal(n, T - 2);
    assert_true(furthest(a, b, n * COLS) == 0);
    o.definition = NEP_CLEAN_NILEARN;
    cleaned(x, &o, NULL, a, &n);
    cleaned(spiked, &o, NULL, b, &n);
    assert_true(furthest(a, b, n * COLS) > 100);
}

/* Adding a constant to the data changes nothing once a line is taken off; a column equal to a confound is cleaned away. */
static void test_invariants(void **state)
{
    (void)state;
    float x[T * COLS], y[T * COLS], a[T * COLS], b[T * COLS];
    int64_t n;
    noise(x, 2);
    for (int i = 0; i < T * COLS; i++)
        y[i] = x[i] + 64;
    nep_clean_opts o = NEP_CLEAN_DEFAULTS;
    cleaned(x, &o, NULL, a, &n);
    cleaned(y, &o, NULL, b, &n);
    assert_true(furthest(a, b, T * COLS) < 2e-5); /* float32 of 564 holds 6e-5, an SD is 10 */
    /* time runs backwards: so does the result, without a filter */
    for (int t = 0; t < T; t++)
        memcpy(y + t * COLS, x + (T - 1 - t) * COLS, COLS * sizeof *y);
    cleaned(y, &o, NULL, b, &n);
    for (int t = 0; t < T; t++)
        for (int c = 0; c < COLS; c++)
            assert_near(b[t * COLS + c], a[(T - 1 - t) * COLS + c], 1e-6);
    /* columns change places: so do the results */
    for (int i = 0; i < T * COLS; i++)
        y[i] = x[i - i % COLS + (i + 1) % COLS];
    cleaned(y, &o, NULL, b, &n);
    for (int i = 0; i < T * COLS; i++)
        assert_true(b[i] == a[i - i % COLS + (i + 1) % COLS]);
    nep_series confounds = {.n_t = T, .n_cols = COLS, .data = x};
    cleaned(x, &o, &confounds, a, &n);
    for (int i = 0; i < T * COLS; i++)
        assert_true(a[i] == 0);
}

/* What each definition owes whatever the series: invertible mixtures of the confounds change nothing, factors pass through,
 * and what is censored has no say. Lengths, confounds and censored frames differ from round to round. */
static void test_any_series(void **state)
{
    (void)state;
    enum { MOST = 120, K = 4 };
    float x[MOST * COLS], y[MOST * COLS], c[MOST * K], mixed[MOST * K], *out[2];
    bool keep[MOST];
    for (int i = 0; i < 2; i++)
        out[i] = malloc(MOST * COLS * sizeof *out[i]);
    for (uint64_t round = 0; round < 24; round++) {
        const int n = 60 + (int)(60 * nep_philox_uniform(8, round, 0)), k = 1 + (int)(round % K);
        nep_clean_opts o = NEP_CLEAN_DEFAULTS;
        o.definition = round % 3 == 0 ? NEP_CLEAN_NEPENTHE : round % 3 == 1 ? NEP_CLEAN_XCPD : NEP_CLEAN_AFNI;
        o.scale = NEP_CLEAN_UNSCALED;
        o.tr_s = 2;
        o.filter = round % 2 ? NEP_CLEAN_BUTTERWORTH : NEP_CLEAN_NO_FILTER;
        o.high_pass_hz = round % 2 ? 0.02 : (double)NAN;
        o.ends = (nep_clean_ends)(round % 5 % 3);
        o.keep = keep;
        for (int i = 0; i < n * COLS; i++)
            x[i] = (float)(4 * nep_philox_normal(8, 100 + round, (uint64_t)i));
        for (int t = 0; t < n; t++) {
            keep[t] = nep_philox_uniform(8, 200 + round, (uint64_t)t) > 0.15;
            for (int v = 0; v < COLS; v++)
                y[t * COLS + v] = keep[t] ? 8 * x[t * COLS + v] : 1e4f;
            for (int j = 0; j < k; j++)
                c[t * k + j] = (float)nep_philox_normal(8, 300 + round, (uint64_t)(t * k + j));
            for (int j = 0; j < k; j++)
                mixed[t * k + j] = -3 * c[t * k + j] + (j ? c[t * k + j - 1] : 0);
        }
        for (int i = 0; i < 2; i++) {
            nep_series confounds = {.n_t = n, .n_cols = k, .data = i ? mixed : c};
            nep_clean op = {0};
            assert_ok(ctx, nep_clean_build(ctx, n, &confounds, &o, &op));
            assert_ok(ctx, nep_clean_apply(ctx, &op, i ? y : x, COLS, out[i]));
            for (int64_t r = 0; r < op.n_out; r++)
                assert_true(keep[op.frame[r]]);
            for (int r = 0; i && r < op.n_out * COLS; r++) /* the softened inverse of AFNI feels the scale of a mixture */
                assert_near(out[1][r] / 8, out[0][r], o.definition == NEP_CLEAN_AFNI ? 5e-4 : 2e-5);
            nep_clean_free(&op);
        }
    }
    for (int i = 0; i < 2; i++)
        free(out[i]);
    assert_int_equal(nep_alloc_used(ctx), 0);
}

/* Polynomials, sines and cosines are the same set backwards, and a symmetric filter runs the same way: 3dTproject, 3dBandpass and
 * fslmaths turn with time. Under XCP-D the frames that were
 * filled in beside the kept ones change nothing in these. */
static void test_afni_and_xcpd(void **state)
{
    (void)state;
    float x[T * COLS], y[T * COLS], a[T * COLS], b[T * COLS];
    bool keep[T];
    int64_t n, all;
    nep_clean_opts o = NEP_CLEAN_DEFAULTS;
    noise(x, 9);
    for (int t = 0; t < T; t++)
        memcpy(y + t * COLS, x + (T - 1 - t) * COLS, COLS * sizeof *y);
    static const nep_clean_definition turn[] = {NEP_CLEAN_AFNI, NEP_CLEAN_3DBANDPASS, NEP_CLEAN_FSL};
    o.scale = NEP_CLEAN_UNSCALED;
    o.tr_s = 2;
    o.high_pass_hz = 0.01;
    o.low_pass_hz = 0.08;
    o.detrend = false;
    for (int d = 0; d < NEP_LEN(turn); d++) {
        o.definition = turn[d];
        cleaned(x, &o, NULL, a, &n);
        cleaned(y, &o, NULL, b, &n);
        for (int t = 0; t < T; t++)
            for (int c = 0; c < COLS; c++)
                assert_near(b[t * COLS + c], a[(T - 1 - t) * COLS + c], 1e-4);
    }
    memset(keep, 1, sizeof keep);
    keep[0] = keep[1] = keep[77] = keep[T - 1] = false;
    o.definition = NEP_CLEAN_XCPD;
    o.keep = keep;
    nep_series confounds = {.n_t = T, .n_cols = 1, .data = malloc(T * sizeof(float))};
    for (int t = 0; t < T; t++)
        confounds.data[t] = x[t * COLS] + (float)t;
    cleaned(x, &o, &confounds, a, &n);
    o.fill = true;
    cleaned(x, &o, &confounds, b, &all);
    assert_true(n == T - 4 && all == T);
    for (int t = 0, row = 0; t < T; t++)
        for (int c = 0; keep[t] && c < COLS; c++, row++)
            assert_true(a[row] == b[t * COLS + c]);
    free(confounds.data);
}

static void test_missing_and_constant(void **state)
{
    (void)state;
    float x[T * COLS], a[T * COLS];
    int64_t n;
    noise(x, 3);
    x[40 * COLS] = NAN;
    for (int t = 0; t < T; t++)
        x[t * COLS + 1] = 1234.567f;
    nep_clean_opts o = NEP_CLEAN_DEFAULTS;
    for (int scale = NEP_CLEAN_UNSCALED; scale <= NEP_CLEAN_PSC; scale++) {
        o.scale = (nep_clean_scale)scale;
        cleaned(x, &o, NULL, a, &n);
        for (int t = 0; t < T; t++) {
            assert_true(isnan(a[t * COLS]));
            assert_true(fabsf(a[t * COLS + 1]) < 1e-8f);
            assert_true(isfinite(a[t * COLS + 2]));
        }
    }
}

static void test_threads(void **state)
{
    (void)state;
    enum { WIDE = 700 };
    float *x = malloc(T * WIDE * sizeof *x), *got[2] = {malloc(T * WIDE * sizeof *x), malloc(T * WIDE * sizeof *x)};
    for (int i = 0; i < T * WIDE; i++)
        x[i] = (float)nep_philox_normal(5, 4, (uint64_t)i);
    for (int k = 0; k < 2; k++) {
        nep_ctx *own = test_ctx(k ? 3 : 1);
        nep_clean_opts o = NEP_CLEAN_DEFAULTS;
        nep_clean op = {0};
        o.tr_s = 2;
        o.low_pass_hz = 0.1;
        assert_ok(own, nep_clean_build(own, T, NULL, &o, &op));
        assert_ok(own, nep_clean_apply(own, &op, x, WIDE, got[k]));
        nep_clean_free(&op);
        nep_ctx_free(own);
    }
    assert_memory_equal(got[0], got[1], T * WIDE * sizeof *x);
    free(x);
    free(got[0]);
    free(got[1]);
}

static void refused(const nep_clean_opts *o, int64_t n_t, const nep_series *c, nep_status status, const char *word)
{
    nep_clean op = {0};
    assert_fails(nep_clean_build(ctx, n_t, c, o, &op), status);
    if (!strstr(nep_ctx_error(ctx), word))
        fail_msg("no '%s' in: %s", word, nep_ctx_error(ctx));
    assert_null(op.m);
    nep_ctx_clear(ctx);
}

static void test_refusals(void **state)
{
    (void)state;
    float x[T * COLS];
    bool keep[T] = {false};
    nep_series c = {.n_t = T, .n_cols = COLS, .data = x};
    noise(x, 6);
    nep_clean_opts o = NEP_CLEAN_DEFAULTS;
    o.low_pass_hz = 0.1;
    refused(&o, T, NULL, NEP_E_ARG, "--tr");
    o.tr_s = 2;
    refused(&o, 18, NULL, NEP_E_FORMAT, "more than 18");
    refused(&o, T - 1, &c, NEP_E_SHAPE, "200 rows");
    o.high_pass_hz = 0.2;
    refused(&o, T, NULL, NEP_E_ARG, "empty");
    o.high_pass_hz = (double)NAN;
    o.order = 11;
    refused(&o, T, NULL, NEP_E_ARG, "order 11");
    o.order = 0;
    o.definition = NEP_CLEAN_AFNI;
    o.polort = 21;
    refused(&o, T, NULL, NEP_E_ARG, "degree 21");
    o.polort = 2;
    o.low_pass_hz = 0.003;
    refused(&o, T, &c, NEP_E_SINGULAR, "leave nothing");
    o.fill = true;
    refused(&o, T, NULL, NEP_E_ARG, "removes censored");
    o.fill = o.detrend = false;
    o.low_pass_hz = 0.1;
    o.keep = keep;
    o.definition = NEP_CLEAN_3DBANDPASS;
    refused(&o, T, NULL, NEP_E_ARG, "3dBandpass knows no censored frames");
    o.definition = NEP_CLEAN_FSL;
    refused(&o, T, NULL, NEP_E_ARG, "fslmaths -bptf knows no censored frames");
    o.definition = NEP_CLEAN_AFNI;
    o.cenmode = NEP_CLEAN_NTRP;
    refused(&o, T, NULL, NEP_E_FORMAT, "at least 4");
    o.cenmode = NEP_CLEAN_KILL;
    o.keep = NULL;
    o.definition = NEP_CLEAN_3DBANDPASS;
    o.low_pass_hz = 0.001;
    o.high_pass_hz = 0.0005;
    refused(&o, T, NULL, NEP_E_ARG, "holds no frequency of 200 frames every 2 s, padded to 240");
    o.high_pass_hz = (double)NAN;
    o.low_pass_hz = 0.003;
    o.definition = NEP_CLEAN_AFNI;
    const int64_t unequal[] = {100, 90};
    nep_clean_runs runs = {0};
    assert_fails(nep_clean_runs_build(ctx, unequal, 2, T, NULL, &o, &runs), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "190 frames together, the series has 200"));
    assert_null(runs.run);
    nep_ctx_clear(ctx);
    o.filter = NEP_CLEAN_COSINE;
    refused(&o, T, NULL, NEP_E_ARG, "no cosine");
    o = (nep_clean_opts)NEP_CLEAN_DEFAULTS;
    keep[4] = keep[9] = keep[100] = true;
    o.keep = keep;
    refused(&o, T, NULL, NEP_E_FORMAT, "3 of 200");
    o.keep = NULL;
    x[7 * COLS] = NAN;
    refused(&o, T, &c, NEP_E_FORMAT, "row 8");
    c = (nep_series){.n_t = 5, .n_cols = COLS, .data = x};
    refused(&o, 5, &c, NEP_E_SINGULAR, "leave nothing");
    assert_int_equal(nep_alloc_used(ctx), 0);
}

/* What is left to know: n - 2 after a line, less one per confound, about 2 T TR (high - low) after a band-pass. */
static void test_freedom(void **state)
{
    (void)state;
    float x[T * COLS];
    nep_series c = {.n_t = T, .n_cols = COLS, .data = x};
    nep_clean op = {0};
    nep_clean_opts o = NEP_CLEAN_DEFAULTS;
    noise(x, 7);
    assert_ok(ctx, nep_clean_build(ctx, T, &c, &o, &op));
    assert_int_equal(op.rank, COLS);
    assert_near(op.effective_dof, T - 2 - COLS, 1e-9);
    nep_clean_free(&op);
    o.tr_s = 2;
    o.high_pass_hz = 0.01;
    o.low_pass_hz = 0.08;
    assert_ok(ctx, nep_clean_build(ctx, T, NULL, &o, &op));
    assert_near(op.effective_dof, 37.816431861621, 1e-9); /* the same from SciPy's filter of the identity */
    nep_clean_free(&op);
}

static int start(void **state)
{
    (void)state;
    ctx = test_ctx(2);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    nep_ctx_free(ctx);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden), cmocka_unit_test(test_golden_haxby),      cmocka_unit_test(test_two_spikes), cmocka_unit_test(test_invariants),
        cmocka_unit_test(test_any_series),  cmocka_unit_test(test_afni_and_xcpd),
        cmocka_unit_test(test_missing_and_constant), cmocka_unit_test(test_threads),    cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_freedom),
    };
    return test_end(cmocka_run_group_tests(tests, start, stop));
}
