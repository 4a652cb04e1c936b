/* SPDX-License-Identifier: Apache-2.0 */
/* Threshold graphs of bit vectors against brute force and RDKit: each pair once, in one order, whatever the batch, the threads, the
 * sketch and the parts. */
#include "pairs_support.h"

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

static const struct {
    nep_metric metric;
    const char *threshold;
    double value;
} cases[] = {
    {NEP_METRIC_TANIMOTO, "0.5", 0.5}, {NEP_METRIC_TANIMOTO, "0.3", 0.3}, {NEP_METRIC_TANIMOTO, "1", 1},        {NEP_METRIC_TANIMOTO, "0.000001", 1e-6},
    {NEP_METRIC_DICE, "0.65", 0.65},   {NEP_METRIC_COSINE, "0.6", 0.6},   {NEP_METRIC_TVERSKY, "0.55", 0.55},
};

/* Every pair of positions by brute force; a score that float64 puts within 1e-12 of the threshold counts as reaching it: no other
 * fraction of such small integers lies so near. */
static void brute(const test_set *s, nep_metric m, double threshold, pair_list *out)
{
    for (int64_t p = 0; p < s->n; p++)
        for (int64_t q = p + 1; q < s->n; q++) {
            const int64_t i = nep_index_number(&s->index, p), j = nep_index_number(&s->index, q);
            const double score = set_score(s, m, i, j);
            if (score < threshold - 1e-12)
                continue;
            int64_t a, b, c;
            set_counts(s, i, j, &a, &b, &c);
            const nep_pair pair = {p, q, score, (int32_t)c, (int32_t)(a + b - c)};
            assert_int_equal(list_take(NULL, out, &pair, 1), NEP_OK);
        }
}

static void test_brute_force(void **state)
{
    nep_ctx *ctx = *state;
    test_set s = set_random(ctx, 1, 300, true);
    for (int k = 0; k < NEP_LEN(cases); k++) {
        const nep_search_opts o = set_opts(ctx, cases[k].metric, cases[k].threshold);
        pair_list want = {0}, got = {0};
        nep_search_report report;
        brute(&s, cases[k].metric, cases[k].value, &want);
        assert_ok(ctx, nep_pairs_within(ctx, &s.index, &o, 0, s.n, list_take, &got, &report));
        assert_int_equal(got.n, want.n);
        for (int64_t i = 0; i < got.n; i++) {
            assert_true(got.pair[i].a == want.pair[i].a && got.pair[i].b == want.pair[i].b);
            assert_true(got.pair[i].common == want.pair[i].common && got.pair[i].total == want.pair[i].total);
            assert_near(got.pair[i].score, want.pair[i].score, 1e-15);
        }
        assert_int_equal(report.candidates, want.n);
        assert_true(report.exact && report.compared >= want.n);
        list_free(&want);
        list_free(&got);
    }
    set_free(&s);
}

static void test_same_bytes_however_it_is_done(void **state)
{
    nep_ctx *ctx = *state, *one = test_ctx(1);
    test_set s = set_random(ctx, 2, 700, true);
    for (int k = 0; k < NEP_LEN(cases); k++) {
        nep_search_opts o = set_opts(ctx, cases[k].metric, cases[k].threshold);
        pair_list want = {0}, got = {0};
        assert_ok(ctx, nep_pairs_within(ctx, &s.index, &o, 0, s.n, list_take, &want, NULL));
        static const int64_t batches[] = {1, 7, 100, 100000};
        for (int b = 0; b < NEP_LEN(batches); b++) {
            o.batch = batches[b];
            o.no_sketch = b % 2;
            assert_ok(ctx, nep_pairs_within(one, &s.index, &o, 0, s.n, list_take, &got, NULL));
            assert_same_pairs(&got, &want);
            list_free(&got);
        }
        for (int64_t parts = 1; parts <= 5; parts++) {
            int64_t end = 0;
            for (int64_t i = 0; i < parts; i++) {
                int64_t first, last;
                assert_ok(ctx, nep_pairs_shard(ctx, s.n, i, parts, true, &first, &last));
                assert_int_equal(first, end);
                end = last;
                assert_ok(ctx, nep_pairs_within(ctx, &s.index, &o, first, last, list_take, &got, NULL));
            }
            assert_int_equal(end, s.n);
            assert_same_pairs(&got, &want);
            list_free(&got);
        }
        list_free(&want);
    }
    set_free(&s);
    nep_ctx_free(one);
}

