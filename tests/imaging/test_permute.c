/* SPDX-License-Identifier: Apache-2.0 */
/* Permutation inference against every shuffle refitted, nilearn, and what must not change p. */
#include <nepenthe/backend.h>
#include <nepenthe/permute.h>
#include <unistd.h>

#include "brainmap/book.h"

#define BOOK TEST_GOLDEN("permute.tsv")

typedef struct {
    int n, cols, p, rows;
    float *y;
    double *x, *c, *block_read;
    int32_t *block;
    nep_permute_model m;
} data;

static char *const names[] = {"a", "b", "c", "d", "e", "f"};

static float *as_float(const double *x, int n)
{
    float *out = calloc((size_t)n, sizeof *out);
    for (int i = 0; i < n; i++)
        out[i] = (float)x[i];
    return out;
}

static double *part(const char *name, const char *what, int *rows, int *cols)
{
    char key[64];
    snprintf(key, sizeof key, "%s_%s", name, what);
    return book_read(BOOK, key, rows, cols);
}

static data data_read(const char *name, bool blocks)
{
    data d = {0};
    double *y = part(name, "y", &d.n, &d.cols);
    d.y = as_float(y, d.n * d.cols);
    free(y);
    d.x = part(name, "x", NULL, &d.p);
    d.c = part(name, "c", &d.rows, NULL);
    if (blocks) {
        double *b = part(name, "block", NULL, NULL);
        d.block = calloc((size_t)d.n, sizeof *d.block);
        for (int i = 0; i < d.n; i++)
            d.block[i] = (int32_t)b[i];
        free(b);
    }
    d.m = (nep_permute_model){.n = d.n, .p = d.p, .x = d.x, .columns = names, .contrast = "test", .rows = d.rows, .weight = d.c, .block = d.block};
    return d;
}

static void data_free(data *d)
{
    free(d->y);
    free(d->x);
    free(d->c);
    free(d->block);
}

/* ---- every shuffle --------------------------------------------------------------------------------------------- */

static void test_every_shuffle(void **state)
{
    static const struct {
        const char *name;
        bool blocks, whole, positive, both;
    } cases[] = {{"mean", 0, 0, 0, 0},      {"mean_positive", 0, 0, 1, 0}, {"mean_age", 0, 0, 0, 0}, {"groups", 0, 0, 0, 0},
                 {"covariate", 0, 0, 0, 0}, {"slope", 0, 0, 0, 0},         {"paired", 1, 0, 0, 0},   {"within", 1, 0, 0, 0},
                 {"whole", 1, 1, 0, 0},     {"whole_signs", 1, 1, 0, 0},   {"f", 0, 0, 0, 0},        {"both", 0, 0, 0, 1}};
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    for (int i = 0; i < NEP_LEN(cases); i++) {
        data d = data_read(cases[i].name, cases[i].blocks);
        const nep_permute_opts o = {.n_perm = 10000, .positive = cases[i].positive};
        nep_permute_result r = {0};
        double *count = part(cases[i].name, "count", NULL, NULL), *p = part(cases[i].name, "p_fwe", NULL, NULL);
        double *t = part(cases[i].name, "t_effect_se", NULL, NULL);
        d.m.whole = cases[i].whole;
        d.m.shuffle = cases[i].both ? NEP_PERMUTE_BOTH : NEP_PERMUTE_AUTO;
        assert_ok(ctx, nep_permute_run(ctx, d.y, d.cols, &d.m, &o, &r));
        if (!r.exhaustive || r.n_shuffles != (int64_t)count[0])
            fail_msg("%s: %lld shuffles, want %g", cases[i].name, (long long)r.n_shuffles, count[0]);
        for (int v = 0; v < d.cols; v++) {
            assert_near(r.stat[v], t[v], 1e-10);
            if (d.rows == 1) {
                assert_near(r.effect[v], t[d.cols + v], 1e-10);
                assert_near(r.se[v], t[2 * d.cols + v], 1e-10);
            }
            assert_near(r.p[v], p[v], 1e-15);
            assert_near(r.p_fwe[v], p[d.cols + v], 1e-15);
        }
        assert_true(r.df == d.n - d.p && (r.rows > 0) == (d.rows > 1));
        free(count);
        free(p);
        free(t);
        nep_permute_free(&r);
        data_free(&d);
    }
    nep_ctx_free(ctx);
}

