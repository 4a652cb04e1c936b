/* SPDX-License-Identifier: Apache-2.0 */
/* Search of bit vectors: by hand, against RDKit, and against a plain loop over all rows under everything that must change nothing. */
#include "similarity/bits.h"
#include "similarity/same_hits.h"

#include "backend/cpu.h"

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

static nep_search_opts best(nep_metric metric, int64_t k)
{
    return (nep_search_opts){.metric = metric, .k = k, .alpha = {3, 10}, .beta = {9, 10}};
}

static nep_search_opts at_least(nep_metric metric, int64_t num, int64_t den)
{
    return (nep_search_opts){.metric = metric, .by_threshold = true, .threshold = {num, den}, .alpha = {3, 10}, .beta = {9, 10}};
}

/* The same answer in all that does not depend on where rows lie. */
static void same_hits(const nep_hits *a, const nep_hits *b)
{
    const size_t n = same_rows(a, b);
    if (n == 0)
        return;
    assert_memory_equal(a->common, b->common, n * sizeof *a->common);
    assert_memory_equal(a->total, b->total, n * sizeof *a->total);
}

static void is_plain(const nep_hits *h, const made_index *m, const nep_search_opts *o, const uint64_t *bits, int64_t n, const uint64_t *query)
{
    const int64_t words = m->index.bits.words;
    plain_hit *want = calloc((size_t)n + 1, sizeof *want);
    for (int64_t q = 0; q < h->n_queries; q++) {
        const int64_t found = plain_answer(o, bits, n, words, query + q * words, want);
        assert_int_equal(h->start[q + 1] - h->start[q], found);
        assert_int_equal(h->query_bits[q], count_row(query + q * words, words));
        for (int64_t i = 0; i < found; i++) {
            const int64_t at = h->start[q] + i;
            assert_int_equal(h->number[at], want[i].number);
            assert_int_equal(m->number[h->position[at]], want[i].number);
            assert_int_equal(h->common[at], want[i].c);
            assert_int_equal(h->total[at], want[i].total);
            const double s = (double)want[i].p / (double)want[i].q;
            assert_near(h->score[at], o->metric == NEP_METRIC_COSINE ? sqrt(s) : s, 1e-15);
        }
    }
    free(want);
}

/* ---- by hand ----------------------------------------------------------------------------------------------------- */
static void test_by_hand(void **state)
{
    /* query 11110000; rows: 11110000, 00000000, 11000000, 11111111, 10000001, 00110011 */
    const uint64_t bits[] = {0x0F, 0, 0x03, 0xFF, 0x81, 0xCC}, query[] = {0x0F};
    made_index m = make_index(bits, 8, 6, 0, 1, true);
    nep_hits h = {0};
    nep_search_report report;
    nep_search_opts o = best(NEP_METRIC_TANIMOTO, 10);
    assert_ok(*state, nep_bits_search(*state, &m.index, query, 1, &o, &h, &report));
    const int64_t numbers[] = {0, 2, 3, 5, 4, 1};
    const int32_t common[] = {4, 2, 4, 2, 1, 0}, total[] = {4, 4, 8, 6, 5, 4};
    assert_int_equal(h.start[1], 6);
    assert_memory_equal(h.number, numbers, sizeof numbers); /* 1, 2/4 = 4/8 by row number, 2/6, 1/5, 0 */
    assert_memory_equal(h.common, common, sizeof common);
    assert_memory_equal(h.total, total, sizeof total);
    assert_true(h.score[1] == 0.5 && h.score[3] == 1.0 / 3 && h.score[5] == 0 && h.query_bits[0] == 4);
    assert_true(report.exact && report.candidates == 6 && strcmp(report.path, "bits with sketch") == 0);
    nep_hits_free(&h);
    o = at_least(NEP_METRIC_TANIMOTO, 5, 10);
    assert_ok(*state, nep_bits_search(*state, &m.index, query, 1, &o, &h, NULL));
    assert_true(h.start[1] == 3 && h.number[0] == 0 && h.number[1] == 2 && h.number[2] == 3); /* 1/2 is at the threshold */
    nep_hits_free(&h);
    o.threshold.num = 500001;
    o.threshold.den = 1000000;
    assert_ok(*state, nep_bits_search(*state, &m.index, query, 1, &o, &h, NULL));
    assert_int_equal(h.start[1], 1);
    nep_hits_free(&h);
    o = best(NEP_METRIC_TVERSKY, 2); /* alpha 1, beta 0: all of the query's bits are in row 3 */
    o.alpha = (nep_decimal){1, 1};
    o.beta = (nep_decimal){0, 1};
    assert_ok(*state, nep_bits_search(*state, &m.index, query, 1, &o, &h, NULL));
    assert_true(h.start[1] == 2 && h.number[0] == 0 && h.number[1] == 3 && h.score[1] == 1);
    nep_hits_free(&h);
    free_index(&m);
}

