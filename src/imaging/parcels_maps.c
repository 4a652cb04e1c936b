/* SPDX-License-Identifier: Apache-2.0 */
/* parcels_maps - amounts of overlapping weight maps in each volume, by least squares over its voxels.
 *
 * Weights other than 0 are kept map by map, for the products with volumes (on the context's backend), and voxel by voxel, for the
 * normal equations. These are float64, of maps scaled to unit length; voxels that a volume lacks are taken out for that volume. */
#include <nepenthe/imaging.h>

#include <string.h>

static const double dependent = 1e-10; /* what is left of a map's squared length, less the maps before it */
static const double vanished = 1e-12;  /* of a map's squared length in the voxels that are left */

/* Cholesky factor of the scaled Gram matrix; scale 0 = the map has no voxel. */
typedef struct {
    double *l, *scale;
} factor;

struct nep_parcels_maps {
    nep_ctx *ctx;
    nep_parcels_opts opts;
    char *const *names;
    int64_t n_maps, n_voxels, n_given, n_added, n_rows, n_gaps;
    int64_t room;          /* weights that at and w have place for */
    int64_t *first;        /* [n_maps + 1] weights of map k: first[k] .. first[k + 1] */
    int32_t *at;           /* their voxels */
    float *w;
    int32_t *voxel;        /* [n_rows] voxels with a weight */
    int64_t *start;        /* [n_rows + 1] */
    int32_t *which;        /* maps of row i: start[i] .. start[i + 1] */
    float *weight;
    int64_t *all_n, *lost_n;       /* [n_maps] voxels: of the map, missing over all volumes */
    double *all_w, *in_w, *lost_w; /* [n_maps] sums of |weight|: of the map, inside the mask, missing */
    double *gram;          /* [n_maps, n_maps] */
    factor whole, holed;   /* of every voxel; of those but the gaps */
    int32_t *gap, *next;   /* [n_rows] rows that the last volume with gaps lacked; those of this one */
    bool gap_solvable, ready;
};

void nep_parcels_maps_free(nep_parcels_maps *p)
{
    if (!p)
        return;
    void *const all[] = {p->first, p->at,     p->w,    p->voxel,   p->start,       p->which,   p->weight,      p->all_n, p->lost_n,
                         p->all_w, p->in_w,   p->lost_w, p->gram,  p->whole.l,     p->whole.scale, p->holed.l, p->holed.scale, p->gap, p->next};
    for (int i = 0; i < NEP_LEN(all); i++)
        nep_alloc_free(all[i]);
    nep_alloc_free(p);
}

static nep_status make_factor(nep_ctx *ctx, int64_t n, factor *f)
{
    NEP_TRY(nep_alloc(ctx, n * n, sizeof *f->l, "normal equations", &f->l));
    return nep_alloc(ctx, n, sizeof *f->scale, "normal equations", &f->scale);
}

nep_status nep_parcels_maps_open(nep_ctx *ctx, const nep_grid *grid, int64_t n_maps, char *const *names, const nep_parcels_opts *opts,
                                 nep_parcels_maps **out)
{
    const nep_parcels_opts o = opts ? *opts : (nep_parcels_opts){0};
    const int64_t n = nep_grid_voxels(grid);
    nep_parcels_maps *p = NULL;
    nep_status st;
    NEP_REQUIRE(ctx, n_maps > 0 && n_maps <= 4096, NEP_E_FORMAT, "parcels: %lld weight maps; 1 to 4096 can be fitted", (long long)n_maps);
    NEP_REQUIRE(ctx, n < INT32_MAX, NEP_E_FORMAT, "parcels: a grid of %lld voxels is beyond 2^31", (long long)n);
    NEP_REQUIRE(ctx, !o.mask || nep_grid_same(grid, &o.mask->grid), NEP_E_GRID,
                "parcels: mask and weight maps lie on different grids; bring the mask onto the image's grid");
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 1, sizeof *p, "parcels", &p));
    *p = (nep_parcels_maps){.ctx = ctx, .opts = o, .names = names, .n_maps = n_maps, .n_voxels = n};
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_maps + 1, sizeof *p->first, "weight maps", &p->first));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_maps, sizeof *p->all_n, "coverage", &p->all_n));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_maps, sizeof *p->lost_n, "coverage", &p->lost_n));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_maps, sizeof *p->all_w, "coverage", &p->all_w));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_maps, sizeof *p->in_w, "coverage", &p->in_w));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_maps, sizeof *p->lost_w, "coverage", &p->lost_w));
    *out = p;
    p = NULL;
