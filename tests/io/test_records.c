/* SPDX-License-Identifier: Apache-2.0 */
/* test_records - molecules cut apart: what is a record, its line and id, and what is told of a bad one. */
#include "io/files.h"

#include "io/gzip.h"

static nep_ctx *ctx;

/* All records as "line|id|text|problem;" */
static const char *all(const char *path, const nep_records_opts *o)
{
    static char got[65536];
    nep_records *r = NULL;
    nep_record rec;
    bool more = true;
    size_t n = 0;
    got[0] = '\0';
    assert_ok(ctx, nep_records_open(ctx, path, o, &r));
    for (;;) {
        assert_ok(ctx, nep_records_next(r, &rec, &more));
        if (!more)
            break;
        assert_int_equal((int64_t)strlen(rec.text), rec.n_bytes);
        n += (size_t)snprintf(got + n, sizeof got - n, "%lld|%s|%.200s|%s;", (long long)rec.line, rec.id ? rec.id : "-", rec.text,
                              rec.problem ? rec.problem : "");
        assert_true(n < sizeof got);
    }
    assert_ok(ctx, nep_records_next(r, &rec, &more)); /* and again: the end stays the end */
    assert_false(more);
    nep_records_close(r);
    assert_int_equal(nep_alloc_used(ctx), 0);
    return got;
}

static void test_smi(void **state)
{
    (void)state;
    assert_string_equal(all(test_text("a.smi", "CCO\tethyl alcohol\tx\nCCN amine two \r\n\n# note\n  \nC\nCC |$a;b$| named\nN ||\n C\nO"), NULL),
                        "1|ethyl alcohol|CCO|;2|amine two|CCN|;6|-|C|;7|named|CC|;8|-|N|;9|C||it begins with a blank, where its SMILES should be;10|-|O|;");
    assert_string_equal(all(test_text("b.smi", "SMILES Name\nC a\nsmiles b\n"), NULL), "2|a|C|;3|b|smiles|;");
    assert_string_equal(all(test_write("c.smi", "C\0C a\nN b\n", 10), NULL), "1|-||it holds a NUL byte;2|b|N|;");
    assert_string_equal(all(test_text("d.smi", "C \xff\nN \xc3\xa9\nO \x01\nS \xed\xa0\x80\n"), NULL),
                        "1|-||its id is not UTF-8;2|\xc3\xa9|N|;3|-||its id holds a control character;4|-||its id is not UTF-8;");
    assert_string_equal(all(test_text("e.smi", ""), NULL), "");
}

static void test_sdf(void **state)
{
    (void)state;
    static const char text[] = "first \nprog\n\ncounts\nM  END\n>  <ID>  (1)\nA 1\nmore\n\n$$$$\nsecond\r\n\r\nM  END\r\n$$$$\r\n\nx\n$$$$\nlast\nM  END\n\n\n";
    assert_string_equal(all(test_text("a.sdf", text), NULL),
                        "1|first|first \nprog\n\ncounts\nM  END\n|;11|second|second\n\nM  END\n|;15|-||its mol block has no line 'M  END';18|last|last\nM  END\n|;");
    const nep_records_opts o = {.id_column = "ID"};
    assert_string_equal(all(test_text("b.sdf", text), &o),
                        "1|A 1|first \nprog\n\ncounts\nM  END\n|;11|-|second\n\nM  END\n|;15|-||its mol block has no line 'M  END';18|-|last\nM  END\n|;");
    assert_string_equal(all(test_text("c.sdf", "\n\n"), NULL), "");
}

static void test_tables(void **state)
{
    (void)state;
    assert_string_equal(all(test_text("a.csv", "\xef\xbb\xbfName,SMILES,note\nx,CCO,1\n\"a, \"\"b\"\"\",\"C\nC\",2\n\nshort,C\ny,,3\nz,n/a,3\n\"q\"q,C,1\n"), NULL),
                        "2|x|CCO|;3|a, \"b\"|C\nC|;6|-||it has more or fewer cells than the header;7|y||its SMILES is missing;8|z||its SMILES is missing;"
                        "9|-||its quotes are wrong;");
    const nep_records_opts o = {.smiles_column = "structure", .id_column = "key"};
    assert_string_equal(all(test_text("b.tsv", "structure\tid\tkey\nC\"\t1\tk1\n"), &o), "2|k1|C\"|;");
    assert_string_equal(all(test_text("c.csv", "smiles\nC\n\"N\nO\n"), NULL), "2|-|C|;3|-||its quotes are wrong;");
}

