/* SPDX-License-Identifier: Apache-2.0 */
/* Graphs, clusters and picks of dense vectors against brute force on the numbers that are stored. */
#include "pairs_support.h"

enum { N = 130, DIMS = 37 };

typedef struct {
    nep_index index;
    double x[N][DIMS]; /* as stored, by row number */
} set;

static int setup(void **state)
{
    *state = test_ctx(2);
    return 0;
}

static int teardown(void **state)
{
    nep_ctx_free(*state);
    return 0;
}

/* Families around N / 10 parents; every 13th row is a duplicate, rows 4 and 9 are zero. Small integers, which every type holds: scores of
 * equal pairs are equal numbers. */
static set *make(nep_ctx *ctx, nep_vector_type type, uint64_t seed)
{
    set *s = calloc(1, sizeof *s);
    float *x = calloc(N * DIMS, sizeof *x);
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < DIMS; k++) {
            const uint64_t at = (uint64_t)(i * DIMS + k);
            const int parent = i < N / 10 ? -1 : (int)(nep_philox_u32(seed, 2, (uint64_t)i) % (N / 10));
            const float own = rintf(8.0f * (float)nep_philox_normal(seed, 0, at));
            x[i * DIMS + k] = parent < 0 ? 4 * own : x[parent * DIMS + k] + own;
        }
        if (i % 13 == 12)
            memcpy(x + i * DIMS, x + (i - 5) * DIMS, DIMS * sizeof *x);
        if (i == 4 || i == 9)
            memset(x + i * DIMS, 0, DIMS * sizeof *x);
    }
    if (type == NEP_VECTOR_I8) /* the largest item 127: the scale is 1 */
        for (int i = 0; i < N; i++)
            for (int k = 0; k < DIMS; k++)
                x[i * DIMS + k] = k == 0 && i != 4 && i != 9 ? 127.0f : fmaxf(-127.0f, fminf(127.0f, x[i * DIMS + k]));
    for (int i = 0; i < N; i++)
        for (int k = 0; k < DIMS; k++)
            s->x[i][k] = (double)x[i * DIMS + k];
    assert_ok(ctx, nep_index_from_vectors(ctx, x, N, DIMS, type, NULL, type != NEP_VECTOR_I8, "test", &s->index));
    free(x);
    return s;
}

static void set_drop(set *s)
{
    nep_index_free(&s->index);
    free(s);
}

static double score(const set *s, nep_metric m, int64_t i, int64_t j)
{
    double dot = 0, far = 0, a = 0, b = 0;
    for (int k = 0; k < DIMS; k++) {
        dot += s->x[i][k] * s->x[j][k];
        far += (s->x[i][k] - s->x[j][k]) * (s->x[i][k] - s->x[j][k]);
        a += s->x[i][k] * s->x[i][k];
        b += s->x[j][k] * s->x[j][k];
    }
    if (m == NEP_METRIC_INNER)
        return dot;
    if (m == NEP_METRIC_L2)
        return sqrt(far);
    return a > 0 && b > 0 ? dot / (sqrt(a) * sqrt(b)) : 0;
}

static const struct {
    nep_metric metric;
    const char *threshold;
    double value;
} cases[] = {{NEP_METRIC_COSINE, "0.8", 0.8}, {NEP_METRIC_COSINE, "-0.3", -0.3}, {NEP_METRIC_L2, "80.5", 80.5}, {NEP_METRIC_INNER, "20000.5", 20000.5}};

static bool reaches(nep_metric m, double x, double t)
{
    return m == NEP_METRIC_L2 ? x <= t : x >= t;
}

static void test_within(void **state)
{
    nep_ctx *ctx = *state, *one = test_ctx(1);
    for (int type = NEP_VECTOR_F32; type <= NEP_VECTOR_I8; type++) {
        set *s = make(ctx, (nep_vector_type)type, 1);
        for (int k = 0; k < NEP_LEN(cases); k++) {
            nep_search_opts o = set_opts(ctx, cases[k].metric, cases[k].threshold);
            pair_list got = {0}, other = {0};
            int64_t at = 0;
            assert_ok(ctx, nep_pairs_within(ctx, &s->index, &o, 0, N, list_take, &got, NULL));
            for (int64_t i = 0; i < N; i++)
                for (int64_t j = i + 1; j < N; j++) {
                    const double want = score(s, o.metric, i, j);
                    if (!reaches(o.metric, want, cases[k].value))
                        continue;
                    assert_true(at < got.n && got.pair[at].a == i && got.pair[at].b == j);
                    assert_near(got.pair[at++].score, want, 1e-12);
                }
            assert_int_equal(at, got.n);
            assert_true(at > 20);
            static const int64_t batches[] = {1, 7, 500};
            for (int b = 0; b < NEP_LEN(batches); b++) {
                o.batch = batches[b];
                o.no_shadow = b == 1;
                for (int64_t part = 0; part < 3; part++) {
                    int64_t first, last;
                    assert_ok(one, nep_pairs_shard(one, N, part, 3, true, &first, &last));
                    assert_ok(one, nep_pairs_within(one, &s->index, &o, first, last, list_take, &other, NULL));
                }
                assert_same_pairs(&other, &got);
                list_free(&other);
            }
            list_free(&got);
        }
        set_drop(s);
    }
    nep_ctx_free(one);
}

