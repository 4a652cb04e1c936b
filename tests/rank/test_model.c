/* SPDX-License-Identifier: Apache-2.0 */
/* What stands beside the hierarchical model: aggregation of ranks, binomial bounds, isotonic regression, Venn-Abers, conformal sets,
 * elastic net, calibration. */
#include <jansson.h>

#include "support.h"

#include <nepenthe/io.h>
#include <nepenthe/model.h>
#include <nepenthe/rank.h>

enum { MOST = 2000 };
static json_t *doc;

static const json_t *section(const char *name)
{
    return json_object_get(doc, name);
}

/* An array of numbers, null = NaN. */
static int64_t numbers(const json_t *from, const char *name, double *out)
{
    const json_t *v = json_object_get(from, name);
    const size_t n = json_array_size(v);
    assert_true(n > 0 && n <= MOST);
    for (size_t i = 0; i < n; i++)
        out[i] = json_is_null(json_array_get(v, i)) ? NAN : json_number_value(json_array_get(v, i));
    return (int64_t)n;
}

static double cell(const json_t *row, size_t i)
{
    return json_is_null(json_array_get(row, i)) ? NAN : json_number_value(json_array_get(row, i));
}

static void test_aggregation_golden(void **state)
{
    nep_ctx *ctx = *state;
    double r[MOST], want[MOST], got[MOST];
    const int lists = (int)json_integer_value(json_object_get(section("aggregation"), "lists"));
    numbers(section("aggregation"), "r", r);
    const int64_t n = numbers(section("aggregation"), "rho", want);
    assert_ok(ctx, nep_aggregation_rho(ctx, r, n, lists, got));
    for (int64_t i = 0; i < n; i++) {
        assert_near(got[i], want[i], 1e-14);
        if (want[i] < 1e-3)
            assert_near(got[i] / want[i], 1, 1e-10); /* small ones to their own scale */
    }
    r[0] = 0;
    assert_fails(nep_aggregation_rho(ctx, r, n, lists, got), NEP_E_ARG);
    nep_ctx_clear(ctx);
}

static void test_aggregation_by_hand(void **state)
{
    nep_ctx *ctx = *state;
    const double score[] = {3, NAN, 7, 3, -1}, want[] = {2.5 / 4, NAN, 1.0 / 4, 2.5 / 4, 1};
    double r[5], rho[2];
    assert_ok(ctx, nep_aggregation_ranks(ctx, score, 5, r));
    for (int i = 0; i < 5; i++)
        assert_near(r[i], want[i], 0);
    const double two[] = {0.1, 0.2, 0.9, NAN}; /* 2 items x 2 lists: min(2 * 0.19, 2 * 0.04); one list: its rank */
    assert_ok(ctx, nep_aggregation_rho(ctx, two, 2, 2, rho));
    assert_near(rho[0], 0.08, 1e-15);
    assert_near(rho[1], 0.9, 1e-15);
}

static void test_binomial_golden(void **state)
{
    (void)state;
    const json_t *rows = section("binomial");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        const int64_t k = (int64_t)cell(row, 0), n = (int64_t)cell(row, 1);
        double low, high;
        nep_binomial_interval(k, n, 0.9, &low, &high);
        assert_near(low, cell(row, 2), 1e-11);
        assert_near(high, cell(row, 3), 1e-11);
        nep_binomial_wilson(k, n, 0.9, &low, &high);
        assert_near(low, cell(row, 4), 1e-12);
        assert_near(high, cell(row, 5), 1e-12);
        assert_near(nep_binomial_upper(k, n, 0.3), cell(row, 6), 1e-11);
        assert_near(nep_binomial_upper(k > 1 ? k : 1, n, 0.003), cell(row, 7), 1e-11);
    }
    double low, high;
    nep_binomial_interval(0, 0, 0.9, &low, &high);
    assert_true(isnan(low) && isnan(high));
    assert_near(nep_binomial_upper(3, 5, 0), 0, 0);
    assert_near(nep_binomial_upper(3, 5, 1), 1, 0);
    assert_near(nep_binomial_upper(0, 5, 0), 1, 0);
    assert_near(nep_binomial_upper(6, 5, 0.5), 0, 0);
}