static void test_empty_query(void **state)
{
    const uint64_t bits[] = {1, 0, 3, 0}, query[] = {0};
    made_index m = make_index(bits, 64, 4, 0, 1, true);
    nep_hits h = {0};
    for (nep_metric metric = NEP_METRIC_TANIMOTO; metric <= NEP_METRIC_TVERSKY; metric++) {
        nep_search_opts o = best(metric, 3);
        assert_ok(*state, nep_bits_search(*state, &m.index, query, 1, &o, &h, NULL));
        assert_true(h.start[1] == 3 && h.number[0] == 0 && h.number[1] == 1 && h.number[2] == 2 && h.score[1] == 0);
        nep_hits_free(&h);
        o = at_least(metric, 0, 1);
        assert_ok(*state, nep_bits_search(*state, &m.index, query, 1, &o, &h, NULL));
        assert_int_equal(h.start[1], 4);
        nep_hits_free(&h);
        o = at_least(metric, 1, 1000000);
        assert_ok(*state, nep_bits_search(*state, &m.index, query, 1, &o, &h, NULL));
        assert_int_equal(h.start[1], 0);
        nep_hits_free(&h);
    }
    free_index(&m);
}

/* ---- RDKit ------------------------------------------------------------------------------------------------------- */
enum { GOLDEN_BITS = 512, GOLDEN_WORDS = GOLDEN_BITS / 64 };

static int64_t read_fps(const char *kind, uint64_t *bits)
{
    FILE *f = fopen(TEST_GOLDEN("similarity_bits_rows.tsv"), "r");
    char line[512];
    int64_t n = 0;
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        const size_t word = strlen(kind);
        if (strncmp(line, kind, word) != 0 || line[word] != '\t')
            continue;
        for (int b = 0; b < GOLDEN_BITS / 8; b++) {
            unsigned byte;
            assert_int_equal(sscanf(line + word + 1 + 2 * b, "%2x", &byte), 1);
            bits[n * GOLDEN_WORDS + b / 8] |= (uint64_t)byte << 8 * (b % 8);
        }
        n++;
    }
    fclose(f);
    return n;
}

/* A line of the golden: text, weights, then numbers. */
typedef struct {
    char metric[16], alpha[16], beta[16];
    long long query, rank, row;
    int common, total;
    double score;
} golden_line;

static bool next_line(FILE *f, golden_line *g)
{
    char line[256], *cell[9], *at = line;
    if (!fgets(line, sizeof line, f))
        return false;
    for (int i = 0; i < 9; i++)
        cell[i] = strsep(&at, "\t");
    assert_non_null(cell[8]);
    snprintf(g->metric, sizeof g->metric, "%s", cell[0]);
    snprintf(g->alpha, sizeof g->alpha, "%s", cell[1]);
    snprintf(g->beta, sizeof g->beta, "%s", cell[2]);
    g->query = atoll(cell[3]);
    g->rank = atoll(cell[4]);
    g->row = atoll(cell[5]);
    g->common = atoi(cell[6]);
    g->total = atoi(cell[7]);
    g->score = atof(cell[8]);
    return true;
}

static void check_line(nep_ctx *ctx, const golden_line *g, const made_index *m, const uint64_t *query)
{
    static const char *const names[] = {"tanimoto", "dice", "cosine", "tversky"};
    nep_search_opts o = best(NEP_METRIC_TANIMOTO, g->rank);
    nep_hits h = {0};
    while (strcmp(names[o.metric], g->metric) != 0)
        o.metric++;
    if (o.metric == NEP_METRIC_TVERSKY) {
        assert_ok(ctx, nep_decimal_parse(ctx, g->alpha, false, &o.alpha));
        assert_ok(ctx, nep_decimal_parse(ctx, g->beta, false, &o.beta));
    }
    assert_ok(ctx, nep_bits_search(ctx, &m->index, query + g->query * GOLDEN_WORDS, 1, &o, &h, NULL));
    assert_int_equal(h.start[1], g->rank); /* the last of as many: k and the rows before it do not matter */
    assert_int_equal(h.number[g->rank - 1], g->row);
    assert_int_equal(h.common[g->rank - 1], g->common);
    assert_int_equal(h.total[g->rank - 1], g->total);
    assert_near(h.score[g->rank - 1], g->score, 1e-15);
    nep_hits_free(&h);
}

