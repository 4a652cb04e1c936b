/* SPDX-License-Identifier: Apache-2.0 */
/* index files: written, opened, sharded, merged; damaged, cut, and on disks that are full. */
#include "support.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nepenthe/io.h>

#include "files.h"

enum { ROWS = 301, BITS = 200, DIMS = 19, COLUMNS = 2, PATH = 600 };

static const char *const column_names[COLUMNS] = {"smiles", "note"};

/* ---- what goes in ---- */

typedef struct {
    uint64_t bits[ROWS * ((BITS + 63) / 64)];
    float x[ROWS * DIMS];
    char text[3 * ROWS][24];
    char *ids[ROWS], *cells[ROWS * COLUMNS];
} set;

static set *make_set(void)
{
    set *s = calloc(1, sizeof *s);
    for (int i = 0; i < ROWS; i++) {
        for (int b = 0; b < BITS; b++)
            if (nep_philox_uniform(5, (uint64_t)i, (uint64_t)b) < 0.1)
                s->bits[i * 4 + b / 64] |= (uint64_t)1 << (b % 64);
        for (int j = 0; j < DIMS; j++)
            s->x[i * DIMS + j] = (float)nep_philox_normal(5, (uint64_t)i, (uint64_t)j);
        snprintf(s->text[i], sizeof s->text[i], "row-%d\xc3\xa9", i * 7);
        s->ids[i] = i % 11 == 3 ? NULL : s->text[i];
        for (int c = 0; c < COLUMNS; c++) {
            char *cell = s->text[ROWS + i * COLUMNS + c];
            snprintf(cell, sizeof s->text[0], "C%dN%d", i, c);
            s->cells[i * COLUMNS + c] = (i + c) % 5 == 0 ? NULL : cell;
        }
    }
    return s;
}

static nep_index_layout layout_of(int which) /* 0 bits, else a vector type */
{
    return (nep_index_layout){.kind = which ? NEP_INDEX_VECTORS : NEP_INDEX_BITS, .width = which ? DIMS : BITS, .type = (nep_vector_type)which,
                              .sketch = true, .shadow = true, .ids = true, .n_columns = COLUMNS, .column = column_names, .about = "made up rows"};
}

/* Rows from .. to - 1 in blocks of `block`. */
static nep_status write_set(nep_ctx *ctx, const char *path, const set *s, const nep_index_layout *l, int from, int to, int block)
{
    nep_index_writer *w = NULL;
    NEP_TRY(nep_index_writer_create(ctx, path, "made up", l, &w));
    for (int i = from; i < to; i += block) {
        const int n = to - i < block ? to - i : block;
        const void *rows = l->kind == NEP_INDEX_BITS ? (const void *)(s->bits + i * 4) : (const void *)(s->x + i * DIMS);
        const nep_status st = nep_index_writer_add(w, rows, n, s->ids + i, s->cells + i * COLUMNS);
        if (st != NEP_OK) {
            nep_index_writer_abort(w);
            return st;
        }
    }
    return nep_index_writer_commit(w);
}

static char *slurp(nep_ctx *ctx, const char *path, int64_t *n)
{
    char *bytes = NULL;
    assert_ok(ctx, nep_file_read(ctx, path, 1 << 24, &bytes, n));
    return bytes;
}

static void assert_same_file(nep_ctx *ctx, const char *a, const char *b)
{
    int64_t n, m;
    char *x = slurp(ctx, a, &n), *y = slurp(ctx, b, &m);
    assert_int_equal(n, m);
    assert_memory_equal(x, y, (size_t)n);
    nep_alloc_free(x);
    nep_alloc_free(y);
}

static void put_file(const char *path, const char *bytes, int64_t n)
{
    FILE *f = fopen(path, "wb");
    assert_true(f && fwrite(bytes, 1, (size_t)n, f) == (size_t)n && fclose(f) == 0);
}

static void name(char path[PATH], const char *leaf)
{
    snprintf(path, PATH, "%s", test_path(leaf));
}

static const char *cell(const nep_index *x, int64_t p, int64_t c, char *buf, size_t size)
{
    const int64_t *at = x->cell_start + p * x->n_columns + c;
    snprintf(buf, size, "%.*s", (int)(at[1] - at[0]), x->cell_text + at[0]);
    return buf;
}

