/* SPDX-License-Identifier: Apache-2.0 */
/* tfce - exact enhancement: voxels join from the highest down; each one heads the component it closes. */
#include <nepenthe/imaging.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "imaging/lattice.h"

enum { DIGIT_BITS = 11, DIGITS = 6, BUCKETS = 1 << DIGIT_BITS, MOST_STEPS = 1000, AHEAD = 8 };

typedef struct {
    uint64_t key; /* falls as the height rises */
    int64_t voxel;
} item;

typedef struct {
    int32_t parent; /* rank of the next lower component, its own at a root */
    int32_t size;   /* voxels of the component this voxel heads */
} node;

/* Ranks count from the highest voxel of one sign. */
struct nep_tfce {
    nep_tfce_opts o;
    nep_lattice l;
    item *order, *spare;
    node *tree;      /* by rank */
    double *measure; /* by rank: integral of z^h up to the height */
    double *sum;     /* by rank */
    int32_t *link;   /* by place: towards the place that stands for the component, -1 while not joined */
    int32_t *head;   /* by place, where it stands for a component: rank of its lowest voxel */
    int32_t rows[9]; /* steps to the rows of neighbours, to be fetched ahead */
    int n_rows;
    double level[MOST_STEPS + 1], below[MOST_STEPS + 1]; /* steps: their heights, sum of z^h up to each */
};

void nep_tfce_free(nep_tfce *t)
{
    if (!t)
        return;
    nep_lattice_free(&t->l);
    void *const parts[] = {t->order, t->spare, t->tree, t->measure, t->sum, t->link, t->head};
    for (int i = 0; i < NEP_LEN(parts); i++)
        nep_alloc_free(parts[i]);
    nep_alloc_free(t);
}

static nep_status check(nep_ctx *ctx, const nep_tfce_opts *o)
{
    NEP_REQUIRE(ctx,
                o->e >= 0.0 && o->h >= 0.0 && o->voxel_mm3 > 0.0 && isfinite(o->e + o->h) && isfinite(o->voxel_mm3),
                NEP_E_ARG, "tfce: exponents must be finite and not negative, and the voxel's extent above 0");
    NEP_REQUIRE(ctx, o->steps >= 0 && o->steps <= MOST_STEPS, NEP_E_ARG,
                "tfce: %d steps: 0 (the integral) to %d are possible", o->steps, MOST_STEPS);
    return NEP_OK;
}

/* Of neighbours side by side one is enough. */
static void set_rows(nep_tfce *t)
{
    for (int s = 0; s < t->l.n_steps; s++) {
        bool near = false;
        for (int r = 0; r < t->n_rows; r++)
            near = near || labs((long)t->l.step[s] - t->rows[r]) <= 2;
        if (!near)
            t->rows[t->n_rows++] = t->l.step[s];
    }
}

nep_status nep_tfce_open(nep_ctx *ctx, const int64_t dims[3], const bool *inside, const nep_tfce_opts *opts,
                         nep_tfce **out)
{
    nep_tfce *t = NULL;
    nep_status st;
    NEP_TRY(check(ctx, opts));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 1, sizeof *t, "TFCE", &t));
    t->o = *opts;
    NEP_TRY_OR_DONE(st, nep_lattice_open(ctx, dims, inside, opts->connectivity, &t->l));
    const int64_t n = t->l.n;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *t->order, "TFCE", &t->order));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *t->spare, "TFCE", &t->spare));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *t->tree, "TFCE", &t->tree));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *t->measure, "TFCE", &t->measure));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *t->sum, "TFCE", &t->sum));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, t->l.places, sizeof *t->link, "TFCE", &t->link));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, t->l.places, sizeof *t->head, "TFCE", &t->head));
    memset(t->link, 0xff, (size_t)t->l.places * sizeof *t->link);
    set_rows(t);
    *out = t;
    t = NULL;
done:
    nep_tfce_free(t);
    return st;
}