/* The smallest case by hand: y = 1, 2, 3 has the mean 2 and t = 2 / sqrt(1 / 3); of the 8 signs only the two equal ones reach it. */
static void test_three_signs(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    const double x[] = {1, 1, 1}, c[] = {1};
    const float y[] = {1, 2, 3};
    const nep_permute_model m = {.n = 3, .p = 1, .x = x, .columns = names, .contrast = "mean", .rows = 1, .weight = c};
    nep_permute_result r = {0};
    assert_ok(ctx, nep_permute_run(ctx, y, 1, &m, NULL, &r));
    assert_near(r.stat[0], 2 * sqrt(3), 1e-14);
    assert_near(r.effect[0], 2, 1e-14);
    assert_near(r.se[0], 1 / sqrt(3), 1e-14);
    assert_true(r.signs && !r.exchange && r.exhaustive && r.n_shuffles == 8 && r.p[0] == 0.25 && r.p_fwe[0] == 0.25);
    assert_int_equal(nep_warn_count(ctx), 1); /* 8 shuffles: no p below 1/8 */
    nep_permute_free(&r);
    nep_ctx_free(ctx);
}

static void test_f_of_one_row_is_t_squared(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    data d = data_read("groups", false);
    nep_permute_result t = {0}, f = {0};
    assert_ok(ctx, nep_permute_run(ctx, d.y, d.cols, &d.m, NULL, &t));
    d.m.f = true;
    assert_ok(ctx, nep_permute_run(ctx, d.y, d.cols, &d.m, NULL, &f));
    assert_true(f.rows == 1 && t.rows == 0 && !f.effect);
    for (int v = 0; v < d.cols; v++) {
        assert_near(f.stat[v], t.stat[v] * t.stat[v], 1e-12);
        assert_true(f.p[v] == t.p[v] && f.p_fwe[v] == t.p_fwe[v]);
    }
    nep_permute_free(&t);
    nep_permute_free(&f);
    data_free(&d);
    nep_ctx_free(ctx);
}

/* ---- a grid ---------------------------------------------------------------------------------------------------- */

enum { NX = 5, NY = 4, NZ = 3, VOXELS = NX * NY * NZ };
static const int64_t dims[3] = {NX, NY, NZ};

static nep_permute_opts grid_opts(bool inside[VOXELS])
{
    nep_permute_opts o = NEP_PERMUTE_DEFAULTS;
    double *read = book_read(BOOK, "grid_inside", NULL, NULL);
    for (int v = 0; v < VOXELS; v++)
        inside[v] = read[v] != 0;
    free(read);
    o.statistics = NEP_PERMUTE_CLUSTER_SIZE | NEP_PERMUTE_CLUSTER_MASS | NEP_PERMUTE_TFCE;
    o.dims = dims;
    o.inside = inside;
    o.forming = 2.0;
    return o;
}

