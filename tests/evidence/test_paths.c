/* SPDX-License-Identifier: Apache-2.0 */
/* Channels that count paths of the network, and the degrees beside them: by hand, against SciPy on the study, blind to order. */
#include "synthetic_study.h"

#include <nepenthe/io.h>

static const char *const counted[] = {"target_gene", "target_gene_gwas", "target_gene_curated", "pathway", "interaction"};

static void score(nep_ctx *ctx, const char *name, const nep_inputs *in, int64_t disorder, const nep_label *labels, uint64_t stream, double *value,
                  double *se)
{
    const nep_visible v = {.disorder = disorder, .own = labels, .others = labels};
    assert_ok(ctx, nep_channel_score(ctx, nep_channel_find(name), in, &v, stream, value, se));
}

/* ---- by hand ---- */
enum { DRUGS = 4, DISORDERS = 3 };
static char *const drug_ids[DRUGS] = {"c1", "c2", "c3", "c4"}, *const disorder_ids[DISORDERS] = {"d1", "d2", "d3"};

typedef struct {
    nep_network net;
    nep_molset drugs;
    nep_label labels[DISORDERS * DRUGS];
    nep_inputs in;
} small;

static void add(nep_ctx *ctx, nep_network *net, const char *id, const char *const (*edges)[2], int n)
{
    assert_ok(ctx, nep_network_add_metaedge(ctx, net, id, "edges.tsv"));
    for (int i = 0; i < n; i++) {
        const nep_network_row row = {.from = edges[i][0], .to = edges[i][1], .weight = (double)NAN, .line = i + 2, .source = "made here"};
        assert_ok(ctx, nep_network_add_edge(ctx, net, NULL, &row));
    }
}

/* c1 binds g1 and g2, c2 g2, c3 g3; c4 has a side effect and no target. d1 has g1 and g2, d2 g2; d3 is in no association. g1, g2 share p1. */
static void make(nep_ctx *ctx, small *s)
{
    static const char *const binds[][2] = {{"c1", "g1"}, {"c1", "g2"}, {"c2", "g2"}, {"c3", "g3"}};
    static const char *const has[][2] = {{"d1", "g1"}, {"d1", "g2"}, {"d2", "g2"}};
    static const char *const in_pathway[][2] = {{"g1", "p1"}, {"g2", "p1"}, {"g3", "p2"}};
    static const char *const interacts[][2] = {{"g1", "g2"}, {"g3", "g2"}};
    static const char *const causes[][2] = {{"c4", "s1"}, {"c1", "s1"}, {"c1", "s2"}};
    static const char *const resembles[][2] = {{"d1", "d3"}};
    *s = (small){.drugs = {.n = DRUGS, .id = (char **)drug_ids, .names = (char **)drug_ids}};
    add(ctx, &s->net, "CbG", binds, NEP_LEN(binds));
    add(ctx, &s->net, "DaG", has, NEP_LEN(has));
    add(ctx, &s->net, "GpPW", in_pathway, NEP_LEN(in_pathway));
    add(ctx, &s->net, "GiG", interacts, NEP_LEN(interacts));
    add(ctx, &s->net, "CcSE", causes, NEP_LEN(causes));
    add(ctx, &s->net, "DrD", resembles, NEP_LEN(resembles));
    assert_ok(ctx, nep_network_finish(ctx, &s->net, NULL));
    s->in = (nep_inputs){.drugs = &s->drugs, .n_drugs = DRUGS, .n_disorders = DISORDERS, .disorder_ids = (char **)disorder_ids,
                         .disorder_names = (char **)disorder_ids, .labels = s->labels, .network = &s->net, .mode = 'U', .score = 'B',
                         .relative_occupancy = 0.75, .n_nulls = 199};
    assert_ok(ctx, nep_inputs_prepare(ctx, &s->in, NULL));
}

static void drop(small *s)
{
    nep_inputs_release(&s->in);
    nep_network_free(&s->net);
}

