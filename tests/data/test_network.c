/* SPDX-License-Identifier: Apache-2.0 */
/* test_network - building a network: order of rows, repeats, loops, licences, and what is refused in which words. */
#include "support.h"

#include <nepenthe/network.h>

static nep_status edge(nep_ctx *ctx, nep_network *net, const nep_network_opts *opts, const char *from, const char *to, int64_t line, const char *licence)
{
    const nep_network_row row = {.from = from, .to = to, .licence = licence, .source = "s", .weight = (double)NAN, .line = line};
    return nep_network_add_edge(ctx, net, opts, &row);
}

static void assert_said(nep_ctx *ctx, const char *words)
{
    if (!strstr(nep_ctx_error(ctx), words))
        fail_msg("'%s' does not hold '%s'", nep_ctx_error(ctx), words);
}

static void test_numbers_do_not_depend_on_the_order_of_rows(void **state)
{
    nep_ctx *ctx = test_ctx(1);
    nep_network net = {0};
    (void)state;
    assert_ok(ctx, nep_network_add_metaedge(ctx, &net, "CbG", "b.tsv"));
    assert_ok(ctx, edge(ctx, &net, NULL, "c2", "g1", 2, NULL));
    assert_ok(ctx, edge(ctx, &net, NULL, "c1", "g2", 3, "CC0"));
    assert_ok(ctx, edge(ctx, &net, NULL, "c1", "g10", 4, "CC BY 4.0"));
    assert_ok(ctx, nep_network_add_metaedge(ctx, &net, "GiG", "i.tsv"));
    assert_ok(ctx, edge(ctx, &net, NULL, "g2", "g1", 2, NULL));
    assert_ok(ctx, edge(ctx, &net, NULL, "g2", "g10", 3, NULL));
    assert_ok(ctx, nep_network_finish(ctx, &net, NULL));
    const int64_t c = nep_network_find_kind(&net, "C"), g = nep_network_find_kind(&net, "G"), b = nep_network_find_metaedge(&net, "CbG");
    const int64_t i = nep_network_find_metaedge(&net, "GiG");
    assert_int_equal(net.kind[c].n, 2);
    assert_int_equal(net.kind[g].n, 3);
    assert_string_equal(net.kind[g].node[1], "g10");
    assert_int_equal(nep_network_find_node(&net, g, "g2"), 2);
    assert_int_equal(nep_network_find_node(&net, g, "g3"), -1);
    assert_int_equal(nep_network_find_node(&net, c, "g1"), -1);
    assert_int_equal(nep_network_find_node(&net, 7, "g1"), -1);
    assert_int_equal(nep_network_find_edge(&net, b, 0, 1), 0);
    assert_int_equal(nep_network_find_edge(&net, b, 1, 2), -1);
    assert_int_equal(net.metaedge[b].line[0], 4);
    assert_string_equal(nep_network_licence(&net, b, 0), "CC BY 4.0");
    assert_string_equal(nep_network_licence(&net, b, 2), "");
    assert_string_equal(nep_network_source(&net, b, 2), "s");
    assert_null(net.metaedge[b].weight);
    assert_null(net.metaedge[b].sign);
    assert_int_equal(nep_network_degree(&net, b, false, 0), 2);
    assert_int_equal(nep_network_degree(&net, b, true, 0), 1);
    assert_int_equal(nep_network_degree(&net, i, false, 2), 2);
    assert_int_equal(nep_network_degree(&net, i, true, 2), 2);
    assert_int_equal(nep_network_find_edge(&net, i, 2, 0), nep_network_find_edge(&net, i, 0, 2));
    assert_true(nep_network_find_edge(&net, i, 2, 1) >= 0);
    nep_network_free(&net);
    nep_ctx_free(ctx);
}

