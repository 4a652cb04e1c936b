/* SPDX-License-Identifier: Apache-2.0 */
/* parcels - regional statistics of volumes as they stream by: nothing is held but runs of voxels and one row. */
#include <nepenthe/imaging.h>

#include "core/select.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_RUN = 1 << 15 };

/* Voxels at .. at + n - 1 in storage order belong to one region. */
typedef struct {
    int32_t at, n, region;
} run;

typedef int32_t four __attribute__((vector_size(16)));

struct nep_parcels {
    nep_ctx *ctx;
    nep_parcels_opts opts;
    int64_t n_regions, n_voxels, n_runs, n_added;
    run *runs;
    int64_t *start;  /* [n_regions + 1] */
    int32_t *voxel;  /* those of region r are start[r] .. start[r + 1] */
    int64_t *atlas;  /* [n_regions] voxels in the atlas, mask or not */
    int64_t *count;  /* [n_regions] of the last volume */
    int64_t *total;  /* [n_regions] over all volumes */
    int64_t *isum;   /* [n_regions] */
    four *lanes;     /* [n_regions] */
    float *finite;   /* one volume, only with nan_as_zero */
    double *scratch; /* the largest region, for order statistics */
};

void nep_parcels_free(nep_parcels *p)
{
    if (!p)
        return;
    void *const all[] = {p->runs, p->start, p->voxel, p->atlas, p->count, p->total, p->isum, p->lanes, p->finite, p->scratch};
    for (int i = 0; i < NEP_LEN(all); i++)
        nep_alloc_free(all[i]);
    nep_alloc_free(p);
}

int64_t nep_parcels_count(const nep_parcels *p)
{
    return p->n_regions;
}

static int32_t label_at(const nep_atlas *a, const nep_volume *mask, int64_t v)
{
    return mask && !(mask->data[v] != 0.0f && isfinite(mask->data[v])) ? 0 : a->label[v];
}

/* First voxel after v that has another label than v, or the end of a run that is long enough. */
static int64_t run_end(const nep_atlas *a, const nep_volume *mask, int64_t v, int64_t n)
{
    const int32_t l = label_at(a, mask, v);
    const int64_t most = v + MOST_RUN < n ? v + MOST_RUN : n;
    for (v++; v < most && label_at(a, mask, v) == l; v++)
        ;
    return v;
}

/* Voxels of each region in the atlas and in the mask, and the number of runs. */
static void count_voxels(nep_parcels *p, const nep_atlas *a)
{
    const nep_volume *mask = p->opts.mask;
    for (int64_t v = 0, end; v < p->n_voxels; v = end) {
        end = run_end(a, NULL, v, p->n_voxels);
        if (a->label[v] > 0)
            p->atlas[a->label[v] - 1] += end - v;
    }
    for (int64_t v = 0, end; v < p->n_voxels; v = end) {
        const int32_t l = label_at(a, mask, v);
        end = run_end(a, mask, v, p->n_voxels);
        if (l > 0) {
            p->start[l] += end - v;
            p->n_runs++;
        }
    }
}

static nep_status make_lists(nep_parcels *p, const nep_atlas *a)
{
    const nep_volume *mask = p->opts.mask;
    int64_t largest = 0, k = 0;
    count_voxels(p, a);
    for (int64_t r = 0; r < p->n_regions; r++) {
        largest = p->start[r + 1] > largest ? p->start[r + 1] : largest;
        p->start[r + 1] += p->start[r];
    }
    NEP_TRY(nep_alloc(p->ctx, p->n_runs, sizeof *p->runs, "runs of voxels", &p->runs));
    NEP_TRY(nep_alloc(p->ctx, p->start[p->n_regions], sizeof *p->voxel, "voxels of regions", &p->voxel));
    NEP_TRY(nep_alloc(p->ctx, largest, sizeof *p->scratch, "values of one region", &p->scratch));
    for (int64_t v = 0, end; v < p->n_voxels; v = end) {
        const int32_t l = label_at(a, mask, v);
        end = run_end(a, mask, v, p->n_voxels);
        if (l <= 0)
            continue;
        p->runs[k++] = (run){.at = (int32_t)v, .n = (int32_t)(end - v), .region = l - 1};
        int32_t *list = p->voxel + p->start[l - 1] + p->count[l - 1];
        p->count[l - 1] += end - v;
        for (int64_t i = v; i < end; i++)
            *list++ = (int32_t)i;
    }
    return NEP_OK;
}

