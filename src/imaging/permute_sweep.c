/* SPDX-License-Identifier: Apache-2.0 */
/* permute_sweep - runs the shuffles: statistics by GEMM in batches, their largest values and counts kept, the maps not.
 *
 * When the largest |t| is all that is asked for, tiles of columns are the outer loop and the op keeps maxima and counts alone.
 * Clusters, TFCE, F and one-sided t need whole maps: batches of shuffles are the outer loop, and at most 64 maps are held. */
#include "imaging/permute_parts.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <nepenthe/backend.h>
#include <nepenthe/math/tstat.h>

enum { TILE_COLS = 32768, MOST_SHUFFLES = 1024, MOST_MAPS = 64 }; /* no result depends on them: maxima and counts are exact */
enum { MAPS_BYTES = 256 << 20, BASIS_BYTES = 32 << 20, SAVE_S = 30 };

typedef struct {
    nep_ctx *ctx;
    nep_permute_job *j;
    nep_permute_result *r;
    nep_hash key;
    time_t began, saved;
    int64_t steps;
} sweep;

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- checkpoint -------------------------------------------------------------------------------------------------- */

/* Hash of all that the tally depends on. */
static nep_status make_key(sweep *s)
{
    const nep_permute_job *j = s->j;
    const nep_permute_model *m = j->model;
    const nep_permute_opts *o = j->o;
    char text[1200];
    const int64_t voxels = o->dims ? o->dims[0] * o->dims[1] * o->dims[2] : 0;
    const struct {
        const void *bytes;
        size_t n;
    } parts[] = {{j->columns.y, (size_t)(m->n * j->columns.n_cols) * sizeof *j->columns.y},
                 {m->x, (size_t)(m->n * m->p) * sizeof *m->x},
                 {m->weight, (size_t)(m->rows * m->p) * sizeof *m->weight},
                 {m->block, m->block ? (size_t)m->n * sizeof *m->block : 0},
                 {o->inside, o->inside ? (size_t)voxels * sizeof *o->inside : 0}};
    int used = snprintf(text, sizeof text, "permute 1 %s %lld %lld %lld %lld %d %d %d %u %d %llu %llu %lld %a %d %a %a %lld %lld %lld", NEP_VERSION,
                        (long long)m->n, (long long)m->p, (long long)m->rows, (long long)j->columns.n_cols, m->f, m->whole, (int)m->shuffle,
                        j->statistics, j->positive, (unsigned long long)j->scheme.seed, (unsigned long long)o->stream,
                        (long long)j->scheme.count, o->forming, o->connectivity, o->tfce_e, o->tfce_h, o->dims ? (long long)o->dims[0] : 0,
                        o->dims ? (long long)o->dims[1] : 0, o->dims ? (long long)o->dims[2] : 0);
    for (int i = 0; i < NEP_LEN(parts); i++) {
        const nep_hash own = nep_hash_bytes(parts[i].n ? parts[i].bytes : "", parts[i].n);
        used += snprintf(text + used, sizeof text - (size_t)used, " %s", own.hex);
    }
    s->key = nep_hash_bytes(text, (size_t)used);
    return NEP_OK;
}

static nep_status resume(sweep *s)
{
    const nep_permute_opts *o = s->j->o;
    nep_permute_tally *t = &s->j->tally;
    bool found = false;
    s->began = s->saved = time(NULL);
    if (!o->checkpoint)
        return NEP_OK;
    NEP_TRY(make_key(s));
    if (!o->resume)
        return NEP_OK;
    NEP_TRY(nep_checkpoint_load(s->ctx, o->checkpoint, &s->key, t->done, t->bytes, &found));
    if (!found)
        nep_warn(s->ctx, "permute: no checkpoint of these data and options at '%s': starting from the first shuffle", o->checkpoint);
    s->r->resumed = s->steps > 0 ? *t->done * s->j->scheme.count / s->steps : 0;
    return NEP_OK;
}

