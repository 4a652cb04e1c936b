/* SPDX-License-Identifier: Apache-2.0 */
/* door_modes - front door of the op on sums of modes: check once, place, run in tiles of maps, bring back. */
#include "backend/place.h"

#include <limits.h>

nep_status nep_backend_mode_sums(nep_ctx *ctx, const double *v, int64_t n_v, int64_t n_places, const double *c, int64_t n_maps, const double *base,
                                 double *out)
{
    const nep_backend *be = nep_place_backend(ctx);
    nep_place p = {0};
    nep_status st;
    NEP_REQUIRE(ctx, be->ops.mode_sums, NEP_E_NOTSUP, "mode_sums: no %s version", be->name);
    NEP_TRY(nep_ctx_check(ctx));
    NEP_REQUIRE(ctx, n_v >= 0 && n_v <= INT_MAX && n_places >= 0 && n_places <= INT_MAX && n_maps >= 0, NEP_E_ARG,
                "mode_sums: %lld maps of %lld modes at %lld places", (long long)n_maps, (long long)n_v, (long long)n_places);
    if (n_maps == 0 || n_places == 0)
        return NEP_OK;
    NEP_REQUIRE(ctx, base && out && (n_v == 0 || (v && c)), NEP_E_ARG, "mode_sums: an array is missing");
    if (be->host)
        return be->ops.mode_sums(ctx, NULL, v, n_v, n_places, c, n_maps, base, out);
    const int64_t tile = nep_place_tile(be, n_maps, (n_places + n_v) * (int64_t)sizeof *out);
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, v, NEP_F64, n_v * n_places, "modes", &p.b[0]));
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, base, NEP_F64, n_places, "what modes are added to", &p.b[1]));
    for (int64_t b = 0; b < n_maps; b += tile) {
        const int64_t m = n_maps - b < tile ? n_maps - b : tile;
        NEP_TRY_OR_DONE(st, nep_buf_put(ctx, c ? c + b * n_v : NULL, NEP_F64, m * n_v, "coefficients of modes", &p.b[2]));
        NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_F64, m * n_places, "maps of modes", &p.b[3]));
        NEP_TRY_OR_DONE(st, be->ops.mode_sums(ctx, be->queue(ctx), p.b[0].ptr, n_v, n_places, p.b[2].ptr, m, p.b[1].ptr, p.b[3].ptr));
        NEP_TRY_OR_DONE(st, nep_buf_get(ctx, &p.b[3], out + b * n_places));
        nep_buf_free(&p.b[2]);
        nep_buf_free(&p.b[3]);
    }
done:
    nep_place_free(&p);
    return st;
}
