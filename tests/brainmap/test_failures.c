/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation of the room fails once: the status says so, nothing leaks, nothing is half written. */
#include "brainmap/sampled.h"
#include "brainmap/subspace.h"
#include "field.h"

typedef struct {
    nep_geometry g;
    nep_surface v;
    double a[24], b[24], x[24 * 3], out[24 * 40];
} scene;

typedef nep_status work_fn(nep_ctx *ctx, scene *s);

static nep_status draw(nep_ctx *ctx, scene *s)
{
    for (int k = 0; k < NEP_NULLS_KIND_COUNT; k++) {
        nep_nulls *nulls = NULL;
        nep_nulls_rate rate;
        if (nep_nulls_made_per_map((nep_nulls_kind)k))
            continue; /* below */
        NEP_TRY(nep_nulls_create_on(ctx, &s->g, NULL, (nep_nulls_kind)k, &s->v, &nulls));
        nep_status st = nep_nulls_draw(ctx, nulls, s->a, 0, 0, 40, s->out);
        if (st == NEP_OK)
            st = nep_nulls_false_positive(ctx, nulls, 30.0, 5, 19, 0.05, 0, &rate);
        int64_t repeats;
        if (st == NEP_OK && k == NEP_NULLS_SPIN)
            st = nep_nulls_repeats(ctx, nulls, 0, 20, &repeats);
        nep_nulls_free(nulls);
        NEP_TRY(st);
    }
    return NEP_OK;
}

static nep_status matched(nep_ctx *ctx, scene *s)
{
    nep_nulls *nulls = NULL;
    nep_nulls_rate rate;
    NEP_TRY(nep_nulls_create(ctx, &s->g, NULL, NEP_NULLS_VARIOGRAM_VALUES, &nulls));
    nep_status st = nep_nulls_draw(ctx, nulls, s->a, 0, 0, 40, s->out);
    if (st == NEP_OK)
        st = nep_nulls_false_positive(ctx, nulls, 30.0, 1, 19, 0.05, 0, &rate);
    nep_nulls_free(nulls);
    return st;
}

/* A box of 6 x 6 x 6 voxels, and 60 places off any grid. */
static nep_status sampled(nep_ctx *ctx, scene *s)
{
    enum { VOXELS = 216, PLACES = 60 };
    static bool mask[VOXELS];
    static double map[VOXELS], place[PLACES][3];
    static float out[17 * VOXELS];
    static const int32_t block[PLACES];
    const nep_grid g = {.nx = 6, .ny = 6, .nz = 6, .affine = {{2, 0, 0, 0}, {0, 2, 0, 0}, {0, 0, 2, 0}}};
    const nep_sampled_opts o = {.neighbours = 40, .sample = 50};
    nep_sampled *voxels = NULL, *places = NULL;
    nep_status st;
    (void)s;
    for (int v = 0; v < VOXELS; v++) {
        mask[v] = true;
        map[v] = nep_philox_normal(9, 0, (uint64_t)v);
        for (int k = 0; k < 3 && v < PLACES; k++)
            place[v][k] = nep_philox_normal(9, 1, (uint64_t)(3 * v + k));
    }
    NEP_TRY_OR_DONE(st, nep_sampled_voxels(ctx, &g, mask, &o, &voxels));
    NEP_TRY_OR_DONE(st, nep_sampled_draw(ctx, voxels, map, 0, 0, 17, true, out));
    NEP_TRY_OR_DONE(st, nep_sampled_listed(ctx, PLACES, (const double(*)[3])place, block, &o, &places));
    st = nep_sampled_draw(ctx, places, map, 0, 0, 17, false, out);
done:
    nep_sampled_free(places);
    nep_sampled_free(voxels);
    return st;
}