static void test_counts_by_hand(void **state)
{
    nep_ctx *ctx = *state;
    small s;
    double v[DRUGS], se[DRUGS];
    make(ctx, &s);
    /* c1-g1-d1: degrees 2 1 | 2 1; c1-g2-d1: 2 2 | 2 2. */
    const double over_g1 = pow(2 * 1 * 2 * 1, -0.4), over_g2 = pow(2 * 2 * 2 * 2, -0.4);
    score(ctx, "target_gene", &s.in, 0, s.labels, 0, v, se);
    assert_near(v[0], over_g1 + over_g2, 1e-14);
    assert_near(se[0], sqrt(over_g1 * over_g1 + over_g2 * over_g2), 1e-14);
    assert_near(v[1], pow(1 * 2 * 2 * 2, -0.4), 1e-14);
    assert_near(v[2], 0, 0); /* a target, a gene, and no path */
    assert_true(isnan(se[2]) && isnan(v[3]) && isnan(se[3]));
    score(ctx, "target_gene", &s.in, 2, s.labels, 0, v, se);
    for (int k = 0; k < DRUGS; k++)
        assert_true(isnan(v[k])); /* d3 has no gene */
    /* c1-g1-p1-g2-d2: 2 1 | 1 2 | 1 2 | 1 2; c1-g2-p1-g2 is no path, so that c2 has none. */
    score(ctx, "pathway", &s.in, 1, s.labels, 0, v, se);
    assert_near(v[0], pow(2 * 1 * 1 * 2 * 1 * 2 * 1 * 2, -0.4), 1e-14);
    assert_near(v[1], 0, 0);
    assert_near(v[2], 0, 0);
    /* c3-g3-g2-d2: 1 1 | 1 2 | 1 2. */
    score(ctx, "interaction", &s.in, 1, s.labels, 0, v, se);
    assert_near(v[2], pow(1 * 1 * 1 * 2 * 1 * 2, -0.4), 1e-14);
    drop(&s);
}

static void test_degrees_by_hand(void **state)
{
    nep_ctx *ctx = *state;
    small s;
    double v[DRUGS], se[DRUGS];
    make(ctx, &s);
    s.labels[0 * DRUGS + 0] = NEP_LABEL_APPROVED;
    s.labels[1 * DRUGS + 0] = NEP_LABEL_SYMPTOMATIC;
    s.labels[2 * DRUGS + 0] = NEP_LABEL_APPROVED;
    s.labels[2 * DRUGS + 1] = NEP_LABEL_FAILED;
    const double targets[] = {2, 1, 1, 0}, effects[] = {2, 0, 0, 1}, uses[] = {2, 0, 0, 0}; /* that of the scored disorder does not count */
    for (int k = 0; k < DRUGS; k++) {
        score(ctx, "degree_targets", &s.in, 0, s.labels, 0, v, se);
        assert_near(v[k], log1p(targets[k]), 1e-15);
        score(ctx, "degree_side_effects", &s.in, 0, s.labels, 0, v, se);
        assert_near(v[k], log1p(effects[k]), 1e-15);
        score(ctx, "degree_uses", &s.in, 0, s.labels, 0, v, se);
        assert_near(v[k], log1p(uses[k]), 1e-15);
        assert_true(isnan(se[k]));
    }
    drop(&s);
}

static void test_missing_metaedge_is_named(void **state)
{
    nep_ctx *ctx = *state;
    small s;
    double v[DRUGS], se[DRUGS];
    make(ctx, &s);
    const nep_visible visible = {.disorder = 0, .own = s.labels, .others = s.labels};
    assert_fails(nep_channel_score(ctx, nep_channel_find("target_gene_gwas"), &s.in, &visible, 0, v, se), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "DgG"));
    nep_ctx_clear(ctx);
    drop(&s);
}

static void test_memory_runs_out(void **state)
{
    nep_ctx *ctx = *state;
    small s;
    double v[DRUGS], se[DRUGS];
    make(ctx, &s);
    const nep_visible visible = {.disorder = 0, .own = s.labels, .others = s.labels};
    const int64_t before = nep_alloc_used(ctx);
    nep_status st = NEP_E_NOMEM;
    int64_t k = 0;
    for (; st != NEP_OK && k < 500; k++) {
        nep_alloc_fail_at(ctx, k);
        st = nep_channel_score(ctx, nep_channel_find("pathway"), &s.in, &visible, 0, v, se);
        nep_ctx_clear(ctx);
        if (st != NEP_OK)
            assert_int_equal(nep_alloc_used(ctx), before);
    }
    nep_alloc_fail_at(ctx, -1);
    assert_true(st == NEP_OK && k > 5);
    drop(&s);
}

