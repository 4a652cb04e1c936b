/* SPDX-License-Identifier: Apache-2.0 */
/* Every channel: documented, blind to what is hidden, right by hand on a small study. */
#include "synthetic_study.h"

static synthetic s;
static nep_label no_others[S_DISORDERS * S_DRUGS];

static nep_visible all_visible(int64_t disorder)
{
    return (nep_visible){.disorder = disorder, .own = s.labels + disorder * S_DRUGS, .others = no_others};
}

static void score(nep_ctx *ctx, const char *name, const nep_visible *v, uint64_t stream, double *value)
{
    double se[S_DRUGS];
    assert_ok(ctx, nep_channel_score(ctx, nep_channel_find(name), &s.in, v, stream, value, se));
}

static void assert_same(const double *a, const double *b)
{
    for (int k = 0; k < S_DRUGS; k++)
        assert_near(a[k], b[k], 0);
}

static void test_every_channel_is_documented(void **state)
{
    (void)state;
    assert_int_equal(nep_channel_count(), 32);
    for (int i = 0; nep_evidence_table[i]; i++) {
        const nep_channel *c = nep_evidence_table[i];
        assert_true(c->name && c->summary && c->source && c->orientation && c->licence && c->score);
        assert_true(strlen(c->summary) > 20 && strlen(c->orientation) > 10);
        assert_ptr_equal(nep_channel_find(c->name), c);
        assert_true(c->needs != 0);
        assert_int_equal((c->needs & NEP_NEEDS_LABELS) != 0, c->uses_labels);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(c->name, nep_evidence_table[k]->name);
    }
    assert_null(nep_channel_find("no such channel"));
}

/* docs/channels.md has one line per channel, which names what it is tested against. */
static void test_every_channel_has_its_line(void **state)
{
    nep_ctx *ctx = *state;
    char *page = NULL;
    int64_t n;
    assert_ok(ctx, nep_file_read(ctx, NEP_SOURCE_DIR "/docs/channels.md", 1 << 20, &page, &n));
    for (int i = 0; nep_evidence_table[i]; i++) {
        char start[80];
        snprintf(start, sizeof start, "\n| `%s` | %s |", nep_evidence_table[i]->name, nep_role_name(nep_evidence_table[i]->role));
        const char *line = strstr(page, start), *end = line ? strchr(line + 1, '\n') : NULL;
        if (!end)
            fail_msg("docs/channels.md has no line '%s'", start + 1);
        if (strstr(end, start))
            fail_msg("docs/channels.md has '%s' twice", start + 1);
        int cells = 0;
        bool empty = false;
        for (const char *p = line + 1; p < end; p++) {
            cells += *p == '|';
            empty = empty || strncmp(p, "|  |", 4) == 0 || strncmp(p, "| |", 3) == 0;
        }
        assert_true(cells == 6 && !empty);
    }
    nep_alloc_free(page);
}

/* The truth is poisoned, and so are the labels of hidden drugs: no channel may notice. */
static void test_poisoned_hidden_labels(void **state)
{
    nep_ctx *ctx = *state;
    nep_label own[S_DRUGS], poisoned[S_DISORDERS * S_DRUGS];
    for (int k = 0; k < S_DRUGS; k++)
        own[k] = k % 3 ? s.labels[k] : NEP_LABEL_NONE;
    for (int i = 0; i < S_DISORDERS * S_DRUGS; i++)
        poisoned[i] = (nep_label)(((int)s.labels[i] + 1 + i % 5) % 6);
    const nep_visible v = {.disorder = 0, .own = own, .others = no_others};
    for (int i = 0; nep_evidence_table[i]; i++) {
        double clean[S_DRUGS], dirty[S_DRUGS];
        signed char truth[S_DISORDERS * S_DRUGS];
        for (uint64_t stream = 0; stream < 2; stream++) {
            score(ctx, nep_evidence_table[i]->name, &v, stream, clean);
            memset(truth, 1, sizeof truth);
            s.in.labels = poisoned;
            s.in.truth = truth;
            score(ctx, nep_evidence_table[i]->name, &v, stream, dirty);
            s.in.labels = s.labels;
            s.in.truth = NULL;
            assert_same(clean, dirty);
        }
    }
}

