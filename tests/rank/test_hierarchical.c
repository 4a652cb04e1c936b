/* SPDX-License-Identifier: Apache-2.0 */
/* The hierarchical logistic regression against scipy, scikit-learn and a long Monte Carlo; its derivatives by differences; bounds,
 * order, silence, separation and resampling. */
#include <jansson.h>

#include "support.h"

#include <nepenthe/io.h>
#include <nepenthe/model.h>

enum { C = 4, Q = 1, J = 6, N = 900, G = 2 * C + Q, L = 1 + C };

static struct {
    double x[N * C], z[N * Q], w[N], prior[J];
    signed char y[N];
    int32_t group[N];
    nep_hierarchical_data data;
    json_t *doc;
} golden;

static double number(const json_t *from, const char *name, size_t i)
{
    const json_t *v = json_object_get(from, name);
    if (json_is_array(v))
        v = json_array_get(v, i);
    return json_is_boolean(v) ? json_is_true(v) : json_number_value(v);
}

static double number2(const json_t *from, const char *name, size_t i, size_t j)
{
    return json_number_value(json_array_get(json_array_get(json_object_get(from, name), i), j));
}

static void load_golden(nep_ctx *ctx)
{
    nep_table t = {0};
    assert_ok(ctx, nep_tsv_read(ctx, TEST_GOLDEN("hierarchical.tsv"), &t));
    assert_ok(ctx, nep_json_read(ctx, TEST_GOLDEN("hierarchical.json"), &golden.doc));
    assert_int_equal(t.n_rows, N);
    for (int64_t i = 0; i < N; i++) {
        double g, y;
        assert_ok(ctx, nep_table_number(ctx, &t, i, 0, &g));
        assert_ok(ctx, nep_table_number(ctx, &t, i, 1, &y));
        assert_ok(ctx, nep_table_number(ctx, &t, i, 2, &golden.w[i]));
        for (int c = 0; c < C; c++)
            assert_ok(ctx, nep_table_number(ctx, &t, i, 3 + c, &golden.x[i * C + c]));
        assert_ok(ctx, nep_table_number(ctx, &t, i, 3 + C, &golden.z[i]));
        golden.group[i] = (int32_t)g;
        golden.y[i] = (signed char)y;
    }
    for (int j = 0; j < J; j++)
        golden.prior[j] = number(golden.doc, "prior", (size_t)j);
    golden.data = (nep_hierarchical_data){.n = N, .groups = J, .channels = C, .nuisances = Q, .x = golden.x, .nuisance = golden.z,
                                          .y = golden.y, .group = golden.group, .weight = golden.w, .prior = golden.prior};
    nep_table_free(&t);
}

static nep_hierarchical *fit_with(nep_ctx *ctx, const nep_hierarchical_data *data, const nep_hierarchical_opts *o)
{
    nep_hierarchical *h = NULL;
    assert_ok(ctx, nep_hierarchical_fit(ctx, data, o, &h));
    assert_true(h->converged);
    return h;
}

static void test_golden_dense(void **state)
{
    nep_ctx *ctx = *state;
    double sigma[C];
    for (int c = 0; c < C; c++)
        sigma[c] = number(golden.doc, "sigma", (size_t)c);
    nep_hierarchical_opts o = NEP_HIERARCHICAL_DEFAULTS;
    o.sigma = sigma;
    nep_hierarchical *h = fit_with(ctx, &golden.data, &o);
    for (size_t g = 0; g < G; g++) {
        assert_near(h->global[g], number(golden.doc, "global", g), 1e-7);
        for (size_t k = 0; k < G; k++)
            assert_near(h->covariance[g * G + k], number2(golden.doc, "covariance", g, k), 1e-7);
    }
    for (size_t j = 0; j < J; j++)
        for (size_t a = 0; a < L; a++)
            assert_near(h->local[j * L + a], number2(golden.doc, "local", j, a), 1e-7);
    for (size_t c = 0; c < C; c++) {
        assert_int_equal(h->at_zero[c], number(golden.doc, "at_zero", c) != 0);
        assert_near(h->slope[c], number(golden.doc, "slope", c), 1e-5);
    }
    assert_true(h->at_zero[3] && h->global[3] == 0); /* the made-up channel that points the wrong way */
    assert_near(h->log_posterior, number(golden.doc, "log_posterior", 0), 1e-9);
    assert_near(h->log_evidence, number(golden.doc, "log_evidence", 0), 1e-7);
    assert_true(fabs(h->log_evidence - number(golden.doc, "log_evidence_sampled", 0)) < 0.5);
    /* a group's covariance: its own block, and what it owes to the globals */
    for (size_t a = 0; a < L; a++)
        for (size_t b = 0; b < L; b++) {
            double v = h->local_inverse[(2 * L + a) * L + b];
            for (size_t g = 0; g < G; g++)
                for (size_t k = 0; k < G; k++)
                    v += h->local_cross[(2 * L + a) * G + g] * h->covariance[g * G + k] * h->local_cross[(2 * L + b) * G + k];
            assert_near(v, number2(golden.doc, "covariance_group_2", a, b), 1e-7);
        }
    nep_hierarchical_free(h);
}

