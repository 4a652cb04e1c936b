/* SPDX-License-Identifier: Apache-2.0 */
/* votes.c - Dawid and Skene's model of raters who err, by expectation maximisation. */
#include <nepenthe/votes.h>

#include <math.h>

enum { STEPS = 2000 };
static const double settled = 1e-12;

/* psi1(x), x > 0: the recurrence up to 12, then its asymptotic series (Abramowitz & Stegun 6.4.12). */
static double trigamma(double x)
{
    double sum = 0;
    for (; x < 12; x++)
        sum += 1 / (x * x);
    const double r = 1 / (x * x);
    return sum + 1 / x + r / 2 + r / x * (1.0 / 6 - r * (1.0 / 30 - r * (1.0 / 42 - r * (1.0 / 30 - r * 5 / 66))));
}

static int vote_of(const nep_votes *v, int64_t item, int rater)
{
    return v->vote[item * v->n_raters + rater];
}

static nep_status check(nep_ctx *ctx, const nep_votes *v, double smooth)
{
    NEP_REQUIRE(ctx, v->n_items > 0 && v->n_raters > 0, NEP_E_ARG, "votes: %lld items and %d raters; there must be one of each",
                (long long)v->n_items, v->n_raters);
    NEP_REQUIRE(ctx, v->n_classes >= 2, NEP_E_ARG, "votes: %d classes; a vote chooses between at least two", v->n_classes);
    NEP_REQUIRE(ctx, smooth >= 0 && smooth < INFINITY, NEP_E_ARG, "votes: smoothing is %g, must not be negative", smooth);
    for (int64_t i = 0; i < v->n_items; i++) {
        int n = 0;
        for (int r = 0; r < v->n_raters; r++) {
            const int vote = vote_of(v, i, r);
            NEP_REQUIRE(ctx, vote >= -1 && vote < v->n_classes, NEP_E_ARG, "votes: item %lld, rater %d: class %d of %d", (long long)i, r,
                        vote, v->n_classes);
            n += vote >= 0;
        }
        NEP_REQUIRE(ctx, n > 0, NEP_E_ARG, "votes: nobody rated item %lld; leave it out", (long long)i);
    }
    return NEP_OK;
}

static void begin(const nep_votes *v, nep_votes_model *m)
{
    for (int64_t i = 0; i < v->n_items; i++) {
        double *p = m->posterior + i * v->n_classes;
        int n = 0;
        for (int r = 0; r < v->n_raters; r++) {
            const int vote = vote_of(v, i, r);
            if (vote < 0)
                continue;
            p[vote] += 1;
            n++;
        }
        for (int k = 0; k < v->n_classes; k++)
            p[k] /= n;
    }
}

/* Counts under the posteriors, `smooth` added, into the model's rates (not yet divided). */
static void count(const nep_votes *v, double smooth, nep_votes_model *m)
{
    const int k_all = v->n_classes;
    for (int k = 0; k < k_all; k++)
        m->prior[k] = smooth;
    for (int64_t c = 0; c < (int64_t)v->n_raters * k_all * k_all; c++)
        m->confusion[c] = smooth;
    for (int64_t i = 0; i < v->n_items; i++) {
        const double *p = m->posterior + i * k_all;
        for (int k = 0; k < k_all; k++)
            m->prior[k] += p[k];
        for (int r = 0; r < v->n_raters; r++) {
            const int vote = vote_of(v, i, r);
            for (int k = 0; vote >= 0 && k < k_all; k++)
                m->confusion[((int64_t)r * k_all + k) * k_all + vote] += p[k];
        }
    }
}

/* One row of counts to shares, even ones where nothing was counted; adds smooth * log(share) to the objective. */
static void divide(double *row, int n, double smooth, double *objective)
{
    double sum = 0;
    for (int k = 0; k < n; k++)
        sum += row[k];
    for (int k = 0; k < n; k++) {
        row[k] = sum > 0 ? row[k] / sum : 1.0 / n;
        if (smooth > 0)
            *objective += smooth * log(row[k]);
    }
}

static void maximise(const nep_votes *v, double smooth, nep_votes_model *m)
{
    count(v, smooth, m);
    m->objective = 0;
    divide(m->prior, v->n_classes, smooth, &m->objective);
    for (int64_t row = 0; row < (int64_t)v->n_raters * v->n_classes; row++)
        divide(m->confusion + row * v->n_classes, v->n_classes, smooth, &m->objective);
}