static void test_repeats_and_loops_are_counted_and_named(void **state)
{
    nep_ctx *ctx = test_ctx(1);
    (void)state;
    for (int strict = 0; strict < 2; strict++) {
        nep_network net = {0};
        const nep_network_opts opts = {.strict = strict};
        assert_ok(ctx, nep_network_add_metaedge(ctx, &net, "GiG", "i.tsv"));
        assert_ok(ctx, edge(ctx, &net, &opts, "a", "b", 2, "CC0"));
        assert_ok(ctx, edge(ctx, &net, &opts, "b", "a", 3, "CC BY"));
        assert_ok(ctx, edge(ctx, &net, &opts, "c", "c", 4, NULL));
        assert_ok(ctx, edge(ctx, &net, &opts, "a", "b", 5, NULL));
        assert_ok(ctx, nep_network_add_metaedge(ctx, &net, "Gr>G", "r.tsv"));
        assert_ok(ctx, edge(ctx, &net, &opts, "a", "b", 2, NULL));
        assert_ok(ctx, edge(ctx, &net, &opts, "b", "a", 3, NULL));
        if (strict) {
            assert_fails(nep_network_finish(ctx, &net, &opts), NEP_E_FORMAT);
            assert_said(ctx, "i.tsv: line 4: the edge c - c joins a node with itself (1 such rows)");
        } else {
            assert_ok(ctx, nep_network_finish(ctx, &net, &opts));
            assert_int_equal(net.metaedge[0].n, 1);
            assert_int_equal(net.metaedge[0].n_rows, 4);
            assert_int_equal(net.metaedge[0].n_loops, 1);
            assert_int_equal(net.metaedge[0].n_repeated, 2);
            assert_int_equal(net.metaedge[0].line[0], 2);
            assert_string_equal(nep_network_licence(&net, 0, 0), "CC0");
            assert_int_equal(net.metaedge[1].n, 2);
            assert_int_equal(nep_warn_count(ctx), 2);
            assert_non_null(strstr(nep_warn_get(ctx, 1), "i.tsv: 2 rows left out: the edge stands there already (first: line 3, a - b)"));
        }
        nep_network_free(&net);
    }
    nep_ctx_free(ctx);
}

static void test_open_rows_alone(void **state)
{
    static const char *const open[] = {"CC0", "CC0-1.0", "CC0 1.0", "CC BY", "CC BY 4.0", "cc-by-3.0", "CC_BY_4.0", "Public domain", "PD", "CC0 | CC BY 4.0", "CC0;", "ODbL 1.0|CC BY 4.0", "CC0; CC BY", "CC BY-SA|CC0;PD"};
    static const char *const closed[] = {"CC BY-SA 4.0", "CC BY-NC 4.0", "CC BY-ND", "CC BY-NC-SA 4.0", "ODbL 1.0", "", "n/a", "|", "Apache-2.0", "CC0; ODbL 1.0", "CC0;ODbL|CC BY-NC", ";",
                                         "custom: non-commercial", "CC"};
    nep_ctx *ctx = test_ctx(1);
    nep_network net = {0};
    const nep_network_opts opts = {.open_only = true};
    (void)state;
    for (int i = 0; i < NEP_LEN(open); i++)
        if (!nep_licence_is_open(open[i]))
            fail_msg("'%s' is open", open[i]);
    for (int i = 0; i < NEP_LEN(closed); i++)
        if (nep_licence_is_open(closed[i]))
            fail_msg("'%s' is not open", closed[i]);
    assert_false(nep_licence_is_open(NULL));
    /* the same edge from a closed and from an open source stays, by the open row */
    assert_ok(ctx, nep_network_add_metaedge(ctx, &net, "DaG", NULL));
    assert_ok(ctx, edge(ctx, &net, &opts, "d", "g", 2, "ODbL 1.0"));
    assert_ok(ctx, edge(ctx, &net, &opts, "d", "g", 3, "CC0"));
    assert_ok(ctx, edge(ctx, &net, &opts, "d", "h", 4, NULL));
    assert_ok(ctx, nep_network_finish(ctx, &net, &opts));
    assert_int_equal(net.metaedge[0].n, 1);
    assert_int_equal(net.metaedge[0].n_rows, 3);
    assert_int_equal(net.metaedge[0].n_not_open, 2);
    assert_int_equal(net.metaedge[0].line[0], 3);
    nep_network_free(&net);
    nep_ctx_free(ctx);
}

