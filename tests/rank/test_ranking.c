/* SPDX-License-Identifier: Apache-2.0 */
/* A ranking and its evaluation on a small study: the same on any number of threads, blind, and honest about what it lacks. */
#include "synthetic_study.h"

#include <nepenthe/rank.h>

static synthetic s;

static const nep_candidate *candidate(const nep_ranking *r, int64_t j, int64_t drug)
{
    for (int64_t i = 0; i < S_DRUGS; i++)
        if (r->disorders[j].candidates[i].drug == drug)
            return &r->disorders[j].candidates[i];
    return NULL;
}

static nep_ranking *rank(nep_ctx *ctx, const nep_inputs *in, int64_t streams)
{
    nep_ranking *r = NULL;
    const nep_ranking_opts o = {.n_streams = streams, .n_bootstrap = 100, .null_maps = 20};
    assert_ok(ctx, nep_ranking_create(ctx, in, &o, &r));
    return r;
}

static void test_order_intervals_and_contributions(void **state)
{
    nep_ctx *ctx = *state;
    nep_ranking *r = rank(ctx, &s.in, 50);
    assert_string_equal(r->channels[0]->name, "engagement");
    assert_string_equal(r->channels[1]->name, "analogue");
    assert_true(r->channels[2]->role != NEP_ROLE_VOTE);
    for (int64_t j = 0; j < S_DISORDERS; j++) {
        const nep_ranking_disorder *d = &r->disorders[j];
        bool seen[S_DRUGS] = {false};
        for (int64_t i = 0; i < S_DRUGS; i++) {
            const nep_candidate *c = &d->candidates[i];
            double sum = 0;
            assert_false(seen[c->drug]);
            seen[c->drug] = true;
            if (isnan(c->score))
                continue;
            assert_true(i == 0 || c->score <= d->candidates[i - 1].score);
            assert_true(c->score_low <= c->score && c->score <= c->score_high);
            assert_true(c->rank_low <= (double)(i + 1) && (double)(i + 1) <= c->rank_high);
            assert_true(c->p_top10 >= 0 && c->p_top10 <= 1);
            for (int v = 0; v < 2; v++)
                sum += isnan(d->contribution[c->drug * r->n_channels + v]) ? 0 : d->contribution[c->drug * r->n_channels + v];
            assert_near(sum, c->score, 1e-12);
            assert_true(isnan(d->contribution[c->drug * r->n_channels + 2])); /* only votes are fused */
        }
        assert_true(strlen(d->trust) > 40);
    }
    nep_ranking_free(r);
}

/* The order by the plain mean of normal scores, worked anew from the channel values. */
static void test_second_opinions(void **state)
{
    nep_ctx *ctx = *state;
    nep_ranking *r = rank(ctx, &s.in, 20);
    for (int64_t j = 0; j < S_DISORDERS; j++) {
        const nep_ranking_disorder *d = &r->disorders[j];
        double mean[S_DRUGS], z[2][S_DRUGS], column[S_DRUGS];
        for (int v = 0; v < 2; v++) {
            for (int64_t k = 0; k < S_DRUGS; k++)
                column[k] = d->value[k * r->n_channels + v];
            assert_ok(ctx, nep_fuse_normal_scores(ctx, column, S_DRUGS, z[v]));
        }
        for (int64_t k = 0; k < S_DRUGS; k++)
            mean[k] = isnan(z[0][k]) ? z[1][k] : isnan(z[1][k]) ? z[0][k] : (z[0][k] + z[1][k]) / 2;
        for (int64_t k = 0; k < S_DRUGS; k++) {
            double above = 0, same = 0;
            for (int64_t i = 0; i < S_DRUGS; i++) {
                above += mean[i] > mean[k];
                same += mean[i] == mean[k];
            }
            const double rank_by_mean = d->opinion[NEP_OPINION_MEAN * S_DRUGS + k], by_lists = d->opinion[NEP_OPINION_AGGREGATION * S_DRUGS + k];
            if (isnan(mean[k])) {
                assert_true(isnan(rank_by_mean) && isnan(by_lists));
                continue;
            }
            assert_near(rank_by_mean, above + (same + 1) / 2, 1e-12);
            assert_true(by_lists >= 1 && by_lists <= S_DRUGS);
            assert_true(isnan(d->opinion[NEP_OPINION_ELASTIC * S_DRUGS + k])); /* the model's alone */
        }
    }
    assert_string_equal(nep_opinion_name(NEP_OPINION_ELASTIC), "elastic_net");
    nep_ranking_free(r);
}

