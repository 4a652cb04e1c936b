/* SPDX-License-Identifier: Apache-2.0 */
/* fixture.h - a synthetic ranking over the shipped schematic geometry: two disorders (one simulated), hostile names,
 * missing values, every verdict and every kind of label. Built from Philox alone, so it is the same everywhere. */
#ifndef NEP_TESTS_REPORT_FIXTURE_H
#define NEP_TESTS_REPORT_FIXTURE_H

#include "support.h"

#include <nepenthe/backend.h>
#include <nepenthe/io.h>
#include <nepenthe/report.h>

enum { FIX_DRUGS = 120, FIX_TARGETS = 10, FIX_MAPPED = 7, FIX_DISORDERS = 2, FIX_CHANNELS = 6, FIX_AFFINITIES = FIX_DRUGS * FIX_TARGETS };

static const char *const fix_hostile[] = {"</script><img src=x onerror=alert(1)>", "tab\there \"quoted\", comma", "=HYPERLINK(\"x\")",
                                          "+1+1", "-2+3", "@SUM(A1)", "caf\xC3\xA9 \xE2\x80\xA8line \xE2\x80\xA9 sep", "bad \xFF byte", "<!--", "a&b"};

typedef struct {
    nep_ctx *ctx;
    nep_geometry geometry;
    nep_molset drugs;
    nep_inputs in;
    nep_ranking ranking;
    nep_ranking_disorder disorder[FIX_DISORDERS];
    nep_null_rate rates[2];
    nep_affinity affinity[FIX_AFFINITIES];
    int64_t start[FIX_DRUGS + 1];
    nep_label labels[FIX_DISORDERS * FIX_DRUGS];
    char *sources[FIX_DISORDERS * FIX_DRUGS], *ids[FIX_DRUGS], *names[FIX_DRUGS], *smiles[FIX_DRUGS], *atc[FIX_DRUGS], *mechanism[FIX_DRUGS];
    char text[FIX_DRUGS][2][64];
    nep_candidate candidates[FIX_DISORDERS][FIX_DRUGS];
    double value[FIX_DISORDERS][FIX_DRUGS * FIX_CHANNELS], se[FIX_DISORDERS][FIX_DRUGS * FIX_CHANNELS], part[FIX_DISORDERS][FIX_DRUGS * FIX_CHANNELS];
    double profile[FIX_DISORDERS * FIX_MAPPED], reliability[2 * FIX_MAPPED];
    double *receptor, *effect, *effect_se;
} fixture;

static inline double fix_normal(uint64_t stream, int64_t i)
{
    return nep_philox_normal(7, stream, (uint64_t)i);
}

static nep_status fix_score(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, uint64_t stream, double *value, double *se)
{
    (void)visible;
    (void)stream;
    (void)value;
    (void)se;
    return nep_ctx_fail(ctx, NEP_E_INTERNAL, "the report asked to score %lld drugs", (long long)in->n_drugs);
}

/* The second half is too small for a page to show one by one. */
static inline double fix_share(int64_t drug, int i)
{
    return fix_normal(90, drug * 12 + i) * (i < 6 ? 1 : 0.003);
}

/* Twelve reasons, so that the shortening is seen; says which labels it saw. */
static nep_status fix_explain(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, int64_t drug, int limit, nep_reason *out, int *n)
{
    (void)ctx;
    for (*n = 0; *n < 12 && *n < limit; (*n)++) {
        nep_reason *r = &out[*n];
        snprintf(r->label, sizeof r->label, "%s", in->targets[*n % (int)in->n_targets]);
        snprintf(r->detail, sizeof r->detail, "own label %s, %s", nep_label_name(visible->own[drug]), *n % 3 ? "occupancy 0.42" : "<b>occupancy</b> 0.75");
        r->share = fix_share(drug, *n);
        r->record = visible->disorder * in->n_drugs + drug; /* 1 + the cell before; none at the first drug of the first disorder */
    }
    return NEP_OK;
}

