/* SPDX-License-Identifier: Apache-2.0 */
/* Inverted lists: all of them looked at give the exact answer byte for byte, fewer give a known share of it; lists are the same for any
 * thread count and hold every row once. */
#include "similarity/same_hits.h"

enum { N = 3000, DIMS = 12, QUERIES = 20, LISTS = 25, K = 10 };

static float x[N * DIMS], query[QUERIES * DIMS];

static void make_rows(void)
{
    for (int64_t i = 0; i < N * DIMS; i++) /* forty clusters */
        x[i] = (float)(4 * nep_philox_normal(1, 1, (uint64_t)(i / DIMS % 40 * DIMS + i % DIMS)) + nep_philox_normal(1, 2, (uint64_t)i));
    for (int64_t i = 0; i < QUERIES * DIMS; i++)
        query[i] = x[i * 7 / DIMS * DIMS + i % DIMS] + (float)(0.3 * nep_philox_normal(1, 3, (uint64_t)i));
}

static nep_index make(nep_ctx *ctx, nep_vector_type type)
{
    char *ids[N], text[N][8];
    nep_index index = {0};
    for (int i = 0; i < N; i++) {
        snprintf(text[i], sizeof text[i], "r%d", i);
        ids[i] = text[i];
    }
    assert_ok(ctx, nep_index_from_vectors(ctx, x, N, DIMS, type, ids, true, "made up", &index));
    return index;
}

static nep_hits search(nep_ctx *ctx, const nep_index *index, nep_metric m, int64_t probe, nep_search_report *r)
{
    nep_hits h = {0};
    assert_ok(ctx, nep_dense_search(ctx, index, query, QUERIES, &(nep_search_opts){.metric = m, .k = K, .probe = probe}, &h, r));
    return h;
}

static void test_all_lists_are_exact(void **state)
{
    (void)state;
    static const nep_metric metrics[] = {NEP_METRIC_COSINE, NEP_METRIC_INNER, NEP_METRIC_L2};
    nep_ctx *ctx = test_ctx(2);
    for (int t = NEP_VECTOR_F32; t <= NEP_VECTOR_I8; t++) {
        nep_index plain = make(ctx, (nep_vector_type)t), lists = {0};
        assert_ok(ctx, nep_ivf_build(ctx, &plain, LISTS, 4, &lists));
        for (int m = 0; m < 3; m++) {
            nep_search_report r;
            nep_hits want = search(ctx, &plain, metrics[m], 0, NULL);
            for (int64_t probe = 0; probe <= LISTS + 1; probe += LISTS + (probe > 0)) { /* 0 = all rows, all lists, more than there are */
                nep_hits got = search(ctx, &lists, metrics[m], probe, &r);
                assert_true(r.exact);
                assert_int_equal(same_rows(&want, &got), QUERIES * K);
                nep_hits_free(&got);
            }
            double before = 0;
            for (int64_t probe = 1; probe <= 9; probe += 4) {
                double recall, low, high;
                nep_hits got = search(ctx, &lists, metrics[m], probe, &r);
                assert_ok(ctx, nep_ivf_recall(ctx, &want, &got, &recall, &low, &high));
                assert_true(!r.exact && r.compared < QUERIES * N / 2);
                assert_true(low <= recall && recall <= high && recall >= before);
                before = recall;
                nep_hits_free(&got);
            }
            assert_true(before > 0.9);
            nep_hits_free(&want);
        }
        nep_index_free(&lists);
        nep_index_free(&plain);
    }
    nep_ctx_free(ctx);
}