done:
    nep_parcels_maps_free(p);
    return st;
}

static bool in_mask(const nep_parcels_maps *p, int64_t v)
{
    return !p->opts.mask || (p->opts.mask->data[v] != 0.0f && isfinite(p->opts.mask->data[v]));
}

static nep_status make_room(nep_parcels_maps *p, int64_t n)
{
    if (n <= p->room)
        return NEP_OK;
    const int64_t room = n > p->room + p->room / 2 ? n : p->room + p->room / 2;
    NEP_TRY(nep_alloc_grow(p->ctx, room, sizeof *p->at, "weight maps", &p->at));
    NEP_TRY(nep_alloc_grow(p->ctx, room, sizeof *p->w, "weight maps", &p->w));
    p->room = room;
    return NEP_OK;
}

nep_status nep_parcels_maps_weights(nep_parcels_maps *p, const float *w)
{
    const int64_t k = p->n_given;
    int64_t inside = 0;
    NEP_REQUIRE(p->ctx, k < p->n_maps && !p->ready, NEP_E_ARG, "parcels: more weight maps than the %lld announced", (long long)p->n_maps);
    for (int64_t v = 0; v < p->n_voxels; v++)
        inside += w[v] != 0.0f && isfinite(w[v]) && in_mask(p, v);
    NEP_TRY(make_room(p, p->first[k] + inside));
    p->first[k + 1] = p->first[k];
    for (int64_t v = 0; v < p->n_voxels; v++)
        if (w[v] != 0.0f && isfinite(w[v])) {
            p->all_n[k]++;
            p->all_w[k] += fabs((double)w[v]);
            if (!in_mask(p, v))
                continue;
            p->at[p->first[k + 1]] = (int32_t)v;
            p->w[p->first[k + 1]++] = w[v];
            p->in_w[k] += fabs((double)w[v]);
        }
    p->n_given++;
    return NEP_OK;
}

/* ---- once all maps are there ---- */

/* Maps by voxel beside voxels by map. */
static nep_status turn(nep_parcels_maps *p)
{
    const int64_t n = p->first[p->n_maps];
    int64_t *count = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(p->ctx, p->n_voxels, sizeof *count, "weights by voxel", &count));
    for (int64_t i = 0; i < n; i++)
        count[p->at[i]]++;
    for (int64_t v = 0; v < p->n_voxels; v++)
        p->n_rows += count[v] > 0;
    NEP_TRY_OR_DONE(st, nep_alloc(p->ctx, p->n_rows, sizeof *p->voxel, "weights by voxel", &p->voxel));
    NEP_TRY_OR_DONE(st, nep_alloc(p->ctx, p->n_rows + 1, sizeof *p->start, "weights by voxel", &p->start));
    NEP_TRY_OR_DONE(st, nep_alloc(p->ctx, n, sizeof *p->which, "weights by voxel", &p->which));
    NEP_TRY_OR_DONE(st, nep_alloc(p->ctx, n, sizeof *p->weight, "weights by voxel", &p->weight));
    NEP_TRY_OR_DONE(st, nep_alloc(p->ctx, p->n_rows, sizeof *p->gap, "missing voxels", &p->gap));
    NEP_TRY_OR_DONE(st, nep_alloc(p->ctx, p->n_rows, sizeof *p->next, "missing voxels", &p->next));
    for (int64_t v = 0, row = 0; v < p->n_voxels; v++)
        if (count[v] > 0) {
            p->voxel[row] = (int32_t)v;
            p->start[row + 1] = p->start[row] + count[v];
            count[v] = p->start[row++]; /* from here on: where the voxel's next weight goes */
        }
    for (int64_t k = 0; k < p->n_maps; k++)
        for (int64_t i = p->first[k]; i < p->first[k + 1]; i++) {
            const int64_t to = count[p->at[i]]++;
            p->which[to] = (int32_t)k;
            p->weight[to] = p->w[i];
        }
