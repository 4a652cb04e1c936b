/* SPDX-License-Identifier: Apache-2.0 */
/* Connectivity scores: against a naive walk, by hand with ties and one side, channels on a small study, and STARGEO against the drug
 * signatures of Hetionet. */
#include "synthetic_study.h"

#include <nepenthe/io.h>
#include <nepenthe/signature.h>

#include <jansson.h>

static double number(const json_t *of, const char *name)
{
    const json_t *v = json_object_get(of, name);
    return json_is_number(v) ? json_number_value(v) : (double)NAN;
}

static int64_t numbers(const json_t *of, const char *name, double *out)
{
    const json_t *list = json_object_get(of, name);
    for (size_t i = 0; i < json_array_size(list); i++)
        out[i] = json_is_number(json_array_get(list, i)) ? json_number_value(json_array_get(list, i)) : (double)NAN;
    return (int64_t)json_array_size(list);
}

static void check_case(nep_ctx *ctx, const char *name, const json_t *of, int64_t extreme)
{
    static const char *const methods[] = {"wtcs", "xsum", "cosine", "ks", "sum", "rges"};
    double z[60], weight[60], genes[60], up, down;
    int32_t gene[60];
    nep_signature_list list;
    assert_int_equal(numbers(of, "z", z), 60);
    const int64_t n = numbers(of, "gene", genes);
    numbers(of, "weight", weight);
    for (int64_t i = 0; i < n; i++)
        gene[i] = (int32_t)genes[i];
    const nep_signature_query query = {n, gene, weight};
    assert_ok(ctx, nep_signature_rank(ctx, z, 60, extreme, &list));
    for (int m = 0; m < NEP_SIGNATURE_METHODS; m++) {
        double score, se;
        assert_ok(ctx, nep_signature_score(ctx, &list, &query, (nep_signature_method)m, &score, &se));
        const double want = number(json_object_get(of, "score"), methods[m]), want_se = number(json_object_get(of, "se"), methods[m]);
        if (!test_close(score, want, 1e-10) || !test_close(se, want_se, 1e-8))
            fail_msg("%s, %s: got %.12g (%.12g) want %.12g (%.12g)", name, methods[m], score, se, want, want_se);
    }
    assert_ok(ctx, nep_signature_sides(ctx, &list, &query, &up, &down));
    assert_near(up, number(of, "es_up"), 1e-10);
    assert_near(down, number(of, "es_down"), 1e-10);
    nep_signature_free(&list);
}

static void test_golden(void **state)
{
    nep_ctx *ctx = *state;
    json_t *doc = NULL, *of;
    const char *name;
    double in[60], want[60], got[60], group[60], reference[600];
    int32_t groups[60];
    assert_ok(ctx, nep_json_read(ctx, TEST_GOLDEN("signature.json"), &doc));
    assert_true(json_object_size(json_object_get(doc, "cases")) > 15);
    json_object_foreach(json_object_get(doc, "cases"), name, of) check_case(ctx, name, of, (int64_t)number(doc, "extreme"));
    const int64_t n = numbers(doc, "wtcs", in);
    numbers(doc, "group", group);
    for (int64_t i = 0; i < n; i++)
        groups[i] = (int32_t)group[i];
    assert_ok(ctx, nep_signature_normalise(ctx, in, groups, n, number(doc, "floor"), got));
    numbers(doc, "ncs", want);
    for (int64_t i = 0; i < n; i++)
        assert_near(got[i], want[i], 1e-12);
    const int64_t n_reference = numbers(doc, "reference", reference);
    assert_ok(ctx, nep_signature_tau(ctx, got, n, reference, n_reference, in));
    numbers(doc, "tau", want);
    for (int64_t i = 0; i < n; i++)
        assert_near(in[i], want[i], 1e-12);
    assert_ok(ctx, nep_signature_tau(ctx, got, n, reference, 499, in));
    for (int64_t i = 0; i < n; i++)
        assert_true(isnan(in[i]));
    json_decref(doc);
}

