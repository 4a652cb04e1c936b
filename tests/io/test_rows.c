/* SPDX-License-Identifier: Apache-2.0 */
/* Delimited text as a stream: through windows of any size the rows, the lines and the sentences of a table that is read whole. */
#include "support.h"

#include <unistd.h>

#include "io/gzip.h"
#include "io/rows.h"

static const int64_t windows[] = {1, 17, 19, 23, 32, 61, 100, 4096, 0};

static const char *file(const void *bytes, size_t n)
{
    static char path[64];
    snprintf(path, sizeof path, "rows_%d.tmp", (int)getpid());
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
    return path;
}

static void same_cell(const char *a, const char *b)
{
    if (a && b)
        assert_string_equal(a, b);
    else
        assert_ptr_equal(a, b);
}

/* How the table ends: its status, the sentence in the context; *n rows came before. */
static nep_status walk(nep_rows *whole, nep_rows *stream, int64_t *n)
{
    bool more = true, also = true;
    for (*n = 0; more; ++*n) {
        const nep_status a = nep_rows_next(whole, &more), b = nep_rows_next(stream, &also);
        assert_int_equal(a, b);
        if (a != NEP_OK)
            return a;
        assert_int_equal(more, also);
        assert_true(!more || whole->line == stream->line);
        for (int64_t c = 0; more && c < whole->n_cols; c++)
            same_cell(whole->cells[c], stream->cells[c]);
    }
    return NEP_OK;
}

/* Both readers on the same text; returns the rows, -1 for a text that both refuse. */
static int64_t compare(const char *name, const void *text, size_t size, int64_t window)
{
    nep_ctx *ctx = test_ctx(1), *other = test_ctx(1);
    nep_rows whole = {0}, stream = {0};
    int64_t n = 0;
    const char *path = file(text, size);
    nep_status a = nep_rows_open_bytes(ctx, name, text, (int64_t)size, &whole), b = nep_rows_open_stream(other, path, name, window, &stream);
    if (a == NEP_OK && b == NEP_OK) {
        assert_int_equal(whole.n_cols, stream.n_cols);
        a = b = walk(&whole, &stream, &n);
        for (int64_t c = 0; c < whole.n_cols; c++) /* names outlive the window */
            assert_string_equal(whole.header[c], stream.header[c]);
    }
    while (b == NEP_OK && a != NEP_OK && stream.n_cols > 0) { /* a whole text is checked before its first row */
        bool more;
        b = nep_rows_next(&stream, &more);
        assert_true(b != NEP_OK || more);
    }
    assert_int_equal(a, b);
    assert_string_equal(nep_ctx_error(ctx), nep_ctx_error(other));
    nep_rows_free(&whole);
    nep_rows_free(&stream);
    assert_int_equal(nep_alloc_used(ctx) + nep_alloc_used(other), 0);
    nep_ctx_free(ctx);
    nep_ctx_free(other);
    unlink(path);
    return a == NEP_OK ? n - 1 : -1;
}

static void every_window(const char *name, const char *text, int64_t rows)
{
    for (int w = 0; w < NEP_LEN(windows); w++)
        assert_int_equal(compare(name, text, strlen(text), windows[w]), rows);
}