/* The last disorder only lends its labels: it is not ranked nor evaluated, the others' scores are what they were, and
 * popularity counts it. */
static void test_context_disorders(void **state)
{
    nep_ctx *ctx = *state;
    const int popularity_at = 2;
    nep_inputs in = s.in;
    nep_evaluation *e = NULL;
    nep_ranking *all = rank(ctx, &in, 20), *part;
    in.n_ranked = in.n_listed = S_DISORDERS - 1;
    part = rank(ctx, &in, 20);
    assert_int_equal(part->n_disorders, S_DISORDERS - 1);
    for (int64_t j = 0; j < part->n_disorders; j++)
        for (int64_t i = 0; i < S_DRUGS; i++) {
            const nep_candidate *a = &all->disorders[j].candidates[i], *b = &part->disorders[j].candidates[i];
            assert_true(a->drug == b->drug && (a->score == b->score || (isnan(a->score) && isnan(b->score))));
        }
    for (int c = popularity_at; c < part->n_channels; c++)
        if (strcmp(part->channels[c]->name, "popularity") == 0)
            for (int64_t k = 0; k < S_DRUGS * part->n_channels; k += part->n_channels)
                assert_true(part->disorders[0].value[k + c] == all->disorders[0].value[k + c]);
    assert_ok(ctx, nep_evaluation_create(ctx, part, &(nep_evaluation_opts){.n_bootstrap = 50}, &e));
    assert_int_equal(e->n_disorders, S_DISORDERS - 1);
    nep_evaluation_free(e);
    nep_ranking_free(part);
    nep_ranking_free(all);
}

static void test_verdicts(void **state)
{
    nep_ctx *ctx = *state;
    s.labels[3] = NEP_LABEL_CONTRAINDICATED;
    nep_ranking *r = rank(ctx, &s.in, 20);
    assert_true(candidate(r, 0, 3)->verdict == NEP_VERDICT_CONTRAINDICATED);
    assert_non_null(strstr(candidate(r, 0, 3)->flags, "contraindicated"));
    for (int64_t k = 55; k < 59; k++) {
        if (k == 57)
            continue;
        assert_true(candidate(r, 1, k)->verdict == NEP_VERDICT_INSUFFICIENT);
        assert_non_null(strstr(candidate(r, 1, k)->flags, "insufficient"));
    }
    assert_non_null(strstr(candidate(r, 1, 55)->flags, "strongest_target_unmapped"));
    assert_non_null(strstr(candidate(r, 1, 56)->flags, "few_mapped_targets"));
    assert_non_null(strstr(candidate(r, 1, 58)->flags, "no_measured_target"));
    assert_int_equal(candidate(r, 1, 56)->n_targets, 2);
    bool recorded = false;
    for (int64_t j = 0; j < S_DISORDERS; j++)
        recorded = recorded || nep_label_indicated(s.labels[j * S_DRUGS + 57]);
    assert_true(recorded || candidate(r, 0, 57)->verdict == NEP_VERDICT_GATED);
    for (int64_t j = 0; j < S_DISORDERS; j++)
        for (int64_t i = 0; i < S_DRUGS; i++) {
            const nep_candidate *c = &r->disorders[j].candidates[i];
            if (c->verdict != NEP_VERDICT_SUPPORTED)
                continue;
            assert_true(c->score >= NEP_VERDICT_SCORE && c->score_low > 0);
            /* never by a map that was not shown to add, alone */
            assert_true(r->disorders[j].increment.verdict == NEP_IMAGING_ADDS || c->score_without_low >= NEP_VERDICT_SCORE ||
                        isnan(c->engagement));
        }
    s.labels[3] = NEP_LABEL_NONE;
    nep_ranking_free(r);
}

