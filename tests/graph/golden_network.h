/* SPDX-License-Identifier: Apache-2.0 */
/* golden_network.h - the network whose paths were walked one by one in Python. */
#ifndef NEP_TESTS_GRAPH_GOLDEN_NETWORK_H
#define NEP_TESTS_GRAPH_GOLDEN_NETWORK_H

#include "support.h"

#include <nepenthe/graph.h>
#include <nepenthe/io.h>

/* The network of tests/golden/make_graph.py; its table is sorted by metaedge. */
static inline nep_network golden_network(nep_ctx *ctx)
{
    nep_network net = {0};
    nep_table t = {0};
    assert_ok(ctx, nep_tsv_read(ctx, TEST_GOLDEN("graph_edges.tsv"), &t));
    for (int64_t i = 0; i < t.n_rows; i++) {
        const char *metaedge = nep_table_cell(&t, i, 0);
        const nep_network_row row = {.from = nep_table_cell(&t, i, 1), .to = nep_table_cell(&t, i, 2), .weight = (double)NAN, .line = i + 2};
        if (nep_network_find_metaedge(&net, metaedge) < 0)
            assert_ok(ctx, nep_network_add_metaedge(ctx, &net, metaedge, t.path));
        assert_ok(ctx, nep_network_add_edge(ctx, &net, NULL, &row));
    }
    assert_ok(ctx, nep_network_finish(ctx, &net, NULL));
    nep_table_free(&t);
    return net;
}

#endif
