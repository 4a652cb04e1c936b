/* SPDX-License-Identifier: Apache-2.0 */
/* Butina clusters against the definition carried out row by row, and against RDKit's. */
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

/* ---- the definition ---------------------------------------------------------------------------------------------- */

typedef struct {
    int64_t n, n_clusters;
    int64_t *cluster, *centroid; /* [n] by row number; [n_clusters] row numbers */
} answer;

static void answer_free(answer *a)
{
    free(a->cluster);
    free(a->centroid);
}

static answer define(const test_set *s, nep_metric m, double threshold, bool reordering)
{
    const int64_t n = s->n;
    answer a = {.n = n, .cluster = malloc((size_t)n * sizeof(int64_t)), .centroid = malloc((size_t)n * sizeof(int64_t))};
    bool *near = calloc((size_t)(n * n), sizeof(bool));
    for (int64_t i = 0; i < n; i++) {
        a.cluster[i] = -1;
        for (int64_t j = 0; j < n; j++)
            near[i * n + j] = i != j && set_score(s, m, i, j) >= threshold - 1e-12;
    }
    for (;;) {
        int64_t best = -1, most = -1;
        for (int64_t i = 0; i < n; i++) {
            int64_t count = 0;
            for (int64_t j = 0; j < n; j++)
                count += near[i * n + j] && (!reordering || a.cluster[j] < 0);
            if (a.cluster[i] < 0 && count > most) {
                most = count;
                best = i;
            }
        }
        if (best < 0)
            break;
        a.centroid[a.n_clusters] = best;
        for (int64_t j = 0; j < n; j++)
            if (j == best || (near[best * n + j] && a.cluster[j] < 0))
                a.cluster[j] = a.n_clusters;
        a.n_clusters++;
    }
    free(near);
    return a;
}

/* The same clusters in the same order with the same centroids; members by (score, row number). */
static void assert_clusters(const test_set *s, nep_metric m, const nep_clusters *got, const answer *want)
{
    int64_t seen = 0;
    assert_int_equal(got->n, want->n);
    assert_int_equal(got->n_clusters, want->n_clusters);
    assert_int_equal(got->start[0], 0);
    for (int64_t k = 0; k < got->n_clusters; k++) {
        const int64_t first = got->start[k], last = got->start[k + 1];
        assert_true(last > first);
        const int64_t centre = nep_index_number(&s->index, got->position[first]);
        assert_int_equal(centre, want->centroid[k]);
        for (int64_t i = first; i < last; i++, seen++) {
            const int64_t row = nep_index_number(&s->index, got->position[i]);
            assert_int_equal(want->cluster[row], k);
            assert_near(got->score[i], set_score(s, m, centre, row), 1e-15);
            if (i > first + 1) {
                const int64_t before = nep_index_number(&s->index, got->position[i - 1]);
                assert_true(got->score[i] < got->score[i - 1] || (got->score[i] == got->score[i - 1] && before < row));
            }
        }
    }
    assert_int_equal(seen, got->n);
}

static void test_definition(void **state)
{
    nep_ctx *ctx = *state;
    static const struct {
        nep_metric metric;
        const char *threshold;
        double value;
    } cases[] = {{NEP_METRIC_TANIMOTO, "0.4", 0.4}, {NEP_METRIC_TANIMOTO, "0.55", 0.55}, {NEP_METRIC_DICE, "0.6", 0.6}, {NEP_METRIC_TVERSKY, "0.5", 0.5}, {NEP_METRIC_COSINE, "0.1", 0.1}};
    for (uint64_t seed = 0; seed < 4; seed++) {
        test_set s = set_random(ctx, seed, 200, true);
        for (int k = 0; k < 2 * NEP_LEN(cases); k++) {
            const nep_search_opts o = set_opts(ctx, cases[k / 2].metric, cases[k / 2].threshold);
            answer want = define(&s, cases[k / 2].metric, cases[k / 2].value, k % 2);
            nep_clusters got = {0};
            assert_ok(ctx, nep_butina_cluster(ctx, &s.index, &o, k % 2, &got));
            assert_clusters(&s, cases[k / 2].metric, &got, &want);
            nep_butina_free(&got);
            answer_free(&want);
        }
        set_free(&s);
    }
}

