/* SPDX-License-Identifier: Apache-2.0 */
/* Search of bit vectors: what must change no byte of an answer (order of rows, shards, batches, threads, sketches, kernels, k), what a
 * filter leaves, and clean ends. */
#include "similarity/bits.h"
#include "similarity/same_hits.h"

#include "backend/cpu.h"

enum { N = 2500, N_Q = 70, BITS = 512, WORDS = BITS / 64 };

typedef struct {
    uint64_t *bits, *query;
    made_index m;
    nep_ctx *ctx;
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    f->bits = make_bits(1, N, BITS);
    f->query = make_bits(2, N_Q, BITS);
    f->m = make_index(f->bits, BITS, N, 0, 1, true);
    f->ctx = test_ctx(2);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    free_index(&f->m);
    free(f->bits);
    free(f->query);
    nep_ctx_free(f->ctx);
    free(f);
    return 0;
}

static const nep_search_opts questions[] = {
    {.metric = NEP_METRIC_TANIMOTO, .k = 20},
    {.metric = NEP_METRIC_COSINE, .k = 1500},
    {.metric = NEP_METRIC_TANIMOTO, .by_threshold = true, .threshold = {45, 100}},
    {.metric = NEP_METRIC_DICE, .by_threshold = true, .threshold = {0, 1}},
    {.metric = NEP_METRIC_TVERSKY, .alpha = {25, 100}, .beta = {1, 1}, .k = 7, .by_threshold = true, .threshold = {2, 10}},
};

static nep_hits search(nep_ctx *ctx, const nep_index *index, const uint64_t *query, int64_t n_q, const nep_search_opts *o)
{
    nep_hits h = {0};
    assert_ok(ctx, nep_bits_search(ctx, index, query, n_q, o, &h, NULL));
    return h;
}

static void same_hits(const nep_hits *a, const nep_hits *b)
{
    const size_t n = same_rows(a, b);
    assert_true(n > 0);
    assert_memory_equal(a->common, b->common, n * sizeof *a->common);
    assert_memory_equal(a->total, b->total, n * sizeof *a->total);
    assert_memory_equal(a->query_bits, b->query_bits, (size_t)a->n_queries * sizeof *a->query_bits);
}

static void test_batches_threads_sketches(void **state)
{
    fixture *f = *state;
    static const int64_t batches[] = {1, 3, 64, 1000};
    for (int i = 0; i < NEP_LEN(questions); i++) {
        nep_search_opts o = questions[i];
        nep_hits want = search(f->ctx, &f->m.index, f->query, N_Q, &o);
        for (int k = 0; k < 2 * NEP_LEN(batches); k++) {
            nep_ctx *ctx = test_ctx(1 + k % 4);
            o.batch = batches[k / 2];
            o.no_sketch = k % 2;
            nep_hits got = search(ctx, &f->m.index, f->query, N_Q, &o);
            same_hits(&want, &got);
            nep_hits_free(&got);
            nep_ctx_free(ctx);
        }
        nep_hits_free(&want);
    }
}

static void test_families(void **state)
{
    fixture *f = *state;
    for (int i = 0; i < NEP_LEN(questions); i++) {
        nep_hits want = search(f->ctx, &f->m.index, f->query, N_Q, &questions[i]);
        for (nep_cpu_family family = NEP_CPU_SCALAR; family < NEP_CPU_AVX512_POPCNT; family++) {
            nep_cpu_family_limit(family);
            nep_hits got = search(f->ctx, &f->m.index, f->query, N_Q, &questions[i]);
            nep_cpu_family_limit(NEP_CPU_AVX512_POPCNT);
            same_hits(&want, &got);
            nep_hits_free(&got);
        }
        nep_hits_free(&want);
    }
}

/* One query at a time, and the queries in another order. */
static void test_queries(void **state)
{
    fixture *f = *state;
    const nep_search_opts o = questions[0];
    nep_hits want = search(f->ctx, &f->m.index, f->query, N_Q, &o);
    for (int64_t q = 0; q < N_Q; q++) {
        nep_hits one = search(f->ctx, &f->m.index, f->query + q * WORDS, 1, &o);
        assert_int_equal(one.start[1], want.start[q + 1] - want.start[q]);
        assert_memory_equal(one.number, want.number + want.start[q], (size_t)one.start[1] * sizeof *one.number);
        nep_hits_free(&one);
    }
    nep_hits_free(&want);
}

/* The first k of more are the answer for k, whatever ties lie across its end. */
static void test_prefix(void **state)
{
    fixture *f = *state;
    nep_search_opts o = questions[0];
    o.k = 400;
    nep_hits all = search(f->ctx, &f->m.index, f->query, N_Q, &o);
    int ties = 0;
    for (o.k = 1; o.k < 400; o.k += 23) {
        nep_hits some = search(f->ctx, &f->m.index, f->query, N_Q, &o);
        for (int64_t q = 0; q < N_Q; q++) {
            assert_int_equal(some.start[q + 1] - some.start[q], o.k);
            assert_memory_equal(some.number + some.start[q], all.number + all.start[q], (size_t)o.k * sizeof *all.number);
            ties += all.score[all.start[q] + o.k - 1] == all.score[all.start[q] + o.k];
        }
        nep_hits_free(&some);
    }
    assert_true(ties > 100);
    nep_hits_free(&all);
}

