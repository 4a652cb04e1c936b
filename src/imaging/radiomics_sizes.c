/* SPDX-License-Identifier: Apache-2.0 */
/* radiomics_sizes - runs, zones and dependence counts: matrices of grey level by size, described in one way.
 */
#include "imaging/radiomics_parts.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum {
    RUN = NEP_RADIOMICS_glrlm_short_run_emphasis,
    ZONE = NEP_RADIOMICS_glszm_small_zone_emphasis,
    DEPENDENCE = NEP_RADIOMICS_gldm_small_dependence_emphasis,
    N_FEATURES = 16,
    MOST_DEPENDENT = 27
};

/* Pairs of level and size with their counts. */
typedef struct {
    int64_t level, size;
    double count;
} cell;

/* Adds up cells sorted by nothing; by_level [levels + 1] and by_size [largest size + 1] are scratch. voxels:
 * those that could have been sizes of their own. Written in the order of NEP_RADIOMICS_SIZES. */
static void describe(const cell *c, int64_t n, double *by_level, int64_t n_levels, double *by_size,
                     int64_t n_sizes, double voxels, double *out)
{
    double total = 0, level_mean = 0, size_mean = 0;
    memset(by_level, 0, (size_t)(n_levels + 1) * sizeof *by_level);
    memset(by_size, 0, (size_t)(n_sizes + 1) * sizeof *by_size);
    memset(out, 0, N_FEATURES * sizeof *out);
    for (int64_t k = 0; k < n; k++) {
        total += c[k].count;
        by_level[c[k].level] += c[k].count;
        by_size[c[k].size] += c[k].count;
        level_mean += c[k].count * (double)c[k].level;
        size_mean += c[k].count * (double)c[k].size;
    }
    level_mean /= total;
    size_mean /= total;
    for (int64_t k = 0; k < n; k++) {
        const double p = c[k].count / total, g = (double)c[k].level, s = (double)c[k].size, gg = g * g,
                     ss = s * s;
        out[0] += p / ss;
        out[1] += p * ss;
        out[2] += p / gg;
        out[3] += p * gg;
        out[4] += p / (ss * gg);
        out[5] += p * gg / ss;
        out[6] += p * ss / gg;
        out[7] += p * ss * gg;
        out[13] += p * (g - level_mean) * (g - level_mean);
        out[14] += p * (s - size_mean) * (s - size_mean);
        out[15] += nep_radiomics_bits(p);
    }
    for (int64_t k = 1; k <= n_levels; k++)
        out[8] += by_level[k] * by_level[k] / total;
    for (int64_t k = 1; k <= n_sizes; k++)
        out[10] += by_size[k] * by_size[k] / total;
    out[9] = out[8] / total;
    out[11] = out[10] / total;
    out[12] = total / voxels;
}

/* Matrix [levels, sizes] to cells, and back to zeros. */
static int64_t gather(double *matrix, int64_t n_levels, int64_t n_sizes, cell *c)
{
    int64_t n = 0;
    for (int64_t g = 0; g < n_levels; g++)
        for (int64_t s = 0; s < n_sizes; s++)
            if (matrix[g * n_sizes + s] > 0) {
                c[n++] = (cell){g + 1, s + 1, matrix[g * n_sizes + s]};
                matrix[g * n_sizes + s] = 0;
            }
    return n;
}

static void count_runs(const nep_radiomics_region *r, int64_t step, int64_t n_sizes, double *matrix)
{
    for (int64_t k = 0; k < r->n; k++) {
        const int64_t at = r->at[k], level = r->level[at];
        int64_t length = 1;
        if (r->level[at - step] == level)
            continue; /* not a run's first voxel */
        while (r->level[at + length * step] == level)
            length++;
        matrix[(level - 1) * n_sizes + length - 1]++;
    }
}

/* What a thread works in: the matrix, its cells, their margins. */
typedef struct {
    double *matrix, *by;
    cell *c;
} run_room;

static void describe_runs(const nep_radiomics_region *r, int64_t n_sizes, double voxels, run_room *m,
                          double *out)
{
    const int64_t cells = gather(m->matrix, r->n_levels, n_sizes, m->c);
    describe(m->c, cells, m->by, r->n_levels, m->by + r->n_levels + 1, n_sizes, voxels, out);
}

static int64_t longest_side(const nep_radiomics_region *r)
{
    int64_t most = r->side[0];
    for (int a = 1; a < 3; a++)
        most = r->side[a] > most ? r->side[a] : most;
    return most - 2; /* the rim is none of it */
}

static nep_status runs(nep_ctx *ctx, const nep_radiomics_region *r, bool merge, double *out)
{
    const int64_t n_sizes = longest_side(r), n = r->n_levels * n_sizes, margins = r->n_levels + n_sizes + 2;
    const int threads = merge ? 1 : nep_radiomics_threads(ctx, r);
    double *matrix = NULL, *by = NULL, total[N_FEATURES] = {0}, one[NEP_RADIOMICS_DIRECTIONS][N_FEATURES];
    cell *c = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, threads * n, sizeof *matrix, "runs", &matrix));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, threads * n, sizeof *c, "runs", &c));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, threads * margins, sizeof *by, "runs", &by));
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads) if (threads > 1)
    for (int d = 0; d < NEP_RADIOMICS_DIRECTIONS; d++) {
        const int t = omp_get_thread_num();
        run_room own = {matrix + t * n, by + t * margins, c + t * n};
        count_runs(r, r->step[d], n_sizes, own.matrix);
        if (!merge)
            describe_runs(r, n_sizes, (double)r->n, &own, one[d]);
    }
    if (merge)
        describe_runs(r, n_sizes, (double)r->n * NEP_RADIOMICS_DIRECTIONS, &(run_room){matrix, by, c}, total);
    for (int d = 0; d < NEP_RADIOMICS_DIRECTIONS && !merge; d++)
        for (int k = 0; k < N_FEATURES; k++)
            total[k] += one[d][k] / NEP_RADIOMICS_DIRECTIONS;
    memcpy(out + RUN, total, sizeof total);
