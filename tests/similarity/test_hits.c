/* SPDX-License-Identifier: Apache-2.0 */
/* Decimals as they are written, and answers merged from parts. */
#include "support.h"

#include <nepenthe/similarity.h>

static int setup(void **state)
{
    *state = test_ctx(1);
    return 0;
}

static int teardown(void **state)
{
    nep_ctx_free(*state);
    return 0;
}

/* ---- decimals ---------------------------------------------------------------------------------------------------- */
static void test_decimals(void **state)
{
    static const struct {
        const char *text;
        int64_t num, den;
    } good[] = {
        {"0.7", 7, 10},       {"1", 1, 1},          {".35", 35, 100},        {"0.70", 7, 10},
        {"0", 0, 1},          {"0.000000", 0, 1},   {"0.000001", 1, 1000000}, {"12.5", 125, 10},
        {"1000000", 1000000, 1}, {"5.", 5, 1},      {"007.10", 71, 10},      {"999999.999999", 999999999999, 1000000},
    };
    for (int i = 0; i < NEP_LEN(good); i++) {
        nep_decimal d = {-1, -1};
        assert_ok(*state, nep_decimal_parse(*state, good[i].text, i % 2, &d));
        assert_int_equal(d.num, good[i].num);
        assert_int_equal(d.den, good[i].den);
    }
    nep_decimal d;
    assert_ok(*state, nep_decimal_parse(*state, "-0.25", true, &d));
    assert_true(d.num == -25 && d.den == 100);
    assert_ok(*state, nep_decimal_parse(*state, "+2", true, &d));
    assert_true(d.num == 2 && d.den == 1);
    assert_ok(*state, nep_decimal_parse(*state, "-0", true, &d));
    assert_true(d.num == 0 && d.den == 1);
}

static void test_no_decimals(void **state)
{
    static const char *const bad[] = {"",    ".",    "7e-1", "0.7 ", " 0.7", "0,7",       "0.7.1",         "0x1", "nan", "-0.7",
                                      "+1", "0.1234567", "1000000.000001", "1000001",   "99999999999999999999", "1-"};
    static const char *const never[] = {"--1", "-", "+-1", "- 1", "1000001"};
    nep_decimal d = {-5, -6};
    for (int i = 0; i < NEP_LEN(bad); i++) {
        nep_ctx_clear(*state);
        assert_fails(nep_decimal_parse(*state, bad[i], false, &d), NEP_E_ARG);
        assert_non_null(strstr(nep_ctx_error(*state), "is not a decimal such as 0.7"));
    }
    for (int i = 0; i < NEP_LEN(never); i++)
        assert_fails(nep_decimal_parse(*state, never[i], true, &d), NEP_E_ARG);
    assert_fails(nep_decimal_parse(*state, NULL, false, &d), NEP_E_ARG);
    assert_true(d.num == -5 && d.den == -6); /* untouched */
}

/* ---- merging ----------------------------------------------------------------------------------------------------- */
enum { A = 10 }; /* bits of both queries */

/* Two queries; the first found in each part what `b` and `c` say, the second nothing. */
typedef struct {
    int64_t start[3], number[4];
    int64_t position[4];
    double score[4];
    int32_t common[4], total[4], query_bits[2];
    nep_hits hits;
} part;

static void fill(part *p, int n, const int64_t *number, const int32_t *b, const int32_t *c)
{
    *p = (part){.start = {0, n, n}, .query_bits = {A, A}};
    for (int i = 0; i < n; i++) {
        p->number[i] = number[i];
        p->common[i] = c[i];
        p->total[i] = A + b[i] - c[i];
        p->score[i] = p->total[i] ? (double)c[i] / (double)p->total[i] : 0;
    }
    p->hits = (nep_hits){.n_queries = 2, .start = p->start, .position = p->position, .number = p->number, .score = p->score,
                         .common = p->common, .total = p->total, .query_bits = p->query_bits};
}

static void is(const nep_hits *h, int n, const int64_t *number)
{
    assert_int_equal(h->n_queries, 2);
    assert_int_equal(h->start[1], n);
    assert_int_equal(h->start[2], n);
    for (int i = 0; i < n; i++) {
        assert_int_equal(h->number[i], number[i]);
        assert_int_equal(h->position[i], -1);
    }
}

/* Row 4: 5 of 10 and 10, 1/3; row 7: 4 of 10 and 6, 1/3 too; row 2: 8 of 10 and 8; row 9: 0. */
static void two_parts(part *p)
{
    fill(&p[0], 2, (const int64_t[]){7, 9}, (const int32_t[]){6, 3}, (const int32_t[]){4, 0});
    fill(&p[1], 2, (const int64_t[]){2, 4}, (const int32_t[]){8, 10}, (const int32_t[]){8, 5});
}

