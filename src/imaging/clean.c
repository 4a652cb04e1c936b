/* SPDX-License-Identifier: Apache-2.0 */
/* clean - detrending, filter, censoring and confound regression composed into one operator, applied as a matrix product. */
#include "imaging/bandpass.h"
#include "imaging/clean_parts.h"

#include <cblas.h>
#include <string.h>

void nep_clean_free(nep_clean *c)
{
    nep_alloc_free(c->m);
    nep_alloc_free(c->before);
    nep_alloc_free(c->frame);
    *c = (nep_clean){0};
}

void nep_clean_multiply(const nep_clean_matrix *a, bool transpose_a, const nep_clean_matrix *b, double factor,
                        double keep, nep_clean_matrix *out)
{
    openblas_set_num_threads(1); /* several threads would change the bits */
    cblas_dgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, CblasNoTrans, (blasint)out->rows,
                (blasint)out->cols, (blasint)b->rows, factor, a->x, (blasint)a->cols, b->x, (blasint)b->cols, keep, out->x,
                (blasint)out->cols);
}

void nep_clean_detrend(nep_clean_matrix *m)
{
    const double middle = (double)(m->rows - 1) / 2;
    double length = 0;
    for (int64_t t = 0; t < m->rows; t++)
        length += ((double)t - middle) * ((double)t - middle);
    for (int64_t c = 0; c < m->cols; c++) {
        double mean = 0, slope = 0;
        for (int64_t t = 0; t < m->rows; t++)
            mean += m->x[t * m->cols + c];
        mean /= (double)m->rows;
        for (int64_t t = 0; t < m->rows; t++)
            slope += ((double)t - middle) * (m->x[t * m->cols + c] - mean);
        slope = length > 0 ? slope / length : 0;
        for (int64_t t = 0; t < m->rows; t++)
            m->x[t * m->cols + c] -= mean + slope * ((double)t - middle);
    }
}

static nep_status copy_matrix(nep_ctx *ctx, const nep_clean_matrix *from, nep_clean_matrix *to)
{
    to->rows = from->rows;
    to->cols = from->cols;
    return nep_alloc_copy(ctx, from->x, from->rows * from->cols, sizeof *from->x, "operator", &to->x);
}

/* The kept rows move up to the top. */
static void select_rows(nep_clean_matrix *m, const nep_clean_frames *f)
{
    for (int64_t k = 0; k < f->n_kept; k++)
        if (f->kept_row[k] != k)
            memmove(m->x + k * m->cols, m->x + f->kept_row[k] * m->cols, (size_t)m->cols * sizeof *m->x);
    m->rows = f->n_kept;
}

static bool regresses_last(const nep_clean_opts *o)
{
    return o->definition == NEP_CLEAN_XCPD;
}

/* Detrending and filter on a matrix of span rows, then its kept rows (XCP-D still needs them all). */
static nep_status along_time(nep_ctx *ctx, const nep_clean_opts *o, bool confounds, const nep_clean_frames *f, nep_clean_matrix *m)
{
    if (o->detrend || (confounds && regresses_last(o)))
        nep_clean_detrend(m);
    if (o->filter == NEP_CLEAN_BUTTERWORTH)
        NEP_TRY(o->definition == NEP_CLEAN_FSL ? nep_clean_bptf(ctx, m, o) : nep_clean_butterworth(ctx, m, o));
    if (!o->fill && !regresses_last(o))
        select_rows(m, f);
    return NEP_OK;
}

/* The first `cols` columns of m, in the kept rows or in all. */
static nep_status take(nep_ctx *ctx, const nep_clean_matrix *m, int64_t cols, const nep_clean_frames *kept, nep_clean_matrix *out)
{
    *out = (nep_clean_matrix){.rows = kept ? kept->n_kept : m->rows, .cols = cols};
    NEP_TRY(nep_alloc(ctx, out->rows * cols, sizeof *out->x, "basis of the confounds", &out->x));
    for (int64_t t = 0; t < out->rows; t++)
        memcpy(out->x + t * cols, m->x + (kept ? kept->kept_row[t] : t) * m->cols, (size_t)cols * sizeof *out->x);
    return NEP_OK;
}

