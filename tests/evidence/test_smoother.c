/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbours against a ridge that is fitted anew without the hidden drugs; kinship, transfers and path counts by hand. */
#include "evidence/kinship.h"
#include "evidence/paths.h"
#include "evidence/smoother.h"
#include "synthetic_network.h"

#include <nepenthe/rank.h>

#include <math.h>

static synthetic s;
static nep_network net;
static nep_label no_others[S_DISORDERS * S_DRUGS];

/* Solves a x = b for symmetric positive definite a [m, m] by elimination; a and b are overwritten. */
static void solve(double *a, double *b, int m)
{
    for (int i = 0; i < m; i++) {
        for (int r = i + 1; r < m; r++) {
            const double f = a[r * m + i] / a[i * m + i];
            for (int c = i; c < m; c++)
                a[r * m + c] -= f * a[i * m + c];
            b[r] -= f * b[i];
        }
    }
    for (int i = m - 1; i >= 0; i--) {
        for (int c = i + 1; c < m; c++)
            b[i] -= a[i * m + c] * b[c];
        b[i] /= a[i * m + i];
    }
}

/* The kernel as documented: 1 + targets + actions + 3 side effects + classes. */
static void make_kernel(nep_ctx *ctx, double *k)
{
    static const double weight[NEP_KERNEL_COUNT] = {1, 1, 3, 1};
    bool known[S_DRUGS] = {false}, there;
    for (int i = 0; i < S_DRUGS * S_DRUGS; i++)
        k[i] = 1;
    for (int w = 0; w < NEP_KERNEL_COUNT; w++) {
        assert_ok(ctx, evidence_kernels_add(ctx, &s.in, w, weight[w], k, known, &there));
        assert_true(there);
    }
}

static void test_neighbours_is_the_ridge_without_the_hidden(void **state)
{
    nep_ctx *ctx = *state;
    const nep_mask *const masks[] = {&s.in.itself, &s.in.similar};
    static double k[S_DRUGS * S_DRUGS], a[S_DRUGS * S_DRUGS];
    const double lambda = 6;
    make_kernel(ctx, k);
    for (int m = 0; m < 2; m++) {
        const nep_visible v = {.disorder = 0, .own = s.labels, .others = no_others, .mask = masks[m]};
        double value[S_DRUGS], se[S_DRUGS];
        int larger = 0;
        assert_ok(ctx, nep_channel_score(ctx, nep_channel_find("neighbours"), &s.in, &v, 0, value, se));
        for (int d = 0; d < S_DRUGS; d++) {
            int kept[S_DRUGS], n = 0;
            double y[S_DRUGS], want = 0;
            if (isnan(value[d]))
                continue;
            for (int i = 0; i < S_DRUGS; i++)
                if (!nep_visible_hides(&v, d, i))
                    kept[n++] = i;
            larger += n < S_DRUGS - 1;
            for (int i = 0; i < n; i++) {
                y[i] = nep_label_indicated(s.labels[kept[i]]);
                for (int j = 0; j < n; j++)
                    a[i * n + j] = k[kept[i] * S_DRUGS + kept[j]] + (i == j ? lambda : 0);
            }
            solve(a, y, n);
            for (int i = 0; i < n; i++)
                want += k[d * S_DRUGS + kept[i]] * y[i];
            assert_near(value[d], want, 1e-10);
            assert_true(se[d] >= 0);
        }
        assert_true(m == 0 ? larger == 0 : larger > 5);
        assert_true(!isnan(value[0]) && isnan(value[S_DRUGS - 1])); /* the last drug has no row in any kernel */
    }
}

/* The doubt of a drug is the variance that the ridge, fitted anew without it, leaves it, in units of a label's; neighbours and
 * gene_neighbours take it times the SD of what they smooth. */