/* After a step that ended with `st`: counts it, saves from time to time, and when interrupted. */
static nep_status step_done(sweep *s, nep_status st)
{
    const nep_permute_opts *o = s->j->o;
    nep_permute_tally *t = &s->j->tally;
    if (st == NEP_OK) {
        ++*t->done;
        nep_progress_step(s->ctx, *t->done);
    }
    const time_t since = *t->done < s->steps ? s->saved : s->began; /* a long test keeps its end too */
    const bool stopped = st == NEP_E_INTERRUPTED, due = st == NEP_OK && time(NULL) - since >= SAVE_S;
    if (!o->checkpoint || !(stopped || due))
        return st;
    if (stopped)
        nep_ctx_clear(s->ctx);
    NEP_TRY(nep_checkpoint_save(s->ctx, o->checkpoint, &s->key, t->done, t->bytes));
    s->saved = time(NULL);
    NEP_REQUIRE(s->ctx, !stopped, NEP_E_REQUEUE, "permute: interrupted after %lld of %lld steps, which '%s' keeps; run again and resume",
                (long long)*t->done, (long long)s->steps, o->checkpoint);
    return NEP_OK;
}

/* ---- the largest |t| alone --------------------------------------------------------------------------------------- */

typedef struct {
    double *e;     /* residuals of a tile of columns */
    double *basis; /* shuffled bases of a batch */
    double *most, *observed;
    int64_t batch; /* shuffles at a time */
} t_scratch;

static void t_scratch_free(t_scratch *t)
{
    nep_alloc_free(t->e);
    nep_alloc_free(t->basis);
    nep_alloc_free(t->most);
    nep_alloc_free(t->observed);
}

/* Shuffled bases of as many shuffles as fit. */
static int64_t batch_of(const nep_permute_job *j)
{
    const nep_permute_basis *b = &j->basis;
    const int64_t fits = BASIS_BYTES / ((b->r + b->k) * b->n * (int64_t)sizeof *b->basis);
    return fits < 16 ? 16 : least(fits, MOST_SHUFFLES);
}

static nep_status t_scratch_make(nep_ctx *ctx, const nep_permute_job *j, int64_t cols, t_scratch *t)
{
    const nep_permute_basis *b = &j->basis;
    t->batch = batch_of(j);
    NEP_TRY(nep_alloc(ctx, b->n * cols, sizeof *t->e, "permute: residuals", &t->e));
    NEP_TRY(nep_alloc(ctx, t->batch * (b->r + b->k) * b->n, sizeof *t->basis, "permute: shuffled designs", &t->basis));
    NEP_TRY(nep_alloc(ctx, t->batch, sizeof *t->most, "permute: maxima", &t->most));
    return nep_alloc(ctx, cols, sizeof *t->observed, "permute: observed", &t->observed);
}

static void shuffle_bases(nep_permute_job *j, int64_t first, int64_t many, double *out)
{
    for (int64_t i = 0; i < many; i++)
        nep_permute_scheme_apply(&j->scheme, &j->basis, first + i, out + i * (j->basis.r + j->basis.k) * j->basis.n);
}

/* Shuffles first .. first + many on a tile of columns. The op takes the degrees of freedom from the rows it sees: nuisance that
 * stays in place is not among them, so that its t are those of the model times `larger`. */
static nep_status t_step(sweep *s, t_scratch *t, int64_t col, int64_t cols, int64_t first)
{
    nep_permute_job *j = s->j;
    const nep_permute_basis *b = &j->basis;
    const double larger = sqrt((double)(b->n - b->k - 1) / b->df);
    const int64_t many = least(t->batch, j->scheme.count - first);
    double *most = j->tally.most[NEP_PERMUTE_STAT] + first;
    NEP_TRY(nep_ctx_check(s->ctx));
    for (int64_t c = 0; c < cols; c++)
        t->observed[c] = s->r->stat[col + c] * larger;
    shuffle_bases(j, first, many, t->basis);
    NEP_TRY(nep_backend_permute_t(s->ctx, t->e, b->n, cols, t->basis, many, b->k, t->observed, t->most, j->tally.reached + col, NULL));
    for (int64_t i = 0; i < many; i++)
        most[i] = fmax(most[i], t->most[i] / larger);
    return NEP_OK;
}