/* m -= Q Q' m for the orthonormal basis of the confounds c, which went the same way through time; XCP-D: Q' of kept rows. */
static nep_status project(nep_ctx *ctx, const nep_clean_opts *o, const nep_clean_frames *f, nep_clean_matrix *c, nep_clean_matrix *m,
                          nep_clean *out)
{
    const nep_clean_frames *kept = regresses_last(o) ? f : NULL;
    nep_clean_matrix basis = {0}, seen = {0}, basis_kept = {0}, m_kept = {0};
    nep_status st;
    const int64_t rank = nep_clean_basis(c, o, kept ? f->kept_row : NULL, f->n_kept), n = kept ? f->n_kept : m->rows;
    out->n_confounds = c->cols;
    out->rank = rank;
    NEP_REQUIRE(ctx, rank < n - 2, NEP_E_SINGULAR,
                "clean: %lld independent confounds leave nothing of %lld frames; give fewer columns or censor less",
                (long long)rank, (long long)n);
    if (rank == 0)
        return NEP_OK;
    NEP_TRY_OR_DONE(st, take(ctx, c, rank, NULL, &basis));
    if (kept) {
        NEP_TRY_OR_DONE(st, take(ctx, c, rank, kept, &basis_kept));
        NEP_TRY_OR_DONE(st, take(ctx, m, m->cols, kept, &m_kept));
    }
    seen = (nep_clean_matrix){.rows = rank, .cols = m->cols};
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, rank * m->cols, sizeof *seen.x, "basis of the confounds", &seen.x));
    nep_clean_multiply(kept ? &basis_kept : &basis, true, kept ? &m_kept : m, 1, 0, &seen);
    nep_clean_multiply(&basis, false, &seen, -1, 1, m);
done:
    nep_alloc_free(m_kept.x);
    nep_alloc_free(basis_kept.x);
    nep_alloc_free(seen.x);
    nep_alloc_free(basis.x);
    return st;
}

/* Satterthwaite: white noise through m has the covariance R = m m'; dof = tr(R)^2 / tr(R R). */
static nep_status count_freedom(nep_ctx *ctx, const nep_clean_matrix *m, bool centred, nep_clean *out)
{
    nep_clean_matrix r = {.rows = m->rows, .cols = m->rows};
    double trace = 0, square = 0;
    NEP_TRY(nep_alloc(ctx, m->rows * m->rows, sizeof *r.x, "covariance of the frames", &r.x));
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasNoTrans, (blasint)m->rows, (blasint)m->cols, 1, m->x, (blasint)m->cols, 0, r.x,
                (blasint)m->rows);
    for (int64_t i = 0; i < r.rows; i++) {
        trace += r.x[i * r.rows + i];
        square += r.x[i * r.rows + i] * r.x[i * r.rows + i];
        for (int64_t j = i + 1; j < r.rows; j++)
            square += 2 * r.x[i * r.rows + j] * r.x[i * r.rows + j];
    }
    nep_alloc_free(r.x);
    out->effective_dof = square > 0 ? trace * trace / square - (centred ? 0 : 1) : 0;
    return NEP_OK;
}

/* How a constant passes, and the weights that give a column's mean before detrending. */
static void describe(const nep_clean_matrix *m, const nep_clean_frames *f, nep_clean *out)
{
    double gain = 0;
    for (int64_t i = 0; i < m->rows * m->cols; i++)
        gain += m->x[i];
    out->keeps_mean = fabs(gain / (double)m->rows) >= 0.1;
    for (int64_t i = 0; i < f->weight.rows; i++)
        for (int64_t t = 0; t < f->weight.cols; t++)
            out->before[t] += f->weight.x[i * f->weight.cols + t] / (double)f->weight.rows;
}

