/* SPDX-License-Identifier: Apache-2.0 */
/* test_rephetio - the published model over Hetionet against its own published predictions and performance. The edge lists are made by
 * tests/studies/make_hetionet.py into $NEPENTHE_HETIONET. */
#include "support.h"

#include <time.h>

#include <nepenthe/graph.h>
#include <nepenthe/io.h>

typedef struct {
    nep_ctx *ctx;
    nep_network net;
    nep_rephetio_model model;
    nep_rephetio r;
    int64_t c, d; /* kinds */
} fixture;

static fixture f;

/* Node within the pairs, -1 when it is none of them. */
static int64_t among(const int32_t *node, int64_t n, int64_t want)
{
    for (int64_t i = 0; i < n; i++)
        if (node[i] == want)
            return i;
    return -1;
}

static double probability_of(const char *compound, const char *disease)
{
    const int64_t c = among(f.r.compound, f.r.n_compounds, nep_network_find_node(&f.net, f.c, compound));
    const int64_t d = among(f.r.disease, f.r.n_diseases, nep_network_find_node(&f.net, f.d, disease));
    return c < 0 || d < 0 ? (double)NAN : f.r.probability[c * f.r.n_diseases + d];
}

/* Node by the name it is called, -1 when absent. */
static int64_t by_name(int64_t kind, const char *name)
{
    for (int64_t i = 0; i < f.net.kind[kind].n; i++)
        if (f.net.kind[kind].label[i] && strcmp(f.net.kind[kind].label[i], name) == 0)
            return i;
    return -1;
}

static const char *shared_file(const char *name)
{
    static char path[2][4200];
    static int next;
    next = !next;
    snprintf(path[next], sizeof path[next], "%s/data/ranking/%s", test_shared(), name);
    return path[next];
}

static void test_pairs_are_those_of_the_publication(void **state)
{
    (void)state;
    assert_int_equal(f.r.n_compounds, 1538);
    assert_int_equal(f.r.n_diseases, 136);
    assert_near(f.r.prevalence, 755.0 / 209168.0, 0);
    assert_int_equal(f.r.n_terms, f.model.n);
    assert_int_equal(f.model.n, 30);
}

/* The 3,980 pairs with a published probability above 1 %. */
static void test_published_predictions(void **state)
{
    nep_table t = {0};
    int64_t drug, disease, prediction, n = 0;
    double x = 0, y = 0, xx = 0, yy = 0, xy = 0;
    (void)state;
    assert_ok(f.ctx, nep_tsv_read(f.ctx, shared_file("rephetio/top_predictions_3980.tsv.gz"), &t));
    assert_ok(f.ctx, nep_table_need(f.ctx, &t, "compound_name", &drug));
    assert_ok(f.ctx, nep_table_need(f.ctx, &t, "disease_name", &disease));
    assert_ok(f.ctx, nep_table_need(f.ctx, &t, "prediction", &prediction));
    for (int64_t i = 0; i < t.n_rows; i++) {
        const int64_t c = among(f.r.compound, f.r.n_compounds, by_name(f.c, nep_table_cell(&t, i, drug)));
        const int64_t d = among(f.r.disease, f.r.n_diseases, by_name(f.d, nep_table_cell(&t, i, disease)));
        double want;
        assert_ok(f.ctx, nep_table_number(f.ctx, &t, i, prediction, &want));
        assert_true(c >= 0 && d >= 0);
        const double got = f.r.probability[c * f.r.n_diseases + d];
        n++;
        x += got;
        y += want;
        xx += got * got;
        yy += want * want;
        xy += got * want;
    }
    const double m = (double)n, r = (xy - x * y / m) / sqrt((xx - x * x / m) * (yy - y * y / m));
    assert_int_equal(n, 3980);
    print_message("Pearson with 3,980 published predictions: %.6f\n", r);
    assert_true(r >= 0.9995);
    nep_table_free(&t);
}

typedef struct {
    double score;
    bool positive;
} scored;

static int by_score(const void *a, const void *b)
{
    const double x = ((const scored *)a)->score, y = ((const scored *)b)->score;
    return x < y ? -1 : x > y;
}