static void test_golden_pair(void **state)
{
    nep_ctx *ctx = *state;
    const json_t *pair = json_object_get(golden.doc, "pair");
    double sigma[C], x[C], z, share[1 + C + Q], logit, sd, p;
    for (size_t c = 0; c < C; c++) {
        sigma[c] = number(golden.doc, "sigma", c);
        x[c] = json_is_null(json_array_get(json_object_get(pair, "x"), c)) ? NAN : number(pair, "x", c);
    }
    z = number(pair, "z", 0);
    nep_hierarchical_opts o = NEP_HIERARCHICAL_DEFAULTS;
    o.sigma = sigma;
    nep_hierarchical *h = fit_with(ctx, &golden.data, &o);
    assert_ok(ctx, nep_hierarchical_predict(ctx, h, x, &z, 1, 2, 0, share, &logit, &sd, &p));
    assert_near(logit, number(pair, "logit", 0), 1e-7);
    assert_near(sd, number(pair, "sd", 0), 1e-7);
    assert_near(p, number(pair, "p", 0), 1e-8);
    double sum = 0;
    for (int a = 0; a < 1 + C + Q; a++)
        sum += share[a];
    assert_true(sum == logit); /* to the bit */
    assert_near(share[0], h->local[2 * L], 0);
    assert_near(share[1], (h->global[0] + h->local[2 * L + 1]) * x[0], 1e-15);
    assert_near(share[2], h->global[C + 1], 0); /* silent: delta */
    assert_near(share[1 + C], h->global[2 * C] * z, 1e-15);
    assert_ok(ctx, nep_hierarchical_predict(ctx, h, x, &z, 1, -1, number(pair, "new_prior", 0), NULL, &logit, &sd, &p));
    assert_near(logit, number(pair, "new_logit", 0), 1e-7);
    assert_near(sd, number(pair, "new_sd", 0), 1e-7);
    assert_near(p, number(pair, "new_p", 0), 1e-8);
    nep_hierarchical_free(h);
}

static void test_golden_sigma(void **state)
{
    nep_ctx *ctx = *state;
    nep_hierarchical *h = fit_with(ctx, &golden.data, NULL);
    for (size_t c = 0; c < C; c++)
        assert_near(h->sigma[c], number(golden.doc, "sigma", c), 1e-5); /* a fixed point of EM, found without it */
    assert_true(h->em_steps < 30);
    nep_hierarchical_free(h);
}

/* The mode and the normal approximation lie near the posterior's mean and SD; what is held at 0 by its bound is the exception that the
 * cut interval describes. */
static void test_golden_monte_carlo(void **state)
{
    nep_ctx *ctx = *state;
    const json_t *mc = json_object_get(golden.doc, "sampled");
    nep_hierarchical *h = fit_with(ctx, &golden.data, NULL);
    for (size_t g = 0; g < G; g++) {
        const double sd = number(mc, "sd", g), mean = number(mc, "mean", g);
        if (g < C) { /* 90 % intervals of the bounded ones */
            assert_true(fabs(h->beta_low[g] - number(mc, "q05", g)) < 0.35 * sd);
            assert_true(fabs(h->beta_high[g] - number(mc, "q95", g)) < 0.35 * sd);
        }
        if (g == 3)
            continue;
        assert_true(fabs(h->global[g] - mean) < 0.35 * sd);
        assert_true(fabs(sqrt(h->covariance[g * G + g]) / sd - 1) < 0.15);
    }
    assert_true(h->beta_low[3] > 0 && h->beta_low[3] < 0.01);
    nep_hierarchical_free(h);
}

/* One group without effects is a ridge regression. */
static void test_golden_ridge(void **state)
{
    nep_ctx *ctx = *state;
    const json_t *ridge = json_object_get(golden.doc, "ridge");
    static double w[N];
    static int32_t group[N];
    const double zero[C] = {0}, prior = 0.5;
    const bool oriented[C] = {false};
    for (int i = 0; i < N; i++) {
        w[i] = golden.w[i];
        for (int c = 0; c < C; c++)
            w[i] = isnan(golden.x[i * C + c]) ? 0 : w[i];
    }
    nep_hierarchical_data data = golden.data;
    data.groups = 1;
    data.group = group;
    data.prior = &prior;
    data.weight = w;
    nep_hierarchical_opts o = NEP_HIERARCHICAL_DEFAULTS;
    o.oriented = oriented;
    o.sigma = zero;
    o.alpha_sd = 1e5;
    nep_hierarchical *h = fit_with(ctx, &data, &o);
    for (size_t c = 0; c < C; c++)
        assert_near(h->global[c], number(ridge, "coef", c), 1e-6);
    assert_near(h->global[2 * C], number(ridge, "coef", C), 1e-6);
    assert_near(h->local[0], number(ridge, "intercept", 0), 1e-6);
    nep_hierarchical_free(h);
}

/* ---- made-up data of any size ------------------------------------------------------------------------------------ */
typedef struct {
    double *x, *z, *w, *prior;
    signed char *y;
    int32_t *group, *unit;
    nep_hierarchical_data data;
} made;

