/* SPDX-License-Identifier: Apache-2.0 */
/* Targets where the disorder is seated: against path counts, by hand with a map, against SciPy on the study. */
#include "synthetic_study.h"

#include <nepenthe/anatomy.h>
#include <nepenthe/graph.h>
#include <nepenthe/io.h>

enum { ANATOMIES = 6 };
static synthetic s;
static int64_t nodes[ANATOMIES], regions[ANATOMIES];
static nep_anatomy table = {.node = nodes, .region = regions};

static void score(nep_ctx *ctx, const char *name, const nep_inputs *in, int64_t disorder, uint64_t stream, double *value, double *se)
{
    const nep_visible v = {.disorder = disorder, .own = in->labels, .others = in->labels};
    assert_ok(ctx, nep_channel_score(ctx, nep_channel_find(name), in, &v, stream, value, se));
}

static double *count(nep_ctx *ctx, const char *metapath, double damping)
{
    nep_metapath path;
    const nep_dwpc_opts opts = {.damping = damping};
    assert_ok(ctx, nep_metapath_parse(ctx, &s.network, metapath, &path));
    double *out = calloc((size_t)(s.network.kind[path.kind[0]].n * s.network.kind[path.kind[path.length]].n), sizeof *out);
    assert_ok(ctx, nep_dwpc_matrix(ctx, &s.network, &path, &opts, out, NULL));
    return out;
}

static void test_against_path_counts(void **state)
{
    nep_ctx *ctx = *state;
    double *up = count(ctx, "CbGuAlD", 0.4), *down = count(ctx, "CbGdAlD", 0.4), *up2 = count(ctx, "CbGuAlD", 0.8), *down2 = count(ctx, "CbGdAlD", 0.8);
    const int64_t width = s.network.kind[nep_network_find_kind(&s.network, "D")].n;
    double v[S_DRUGS], se[S_DRUGS];
    int positive = 0, negative = 0, silent = 0;
    for (int j = 0; j < S_DISORDERS; j++) {
        score(ctx, "anatomy", &s.in, j, 0, v, se);
        for (int k = 0; k < S_DRUGS; k++) {
            const int64_t at = s.in.drug_node[k] * width + s.in.disorder_node[j];
            silent += isnan(v[k]);
            if (k >= S_DRUGS - 3) {
                assert_true(isnan(v[k])); /* binds nothing */
                continue;
            }
            if (isnan(v[k]))
                continue;
            assert_near(v[k], up[at] - down[at], 1e-13);
            if (up2[at] + down2[at] > 0)
                assert_near(se[k], sqrt(up2[at] + down2[at]), 1e-13);
            positive += v[k] > 0;
            negative += v[k] < 0;
        }
    }
    assert_true(positive > 50 && negative > 3 && silent < 40);
    free(up);
    free(down);
    free(up2);
    free(down2);
}

/* The first two anatomies of disorder 0 lie in regions 0 and 1 (and 2, of no value). */
static void tie_regions(void)
{
    const int64_t site = nep_network_find_metaedge(&s.network, "DlA");
    const nep_network_side *out = &s.network.metaedge[site].out;
    const int64_t first = out->start[s.in.disorder_node[0]];
    assert_true(out->start[s.in.disorder_node[0] + 1] - first >= 2);
    for (int i = 0; i < 3; i++) {
        nodes[i] = out->node[first + (i == 2 ? 1 : i)];
        regions[i] = i;
    }
    table.n = 3;
    s.in.anatomy = &table;
}

static void test_weights_by_hand(void **state)
{
    nep_ctx *ctx = *state;
    double v[S_DRUGS], se[S_DRUGS], plain[S_DRUGS], plain_se[S_DRUGS], weight[ANATOMIES], kept[3];
    tie_regions();
    memcpy(kept, s.effect, sizeof kept);
    s.effect[0] = -0.6;
    s.effect[1] = 0.2;
    s.effect[2] = NAN;
    assert_true(nep_anatomy_weights(&s.in, 0, weight));
    assert_near(weight[nodes[0]], 1.5, 1e-15);
    assert_near(weight[nodes[1]], 0.5, 1e-15);
    int ones = 0;
    for (int a = 0; a < ANATOMIES; a++)
        ones += weight[a] == 1;
    assert_int_equal(ones, ANATOMIES - 2); /* what the table does not know */
    score(ctx, "anatomy", &s.in, 0, 0, plain, plain_se);
    score(ctx, "anatomy_imaging", &s.in, 0, 0, v, se);
    int moved = 0;
    for (int k = 0; k < S_DRUGS; k++) {
        assert_true(isnan(v[k]) == isnan(plain[k]));
        moved += !isnan(v[k]) && fabs(v[k] - plain[k]) > 1e-6;
    }
    assert_true(moved > 10);
    s.effect[1] = 0.6; /* as strong in the other direction: nothing is told apart */
    assert_true(!nep_anatomy_weights(&s.in, 0, weight));
    for (int a = 0; a < ANATOMIES; a++)
        assert_near(weight[a], 1, 0);
    score(ctx, "anatomy_imaging", &s.in, 0, 0, v, se);
    for (int k = 0; k < S_DRUGS; k++)
        assert_true(isnan(v[k]));
    s.effect[1] = 0.6 * (1 + 1e-12); /* all but equal weights give anatomy itself */
    score(ctx, "anatomy_imaging", &s.in, 0, 0, v, se);
    for (int k = 0; k < S_DRUGS; k++)
        if (!isnan(plain[k]))
            assert_near(v[k], plain[k], 1e-11);
    s.in.anatomy = NULL;
    score(ctx, "anatomy_imaging", &s.in, 0, 0, v, se);
    for (int k = 0; k < S_DRUGS; k++)
        assert_true(isnan(v[k]));
    memcpy(s.effect, kept, sizeof kept);
}

