/* SPDX-License-Identifier: Apache-2.0 */
/* quality_run - motion, DVARS, temporal SNR, coverage and header of one run, judged by stated thresholds. */
#include "cli/images.h"
#include "cli/quality_run.h"
#include "core/order.h"

#include <stdlib.h>
#include <string.h>

void cli_quality_free(cli_quality *q)
{
    nep_alloc_free(q->fd);
    nep_alloc_free(q->dvars);
    nep_alloc_free(q->std_dvars);
    nep_alloc_free(q->vx_std_dvars);
    nep_alloc_free(q->outlier);
    nep_alloc_free(q->coverage);
    nep_data_free_names(q->regions, q->n_regions);
    *q = (cli_quality){0};
}

const char *cli_quality_word(cli_quality_verdict v)
{
    static const char *const words[] = {"pass", "warn", "fail"};
    return words[v];
}

/* ---- motion ---- */

static nep_status displacement_column(nep_ctx *ctx, const nep_table *t, int64_t col, cli_quality *q)
{
    for (int64_t i = 0; i < q->n_t; i++)
        NEP_TRY(nep_table_number(ctx, t, i, col, &q->fd[i]));
    return NEP_OK;
}

static nep_status from_parameters(nep_ctx *ctx, const nep_table *t, const int64_t col[6], const cli_quality_opts *o, cli_quality *q)
{
    double *motion = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, q->n_t * 6, sizeof *motion, "motion", &motion));
    for (int64_t i = 0; i < q->n_t; i++)
        for (int k = 0; k < 6; k++) {
            NEP_TRY_OR_DONE(st, nep_table_number(ctx, t, i, col[k], &motion[i * 6 + k]));
            if (!isfinite(motion[i * 6 + k])) {
                st = nep_ctx_fail_file(ctx, NEP_E_FORMAT, t->path, "'%s' row %lld: '%s' is missing", t->path, (long long)i + 1,
                                       t->header[col[k]]);
                goto done;
            }
        }
    st = nep_quality_fd(ctx, motion, q->n_t, o->displacement, o->radius_mm, q->fd);
done:
    nep_alloc_free(motion);
    return st;
}

static nep_status read_motion(nep_ctx *ctx, const char *path, const cli_quality_opts *o, cli_quality *q)
{
    static const char *const names[6] = {"trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z"};
    nep_table t = {0};
    int64_t col[6], given = 0;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_tsv_read(ctx, path, &t));
    if (t.n_rows != q->n_t) {
        st = nep_ctx_fail_file(ctx, NEP_E_SHAPE, path, "'%s' has %lld rows, the image has %lld frames", path, (long long)t.n_rows,
                               (long long)q->n_t);
        goto done;
    }
    for (int k = 0; k < 6; k++)
        given += (col[k] = nep_table_column(&t, names[k])) >= 0;
    const int64_t ready = nep_table_column(&t, "framewise_displacement");
    if (given == 6)
        st = from_parameters(ctx, &t, col, o, q);
    else if (ready >= 0 && o->displacement == NEP_QUALITY_POWER)
        st = displacement_column(ctx, &t, ready, q);
    else
        st = nep_ctx_fail_file(ctx, NEP_E_FORMAT, path, "'%s' needs the columns trans_x trans_y trans_z (mm) rot_x rot_y rot_z (rad)%s", path,
                               o->displacement == NEP_QUALITY_POWER ? ", or framewise_displacement" : "");
    q->has_motion = st == NEP_OK;
done:
    nep_table_free(&t);
    return st;
}

/* ---- mask, series, coverage ---- */

static nep_status make_mask(nep_ctx *ctx, const char *image, const nep_nifti_header *h, nep_volume *mask, int64_t *inside)
{
    float *mean = NULL;
    nep_status st;
    mask->grid = h->grid;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, nep_grid_voxels(&h->grid), sizeof *mean, "mean image", &mean));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, nep_grid_voxels(&h->grid), sizeof *mask->data, "mask", &mask->data));
    NEP_TRY_OR_DONE(st, cli_images_mean(ctx, image, h, mean));
    st = nep_quality_mask(ctx, mean, nep_grid_voxels(&h->grid), mask->data, inside);
