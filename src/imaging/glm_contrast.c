/* SPDX-License-Identifier: Apache-2.0 */
/* glm_contrast - weights of design columns from an expression of their names, or from numbers. */
#include "imaging/glm_parts.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nepenthe/data.h>

enum { DEPTH = 30 };

void nep_glm_contrast_free(nep_glm_contrast *c)
{
    nep_alloc_free(c->name);
    nep_alloc_free(c->weight);
    *c = (nep_glm_contrast){0};
}

/* A value while it is read: [p] weights and, at [p], a plain number. */
typedef struct {
    nep_ctx *ctx;
    const nep_glm_design *d;
    const char *name, *where;
    const char *at, *end;
    int depth;
} reader;

static bool boundary(const reader *r, const char *at)
{
    return at >= r->end || strchr(" \t+-*/();,", *at) != NULL;
}

static void skip_space(reader *r)
{
    while (r->at < r->end && isspace((unsigned char)*r->at))
        r->at++;
}

static char next(reader *r)
{
    skip_space(r);
    return r->at < r->end ? *r->at : '\0';
}

/* The longest column name that stands here, -1 when none does. */
static int64_t column_here(reader *r)
{
    int64_t best = -1;
    size_t length = 0;
    for (int64_t j = 0; j < r->d->p; j++) {
        const size_t n = strlen(r->d->names[j]);
        if (n > length && n <= (size_t)(r->end - r->at) && strncmp(r->at, r->d->names[j], n) == 0 && boundary(r, r->at + n)) {
            best = j;
            length = n;
        }
    }
    r->at += length;
    return best;
}