/* Scores on other maps, as if each of them had been measured; null maps keep what no profile uses. */
static void test_other_maps(void **state)
{
    enum { MAPS = 5 };
    nep_ctx *ctx = *state;
    double maps[MAPS * S_REGIONS], out[MAPS * S_DRUGS], v[S_DRUGS], se[S_DRUGS], kept[S_REGIONS];
    tie_regions();
    memcpy(kept, s.effect, sizeof kept);
    for (int f = 0; f < NEP_EVIDENCE_FAMILIES; f++) {
        int families, moved = 0;
        assert_ok(ctx, nep_inputs_count_nulls(ctx, &s.in, 0, &families));
        assert_int_equal(families, NEP_EVIDENCE_FAMILIES);
        s.effect[27] = NAN;
        assert_ok(ctx, nep_inputs_null_maps(ctx, &s.in, 0, f, MAPS, maps));
        for (int m = 0; m < MAPS; m++)
            assert_true(isnan(maps[m * S_REGIONS + 27]) && !isnan(maps[m * S_REGIONS + 26]));
        assert_ok(ctx, nep_anatomy_score_maps(ctx, &s.in, 0, maps, MAPS, out));
        for (int m = 0; m < MAPS; m++) {
            memcpy(s.effect, maps + m * S_REGIONS, sizeof kept);
            score(ctx, "anatomy_imaging", &s.in, 0, 0, v, se);
            for (int k = 0; k < S_DRUGS; k++) {
                assert_true(isnan(v[k]) == isnan(out[m * S_DRUGS + k]));
                if (!isnan(v[k]))
                    assert_near(out[m * S_DRUGS + k], v[k], 1e-13);
                moved += !isnan(v[k]) && m && fabs(out[m * S_DRUGS + k] - out[k]) > 1e-6;
            }
            memcpy(s.effect, kept, sizeof kept);
        }
        assert_true(moved > 20);
    }
    assert_int_equal(nep_inputs_null_maps(ctx, &s.in, 0, NEP_EVIDENCE_FAMILIES, MAPS, maps), NEP_E_ARG);
    s.in.cortex_only = true; /* regions 0 and 1 are cortex: all the same */
    score(ctx, "anatomy_imaging", &s.in, 0, 0, v, se);
    s.in.cortex_only = false;
    score(ctx, "anatomy_imaging", &s.in, 0, 0, out, se);
    for (int k = 0; k < S_DRUGS; k++)
        assert_true((isnan(v[k]) && isnan(out[k])) || v[k] == out[k]);
    s.cortex[1] = false; /* one region left in scope tells nothing apart */
    s.in.cortex_only = true;
    double weight[ANATOMIES];
    const double second = s.effect[2];
    s.effect[2] = NAN;
    assert_false(nep_anatomy_weights(&s.in, 0, weight));
    s.in.cortex_only = false;
    assert_true(nep_anatomy_weights(&s.in, 0, weight));
    s.effect[2] = second;
    s.cortex[1] = true;
}

static void test_explanations_sum(void **state)
{
    nep_ctx *ctx = *state;
    static const char *const names[] = {"anatomy", "anatomy_imaging"};
    nep_reason reasons[300];
    double v[S_DRUGS], se[S_DRUGS];
    int n, below = 0;
    tie_regions();
    const nep_visible visible = {.disorder = 0, .own = s.labels, .others = s.labels};
    for (int c = 0; c < 2; c++) {
        score(ctx, names[c], &s.in, 0, 0, v, se);
        for (int k = 0; k < S_DRUGS; k++) {
            double sum = 0;
            assert_ok(ctx, nep_channel_explain(ctx, nep_channel_find(names[c]), &s.in, &visible, k, 300, reasons, &n));
            for (int i = 0; i < n; i++) {
                sum += reasons[i].share;
                assert_true(strstr(reasons[i].detail, "CbG line ") && strstr(reasons[i].detail, "DlA line "));
                below += reasons[i].share < 0 && strstr(reasons[i].detail, "below") != NULL;
            }
            assert_near(sum, isnan(v[k]) ? 0 : v[k], 1e-13);
        }
    }
    assert_true(below > 5);
}