static void test_rdkit(void **state)
{
    uint64_t *rows = calloc(300 * GOLDEN_WORDS, sizeof *rows), *query = calloc(20 * GOLDEN_WORDS, sizeof *query);
    const int64_t n = read_fps("row", rows);
    made_index m = make_index(rows, GOLDEN_BITS, n, 0, 1, true);
    FILE *f = fopen(TEST_GOLDEN("similarity_bits.tsv"), "r");
    golden_line g;
    int lines = 0;
    assert_int_equal(n, 240);
    assert_int_equal(read_fps("query", query), 7);
    assert_true(f && fgetc(f) == 'm' && fscanf(f, "%*[^\n]") == 0 && fgetc(f) == '\n');
    for (; next_line(f, &g); lines++)
        check_line(*state, &g, &m, query);
    assert_int_equal(lines, 6 * 7 * 25);
    fclose(f);
    free_index(&m);
    free(rows);
    free(query);
}

/* ---- against the plain loop -------------------------------------------------------------------------------------- */
enum { N = 1200, N_Q = 13 };

static const int64_t widths[] = {2048, 1000, 64, 166, 8192, 1024};

static void compare_all(nep_ctx *ctx, int64_t n_bits, const nep_search_opts *o)
{
    const int64_t n = n_bits > 4000 ? N / 4 : N;
    uint64_t *bits = make_bits(1, n, n_bits), *query = make_bits(2, N_Q, n_bits);
    nep_hits h = {0}, other = {0};
    for (int sketch = 0; sketch < 2; sketch++) {
        made_index m = make_index(bits, n_bits, n, 0, 1, sketch);
        assert_ok(ctx, nep_bits_search(ctx, &m.index, query, N_Q, o, sketch ? &other : &h, NULL));
        is_plain(sketch ? &other : &h, &m, o, bits, n, query);
        free_index(&m);
    }
    same_hits(&h, &other);
    nep_hits_free(&h);
    nep_hits_free(&other);
    free(bits);
    free(query);
}

static void test_best(void **state)
{
    static const int64_t k[] = {1, 10, 333, N, 5 * N};
    for (int w = 0; w < NEP_LEN(widths); w++)
        for (nep_metric metric = NEP_METRIC_TANIMOTO; metric <= NEP_METRIC_TVERSKY; metric++) {
            const nep_search_opts o = best(metric, k[(w + (int)metric) % NEP_LEN(k)]);
            compare_all(*state, widths[w], &o);
        }
}

static void test_thresholds(void **state)
{
    static const nep_decimal t[] = {{7, 10}, {5, 10}, {35, 100}, {0, 1}, {1, 1}, {333333, 1000000}, {333334, 1000000}, {3, 1}, {-1, 10}};
    for (int i = 0; i < NEP_LEN(t); i++)
        for (nep_metric metric = NEP_METRIC_TANIMOTO; metric <= NEP_METRIC_TVERSKY; metric++) {
            nep_search_opts o = at_least(metric, t[i].num, t[i].den);
            compare_all(*state, widths[(i + (int)metric) % NEP_LEN(widths)], &o);
            o.k = 5; /* the best of those at the threshold */
            compare_all(*state, widths[(i + (int)metric) % 3], &o);
        }
}

/* 7 common bits of 10, nothing but it: at 0.7 it is found, a millionth higher it is not. */
static void test_exact_threshold(void **state)
{
    const uint64_t query[] = {0x3FF}, rows[] = {0x07F, 0x3F0};
    const struct {
        nep_metric metric;
        nep_decimal at, above;
        int hits;
    } c[] = {{NEP_METRIC_TANIMOTO, {7, 10}, {700001, 1000000}, 1},
             {NEP_METRIC_TANIMOTO, {6, 10}, {600001, 1000000}, 2},
             {NEP_METRIC_DICE, {75, 100}, {750001, 1000000}, 2}}; /* 12 / 16 */
    made_index m = make_index(rows, 64, 2, 0, 1, true);
    nep_hits h = {0};
    for (int i = 0; i < NEP_LEN(c); i++) {
        nep_search_opts o = at_least(c[i].metric, c[i].at.num, c[i].at.den);
        assert_ok(*state, nep_bits_search(*state, &m.index, query, 1, &o, &h, NULL));
        assert_int_equal(h.start[1], c[i].hits);
        nep_hits_free(&h);
        o.threshold = c[i].above;
        assert_ok(*state, nep_bits_search(*state, &m.index, query, 1, &o, &h, NULL));
        assert_int_equal(h.start[1], c[i].hits - 1);
        nep_hits_free(&h);
    }
    free_index(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_by_hand, setup, teardown),
        cmocka_unit_test_setup_teardown(test_empty_query, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rdkit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_best, setup, teardown),
        cmocka_unit_test_setup_teardown(test_thresholds, setup, teardown),
        cmocka_unit_test_setup_teardown(test_exact_threshold, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