static void test_clusters_and_tfce(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    data d = data_read("grid", false);
    bool inside[VOXELS];
    const nep_permute_opts o = grid_opts(inside);
    nep_permute_result r = {0};
    int n = 0;
    double *want = book_read(BOOK, "grid_clusters", &n, NULL), *tfce = book_read(BOOK, "grid_tfce", NULL, NULL);
    double *p = book_read(BOOK, "grid_p_fwe", NULL, NULL);
    assert_ok(ctx, nep_permute_run(ctx, d.y, d.cols, &d.m, &o, &r));
    assert_int_equal(r.n_clusters, n);
    int64_t labelled = 0, sizes = 0;
    for (int k = 0; k < n; k++) {
        const nep_permute_cluster *c = &r.clusters[k];
        int match = 0; /* clusters of one size may stand in another order */
        for (int i = 0; i < n; i++)
            match += test_close((double)c->size, want[5 * i], 0) && test_close(c->mass, want[5 * i + 1], 1e-10) &&
                     test_close(fabs(r.stat[c->peak]), want[5 * i + 2], 1e-10) && test_close(c->p_size, want[5 * i + 3], 1e-15) &&
                     test_close(c->p_mass, want[5 * i + 4], 1e-15);
        assert_int_equal(match, 1);
        assert_int_equal(r.cluster[c->peak], k + 1);
        sizes += c->size;
    }
    for (int v = 0; v < d.cols; v++) {
        labelled += r.cluster[v] > 0;
        assert_true((r.cluster[v] > 0) == (fabs(r.stat[v]) > 2.0));
        assert_near(r.tfce[v], tfce[v], 1e-10);
        assert_near(r.p_tfce[v], tfce[d.cols + v], 1e-15);
        assert_near(r.p_fwe_tfce[v], tfce[2 * d.cols + v], 1e-15);
        assert_near(r.p[v], p[v], 1e-15); /* the same as from the largest |t| alone */
        assert_near(r.p_fwe[v], p[d.cols + v], 1e-15);
    }
    assert_int_equal(labelled, sizes);
    free(want);
    free(tfce);
    free(p);
    nep_permute_free(&r);
    data_free(&d);
    nep_ctx_free(ctx);
}

/* ---- nilearn --------------------------------------------------------------------------------------------------- */

static void test_meets_nilearn(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    int n, cols;
    double *y = book_read(BOOK, "nilearn_y", &n, &cols), *x = book_read(BOOK, "nilearn_x", NULL, NULL);
    double *want = book_read(BOOK, "nilearn_t_p", NULL, NULL);
    float *data_y = as_float(y, n * cols);
    const double c[] = {1, 0, 0};
    const nep_permute_model m = {.n = n, .p = 3, .x = x, .columns = names, .contrast = "group", .rows = 1, .weight = c};
    nep_permute_result r = {0};
    assert_ok(ctx, nep_permute_run(ctx, data_y, cols, &m, NULL, &r));
    assert_true(r.exchange && !r.signs && !r.exhaustive && r.n_shuffles == 10000);
    for (int v = 0; v < cols; v++) {
        const double p = want[cols + v];
        assert_near(r.stat[v], want[v], 1e-9);
        assert_true(fabs(r.p_fwe[v] - p) < 5 * sqrt(2 * p * (1 - p) / 10000) + 2e-4); /* each from 10,000 draws of its own */
        assert_true(r.p[v] <= r.p_fwe[v]);
    }
    free(y);
    free(x);
    free(want);
    free(data_y);
    nep_permute_free(&r);
    nep_ctx_free(ctx);
}

/* ---- what must not change p ------------------------------------------------------------------------------------ */

enum { N = 15, COLS = VOXELS };

static float noise(uint64_t stream, int64_t i)
{
    return (float)nep_philox_normal(99, stream, (uint64_t)i);
}

/* Two groups with a covariate, an effect in some columns. */
static void make_people(float *y, double *x)
{
    for (int i = 0; i < N; i++) {
        x[3 * i] = 1;
        x[3 * i + 1] = i % 2;
        x[3 * i + 2] = (double)noise(1, i);
        for (int v = 0; v < COLS; v++)
            y[i * COLS + v] = noise(2, i * COLS + v) + (v < 20 ? 1.5f * (float)(i % 2) : 0.0f) + 0.5f * (float)x[3 * i + 2];
    }
}

static nep_permute_model people_model(const double *x, const double *c)
{
    return (nep_permute_model){.n = N, .p = 3, .x = x, .columns = names, .contrast = "group", .rows = 1, .weight = c};
}