/* A redraw moves both channels by the same normal number. */
static void test_redraws(void **state)
{
    nep_ctx *ctx = *state;
    double v[2][S_DRUGS], w[2][S_DRUGS], se[2][S_DRUGS], scratch[S_DRUGS];
    int moved = 0;
    tie_regions();
    for (int c = 0; c < 2; c++) {
        score(ctx, c ? "anatomy_imaging" : "anatomy", &s.in, 0, 0, v[c], se[c]);
        score(ctx, c ? "anatomy_imaging" : "anatomy", &s.in, 0, 5, w[c], scratch);
    }
    for (int k = 0; k < S_DRUGS; k++)
        if (se[0][k] > 0 && se[1][k] > 0) {
            assert_near((w[0][k] - v[0][k]) / se[0][k], (w[1][k] - v[1][k]) / se[1][k], 1e-9);
            moved += w[0][k] != v[0][k];
        }
    assert_true(moved > 20);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void test_against_scipy(void **state)
{
    nep_ctx *ctx = *state;
    static const char folder[] = NEP_SOURCE_DIR "/tests/studies/nervous_system/";
    nep_table drugs = {0}, golden = {0};
    nep_network net = {0};
    nep_molset m = {0};
    char path[4096];
    int64_t id;

    snprintf(path, sizeof path, "%snetwork.yaml", folder);
    if (!nep_file_exists(path))
        test_skip();
    assert_ok(ctx, nep_network_read(ctx, path, NULL, &net));
    snprintf(path, sizeof path, "%sdrugs.tsv", folder);
    assert_ok(ctx, nep_tsv_read(ctx, path, &drugs));
    assert_ok(ctx, nep_table_need(ctx, &drugs, "drug_id", &id));
    m.n = drugs.n_rows;
    m.id = m.names = calloc((size_t)m.n, sizeof *m.id);
    for (int64_t k = 0; k < m.n; k++)
        m.id[k] = drugs.cells[k * drugs.n_cols + id];
    qsort(m.id, (size_t)m.n, sizeof *m.id, by_text);
    assert_ok(ctx, nep_tsv_read(ctx, NEP_SOURCE_DIR "/tests/golden/anatomy_study.tsv", &golden));
    assert_int_equal(golden.n_rows, 5);
    char *disorders[5];
    for (int j = 0; j < 5; j++)
        disorders[j] = golden.cells[j * golden.n_cols];
    nep_label *labels = calloc((size_t)m.n * 5, sizeof *labels);
    nep_inputs in = {.drugs = &m, .n_drugs = m.n, .n_disorders = 5, .disorder_ids = disorders, .disorder_names = disorders, .labels = labels,
                     .network = &net, .mode = 'U', .score = 'B', .relative_occupancy = 0.75, .n_nulls = 199};
    assert_ok(ctx, nep_inputs_prepare(ctx, &in, NULL));
    double *v = calloc((size_t)m.n, sizeof *v), *se = calloc((size_t)m.n, sizeof *se);
    for (int64_t r = 0; r < golden.n_rows; r++) {
        double want[5], got[5] = {0};
        for (int c = 0; c < 5; c++)
            assert_ok(ctx, nep_table_number(ctx, &golden, r, 1 + c, &want[c]));
        score(ctx, "anatomy", &in, r, 0, v, se);
        for (int64_t k = 0; k < m.n; k++) {
            const double x = isnan(v[k]) ? 0 : v[k];
            got[0] += isnan(v[k]);
            got[1] += x;
            got[2] += fabs(x);
            got[3] += isnan(se[k]) ? 0 : se[k];
            got[4] += x * (double)(k + 1);
        }
        for (int c = 0; c < 5; c++)
            assert_near(got[c], want[c], 1e-10 * (c == 1 || c == 4 ? want[2] * (c == 4 ? (double)m.n : 1) : fabs(want[c])));
    }
    free(v);
    free(se);
    nep_inputs_release(&in);
    free(labels);
    free(m.id);
    nep_table_free(&golden);
    nep_table_free(&drugs);
    nep_network_free(&net);
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
        cmocka_unit_test(test_against_path_counts), cmocka_unit_test(test_weights_by_hand), cmocka_unit_test(test_other_maps), cmocka_unit_test(test_explanations_sum),
        cmocka_unit_test(test_redraws), cmocka_unit_test(test_against_scipy),
    };
    return test_end(cmocka_run_group_tests(tests, setup, teardown));
}
