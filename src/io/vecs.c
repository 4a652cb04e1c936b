/* SPDX-License-Identifier: Apache-2.0 */
/* vecs - .fvecs .bvecs .ivecs: every row with its length before it; .fbin .u8bin .i8bin: numbers of rows and of dimensions, then all rows. */
#include "io/source.h"

nep_status nep_vecs_start(nep_source *s, nep_item item)
{
    int32_t dims = 0;
    NEP_TRY(nep_stream_read(s->stream, &dims, sizeof dims));
    const int64_t row = 4 + (int64_t)dims * nep_source_item_bytes(item), most = nep_stream_most(s->stream);
    NEP_TRY(nep_source_shape(s, item, -1, dims));
    NEP_REQUIRE(s->ctx, s->info.kind == NEP_INDEX_VECTORS, NEP_E_SHAPE, "%s: bits are read from .fps and .npy", s->path);
    if (!nep_stream_gz(s->stream) && most < INT64_MAX)
        s->info.n = (most + row - 1) / row; /* a last row that is cut is found when it is read */
    s->prefixed = true;
    s->first_read = true;
    return NEP_OK;
}

nep_status nep_vecs_start_bin(nep_source *s, nep_item item)
{
    uint32_t head[2];
    NEP_TRY(nep_stream_read(s->stream, head, sizeof head));
    NEP_TRY(nep_source_shape(s, item, head[0], head[1]));
    NEP_REQUIRE(s->ctx, s->info.kind == NEP_INDEX_VECTORS, NEP_E_SHAPE, "%s: bits are read from .fps and .npy", s->path);
    return NEP_OK;
}