static const nep_channel fix_channels[FIX_CHANNELS] = {
    {.name = "engagement", .summary = "occupancy-weighted match with the brain map", .source = "Hill (1910) J Physiol 40:iv-vii", .orientation = "larger ranks higher", .licence = "CC0", .role = NEP_ROLE_VOTE, .score = fix_score, .explain = fix_explain},
    {.name = "analogue", .summary = "nearest recorded treatment", .source = "Rogers & Hahn (2010), doi:10.1021/ci100050t", .orientation = "larger is nearer", .licence = "CC BY 4.0", .role = NEP_ROLE_VOTE, .score = fix_score},
    {.name = "exposure", .summary = "CNS multiparameter optimisation", .source = "Wager et al. (2010), doi:10.1021/cn100008c", .orientation = "larger is better exposed", .licence = "CC0; CC BY 4.0", .role = NEP_ROLE_GATE, .score = fix_score},
    {.name = "popularity", .summary = "how often a drug is recorded anywhere", .source = "baseline", .orientation = "larger is more popular", .licence = "CC0", .role = NEP_ROLE_BASELINE, .score = fix_score},
    {.name = "target_count", .summary = "number of measured targets", .source = "baseline", .orientation = "larger", .licence = "CC0", .role = NEP_ROLE_BASELINE, .score = fix_score},
    {.name = "ligand_only", .summary = "mean cosine to the other indicated drugs", .source = "baseline", .orientation = "larger", .licence = "CC0", .role = NEP_ROLE_BASELINE, .score = fix_score},
};
static const nep_channel *fix_channel_list[FIX_CHANNELS] = {&fix_channels[0], &fix_channels[1], &fix_channels[2], &fix_channels[3], &fix_channels[4], &fix_channels[5]};

static char *fix_targets[FIX_TARGETS] = {"DRD2", "HTR2A", "HTR1A", "SLC6A4", "OPRM1", "CHRM1", "HRH1", "SCN1A", "ADRA1A", "KCNH2"};
static char *fix_target_names[FIX_TARGETS] = {"D2", "5-HT2A", "5-HT1A", "SERT", "mu opioid", "M1", "H1", "Nav1.1", "alpha-1A", "hERG"};

static void fix_drugs(fixture *f)
{
    static const char *const stems[] = {"alora", "benza", "cloni", "dexo", "escita", "fluva", "halo", "mirta", "olan", "pali", "quet", "risper"};
    static const char *const ends[] = {"zepine", "peridol", "setron", "lopram", "faxine", "tapine", "done", "mazine", "triptan", "oxetine"};
    for (int i = 0; i < FIX_DRUGS; i++) {
        snprintf(f->text[i][0], 64, "FIXT%010dUHFFFAOYSA-N", i);
        if (i % 11 == 3 && i / 11 < NEP_LEN(fix_hostile))
            snprintf(f->text[i][1], 64, "%s", fix_hostile[i / 11]);
        else
            snprintf(f->text[i][1], 64, "%s%s", stems[i % 12], ends[(i / 12) % 10]);
        f->ids[i] = f->text[i][0];
        f->names[i] = f->text[i][1];
        f->smiles[i] = i % 4 ? (char *)"CN1CCN(CC1)c1nc2ccccc2nc1" : NULL;
        f->atc[i] = i % 3 ? (char *)"N05A;N06A" : NULL;
        f->mechanism[i] = (char *)"receptor antagonist";
    }
    f->drugs = (nep_molset){.n = FIX_DRUGS, .id = f->ids, .names = f->names, .smiles = f->smiles, .atc4 = f->atc, .mechanism = f->mechanism};
}

