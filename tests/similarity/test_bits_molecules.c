/* SPDX-License-Identifier: Apache-2.0 */
/* The 100 nearest of 153,705 molecules to each of 100 of them, as RDKit counts and exact fractions order: rows, common and total bits of
 * all 10,000 lines. Needs the evaluation data, and in
 * NEPENTHE_FP2048 what fingerprints.sh (which ctest runs before) or tests/golden/make_fp2048.py makes of it; skipped without. */
#include "similarity/bits.h"

enum { N = 153705, WORDS = 32, QUERIES = 100, TOP = 100 };

typedef struct {
    int64_t query, rank, row;
    int32_t common, total;
} line;

static char golden_path[4300];
static uint64_t *bits;
static line *want;

/* The lines of the golden: numbers between tabs, what begins with '#' left out. */
static int64_t read_lines(void)
{
    char command[4400], text[512];
    int64_t n = 0;
    snprintf(command, sizeof command, "gzip -dc '%s'", golden_path);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    while (n < QUERIES * TOP && fgets(text, sizeof text, f)) {
        long long q, rank, row;
        int common, total;
        if (text[0] == '#')
            continue;
        assert_int_equal(sscanf(text, "%lld %lld %lld %d %d", &q, &rank, &row, &common, &total), 5);
        want[n++] = (line){q, rank, row, common, total};
    }
    pclose(f);
    return n;
}

static void check_answer(const nep_index *index, int sketch)
{
    nep_ctx *ctx = test_ctx(2);
    uint64_t *query = calloc((size_t)QUERIES * WORDS, sizeof *query);
    nep_hits h = {0};
    const nep_search_opts o = {.metric = NEP_METRIC_TANIMOTO, .k = TOP, .no_sketch = !sketch};
    for (int64_t q = 0; q < QUERIES; q++)
        memcpy(query + q * WORDS, bits + want[q * TOP].query * WORDS, WORDS * sizeof *query);
    assert_ok(ctx, nep_bits_search(ctx, index, query, QUERIES, &o, &h, NULL));
    for (int64_t i = 0; i < QUERIES * TOP; i++) {
        assert_int_equal(want[i].rank, i % TOP + 1);
        assert_int_equal(h.number[i], want[i].row);
        assert_int_equal(h.common[i], want[i].common);
        assert_int_equal(h.total[i], want[i].total);
    }
    assert_int_equal(h.start[QUERIES], QUERIES * TOP);
    nep_hits_free(&h);
    free(query);
    nep_ctx_free(ctx);
}

static void test_golden(void **state)
{
    (void)state;
    assert_int_equal(read_lines(), QUERIES * TOP);
    made_index m = make_index(bits, 64 * WORDS, N, 0, 1, true);
    check_answer(&m.index, 1);
    check_answer(&m.index, 0);
    free_index(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_golden)};
    const char *shared = test_shared(), *path = getenv("NEPENTHE_FP2048");
    FILE *f = path ? fopen(path, "rb") : NULL;
    snprintf(golden_path, sizeof golden_path, "%s/data/similarity/golden_top100_tanimoto.tsv.gz", shared ? shared : "");
    if (!f || !nep_file_exists(golden_path)) {
        puts("no evaluation data, or NEPENTHE_FP2048 names no fingerprints of it: not compared");
        return NEP_TEST_SKIPPED;
    }
    bits = calloc((size_t)N * WORDS, sizeof *bits);
    want = calloc((size_t)QUERIES * TOP, sizeof *want);
    const bool whole = fread(bits, sizeof *bits, (size_t)N * WORDS, f) == (size_t)N * WORDS;
    fclose(f);
    const int failed = whole ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
    free(want);
    free(bits);
    return failed;
}