/* ---- tests ---- */

static void check_texts(const nep_index *x, const set *s)
{
    char buf[64], number[24];
    assert_int_equal(x->n_columns, COLUMNS);
    assert_string_equal(x->column[1], "note");
    assert_string_equal(x->about, "made up rows");
    for (int64_t p = 0; p < x->n; p++) {
        const int64_t i = nep_index_number(x, p);
        snprintf(number, sizeof number, "%lld", (long long)i);
        assert_string_equal(nep_index_id(x, p, buf, sizeof buf), s->ids[i] ? s->ids[i] : number);
        for (int c = 0; c < COLUMNS; c++)
            assert_string_equal(cell(x, p, c, buf, sizeof buf), s->cells[i * COLUMNS + c] ? s->cells[i * COLUMNS + c] : "");
    }
}

/* The file and the index in memory are the same arrays; block sizes and threads change no byte. */
static void test_round_trip(void **state)
{
    (void)state;
    set *s = make_set();
    char a[PATH], b[PATH];
    name(a, "a");
    name(b, "b");
    for (int which = 0; which <= NEP_VECTOR_I8; which++) {
        nep_ctx *ctx = test_ctx(1), *other = test_ctx(3);
        const nep_index_layout l = layout_of(which);
        nep_index x = {0}, y = {0};
        assert_ok(ctx, write_set(ctx, a, s, &l, 0, ROWS, ROWS));
        assert_ok(other, write_set(other, b, s, &l, 0, ROWS, 7));
        assert_same_file(ctx, a, b);
        assert_ok(ctx, nep_index_open(ctx, a, &x));
        assert_ok(ctx, nep_index_check(ctx, &x));
        check_texts(&x, s);
        assert_ok(ctx, which ? nep_index_from_vectors(ctx, s->x, ROWS, DIMS, l.type, s->ids, true, l.about, &y)
                             : nep_index_from_bits(ctx, s->bits, ROWS, BITS, s->ids, true, l.about, &y));
        assert_ok(ctx, nep_index_check(ctx, &y));
        assert_true(x.content == y.content);
        assert_memory_equal(x.id_start, y.id_start, (ROWS + 1) * 8);
        if (which) {
            assert_memory_equal(x.vectors.row, y.vectors.row, (size_t)(ROWS * y.vectors.stride) * nep_index_item_size(l.type));
            assert_memory_equal(x.vectors.norm, y.vectors.norm, ROWS * 8);
            assert_int_equal((uintptr_t)x.vectors.row % 4096, 0);
        } else {
            assert_memory_equal(x.bits.row, y.bits.row, sizeof s->bits);
            assert_memory_equal(x.bits.sketch, y.bits.sketch, ROWS * 16);
            assert_memory_equal(x.number, y.number, ROWS * 8);
        }
        assert_ok(ctx, nep_index_write(ctx, b, &x)); /* with its metadata */
        assert_same_file(ctx, a, b);
        nep_index_free(&x);
        nep_index_free(&y);
        assert_int_equal(nep_alloc_used(ctx), 0);
        nep_ctx_free(ctx);
        nep_ctx_free(other);
    }
    unlink(a);
    unlink(b);
    free(s);
}