/* A channel that masks scores every drug at once: no hidden label of the disorder may reach the drug that it is hidden from. */
static void test_poisoned_masked_labels(void **state)
{
    nep_ctx *ctx = *state;
    const nep_mask *const masks[] = {&s.in.itself, &s.in.similar};
    for (int m = 0; m < 2; m++)
        for (int i = 0; nep_evidence_table[i]; i++) {
            const nep_channel *c = nep_evidence_table[i];
            if (!c->masks || c->knows_drug)
                continue;
            for (int k = 0; k < S_DRUGS; k += 5) {
                nep_label own[S_DRUGS];
                double clean[S_DRUGS], dirty[S_DRUGS];
                const nep_visible v = {.disorder = 0, .own = own, .others = no_others, .mask = masks[m]};
                memcpy(own, s.labels, sizeof own);
                score(ctx, c->name, &v, 0, clean);
                for (int64_t h = masks[m]->start[k]; h < masks[m]->start[k + 1]; h++)
                    own[masks[m]->list[h]] = nep_label_indicated(own[masks[m]->list[h]]) ? NEP_LABEL_NONE : NEP_LABEL_APPROVED;
                score(ctx, c->name, &v, 0, dirty);
                assert_true(clean[k] == dirty[k] || (isnan(clean[k]) && isnan(dirty[k])));
            }
        }
}

/* A drug's own label never enters its own score. */
static void test_own_label_is_left_out(void **state)
{
    nep_ctx *ctx = *state;
    for (int i = 0; nep_evidence_table[i]; i++)
        for (int k = 0; k < S_DRUGS; k += 7) {
            nep_label own[S_DRUGS];
            double with[S_DRUGS], without[S_DRUGS];
            memcpy(own, s.labels, sizeof own);
            const nep_visible v = {.disorder = 0, .own = own, .others = no_others};
            own[k] = NEP_LABEL_APPROVED;
            score(ctx, nep_evidence_table[i]->name, &v, 0, with);
            own[k] = NEP_LABEL_NONE;
            score(ctx, nep_evidence_table[i]->name, &v, 0, without);
            assert_near(with[k], without[k], 0);
        }
}

static void test_coverage_gate(void **state)
{
    nep_ctx *ctx = *state;
    double value[S_DRUGS];
    int n = 0;
    const nep_visible v = all_visible(0);
    score(ctx, "engagement", &v, 0, value);
    assert_true(nep_engagement_coverage(&s.in, 58, &n) == NEP_COVERAGE_NONE);
    assert_int_equal(n, 0);
    assert_true(nep_engagement_coverage(&s.in, 56, &n) == NEP_COVERAGE_FEW);
    assert_true(n == 2);
    assert_true(nep_engagement_coverage(&s.in, 55, &n) == NEP_COVERAGE_STRONGEST);
    assert_true(nep_engagement_coverage(&s.in, 0, NULL) == NEP_COVERAGE_OK);
    assert_true(isnan(value[58]) && isnan(value[56]) && isnan(value[55]));
    assert_true(!isnan(value[0]));
    nep_affinity *bound = &s.affinity[s.start[56]]; /* a bound is no measurement */
    bound->censored = true;
    nep_engagement_coverage(&s.in, 56, &n);
    assert_int_equal(n, 1);
    bound->censored = false;
}