static void test_isotonic_golden(void **state)
{
    nep_ctx *ctx = *state;
    double x[MOST], y[MOST], w[MOST], want[MOST], got[MOST];
    const int64_t n = numbers(section("isotonic"), "x", x);
    numbers(section("isotonic"), "y", y);
    numbers(section("isotonic"), "w", w);
    numbers(section("isotonic"), "fitted", want);
    assert_ok(ctx, nep_isotonic_fit(ctx, x, y, w, n, got));
    for (int64_t i = 0; i < n; i++)
        assert_near(got[i], want[i], 1e-12);
    w[3] = 0;
    assert_fails(nep_isotonic_fit(ctx, x, y, w, n, got), NEP_E_ARG);
    nep_ctx_clear(ctx);
}

static void test_venn_abers_golden(void **state)
{
    nep_ctx *ctx = *state;
    double score[MOST], label[MOST], at[MOST], want0[MOST], want1[MOST], p0[MOST], p1[MOST], p[MOST];
    signed char y[MOST];
    const json_t *of = section("venn_abers");
    const int64_t n = numbers(of, "score", score), m = numbers(of, "at", at);
    numbers(of, "y", label);
    numbers(of, "p0", want0);
    numbers(of, "p1", want1);
    for (int64_t i = 0; i < n; i++)
        y[i] = (signed char)label[i];
    assert_ok(ctx, nep_venn_abers(ctx, score, y, n, at, m, p0, p1, p));
    for (int64_t i = 0; i < m; i++) {
        assert_near(p0[i], want0[i], 1e-12);
        assert_near(p1[i], want1[i], 1e-12);
        assert_near(p[i], want1[i] / (1 - want0[i] + want1[i]), 1e-12);
    }
    score[2] = NAN;
    assert_fails(nep_venn_abers(ctx, score, y, n, at, m, p0, p1, p), NEP_E_ARG);
    nep_ctx_clear(ctx);
    memset(y, 2, sizeof y);
    assert_fails(nep_venn_abers(ctx, score, y, n, at, m, p0, p1, p), NEP_E_ARG);
    nep_ctx_clear(ctx);
}

/* Against a refit for every score: all alike, all one label, few and many ties. */
static void test_venn_abers_by_refits(void **state)
{
    nep_ctx *ctx = *state;
    for (uint64_t run = 0; run < 60; run++) {
        enum { N = 40 };
        double score[N + 1], label[N + 1], fitted[N + 1], p0[N + 2], p1[N + 2], at[N + 2];
        signed char y[N];
        const int n = 1 + (int)(run % N), levels = 1 + (int)(run % 7) * 5;
        for (int i = 0; i < n; i++) {
            score[i] = floor(nep_philox_uniform(run, 1, (uint64_t)i) * levels);
            y[i] = nep_philox_uniform(run, 2, (uint64_t)i) < (run % 9 == 0 ? 1.0 : run % 9 == 1 ? 0.0 : 0.2 + 0.6 * score[i] / levels);
            label[i] = y[i];
            at[i] = score[i] + (i % 3 == 0 ? 0.5 : 0);
        }
        at[n] = -1;
        at[n + 1] = levels + 1;
        assert_ok(ctx, nep_venn_abers(ctx, score, y, n, at, n + 2, p0, p1, NULL));
        for (int i = 0; i < n + 2; i++)
            for (int one = 0; one < 2; one++) {
                score[n] = at[i];
                label[n] = one;
                assert_ok(ctx, nep_isotonic_fit(ctx, score, label, NULL, n + 1, fitted));
                assert_near(one ? p1[i] : p0[i], fitted[n], 1e-12);
            }
    }
}

