/* SPDX-License-Identifier: Apache-2.0 */
/* Receptor profile against NumPy, whose null covariance is exact for sign-flipped eigenvectors; and its p by
 * hand. */
#include "book.h"
#include "field.h"

#define BOOK TEST_GOLDEN("brainmap.tsv")

enum { N = 40, P = 4, ROWS = 6 };

typedef struct {
    nep_geometry g;
    double *receptor, *effect, *weight, *a, reliability[2 * P], lambda;
} scene;

static scene scene_open(nep_ctx *ctx)
{
    scene s = {.g = field_geometry(ctx, N / 2, 0)};
    double *mm = book_read(BOOK, "profile_mm", NULL, NULL), *rho = book_read(BOOK, "profile_rho", NULL, NULL);
    double *lambda = book_read(BOOK, "profile_lambda", NULL, NULL);
    memcpy(s.g.mm, mm, sizeof(double) * 3 * N);
    s.receptor = book_read(BOOK, "profile_receptor", NULL, NULL);
    s.effect = book_read(BOOK, "profile_effect", NULL, NULL);
    s.weight = book_read(BOOK, "profile_weight", NULL, NULL);
    s.a = book_read(BOOK, "profile_a", NULL, NULL);
    for (int r = 0; r < P; r++) {
        s.reliability[2 * r] = rho[r];
        s.reliability[2 * r + 1] = 0.123; /* elsewhere: no region lies there */
    }
    s.lambda = lambda[0];
    free(mm);
    free(rho);
    free(lambda);
    return s;
}

static void scene_close(scene *s)
{
    nep_geometry_free(&s->g);
    free(s->receptor);
    free(s->effect);
    free(s->weight);
    free(s->a);
}

static void test_meets_numpy(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    scene s = scene_open(ctx);
    double *beta = book_read(BOOK, "profile_beta", NULL, NULL),
           *want = book_read(BOOK, "profile_score_a", NULL, NULL);
    nep_profile *f = NULL;
    double score[ROWS];
    const nep_profile_opts o = {.n_nulls = 10, .lambda = s.lambda, .weight = s.weight};
    assert_ok(ctx, nep_profile_create(ctx, &s.g, NULL, s.receptor, P, s.reliability, s.effect, NULL, &o, &f));
    assert_int_equal(nep_profile_regions(f), N);
    for (int r = 0; r < P; r++)
        assert_near(nep_profile_beta(f)[r], beta[r], 1e-12);
    assert_ok(ctx, nep_profile_score(ctx, f, 'A', 0, s.a, ROWS, score, NULL, NULL));
    for (int i = 0; i < ROWS - 1; i++)
        assert_near(score[i], want[i], 1e-12);
    assert_true(isnan(score[ROWS - 1])); /* a drug that binds nothing has no score */
    free(beta);
    free(want);
    nep_profile_free(f);
    scene_close(&s);
    nep_ctx_free(ctx);
}

/* With K surrogates the covariance is off by about sqrt(2 / K). */
static void test_null_moments_meet_their_closed_form(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    scene s = scene_open(ctx);
    double *want = book_read(BOOK, "profile_equal_score_b", NULL, NULL);
    nep_profile *f = NULL;
    double score[ROWS], share[P];
    const nep_profile_opts o = {.n_nulls = 40000, .lambda = s.lambda};
    assert_ok(ctx, nep_profile_create(ctx, &s.g, NULL, s.receptor, P, s.reliability, s.effect, NULL, &o, &f));
    assert_ok(ctx, nep_profile_score(ctx, f, 'B', 0, s.a, ROWS, score, NULL, NULL));
    for (int i = 0; i < ROWS - 1; i++)
        assert_near(score[i], want[i], 0.025);
    assert_ok(ctx, nep_profile_share(ctx, f, 'B', s.a, share));
    assert_near(share[0] + share[1] + share[2] + share[3], score[0], 1e-12);
    for (int r = 0; r < P; r++) { /* one target alone scores its z */
        double unit[P] = {0}, one;
        unit[r] = 2.0;
        assert_ok(ctx, nep_profile_score(ctx, f, 'B', 0, unit, 1, &one, NULL, NULL));
        assert_near(one, nep_profile_z(f)[r], 1e-12);
    }
    free(want);
    nep_profile_free(f);
    scene_close(&s);
    nep_ctx_free(ctx);
}

