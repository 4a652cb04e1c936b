/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of an index that stay on the device between searches, on the host rig: what is sent is counted, what is found are the bytes of the
 * CPU, whatever fits. */
#include "similarity/resident.h"

/* ---- all of it fits ---------------------------------------------------------------------------------------------- */
static void test_dense_is_sent_once(void **state)
{
    (void)state;
    static const nep_search_opts more[] = {
        {.metric = NEP_METRIC_L2, .k = 30},
        {.metric = NEP_METRIC_INNER, .k = 3, .first = 77, .last = 601},
        {.metric = NEP_METRIC_COSINE, .by_threshold = true, .threshold = {9, 10}, .batch = 2},
    };
    nep_ctx *cpu = test_ctx(2);
    for (int t = NEP_VECTOR_F32; t <= NEP_VECTOR_I8; t++)
        for (int shadow = 0; shadow < (t == NEP_VECTOR_I8 ? 1 : 2); shadow++)
            for (int whole = 0; whole < 2; whole++) {
                nep_ctx *rig = rig_ctx(0, whole ? 0 : TILE);
                nep_index index = vectors(cpu, (nep_vector_type)t, shadow);
                watch_index(&index, shadow);
                agree(cpu, rig, &index, N_Q, &dense_best);
                assert_int_equal(sent(), all_bytes());
                agree(cpu, rig, &index, N_Q, &dense_best);
                agree(cpu, rig, &index, 1, &dense_best);
                for (int i = 0; i < NEP_LEN(more); i++)
                    agree(cpu, rig, &index, N_Q, &more[i]);
                assert_int_equal(sent(), 0);
                nep_index_free(&index);
                nep_ctx_free(rig);
                assert_int_equal(rig_blocks(), 0);
            }
    nep_ctx_free(cpu);
}

/* Beside a copy for the first pass, rows of the pairs that are scored: none of them twice either. */
static void test_scored_rows_stay_too(void **state)
{
    (void)state;
    nep_ctx *cpu = test_ctx(2), *rig = rig_ctx(0, TILE);
    nep_index index = vectors(cpu, NEP_VECTOR_F32, true);
    watch_index(&index, false);
    agree(cpu, rig, &index, N_Q, &dense_best);
    const int64_t first = sent() - N * 8; /* the norms are those of both */
    assert_true(first > 0 && first <= N * DIMS * 4);
    agree(cpu, rig, &index, N_Q, &dense_best);
    assert_int_equal(sent(), 0);
    nep_index_free(&index);
    nep_ctx_free(rig);
    nep_ctx_free(cpu);
    assert_int_equal(rig_blocks(), 0);
}

static void test_bits_are_sent_once(void **state)
{
    (void)state;
    static const nep_search_opts more[] = {
        {.metric = NEP_METRIC_COSINE, .k = 30, .first = 100, .last = 600},
        {.metric = NEP_METRIC_TANIMOTO, .by_threshold = true, .threshold = {4, 10}, .batch = 3},
        {.metric = NEP_METRIC_DICE, .k = 5, .no_sketch = true},
    };
    nep_ctx *cpu = test_ctx(2);
    for (int sketch = 0; sketch < 2; sketch++) {
        nep_ctx *rig = rig_ctx(0, TILE);
        nep_index index = fingerprints(cpu, sketch);
        watch_index(&index, false);
        agree(cpu, rig, &index, N_Q, &bits_all);
        assert_int_equal(sent(), all_bytes());
        agree(cpu, rig, &index, N_Q, &bits_all);
        for (int i = 0; i < NEP_LEN(more); i++)
            agree(cpu, rig, &index, N_Q, &more[i]);
        assert_int_equal(sent(), 0);
        nep_index_free(&index);
        nep_ctx_free(rig);
        assert_int_equal(rig_blocks(), 0);
    }
    nep_ctx_free(cpu);
}

static nep_status count_pairs(nep_ctx *ctx, void *user, const nep_pair *pair, int64_t n)
{
    (void)ctx;
    (void)pair;
    *(int64_t *)user += n;
    return NEP_OK;
}