static void test_tables(void **state)
{
    (void)state;
    every_window("a.tsv", "id\tsex\n1\tf\n2\tn/a\n\tm\n", 3);
    every_window("a.tsv", "\xef\xbb\xbfid\tsex\r\n1\tf\r\n2\tm", 2);
    every_window("a.tsv", "id\n1\n\n\n4\n\n\n\n", 4); /* empty lines are rows but for the last ones */
    every_window("a.tsv", "id\r\n\r\n\r\n3\r\n\r\n", 3);
    every_window("a.tsv", "id", 0);
    every_window("a.tsv",
                 "id\tname\n1\t\xc3\xa9\xe2\x82\xac\xf0\x9f\xa7\xa0\n2\t\xf0\x9f\xa7\xa0\xf0\x9f\xa7\xa0\xf0\x9f\xa7\xa0\xf0\x9f\xa7\xa0\xf0"
                 "\x9f\xa7\xa0\n",
                 2);
    every_window("a.tsv",
                 "a long name of a column\tanother one\n1\ta cell that is longer than the first window by far, so that it has to grow\n2\t\n",
                 2);
    every_window("a.csv", "id,name\n1,\"a, \"\"b\"\"\n and c\"\n2,\"\"\n\"3\",\"\"\"\"\n4,plain\n", 4);
    every_window("a.csv", "\xef\xbb\xbf\"id\",\"na\"\"me\"\r\n\"1\",\"two\r\nlines\"\r\n2,x", 2);
}

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
    } bad[] = {
        {"a.tsv", ""},
        {"a.tsv", "\n\r\n\n"},
        {"a.tsv", "\n\nid\n1\n"},
        {"a.tsv", "id\tid\n1\t2\n"},
        {"a.tsv", "id\t\n1\t2\n"},
        {"a.tsv", "id\tx\n1\t2\n3\n4\t5\n"},
        {"a.tsv", "id\tx\n1\t2\n\n4\t5\n"},
        {"a.tsv", "id\tx\n1\t2\n3\t4\t5\n"},
        {"a.tsv", "id\tx\n1\t2\n3\t\x01\n"},
        {"a.tsv", "id\tx\n1\t2\n3\ta\rb\n"},
        {"a.tsv", "id\tx\n1\t2\n3\t4\r"},
        {"a.tsv", "id\tx\n1\t2\n3\t\xc3(\n"},
        {"a.tsv", "id\tx\n1\t2\n3\t\xf0\x9f\xa7"},
        {"a.csv", "id,x\n1,2\n3,\"open\nand on\n"},
        {"a.csv", "id,x\n1,2\n3,a\"b\n"},
        {"a.csv", "id,x\n1,2\n\n"
                  "3,\"a\"b\n"},
        {"a.csv", "id,x\n1,\"2\n2\"\n3,\"a\"\"\"b\n"},
    };
    for (int i = 0; i < NEP_LEN(bad); i++)
        every_window(bad[i].name, bad[i].text, -1);
}

/* Rows made of all that matters to the reader, at random. */
static void test_random(void **state)
{
    (void)state;
    static const char *const piece[] = {"a", "bc", "n/a", "\xc3\xa9", "\xf0\x9f\xa7\xa0", "", "0123456789", ".", "-", " "};
    static const char *const quoted[] = {"\"\"", ",", "\n", "\r\n"};
    char text[8192];
    uint64_t k = 0;
    for (int round = 0; round < 300; round++) {
        const bool csv = round % 2;
        size_t n = (size_t)snprintf(text, sizeof text, csv ? "x,y\n" : "x\ty\n");
        const int64_t rows = nep_philox_u32(9, 0, k++) % 30;
        for (int64_t r = 0; r < rows; r++)
            for (int c = 0; c < 2; c++) {
                const bool quotes = csv && nep_philox_u32(9, 1, k++) % 2;
                n += (size_t)snprintf(text + n, sizeof text - n, "%s", quotes ? "\"" : "");
                for (uint32_t m = nep_philox_u32(9, 2, k++) % 8; m > 0; m--) {
                    const uint32_t u = nep_philox_u32(9, 3, k++);
                    n += (size_t)snprintf(text + n, sizeof text - n, "%s", quotes && u % 3 == 0 ? quoted[u / 3 % 4] : piece[u / 3 % 10]);
                }
                const char *end = c == 0 ? (csv ? "," : "\t") : nep_philox_u32(9, 4, k++) % 2 ? "\r\n" : "\n";
                n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", quotes ? "\"" : "", end);
            }
        assert_int_equal(compare(csv ? "a.csv" : "a.tsv", text, n, windows[round % NEP_LEN(windows)]), rows);
        if (n > 12) { /* the same with one byte that may not be there */
            text[n * 2 / 3] = '\x02';
            compare(csv ? "a.csv" : "a.tsv", text, n, windows[round % NEP_LEN(windows)]);
        }
    }
}