static void assert_same_ranking(const nep_ranking *a, const nep_ranking *b)
{
    for (int64_t j = 0; j < S_DISORDERS; j++) {
        for (int64_t i = 0; i < S_DRUGS; i++) {
            const nep_candidate *x = &a->disorders[j].candidates[i], *y = &b->disorders[j].candidates[i];
            assert_int_equal(x->drug, y->drug);
            assert_near(x->score, y->score, 0);
            assert_near(x->score_low, y->score_low, 0);
            assert_near(x->rank_high, y->rank_high, 0);
            assert_near(x->p_top10, y->p_top10, 0);
            assert_near(x->p_recorded, y->p_recorded, 0);
            assert_near(x->engagement_p, y->engagement_p, 0);
        }
        assert_near(a->disorders[j].increment.delta.low, b->disorders[j].increment.delta.low, 0);
        assert_near(a->disorders[j].increment.p_map, b->disorders[j].increment.p_map, 0);
        const double *own = a->disorders[j].increment.p_family;
        assert_true(own[0] > 0 && own[1] > 0);
        assert_near(a->disorders[j].increment.p_map, fmax(own[0], own[1]), 0);
        assert_near(a->disorders[j].increment.detectable, b->disorders[j].increment.detectable, 0);
    }
}

/* All from the seed: the same bits on one thread and on three, another seed another interval. */
static void test_threads_do_not_matter(void **state)
{
    nep_ctx *ctx = *state, *three = test_ctx(3);
    static synthetic t;
    assert_ok(three, nep_backend_choose(three, "cpu"));
    synthetic_make(&t);
    assert_ok(three, nep_inputs_prepare(three, &t.in, NULL));
    nep_ranking *a = rank(ctx, &s.in, 30), *b = rank(three, &t.in, 30);
    nep_evaluation *ea = NULL, *eb = NULL;
    const nep_evaluation_opts o = {.n_bootstrap = 60};
    assert_same_ranking(a, b);
    assert_ok(ctx, nep_evaluation_create(ctx, a, &o, &ea));
    assert_ok(three, nep_evaluation_create(three, b, &o, &eb));
    for (int p = 0; p < NEP_PROTOCOL_COUNT; p++) {
        assert_near(ea->fused.macro[p].ap.low, eb->fused.macro[p].ap.low, 0);
        assert_near(ea->fused.macro[p].bedroc20.high, eb->fused.macro[p].bedroc20.high, 0);
        assert_near(ea->fused.disorders[p][0].null_p, eb->fused.disorders[p][0].null_p, 0);
    }
    nep_evaluation_free(ea);
    nep_evaluation_free(eb);
    nep_ranking_free(a);
    nep_ranking_free(b);
    nep_inputs_release(&t.in);
    nep_ctx_free(three);
}