/* n pairs: units down, groups across; channel c speaks of 1 - 0.1 c of them. */
static made make(int64_t units, int groups, int channels, int nuisances, uint64_t seed)
{
    const int64_t n = units * groups;
    made m = {.x = calloc((size_t)(n * channels), sizeof(double)), .z = calloc((size_t)(n * nuisances + 1), sizeof(double)),
              .w = calloc((size_t)n, sizeof(double)), .prior = calloc((size_t)groups, sizeof(double)), .y = calloc((size_t)n, 1),
              .group = calloc((size_t)n, sizeof(int32_t)), .unit = calloc((size_t)n, sizeof(int32_t))};
    for (int64_t i = 0; i < n; i++) {
        double eta = -2;
        m.group[i] = (int32_t)(i / units);
        m.unit[i] = (int32_t)(i % units);
        m.w[i] = 1;
        for (int c = 0; c < channels; c++) {
            const double v = nep_philox_normal(seed, 2 * (uint64_t)c, (uint64_t)i);
            const bool there = nep_philox_uniform(seed, 2 * (uint64_t)c + 1, (uint64_t)i) > 0.1 * c;
            m.x[i * channels + c] = there ? v : NAN;
            eta += there ? (c % 2 ? 0.7 : 0.1) * v : 0;
        }
        for (int q = 0; q < nuisances; q++)
            eta += 0.3 * (m.z[i * nuisances + q] = nep_philox_normal(seed, 1000 + (uint64_t)q, (uint64_t)i));
        m.y[i] = nep_philox_uniform(seed, 2000, (uint64_t)i) < 1 / (1 + exp(-eta));
    }
    for (int j = 0; j < groups; j++)
        m.prior[j] = 0.1 + 0.01 * j;
    m.data = (nep_hierarchical_data){.n = n, .groups = groups, .channels = channels, .nuisances = nuisances, .x = m.x, .nuisance = m.z,
                                     .y = m.y, .group = m.group, .weight = m.w, .prior = m.prior};
    return m;
}

static void made_free(made *m)
{
    free(m->x);
    free(m->z);
    free(m->w);
    free(m->prior);
    free(m->y);
    free(m->group);
    free(m->unit);
}

/* The log posterior by its definition. */
static double plain(const nep_hierarchical_data *a, const double *global, const double *local, const double *sigma)
{
    double sum = 0;
    const int c_n = a->channels;
    for (int64_t i = 0; i < a->n; i++) {
        const double *own = local + a->group[i] * (1 + c_n);
        double eta = own[0];
        for (int c = 0; c < c_n; c++)
            eta += isnan(a->x[i * c_n + c]) ? global[c_n + c] : (global[c] + own[1 + c]) * a->x[i * c_n + c];
        for (int q = 0; q < a->nuisances; q++)
            eta += global[2 * c_n + q] * a->nuisance[i * a->nuisances + q];
        if (a->y[i] == 0 || a->y[i] == 1)
            sum += a->weight[i] * -log1p(exp(a->y[i] ? -eta : eta));
    }
    for (int g = 0; g < 2 * c_n + a->nuisances; g++)
        sum -= 0.5 * global[g] * global[g];
    for (int64_t j = 0; j < a->groups; j++) {
        const double *own = local + j * (1 + c_n), off = own[0] - log(a->prior[j] / (1 - a->prior[j]));
        sum -= 0.5 * off * off / 0.25;
        for (int c = 0; c < c_n; c++)
            sum -= 0.5 * own[1 + c] * own[1 + c] / (sigma[c] * sigma[c]);
    }
    return sum;
}

static void test_gradient_by_differences(void **state)
{
    nep_ctx *ctx = *state;
    enum { CH = 5, NU = 2, GR = 4, GL = 2 * CH + NU, LO = GR * (1 + CH) };
    made m = make(60, GR, CH, NU, 3);
    for (int i = 0; i < m.data.n; i += 7)
        m.x[i * CH] -= 2 * m.y[i]; /* channel 0 points the wrong way */
    nep_hierarchical *h = fit_with(ctx, &m.data, NULL);
    double global[GL], local[LO];
    const double step = 1e-4;
    memcpy(global, h->global, sizeof global);
    memcpy(local, h->local, sizeof local);
    assert_near(plain(&m.data, global, local, h->sigma), h->log_posterior, 1e-10);
    for (int k = 0; k < GL + LO; k++) {
        double *at = k < GL ? global + k : local + (k - GL), keep = *at;
        *at = keep + step;
        const double up = plain(&m.data, global, local, h->sigma);
        *at = keep - step;
        const double slope = (up - plain(&m.data, global, local, h->sigma)) / (2 * step);
        *at = keep;
        if (k < CH && h->at_zero[k]) { /* the conditions of Karush, Kuhn and Tucker */
            assert_true(global[k] == 0 && slope < 0);
            assert_near(slope, h->slope[k], 1e-4);
        } else {
            assert_near(slope, 0, 1e-4);
            assert_true(k >= CH || global[k] > 0);
        }
    }
    assert_true(h->at_zero[0] && !h->at_zero[1]);
    nep_hierarchical_free(h);
    made_free(&m);
}

/* Rows in another order, channels in another order: the same model. */
static void test_order_does_not_matter(void **state)
{
    nep_ctx *ctx = *state;
    enum { CH = 3, GR = 3 };
    made a = make(80, GR, CH, 1, 11), b = make(80, GR, CH, 1, 11);
    static int32_t row[240];
    const int channel[CH] = {2, 0, 1};
    nep_philox_permutation(5, 0, a.data.n, row);
    for (int64_t i = 0; i < a.data.n; i++) {
        b.y[i] = a.y[row[i]];
        b.group[i] = a.group[row[i]];
        b.z[i] = a.z[row[i]];
        for (int c = 0; c < CH; c++)
            b.x[i * CH + c] = a.x[row[i] * CH + channel[c]];
    }
    nep_hierarchical *p = fit_with(ctx, &a.data, NULL), *q = fit_with(ctx, &b.data, NULL);
    for (int c = 0; c < CH; c++) {
        assert_near(q->global[c], p->global[channel[c]], 1e-7);
        assert_near(q->sigma[c], p->sigma[channel[c]], 1e-6);
        assert_near(q->global[CH + c], p->global[CH + channel[c]], 1e-7);
    }
    assert_near(q->log_evidence, p->log_evidence, 1e-7);
    nep_hierarchical_free(p);
    nep_hierarchical_free(q);
    made_free(&a);
    made_free(&b);
}