static void test_conformal_golden(void **state)
{
    nep_ctx *ctx = *state;
    double alpha[MOST], weight[MOST], want_weight[MOST], group_number[MOST], at[MOST], want[MOST], got[MOST], threshold;
    int32_t group[MOST];
    int64_t used;
    const json_t *of = section("conformal"), *rows = json_object_get(of, "thresholds");
    const int64_t n = numbers(of, "alpha", alpha), m = numbers(of, "at", at);
    numbers(of, "group", group_number);
    numbers(of, "weight", want_weight);
    numbers(of, "p", want);
    for (int64_t i = 0; i < n; i++)
        group[i] = (int32_t)group_number[i];
    assert_ok(ctx, nep_conformal_weights(ctx, group, n, 8, weight));
    for (int64_t i = 0; i < n; i++)
        assert_near(weight[i], want_weight[i], 0);
    const double u = json_number_value(json_object_get(of, "u")), own = json_number_value(json_object_get(of, "own"));
    assert_ok(ctx, nep_conformal_p(ctx, alpha, weight, n, at, m, own, u, got));
    for (int64_t i = 0; i < m; i++)
        assert_near(got[i], want[i], 1e-14);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        assert_ok(ctx, nep_conformal_threshold(ctx, alpha, group, n, 8, cell(row, 0), cell(row, 1), &threshold, &used));
        assert_int_equal(used, 7); /* group 6 is empty */
        if (isnan(cell(row, 2)))
            assert_true(isinf(threshold)); /* 7 disorders cannot say 0.9 */
        else
            assert_near(threshold, cell(row, 2), 0);
    }
    assert_ok(ctx, nep_conformal_p(ctx, alpha, weight, 0, at, 1, 1, 1, got));
    assert_near(got[0], 1, 0); /* nothing to compare with: nothing is excluded */
    alpha[1] = NAN;
    assert_fails(nep_conformal_p(ctx, alpha, weight, n, at, m, own, u, got), NEP_E_ARG);
    nep_ctx_clear(ctx);
}

/* Disorders differ in size and in level, as the hard ones do. Over many draws of disorders the hierarchical set covers a new disorder's
 * pair, and the threshold its content, at least as often as they say; equal weights with the pair's own weight of 1 do not. */
static void test_conformal_covers_new_disorders(void **state)
{
    nep_ctx *ctx = *state;
    enum { K = 19, RUNS = 2000 };
    int64_t covered = 0, naive = 0, whole = 0;
    for (uint64_t run = 0; run < RUNS; run++) {
        double alpha[K * 30], weight[K * 30], even[K * 30], p, q, threshold, own[30];
        int32_t group[K * 30];
        int64_t n = 0;
        int pairs = 0;
        for (int j = 0; j <= K; j++) { /* the last one is new */
            const double level = nep_philox_normal(run, 1, (uint64_t)j);
            const int size = level < 0 ? 30 : 3; /* the easy ones have many recorded treatments */
            pairs = 0;
            for (int i = 0; i < size; i++) {
                const double a = 2 * level + nep_philox_normal(run, 2 + (uint64_t)j, (uint64_t)i);
                own[pairs++] = a;
                if (j < K) {
                    even[n] = 1;
                    group[n] = j;
                    alpha[n++] = a;
                }
            }
        }
        assert_ok(ctx, nep_conformal_weights(ctx, group, n, K, weight));
        assert_ok(ctx, nep_conformal_p(ctx, alpha, weight, n, own, 1, 1, 1, &p));
        assert_ok(ctx, nep_conformal_p(ctx, alpha, even, n, own, 1, 1, 1, &q));
        assert_ok(ctx, nep_conformal_threshold(ctx, alpha, group, n, K, 0.8, 0.9, &threshold, NULL));
        int under = 0;
        for (int i = 0; i < pairs; i++)
            under += own[i] <= threshold;
        covered += p > 0.1;
        naive += q > 0.1;
        whole += under >= 0.8 * pairs;
    }
    assert_true(covered > 0.885 * RUNS && covered < 0.99 * RUNS);
    assert_true(whole > 0.885 * RUNS && whole < 0.99 * RUNS);
    assert_true(naive < 0.85 * RUNS);
}