static void test_lists_hold_every_row(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1), *many = test_ctx(5);
    nep_index plain = make(ctx, NEP_VECTOR_F32), a = {0}, b = {0};
    char id[16];
    bool seen[N] = {0};
    assert_ok(ctx, nep_ivf_build(ctx, &plain, LISTS, 0, &a));
    assert_ok(many, nep_ivf_build(many, &plain, LISTS, 0, &b));
    assert_memory_equal(a.number, b.number, N * sizeof *a.number);
    assert_memory_equal(a.vectors.centroid, b.vectors.centroid, LISTS * DIMS * sizeof(float));
    assert_true(a.content == plain.content && a.vectors.list_start[LISTS] == N);
    assert_string_equal(a.about, "made up");
    for (int64_t l = 0; l < LISTS; l++)
        for (int64_t i = a.vectors.list_start[l]; i < a.vectors.list_start[l + 1]; i++) {
            const int64_t n = a.number[i];
            double best = INFINITY, mine = 0;
            assert_true(!seen[n] && (i == a.vectors.list_start[l] || a.number[i - 1] < n));
            seen[n] = true;
            assert_int_equal(strtol(nep_index_id(&a, i, id, sizeof id) + 1, NULL, 10), n);
            assert_memory_equal((const float *)a.vectors.row + i * a.vectors.stride, x + n * DIMS, DIMS * sizeof(float));
            for (int64_t c = 0; c < LISTS; c++) {
                double d = 0;
                for (int64_t j = 0; j < DIMS; j++)
                    d += pow((double)x[n * DIMS + j] - (double)a.vectors.centroid[c * DIMS + j], 2);
                best = d < best ? d : best;
                mine = c == l ? d : mine;
            }
            assert_true(mine <= best * (1 + 1e-12));
        }
    nep_index_free(&a);
    nep_index_free(&b);
    nep_index_free(&plain);
    nep_ctx_free(many);
    nep_ctx_free(ctx);
}

static void test_recall_by_hand(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    int64_t start[] = {0, 3, 4}, exact[] = {1, 2, 3, 9}, found[] = {3, 5, 1, 8}, none[] = {0, 0, 0};
    double recall, low, high;
    const nep_hits a = {.n_queries = 2, .start = start, .number = exact}, b = {.n_queries = 2, .start = start, .number = found};
    assert_ok(ctx, nep_ivf_recall(ctx, &a, &b, &recall, &low, &high));
    assert_near(recall, 0.5, 0); /* rows 1 and 3 of four */
    assert_near(low, 0.1824, 1e-4);
    assert_near(high, 0.8176, 1e-4);
    const nep_hits empty = {.n_queries = 2, .start = none}, one = {.n_queries = 1, .start = none};
    assert_ok(ctx, nep_ivf_recall(ctx, &empty, &b, &recall, &low, &high));
    assert_true(isnan(recall) && isnan(low) && isnan(high));
    assert_fails(nep_ivf_recall(ctx, &one, &b, &recall, &low, &high), NEP_E_ARG);
    nep_ctx_free(ctx);
}

static void test_refusals_and_memory(void **state)
{
    (void)state;
    enum { FEW = 100 };
    nep_ctx *ctx = test_ctx(1);
    nep_index plain = {0}, lists = {0}, again = {0};
    nep_status st = NEP_E_NOMEM;
    assert_ok(ctx, nep_index_from_vectors(ctx, x, FEW, DIMS, NEP_VECTOR_F32, NULL, true, "", &plain));
    const int64_t used = nep_alloc_used(ctx);
    assert_fails(nep_ivf_build(ctx, &plain, 0, 1, &lists), NEP_E_ARG);
    assert_fails(nep_ivf_build(ctx, &plain, FEW + 1, 1, &lists), NEP_E_ARG);
    for (int64_t k = 0; st != NEP_OK; k += 7) {
        nep_ctx_clear(ctx);
        nep_alloc_fail_at(ctx, k);
        st = nep_ivf_build(ctx, &plain, 5, 1, &lists);
        nep_alloc_fail_at(ctx, -1);
        assert_true(st == NEP_OK || (st == NEP_E_NOMEM && nep_alloc_used(ctx) == used));
        assert_true(k < 2000);
    }
    assert_fails(nep_ivf_build(ctx, &lists, 5, 1, &again), NEP_E_ARG); /* it has lists already */
    nep_index_free(&lists);
    nep_index_free(&plain);
    nep_ctx_free(ctx);
}

int main(void)
{
    make_rows();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_lists_are_exact),
        cmocka_unit_test(test_lists_hold_every_row),
        cmocka_unit_test(test_recall_by_hand),
        cmocka_unit_test(test_refusals_and_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
