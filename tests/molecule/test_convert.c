/* SPDX-License-Identifier: Apache-2.0 */
/* Structures through the RDKit module against RDKit's own Python, and texts made to break it. */
#include "molecule/rdkit_here.h"

#include <nepenthe/io.h>

static nep_ctx *ctx;

typedef struct {
    nep_converted out;
    uint64_t bits[128];
    double d[NEP_CONVERT_DESCRIPTORS];
} answer;

static nep_convert_input smiles(const char *text)
{
    return (nep_convert_input){.text = text, .n_bytes = (int64_t)strlen(text)};
}

static void convert(const char *fingerprint, nep_convert_input in, bool parent, answer *a)
{
    nep_convert_opts o = {.inchikey = true, .descriptors = true, .parent = parent};
    memset(a, 0, sizeof *a);
    assert_ok(ctx, nep_fingerprint_parse(ctx, fingerprint, &o.fingerprint));
    assert_ok(ctx, nep_convert_batch(ctx, &o, &in, 1, &a->out, a->bits, a->d));
}

static void drop(answer *a)
{
    nep_convert_free(&a->out, 1);
}

static const char *cell(const nep_table *t, int64_t row, const char *column)
{
    const int64_t c = nep_table_column(t, column);
    assert_true(c >= 0);
    const char *text = nep_table_cell(t, row, c);
    return text ? text : "";
}

/* "index:byte" pairs into words. */
static void from_sparse(const char *text, uint64_t bits[128])
{
    memset(bits, 0, 128 * sizeof *bits);
    for (char *end; *text; text = *end ? end + 1 : end) {
        const long k = strtol(text, &end, 10);
        const unsigned long byte = strtoul(end + 1, &end, 16);
        assert_true(k >= 0 && k < 1024 && byte < 256);
        bits[k / 8] |= (uint64_t)byte << (8 * (k % 8));
    }
}

static void test_golden(void **state)
{
    (void)state;
    static const char *const fingerprints[][2] = {
        {"morgan:2:2048", "morgan_2_2048"}, {"morgan:3:1000", "morgan_3_1000"}, {"rdkit:512", "rdkit_512"}, {"maccs", "maccs"}};
    nep_table t = {0}, keys = {0};
    assert_ok(ctx, nep_tsv_read(ctx, TEST_GOLDEN("molecules.tsv"), &t));
    assert_ok(ctx, nep_tsv_read(ctx, TEST_GOLDEN("molecules_inchikey.tsv"), &keys));
    assert_true(t.n_rows == keys.n_rows && t.n_rows > 40);
    for (int64_t i = 0; i < t.n_rows; i++)
        for (int f = 0; f < NEP_LEN(fingerprints); f++) {
            answer a;
            uint64_t want[128];
            convert(fingerprints[f][0], smiles(cell(&t, i, "smiles")), false, &a);
            assert_string_equal(a.out.reason, "");
            assert_string_equal(a.out.smiles, cell(&t, i, "canonical"));
            assert_string_equal(a.out.inchikey, cell(&keys, i, "inchikey"));
            assert_string_equal(a.out.parent_inchikey, cell(&keys, i, "parent_inchikey"));
            from_sparse(cell(&t, i, fingerprints[f][1]), want);
            assert_memory_equal(a.bits, want, sizeof want);
            for (int d = 0; d < NEP_CONVERT_MEASURED; d++)
                assert_near(a.d[d], strtod(cell(&t, i, nep_convert_descriptor_names[d]), NULL), 1e-12);
            drop(&a);
        }
    nep_table_free(&keys);
    nep_table_free(&t);
}

static void test_mol_blocks(void **state)
{
    (void)state;
    const nep_records_opts o = {.id_column = "number"};
    nep_records *r = NULL;
    nep_record rec;
    nep_table t = {0};
    bool more = true;
    int64_t i = 0;
    assert_ok(ctx, nep_tsv_read(ctx, TEST_GOLDEN("molecules_sdf.tsv"), &t));
    assert_ok(ctx, nep_records_open(ctx, TEST_GOLDEN("molecules.sdf"), &o, &r));
    assert_true(nep_records_molblocks(r));
    for (;; i++) {
        answer a;
        assert_ok(ctx, nep_records_next(r, &rec, &more));
        if (!more)
            break;
        assert_null(rec.problem);
        assert_string_equal(rec.id, cell(&t, i, "number"));
        convert("none", (nep_convert_input){rec.text, rec.n_bytes, true}, false, &a);
        assert_string_equal(a.out.reason, "");
        assert_string_equal(a.out.smiles, cell(&t, i, "canonical"));
        drop(&a);
    }
    assert_int_equal(i, t.n_rows);
    nep_records_close(r);
    nep_table_free(&t);
}