/* ---- elastic net ------------------------------------------------------------------------------------------------- */
static struct {
    double x[MOST], w[MOST], lambda[MOST];
    signed char y[MOST];
    int32_t fold[MOST];
    nep_elastic_net_data data;
} net;

static void load_net(void)
{
    double v[MOST];
    const json_t *of = section("elastic_net");
    numbers(of, "x", net.x);
    numbers(of, "w", net.w);
    const int64_t n = numbers(of, "y", v);
    for (int64_t i = 0; i < n; i++)
        net.y[i] = (signed char)v[i];
    numbers(of, "fold", v);
    for (int64_t i = 0; i < n; i++)
        net.fold[i] = (int32_t)v[i];
    net.data = (nep_elastic_net_data){.n = n, .features = (int)json_integer_value(json_object_get(of, "features")), .x = net.x, .y = net.y,
                                      .weight = net.w, .fold = net.fold, .folds = (int)json_integer_value(json_object_get(of, "folds"))};
}

static void test_elastic_net_golden(void **state)
{
    nep_ctx *ctx = *state;
    double intercept[MOST], coef[MOST], deviance[MOST], se[MOST];
    const json_t *of = section("elastic_net");
    nep_elastic_net_opts o = NEP_ELASTIC_NET_DEFAULTS;
    nep_elastic_net *e = NULL;
    load_net();
    o.most_lambda = (int)numbers(of, "lambda", net.lambda);
    o.lambda = net.lambda;
    o.alpha = json_number_value(json_object_get(of, "alpha"));
    numbers(of, "intercept", intercept);
    const int64_t all = numbers(of, "coef", coef);
    numbers(of, "deviance", deviance);
    numbers(of, "deviance_se", se);
    assert_ok(ctx, nep_elastic_net_fit(ctx, &net.data, &o, &e));
    assert_true(e->converged);
    assert_int_equal(e->n_lambda, o.most_lambda);
    for (int l = 0; l < e->n_lambda; l++) {
        assert_near(e->intercept[l], intercept[l], 1e-6);
        assert_near(e->deviance[l], deviance[l], 1e-6);
        assert_near(e->deviance_se[l], se[l], 1e-6);
    }
    for (int64_t i = 0; i < all; i++)
        assert_near(e->coef[i], coef[i], 1e-6);
    assert_int_equal(e->best, json_integer_value(json_object_get(of, "best")));
    assert_int_equal(e->one_se, json_integer_value(json_object_get(of, "one_se")));
    assert_near(nep_elastic_net_logit(e, 2, net.x), intercept[2] + coef[12] * net.x[0] + coef[13] * net.x[1] + coef[14] * net.x[2] +
                coef[15] * net.x[3] + coef[16] * net.x[4] + coef[17] * net.x[5], 1e-5);
    nep_elastic_net_free(e);
}

