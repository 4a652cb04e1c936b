/* SPDX-License-Identifier: Apache-2.0 */
/* test_network - networks from files: what a row may say, defaults of the file, open rows alone, and what is refused in which words. */
#include "files.h"

static const char edges_text[] = "source\ttarget\tweight\tsign\tlicence\tsource_db\textra\n"
                                 "D1\t20\t0.5\t-1\tCC BY-NC 4.0\tDrugBank\tx\n"
                                 "D2\t10\tn/a\t1\tn/a\tn/a\tx\n"
                                 "D1\t10\t2\tn/a\tCC BY 4.0\tChEMBL\tx\n";

static void write_files(const char *yaml)
{
    test_text("genes.tsv", "id\tname\n10\tTNF\n20\tn/a\n");
    test_text("cbg.tsv", edges_text);
    test_text("gig.csv", "source,target\n20,10\n");
    test_text("net.yaml", yaml);
}

static const char yaml_text[] = "schema: nepenthe/network/1\nname: small\nkinds:\n  - {id: G, name: Gene, nodes: genes.tsv}\n  - {id: C, name: Compound}\n"
                                "metaedges:\n  - {id: CbG, edges: cbg.tsv, licence: CC0, source: default}\n  - {id: GiG, edges: gig.csv}\n";

static void test_rows_and_defaults(void **state)
{
    nep_ctx *ctx = *state;
    nep_network net = {0};
    write_files(yaml_text);
    assert_ok(ctx, nep_network_read(ctx, test_path("net.yaml"), NULL, &net));
    const int64_t c = nep_network_find_kind(&net, "C"), g = nep_network_find_kind(&net, "G"), b = nep_network_find_metaedge(&net, "CbG");
    assert_string_equal(net.name, "small");
    assert_string_equal(net.kind[c].name, "Compound");
    assert_false(net.kind[c].closed);
    assert_true(net.kind[g].closed);
    assert_string_equal(net.kind[g].label[0], "TNF");
    assert_null(net.kind[g].label[1]);
    const nep_network_metaedge *m = &net.metaedge[b];
    assert_int_equal(m->n, 3);
    const int64_t e = nep_network_find_edge(&net, b, nep_network_find_node(&net, c, "D1"), nep_network_find_node(&net, g, "20"));
    const int64_t plain = nep_network_find_edge(&net, b, nep_network_find_node(&net, c, "D2"), nep_network_find_node(&net, g, "10"));
    assert_int_equal(m->line[e], 2);
    assert_int_equal(m->sign[e], -1);
    assert_near(m->weight[e], 0.5, 0);
    assert_string_equal(nep_network_licence(&net, b, e), "CC BY-NC 4.0");
    assert_string_equal(nep_network_source(&net, b, e), "DrugBank");
    assert_int_equal(m->line[plain], 3);
    assert_int_equal(m->sign[plain], 1);
    assert_true(isnan(m->weight[plain]));
    assert_string_equal(nep_network_licence(&net, b, plain), "CC0");
    assert_string_equal(nep_network_source(&net, b, plain), "default");
    nep_network_free(&net);
}

static void test_open_only(void **state)
{
    nep_ctx *ctx = *state;
    nep_network net = {0};
    write_files(yaml_text);
    assert_ok(ctx, nep_network_read(ctx, test_path("net.yaml"), &(nep_network_opts){.open_only = true}, &net));
    assert_int_equal(net.metaedge[0].n, 2);
    assert_int_equal(net.metaedge[0].n_not_open, 1);
    assert_int_equal(net.metaedge[1].n, 0); /* no licence at all */
    assert_int_equal(net.metaedge[1].n_not_open, 1);
    nep_network_free(&net);
}

static nep_status read_one(nep_ctx *ctx, const char *text)
{
    nep_network net = {0};
    nep_status st = nep_network_read_edges(ctx, &net, NULL, "GiG", test_text("one.tsv", text), NULL, NULL);
    if (st == NEP_OK)
        st = nep_network_finish(ctx, &net, NULL);
    nep_network_free(&net);
    return st;
}