/* Under every protocol the score of a drug may not change when labels that the protocol hides for it change. */
static void test_poisoned_labels_under_protocols(void **state)
{
    nep_ctx *ctx = *state;
    const nep_channel *channels[] = {nep_channel_find("engagement"), nep_channel_find("analogue"), nep_channel_find("ligand_only"),
                                     nep_channel_find("mechanism_class"), nep_channel_find("atc_class"), nep_channel_find("popularity")};
    enum { C = NEP_LEN(channels) };
    static nep_label poisoned[S_DISORDERS * S_DRUGS];
    for (nep_protocol p = 0; p < NEP_PROTOCOL_COUNT; p++) {
        nep_protocol_scores clean = {0};
        assert_ok(ctx, nep_protocol_score(ctx, &s.in, p, channels, C, 3, &clean));
        for (int64_t k = 0; k < S_DRUGS; k += 5) {
            nep_protocol_scores dirty = {0};
            int changed = 0;
            memcpy(poisoned, s.labels, sizeof poisoned);
            for (int64_t i = 0; i < S_DRUGS; i++)
                if (nep_protocol_hides(&s.in, p, k, i)) {
                    poisoned[i] = s.labels[i] == NEP_LABEL_APPROVED ? NEP_LABEL_FAILED : NEP_LABEL_APPROVED;
                    changed++;
                }
            assert_true(changed >= 1);
            s.in.labels = poisoned;
            assert_ok(ctx, nep_protocol_score(ctx, &s.in, p, channels, C, 3, &dirty));
            s.in.labels = s.labels;
            assert_near(clean.score[k], dirty.score[k], 0);
            for (int c = 0; c < C; c++) {
                assert_near(clean.value[k * C + c], dirty.value[k * C + c], 0);
                assert_near(clean.z[k * C + c], dirty.z[k * C + c], 0);
            }
            nep_protocol_scores_free(&dirty);
        }
        nep_protocol_scores_free(&clean);
    }
}

static void test_what_protocols_hide(void **state)
{
    (void)state;
    assert_true(nep_protocol_hides(&s.in, NEP_PROTOCOL_NEW_DRUG, 6, 6));
    assert_false(nep_protocol_hides(&s.in, NEP_PROTOCOL_NEW_DRUG, 6, 12));
    assert_true(nep_protocol_hides(&s.in, NEP_PROTOCOL_ZERO_SHOT, 6, 41));
    int by_dice = 0, by_atc = 0;
    for (int64_t k = 0; k < S_DRUGS; k++)
        for (int64_t i = 0; i < S_DRUGS; i++) {
            int a = 0, b = 0, both = 0;
            for (int w = 0; w < S_WORDS; w++) {
                a += __builtin_popcountll(s.bits[k * S_WORDS + w]);
                b += __builtin_popcountll(s.bits[i * S_WORDS + w]);
                both += __builtin_popcountll(s.bits[k * S_WORDS + w] & s.bits[i * S_WORDS + w]);
            }
            const bool dice = 4 * both >= a + b && both > 0;
            const bool block = strncmp(s.id[k], s.id[i], 14) == 0;
            const bool atc = s.atcs[k] && s.atcs[i] && strcmp(s.atcs[k], s.atcs[i]) == 0;
            by_dice += dice && !block && !atc;
            by_atc += atc && !block && !dice;
            assert_int_equal(nep_protocol_hides(&s.in, NEP_PROTOCOL_MASKED, k, i), i == k || dice || block || atc);
        }
    assert_true(strncmp(s.id[6], s.id[12], 14) == 0); /* the salt pair */
    assert_true(by_dice > 10 && by_atc > 0);
}

/* Renaming and reordering drugs changes nothing but their order of appearance. */
static void test_drug_order_does_not_matter(void **state)
{
    nep_ctx *ctx = *state;
    double direct[S_DRUGS], z[S_DRUGS], turned[S_DRUGS], zt[S_DRUGS];
    for (int k = 0; k < S_DRUGS; k++) {
        direct[k] = k % 4 ? sin(k) : NAN;
        turned[S_DRUGS - 1 - k] = direct[k];
    }
    assert_ok(ctx, nep_fuse_normal_scores(ctx, direct, S_DRUGS, z));
    assert_ok(ctx, nep_fuse_normal_scores(ctx, turned, S_DRUGS, zt));
    for (int k = 0; k < S_DRUGS; k++)
        assert_near(z[k], zt[S_DRUGS - 1 - k], 0);
}