static void test_nearest(void **state)
{
    nep_ctx *ctx = *state;
    set *s = make(ctx, NEP_VECTOR_F32, 2);
    static const nep_metric metrics[] = {NEP_METRIC_COSINE, NEP_METRIC_L2, NEP_METRIC_INNER};
    for (int m = 0; m < NEP_LEN(metrics); m++) {
        const nep_search_opts o = {.metric = metrics[m], .k = 6};
        const double sign = metrics[m] == NEP_METRIC_L2 ? -1 : 1;
        pair_list got = {0};
        assert_ok(ctx, nep_pairs_nearest(ctx, &s->index, &o, 0, N, list_take, &got, NULL));
        assert_int_equal(got.n, 6 * N);
        for (int64_t a = 0; a < N; a++) {
            bool used[N] = {false};
            used[a] = true; /* itself, though its duplicates stay */
            for (int64_t i = 0; i < 6; i++) {
                int64_t best = -1;
                for (int64_t b = 0; b < N; b++)
                    if (!used[b] && (best < 0 || sign * score(s, o.metric, a, b) > sign * score(s, o.metric, a, best)))
                        best = b;
                const nep_pair *p = &got.pair[6 * a + i];
                used[p->b] = true;
                assert_int_equal(p->a, a);
                assert_near(p->score, score(s, o.metric, a, best), 1e-12);
                if (fabs(score(s, o.metric, a, p->b) - score(s, o.metric, a, best)) > 1e-9)
                    assert_int_equal(p->b, best);
            }
        }
        list_free(&got);
    }
    set_drop(s);
}

/* Butina's definition, row by row. */
static void test_clusters(void **state)
{
    nep_ctx *ctx = *state;
    for (int type = NEP_VECTOR_F32; type <= NEP_VECTOR_I8; type++) {
        set *s = make(ctx, (nep_vector_type)type, 3);
        for (int k = 0; k < 2 * NEP_LEN(cases); k++) {
            const nep_metric m = cases[k / 2].metric;
            const nep_search_opts o = set_opts(ctx, m, cases[k / 2].threshold);
            nep_clusters got = {0};
            int64_t taken[N], n_clusters = 0;
            memset(taken, -1, sizeof taken);
            assert_ok(ctx, nep_butina_cluster(ctx, &s->index, &o, k % 2, &got));
            for (;; n_clusters++) {
                int64_t best = -1, most = -1;
                for (int64_t i = 0; i < N; i++) {
                    int64_t count = 0;
                    for (int64_t j = 0; j < N; j++)
                        count += i != j && reaches(m, score(s, m, i, j), cases[k / 2].value) && (k % 2 == 0 || taken[j] < 0);
                    if (taken[i] < 0 && count > most) {
                        most = count;
                        best = i;
                    }
                }
                if (best < 0)
                    break;
                assert_true(n_clusters < got.n_clusters);
                assert_int_equal(got.position[got.start[n_clusters]], best);
                for (int64_t j = 0; j < N; j++)
                    if (j == best || (taken[j] < 0 && reaches(m, score(s, m, best, j), cases[k / 2].value)))
                        taken[j] = n_clusters;
            }
            assert_int_equal(n_clusters, got.n_clusters);
            for (int64_t c = 0; c < n_clusters; c++)
                for (int64_t i = got.start[c]; i < got.start[c + 1]; i++) {
                    assert_int_equal(taken[got.position[i]], c);
                    assert_near(got.score[i], score(s, m, got.position[got.start[c]], got.position[i]), 1e-12);
                    if (i > got.start[c] + 1)
                        assert_true(m == NEP_METRIC_L2 ? got.score[i] >= got.score[i - 1] : got.score[i] <= got.score[i - 1]);
                }
            nep_butina_free(&got);
        }
        set_drop(s);
    }
}