/* Row i of the set is row (7 i + 3) % N of another: numbers follow, and where scores tie so does the order; so scores and counts are the
 * same, and rows are where no two tie. */
static void test_permuted(void **state)
{
    fixture *f = *state;
    uint64_t *moved = calloc((size_t)N * WORDS, sizeof *moved);
    for (int64_t i = 0; i < N; i++)
        memcpy(moved + (7 * i + 3) % N * WORDS, f->bits + i * WORDS, WORDS * sizeof *moved);
    made_index m = make_index(moved, BITS, N, 0, 1, true);
    nep_search_opts o = questions[0];
    o.k = N;
    nep_hits a = search(f->ctx, &f->m.index, f->query, 9, &o), b = search(f->ctx, &m.index, f->query, 9, &o);
    assert_memory_equal(a.score, b.score, (size_t)a.start[9] * sizeof *a.score);
    for (int64_t i = 1; i + 1 < a.start[9]; i++)
        if (a.score[i - 1] != a.score[i] && a.score[i] != a.score[i + 1])
            assert_int_equal(b.number[i], (7 * a.number[i] + 3) % N);
    nep_hits_free(&a);
    nep_hits_free(&b);
    free_index(&m);
    free(moved);
}

static void test_shards(void **state)
{
    fixture *f = *state;
    enum { SHARDS = 5 };
    for (int i = 0; i < NEP_LEN(questions); i++) {
        const nep_search_opts *o = &questions[i];
        nep_hits parts[SHARDS] = {0}, merged = {0}, want = search(f->ctx, &f->m.index, f->query, N_Q, o);
        for (int64_t s = 0; s < SHARDS; s++) {
            made_index m = make_index(f->bits, BITS, N, s, SHARDS, s % 2);
            parts[s] = search(f->ctx, &m.index, f->query, N_Q, o);
            free_index(&m);
        }
        assert_ok(f->ctx, nep_hits_merge(f->ctx, parts, SHARDS, o, &merged));
        same_hits(&want, &merged);
        for (int s = 0; s < SHARDS; s++)
            nep_hits_free(&parts[s]);
        nep_hits_free(&want);
        nep_hits_free(&merged);
    }
}

static void test_filters(void **state)
{
    fixture *f = *state;
    uint64_t allow[N / 64 + 1];
    plain_hit *want = calloc(N, sizeof *want);
    for (int kind = 0; kind < 6; kind++) { /* many rows, few, none; a range of many, of few; both */
        nep_search_opts o = questions[kind % 2 ? 2 : 0];
        for (int64_t i = 0; i <= N / 64; i++) {
            const uint64_t u = (uint64_t)nep_philox_u32(1, 2, (uint64_t)i) * 0x9E3779B97F4A7C15u;
            allow[i] = kind == 0 || kind == 5 ? u : kind == 1 ? (i % 16 ? 0 : u) : 0;
        }
        o.allow = kind < 3 || kind == 5 ? allow : NULL;
        o.first = kind >= 3 ? 100 : 0;
        o.last = kind == 3 ? N - 5 : kind >= 4 ? 220 : 0;
        nep_hits h = search(f->ctx, &f->m.index, f->query, N_Q, &o);
        for (int64_t q = 0; q < N_Q; q++) {
            const int64_t found = plain_answer(&o, f->bits, N, WORDS, f->query + q * WORDS, want);
            assert_int_equal(h.start[q + 1] - h.start[q], found);
            for (int64_t i = 0; i < found; i++) {
                assert_int_equal(h.number[h.start[q] + i], want[i].number);
                assert_int_equal(f->m.number[h.position[h.start[q] + i]], want[i].number);
            }
        }
        assert_true(kind == 2 ? h.start[N_Q] == 0 : h.start[N_Q] > 0);
        nep_hits_free(&h);
    }
    free(want);
}

static void test_report(void **state)
{
    fixture *f = *state;
    nep_hits h = {0};
    nep_search_report all, close, plain;
    nep_search_opts o = {.metric = NEP_METRIC_TANIMOTO, .by_threshold = true, .threshold = {0, 1}};
    assert_ok(f->ctx, nep_bits_search(f->ctx, &f->m.index, f->query, N_Q, &o, &h, &all));
    assert_true(all.compared >= (int64_t)N * N_Q && all.candidates == (int64_t)N * N_Q && all.exact);
    nep_hits_free(&h);
    o.threshold = (nep_decimal){9, 10};
    assert_ok(f->ctx, nep_bits_search(f->ctx, &f->m.index, f->query, N_Q, &o, &h, &close));
    assert_true(close.compared < all.compared / 2); /* by the counts of bits alone */
    assert_int_equal(close.candidates, h.start[N_Q]);
    nep_hits_free(&h);
    o.no_sketch = true;
    assert_ok(f->ctx, nep_bits_search(f->ctx, &f->m.index, f->query, N_Q, &o, &h, &plain));
    assert_true(plain.compared == close.compared && plain.candidates == close.candidates);
    assert_string_equal(close.path, "bits with sketch");
    assert_string_equal(plain.path, "bits");
    nep_hits_free(&h);
}