/* A weight of 2 is a row twice; a believed label is two rows. */
static void test_weights_are_rows(void **state)
{
    nep_ctx *ctx = *state;
    made a = make(40, 2, 2, 0, 4), b = make(80, 2, 2, 0, 4);
    for (int64_t i = 0; i < a.data.n; i++)
        for (int twice = 0; twice < 2; twice++) {
            const int64_t to = 2 * i + twice;
            b.group[to] = a.group[i];
            b.y[to] = a.y[i];
            b.x[2 * to] = a.x[2 * i];
            b.x[2 * to + 1] = a.x[2 * i + 1];
        }
    for (int64_t i = 0; i < a.data.n; i++)
        a.w[i] = 2;
    nep_hierarchical *p = fit_with(ctx, &a.data, NULL), *q = fit_with(ctx, &b.data, NULL);
    for (int g = 0; g < p->n_global; g++)
        assert_near(p->global[g], q->global[g], 1e-8);
    assert_near(p->log_evidence, q->log_evidence, 1e-8);
    nep_hierarchical_free(p);
    nep_hierarchical_free(q);
    made_free(&a);
    made_free(&b);
}

/* Constant, silent, never silent, an empty group, separable labels: each is answered, none is fatal. */
static void test_degenerate_inputs(void **state)
{
    nep_ctx *ctx = *state;
    enum { CH = 5 };
    made m = make(50, 4, CH, 0, 9);
    double x[CH] = {0, 0, 3, 1, 1}, logit, sd, alike, wide;
    for (int64_t i = 0; i < m.data.n; i++) {
        m.x[i * CH] = m.y[i] ? 1 + 0.01 * (double)i : -1; /* separates */
        m.x[i * CH + 1] = isnan(m.x[i * CH + 1]) ? 0 : m.x[i * CH + 1]; /* never silent */
        m.x[i * CH + 2] = i % 3 ? 2.5 : NAN;              /* constant where it speaks */
        m.x[i * CH + 3] = NAN;                            /* silent */
        if (m.group[i] == 3)
            m.y[i] = 2;                                   /* an empty group */
    }
    nep_hierarchical *h = fit_with(ctx, &m.data, NULL);
    assert_int_equal(h->state[0], NEP_HIERARCHICAL_USED);
    assert_int_equal(h->state[2], NEP_HIERARCHICAL_CONSTANT);
    assert_int_equal(h->state[3], NEP_HIERARCHICAL_SILENT);
    assert_string_equal(nep_hierarchical_state_name(h->state[2]), "constant");
    assert_true(h->global[2] == 0 && h->global[3] == 0 && h->global[CH + 3] == 0 && h->global[CH + 2] != 0);
    assert_true(h->sigma[2] == 0 && h->sigma[3] == 0);
    assert_true(h->global[0] > 0.5 && h->global[0] < 5); /* the prior holds what would run away */
    assert_int_equal(h->rows[3], 0);
    assert_near(h->local[3 * (1 + CH)], log(m.prior[3] / (1 - m.prior[3])), 1e-9); /* the empty group keeps its prior */
    assert_near(h->local[3 * (1 + CH) + 1], 0, 1e-9);
    /* a value of a channel that takes no part changes nothing */
    assert_ok(ctx, nep_hierarchical_predict(ctx, h, x, NULL, 1, 1, 0, NULL, &logit, &sd, NULL));
    x[2] = -40;
    x[3] = 7;
    assert_ok(ctx, nep_hierarchical_predict(ctx, h, x, NULL, 1, 1, 0, NULL, &alike, &wide, NULL));
    assert_true(logit == alike && sd == wide);
    /* never silent in training: what silence means is known by the prior alone, and widens by its SD of 1 */
    x[1] = NAN;
    assert_ok(ctx, nep_hierarchical_predict(ctx, h, x, NULL, 1, 1, 0, NULL, &alike, &wide, NULL));
    assert_near(h->global[CH + 1], 0, 1e-12);
    assert_true(wide > 1);
    /* an empty group is a new group with the same prior, whose sigma is what the fit says */
    assert_ok(ctx, nep_hierarchical_predict(ctx, h, x, NULL, 1, 3, 0, NULL, &logit, &sd, NULL));
    assert_ok(ctx, nep_hierarchical_predict(ctx, h, x, NULL, 1, -1, m.prior[3], NULL, &alike, &wide, NULL));
    assert_near(logit, alike, 1e-9);
    assert_near(sd, wide, 1e-9);
    nep_hierarchical_free(h);
    made_free(&m);
}