static nep_status run_t(sweep *s)
{
    nep_permute_job *j = s->j;
    const int64_t n_cols = j->columns.n_cols, widest = least(TILE_COLS, n_cols);
    const int64_t batch = batch_of(j), batches = (j->scheme.count + batch - 1) / batch, tiles = (n_cols + widest - 1) / widest;
    t_scratch t = {0};
    nep_status st;
    s->steps = tiles * batches;
    NEP_TRY_OR_DONE(st, t_scratch_make(s->ctx, j, widest, &t));
    NEP_TRY_OR_DONE(st, resume(s));
    nep_progress_open(s->ctx, "permute", s->steps);
    for (int64_t tile = 0; tile < tiles; tile++) {
        const int64_t col = tile * widest, cols = least(widest, n_cols - col);
        NEP_TRY_OR_DONE(st, nep_permute_columns_fit(s->ctx, &j->basis, &j->columns, col, cols, t.e, s->r));
        for (int64_t b = 0; b < batches; b++)
            if (*j->tally.done <= tile * batches + b)
                NEP_TRY_OR_DONE(st, step_done(s, t_step(s, &t, col, cols, b * batch)));
    }
done:
    nep_progress_close(s->ctx);
    t_scratch_free(&t);
    return st;
}

/* ---- whole maps -------------------------------------------------------------------------------------------------- */

typedef struct {
    int threads;
    int64_t batch;   /* maps at a time */
    int64_t tile;    /* columns whose residuals are held; all when they fit */
    double *e, *basis;
    double *maps;    /* [batch, n_cols] */
    double *part;    /* [batch, tile], when a tile is not all */
    nep_tfce **tfce; /* [threads] or NULL */
    double *score;   /* [threads, n_cols] */
    nep_permute_clusters *clusters; /* [threads] or NULL */
} map_scratch;

static void map_scratch_free(map_scratch *m)
{
    for (int i = 0; i < m->threads; i++) {
        if (m->tfce)
            nep_tfce_free(m->tfce[i]);
        if (m->clusters)
            nep_permute_clusters_free(&m->clusters[i]);
    }
    void *const parts[] = {m->e, m->basis, m->maps, m->part, m->tfce, m->score, m->clusters};
    for (int i = 0; i < NEP_LEN(parts); i++)
        nep_alloc_free(parts[i]);
}

static nep_status open_neighbours(nep_ctx *ctx, const nep_permute_job *j, map_scratch *m)
{
    const nep_permute_opts *o = j->o;
    const nep_tfce_opts tfce = {.e = o->tfce_e, .h = o->tfce_h, .connectivity = o->connectivity, .voxel_mm3 = 1.0, .two_sided = !j->positive};
    if (j->statistics & NEP_PERMUTE_TFCE) {
        NEP_TRY(nep_alloc(ctx, m->threads, sizeof *m->tfce, "permute: TFCE", &m->tfce));
        NEP_TRY(nep_alloc(ctx, m->threads * j->columns.n_cols, sizeof *m->score, "permute: TFCE", &m->score));
        for (int i = 0; i < m->threads; i++)
            NEP_TRY(nep_tfce_open(ctx, o->dims, o->inside, &tfce, &m->tfce[i]));
    }
    if (j->statistics & (NEP_PERMUTE_CLUSTER_SIZE | NEP_PERMUTE_CLUSTER_MASS)) {
        NEP_TRY(nep_alloc(ctx, m->threads, sizeof *m->clusters, "permute: clusters", &m->clusters));
        for (int i = 0; i < m->threads; i++)
            NEP_TRY(nep_permute_clusters_open(ctx, o, j->positive, &m->clusters[i]));
    }
    return NEP_OK;
}

static nep_status map_scratch_make(nep_ctx *ctx, const nep_permute_job *j, map_scratch *m)
{
    const nep_permute_basis *b = &j->basis;
    const int64_t n_cols = j->columns.n_cols, fits = MAPS_BYTES / (n_cols * (int64_t)sizeof *m->maps);
    const int64_t free_bytes = nep_alloc_budget(ctx) - nep_alloc_used(ctx);
    m->threads = nep_ctx_threads(ctx);
    m->batch = fits < 1 ? 1 : least(least(fits, MOST_MAPS), j->scheme.count > 0 ? j->scheme.count : 1);
    m->tile = b->n * n_cols * (int64_t)sizeof *m->e <= free_bytes / 4 ? n_cols : least(TILE_COLS, n_cols);
    NEP_TRY(nep_alloc(ctx, b->n * m->tile, sizeof *m->e, "permute: residuals", &m->e));
    NEP_TRY(nep_alloc(ctx, m->batch * (b->r + b->k) * b->n, sizeof *m->basis, "permute: shuffled designs", &m->basis));
    NEP_TRY(nep_alloc(ctx, m->batch * n_cols, sizeof *m->maps, "permute: maps", &m->maps));
    if (m->tile < n_cols)
        NEP_TRY(nep_alloc(ctx, m->batch * m->tile, sizeof *m->part, "permute: maps", &m->part));
    return open_neighbours(ctx, j, m);
}

