/* SPDX-License-Identifier: Apache-2.0 */
/* tables.c - evidence tables taken over: every value checked by its kind, rows sorted by pair, none twice. */
#include <nepenthe/evidence.h>
#include <nepenthe/tables.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[NEP_TABLES_COUNT] = {"expert_votes", "literature", "record_signal", "assay_potency", "cns_exposure"};

const char *nep_tables_name(nep_tables_kind kind)
{
    return (int)kind >= 0 && kind < NEP_TABLES_COUNT ? names[kind] : "unknown";
}

bool nep_tables_find(const char *name, nep_tables_kind *out)
{
    for (int i = 0; name && i < NEP_TABLES_COUNT; i++)
        if (strcmp(name, names[i]) == 0) {
            *out = (nep_tables_kind)i;
            return true;
        }
    return false;
}

static int64_t pairs(const nep_tables *t, nep_tables_kind kind)
{
    return (kind == NEP_TABLES_EXPOSURE ? 1 : t->n_disorders) * t->n_drugs;
}

static int text_order(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "");
}

#define ORDER(x, y)                                                                                                   \
    if ((x) != (y))                                                                                                   \
    return (x) < (y) ? -1 : 1

/* Everything that tells one row from another, but its numbers. */
static int identity(const nep_tables_row *p, const nep_tables_row *q)
{
    ORDER(p->disorder, q->disorder);
    ORDER(p->drug, q->drug);
    ORDER(p->year, q->year);
    const int source = text_order(p->source, q->source);
    if (source)
        return source;
    ORDER(p->rater, q->rater);
    return text_order(p->note, q->note);
}

static int by_identity(const void *a, const void *b)
{
    const nep_tables_row *p = a, *q = b;
    const int order = identity(p, q);
    if (order)
        return order;
    ORDER(p->line, q->line);
    return 0;
}

static nep_status check_votes(nep_ctx *ctx, const nep_tables_one *one, const nep_tables_row *r)
{
    NEP_REQUIRE(ctx, r->vote >= NEP_LABEL_APPROVED && r->vote <= NEP_LABEL_CONTRAINDICATED, NEP_E_FORMAT,
                "%s: line %lld: the vote is no status; votes are approved, symptomatic, investigational, failed or contraindicated", one->path,
                (long long)r->line);
    NEP_REQUIRE(ctx, r->rater >= 0 && r->rater < one->n_raters, NEP_E_FORMAT, "%s: line %lld: the vote has no rater", one->path, (long long)r->line);
    return NEP_OK;
}

static bool whole(double x)
{
    return x >= 0 && x < 1e9 && floor(x) == x;
}

static nep_status check_value(nep_ctx *ctx, nep_tables_kind kind, const nep_tables_one *one, const nep_tables_row *r)
{
    const long long line = (long long)r->line;
    NEP_REQUIRE(ctx, isnan(r->se) || (r->se >= 0 && r->se < INFINITY), NEP_E_FORMAT, "%s: line %lld: se is %g, must be a finite number not below 0",
                one->path, line, r->se);
    NEP_REQUIRE(ctx, isnan(r->n) || (r->n >= 0 && r->n < INFINITY), NEP_E_FORMAT, "%s: line %lld: n is %g, must be a finite number not below 0",
                one->path, line, r->n);
    NEP_REQUIRE(ctx, isnan(r->hit) || (r->hit >= 0 && r->hit <= 1), NEP_E_FORMAT, "%s: line %lld: hit is %g, must lie between 0 and 1", one->path,
                line, r->hit);
    if (kind == NEP_TABLES_VOTES)
        return check_votes(ctx, one, r);
    const bool optional = (kind == NEP_TABLES_ASSAY && r->hit == 0) || (kind == NEP_TABLES_EXPOSURE && !isnan(r->hit));
    NEP_REQUIRE(ctx, isfinite(r->value) || (optional && isnan(r->value)), NEP_E_FORMAT, "%s: line %lld: value is %s, must be a finite number",
                one->path, line, isnan(r->value) ? "missing" : "infinite");
    if (kind == NEP_TABLES_LITERATURE) {
        NEP_REQUIRE(ctx, whole(r->value), NEP_E_FORMAT, "%s: line %lld: value is %g, must be a whole number of papers", one->path, line, r->value);
        NEP_REQUIRE(ctx, r->year >= 1600 && r->year <= 2200, NEP_E_FORMAT, "%s: line %lld: year is %lld, must lie between 1600 and 2200", one->path,
                    line, (long long)r->year);
    }
    NEP_REQUIRE(ctx, kind != NEP_TABLES_RECORDS || r->se > 0, NEP_E_FORMAT,
                "%s: line %lld: a record signal needs an se above 0; without it nothing tells chance from signal", one->path, line);
    return NEP_OK;
}

