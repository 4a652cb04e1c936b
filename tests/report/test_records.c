/* SPDX-License-Identifier: Apache-2.0 */
/* test_records - what the document says of the records behind it: labels per disorder, drugs known to make worse, licences of edges. */
#include "synthetic_network.h"

#include "report/doc.h"

#include <nepenthe/direction.h>
#include <nepenthe/report.h>

#include <string.h>

static synthetic s;

static nep_status gather(nep_ctx *ctx, const nep_ranking *r, json_t **doc)
{
    return nep_report_gather(ctx, r, NULL, NULL, doc);
}

/* Counted over again from the labels; the second disorder has one drug known to make it worse, and the first is told that it is elsewhere. */
static void test_records_are_counted(void **state)
{
    nep_ctx *ctx = *state;
    nep_direction_warning warning = {.disorder = 1, .drug = 4, .source = (char *)"someone 2001", .note = (char *)"seen in a trial"};
    nep_direction known = {.warnings = &warning, .n_warnings = 1};
    const nep_ranking_opts o = {.n_streams = 20, .n_bootstrap = 20, .null_maps = 20};
    nep_ranking *r = NULL;
    json_t *doc = NULL;
    assert_ok(ctx, nep_ranking_create(ctx, &s.in, &o, &r));
    s.in.known_direction = &known;
    assert_ok(ctx, gather(ctx, r, &doc));
    s.in.known_direction = NULL;
    for (int d = 0; d < S_DISORDERS; d++) {
        const json_t *records = json_object_get(json_array_get(json_object_get(doc, "disorders"), (size_t)d), "records");
        int64_t approved = 0, failed = 0;
        for (int k = 0; k < S_DRUGS; k++) {
            approved += s.labels[d * S_DRUGS + k] == NEP_LABEL_APPROVED;
            failed += s.labels[d * S_DRUGS + k] == NEP_LABEL_FAILED;
        }
        assert_int_equal(json_integer_value(json_object_get(records, "approved")), approved);
        assert_int_equal(json_integer_value(json_object_get(records, "failed")), failed);
        assert_int_equal(json_integer_value(json_object_get(records, "known_to_worsen")), d == 1);
        assert_int_equal(json_integer_value(json_object_get(records, "known_to_worsen_elsewhere")), d != 1);
    }
    json_decref(doc);
    nep_ranking_free(r);
}

/* Every edge once, under its own licence. */
static void test_licences_of_edges(void **state)
{
    nep_ctx *ctx = *state;
    nep_status st = NEP_OK;
    const nep_network *net = s.in.network;
    json_t *list = nep_gather_network(ctx, net, &st), *row, *l;
    size_t e, i;
    assert_ok(ctx, st);
    assert_non_null(net);
    assert_int_equal(json_array_size(list), net->n_metaedges);
    json_array_foreach(list, e, row)
    {
        int64_t all = 0;
        assert_string_equal(nep_doc_get_text(row, "id"), net->metaedge[e].id);
        json_array_foreach(json_object_get(row, "licences"), i, l)
        {
            const char *name = nep_doc_get_text(l, "licence");
            int64_t want = 0;
            for (int64_t x = 0; x < net->metaedge[e].n; x++) {
                const char *own = nep_network_licence(net, (int64_t)e, x);
                want += strcmp(*own ? own : "none named", name) == 0;
            }
            assert_int_equal(json_integer_value(json_object_get(l, "n")), want);
            all += want;
        }
        assert_int_equal(all, net->metaedge[e].n);
        assert_int_equal(json_integer_value(json_object_get(row, "n")), net->metaedge[e].n);
    }
    json_decref(list);
    list = nep_gather_network(ctx, NULL, &st);
    assert_int_equal(json_array_size(list), 0);
    json_decref(list);
}

static int open_study(void **state)
{
    nep_ctx *ctx = NULL;
    static nep_network network;
    if (nep_ctx_create(NULL, &ctx) != NEP_OK)
        return 1;
    synthetic_make(&s);
    synthetic_wide_network(ctx, &s, &network);
    *state = ctx;
    return nep_backend_choose(ctx, "cpu") != NEP_OK || nep_inputs_prepare(ctx, &s.in, NULL) != NEP_OK;
}

static int close_study(void **state)
{
    nep_network *network = (nep_network *)(uintptr_t)s.in.network;
    nep_inputs_release(&s.in);
    nep_network_free(network);
    nep_ctx_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_records_are_counted), cmocka_unit_test(test_licences_of_edges)};
    return cmocka_run_group_tests(tests, open_study, close_study);
}
