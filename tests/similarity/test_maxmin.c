/* SPDX-License-Identifier: Apache-2.0 */
/* MaxMin picks against the definition carried out in whole, and against RDKit's. */
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

static int64_t position_of(const test_set *s, int64_t row)
{
    int64_t p = 0;
    while (nep_index_number(&s->index, p) != row)
        p++;
    return p;
}

/* The next pick by the definition, and its nearest pick; scores that float64 puts within 1e-12 are equal fractions. */
static int64_t define(const test_set *s, nep_metric m, const int64_t *pick, int64_t n_picks, int64_t *nearest, double *score)
{
    int64_t best = -1;
    for (int64_t row = 0; row < s->n; row++) {
        int64_t near = -1;
        double closest = -1;
        bool picked = false;
        for (int64_t k = 0; k < n_picks; k++) {
            const double x = set_score(s, m, pick[k], row);
            picked = picked || pick[k] == row;
            if (x > closest + 1e-12) {
                closest = x;
                near = k;
            }
        }
        if (!picked && (best < 0 || closest < *score - 1e-12)) {
            best = row;
            *score = closest;
            *nearest = near;
        }
    }
    return best;
}

static void test_definition(void **state)
{
    nep_ctx *ctx = *state;
    static const nep_metric metrics[] = {NEP_METRIC_TANIMOTO, NEP_METRIC_DICE, NEP_METRIC_COSINE, NEP_METRIC_TVERSKY};
    enum { N = 150 };
    test_set s = set_random(ctx, 6, N, false);
    for (int k = 0; k < NEP_LEN(metrics); k++) {
        const int64_t first[] = {position_of(&s, 70), position_of(&s, 3)};
        const nep_maxmin_opts o = {.metric = metrics[k], .alpha = {4, 10}, .beta = {4, 10}, .n = N + 10, .first = first, .n_first = 2};
        nep_picks got = {0};
        assert_ok(ctx, nep_maxmin_pick(ctx, &s.index, &o, &got));
        assert_int_equal(got.n, N); /* all rows, duplicates last */
        int64_t picked[N] = {70, 3};
        for (int64_t i = 0; i < N; i++) {
            const int64_t row = nep_index_number(&s.index, got.position[i]);
            if (i < 2) {
                assert_int_equal(row, picked[i]);
                assert_true(isnan(got.distance[i]) && got.nearest[i] == -1);
                continue;
            }
            int64_t nearest = -1;
            double score = 0;
            picked[i] = define(&s, metrics[k], picked, i, &nearest, &score);
            assert_int_equal(row, picked[i]);
            assert_int_equal(got.nearest[i], nearest);
            assert_near(got.distance[i], 1 - score, 1e-15);
            assert_true(i == 2 || got.distance[i] <= got.distance[i - 1]);
        }
        nep_maxmin_free(&got);
    }
    set_free(&s);
}

static void test_golden(void **state)
{
    nep_ctx *ctx = *state;
    test_set s = set_golden(ctx);
    long long first, k, row;
    nep_picks got = {0};
    FILE *f = golden_open(TEST_GOLDEN("pairs_maxmin.tsv"));
    int64_t lines = 0;
    while (fscanf(f, "%lld %lld %lld", &first, &k, &row) == 3) {
        if (k == 0) {
            const int64_t at = position_of(&s, first);
            const nep_maxmin_opts o = {.metric = NEP_METRIC_TANIMOTO, .n = 120, .first = &at, .n_first = 1};
            nep_maxmin_free(&got);
            assert_ok(ctx, nep_maxmin_pick(ctx, &s.index, &o, &got));
            assert_int_equal(got.n, 120);
        }
        assert_int_equal(nep_index_number(&s.index, got.position[k]), row);
        lines++;
    }
    assert_int_equal(lines, 3 * 120);
    fclose(f);
    nep_maxmin_free(&got);
    set_free(&s);
}

/* Picking ends before the first row that is nearer than the distance, exactly. */
static void test_distance(void **state)
{
    nep_ctx *ctx = *state;
    static const uint64_t rows[] = {0xf, 0xf0, 0x1f, 0x3, 0xf}; /* distances to 0: 1, 1/5, 1/2, 0 */
    test_set s = {.n = NEP_LEN(rows), .words = 1, .bits = malloc(sizeof rows)};
    memcpy(s.bits, rows, sizeof rows);
    set_index(ctx, &s, 64, false);
    static const struct {
        const char *distance;
        int64_t n;
    } cases[] = {{"0", 5}, {"0.2", 4}, {"0.200001", 3}, {"0.5", 3}, {"0.500001", 2}, {"1", 2}, {"1.1", 1}};
    const int64_t first = position_of(&s, 0);
    for (int k = 0; k < NEP_LEN(cases); k++) {
        nep_maxmin_opts o = {.metric = NEP_METRIC_TANIMOTO, .n = 5, .first = &first, .n_first = 1, .by_distance = true};
        nep_picks got = {0};
        assert_ok(ctx, nep_decimal_parse(ctx, cases[k].distance, false, &o.distance));
        assert_ok(ctx, nep_maxmin_pick(ctx, &s.index, &o, &got));
        assert_int_equal(got.n, cases[k].n);
        nep_maxmin_free(&got);
    }
    /* of cosine 0x3 and 0xf: 2 / sqrt(2 * 4), distance 0.29289... */
    for (int more = 0; more < 2; more++) {
        const nep_maxmin_opts o = {.metric = NEP_METRIC_COSINE, .n = 5, .first = &first, .n_first = 1, .by_distance = true, .distance = {more ? 292894 : 292893, 1000000}};
        nep_picks got = {0};
        assert_ok(ctx, nep_maxmin_pick(ctx, &s.index, &o, &got));
        assert_int_equal(got.n, more ? 2 : 3);
        nep_maxmin_free(&got);
    }
    set_free(&s);
}