static void test_names_and_refusals(void **state)
{
    (void)state;
    nep_records *r = NULL;
    const nep_records_opts smi = {.format = "smi"}, column = {.smiles_column = "none"}, id = {.id_column = "none"};
    assert_string_equal(all(test_text("plain.txt", "C a\n"), &smi), "1|a|C|;");
    assert_string_equal(all(test_text("upper.SMI", "C a\n"), NULL), "1|a|C|;");
    assert_refused(ctx, nep_records_open(ctx, test_path("plain.txt"), NULL, &r), NEP_E_ARG, "--format");
    assert_refused(ctx, nep_records_open(ctx, "/no/such.smi", NULL, &r), NEP_E_MISSING, "such.smi");
    assert_refused(ctx, nep_records_open(ctx, test_text("f.csv", "a,b\n1,2\n"), NULL, &r), NEP_E_FORMAT, "--smiles-column");
    assert_refused(ctx, nep_records_open(ctx, test_text("g.csv", "smiles,b\n1,2\n"), &column, &r), NEP_E_FORMAT, "'none'");
    assert_refused(ctx, nep_records_open(ctx, test_text("h.csv", "smiles,b\n1,2\n"), &id, &r), NEP_E_FORMAT, "'none'");
    assert_refused(ctx, nep_records_open(ctx, test_text("i.csv", ""), NULL, &r), NEP_E_FORMAT, "header");
    assert_refused(ctx, nep_records_open(ctx, test_text("j.csv", "smiles,\"b\n"), NULL, &r), NEP_E_FORMAT, "quotes");
    assert_null(r);
    assert_int_equal(nep_alloc_used(ctx), 0);
}

/* Records longer than the bound are told of; what follows them is read. */
static void test_long(void **state)
{
    (void)state;
    const size_t n = (4u << 20) + 100;
    char *text = malloc(2 * n + 200), *at = text;
    assert_non_null(text);
    memset(at, 'C', n);
    at = stpcpy(at + n, " long\nN b\n");
    assert_string_equal(all(test_text("long.smi", text), NULL), "1|-||it is longer than 4 MiB;2|b|N|;");
    at = stpcpy(text, "one\n");
    for (size_t i = 0; i < n; i += 80, at += 80) {
        memset(at, 'x', 79);
        at[79] = '\n';
    }
    at = stpcpy(at, "M  END\n$$$$\ntwo\nM  END\n$$$$\n");
    const char *got = all(test_text("long.sdf", text), NULL);
    assert_non_null(strstr(got, "1|one||it is longer than 4 MiB;"));
    assert_non_null(strstr(got, "|two|two\nM  END\n|;"));
    at = stpcpy(text, "smiles\nC\n\"");
    memset(at, 'C', n);
    stpcpy(at + n, "\"\nN\n");
    assert_non_null(strstr(all(test_text("long.csv", text), NULL), "2|-|C|;3|-||it is longer than 4 MiB;"));
    free(text);
}

static void test_gzip(void **state)
{
    (void)state;
    char *packed = NULL, *text = malloc(1 << 20), *at = text;
    int64_t n = 0;
    nep_records *r = NULL;
    nep_record rec;
    bool more = true;
    assert_non_null(text);
    for (int i = 0; i < 20000; i++)
        at += sprintf(at, "%s id%d\n", i % 3 ? "CCO" : "c1ccccc1", i);
    assert_ok(ctx, nep_gzip_deflate(ctx, text, at - text, 6, &packed, &n));
    assert_ok(ctx, nep_records_open(ctx, test_write("a.smi.gz", packed, (size_t)n), NULL, &r));
    for (int i = 0; i < 20000; i++) {
        char id[20];
        sprintf(id, "id%d", i);
        assert_ok(ctx, nep_records_next(r, &rec, &more));
        assert_true(more && rec.line == i + 1);
        assert_string_equal(rec.id, id);
        assert_string_equal(rec.text, i % 3 ? "CCO" : "c1ccccc1");
    }
    assert_ok(ctx, nep_records_next(r, &rec, &more));
    assert_false(more);
    int64_t done, total;
    nep_records_progress(r, &done, &total);
    assert_true(total == n && done == n);
    nep_records_close(r);
    assert_ok(ctx, nep_records_open(ctx, test_write("b.smi.gz", packed, (size_t)n / 2), NULL, &r));
    nep_status st = NEP_OK;
    for (more = true; st == NEP_OK && more;)
        st = nep_records_next(r, &rec, &more);
    assert_int_equal(st, NEP_E_TRUNCATED);
    nep_ctx_clear(ctx);
    nep_records_close(r);
    nep_alloc_free(packed);
    free(text);
    assert_int_equal(nep_alloc_used(ctx), 0);
}

static void test_allocation_failure(void **state)
{
    (void)state;
    const char *path = test_text("k.csv", "smiles,id\nC,a\n\"N\nC\",b\n");
    nep_status st = NEP_E_NOMEM;
    for (int64_t k = 0; st != NEP_OK; k++) {
        nep_records *r = NULL;
        nep_record rec;
        bool more = true;
        nep_alloc_fail_at(ctx, k);
        st = nep_records_open(ctx, path, NULL, &r);
        while (st == NEP_OK && more)
            st = nep_records_next(r, &rec, &more);
        nep_alloc_fail_at(ctx, -1);
        assert_true(st == NEP_OK || st == NEP_E_NOMEM);
        nep_records_close(r);
        assert_int_equal(nep_alloc_used(ctx), 0);
        nep_ctx_clear(ctx);
    }
}

int main(void)
{
    ctx = test_ctx(1);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_smi),  cmocka_unit_test(test_sdf),  cmocka_unit_test(test_tables), cmocka_unit_test(test_names_and_refusals),
                                       cmocka_unit_test(test_long), cmocka_unit_test(test_gzip), cmocka_unit_test(test_allocation_failure)};
    const int failed = cmocka_run_group_tests(tests, NULL, test_clean);
    nep_ctx_free(ctx);
    return failed;
}
