/* SPDX-License-Identifier: Apache-2.0 */
/* test_study - the study file: what every key becomes, and what is refused with line and column. */
#include "io/files.h"

static nep_ctx *ctx;

static const char full[] =
    "schema: nepenthe/study/1\n"
    "name: a study\n"
    "geometry: geo.tsv\n"
    "disorders:\n"
    "  - {id: DOID:5419, name: schizophrenia, map: {table: maps/d.tsv, value: d, se: d_se}, direction: "
    "decrease}\n"
    "  - id: SIM:A\n"
    "    name: Simulated disorder A\n"
    "    map: {table: /abs/d.tsv, value: d, se: [20, 30]}\n"
    "    simulated: true\n"
    "    truth: truth.tsv\n"
    "receptors: {table: \"${NEPENTHE_SHARED}/r.tsv\", reliability: rel.tsv}\n"
    "drugs: drugs.tsv\n"
    "affinities: aff.tsv\n"
    "labels: labels.tsv\n"
    "evidence: [{channel: literature, table: ev.tsv, half_life: 4, reference_year: 2016}, {channel: expert_votes, table: /v.tsv, labels_from: us}]\n"
    "signatures: {disorders: sd.tsv, drugs: sk.tsv}\n"
    "targets: t.tsv\n"
    "atlas: a.nii.gz\n"
    "channels: [{name: engagement, options: {z: 1, a: two}}, {name: analogue}]\n"
    "primary: {channels: [engagement], scope: cortex, relative_occupancy: 0.6, score: A, mode: S}\n"
    "evaluate: {protocols: [masked], negatives: [all, failed], bootstrap: 100, controls: 3, time_split: 2010}\n"
    "nulls: {n: 500, kind: spin}\n";

static void test_full(void **state)
{
    (void)state;
    nep_study s = {0};
    char want[700];
    setenv("NEPENTHE_SHARED", "/shared", 1);
    assert_ok(ctx, nep_study_read(ctx, test_text("s.yaml", full), &s));
    assert_string_equal(s.name, "a study");
    snprintf(want, sizeof want, "%s/geo.tsv", test_folder);
    assert_string_equal(s.geometry, want);
    assert_int_equal(s.n_disorders, 2);
    snprintf(want, sizeof want, "%s/maps/d.tsv", test_folder);
    assert_string_equal(s.disorders[0].id, "DOID:5419");
    assert_string_equal(s.disorders[0].map_table, want);
    assert_string_equal(s.disorders[0].map_se, "d_se");
    assert_true(isnan(s.disorders[0].n1) && s.disorders[0].direction == -1 && !s.disorders[0].simulated);
    assert_string_equal(s.disorders[1].map_table, "/abs/d.tsv");
    assert_true(s.disorders[1].n1 == 20 && s.disorders[1].n2 == 30 && !s.disorders[1].map_se &&
                s.disorders[1].simulated);
    assert_true(s.disorders[1].direction == 0 && s.disorders[1].truth);
    assert_string_equal(s.receptors, "/shared/r.tsv");
    assert_int_equal(s.n_channels, 2);
    assert_int_equal(s.channels[0].n_options, 2);
    assert_string_equal(s.channels[0].keys[0], "a");
    assert_string_equal(s.channels[0].values[0], "two");
    assert_true(s.primary_cortex_only && s.relative_occupancy == 0.6 && s.score[0] == 'A' &&
                s.mode[0] == 'S');
    assert_true(s.n_protocols == 1 && s.n_negatives == 2 && s.bootstrap == 100 && s.n_nulls == 500);
    assert_true(s.n_controls == 3 && s.time_split == 2010);
    assert_string_equal(s.null_kind, "spin");
    assert_int_equal(s.n_evidence, 2);
    snprintf(want, sizeof want, "%s/ev.tsv", test_folder);
    assert_string_equal(s.evidence[0].table, want);
    assert_true(s.evidence[0].half_life == 4 && s.evidence[0].reference_year == 2016 && !s.evidence[0].labels_from);
    assert_string_equal(s.evidence[1].channel, "expert_votes");
    assert_string_equal(s.evidence[1].labels_from, "us");
    assert_true(s.evidence[1].half_life == 0 && s.evidence[1].reference_year == 0);
    snprintf(want, sizeof want, "%s/sk.tsv", test_folder);
    assert_string_equal(s.drug_signatures, want);
    snprintf(want, sizeof want, "%s/a.nii.gz", test_folder);
    assert_string_equal(s.atlas, want);
    assert_null(s.atlas_labels);
    nep_study_free(&s);
    assert_int_equal(nep_alloc_used(ctx), 0);
}

#define HEAD "schema: nepenthe/study/1\nname: n\ndrugs: d.tsv\n"

