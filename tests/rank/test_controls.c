/* SPDX-License-Identifier: Apache-2.0 */
/* Negative controls: a permuted network keeps degrees and loses paths, permuted labels lose the planted signal, decoys by pairs. */
#include "synthetic_study.h"

#include <nepenthe/rank.h>

static synthetic s;

static int64_t edges_in_common(const nep_network *a, const nep_network *b, int64_t m)
{
    int64_t n = 0;
    for (int64_t e = 0; e < a->metaedge[m].n; e++)
        n += nep_network_find_edge(b, m, a->metaedge[m].from_node[e], a->metaedge[m].to_node[e]) >= 0;
    return n;
}

static void test_permuted_network(void **state)
{
    nep_ctx *ctx = *state;
    nep_inputs one, two;
    double was[S_DRUGS], is[S_DRUGS], se[S_DRUGS];
    const nep_label own[S_DRUGS] = {NEP_LABEL_NONE};
    const nep_visible visible = {.disorder = 0, .own = own, .others = s.labels};
    const nep_channel *paths = nep_channel_find("target_gene");
    assert_ok(ctx, nep_channel_score(ctx, paths, &s.in, &visible, 0, was, se));
    const int64_t before = nep_alloc_used(ctx);
    assert_ok(ctx, nep_inputs_permute(ctx, &s.in, 1, &one));
    assert_ok(ctx, nep_inputs_permute(ctx, &s.in, 2, &two));
    for (int64_t m = 0; m < s.network.n_metaedges; m++) {
        const nep_network_metaedge *a = &s.network.metaedge[m], *b = &one.network->metaedge[m];
        assert_int_equal(a->n, b->n);
        for (int side = 0; side < 2; side++)
            for (int64_t i = 0; i < s.network.kind[side ? a->to : a->from].n; i++)
                assert_int_equal(nep_network_degree(&s.network, m, side == 1, i), nep_network_degree(one.network, m, side == 1, i));
        const int64_t common = edges_in_common(&s.network, one.network, m);
        if (a->n > 40) { /* with few nodes there may be no other way to join them */
            assert_true(common < a->n / 2);
            assert_true(edges_in_common(one.network, two.network, m) < a->n);
        }
    }
    assert_true(one.labels == s.in.labels && one.similar.list == s.in.similar.list && one.similarity == s.in.similarity);
    int changed = 0;
    assert_ok(ctx, nep_channel_score(ctx, paths, &one, &visible, 0, is, se));
    for (int k = 0; k < S_DRUGS; k++) {
        assert_int_equal(isnan(was[k]), isnan(is[k])); /* who has an edge at all stays */
        changed += !isnan(was[k]) && was[k] != is[k];
    }
    assert_true(changed > S_DRUGS / 2);
    nep_inputs_release_permuted(&s.in, &two);
    nep_inputs_release_permuted(&s.in, &one);
    assert_ok(ctx, nep_channel_score(ctx, paths, &s.in, &visible, 0, is, se));
    for (int k = 0; k < S_DRUGS; k++)
        assert_near(is[k], was[k], 0); /* the inputs themselves are as they were */
    assert_int_equal(nep_alloc_used(ctx), before);
    nep_inputs bare = s.in;
    bare.network = NULL;
    assert_fails(nep_inputs_permute(ctx, &bare, 1, &one), NEP_E_ARG);
    nep_ctx_clear(ctx);
    for (int64_t k = 0; k < 400; k = k < 30 ? k + 1 : k + 17) {
        nep_alloc_fail_at(ctx, k);
        const nep_status st = nep_inputs_permute(ctx, &s.in, 1, &one);
        nep_alloc_fail_at(ctx, -1);
        nep_ctx_clear(ctx);
        assert_true(st == NEP_OK || st == NEP_E_NOMEM);
        if (st == NEP_OK)
            nep_inputs_release_permuted(&s.in, &one);
        assert_int_equal(nep_alloc_used(ctx), before);
    }
}