static void test_refusals(void **state)
{
    nep_ctx *ctx = *state;
    made m = make(20, 2, 2, 1, 8);
    nep_hierarchical *h = NULL;
    const struct {
        double *at, bad;
        const char *word;
    } cases[] = {{m.x, INFINITY, "infinite"}, {m.z, NAN, "nuisance"}, {m.w, -1, "weight"}, {m.prior, 1, "prior"}};
    for (int i = 0; i < NEP_LEN(cases); i++) {
        const double keep = *cases[i].at;
        *cases[i].at = cases[i].bad;
        nep_ctx_clear(ctx);
        assert_fails(nep_hierarchical_fit(ctx, &m.data, NULL, &h), NEP_E_ARG);
        assert_non_null(strstr(nep_ctx_error(ctx), cases[i].word));
        assert_null(h);
        *cases[i].at = keep;
    }
    m.group[3] = 2;
    nep_ctx_clear(ctx);
    assert_fails(nep_hierarchical_fit(ctx, &m.data, NULL, &h), NEP_E_ARG);
    m.group[3] = 0;
    for (int i = 0; i < 40; i++)
        m.y[i] = 2;
    nep_ctx_clear(ctx);
    assert_fails(nep_hierarchical_fit(ctx, &m.data, NULL, &h), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "label"));
    nep_ctx_clear(ctx);
    for (int i = 0; i < 40; i++) {
        m.y[i] = i % 2 == 1;
        m.x[2 * i] = 1e200 * (1 + i);
    }
    assert_fails(nep_hierarchical_fit(ctx, &m.data, NULL, &h), NEP_E_SINGULAR);
    nep_ctx_clear(ctx);
    nep_hierarchical_opts o = NEP_HIERARCHICAL_DEFAULTS;
    o.dropout_rate = 1;
    assert_fails(nep_hierarchical_fit(ctx, &m.data, &o, &h), NEP_E_ARG);
    nep_ctx_clear(ctx);
    made_free(&m);
}

static void test_no_memory_leaks_nothing(void **state)
{
    nep_ctx *ctx = *state;
    made m = make(20, 2, 2, 1, 8);
    const int64_t before = nep_alloc_used(ctx);
    nep_status st = NEP_E_NOMEM;
    for (int64_t at = 0; st != NEP_OK; at++) {
        nep_hierarchical *h = NULL;
        nep_alloc_fail_at(ctx, at);
        st = nep_hierarchical_fit(ctx, &m.data, NULL, &h);
        assert_true(st == NEP_OK || (st == NEP_E_NOMEM && h == NULL));
        nep_alloc_fail_at(ctx, -1);
        nep_hierarchical_free(h);
        nep_ctx_clear(ctx);
        assert_int_equal(nep_alloc_used(ctx), before);
        assert_true(at < 200);
    }
    made_free(&m);
}

/* Dropout: rate 0 changes nothing; the objective is the mean over the copies; the same seed gives the same bits. */
static void test_dropout(void **state)
{
    nep_ctx *ctx = *state;
    made m = make(100, 3, 3, 1, 21);
    nep_hierarchical_opts o = NEP_HIERARCHICAL_DEFAULTS;
    nep_hierarchical *plain_fit = fit_with(ctx, &m.data, &o);
    o.dropout = 3;
    o.dropout_rate = 0;
    nep_hierarchical *same = fit_with(ctx, &m.data, &o);
    for (int g = 0; g < same->n_global; g++)
        assert_near(same->global[g], plain_fit->global[g], 1e-7);
    assert_int_equal(same->rows[0], 100);
    o.dropout_rate = 0.4;
    o.seed = 5;
    nep_hierarchical *a = fit_with(ctx, &m.data, &o), *b = fit_with(ctx, &m.data, &o);
    /* by hand: four sets of rows, each of weight 1/4 */
    made hand = make(400, 3, 3, 1, 21);
    for (int64_t i = 0; i < m.data.n; i++)
        for (int copy = 0; copy < 4; copy++) {
            const int64_t to = 4 * i + copy;
            hand.group[to] = m.group[i];
            hand.y[to] = m.y[i];
            hand.z[to] = m.z[i];
            hand.w[to] = 0.25;
            for (int c = 0; c < 3; c++)
                hand.x[to * 3 + c] = copy && nep_philox_uniform(5, (uint64_t)copy, (uint64_t)(i * 3 + c)) < 0.4 ? NAN : m.x[i * 3 + c];
        }
    nep_hierarchical *c = fit_with(ctx, &hand.data, NULL);
    for (int g = 0; g < a->n_global; g++) {
        assert_true(a->global[g] == b->global[g]);
        assert_near(a->global[g], c->global[g], 1e-7);
    }
    assert_true(fabs(a->global[1] - plain_fit->global[1]) > 1e-3);
    nep_hierarchical *const all[] = {plain_fit, same, a, b, c};
    for (int i = 0; i < NEP_LEN(all); i++)
        nep_hierarchical_free(all[i]);
    made_free(&m);
    made_free(&hand);
}

/* ---- bootstrap ------------------------------------------------------------------------------------------------------ */
enum { UNITS = 70, GROUPS = 3, REFITS = 5 };

static void draw_weights(int32_t *unit_weight, int32_t *group_weight)
{
    memset(unit_weight, 0, REFITS * UNITS * sizeof *unit_weight);
    for (int b = 0; b < REFITS; b++)
        for (int u = 0; u < UNITS; u++)
            unit_weight[b * UNITS + (int)(nep_philox_uniform(3, (uint64_t)b, (uint64_t)u) * UNITS)]++;
    const int32_t groups[REFITS * GROUPS] = {1, 1, 1, 2, 0, 1, 0, 3, 0, 1, 2, 0, 0, 0, 0};
    memcpy(group_weight, groups, sizeof groups);
}