/* Eight genes; up = the two first, so that ES_up = 1; the order within a block of equal z does not matter. */
static void test_by_hand(void **state)
{
    nep_ctx *ctx = *state;
    const double z[] = {4, 3, 2, 1, -1, -2, -3, -4, (double)NAN}, tied[] = {2, 2, 2, 2, -1, -1, -1, -1, (double)NAN};
    const int32_t gene[] = {0, 1, 5, 6, 7, 8}, other[] = {2, 3, 4, 5, 6, 8};
    const double weight[] = {1, 1, -1, -1, -1, -1};
    const nep_signature_query q = {6, gene, weight}, p = {6, other, weight}, up = {2, gene, weight};
    nep_signature_list list;
    double score, se, first, second;
    assert_ok(ctx, nep_signature_rank(ctx, z, 9, 2, &list));
    assert_int_equal(list.n_measured, 8);
    assert_near(list.norm, sqrt(16 + 9 + 9 + 16), 1e-15);
    assert_ok(ctx, nep_signature_score(ctx, &list, &q, NEP_SIGNATURE_WTCS, &score, &se));
    assert_near(score, 1, 1e-15); /* agrees wholly */
    assert_ok(ctx, nep_signature_score(ctx, &list, &q, NEP_SIGNATURE_SUM, &score, NULL));
    assert_near(score, 16, 0);
    assert_ok(ctx, nep_signature_score(ctx, &list, &q, NEP_SIGNATURE_XSUM, &score, &se));
    assert_near(score, 14, 0);
    assert_near(se, sqrt(4.0 / 5 * 10.8), 1e-14); /* parts 4, 3, 0 (not extreme), 3, 4 about their mean 2.8 */
    assert_ok(ctx, nep_signature_score(ctx, &list, &q, NEP_SIGNATURE_KS, &score, NULL));
    assert_near(score, 0.75 - -0.75, 1e-15); /* up: a = 2/2 - 2/8; down: b = 6/8 - 0 */
    assert_ok(ctx, nep_signature_score(ctx, &list, &up, NEP_SIGNATURE_WTCS, &score, &se));
    assert_true(isnan(score) && isnan(se)); /* two genes are too few */
    nep_signature_free(&list);
    assert_ok(ctx, nep_signature_rank(ctx, tied, 9, 2, &list));
    assert_ok(ctx, nep_signature_score(ctx, &list, &q, NEP_SIGNATURE_WTCS, &first, NULL));
    assert_ok(ctx, nep_signature_score(ctx, &list, &p, NEP_SIGNATURE_WTCS, &second, NULL));
    assert_near(first, second, 1e-15);
    assert_near(first, ((1 - 2.0 / 6) - -(4.0 / 5)) / 2, 1e-15);
    assert_true(nep_signature_is_extreme(&list, 3) && nep_signature_is_extreme(&list, 4) && !nep_signature_is_extreme(&list, 8));
    nep_signature_free(&list);
    const double flat[] = {0, 0, 0, 0, 0, 0};
    assert_ok(ctx, nep_signature_rank(ctx, flat, 6, 2, &list));
    assert_fails(nep_signature_score(ctx, &list, &q, NEP_SIGNATURE_WTCS, &score, NULL), NEP_E_ARG); /* gene 8 of 6 */
    nep_ctx_clear(ctx);
    const double whole[] = {1, 1, 1, -1, -1};
    const int32_t five[] = {0, 1, 2, 3, 4};
    assert_ok(ctx, nep_signature_score(ctx, &list, &(nep_signature_query){5, five, whole}, NEP_SIGNATURE_WTCS, &score, NULL));
    assert_true(isnan(score)); /* every z is 0: no weight to walk by */
    nep_signature_free(&list);
    assert_fails(nep_signature_rank(ctx, flat, 0, 2, &list), NEP_E_ARG);
    nep_ctx_clear(ctx);
}

/* Turning the list over turns the score over; the KS of 2006, whose two sides differ by 1 / N, is left out. */
static void test_turning(void **state)
{
    nep_ctx *ctx = *state;
    double z[80], turned[80], weight[80];
    int32_t gene[80];
    for (int i = 0; i < 80; i++) {
        z[i] = nep_philox_normal(4, 1, (uint64_t)i);
        turned[i] = -z[i];
        gene[i] = (int32_t)((i * 37) % 80);
        weight[i] = nep_philox_normal(4, 2, (uint64_t)i) > 0 ? 1 : -1;
    }
    nep_signature_list a, b;
    assert_ok(ctx, nep_signature_rank(ctx, z, 80, 10, &a));
    assert_ok(ctx, nep_signature_rank(ctx, turned, 80, 10, &b));
    int moved = 0;
    for (int n = 6; n < 40; n += 3)
        for (int m = 0; m < NEP_SIGNATURE_RGES; m++) {
            if (m == NEP_SIGNATURE_KS)
                continue;
            const nep_signature_query q = {n, gene, weight};
            double x, y;
            assert_ok(ctx, nep_signature_score(ctx, &a, &q, (nep_signature_method)m, &x, NULL));
            assert_ok(ctx, nep_signature_score(ctx, &b, &q, (nep_signature_method)m, &y, NULL));
            assert_near(x, -y, 1e-12);
            moved += fabs(x) > 0.01;
        }
    assert_true(moved > 30);
    nep_signature_free(&a);
    nep_signature_free(&b);
}