static void test_weights_by_hand(void **state)
{
    nep_ctx *ctx = *state;
    double a[S_DRUGS * S_MAPPED];
    double *kept = s.in.weights;
    s.in.weights = NULL; /* the mode changes below */
    for (const char *mode = "USU"; *mode; mode++) {
        s.in.mode = *mode;
        assert_ok(ctx, nep_engagement_weights(ctx, &s.in, 0, a));
        for (int k = 0; k < S_DRUGS; k += 11) {
            double strongest = -1;
            for (int64_t i = s.start[k]; i < s.start[k + 1]; i++)
                strongest = fmax(strongest, s.affinity[i].p_affinity);
            for (int64_t i = s.start[k]; i < s.start[k + 1]; i++) {
                const nep_affinity *f = &s.affinity[i];
                const double o = 1 / (1 + pow(10, strongest - f->p_affinity) / 3);
                if (f->target < S_MAPPED)
                    assert_near(a[k * S_MAPPED + f->target], *mode == 'U' ? o : f->action * o, 1e-6);
            }
        }
    }
    s.in.weights = kept;
}

/* Mode T moves a reuptake inhibitor's occupancy to the transmitter's receptors, by the sign of their coupling. */
static void test_tone_by_hand(void **state)
{
    nep_ctx *ctx = *state;
    static char *const named[] = {"SLC6A4", "HTR1A", "HTR2A", "DRD2", "OPRM1", "GRM5", "X", "Y"};
    static synthetic t;
    double a[S_DRUGS * S_MAPPED];
    synthetic_make(&t);
    t.in.targets = (char **)named;
    t.in.mode = 'T';
    t.affinity[0] = (nep_affinity){.drug = 0, .target = 0, .p_affinity = 9, .action = -1};
    t.affinity[1] = (nep_affinity){.drug = 0, .target = 3, .p_affinity = 9, .action = -1};
    t.affinity[2] = (nep_affinity){.drug = 0, .target = 4, .p_affinity = 9, .action = 1, .partial = true};
    t.start[0] = 0;
    for (int k = 1; k <= S_DRUGS; k++)
        t.start[k] = 3;
    t.in.n_affinities = 3;
    assert_ok(ctx, nep_engagement_weights(ctx, &t.in, 0, a));
    const double want[S_MAPPED] = {0, -0.75, 0.75, -0.75, 0.375, 0};
    for (int m = 0; m < S_MAPPED; m++)
        assert_near(a[m], want[m], 1e-6);
}

static void test_explanations_sum_to_the_score(void **state)
{
    nep_ctx *ctx = *state;
    for (int d = -1; d <= 1; d++) {
        double value[S_DRUGS];
        const nep_visible v = all_visible(0);
        s.direction[0] = d;
        score(ctx, "engagement", &v, 0, value);
        for (int k = 0; k < 50; k += 9) {
            nep_reason reasons[S_MAPPED];
            double sum = 0;
            int n = 0;
            assert_ok(ctx, nep_channel_explain(ctx, nep_channel_find("engagement"), &s.in, &v, k, S_MAPPED, reasons, &n));
            for (int i = 0; i < n; i++) {
                sum += reasons[i].share;
                assert_true(i == 0 || fabs(reasons[i].share) <= fabs(reasons[i - 1].share));
            }
            assert_near(sum, value[k], 1e-9);
        }
    }
    s.direction[0] = 0;
}

static void test_direction_turns_the_sign(void **state)
{
    nep_ctx *ctx = *state;
    double unsigned_score[S_DRUGS], up[S_DRUGS], down[S_DRUGS];
    const nep_visible v = all_visible(0);
    score(ctx, "engagement", &v, 0, unsigned_score);
    s.direction[0] = 1;
    score(ctx, "engagement", &v, 0, up);
    s.direction[0] = -1;
    score(ctx, "engagement", &v, 0, down);
    s.direction[0] = 0;
    for (int k = 0; k < S_DRUGS; k++) {
        assert_near(up[k], -down[k], 0);
        assert_near(unsigned_score[k], fabs(up[k]), 0);
    }
}