/* Rows in another order are the same set: the same pairs under the new numbers. */
static void test_permuted_rows(void **state)
{
    nep_ctx *ctx = *state;
    enum { N = 200 };
    test_set s = set_random(ctx, 3, N, true), t = {.n = N, .words = s.words, .bits = calloc((size_t)(N * s.words), sizeof(uint64_t))};
    int32_t to[N];
    nep_philox_permutation(9, 0, N, to);
    for (int64_t i = 0; i < N; i++)
        memcpy(t.bits + to[i] * s.words, s.bits + i * s.words, (size_t)s.words * sizeof(uint64_t));
    set_index(ctx, &t, SET_BITS, false);
    const nep_search_opts o = set_opts(ctx, NEP_METRIC_TANIMOTO, "0.4");
    pair_list a = {0}, b = {0};
    assert_ok(ctx, nep_pairs_within(ctx, &s.index, &o, 0, N, list_take, &a, NULL));
    assert_ok(ctx, nep_pairs_within(ctx, &t.index, &o, 0, N, list_take, &b, NULL));
    assert_int_equal(a.n, b.n);
    static bool found[N][N];
    memset(found, 0, sizeof found);
    for (int64_t i = 0; i < b.n; i++) {
        const int64_t x = nep_index_number(&t.index, b.pair[i].a), y = nep_index_number(&t.index, b.pair[i].b);
        found[x][y] = found[y][x] = true;
    }
    for (int64_t i = 0; i < a.n; i++)
        assert_true(found[to[nep_index_number(&s.index, a.pair[i].a)]][to[nep_index_number(&s.index, a.pair[i].b)]]);
    list_free(&a);
    list_free(&b);
    set_free(&s);
    set_free(&t);
}

static void test_golden(void **state)
{
    nep_ctx *ctx = *state;
    enum { N = 300 };
    test_set s = set_golden(ctx);
    const nep_search_opts o = set_opts(ctx, NEP_METRIC_TANIMOTO, "0.3");
    pair_list got = {0};
    static int32_t common[N][N], total[N][N];
    int64_t n = 0;
    long long a, b, c, u;
    FILE *f = golden_open(TEST_GOLDEN("pairs_within.tsv"));
    while (fscanf(f, "%lld %lld %lld %lld", &a, &b, &c, &u) == 4) {
        common[a][b] = common[b][a] = (int32_t)c;
        total[a][b] = total[b][a] = (int32_t)u;
        n++;
    }
    fclose(f);
    assert_ok(ctx, nep_pairs_within(ctx, &s.index, &o, 0, N, list_take, &got, NULL));
    assert_int_equal(got.n, n);
    for (int64_t i = 0; i < n; i++) {
        const int64_t x = nep_index_number(&s.index, got.pair[i].a), y = nep_index_number(&s.index, got.pair[i].b);
        assert_int_equal(got.pair[i].common, common[x][y]);
        assert_int_equal(got.pair[i].total, total[x][y]);
    }
    list_free(&got);
    set_free(&s);
}

typedef struct {
    int64_t n, a, b;
    bool ordered;
} counter;

static nep_status count_pairs(nep_ctx *ctx, void *user, const nep_pair *pair, int64_t n)
{
    counter *k = user;
    (void)ctx;
    for (int64_t i = 0; i < n; i++) {
        k->ordered = k->ordered && pair[i].a < pair[i].b && (pair[i].a > k->a || (pair[i].a == k->a && pair[i].b > k->b));
        k->a = pair[i].a;
        k->b = pair[i].b;
    }
    k->n += n;
    return NEP_OK;
}

/* Each row's k best others by brute force; scores within 1e-12 of each other are equal fractions. */
static void test_nearest(void **state)
{
    nep_ctx *ctx = *state;
    test_set s = set_random(ctx, 11, 120, true);
    static const int64_t ks[] = {1, 5, 119, 500};
    for (int m = 0; m < NEP_LEN(cases); m++)
        for (int i = 0; i < NEP_LEN(ks); i++) {
            nep_search_opts o = set_opts(ctx, cases[m].metric, cases[m].threshold);
            pair_list got = {0};
            int64_t at = 0;
            o.k = ks[i];
            o.by_threshold = m % 2;
            o.batch = m == 2 ? 7 : 0;
            assert_ok(ctx, nep_pairs_nearest(ctx, &s.index, &o, 0, s.n, list_take, &got, NULL));
            for (int64_t a = 0; a < s.n; a++) {
                bool used[120] = {false};
                for (int64_t found = 0; found < ks[i]; found++, at++) {
                    int64_t best = -1;
                    for (int64_t b = 0; b < s.n; b++)
                        if (b != a && !used[b] && (!o.by_threshold || set_score(&s, o.metric, a, b) >= cases[m].value - 1e-12) &&
                            (best < 0 || set_score(&s, o.metric, a, b) > set_score(&s, o.metric, a, best) + 1e-12))
                            best = b;
                    if (best < 0)
                        break;
                    used[best] = true;
                    assert_true(at < got.n);
                    assert_int_equal(nep_index_number(&s.index, got.pair[at].a), a);
                    assert_int_equal(nep_index_number(&s.index, got.pair[at].b), best);
                    assert_near(got.pair[at].score, set_score(&s, o.metric, a, best), 1e-15);
                }
            }
            assert_int_equal(at, got.n);
            list_free(&got);
        }
    set_free(&s);
}