/* On the small study: channels turn the sign, explanations sum, threads do not matter, lists and sets both work, licences are dropped. */
static void test_channels(void **state)
{
    nep_ctx *ctx = *state, *other = test_ctx(3);
    static synthetic s, t;
    static const char *const names[] = {"reversal_wtcs", "reversal_xsum", "reversal_cosine"};
    for (int lists = 0; lists < 2; lists++) {
        synthetic_make(&s);
        synthetic_make(&t);
        synthetic_signatures(ctx, &s, lists);
        synthetic_signatures(other, &t, lists);
        nep_signatures *x = s.in.signatures;
        assert_ok(ctx, nep_signatures_prepare(ctx, x));
        assert_ok(other, nep_signatures_prepare(other, t.in.signatures));
        int known = 0, silent = 0, positive = 0;
        for (int c = 0; c < NEP_LEN(names); c++) {
            const nep_channel *channel = nep_channel_find(names[c]);
            double value[S_DRUGS], se[S_DRUGS];
            assert_memory_equal(x->value[c], t.in.signatures->value[c], S_DISORDERS * S_DRUGS * sizeof(double));
            assert_memory_equal(x->se[c], t.in.signatures->se[c], S_DISORDERS * S_DRUGS * sizeof(double));
            const nep_visible v = {.disorder = 1, .own = s.labels, .others = s.labels};
            assert_ok(ctx, nep_channel_score(ctx, channel, &s.in, &v, 0, value, se));
            for (int k = 0; k < S_DRUGS; k++) {
                nep_reason reasons[400];
                double sum = 0;
                int n = 0;
                assert_ok(ctx, nep_channel_explain(ctx, channel, &s.in, &v, k, 400, reasons, &n));
                for (int r = 0; r < n; r++)
                    sum += reasons[r].share;
                if (!isnan(value[k]))
                    assert_near(sum, value[k], 1e-10);
                known += !isnan(value[k]);
                silent += isnan(value[k]);
                positive += k % S_CLASSES == 1 && value[k] > 0;
            }
        }
        assert_true(known > 100 && silent > 10);
        assert_true(positive > 15); /* drugs of class 1 are made to undo disorder 1 */
        int64_t dropped[2];
        nep_signatures_keep_open(x, dropped);
        assert_true(dropped[0] > 0 && dropped[1] > 0);
        for (int64_t i = 0; i < x->drug_start[S_DRUGS]; i++)
            assert_string_equal(x->licences[x->drug_licence[i]], "CC0");
        nep_signatures_free(x);
        nep_signatures_free(t.in.signatures);
    }
    nep_ctx_free(other);
}

static void test_failing_memory(void **state)
{
    nep_ctx *ctx = *state;
    static synthetic s;
    for (int lists = 0; lists < 2; lists++) {
        synthetic_make(&s);
        synthetic_signatures(ctx, &s, lists);
        const int64_t before = nep_alloc_used(ctx);
        nep_status st = NEP_E_NOMEM;
        for (int64_t k = 0; st != NEP_OK && k < 200; k++) {
            nep_alloc_fail_at(ctx, k);
            st = nep_signatures_prepare(ctx, s.in.signatures);
            if (st != NEP_OK) {
                assert_int_equal(st, NEP_E_NOMEM);
                assert_int_equal(nep_alloc_used(ctx), before);
            }
            nep_ctx_clear(ctx);
        }
        nep_alloc_fail_at(ctx, -1);
        assert_int_equal(st, NEP_OK);
        nep_signatures_free(s.in.signatures);
    }
}

/* ---- STARGEO against Hetionet's drugs -------------------------------------------------------------------------------------- */
enum { MAX_DRUGS = 2000, SLOTS = 1 << 17 };

typedef struct {
    nep_signatures s;
    char *drugs[MAX_DRUGS], *disorders[16];
    long entrez[SLOTS];  /* a hash table: number + 1, 0 = free */
    int32_t gene[SLOTS];
} real;

