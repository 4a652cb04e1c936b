/* SPDX-License-Identifier: Apache-2.0 */
/* What imaging adds to the hierarchical model: against whole runs with each null map in the place of the measured one, and against an
 * evaluation with and without the channels; found where it is planted, denied where maps are noise. */
#include "synthetic_study.h"

#include <nepenthe/anatomy.h>
#include <nepenthe/rank.h>

#include "rank/learned.h"
#include "rank/sample.h"

enum { VOTES = 5, ANATOMIES = 6, NULLS = 99 };
static const char *const votes[VOTES] = {"target_gene", "pathway", "anatomy", "engagement", "anatomy_imaging"};
static synthetic s;
static int64_t nodes[ANATOMIES * 4], regions[ANATOMIES * 4];
static nep_anatomy table = {.n = ANATOMIES * 4, .node = nodes, .region = regions};

/* Every disorder's map follows the receptor of the mechanism that its labels record (strength 0: it does not). */
static void draw_maps(double strength)
{
    for (int j = 0; j < S_DISORDERS; j++)
        for (int i = 0; i < S_REGIONS; i++)
            s.effect[j * S_REGIONS + i] = strength * s.receptor[i * S_MAPPED + j] + 0.1 * synthetic_normal(500 + (uint64_t)j, (uint64_t)i);
}

static void open_study(nep_ctx *ctx, double strength, char score, int64_t n_nulls)
{
    synthetic_make(&s);
    synthetic_network(ctx, &s);
    draw_maps(strength);
    for (int i = 0; i < table.n; i++) {
        nodes[i] = i / 4;
        regions[i] = i;
    }
    s.in.anatomy = &table;
    s.in.score = score;
    s.in.n_nulls = n_nulls;
    assert_ok(ctx, nep_inputs_prepare(ctx, &s.in, NULL));
}

static void close_study(void)
{
    nep_inputs_release(&s.in);
    nep_network_free(&s.network);
}

static nep_ranking *measure(nep_ctx *ctx, const char *const *names, int n)
{
    nep_ranking *r = NULL;
    const nep_ranking_opts o = {.n_streams = 20, .n_bootstrap = 40, .null_maps = 20, .votes = names, .n_votes = n,
                                .fusion = NEP_FUSION_HIERARCHICAL, .imaging_only = true};
    assert_ok(ctx, nep_ranking_create(ctx, &s.in, &o, &r));
    return r;
}

/* Average precision of a ranking without ties, from its definition. */
static double precision(const nep_inputs *in, int64_t j, const double *score)
{
    signed char pos[S_DRUGS];
    double sum = 0, n = 0;
    rank_sample_positives(in, j, pos);
    for (int k = 0; k < S_DRUGS; k++) {
        double above = 0, hits = 0;
        if (pos[k] != 1)
            continue;
        for (int i = 0; i < S_DRUGS; i++)
            if (pos[i] != SAMPLE_LEFT_OUT && score[i] >= score[k]) {
                above++;
                hits += pos[i] == 1;
            }
        sum += hits / above;
        n++;
    }
    return sum / n;
}

/* The masked average precision of disorder j by a whole run of the model: channels of the study, imaging ones or not. */
static double run_model(nep_ctx *ctx, const nep_inputs *in, int64_t j, bool imaging)
{
    const nep_channel *channels[VOTES + 8];
    int n = 0, nuisances = 0;
    double score[S_DRUGS];
    rank_learned l;
    for (int i = 0; nep_evidence_table[i]; i++)
        for (int v = 0; v < VOTES; v++)
            if (strcmp(nep_evidence_table[i]->name, votes[v]) == 0 && (imaging || !nep_imaging_channel(nep_evidence_table[i])))
                channels[n++] = nep_evidence_table[i];
    for (int i = 0; nep_evidence_table[i]; i++)
        if (nep_evidence_table[i]->role == NEP_ROLE_NUISANCE && !nep_channel_missing(nep_evidence_table[i], in))
            channels[n + nuisances++] = nep_evidence_table[i];
    assert_ok(ctx, rank_learned_score(ctx, in, NEP_PROTOCOL_MASKED, channels, n, nuisances, nep_channel_find("direction"), false, &l));
    for (int k = 0; k < S_DRUGS; k++)
        score[k] = l.logit[j * S_DRUGS + k] - l.penalty[j * S_DRUGS + k];
    rank_learned_free(&l);
    return precision(in, j, score);
}