static void test_nearest_in_parts_and_refused(void **state)
{
    nep_ctx *ctx = *state;
    test_set s = set_random(ctx, 12, 100, true);
    nep_search_opts o = {.metric = NEP_METRIC_TVERSKY, .alpha = {1, 1}, .beta = {0, 1}, .k = 4}; /* weights may differ */
    pair_list want = {0}, got = {0};
    assert_ok(ctx, nep_pairs_nearest(ctx, &s.index, &o, 0, s.n, list_take, &want, NULL));
    assert_int_equal(want.n, 4 * s.n);
    for (int64_t i = 0; i < 3; i++) {
        int64_t first, last;
        assert_ok(ctx, nep_pairs_shard(ctx, s.n, i, 3, false, &first, &last));
        assert_ok(ctx, nep_pairs_nearest(ctx, &s.index, &o, first, last, list_take, &got, NULL));
    }
    assert_same_pairs(&got, &want);
    list_free(&want);
    list_free(&got);
    const int64_t used = nep_alloc_used(ctx);
    nep_status st = NEP_E_NOMEM;
    for (int tries = 0; st != NEP_OK; tries++) {
        nep_ctx_clear(ctx);
        nep_alloc_fail_at(ctx, tries);
        st = nep_pairs_nearest(ctx, &s.index, &o, 0, s.n, list_take, &got, NULL);
        nep_alloc_fail_at(ctx, -1);
        assert_true(st == NEP_OK || st == NEP_E_NOMEM);
        assert_int_equal(nep_alloc_used(ctx), used);
        list_free(&got);
    }
    nep_ctx_interrupt_all(2);
    assert_fails(nep_pairs_nearest(ctx, &s.index, &o, 0, s.n, list_take, &got, NULL), NEP_E_INTERRUPTED);
    nep_ctx_interrupt_all(0);
    nep_ctx_clear(ctx);
    o.k = 0;
    assert_fails(nep_pairs_nearest(ctx, &s.index, &o, 0, s.n, list_take, &got, NULL), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "k is 0"));
    assert_int_equal(got.n, 0);
    set_free(&s);
}

/* More pairs of a row than one call has room for, and more of a block than are held at once. */
static void test_crowds(void **state)
{
    nep_ctx *ctx = *state;
    enum { N = 5000 };
    test_set s = {.n = N, .words = 1, .bits = calloc(N, sizeof(uint64_t))};
    for (int64_t i = 0; i < N; i++)
        s.bits[i] = i % 2 ? 0xff : 0xfe;
    set_index(ctx, &s, 64, true);
    const nep_search_opts o = set_opts(ctx, NEP_METRIC_TANIMOTO, "0.875"), same = set_opts(ctx, NEP_METRIC_TANIMOTO, "0.876");
    counter k = {.a = -1, .ordered = true};
    assert_ok(ctx, nep_pairs_within(ctx, &s.index, &o, 0, N, count_pairs, &k, NULL));
    assert_true(k.ordered);
    assert_int_equal(k.n, (int64_t)N * (N - 1) / 2);
    k = (counter){.a = -1, .ordered = true};
    assert_ok(ctx, nep_pairs_within(ctx, &s.index, &same, 0, N, count_pairs, &k, NULL));
    assert_true(k.ordered);
    assert_int_equal(k.n, (int64_t)N / 2 * (N / 2 - 1)); /* two halves of N / 2 equal rows */
    assert_true(nep_alloc_peak(ctx) < 16 << 20);
    set_free(&s);
}