static void test_parent(void **state)
{
    (void)state;
    answer a;
    convert("morgan:2:1024", smiles("Cl.CCN.O"), false, &a);
    assert_string_equal(a.out.smiles, "CCN.Cl.O");
    assert_string_equal(a.out.parent_smiles, "CCN");
    assert_string_equal(a.out.parent_inchikey, "QUSNBJAOOMFDIB-UHFFFAOYSA-N");
    assert_true(a.d[12] == 3);
    drop(&a);
    answer alone, b;
    convert("morgan:2:1024", smiles("Cl.CCN.O"), true, &b);
    convert("morgan:2:1024", smiles("CCN"), false, &alone);
    assert_string_equal(b.out.smiles, "CCN");
    assert_string_equal(b.out.inchikey, alone.out.inchikey);
    assert_memory_equal(b.bits, alone.bits, sizeof b.bits);
    assert_memory_equal(b.d, alone.d, sizeof b.d);
    drop(&b);
    drop(&alone);
    convert("none", smiles("[Br-].[Cl-]"), false, &a); /* equal counts: the heavier one */
    assert_string_equal(a.out.parent_smiles, "[Br-]");
    drop(&a);
}

/* pKa and logD are not made up: four of the six terms of CNS MPO. */
static void test_rules(void **state)
{
    (void)state;
    answer a;
    convert("none", smiles("O=C(CCCN1CCC(CC1)(O)c1ccc(Cl)cc1)c1ccc(F)cc1"), false, &a);
    const double parts[4] = {(5 - a.d[1]) / 2, (500 - a.d[0]) / 140, 1, (3.5 - a.d[3]) / 3};
    assert_string_equal(nep_convert_descriptor_names[14], "cns_mpo");
    assert_near(a.d[14], 6 * (parts[0] + parts[1] + parts[2] + parts[3]) / 4, 1e-12);
    assert_true(a.d[15] == 4 && a.d[13] == 0);
    drop(&a);
    convert("none", smiles("CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC(=O)O"), false, &a);
    assert_true(a.d[13] == 2); /* 607 Da, logP 16 */
    drop(&a);
}

static char *repeated(const char *head, const char *unit, int n, const char *tail_unit, int n_tail)
{
    char *text = malloc(strlen(head) + strlen(unit) * (size_t)n + strlen(tail_unit) * (size_t)n_tail + 1), *at = text;
    assert_non_null(text);
    at = stpcpy(at, head);
    for (int i = 0; i < n; i++)
        at = stpcpy(at, unit);
    for (int i = 0; i < n_tail; i++)
        at = stpcpy(at, tail_unit);
    return text;
}

static void refuse(nep_convert_input in, const char *words)
{
    answer a;
    convert("morgan:2:2048", in, false, &a);
    if (a.out.smiles || !strstr(a.out.reason, words))
        fail_msg("want '%s', got '%s', SMILES '%s'", words, a.out.reason, a.out.smiles ? a.out.smiles : "none");
    for (int k = 0; k < 32; k++)
        assert_true(a.bits[k] == 0);
    assert_true(isnan(a.d[0]) && isnan(a.d[NEP_CONVERT_DESCRIPTORS - 1]));
    assert_string_equal(a.out.inchikey, "");
    drop(&a);
}

static void test_refusals(void **state)
{
    (void)state;
    refuse(smiles(""), "no atoms");
    refuse(smiles("C1CC"), "unclosed ring");
    refuse(smiles("CN(C)(C)(C)C"), "valence");
    refuse(smiles("c1cccc1"), "kekulize");
    refuse(smiles("hello world"), "SMILES Parse Error");
    refuse((nep_convert_input){"C\0C", 3, false}, "NUL");
    refuse((nep_convert_input){"C\0C\n\n\n", 6, true}, "NUL");
    refuse(smiles("\xff\xfe"), "SMILES Parse Error");
    refuse((nep_convert_input){"", 0, true}, "");
    refuse((nep_convert_input){"a\n\n\nnot a counts line\nM  END\n", 29, true}, "Cannot convert");
}