static void test_context(void **state)
{
    (void)state;
    nep_study s = {0};
    assert_ok(ctx, nep_study_read(ctx, test_text("c.yaml", HEAD "disorders: [{id: a, name: a, role: context}, {id: b, name: b}, "
                                                            "{id: c, name: c, role: ranked}]\nother_disorders: true\n"
                                                            "primary: {model: hierarchical}\nevaluate: {investigational: negative}\n"), &s));
    assert_int_equal(s.n_disorders, 3);
    assert_int_equal(s.n_ranked, 2);
    assert_true(s.hierarchical && s.investigational_negative);
    assert_true(s.other_disorders && s.disorders[2].context && !s.disorders[0].context);
    assert_string_equal(s.disorders[0].id, "b");
    assert_string_equal(s.disorders[1].id, "c");
    assert_string_equal(s.disorders[2].id, "a");
    nep_study_free(&s);
}

static void test_defaults(void **state)
{
    (void)state;
    nep_study s = {0};
    assert_ok(ctx, nep_study_read(ctx, test_text("d.yaml", HEAD "disorders: [{id: a, name: b}]\n"), &s));
    assert_true(!s.geometry && !s.disorders[0].map_table && !s.primary_cortex_only &&
                s.relative_occupancy == 0.75);
    assert_true(s.score[0] == 'B' && s.mode[0] == 'U' && s.bootstrap == 2000 && s.n_nulls == 10000);
    assert_true(s.n_protocols == 3 && s.n_negatives == 4 && s.n_channels == 0 && s.n_primary_channels == 0);
    assert_string_equal(s.null_kind, "moran");
    nep_study_free(&s);
}

static void test_atlas_with_labels(void **state)
{
    (void)state;
    nep_study s = {0};
    assert_ok(ctx, nep_study_read(ctx, test_text("l.yaml", HEAD "disorders: [{id: a, name: b}]\natlas: {labels: /l.csv, image: /i.nii}\n"), &s));
    assert_string_equal(s.atlas, "/i.nii");
    assert_string_equal(s.atlas_labels, "/l.csv");
    nep_study_free(&s);
    assert_int_equal(nep_alloc_used(ctx), 0);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } bad[] = {
        {HEAD "disorders: [{id: a, name: b}]\nafinities: x\n",
         "line 5, column 1: the study has no key 'afinities'; did you mean 'affinities'?"},
        {HEAD "disorders: [{id: a, name: b, mpa: {}}]\n",
         "line 4, column 30: a disorder has no key 'mpa'; did you mean 'map'?"},
        {HEAD "disorders: [{id: a, name: b}]\nname: m\n", "has the key 'name' twice"},
        {HEAD "disorders: [{id: a, name: b}, {id: a, name: c}]\n",
         "line 4, column 31: the disorder 'a' stands there twice"},
        {HEAD "disorders: []\n", "disorders is empty"},
        {HEAD "disorders: {id: a}\n", "disorders must be a list"},
        {HEAD "disorders: [{name: b}]\n", "needs an id"},
        {HEAD "disorders: [{id: a}]\n", "needs a name"},
        {HEAD "disorders: [{id: a, name: }]\n", "name is empty"},
        {HEAD "disorders: [{id: a, name: b, direction: up}]\n",
         "direction is 'up', must be one of decrease, unknown, increase"},
        {HEAD "disorders: [{id: a, name: b, role: contxt}]\n", "role is 'contxt', must be one of ranked, context"},
        {HEAD "disorders: [{id: a, name: b, role: context}]\n", "every disorder has the role context"},
        {HEAD "disorders: [{id: a, name: b}]\nprimary: {model: bayes}\n", "model is 'bayes', must be one of stouffer, hierarchical"},
        {HEAD "disorders: [{id: a, name: b}]\nevaluate: {controls: some}\n", "controls"},
        {HEAD "disorders: [{id: a, name: b}]\nevaluate: {time_split: 99}\n", "time_split"},
        {HEAD "disorders: [{id: a, name: b}]\nevaluate: {investigational: maybe}\n", "investigational is 'maybe', must be one of left_out, negative"},
        {HEAD "disorders: [{id: a, name: b}]\nother_disorders: yes\n", "other_disorders is 'yes', must be one of false, true"},
        {HEAD "disorders: [{id: a, name: b, map: {table: t, value: v}}]\n", "map needs table, value and se"},
        {HEAD "disorders: [{id: a, name: b, map: {table: t, value: v, se: [1]}}]\n", "map se has 1 numbers"},
        {HEAD "disorders: [{id: a, name: b, map: {table: t, value: v, se: [20, many]}}]\n",
         "n2 is 'many', must be a number"},
        {HEAD "disorders: [{id: a, name: b, map: {table: t, value: v, se: [1, 20]}}]\n",
         "n1 is 1, must lie in 2"},
        {HEAD "disorders: [{id: a, name: b, map: {table: $HOME/t, value: v, se: s}}]\n",
         "only a leading ${NEPENTHE_SHARED}"},
        {HEAD "disorders: [{id: a, name: b}]\natlas: {labels: l.tsv}\n", "line 5, column 8: atlas needs an image"},
        {HEAD "disorders: [{id: a, name: b}]\natlas: {image: a.nii, lables: l.tsv}\n",
         "atlas has no key 'lables'; did you mean 'labels'?"},
        {HEAD "disorders: [{id: a, name: b}]\nsignatures: {drugs: d.tsv}\n", "signatures needs both"},
        {HEAD "disorders: [{id: a, name: b}]\nevidence: [{channel: x}]\n", "line 5, column 12: an evidence table needs a table"},
        {HEAD "disorders: [{id: a, name: b}]\nevidence: [{table: x}]\n", "an evidence table needs a channel"},
        {HEAD "disorders: [{id: a, name: b}]\nevidence: [{channel: x, table: t}, {channel: x, table: u}]\n", "two tables for 'x'; join them"},
        {HEAD "disorders: [{id: a, name: b}]\nevidence: [{channel: literature, table: t, half_life: 0}]\n", "half_life is 0, must lie in"},
        {HEAD "disorders: [{id: a, name: b}]\nevidence: [{channel: literature, table: t, reference_year: 20}]\n", "reference_year is 20"},
        {HEAD "disorders: [{id: a, name: b}]\nnulls: {n: 10.5}\n", "nulls n is 10.5, must be a whole number"},
        {HEAD "disorders: [{id: a, name: b}]\nnulls: {kind: moron}\n",
         "must be one of moran, spin"},
        {HEAD "disorders: [{id: a, name: b}]\nprimary: {relative_occupancy: 1.5}\n", "must lie in"},
        {HEAD "disorders: [{id: a, name: b}]\nchannels: [{name: x}]\nprimary: {channels: [y]}\n",
         "primary names 'y'"},
        {HEAD "disorders: [{id: a, name: b}]\nchannels: [{name: x}, {name: x}]\n",
         "channel 'x' stands there twice"},
        {HEAD "disorders: [{id: a, name: b}]\nchannels: [{name: x, options: {a: [1]}}]\n",
         "a must be one word"},
        {HEAD "disorders: [{id: a, name: b}]\nchannels: [{name: x, options: {a: 1, a: 2}}]\n",
         "option 'a' is given twice"},
        {HEAD "disorders: [{id: a, name: b}]\nevaluate: {protocols: [masked, masked]}\n",
         "lists 'masked' twice"},
        {HEAD "disorders: &x [{id: a, name: b}]\nchannels: *x\n", "holds an alias"},
        {"&x [*x]\n", "holds an alias"},
        {HEAD "disorders: [{id: a, name: b}]\n---\nname: second\n", "second document"},
        {"name: n\n", "the study has no schema"},
        {"schema: nepenthe/study/2\n", "schema is 'nepenthe/study/2', this version reads nepenthe/study/1"},
        {"schema: nepenthe/study/1\nname: n\n", "needs the key 'disorders'"},
        {"", "is empty"},
        {"- a\n", "the study must be a mapping"},
        {"a: [b\n", "line 2, column 1"},
        {"a: \"\\0\"\n", "no key 'a'"},
        {"a: \xff\n", "byte 3"},
        {"\"k\\0\": 1\n", "control character"},
    };
    for (int i = 0; i < NEP_LEN(bad); i++) {
        nep_study s = {0};
        assert_refused(ctx, nep_study_read(ctx, test_text("bad.yaml", bad[i].text), &s), NEP_E_CONFIG,
                       bad[i].words);
        assert_null(s.name);
        assert_int_equal(nep_alloc_used(ctx), 0);
    }
    nep_study s = {0};
    unsetenv("NEPENTHE_SHARED");
    assert_refused(ctx, nep_study_read(ctx, test_text("bad.yaml", full), &s), NEP_E_CONFIG,
                   "which is not set");
    assert_refused(ctx, nep_study_read(ctx, test_path("none.yaml"), &s), NEP_E_MISSING, "none.yaml");
    assert_int_equal(nep_status_exit(NEP_E_CONFIG), 78);
}