static nep_status fail_word(reader *r)
{
    char word[200];
    size_t n = 0;
    while (!boundary(r, r->at + n) && n < sizeof word - 1)
        n++;
    snprintf(word, sizeof word, "%.*s", (int)n, r->at);
    NEP_REQUIRE(r->ctx, n > 0, NEP_E_ARG, "glm: contrast '%s' ends where a column's name should stand, or begins with '%c'", r->name,
                r->at < r->end ? *r->at : ' ');
    const char *near = nep_data_nearest(word, (const char *const *)r->d->names, r->d->p);
    return nep_ctx_fail(r->ctx, NEP_E_ARG, "glm: contrast '%s' is not estimable: %s has no column '%s'%s%s%s", r->name, r->where, word,
                        near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static nep_status read_sum(reader *r, double *out);

static nep_status read_factor(reader *r, double *out)
{
    const int64_t p = r->d->p;
    memset(out, 0, (size_t)(p + 1) * sizeof *out);
    const char c = next(r);
    const int64_t j = column_here(r);
    if (j >= 0) {
        out[j] = 1;
        return NEP_OK;
    }
    if (c == '(') {
        r->at++;
        NEP_REQUIRE(r->ctx, ++r->depth < DEPTH, NEP_E_ARG, "glm: contrast '%s' has more than %d parentheses in one another", r->name, DEPTH);
        NEP_TRY(read_sum(r, out));
        r->depth--;
        NEP_REQUIRE(r->ctx, next(r) == ')', NEP_E_ARG, "glm: contrast '%s' lacks a ')'", r->name);
        r->at++;
        return NEP_OK;
    }
    if (isdigit((unsigned char)c) || c == '.') {
        char *end;
        out[p] = strtod(r->at, &end);
        if (end > r->at && end <= r->end && boundary(r, end)) {
            r->at = end;
            return NEP_OK;
        }
    }
    return fail_word(r);
}

/* One of the two is a plain number. */
static nep_status multiply(reader *r, double *a, const double *b, bool divide)
{
    const int64_t p = r->d->p;
    bool a_plain = true, b_plain = true;
    for (int64_t j = 0; j < p; j++) {
        a_plain = a_plain && a[j] == 0;
        b_plain = b_plain && b[j] == 0;
    }
    NEP_REQUIRE(r->ctx, divide ? b_plain && b[p] != 0 : a_plain || b_plain, NEP_E_ARG,
                "glm: contrast '%s' multiplies or divides columns by one another; contrasts are sums", r->name);
    for (int64_t j = 0; j < p; j++)
        a[j] = divide ? a[j] / b[p] : a_plain ? a[p] * b[j] : a[j] * b[p];
    a[p] = divide ? a[p] / b[p] : a[p] * b[p];
    return NEP_OK;
}

static nep_status read_product(reader *r, double *out)
{
    double *other = NULL;
    nep_status st;
    NEP_TRY(read_factor(r, out));
    NEP_TRY(nep_alloc(r->ctx, r->d->p + 1, sizeof *other, "glm: contrast", &other));
    st = NEP_OK;
    for (char c = next(r); st == NEP_OK && (c == '*' || c == '/'); c = next(r)) {
        r->at++;
        NEP_TRY_OR_DONE(st, read_factor(r, other));
        st = multiply(r, out, other, c == '/');
    }
done:
    nep_alloc_free(other);
    return st;
}

static nep_status read_sum(reader *r, double *out)
{
    const int64_t p = r->d->p;
    double *term = NULL;
    nep_status st = NEP_OK;
    NEP_TRY(nep_alloc(r->ctx, p + 1, sizeof *term, "glm: contrast", &term));
    memset(out, 0, (size_t)(p + 1) * sizeof *out);
    char c = next(r);
    for (bool first = true; first || c == '+' || c == '-'; first = false) {
        double sign = 1;
        for (; c == '+' || c == '-'; c = next(r)) {
            sign = c == '-' ? -sign : sign;
            r->at++;
        }
        NEP_TRY_OR_DONE(st, read_product(r, term));
        for (int64_t j = 0; j <= p; j++)
            out[j] += sign * term[j];
        c = next(r);
    }
done:
    nep_alloc_free(term);
    return st;
}

/* Numbers separated by commas or spaces, in brackets or not. */
static nep_status read_numbers(reader *r, double *out)
{
    int64_t n = 0;
    memset(out, 0, (size_t)(r->d->p + 1) * sizeof *out);
    for (; r->at < r->end; r->at++) {
        char *end;
        if (strchr(" \t,[]", *r->at))
            continue;
        const double v = strtod(r->at, &end);
        NEP_REQUIRE(r->ctx, end > r->at && end <= r->end && isfinite(v), NEP_E_ARG, "glm: contrast '%s': '%.*s' is no list of numbers",
                    r->name, (int)(r->end - r->at), r->at);
        NEP_REQUIRE(r->ctx, n < r->d->p, NEP_E_ARG, "glm: contrast '%s' has more than %lld numbers, the columns of %s", r->name,
                    (long long)r->d->p, r->where);
        out[n++] = v;
        r->at = end - 1;
    }
    return NEP_OK;
}

static bool is_list(const reader *r)
{
    char *end;
    const size_t n = (size_t)(r->end - r->at);
    if (memchr(r->at, ',', n) || memchr(r->at, '[', n))
        return true;
    for (int64_t j = 0; j < r->d->p; j++)
        if (strlen(r->d->names[j]) == n && strncmp(r->d->names[j], r->at, n) == 0)
            return false;
    (void)strtod(r->at, &end);
    return n > 0 && end == r->end;
}

static nep_status read_row(reader *r, double *out)
{
    const int64_t p = r->d->p;
    if (is_list(r))
        NEP_TRY(read_numbers(r, out));
    else
        NEP_TRY(read_sum(r, out));
    NEP_REQUIRE(r->ctx, next(r) == '\0', NEP_E_ARG, "glm: contrast '%s': '%.*s' is left over", r->name, (int)(r->end - r->at), r->at);
    NEP_REQUIRE(r->ctx, out[p] == 0, NEP_E_ARG, "glm: contrast '%s' adds the number %g to columns; write it times a column", r->name,
                out[p]);
    bool any = false;
    for (int64_t j = 0; j < p; j++)
        any = any || out[j] != 0;
    NEP_REQUIRE(r->ctx, any, NEP_E_ARG, "glm: contrast '%s' is not estimable: its weights are all zero", r->name);
    return NEP_OK;
}

/* Rows of an F test must not say the same thing twice. */
static nep_status check_rows(nep_ctx *ctx, const nep_glm_contrast *c)
{
    const int64_t p = c->p;
    double *q = NULL;
    NEP_TRY(nep_alloc_copy(ctx, c->weight, c->rows * p, sizeof *q, "glm: contrast", &q));
    nep_status st = NEP_OK;
    for (int64_t i = 0; i < c->rows && st == NEP_OK; i++) {
        double *row = q + i * p;
        const double before = sqrt(nep_ortho_dot(row, row, p)), norm = nep_ortho_residual(q, i, p, row, NULL);
        if (!(norm > 1e-10 * before))
            st = nep_ctx_fail(ctx, NEP_E_ARG, "glm: contrast '%s': row %lld follows from the rows before it; leave it out", c->name,
                              (long long)i + 1);
        for (int64_t j = 0; j < p; j++)
            row[j] /= norm;
    }
    nep_alloc_free(q);
    return st;
}

nep_status nep_glm_contrast_read(nep_ctx *ctx, const char *name, const char *text, const nep_glm_design *design,
                                 const char *where, nep_glm_contrast *out)
{
    nep_glm_contrast c = {.rows = 1, .p = design->p};
    double *row = NULL;
    nep_status st;
    c.f = strncmp(text, "F:", 2) == 0;
    if (c.f)
        text += 2;
    for (const char *s = text; *s; s++)
        c.rows += *s == ';' && s[1] != '\0';
    NEP_TRY_OR_DONE(st, nep_alloc_string(ctx, name, &c.name));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, c.rows * c.p, sizeof *c.weight, "glm: contrast", &c.weight));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, c.p + 1, sizeof *row, "glm: contrast", &row));
    for (int64_t i = 0; i < c.rows; i++) {
        const size_t n = strcspn(text, ";");
        reader r = {.ctx = ctx, .d = design, .name = name, .where = where, .at = text, .end = text + n};
        skip_space(&r);
        while (r.end > r.at && isspace((unsigned char)r.end[-1]))
            r.end--;
        NEP_TRY_OR_DONE(st, read_row(&r, row));
        memcpy(c.weight + i * c.p, row, (size_t)c.p * sizeof *row);
        text += n + (text[n] == ';');
    }
    c.f = c.f || c.rows > 1;
    NEP_TRY_OR_DONE(st, check_rows(ctx, &c));
    *out = c;
    c = (nep_glm_contrast){0};
done:
    nep_alloc_free(row);
    nep_glm_contrast_free(&c);
    return st;
}