static void test_refusals(void **state)
{
    nep_ctx *ctx = *state;
    test_set s = set_random(ctx, 4, 40, true);
    pair_list l = {0};
    int64_t first, last;
    static const struct {
        nep_metric metric;
        const char *threshold, *says;
    } bad[] = {{NEP_METRIC_TANIMOTO, "0", "must be above 0"},
               {NEP_METRIC_TANIMOTO, "1.01", "at most 1"},
               {NEP_METRIC_L2, "0.5", "not one of bit vectors"},
               {NEP_METRIC_INNER, "0.5", "not one of bit vectors"},
               {NEP_METRIC_COSINE, "-0.5", "must be above 0"}};
    for (int k = 0; k < NEP_LEN(bad); k++) {
        const nep_search_opts o = set_opts(ctx, bad[k].metric, bad[k].threshold);
        nep_ctx_clear(ctx);
        assert_fails(nep_pairs_within(ctx, &s.index, &o, 0, s.n, list_take, &l, NULL), NEP_E_ARG);
        assert_non_null(strstr(nep_ctx_error(ctx), bad[k].says));
    }
    nep_search_opts o = set_opts(ctx, NEP_METRIC_TVERSKY, "0.5");
    o.beta = (nep_decimal){41, 100};
    nep_ctx_clear(ctx);
    assert_fails(nep_pairs_within(ctx, &s.index, &o, 0, s.n, list_take, &l, NULL), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "unequal weights"));
    o.beta = (nep_decimal){40, 100}; /* the same number, written longer */
    nep_ctx_clear(ctx);
    assert_ok(ctx, nep_pairs_within(ctx, &s.index, &o, 0, s.n, list_take, &l, NULL));
    list_free(&l);
    assert_fails(nep_pairs_within(ctx, &s.index, &o, 5, 4, list_take, &l, NULL), NEP_E_ARG);
    assert_fails(nep_pairs_within(ctx, &s.index, &o, 0, s.n + 1, list_take, &l, NULL), NEP_E_ARG);
    assert_fails(nep_pairs_within(ctx, &s.index, &o, 0, s.n, NULL, &l, NULL), NEP_E_ARG);
    s.index.total = 1000;
    nep_ctx_clear(ctx);
    assert_fails(nep_pairs_within(ctx, &s.index, &o, 0, s.n, list_take, &l, NULL), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "merge its shards"));
    s.index.total = s.n;
    assert_fails(nep_pairs_shard(ctx, 10, 2, 2, true, &first, &last), NEP_E_ARG);
    assert_fails(nep_pairs_shard(ctx, 10, -1, 2, true, &first, &last), NEP_E_ARG);
    assert_int_equal(l.n, 0);
    set_free(&s);
}

static void test_failures(void **state)
{
    nep_ctx *ctx = *state;
    test_set s = set_random(ctx, 5, 100, true);
    const nep_search_opts o = set_opts(ctx, NEP_METRIC_TANIMOTO, "0.3");
    const int64_t used = nep_alloc_used(ctx);
    nep_status st = NEP_E_NOMEM;
    int tries = 0;
    for (; st != NEP_OK; tries++) {
        pair_list l = {0};
        nep_ctx_clear(ctx);
        nep_alloc_fail_at(ctx, tries);
        st = nep_pairs_within(ctx, &s.index, &o, 0, s.n, list_take, &l, NULL);
        nep_alloc_fail_at(ctx, -1);
        assert_true(st == NEP_OK || st == NEP_E_NOMEM);
        assert_int_equal(nep_alloc_used(ctx), used);
        list_free(&l);
    }
    assert_true(tries > 5);
    pair_list l = {.end_at = 1};
    assert_fails(nep_pairs_within(ctx, &s.index, &o, 0, s.n, list_take, &l, NULL), NEP_E_WRITE);
    assert_int_equal(nep_alloc_used(ctx), used);
    nep_ctx_clear(ctx);
    list_free(&l);
    nep_ctx_interrupt_all(2);
    assert_fails(nep_pairs_within(ctx, &s.index, &o, 0, s.n, list_take, &l, NULL), NEP_E_INTERRUPTED);
    nep_ctx_interrupt_all(0);
    assert_int_equal(l.n, 0);
    assert_int_equal(nep_alloc_used(ctx), used);
    set_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_brute_force, setup, teardown),
        cmocka_unit_test_setup_teardown(test_same_bytes_however_it_is_done, setup, teardown),
        cmocka_unit_test_setup_teardown(test_permuted_rows, setup, teardown),
        cmocka_unit_test_setup_teardown(test_golden, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nearest, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nearest_in_parts_and_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_crowds, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failures, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