static void test_minor_version(void **state)
{
    (void)state;
    nep_study s = {0};
    assert_ok(ctx,
              nep_study_read(
                  ctx,
                  test_text("v.yaml",
                            "schema: nepenthe/study/1.4\nname: n\ndrugs: d\ndisorders: [{id: a, name: b}]\n"),
                  &s));
    nep_study_free(&s);
}

static void test_allocation_failure(void **state)
{
    (void)state;
    setenv("NEPENTHE_SHARED", "/shared", 1);
    const char *path = test_text("f.yaml", full);
    nep_status st = NEP_E_NOMEM;
    int64_t k = 0;
    for (; st != NEP_OK && k < 1000; k++) {
        nep_study s = {0};
        nep_ctx_clear(ctx);
        nep_alloc_fail_at(ctx, k);
        st = nep_study_read(ctx, path, &s);
        nep_alloc_fail_at(ctx, -1);
        assert_true(st == NEP_OK || (st == NEP_E_NOMEM && !s.name));
        nep_study_free(&s);
        assert_int_equal(nep_alloc_used(ctx), 0);
    }
    assert_true(k > 30 && k < 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_context),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_atlas_with_labels),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_minor_version),
        cmocka_unit_test(test_allocation_failure),
    };
    ctx = test_ctx(1);
    const int failed = cmocka_run_group_tests(tests, NULL, test_clean);
    nep_ctx_free(ctx);
    return failed;
}