static nep_status frames_of(nep_ctx *ctx, int64_t n_t, const nep_clean_opts *o, nep_clean_frames *f)
{
    if (o->definition == NEP_CLEAN_AFNI && o->cenmode == NEP_CLEAN_NTRP && o->keep) {
        NEP_TRY(nep_clean_drop(ctx, n_t, o->keep, f)); /* enough frames are kept */
        nep_clean_frames_free(f);
        return nep_clean_straight(ctx, n_t, o->keep, f);
    }
    const nep_clean_ends ends = regresses_last(o) ? NEP_CLEAN_ENDS_NEAREST : o->ends;
    if (o->definition != NEP_CLEAN_AFNI && (o->filter == NEP_CLEAN_BUTTERWORTH || o->fill || regresses_last(o)))
        return nep_clean_spline(ctx, n_t, o->keep, ends, o->definition == NEP_CLEAN_NILEARN && o->keep, f);
    return nep_clean_drop(ctx, n_t, o->keep, f);
}

/* Line, filter and confounds, one after the other. */
static nep_status compose(nep_ctx *ctx, const nep_clean_opts *o, const nep_clean_frames *f, const nep_clean_matrix *given, nep_clean_matrix *m,
                          nep_clean *out)
{
    nep_clean_matrix spanned = {.rows = f->weight.rows, .cols = given->cols};
    nep_status st;
    NEP_TRY(along_time(ctx, o, given->cols > 0, f, m));
    if (given->cols > 0) {
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, spanned.rows * spanned.cols, sizeof *spanned.x, "confounds", &spanned.x));
        nep_clean_multiply(&f->weight, false, given, 1, 0, &spanned);
        NEP_TRY_OR_DONE(st, along_time(ctx, o, true, f, &spanned));
        NEP_TRY_OR_DONE(st, project(ctx, o, f, &spanned, m, out));
    }
    if (!o->fill && regresses_last(o))
        select_rows(m, f);
    st = NEP_OK;
done:
    nep_alloc_free(spanned.x);
    return st;
}

/* 3dBandpass: m and the confounds `given` each lose their quadratic and what lies outside the band; then the confounds go. With confounds
 * the data's outermost bins count 0.05, without 0.5, those of the confounds 0.5. */
static nep_status through_bandpass(nep_ctx *ctx, const nep_clean_opts *o, const nep_clean_frames *f, const nep_clean_matrix *given,
                                   nep_clean_matrix *m, nep_clean *out)
{
    const double low = isnan(o->high_pass_hz) ? 0 : o->high_pass_hz, high = isnan(o->low_pass_hz) ? (double)INFINITY : o->low_pass_hz;
    nep_clean_matrix op = {.rows = m->rows, .cols = m->rows}, c = {.rows = m->rows, .cols = given->cols};
    nep_clean_opts own = *o;
    nep_status st = NEP_OK;
    own.unscaled_confounds = true; /* padding leaves a band-passed confound a mean, which stays */
    NEP_TRY(nep_clean_cutoffs(ctx, o));
    NEP_TRY(nep_bandpass_operator(ctx, m->rows, o->tr_s, low, high, given->cols > 0 ? 0.05 : 0.5, m->x));
    if (given->cols == 0)
        return NEP_OK;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, op.rows * op.cols, sizeof *op.x, "band-pass", &op.x));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, c.rows * c.cols, sizeof *c.x, "confounds", &c.x));
    NEP_TRY_OR_DONE(st, nep_bandpass_operator(ctx, m->rows, o->tr_s, low, high, 0.5, op.x));
    nep_clean_multiply(&op, false, given, 1, 0, &c);
    st = project(ctx, &own, f, &c, m, out);
done:
    nep_alloc_free(c.x);
    nep_alloc_free(op.x);
    return st;
}