/* The gene's index by its Entrez number, a new one where it has none yet. */
static int32_t gene_of(real *r, const char *cell)
{
    const long number_of = strtol(cell, NULL, 10) + 1;
    size_t slot = (size_t)number_of * 2654435761u % SLOTS;
    while (r->entrez[slot] && r->entrez[slot] != number_of)
        slot = (slot + 1) % SLOTS;
    if (!r->entrez[slot]) {
        r->entrez[slot] = number_of;
        r->gene[slot] = (int32_t)r->s.n_genes++;
    }
    return r->gene[slot];
}

static int64_t index_of(char **list, int64_t *n, const char *name)
{
    for (int64_t i = 0; i < *n; i++)
        if (strcmp(list[i], name) == 0)
            return i;
    list[*n] = strdup(name);
    return (*n)++;
}

static void read_real(nep_ctx *ctx, const char *folder, real *r)
{
    char path[4500];
    nep_table signatures, edges[2];
    snprintf(path, sizeof path, "%s/stargeo/ns_disease_signatures.tsv.gz", folder);
    assert_ok(ctx, nep_tsv_read(ctx, path, &signatures));
    for (int side = 0; side < 2; side++) {
        snprintf(path, sizeof path, "%s/hetionet/%s.tsv.gz", folder, side ? "CdG" : "CuG");
        assert_ok(ctx, nep_tsv_read(ctx, path, &edges[side]));
    }
    nep_signatures *s = &r->s;
    for (int pass = 0; pass < 3; pass++) {
        const nep_table *t = pass ? &edges[pass - 1] : &signatures;
        for (int64_t i = 0; i < t->n_rows; i++)
            gene_of(r, nep_table_cell(t, i, 1));
    }
    for (int64_t i = 0; i < signatures.n_rows; i++)
        if (i == 0 || strcmp(nep_table_cell(&signatures, i, 0), nep_table_cell(&signatures, i - 1, 0)) != 0)
            index_of(r->disorders, &s->n_disorders, nep_table_cell(&signatures, i, 0));
    for (int side = 0; side < 2; side++)
        for (int64_t i = 0; i < edges[side].n_rows; i++)
            index_of(r->drugs, &s->n_drugs, nep_table_cell(&edges[side], i, 0));
    assert_ok(ctx, nep_alloc(ctx, s->n_disorders * s->n_genes, sizeof(double), "z", &s->disorder_z));
    for (int64_t i = 0; i < s->n_disorders * s->n_genes; i++)
        s->disorder_z[i] = (double)NAN;
    const int64_t z = nep_table_column(&signatures, "random_z");
    for (int64_t i = 0, j; i < signatures.n_rows; i++) {
        j = index_of(r->disorders, &s->n_disorders, nep_table_cell(&signatures, i, 0));
        if (nep_table_cell(&signatures, i, z))
            s->disorder_z[j * s->n_genes + gene_of(r, nep_table_cell(&signatures, i, 1))] = strtod(nep_table_cell(&signatures, i, z), NULL);
    }
    const int64_t n = edges[0].n_rows + edges[1].n_rows;
    assert_ok(ctx, nep_alloc(ctx, s->n_drugs + 1, sizeof(int64_t), "start", &s->drug_start));
    assert_ok(ctx, nep_alloc(ctx, n, sizeof(int32_t), "genes", &s->drug_gene));
    assert_ok(ctx, nep_alloc(ctx, n, sizeof(double), "weights", &s->drug_weight));
    int64_t *drug = calloc((size_t)n, sizeof *drug), *fill = calloc(MAX_DRUGS, sizeof *fill);
    for (int64_t i = 0; i < n; i++) {
        const nep_table *t = &edges[i >= edges[0].n_rows];
        drug[i] = index_of(r->drugs, &s->n_drugs, nep_table_cell(t, i >= edges[0].n_rows ? i - edges[0].n_rows : i, 0));
        s->drug_start[drug[i] + 1]++;
    }
    for (int64_t k = 0; k < s->n_drugs; k++)
        s->drug_start[k + 1] += s->drug_start[k];
    for (int64_t i = 0; i < n; i++) {
        const bool down = i >= edges[0].n_rows;
        const int64_t at = s->drug_start[drug[i]] + fill[drug[i]]++;
        s->drug_gene[at] = gene_of(r, nep_table_cell(&edges[down], down ? i - edges[0].n_rows : i, 1));
        s->drug_weight[at] = down ? -1 : 1;
    }
    free(drug);
    free(fill);
    nep_table_free(&signatures);
    nep_table_free(&edges[0]);
    nep_table_free(&edges[1]);
}

