/* SPDX-License-Identifier: Apache-2.0 */
/* inputs_nulls.c - which families of null maps a disorder's regions allow, and how often they cry wolf there. */
#include "channels.h"

#include <math.h>
#include <string.h>

enum { SETS = 1 + NEP_EVIDENCE_TRACERS };
static const double correlation_mm = 40.0; /* of the random maps that a null is tried on */

typedef struct {
    int64_t n;
    bool beyond_cortex, spheres; /* every cortical region has a place on the sphere of one hemisphere */
} regions_used;

static void look_at(const nep_inputs *in, int64_t i, bool use, regions_used *r)
{
    if (!use)
        return;
    r->n++;
    r->beyond_cortex = r->beyond_cortex || !in->geometry->cortex[i];
    const bool placed = in->geometry->sphere && !isnan(in->geometry->sphere[i][0]) && in->geometry->hemisphere[i] != 'B';
    r->spheres = r->spheres && (placed || !in->geometry->cortex[i]);
}

/* The first family as asked for, and the other that these regions allow; returns how many. */
static int choose(nep_nulls_kind asked, const regions_used *r, nep_nulls_kind kinds[NEP_EVIDENCE_FAMILIES])
{
    const nep_nulls_kind moran = r->beyond_cortex ? NEP_NULLS_MORAN_COMPARTMENT : NEP_NULLS_MORAN;
    const bool is_moran = asked == NEP_NULLS_MORAN || asked == NEP_NULLS_MORAN_COMPARTMENT || asked == NEP_NULLS_MORAN_PAIR;
    kinds[0] = asked == NEP_NULLS_MORAN ? moran : asked;
    kinds[1] = !is_moran ? moran : r->beyond_cortex ? NEP_NULLS_EIGENMODES : r->n > NEP_NULLS_MANY ? NEP_NULLS_SPIN_NEAREST : NEP_NULLS_SPIN;
    return r->n == 0 ? 0 : !is_moran || r->spheres ? 2 : 1;
}

static nep_status asked_for(nep_ctx *ctx, const char *null_kind, nep_nulls_kind *out)
{
    *out = NEP_NULLS_MORAN;
    NEP_REQUIRE(ctx, !null_kind || nep_nulls_find(null_kind, out), NEP_E_ARG, "study: unknown null '%s'", null_kind);
    return NEP_OK;
}

nep_status nep_inputs_choose_nulls(nep_ctx *ctx, const nep_inputs *in, int64_t disorder, const char *null_kind, bool *use,
                                   nep_nulls_kind *kinds, int *n_kinds)
{
    regions_used r = {.spheres = true};
    nep_nulls_kind asked;
    NEP_TRY(asked_for(ctx, null_kind, &asked));
    for (int64_t i = 0; i < in->n_regions; i++) {
        use[i] = !isnan(in->effect[disorder * in->n_regions + i]) && (in->geometry->cortex[i] || !in->cortex_only);
        look_at(in, i, use[i], &r);
    }
    *n_kinds = choose(asked, &r, kinds);
    return NEP_OK;
}

/* The regions that any disorder uses. */
static regions_used all_regions(const nep_inputs *in, bool *use)
{
    regions_used r = {.spheres = true};
    for (int64_t i = 0; i < in->n_regions; i++) {
        bool any = false;
        for (int64_t j = 0; j < in->n_disorders; j++)
            any = any || !isnan(in->effect[j * in->n_regions + i]);
        any = any && (in->geometry->cortex[i] || !in->cortex_only);
        if (use)
            use[i] = any;
        look_at(in, i, any, &r);
    }
    return r;
}

const char *nep_inputs_second_null(const nep_inputs *in, const char *null_kind)
{
    nep_nulls_kind asked = NEP_NULLS_MORAN, kinds[NEP_EVIDENCE_FAMILIES];
    if (!in->effect || !in->geometry || (null_kind && !nep_nulls_find(null_kind, &asked)))
        return NULL;
    const regions_used r = all_regions(in, NULL);
    return choose(asked, &r, kinds) == NEP_EVIDENCE_FAMILIES ? nep_nulls_name(kinds[1]) : NULL;
}