/* Posteriors from rates; returns the largest change and adds the log likelihood to the objective. */
static double expect(const nep_votes *v, nep_votes_model *m, double *logs)
{
    const int k_all = v->n_classes;
    double largest = 0;
    for (int64_t i = 0; i < v->n_items; i++) {
        double *p = m->posterior + i * k_all, top = -INFINITY, sum = 0;
        for (int k = 0; k < k_all; k++) {
            logs[k] = log(m->prior[k]);
            for (int r = 0; r < v->n_raters; r++) {
                const int vote = vote_of(v, i, r);
                if (vote >= 0)
                    logs[k] += log(m->confusion[((int64_t)r * k_all + k) * k_all + vote]);
            }
            top = logs[k] > top ? logs[k] : top;
        }
        for (int k = 0; k < k_all; k++)
            sum += exp(logs[k] - top);
        for (int k = 0; k < k_all; k++) {
            const double now = exp(logs[k] - top) / sum;
            largest = fmax(largest, fabs(now - p[k]));
            p[k] = now;
        }
        m->objective += top + log(sum);
    }
    return largest;
}

/* The variance of log(share k) of a Dirichlet row with shapes count + 1. */
static double row_variance(const double *counts, int n, int k)
{
    double sum = 0;
    for (int l = 0; l < n; l++)
        sum += counts[l] + 1;
    return trigamma(counts[k] + 1) - trigamma(sum);
}

/* log_error from the counts that stand in the model's rates. */
static void measure_errors(const nep_votes *v, nep_votes_model *m)
{
    const int k_all = v->n_classes;
    for (int64_t i = 0; i < v->n_items; i++)
        for (int k = 0; k < k_all; k++) {
            double var = row_variance(m->prior, k_all, k);
            for (int r = 0; r < v->n_raters; r++) {
                const int vote = vote_of(v, i, r);
                if (vote >= 0)
                    var += row_variance(m->confusion + ((int64_t)r * k_all + k) * k_all, k_all, vote);
            }
            m->log_error[i * k_all + k] = sqrt(var);
        }
}

nep_status nep_votes_fit(nep_ctx *ctx, const nep_votes *v, double smooth, nep_votes_model *out)
{
    nep_votes_model m = {.n_items = v->n_items, .n_raters = v->n_raters, .n_classes = v->n_classes};
    const int64_t k = v->n_classes;
    double *logs = NULL;
    nep_status st;

    NEP_TRY(check(ctx, v, smooth));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, v->n_items * k, sizeof(double), "votes: posteriors", &m.posterior));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, v->n_items * k, sizeof(double), "votes: errors", &m.log_error));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, v->n_raters * k * k, sizeof(double), "votes: confusion", &m.confusion));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, k, sizeof(double), "votes: prior", &m.prior));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, k, sizeof(double), "votes: logs", &logs));
    begin(v, &m);
    while (m.iterations < STEPS && !m.converged) {
        NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
        maximise(v, smooth, &m);
        m.converged = expect(v, &m, logs) <= settled;
        m.iterations++;
    }
    count(v, smooth, &m);
    measure_errors(v, &m);
    maximise(v, smooth, &m);
    expect(v, &m, logs);
    *out = m;
    m = (nep_votes_model){0};
done:
    nep_alloc_free(logs);
    nep_votes_free(&m);
    return st;
}

void nep_votes_free(nep_votes_model *m)
{
    nep_alloc_free(m->posterior);
    nep_alloc_free(m->log_error);
    nep_alloc_free(m->confusion);
    nep_alloc_free(m->prior);
    *m = (nep_votes_model){0};
}

double nep_votes_probability(const nep_votes_model *m, int64_t item, const bool *wanted, double *se)
{
    const double *p = m->posterior + item * m->n_classes, *e = m->log_error + item * m->n_classes;
    double sum = 0, var = 0;
    for (int k = 0; k < m->n_classes; k++)
        sum += wanted[k] ? p[k] : 0;
    for (int k = 0; k < m->n_classes; k++) {
        const double slope = p[k] * ((wanted[k] ? 1 : 0) - sum) * e[k];
        var += slope * slope;
    }
    if (se)
        *se = sqrt(var);
    return sum;
}