static void test_shards_and_merge(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    set *s = make_set();
    char whole[PATH], merged[PATH], part[4][PATH];
    const char *names[4];
    name(whole, "whole");
    name(merged, "merged");
    for (int which = 0; which <= NEP_VECTOR_I8; which++) {
        nep_index_layout l = layout_of(which);
        nep_index x[4] = {{0}}, w = {0};
        int64_t n = 0;
        assert_ok(ctx, write_set(ctx, whole, s, &l, 0, ROWS, 50));
        assert_ok(ctx, nep_index_open(ctx, whole, &w));
        l.total = which ? ROWS : 0;
        l.n_shards = 4;
        for (int i = 0; i < 4; i++) {
            char leaf[8] = {'p', (char)('0' + i)};
            name(part[i], leaf);
            l.shard = 4 - i; /* any order will do */
            names[i] = part[i];
            assert_ok(ctx, write_set(ctx, part[i], s, &l, 0, ROWS, 33));
            assert_ok(ctx, nep_index_open(ctx, part[i], &x[i]));
            assert_ok(ctx, nep_index_check(ctx, &x[i]));
            assert_int_equal(x[i].total, ROWS);
            assert_true(x[i].content == w.content && x[i].n < ROWS);
            check_texts(&x[i], s);
            n += x[i].n;
        }
        assert_int_equal(n, ROWS);
        assert_ok(ctx, nep_index_merge(ctx, merged, x, names, 4));
        assert_same_file(ctx, whole, merged);
        assert_fails(nep_index_merge(ctx, merged, x, names, 3), NEP_E_FORMAT);
        assert_non_null(strstr(nep_ctx_error(ctx), "a shard is missing"));
        nep_ctx_clear(ctx);
        const nep_index twice[5] = {x[0], x[1], x[2], x[3], x[0]}, swapped[4] = {x[0], x[1], x[2], x[2]}, foreign[2] = {x[0], w};
        const char *const five[5] = {"a", "b", "c", "d", "e"};
        assert_fails(nep_index_merge(ctx, merged, twice, five, 5), NEP_E_FORMAT);
        nep_ctx_clear(ctx);
        assert_fails(nep_index_merge(ctx, merged, swapped, five, 4), NEP_E_FORMAT);
        nep_ctx_clear(ctx);
        assert_fails(nep_index_merge(ctx, merged, foreign, five, 2), NEP_E_FORMAT);
        nep_ctx_clear(ctx);
        assert_same_file(ctx, whole, merged); /* what failed left it alone */
        for (int i = 0; i < 4; i++) {
            nep_index_free(&x[i]);
            unlink(part[i]);
        }
        nep_index_free(&w);
    }
    unlink(whole);
    unlink(merged);
    free(s);
    assert_int_equal(nep_alloc_used(ctx), 0);
    nep_ctx_free(ctx);
}

static void test_sets_follow_one_another(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    set *s = make_set();
    char whole[PATH], merged[PATH], a[PATH], b[PATH];
    name(whole, "whole");
    name(merged, "merged");
    name(a, "a");
    name(b, "b");
    for (int which = 0; which <= NEP_VECTOR_I8; which++) {
        const nep_index_layout l = layout_of(which);
        nep_index x[2] = {{0}};
        const char *const names[2] = {a, b};
        assert_ok(ctx, write_set(ctx, whole, s, &l, 0, ROWS, 64));
        assert_ok(ctx, write_set(ctx, a, s, &l, 0, 120, 64));
        assert_ok(ctx, write_set(ctx, b, s, &l, 120, ROWS, 64));
        assert_ok(ctx, nep_index_open(ctx, a, &x[0]));
        assert_ok(ctx, nep_index_open(ctx, b, &x[1]));
        assert_ok(ctx, nep_index_merge(ctx, merged, x, names, 2));
        assert_same_file(ctx, whole, merged);
        nep_index_free(&x[0]);
        nep_index_free(&x[1]);
    }
    nep_index_layout l = layout_of(0);
    nep_index x[2] = {{0}};
    const char *const names[2] = {a, b};
    assert_ok(ctx, write_set(ctx, a, s, &l, 0, 9, 64));
    l.about = "others";
    assert_ok(ctx, write_set(ctx, b, s, &l, 0, 9, 64));
    assert_ok(ctx, nep_index_open(ctx, a, &x[0]));
    assert_ok(ctx, nep_index_open(ctx, b, &x[1]));
    assert_fails(nep_index_merge(ctx, merged, x, names, 2), NEP_E_FORMAT);
    assert_non_null(strstr(nep_ctx_error(ctx), "descriptions differ"));
    nep_index_free(&x[0]);
    nep_index_free(&x[1]);
    unlink(whole);
    unlink(merged);
    unlink(a);
    unlink(b);
    free(s);
    nep_ctx_free(ctx);
}

