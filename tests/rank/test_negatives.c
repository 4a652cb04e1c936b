/* SPDX-License-Identifier: Apache-2.0 */
/* Recorded treatments against fewer drugs: strata and matched AUROC by hand, and every set of an evaluation against pairs. */
#include "synthetic_study.h"

#include <nepenthe/rank.h>

static const double exact = 1e-12;

static void test_names(void **state)
{
    (void)state;
    nep_negatives k;
    for (int i = 0; i < NEP_NEGATIVES_COUNT; i++) {
        assert_true(nep_negatives_find(nep_negatives_name((nep_negatives)i), &k) && (int)k == i);
        assert_true(strlen(nep_negatives_definition((nep_negatives)i)) > 40);
    }
    assert_false(nep_negatives_find("popular", &k));
}

/* Five drugs, two other disorders. Measured targets: 0, 1, 2, 3, 4 (and one bound of drug 0, which does not count). */
static void test_strata_by_hand(void **state)
{
    (void)state;
    enum { N = 5, D = 3 };
    const nep_label labels[D * N] = {
        [0] = NEP_LABEL_APPROVED, [1] = NEP_LABEL_APPROVED,      /* of the disorder itself: does not count */
        [N + 0] = NEP_LABEL_FAILED,                              /* no treatment: does not count */
        [N + 2] = NEP_LABEL_APPROVED, [N + 3] = NEP_LABEL_SYMPTOMATIC,
        [2 * N + 3] = NEP_LABEL_APPROVED, [2 * N + 4] = NEP_LABEL_INVESTIGATIONAL,
    };
    nep_affinity affinities[11] = {{.drug = 0, .censored = true}};
    int64_t start[N + 1] = {0, 1, 2, 4, 7, 11}, got[N];
    nep_inputs in = {.n_drugs = N, .n_disorders = D, .labels = (nep_label *)labels, .affinities = affinities, .n_affinities = 11,
                     .affinity_start = start};
    nep_negatives_strata(&in, 0, got);
    assert_true(got[0] != got[1]);  /* no target and one target */
    assert_true(got[2] != got[3]);  /* one other disorder and two, with 2 and 3 targets */
    assert_true(got[1] != got[4]);  /* one target and four */
    nep_negatives_strata(&in, 2, got);
    assert_true(got[2] == got[3]);  /* now both have disorder 1 alone; 2 and 3 targets are alike */
    assert_true(got[0] != got[1]);  /* both are recorded for disorder 0; no target and one */
    in.affinity_start = NULL;       /* no affinities: use alone */
    nep_negatives_strata(&in, 2, got);
    assert_true(got[0] == got[1] && got[2] == got[3] && got[0] == got[2] && got[4] != got[0]);
}

/* Stratum 1: positives 9 and 4, negatives 5, 4 and 1: (3 + 1.5) / 3. Stratum 2: positive 2, negatives 8 and 1: 1 / 2.
 * Stratum 3: a positive without a match. Stratum 4: negatives alone. One item is left out. */
static void test_matched_by_hand(void **state)
{
    nep_ctx *ctx = *state;
    const double score[] = {9, 4, 5, 4, 1, 2, 8, 1, 7, 6, 3};
    const signed char pos[] = {1, 1, 0, 0, 0, 1, 0, 0, 1, 0, 2};
    const int64_t stratum[] = {1, 1, 1, 1, 1, 2, 2, 2, 3, 4, 3};
    enum { N = NEP_LEN(score) };
    int64_t order[N], matched = -1;
    bool tie[N];
    assert_ok(ctx, nep_metrics_order_within(ctx, score, stratum, N, order, tie));
    assert_near(nep_metrics_matched(order, tie, stratum, pos, NULL, N, &matched), (1 + 1.5 / 3 + 0.5) / 3, exact);
    assert_int_equal(matched, 3);
    /* drawn twice, never, ...: positive 4 twice; negative 8 never, so positive 2 precedes all that is left */
    const int32_t weight[] = {1, 2, 1, 1, 1, 1, 0, 1, 1, 1, 1};
    assert_near(nep_metrics_matched(order, tie, stratum, pos, weight, N, &matched), (1 + 2 * 1.5 / 3 + 1) / 4, exact);
    assert_int_equal(matched, 4);
    const int32_t none[N] = {[0] = 1, [6] = 1};
    assert_true(isnan(nep_metrics_matched(order, tie, stratum, pos, none, N, &matched)));
    assert_int_equal(matched, 0);
}

