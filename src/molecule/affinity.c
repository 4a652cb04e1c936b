/* SPDX-License-Identifier: Apache-2.0 */
/* affinity.c - many measurements of a drug-target pair become one number with its error. */
#include "core/order.h"

#include <math.h>
#include <nepenthe/molecule.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TIERS = 10, NON_HUMAN = 5, OTHER = 4 };
static const double half_pi = 1.57079632679489661923;

static const struct {
    const char *word;
    int sign;
    bool partial;
} actions[] = {
    {"agonist", 1, false},
    {"full agonist", 1, false},
    {"partial agonist", 1, true},
    {"positive allosteric modulator", 1, false},
    {"positive modulator", 1, false},
    {"allosteric agonist", 1, false},
    {"opener", 1, false},
    {"activator", 1, false},
    {"antagonist", -1, false},
    {"allosteric antagonist", -1, false},
    {"inverse agonist", -1, false},
    {"negative allosteric modulator", -1, false},
    {"negative modulator", -1, false},
    {"blocker", -1, false},
    {"pore blocker", -1, false},
    {"gating inhibitor", -1, false},
    {"inhibitor", -1, false},
    {"releasing agent", -1, false}, /* at a transporter: it works against uptake, as an inhibitor does */
};

int nep_affinity_action(const char *word, bool *partial)
{
    if (partial)
        *partial = false;
    for (int i = 0; word && i < NEP_LEN(actions); i++)
        if (strcasecmp(word, actions[i].word) == 0) {
            if (partial)
                *partial = actions[i].partial;
            return actions[i].sign;
        }
    return 0;
}

static bool is_human(const char *species)
{
    return species && (strcasecmp(species, "human") == 0 || strcasecmp(species, "homo sapiens") == 0);
}

static int tier_of(const nep_affinity_row *r)
{
    static const char *const types[] = {"Ki", "Kd", "IC50", "EC50"};
    int tier = OTHER;
    for (int i = 0; r->type && i < NEP_LEN(types); i++)
        if (strcasecmp(r->type, types[i]) == 0)
            tier = i;
    return tier + (is_human(r->species) ? 0 : NON_HUMAN);
}

/* '=', '>' (the concentration is larger: weaker binding) or '<'. */
static char relation_of(const nep_affinity_row *r)
{
    return r->relation && (r->relation[0] == '>' || r->relation[0] == '<') ? r->relation[0] : '=';
}

typedef struct {
    const nep_affinity_row *row;
    int64_t order;
} entry;