const char *nep_inputs_null_name(const nep_inputs *in, int64_t disorder, int family)
{
    const struct nep_profile *p = !in->profiles ? NULL : family ? in->second[disorder] : in->profiles[disorder * SETS];
    return p ? nep_nulls_name(nep_profile_kind(p)) : NULL;
}

nep_status nep_inputs_count_nulls(nep_ctx *ctx, const nep_inputs *in, int64_t disorder, int *families)
{
    nep_nulls_kind kinds[NEP_EVIDENCE_FAMILIES];
    bool *use = NULL;
    nep_status st;

    *families = 0;
    if (!in->effect || !in->geometry)
        return NEP_OK;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_regions, sizeof *use, "null maps: regions", &use));
    st = nep_inputs_choose_nulls(ctx, in, disorder, in->null_kind, use, kinds, families);
done:
    nep_alloc_free(use);
    return st;
}

nep_status nep_inputs_null_maps(nep_ctx *ctx, const nep_inputs *in, int64_t disorder, int family, int64_t n, double *out)
{
    const int64_t regions = in->n_regions;
    const double *map = in->effect + disorder * regions;
    bool *use = NULL;
    double *packed = NULL;
    nep_nulls *nulls = NULL;
    nep_nulls_kind kinds[NEP_EVIDENCE_FAMILIES];
    int n_kinds;
    int64_t used = 0;
    nep_status st;

    NEP_TRY_OR_DONE(st, nep_alloc(ctx, regions, sizeof *use, "null maps: regions", &use));
    NEP_TRY_OR_DONE(st, nep_inputs_choose_nulls(ctx, in, disorder, in->null_kind, use, kinds, &n_kinds));
    NEP_REQUIRE_OR_DONE(st, ctx, family < n_kinds, NEP_E_ARG, "null maps: disorder %lld has no map or no such family", (long long)disorder);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, (n + 1) * regions, sizeof *packed, "null maps", &packed));
    for (int64_t i = 0; i < regions; i++)
        if (use[i])
            packed[used++] = map[i];
    NEP_TRY_OR_DONE(st, nep_nulls_create(ctx, in->geometry, use, kinds[family], &nulls));
    NEP_TRY_OR_DONE(st, nep_nulls_draw(ctx, nulls, packed, nep_stream_id(NEP_STREAM_NULL, disorder, 2 * (uint64_t)family), 0, n, packed + regions));
    for (int64_t b = 0; b < n; b++)
        for (int64_t i = 0, at = 0; i < regions; i++)
            out[b * regions + i] = use[i] ? packed[regions + b * used + at++] : map[i];
done:
    nep_nulls_free(nulls);
    nep_alloc_free(packed);
    nep_alloc_free(use);
    return st;
}

nep_status nep_inputs_null_rate(nep_ctx *ctx, const nep_inputs *in, const char *null_kind, double alpha, int64_t n_maps,
                                int64_t n_nulls, double rate_low_high[3])
{
    bool *use = NULL;
    nep_nulls *nulls = NULL;
    nep_nulls_kind asked, kinds[NEP_EVIDENCE_FAMILIES];
    nep_nulls_rate rate;
    nep_status st;

    NEP_TRY(asked_for(ctx, null_kind, &asked));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_regions, sizeof *use, "null rate: regions", &use));
    const regions_used r = all_regions(in, use);
    choose(asked, &r, kinds);
    NEP_TRY_OR_DONE(st, nep_nulls_create(ctx, in->geometry, use, kinds[0], &nulls));
    NEP_TRY_OR_DONE(st, nep_nulls_false_positive(ctx, nulls, correlation_mm, n_maps, n_nulls, alpha,
                                                 nep_stream_id(NEP_STREAM_NULL, 0, 1), &rate));
    rate_low_high[0] = rate.rate;
    rate_low_high[1] = rate.low;
    rate_low_high[2] = rate.high;
done:
    nep_nulls_free(nulls);
    nep_alloc_free(use);
    return st;
}