static void test_evaluation_sees_the_planted_signal(void **state)
{
    nep_ctx *ctx = *state;
    nep_ranking *r = rank(ctx, &s.in, 20);
    nep_evaluation *e = NULL;
    const nep_evaluation_opts o = {.n_bootstrap = 200};
    assert_ok(ctx, nep_evaluation_create(ctx, r, &o, &e));
    const nep_performance *planted = &e->fused.disorders[NEP_PROTOCOL_ZERO_SHOT][0];
    assert_true(planted->auroc.value > 0.7);
    /* drugs of one mechanism are near copies, so null maps reach far to both sides: that is what the range is for */
    assert_true(planted->null_low < 0.3 && planted->null_high > 0.7);
    assert_true(planted->null_p >= 1.0 / 200 && planted->null_p <= 1);
    assert_true(planted->auroc.low <= planted->auroc.value && planted->auroc.value <= planted->auroc.high);
    assert_true(planted->null_low < planted->null_high);
    assert_true(e->imaging[0].auroc > 0.7);
    for (int p = 0; p < NEP_PROTOCOL_COUNT; p++) {
        double sum = 0;
        int n = 0;
        for (int j = 0; j < S_DISORDERS; j++)
            if (!isnan(e->fused.disorders[p][j].ap.value)) {
                sum += e->fused.disorders[p][j].ap.value;
                n++;
            }
        assert_near(e->fused.macro[p].ap.value, sum / n, 1e-12);
        assert_int_equal(e->fused.macro[p].ap.n, n);
        assert_true(e->fused.macro[p].ap.t_low <= e->fused.macro[p].ap.value);
    }
    for (int i = 0; i < e->n_baselines; i++)
        assert_int_equal(e->baselines[i].upper_bound, strcmp(e->baselines[i].name, "atc_class") == 0);
    assert_int_equal(e->n_ablation, 2);
    assert_true(e->pooled.n_pos > 10 && e->pooled.oe > 0.6 && e->pooled.oe < 1.6);
    assert_true(e->ablation[0].p_holm >= e->ablation[0].p);
    nep_evaluation_free(e);
    nep_ranking_free(r);
}

static void test_probability_comes_from_other_disorders(void **state)
{
    nep_ctx *ctx = *state;
    nep_ranking *a = rank(ctx, &s.in, 20);
    const double before = candidate(a, 0, 20)->p_recorded;
    assert_true(before > 0 && before < 1);
    nep_ranking_free(a);
    nep_label kept = s.labels[20];
    s.labels[20] = kept == NEP_LABEL_NONE ? NEP_LABEL_FAILED : NEP_LABEL_NONE; /* a label no channel counts */
    nep_ranking *b = rank(ctx, &s.in, 20);
    assert_near(candidate(b, 0, 20)->p_recorded, before, 0);
    s.labels[20] = kept;
    nep_ranking_free(b);
}

static void test_recovery_of_a_simulated_truth(void **state)
{
    nep_ctx *ctx = *state;
    static signed char truth[S_DISORDERS * S_DRUGS];
    static bool simulated[S_DISORDERS] = {true, true, false, false};
    memset(truth, -1, sizeof truth);
    for (int k = 0; k < S_DRUGS; k++) {
        truth[k] = k % S_CLASSES == 0;
        truth[S_DRUGS + k] = 0; /* disorder 1: nothing was planted */
    }
    s.in.truth = truth;
    s.in.simulated = simulated;
    nep_ranking *r = rank(ctx, &s.in, 20);
    assert_true(r->disorders[0].truth_auroc > 0.7);
    assert_true(r->disorders[0].truth_recall10 > 0.3);
    assert_true(isnan(r->disorders[1].truth_auroc));
    assert_true(isnan(r->disorders[1].increment.delta.value)); /* the map alone is tested */
    assert_true(r->disorders[1].increment.verdict != NEP_IMAGING_ADDS);
    assert_true(isnan(r->disorders[2].truth_auroc));
    s.in.truth = NULL;
    s.in.simulated = NULL;
    nep_ranking_free(r);
}

