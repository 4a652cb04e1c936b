/* SPDX-License-Identifier: Apache-2.0 */
/* The gate on direction: by hand, under masks, against NumPy on the study, and what it does to drugs known to harm. */
#include "support.h"

#include <nepenthe/backend.h>
#include <nepenthe/direction.h>
#include <nepenthe/io.h>

enum { DRUGS = 5, DISORDERS = 2 };
static char *const drug_ids[DRUGS] = {"c1", "c2", "c3", "c4", "c5"}, *const disorder_ids[DISORDERS] = {"d1", "d2"};

typedef struct {
    nep_network net;
    nep_molset drugs;
    nep_label labels[DISORDERS * DRUGS];
    nep_inputs in;
} small;

/* c1 raises g1 and lowers g2, c2 raises g1, c3 lowers g1, c4 binds g1 in a way nobody recorded, c5 raises g3. c1 and c2 treat d1. */
static void make(nep_ctx *ctx, small *s, bool with_signs)
{
    static const struct {
        const char *from, *to;
        int sign;
    } binds[] = {{"c1", "g1", 1}, {"c1", "g2", -1}, {"c2", "g1", 1}, {"c3", "g1", -1}, {"c4", "g1", 0}, {"c5", "g3", 1}};
    *s = (small){.drugs = {.n = DRUGS, .id = (char **)drug_ids, .names = (char **)drug_ids}};
    assert_ok(ctx, nep_network_add_metaedge(ctx, &s->net, "CbG", "edges.tsv"));
    for (int i = 0; i < NEP_LEN(binds); i++) {
        const nep_network_row row = {.from = binds[i].from, .to = binds[i].to, .weight = (double)NAN, .sign = with_signs ? binds[i].sign : 0, .line = i + 2};
        assert_ok(ctx, nep_network_add_edge(ctx, &s->net, NULL, &row));
    }
    assert_ok(ctx, nep_network_finish(ctx, &s->net, NULL));
    s->labels[0] = NEP_LABEL_APPROVED;
    s->labels[1] = NEP_LABEL_SYMPTOMATIC;
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

static void score(nep_ctx *ctx, const nep_inputs *in, int64_t disorder, const nep_label *labels, const nep_mask *mask, double *value)
{
    double *se = calloc((size_t)in->n_drugs, sizeof *se);
    const nep_visible v = {.disorder = disorder, .own = labels, .others = labels, .mask = mask};
    assert_ok(ctx, nep_channel_score(ctx, nep_channel_find("direction"), in, &v, 0, value, se));
    free(se);
}

static void test_by_hand(void **state)
{
    nep_ctx *ctx = *state;
    small s;
    double v[DRUGS];
    make(ctx, &s, true);
    const double all = log(6), g1 = (all - log(3)) / all, g2 = 1; /* three drugs have a sign at g1, one at g2 */
    score(ctx, &s.in, 0, s.labels, NULL, v);
    /* c1 sees c2 alone: g1 +1/3. Three signs at g1 among four drugs with any. */
    double mean = 3 * g1 / 3 / 4;
    assert_near(v[0], (g1 / 3) / (g1 / 3 + mean / 4), 1e-14);
    /* c2 sees c1 alone: g1 +1/3, g2 -1/3. */
    mean = (3 * g1 / 3 + g2 / 3) / 4;
    assert_near(v[1], (g1 / 3) / (g1 / 3 + mean / 4), 1e-14);
    /* c3 sees both: g1 +2/4. */
    mean = (3 * g1 / 2 + g2 / 4) / 4;
    assert_near(v[2], -(g1 / 2) / (g1 / 2 + mean / 4), 1e-14);
    assert_true(isnan(v[3]));   /* no action recorded */
    assert_near(v[4], 0, 0);    /* an action, at a gene that no treatment moves */
    score(ctx, &s.in, 1, s.labels + DRUGS, NULL, v);
    for (int k = 0; k < DRUGS; k++)
        assert_true(isnan(v[k])); /* no treatment and no table: nothing is wanted */
    drop(&s);
    make(ctx, &s, false);
    score(ctx, &s.in, 0, s.labels, NULL, v);
    for (int k = 0; k < DRUGS; k++)
        assert_true(isnan(v[k]));
    drop(&s);
}

/* What the mask hides from c3 (c1) is out, and poison in the labels of hidden drugs changes nothing. */
static void test_masks(void **state)
{
    nep_ctx *ctx = *state;
    small s;
    double v[DRUGS], w[DRUGS];
    int64_t start[DRUGS + 1] = {0, 2, 3, 5, 6, 7}, list[7] = {0, 2, 1, 0, 2, 3, 4};
    const nep_mask mask = {start, list};
    make(ctx, &s, true);
    score(ctx, &s.in, 0, s.labels, &mask, v);
    const double all = log(6), g1 = (all - log(3)) / all, mean = 3 * g1 / 3 / 4;
    assert_near(v[2], -(g1 / 3) / (g1 / 3 + mean / 4), 1e-14);
    for (int k = 0; k < DRUGS; k++) {
        nep_label poisoned[DISORDERS * DRUGS];
        memcpy(poisoned, s.labels, sizeof poisoned);
        for (int64_t i = start[k]; i < start[k + 1]; i++)
            poisoned[list[i]] = nep_label_indicated(poisoned[list[i]]) ? NEP_LABEL_FAILED : NEP_LABEL_APPROVED;
        score(ctx, &s.in, 0, poisoned, &mask, w);
        assert_true(isnan(w[k]) ? isnan(v[k]) : w[k] == v[k]);
    }
    drop(&s);
}

static void test_tables(void **state)
{
    nep_ctx *ctx = *state;
    small s;
    double v[DRUGS];
    nep_reason reasons[4];
    int n = 0;
    char source[] = "Someone 2020, doi:10.1000/1", note[] = "seen in a trial";
    make(ctx, &s, true);
    const int64_t g1 = nep_network_find_node(&s.net, nep_network_find_kind(&s.net, "G"), "g1");
    nep_direction_goal goal = {.disorder = 1, .gene = g1, .desired = -1, .source = source};
    nep_direction_warning warning = {.disorder = 1, .drug = 3, .source = source, .note = note};
    nep_direction known = {.goals = &goal, .n_goals = 1, .warnings = &warning, .n_warnings = 1};
    s.in.known_direction = &known;
    score(ctx, &s.in, 1, s.labels + DRUGS, NULL, v);
    const double all = log(6), idf = (all - log(3)) / all, mean = 3 * idf / 4, full = idf / (idf + mean / 4);
    assert_near(v[0], -full, 1e-14);
    assert_near(v[2], full, 1e-14);
    assert_near(v[3], -1, 0); /* the table knows what no action says */
    assert_true(nep_direction_warns(&s.in, 1, 3) == &warning && !nep_direction_warns(&s.in, 0, 3) && !nep_direction_warns(&s.in, 1, 2));
    const nep_visible visible = {.disorder = 1, .own = s.labels + DRUGS, .others = s.labels};
    assert_ok(ctx, nep_channel_explain(ctx, nep_channel_find("direction"), &s.in, &visible, 3, 4, reasons, &n));
    assert_true(n == 1 && reasons[0].share == -1 && strstr(reasons[0].detail, "10.1000/1") && strstr(reasons[0].detail, "seen in a trial"));
    assert_ok(ctx, nep_channel_explain(ctx, nep_channel_find("direction"), &s.in, &visible, 2, 4, reasons, &n));
    assert_true(n == 1 && strstr(reasons[0].detail, "prior knowledge: Someone 2020") && strcmp(reasons[0].label, "g1") == 0);
    assert_near(reasons[0].share, v[2], 1e-14);
    score(ctx, &s.in, 0, s.labels, NULL, v);
    const nep_visible own = {.disorder = 0, .own = s.labels, .others = s.labels};
    assert_ok(ctx, nep_channel_explain(ctx, nep_channel_find("direction"), &s.in, &own, 1, 4, reasons, &n));
    assert_true(n == 1 && strstr(reasons[0].detail, "mean action +0.33 over 1"));
    assert_near(reasons[0].share, v[1], 1e-14);
    drop(&s);
}

static void test_penalty(void **state)
{
    (void)state;
    assert_near(nep_direction_penalty(-1), 2.3, 1e-15);
    assert_near(nep_direction_penalty(-0.5), 1.15, 1e-15);
    assert_near(nep_direction_penalty(0), 0, 0);
    assert_near(nep_direction_penalty(1), 0, 0);
    assert_near(nep_direction_penalty((double)NAN), 0, 0);
    assert_near(exp(-nep_direction_penalty(NEP_DIRECTION_FLAG)), 0.5, 0.002);
}

/* ---- on the study of nervous-system disorders ---- */
static char *const studied[] = {"DOID:14330", "DOID:1826", "DOID:5419"};

typedef struct {
    nep_table drugs, labels_table, goals_table, worse_table;
    nep_network net;
    nep_molset m;
    nep_label *labels;
    nep_direction known;
    nep_inputs in;
    double *v;
} study;

static int64_t find(char *const *ids, int64_t n, const char *id)
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

static const char *cell(const nep_table *t, int64_t r, const char *column)
{
    return nep_table_cell(t, r, nep_table_column(t, column));
}

static bool open_study(nep_ctx *ctx, study *s)
{
    const char *const folder = NEP_SOURCE_DIR "/tests/studies/nervous_system/";
    char path[4096];
    *s = (study){0};
    snprintf(path, sizeof path, "%snetwork.yaml", folder);
    if (!nep_file_exists(path))
        return false;
    assert_ok(ctx, nep_network_read(ctx, path, NULL, &s->net));
    snprintf(path, sizeof path, "%sdrugs.tsv", folder);
    assert_ok(ctx, nep_tsv_read(ctx, path, &s->drugs));
    snprintf(path, sizeof path, "%slabels.tsv", folder);
    assert_ok(ctx, nep_tsv_read(ctx, path, &s->labels_table));
    assert_ok(ctx, nep_tsv_read(ctx, NEP_SOURCE_DIR "/data/desired_direction.tsv", &s->goals_table));
    assert_ok(ctx, nep_tsv_read(ctx, NEP_SOURCE_DIR "/data/worsening.tsv", &s->worse_table));
    const int64_t n = s->m.n = s->drugs.n_rows, id = nep_table_column(&s->drugs, "drug_id");
    s->m.id = calloc((size_t)n, sizeof *s->m.id);
    for (int64_t k = 0; k < n; k++)
        s->m.id[k] = s->drugs.cells[k * s->drugs.n_cols + id];
    qsort(s->m.id, (size_t)n, sizeof *s->m.id, by_text);
    s->m.names = s->m.id;
    s->labels = calloc((size_t)n * NEP_LEN(studied), sizeof *s->labels);
    for (int64_t r = 0; r < s->labels_table.n_rows; r++) {
        const int64_t j = find(studied, NEP_LEN(studied), cell(&s->labels_table, r, "disorder")), k = find(s->m.id, n, cell(&s->labels_table, r, "drug_id"));
        if (j >= 0)
            assert_true(nep_label_find(cell(&s->labels_table, r, "status"), &s->labels[j * n + k]));
    }
    const int64_t genes = nep_network_find_kind(&s->net, "G");
    s->known.goals = calloc((size_t)s->goals_table.n_rows, sizeof *s->known.goals);
    s->known.warnings = calloc((size_t)s->worse_table.n_rows, sizeof *s->known.warnings);
    for (int64_t r = 0; r < s->goals_table.n_rows; r++) {
        const int64_t j = find(studied, NEP_LEN(studied), cell(&s->goals_table, r, "disorder"));
        const int64_t g = nep_network_find_node(&s->net, genes, cell(&s->goals_table, r, "entrez"));
        if (j >= 0 && g >= 0)
            s->known.goals[s->known.n_goals++] = (nep_direction_goal){.disorder = j, .gene = g, .desired = atoi(cell(&s->goals_table, r, "desired"))};
    }
    for (int64_t r = 0; r < s->worse_table.n_rows; r++) {
        const int64_t j = find(studied, NEP_LEN(studied), cell(&s->worse_table, r, "disorder")), k = find(s->m.id, n, cell(&s->worse_table, r, "drug_id"));
        assert_true(k >= 0); /* every drug that the table warns of is in the study */
        if (j >= 0)
            s->known.warnings[s->known.n_warnings++] = (nep_direction_warning){.disorder = j, .drug = k};
    }
    s->in = (nep_inputs){.drugs = &s->m, .n_drugs = n, .n_disorders = NEP_LEN(studied), .disorder_ids = (char **)studied,
                         .disorder_names = (char **)studied, .labels = s->labels, .network = &s->net, .mode = 'U', .score = 'B',
                         .relative_occupancy = 0.75, .n_nulls = 199};
    assert_ok(ctx, nep_inputs_prepare(ctx, &s->in, NULL));
    s->v = calloc((size_t)n, sizeof *s->v);
    return true;
}

static void close_study(study *s)
{
    nep_inputs_release(&s->in);
    free(s->v);
    free(s->known.goals);
    free(s->known.warnings);
    free(s->labels);
    free(s->m.id);
    nep_table_free(&s->drugs);
    nep_table_free(&s->labels_table);
    nep_table_free(&s->goals_table);
    nep_table_free(&s->worse_table);
    nep_network_free(&s->net);
}

static void test_against_numpy(void **state)
{
    nep_ctx *ctx = *state;
    study s;
    nep_table golden = {0};
    if (!open_study(ctx, &s))
        test_skip();
    assert_ok(ctx, nep_tsv_read(ctx, NEP_SOURCE_DIR "/tests/golden/direction_study.tsv", &golden));
    assert_int_equal(golden.n_rows, 6);
    for (int64_t r = 0; r < golden.n_rows; r++) {
        const int64_t j = find(studied, NEP_LEN(studied), nep_table_cell(&golden, r, 0)), n = s.in.n_drugs;
        double want[5], got[4] = {0};
        for (int c = 0; c < 5; c++)
            assert_ok(ctx, nep_table_number(ctx, &golden, r, 1 + c, &want[c]));
        s.in.known_direction = want[0] > 0 ? &s.known : NULL;
        score(ctx, &s.in, j, s.labels + j * n, NULL, s.v);
        for (int64_t k = 0; k < n; k++) {
            got[0] += isnan(s.v[k]);
            got[1] += isnan(s.v[k]) ? 0 : s.v[k];
            got[2] += isnan(s.v[k]) ? 0 : fabs(s.v[k]);
            got[3] += isnan(s.v[k]) ? 0 : s.v[k] * (double)(k + 1);
        }
        for (int c = 0; c < 4; c++)
            assert_near(got[c], want[c + 1], 1e-9 * fabs(want[c + 1]));
    }
    nep_table_free(&golden);
    close_study(&s);
}

/* Places among all drugs, 1 = first, of an order by gene evidence with and without the gate. */
static int64_t place_of(const double *score, int64_t n, int64_t k)
{
    int64_t place = 1;
    for (int64_t i = 0; i < n; i++)
        place += score[i] > score[k];
    return place;
}

static void test_known_harm_falls(void **state)
{
    nep_ctx *ctx = *state;
    study s;
    char path[4300];
    nep_table review = {0};
    if (!open_study(ctx, &s))
        test_skip();
    const int64_t n = s.in.n_drugs;
    double *base = calloc((size_t)n, sizeof *base), *gated = calloc((size_t)n, sizeof *gated), *se = calloc((size_t)n, sizeof *se);
    for (int j = 0; j < 2; j++) {
        const nep_visible v = {.disorder = j, .own = s.labels + j * n, .others = s.labels};
        double mean = 0;
        s.in.known_direction = &s.known;
        assert_ok(ctx, nep_channel_score(ctx, nep_channel_find("target_gene"), &s.in, &v, 0, base, se));
        score(ctx, &s.in, j, s.labels + j * n, NULL, s.v);
        for (int64_t k = 0; k < n; k++)
            mean += isnan(base[k]) ? 0 : base[k] / (double)n;
        for (int64_t k = 0; k < n; k++) {
            base[k] = isnan(base[k]) ? 0 : asinh(0.3 * base[k] / mean);
            gated[k] = base[k] - nep_direction_penalty(s.v[k]);
        }
        static const char *const harm[] = {"Haloperidol", "Metoclopramide", "Chlorpromazine", "Prochlorperazine"};
        for (int i = 0; j == 0 && i < NEP_LEN(harm); i++)
            for (int64_t r = 0; r < s.drugs.n_rows; r++)
                if (strcmp(cell(&s.drugs, r, "name"), harm[i]) == 0) {
                    const int64_t k = find(s.m.id, n, cell(&s.drugs, r, "drug_id"));
                    assert_true(s.v[k] <= NEP_DIRECTION_FLAG);
                    assert_true(place_of(gated, n, k) > 2 * place_of(base, n, k));
                    assert_true(place_of(gated, n, k) > n / 2);
                }
    }
    snprintf(path, sizeof path, "%s/data/ranking/rephetio/epilepsy_top100_expert_review.tsv", test_shared());
    if (nep_file_exists(path)) { /* epilepsy is what was scored last; the review is not where the table comes from */
        double sum[2] = {0};
        int64_t met[2] = {0}, below = 0;
        assert_ok(ctx, nep_tsv_read(ctx, path, &review));
        for (int64_t r = 0; r < review.n_rows; r++)
            for (int64_t d = 0; d < s.drugs.n_rows; d++) {
                const char *category = cell(&review, r, "category");
                const bool induces = category && strcmp(category, "IGD") == 0, prevents = category && strcmp(category, "AIGD") == 0;
                if ((!induces && !prevents) || strcmp(cell(&s.drugs, d, "name"), cell(&review, r, "name")) != 0)
                    continue;
                const double v = s.v[find(s.m.id, n, cell(&s.drugs, d, "drug_id"))];
                sum[induces] += isnan(v) ? 0 : v;
                met[induces]++;
                below += induces && v < 0;
            }
        print_message("epilepsy: %lld that prevent seizures, mean %.2f; %lld that induce them, mean %.2f, %lld below 0\n", (long long)met[0],
                      sum[0] / (double)met[0], (long long)met[1], sum[1] / (double)met[1], (long long)below);
        assert_true(met[0] > 30 && met[1] > 10);
        assert_true(sum[0] / (double)met[0] > 0.5 && sum[1] / (double)met[1] < -0.4 && 2 * below > met[1]);
    }
    nep_table_free(&review);
    free(base);
    free(gated);
    free(se);
    close_study(&s);
}

static int setup(void **state)
{
    *state = test_ctx(2);
    return nep_backend_choose(*state, "cpu") != NEP_OK;
}

static int teardown(void **state)
{
    nep_ctx_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand), cmocka_unit_test(test_masks), cmocka_unit_test(test_tables), cmocka_unit_test(test_penalty),
        cmocka_unit_test(test_against_numpy), cmocka_unit_test(test_known_harm_falls),
    };
    return test_end(cmocka_run_group_tests(tests, setup, teardown));
}