/* A refit is a fit of the rows written out: drugs drawn twice as weight 2, groups drawn twice as two groups. */
static void test_bootstrap_is_a_refit(void **state)
{
    nep_ctx *ctx = *state;
    enum { CH = 3 };
    made m = make(UNITS, GROUPS, CH, 1, 31);
    int32_t unit_weight[REFITS * UNITS], group_weight[REFITS * GROUPS];
    nep_hierarchical_draws d = {0};
    draw_weights(unit_weight, group_weight);
    nep_hierarchical *h = fit_with(ctx, &m.data, NULL);
    assert_ok(ctx, nep_hierarchical_bootstrap(ctx, &m.data, NULL, h, m.unit, UNITS, REFITS, unit_weight, group_weight, &d));
    for (int b = 0; b < REFITS - 1; b++) {
        made w = make(UNITS, 4, CH, 1, 31); /* at most three drawn groups, and one left out by its labels */
        int64_t to = 0;
        int32_t drawn = 0, first[GROUPS] = {0};
        memset(w.y, 2, (size_t)w.data.n);
        for (int j = 0; j < GROUPS; j++)
            for (int k = 0; k < group_weight[b * GROUPS + j]; k++, drawn++) {
                if (k == 0)
                    first[j] = drawn;
                w.prior[drawn] = m.prior[j];
                for (int64_t i = 0; i < UNITS; i++, to++) {
                    const int64_t from = j * UNITS + i;
                    w.group[to] = drawn;
                    w.y[to] = m.y[from];
                    w.z[to] = m.z[from];
                    w.w[to] = unit_weight[b * UNITS + i];
                    memcpy(w.x + to * CH, m.x + from * CH, CH * sizeof *w.x);
                }
            }
        nep_hierarchical_opts o = NEP_HIERARCHICAL_DEFAULTS;
        o.sigma = h->sigma;
        w.data.groups = drawn;
        w.data.n = to;
        nep_hierarchical *refit = fit_with(ctx, &w.data, &o);
        assert_true(d.steps[b] > 0);
        for (int g = 0; g < h->n_global; g++)
            assert_near(d.global[b * h->n_global + g], refit->global[g], 1e-6);
        for (int j = 0; j < GROUPS; j++)
            for (int a = 0; a < h->n_local; a++) {
                const double got = d.local[(b * GROUPS + j) * h->n_local + a];
                if (group_weight[b * GROUPS + j])
                    assert_near(got, refit->local[first[j] * h->n_local + a], 1e-6);
                else
                    assert_true(isnan(got));
            }
        double logit;
        assert_ok(ctx, nep_hierarchical_predict(ctx, refit, m.x, m.z, 1, first[0], 0, NULL, &logit, NULL, NULL));
        if (group_weight[b * GROUPS])
            assert_near(nep_hierarchical_draw_logit(h, &d, b, m.x, m.z, 0, 0, NULL), logit, 1e-5);
        nep_hierarchical_free(refit);
        made_free(&w);
    }
    for (int g = 0; g < h->n_global; g++) /* nothing drawn: the priors */
        assert_near(d.global[(REFITS - 1) * h->n_global + g], 0, 1e-9);
    assert_near(nep_hierarchical_draw_logit(h, &d, REFITS - 1, m.x, m.z, 1, 0, NULL), log(m.prior[1] / (1 - m.prior[1])), 1e-9);
    /* a new group: its own alpha and effects by hand, or none */
    const uint64_t seed = 77;
    double alone = log(0.2 / 0.8), with = alone + 0.5 * nep_philox_normal(77, 1, 0);
    for (int c = 0; c < CH; c++) {
        const double *global = d.global + h->n_global, b_c = h->sigma[c] * nep_philox_normal(77, 1, 1 + (uint64_t)c);
        alone += isnan(m.x[c]) ? global[CH + c] : global[c] * m.x[c];
        with += isnan(m.x[c]) ? global[CH + c] : (global[c] + b_c) * m.x[c];
    }
    alone += d.global[h->n_global + 2 * CH] * m.z[0];
    with += d.global[h->n_global + 2 * CH] * m.z[0];
    assert_near(nep_hierarchical_draw_logit(h, &d, 1, m.x, m.z, -1, 0.2, NULL), alone, 1e-12);
    assert_near(nep_hierarchical_draw_logit(h, &d, 1, m.x, m.z, -1, 0.2, &seed), with, 1e-12);
    nep_hierarchical_draws_free(&d);
    m.unit[4] = UNITS;
    assert_fails(nep_hierarchical_bootstrap(ctx, &m.data, NULL, h, m.unit, UNITS, REFITS, unit_weight, group_weight, &d), NEP_E_ARG);
    nep_ctx_clear(ctx);
    nep_hierarchical_free(h);
    made_free(&m);
}