static void test_golden(void **state)
{
    nep_ctx *ctx = *state;
    enum { N = 300 };
    test_set s = set_golden(ctx);
    FILE *f = golden_open(TEST_GOLDEN("pairs_butina.tsv"));
    static int64_t cluster[4][N], centroid[4][N], n[4];
    char threshold[16];
    int reordering;
    long long k, centre, row;
    while (fscanf(f, "%15s %d %lld %lld %lld", threshold, &reordering, &k, &centre, &row) == 5) {
        const int set = 2 * (strcmp(threshold, "0.4") == 0) + reordering;
        cluster[set][row] = k;
        centroid[set][k] = centre;
        n[set] = k + 1;
    }
    fclose(f);
    for (int set = 0; set < 4; set++) {
        const answer want = {N, n[set], cluster[set], centroid[set]};
        const nep_search_opts o = set_opts(ctx, NEP_METRIC_TANIMOTO, set / 2 ? "0.4" : "0.25");
        nep_clusters got = {0};
        assert_ok(ctx, nep_butina_cluster(ctx, &s.index, &o, set % 2, &got));
        assert_clusters(&s, NEP_METRIC_TANIMOTO, &got, &want);
        nep_butina_free(&got);
    }
    set_free(&s);
}

/* Rows of one bit each but the first three families: 4 with 3, 2 with 2, a chain whose ends its middle takes. */
static void test_by_hand(void **state)
{
    nep_ctx *ctx = *state;
    static const uint64_t rows[] = {
        0xff000,  0x3,      0x0,      0xff800,  0x7f800,  0x3,      0xff000, /* 0 3 4 6: a family; 1 5: twins; 2: empty */
        0xf00000000, 0xff00000000, 0xf000000000,                             /* 7 - 8 - 9: a chain */
    };
    test_set s = {.n = NEP_LEN(rows), .words = 1, .bits = malloc(sizeof rows)};
    memcpy(s.bits, rows, sizeof rows);
    set_index(ctx, &s, 64, true);
    const nep_search_opts o = set_opts(ctx, NEP_METRIC_TANIMOTO, "0.5");
    nep_clusters got = {0};
    assert_ok(ctx, nep_butina_cluster(ctx, &s.index, &o, false, &got));
    static const int64_t want[] = {0, 6, 3, 4, 8, 7, 9, 1, 5, 2}, starts[] = {0, 4, 7, 9, 10};
    assert_int_equal(got.n_clusters, 4);
    assert_int_equal(got.n_single, 1);
    assert_int_equal(got.n_orphans, 0);
    assert_int_equal(got.n_pairs, 6 + 2 + 1);
    for (int k = 0; k <= 4; k++)
        assert_int_equal(got.start[k], starts[k]);
    for (int i = 0; i < NEP_LEN(rows); i++)
        assert_int_equal(nep_index_number(&s.index, got.position[i]), want[i]);
    assert_true(got.score[0] == 1 && got.score[1] == 1 && got.score[2] == 8.0 / 9 && got.score[9] == 0);
    nep_butina_free(&got);
    set_free(&s);
}

/* Row 0 is near 1 and 2, row 1 near 0 and 3: 0 comes first and takes 1 and 2, so that 3 stays alone with its neighbour taken. */
static void test_orphans(void **state)
{
    nep_ctx *ctx = *state;
    static const uint64_t rows[] = {0xff, 0xffff, 0xf, 0xffff00};
    test_set s = {.n = NEP_LEN(rows), .words = 1, .bits = malloc(sizeof rows)};
    memcpy(s.bits, rows, sizeof rows);
    set_index(ctx, &s, 64, false);
    const nep_search_opts o = set_opts(ctx, NEP_METRIC_TANIMOTO, "0.3");
    nep_clusters got = {0};
    assert_ok(ctx, nep_butina_cluster(ctx, &s.index, &o, false, &got));
    assert_int_equal(got.n_clusters, 2);
    assert_int_equal(got.n_single, 1);
    assert_int_equal(got.n_orphans, 1);
    assert_int_equal(nep_index_number(&s.index, got.position[got.start[1]]), 3);
    nep_butina_free(&got);
    set_free(&s);
}

static void assert_same_clusters(const nep_clusters *x, const nep_clusters *y)
{
    assert_true(x->n == y->n && x->n_clusters == y->n_clusters && x->n_pairs == y->n_pairs);
    assert_memory_equal(x->start, y->start, (size_t)(x->n_clusters + 1) * sizeof *x->start);
    assert_memory_equal(x->position, y->position, (size_t)x->n * sizeof *x->position);
    assert_memory_equal(x->score, y->score, (size_t)x->n * sizeof *x->score);
}

static void test_same_bytes_however_it_is_done(void **state)
{
    nep_ctx *ctx = *state, *one = test_ctx(1);
    test_set s = set_random(ctx, 8, 600, true);
    for (int reordering = 0; reordering < 2; reordering++) {
        nep_search_opts o = set_opts(ctx, NEP_METRIC_TANIMOTO, "0.4");
        nep_clusters want = {0}, got = {0};
        assert_ok(ctx, nep_butina_cluster(ctx, &s.index, &o, reordering, &want));
        o.batch = 13;
        o.no_sketch = true;
        assert_ok(one, nep_butina_cluster(one, &s.index, &o, reordering, &got));
        assert_same_clusters(&got, &want);
        nep_butina_free(&got);
        nep_butina_free(&want);
    }
    set_free(&s);
    nep_ctx_free(one);
}