static int by_pair(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    if (x->row->drug != y->row->drug)
        return x->row->drug < y->row->drug ? -1 : 1;
    if (x->row->target != y->row->target)
        return x->row->target < y->row->target ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static double median_of(double *v, int64_t k)
{
    qsort(v, (size_t)k, sizeof *v, nep_order_ascending);
    return k % 2 ? v[k / 2] : 0.5 * (v[k / 2 - 1] + v[k / 2]);
}

static double error_of(const double *v, int64_t k, int tier)
{
    const double prior = tier % NON_HUMAN <= 1 ? NEP_AFFINITY_SD_KI : NEP_AFFINITY_SD_IC50;
    double mean = 0, m2 = 0;
    for (int64_t i = 0; i < k; i++)
        mean += v[i] / (double)k;
    for (int64_t i = 0; i < k; i++)
        m2 += (v[i] - mean) * (v[i] - mean);
    const double s = sqrt((3.0 * prior * prior + m2) / (3.0 + (double)(k - 1)));
    const double se = s / sqrt((double)k) * (k >= 3 ? sqrt(half_pi) : 1.0);
    return se > NEP_AFFINITY_SE_FLOOR ? se : NEP_AFFINITY_SE_FLOOR;
}

/* Adds `word` to a `;`-joined list when it is not in it yet. */
static nep_status join_word(nep_ctx *ctx, char **list, const char *word)
{
    if (!word || !word[0])
        return NEP_OK;
    const size_t n = strlen(word), old = *list ? strlen(*list) : 0;
    for (const char *p = *list; p && *p; p = strchr(p, ';') ? strchr(p, ';') + 1 : NULL)
        if (strncmp(p, word, n) == 0 && (p[n] == ';' || p[n] == '\0'))
            return NEP_OK;
    NEP_TRY(nep_alloc_grow(ctx, (int64_t)(old + n + 2), 1, "affinity: source list", list));
    if (old)
        (*list)[old] = ';';
    memcpy(*list + old + (old ? 1 : 0), word, n + 1);
    return NEP_OK;
}

static nep_status join_row(nep_ctx *ctx, nep_affinity *a, const nep_affinity_row *r)
{
    NEP_TRY(join_word(ctx, &a->type, r->type));
    NEP_TRY(join_word(ctx, &a->species, r->species));
    NEP_TRY(join_word(ctx, &a->source, r->source));
    return join_word(ctx, &a->licence, r->licence);
}

static void read_actions(const entry *e, int64_t n, nep_affinity *a)
{
    bool seen[3] = {false, false, false}, full = false, partial_seen = false;
    for (int64_t i = 0; i < n; i++) {
        char words[256];
        if (!e[i].row->action || strlen(e[i].row->action) >= sizeof words)
            continue;
        memcpy(words, e[i].row->action, strlen(e[i].row->action) + 1);
        for (char *save = NULL, *w = strtok_r(words, ";", &save); w; w = strtok_r(NULL, ";", &save)) {
            bool partial;
            const int sign = nep_affinity_action(w, &partial);
            seen[sign + 1] = true;
            partial_seen = partial_seen || partial;
            full = full || (sign > 0 && !partial);
        }
    }
    a->action = seen[2] && !seen[0] ? 1 : seen[0] && !seen[2] ? -1 : 0;
    a->partial = a->action > 0 && partial_seen && !full;
}

/* The tightest bound: the smallest upper bound of p for '>', else the largest lower bound for '<'. */
static const nep_affinity_row *tightest_bound(const entry *e, int64_t n)
{
    const nep_affinity_row *best = NULL;
    for (int64_t i = 0; i < n; i++) {
        const nep_affinity_row *r = e[i].row;
        if (isnan(r->p_affinity))
            continue;
        if (!best || (relation_of(best) == '<' && relation_of(r) == '>'))
            best = r;
        else if (relation_of(best) == relation_of(r) &&
                 (relation_of(r) == '>' ? r->p_affinity < best->p_affinity : r->p_affinity > best->p_affinity))
            best = r;
    }
    return best;
}

/* The rows e[0..n) are one pair; v is scratch of n numbers. */
static nep_status settle_pair(nep_ctx *ctx, const entry *e, int64_t n, double *v, nep_affinity *a)
{
    int best = TIERS;
    int64_t k = 0;
    for (int64_t i = 0; i < n; i++)
        if (!isnan(e[i].row->p_affinity) && relation_of(e[i].row) == '=' && tier_of(e[i].row) < best)
            best = tier_of(e[i].row);
    a->drug = e[0].row->drug;
    a->target = e[0].row->target;
    a->p_affinity = a->p_se = NAN;
    read_actions(e, n, a);
    for (int64_t i = 0; i < n && best < TIERS; i++)
        if (!isnan(e[i].row->p_affinity) && relation_of(e[i].row) == '=' && tier_of(e[i].row) == best) {
            v[k++] = e[i].row->p_affinity;
            NEP_TRY(join_row(ctx, a, e[i].row));
        }
    if (k > 0) {
        a->p_affinity = median_of(v, k);
        a->p_se = error_of(v, k, best);
        a->n_measurements = (int)k;
        return NEP_OK;
    }
    const nep_affinity_row *bound = tightest_bound(e, n);
    if (bound) {
        a->p_affinity = bound->p_affinity;
        a->censored = true;
        a->n_measurements = 1;
        return join_row(ctx, a, bound);
    }
    return join_row(ctx, a, e[0].row); /* an action only */
}

static nep_status check_rows(nep_ctx *ctx, const nep_affinity_row *rows, int64_t n)
{
    NEP_REQUIRE(ctx, n >= 0 && (n == 0 || rows), NEP_E_ARG, "affinity: no rows given");
    for (int64_t i = 0; i < n; i++) {
        NEP_REQUIRE(ctx, rows[i].drug >= 0 && rows[i].target >= 0, NEP_E_ARG,
                    "affinity: row %lld has no drug or no target", (long long)i + 1);
        NEP_REQUIRE(ctx, isnan(rows[i].p_affinity) || (rows[i].p_affinity >= -3 && rows[i].p_affinity <= 15), NEP_E_ARG,
                    "affinity: row %lld has p_affinity %g, outside -3 to 15; it must be -log10 of a molar concentration",
                    (long long)i + 1, rows[i].p_affinity);
    }
    return NEP_OK;
}

nep_status nep_affinity_consensus(nep_ctx *ctx, const nep_affinity_row *rows, int64_t n, nep_affinity **out,
                                  int64_t *n_out)
{
    entry *e = NULL;
    double *v = NULL;
    nep_affinity *list = NULL;
    int64_t pairs = 0;
    nep_status st;

    NEP_TRY_OR_DONE(st, check_rows(ctx, rows, n));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *e, "affinity: rows", &e));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *v, "affinity: values", &v));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *list, "affinity: pairs", &list));
    for (int64_t i = 0; i < n; i++)
        e[i] = (entry){&rows[i], i};
    qsort(e, (size_t)n, sizeof *e, by_pair);
    for (int64_t i = 0, j; i < n; i = j) {
        for (j = i + 1; j < n && e[j].row->drug == e[i].row->drug && e[j].row->target == e[i].row->target;)
            j++;
        NEP_TRY_OR_DONE(st, settle_pair(ctx, e + i, j - i, v, &list[pairs++]));
    }
    *out = list;
    *n_out = pairs;
    list = NULL; /* ownership moved to the caller */
done:
    nep_affinity_free(list, pairs);
    nep_alloc_free(v);
    nep_alloc_free(e);
    return st;
}

void nep_affinity_free(nep_affinity *list, int64_t n)
{
    for (int64_t i = 0; list && i < n; i++) {
        nep_alloc_free(list[i].type);
        nep_alloc_free(list[i].species);
        nep_alloc_free(list[i].source);
        nep_alloc_free(list[i].licence);
    }
    nep_alloc_free(list);
}