static void test_merge(void **state)
{
    part p[2];
    nep_hits out = {0};
    nep_search_opts o = {.metric = NEP_METRIC_TANIMOTO, .k = 10};
    two_parts(p);
    const nep_hits parts[] = {p[0].hits, p[1].hits}, other_way[] = {p[1].hits, p[0].hits};
    assert_ok(*state, nep_hits_merge(*state, parts, 2, &o, &out));
    is(&out, 4, (const int64_t[]){2, 4, 7, 9}); /* equal fractions 5/15 and 4/12: the smaller number first */
    assert_true(out.common[1] == 5 && out.total[1] == 15 && out.common[2] == 4 && out.total[2] == 12 && out.query_bits[1] == A);
    assert_true(out.score[1] == 1.0 / 3 && out.score[3] == 0);
    nep_hits_free(&out);
    o.k = 2;
    assert_ok(*state, nep_hits_merge(*state, other_way, 2, &o, &out));
    is(&out, 2, (const int64_t[]){2, 4});
    nep_hits_free(&out);
    o = (nep_search_opts){.metric = NEP_METRIC_COSINE}; /* 25/10 against 16/6 */
    assert_ok(*state, nep_hits_merge(*state, parts, 2, &o, &out));
    is(&out, 4, (const int64_t[]){2, 7, 4, 9});
    nep_hits_free(&out);
    o = (nep_search_opts){.metric = NEP_METRIC_TVERSKY, .alpha = {1, 1}, .beta = {0, 1}}; /* c / a */
    assert_ok(*state, nep_hits_merge(*state, parts, 2, &o, &out));
    is(&out, 4, (const int64_t[]){2, 4, 7, 9});
    nep_hits_free(&out);
    o = (nep_search_opts){.metric = NEP_METRIC_TVERSKY, .alpha = {0, 1}, .beta = {1, 1}}; /* c / b */
    assert_ok(*state, nep_hits_merge(*state, parts, 2, &o, &out));
    is(&out, 4, (const int64_t[]){2, 7, 4, 9});
    nep_hits_free(&out);
}

static void test_merge_dense(void **state)
{
    int64_t start[] = {0, 2}, one[] = {5, 1}, two[] = {3, 0};
    double near[] = {0.5, 2}, far[] = {0.5, 3};
    const nep_hits parts[] = {{.n_queries = 1, .start = start, .number = one, .score = near},
                              {.n_queries = 1, .start = start, .number = two, .score = far}};
    nep_hits out = {0};
    nep_search_opts o = {.metric = NEP_METRIC_L2, .k = 3};
    assert_ok(*state, nep_hits_merge(*state, parts, 2, &o, &out));
    assert_null(out.common);
    assert_null(out.query_bits);
    assert_true(out.start[1] == 3 && out.number[0] == 3 && out.number[1] == 5 && out.number[2] == 1);
    nep_hits_free(&out);
    o.metric = NEP_METRIC_INNER;
    assert_ok(*state, nep_hits_merge(*state, parts, 2, &o, &out));
    assert_true(out.number[0] == 0 && out.number[1] == 1 && out.number[2] == 3);
    nep_hits_free(&out);
    o.metric = NEP_METRIC_TANIMOTO;
    assert_fails(nep_hits_merge(*state, parts, 2, &o, &out), NEP_E_ARG);
}

static void test_merge_refuses(void **state)
{
    part p[2];
    nep_hits out = {0};
    nep_search_opts o = {.metric = NEP_METRIC_TANIMOTO, .k = 1};
    two_parts(p);
    nep_hits parts[] = {p[0].hits, p[1].hits};
    assert_fails(nep_hits_merge(*state, parts, 0, &o, &out), NEP_E_ARG);
    o.k = -1;
    assert_fails(nep_hits_merge(*state, parts, 2, &o, &out), NEP_E_ARG);
    o.k = 1;
    parts[1].n_queries = 1;
    nep_ctx_clear(*state);
    assert_fails(nep_hits_merge(*state, parts, 2, &o, &out), NEP_E_ARG);
    assert_string_equal(nep_ctx_error(*state), "merge: answer 2 has 1 queries, the first has 2");
    parts[1] = p[1].hits;
    parts[1].query_bits = NULL;
    assert_fails(nep_hits_merge(*state, parts, 2, &o, &out), NEP_E_ARG);
    parts[1] = p[1].hits;
    p[1].query_bits[1] = A - 1;
    assert_fails(nep_hits_merge(*state, parts, 2, &o, &out), NEP_E_ARG);
    p[1].query_bits[1] = A;
    p[1].number[1] = 9; /* past the k-th, and refused all the same */
    nep_ctx_clear(*state);
    assert_fails(nep_hits_merge(*state, parts, 2, &o, &out), NEP_E_FORMAT);
    assert_non_null(strstr(nep_ctx_error(*state), "query 1 found row 9 twice"));
    o.metric = NEP_METRIC_L2;
    assert_fails(nep_hits_merge(*state, parts, 2, &o, &out), NEP_E_ARG);
    assert_null(out.start);
}

static void test_merge_memory(void **state)
{
    part p[2];
    nep_hits out = {0};
    const nep_search_opts o = {.metric = NEP_METRIC_TANIMOTO, .k = 4};
    two_parts(p);
    const nep_hits parts[] = {p[0].hits, p[1].hits};
    const int64_t before = nep_alloc_used(*state);
    nep_status st = NEP_E_NOMEM;
    int64_t k = 0;
    for (; st == NEP_E_NOMEM; k++) {
        nep_alloc_fail_at(*state, k);
        st = nep_hits_merge(*state, parts, 2, &o, &out);
        if (st != NEP_OK) {
            assert_int_equal(nep_alloc_used(*state), before);
            assert_null(out.start);
        }
    }
    nep_alloc_fail_at(*state, -1);
    assert_int_equal(st, NEP_OK);
    assert_int_equal(k, 9); /* eight allocations */
    nep_hits_free(&out);
    assert_int_equal(nep_alloc_used(*state), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_decimals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_decimals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_merge, setup, teardown),
        cmocka_unit_test_setup_teardown(test_merge_dense, setup, teardown),
        cmocka_unit_test_setup_teardown(test_merge_refuses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_merge_memory, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