/* Along its own path: the conditions of an optimum, signs kept where asked, a constant feature left out, an end like glmnet's. */
static void test_elastic_net_conditions(void **state)
{
    nep_ctx *ctx = *state;
    enum { F = 7 };
    static double x[MOST], share[MOST];
    const bool sign[F] = {true, true, true, true, true, true, true};
    load_net();
    const int64_t n = net.data.n;
    for (int64_t i = 0; i < n; i++) {
        memcpy(x + i * F, net.x + i * 6, 6 * sizeof *x);
        x[i * F + 6] = 0.1; /* constant, and not a power of two */
    }
    nep_elastic_net_data data = net.data;
    data.x = x;
    data.features = F;
    for (int bounded = 0; bounded < 2; bounded++) {
        nep_elastic_net *e = NULL;
        data.non_negative = bounded ? sign : NULL;
        assert_ok(ctx, nep_elastic_net_fit(ctx, &data, NULL, &e));
        assert_true(e->converged && e->n_lambda > 20 && e->n_lambda <= 100);
        double total = 0;
        for (int64_t i = 0; i < n; i++)
            total += net.w[i];
        for (int j = 0; j < F; j++)
            assert_near(e->coef[j], 0, 1e-9); /* nothing speaks at the first lambda */
        for (int l = 0; l < e->n_lambda; l++) {
            double sum = 0;
            for (int64_t i = 0; i < n; i++) {
                share[i] = net.w[i] / total * (net.y[i] - 1 / (1 + exp(-nep_elastic_net_logit(e, l, x + i * F))));
                sum += share[i];
            }
            assert_near(sum, 0, 1e-7);
            for (int j = 0; j < F; j++) {
                double mean = 0, square = 0, slope = 0;
                for (int64_t i = 0; i < n; i++)
                    mean += net.w[i] / total * x[i * F + j];
                for (int64_t i = 0; i < n; i++) {
                    square += net.w[i] / total * (x[i * F + j] - mean) * (x[i * F + j] - mean);
                    slope += share[i] * (x[i * F + j] - mean);
                }
                const double sd = sqrt(square), b = e->coef[l * F + j] * sd;
                if (j == 6) {
                    assert_true(e->coef[l * F + j] == 0);
                    continue;
                }
                slope /= sd;
                assert_true(!bounded || b >= 0);
                if (b != 0)
                    assert_near(slope, e->lambda[l] * (copysign(0.2, b) + 0.8 * b), 1e-6);
                else
                    assert_true(slope <= 0.2 * e->lambda[l] + 1e-6 && (bounded || slope >= -0.2 * e->lambda[l] - 1e-6));
            }
        }
        assert_true(e->one_se <= e->best && e->best >= 0);
        nep_elastic_net_free(e);
    }
}

static void test_elastic_net_refusals_and_threads(void **state)
{
    nep_ctx *ctx = *state;
    nep_elastic_net *e[2] = {NULL, NULL};
    load_net();
    for (int k = 0; k < 2; k++) {
        nep_ctx *own = test_ctx(k ? 3 : 1);
        assert_ok(own, nep_elastic_net_fit(own, &net.data, NULL, &e[k]));
        nep_ctx_free(own);
    }
    assert_int_equal(e[0]->n_lambda, e[1]->n_lambda);
    assert_memory_equal(e[0]->coef, e[1]->coef, (size_t)(e[0]->n_lambda * e[0]->features) * sizeof(double));
    assert_memory_equal(e[0]->deviance, e[1]->deviance, (size_t)e[0]->n_lambda * sizeof(double));
    nep_elastic_net_free(e[0]);
    nep_elastic_net_free(e[1]);
    e[0] = NULL;
    for (int64_t i = 0; i < net.data.n; i++) /* every treatment in fold 2 */
        net.fold[i] = net.y[i] == 1 ? 2 : net.fold[i];
    assert_fails(nep_elastic_net_fit(ctx, &net.data, NULL, &e[0]), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "fold 2"));
    nep_ctx_clear(ctx);
    net.data.fold = NULL;
    net.x[5] = NAN;
    assert_fails(nep_elastic_net_fit(ctx, &net.data, NULL, &e[0]), NEP_E_ARG);
    nep_ctx_clear(ctx);
    load_net();
    memset(net.y, 1, sizeof net.y);
    assert_fails(nep_elastic_net_fit(ctx, &net.data, NULL, &e[0]), NEP_E_ARG);
    nep_ctx_clear(ctx);
    assert_null(e[0]);
}