static void test_errors(void **state)
{
    nep_ctx *ctx = *state;
    static double k[S_DRUGS * S_DRUGS], a[S_DRUGS * S_DRUGS];
    const double lambda = 6;
    const nep_visible v = {.disorder = 1, .own = s.labels + S_DRUGS, .others = no_others, .mask = &s.in.itself};
    double labels[S_DRUGS], genes[S_DRUGS], y[S_DRUGS], value[S_DRUGS], level = 0, mean = 0, centre = 0, squares = 0;
    int told = 0;
    make_kernel(ctx, k);
    assert_ok(ctx, evidence_paths_read(ctx, &s.in, NEP_PATHS_GENE, 1, y, NULL));
    for (int d = 0; d < S_DRUGS; d++) {
        level += nep_label_indicated(s.labels[S_DRUGS + d]) / (double)S_DRUGS;
        mean += isnan(y[d]) ? 0 : y[d] / S_DRUGS;
    }
    for (int d = 0; d < S_DRUGS; d++) {
        y[d] = isnan(y[d]) ? 0 : asinh(y[d] / mean);
        centre += y[d] / S_DRUGS;
    }
    for (int d = 0; d < S_DRUGS; d++)
        squares += (y[d] - centre) * (y[d] - centre) / S_DRUGS;
    assert_ok(ctx, nep_channel_score(ctx, nep_channel_find("neighbours"), &s.in, &v, 0, value, labels));
    assert_ok(ctx, nep_channel_score(ctx, nep_channel_find("gene_neighbours"), &s.in, &v, 0, value, genes));
    for (int d = 0; d < S_DRUGS; d++) {
        double to[S_DRUGS], left = k[d * S_DRUGS + d];
        int kept[S_DRUGS], n = 0;
        assert_true(isnan(genes[d]) == isnan(value[d]));
        if (isnan(labels[d]))
            continue;
        for (int i = 0; i < S_DRUGS; i++)
            if (i != d)
                kept[n++] = i;
        for (int i = 0; i < n; i++) {
            to[i] = k[d * S_DRUGS + kept[i]];
            for (int j = 0; j < n; j++)
                a[i * n + j] = k[kept[i] * S_DRUGS + kept[j]] + (i == j ? lambda : 0);
        }
        solve(a, to, n);
        for (int i = 0; i < n; i++)
            left -= k[d * S_DRUGS + kept[i]] * to[i];
        assert_near(labels[d], sqrt(level * (1 - level) * left / lambda), 1e-10);
        assert_near(genes[d], sqrt(squares * left / lambda), 1e-10);
        told += genes[d] > 0;
    }
    assert_true(told > S_DRUGS / 2);
}

/* Cosine of two drugs' classes, idf-weighted, worked out here. */
static void test_class_kernel_by_hand(void **state)
{
    nep_ctx *ctx = *state;
    static double k[S_DRUGS * S_DRUGS];
    bool known[S_DRUGS] = {false}, there;
    const int64_t e = nep_network_find_metaedge(&net, "PCiC");
    const nep_network_side *in = &net.metaedge[e].in;
    assert_ok(ctx, evidence_kernels_add(ctx, &s.in, NEP_KERNEL_CLASSES, 1, k, known, &there));
    int filled = 0;
    for (int d = 0; d < S_DRUGS; d++)
        filled += known[d];
    for (int a = 0; a < S_DRUGS; a += 7)
        for (int b = 0; b < S_DRUGS; b += 5) {
            double dot = 0, x = 0, y = 0;
            for (int64_t c = 0; c < S_CLASSES; c++) {
                const double idf = log((filled + 1.0) / (double)nep_network_degree(&net, e, false, c));
                const bool has_a = s.in.drug_node[a] >= 0 && nep_network_find_edge(&net, e, c, s.in.drug_node[a]) >= 0,
                           has_b = s.in.drug_node[b] >= 0 && nep_network_find_edge(&net, e, c, s.in.drug_node[b]) >= 0;
                dot += has_a && has_b ? idf * idf : 0;
                x += has_a ? idf * idf : 0;
                y += has_b ? idf * idf : 0;
            }
            assert_near(k[a * S_DRUGS + b], x > 0 && y > 0 ? dot / sqrt(x * y) : 0, 1e-12);
        }
    assert_non_null(in->start);
}

static void test_explanations_add_up(void **state)
{
    nep_ctx *ctx = *state;
    static const char *const names[] = {"neighbours", "transfer", "transfer_close", "other_uses", "gene_neighbours", "target_gene", "pathway", "interaction"};
    const nep_visible v = {.disorder = 1, .own = s.labels + S_DRUGS, .others = s.labels};
    static nep_label others[S_DISORDERS * S_DRUGS];
    nep_visible seen = v;
    memcpy(others, s.labels, sizeof others);
    memset(others + S_DRUGS, 0, S_DRUGS * sizeof *others);
    seen.others = others;
    for (int c = 0; c < NEP_LEN(names); c++) {
        double value[S_DRUGS], se[S_DRUGS];
        int told = 0;
        assert_ok(ctx, nep_channel_score(ctx, nep_channel_find(names[c]), &s.in, &seen, 0, value, se));
        for (int d = 0; d < S_DRUGS; d += 3) {
            static nep_reason reasons[4000];
            double sum = 0;
            int n = 0;
            assert_ok(ctx, nep_channel_explain(ctx, nep_channel_find(names[c]), &s.in, &seen, d, 4000, reasons, &n));
            for (int i = 0; i < n; i++) {
                assert_true(strlen(reasons[i].label) > 0 && strlen(reasons[i].detail) > 0);
                sum += reasons[i].share;
            }
            told += n;
            if (!isnan(value[d]))
                assert_near(sum, value[d], 1e-9 * (1 + fabs(value[d])));
        }
        assert_true(told > 3);
    }
}