/* The op gives t for one tested direction; an F test of one row wants its square. */
static void to_f(const nep_permute_job *j, double *x, int64_t n)
{
    for (int64_t i = 0; j->model->f && j->basis.r == 1 && i < n; i++)
        x[i] *= x[i];
}

/* Statistics of shuffles first .. first + many. */
static nep_status fill_maps(sweep *s, map_scratch *m, int64_t first, int64_t many)
{
    nep_permute_job *j = s->j;
    const nep_permute_basis *b = &j->basis;
    const int64_t n_cols = j->columns.n_cols;
    shuffle_bases(j, first, many, m->basis);
    for (int64_t col = 0; col < n_cols; col += m->tile) {
        const int64_t cols = least(m->tile, n_cols - col);
        double *const out = m->part ? m->part : m->maps;
        if (m->part)
            NEP_TRY(nep_permute_columns_fit(s->ctx, b, &j->columns, col, cols, m->e, NULL));
        NEP_TRY(nep_backend_permute_maps(s->ctx, m->e, b->n, cols, m->basis, many, b->r, b->k, b->df, out));
        to_f(j, out, many * cols);
        for (int64_t i = 0; m->part && i < many; i++)
            memcpy(m->maps + i * n_cols + col, m->part + i * cols, (size_t)cols * sizeof *out);
    }
    return NEP_OK;
}

static double extremity(double x, bool positive)
{
    return positive ? x : fabs(x);
}

/* Adds, per column, how many of the maps reach its own value. */
static void count_reached(sweep *s, const map_scratch *m, int64_t many, const double *own, int64_t *reached)
{
    const int64_t n_cols = s->j->columns.n_cols;
    const bool positive = s->j->positive;
#pragma omp parallel for schedule(static) num_threads(m->threads)
    for (int64_t v = 0; v < n_cols; v++) {
        const double bound = extremity(own[v], positive) - NEP_PERMUTE_TIE * fabs(own[v]);
        int64_t hits = 0;
        for (int64_t i = 0; i < many; i++)
            hits += extremity(m->maps[i * n_cols + v], positive) >= bound;
        reached[v] += isnan(own[v]) ? 0 : hits;
    }
}

/* Largest values of map i of the batch; the map becomes its TFCE when that is asked for. */
static void measure_map(const nep_permute_job *j, const map_scratch *m, int64_t i, int64_t number)
{
    const int64_t n_cols = j->columns.n_cols;
    const int me = omp_get_thread_num();
    double *map = m->maps + i * n_cols, most = j->positive ? -(double)INFINITY : 0.0;
    double *const *all = j->tally.most;
    for (int64_t v = 0; v < n_cols; v++) {
        most = fmax(most, extremity(map[v], j->positive)); /* passes over NaN */
        map[v] = isnan(map[v]) ? 0.0 : map[v];             /* in no cluster */
    }
    all[NEP_PERMUTE_STAT][number] = most;
    if (m->clusters) {
        double size, mass;
        nep_permute_clusters_most(&m->clusters[me], map, &size, &mass);
        if (all[NEP_PERMUTE_SIZE])
            all[NEP_PERMUTE_SIZE][number] = size;
        if (all[NEP_PERMUTE_MASS])
            all[NEP_PERMUTE_MASS][number] = mass;
    }
    if (m->tfce) {
        double *score = m->score + me * n_cols;
        nep_tfce_run(m->tfce[me], map, score);
        most = 0.0;
        for (int64_t v = 0; v < n_cols; v++)
            most = fmax(most, fabs(score[v]));
        all[NEP_PERMUTE_SCORE][number] = most;
        memcpy(map, score, (size_t)n_cols * sizeof *map);
    }
}