/* Sorts by key, the equal ones in the order they stand in: radix from the last digit, a digit that all share is
 * skipped (a float32 map has three). The result is in t->order. */
static void sort(nep_tfce *t, int64_t m)
{
    static const int bits = DIGIT_BITS;
    int64_t count[DIGITS][BUCKETS] = {{0}};
    for (int64_t k = 0; k < m; k++)
        for (int d = 0; d < DIGITS; d++)
            count[d][t->order[k].key >> (d * bits) & (BUCKETS - 1)]++;
    for (int d = 0; d < DIGITS; d++) {
        int64_t at = 0;
        if (count[d][t->order[0].key >> (d * bits) & (BUCKETS - 1)] == m)
            continue;
        for (int b = 0; b < BUCKETS; b++) {
            const int64_t here = count[d][b];
            count[d][b] = at;
            at += here;
        }
        for (int64_t k = 0; k < m; k++)
            t->spare[count[d][t->order[k].key >> (d * bits) & (BUCKETS - 1)]++] = t->order[k];
        item *const kept = t->order;
        t->order = t->spare;
        t->spare = kept;
    }
}

/* Voxels above 0, highest first; returns their number. */
static int64_t gather(nep_tfce *t, const double *value, double sign)
{
    int64_t m = 0;
    for (int64_t v = 0; v < t->l.n; v++) {
        const double height = sign * value[v];
        uint64_t bits;
        if (!(height > 0.0))
            continue;
        memcpy(&bits, &height, sizeof bits); /* of numbers above 0: ordered as they are */
        t->order[m++] = (item){.key = ~bits, .voxel = v};
    }
    if (m > 0)
        sort(t, m);
    return m;
}

static int32_t find(int32_t *link, int32_t p)
{
    while (link[p] != p) {
        link[p] = link[link[p]];
        p = link[p];
    }
    return p;
}

/* Puts the voxel of rank `me` at `here` under every joined neighbour's component; the larger component's place goes on
 * standing for the union, so that it stays close to all of its voxels. */
static void join_one(nep_tfce *t, int32_t me, int32_t here)
{
    node *tree = t->tree;
    int32_t mine = here, size = 1, most = 0;
    tree[me].parent = me;
    for (int s = 0; s < t->l.n_steps; s++) {
        const int32_t beside = here + t->l.step[s];
        const int32_t r = t->link[beside] < 0 ? mine : find(t->link, beside);
        if (r == mine)
            continue;
        node *below = tree + t->head[r];
        below->parent = me;
        size += below->size;
        if (below->size > most) {
            t->link[mine] = r; /* not yet read when mine is here */
            mine = r;
            most = below->size;
        } else {
            t->link[r] = mine;
        }
    }
    tree[me].size = size;
    t->link[here] = mine;
    t->head[mine] = me;
}

static void join(nep_tfce *t, int64_t m)
{
    const int32_t *at = t->l.at;
    for (int64_t k = 0; k < m; k++) {
        if (k + AHEAD < m)
            for (int r = 0; r < t->n_rows; r++)
                __builtin_prefetch(t->link + at[t->order[k + AHEAD].voxel] + t->rows[r]);
        join_one(t, (int32_t)k, at[t->order[k].voxel]);
    }
    for (int64_t k = 0; k < m; k++)
        t->link[at[t->order[k].voxel]] = -1;
}

/* Integral of z^h from 0 to the height, or the sum of z^h over the steps up to it. */
static double measure(const nep_tfce *t, double height, double width)
{
    if (t->o.steps == 0)
        return t->o.h == 2.0 ? height * height * height / 3.0 : pow(height, t->o.h + 1.0) / (t->o.h + 1.0);
    int k = (int)(height / width);
    k = k > t->o.steps ? t->o.steps : k;
    while (k > 0 && t->level[k] > height)
        k--;
    while (k < t->o.steps && t->level[k + 1] <= height)
        k++;
    return t->below[k];
}