static void test_bootstrap_without_memory(void **state)
{
    nep_ctx *ctx = *state;
    made m = make(UNITS, GROUPS, 2, 0, 31);
    int32_t unit_weight[REFITS * UNITS], group_weight[REFITS * GROUPS];
    nep_status st = NEP_E_NOMEM;
    draw_weights(unit_weight, group_weight);
    nep_hierarchical *h = fit_with(ctx, &m.data, NULL);
    const int64_t before = nep_alloc_used(ctx);
    for (int64_t at = 0; st != NEP_OK; at++) {
        nep_hierarchical_draws d = {0};
        nep_alloc_fail_at(ctx, at);
        st = nep_hierarchical_bootstrap(ctx, &m.data, NULL, h, m.unit, UNITS, REFITS, unit_weight, group_weight, &d);
        assert_true(st == NEP_OK || (st == NEP_E_NOMEM && d.global == NULL));
        nep_alloc_fail_at(ctx, -1);
        nep_hierarchical_draws_free(&d);
        nep_ctx_clear(ctx);
        assert_int_equal(nep_alloc_used(ctx), before);
        assert_true(at < 300);
    }
    nep_hierarchical_free(h);
    made_free(&m);
}

static void test_same_bits_on_any_threads(void **state)
{
    (void)state;
    made m = make(4000, GROUPS, 4, 1, 41); /* large enough for threads */
    int32_t unit_weight[REFITS * UNITS], group_weight[REFITS * GROUPS];
    nep_hierarchical *h[2];
    nep_hierarchical_draws d[2] = {{0}};
    draw_weights(unit_weight, group_weight);
    for (int64_t i = 0; i < m.data.n; i++)
        m.unit[i] %= UNITS;
    for (int k = 0; k < 2; k++) {
        nep_ctx *ctx = test_ctx(k ? 3 : 1);
        h[k] = fit_with(ctx, &m.data, NULL);
        assert_ok(ctx, nep_hierarchical_bootstrap(ctx, &m.data, NULL, h[k], m.unit, UNITS, REFITS, unit_weight, group_weight, &d[k]));
        nep_ctx_free(ctx);
    }
    assert_memory_equal(h[0]->global, h[1]->global, (size_t)h[0]->n_global * sizeof(double));
    assert_memory_equal(h[0]->sigma, h[1]->sigma, 4 * sizeof(double));
    assert_memory_equal(h[0]->covariance, h[1]->covariance, (size_t)(h[0]->n_global * h[0]->n_global) * sizeof(double));
    assert_memory_equal(d[0].global, d[1].global, (size_t)(REFITS * d[0].n_global) * sizeof(double));
    assert_memory_equal(d[0].local, d[1].local, (size_t)(REFITS * GROUPS * d[0].n_local) * sizeof(double));
    for (int k = 0; k < 2; k++) {
        nep_hierarchical_free(h[k]);
        nep_hierarchical_draws_free(&d[k]);
    }
    made_free(&m);
}

/* Mean and SD of the draws' logits are those of the formula, for fitted groups and new ones; bounds hold; bits do not depend on threads. */
static void test_sample_is_the_posterior(void **state)
{
    nep_ctx *ctx = *state;
    enum { CH = 4, GR = 4, DRAWS = 4000, ROWS = 6 };
    made m = make(90, GR, CH, 1, 61);
    const bool oriented[CH] = {false, true, false, true}; /* those of slope 0.7: no draw meets the bound */
    const uint64_t seed = 9;
    nep_hierarchical_opts o = NEP_HIERARCHICAL_DEFAULTS;
    o.oriented = oriented;
    nep_hierarchical *h = fit_with(ctx, &m.data, &o);
    nep_hierarchical_draws d = {0}, again = {0};
    assert_ok(ctx, nep_hierarchical_sample(ctx, h, DRAWS, 3, &d));
    nep_ctx *alone = test_ctx(1);
    assert_ok(alone, nep_hierarchical_sample(alone, h, DRAWS, 3, &again));
    nep_ctx_free(alone);
    assert_memory_equal(d.global, again.global, (size_t)(DRAWS * d.n_global) * sizeof(double));
    assert_memory_equal(d.local, again.local, (size_t)(DRAWS * GR * d.n_local) * sizeof(double));
    for (int r = 0; r < ROWS; r++)
        for (int new = 0; new < 2; new++) {
            const int64_t i = r * 53, group = new ? -1 : m.group[i];
            double logit, sd, sum = 0, square = 0;
            assert_ok(ctx, nep_hierarchical_predict(ctx, h, m.x + i * CH, m.z + i, 1, group, 0.2, NULL, &logit, &sd, NULL));
            for (int64_t b = 0; b < DRAWS; b++) {
                const double off = nep_hierarchical_draw_logit(h, &d, b, m.x + i * CH, m.z + i, group, 0.2, &seed) - logit;
                sum += off;
                square += off * off;
            }
            assert_true(fabs(sum / DRAWS) < 4 * sd / sqrt(DRAWS));
            assert_true(fabs(sqrt(square / DRAWS) / sd - 1) < 0.05); /* 4.5 standard errors */
        }
    nep_hierarchical_draws_free(&d);
    nep_hierarchical_draws_free(&again);
    nep_hierarchical_free(h);
    for (int64_t i = 0; i < m.data.n; i++)
        m.x[i * CH] -= 0.1 * m.y[i]; /* near its bound */
    h = fit_with(ctx, &m.data, NULL);
    assert_ok(ctx, nep_hierarchical_sample(ctx, h, 500, 3, &d));
    int at_bound = 0;
    for (int b = 0; b < 500; b++)
        for (int c = 0; c < CH; c++) {
            assert_true(d.global[b * d.n_global + c] >= 0);
            at_bound += d.global[b * d.n_global + c] == 0;
        }
    assert_true(at_bound > 0);
    assert_fails(nep_hierarchical_sample(ctx, h, 0, 3, &again), NEP_E_ARG);
    nep_ctx_clear(ctx);
    nep_hierarchical_draws_free(&d);
    nep_hierarchical_free(h);
    made_free(&m);
}