/* A gzip stream, and one that is cut off; a name that is no file. */
static void test_packed(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    char *text = calloc(1, 4 << 20), *packed = NULL;
    int64_t n = 0, size = 0, rows = 0;
    nep_rows r = {0};
    bool more = true;
    n += sprintf(text, "id\n");
    while (n < (3 << 20))
        n += sprintf(text + n, "%lld\n", (long long)rows++);
    assert_ok(ctx, nep_gzip_deflate(ctx, text, n, 1, &packed, &size));
    assert_ok(ctx, nep_rows_open_stream(ctx, file(packed, (size_t)size), "ids.tsv.gz", 0, &r));
    for (int64_t i = 0; i <= rows; i++) {
        assert_ok(ctx, nep_rows_next(&r, &more));
        assert_int_equal(more, i < rows);
        assert_true(!more || (strtoll(r.cells[0], NULL, 10) == i && r.line == i + 2));
    }
    nep_rows_free(&r);
    nep_status st = nep_rows_open_stream(ctx, file(packed, (size_t)size / 2), "ids.tsv.gz", 0, &r);
    for (more = true; st == NEP_OK && more;)
        st = nep_rows_next(&r, &more);
    assert_int_equal(st, NEP_E_TRUNCATED);
    nep_rows_free(&r);
    nep_ctx_clear(ctx);
    unlink(file("", 0));
    assert_fails(nep_rows_open_stream(ctx, "none.tsv", NULL, 0, &r), NEP_E_MISSING);
    nep_alloc_free(packed);
    free(text);
    assert_int_equal(nep_alloc_used(ctx), 0);
    nep_ctx_free(ctx);
}

/* A row that passes the budget is named by its line. */
static void test_a_row_beyond_memory(void **state)
{
    (void)state;
    const nep_ctx_opts opts = {.threads = 1, .mem_bytes = 6 << 20};
    const size_t n = (size_t)8 << 20;
    char *text = calloc(1, n);
    nep_ctx *ctx = NULL;
    nep_rows r = {0};
    bool more;
    memset(text, 'x', n);
    memcpy(text, "id\n1\n2\n", 7);
    assert_int_equal(nep_ctx_create(&opts, &ctx), NEP_OK);
    assert_ok(ctx, nep_rows_open_stream(ctx, file(text, n), "ids.tsv", 0, &r));
    assert_ok(ctx, nep_rows_next(&r, &more));
    assert_ok(ctx, nep_rows_next(&r, &more));
    assert_fails(nep_rows_next(&r, &more), NEP_E_NOMEM);
    assert_non_null(strstr(nep_ctx_error(ctx), "ids.tsv: the row at line 4: "));
    nep_rows_free(&r);
    unlink(file("", 0));
    free(text);
    nep_ctx_free(ctx);
}

/* More rows than memory holds, quoted or not. */
static void test_rows_beyond_memory(void **state)
{
    (void)state;
    static const char *const names[] = {"ids.tsv", "ids.csv"}, *const lines[] = {"1\tn/a\r\n", "\"a, \"\"b\"\"\",\"two\nlines\"\n"};
    const nep_ctx_opts opts = {.threads = 1, .mem_bytes = 6 << 20};
    for (int i = 0; i < 2; i++) {
        const size_t each = strlen(lines[i]), rows = ((size_t)16 << 20) / each;
        char *text = malloc(4 + rows * each);
        nep_ctx *ctx = NULL;
        nep_rows r = {0};
        bool more = true;
        memcpy(text, i ? "x,y\n" : "x\ty\n", 4);
        for (size_t k = 0; k < rows; k++)
            memcpy(text + 4 + k * each, lines[i], each);
        assert_int_equal(nep_ctx_create(&opts, &ctx), NEP_OK);
        assert_ok(ctx, nep_rows_open_stream(ctx, file(text, 4 + rows * each), names[i], 0, &r));
        for (size_t k = 0; k <= rows; k++) {
            assert_ok(ctx, nep_rows_next(&r, &more));
            assert_int_equal(more, k < rows);
        }
        nep_rows_free(&r);
        unlink(file("", 0));
        free(text);
        nep_ctx_free(ctx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_packed),
        cmocka_unit_test(test_a_row_beyond_memory),
        cmocka_unit_test(test_rows_beyond_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