/* Each pick is the farthest row, within rounding; the same ones for any number of threads. */
static void test_picks(void **state)
{
    nep_ctx *ctx = *state, *one = test_ctx(1);
    static const nep_metric metrics[] = {NEP_METRIC_COSINE, NEP_METRIC_L2};
    for (int type = NEP_VECTOR_F32; type <= NEP_VECTOR_I8; type++) {
        set *s = make(ctx, (nep_vector_type)type, 4);
        for (int m = 0; m < NEP_LEN(metrics); m++) {
            const int64_t first = 17;
            nep_maxmin_opts o = {.metric = metrics[m], .n = N, .first = &first, .n_first = 1};
            nep_picks got = {0}, again = {0};
            assert_ok(ctx, nep_maxmin_pick(ctx, &s->index, &o, &got));
            assert_ok(one, nep_maxmin_pick(one, &s->index, &o, &again));
            assert_int_equal(got.n, N);
            assert_memory_equal(got.position, again.position, sizeof(int64_t) * N);
            bool used[N] = {false};
            used[first] = true;
            for (int64_t i = 1; i < N; i++) {
                double farthest = -1;
                for (int64_t row = 0; row < N; row++) {
                    double near = INFINITY;
                    for (int64_t k = 0; k < i && !used[row]; k++) {
                        const double x = score(s, metrics[m], got.position[k], row);
                        near = fmin(near, metrics[m] == NEP_METRIC_L2 ? x : 1 - x);
                    }
                    farthest = used[row] ? farthest : fmax(farthest, near);
                }
                const int64_t row = got.position[i];
                assert_false(used[row]);
                used[row] = true;
                assert_near(got.distance[i], farthest, 1e-12);
                const double nearest = score(s, metrics[m], got.position[got.nearest[i]], row);
                assert_near(got.distance[i], metrics[m] == NEP_METRIC_L2 ? nearest : 1 - nearest, 1e-12);
            }
            nep_maxmin_free(&again);
            o.by_distance = true;
            o.distance = metrics[m] == NEP_METRIC_L2 ? (nep_decimal){50, 1} : (nep_decimal){3, 10};
            assert_ok(ctx, nep_maxmin_pick(ctx, &s->index, &o, &again));
            const double far = metrics[m] == NEP_METRIC_L2 ? 50 : 0.3;
            assert_true(again.n > 2 && again.n < N && got.distance[again.n - 1] >= far && got.distance[again.n] < far);
            nep_maxmin_free(&again);
            nep_maxmin_free(&got);
        }
        set_drop(s);
    }
    nep_ctx_free(one);
}

static void test_refusals_and_failures(void **state)
{
    nep_ctx *ctx = *state;
    set *s = make(ctx, NEP_VECTOR_F32, 5);
    pair_list l = {0};
    nep_picks p = {0};
    nep_clusters c = {0};
    static const struct {
        nep_metric metric;
        const char *threshold, *says;
    } bad[] = {{NEP_METRIC_TANIMOTO, "0.5", "not one of dense vectors"}, {NEP_METRIC_COSINE, "-1", "above -1"}, {NEP_METRIC_COSINE, "1.5", "at most 1"}, {NEP_METRIC_L2, "-2", "must not be negative"}};
    for (int k = 0; k < NEP_LEN(bad); k++) {
        const nep_search_opts o = set_opts(ctx, bad[k].metric, bad[k].threshold);
        nep_ctx_clear(ctx);
        assert_fails(nep_pairs_within(ctx, &s->index, &o, 0, N, list_take, &l, NULL), NEP_E_ARG);
        assert_non_null(strstr(nep_ctx_error(ctx), bad[k].says));
    }
    const nep_maxmin_opts inner = {.metric = NEP_METRIC_INNER, .n = 3}, good = {.metric = NEP_METRIC_L2, .n = 10};
    nep_ctx_clear(ctx);
    assert_fails(nep_maxmin_pick(ctx, &s->index, &inner, &p), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "no distance"));
    const nep_search_opts o = set_opts(ctx, NEP_METRIC_COSINE, "0.8");
    const int64_t used = nep_alloc_used(ctx);
    int done = 0;
    for (int tries = 0; done < 3; tries++) {
        done = 0;
        for (int what = 0; what < 3; what++) {
            nep_ctx_clear(ctx);
            nep_alloc_fail_at(ctx, tries);
            const nep_status st = what == 0   ? nep_pairs_within(ctx, &s->index, &o, 0, N, list_take, &l, NULL)
                                  : what == 1 ? nep_butina_cluster(ctx, &s->index, &o, true, &c)
                                              : nep_maxmin_pick(ctx, &s->index, &good, &p);
            nep_alloc_fail_at(ctx, -1);
            assert_true(st == NEP_OK || st == NEP_E_NOMEM);
            done += st == NEP_OK;
            list_free(&l);
            nep_butina_free(&c);
            nep_maxmin_free(&p);
            assert_int_equal(nep_alloc_used(ctx), used);
        }
    }
    nep_ctx_interrupt_all(2);
    assert_fails(nep_pairs_within(ctx, &s->index, &o, 0, N, list_take, &l, NULL), NEP_E_INTERRUPTED);
    assert_fails(nep_maxmin_pick(ctx, &s->index, &good, &p), NEP_E_INTERRUPTED);
    nep_ctx_interrupt_all(0);
    assert_int_equal(nep_alloc_used(ctx), used);
    set_drop(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_within, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nearest, setup, teardown),
        cmocka_unit_test_setup_teardown(test_clusters, setup, teardown),
        cmocka_unit_test_setup_teardown(test_picks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusals_and_failures, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