/* A correlation (score A) does not look at other null maps, so a run with null map b in the map's place is what the shortcut must give. */
static void test_null_maps_against_whole_runs(void **state)
{
    nep_ctx *ctx = *state;
    const int64_t j = 1;
    double measured[S_REGIONS], maps[NULLS * S_REGIONS], gain[NULLS], most = NAN;
    int families = 0;
    open_study(ctx, 0.15, 'A', NULLS);
    nep_ranking *r = measure(ctx, votes, VOTES);
    const nep_increment *i = &r->disorders[j].increment;
    const double base = run_model(ctx, &s.in, j, false), observed = run_model(ctx, &s.in, j, true) - base;
    assert_near(i->delta.value, observed, 1e-12);
    assert_true(i->weight > 0.05);
    assert_ok(ctx, nep_inputs_count_nulls(ctx, &s.in, j, &families));
    assert_int_equal(families, 2);
    memcpy(measured, s.effect + j * S_REGIONS, sizeof measured);
    for (int f = 0; f < families; f++) {
        double mean = 0;
        int differ = 0;
        assert_ok(ctx, nep_inputs_null_maps(ctx, &s.in, j, f, NULLS, maps));
        for (int b = 0; b < NULLS; b++) {
            memcpy(s.effect + j * S_REGIONS, maps + b * S_REGIONS, sizeof measured);
            nep_inputs again = s.in;
            memset(&again.profiles, 0, sizeof again - offsetof(nep_inputs, profiles));
            assert_ok(ctx, nep_inputs_prepare(ctx, &again, NULL));
            gain[b] = run_model(ctx, &again, j, true) - base;
            nep_inputs_release(&again);
            mean += gain[b] / NULLS;
            differ += gain[b] != gain[0];
        }
        memcpy(s.effect + j * S_REGIONS, measured, sizeof measured);
        assert_true(differ > NULLS / 2);
        assert_near(i->p_family[f], rank_sample_p(observed, gain, NULLS), 1e-12);
        most = fmax(most, mean);
    }
    assert_near(i->null_gain, most, 1e-12);
    assert_near(i->p_map, fmax(i->p_family[0], i->p_family[1]), 0);
    nep_ranking_free(r);
    close_study();
}

static void test_found_where_planted(void **state)
{
    nep_ctx *ctx = *state, *three = test_ctx(3);
    int adds = 0;
    open_study(ctx, 0.4, 'B', 199);
    nep_ranking *r = measure(ctx, votes, VOTES), *same = measure(three, votes, VOTES);
    double mean = 0;
    for (int64_t j = 0; j < S_DISORDERS; j++) {
        const nep_increment *i = &r->disorders[j].increment, *k = &same->disorders[j].increment;
        adds += i->verdict == NEP_IMAGING_ADDS;
        mean += i->delta.value / S_DISORDERS;
        assert_true(i->delta.low <= i->delta.high && i->detectable > 0 && i->p_holm >= i->p_map);
        assert_near(i->delta.value, k->delta.value, 0); /* on any number of threads */
        assert_near(i->delta.low, k->delta.low, 0);
        assert_near(i->p_map, k->p_map, 0);
        assert_near(i->null_gain, k->null_gain, 0);
    }
    assert_true(adds >= 2);
    assert_int_equal(r->imaging.delta.n, S_DISORDERS);
    assert_near(r->imaging.delta.value, mean, 1e-12);
    assert_near(r->imaging.p_map, 1.0 / 200, 1e-12); /* no null map comes near */
    assert_int_equal(r->imaging.verdict, NEP_IMAGING_ADDS);
    assert_true(strstr(r->imaging_text, "The images add to this ranking.") == r->imaging_text);
    assert_non_null(strstr(r->imaging_text, "4 disorders"));
    nep_ranking_free(r);
    nep_ranking_free(same);
    nep_ctx_free(three);
    close_study();
}

static void test_denied_without_signal(void **state)
{
    nep_ctx *ctx = *state;
    open_study(ctx, 0, 'B', 199);
    nep_ranking *r = measure(ctx, votes, VOTES);
    for (int64_t j = 0; j < S_DISORDERS; j++) {
        const nep_increment *i = &r->disorders[j].increment;
        assert_true(i->verdict != NEP_IMAGING_ADDS);
        if (i->weight == 0) { /* a model that gives the image no weight tests no map */
            assert_near(i->p_map, 1, 0);
            assert_true(isnan(i->detectable) && i->verdict == NEP_IMAGING_UNDETERMINED);
            assert_non_null(strstr(r->disorders[j].trust, "no weight"));
        }
    }
    assert_true(r->imaging.verdict != NEP_IMAGING_ADDS);
    assert_true(strstr(r->imaging_text, "The images add nothing to this ranking that could be shown.") == r->imaging_text);
    nep_ranking_free(r);
    close_study();
}

/* A disorder without a map, a model without imaging channels, one of nothing else: no number is made up. */
static void test_what_is_not_measured(void **state)
{
    nep_ctx *ctx = *state;
    synthetic_make(&s);
    synthetic_network(ctx, &s);
    draw_maps(0.4);
    for (int i = 0; i < S_REGIONS; i++)
        s.effect[2 * S_REGIONS + i] = NAN;
    s.in.n_nulls = 99;
    assert_ok(ctx, nep_inputs_prepare(ctx, &s.in, NULL));
    nep_ranking *r = measure(ctx, votes, 4);
    assert_true(isnan(r->disorders[2].increment.delta.value) && isnan(r->disorders[2].increment.p_map));
    assert_non_null(strstr(r->disorders[2].trust, "no brain map"));
    assert_int_equal(r->imaging.delta.n, S_DISORDERS - 1);
    nep_ranking_free(r);
    r = measure(ctx, votes, 3);
    assert_true(isnan(r->imaging.delta.value) && !r->imaging_text);
    assert_string_equal(r->disorders[0].trust, "No brain image enters this ranking.");
    nep_ranking_free(r);
    r = measure(ctx, votes + 3, 1);
    assert_true(isnan(r->imaging.delta.value));
    assert_non_null(strstr(r->imaging_text, "could not be tested"));
    nep_ranking_free(r);
    close_study();
}

static int setup(void **state)
{
    nep_ctx *ctx = *state = test_ctx(1);
    return nep_backend_choose(ctx, "cpu") != NEP_OK;
}

static int teardown(void **state)
{
    nep_ctx_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_null_maps_against_whole_runs), cmocka_unit_test(test_found_where_planted),
        cmocka_unit_test(test_denied_without_signal), cmocka_unit_test(test_what_is_not_measured),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