static void assert_same_picks(const nep_picks *x, const nep_picks *y)
{
    assert_int_equal(x->n, y->n);
    assert_memory_equal(x->position, y->position, (size_t)x->n * sizeof *x->position);
    assert_memory_equal(x->nearest, y->nearest, (size_t)x->n * sizeof *x->nearest);
    assert_memory_equal(x->distance + 1, y->distance + 1, (size_t)(x->n - 1) * sizeof *x->distance);
}

static void test_threads_and_the_drawn_row(void **state)
{
    nep_ctx *ctx = *state, *other = NULL;
    const nep_ctx_opts one = {.threads = 1, .seed = 1}, seed = {.threads = 3, .seed = 7};
    enum { N = 6000 };
    test_set s = set_random(ctx, 7, N, false);
    nep_maxmin_opts o = {.metric = NEP_METRIC_TANIMOTO, .n = 100};
    nep_picks want = {0}, got = {0};
    assert_ok(ctx, nep_maxmin_pick(ctx, &s.index, &o, &want));
    assert_int_equal(nep_index_number(&s.index, want.position[0]), (int64_t)(N * nep_philox_uniform(1, 0, 0)));
    assert_int_equal(nep_ctx_create(&one, &other), NEP_OK);
    assert_ok(other, nep_maxmin_pick(other, &s.index, &o, &got));
    assert_same_picks(&got, &want);
    nep_maxmin_free(&got);
    o.n = 30; /* the first of more */
    assert_ok(other, nep_maxmin_pick(other, &s.index, &o, &got));
    assert_int_equal(got.n, 30);
    assert_memory_equal(got.position, want.position, 30 * sizeof *got.position);
    nep_maxmin_free(&got);
    nep_ctx_free(other);
    assert_int_equal(nep_ctx_create(&seed, &other), NEP_OK);
    assert_ok(other, nep_maxmin_pick(other, &s.index, &o, &got));
    assert_true(got.position[0] != want.position[0]);
    nep_maxmin_free(&got);
    nep_maxmin_free(&want);
    nep_ctx_free(other);
    set_free(&s);
}

static void test_refusals_and_failures(void **state)
{
    nep_ctx *ctx = *state;
    test_set s = set_random(ctx, 8, 60, false);
    const int64_t twice[] = {4, 4}, outside[] = {60};
    const nep_maxmin_opts good = {.metric = NEP_METRIC_TANIMOTO, .n = 10};
    nep_maxmin_opts bad[] = {good, good, good, good, good, good, good};
    const char *const says[] = {"0 rows wanted", "given twice", "the index has 60", "2 first rows are given, 1 are wanted", "not one of bit vectors",
                                "unequal weights", "must not be negative"};
    bad[0].n = 0;
    bad[1].first = twice;
    bad[1].n_first = 2;
    bad[2].first = outside;
    bad[2].n_first = 1;
    bad[3].first = twice;
    bad[3].n_first = 2;
    bad[3].n = 1;
    bad[4].metric = NEP_METRIC_L2;
    bad[5].metric = NEP_METRIC_TVERSKY;
    bad[5].alpha = (nep_decimal){1, 1};
    bad[5].beta = (nep_decimal){9, 10};
    bad[6].by_distance = true;
    bad[6].distance = (nep_decimal){-1, 10};
    const int64_t used = nep_alloc_used(ctx);
    nep_picks got = {0};
    for (int k = 0; k < NEP_LEN(bad); k++) {
        nep_ctx_clear(ctx);
        assert_fails(nep_maxmin_pick(ctx, &s.index, &bad[k], &got), NEP_E_ARG);
        assert_non_null(strstr(nep_ctx_error(ctx), says[k]));
        assert_null(got.position);
    }
    nep_status st = NEP_E_NOMEM;
    int tries = 0;
    for (; st != NEP_OK; tries++) {
        nep_ctx_clear(ctx);
        nep_alloc_fail_at(ctx, tries);
        st = nep_maxmin_pick(ctx, &s.index, &good, &got);
        nep_alloc_fail_at(ctx, -1);
        assert_true(st == NEP_E_NOMEM ? !got.position : st == NEP_OK);
        nep_maxmin_free(&got);
        assert_int_equal(nep_alloc_used(ctx), used);
    }
    assert_int_equal(tries, 10);
    nep_ctx_interrupt_all(2);
    assert_fails(nep_maxmin_pick(ctx, &s.index, &good, &got), NEP_E_INTERRUPTED);
    nep_ctx_interrupt_all(0);
    assert_int_equal(nep_alloc_used(ctx), used);
    set_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_definition, setup, teardown),
        cmocka_unit_test_setup_teardown(test_golden, setup, teardown),
        cmocka_unit_test_setup_teardown(test_distance, setup, teardown),
        cmocka_unit_test_setup_teardown(test_threads_and_the_drawn_row, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusals_and_failures, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