static nep_status map_step(sweep *s, map_scratch *m, int64_t first)
{
    nep_permute_job *j = s->j;
    const int64_t many = least(m->batch, j->scheme.count - first);
    NEP_TRY(nep_ctx_check(s->ctx));
    NEP_TRY(fill_maps(s, m, first, many));
    count_reached(s, m, many, s->r->stat, j->tally.reached);
#pragma omp parallel for schedule(dynamic, 1) num_threads(m->threads)
    for (int64_t i = 0; i < many; i++)
        measure_map(j, m, i, first + i);
    if (m->tfce)
        count_reached(s, m, many, s->r->tfce, j->tally.reached_score);
    return NEP_OK;
}

/* TFCE of the data themselves. */
static void observe(sweep *s, map_scratch *m)
{
    nep_permute_result *r = s->r;
    double *map = m->maps;
    if (!m->tfce)
        return;
    for (int64_t v = 0; v < r->n_cols; v++)
        map[v] = isnan(r->stat[v]) ? 0.0 : r->stat[v];
    nep_tfce_run(m->tfce[0], map, r->tfce);
    for (int64_t v = 0; v < r->n_cols; v++)
        r->tfce[v] = isnan(r->stat[v]) ? (double)NAN : r->tfce[v];
}

static nep_status run_maps(sweep *s)
{
    nep_permute_job *j = s->j;
    const int64_t n_cols = j->columns.n_cols;
    map_scratch m = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, map_scratch_make(s->ctx, j, &m));
    for (int64_t col = 0; col < n_cols; col += m.tile)
        NEP_TRY_OR_DONE(st, nep_permute_columns_fit(s->ctx, &j->basis, &j->columns, col, least(m.tile, n_cols - col), m.e, s->r));
    observe(s, &m);
    s->steps = (j->scheme.count + m.batch - 1) / m.batch;
    NEP_TRY_OR_DONE(st, resume(s));
    nep_progress_open(s->ctx, "permute", s->steps);
    for (int64_t b = *j->tally.done; b < s->steps; b++)
        NEP_TRY_OR_DONE(st, step_done(s, map_step(s, &m, b * m.batch)));
done:
    nep_progress_close(s->ctx);
    map_scratch_free(&m);
    return st;
}

nep_status nep_permute_sweep(nep_ctx *ctx, nep_permute_job *j, nep_permute_result *r)
{
    sweep s = {.ctx = ctx, .j = j, .r = r};
    const bool t_alone = r->effect && !j->positive && j->statistics == NEP_PERMUTE_MAX_T;
    return t_alone ? run_t(&s) : run_maps(&s);
}

/* ---- chosen columns ---------------------------------------------------------------------------------------------- */

nep_status nep_permute_sweep_columns(nep_ctx *ctx, nep_permute_job *j, const int64_t *column, int64_t count, double *null)
{
    const nep_permute_basis *b = &j->basis;
    const int64_t shuffles = j->scheme.count, batch = batch_of(j);
    double *e = NULL, *basis = NULL, *out = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, b->n * count, sizeof *e, "permute: residuals", &e));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, batch * (b->r + b->k) * b->n, sizeof *basis, "permute: shuffled designs", &basis));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, batch * count, sizeof *out, "permute: statistics", &out));
    NEP_TRY_OR_DONE(st, nep_permute_columns_pick(ctx, b, &j->columns, column, count, e));
    for (int64_t first = 0; first < shuffles; first += batch) {
        const int64_t many = least(batch, shuffles - first);
        shuffle_bases(j, first, many, basis);
        NEP_TRY_OR_DONE(st, nep_backend_permute_maps(ctx, e, b->n, count, basis, many, b->r, b->k, b->df, out));
        to_f(j, out, many * count);
        for (int64_t i = 0; i < many; i++)
            for (int64_t c = 0; c < count; c++)
                null[c * shuffles + first + i] = extremity(out[i * count + c], j->positive);
    }
done:
    nep_alloc_free(out);
    nep_alloc_free(basis);
    nep_alloc_free(e);
    return st;
}
