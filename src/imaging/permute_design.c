/* SPDX-License-Identifier: Apache-2.0 */
/* permute_design - a model and its contrast as an orthonormal basis: what is tested, and the nuisance beside it.
 *
 * With X = Q R, the contrast C b of the coefficients is (R^-T C')' Q' y: the tested part of the model is Q times the span of
 * R^-T C', the nuisance Q times its complement (Beckmann et al. 2001; Winkler et al. 2014, appendix A). */
#include "imaging/ortho.h"
#include "imaging/permute_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define COLLINEAR 1e-10
#define NEGLIGIBLE 1e-8 /* of a unit vector: its square is below rounding */

void nep_permute_basis_free(nep_permute_basis *b)
{
    double *const parts[] = {b->tested, b->nuisance, b->basis};
    for (int i = 0; i < NEP_LEN(parts); i++)
        nep_alloc_free(parts[i]);
    *b = (nep_permute_basis){0};
}

static void scale(double *x, int64_t n, double by)
{
    for (int64_t i = 0; i < n; i++)
        x[i] *= by;
}

/* ---- the design ---- */

/* Column `at` is a combination b of those before it. Sentence: which ones, and whether the contrast is estimable all the same. */
static nep_status fail_collinear(nep_ctx *ctx, const nep_permute_model *m, const double *upper, int64_t at, double *b)
{
    const int64_t p = m->p;
    char list[600] = "";
    double norm = 0.0, off = 0.0, most = 0.0;
    size_t used = 0;
    for (int64_t j = at - 1; j >= 0; j--) {
        b[j] = upper[j * p + at];
        for (int64_t l = j + 1; l < at; l++)
            b[j] -= upper[j * p + l] * b[l];
        b[j] /= upper[j * p + j];
        norm = hypot(norm, upper[j * p + at]);
    }
    for (int64_t j = 0; j < at && used < 480; j++)
        if (fabs(b[j]) * upper[j * p + j] > 1e-7 * norm)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s'%.80s'", used ? ", " : "", m->columns[j]);
    for (int64_t i = 0; i < m->rows; i++) { /* x_at - sum b_j x_j = 0: the contrast must not see that direction */
        double see = m->weight[i * p + at], size = fabs(see);
        for (int64_t j = 0; j < at; j++) {
            see -= b[j] * m->weight[i * p + j];
            size += fabs(b[j] * m->weight[i * p + j]);
        }
        off = fmax(off, fabs(see));
        most = fmax(most, size);
    }
    char words[200];
    snprintf(words, sizeof words, off > 1e-7 * most ? "so that contrast '%.80s' is not estimable" : "though contrast '%.80s' would be estimable",
             m->contrast);
    if (used == 0)
        return nep_ctx_fail(ctx, NEP_E_SINGULAR, "permute: the design is singular: column '%s' is zero throughout, %s; leave it out",
                            m->columns[at], words);
    return nep_ctx_fail(ctx, NEP_E_SINGULAR,
                        "permute: the design is singular: column '%s' is a linear combination of %s, %s; leave one of them out",
                        m->columns[at], list, words);
}

/* Orthonormal columns q [p, n] and the upper triangle [p, p], X = Q R. */
static nep_status factor(nep_ctx *ctx, const nep_permute_model *m, double *q, double *upper, double *scratch)
{
    const int64_t n = m->n, p = m->p;
    for (int64_t c = 0; c < p; c++) {
        double *x = q + c * n;
        for (int64_t i = 0; i < n; i++)
            x[i] = m->x[i * p + c];
        const double before = sqrt(nep_ortho_dot(x, x, n));
        memset(scratch, 0, (size_t)p * sizeof *scratch);
        const double norm = nep_ortho_residual(q, c, n, x, scratch);
        for (int64_t j = 0; j < c; j++)
            upper[j * p + c] = scratch[j];
        upper[c * p + c] = norm;
        if (!(norm > COLLINEAR * before))
            return fail_collinear(ctx, m, upper, c, scratch);
        scale(x, n, 1.0 / norm);
    }
    return NEP_OK;
}