/* ---- on the synthetic study ---- */
static synthetic big;

static void test_explanations_sum(void **state)
{
    nep_ctx *ctx = *state;
    double v[S_DRUGS], se[S_DRUGS];
    nep_reason reasons[300];
    int n, told = 0, rests = 0;
    for (int c = 0; c < NEP_LEN(counted); c++) {
        const nep_visible visible = {.disorder = 1, .own = big.labels, .others = big.labels};
        score(ctx, counted[c], &big.in, 1, big.labels, 0, v, se);
        for (int k = 0; k < S_DRUGS; k++)
            for (int limit = 1; limit <= 300; limit += limit < 5 ? 1 : 295) {
                double sum = 0;
                assert_ok(ctx, nep_channel_explain(ctx, nep_channel_find(counted[c]), &big.in, &visible, k, limit, reasons, &n));
                assert_true(n <= limit);
                for (int i = 0; i < n; i++) {
                    sum += reasons[i].share;
                    rests += strstr(reasons[i].label, "further") != NULL;
                    told += reasons[i].label[0] == 'G' && strstr(reasons[i].detail, "CbG line ") != NULL;
                }
                assert_near(sum, isnan(v[k]) ? 0 : v[k], 1e-12);
            }
    }
    assert_true(told > 100 && rests > 50);
}

/* By edge at the drug the same score comes out, each target once, with as many paths as there are. */
static void test_edges_sum(void **state)
{
    nep_ctx *ctx = *state;
    double v[S_DRUGS], se[S_DRUGS];
    nep_reason edges[300], paths[300];
    int n, m, told = 0;
    for (int c = 0; c < NEP_LEN(counted); c++) {
        const nep_visible visible = {.disorder = 1, .own = big.labels, .others = big.labels};
        score(ctx, counted[c], &big.in, 1, big.labels, 0, v, se);
        for (int k = 0; k < S_DRUGS; k++) {
            double sum = 0;
            long paths_by_edge = 0;
            assert_ok(ctx, nep_channel_edges(ctx, nep_channel_find(counted[c]), &big.in, &visible, k, 300, edges, &n));
            assert_ok(ctx, nep_channel_explain(ctx, nep_channel_find(counted[c]), &big.in, &visible, k, 300, paths, &m));
            for (int i = 0; i < n; i++) {
                sum += edges[i].share;
                paths_by_edge += strtol(edges[i].detail, NULL, 10);
                for (int j = 0; j < i; j++)
                    assert_string_not_equal(edges[i].label, edges[j].label);
                told++;
            }
            assert_near(sum, isnan(v[k]) ? 0 : v[k], 1e-12);
            if (m < 300)
                assert_int_equal(paths_by_edge, m);
        }
    }
    assert_true(told > 50);
    const nep_visible visible = {.disorder = 1, .own = big.labels, .others = big.labels};
    assert_ok(ctx, nep_channel_edges(ctx, nep_channel_find("popularity"), &big.in, &visible, 0, 300, edges, &n));
    assert_int_equal(n, 0); /* counts no paths */
}

/* The same study with its drugs in another order says the same of each. */
static void test_order_of_drugs(void **state)
{
    nep_ctx *ctx = *state;
    static synthetic other;
    double v[S_DRUGS], se[S_DRUGS], w[S_DRUGS], wse[S_DRUGS];
    synthetic_make(&other);
    synthetic_network(ctx, &other);
    for (int k = 0; k < S_DRUGS; k++)
        other.ids[k] = big.id[(k * 7 + 3) % S_DRUGS];
    assert_ok(ctx, nep_inputs_prepare(ctx, &other.in, NULL));
    for (int c = 0; c < NEP_LEN(counted); c++) {
        score(ctx, counted[c], &big.in, 0, big.labels, 0, v, se);
        score(ctx, counted[c], &other.in, 0, other.labels, 0, w, wse);
        for (int k = 0; k < S_DRUGS; k++) {
            assert_near(w[k], v[(k * 7 + 3) % S_DRUGS], 0);
            assert_near(wse[k], se[(k * 7 + 3) % S_DRUGS], 0);
        }
    }
    nep_inputs_release(&other.in);
    nep_network_free(&other.network);
}