static void test_bad_tables(void **state)
{
    nep_ctx *ctx = *state;
    nep_network net = {0};
    assert_refused(ctx, read_one(ctx, "from\tto\na\tb\n"), NEP_E_FORMAT, "has no column 'source'");
    assert_refused(ctx, read_one(ctx, "source\tto\na\tb\n"), NEP_E_FORMAT, "has no column 'target'");
    assert_refused(ctx, read_one(ctx, "source\ttarget\na\tb\na\tn/a\n"), NEP_E_FORMAT, "line 3: an edge without its target");
    assert_refused(ctx, read_one(ctx, "source\ttarget\tsign\na\tb\t2\n"), NEP_E_FORMAT, "line 2: a sign of 2; it is -1, 0 (unknown) or 1");
    assert_refused(ctx, read_one(ctx, "source\ttarget\tweight\na\tb\thigh\n"), NEP_E_FORMAT, "line 2, column 'weight': 'high'");
    assert_refused(ctx, nep_network_read_nodes(ctx, &net, "G", NULL, test_text("n.tsv", "name\nx\n")), NEP_E_FORMAT, "has no column 'id'");
    assert_refused(ctx, nep_network_read_nodes(ctx, &net, "G", NULL, test_text("n.tsv", "id\tname\nn/a\tx\n")), NEP_E_FORMAT, "line 2: a node without an id");
    nep_network_free(&net);
}

static nep_status read_yaml(nep_ctx *ctx, const char *yaml)
{
    nep_network net = {0};
    write_files(yaml);
    const nep_status st = nep_network_read(ctx, test_path("net.yaml"), NULL, &net);
    nep_network_free(&net);
    return st;
}

static void test_bad_yaml(void **state)
{
    nep_ctx *ctx = *state;
    assert_refused(ctx, read_yaml(ctx, "name: x\nmetaedges: [{id: CbG, edges: cbg.tsv}]\n"), NEP_E_CONFIG, "schema: nepenthe/network/1");
    assert_refused(ctx, read_yaml(ctx, "schema: nepenthe/network/2\nname: x\nmetaedges: []\n"), NEP_E_CONFIG, "this version reads nepenthe/network/1");
    assert_refused(ctx, read_yaml(ctx, "schema: nepenthe/network/1\nname: x\n"), NEP_E_CONFIG, "needs the key 'metaedges'");
    assert_refused(ctx, read_yaml(ctx, "schema: nepenthe/network/1\nname: x\nmetaedges: []\n"), NEP_E_CONFIG, "metaedges is empty");
    assert_refused(ctx, read_yaml(ctx, "schema: nepenthe/network/1\nname: x\nmetaedges: [{id: CbG}]\n"), NEP_E_CONFIG, "needs edges");
    assert_refused(ctx, read_yaml(ctx, "schema: nepenthe/network/1\nname: x\nmetaedge: []\n"), NEP_E_CONFIG, "metaedges");
    assert_refused(ctx, read_yaml(ctx, "schema: nepenthe/network/1\nname: x\nmetaedges: [{id: CbG, edges: cbg.tsv}, {id: CbG, edges: cbg.tsv}]\n"), NEP_E_CONFIG,
                   "lists 'CbG' twice");
    assert_refused(ctx, read_yaml(ctx, "schema: nepenthe/network/1\nname: x\nmetaedges: [{id: CbG, edges: nowhere.tsv}]\n"), NEP_E_MISSING, "nowhere.tsv");
    assert_refused(ctx, read_yaml(ctx, "schema: nepenthe/network/1\nname: x\nstrict: true\nmetaedges: [{id: GiG, edges: loop.tsv}]\n"), NEP_E_MISSING, "loop.tsv");
    test_text("loop.tsv", "source\ttarget\na\ta\n");
    assert_refused(ctx, read_yaml(ctx, "schema: nepenthe/network/1\nname: x\nstrict: true\nmetaedges: [{id: GiG, edges: loop.tsv}]\n"), NEP_E_FORMAT,
                   "joins a node with itself");
    assert_refused(ctx, read_yaml(ctx, "schema: nepenthe/network/1\nname: x\nkinds: [{id: C, nodes: genes.tsv}]\nmetaedges: [{id: CbG, edges: cbg.tsv}]\n"),
                   NEP_E_FORMAT, "no node of kind C is called 'D1'");
}

static int make_ctx(void **state)
{
    *state = test_ctx(1);
    return 0;
}

static int drop_ctx(void **state)
{
    nep_ctx_free(*state);
    return test_clean(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_and_defaults),
        cmocka_unit_test(test_open_only),
        cmocka_unit_test(test_bad_tables),
        cmocka_unit_test(test_bad_yaml),
    };
    return cmocka_run_group_tests(tests, make_ctx, drop_ctx);
}