nep_status nep_parcels_open(nep_ctx *ctx, const nep_atlas *atlas, const nep_parcels_opts *opts, nep_parcels **out)
{
    nep_parcels *p = NULL;
    nep_status st;
    const nep_parcels_opts o = opts ? *opts : (nep_parcels_opts){0};
    const int64_t n = nep_grid_voxels(&atlas->grid);
    NEP_REQUIRE(ctx, atlas->n_regions > 0, NEP_E_FORMAT, "parcels: the atlas has no region");
    NEP_REQUIRE(ctx, n < INT32_MAX, NEP_E_FORMAT, "parcels: a grid of %lld voxels is beyond 2^31", (long long)n);
    NEP_REQUIRE(ctx, !o.mask || nep_grid_same(&atlas->grid, &o.mask->grid), NEP_E_GRID,
                "parcels: mask and atlas lie on different grids; bring the mask onto the image's grid");
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 1, sizeof *p, "parcels", &p));
    *p = (nep_parcels){.ctx = ctx, .opts = o, .n_regions = atlas->n_regions, .n_voxels = n};
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, p->n_regions + 1, sizeof *p->start, "regions", &p->start));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, p->n_regions, sizeof *p->atlas, "regions", &p->atlas));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, p->n_regions, sizeof *p->count, "regions", &p->count));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, p->n_regions, sizeof *p->total, "regions", &p->total));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, p->n_regions, sizeof *p->isum, "regions", &p->isum));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, p->n_regions, sizeof *p->lanes, "regions", &p->lanes));
    if (o.nan_as_zero)
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *p->finite, "one volume", &p->finite));
    NEP_TRY_OR_DONE(st, make_lists(p, atlas));
    *out = p;
    p = NULL;
done:
    nep_parcels_free(p);
    return st;
}

static double spread(const double *x, int64_t n)
{
    double mean = 0, ss = 0;
    for (int64_t i = 0; i < n; i++)
        mean += x[i];
    mean /= (double)n;
    for (int64_t i = 0; i < n; i++)
        ss += (x[i] - mean) * (x[i] - mean);
    return ss / (double)n;
}

static double statistic_of(nep_parcels_statistic kind, double *x, int64_t n)
{
    if (n == 0)
        return (double)NAN;
    switch (kind) {
    case NEP_PARCELS_MEDIAN: {
        const double upper = nep_select_kth(x, n, n / 2);
        if (n % 2)
            return upper;
        double lower = x[0]; /* the selection left the smaller ones before n / 2 */
        for (int64_t i = 1; i < n / 2; i++)
            lower = fmax(lower, x[i]);
        return (lower + upper) / 2;
    }
    case NEP_PARCELS_MIN: return nep_select_kth(x, n, 0);
    case NEP_PARCELS_MAX: return nep_select_kth(x, n, n - 1);
    case NEP_PARCELS_SD: return sqrt(spread(x, n));
    default: return spread(x, n);
    }
}

static void order_statistics(nep_parcels *p, const float *x, double *out)
{
    for (int64_t r = 0; r < p->n_regions; r++) {
        int64_t n = 0;
        for (int64_t i = p->start[r]; i < p->start[r + 1]; i++)
            if (isfinite(x[p->voxel[i]]))
                p->scratch[n++] = (double)x[p->voxel[i]];
        p->count[r] = n;
        out[r] = statistic_of(p->opts.statistic, p->scratch, n);
    }
}

static bool is_linear(nep_parcels_statistic kind)
{
    return kind == NEP_PARCELS_MEAN || kind == NEP_PARCELS_SUM;
}

/* Sums become the statistic; counts join the coverage. */
static void finish(nep_parcels *p, double *out)
{
    for (int64_t r = 0; r < p->n_regions; r++) {
        p->total[r] += p->count[r];
        if (p->count[r] == 0)
            out[r] = (double)NAN;
        else if (p->opts.statistic == NEP_PARCELS_MEAN)
            out[r] /= (double)p->count[r];
    }
    p->n_added++;
}

static const float *made_finite(nep_parcels *p, const float *x)
{
    if (!p->finite)
        return x;
    for (int64_t v = 0; v < p->n_voxels; v++)
        p->finite[v] = isfinite(x[v]) ? x[v] : 0.0f;
    return p->finite;
}

/* Several volumes at once pay on a device; the counts of each volume are folded in one after another. */
static nep_status add_batch(nep_parcels *p, const float *x, int64_t n_vol, double *out)
{
    int64_t *count = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(p->ctx, n_vol * p->n_regions, sizeof *count, "counts of regions", &count));
    NEP_TRY_OR_DONE(st, nep_backend_parcel_sums(p->ctx, x, n_vol, p->n_voxels, p->start, p->voxel, p->n_regions, out, count));
    for (int64_t t = 0; t < n_vol; t++) {
        for (int64_t r = 0; r < p->n_regions; r++)
            p->count[r] = count[t * p->n_regions + r];
        finish(p, out + t * p->n_regions);
    }
