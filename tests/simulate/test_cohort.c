/* SPDX-License-Identifier: Apache-2.0 */
/* cohort - the planted effect is there, the null cohort has none, and the bits do not depend on threads. */
#include "support.h"

#include <nepenthe/simulate.h>

enum { REGIONS = 6, SIDE = 6, VOXELS = SIDE * SIDE * SIDE };

static nep_atlas toy_atlas(int32_t *label)
{
    static char *names[REGIONS] = {"a", "b", "c", "d", "e", "f"};
    for (int v = 0; v < VOXELS; v++)
        label[v] = v % (REGIONS + 1);
    return (nep_atlas){.grid = {.nx = SIDE, .ny = SIDE, .nz = SIDE}, .n_regions = REGIONS, .label = label, .names = names};
}

/* Mean over voxels of the temporal SD per region, about the slow amplitude plus noise. */
static void region_sd(const nep_atlas *a, const float *bold, int64_t n_t, double *out)
{
    int n[REGIONS] = {0};
    memset(out, 0, REGIONS * sizeof *out);
    for (int v = 0; v < VOXELS; v++) {
        if (a->label[v] == 0)
            continue;
        double m = 0, s = 0;
        for (int64_t t = 0; t < n_t; t++)
            m += (double)bold[t * VOXELS + v] / (double)n_t;
        for (int64_t t = 0; t < n_t; t++)
            s += ((double)bold[t * VOXELS + v] - m) * ((double)bold[t * VOXELS + v] - m);
        out[a->label[v] - 1] += sqrt(s / (double)(n_t - 1));
        n[a->label[v] - 1]++;
    }
    for (int r = 0; r < REGIONS; r++)
        out[r] /= n[r];
}

static void test_planted_effect_is_in_patients_alone(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    int32_t label[VOXELS];
    const nep_atlas a = toy_atlas(label);
    const double profile[REGIONS] = {2, 0, 0, 0, 0, -2};
    nep_cohort_opts o = NEP_COHORT_DEFAULTS;
    o.seed = 5;
    o.profile = profile;
    o.effect = 0.3;
    float *bold = malloc(sizeof *bold * (size_t)(o.n_t * VOXELS));
    double group[2][REGIONS] = {{0}};
    for (int s = 0; s < 16; s++) {
        nep_series c = {0};
        double sd[REGIONS];
        assert_ok(ctx, nep_cohort_subject(ctx, &a, &o, s, s % 2, false, bold, &c));
        assert_int_equal(c.n_t, o.n_t);
        assert_true(isnan(c.data[6]) && c.data[6 + 9] > 0);
        region_sd(&a, bold, o.n_t, sd);
        for (int r = 0; r < REGIONS; r++)
            group[s % 2][r] += sd[r] / 8;
        for (int v = 0; v < VOXELS; v++)
            if (label[v] == 0)
                assert_true(bold[v] == 0.0f);
        nep_series_free(&c);
    }
    assert_true(group[1][0] > 1.25 * group[0][0]);
    assert_true(group[1][5] < 0.85 * group[0][5]);
    assert_true(fabs(group[1][2] / group[0][2] - 1) < 0.2);
    free(bold);
    assert_int_equal(nep_alloc_used(ctx), 0);
    nep_ctx_free(ctx);
}

static void test_same_bits_for_any_thread_count(void **state)
{
    (void)state;
    int32_t label[VOXELS];
    const nep_atlas a = toy_atlas(label);
    const nep_cohort_opts o = NEP_COHORT_DEFAULTS;
    const size_t bytes = sizeof(float) * (size_t)(o.n_t * VOXELS);
    float *first = malloc(bytes), *other = malloc(bytes);
    for (int threads = 1; threads <= 7; threads += 3) {
        nep_ctx *ctx = test_ctx(threads);
        nep_series c = {0};
        assert_ok(ctx, nep_cohort_subject(ctx, &a, &o, 3, true, false, threads == 1 ? first : other, &c));
        if (threads > 1)
            assert_memory_equal(first, other, bytes);
        nep_series_free(&c);
        nep_ctx_free(ctx);
    }
    free(first);
    free(other);
}

static void test_the_bad_subject_moves(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    int32_t label[VOXELS];
    const nep_atlas a = toy_atlas(label);
    const nep_cohort_opts o = NEP_COHORT_DEFAULTS;
    float *bold = malloc(sizeof *bold * (size_t)(o.n_t * VOXELS));
    double mean[2] = {0};
    for (int bad = 0; bad < 2; bad++) {
        nep_series c = {0};
        assert_ok(ctx, nep_cohort_subject(ctx, &a, &o, 1, false, bad, bold, &c));
        for (int64_t t = 1; t < o.n_t; t++)
            mean[bad] += (double)c.data[t * 9 + 6] / (double)(o.n_t - 1);
        nep_series_free(&c);
    }
    assert_true(mean[0] < 0.1 && mean[1] > 0.5);
    free(bold);
    nep_ctx_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_planted_effect_is_in_patients_alone),
        cmocka_unit_test(test_same_bits_for_any_thread_count),
        cmocka_unit_test(test_the_bad_subject_moves),
    };
    return cmocka_run_group_tests_name("cohort", tests, NULL, NULL);
}