static void test_p_is_what_counting_gives(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    scene s = scene_open(ctx);
    enum { K = 300 };
    static double null[K * ROWS];
    nep_profile *f = NULL;
    double score[ROWS], p[ROWS], p_max[ROWS];
    const nep_profile_opts o = {.n_nulls = K, .lambda = s.lambda, .kind = NEP_NULLS_SPIN};
    assert_ok(ctx, nep_profile_create(ctx, &s.g, NULL, s.receptor, P, s.reliability, s.effect, NULL, &o, &f));
    for (int which = 0; which < 2; which++) {
        const char w = "AB"[which];
        assert_ok(ctx, nep_profile_score(ctx, f, w, 0, s.a, ROWS, score, p, p_max));
        assert_ok(ctx, nep_profile_null_scores(ctx, f, w, 0, K, s.a, ROWS, null));
        for (int i = 0; i < ROWS - 1; i++) {
            int count = 0, most = 0;
            for (int b = 0; b < K; b++) {
                double largest = 0.0;
                for (int j = 0; j < ROWS - 1; j++)
                    largest = fmax(largest, fabs(null[b * ROWS + j]));
                count += fabs(null[b * ROWS + i]) >= fabs(score[i]) * (1 - 1e-10);
                most += largest >= fabs(score[i]) * (1 - 1e-10);
            }
            assert_near(p[i], (1.0 + count) / (K + 1.0), 1e-14);
            assert_near(p_max[i], (1.0 + most) / (K + 1.0), 1e-14);
        }
        assert_true(isnan(p[ROWS - 1]) && isnan(p_max[ROWS - 1]));
    }
    nep_profile_free(f);
    scene_close(&s);
    nep_ctx_free(ctx);
}

/* A drug that acts where the map is made from must stand out, and its p must say so; a map of another kind
 * must not. */
static void test_a_planted_target_is_found(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    scene s = scene_open(ctx);
    nep_profile *f = NULL;
    double unit[P * P] = {0}, score[P], p[P], d[N];
    for (int r = 0; r < P; r++)
        unit[r * P + r] = 1.0;
    for (int i = 0; i < N; i++)
        d[i] = -s.receptor[i * P + 1] + 0.3 * nep_philox_normal(1, 77, (uint64_t)i);
    assert_ok(ctx, nep_profile_create(ctx, &s.g, NULL, s.receptor, P, NULL, d, NULL, NULL, &f));
    assert_ok(ctx, nep_profile_score(ctx, f, 'B', 0, unit, P, score, p, NULL));
    assert_true(score[1] < -3.0 && p[1] < 0.005);
    for (int r = 0; r < P; r++)
        assert_true(r == 1 || fabs(score[r]) < fabs(score[1]));
    nep_profile_free(f);
    scene_close(&s);
    nep_ctx_free(ctx);
}

