/* SPDX-License-Identifier: Apache-2.0 */
/* What reads the truth and cannot be masked is refused; what merely gives it away is found, with its numbers by hand. */
#include "synthetic_study.h"

#include <nepenthe/leaks.h>

static const nep_channel reads_labels = {.name = "treats", .role = NEP_ROLE_VOTE, .edges = "CbG CtD"};
static const nep_channel gate = {.name = "gate", .role = NEP_ROLE_GATE, .edges = "CtD"};
static const nep_channel harmless = {.name = "harmless", .role = NEP_ROLE_VOTE, .edges = "CbG DaG"};

static void test_edges_between_drugs_and_disorders(void **state)
{
    nep_ctx *ctx = *state;
    static synthetic s;
    const nep_channel *one[] = {&harmless, &gate}, *two[] = {&harmless, &reads_labels};
    synthetic_make(&s);
    assert_ok(ctx, nep_leaks_refuse(ctx, &s.in, two, 2)); /* no network: nothing is read */
    synthetic_network(ctx, &s);
    assert_ok(ctx, nep_leaks_refuse(ctx, &s.in, two, 2)); /* this one has no such metaedge */
    nep_network_free(&s.network);
    synthetic_edges(ctx, &s.network, "CbG", s.ids, S_DRUGS, "G", 30, 0.1, 1);
    synthetic_edges(ctx, &s.network, "CtD", s.ids, S_DRUGS, "D", S_DISORDERS, 0.2, 2);
    assert_ok(ctx, nep_network_finish(ctx, &s.network, NULL));
    assert_ok(ctx, nep_leaks_refuse(ctx, &s.in, one, 2));
    assert_int_equal(nep_leaks_refuse(ctx, &s.in, two, 2), NEP_E_CONFIG);
    assert_non_null(strstr(nep_ctx_error(ctx), "channel treats reads CtD"));
    nep_network_free(&s.network);
}

/* Two channels of made values: `same` is constant, `knows` has the truth of disorder 0, but for one pair of drugs. */
static void test_found_by_hand(void **state)
{
    nep_ctx *ctx = *state;
    enum { N = 20, D = 3 };
    static const nep_channel same = {.name = "same", .role = NEP_ROLE_VOTE}, knows = {.name = "knows", .role = NEP_ROLE_VOTE},
                             mute = {.name = "mute", .role = NEP_ROLE_VOTE, .uses_others = true};
    const nep_channel *channels[] = {&same, &knows, &mute};
    nep_label labels[D * N] = {NEP_LABEL_NONE};
    char *ids[] = {"D0", "D1", "D2"}, *names[] = {"alpha", "beta", "gamma"};
    double value[D][N * 3];
    nep_ranking_disorder disorders[D] = {{.value = value[0]}, {.value = value[1]}, {.value = value[2]}};
    const nep_inputs in = {.n_drugs = N, .n_disorders = D, .labels = labels, .disorder_ids = ids, .disorder_names = names};
    nep_ranking r = {.inputs = &in, .n_channels = 3, .channels = channels, .disorders = disorders, .n_disorders = D};
    nep_leaks got;
    for (int k = 0; k < 6; k++)
        labels[k] = NEP_LABEL_APPROVED;
    for (int k = 1; k < 7; k++)
        labels[N + k] = NEP_LABEL_SYMPTOMATIC;
    for (int j = 0; j < D; j++)
        for (int k = 0; k < N; k++) {
            value[j][k * 3] = 4;
            value[j][k * 3 + 1] = k == 5 ? 1.5 : k == 6 ? 2 : k < 6 ? 3 : -k; /* 84 pairs, one the wrong way round */
            value[j][k * 3 + 2] = (double)NAN;
        }
    assert_ok(ctx, nep_leaks_find(ctx, &r, &got));
    assert_int_equal(got.n, 6);
    assert_true(got.list[0].kind == NEP_LEAK_UNLABELLED && got.list[0].disorder == 2);
    assert_true(got.list[1].kind == NEP_LEAK_TWIN && got.list[1].disorder == 0 && got.list[1].other == 1);
    assert_near(got.list[1].value, 5.0 / 7, 1e-15);
    assert_true(got.list[2].kind == NEP_LEAK_TWIN && got.list[2].disorder == 1 && got.list[2].other == 0);
    assert_true(got.list[3].kind == NEP_LEAK_TRUTH && got.list[3].disorder == 0 && strcmp(got.list[3].channel, "knows") == 0);
    assert_near(got.list[3].value, 83.0 / 84, 1e-12);
    assert_true(got.list[4].kind == NEP_LEAK_CONSTANT && strcmp(got.list[4].channel, "same") == 0);
    assert_true(got.list[5].kind == NEP_LEAK_SILENT && strcmp(got.list[5].channel, "mute") == 0);
    for (int64_t i = 0; i < got.n; i++)
        assert_true(strlen(got.list[i].text) > 40 && strlen(nep_leaks_name(got.list[i].kind)) > 3);
    nep_leaks_free(&got);
    assert_null(got.list);
}

static int setup(void **state)
{
    *state = test_ctx(1);
    return 0;
}

static int teardown(void **state)
{
    nep_ctx_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_edges_between_drugs_and_disorders), cmocka_unit_test(test_found_by_hand)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
