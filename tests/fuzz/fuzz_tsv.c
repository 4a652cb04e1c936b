/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_tsv - tables: the first byte chooses the reader. A path in /proc has no extension, so CSV goes through
 * its rows. */
#include "fuzz.h"

#include "io/rows.h"

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