/* Rows of R^-T C' made orthonormal in part [p, p]: the first r; then their complement, the unit vector that is left longest
 * first. length gets that of the first row. */
static nep_status split(nep_ctx *ctx, const nep_permute_model *m, const double *upper, double *part, double *length)
{
    const int64_t p = m->p, r = m->rows;
    for (int64_t i = 0; i < r; i++) {
        double *z = part + i * p;
        for (int64_t j = 0; j < p; j++) {
            z[j] = m->weight[i * p + j];
            for (int64_t l = 0; l < j; l++)
                z[j] -= upper[l * p + j] * z[l];
            z[j] /= upper[j * p + j];
        }
        const double before = sqrt(nep_ortho_dot(z, z, p)), norm = nep_ortho_residual(part, i, p, z, NULL);
        NEP_REQUIRE(ctx, before > 0.0, NEP_E_ARG, "permute: contrast '%s' has a row of zeros: it tests nothing", m->contrast);
        NEP_REQUIRE(ctx, norm > COLLINEAR * before, NEP_E_ARG,
                    "permute: row %lld of contrast '%s' is a combination of the rows before it; leave it out", (long long)i + 1,
                    m->contrast);
        if (i == 0)
            *length = norm;
        scale(z, p, 1.0 / norm);
    }
    for (int64_t have = r; have < p; have++) {
        double best = -1.0;
        int64_t pick = 0;
        for (int64_t u = 0; u < p; u++) {
            double left = 1.0;
            for (int64_t j = 0; j < have; j++)
                left -= part[j * p + u] * part[j * p + u];
            if (left > best) {
                best = left;
                pick = u;
            }
        }
        double *z = part + have * p;
        memset(z, 0, (size_t)p * sizeof *z);
        z[pick] = 1.0;
        scale(z, p, 1.0 / nep_ortho_residual(part, have, p, z, NULL));
    }
    return NEP_OK;
}

/* out [rows, n] = part [rows, p] Q */
static void expand(const double *part, int64_t rows, int64_t p, const double *q, int64_t n, double *out)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < p; j++)
            for (int64_t i = 0; i < n; i++)
                out[r * n + i] += part[r * p + j] * q[j * n + i];
}

static nep_status check(nep_ctx *ctx, const nep_permute_model *m)
{
    NEP_REQUIRE(ctx, m->n >= 1 && m->p >= 1 && m->rows >= 1, NEP_E_ARG, "permute: a design with rows and columns, and a contrast, are needed");
    NEP_REQUIRE(ctx, m->rows <= m->p, NEP_E_ARG, "permute: contrast '%s' has %lld rows, the design %lld columns", m->contrast,
                (long long)m->rows, (long long)m->p);
    NEP_REQUIRE(ctx, m->n > m->p, NEP_E_ARG,
                "permute: %lld observations and %lld columns of the design leave no degree of freedom", (long long)m->n, (long long)m->p);
    for (int64_t i = 0; i < m->n * m->p; i++)
        NEP_REQUIRE(ctx, isfinite(m->x[i]), NEP_E_ARG, "permute: column '%s' of the design has no value in row %lld",
                    m->columns[i % m->p], (long long)(i / m->p) + 1);
    for (int64_t i = 0; i < m->rows * m->p; i++)
        NEP_REQUIRE(ctx, isfinite(m->weight[i]), NEP_E_ARG, "permute: contrast '%s' has a weight that is no number", m->contrast);
    return NEP_OK;
}