/* Rows in another order: the same rows with the same texts, under new numbers. */
static void test_permuted_rows(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    set *s = make_set();
    int32_t order[ROWS];
    uint64_t bits[ROWS * 4];
    char a[PATH];
    nep_index x = {0};
    name(a, "a");
    nep_philox_permutation(9, 9, ROWS, order);
    for (int i = 0; i < ROWS; i++)
        memcpy(bits + i * 4, s->bits + order[i] * 4, 32);
    const nep_index_layout l = {.kind = NEP_INDEX_BITS, .width = BITS, .ids = true};
    nep_index_writer *w = NULL;
    assert_ok(ctx, nep_index_writer_create(ctx, a, "made up", &l, &w));
    for (int i = 0; i < ROWS; i++)
        assert_ok(ctx, nep_index_writer_add(w, bits + i * 4, 1, &s->ids[order[i]], NULL));
    assert_int_equal(nep_index_writer_rows(w), ROWS);
    assert_ok(ctx, nep_index_writer_commit(w));
    assert_ok(ctx, nep_index_open(ctx, a, &x));
    assert_null(x.bits.sketch);
    for (int64_t p = 0; p < ROWS; p++) {
        const int32_t i = order[nep_index_number(&x, p)];
        char buf[64];
        assert_memory_equal(x.bits.row + p * 4, s->bits + i * 4, 32);
        if (s->ids[i])
            assert_string_equal(nep_index_id(&x, p, buf, sizeof buf), s->ids[i]);
    }
    nep_index_free(&x);
    unlink(a);
    free(s);
    nep_ctx_free(ctx);
}

static void test_lists_are_kept(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    set *s = make_set();
    char a[PATH];
    nep_index x = {0}, y = {0};
    float centroid[2 * DIMS] = {0};
    int64_t number[ROWS], start[3] = {0, 150, ROWS};
    name(a, "a");
    assert_ok(ctx, nep_index_from_vectors(ctx, s->x, ROWS, DIMS, NEP_VECTOR_F32, NULL, false, "", &x));
    for (int i = 0; i < ROWS; i++)
        number[i] = i < 150 ? i * 2 : (i - 150) * 2 + 1;
    nep_index z = x;
    z.number = number;
    z.vectors.n_lists = 2;
    z.vectors.centroid = centroid;
    z.vectors.list_start = start;
    assert_ok(ctx, nep_index_write(ctx, a, &z));
    assert_fails(nep_index_open(ctx, a, &y), NEP_E_FORMAT); /* 301 is among the numbers twice 150 and a half too far */
    nep_ctx_clear(ctx);
    start[1] = 151;
    for (int i = 0; i < ROWS; i++)
        number[i] = i < 151 ? i * 2 : (i - 151) * 2 + 1;
    assert_ok(ctx, nep_index_write(ctx, a, &z));
    assert_ok(ctx, nep_index_open(ctx, a, &y));
    assert_int_equal(y.vectors.n_lists, 2);
    assert_int_equal(y.vectors.list_start[1], 151);
    assert_int_equal(nep_index_number(&y, 151), 1);
    nep_index_free(&y);
    number[3] = number[2]; /* not ascending within its list */
    assert_ok(ctx, nep_index_write(ctx, a, &z));
    assert_fails(nep_index_open(ctx, a, &y), NEP_E_FORMAT);
    nep_index_free(&x);
    unlink(a);
    free(s);
    nep_ctx_free(ctx);
}