static void fix_affinities(fixture *f)
{
    int64_t n = 0;
    for (int i = 0; i < FIX_DRUGS; i++) {
        f->start[i] = n;
        for (int t = 0; t < FIX_TARGETS; t++) {
            const double u = nep_philox_uniform(7, 20, (uint64_t)(i * FIX_TARGETS + t));
            if (u > 0.45 || i % 17 == 0) /* some drugs have no target at all */
                continue;
            f->affinity[n++] = (nep_affinity){.drug = i, .target = t, .p_affinity = 5.0 + 8.0 * u, .p_se = 0.3, .action = t % 3 - 1, .partial = t == 2,
                                              .censored = u < 0.03, .n_measurements = 1 + t % 4, .type = (char *)"Ki", .species = (char *)(t % 2 ? "human" : "rat; human"),
                                              .source = (char *)"doi:10.1093/nar/gkac1085; row 17", .licence = (char *)"CC BY-SA 4.0"};
        }
    }
    f->start[FIX_DRUGS] = n;
    f->in.affinities = f->affinity;
    f->in.affinity_start = f->start;
    f->in.n_affinities = n;
}

static void fix_maps(fixture *f)
{
    const int64_t n = f->geometry.n_regions;
    assert_ok(f->ctx, nep_alloc(f->ctx, n * FIX_MAPPED, sizeof(double), "fixture", &f->receptor));
    assert_ok(f->ctx, nep_alloc(f->ctx, n * FIX_DISORDERS, sizeof(double), "fixture", &f->effect));
    assert_ok(f->ctx, nep_alloc(f->ctx, n * FIX_DISORDERS, sizeof(double), "fixture", &f->effect_se));
    for (int64_t i = 0; i < n; i++) {
        const double *mm = f->geometry.mm[i];
        for (int t = 0; t < FIX_MAPPED; t++)
            f->receptor[i * FIX_MAPPED + t] = sin(0.03 * mm[t % 3] + t) * 1.5 + 0.3 * fix_normal(30, i * FIX_MAPPED + t);
        for (int d = 0; d < FIX_DISORDERS; d++) {
            f->effect[d * n + i] = i == 5 ? NAN : 0.4 * sin(0.025 * mm[1] + d) + 0.1 * fix_normal(31, i + d * n);
            f->effect_se[d * n + i] = 0.08;
        }
    }
    for (int t = 0; t < FIX_MAPPED; t++)
        f->reliability[2 * t] = f->reliability[2 * t + 1] = 0.5 + 0.06 * t;
    for (int i = 0; i < FIX_DISORDERS * FIX_MAPPED; i++)
        f->profile[i] = fix_normal(32, i);
}

static nep_label fix_label(int d, int i)
{
    const int k = (i * 7 + d * 3) % 40;
    return k == 0 || k == 1 ? NEP_LABEL_APPROVED : k == 2 ? NEP_LABEL_SYMPTOMATIC : k == 3 ? NEP_LABEL_CONTRAINDICATED : k == 4 ? NEP_LABEL_FAILED : k == 5 ? NEP_LABEL_INVESTIGATIONAL : NEP_LABEL_NONE;
}

static int fix_compare(const void *a, const void *b)
{
    const nep_candidate *p = a, *q = b;
    if (isnan(p->score) || isnan(q->score))
        return isnan(p->score) != isnan(q->score) ? (isnan(p->score) ? 1 : -1) : (p->drug > q->drug) - (p->drug < q->drug);
    return p->score > q->score ? -1 : p->score < q->score ? 1 : (p->drug > q->drug) - (p->drug < q->drug);
}