/* other_uses is the sum of the kinship weights over what the drug is recorded for; no weight comes from the scored disorder. */
static void test_other_uses_by_hand(void **state)
{
    nep_ctx *ctx = *state;
    static nep_label others[S_DISORDERS * S_DRUGS];
    double weight[S_DISORDERS], count[S_DISORDERS], value[S_DRUGS], se[S_DRUGS];
    memcpy(others, s.labels, sizeof others);
    memset(others + 2 * S_DRUGS, 0, S_DRUGS * sizeof *others);
    const nep_visible v = {.disorder = 2, .own = s.labels + 2 * S_DRUGS, .others = others};
    assert_ok(ctx, evidence_kinship_weights(ctx, &s.in, &v, 2, weight, count));
    assert_true(weight[2] == 0 && count[2] == 0);
    assert_ok(ctx, nep_channel_score(ctx, nep_channel_find("other_uses"), &s.in, &v, 0, value, se));
    double any = 0;
    for (int d = 0; d < S_DRUGS; d++) {
        double want = 0;
        for (int j = 0; j < S_DISORDERS; j++)
            want += nep_label_indicated(others[j * S_DRUGS + d]) ? weight[j] : 0;
        assert_near(value[d], want, 1e-14);
        any += want;
    }
    assert_true(any > 0);
}

/* Each use that other_uses counts names the label that it rests on, and so does each treatment of neighbours: the report adds its source. */
static void test_rows_name_their_record(void **state)
{
    nep_ctx *ctx = *state;
    static nep_label others[S_DISORDERS * S_DRUGS];
    int uses = 0, treatments = 0;
    memcpy(others, s.labels, sizeof others);
    memset(others + 2 * S_DRUGS, 0, S_DRUGS * sizeof *others);
    const nep_visible v = {.disorder = 2, .own = s.labels + 2 * S_DRUGS, .others = others};
    for (int d = 0; d < S_DRUGS; d++) {
        static nep_reason reasons[S_DRUGS];
        int n = 0;
        assert_ok(ctx, nep_channel_explain(ctx, nep_channel_find("other_uses"), &s.in, &v, d, S_DRUGS, reasons, &n));
        for (int i = 0; i < n; i++) {
            const int64_t at = reasons[i].record - 1;
            assert_int_equal(at % S_DRUGS, d);
            assert_true(nep_label_indicated(others[at]));
            assert_string_equal(reasons[i].label, s.in.disorder_names[at / S_DRUGS]);
            uses++;
        }
        assert_ok(ctx, nep_channel_explain(ctx, nep_channel_find("neighbours"), &s.in, &v, d, S_DRUGS, reasons, &n));
        for (int i = 0; i < n; i++) {
            const int64_t at = reasons[i].record - 1;
            assert_true(at / S_DRUGS == 2 && nep_label_indicated(s.labels[at]));
            assert_string_equal(reasons[i].label, s.in.drugs->names[at % S_DRUGS]);
            treatments++;
        }
        assert_ok(ctx, nep_channel_explain(ctx, nep_channel_find("transfer"), &s.in, &v, d, S_DRUGS, reasons, &n));
        for (int i = 0; i < n; i++)
            assert_int_equal(reasons[i].record, 0); /* drugs like it, not it: no one record */
    }
    assert_true(uses > 3 && treatments > 10);
}

static void test_no_gene_no_evidence(void **state)
{
    nep_ctx *ctx = *state;
    double value[S_DRUGS], se[S_DRUGS];
    const nep_visible v = {.disorder = S_DISORDERS - 1, .own = s.labels, .others = no_others};
    assert_ok(ctx, nep_channel_score(ctx, nep_channel_find("target_gene_gwas"), &s.in, &v, 0, value, se));
    for (int d = 0; d < S_DRUGS; d++)
        assert_true(isnan(value[d])); /* the last disorder has no gene there */
    assert_ok(ctx, nep_channel_score(ctx, nep_channel_find("target_gene"), &s.in, &v, 0, value, se));
    assert_true(isnan(value[S_DRUGS - 1]) && !isnan(value[0]));
}