done:
    nep_alloc_free(by);
    nep_alloc_free(c);
    nep_alloc_free(matrix);
    return st;
}

static int by_level_and_size(const void *a, const void *b)
{
    const cell *x = a, *y = b;
    return x->level != y->level ? (x->level > y->level) - (x->level < y->level)
                                : (x->size > y->size) - (x->size < y->size);
}

/* Equal cells become one. */
static int64_t merge_cells(cell *c, int64_t n)
{
    int64_t kept = 0;
    qsort(c, (size_t)n, sizeof *c, by_level_and_size);
    for (int64_t k = 0; k < n; k++)
        if (kept > 0 && by_level_and_size(&c[kept - 1], &c[k]) == 0)
            c[kept - 1].count += c[k].count;
        else
            c[kept++] = c[k];
    return kept;
}

/* The zone of equal level, 26 neighbours, around `start`; its voxels lose their level. */
static int64_t fill_zone(const int64_t *near, int64_t start, int16_t *level, int64_t *stack)
{
    const int16_t own = level[start];
    int64_t top = 0, size = 0;
    stack[top++] = start;
    level[start] = 0;
    while (top > 0) {
        const int64_t at = stack[--top];
        size++;
        for (int d = 0; d < 2 * NEP_RADIOMICS_DIRECTIONS; d++) {
            const int64_t next = at + near[d];
            if (level[next] == own) {
                level[next] = 0;
                stack[top++] = next;
            }
        }
    }
    return size;
}

static nep_status zones(nep_ctx *ctx, const nep_radiomics_region *r, double *out)
{
    int64_t *stack = NULL, near[2 * NEP_RADIOMICS_DIRECTIONS], n = 0;
    int16_t *level = NULL;
    double *by = NULL;
    cell *c = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, r->n, sizeof *stack, "zones", &stack));
    NEP_TRY_OR_DONE(st, nep_alloc_copy(ctx, r->level, r->n_box, sizeof *level, "zones", &level));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, r->n, sizeof *c, "zones", &c));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, r->n_levels + r->n + 2, sizeof *by, "zones", &by));
    for (int d = 0; d < NEP_RADIOMICS_DIRECTIONS; d++) {
        near[2 * d] = r->step[d];
        near[2 * d + 1] = -r->step[d];
    }
    for (int64_t k = 0; k < r->n; k++)
        if (level[r->at[k]] > 0)
            c[n++] = (cell){r->level[r->at[k]], fill_zone(near, r->at[k], level, stack), 1};
    n = merge_cells(c, n);
    describe(c, n, by, r->n_levels, by + r->n_levels + 1, r->n, (double)r->n, out + ZONE);
done:
    nep_alloc_free(by);
    nep_alloc_free(c);
    nep_alloc_free(level);
    nep_alloc_free(stack);
    return st;
}

/* How many of a voxel and its 26 neighbours have its level. */
static nep_status dependences(nep_ctx *ctx, const nep_radiomics_region *r, double *out)
{
    const int64_t n = r->n_levels * MOST_DEPENDENT;
    double *matrix = NULL, *by = NULL, energy = 0;
    cell *c = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *matrix, "dependences", &matrix));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *c, "dependences", &c));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, r->n_levels + MOST_DEPENDENT + 2, sizeof *by, "dependences", &by));
    for (int64_t k = 0; k < r->n; k++) {
        const int64_t at = r->at[k];
        int same = 0;
        for (int d = 0; d < NEP_RADIOMICS_DIRECTIONS; d++)
            same += (r->level[at + r->step[d]] == r->level[at]) + (r->level[at - r->step[d]] == r->level[at]);
        matrix[(r->level[at] - 1) * MOST_DEPENDENT + same]++;
    }
    const int64_t cells = gather(matrix, r->n_levels, MOST_DEPENDENT, c);
    describe(c, cells, by, r->n_levels, by + r->n_levels + 1, MOST_DEPENDENT, (double)r->n, out + DEPENDENCE);
    for (int64_t k = 0; k < cells; k++)
        energy += c[k].count * c[k].count / ((double)r->n * (double)r->n);
    out[NEP_RADIOMICS_gldm_dependence_energy] = energy;
done:
    nep_alloc_free(by);
    nep_alloc_free(c);
    nep_alloc_free(matrix);
    return st;
}

nep_status nep_radiomics_sizes(nep_ctx *ctx, const nep_radiomics_region *r, const nep_radiomics_opts *o,
                               double *out)
{
    NEP_TRY(runs(ctx, r, o->merge, out));
    NEP_TRY(zones(ctx, r, out));
    return dependences(ctx, r, out);
}