static void test_ids_and_kinds_are_checked(void **state)
{
    static const char *const drugs[] = {"DB1", "DB2"}, *const genes[] = {"10", "20"}, *const twice[] = {"x", "x"};
    static const char *const bad[] = {"", "C", "bG", "Cb", "CbG>", "CG", "C<bG", "CbbG1g", "Cb>>G", "1bG"};
    nep_ctx *ctx = test_ctx(1);
    nep_network net = {0};
    (void)state;
    assert_ok(ctx, nep_network_add_kind(ctx, &net, "C", "Compound", "c.tsv", drugs, NULL, 2));
    assert_ok(ctx, nep_network_add_kind(ctx, &net, "G", "Gene", "g.tsv", genes, NULL, 2));
    assert_ok(ctx, nep_network_add_metaedge(ctx, &net, "CbG", "b.tsv"));
    assert_fails(edge(ctx, &net, NULL, "10", "DB1", 7, NULL), NEP_E_FORMAT);
    assert_said(ctx, "b.tsv: line 7: '10' is of kind Gene, but CbG needs kind Compound there");
    nep_ctx_clear(ctx);
    assert_fails(edge(ctx, &net, NULL, "DB1", "30", 8, NULL), NEP_E_FORMAT);
    assert_said(ctx, "b.tsv: line 8: no node of kind Gene is called '30'");
    nep_ctx_clear(ctx);
    assert_fails(nep_network_add_metaedge(ctx, &net, "CbG", NULL), NEP_E_FORMAT);
    assert_said(ctx, "CbG is given twice");
    nep_ctx_clear(ctx);
    assert_fails(nep_network_add_kind(ctx, &net, "C", NULL, NULL, drugs, NULL, 2), NEP_E_FORMAT);
    assert_said(ctx, "the kind C is there twice");
    nep_ctx_clear(ctx);
    assert_fails(nep_network_add_kind(ctx, &net, "SE", NULL, "s.tsv", twice, NULL, 2), NEP_E_FORMAT);
    assert_said(ctx, "s.tsv: the node 'x' stands there twice");
    for (int i = 0; i < NEP_LEN(bad); i++) {
        nep_ctx_clear(ctx);
        if (nep_network_add_metaedge(ctx, &net, bad[i], NULL) != NEP_E_FORMAT)
            fail_msg("'%s' passed for a metaedge", bad[i]);
    }
    nep_network_free(&net);
    nep_ctx_free(ctx);
}

static void test_no_memory_leaves_nothing_behind(void **state)
{
    nep_ctx *ctx = test_ctx(1);
    const int64_t before = nep_alloc_used(ctx);
    nep_status st = NEP_E_NOMEM;
    (void)state;
    for (int64_t k = 0; st == NEP_E_NOMEM && k < 1000; k++) {
        nep_network net = {0};
        nep_ctx_clear(ctx);
        nep_alloc_fail_at(ctx, k);
        st = nep_network_add_metaedge(ctx, &net, "GiG", "i.tsv");
        for (int i = 0; i < 70 && st == NEP_OK; i++) {
            char a[8];
            snprintf(a, sizeof a, "n%d", i);
            st = edge(ctx, &net, NULL, a, "hub", i, "CC0");
        }
        if (st == NEP_OK)
            st = nep_network_finish(ctx, &net, NULL);
        nep_network_free(&net);
        nep_alloc_fail_at(ctx, -1);
        assert_true(nep_alloc_used(ctx) == before);
    }
    assert_int_equal(st, NEP_OK);
    nep_ctx_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_do_not_depend_on_the_order_of_rows),
        cmocka_unit_test(test_repeats_and_loops_are_counted_and_named),
        cmocka_unit_test(test_open_rows_alone),
        cmocka_unit_test(test_ids_and_kinds_are_checked),
        cmocka_unit_test(test_no_memory_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