done:
    nep_alloc_free(count);
    return st;
}

/* The upper triangle of g plus sign times that of row i. */
static void add_row(const nep_parcels_maps *p, int64_t i, double sign, double *g)
{
    for (int64_t a = p->start[i]; a < p->start[i + 1]; a++) {
        const double w = sign * (double)p->weight[a];
        double *row = g + (int64_t)p->which[a] * p->n_maps;
        for (int64_t b = a; b < p->start[i + 1]; b++)
            row[p->which[b]] += w * (double)p->weight[b];
    }
}

/* Cholesky of the upper triangle g, scaled to a unit diagonal; maps without a voxel drop out. Returns the first map that is a
 * combination of those before it, or n. least [n]: squared lengths at or below it are nothing. */
static int64_t decompose(const double *g, int64_t n, const double *least, factor *f)
{
    for (int64_t k = 0; k < n; k++)
        f->scale[k] = g[k * n + k] > (least ? vanished * least[k * n + k] : 0) ? 1 / sqrt(g[k * n + k]) : 0;
    for (int64_t i = 0; i < n; i++) {
        double *li = f->l + i * n;
        for (int64_t j = 0; j <= i; j++) {
            const double *lj = f->l + j * n;
            double sum = i == j && f->scale[i] == 0 ? 1 : g[j * n + i] * f->scale[i] * f->scale[j];
            for (int64_t k = 0; k < j; k++)
                sum -= li[k] * lj[k];
            if (i == j && !(sum > dependent))
                return i;
            li[j] = i == j ? sqrt(sum) : sum / lj[j];
        }
    }
    return n;
}

static void solve(const factor *f, int64_t n, double *x)
{
    for (int64_t i = 0; i < n; i++) {
        double sum = x[i] * f->scale[i];
        for (int64_t k = 0; k < i; k++)
            sum -= f->l[i * n + k] * x[k];
        x[i] = sum / f->l[i * n + i];
    }
    for (int64_t i = n - 1; i >= 0; i--) {
        x[i] /= f->l[i * n + i];
        for (int64_t k = 0; k < i; k++)
            x[k] -= f->l[i * n + k] * x[i];
    }
    for (int64_t i = 0; i < n; i++)
        x[i] = f->scale[i] > 0 ? x[i] * f->scale[i] : (double)NAN;
}

static nep_status prepare(nep_parcels_maps *p)
{
    const int64_t n = p->n_maps;
    NEP_REQUIRE(p->ctx, p->n_given == n && !p->start, NEP_E_ARG, "parcels: %lld of %lld weight maps were given", (long long)p->n_given, (long long)n);
    NEP_TRY(turn(p));
    NEP_REQUIRE(p->ctx, p->n_rows > 0, NEP_E_FORMAT, "parcels: no weight map has a voxel in the mask and on the image's grid");
    NEP_TRY(nep_alloc(p->ctx, n * n, sizeof *p->gram, "normal equations", &p->gram));
    NEP_TRY(make_factor(p->ctx, n, &p->whole));
    for (int64_t i = 0; i < p->n_rows; i++)
        add_row(p, i, 1, p->gram);
    const int64_t bad = decompose(p->gram, n, NULL, &p->whole);
    NEP_REQUIRE(p->ctx, bad == n, NEP_E_SINGULAR,
                "parcels: weight map %lld%s%s%s is a combination of those before it in these voxels, so that amounts are not defined; leave it out",
                (long long)bad + 1, p->names ? " ('" : "", p->names ? p->names[bad] : "", p->names ? "')" : "");
    p->ready = true;
    return NEP_OK;
}