/* A file cut anywhere is refused with a sentence; a byte that flips in any section is found by the check. */
static void test_damaged(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    set *s = make_set();
    char a[PATH], b[PATH];
    name(a, "a");
    name(b, "b");
    for (int which = 0; which <= NEP_VECTOR_I8; which += which ? 3 : 1) {
        const nep_index_layout l = layout_of(which);
        int64_t n;
        assert_ok(ctx, write_set(ctx, a, s, &l, 0, 40, 40));
        char *bytes = slurp(ctx, a, &n);
        for (int64_t cut = 0; cut < n; cut += 97) {
            nep_index x = {0};
            put_file(b, bytes, cut);
            const nep_status st = nep_index_open(ctx, b, &x);
            assert_true(st == NEP_E_FORMAT || st == NEP_E_TRUNCATED);
            assert_true(nep_ctx_error(ctx)[0]);
            nep_ctx_clear(ctx);
        }
        uint32_t sections;
        memcpy(&sections, bytes + 84, 4);
        for (int64_t e = -128; e < (int64_t)sections * 32; e++) { /* every byte of header and table */
            nep_index x = {0};
            bytes[128 + e] ^= 0x10;
            put_file(b, bytes, n);
            bytes[128 + e] ^= 0x10;
            assert_true(nep_index_open(ctx, b, &x) != NEP_OK);
            nep_ctx_clear(ctx);
        }
        for (uint32_t e = 0; e < sections; e++) {
            int64_t offset, size;
            memcpy(&offset, bytes + 128 + e * 32 + 8, 8);
            memcpy(&size, bytes + 128 + e * 32 + 16, 8);
            for (int64_t at = 0; at < size; at += size / 7 + 1) {
                nep_index x = {0};
                bytes[offset + at] ^= 1;
                put_file(b, bytes, n);
                bytes[offset + at] ^= 1;
                nep_status st = nep_index_open(ctx, b, &x);
                if (st == NEP_OK)
                    st = nep_index_check(ctx, &x);
                if (st != NEP_E_FORMAT)
                    fail_msg("kind %d: a flip at %lld of section %u went unseen", which, (long long)at, e);
                nep_index_free(&x);
                nep_ctx_clear(ctx);
            }
        }
        nep_index x = {0};
        put_file(b, bytes, n);
        FILE *f = fopen(b, "ab");
        assert_true(f && fputc(0, f) == 0 && fclose(f) == 0);
        assert_fails(nep_index_open(ctx, b, &x), NEP_E_FORMAT);
        nep_ctx_clear(ctx);
        nep_alloc_free(bytes);
    }
    unlink(a);
    unlink(b);
    free(s);
    assert_int_equal(nep_alloc_used(ctx), 0);
    nep_ctx_free(ctx);
}

static void test_newer_version(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    char a[PATH];
    char head[4096] = "nepenthe/index/2.1";
    nep_index x = {0};
    name(a, "a");
    put_file(a, head, sizeof head);
    assert_fails(nep_index_open(ctx, a, &x), NEP_E_NOTSUP);
    assert_non_null(strstr(nep_ctx_error(ctx), "nepenthe/index/2.1"));
    nep_ctx_clear(ctx);
    strcpy(head, "nepenthe/index/x");
    put_file(a, head, sizeof head);
    assert_fails(nep_index_open(ctx, a, &x), NEP_E_FORMAT);
    nep_ctx_clear(ctx);
    assert_fails(nep_index_open(ctx, "/tmp", &x), NEP_E_FORMAT);
    nep_ctx_clear(ctx);
    assert_fails(nep_index_open(ctx, "/tmp/no/such/file", &x), NEP_E_MISSING);
    unlink(a);
    nep_ctx_free(ctx);
}

static void test_rows_refused(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    set *s = make_set();
    char a[PATH];
    name(a, "refused");
    nep_index_layout l = layout_of(NEP_VECTOR_F16);
    s->x[70 * DIMS + 4] = INFINITY;
    assert_fails(write_set(ctx, a, s, &l, 0, ROWS, 32), NEP_E_FORMAT);
    assert_string_equal(nep_ctx_error(ctx), "made up: row 70, column 4 (from 0) is infinite; vectors hold finite numbers only, so remove the row");
    nep_ctx_clear(ctx);
    l = layout_of(0);
    s->bits[50 * 4 + 3] |= (uint64_t)1 << 63;
    assert_fails(write_set(ctx, a, s, &l, 0, ROWS, 32), NEP_E_FORMAT);
    assert_non_null(strstr(nep_ctx_error(ctx), "row 50"));
    nep_ctx_clear(ctx);
    strcpy(s->text[33], "tab\there");
    assert_fails(write_set(ctx, a, s, &l, 0, ROWS, 32), NEP_E_FORMAT);
    assert_non_null(strstr(nep_ctx_error(ctx), "row 33 (from 0): its id"));
    nep_ctx_clear(ctx);
    assert_fails(write_set(ctx, a, s, &l, 0, 0, 32), NEP_E_FORMAT);
    nep_ctx_clear(ctx);
    l.shard = 3;
    l.n_shards = 8;
    assert_fails(write_set(ctx, a, s, &l, 0, 2, 32), NEP_E_FORMAT);
    assert_non_null(strstr(nep_ctx_error(ctx), "make fewer shards"));
    nep_ctx_clear(ctx);
    l.shard = 9;
    assert_fails(write_set(ctx, a, s, &l, 0, 2, 32), NEP_E_ARG);
    assert_false(nep_file_exists(a));
    free(s);
    assert_int_equal(nep_alloc_used(ctx), 0);
    nep_ctx_free(ctx);
}