/* Which drugs are alike decides what is hidden: these edges stay. */
static void test_resemblances_stay(void **state)
{
    nep_ctx *ctx = *state;
    static synthetic x;
    nep_inputs one;
    synthetic_make(&x);
    synthetic_edges(ctx, &x.network, "CbG", x.ids, S_DRUGS, "G", 30, 0.1, 1);
    assert_ok(ctx, nep_network_add_metaedge(ctx, &x.network, "CrC", NULL));
    for (int k = 0; k + 7 < S_DRUGS; k++) {
        const nep_network_row row = {.from = x.ids[k], .to = x.ids[k + 7], .weight = (double)NAN, .line = k + 2};
        assert_ok(ctx, nep_network_add_edge(ctx, &x.network, NULL, &row));
    }
    assert_ok(ctx, nep_network_finish(ctx, &x.network, NULL));
    x.in.network = &x.network;
    assert_ok(ctx, nep_inputs_prepare(ctx, &x.in, NULL));
    assert_ok(ctx, nep_inputs_permute(ctx, &x.in, 1, &one));
    const int64_t alike = nep_network_find_metaedge(&x.network, "CrC"), binds = nep_network_find_metaedge(&x.network, "CbG");
    assert_int_equal(edges_in_common(&x.network, one.network, alike), x.network.metaedge[alike].n);
    assert_true(edges_in_common(&x.network, one.network, binds) < x.network.metaedge[binds].n / 2);
    nep_inputs_release_permuted(&x.in, &one);
    nep_inputs_release(&x.in);
    nep_network_free(&x.network);
}

static nep_evaluation *evaluate(nep_ctx *ctx, nep_ranking **r, int64_t n_controls)
{
    static const char *const votes[] = {"analogue", "target_gene"};
    const nep_ranking_opts ro = {.n_streams = 20, .n_bootstrap = 60, .null_maps = 20, .votes = votes, .n_votes = 2};
    const nep_evaluation_opts eo = {.n_bootstrap = 60, .n_controls = n_controls, .protocols = {[NEP_PROTOCOL_MASKED] = true}};
    nep_evaluation *e = NULL;
    assert_ok(ctx, nep_ranking_create(ctx, &s.in, &ro, r));
    assert_ok(ctx, nep_evaluation_create(ctx, *r, &eo, &e));
    return e;
}

static const nep_control *find(const nep_evaluation *e, nep_control_kind kind)
{
    for (int i = 0; i < e->n_controls; i++)
        if (e->controls[i].kind == kind)
            return &e->controls[i];
    return NULL;
}

/* The planted signal is in chemistry: it survives another network and is gone with other labels. */
static void test_labels_and_network(void **state)
{
    nep_ctx *ctx = *state;
    nep_ranking *r = NULL;
    nep_evaluation *e = evaluate(ctx, &r, 6);
    const nep_control *labels = find(e, NEP_CONTROL_LABELS), *network = find(e, NEP_CONTROL_NETWORK);
    assert_non_null(labels);
    assert_non_null(network);
    assert_null(find(e, NEP_CONTROL_DECOYS)); /* no drug is of J01 */
    assert_int_equal(labels->n, 6);
    assert_near(labels->own_auroc.value, e->fused.macro[NEP_PROTOCOL_MASKED].auroc.value, 0);
    assert_near(labels->own_ap.low, e->fused.macro[NEP_PROTOCOL_MASKED].ap.low, 0);
    assert_near(labels->prevalence, network->prevalence, 0.02); /* who is scored may differ, how many treatments there are does not */
    assert_true(labels->own_matched.value > 0.6);
    assert_true(fabs(labels->matched.value - 0.5) < 0.08 && labels->chance);
    assert_true(labels->matched.high > labels->matched.value && labels->matched.low < labels->matched.value);
    assert_true(labels->ap.value < labels->own_ap.value);
    assert_true(network->auroc.value > 0.55);
    nep_evaluation_free(e);
    nep_ranking_free(r);
    e = evaluate(ctx, &r, 0);
    assert_int_equal(e->n_controls, 0);
    nep_evaluation_free(e);
    nep_ranking_free(r);
}