/* Modes of the same box, all of them, and a few by rounds. */
static nep_status voxels(nep_ctx *ctx, scene *s)
{
    enum { SIDE = 6, VOXELS = SIDE * SIDE * SIDE, K = 5 };
    static bool mask[VOXELS];
    static double map[VOXELS], out[3 * VOXELS], lambda[K], vectors[(K + 20) * VOXELS], weight[7 * VOXELS];
    static int32_t column[7 * VOXELS];
    static int64_t start[VOXELS + 1];
    const nep_grid g = {.nx = SIDE, .ny = SIDE, .nz = SIDE, .affine = {{2, 0, 0, 0}, {0, 2, 0, 0}, {0, 0, 2, 0}}};
    const nep_nulls_kind kinds[] = {NEP_NULLS_MORAN, NEP_NULLS_MORAN_PAIR, NEP_NULLS_EIGENMODES, NEP_NULLS_SHUFFLE};
    int64_t e = 0;
    (void)s;
    for (int v = 0; v < VOXELS; v++) { /* the graph is a ring here */
        mask[v] = true;
        map[v] = nep_philox_normal(9, 2, (uint64_t)v);
        for (int k = -1; k <= 1; k++) {
            column[e] = (v + k + VOXELS) % VOXELS;
            weight[e++] = k == 0 ? 2 : -1;
        }
        start[v + 1] = e;
    }
    for (int k = 0; k < NEP_LEN(kinds); k++) {
        nep_nulls *nulls = NULL;
        NEP_TRY(nep_nulls_create_voxels(ctx, &g, mask, kinds[k], NULL, &nulls));
        const nep_status st = nep_nulls_draw(ctx, nulls, map, 0, 0, 3, out);
        nep_nulls_free(nulls);
        NEP_TRY(st);
    }
    const nulls_graph l = {VOXELS, start, column, weight};
    const nep_compare_opts o = {.kind = NEP_NULLS_EIGENMODES, .n_nulls = 9, .permute = NEP_COMPARE_BOTH};
    nep_comparison c;
    NEP_TRY(nep_compare_voxels(ctx, &g, mask, map, out, &o, NULL, &c));
    return nep_subspace_smallest(ctx, &l, K, 0.1, lambda, vectors, NULL);
}

static nep_status compare(nep_ctx *ctx, scene *s)
{
    const nep_compare_opts o = {.statistic = NEP_COMPARE_SPEARMAN,
                                .kind = NEP_NULLS_SPIN,
                                .n_nulls = 20,
                                .permute = NEP_COMPARE_BOTH};
    nep_comparison c = {.r = -7.0};
    const nep_status st = nep_compare_maps(ctx, &s->g, NULL, 24, s->a, s->b, &o, &c);
    assert_true(st == NEP_OK || c.r == -7.0);
    return st;
}

static nep_status dominance(nep_ctx *ctx, scene *s)
{
    nep_dominance *d = NULL;
    double r2[1];
    NEP_TRY(nep_dominance_create(ctx, s->x, 24, 3, NULL, &d));
    const nep_status st = nep_dominance_score(ctx, d, s->a, 1, s->out, r2);
    nep_dominance_free(d);
    return st;
}

static nep_status profile(nep_ctx *ctx, scene *s)
{
    const nep_profile_opts o = {.n_nulls = 30, .lambda = 0.1};
    nep_profile *f = NULL;
    double score[2] = {-7.0, -7.0}, p[2], most[2];
    NEP_TRY(nep_profile_create(ctx, &s->g, NULL, s->x, 3, NULL, s->a, NULL, &o, &f));
    nep_status st = nep_profile_score(ctx, f, 'B', 0, s->x, 2, score, p, most);
    assert_true(st == NEP_OK || score[0] == -7.0);
    if (st == NEP_OK)
        st = nep_profile_null_scores(ctx, f, 'A', 0, 30, s->x, 2, s->out);
    nep_profile_free(f);
    return st;
}

static void test_failed_allocations(void **state)
{
    (void)state;
    work_fn *const works[] = {draw, matched, sampled, voxels, compare, dominance, profile};
    for (int w = 0; w < NEP_LEN(works); w++) {
        nep_ctx *ctx = test_ctx(2);
        scene s = {.g = field_geometry(ctx, 12, 0)};
        nep_status st = NEP_E_NOMEM;
        int64_t at = 0;
        s.v = field_surface(ctx, &s.g, 60);
        field_map(&s.g, 1, s.a);
        field_map(&s.g, 2, s.b);
        for (int i = 0; i < 24 * 3; i++)
            s.x[i] = nep_philox_normal(8, 0, (uint64_t)i);
        const int64_t before = nep_alloc_used(ctx);
        for (; st != NEP_OK; at++) {
            nep_ctx_clear(ctx);
            nep_alloc_fail_at(ctx, at);
            st = works[w](ctx, &s);
            assert_true(st == NEP_OK || st == NEP_E_NOMEM);
            assert_int_equal(nep_alloc_used(ctx), before);
            assert_true(at < 500);
        }
        assert_true(at > 5); /* the hook was met */
        nep_surface_free(&s.v);
        nep_geometry_free(&s.g);
        nep_ctx_free(ctx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_failed_allocations)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
