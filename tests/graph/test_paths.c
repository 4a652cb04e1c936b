/* SPDX-License-Identifier: Apache-2.0 */
/* test_paths - the paths of one pair: best ten of the golden network, sums that agree with the matrix, shares of edges, hidden edges. */
#include "golden_network.h"
#include "random.h"

static int set_up(void **state)
{
    *state = test_ctx(1);
    return 0;
}

static int tear_down(void **state)
{
    nep_ctx_free(*state);
    return 0;
}

/* Rows of graph_top.tsv: metapath, rank, nodes parted by blanks, pdp, share. */
static void test_best_paths_of_the_golden_network(void **state)
{
    nep_ctx *ctx = *state;
    nep_network net = golden_network(ctx);
    nep_table t = {0};
    assert_ok(ctx, nep_tsv_read(ctx, TEST_GOLDEN("graph_top.tsv"), &t));
    for (int64_t i = 0, next; i < t.n_rows; i = next) {
        const char *text = nep_table_cell(&t, i, 0);
        char nodes[200], *end = strcpy(nodes, nep_table_cell(&t, i, 2));
        nep_metapath path;
        nep_paths found = {0};
        assert_ok(ctx, nep_metapath_parse(ctx, &net, text, &path));
        const int64_t from = nep_network_find_node(&net, path.kind[0], strtok_r(nodes, " ", &end));
        const char *last = strrchr(nep_table_cell(&t, i, 2), ' ') + 1;
        const int64_t to = nep_network_find_node(&net, path.kind[path.length], last);
        assert_ok(ctx, nep_paths_find(ctx, &net, &path, from, to, NULL, 10, &found));
        for (next = i; next < t.n_rows && strcmp(nep_table_cell(&t, next, 0), text) == 0; next++) {
            const nep_path *p = &found.path[next - i];
            char got[200];
            int n = 0;
            for (int k = 0; k <= path.length; k++)
                n += snprintf(got + n, sizeof got - (size_t)n, "%s%s", k ? " " : "", net.kind[path.kind[k]].node[p->node[k]]);
            assert_string_equal(got, nep_table_cell(&t, next, 2));
            assert_near(p->pdp, atof(nep_table_cell(&t, next, 3)), 1e-12);
            assert_near(p->share, atof(nep_table_cell(&t, next, 4)), 1e-12);
            for (int k = 0; k < path.length; k++) {
                const nep_metapath_step *s = &path.step[k];
                assert_int_equal(nep_network_find_edge(&net, s->metaedge, p->node[s->reverse ? k + 1 : k], p->node[s->reverse ? k : k + 1]), p->edge[k]);
            }
        }
        assert_int_equal(found.n, next - i);
        nep_paths_free(&found);
    }
    nep_table_free(&t);
    nep_network_free(&net);
}

/* Every pair of some metapaths: as many paths and the same sum as the matrix says, and edges at each end share out the whole. */
static void test_paths_add_up_to_the_matrix(void **state)
{
    static const char *const texts[] = {"CbGaD", "CrCtD", "CpDpCtD", "CrCrCrC", "GiGiGiG", "CbGpPWpGaD", "CbGdDdGaD", "Gr>Gr>G", "CtD"};
    nep_ctx *ctx = *state;
    nep_network net = golden_network(ctx);
    const int64_t treats = nep_network_find_metaedge(&net, "CtD");
    bool *hidden = calloc((size_t)net.metaedge[treats].n, sizeof *hidden);
    for (int64_t e = 0; e < net.metaedge[treats].n; e += 3)
        hidden[e] = true;
    const nep_hidden_edges list[] = {{treats, hidden}};
    for (int i = 0; i < 2 * NEP_LEN(texts); i++) {
        const nep_dwpc_opts opts = {.damping = 0.4, .hidden = list, .n_hidden = i % 2};
        nep_metapath path;
        assert_ok(ctx, nep_metapath_parse(ctx, &net, texts[i / 2], &path));
        const int64_t n = net.kind[path.kind[0]].n, m = net.kind[path.kind[path.length]].n;
        double *dwpc = calloc((size_t)(n * m), sizeof *dwpc), *paths = calloc((size_t)(n * m), sizeof *paths);
        assert_ok(ctx, nep_dwpc_matrix(ctx, &net, &path, &opts, dwpc, paths));
        for (int64_t at = 0; at < n * m; at++) {
            nep_paths found = {0};
            double first = 0, last = 0;
            assert_ok(ctx, nep_paths_find(ctx, &net, &path, at / m, at % m, &opts, 2, &found));
            assert_near(found.dwpc, dwpc[at], 1e-13);
            assert_int_equal(found.n_all, (int64_t)paths[at]);
            assert_int_equal(found.n, found.n_all < 2 ? found.n_all : 2);
            for (int64_t k = 0; k < found.n_first; k++)
                first += found.first[k].share;
            for (int64_t k = 0; k < found.n_last; k++)
                last += found.last[k].share;
            assert_near(first, found.n_all > 0 ? 1 : 0, 1e-12);
            assert_near(last, found.n_all > 0 ? 1 : 0, 1e-12);
            assert_true(found.n_first < 2 || found.first[0].share >= found.first[1].share);
            nep_paths_free(&found);
        }
        free(dwpc);
        free(paths);
    }
    free(hidden);
    nep_network_free(&net);
}

static void test_refusals_and_no_memory(void **state)
{
    nep_ctx *ctx = *state;
    nep_network net = golden_network(ctx);
    const int64_t before = nep_alloc_used(ctx);
    nep_metapath path;
    nep_paths found = {0};
    nep_status st = NEP_E_NOMEM;
    assert_ok(ctx, nep_metapath_parse(ctx, &net, "CbGaD", &path));
    assert_fails(nep_paths_find(ctx, &net, &path, -1, 0, NULL, 1, &found), NEP_E_ARG);
    nep_ctx_clear(ctx);
    assert_fails(nep_paths_find(ctx, &net, &path, 0, 8, NULL, 1, &found), NEP_E_ARG);
    nep_ctx_clear(ctx);
    assert_fails(nep_paths_find(ctx, &net, &path, 0, 0, NULL, -1, &found), NEP_E_ARG);
    for (int64_t k = 0; st == NEP_E_NOMEM; k++) {
        nep_ctx_clear(ctx);
        nep_alloc_fail_at(ctx, k);
        st = nep_paths_find(ctx, &net, &path, 5, 6, NULL, 3, &found);
        nep_alloc_fail_at(ctx, -1);
        assert_true(st == NEP_OK || nep_alloc_used(ctx) == before);
    }
    assert_ok(ctx, st);
    assert_int_equal(found.n, 3);
    nep_paths_free(&found);
    nep_network_free(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_best_paths_of_the_golden_network),
        cmocka_unit_test(test_paths_add_up_to_the_matrix),
        cmocka_unit_test(test_refusals_and_no_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