/* 3dTproject's ZERO: the result has every frame, censored ones 0. */
static nep_status put_zeros(nep_ctx *ctx, const nep_clean_frames *f, nep_clean_matrix *m)
{
    nep_clean_matrix all = {.rows = m->cols, .cols = m->cols};
    NEP_TRY(nep_alloc(ctx, all.rows * all.cols, sizeof *all.x, "operator", &all.x));
    for (int64_t k = 0; k < f->n_kept; k++)
        memcpy(all.x + f->row_frame[k] * all.cols, m->x + k * m->cols, (size_t)m->cols * sizeof *all.x);
    nep_alloc_free(m->x);
    *m = all;
    return NEP_OK;
}

static nep_status check_definition(nep_ctx *ctx, const nep_clean_opts *o)
{
    const bool bandpass = o->definition == NEP_CLEAN_3DBANDPASS, fsl = o->definition == NEP_CLEAN_FSL;
    if (!bandpass && !fsl)
        return NEP_OK;
    NEP_REQUIRE(ctx, !o->keep && !o->fill, NEP_E_ARG, "clean: %s knows no censored frames; use another definition, or spike confounds",
                fsl ? "fslmaths -bptf" : "3dBandpass");
    NEP_REQUIRE(ctx, o->filter == NEP_CLEAN_BUTTERWORTH || (fsl && o->filter == NEP_CLEAN_NO_FILTER), NEP_E_ARG, "clean: %s is a filter of its own",
                fsl ? "fslmaths -bptf" : "3dBandpass");
    NEP_REQUIRE(ctx, !bandpass || !o->detrend, NEP_E_ARG, "clean: 3dBandpass takes a quadratic off; there is no line left");
    return NEP_OK;
}

nep_status nep_clean_build(nep_ctx *ctx, int64_t n_t, const nep_series *confounds, const nep_clean_opts *opts, nep_clean *out)
{
    const nep_clean_opts defaults = NEP_CLEAN_DEFAULTS, *o = opts ? opts : &defaults;
    nep_clean c = {.n_in = n_t, .scale = o->scale};
    nep_clean_frames f = {0};
    nep_clean_matrix m = {0}, given = {0};
    nep_status st;
    NEP_REQUIRE(ctx, n_t >= 4 && n_t <= 100000, NEP_E_FORMAT, "clean: %lld frames; 4 to 100000 can be cleaned", (long long)n_t);
    NEP_TRY(check_definition(ctx, o));
    NEP_TRY_OR_DONE(st, frames_of(ctx, n_t, o, &f));
    NEP_TRY_OR_DONE(st, copy_matrix(ctx, &f.weight, &m));
    NEP_TRY_OR_DONE(st, nep_clean_confounds(ctx, confounds, n_t, o, &given));
    NEP_TRY_OR_DONE(st, o->definition == NEP_CLEAN_AFNI         ? nep_clean_afni(ctx, o, &f, &given, &m, &c.n_confounds, &c.rank)
                        : o->definition == NEP_CLEAN_3DBANDPASS ? through_bandpass(ctx, o, &f, &given, &m, &c)
                                                                : compose(ctx, o, &f, &given, &m, &c));
    const bool zeros = o->definition == NEP_CLEAN_AFNI && o->cenmode == NEP_CLEAN_ZERO && f.n_kept < n_t;
    if (zeros)
        NEP_TRY_OR_DONE(st, put_zeros(ctx, &f, &m));
    c.n_out = m.rows;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_t, sizeof *c.before, "operator", &c.before));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, c.n_out, sizeof *c.frame, "frames", &c.frame));
    for (int64_t i = 0; i < c.n_out; i++)
        c.frame[i] = zeros ? i : f.row_frame[o->fill ? i : f.kept_row[i]];
    describe(&m, &f, &c);
    NEP_TRY_OR_DONE(st, count_freedom(ctx, &m, !c.keeps_mean, &c));
    c.m = m.x;
    m.x = NULL;
    *out = c;
    c = (nep_clean){0};
done:
    nep_clean_free(&c);
    nep_alloc_free(given.x);
    nep_alloc_free(m.x);
    nep_clean_frames_free(&f);
    return st;
}
