/* SPDX-License-Identifier: Apache-2.0 */
/* votes_agreement.c - how far raters agree beyond chance: Cohen's and Fleiss' kappa, share of full agreement. */
#include <nepenthe/votes.h>

#include <math.h>

double nep_votes_cohen(const nep_votes *v, int a, int b, int64_t *n)
{
    int64_t both = 0, agree = 0;
    double chance = 0;
    for (int k = 0; k < v->n_classes; k++) {
        int64_t of_a = 0, of_b = 0;
        both = 0;
        for (int64_t i = 0; i < v->n_items; i++) {
            const int x = v->vote[i * v->n_raters + a], y = v->vote[i * v->n_raters + b];
            if (x < 0 || y < 0)
                continue;
            both++;
            of_a += x == k;
            of_b += y == k;
            agree += x == k && y == k;
        }
        chance += (double)of_a * (double)of_b;
    }
    if (n)
        *n = both;
    if (both == 0)
        return (double)NAN;
    chance /= (double)both * (double)both;
    return chance < 1 ? ((double)agree / (double)both - chance) / (1 - chance) : (double)NAN;
}

/* How many raters chose class k for the item, or -1 when one of them did not vote. */
static int count_class(const nep_votes *v, int64_t item, int k)
{
    int n = 0;
    for (int r = 0; r < v->n_raters; r++) {
        const int vote = v->vote[item * v->n_raters + r];
        if (vote < 0)
            return -1;
        n += vote == k;
    }
    return n;
}

double nep_votes_fleiss(const nep_votes *v, int64_t *n)
{
    double agreement = 0, chance = 0;
    int64_t items = 0;
    for (int k = 0; k < v->n_classes; k++) {
        double share = 0;
        items = 0;
        for (int64_t i = 0; i < v->n_items; i++) {
            const int of = count_class(v, i, k);
            if (of < 0)
                continue;
            items++;
            share += of;
            agreement += (double)of * (of - 1);
        }
        share /= items ? (double)items * v->n_raters : 1;
        chance += share * share;
    }
    if (n)
        *n = items;
    if (items == 0 || v->n_raters < 2 || !(chance < 1))
        return (double)NAN;
    agreement /= (double)items * v->n_raters * (v->n_raters - 1);
    return (agreement - chance) / (1 - chance);
}

double nep_votes_agreement(const nep_votes *v, int64_t *n)
{
    int64_t items = 0, agree = 0;
    for (int64_t i = 0; i < v->n_items; i++) {
        items += count_class(v, i, 0) >= 0;
        for (int k = 0; k < v->n_classes; k++)
            agree += count_class(v, i, k) == v->n_raters;
    }
    if (n)
        *n = items;
    return items ? (double)agree / (double)items : (double)NAN;
}