/* A score that is the stratum itself says nothing; one stratum is the plain AUROC. */
static void test_matched_limits(void **state)
{
    nep_ctx *ctx = *state;
    enum { N = 60 };
    double score[N], width[N], m[NEP_METRICS_COUNT];
    signed char pos[N];
    int64_t stratum[N], one[N] = {0}, order[N];
    bool tie[N];
    for (int i = 0; i < N; i++) {
        score[i] = i % 9 == 0 ? (double)NAN : floor(12 * nep_philox_uniform(4, 1, (uint64_t)i));
        stratum[i] = (int64_t)(4 * nep_philox_uniform(4, 2, (uint64_t)i));
        width[i] = (double)stratum[i];
        pos[i] = nep_philox_uniform(4, 3, (uint64_t)i) < 0.2 + 0.15 * width[i];
    }
    assert_ok(ctx, nep_metrics_order_within(ctx, width, stratum, N, order, tie));
    assert_near(nep_metrics_matched(order, tie, stratum, pos, NULL, N, NULL), 0.5, exact);
    assert_ok(ctx, nep_metrics_order(ctx, width, N, order, tie));
    nep_metrics_compute(order, tie, pos, NULL, N, m);
    assert_true(m[NEP_METRICS_AUROC] > 0.6); /* unmatched, the same score looks good */
    assert_ok(ctx, nep_metrics_order(ctx, score, N, order, tie));
    nep_metrics_compute(order, tie, pos, NULL, N, m);
    assert_near(nep_metrics_matched(order, tie, one, pos, NULL, N, NULL), m[NEP_METRICS_AUROC], exact);
}

/* ---- a whole evaluation against its definitions, pair by pair ---- */
static synthetic s;

static bool counts(nep_negatives kind, int64_t j, int64_t k, const int64_t *stratum, int64_t treatment)
{
    const nep_label l = s.labels[j * S_DRUGS + k];
    bool elsewhere = false;
    for (int64_t o = 0; o < S_DISORDERS; o++)
        elsewhere = elsewhere || (o != j && nep_label_indicated(s.labels[o * S_DRUGS + k]));
    return kind == NEP_NEGATIVES_ALL              ? true
           : kind == NEP_NEGATIVES_NERVOUS_SYSTEM ? elsewhere || (s.atcs[k] && s.atcs[k][0] == 'N')
           : kind == NEP_NEGATIVES_POPULARITY     ? stratum[k] == stratum[treatment]
                                                  : l == NEP_LABEL_FAILED || l == NEP_LABEL_CONTRAINDICATED;
}

static double by_pairs(nep_negatives kind, int64_t j, const double *score, int64_t *n_matched)
{
    int64_t stratum[S_DRUGS];
    double sum = 0;
    *n_matched = 0;
    nep_negatives_strata(&s.in, j, stratum);
    for (int64_t p = 0; p < S_DRUGS; p++) {
        double won = 0, all = 0;
        if (!nep_label_indicated(s.labels[j * S_DRUGS + p]) || isnan(score[p]))
            continue;
        for (int64_t k = 0; k < S_DRUGS; k++) {
            const nep_label l = s.labels[j * S_DRUGS + k];
            if (nep_label_indicated(l) || l == NEP_LABEL_INVESTIGATIONAL || isnan(score[k]) || !counts(kind, j, k, stratum, p))
                continue;
            all += 1;
            won += score[p] > score[k] ? 1 : score[p] == score[k] ? 0.5 : 0;
        }
        sum += all > 0 ? won / all : 0;
        *n_matched += all > 0;
    }
    return *n_matched ? sum / (double)*n_matched : (double)NAN;
}

static nep_evaluation *evaluate(nep_ctx *ctx, const nep_ranking *r, nep_evaluation_opts o)
{
    nep_evaluation *e = NULL;
    o.n_bootstrap = 60;
    assert_ok(ctx, nep_evaluation_create(ctx, r, &o, &e));
    return e;
}