static void test_decoys_by_pairs(void **state)
{
    nep_ctx *ctx = *state;
    nep_ranking *r = NULL;
    static char alone[] = "J01MA", beside[] = "N03AA;J01CA";
    static const int decoys[] = {1, 8, 15, 22, 31, 38, 50};
    char *kept[S_DRUGS];
    double sum = 0;
    memcpy(kept, s.atcs, sizeof kept);
    for (int i = 0; i < NEP_LEN(decoys); i++)
        s.atcs[decoys[i]] = i % 2 ? beside : alone;
    nep_evaluation *e = evaluate(ctx, &r, 0);
    for (int64_t j = 0; j < S_DISORDERS; j++) {
        const double *score = e->scores[NEP_PROTOCOL_MASKED].score + j * S_DRUGS;
        bool decoy[S_DRUGS] = {false};
        double won = 0, all = 0;
        for (int i = 0; i < NEP_LEN(decoys); i++)
            decoy[decoys[i]] = true;
        for (int a = 0; a < S_DRUGS; a++)
            for (int b = 0; b < S_DRUGS; b++) {
                const nep_label x = s.labels[j * S_DRUGS + a], y = s.labels[j * S_DRUGS + b];
                if (!decoy[a] || decoy[b] || nep_label_indicated(x) || nep_label_indicated(y) || x == NEP_LABEL_INVESTIGATIONAL ||
                    y == NEP_LABEL_INVESTIGATIONAL || isnan(score[a]) || isnan(score[b]))
                    continue;
                all += 1;
                won += score[a] > score[b] ? 1 : score[a] == score[b] ? 0.5 : 0;
            }
        sum += won / all / S_DISORDERS;
    }
    const nep_control *c = find(e, NEP_CONTROL_DECOYS);
    assert_non_null(c);
    assert_int_equal(e->n_controls, 1);
    assert_int_equal(c->n, NEP_LEN(decoys));
    assert_near(c->auroc.value, sum, 1e-12);
    assert_true(isnan(c->matched.value) && c->chance == (c->auroc.low <= 0.5));
    nep_evaluation_free(e);
    nep_ranking_free(r);
    memcpy(s.atcs, kept, sizeof kept);
}

static void test_threads_do_not_matter(void **state)
{
    nep_ctx *one = *state, *two = test_ctx(2);
    nep_ranking *r = NULL, *q = NULL;
    nep_evaluation *a = evaluate(one, &r, 2);
    assert_ok(two, nep_backend_choose(two, "cpu"));
    nep_evaluation *b = evaluate(two, &q, 2);
    assert_int_equal(a->n_controls, b->n_controls);
    for (int i = 0; i < a->n_controls; i++) {
        assert_near(a->controls[i].ap.value, b->controls[i].ap.value, 0);
        assert_near(a->controls[i].matched.low, b->controls[i].matched.low, 0);
        assert_near(a->controls[i].auroc.high, b->controls[i].auroc.high, 0);
    }
    nep_evaluation_free(a);
    nep_evaluation_free(b);
    nep_ranking_free(r);
    nep_ranking_free(q);
    nep_ctx_free(two);
}

static void test_allocations_fail_clean(void **state)
{
    nep_ctx *ctx = *state;
    nep_ranking *r = NULL;
    const nep_evaluation_opts eo = {.n_bootstrap = 20, .n_controls = 1, .protocols = {[NEP_PROTOCOL_MASKED] = true}};
    nep_evaluation_free(evaluate(ctx, &r, 1));
    const int64_t before = nep_alloc_used(ctx);
    nep_status st = NEP_E_NOMEM;
    for (int64_t k = 0; st != NEP_OK; k += 211) { /* until none is left to fail */
        nep_evaluation *e = NULL;
        nep_alloc_fail_at(ctx, k);
        st = nep_evaluation_create(ctx, r, &eo, &e);
        nep_alloc_fail_at(ctx, -1);
        nep_ctx_clear(ctx);
        assert_true(st == NEP_OK || (st == NEP_E_NOMEM && !e));
        nep_evaluation_free(e);
        assert_int_equal(nep_alloc_used(ctx), before);
    }
    nep_ranking_free(r);
}

static void test_words(void **state)
{
    (void)state;
    for (int k = 0; k < NEP_CONTROL_COUNT; k++)
        assert_true(strlen(nep_controls_name((nep_control_kind)k)) > 4 && strlen(nep_controls_definition((nep_control_kind)k)) > 40);
    assert_string_equal(nep_controls_name(NEP_CONTROL_COUNT), "unknown");
}

static int setup(void **state)
{
    nep_ctx *ctx = *state = test_ctx(1);
    synthetic_make(&s);
    synthetic_network(ctx, &s);
    return nep_backend_choose(ctx, "cpu") != NEP_OK || nep_inputs_prepare(ctx, &s.in, NULL) != NEP_OK;
}

static int teardown(void **state)
{
    nep_inputs_release(&s.in);
    nep_network_free(&s.network);
    nep_ctx_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_permuted_network), cmocka_unit_test(test_resemblances_stay), cmocka_unit_test(test_labels_and_network), cmocka_unit_test(test_decoys_by_pairs),
        cmocka_unit_test(test_threads_do_not_matter), cmocka_unit_test(test_allocations_fail_clean), cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