static void test_analogue_by_hand(void **state)
{
    nep_ctx *ctx = *state;
    double value[S_DRUGS];
    const nep_visible v = all_visible(1);
    score(ctx, "analogue", &v, 0, value);
    for (int k = 0; k < S_DRUGS; k++) {
        double best = NAN;
        for (int i = 0; i < S_DRUGS; i++) {
            int both = 0, any = 0;
            for (int w = 0; w < S_WORDS; w++) {
                both += __builtin_popcountll(s.bits[k * S_WORDS + w] & s.bits[i * S_WORDS + w]);
                any += __builtin_popcountll(s.bits[k * S_WORDS + w] | s.bits[i * S_WORDS + w]);
            }
            if (i != k && k != 59 && i != 59 && nep_label_indicated(v.own[i]))
                best = fmax(isnan(best) ? 0 : best, (double)both / any);
        }
        assert_near(value[k], best, 1e-6);
    }
    assert_true(isnan(value[59])); /* no fingerprint, no evidence */
}

static void test_baselines_by_hand(void **state)
{
    nep_ctx *ctx = *state;
    double popularity[S_DRUGS], count[S_DRUGS], class[S_DRUGS];
    nep_label others[S_DISORDERS * S_DRUGS];
    memcpy(others, s.labels, sizeof others);
    for (int k = 0; k < S_DRUGS; k++)
        others[2 * S_DRUGS + k] = NEP_LABEL_NONE;
    const nep_visible v = {.disorder = 2, .own = s.labels + 2 * S_DRUGS, .others = others};
    score(ctx, "popularity", &v, 0, popularity);
    score(ctx, "target_count", &v, 0, count);
    score(ctx, "mechanism_class", &v, 0, class);
    for (int k = 0; k < S_DRUGS; k++) {
        int other = 0, hits = 0, n = 0;
        for (int j = 0; j < S_DISORDERS; j++)
            other += j != 2 && nep_label_indicated(s.labels[j * S_DRUGS + k]);
        for (int i = k % S_CLASSES; i < S_DRUGS; i += S_CLASSES) {
            n += i != k;
            hits += i != k && nep_label_indicated(v.own[i]);
        }
        assert_near(popularity[k], other, 0);
        assert_near(count[k], (double)(s.start[k + 1] - s.start[k]), 0);
        assert_near(class[k], (double)hits / n, 1e-15);
    }
}

static void test_ligand_only_by_hand(void **state)
{
    nep_ctx *ctx = *state;
    double value[S_DRUGS], a[S_DRUGS * S_MAPPED];
    const nep_visible v = all_visible(0);
    score(ctx, "ligand_only", &v, 0, value);
    assert_ok(ctx, nep_engagement_weights(ctx, &s.in, 0, a));
    const int k = 6;
    double sum = 0;
    int n = 0;
    for (int i = 0; i < S_DRUGS; i++) {
        double xy = 0, xx = 0, yy = 0;
        if (i == k || !nep_label_indicated(v.own[i]) || nep_engagement_coverage(&s.in, i, NULL) != NEP_COVERAGE_OK)
            continue;
        for (int m = 0; m < S_MAPPED; m++) {
            xy += a[k * S_MAPPED + m] * a[i * S_MAPPED + m];
            xx += a[k * S_MAPPED + m] * a[k * S_MAPPED + m];
            yy += a[i * S_MAPPED + m] * a[i * S_MAPPED + m];
        }
        sum += xy / sqrt(xx * yy);
        n++;
    }
    assert_true(n > 3);
    assert_near(value[k], sum / n, 1e-12);
}