nep_status nep_permute_basis_make(nep_ctx *ctx, const nep_permute_model *m, nep_permute_basis *out)
{
    nep_permute_basis b = {.n = m->n, .r = m->rows, .z = m->p - m->rows, .df = (double)(m->n - m->p)};
    const int64_t n = m->n, p = m->p;
    double *q = NULL, *upper = NULL, *part = NULL, *scratch = NULL;
    nep_status st;
    NEP_TRY(check(ctx, m));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, p * n, sizeof *q, "permute: design", &q));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, p * p, sizeof *upper, "permute: design", &upper));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, p * p, sizeof *part, "permute: contrast", &part));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, p, sizeof *scratch, "permute: design", &scratch));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, b.r * n, sizeof *b.tested, "permute: tested part", &b.tested));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, b.z * n, sizeof *b.nuisance, "permute: nuisance", &b.nuisance));
    NEP_TRY_OR_DONE(st, factor(ctx, m, q, upper, scratch));
    NEP_TRY_OR_DONE(st, split(ctx, m, upper, part, &b.length));
    expand(part, b.r, p, q, n, b.tested);
    expand(part + b.r * p, b.z, p, q, n, b.nuisance);
    *out = b;
    b = (nep_permute_basis){0};
done:
    nep_permute_basis_free(&b);
    nep_alloc_free(scratch);
    nep_alloc_free(part);
    nep_alloc_free(upper);
    nep_alloc_free(q);
    return st;
}

/* ---- nuisance that moves ---- */

/* What is left of each nuisance column once its means over orbits are taken out, as [n, z]. */
static void deviations(const nep_permute_basis *b, const int32_t *orbit, int64_t n_orbits, double *sum, double *out)
{
    double *const members = sum + n_orbits;
    for (int64_t j = 0; j < b->z; j++) {
        const double *q = b->nuisance + j * b->n;
        memset(sum, 0, (size_t)(2 * n_orbits) * sizeof *sum);
        for (int64_t i = 0; i < b->n; i++) {
            sum[orbit[i]] += q[i];
            members[orbit[i]] += 1.0;
        }
        for (int64_t i = 0; i < b->n; i++)
            out[i * b->z + j] = q[i] - sum[orbit[i]] / members[orbit[i]];
    }
}

/* An orthonormal basis u [<= z, z] of the row space of d [n, z] (overwritten), the longest row left first. */
static int64_t row_space(double *d, int64_t n, int64_t z, double *u)
{
    for (int64_t have = 0;; have++) {
        double best = 0.0;
        int64_t pick = 0;
        for (int64_t i = 0; i < n; i++) {
            const double length = nep_ortho_dot(d + i * z, d + i * z, z);
            if (length > best) {
                best = length;
                pick = i;
            }
        }
        if (have == z || best <= NEGLIGIBLE * NEGLIGIBLE)
            return have;
        memcpy(u + have * z, d + pick * z, (size_t)z * sizeof *u);
        scale(u + have * z, z, 1.0 / nep_ortho_residual(u, have, z, u + have * z, NULL));
        for (int64_t i = 0; i < n; i++) {
            const double c = nep_ortho_dot(u + have * z, d + i * z, z);
            for (int64_t j = 0; j < z; j++)
                d[i * z + j] -= c * u[have * z + j];
        }
    }
}

nep_status nep_permute_basis_reduce(nep_ctx *ctx, const int32_t *orbit, int64_t n_orbits, nep_permute_basis *b)
{
    double *d = NULL, *u = NULL, *sum = NULL;
    nep_status st;
    b->k = b->z;
    if (orbit) {
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, b->n * b->z, sizeof *d, "permute: nuisance", &d));
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, b->z * b->z, sizeof *u, "permute: nuisance", &u));
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, 2 * n_orbits, sizeof *sum, "permute: means over orbits", &sum));
        deviations(b, orbit, n_orbits, sum, d);
        b->k = row_space(d, b->n, b->z, u);
    }
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, (b->r + b->k) * b->n, sizeof *b->basis, "permute: basis", &b->basis));
    memcpy(b->basis, b->tested, (size_t)(b->r * b->n) * sizeof *b->basis);
    if (orbit)
        expand(u, b->k, b->z, b->nuisance, b->n, b->basis + b->r * b->n);
    else
        memcpy(b->basis + b->r * b->n, b->nuisance, (size_t)(b->k * b->n) * sizeof *b->basis);
done:
    nep_alloc_free(sum);
    nep_alloc_free(u);
    nep_alloc_free(d);
    return st;
}