static void test_nothing_leaks_without_memory(void **state)
{
    nep_ctx *ctx = *state;
    nep_elastic_net_opts o = NEP_ELASTIC_NET_DEFAULTS;
    nep_status st[3] = {NEP_E_NOMEM, NEP_E_NOMEM, NEP_E_NOMEM};
    const int64_t before = nep_alloc_used(ctx);
    double logit[MOST], p0[MOST];
    load_net();
    o.most_lambda = 3;
    for (int64_t i = 0; i < net.data.n; i++)
        logit[i] = net.x[i * 6];
    for (int64_t at = 0; st[0] != NEP_OK || st[1] != NEP_OK || st[2] != NEP_OK; at++)
        for (int k = 0; k < 3; k++) {
            nep_elastic_net *e = NULL;
            nep_calibration_detail d;
            nep_alloc_fail_at(ctx, at);
            st[k] = k == 0   ? nep_elastic_net_fit(ctx, &net.data, &o, &e)
                    : k == 1 ? nep_calibration_detail_measure(ctx, logit, net.y, net.data.n, &d)
                             : nep_venn_abers(ctx, logit, net.y, net.data.n, logit, net.data.n, p0, NULL, NULL);
            assert_true(st[k] == NEP_OK || (st[k] == NEP_E_NOMEM && e == NULL));
            nep_alloc_fail_at(ctx, -1);
            nep_elastic_net_free(e);
            nep_ctx_clear(ctx);
            assert_int_equal(nep_alloc_used(ctx), before);
            assert_true(at < 200);
        }
}

/* ---- calibration --------------------------------------------------------------------------------------------------- */
static void test_calibration_golden(void **state)
{
    nep_ctx *ctx = *state;
    double logit[MOST], p[MOST], v[MOST], at[MOST], want[MOST], got[MOST];
    signed char y[MOST];
    const json_t *of = section("calibration"), *rows = json_object_get(of, "bins");
    const int64_t n = numbers(of, "logit", logit);
    nep_calibration_detail d;
    nep_calibration plain;
    nep_calibration_bin bins[10];
    int n_bins;
    numbers(of, "y", v);
    for (int64_t i = 0; i < n; i++) {
        y[i] = (signed char)v[i];
        p[i] = 1 / (1 + exp(-logit[i]));
    }
    y[n] = 2; /* left out */
    logit[n] = p[n] = NAN;
    assert_ok(ctx, nep_calibration_detail_measure(ctx, logit, y, n + 1, &d));
    const struct {
        const char *name;
        double got;
    } fields[] = {{"oe", d.oe}, {"large", d.large}, {"large_se", d.large_se}, {"intercept", d.intercept}, {"slope", d.slope},
                  {"intercept_se", d.intercept_se}, {"slope_se", d.slope_se}, {"brier", d.brier}, {"brier_null", d.brier_null}, {"ipa", d.ipa},
                  {"log_loss", d.log_loss}, {"ici", d.ici}, {"e50", d.e50}, {"e90", d.e90}, {"e_max", d.e_max},
                  {"miscalibration", d.miscalibration}, {"discrimination", d.discrimination}, {"uncertainty", d.uncertainty}};
    for (int i = 0; i < NEP_LEN(fields); i++)
        assert_near(fields[i].got, json_number_value(json_object_get(of, fields[i].name)), 1e-9);
    assert_int_equal(d.n, n);
    nep_calibration_measure(logit, y, n, &plain);
    assert_near(plain.oe, d.oe, 1e-12);
    assert_near(plain.brier, d.brier, 1e-12);
    assert_near(plain.slope, d.slope, 1e-4); /* all but its ridge */
    assert_ok(ctx, nep_calibration_bins(ctx, p, y, n + 1, 10, bins, &n_bins));
    assert_int_equal(n_bins, json_array_size(rows));
    for (int b = 0; b < n_bins; b++) {
        const json_t *row = json_array_get(rows, (size_t)b);
        assert_int_equal(bins[b].n, (int64_t)cell(row, 0));
        assert_int_equal(bins[b].n_pos, (int64_t)cell(row, 1));
        assert_near(bins[b].predicted, cell(row, 2), 1e-12);
        assert_near(bins[b].observed, cell(row, 3), 1e-12);
        assert_near(bins[b].low, cell(row, 4), 1e-12);
        assert_near(bins[b].high, cell(row, 5), 1e-12);
    }
    const int64_t m = numbers(of, "places", at);
    numbers(of, "loess", want);
    assert_ok(ctx, nep_calibration_loess(ctx, p, y, n + 1, 0.5, at, m, got));
    for (int64_t i = 0; i < m; i++)
        assert_near(got[i], want[i], 1e-9);
}