/* Commands that search one index over and over: neighbours, clusters, lists. */
static void test_many_searches_send_once(void **state)
{
    (void)state;
    const nep_search_opts dense_near = {.metric = NEP_METRIC_COSINE, .k = 3, .batch = 100};
    const nep_search_opts dense_within = {.metric = NEP_METRIC_COSINE, .by_threshold = true, .threshold = {95, 100}, .batch = 100};
    const nep_search_opts bits_near = {.metric = NEP_METRIC_TANIMOTO, .k = 3, .batch = 100};
    const nep_search_opts bits_within = {.metric = NEP_METRIC_TANIMOTO, .by_threshold = true, .threshold = {5, 10}, .batch = 100};
    nep_ctx *cpu = test_ctx(2), *rig = rig_ctx(0, TILE);
    nep_index dense = vectors(cpu, NEP_VECTOR_F16, false), fps = fingerprints(cpu, true), lists = {0};
    int64_t n = 0;
    watch_index(&dense, false);
    assert_ok(rig, nep_pairs_nearest(rig, &dense, &dense_near, 0, 250, count_pairs, &n, NULL));
    assert_int_equal(n, 3 * 250);
    assert_int_equal(sent(), all_bytes());
    assert_ok(rig, nep_pairs_within(rig, &dense, &dense_within, 0, 250, count_pairs, &n, NULL));
    assert_int_equal(sent(), 0);
    watch_index(&fps, false);
    whole_arrays = true;
    assert_ok(rig, nep_pairs_nearest(rig, &fps, &bits_near, 0, N, count_pairs, &n, NULL));
    assert_int_equal(sent(), all_bytes());
    assert_ok(rig, nep_pairs_within(rig, &fps, &bits_within, 0, N, count_pairs, &n, NULL));
    agree(cpu, rig, &fps, N_Q, &bits_all);
    assert_int_equal(sent(), 0);
    whole_arrays = false;
    assert_ok(cpu, nep_ivf_build(cpu, &dense, 24, 3, &lists));
    watch_index(&lists, false);
    nep_search_opts some = dense_best;
    some.probe = 1;
    agree(cpu, rig, &lists, 1, &some);
    const int64_t one = sent();
    assert_true(one > 0 && one < all_bytes() / 2); /* a list does not bring the others */
    agree(cpu, rig, &lists, 1, &some);
    assert_int_equal(sent(), 0);
    agree(cpu, rig, &lists, N_Q, &dense_best);
    assert_int_equal(sent(), all_bytes() - one);
    some.probe = 9; /* lists begin anywhere in a block, and blocks anywhere in what says which rows are allowed */
    some.first = 50;
    some.last = 600;
    agree(cpu, rig, &lists, N_Q, &some);
    nep_index_free(&lists);
    nep_index_free(&fps);
    nep_index_free(&dense);
    nep_ctx_free(rig);
    nep_ctx_free(cpu);
    assert_int_equal(rig_blocks(), 0);
}

/* Of a block that stays only the pieces that calls ask for are brought. */
static void test_pieces(void **state)
{
    (void)state;
    enum { MANY = 20000, WORDS = BITS / 64, PIECE = 256 << 10, EACH = 10 };
    nep_ctx *cpu = test_ctx(2), *rig = rig_ctx(0, 0);
    uint64_t *many = make_bits(3, MANY, BITS);
    uint16_t *need = calloc(BITS + 1, sizeof *need);
    nep_index index = {0};
    nep_bit_place placed = {0};
    assert_ok(cpu, nep_index_from_bits(cpu, many, MANY, BITS, NULL, false, "", &index));
    const nep_bit_rows rows = {index.bits.row, index.bits.popcount, NULL, MANY, WORDS};
    const nep_bit_queries q = {.query = bit_query, .need = need, .n_q = 1}; /* nothing is needed: every row is a hit */
    static const int64_t first[] = {5000, 5100, 4090, 8190, 0, MANY - EACH}, pieces[] = {1, 0, 1, 1, 0, 1};
    n_watched = 0;
    watch(index.bits.row, MANY * WORDS * 8);
    assert_ok(rig, nep_backend_bit_rows(rig, &rows, index.life, &placed));
    assert_int_equal(sent(), 0);
    for (int i = 0; i < NEP_LEN(first); i++) {
        int32_t count = -1, position[EACH];
        uint16_t common[EACH], want[EACH] = {0};
        assert_ok(rig, nep_backend_bit_hits(rig, &placed, first[i], EACH, &q, EACH, &count, position, common));
        assert_int_equal(count, EACH);
        const int64_t last = MANY * WORDS * 8 % PIECE; /* the last piece is shorter */
        assert_int_equal(sent(), first[i] == MANY - EACH ? last : pieces[i] * PIECE);
        for (int64_t k = 0; k < EACH; k++)
            for (int64_t w = 0; w < WORDS; w++)
                want[k] += (uint16_t)__builtin_popcountll(bit_query[w] & index.bits.row[(first[i] + k) * WORDS + w]);
        for (int k = 0; k < EACH; k++)
            assert_int_equal(common[k], want[position[k]]);
    }
    nep_backend_bit_rows_free(&placed);
    nep_index_free(&index);
    free(need);
    free(many);
    nep_ctx_free(rig);
    nep_ctx_free(cpu);
    assert_int_equal(rig_blocks(), 0);
}

