/* SPDX-License-Identifier: Apache-2.0 */
/* test_xswap - permuted metaedges: every degree kept, no loop, no edge twice; the draw depends on seed, number and metaedge alone; every
 * network of the same degrees comes about. */
#include "random.h"

static nep_network make(nep_ctx *ctx)
{
    nep_network net = {0};
    random_metaedge(ctx, &net, "AxB", 'A', 'B', 20, 25, 0.2, 1);
    random_metaedge(ctx, &net, "AxA", 'A', 'A', 20, 20, 0.25, 2);
    random_metaedge(ctx, &net, "Ay>A", 'A', 'A', 20, 20, 0.25, 3);
    assert_ok(ctx, nep_network_finish(ctx, &net, NULL));
    return net;
}

static void assert_degrees(const nep_network *got, const nep_network *want, int64_t m)
{
    const nep_network_metaedge *a = &got->metaedge[m], *b = &want->metaedge[m];
    assert_int_equal(a->n, b->n);
    for (int end = 0; end < 2; end++)
        for (int64_t i = 0; i < got->kind[end ? a->to : a->from].n; i++)
            assert_int_equal(nep_network_degree(got, m, end, i), nep_network_degree(want, m, end, i));
    for (int64_t e = 0; e < a->n; e++) {
        assert_true(a->from != a->to || a->from_node[e] != a->to_node[e]);
        assert_int_equal(nep_network_find_edge(got, m, a->from_node[e], a->to_node[e]), e); /* sorted, none twice */
        assert_int_equal(a->line[e], 0);
    }
}

static void test_degrees_stay_and_edges_move(void **state)
{
    nep_ctx *ctx = test_ctx(1);
    nep_network original = make(ctx), net = make(ctx);
    (void)state;
    for (int64_t m = 0; m < net.n_metaedges; m++) {
        nep_xswap_report r;
        assert_ok(ctx, nep_xswap_permute(ctx, &net, m, 10, 1, &r));
        assert_degrees(&net, &original, m);
        assert_int_equal(r.attempts, 10 * net.metaedge[m].n);
        assert_true(r.swaps > net.metaedge[m].n && r.swaps < r.attempts);
        int64_t kept = 0;
        for (int64_t e = 0; e < net.metaedge[m].n; e++)
            kept += nep_network_find_edge(&original, m, net.metaedge[m].from_node[e], net.metaedge[m].to_node[e]) >= 0;
        assert_int_equal(r.kept, kept);
        assert_true(kept < net.metaedge[m].n * 6 / 10);
    }
    nep_network_free(&original);
    nep_network_free(&net);
    nep_ctx_free(ctx);
}

static bool same_edges(const nep_network_metaedge *a, const nep_network_metaedge *b)
{
    return memcmp(a->from_node, b->from_node, (size_t)a->n * sizeof *a->from_node) == 0 && memcmp(a->to_node, b->to_node, (size_t)a->n * sizeof *a->to_node) == 0;
}

static void test_a_draw_is_its_seed_number_and_metaedge(void **state)
{
    nep_ctx *ctx = test_ctx(1);
    nep_network a = make(ctx), b = make(ctx), c = make(ctx);
    (void)state;
    assert_ok(ctx, nep_xswap_permute(ctx, &a, 0, 10, 1, NULL));
    assert_ok(ctx, nep_xswap_permute(ctx, &b, 1, 10, 1, NULL));
    assert_ok(ctx, nep_xswap_permute(ctx, &b, 0, 10, 1, NULL));
    assert_ok(ctx, nep_xswap_permute(ctx, &c, 0, 10, 2, NULL));
    assert_true(same_edges(&a.metaedge[0], &b.metaedge[0]));
    assert_false(same_edges(&a.metaedge[0], &c.metaedge[0]));
    assert_ok(ctx, nep_xswap_permute(ctx, &a, 2, 0, 1, NULL)); /* no attempt: only the rows are gone */
    assert_true(same_edges(&a.metaedge[2], &c.metaedge[2]));
    assert_fails(nep_xswap_permute(ctx, &a, 3, 10, 1, NULL), NEP_E_ARG);
    nep_ctx_clear(ctx);
    assert_fails(nep_xswap_permute(ctx, &a, 0, -1, 1, NULL), NEP_E_ARG);
    nep_network_free(&a);
    nep_network_free(&b);
    nep_network_free(&c);
    nep_ctx_free(ctx);
}

/* Four nodes in two edges, walked both ways: 3 networks have these degrees, and each must come up about as often. */
static void test_every_network_of_the_degrees_comes_up(void **state)
{
    nep_ctx *ctx = test_ctx(1);
    int count[3] = {0};
    (void)state;
    for (uint64_t number = 0; number < 600; number++) {
        static const char *const ends[2][2] = {{"a", "b"}, {"c", "d"}};
        nep_network net = {0};
        assert_ok(ctx, nep_network_add_metaedge(ctx, &net, "GiG", NULL));
        for (int e = 0; e < 2; e++)
            assert_ok(ctx, nep_network_add_edge(ctx, &net, NULL, &(nep_network_row){.from = ends[e][0], .to = ends[e][1], .weight = (double)NAN}));
        assert_ok(ctx, nep_network_finish(ctx, &net, NULL));
        assert_ok(ctx, nep_xswap_permute(ctx, &net, 0, 20, number, NULL));
        count[net.metaedge[0].to_node[0] - 1]++; /* whom a is joined with */
        nep_network_free(&net);
    }
    for (int i = 0; i < 3; i++)
        if (count[i] < 150 || count[i] > 250)
            fail_msg("network %d came up %d of 600 times", i, count[i]);
    nep_ctx_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_degrees_stay_and_edges_move),
        cmocka_unit_test(test_a_draw_is_its_seed_number_and_metaedge),
        cmocka_unit_test(test_every_network_of_the_degrees_comes_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