static void test_refusals(void **state)
{
    nep_ctx *ctx = *state;
    nep_ranking *r = NULL;
    const char *const misspelt[] = {"engagment"}, *const baseline[] = {"popularity"}, *const fine[] = {"analogue"};
    nep_ranking_opts o = {.n_streams = 20, .n_bootstrap = 20, .votes = misspelt, .n_votes = 1};
    assert_fails(nep_ranking_create(ctx, &s.in, &o, &r), NEP_E_CONFIG);
    assert_non_null(strstr(nep_ctx_error(ctx), "engagement"));
    nep_ctx_clear(ctx);
    o.votes = baseline;
    assert_fails(nep_ranking_create(ctx, &s.in, &o, &r), NEP_E_CONFIG);
    nep_ctx_clear(ctx);
    o.votes = fine;
    float *kept = s.in.similarity;
    s.in.similarity = NULL;
    assert_fails(nep_ranking_create(ctx, &s.in, &o, &r), NEP_E_CONFIG);
    assert_non_null(strstr(nep_ctx_error(ctx), "fingerprints"));
    s.in.similarity = kept;
    nep_ctx_clear(ctx);
    o.n_streams = 3;
    assert_fails(nep_ranking_create(ctx, &s.in, &o, &r), NEP_E_ARG);
    nep_ctx_clear(ctx);
    assert_null(r);
}

static void test_allocations_fail_clean(void **state)
{
    nep_ctx *ctx = *state;
    const nep_ranking_opts o = {.n_streams = 20, .n_bootstrap = 20};
    const nep_evaluation_opts eo = {.n_bootstrap = 20};
    const int64_t before = nep_alloc_used(ctx);
    for (int64_t k = 0; k < 2000; k = k < 30 ? k + 1 : k + 97) {
        nep_ranking *r = NULL;
        nep_alloc_fail_at(ctx, k);
        const nep_status st = nep_ranking_create(ctx, &s.in, &o, &r);
        nep_alloc_fail_at(ctx, -1);
        nep_ctx_clear(ctx);
        assert_true(st == NEP_OK || (st == NEP_E_NOMEM && r == NULL));
        nep_ranking_free(r);
        assert_int_equal(nep_alloc_used(ctx), before);
    }
    nep_ranking *r = rank(ctx, &s.in, 20);
    const int64_t ranked = nep_alloc_used(ctx);
    for (int64_t k = 0; k < 2000; k = k < 30 ? k + 1 : k + 97) {
        nep_evaluation *e = NULL;
        nep_alloc_fail_at(ctx, k);
        const nep_status st = nep_evaluation_create(ctx, r, &eo, &e);
        nep_alloc_fail_at(ctx, -1);
        nep_ctx_clear(ctx);
        assert_true(st == NEP_OK || (st == NEP_E_NOMEM && e == NULL));
        nep_evaluation_free(e);
        assert_int_equal(nep_alloc_used(ctx), ranked);
    }
    nep_ranking_free(r);
}

static int setup(void **state)
{
    nep_ctx *ctx = *state = test_ctx(1);
    synthetic_make(&s);
    return nep_backend_choose(ctx, "cpu") != NEP_OK || nep_inputs_prepare(ctx, &s.in, NULL) != NEP_OK;
}

static int teardown(void **state)
{
    nep_inputs_release(&s.in);
    nep_ctx_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_intervals_and_contributions), cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_threads_do_not_matter),             cmocka_unit_test(test_poisoned_labels_under_protocols),
        cmocka_unit_test(test_what_protocols_hide),               cmocka_unit_test(test_drug_order_does_not_matter),
        cmocka_unit_test(test_evaluation_sees_the_planted_signal), cmocka_unit_test(test_probability_comes_from_other_disorders),
        cmocka_unit_test(test_context_disorders),                  cmocka_unit_test(test_second_opinions),
        cmocka_unit_test(test_recovery_of_a_simulated_truth),     cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_allocations_fail_clean),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