static void same_p(const nep_permute_result *a, const nep_permute_result *b)
{
    assert_memory_equal(a->p, b->p, COLS * sizeof *a->p);
    assert_memory_equal(a->p_fwe, b->p_fwe, COLS * sizeof *a->p);
    assert_true((a->tfce != NULL) == (b->tfce != NULL) && a->n_clusters == b->n_clusters);
    if (!a->tfce)
        return;
    assert_memory_equal(a->p_tfce, b->p_tfce, COLS * sizeof *a->p);
    assert_memory_equal(a->p_fwe_tfce, b->p_fwe_tfce, COLS * sizeof *a->p);
    for (int64_t k = 0; k < a->n_clusters; k++)
        assert_true(a->clusters[k].p_size == b->clusters[k].p_size && a->clusters[k].p_mass == b->clusters[k].p_mass);
}

static void test_threads_and_paths(void **state)
{
    (void)state;
    float y[N * COLS];
    double x[3 * N];
    const double c[] = {0, 1, 0};
    make_people(y, x);
    const nep_permute_model m = people_model(x, c);
    nep_permute_opts o = NEP_PERMUTE_DEFAULTS;
    o.n_perm = 300;
    nep_permute_result alone = {0}, first = {0};
    nep_ctx *one = test_ctx(1);
    assert_ok(one, nep_permute_run(one, y, COLS, &m, &o, &alone));
    o.statistics = 15;
    o.dims = dims;
    o.forming = 2.2;
    o.tail = true;
    assert_ok(one, nep_permute_run(one, y, COLS, &m, &o, &first));
    for (int threads = 2; threads <= 5; threads++) {
        nep_ctx *ctx = test_ctx(threads);
        nep_permute_result r = {0};
        assert_ok(ctx, nep_permute_run(ctx, y, COLS, &m, &o, &r));
        same_p(&first, &r);
        assert_true(r.n_tail == first.n_tail && r.n_tail_fwe == first.n_tail_fwe && r.n_tail > 0);
        nep_permute_free(&r);
        o.tail = threads == 4 ? false : o.tail;
        if (threads == 4) { /* counted p of both loops are one */
            assert_ok(ctx, nep_permute_run(ctx, y, COLS, &m, &o, &r));
            assert_memory_equal(r.p, alone.p, sizeof y / N / sizeof *y * sizeof *r.p);
            assert_memory_equal(r.p_fwe, alone.p_fwe, COLS * sizeof *r.p);
            nep_permute_free(&r);
            o.tail = true;
        }
        nep_ctx_free(ctx);
    }
    nep_permute_free(&alone);
    nep_permute_free(&first);
    nep_ctx_free(one);
}

/* Another unit, an added constant, and the covariate's share in y change no p; nor does the order of columns. */
static void test_invariances(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    float y[N * COLS], moved[N * COLS];
    double x[3 * N];
    const double c[] = {0, 1, 0};
    make_people(y, x);
    const nep_permute_model m = people_model(x, c);
    const nep_permute_opts o = {.n_perm = 200};
    nep_permute_result a = {0}, b = {0};
    for (int i = 0; i < N; i++)
        for (int v = 0; v < COLS; v++) {
            y[i * COLS + v] = rintf(y[i * COLS + v] * 64) / 64; /* sums stay exact */
            x[3 * i + 2] = rint(x[3 * i + 2] * 8) / 8;
            moved[i * COLS + COLS - 1 - v] = 4 * y[i * COLS + v] + 100 + 2 * (float)x[3 * i + 2];
        }
    assert_ok(ctx, nep_permute_run(ctx, y, COLS, &m, &o, &a));
    assert_ok(ctx, nep_permute_run(ctx, moved, COLS, &m, &o, &b));
    for (int v = 0; v < COLS; v++) {
        assert_near(a.effect[v] * 4, b.effect[COLS - 1 - v], 1e-10);
        assert_true(a.p[v] == b.p[COLS - 1 - v] && a.p_fwe[v] == b.p_fwe[COLS - 1 - v] && a.p[v] <= a.p_fwe[v]);
    }
    nep_permute_free(&a);
    nep_permute_free(&b);
    nep_ctx_free(ctx);
}