static void fix_candidate(fixture *f, int d, int i)
{
    double *part = &f->part[d][i * FIX_CHANNELS], *value = &f->value[d][i * FIX_CHANNELS], *se = &f->se[d][i * FIX_CHANNELS];
    const nep_label label = fix_label(d, i);
    const double lift = label == NEP_LABEL_APPROVED ? 1.1 : 0.0;
    for (int c = 0; c < FIX_CHANNELS; c++) {
        value[c] = fix_normal(40 + (uint64_t)d, i * FIX_CHANNELS + c) + lift;
        se[c] = 0.2;
        part[c] = c < 2 ? value[c] / 1.4 : NAN;
    }
    if (i % 9 == 0)
        part[0] = value[0] = se[0] = NAN;
    if (i % 17 == 0)
        part[1] = value[1] = se[1] = part[0] = value[0] = NAN;
    const double score = i % 17 == 0 ? NAN : (isnan(part[0]) ? 0.0 : part[0]) + part[1];
    f->candidates[d][i] = (nep_candidate){.drug = i, .score = score, .score_low = score - 0.6, .score_high = score + 0.7, .p_top10 = score > 1.5 ? 0.8 : 0.05,
        .p_recorded = d == 0 ? 0.02 : NAN, .n_channels = (i % 9 ? 1 : 0) + (i % 17 ? 1 : 0), .n_targets = i % 8, .engagement = i % 9 ? value[0] : NAN, .engagement_p = i % 9 ? 0.2 : NAN,
        .score_without_low = score - 0.4, .score_without_high = score - 0.1, .flags = (char *)(i % 9 == 0 ? "insufficient;few_mapped_targets" : label == NEP_LABEL_APPROVED ? "recorded_treatment" : ""),
        .verdict = label == NEP_LABEL_CONTRAINDICATED ? NEP_VERDICT_CONTRAINDICATED : i % 13 == 0 ? NEP_VERDICT_GATED : i % 9 == 0 || isnan(score) ? NEP_VERDICT_INSUFFICIENT : score > 1.645 ? NEP_VERDICT_SUPPORTED : NEP_VERDICT_WEAK};
    f->labels[d * FIX_DRUGS + i] = label;
    f->sources[d * FIX_DRUGS + i] = label ? (char *)"regulator's list, 2023; doi:10.1038/s41597-022-01873-6" : NULL;
}

static void fix_disorders(fixture *f)
{
    for (int d = 0; d < FIX_DISORDERS; d++) {
        for (int i = 0; i < FIX_DRUGS; i++)
            fix_candidate(f, d, i);
        qsort(f->candidates[d], FIX_DRUGS, sizeof(nep_candidate), fix_compare);
        for (int k = 0; k < FIX_DRUGS; k++) {
            f->candidates[d][k].rank_low = fmax(1, k + 1 - 8);
            f->candidates[d][k].rank_high = fmin(FIX_DRUGS, k + 1 + 14);
        }
        f->disorder[d] = (nep_ranking_disorder){.id = (char *)(d ? "SIM:B" : "SIM:A"), .name = (char *)(d ? "Simulated disorder B" : "Simulated disorder A"), .simulated = d == 1, .candidates = f->candidates[d],
            .value = f->value[d], .se = f->se[d], .contribution = f->part[d], .truth_auroc = d ? 0.93 : NAN, .truth_recall10 = d ? 0.6 : NAN,
            .trust = (char *)(d ? "Undetermined: this map has too little power. Only 2 recorded treatments can be scored, so the map alone was tested." : "The image adds. Over targets and structures alone it changes average precision by +0.081 (90 % interval +0.012 to +0.150)."),
            .increment = {.delta = {d ? NAN : 0.081, d ? NAN : 0.012, d ? NAN : 0.15, d ? 2 : 6, NAN, NAN}, .p_family = {d ? 0.41 : 0.004, NAN}, .p_map = d ? 0.41 : 0.004, .p_holm = d ? 0.41 : 0.008, .detectable = d ? 0.86 : 0.06, .verdict = d ? NEP_IMAGING_UNDETERMINED : NEP_IMAGING_ADDS}};
    }
}

