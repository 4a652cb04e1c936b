/* SPDX-License-Identifier: Apache-2.0 */
/* test_shipped - the shipped tables and the ENIGMA studies pass through the program's own readers. */
#include "support.h"

#include <nepenthe/io.h>

#define SHIPPED(name) NEP_SOURCE_DIR "/data/" name

static nep_ctx *ctx;

static int64_t bits_of(const nep_molset *m, int64_t i)
{
    int64_t n = 0;
    for (int64_t w = 0; w < m->words; w++)
        n += __builtin_popcountll(m->bits[i * m->words + w]);
    return n;
}

static void test_drugs(void **state)
{
    (void)state;
    nep_molset m = {0};
    assert_ok(ctx, nep_tsv_read_molset(ctx, SHIPPED("demo/drugs.tsv"), &m));
    assert_int_equal(m.n, 139);
    assert_int_equal(m.words, 32);
    const int64_t haloperidol = nep_molset_find(&m, "LNEPOXFFQSENCJ-UHFFFAOYSA-N");
    assert_true(haloperidol >= 0);
    assert_string_equal(m.names[haloperidol], "haloperidol");
    assert_string_equal(m.atc4[haloperidol], "N05AD");
    assert_near(nep_molset_descriptor(&m, haloperidol, "mw"), 375.87, 1e-4); /* C21H23ClFNO2 */
    assert_near(nep_molset_descriptor(&m, haloperidol, "hbd"), 1, 0);
    const int64_t valproate = nep_molset_find(&m, "NIJJYAXOARWZEE-UHFFFAOYSA-N");
    assert_true(valproate >= 0);
    assert_true(isnan(nep_molset_descriptor(&m, valproate, "pka_basic"))); /* an acid: none given */
    for (int64_t i = 0; i < m.n; i++)
        assert_true(bits_of(&m, i) > 0);
    nep_molset_free(&m);
}

static void test_maps_meet_the_geometry(void **state)
{
    (void)state;
    nep_geometry g = {0};
    nep_maps maps = {0};
    assert_ok(ctx, nep_tsv_read_geometry(ctx, SHIPPED("geometry_schematic.tsv"), &g));
    assert_ok(ctx, nep_tsv_read_maps(ctx, SHIPPED("demo/receptors.tsv"), &maps));
    assert_int_equal(g.n_regions, 51);
    assert_int_equal(maps.n_regions, 51);
    int cortex = 0;
    for (int64_t i = 0; i < g.n_regions; i++) {
        cortex += g.cortex[i];
        assert_int_equal(isnan(g.sphere[i][0]), !g.cortex[i]);
        assert_true(nep_maps_find_region(&maps, g.names[i]) >= 0);
    }
    assert_int_equal(cortex, 36);
    const int64_t d2 = nep_maps_find(&maps, "DRD2");
    assert_true(d2 >= 0);
    assert_near(maps.value[nep_maps_find_region(&maps, "R_putamen") * maps.n_maps + d2], 3, 0);
    assert_true(isnan(maps.value[nep_maps_find_region(&maps, "L_insula") * maps.n_maps + d2])); /* no source says */
    nep_maps_free(&maps);
    nep_geometry_free(&g);
}

static void test_tables(void **state)
{
    (void)state;
    static const char *const names[] = {"targets.tsv",         "receptor_tiers.tsv", "demo/affinities.tsv",
                                        "demo/reliability.tsv", "demo/labels.tsv"};
    for (int i = 0; i < NEP_LEN(names); i++) {
        char path[1024];
        nep_table t = {0};
        int64_t column;
        snprintf(path, sizeof path, "%s%s", SHIPPED(""), names[i]);
        assert_ok(ctx, nep_tsv_read(ctx, path, &t));
        assert_true(t.n_rows > 20);
        assert_ok(ctx, nep_table_need(ctx, &t, "source", &column));
        assert_ok(ctx, nep_table_need(ctx, &t, "licence", &column));
        nep_table_free(&t);
    }
}

static void test_studies(void **state)
{
    (void)state;
    nep_study s = {0};
    assert_ok(ctx, nep_study_read(ctx, NEP_SOURCE_DIR "/tests/studies/enigma.yaml", &s));
    assert_int_equal(s.n_disorders, 8);
    assert_string_equal(s.disorders[0].id, "DOID:5419");
    assert_string_equal(s.disorders[0].map_se, "schizophrenia_se");
    assert_int_equal(s.disorders[0].direction, 0);
    assert_string_equal(s.score, "B");
    assert_true(s.primary_cortex_only);
    nep_study_free(&s);
    assert_ok(ctx, nep_study_read(ctx, NEP_SOURCE_DIR "/tests/studies/enigma_pilot.yaml", &s));
    assert_int_equal(s.n_disorders, 6);
    assert_string_equal(s.score, "A");
    assert_string_equal(s.mode, "U");
    assert_near(s.relative_occupancy, 0.75, 0);
    nep_study_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_drugs),
        cmocka_unit_test(test_maps_meet_the_geometry),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_studies),
    };
    ctx = test_ctx(1);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    nep_ctx_free(ctx);
    return failed;
}