/* ---- some of it fits --------------------------------------------------------------------------------------------- */
/* Bytes of arrays that stay within `budget` when blocks of `rows` rows come in order, each array in turn. */
static int64_t stays(const int64_t *item, int n_items, int64_t rows, int64_t budget)
{
    int64_t kept = 0;
    for (int64_t first = 0; first < N; first += rows)
        for (int i = 0; i < n_items; i++) {
            const int64_t bytes = (N - first < rows ? N - first : rows) * item[i];
            kept += kept + bytes <= budget ? bytes : 0;
        }
    return kept;
}

static void test_dense_beyond_the_budget(void **state)
{
    (void)state;
    static const int64_t item[] = {DIMS * 4, 8};
    static const int64_t vram[] = {200 << 10, 160 << 10, 130 << 10};
    nep_ctx *cpu = test_ctx(2);
    for (int i = 0; i < NEP_LEN(vram); i++) {
        nep_ctx *rig = rig_ctx(vram[i], TILE);
        nep_index index = vectors(cpu, NEP_VECTOR_F32, false);
        const int64_t budget = nep_backend_keeps(rig, index.life), kept = stays(item, NEP_LEN(item), TILE / (DIMS * 4) / 64 * 64 + 64, budget);
        assert_int_equal(budget, vram[i] / 4 * 3);
        assert_true(kept > 0 && kept < N * (DIMS * 4 + 8));
        watch_index(&index, false);
        agree(cpu, rig, &index, 2, &dense_best);
        assert_int_equal(sent(), all_bytes());
        for (int again = 0; again < 3; again++) {
            agree(cpu, rig, &index, 2, &dense_best);
            assert_int_equal(sent(), all_bytes() - kept);
        }
        nep_index_free(&index);
        nep_ctx_free(rig);
        assert_int_equal(rig_blocks(), 0);
    }
    nep_ctx_free(cpu);
}

static void test_bits_beyond_the_budget(void **state)
{
    (void)state;
    static const int64_t item[] = {BITS / 8, 2, NEP_INDEX_SKETCH};
    nep_ctx *cpu = test_ctx(2), *rig = rig_ctx(72 << 10, TILE);
    nep_index index = fingerprints(cpu, true);
    watch_index(&index, false);
    const int64_t budget = nep_backend_keeps(rig, index.life);
    assert_int_equal(budget, (72 << 10) - 4 * TILE); /* four tiles are more than a quarter */
    const int64_t all = all_bytes(), kept = stays(item, NEP_LEN(item), TILE / (BITS / 8), budget);
    assert_true(kept > 0 && kept < all);
    agree(cpu, rig, &index, 1, &bits_all);
    assert_int_equal(sent(), all);
    for (int again = 0; again < 2; again++) {
        agree(cpu, rig, &index, 1, &bits_all);
        assert_int_equal(sent(), all - kept);
    }
    nep_index_free(&index);
    nep_ctx_free(rig);
    nep_ctx_free(cpu);
    assert_int_equal(rig_blocks(), 0);
}

typedef struct {
    nep_pair pair[N * 30];
    int64_t n;
} pair_list;