static inline fixture *fix_open(void)
{
    fixture *f = calloc(1, sizeof *f);
    if (!f)
        abort();
    f->ctx = test_ctx(1);
    assert_ok(f->ctx, nep_backend_choose(f->ctx, "cpu"));
    assert_ok(f->ctx, nep_tsv_read_geometry(f->ctx, NEP_SOURCE_DIR "/data/geometry_schematic.tsv", &f->geometry));
    fix_drugs(f);
    fix_affinities(f);
    fix_maps(f);
    fix_disorders(f);
    f->in.drugs = &f->drugs;
    f->in.n_drugs = FIX_DRUGS;
    f->in.n_targets = FIX_TARGETS;
    f->in.n_mapped = FIX_MAPPED;
    f->in.n_regions = f->geometry.n_regions;
    f->in.n_disorders = FIX_DISORDERS;
    f->in.targets = fix_targets;
    f->in.target_names = fix_target_names;
    f->in.geometry = &f->geometry;
    f->in.receptor = f->receptor;
    f->in.reliability = f->reliability;
    f->in.effect = f->effect;
    f->in.effect_se = f->effect_se;
    f->in.labels = f->labels;
    f->in.label_source = f->sources;
    f->in.relative_occupancy = 0.75;
    f->in.mode = 'U';
    f->in.score = 'B';
    f->in.n_nulls = 1000;
    f->in.seed = 7;
    f->rates[0] = (nep_null_rate){(char *)"moran", 0.05, 0.052, 0.038, 0.069, 500};
    f->rates[1] = (nep_null_rate){(char *)"spin", 0.05, 0.11, 0.089, 0.134, 500};
    f->ranking = (nep_ranking){.study_name = "Fixture <study> & friends", .study_path = "/secret/home/someone/study.yaml", .inputs = &f->in, .n_channels = FIX_CHANNELS, .channels = fix_channel_list,
                               .disorders = f->disorder, .n_disorders = FIX_DISORDERS, .target_profile = f->profile, .null_rates = f->rates, .n_null_rates = 2};
    nep_warn(f->ctx, "a warning with </script> in it");
    return f;
}

static inline void fix_close(fixture *f)
{
    nep_alloc_free(f->effect_se);
    nep_alloc_free(f->effect);
    nep_alloc_free(f->receptor);
    nep_geometry_free(&f->geometry);
    nep_ctx_free(f->ctx);
    free(f);
}

static inline int fix_setup(void **state)
{
    *state = fix_open();
    return 0;
}

static inline int fix_teardown(void **state)
{
    fix_close(*state);
    return 0;
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, fix_setup, fix_teardown)

static inline json_t *fix_json(const char *text)
{
    json_error_t where;
    json_t *o = json_loads(text, 0, &where);
    if (!o)
        fail_msg("fixture JSON: line %d: %s", where.line, where.text);
    return o;
}

static inline json_t *fix_provenance(void)
{
    return fix_json("{\"version\": \"0.1.0\", \"command\": \"nepenthe rank study.yaml -o out\", \"seed\": 7, \"device\": \"cpu\","
                    " \"config_hash\": \"0123456789abcdef0123456789abcdef\", \"licence\": \"CC0; CC BY 4.0\","
                    " \"inputs\": [{\"name\": \"drugs.tsv\", \"xxh3\": \"00ff\", \"licence\": \"CC BY-SA 4.0\"}, {\"name\": \"maps.tsv\", \"xxh3\": \"11ee\", \"licence\": \"CC0\"}]}");
}

#define FIX_DISORDER(id, name, failed) "{\"id\": \"" id "\", \"name\": \"" name "\", \"n_pos\": 6, \"n_neg\": 110, \"prevalence\": 0.052, \"ap\": {\"value\": 0.31, \"low\": 0.15, \"high\": 0.5, \"n\": 6}," \
    " \"auroc\": {\"value\": 0.78, \"low\": 0.66, \"high\": 0.88, \"n\": 6}, \"auroc_vs_ns\": {\"value\": 0.7, \"low\": 0.55, \"high\": 0.83, \"n\": 6}, \"auroc_vs_popularity\": {\"value\": 0.66, \"low\": 0.5, \"high\": 0.81, \"n\": 4}," \
    " \"n_failed\": " failed ", \"auroc_vs_failed\": {\"value\": null, \"low\": null, \"high\": null, \"n\": 6}, \"map_null\": {\"low\": 0.27, \"high\": 0.71, \"p\": 0.02}}"