static void test_streams_redraw(void **state)
{
    nep_ctx *ctx = *state;
    double base[S_DRUGS], one[S_DRUGS], again[S_DRUGS], two[S_DRUGS];
    const nep_visible v = all_visible(0);
    static const char *const redrawn[] = {"engagement", "analogue", "ligand_only", "expert_votes", "literature", "record_signal", "assay_potency",
                                           "reversal_wtcs", "reversal_xsum", "reversal_cosine", "target_gene", "pathway", "interaction"};
    for (int c = 0; c < NEP_LEN(redrawn); c++) {
        int moved = 0, differ = 0;
        score(ctx, redrawn[c], &v, 0, base);
        score(ctx, redrawn[c], &v, 1, one);
        score(ctx, redrawn[c], &v, 1, again);
        assert_same(one, again);
        for (uint64_t stream = 2; stream < 12; stream++) {
            score(ctx, redrawn[c], &v, stream, two);
            for (int k = 0; k < S_DRUGS; k++) {
                moved += !isnan(base[k]) && base[k] != two[k];
                differ += !isnan(one[k]) && one[k] != two[k];
            }
        }
        assert_true(moved > 3 && differ > 3);
    }
}

static void test_missing_table_is_named(void **state)
{
    nep_ctx *ctx = *state;
    double value[S_DRUGS] = {-1}, se[S_DRUGS];
    const nep_visible v = all_visible(0);
    float *kept = s.in.similarity;
    s.in.similarity = NULL;
    assert_fails(nep_channel_score(ctx, nep_channel_find("analogue"), &s.in, &v, 0, value, se), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "fingerprint"));
    assert_true(value[0] == -1);
    s.in.similarity = kept;
    nep_ctx_clear(ctx);
    const nep_visible beyond = {.disorder = S_DISORDERS, .own = s.labels, .others = no_others};
    assert_fails(nep_channel_score(ctx, nep_channel_find("popularity"), &s.in, &beyond, 0, value, se), NEP_E_ARG);
    nep_ctx_clear(ctx);
}

static void test_planted_map_is_found(void **state)
{
    (void)state;
    assert_true(s.in.map_p[0] < 0.05);
    assert_true(s.in.map_p[1] > 0.01 || s.in.map_p[2] > 0.01);
}

/* The kinds follow the regions; every p is the larger of both families. */
static void test_two_families_of_null_maps(void **state)
{
    nep_ctx *ctx = *state;
    static synthetic t;
    double value[S_DRUGS], both[S_DRUGS], first[S_DRUGS];
    bool larger = false;
    for (int cortex = 0; cortex < 2; cortex++) {
        synthetic_make(&t);
        t.in.n_nulls = 199;
        t.in.cortex_only = cortex == 1;
        assert_ok(ctx, nep_inputs_prepare(ctx, &t.in, NULL));
        assert_string_equal(nep_inputs_null_name(&t.in, 0, 0), cortex ? "moran" : "moran-compartment");
        assert_string_equal(nep_inputs_null_name(&t.in, 0, 1), cortex ? "spin" : "eigenmodes");
        assert_string_equal(nep_inputs_second_null(&t.in, "moran"), cortex ? "spin" : "eigenmodes");
        assert_string_equal(nep_inputs_second_null(&t.in, "spin"), cortex ? "moran" : "moran-compartment");
        for (int64_t j = 0; j < t.in.n_disorders; j++) {
            const double *own = t.in.map_p_family + 2 * j;
            assert_true(own[0] >= 1.0 / 200 && own[1] >= 1.0 / 200);
            assert_near(t.in.map_p[j], fmax(own[0], own[1]), 0);
        }
        assert_ok(ctx, nep_engagement_signed(ctx, &t.in, 0, 0, value, NULL, both));
        struct nep_profile *kept = t.in.second[0];
        t.in.second[0] = NULL;
        assert_ok(ctx, nep_engagement_signed(ctx, &t.in, 0, 0, value, NULL, first));
        t.in.second[0] = kept;
        for (int64_t k = 0; k < t.in.n_drugs; k++) {
            assert_true(isnan(first[k]) ? isnan(both[k]) : both[k] >= first[k]);
            larger = larger || both[k] > first[k];
        }
        assert_ok(ctx, nep_engagement_family(ctx, &t.in, 0, 0, first));
        for (int64_t k = 0; k < t.in.n_drugs; k++)
            assert_true(isnan(value[k]) ? isnan(first[k]) : fabs(value[k]) == fabs(first[k]));
        nep_inputs_release(&t.in);
    }
    assert_true(larger);
    t.in.geometry->sphere[0][0] = NAN;
    assert_ok(ctx, nep_inputs_prepare(ctx, &t.in, NULL));
    assert_null(nep_inputs_second_null(&t.in, "moran"));
    assert_null(nep_inputs_null_name(&t.in, 0, 1));
    assert_true(isnan(t.in.map_p_family[1]));
    assert_near(t.in.map_p[0], t.in.map_p_family[0], 0);
    nep_inputs_release(&t.in);
}