/* ---- ends -------------------------------------------------------------------------------------------------------- */
static void test_failing_memory(void **state)
{
    fixture *f = *state;
    uint64_t allow[N / 64 + 1] = {0xFFFFFFFFu};
    for (int few = 0; few < 2; few++) {
        nep_search_opts o = questions[few ? 2 : 0];
        nep_hits h = {0};
        nep_status st = NEP_E_NOMEM;
        o.allow = few ? allow : NULL;
        const int64_t before = nep_alloc_used(f->ctx);
        int64_t k = 0;
        for (; st == NEP_E_NOMEM; k++) {
            nep_alloc_fail_at(f->ctx, k);
            st = nep_bits_search(f->ctx, &f->m.index, f->query, 3, &o, &h, NULL);
            assert_true(st == NEP_OK || (nep_alloc_used(f->ctx) == before && !h.start));
        }
        nep_alloc_fail_at(f->ctx, -1);
        assert_int_equal(st, NEP_OK);
        assert_true(k > 15);
        nep_hits_free(&h);
        assert_int_equal(nep_alloc_used(f->ctx), before);
    }
}

static void test_interrupted(void **state)
{
    fixture *f = *state;
    nep_hits h = {0};
    nep_ctx_interrupt_all(2);
    assert_fails(nep_bits_search(f->ctx, &f->m.index, f->query, N_Q, &questions[0], &h, NULL), NEP_E_INTERRUPTED);
    nep_ctx_interrupt_all(0);
    assert_null(h.start);
}

static void refuses(fixture *f, const nep_index *index, const uint64_t *query, int64_t n_q, nep_search_opts o, const char *sentence)
{
    nep_hits h = {0};
    nep_ctx_clear(f->ctx);
    assert_fails(nep_bits_search(f->ctx, index, query, n_q, &o, &h, NULL), NEP_E_ARG);
    if (!strstr(nep_ctx_error(f->ctx), sentence))
        fail_msg("'%s' is not in: %s", sentence, nep_ctx_error(f->ctx));
    assert_null(h.start);
}

static void test_refuses(void **state)
{
    fixture *f = *state;
    const nep_search_opts good = questions[0];
    nep_search_opts o = good;
    nep_index other = f->m.index;
    refuses(f, &f->m.index, f->query, 0, good, "0 queries");
    refuses(f, &f->m.index, NULL, 1, good, "missing");
    other.kind = NEP_INDEX_VECTORS;
    refuses(f, &other, f->query, 1, good, "no bit vectors");
    o.metric = NEP_METRIC_L2;
    refuses(f, &f->m.index, f->query, 1, o, "dense vectors");
    o = good;
    o.k = -1;
    refuses(f, &f->m.index, f->query, 1, o, "k is -1");
    o.k = 0;
    refuses(f, &f->m.index, f->query, 1, o, "neither");
    o.by_threshold = true;
    refuses(f, &f->m.index, f->query, 1, o, "no decimal");
    o = questions[4];
    o.alpha.num = -1;
    refuses(f, &f->m.index, f->query, 1, o, "negative");
    o.alpha.den = 0;
    refuses(f, &f->m.index, f->query, 1, o, "weights");
    o.alpha = (nep_decimal){1, 2};
    o.beta = (nep_decimal){1, 5};
    refuses(f, &f->m.index, f->query, 1, o, "powers of ten");
    o = good;
    o.first = 5;
    o.last = 4;
    refuses(f, &f->m.index, f->query, 1, o, "row numbers");
    o = good;
    o.batch = -1;
    refuses(f, &f->m.index, f->query, 1, o, "batches");
    other = f->m.index;
    other.bits.n_bits = 511;
    uint64_t past[2 * WORDS] = {0};
    past[2 * WORDS - 1] = 1ull << 63;
    refuses(f, &other, past, 2, good, "query 2 has a bit past the 511");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_batches_threads_sketches, setup, teardown),
        cmocka_unit_test_setup_teardown(test_families, setup, teardown),
        cmocka_unit_test_setup_teardown(test_queries, setup, teardown),
        cmocka_unit_test_setup_teardown(test_prefix, setup, teardown),
        cmocka_unit_test_setup_teardown(test_permuted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_shards, setup, teardown),
        cmocka_unit_test_setup_teardown(test_filters, setup, teardown),
        cmocka_unit_test_setup_teardown(test_report, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failing_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_interrupted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refuses, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