/* What does not fit is refused with the memory and the threshold that would do, and both do. */
static void test_memory(void **state)
{
    nep_ctx *ctx = *state;
    enum { N = 3000, FAMILIES = 3 };
    test_set s = {.n = N, .words = 1, .bits = calloc(N, sizeof(uint64_t))};
    for (int64_t i = 0; i < N; i++) /* in a family 0.8 at least, 1 for every other pair; 4 of 16 bits between families */
        s.bits[i] = (uint64_t)0xf | (uint64_t)0xff << (8 + 12 * (i % FAMILIES)) | (i % 2 ? (uint64_t)1 << (16 + 12 * (i % FAMILIES)) : 0);
    set_index(ctx, &s, 64, true);
    nep_ctx *small = NULL;
    nep_ctx_opts limits = {.threads = 2, .mem_bytes = 16 << 20};
    assert_int_equal(nep_ctx_create(&limits, &small), NEP_OK);
    nep_search_opts o = set_opts(ctx, NEP_METRIC_TANIMOTO, "0.15");
    nep_clusters got = {0};
    long long pairs, need, budget, enough, fitting;
    double within, threshold;
    assert_fails(nep_butina_cluster(small, &s.index, &o, false, &got), NEP_E_NOMEM);
    assert_null(got.start);
    assert_int_equal(nep_alloc_used(small), 0);
    const char *says = nep_ctx_error(small);
    assert_int_equal(sscanf(says, "neighbours: the %lld pairs within %lf need %lld MB, the budget is %lld MB; --mem-mb %lld would do, or the threshold %lf with its %lld pairs",
                            &pairs, &within, &need, &budget, &enough, &threshold, &fitting), 7);
    assert_int_equal(pairs, (int64_t)N * (N - 1) / 2);
    assert_true(budget == 16 && need > 34 && need < 40 && fitting == FAMILIES * (int64_t)(N / FAMILIES) * (N / FAMILIES - 1) / 2);
    nep_ctx_clear(small);
    char text[32];
    snprintf(text, sizeof text, "%.2f", threshold);
    const nep_search_opts higher = set_opts(ctx, NEP_METRIC_TANIMOTO, text);
    assert_ok(small, nep_butina_cluster(small, &s.index, &higher, false, &got));
    assert_int_equal(got.n_pairs, fitting);
    nep_butina_free(&got);
    nep_ctx_free(small);
    limits.mem_bytes = enough << 20;
    assert_int_equal(nep_ctx_create(&limits, &small), NEP_OK);
    assert_ok(small, nep_butina_cluster(small, &s.index, &o, false, &got));
    assert_int_equal(got.n_clusters, 1);
    nep_butina_free(&got);
    nep_ctx_free(small);
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
        nep_clusters got = {0};
        nep_ctx_clear(ctx);
        nep_alloc_fail_at(ctx, tries);
        st = nep_butina_cluster(ctx, &s.index, &o, true, &got);
        nep_alloc_fail_at(ctx, -1);
        assert_true(st == NEP_E_NOMEM ? !got.start : st == NEP_OK);
        nep_butina_free(&got);
        assert_int_equal(nep_alloc_used(ctx), used);
    }
    assert_true(tries > 15);
    nep_clusters got = {0};
    nep_ctx_interrupt_all(2);
    assert_fails(nep_butina_cluster(ctx, &s.index, &o, true, &got), NEP_E_INTERRUPTED);
    nep_ctx_interrupt_all(0);
    nep_ctx_clear(ctx);
    assert_fails(nep_butina_cluster(ctx, NULL, &o, true, &got), NEP_E_ARG);
    assert_fails(nep_butina_cluster(ctx, &s.index, NULL, true, &got), NEP_E_ARG);
    assert_null(got.start);
    assert_int_equal(nep_alloc_used(ctx), used);
    set_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_definition, setup, teardown),
        cmocka_unit_test_setup_teardown(test_golden, setup, teardown),
        cmocka_unit_test_setup_teardown(test_by_hand, setup, teardown),
        cmocka_unit_test_setup_teardown(test_orphans, setup, teardown),
        cmocka_unit_test_setup_teardown(test_same_bytes_however_it_is_done, setup, teardown),
        cmocka_unit_test_setup_teardown(test_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failures, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
