/* SPDX-License-Identifier: Apache-2.0 */
/* Time split: what is recorded later does not move a score, what was recorded earlier is not tested; AUROC by pairs. */
#include "synthetic_study.h"

#include <nepenthe/rank.h>

enum { YEAR = 2000 };
static synthetic s;
static int16_t since[S_DISORDERS * S_DRUGS];

/* Treatments are dated 1990 to 2009 by their place; every seventh has no date, and neither has anything else. */
static void date_labels(void)
{
    int n = 0;
    memset(since, 0, sizeof since);
    for (int at = 0; at < S_DISORDERS * S_DRUGS; at++)
        if (nep_label_indicated(s.labels[at]) && n++ % 7 != 6)
            since[at] = (int16_t)(1990 + (n * 11) % 20);
    s.in.label_year = since;
}

static nep_evaluation *evaluate(nep_ctx *ctx, nep_ranking **r, int64_t year, nep_status expected)
{
    static const char *const votes[] = {"analogue", "engagement"};
    const nep_ranking_opts ro = {.n_streams = 20, .n_bootstrap = 60, .null_maps = 20, .votes = votes, .n_votes = 2};
    const nep_evaluation_opts eo = {.n_bootstrap = 60, .time_split = year, .protocols = {[NEP_PROTOCOL_NEW_DRUG] = true}};
    nep_evaluation *e = NULL;
    assert_ok(ctx, nep_ranking_create(ctx, &s.in, &ro, r));
    assert_int_equal(nep_evaluation_create(ctx, *r, &eo, &e), expected);
    return e;
}

/* Scores as they were: the study whose later and undated labels do not exist, the drug's own label of the disorder hidden. */
static nep_protocol_scores scores_then(nep_ctx *ctx)
{
    static nep_label then[S_DISORDERS * S_DRUGS];
    const nep_channel *channels[] = {nep_channel_find("engagement"), nep_channel_find("analogue")};
    nep_protocol_scores out;
    nep_inputs in = s.in;
    for (int at = 0; at < S_DISORDERS * S_DRUGS; at++)
        then[at] = since[at] > 0 && since[at] <= YEAR ? s.labels[at] : NEP_LABEL_NONE;
    in.labels = then;
    assert_ok(ctx, nep_protocol_score(ctx, &in, NEP_PROTOCOL_NEW_DRUG, channels, 2, 2, &out));
    return out;
}

static void test_by_pairs(void **state)
{
    nep_ctx *ctx = *state;
    nep_ranking *r = NULL;
    int64_t early = 0, late = 0, undated = 0;
    date_labels();
    nep_evaluation *e = evaluate(ctx, &r, YEAR, NEP_OK);
    nep_protocol_scores then = scores_then(ctx);
    for (int j = 0; j < S_DISORDERS; j++) {
        double won = 0, all = 0;
        int64_t n_pos = 0;
        for (int p = 0; p < S_DRUGS; p++) {
            const int at = j * S_DRUGS + p;
            const bool treats = nep_label_indicated(s.labels[at]);
            early += treats && since[at] && since[at] <= YEAR;
            late += treats && since[at] > YEAR;
            undated += treats && !since[at];
            if (!treats || since[at] <= YEAR || isnan(then.score[at]))
                continue;
            n_pos++;
            for (int k = j * S_DRUGS; k < (j + 1) * S_DRUGS; k++) {
                if (nep_label_indicated(s.labels[k]) || s.labels[k] == NEP_LABEL_INVESTIGATIONAL || isnan(then.score[k]))
                    continue;
                all += 1;
                won += then.score[at] > then.score[k] ? 1 : then.score[at] == then.score[k] ? 0.5 : 0;
            }
        }
        assert_int_equal(e->time_split->disorders[j].n_pos, n_pos);
        assert_near(e->time_split->disorders[j].auroc.value, won / all, 1e-12);
    }
    assert_int_equal(e->time_split->n_early, early);
    assert_int_equal(e->time_split->n_late, late);
    assert_int_equal(e->time_split->n_undated, undated);
    assert_true(early > 5 && late > 5 && undated > 2);
    assert_true(e->time_split->macro.auroc.low <= e->time_split->macro.auroc.value && e->time_split->year == YEAR);
    nep_protocol_scores_free(&then);
    nep_evaluation_free(e);
    nep_ranking_free(r);
}

static void test_both_sides_are_needed(void **state)
{
    nep_ctx *ctx = *state;
    nep_ranking *r = NULL;
    date_labels();
    assert_null(evaluate(ctx, &r, 2050, NEP_E_CONFIG));
    assert_non_null(strstr(nep_ctx_error(ctx), "time_split 2050"));
    nep_ctx_clear(ctx);
    nep_ranking_free(r);
    s.in.label_year = NULL;
    assert_null(evaluate(ctx, &r, YEAR, NEP_E_CONFIG));
    nep_ctx_clear(ctx);
    nep_ranking_free(r);
    nep_evaluation *e = evaluate(ctx, &r, 0, NEP_OK);
    assert_null(e->time_split);
    nep_evaluation_free(e);
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_by_pairs), cmocka_unit_test(test_both_sides_are_needed)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