/* Sizes at the bounds that convert.c sets: the deepest chains and branches that RDKit gets to see. */
static void test_large(void **state)
{
    (void)state;
    answer a;
    static const struct {
        const char *head, *unit, *tail;
        int n, n_tail;
        const char *reason; /* NULL: it is a molecule */
    } cases[] = {
        {"C", "C", "", 999, 0, NULL},
        {"C", "(C", ")", 999, 999, NULL},
        {"C", "C", "", 100000, 0, "characters"},
        {"C", "(C", ")", 5000, 5000, "more than 2000 atoms"},
        {"C", "(C", "", 1500, 0, "open parentheses"},
        {"", "(", "", 19000, 0, "Parse Error"},
        {"", "[", "", 1999, 0, "Parse Error"},
        {"C", "1", "", 19999, 0, "ring closure"},
        {"", "C1", "", 1999, 0, "ring closure"},
        {"[C+", "9", "]", 1000, 1, "too large"},
    };
    for (int i = 0; i < NEP_LEN(cases); i++) {
        char *text = repeated(cases[i].head, cases[i].unit, cases[i].n, cases[i].tail, cases[i].n_tail);
        if (cases[i].reason) {
            refuse(smiles(text), cases[i].reason);
        } else {
            convert("none", smiles(text), false, &a);
            assert_string_equal(a.out.reason, "");
            assert_true(a.d[8] == cases[i].n + 1);
            drop(&a);
        }
        free(text);
    }
    char *lines = repeated("x\n\n\n", "M  V30 1 C 0 0 0 0\n", 100000, "M  END\n", 1);
    refuse((nep_convert_input){lines, (int64_t)strlen(lines), true}, "lines");
    free(lines);
}

/* RDKit 2022.09 takes 3 GB for the first and 9 GB for the second before it sees that they are wrong. */
static void test_promises(void **state)
{
    (void)state;
    static const char *const counts[] = {"2 1 0 0 0", "99999999 1 0 0 0", "2 99999-\nM  V30 999 0 0 0", "2 1 0 0 0", "2 1 0 0 0", "2 1 0 0 0", "9999 1 0 0 0"};
    static const char *const atoms[] = {"(2 1 2)", "(2 1 2)", "(2 1 2)", "(999999999 1)", "( 99-\nM  V30 9999 1)", "(2 1 -\nM  V30 2)", "(2 1 2)"};
    for (int i = 0; i < NEP_LEN(counts); i++) {
        char text[1024];
        answer a;
        snprintf(text, sizeof text,
                 "x\n\n\n  0  0  0     0  0            999 V3000\nM  V30 BEGIN CTAB\nM  V30 COUNTS %s\nM  V30 BEGIN ATOM\n"
                 "M  V30 1 C 0 0 0 0\nM  V30 2 O 1 0 0 0\nM  V30 END ATOM\nM  V30 BEGIN BOND\nM  V30 1 1 1 2\nM  V30 END BOND\n"
                 "M  V30 BEGIN COLLECTION\nM  V30 MDLV30/STEABS ATOMS=%s\nM  V30 END COLLECTION\nM  V30 END CTAB\nM  END\n",
                 counts[i], atoms[i]);
        const nep_convert_input in = {text, (int64_t)strlen(text), true};
        if (i != 0 && i != 5) {
            refuse(in, "5,000 items");
            continue;
        }
        convert("none", in, false, &a);
        assert_string_equal(a.out.reason, "");
        assert_string_equal(a.out.smiles, "CO");
        drop(&a);
    }
}

/* Damaged SMILES and mol blocks: an answer or a reason, never a crash. What is damaged comes from Philox: the same each time. */
static void damage(const char *from, int64_t n_bytes, bool molblock, uint64_t stream, int64_t *n_refused)
{
    static const char bytes[] = "()[]=#%123456789+-@/\\.CNOPScnos*:HFIB0 \nMVEND$~>{}|,";
    char *text = malloc((size_t)n_bytes + 1);
    assert_non_null(text);
    memcpy(text, from, (size_t)n_bytes + 1);
    const uint64_t hits = 1 + nep_philox_u32(7, stream, 0) % 4;
    for (uint64_t h = 0; h < hits; h++)
        text[nep_philox_u32(7, stream, 2 * h + 1) % (uint64_t)n_bytes] = bytes[nep_philox_u32(7, stream, 2 * h + 2) % (sizeof bytes - 1)];
    answer a;
    convert("morgan:2:2048", (nep_convert_input){text, n_bytes, molblock}, false, &a);
    assert_true((a.out.smiles != NULL) == (a.out.reason[0] == '\0'));
    *n_refused += !a.out.smiles;
    drop(&a);
    free(text);
}

static void test_damaged(void **state)
{
    (void)state;
    nep_table t = {0};
    nep_records *r = NULL;
    nep_record rec;
    bool more = true;
    int64_t n_refused = 0, n = 0;
    assert_ok(ctx, nep_tsv_read(ctx, TEST_GOLDEN("molecules.tsv"), &t));
    for (int64_t i = 0; i < t.n_rows; i++)
        for (uint64_t k = 0; k < 20; k++, n++)
            damage(cell(&t, i, "smiles"), (int64_t)strlen(cell(&t, i, "smiles")), false, (uint64_t)i * 1000 + k, &n_refused);
    assert_true(n_refused > n / 4 && n_refused < n);
    assert_ok(ctx, nep_records_open(ctx, TEST_GOLDEN("molecules.sdf"), NULL, &r));
    for (uint64_t i = 0;; i++) {
        assert_ok(ctx, nep_records_next(r, &rec, &more));
        if (!more)
            break;
        for (uint64_t k = 0; k < 10; k++)
            damage(rec.text, rec.n_bytes, true, 1000000 + i * 1000 + k, &n_refused);
    }
    nep_records_close(r);
    nep_table_free(&t);
}

