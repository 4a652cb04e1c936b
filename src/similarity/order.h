/* SPDX-License-Identifier: Apache-2.0 */
/* order - which of two hits of one query comes first. Bits are compared as fractions of integers.
 *
 * With a bits in the query, b in the row and c in common: c <= min(a, b) <= 8192. Where c is 0 the score is 0 under every metric.
 */
#ifndef NEP_SIMILARITY_ORDER_H
#define NEP_SIMILARITY_ORDER_H

#include <math.h>

#include <nepenthe/similarity.h>

typedef __int128 nep_order_wide;

/* How bits are scored: tversky weights over one denominator, c / ((alpha (a - c) + beta (b - c)) / unit + c). */
typedef struct {
    nep_metric metric;
    int64_t alpha, beta, unit;
} nep_order_rule;

/* Of options that are checked. */
static inline nep_order_rule nep_order_make(const nep_search_opts *o)
{
    nep_order_rule r = {.metric = o->metric, .unit = 1};
    if (o->metric == NEP_METRIC_TVERSKY) {
        r.unit = o->alpha.den > o->beta.den ? o->alpha.den : o->beta.den; /* powers of ten: one divides the other */
        r.alpha = o->alpha.num * (r.unit / o->alpha.den);
        r.beta = o->beta.num * (r.unit / o->beta.den);
    }
    return r;
}

/* Denominator of tversky times unit; at most 2 * 10^12 * 8192 + 10^6 * 8192 < 2^54. */
static inline int64_t nep_order_tversky(const nep_order_rule *r, int64_t a, int64_t b, int64_t c)
{
    return r->alpha * (a - c) + r->beta * (b - c) + r->unit * c;
}

/* Above 0 where the score of (b1, c1) is the greater one, 0 where the two are equal. The order of tanimoto is that of c / (a + b),
 * as that of dice is; cosine is squared. */
static inline int nep_order_score(const nep_order_rule *r, int64_t a, int64_t b1, int64_t c1, int64_t b2, int64_t c2)
{
    if (c1 == 0 || c2 == 0)
        return (c1 > 0) - (c2 > 0);
    if (r->metric == NEP_METRIC_TVERSKY) {
        const nep_order_wide x = (nep_order_wide)c1 * (nep_order_wide)nep_order_tversky(r, a, b2, c2);
        const nep_order_wide y = (nep_order_wide)c2 * (nep_order_wide)nep_order_tversky(r, a, b1, c1);
        return (x > y) - (x < y);
    }
    const int64_t x = r->metric == NEP_METRIC_COSINE ? c1 * c1 * b2 : c1 * (a + b2);
    const int64_t y = r->metric == NEP_METRIC_COSINE ? c2 * c2 * b1 : c2 * (a + b1);
    return (x > y) - (x < y);
}

/* Below, at or above 0 as the score of (b, c) is less than, equal to or greater than p / q; p >= 0 and q > 0. At most 2^28 * 2^28 and
 * 2^40 * 2^54 are multiplied, and for cosine (2^40)^2 * 2^26. */
static inline int nep_order_against(const nep_order_rule *r, int64_t a, int64_t b, int64_t c, int64_t p, int64_t q)
{
    const nep_order_wide up = (nep_order_wide)p, uq = (nep_order_wide)q;
    nep_order_wide x, y;
    if (c == 0)
        return -(p > 0);
    switch (r->metric) {
    case NEP_METRIC_COSINE:
        x = (nep_order_wide)(c * c) * uq * uq;
        y = up * up * (nep_order_wide)(a * b);
        break;
    case NEP_METRIC_TVERSKY:
        x = (nep_order_wide)(c * r->unit) * uq;
        y = up * (nep_order_wide)nep_order_tversky(r, a, b, c);
        break;
    case NEP_METRIC_DICE:
        x = (nep_order_wide)(2 * c) * uq;
        y = up * (nep_order_wide)(a + b);
        break;
    default:
        x = (nep_order_wide)c * uq;
        y = up * (nep_order_wide)(a + b - c);
    }
    return (x > y) - (x < y);
}

/* Whether the score of (b, c) is p / q or more, q > 0. */
static inline bool nep_order_reaches(const nep_order_rule *r, int64_t a, int64_t b, int64_t c, int64_t p, int64_t q)
{
    return p <= 0 || nep_order_against(r, a, b, c, p, q) >= 0;
}

/* The score as float64. */
static inline double nep_order_value(const nep_order_rule *r, int64_t a, int64_t b, int64_t c)
{
    if (c == 0)
        return 0.0;
    switch (r->metric) {
    case NEP_METRIC_COSINE:
        return sqrt((double)(c * c) / (double)(a * b)); /* equal fractions give equal numbers */
    case NEP_METRIC_TVERSKY:
        return (double)(c * r->unit) / (double)nep_order_tversky(r, a, b, c);
    case NEP_METRIC_DICE:
        return (double)(2 * c) / (double)(a + b);
    default:
        return (double)c / (double)(a + b - c);
    }
}

#endif