/* Everything drawn from the priors, many times: how often the 90 % interval of a logit holds the true one, for a pair of a fitted group
 * (under the fitted sigma, which the width takes as known) and for one of a group that was not there. */
static void test_intervals_cover(void **state)
{
    nep_ctx *ctx = *state;
    enum { RUNS = 200, CH = 3, GR = 12, PER = 60 };
    int known = 0, new = 0;
    for (uint64_t run = 0; run < RUNS; run++) {
        made m = make(PER, GR + 1, CH, 1, 1000 + run); /* its x, z and silence; the last group is the new one */
        double beta[CH], delta[CH], sigma[CH], eta[(GR + 1) * PER], logit, sd;
        uint64_t at = 0;
        for (int c = 0; c < CH; c++) {
            beta[c] = fabs(nep_philox_normal(run, 50, at++));
            delta[c] = nep_philox_normal(run, 50, at++);
            sigma[c] = 0.3 * fabs(nep_philox_normal(run, 50, at++));
        }
        const double gamma = nep_philox_normal(run, 50, at++);
        for (int j = 0; j <= GR; j++) {
            double b[CH];
            const double alpha = log(m.prior[j] / (1 - m.prior[j])) + 0.5 * nep_philox_normal(run, 50, at++);
            for (int c = 0; c < CH; c++)
                b[c] = sigma[c] * nep_philox_normal(run, 50, at++);
            for (int i = j * PER; i < (j + 1) * PER; i++) {
                eta[i] = alpha + gamma * m.z[i];
                for (int c = 0; c < CH; c++)
                    eta[i] += isnan(m.x[i * CH + c]) ? delta[c] : (beta[c] + b[c]) * m.x[i * CH + c];
                m.y[i] = nep_philox_uniform(run, 51, (uint64_t)i) < 1 / (1 + exp(-eta[i]));
            }
        }
        m.data.groups = GR;
        m.data.n = GR * PER;
        nep_hierarchical *h = fit_with(ctx, &m.data, NULL);
        const int64_t one = (int64_t)(run % (GR * PER)), other = GR * PER;
        assert_ok(ctx, nep_hierarchical_predict(ctx, h, m.x + one * CH, m.z + one, 1, one / PER, 0, NULL, &logit, &sd, NULL));
        known += fabs(logit - eta[one]) < 1.6448536 * sd;
        assert_ok(ctx, nep_hierarchical_predict(ctx, h, m.x + other * CH, m.z + other, 1, -1, m.prior[GR], NULL, &logit, &sd, NULL));
        new += fabs(logit - eta[other]) < 1.6448536 * sd;
        nep_hierarchical_free(h);
        made_free(&m);
    }
    assert_true(known >= 0.85 * RUNS && known <= 0.95 * RUNS);
    assert_true(new >= 0.85 * RUNS && new <= 0.95 * RUNS);
}

static void test_probability(void **state)
{
    (void)state;
    assert_near(nep_hierarchical_probability(0.3, 0), 1 / (1 + exp(-0.3)), 1e-15);
    assert_near(nep_hierarchical_probability(0, 3.7), 0.5, 1e-15);
    const struct {
        double mean, sd;
    } at[] = {{-2, 0.5}, {1.3, 2}, {-4, 9}};
    for (int k = 0; k < NEP_LEN(at); k++) {
        enum { POINTS = 20000 };
        double sum = 0;
        for (int i = 0; i <= POINTS; i++) {
            const double t = -12 + 24.0 * i / POINTS, f = exp(-0.5 * t * t) / 2.5066282746310002 / (1 + exp(-(at[k].mean + at[k].sd * t)));
            sum += f * (i == 0 || i == POINTS ? 1 : i % 2 ? 4 : 2);
        }
        assert_near(nep_hierarchical_probability(at[k].mean, at[k].sd), sum * 24.0 / POINTS / 3, 1e-12);
    }
}

static int setup(void **state)
{
    *state = test_ctx(2);
    load_golden(*state);
    return 0;
}

static int teardown(void **state)
{
    json_decref(golden.doc);
    nep_ctx_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_dense),
        cmocka_unit_test(test_golden_pair),
        cmocka_unit_test(test_golden_sigma),
        cmocka_unit_test(test_golden_monte_carlo),
        cmocka_unit_test(test_golden_ridge),
        cmocka_unit_test(test_gradient_by_differences),
        cmocka_unit_test(test_order_does_not_matter),
        cmocka_unit_test(test_weights_are_rows),
        cmocka_unit_test(test_degenerate_inputs),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_no_memory_leaks_nothing),
        cmocka_unit_test(test_dropout),
        cmocka_unit_test(test_bootstrap_is_a_refit),
        cmocka_unit_test(test_bootstrap_without_memory),
        cmocka_unit_test(test_same_bits_on_any_threads),
        cmocka_unit_test(test_sample_is_the_posterior),
        cmocka_unit_test(test_intervals_cover),
        cmocka_unit_test(test_probability),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