/* Under the null a p of drawn shuffles is uniform, and the corrected one errs once in 20 data sets. */
static void test_false_positives(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    enum { SETS = 400, FEW = 30 };
    int fwe = 0, single = 0;
    const nep_permute_opts o = {.n_perm = 99};
    double x[12];
    const double c[] = {1};
    for (int i = 0; i < 12; i++)
        x[i] = 1;
    const nep_permute_model m = {.n = 12, .p = 1, .x = x, .columns = names, .contrast = "mean", .rows = 1, .weight = c};
    for (int s = 0; s < SETS; s++) {
        float y[12 * FEW];
        nep_permute_result r = {0};
        double least = 1;
        for (int i = 0; i < 12 * FEW; i++)
            y[i] = noise(100 + (uint64_t)s, i);
        assert_ok(ctx, nep_permute_run(ctx, y, FEW, &m, &o, &r));
        for (int v = 0; v < FEW; v++) {
            single += r.p[v] <= 0.05;
            least = fmin(least, r.p_fwe[v]);
        }
        fwe += least <= 0.05;
        nep_permute_free(&r);
    }
    assert_true(fwe >= 6 && fwe <= 36);                                       /* 20, SD 4.4 */
    assert_true(single > 0.04 * SETS * FEW && single < 0.06 * SETS * FEW);    /* 600 of 12,000, SD 24 */
    nep_ctx_free(ctx);
}

/* ---- stopping and going on -------------------------------------------------------------------------------------- */

static void stop_half_way(void *user, const char *task, int64_t done, int64_t total)
{
    (void)user;
    if (strcmp(task, "permute") == 0 && done >= total / 2 && done < total)
        nep_ctx_interrupt_all(15);
}

static void test_resume(void **state)
{
    (void)state;
    float y[N * COLS];
    double x[3 * N];
    const double c[] = {0, 1, 0};
    char path[] = "/tmp/nep-permute-XXXXXX";
    close(mkstemp(path));
    unlink(path);
    make_people(y, x);
    const nep_permute_model m = people_model(x, c);
    for (unsigned statistics = 1; statistics <= 15; statistics += 14) {
        nep_permute_opts o = NEP_PERMUTE_DEFAULTS;
        nep_permute_result whole = {0}, rest = {0}, other = {0};
        nep_ctx *ctx = NULL, *again = test_ctx(3);
        const nep_ctx_opts stops = {.threads = 2, .seed = 1, .progress = stop_half_way};
        assert_true(nep_ctx_create(&stops, &ctx) == NEP_OK);
        o.n_perm = 4000; /* several steps of either loop */
        o.statistics = statistics;
        o.dims = dims;
        o.forming = 2.2;
        assert_ok(again, nep_permute_run(again, y, COLS, &m, &o, &whole));
        assert_fails(nep_permute_run(ctx, y, COLS, &m, &o, &rest), NEP_E_INTERRUPTED); /* nowhere to keep it */
        nep_ctx_interrupt_all(0);
        nep_ctx_clear(ctx);
        o.checkpoint = path;
        assert_fails(nep_permute_run(ctx, y, COLS, &m, &o, &rest), NEP_E_REQUEUE);
        nep_ctx_interrupt_all(0);
        assert_non_null(strstr(nep_ctx_error(ctx), path));
        assert_true(nep_file_exists(path) && !rest.p);
        o.resume = true;
        assert_ok(again, nep_permute_run(again, y, COLS, &m, &o, &rest));
        assert_true(rest.resumed >= 1600 && rest.resumed < 4000 && whole.resumed == 0);
        same_p(&whole, &rest);
        o.stream = 7; /* other shuffles: the checkpoint is not theirs */
        assert_ok(again, nep_permute_run(again, y, COLS, &m, &o, &other));
        assert_true(other.resumed == 0 && nep_warn_count(again) == 1);
        unlink(path);
        nep_permute_free(&whole);
        nep_permute_free(&rest);
        nep_permute_free(&other);
        nep_ctx_free(ctx);
        nep_ctx_free(again);
    }
}

/* ---- columns that cannot be tested ------------------------------------------------------------------------------- */