/* A redraw moves as far as its error says. */
static void test_redraws(void **state)
{
    nep_ctx *ctx = *state;
    enum { STREAMS = 400 };
    double v[S_DRUGS], se[S_DRUGS], w[S_DRUGS], square = 0;
    int64_t n = 0;
    score(ctx, "pathway", &big.in, 0, big.labels, 0, v, se);
    for (uint64_t stream = 1; stream <= STREAMS; stream++) {
        double scratch[S_DRUGS];
        score(ctx, "pathway", &big.in, 0, big.labels, stream, w, scratch);
        for (int k = 0; k < S_DRUGS; k++) {
            assert_true(isnan(w[k]) == isnan(v[k]) && !(w[k] < 0));
            if (v[k] > 2.5 * se[k]) {
                square += (w[k] - v[k]) * (w[k] - v[k]) / (se[k] * se[k]);
                n++;
            }
        }
    }
    assert_true(n > 3 * STREAMS);
    assert_near(square / (double)n, 1, 0.08);
}

/* ---- on the study of nervous-system disorders ---- */
static int64_t find_id(char *const *ids, int64_t n, const char *id)
{
    for (int64_t i = 0; i < n; i++)
        if (strcmp(ids[i], id) == 0)
            return i;
    return -1;
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
    char *disorders[] = {"DOID:14330", "DOID:5419", "DOID:1826", "DOID:8986", "DOID:0050741"};
    nep_label *labels = calloc((size_t)(m.n * NEP_LEN(disorders)), sizeof *labels);
    nep_inputs in = {.drugs = &m, .n_drugs = m.n, .n_disorders = NEP_LEN(disorders), .disorder_ids = disorders, .disorder_names = disorders,
                     .labels = labels, .network = &net, .mode = 'U', .score = 'B', .relative_occupancy = 0.75, .n_nulls = 199};
    assert_ok(ctx, nep_inputs_prepare(ctx, &in, NULL));
    assert_ok(ctx, nep_tsv_read(ctx, NEP_SOURCE_DIR "/tests/golden/paths_study.tsv", &golden));
    double *v = calloc((size_t)m.n, sizeof *v), *se = calloc((size_t)m.n, sizeof *se);
    for (int64_t r = 0; r < golden.n_rows; r++) {
        double want[5], got[5] = {0};
        for (int c = 0; c < 5; c++)
            assert_ok(ctx, nep_table_number(ctx, &golden, r, 2 + c, &want[c]));
        score(ctx, nep_table_cell(&golden, r, 0), &in, find_id(disorders, NEP_LEN(disorders), nep_table_cell(&golden, r, 1)), labels, 0, v, se);
        for (int64_t k = 0; k < m.n; k++) {
            got[0] += isnan(v[k]);
            got[1] += v[k] == 0;
            got[2] += isnan(v[k]) ? 0 : v[k];
            got[3] += isnan(se[k]) ? 0 : se[k];
            got[4] += isnan(v[k]) ? 0 : v[k] * (double)(k + 1);
        }
        for (int c = 0; c < 5; c++)
            assert_near(got[c], want[c], 1e-10 * fabs(want[c]));
    }
    assert_int_equal(golden.n_rows, 25);
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
    nep_ctx *ctx = *state = test_ctx(2);
    synthetic_make(&big);
    synthetic_network(ctx, &big);
    return nep_backend_choose(ctx, "cpu") != NEP_OK || nep_inputs_prepare(ctx, &big.in, NULL) != NEP_OK;
}

static int teardown(void **state)
{
    nep_inputs_release(&big.in);
    nep_network_free(&big.network);
    nep_ctx_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts_by_hand), cmocka_unit_test(test_degrees_by_hand), cmocka_unit_test(test_missing_metaedge_is_named),
        cmocka_unit_test(test_memory_runs_out), cmocka_unit_test(test_explanations_sum), cmocka_unit_test(test_edges_sum), cmocka_unit_test(test_order_of_drugs),
        cmocka_unit_test(test_redraws), cmocka_unit_test(test_against_scipy),
    };
    return test_end(cmocka_run_group_tests(tests, setup, teardown));
}