static nep_status list_pairs(nep_ctx *ctx, void *user, const nep_pair *pair, int64_t n)
{
    pair_list *l = user;
    NEP_REQUIRE(ctx, l->n + n <= NEP_LEN(l->pair), NEP_E_ARG, "more pairs than there is room for");
    memcpy(l->pair + l->n, pair, (size_t)n * sizeof *pair);
    l->n += n;
    return NEP_OK;
}

/* All pairs of fingerprints that the device cannot hold at once come by tiles: the same pairs in the same order. */
static void test_pairs_beyond_the_budget(void **state)
{
    (void)state;
    static const int64_t vram[] = {0, 72 << 10, 40 << 10}, batch[] = {0, 1, 100};
    static pair_list want, got;
    nep_ctx *cpu = test_ctx(2);
    nep_index index = fingerprints(cpu, true);
    nep_search_opts o = {.metric = NEP_METRIC_TANIMOTO, .by_threshold = true, .threshold = {3, 10}};
    want.n = 0;
    assert_ok(cpu, nep_pairs_within(cpu, &index, &o, 0, N, list_pairs, &want, NULL));
    assert_true(want.n > N);
    for (int i = 0; i < NEP_LEN(vram); i++)
        for (int k = 0; k < NEP_LEN(batch); k++) {
            nep_ctx *rig = rig_ctx(vram[i], TILE);
            watch_index(&index, false);
            o.batch = batch[k];
            got.n = 0;
            assert_ok(rig, nep_pairs_within(rig, &index, &o, 0, N, list_pairs, &got, NULL));
            assert_int_equal(got.n, want.n);
            assert_memory_equal(got.pair, want.pair, (size_t)want.n * sizeof *want.pair);
            assert_true(i == 0 || (largest <= TILE && sent() > all_bytes()));
            nep_index_free(&index);
            index = fingerprints(cpu, true); /* what was kept belongs to it */
            nep_ctx_free(rig);
            assert_int_equal(rig_blocks(), 0);
        }
    nep_index_free(&index);
    nep_ctx_free(cpu);
}

/* Without room for anything beside four tiles nothing stays. */
static void test_no_budget(void **state)
{
    (void)state;
    nep_ctx *cpu = test_ctx(2), *rig = rig_ctx(400 << 10, 100 << 10);
    nep_index index = vectors(cpu, NEP_VECTOR_F32, false);
    watch_index(&index, false);
    for (int again = 0; again < 2; again++) {
        agree(cpu, rig, &index, 2, &dense_best);
        assert_int_equal(sent(), all_bytes());
        assert_int_equal(rig_blocks(), 0);
    }
    nep_index_free(&index);
    nep_ctx_free(rig);
    nep_ctx_free(cpu);
}

/* What else needs the memory gets it. */
static void test_rows_make_way(void **state)
{
    (void)state;
    nep_ctx *cpu = test_ctx(2), *rig = rig_ctx(2 << 20, TILE);
    nep_index index = vectors(cpu, NEP_VECTOR_F32, false);
    nep_buf big = {0};
    watch_index(&index, false);
    agree(cpu, rig, &index, N_Q, &dense_best);
    assert_int_equal(sent(), all_bytes());
    assert_true(rig_blocks() > 0);
    assert_ok(rig, nep_buf_new(rig, NEP_U8, (2 << 20) - 1024, "test", &big));
    assert_int_equal(rig_blocks(), 1);
    nep_buf_free(&big);
    agree(cpu, rig, &index, N_Q, &dense_best);
    assert_int_equal(sent(), all_bytes());
    nep_index_free(&index);
    nep_ctx_free(rig);
    nep_ctx_free(cpu);
    assert_int_equal(rig_blocks(), 0);
}

int main(void)
{
    make_rows();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dense_is_sent_once),
        cmocka_unit_test(test_scored_rows_stay_too),
        cmocka_unit_test(test_bits_are_sent_once),
        cmocka_unit_test(test_many_searches_send_once),
        cmocka_unit_test(test_dense_beyond_the_budget),
        cmocka_unit_test(test_bits_beyond_the_budget),
        cmocka_unit_test(test_pairs_beyond_the_budget),
        cmocka_unit_test(test_no_budget),
        cmocka_unit_test(test_rows_make_way),
        cmocka_unit_test(test_pieces),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(bits);
    free(bit_query);
    return failed;
}