static void test_preparing_fails_clean(void **state)
{
    nep_ctx *ctx = *state;
    static synthetic t;
    synthetic_make(&t);
    t.in.n_nulls = 99;
    const int64_t before = nep_alloc_used(ctx);
    nep_status st = NEP_E_NOMEM;
    int64_t k = 0;
    for (; st != NEP_OK && k < 4000; k = k < 40 ? k + 1 : k + 37) {
        nep_alloc_fail_at(ctx, k);
        st = nep_inputs_prepare(ctx, &t.in, NULL);
        nep_ctx_clear(ctx);
        if (st != NEP_OK) {
            assert_int_equal(st, NEP_E_NOMEM);
            assert_null(t.in.profiles);
            assert_int_equal(nep_alloc_used(ctx), before);
        }
    }
    nep_alloc_fail_at(ctx, -1);
    assert_int_equal(st, NEP_OK);
    nep_inputs_release(&t.in);
    assert_int_equal(nep_alloc_used(ctx), before);
    t.in.score = 'C';
    assert_fails(nep_inputs_prepare(ctx, &t.in, NULL), NEP_E_ARG);
    nep_ctx_clear(ctx);
    t.in.score = 'A';
    assert_fails(nep_inputs_prepare(ctx, &t.in, "magic"), NEP_E_ARG);
    nep_ctx_clear(ctx);
}

static int setup(void **state)
{
    nep_ctx *ctx = *state = test_ctx(1);
    synthetic_make(&s);
    synthetic_tables(ctx, &s);
    synthetic_signatures(ctx, &s, false);
    synthetic_network(ctx, &s);
    return nep_backend_choose(ctx, "cpu") != NEP_OK || nep_inputs_prepare(ctx, &s.in, NULL) != NEP_OK;
}

static int teardown(void **state)
{
    nep_inputs_release(&s.in);
    nep_tables_free(s.in.tables);
    nep_signatures_free(s.in.signatures);
    nep_network_free(&s.network);
    nep_ctx_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_channel_is_documented), cmocka_unit_test(test_every_channel_has_its_line),
        cmocka_unit_test(test_poisoned_masked_labels),
        cmocka_unit_test(test_poisoned_hidden_labels),
        cmocka_unit_test(test_own_label_is_left_out),       cmocka_unit_test(test_coverage_gate),
        cmocka_unit_test(test_weights_by_hand),             cmocka_unit_test(test_tone_by_hand),
        cmocka_unit_test(test_explanations_sum_to_the_score), cmocka_unit_test(test_direction_turns_the_sign),
        cmocka_unit_test(test_analogue_by_hand),            cmocka_unit_test(test_baselines_by_hand),
        cmocka_unit_test(test_ligand_only_by_hand),         cmocka_unit_test(test_streams_redraw),
        cmocka_unit_test(test_missing_table_is_named),      cmocka_unit_test(test_planted_map_is_found),
        cmocka_unit_test(test_two_families_of_null_maps),
        cmocka_unit_test(test_preparing_fails_clean),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