static void test_every_set_by_pairs(void **state)
{
    nep_ctx *ctx = *state;
    nep_ranking *r = NULL;
    const nep_ranking_opts ro = {.n_streams = 20, .n_bootstrap = 60, .null_maps = 20};
    for (int k = 0; k < S_DRUGS; k++) /* disorder 3 records no failure */
        if (s.labels[3 * S_DRUGS + k] == NEP_LABEL_FAILED)
            s.labels[3 * S_DRUGS + k] = NEP_LABEL_NONE;
    assert_ok(ctx, nep_ranking_create(ctx, &s.in, &ro, &r));
    nep_evaluation *e = evaluate(ctx, r, (nep_evaluation_opts){0});
    for (nep_protocol p = NEP_PROTOCOL_MASKED; p <= NEP_PROTOCOL_NEW_DRUG; p++)
        for (int64_t j = 0; j < S_DISORDERS; j++) {
            const nep_performance *m = &e->fused.disorders[p][j];
            const double *score = e->scores[p].score + j * S_DRUGS;
            int64_t n;
            assert_near(m->auroc.value, by_pairs(NEP_NEGATIVES_ALL, j, score, &n), exact);
            assert_near(m->auroc_vs_ns.value, by_pairs(NEP_NEGATIVES_NERVOUS_SYSTEM, j, score, &n), exact);
            assert_near(m->auroc_vs_popularity.value, by_pairs(NEP_NEGATIVES_POPULARITY, j, score, &n), exact);
            assert_int_equal(m->auroc_vs_popularity.n, n);
            assert_true(n > 0 && m->auroc_vs_popularity.low <= m->auroc_vs_popularity.high);
            assert_near(m->auroc_vs_failed.value, by_pairs(NEP_NEGATIVES_FAILED, j, score, &n), exact);
            assert_int_equal(m->n_failed > 0, j != 3);
            assert_int_equal(isnan(m->auroc_vs_failed.value), j == 3);
            assert_int_equal(isnan(m->auroc_vs_failed.low), j == 3);
        }
    assert_int_equal(e->fused.macro[NEP_PROTOCOL_MASKED].auroc_vs_failed.n, 3);
    for (int i = 0; i < e->n_baselines; i++)
        if (strcmp(e->baselines[i].name, "popularity") == 0)
            for (int64_t j = 0; j < S_DISORDERS; j++) /* matched for use, use says nothing */
                assert_near(e->baselines[i].disorders[NEP_PROTOCOL_MASKED][j].auroc_vs_popularity.value, 0.5, exact);
    nep_evaluation_free(e);
    nep_ranking_free(r);
}

/* What is not asked for is not measured; the rest is the same to the bit. */
static void test_only_what_is_asked(void **state)
{
    nep_ctx *ctx = *state;
    nep_ranking *r = NULL;
    const nep_ranking_opts ro = {.n_streams = 20, .n_bootstrap = 60, .null_maps = 20};
    assert_ok(ctx, nep_ranking_create(ctx, &s.in, &ro, &r));
    nep_evaluation *all = evaluate(ctx, r, (nep_evaluation_opts){0});
    for (int k = 0; k < NEP_NEGATIVES_COUNT; k++) {
        nep_evaluation_opts o = {0};
        o.negatives[k] = true;
        nep_evaluation *e = evaluate(ctx, r, o);
        const nep_performance *m = &e->fused.disorders[NEP_PROTOCOL_MASKED][0], *w = &all->fused.disorders[NEP_PROTOCOL_MASKED][0];
        assert_true(e->negatives[NEP_NEGATIVES_ALL] && e->negatives[k]);
        assert_near(m->ap.low, w->ap.low, 0);
        assert_near(m->auroc_vs_ns.high, k == NEP_NEGATIVES_NERVOUS_SYSTEM ? w->auroc_vs_ns.high : (double)NAN, 0);
        assert_near(m->auroc_vs_popularity.high, k == NEP_NEGATIVES_POPULARITY ? w->auroc_vs_popularity.high : (double)NAN, 0);
        assert_near(m->auroc_vs_failed.high, k == NEP_NEGATIVES_FAILED ? w->auroc_vs_failed.high : (double)NAN, 0);
        assert_int_equal(m->n_failed, k == NEP_NEGATIVES_FAILED ? w->n_failed : 0);
        nep_evaluation_free(e);
    }
    nep_evaluation_free(all);
    nep_ranking_free(r);
}

static int setup(void **state)
{
    nep_ctx *ctx = *state = test_ctx(1);
    synthetic_make(&s);
    return nep_backend_choose(ctx, "cpu") != NEP_OK || nep_inputs_prepare(ctx, &s.in, NULL) != NEP_OK;
}

static int teardown(void **state)
{
    nep_inputs_release(&s.in);
    nep_ctx_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),          cmocka_unit_test(test_strata_by_hand),     cmocka_unit_test(test_matched_by_hand),
        cmocka_unit_test(test_matched_limits), cmocka_unit_test(test_every_set_by_pairs), cmocka_unit_test(test_only_what_is_asked),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