/* ---- per volume ---- */

/* Normal equations without the voxels that this volume lacks; those of the last such volume when it lacked the same. */
static nep_status solve_holed(nep_parcels_maps *p, const float *x, double *b)
{
    const int64_t n = p->n_maps;
    int64_t missing = 0;
    double *g = NULL;
    if (!p->holed.l)
        NEP_TRY(make_factor(p->ctx, n, &p->holed));
    for (int64_t i = 0; i < p->n_rows; i++)
        if (!isfinite(x[p->voxel[i]])) {
            p->next[missing++] = (int32_t)i;
            for (int64_t a = p->start[i]; a < p->start[i + 1]; a++) {
                p->lost_n[p->which[a]]++;
                p->lost_w[p->which[a]] += fabs((double)p->weight[a]);
            }
        }
    if (missing != p->n_gaps || memcmp(p->gap, p->next, (size_t)missing * sizeof *p->gap) != 0) {
        NEP_TRY(nep_alloc_copy(p->ctx, p->gram, n * n, sizeof *g, "normal equations", &g));
        const bool few = 2 * missing < p->n_rows; /* taking most voxels away again would cost digits */
        if (!few)
            memset(g, 0, (size_t)(n * n) * sizeof *g);
        for (int64_t i = 0, at = 0; i < p->n_rows; i++) {
            const bool gone = at < missing && p->next[at] == i;
            at += gone;
            if (gone == few)
                add_row(p, i, few ? -1 : 1, g);
        }
        p->gap_solvable = decompose(g, n, p->gram, &p->holed) == n;
        nep_alloc_free(g);
        memcpy(p->gap, p->next, (size_t)missing * sizeof *p->gap);
        p->n_gaps = missing;
    }
    for (int64_t k = 0; !p->gap_solvable && k < n; k++)
        b[k] = (double)NAN;
    if (p->gap_solvable)
        solve(&p->holed, n, b);
    return NEP_OK;
}

static bool is_whole(const nep_parcels_maps *p, const int64_t *count)
{
    for (int64_t k = 0; k < p->n_maps; k++)
        if (count[k] != p->first[k + 1] - p->first[k])
            return false;
    return true;
}

nep_status nep_parcels_maps_add(nep_parcels_maps *p, const float *x, int64_t n_vol, double *out)
{
    int64_t *count = NULL;
    nep_status st;
    if (!p->ready)
        NEP_TRY(prepare(p));
    NEP_TRY_OR_DONE(st, nep_alloc(p->ctx, n_vol * p->n_maps, sizeof *count, "counts of voxels", &count));
    NEP_TRY_OR_DONE(st, nep_backend_weighted_sums(p->ctx, x, n_vol, p->n_voxels, p->first, p->at, p->w, p->n_maps, out, count));
    for (int64_t t = 0; t < n_vol; t++)
        if (p->opts.nan_as_zero || is_whole(p, count + t * p->n_maps))
            solve(&p->whole, p->n_maps, out + t * p->n_maps);
        else
            NEP_TRY_OR_DONE(st, solve_holed(p, x + t * p->n_voxels, out + t * p->n_maps));
    p->n_added += n_vol;
done:
    nep_alloc_free(count);
    return st;
}

void nep_parcels_maps_coverage(const nep_parcels_maps *p, int64_t *voxels, double *used, double *share)
{
    const double n = p->n_added ? (double)p->n_added : 1;
    for (int64_t k = 0; k < p->n_maps; k++) {
        if (voxels)
            voxels[k] = p->all_n[k];
        if (used)
            used[k] = (double)(p->first[k + 1] - p->first[k]) - (double)p->lost_n[k] / n;
        if (share)
            share[k] = p->all_w[k] > 0 ? (p->in_w[k] - p->lost_w[k] / n) / p->all_w[k] : 0;
    }
}