static void test_missing_and_constant(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    float y[N * COLS];
    double x[3 * N];
    const double c[] = {0, 1, 0};
    make_people(y, x);
    y[5 * COLS + 3] = NAN;
    y[7 * COLS + 4] = INFINITY;
    for (int i = 0; i < N; i++)
        y[i * COLS + 6] = 3 + 2 * (float)x[3 * i + 2]; /* the nuisance explains it whole */
    const nep_permute_model m = people_model(x, c);
    for (unsigned statistics = 1; statistics <= 15; statistics += 14) {
        nep_permute_opts o = NEP_PERMUTE_DEFAULTS;
        nep_permute_result r = {0};
        o.n_perm = 50;
        o.statistics = statistics;
        o.dims = dims;
        assert_ok(ctx, nep_permute_run(ctx, y, COLS, &m, &o, &r));
        assert_true(r.n_missing == 2 && r.n_constant == 1);
        for (int v = 0; v < COLS; v++)
            assert_true((v == 3 || v == 4 || v == 6) ==
                        (isnan(r.stat[v]) && isnan(r.p[v]) && isnan(r.p_fwe[v]) && isnan(r.effect[v]) && (!r.tfce || isnan(r.p_tfce[v]))));
        nep_permute_free(&r);
    }
    assert_int_equal(nep_warn_count(ctx), 2);
    nep_ctx_free(ctx);
}

static void test_refusals(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    float y[6] = {1, 2, 3, 5, 8, 13};
    const double x[] = {1, 1, 0, 2, 1, 1, 0, 2, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1, 0, 2, 1, 0, 1, 1}; /* b + c = a; d = a + b */
    const double nothing[] = {0, 0}, tests_a[] = {1, 0, 0}, tests_sum[] = {1, 1, 0}, twice[] = {1, 0, 2, 0}, group[] = {0, 1};
    const int32_t by_group[] = {1, 1, 2, 2, 1, 2}, uneven[] = {1, 1, 1, 2, 2, 3}, wide[] = {1, 2, 2, 3, 3, 3};
    const double ones[] = {1, 1, 1, 1, 1, 1};
    double two[12], three[18], bad[12];
    for (int i = 0; i < 6; i++) {
        memcpy(two + 2 * i, x + 4 * i, 2 * sizeof *two);
        memcpy(three + 3 * i, x + 4 * i, 3 * sizeof *three);
        bad[2 * i] = 1;
        bad[2 * i + 1] = i == 3 ? (double)NAN : i;
    }
    const nep_permute_model base = {.n = 6, .p = 2, .x = two, .columns = names, .contrast = "test", .rows = 1, .weight = group};
    const int64_t grid[3] = {1, 1, 1}, two_voxels[3] = {2, 1, 1};
    struct {
        nep_permute_model m;
        nep_permute_opts o;
        nep_status st;
        const char *says;
    } cases[24];
    int n = 0;
#define CASE(status, text, ...)                                                                                        \
    do {                                                                                                               \
        cases[n].m = base;                                                                                             \
        cases[n].o = (nep_permute_opts)NEP_PERMUTE_DEFAULTS;                                                           \
        nep_permute_model *m = &cases[n].m;                                                                            \
        nep_permute_opts *o = &cases[n].o;                                                                             \
        (void)o;                                                                                                       \
        (void)m;                                                                                                       \
        __VA_ARGS__;                                                                                                   \
        cases[n].st = status;                                                                                          \
        cases[n++].says = text;                                                                                        \
    } while (0)
    CASE(NEP_E_SINGULAR, "column 'c' is a linear combination of 'a', 'b', so that contrast 'test' is not estimable", m->p = 3, m->x = three, m->weight = tests_a);
    CASE(NEP_E_SINGULAR, "though contrast 'test' would be estimable", m->p = 3, m->x = three, m->weight = tests_sum);
    CASE(NEP_E_ARG, "has a row of zeros", m->weight = nothing);
    CASE(NEP_E_ARG, "row 2 of contrast 'test' is a combination", m->weight = twice, m->rows = 2);
    CASE(NEP_E_ARG, "column 'b' of the design has no value in row 4", m->x = bad);
    CASE(NEP_E_ARG, "leave no degree of freedom", m->n = 2);
    CASE(NEP_E_ARG, "the blocks allow one arrangement of contrast 'test' only", m->block = by_group);
    CASE(NEP_E_ARG, "exchanges of rows allow one arrangement", m->p = 1, m->x = ones, m->weight = tests_a, m->shuffle = NEP_PERMUTE_ROWS);
    CASE(NEP_E_ARG, "must be of one size", m->block = uneven, m->whole = true);
    CASE(NEP_E_ARG, "must be of one size", m->block = wide, m->whole = true);
    CASE(NEP_E_ARG, "need neighbours on a grid", o->statistics = NEP_PERMUTE_TFCE);
    CASE(NEP_E_SHAPE, "1 columns, but 2 voxels", o->dims = two_voxels);
    CASE(NEP_E_ARG, "the threshold that forms clusters", o->statistics = NEP_PERMUTE_CLUSTER_SIZE, o->dims = grid, o->forming = -1);
    CASE(NEP_E_ARG, "none of 6, 18 and 26", o->statistics = NEP_PERMUTE_CLUSTER_SIZE, o->dims = grid, o->connectivity = 8);
    CASE(NEP_E_ARG, "permutations; 0 to", o->n_perm = -1);
    CASE(NEP_E_ARG, "statistics 16", o->statistics = 16);
    for (int i = 0; i < n; i++) {
        nep_permute_result r = {.n_cols = -7};
        nep_ctx_clear(ctx);
        assert_fails(nep_permute_run(ctx, y, 1, &cases[i].m, &cases[i].o, &r), cases[i].st);
        if (!strstr(nep_ctx_error(ctx), cases[i].says))
            fail_msg("'%s' does not say '%s'", nep_ctx_error(ctx), cases[i].says);
        assert_true(r.n_cols == -7 && !r.p);
    }
    nep_ctx_free(ctx);
}