/* Maps that have nothing to do with the targets, but are as smooth as they: p must stay near its level. */
static void test_level_holds_for_smooth_maps(void **state)
{
    (void)state;
    enum { MAPS = 400, SIDE = 20, ALL = 2 * SIDE };
    nep_ctx *ctx = test_ctx(1);
    nep_geometry g = field_geometry(ctx, SIDE, 0);
    static double l[ALL * ALL];
    double receptor[ALL * 2], d[ALL];
    int hits[2] = {0, 0};
    for (int i = 0; i < ALL; i++) /* Cholesky of exp(-D / 40 mm) */
        for (int j = 0; j <= i; j++) {
            double square = 0.0;
            for (int k = 0; k < 3; k++)
                square += (g.mm[i][k] - g.mm[j][k]) * (g.mm[i][k] - g.mm[j][k]);
            double s = exp(-sqrt(square) / 40.0);
            for (int k = 0; k < j; k++)
                s -= l[i * ALL + k] * l[j * ALL + k];
            l[i * ALL + j] = i == j ? sqrt(s) : s / l[j * ALL + j];
        }
    for (int m = 0; m < MAPS; m++) {
        nep_profile *f = NULL;
        const double a[2] = {1.0, 0.6};
        const nep_profile_opts o = {.n_nulls = 199, .lambda = 0.1, .stream = (uint64_t)m};
        double score, p;
        for (int i = 0; i < ALL; i++) {
            double x[3] = {0.0, 0.0, 0.0};
            for (int k = 0; k <= i; k++)
                for (int v = 0; v < 3; v++)
                    x[v] += l[i * ALL + k] * nep_philox_normal(6, (uint64_t)(3 * m + v), (uint64_t)k);
            receptor[i * 2] = x[0];
            receptor[i * 2 + 1] = x[1];
            d[i] = x[2];
        }
        assert_ok(ctx, nep_profile_create(ctx, &g, NULL, receptor, 2, NULL, d, NULL, &o, &f));
        for (int w = 0; w < 2; w++) {
            assert_ok(ctx, nep_profile_score(ctx, f, "AB"[w], 0, a, 1, &score, &p, NULL));
            hits[w] += p <= 0.05;
        }
        nep_profile_free(f);
    }
    print_message("false positives at 0.05: score A %.3f, score B %.3f\n", hits[0] / (double)MAPS,
                  hits[1] / (double)MAPS);
    for (int w = 0; w < 2; w++)
        assert_in_range(hits[w], 8, 34); /* 20 expected; 3 sd are 13 */
    nep_geometry_free(&g);
    nep_ctx_free(ctx);
}

static void test_redrawn_within_its_errors(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    scene s = scene_open(ctx);
    nep_profile *f = NULL;
    double se[N], still[ROWS], again[ROWS], moved[ROWS], sum = 0.0, square = 0.0;
    const nep_profile_opts o = {.n_nulls = 500, .lambda = s.lambda};
    for (int i = 0; i < N; i++)
        se[i] = 0.05;
    assert_ok(ctx, nep_profile_create(ctx, &s.g, NULL, s.receptor, P, s.reliability, s.effect, se, &o, &f));
    assert_ok(ctx, nep_profile_score(ctx, f, 'B', 0, s.a, ROWS, still, NULL, NULL));
    for (uint64_t stream = 1; stream <= 200; stream++) {
        assert_ok(ctx, nep_profile_score(ctx, f, 'B', stream, s.a, ROWS, moved, NULL, NULL));
        sum += moved[0] - still[0];
        square += (moved[0] - still[0]) * (moved[0] - still[0]);
    }
    assert_ok(ctx, nep_profile_score(ctx, f, 'B', 200, s.a, ROWS, again, NULL, NULL));
    assert_memory_equal(again, moved, sizeof(double) * (ROWS - 1));
    assert_true(square / 200 > 1e-6 && fabs(sum / 200) < 3.5 * sqrt(square / 200 / 200));
    nep_profile_free(f);
    scene_close(&s);
    nep_ctx_free(ctx);
}