/* AUROC of one disorder over the drugs that the channel scores, recorded treatments (POS) against all others, ties half. */
static double auroc(const real *r, const nep_table *truth, int64_t disorder, int method, int *n_pos)
{
    const int64_t of = nep_table_column(truth, "doid"), drug = nep_table_column(truth, "drugbank_id"), label = nep_table_column(truth, "label");
    static signed char positive[MAX_DRUGS];
    double wins = 0, all = 0;
    memset(positive, 0, sizeof positive);
    *n_pos = 0;
    for (int64_t i = 0; i < truth->n_rows; i++)
        if (nep_table_cell(truth, i, of) && strcmp(nep_table_cell(truth, i, of), r->disorders[disorder]) == 0 &&
            strcmp(nep_table_cell(truth, i, label), "POS") == 0)
            for (int64_t k = 0; k < r->s.n_drugs; k++)
                if (nep_table_cell(truth, i, drug) && strcmp(nep_table_cell(truth, i, drug), r->drugs[k]) == 0)
                    positive[k] = 1;
    const double *value = r->s.value[method] + disorder * r->s.n_drugs;
    for (int64_t p = 0; p < r->s.n_drugs; p++) {
        if (!positive[p] || isnan(value[p]))
            continue;
        (*n_pos)++;
        for (int64_t k = 0; k < r->s.n_drugs; k++)
            if (!positive[k] && !isnan(value[k])) {
                all++;
                wins += value[p] > value[k] ? 1 : value[p] == value[k] ? 0.5 : 0;
            }
    }
    return wins / all;
}

/* The figures of docs/channels.md, for disorders with ten or more recorded treatments among the drugs with a signature. */
static void test_stargeo(void **state)
{
    static const struct {
        const char *doid;
        int n;
        double auroc[NEP_SIGNATURES_CHANNELS];
    } known[] = {{"DOID:14330", 15, {0.582, 0.505, 0.505}}, {"DOID:2377", 24, {0.455, 0.470, 0.467}}, {"DOID:5419", 28, {0.625, 0.502, 0.519}},
                 {"DOID:3312", 21, {0.542, 0.560, 0.571}},  {"DOID:1595", 24, {0.549, 0.646, 0.658}}};
    int checked = 0;
    nep_ctx *ctx = *state;
    static real r;
    const char *shared = test_shared();
    char folder[4200], path[4400];
    nep_table truth;
    snprintf(folder, sizeof folder, "%s/data/ranking", shared ? shared : "");
    snprintf(path, sizeof path, "%s/ns_truth_v1.tsv", folder);
    if (!shared || !nep_file_exists(path))
        test_skip();
    assert_ok(ctx, nep_tsv_read(ctx, path, &truth));
    read_real(ctx, folder, &r);
    assert_ok(ctx, nep_signatures_prepare(ctx, &r.s));
    assert_int_equal(r.s.n_disorders, 10);
    assert_int_equal(r.s.n_drugs, 797);
    for (int64_t j = 0; j < r.s.n_disorders; j++)
        for (int d = 0; d < NEP_LEN(known); d++)
            for (int m = 0; m < NEP_SIGNATURES_CHANNELS && strcmp(r.disorders[j], known[d].doid) == 0; m++) {
                int n;
                const double got = auroc(&r, &truth, j, m, &n);
                assert_int_equal(n, known[d].n);
                assert_true(fabs(got - known[d].auroc[m]) < 0.001);
                checked++;
            }
    assert_int_equal(checked, 3 * NEP_LEN(known));
    for (int64_t k = 0; k < r.s.n_drugs; k++)
        free(r.drugs[k]);
    for (int64_t j = 0; j < r.s.n_disorders; j++)
        free(r.disorders[j]);
    nep_table_free(&truth);
    nep_signatures_free(&r.s);
}

static int setup(void **state)
{
    *state = test_ctx(1);
    return 0;
}

static int teardown(void **state)
{
    const int leaked = nep_alloc_used(*state) != 0;
    nep_ctx_free(*state);
    return leaked;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),   cmocka_unit_test(test_by_hand),        cmocka_unit_test(test_turning),
        cmocka_unit_test(test_channels), cmocka_unit_test(test_failing_memory), cmocka_unit_test(test_stargeo),
    };
    return test_end(cmocka_run_group_tests(tests, setup, teardown));
}