/* AUROC with mid-ranks. */
static double auroc(scored *s, int64_t n)
{
    double ranks = 0, positives = 0;
    qsort(s, (size_t)n, sizeof *s, by_score);
    for (int64_t i = 0, next; i < n; i = next) {
        for (next = i; next < n && s[next].score == s[i].score; next++)
            ;
        for (int64_t k = i; k < next; k++)
            if (s[k].positive) {
                ranks += (double)(i + next + 1) / 2;
                positives++;
            }
    }
    return (ranks - positives * (positives + 1) / 2) / (positives * ((double)n - positives));
}

/* Positive: edges of a table `column` (drug) and doid whose category is this; left out: other rows of the indication tables. */
static int mark(char *of, const char *file, const char *drug, const char *disease, const char *category, const char *want, char mark_as)
{
    nep_table t = {0};
    int64_t a, b, k;
    int n = 0;
    assert_ok(f.ctx, nep_tsv_read(f.ctx, shared_file(file), &t));
    assert_ok(f.ctx, nep_table_need(f.ctx, &t, drug, &a));
    assert_ok(f.ctx, nep_table_need(f.ctx, &t, disease, &b));
    assert_ok(f.ctx, nep_table_need(f.ctx, &t, category, &k));
    for (int64_t i = 0; i < t.n_rows; i++) {
        const char *word = nep_table_cell(&t, i, k);
        const int64_t c = among(f.r.compound, f.r.n_compounds, nep_network_find_node(&f.net, f.c, nep_table_cell(&t, i, a)));
        const int64_t d = among(f.r.disease, f.r.n_diseases, nep_network_find_node(&f.net, f.d, nep_table_cell(&t, i, b)));
        if (c >= 0 && d >= 0 && strcmp(word ? word : "", want) == 0) {
            of[c * f.r.n_diseases + d] = mark_as;
            n++;
        }
    }
    nep_table_free(&t);
    return n;
}

static double auroc_of(const char *of)
{
    const int64_t n = f.r.n_compounds * f.r.n_diseases;
    scored *s = calloc((size_t)n, sizeof *s);
    int64_t kept = 0;
    for (int64_t i = 0; i < n; i++)
        if (of[i] != 'x')
            s[kept++] = (scored){f.r.probability[i], of[i] == 'p'};
    const double a = auroc(s, kept);
    free(s);
    return a;
}

static void test_published_performance(void **state)
{
    char *of = calloc((size_t)(f.r.n_compounds * f.r.n_diseases), 1);
    (void)state;
    assert_int_equal(mark(of, "pharmacotherapydb/indications.tsv", "drugbank_id", "doid_id", "category", "DM", 'p'), 755);
    const double training = auroc_of(of);
    print_message("AUROC on the 755 treatments of PharmacotherapyDB: %.5f\n", training);
    assert_true(fabs(training - 0.9744) <= 0.0005);
    assert_int_equal(mark(of, "drugcentral/indications.tsv", "drugbank_id", "doid_id", "category", "", 'p'), 208);
    assert_int_equal(mark(of, "pharmacotherapydb/indications.tsv", "drugbank_id", "doid_id", "category", "DM", 'x'), 755);
    assert_int_equal(mark(of, "pharmacotherapydb/indications.tsv", "drugbank_id", "doid_id", "category", "SYM", 'x'), 390);
    assert_int_equal(mark(of, "pharmacotherapydb/indications.tsv", "drugbank_id", "doid_id", "category", "NOT", 'x'), 243);
    const double external = auroc_of(of);
    print_message("AUROC on 208 indications of DrugCentral that it never saw: %.5f\n", external);
    assert_true(fabs(external - 0.8543) <= 0.001);
    free(of);
}