done:
    nep_alloc_free(mean);
    return st;
}

static nep_status temporal_snr(nep_ctx *ctx, const nep_series *x, cli_quality *q)
{
    double *tsnr = NULL, sum = 0;
    int64_t n = 0;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, x->n_cols, sizeof *tsnr, "temporal SNR", &tsnr));
    NEP_TRY_OR_DONE(st, nep_voxelwise_tsnr(ctx, x->data, x->n_t, x->n_cols, tsnr));
    for (int64_t v = 0; v < x->n_cols; v++)
        if (isfinite(tsnr[v])) {
            sum += tsnr[v];
            tsnr[n++] = tsnr[v];
        }
    qsort(tsnr, (size_t)n, sizeof *tsnr, nep_order_ascending);
    q->tsnr_mean = n ? sum / (double)n : (double)NAN;
    q->tsnr_median = n ? (tsnr[(n - 1) / 2] + tsnr[n / 2]) / 2 : (double)NAN;
done:
    nep_alloc_free(tsnr);
    return st;
}

static nep_status measure_coverage(nep_ctx *ctx, const char *image, const char *atlas, const char *labels, const nep_volume *mask,
                                   cli_quality *q)
{
    nep_atlas a = {0};
    nep_parcels *p = NULL;
    int64_t *voxels = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, cli_images_atlas(ctx, atlas, labels, &q->header.grid, image, true, &a));
    NEP_TRY_OR_DONE(st, nep_parcels_open(ctx, &a, &(nep_parcels_opts){.mask = mask}, &p));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, a.n_regions, sizeof *voxels, "coverage", &voxels));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, a.n_regions, sizeof *q->coverage, "coverage", &q->coverage));
    nep_parcels_coverage(p, voxels, q->coverage);
    q->coverage_min = 1;
    for (int64_t r = 0; r < a.n_regions; r++) {
        q->coverage[r] = voxels[r] ? q->coverage[r] / (double)voxels[r] : 0;
        q->coverage_min = fmin(q->coverage_min, q->coverage[r]);
    }
    q->n_regions = a.n_regions;
    q->regions = a.names;
    a.names = NULL;
done:
    nep_alloc_free(voxels);
    nep_parcels_free(p);
    nep_atlas_free(&a);
    return st;
}

/* ---- verdict ---- */

static cli_quality_verdict above(double x, cli_quality_bound b)
{
    return !(x <= b.fail) ? CLI_QUALITY_FAIL : x > b.warn ? CLI_QUALITY_WARN : CLI_QUALITY_PASS;
}

static cli_quality_verdict below(double x, cli_quality_bound b)
{
    return !(x >= b.fail) ? CLI_QUALITY_FAIL : x < b.warn ? CLI_QUALITY_WARN : CLI_QUALITY_PASS;
}

static double mean_of(const double *x, int64_t n, double *top)
{
    double sum = 0;
    int64_t seen = 0;
    *top = (double)NAN;
    for (int64_t i = 0; i < n; i++)
        if (isfinite(x[i])) {
            sum += x[i];
            seen++;
            *top = fmax(isnan(*top) ? x[i] : *top, x[i]);
        }
    return seen ? sum / (double)seen : (double)NAN;
}

static void judge_header(cli_quality *q)
{
    const nep_nifti_header *h = &q->header;
    const char **note = q->header_note;
    int n = 0;
    if (!(q->tr_s > 0))
        note[n++] = "no repetition time";
    else if (q->tr_s < 0.1 || q->tr_s > 20)
        note[n++] = "repetition time outside 0.1 to 20 s";
    if (h->form == 0)
        note[n++] = "neither sform nor qform: left and right are not known";
    for (int k = 0; k < 3; k++)
        if (!(h->grid.voxel_mm[k] >= 0.2 && h->grid.voxel_mm[k] <= 10)) {
            note[n++] = "voxel size outside 0.2 to 10 mm";
            break;
        }
    if (h->n_t < 50)
        note[n++] = "fewer than 50 frames";
    q->n_header_notes = n;
    q->by_header = n ? CLI_QUALITY_WARN : CLI_QUALITY_PASS;
}