static double extent(const nep_tfce *t, int32_t voxels)
{
    const double size = (double)voxels * t->o.voxel_mm3;
    return t->o.e == 0.5 ? sqrt(size) : pow(size, t->o.e);
}

static void enhance(nep_tfce *t, const double *value, double sign, double width, double *out)
{
    const int64_t m = gather(t, value, sign);
    join(t, m);
    for (int64_t k = m - 1; k >= 0; k--) { /* parents come first */
        const int64_t v = t->order[k].voxel;
        const int32_t p = t->tree[k].parent;
        const bool root = p == (int32_t)k;
        t->measure[k] = measure(t, sign * value[v], width);
        const double rise = t->measure[k] - (root ? 0.0 : t->measure[p]);
        t->sum[k] = (root ? 0.0 : t->sum[p]) + (rise > 0.0 ? extent(t, t->tree[k].size) * rise : 0.0);
        out[v] = sign * t->sum[k];
    }
}

/* Steps at max / n, 2 max / n, ..., max; returns their width. */
static double set_steps(nep_tfce *t, const double *value)
{
    double top = 0.0;
    for (int64_t v = 0; v < t->l.n; v++) {
        const double height = t->o.two_sided ? fabs(value[v]) : value[v];
        top = height > top ? height : top;
    }
    const double width = top / (double)t->o.steps;
    for (int k = 1; k <= t->o.steps; k++) {
        t->level[k] = k == t->o.steps ? top : (double)k * width;
        t->below[k] = t->below[k - 1] + pow(t->level[k], t->o.h);
    }
    return width;
}

void nep_tfce_run(nep_tfce *t, const double *value, double *out)
{
    const double width = t->o.steps > 0 ? set_steps(t, value) : 0.0;
    for (int64_t v = 0; v < t->l.n; v++)
        out[v] = 0.0;
    enhance(t, value, 1.0, width, out);
    if (t->o.two_sided)
        enhance(t, value, -1.0, width, out);
}

/* The voxels that are numbers, in order. */
static nep_status compact(nep_ctx *ctx, const float *map, int64_t n, bool *inside, double *value, int64_t *kept)
{
    *kept = 0;
    for (int64_t v = 0; v < n; v++) {
        NEP_REQUIRE(ctx, !isinf(map[v]), NEP_E_ARG, "tfce: voxel %lld is infinite; mask it as NaN", (long long)v);
        inside[v] = !isnan(map[v]);
        if (inside[v])
            value[(*kept)++] = (double)map[v];
    }
    return NEP_OK;
}

nep_status nep_tfce_score(nep_ctx *ctx, const float *map, const int64_t dims[3], const nep_tfce_opts *opts, double *out)
{
    nep_status st = NEP_OK;
    nep_tfce *t = NULL;
    bool *inside = NULL;
    double *value = NULL, *score = NULL;
    int64_t kept = 0, at = 0;
    NEP_REQUIRE(ctx, dims[0] > 0 && dims[1] > 0 && dims[2] > 0, NEP_E_ARG, "tfce: the map has no voxels");
    const int64_t n = dims[0] * dims[1] * dims[2];
    NEP_TRY_OR_DONE(st, check(ctx, opts));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *inside, "TFCE", &inside));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *value, "TFCE", &value));
    NEP_TRY_OR_DONE(st, compact(ctx, map, n, inside, value, &kept));
    NEP_TRY_OR_DONE(st, nep_tfce_open(ctx, dims, inside, opts, &t));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, kept, sizeof *score, "TFCE", &score));
    nep_tfce_run(t, value, score);
    for (int64_t v = 0; v < n; v++)
        out[v] = inside[v] ? score[at++] : (double)NAN;
done:
    nep_alloc_free(score);
    nep_alloc_free(value);
    nep_alloc_free(inside);
    nep_tfce_free(t);
    return st;
}