/* Twelve iron atoms bonded each to each: Morgan's bits are soon made, RDKit's paths would not fit in 11 GB. */
static void test_dense(void **state)
{
    (void)state;
    enum { n = 12 };
    char text[1024] = "";
    answer a;
    for (int i = 0; i < n; i++) {
        strcat(text, "[Fe]");
        for (int k = 0; k < n; k++)
            if (k < i - 1 || k > i + 1) { /* neighbours in the text are bonded by it */
                const int low = i < k ? i : k, high = i < k ? k : i;
                sprintf(text + strlen(text), "%%(%d)", 100 + n * low + high);
            }
    }
    convert("morgan:2:2048", smiles(text), false, &a);
    assert_string_equal(a.out.reason, "");
    assert_true(a.d[8] == n);
    drop(&a);
    convert("rdkit:2048", smiles(text), false, &a);
    assert_null(a.out.smiles);
    assert_non_null(strstr(a.out.reason, "too densely"));
    drop(&a);
}

static void test_threads(void **state)
{
    (void)state;
    enum { copies = 6 };
    nep_table t = {0};
    nep_ctx *many = test_ctx(4);
    const nep_convert_opts o = {.fingerprint = {NEP_FINGERPRINT_MORGAN, 2, 2048}, .inchikey = true, .descriptors = true};
    assert_ok(ctx, nep_tsv_read(ctx, TEST_GOLDEN("molecules.tsv"), &t));
    const int64_t n = copies * t.n_rows;
    nep_convert_input *in = calloc((size_t)n, sizeof *in);
    nep_converted *a = calloc((size_t)n, sizeof *a), *b = calloc((size_t)n, sizeof *b);
    uint64_t *bits_a = calloc((size_t)n * 32, 8), *bits_b = calloc((size_t)n * 32, 8);
    double *d_a = calloc((size_t)n * NEP_CONVERT_DESCRIPTORS, 8), *d_b = calloc((size_t)n * NEP_CONVERT_DESCRIPTORS, 8);
    for (int64_t i = 0; i < n; i++)
        in[i] = i % 7 == 3 ? smiles("C1CC") : smiles(cell(&t, i % t.n_rows, "smiles"));
    assert_ok(ctx, nep_convert_batch(ctx, &o, in, n, a, bits_a, d_a));
    assert_ok(many, nep_convert_batch(many, &o, in, n, b, bits_b, d_b));
    assert_memory_equal(bits_a, bits_b, (size_t)n * 32 * 8);
    assert_memory_equal(d_a, d_b, (size_t)n * NEP_CONVERT_DESCRIPTORS * 8);
    for (int64_t i = 0; i < n; i++) {
        assert_string_equal(a[i].inchikey, b[i].inchikey);
        assert_string_equal(a[i].reason, b[i].reason);
        assert_string_equal(a[i].smiles ? a[i].smiles : "", b[i].smiles ? b[i].smiles : "");
        assert_true((a[i].smiles == NULL) == (i % 7 == 3));
    }
    nep_convert_free(a, n);
    nep_convert_free(b, n);
    void *const all[] = {in, a, b, bits_a, bits_b, d_a, d_b};
    for (int i = 0; i < NEP_LEN(all); i++)
        free(all[i]);
    nep_table_free(&t);
    nep_ctx_free(many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_golden), cmocka_unit_test(test_mol_blocks), cmocka_unit_test(test_parent),
                                       cmocka_unit_test(test_rules),  cmocka_unit_test(test_refusals),   cmocka_unit_test(test_large),
                                       cmocka_unit_test(test_damaged), cmocka_unit_test(test_promises), cmocka_unit_test(test_dense), cmocka_unit_test(test_threads)};
    const char *about = NULL;
    if (!rdkit_here()) {
        puts("the RDKit module is not part of this build");
        return NEP_TEST_SKIPPED;
    }
    ctx = test_ctx(1);
    if (nep_convert_about(ctx, &about) != NEP_OK) {
        puts(nep_ctx_error(ctx));
        return 1;
    }
    if (!strstr(about, "RDKit 2022.09")) { /* another release canonicalises otherwise */
        printf("the goldens are of RDKit 2022.09, this is %s\n", about);
        return NEP_TEST_SKIPPED;
    }
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    nep_ctx_free(ctx);
    return failed;
}