done:
    nep_alloc_free(count);
    return st;
}

nep_status nep_parcels_add(nep_parcels *p, const float *x, int64_t n_vol, double *out)
{
    if (is_linear(p->opts.statistic) && !p->finite)
        return add_batch(p, x, n_vol, out);
    for (int64_t t = 0; t < n_vol; t++) {
        const float *volume = made_finite(p, x + t * p->n_voxels);
        double *row = out + t * p->n_regions;
        if (is_linear(p->opts.statistic)) {
            NEP_TRY(add_batch(p, volume, 1, row));
            continue;
        }
        order_statistics(p, volume, row);
        for (int64_t r = 0; r < p->n_regions; r++)
            p->total[r] += p->count[r];
        p->n_added++;
    }
    return NEP_OK;
}

#define SUM_RUNS(type)                                                                                                \
    for (int64_t k = 0; k < p->n_runs; k++) {                                                                         \
        const type *v = (const type *)x + p->runs[k].at;                                                              \
        int64_t sum = 0;                                                                                              \
        for (int32_t i = 0; i < p->runs[k].n; i++)                                                                    \
            sum += v[i];                                                                                              \
        p->isum[p->runs[k].region] += sum;                                                                            \
    }

static void fold_lanes(nep_parcels *p)
{
    for (int64_t r = 0; r < p->n_regions; r++) {
        for (int i = 0; i < 4; i++)
            p->isum[r] += p->lanes[r][i];
        p->lanes[r] = (four){0};
    }
}

/* Runs are short, so eight voxels are added at once to the four lanes of their region, those past the run as 0. A lane
 * holds 2^15 times two of them. */
static void sum_runs_i16(nep_parcels *p, const int16_t *x)
{
    typedef int16_t eight __attribute__((vector_size(16)));
    typedef uint32_t bits __attribute__((vector_size(16)));
    static const int16_t keep[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
    int64_t adds = 0;
    for (int64_t k = 0; k < p->n_runs; k++) {
        const run r = p->runs[k];
        for (int32_t i = 0; i < r.n; i += 8) {
            int16_t tail[8] = {0};
            const int32_t left = r.n - i < 8 ? r.n - i : 8;
            const int16_t *from = x + r.at + i;
            if (r.at + i + 8 > p->n_voxels)
                from = memcpy(tail, from, (size_t)left * sizeof *tail);
            eight v, mask;
            memcpy(&v, from, sizeof v);
            memcpy(&mask, keep + 8 - left, sizeof mask);
            v &= mask;
            p->lanes[r.region] += ((four)((bits)v << 16) >> 16) + ((four)v >> 16);
        }
        adds += r.n / 8 + 1;
        if (adds >= 1 << 14 || k + 1 == p->n_runs) {
            fold_lanes(p);
            adds = 0;
        }
    }
}

bool nep_parcels_takes_raw(const nep_parcels *p, nep_dtype dtype)
{
    return is_linear(p->opts.statistic) && (dtype == NEP_U8 || dtype == NEP_I16 || dtype == NEP_I32);
}

void nep_parcels_add_raw(nep_parcels *p, const void *x, nep_dtype dtype, double slope, double inter, double *out)
{
    for (int64_t r = 0; r < p->n_regions; r++)
        p->isum[r] = 0;
    if (dtype == NEP_U8)
        SUM_RUNS(uint8_t)
    else if (dtype == NEP_I16)
        sum_runs_i16(p, x);
    else
        SUM_RUNS(int32_t)
    for (int64_t r = 0; r < p->n_regions; r++) {
        const int64_t n = p->start[r + 1] - p->start[r];
        p->count[r] = n;
        if (p->opts.statistic == NEP_PARCELS_MEAN) /* scaled after the division: an exact mean stays exact */
            out[r] = n ? (slope * ((double)p->isum[r] / (double)n) + inter) * (double)n : 0.0;
        else
            out[r] = slope * (double)p->isum[r] + inter * (double)n;
    }
    finish(p, out);
}

void nep_parcels_coverage(const nep_parcels *p, int64_t *voxels, double *used)
{
    for (int64_t r = 0; r < p->n_regions; r++) {
        if (voxels)
            voxels[r] = p->atlas[r];
        if (used)
            used[r] = p->n_added ? (double)p->total[r] / (double)p->n_added : (double)(p->start[r + 1] - p->start[r]);
    }
}