static void judge(const cli_quality_opts *o, cli_quality *q)
{
    double unused;
    q->fd_mean = mean_of(q->fd, q->n_t, &q->fd_max);
    q->dvars_mean = mean_of(q->dvars, q->n_t, &unused);
    q->std_dvars_mean = mean_of(q->std_dvars, q->n_t, &unused);
    for (int64_t t = 0; t < q->n_t; t++) {
        q->outlier[t] = q->fd[t] > o->fd_mm || q->std_dvars[t] > o->std_dvars;
        q->n_outliers += q->outlier[t];
    }
    judge_header(q);
    q->by_motion = q->has_motion ? above(q->fd_mean, o->fd_mean_mm) : CLI_QUALITY_PASS;
    q->by_outliers = above((double)q->n_outliers / (double)q->n_t, o->outliers);
    q->by_tsnr = below(q->tsnr_median, o->tsnr);
    q->by_coverage = q->n_regions ? below(q->coverage_min, o->coverage) : CLI_QUALITY_PASS;
    if (q->by_coverage == CLI_QUALITY_FAIL)
        q->by_coverage = CLI_QUALITY_WARN; /* a region outside the field of view is missing; it does not spoil the rest */
    const cli_quality_verdict all[] = {q->by_motion, q->by_outliers, q->by_tsnr, q->by_coverage, q->by_header};
    for (int i = 0; i < NEP_LEN(all); i++)
        q->verdict = all[i] > q->verdict ? all[i] : q->verdict;
}

static nep_status make_arrays(nep_ctx *ctx, cli_quality *q)
{
    double **const arrays[] = {&q->fd, &q->dvars, &q->std_dvars, &q->vx_std_dvars};
    for (int i = 0; i < NEP_LEN(arrays); i++)
        NEP_TRY(nep_alloc(ctx, q->n_t, sizeof(double), "values of frames", arrays[i]));
    for (int64_t t = 0; t < q->n_t; t++)
        q->fd[t] = (double)NAN;
    return nep_alloc(ctx, q->n_t, sizeof *q->outlier, "outliers", &q->outlier);
}

nep_status cli_quality_measure(nep_ctx *ctx, const char *image, const char *mask, const char *motion, const char *atlas,
                               const char *labels, double tr_s, const cli_quality_opts *opts, cli_quality *out)
{
    cli_quality q = {.own_mask = !mask, .coverage_min = (double)NAN};
    nep_volume m = {0};
    nep_series x = {0};
    nep_grid grid;
    nep_status st;
    NEP_TRY_OR_DONE(st, cli_images_header(ctx, image, true, &q.header));
    q.n_t = q.header.n_t;
    q.tr_s = isnan(tr_s) ? q.header.tr_s : tr_s;
    NEP_TRY_OR_DONE(st, make_arrays(ctx, &q));
    if (motion)
        NEP_TRY_OR_DONE(st, read_motion(ctx, motion, opts, &q));
    NEP_TRY_OR_DONE(st, mask ? cli_images_mask(ctx, mask, &q.header.grid, image, &m) : make_mask(ctx, image, &q.header, &m, &q.voxels));
    if (atlas)
        NEP_TRY_OR_DONE(st, measure_coverage(ctx, image, atlas, labels, &m, &q));
    NEP_TRY_OR_DONE(st, nep_nifti_read_series(ctx, image, &m, &x, &grid));
    q.voxels = x.n_cols;
    NEP_TRY_OR_DONE(st, nep_quality_dvars(ctx, x.data, x.n_t, x.n_cols, q.dvars, q.std_dvars, q.vx_std_dvars, &q.voxels_used));
    NEP_TRY_OR_DONE(st, temporal_snr(ctx, &x, &q));
    judge(opts, &q);
    *out = q;
    q = (cli_quality){0};
done:
    nep_series_free(&x);
    nep_volume_free(&m);
    cli_quality_free(&q);
    return st;
}
