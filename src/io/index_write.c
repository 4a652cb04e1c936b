/* SPDX-License-Identifier: Apache-2.0 */
/* index_write - an index in memory as a file. */
#include "io/index_file.h"

#include <string.h>

/* Where x has what a section holds. */
static const void *section_of(const nep_index *x, nep_index_section s)
{
    const bool bits = x->kind == NEP_INDEX_BITS;
    const void *const from[NEP_SECTION_COUNT] = {
        [NEP_SECTION_ROWS] = bits ? (const void *)x->bits.row : x->vectors.row,
        [NEP_SECTION_POPCOUNT] = x->bits.popcount,
        [NEP_SECTION_SKETCH] = x->bits.sketch,
        [NEP_SECTION_SCALE] = x->vectors.scale,
        [NEP_SECTION_NORM] = x->vectors.norm,
        [NEP_SECTION_SHADOW] = x->vectors.shadow,
        [NEP_SECTION_SHADOW_SCALE] = x->vectors.shadow_scale,
        [NEP_SECTION_SHADOW_RESIDUAL] = x->vectors.shadow_residual,
        [NEP_SECTION_CENTROID] = x->vectors.centroid,
        [NEP_SECTION_LIST_START] = x->vectors.list_start,
        [NEP_SECTION_NUMBER] = x->number,
        [NEP_SECTION_ID_START] = x->id_start,
        [NEP_SECTION_ID_TEXT] = x->id_text,
        [NEP_SECTION_CELL_START] = x->cell_start,
        [NEP_SECTION_CELL_TEXT] = x->cell_text,
        [NEP_SECTION_ABOUT] = x->about ? x->about : "",
    };
    return from[s];
}

static void put_columns(const nep_index *x, char *to)
{
    for (int64_t c = 0; c < x->n_columns; c++) {
        strcpy(to, x->column[c]);
        to += strlen(to) + 1;
    }
}

nep_status nep_index_write(nep_ctx *ctx, const char *path, const nep_index *x)
{
    nep_index_out o = {.fd = -1};
    int64_t size[NEP_SECTION_COUNT], columns = 0;
    nep_status st;
    for (int64_t c = 0; c < x->n_columns; c++)
        columns += (int64_t)strlen(x->column[c]) + 1;
    NEP_REQUIRE(ctx,
                nep_index_section_sizes(x, x->id_start ? x->id_start[x->n] : 0, x->n_columns > 0 ? x->cell_start[x->n * x->n_columns] : 0, columns,
                                        (int64_t)strlen(x->about ? x->about : "") + 1, size),
                NEP_E_ARG, "%s: the index is larger than any file", path);
    NEP_TRY_OR_DONE(st, nep_index_out_begin(ctx, path, &o));
    NEP_TRY_OR_DONE(st, nep_index_out_lay(&o, size));
    for (int s = 0; s < NEP_SECTION_COUNT; s++)
        if (section_of(x, (nep_index_section)s) && size[s] > 0)
            memcpy(nep_index_out_at(&o, (nep_index_section)s), section_of(x, (nep_index_section)s), (size_t)size[s]);
    if (x->n_columns > 0)
        put_columns(x, nep_index_out_at(&o, NEP_SECTION_COLUMNS));
    return nep_index_out_commit(&o, x, nep_index_hash_sum(ctx, x));
done:
    nep_index_out_abort(&o);
    return st;
}