/* ---- tails, false discoveries, quantiles ------------------------------------------------------------------------- */

static void test_tails(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    static const char *const samples[] = {"tail_t", "tail_max", "tail_ties", "tail_short"};
    int fitted = 0;
    for (int s = 0; s < NEP_LEN(samples); s++) {
        int n, values;
        double *null = book_read(BOOK, samples[s], NULL, &n), *want = part(samples[s], "p", NULL, &values);
        for (int i = 0; i < values; i++) {
            double p = 7;
            assert_ok(ctx, nep_permute_tail(ctx, null, n, want[i], &p));
            assert_near(p, want[values + i], 1e-9);
            fitted += !isnan(p);
        }
        free(null);
        free(want);
    }
    assert_true(fitted >= 8);
    nep_ctx_free(ctx);
}

/* |normal| exceeds 2.57583, and the largest of 50 exceeds 3.71777, with p = 0.01: of 500 draws the tail gives that on average, and
 * scatters less than the count. */
static void test_tails_of_known_laws(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    enum { SETS = 300, DRAWS = 500 };
    for (int many = 1; many <= 50; many += 49) {
        const double value = many == 1 ? 2.575829 : 3.717773;
        double mean[2] = {0}, square[2] = {0};
        int fitted = 0;
        for (int s = 0; s < SETS; s++) {
            double null[DRAWS], p[2] = {1.0 / (DRAWS + 1), 0};
            for (int i = 0; i < DRAWS; i++) {
                null[i] = 0;
                for (int v = 0; v < many; v++)
                    null[i] = fmax(null[i], fabs(nep_philox_normal((uint64_t)many, (uint64_t)s, (uint64_t)(i * many + v))));
                p[0] += null[i] >= value ? 1.0 / (DRAWS + 1) : 0;
            }
            assert_ok(ctx, nep_permute_tail(ctx, null, DRAWS, value, &p[1]));
            fitted += !isnan(p[1]);
            for (int k = 0; k < 2 && !isnan(p[1]); k++) {
                mean[k] += p[k];
                square[k] += p[k] * p[k];
            }
        }
        assert_true(fitted > 0.97 * SETS);
        for (int k = 0; k < 2; k++) {
            mean[k] /= fitted;
            square[k] = sqrt(square[k] / fitted - mean[k] * mean[k]);
        }
        assert_true(mean[1] > 0.009 && mean[1] < 0.0115 && square[1] < 0.95 * square[0]);
    }
    nep_ctx_free(ctx);
}