static nep_status merge_two(nep_ctx *ctx, const char *path, const nep_index x[2])
{
    const char *const names[2] = {"a", "b"};
    return nep_index_merge(ctx, path, x, names, 2);
}

/* Each allocation fails once: nothing is left, nothing is written. */
static void test_allocation_failures(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    set *s = make_set();
    char a[PATH], b[PATH], temporary[PATH + 8];
    nep_index x[2] = {{0}};
    name(a, "a");
    name(b, "b");
    snprintf(temporary, sizeof temporary, "%s.part", b);
    const nep_index_layout l = layout_of(0), v = layout_of(NEP_VECTOR_BF16);
    assert_ok(ctx, write_set(ctx, a, s, &l, 0, 30, 30));
    assert_ok(ctx, nep_index_open(ctx, a, &x[0]));
    assert_ok(ctx, nep_index_open(ctx, a, &x[1]));
    const int64_t used = nep_alloc_used(ctx);
    for (int what = 0; what < 5; what++) {
        nep_status st = NEP_E_NOMEM;
        for (int k = 0; st != NEP_OK; k++) {
            nep_index y = {0};
            nep_alloc_fail_at(ctx, k);
            st = what == 0   ? write_set(ctx, b, s, &l, 0, 30, 10)
                 : what == 1 ? write_set(ctx, b, s, &v, 0, 30, 10)
                 : what == 2 ? nep_index_open(ctx, a, &y)
                 : what == 3 ? merge_two(ctx, b, x)
                             : nep_index_check(ctx, &x[0]);
            nep_alloc_fail_at(ctx, -1);
            assert_true(st == NEP_OK || st == NEP_E_NOMEM);
            assert_true(st == NEP_OK || !nep_file_exists(b));
            assert_false(nep_file_exists(temporary));
            nep_index_free(&y);
            nep_ctx_clear(ctx);
            assert_int_equal(nep_alloc_used(ctx), used);
            assert_true(k < 500);
        }
        unlink(b);
    }
    nep_index_free(&x[0]);
    nep_index_free(&x[1]);
    unlink(a);
    free(s);
    nep_ctx_free(ctx);
}

/* In a child that may write files of `most` bytes only. */
static int limited_write(const set *s, int which, const char *path, int64_t most)
{
    const pid_t child = fork();
    if (child == 0) {
        nep_ctx *ctx = test_ctx(1);
        const struct rlimit limit = {(rlim_t)most, (rlim_t)most};
        const nep_index_layout l = layout_of(which);
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        const nep_status st = write_set(ctx, path, s, &l, 0, ROWS, 16);
        _exit(st == NEP_OK ? 0 : st == NEP_E_IO && nep_ctx_error(ctx)[0] && nep_alloc_used(ctx) == 0 ? 1 : 2);
    }
    int status = 0;
    assert_true(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_full_disk(void **state)
{
    (void)state;
    set *s = make_set();
    char a[PATH], temporary[PATH + 8];
    nep_ctx *ctx = test_ctx(1);
    name(a, "a");
    snprintf(temporary, sizeof temporary, "%s.part", a);
    for (int which = 0; which <= NEP_VECTOR_F32; which++) {
        const nep_index_layout l = layout_of(which);
        int64_t n;
        assert_ok(ctx, write_set(ctx, a, s, &l, 0, ROWS, 16));
        nep_alloc_free(slurp(ctx, a, &n));
        unlink(a);
        for (int64_t most = 0; most < n; most += n / 23) {
            assert_int_equal(limited_write(s, which, a, most), 1);
            assert_false(nep_file_exists(a) || nep_file_exists(temporary));
        }
        assert_int_equal(limited_write(s, which, a, n), 0);
        unlink(a);
    }
    free(s);
    nep_ctx_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),      cmocka_unit_test(test_shards_and_merge),    cmocka_unit_test(test_sets_follow_one_another),
        cmocka_unit_test(test_permuted_rows),   cmocka_unit_test(test_lists_are_kept),      cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_newer_version),   cmocka_unit_test(test_rows_refused),        cmocka_unit_test(test_allocation_failures),
        cmocka_unit_test(test_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, test_clean);
}