/* The same model computed elsewhere with SciPy's sparse matrices, to the six digits of its table, over all pairs. */
static void test_all_pairs_against_scipy(void **state)
{
    nep_table t = {0};
    int64_t drug, disease, probability;
    (void)state;
    assert_ok(f.ctx, nep_tsv_read(f.ctx, shared_file("rephetio/recomputed_probabilities.tsv.gz"), &t));
    assert_ok(f.ctx, nep_table_need(f.ctx, &t, "drugbank_id", &drug));
    assert_ok(f.ctx, nep_table_need(f.ctx, &t, "doid", &disease));
    assert_ok(f.ctx, nep_table_need(f.ctx, &t, "probability", &probability));
    assert_int_equal(t.n_rows, 209168);
    for (int64_t i = 0; i < t.n_rows; i++) {
        double want;
        assert_ok(f.ctx, nep_table_number(f.ctx, &t, i, probability, &want));
        const double got = probability_of(nep_table_cell(&t, i, drug), nep_table_cell(&t, i, disease));
        if (!(fabs(got - want) <= 6e-6 * want))
            fail_msg("%s %s: got %.9g want %.9g", nep_table_cell(&t, i, drug), nep_table_cell(&t, i, disease), got, want);
    }
    nep_table_free(&t);
}

/* Published for three pairs; the network at hand lacks three metaedges and part of a fourth, which moves them by less than 1 %. */
static void test_golden_pairs(void **state)
{
    static const struct {
        const char *compound, *disease;
        double published;
    } pair[] = {{"DB00282", "DOID:11476", 0.886898558}, {"DB00630", "DOID:11476", 0.884991133}, {"DB00659", "DOID:5419", 0.008509}};
    (void)state;
    for (int i = 0; i < NEP_LEN(pair); i++) /* pamidronate and alendronate, osteoporosis; acamprosate, schizophrenia */
        assert_true(fabs(probability_of(pair[i].compound, pair[i].disease) / pair[i].published - 1) < 0.01);
}

/* The terms are the whole of the logit. */
static void test_terms_add_up(void **state)
{
    const int64_t n = f.r.n_compounds * f.r.n_diseases;
    (void)state;
    for (int64_t i = 0; i < n; i += 997) {
        double logit = f.model.intercept + f.model.prior * log(f.r.prevalence / (1 - f.r.prevalence));
        for (int64_t t = 0; t < f.r.n_terms; t++)
            logit += f.r.term[t * n + i];
        assert_near(1 / (1 + exp(-logit)), f.r.probability[i], 1e-12);
    }
}

int main(void)
{
    const char *folder = getenv("NEPENTHE_HETIONET");
    char path[4300];
    nep_table t = {0};
    if (!test_shared() || !folder)
        return NEP_TEST_SKIPPED;
    snprintf(path, sizeof path, "%s/network.yaml", folder);
    f.ctx = test_ctx(2);
    if (!nep_file_exists(path) || nep_network_read(f.ctx, path, NULL, &f.net) != NEP_OK || nep_tsv_read(f.ctx, NEP_SOURCE_DIR "/data/rephetio.tsv", &t) != NEP_OK ||
        nep_rephetio_from_table(f.ctx, &t, &f.model) != NEP_OK) {
        printf("%s\n", nep_ctx_error(f.ctx));
        return 1;
    }
    f.c = nep_network_find_kind(&f.net, "C");
    f.d = nep_network_find_kind(&f.net, "D");
    const clock_t start = clock();
    if (nep_rephetio_predict(f.ctx, &f.net, &f.model, NULL, true, &f.r) != NEP_OK) {
        printf("%s\n", nep_ctx_error(f.ctx));
        return 1;
    }
    printf("CPU seconds after loading: %.3f\n", (double)(clock() - start) / CLOCKS_PER_SEC);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs_are_those_of_the_publication),
        cmocka_unit_test(test_published_predictions),
        cmocka_unit_test(test_published_performance),
        cmocka_unit_test(test_all_pairs_against_scipy),
        cmocka_unit_test(test_golden_pairs),
        cmocka_unit_test(test_terms_add_up),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    nep_rephetio_free(&f.r);
    nep_rephetio_model_free(&f.model);
    nep_network_free(&f.net);
    nep_table_free(&t);
    nep_ctx_free(f.ctx);
    return failed;
}