static void test_threads_do_not_matter(void **state)
{
    nep_ctx *ctx = *state;
    static synthetic t;
    nep_network other;
    nep_ctx *two = test_ctx(2);
    synthetic_make(&t);
    synthetic_wide_network(two, &t, &other);
    assert_ok(two, nep_backend_choose(two, "cpu"));
    assert_ok(two, nep_inputs_prepare(two, &t.in, NULL));
    assert_memory_equal(t.in.smoother->similar, s.in.smoother->similar, S_DRUGS * S_DRUGS * sizeof(double));
    assert_memory_equal(t.in.smoother->itself, s.in.smoother->itself, S_DRUGS * S_DRUGS * sizeof(double));
    nep_inputs_release(&t.in);
    nep_network_free(&other);
    nep_ctx_free(two);
    (void)ctx;
}

/* The model of the other disorders finds the planted order; contributions add up to the score; two threads give the same. */
static void test_hierarchical_ranking(void **state)
{
    static const char *const votes[] = {"neighbours", "target_gene", "other_uses"};
    const nep_ranking_opts o = {.votes = votes, .n_votes = 3, .n_streams = 30, .n_bootstrap = 50, .null_maps = 20, .fusion = NEP_FUSION_HIERARCHICAL};
    nep_ctx *ctx = *state;
    nep_ctx *two = test_ctx(2);
    nep_ranking *r = NULL, *again = NULL;
    nep_evaluation *e = NULL;
    assert_ok(ctx, nep_ranking_create(ctx, &s.in, &o, &r));
    assert_ok(two, nep_backend_choose(two, "cpu"));
    assert_ok(two, nep_ranking_create(two, &s.in, &o, &again));
    for (int64_t j = 0; j < r->n_disorders; j++)
        for (int64_t i = 0; i < S_DRUGS; i++) {
            const nep_candidate *c = &r->disorders[j].candidates[i], *d = &again->disorders[j].candidates[i];
            double sum = 0;
            assert_true(c->drug == d->drug && (isnan(c->score) ? isnan(d->score) : c->score == d->score && c->rank_low == d->rank_low));
            if (isnan(c->score))
                continue;
            for (int v = 0; v < r->n_channels; v++) {
                const double part = r->disorders[j].contribution[c->drug * r->n_channels + v];
                sum += isnan(part) ? 0 : part;
            }
            assert_near(sum, c->score, 1e-12);
            assert_near(c->p_recorded, 1 / (1 + exp(-c->score - r->disorders[j].intercept)), 1e-12);
            assert_true(c->score_low <= c->score && c->score <= c->score_high && c->rank_low <= c->rank_high);
        }
    for (int64_t c = 0; c < r->n_disorders * 3; c++)
        assert_true(r->weight[c] >= 0 && r->spread[c] >= 0);
    assert_ok(ctx, nep_evaluation_create(ctx, r, &(nep_evaluation_opts){.n_bootstrap = 50}, &e));
    assert_true(e->fused.macro[NEP_PROTOCOL_NEW_DRUG].auroc.value > 0.8);
    assert_true(e->by_protocol[NEP_PROTOCOL_MASKED].n > 0 && e->conformal && e->conformal[0].n_pos > 0);
    for (int i = 0; i < e->n_baselines; i++) {
        const nep_estimate g = e->baselines[i].gain[NEP_PROTOCOL_MASKED];
        if (!isnan(g.value))
            assert_near(g.value, e->fused.macro[NEP_PROTOCOL_MASKED].ap.value - e->baselines[i].macro[NEP_PROTOCOL_MASKED].ap.value, 1e-12);
        assert_true(isnan(g.low) || g.low <= g.high);
    }
    nep_evaluation_free(e);
    nep_ranking_free(again);
    nep_ranking_free(r);
    nep_ctx_free(two);
}

static int setup(void **state)
{
    nep_ctx *ctx = *state = test_ctx(1);
    synthetic_make(&s);
    synthetic_wide_network(ctx, &s, &net);
    return nep_backend_choose(ctx, "cpu") != NEP_OK || nep_inputs_prepare(ctx, &s.in, NULL) != NEP_OK;
}

static int teardown(void **state)
{
    nep_inputs_release(&s.in);
    nep_network_free(&net);
    nep_ctx_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_neighbours_is_the_ridge_without_the_hidden),
        cmocka_unit_test(test_errors), cmocka_unit_test(test_class_kernel_by_hand),
        cmocka_unit_test(test_explanations_add_up),
        cmocka_unit_test(test_other_uses_by_hand),
        cmocka_unit_test(test_rows_name_their_record),
        cmocka_unit_test(test_no_gene_no_evidence),
        cmocka_unit_test(test_threads_do_not_matter),
        cmocka_unit_test(test_hierarchical_ranking),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