static nep_status check_rows(nep_ctx *ctx, const nep_tables *t, nep_tables_kind kind, const nep_tables_one *one)
{
    for (int64_t i = 0; i < one->n_rows; i++) {
        const nep_tables_row *r = &one->rows[i];
        const int64_t disorders = kind == NEP_TABLES_EXPOSURE ? 1 : t->n_disorders;
        NEP_REQUIRE(ctx, r->drug >= 0 && r->drug < t->n_drugs && r->disorder >= 0 && r->disorder < disorders, NEP_E_ARG,
                    "%s: line %lld: drug %lld of %lld, disorder %lld of %lld", one->path, (long long)r->line, (long long)r->drug,
                    (long long)t->n_drugs, (long long)r->disorder, (long long)disorders);
        NEP_TRY(check_value(ctx, kind, one, r));
    }
    return NEP_OK;
}

static nep_status check_twice(nep_ctx *ctx, const nep_tables_one *one)
{
    for (int64_t i = 1; i < one->n_rows; i++)
        NEP_REQUIRE(ctx, identity(&one->rows[i - 1], &one->rows[i]) != 0, NEP_E_FORMAT,
                    "%s: line %lld stands there twice (line %lld): same drug, disorder, year, source, rater and note; keep one", one->path,
                    (long long)one->rows[i].line, (long long)one->rows[i - 1].line);
    return NEP_OK;
}

/* start from sorted rows. */
static void index_rows(const nep_tables *t, nep_tables_kind kind, nep_tables_one *one)
{
    const int64_t n = pairs(t, kind);
    int64_t i = 0;
    for (int64_t p = 0; p < n; p++) {
        one->start[p] = i;
        while (i < one->n_rows && one->rows[i].disorder * t->n_drugs + one->rows[i].drug == p)
            i++;
    }
    one->start[n] = i;
}

nep_status nep_tables_take(nep_ctx *ctx, nep_tables *t, nep_tables_kind kind, nep_tables_one *one)
{
    nep_tables_one *kept = NULL;
    nep_status st;

    NEP_REQUIRE_OR_DONE(st, ctx, kind < NEP_TABLES_COUNT, NEP_E_ARG, "evidence: kind %d of %d", (int)kind, NEP_TABLES_COUNT);
    NEP_REQUIRE_OR_DONE(st, ctx, !t->of[kind], NEP_E_ARG, "evidence: a second table for %s (%s); join them into one", names[kind], one->path);
    NEP_TRY_OR_DONE(st, check_rows(ctx, t, kind, one));
    qsort(one->rows, (size_t)one->n_rows, sizeof *one->rows, by_identity);
    NEP_TRY_OR_DONE(st, check_twice(ctx, one));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, pairs(t, kind) + 1, sizeof *one->start, "evidence: index", &one->start));
    index_rows(t, kind, one);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 1, sizeof *kept, "evidence table", &kept));
    *kept = *one;
    *one = (nep_tables_one){0};
    t->of[kind] = kept;
done:
    nep_tables_free_one(one);
    return st;
}

static void free_row(nep_tables_row *r)
{
    nep_alloc_free(r->source);
    nep_alloc_free(r->licence);
    nep_alloc_free(r->note);
}

static void release_one(nep_tables_one *one)
{
    nep_alloc_free(one->value);
    nep_alloc_free(one->se);
    nep_alloc_free(one->vote_item);
    nep_alloc_free(one->vote_class);
    nep_votes_free(&one->votes);
    one->value = one->se = NULL;
    one->vote_item = NULL;
    one->vote_class = NULL;
}

void nep_tables_free_one(nep_tables_one *one)
{
    release_one(one);
    for (int64_t i = 0; i < one->n_rows; i++)
        free_row(&one->rows[i]);
    nep_alloc_free(one->rows);
    for (int i = 0; i < one->n_raters; i++)
        nep_alloc_free(one->raters[i]);
    nep_alloc_free(one->raters);
    nep_alloc_free(one->start);
    nep_alloc_free(one->path);
    nep_alloc_free(one->labels_from);
    *one = (nep_tables_one){0};
}

void nep_tables_free(nep_tables *t)
{
    for (int k = 0; k < NEP_TABLES_COUNT; k++) {
        if (t->of[k])
            nep_tables_free_one(t->of[k]);
        nep_alloc_free(t->of[k]);
        t->of[k] = NULL;
    }
}

void nep_tables_release(nep_tables *t)
{
    for (int k = 0; k < NEP_TABLES_COUNT; k++)
        if (t->of[k])
            release_one(t->of[k]);
}

void nep_tables_keep_open(nep_tables *t, int64_t *dropped)
{
    for (int k = 0; k < NEP_TABLES_COUNT; k++) {
        nep_tables_one *one = t->of[k];
        int64_t kept = 0;
        if (dropped)
            dropped[k] = one ? one->n_rows : 0;
        if (!one)
            continue;
        for (int64_t i = 0; i < one->n_rows; i++) {
            if (nep_tables_open_licence(one->rows[i].licence))
                one->rows[kept++] = one->rows[i];
            else
                free_row(&one->rows[i]);
        }
        one->n_rows = kept;
        if (dropped)
            dropped[k] -= kept;
        release_one(one);
        index_rows(t, (nep_tables_kind)k, one);
        if (kept == 0) {
            nep_tables_free_one(one);
            nep_alloc_free(one);
            t->of[k] = NULL;
        }
    }
}