static void test_no_shuffles(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    float y[N * COLS];
    double x[3 * N];
    const double c[] = {0, 1, 0};
    make_people(y, x);
    const nep_permute_model m = people_model(x, c);
    for (unsigned statistics = 1; statistics <= 15; statistics += 14) {
        nep_permute_opts o = NEP_PERMUTE_DEFAULTS;
        nep_permute_result r = {0};
        o.n_perm = 0;
        o.statistics = statistics;
        o.dims = dims;
        o.tail = o.resume = true;
        o.checkpoint = "/tmp/there-is-no-such-checkpoint";
        assert_ok(ctx, nep_permute_run(ctx, y, COLS, &m, &o, &r));
        for (int v = 0; v < COLS; v++)
            assert_true(isfinite(r.stat[v]) && isfinite(r.effect[v]) && r.se[v] > 0 && isnan(r.p[v]) && isnan(r.p_fwe[v]) &&
                        (!r.tfce || (isfinite(r.tfce[v]) && isnan(r.p_fwe_tfce[v]))));
        assert_true(r.n_shuffles == 0 && !r.exhaustive && isnan(r.critical_stat));
        nep_permute_free(&r);
    }
    nep_ctx_free(ctx);
}

static void test_false_discoveries(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    int n;
    double *want = book_read(BOOK, "fdr", NULL, &n), *p = calloc((size_t)n + 2, sizeof *p);
    memcpy(p + 1, want, (size_t)n * sizeof *p);
    p[0] = p[n + 1] = (double)NAN; /* missing ones do not count */
    for (int by = 0; by < 2; by++) {
        double *q = calloc((size_t)n + 2, sizeof *q);
        assert_ok(ctx, nep_permute_fdr(ctx, p, n + 2, by, q));
        assert_true(isnan(q[0]) && isnan(q[n + 1]));
        for (int i = 0; i < n; i++)
            assert_near(q[i + 1], want[(by + 1) * n + i], 1e-14);
        free(q);
    }
    free(want);
    free(p);
    nep_ctx_free(ctx);
}

static void test_quantiles(void **state)
{
    (void)state;
    int n;
    double *want = book_read(BOOK, "quantile", &n, NULL);
    for (int i = 0; i < n; i++) {
        const double *w = want + 4 * i;
        assert_near(nep_permute_quantile(w[0], (int64_t)w[1], w[2], false) / w[3], 1, 1e-9);
        if (w[1] == 0)
            assert_near(nep_permute_quantile(w[0] / 2, 0, w[2], true) / w[3], 1, 1e-9);
    }
    assert_true(isinf(nep_permute_quantile(0, 0, 5, false)) && nep_permute_quantile(1, 2, 5, false) == 0);
    free(want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_shuffle),     cmocka_unit_test(test_three_signs),          cmocka_unit_test(test_f_of_one_row_is_t_squared),
        cmocka_unit_test(test_clusters_and_tfce), cmocka_unit_test(test_meets_nilearn),        cmocka_unit_test(test_threads_and_paths),
        cmocka_unit_test(test_invariances),       cmocka_unit_test(test_false_positives),      cmocka_unit_test(test_resume),
        cmocka_unit_test(test_refusals),          cmocka_unit_test(test_missing_and_constant), cmocka_unit_test(test_tails),
        cmocka_unit_test(test_tails_of_known_laws), cmocka_unit_test(test_no_shuffles),          cmocka_unit_test(test_false_discoveries),
        cmocka_unit_test(test_quantiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