static void test_compartments_and_missing_regions(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    nep_geometry g = field_geometry(ctx, 16, 4);
    double receptor[40 * 2], shifted[40 * 2], d[40], unit[2] = {1.0, 0.5}, x, y, p;
    nep_profile *a = NULL, *b = NULL, *c = NULL;
    const nep_profile_opts o = {.n_nulls = 99, .lambda = 0.1};
    for (int r = 0; r < 2; r++) {
        double map[40];
        field_map(&g, (uint64_t)(20 + r), map);
        for (int i = 0; i < 40; i++) {
            receptor[i * 2 + r] = map[i];
            shifted[i * 2 + r] = g.cortex[i] ? map[i] : 50.0 + 9.0 * map[i]; /* as striatum against cortex */
        }
    }
    field_map(&g, 30, d);
    assert_ok(ctx, nep_profile_create(ctx, &g, NULL, receptor, 2, NULL, d, NULL, &o, &a));
    assert_ok(ctx, nep_profile_create(ctx, &g, NULL, shifted, 2, NULL, d, NULL, &o, &b));
    assert_ok(ctx, nep_profile_score(ctx, a, 'B', 0, unit, 1, &x, &p, NULL));
    assert_ok(ctx, nep_profile_score(ctx, b, 'B', 0, unit, 1, &y, &p, NULL));
    assert_near(x, y, 1e-10);

    d[3] = (double)NAN;
    receptor[7 * 2] = (double)NAN;
    assert_ok(ctx, nep_profile_create(ctx, &g, NULL, receptor, 2, NULL, d, NULL, &o, &c));
    assert_int_equal(nep_profile_regions(c), 38);
    assert_int_equal(nep_warn_count(ctx), 1);
    nep_profile_free(a);
    nep_profile_free(b);
    nep_profile_free(c);
    nep_geometry_free(&g);
    nep_ctx_free(ctx);
}

static void test_same_bits_for_any_thread_count(void **state)
{
    (void)state;
    double score[3][ROWS], p[3][ROWS];
    const int threads[3] = {1, 2, 7};
    for (int t = 0; t < 3; t++) {
        nep_ctx *ctx = test_ctx(threads[t]);
        scene s = scene_open(ctx);
        nep_profile *f = NULL;
        const nep_profile_opts o = {.n_nulls = 2500, .lambda = s.lambda};
        assert_ok(ctx,
                  nep_profile_create(ctx, &s.g, NULL, s.receptor, P, s.reliability, s.effect, NULL, &o, &f));
        assert_ok(ctx, nep_profile_score(ctx, f, 'B', 0, s.a, ROWS, score[t], p[t], NULL));
        nep_profile_free(f);
        scene_close(&s);
        nep_ctx_free(ctx);
    }
    assert_memory_equal(score[0], score[1], sizeof(double) * (ROWS - 1));
    assert_memory_equal(score[0], score[2], sizeof(double) * (ROWS - 1));
    assert_memory_equal(p[0], p[2], sizeof(double) * (ROWS - 1));
}

static void test_bad_input_is_named(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    scene s = scene_open(ctx);
    nep_profile *f = NULL;
    double twice[N * 2], score = -1.0, bad[P] = {0.0, (double)NAN, 0.0, 0.0}, flat[N];
    for (int i = 0; i < N; i++) {
        twice[i * 2] = twice[i * 2 + 1] = s.receptor[i * P];
        flat[i] = 0.3;
    }
    const nep_profile_opts o = {.n_nulls = 9, .lambda = 0.0};
    assert_fails(nep_profile_create(ctx, &s.g, NULL, twice, 2, NULL, s.effect, NULL, &o, &f), NEP_E_SINGULAR);
    assert_non_null(strstr(nep_ctx_error(ctx), "lambda"));
    nep_ctx_clear(ctx);
    assert_fails(nep_profile_create(ctx, &s.g, NULL, s.receptor, P, NULL, flat, NULL, &o, &f), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "constant"));
    nep_ctx_clear(ctx);
    assert_null(f);
    assert_ok(ctx, nep_profile_create(ctx, &s.g, NULL, s.receptor, P, NULL, s.effect, NULL, &o, &f));
    assert_fails(nep_profile_score(ctx, f, 'B', 0, bad, 1, &score, NULL, NULL), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "target 2"));
    assert_true(score == -1.0);
    nep_profile_free(f);
    scene_close(&s);
    nep_ctx_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_meets_numpy),
        cmocka_unit_test(test_null_moments_meet_their_closed_form),
        cmocka_unit_test(test_p_is_what_counting_gives),
        cmocka_unit_test(test_a_planted_target_is_found),
        cmocka_unit_test(test_level_holds_for_smooth_maps),
        cmocka_unit_test(test_redrawn_within_its_errors),
        cmocka_unit_test(test_compartments_and_missing_regions),
        cmocka_unit_test(test_same_bits_for_any_thread_count),
        cmocka_unit_test(test_bad_input_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