#define FIX_PROTOCOL(definition) "{\"definition\": \"" definition "\", \"macro\": {\"ap\": {\"value\": 0.3, \"low\": 0.2, \"high\": 0.42, \"n\": 2}, \"auroc\": {\"value\": 0.77, \"low\": 0.68, \"high\": 0.85, \"n\": 2}," \
    " \"auroc_vs_ns\": {\"value\": 0.69, \"low\": 0.6, \"high\": 0.8, \"n\": 2}, \"auroc_vs_popularity\": {\"value\": 0.65, \"low\": 0.55, \"high\": 0.77, \"n\": 2}, \"bedroc20\": {\"value\": 0.4, \"low\": 0.3, \"high\": 0.5, \"n\": 2}, \"p_at_20\": {\"value\": 0.2, \"low\": 0.1, \"high\": 0.3, \"n\": 2}}," \
    " \"disorders\": [" FIX_DISORDER("SIM:A", "Simulated disorder A", "3") ", " FIX_DISORDER("SIM:B", "Simulated </script> disorder B", "0") "]}"

static inline json_t *fix_evaluation(void)
{
    return fix_json("{\"schema\": \"nepenthe/evaluation/1\", \"study\": \"Fixture\", \"seed\": 7, \"version\": \"0.1.0\","
        " \"negatives\": {\"all\": \"all scored drugs\", \"popularity\": \"matched drugs\", \"failed\": \"failed drugs\"},"
        " \"protocols\": {\"masked\": " FIX_PROTOCOL("labels of similar drugs hidden as well") ", \"zero_shot\": " FIX_PROTOCOL("no label of the disorder visible") "},"
        " \"baselines\": {\"popularity\": {\"masked\": " FIX_PROTOCOL("") "}, \"ligand_only\": {\"masked\": " FIX_PROTOCOL("") ", \"zero_shot\": null}},"
        " \"calibration\": {\"pooled\": {\"oe\": 1.1, \"slope\": 0.9, \"brier\": 0.04, \"curve\": [{\"predicted\": 0.01, \"observed\": 0.02, \"low\": 0.01, \"high\": 0.03, \"n\": 90, \"n_pos\": 2}]}, \"disorders\": [{\"id\": \"SIM:A\", \"name\": \"Simulated disorder A\", \"oe\": 0.9, \"slope\": 1.0, \"brier\": 0.05}]},"
        " \"conformal\": {\"level\": 0.9, \"coverage\": 0.88}, \"ablation\": [{\"channel\": \"engagement\", \"delta_ap\": 0.04, \"low\": -0.01, \"high\": 0.09, \"p_holm\": 0.2}],"
        " \"negative_controls\": [{\"control\": \"labels\", \"definition\": \"labels permuted\", \"permutations\": 2, \"auroc\": {\"value\": 0.52, \"low\": 0.45, \"high\": 0.6},"
        " \"auroc_matched\": {\"value\": 0.5, \"low\": 0.42, \"high\": 0.58}, \"ranking\": {\"auroc_matched\": {\"value\": 0.8, \"low\": 0.7, \"high\": 0.9}}, \"at_chance\": true}],"
        " \"imaging_increment\": [{\"id\": \"SIM:A\", \"delta\": 0.081, \"low\": 0.012, \"high\": 0.15, \"p_map\": 0.004, \"detectable\": 0.06, \"verdict\": \"adds\"}],"
        " \"null_calibration\": [{\"name\": \"moran\", \"alpha\": 0.05, \"rate\": 0.052, \"low\": 0.038, \"high\": 0.069, \"n_maps\": 500}]}");
}

#endif