static void test_calibration_without_enough(void **state)
{
    nep_ctx *ctx = *state;
    const double logit[] = {-2, -1, 1, 2}, even[] = {-1, -1, -1, -1};
    const signed char none[] = {2, 2, 2, 2}, apart[] = {0, 0, 1, 1}, zeros[] = {0, 0, 0, 0}, mixed[] = {0, 1, 0, 0};
    nep_calibration_detail d;
    nep_calibration_bin bins[3];
    int n_bins = -1;
    assert_ok(ctx, nep_calibration_detail_measure(ctx, logit, none, 4, &d));
    assert_true(d.n == 0 && isnan(d.oe) && isnan(d.ici) && isnan(d.uncertainty));
    assert_ok(ctx, nep_calibration_detail_measure(ctx, logit, apart, 4, &d));
    assert_true(isnan(d.slope) && isnan(d.slope_se)); /* separated: no finite slope */
    assert_near(d.large, 0, 1e-9);
    assert_near(d.oe, 1, 1e-12);
    assert_near(d.discrimination, 0.25, 1e-15);
    assert_ok(ctx, nep_calibration_detail_measure(ctx, logit, zeros, 4, &d));
    assert_true(isnan(d.slope) && isnan(d.large) && isnan(d.ipa) && d.oe == 0);
    assert_ok(ctx, nep_calibration_detail_measure(ctx, even, mixed, 4, &d));
    assert_true(isnan(d.slope)); /* one probability for all */
    assert_near(d.ici, fabs(0.25 - 1 / (1 + exp(1))), 1e-12);
    assert_ok(ctx, nep_calibration_bins(ctx, (const double[]){0.1, 0.1, 0.1, 0.7}, mixed, 4, 3, bins, &n_bins));
    assert_int_equal(n_bins, 2); /* equal ones stay together */
    assert_int_equal(bins[0].n, 3);
    assert_fails(nep_calibration_bins(ctx, (const double[]){0.1, 1.5, 0.1, 0.7}, mixed, 4, 3, bins, &n_bins), NEP_E_ARG);
    nep_ctx_clear(ctx);
}

static int setup(void **state)
{
    *state = test_ctx(1);
    assert_ok(*state, nep_json_read(*state, TEST_GOLDEN("model.json"), &doc));
    return 0;
}

static int teardown(void **state)
{
    json_decref(doc);
    nep_ctx_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_aggregation_golden),
        cmocka_unit_test(test_aggregation_by_hand),
        cmocka_unit_test(test_binomial_golden),
        cmocka_unit_test(test_isotonic_golden),
        cmocka_unit_test(test_venn_abers_golden),
        cmocka_unit_test(test_venn_abers_by_refits),
        cmocka_unit_test(test_conformal_golden),
        cmocka_unit_test(test_conformal_covers_new_disorders),
        cmocka_unit_test(test_elastic_net_golden),
        cmocka_unit_test(test_elastic_net_conditions),
        cmocka_unit_test(test_elastic_net_refusals_and_threads),
        cmocka_unit_test(test_nothing_leaks_without_memory),
        cmocka_unit_test(test_calibration_golden),
        cmocka_unit_test(test_calibration_without_enough),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
