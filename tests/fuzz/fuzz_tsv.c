/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_tsv - tables: the first byte chooses the reader. A path in /proc has no extension, so CSV goes through
 * its rows. All go through the stream of rows too. */
#include "fuzz.h"

#include "io/rows.h"

/* The same text as a stream, through a window that the length of the text chooses: the same rows, or refused as well. */
static void stream(const uint8_t *data, size_t size, const char *name)
{
    nep_ctx *ctx = fuzz_ctx(), *other = fuzz_ctx();
    nep_rows r = {0}, s = {0};
    bool more = true, also = true;
    char path[64];
    const int fd = fuzz_file(data, size, path);
    nep_status a = nep_rows_open_bytes(ctx, name, data, (int64_t)size, &r);
    nep_status b = nep_rows_open_stream(other, path, name, 16 + (int64_t)size % 7, &s);
    while (b == NEP_OK && also) {
        if (a == NEP_OK)
            a = nep_rows_next(&r, &more);
        b = nep_rows_next(&s, &also);
        if (a == NEP_OK && (b != NEP_OK || more != also || (more && r.line != s.line)))
            abort();
        for (int64_t c = 0; a == NEP_OK && more && c < r.n_cols; c++)
            if (!r.cells[c] != !s.cells[c] || (r.cells[c] && strcmp(r.cells[c], s.cells[c]) != 0))
                abort();
    }
    if ((a == NEP_OK) != (b == NEP_OK))
        abort();
    nep_rows_free(&r);
    nep_rows_free(&s);
    close(fd);
    fuzz_end(ctx, a);
    fuzz_end(other, b);
}

static nep_status csv(nep_ctx *ctx, const uint8_t *data, size_t size)
{
    nep_rows r = {0};
    bool more = true;
    nep_status st = nep_rows_open_bytes(ctx, "fuzz.csv", data, (int64_t)size, &r);
    while (st == NEP_OK && more)
        st = nep_rows_next(&r, &more);
    nep_rows_free(&r);
    return st;
}

static nep_status read_one(nep_ctx *ctx, int which, const char *path)
{
    nep_table t = {0};
    nep_series s = {0};
    nep_maps m = {0};
    nep_geometry g = {0};
    nep_surface v = {0};
    nep_molset d = {0};
    const nep_status st = which == 0   ? nep_tsv_read(ctx, path, &t)
                          : which == 1 ? nep_tsv_read_series(ctx, path, &s)
                          : which == 2 ? nep_tsv_read_maps(ctx, path, &m)
                          : which == 3 ? nep_tsv_read_geometry(ctx, path, &g)
                          : which == 6 ? nep_tsv_read_surface(ctx, path, &v)
                                       : nep_tsv_read_molset(ctx, path, &d);
    nep_table_free(&t);
    nep_series_free(&s);
    nep_maps_free(&m);
    nep_geometry_free(&g);
    nep_surface_free(&v);
    nep_molset_free(&d);
    return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    nep_ctx *ctx = fuzz_ctx();
    nep_status st;
    if (size < 3 || data[1] != 0x1f || data[2] != 0x8b) /* nothing packed, which a text in memory is not inflated from */
        stream(data + 1, size - 1, data[0] % 7 == 5 ? "fuzz.csv" : "fuzz.tsv");
    if (data[0] % 7 == 5) {
        st = csv(ctx, data + 1, size - 1);
    } else {
        char path[64];
        const int fd = fuzz_file(data + 1, size - 1, path);
        st = read_one(ctx, data[0] % 7, path);
        close(fd);
    }
    fuzz_end(ctx, st);
    return 0;
}
