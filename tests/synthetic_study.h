/* SPDX-License-Identifier: Apache-2.0 */
/* synthetic_study - a small study from a seed: 60 drugs of 6 mechanisms, 8 targets (6 with a map), 28 regions, 4 disorders;
 * disorder 0's map follows the receptors of mechanism 0, which its labels record; the others' maps are noise. */
#ifndef NEP_TESTS_SYNTHETIC_STUDY_H
#define NEP_TESTS_SYNTHETIC_STUDY_H

#include "support.h"

#include <nepenthe/backend.h>
#include <nepenthe/evidence.h>
#include <nepenthe/signature.h>
#include <nepenthe/tables.h>

enum { S_DRUGS = 60, S_TARGETS = 8, S_MAPPED = 6, S_REGIONS = 28, S_CORTEX = 20, S_DISORDERS = 4, S_WORDS = 2, S_CLASSES = 6 };

typedef struct {
    nep_inputs in;
    nep_molset drugs;
    nep_geometry geometry;
    char id[S_DRUGS][28], name[S_DRUGS][16], atc[S_DRUGS][8], mechanism[S_DRUGS][8], region[S_REGIONS][8], target[S_TARGETS][8];
    char disorder[S_DISORDERS][8];
    char *ids[S_DRUGS], *names[S_DRUGS], *atcs[S_DRUGS], *mechanisms[S_DRUGS], *regions[S_REGIONS], *targets[S_TARGETS];
    char *disorders[S_DISORDERS], *descriptor_names[4];
    uint64_t bits[S_DRUGS * S_WORDS];
    double descriptor[S_DRUGS * 4];
    char hemisphere[S_REGIONS];
    bool cortex[S_REGIONS];
    double mm[S_REGIONS][3], sphere[S_REGIONS][3];
    double receptor[S_REGIONS * S_MAPPED], effect[S_DISORDERS * S_REGIONS], effect_se[S_DISORDERS * S_REGIONS];
    nep_affinity affinity[S_DRUGS * S_TARGETS];
    int64_t start[S_DRUGS + 1];
    int direction[S_DISORDERS];
    nep_label labels[S_DISORDERS * S_DRUGS];
    nep_tables tables;
    nep_signatures signatures;
    nep_network network;
} synthetic;

static inline double synthetic_normal(uint64_t stream, uint64_t i)
{
    return nep_philox_normal(99, stream, i);
}

static inline void synthetic_drugs(synthetic *s)
{
    static const char *const descriptors[] = {"clogp", "mw", "tpsa", "hbd"};
    static const double usual[] = {2.5, 330, 60, 0};
    for (int k = 0; k < S_DRUGS; k++) {
        const int class = k % S_CLASSES;
        /* drugs 6 and 12 share the first block of their InChIKeys, nothing else: a salt and its base */
        snprintf(s->id[k], sizeof s->id[k], "%c%c%sAAAAAAAA-UHFFFAOYSA-%c", 'A' + (k == 12 ? 6 : k) / 26, 'A' + (k == 12 ? 6 : k) % 26,
                 "DRUG", 'A' + k % 26);
        snprintf(s->name[k], sizeof s->name[k], "drug%02d", k);
        /* drug 20 shares its ATC class with drugs of another mechanism */
        snprintf(s->atc[k], sizeof s->atc[k], "N0%dA%c", k == 20 ? 3 : class, k % 12 < 6 ? 'A' : 'B');
        snprintf(s->mechanism[k], sizeof s->mechanism[k], "class%d", class);
        s->ids[k] = s->id[k];
        s->names[k] = s->name[k];
        s->atcs[k] = k % 5 == 4 ? NULL : s->atc[k];
        s->mechanisms[k] = s->mechanism[k];
        for (int b = 0; b < 64 * S_WORDS && k != 59; b++) { /* drug 59 has no fingerprint */
            const double common = nep_philox_uniform(5, (uint64_t)(class + 10 * (k % 12 < 6)), (uint64_t)b);
            const double own = nep_philox_uniform(5, 100 + (uint64_t)k, (uint64_t)b);
            if ((own < 0.7 ? common : nep_philox_uniform(6, (uint64_t)k, (uint64_t)b)) < 0.3)
                s->bits[k * S_WORDS + b / 64] |= UINT64_C(1) << (b % 64);
        }
        for (int d = 0; d < 4; d++)
            s->descriptor[k * 4 + d] = k == 57 ? (double[]){7, 800, 200, 6}[d] : usual[d];
    }
    for (int d = 0; d < 4; d++) {
        static char names[4][8];
        snprintf(names[d], sizeof names[d], "%s", descriptors[d]);
        s->descriptor_names[d] = names[d];
    }
    s->drugs = (nep_molset){.n = S_DRUGS, .words = S_WORDS, .n_descriptors = 4, .id = s->ids, .names = s->names, .atc4 = s->atcs,
                            .mechanism = s->mechanisms, .bits = s->bits, .descriptor_names = s->descriptor_names,
                            .descriptor = s->descriptor};
}

static inline void synthetic_affinities(synthetic *s)
{
    int64_t n = 0;
    for (int k = 0; k < S_DRUGS; k++) {
        const int class = k % S_CLASSES;
        s->start[k] = n;
        for (int t = 0; t < S_TARGETS; t++) {
            const bool wanted = k == 58 ? false                  /* no target at all */
                                : k == 56 ? t < 2                /* two mapped targets only */
                                : k == 55 ? t < 4 || t == 7      /* the strongest has no map */
                                          : t == class || (k + t) % 3 == 0 || t < 3;
            if (!wanted)
                continue;
            double p = 6.0 + 0.4 * synthetic_normal(20, (uint64_t)(k * S_TARGETS + t));
            p = t == class ? p + 2.5 : t >= S_MAPPED ? p - 1.5 : p;
            p = k == 55 && t == 7 ? 9.9 : p;
            s->affinity[n++] = (nep_affinity){.drug = k, .target = t, .p_affinity = p, .p_se = 0.3, .action = k % 2 ? 1 : -1,
                                              .n_measurements = 1};
        }
    }
    s->start[S_DRUGS] = n;
    s->in.affinities = s->affinity;
    s->in.n_affinities = n;
    s->in.affinity_start = s->start;
}

static inline void synthetic_maps(synthetic *s)
{
    for (int i = 0; i < S_REGIONS; i++) {
        const int side = i % 2, pair = i / 2;
        snprintf(s->region[i], sizeof s->region[i], "%c_r%d", side ? 'R' : 'L', pair);
        s->regions[i] = s->region[i];
        s->hemisphere[i] = side ? 'R' : 'L';
        s->cortex[i] = i < S_CORTEX;
        const double angle = 2.1 * pair, radius = i < S_CORTEX ? 60 : 20;
        s->mm[i][0] = (side ? 1 : -1) * (5 + radius * fabs(cos(angle)));
        s->mm[i][1] = radius * sin(angle) + pair;
        s->mm[i][2] = radius * cos(1.7 * pair);
        const double norm = sqrt(s->mm[i][0] * s->mm[i][0] + s->mm[i][1] * s->mm[i][1] + s->mm[i][2] * s->mm[i][2]);
        for (int a = 0; a < 3; a++)
            s->sphere[i][a] = i < S_CORTEX ? s->mm[i][a] / norm : NAN;
        for (int m = 0; m < S_MAPPED; m++)
            s->receptor[i * S_MAPPED + m] = synthetic_normal(30 + (uint64_t)m, (uint64_t)pair) + 0.3 * synthetic_normal(40 + (uint64_t)m, (uint64_t)i);
        for (int j = 0; j < S_DISORDERS; j++) {
            s->effect[j * S_REGIONS + i] = 0.2 * synthetic_normal(50 + (uint64_t)j, (uint64_t)i) + (j == 0 ? 0.4 * s->receptor[i * S_MAPPED] : 0);
            s->effect_se[j * S_REGIONS + i] = 0.1;
        }
    }
    s->geometry = (nep_geometry){.n_regions = S_REGIONS, .names = s->regions, .hemisphere = s->hemisphere, .cortex = s->cortex,
                                 .mm = s->mm, .sphere = s->sphere};
}

static inline void synthetic_labels(synthetic *s)
{
    for (int j = 0; j < S_DISORDERS; j++) {
        snprintf(s->disorder[j], sizeof s->disorder[j], "D%d", j);
        s->disorders[j] = s->disorder[j];
        for (int k = 0; k < S_DRUGS; k++) {
            const bool class = k % S_CLASSES == j && k < 54, chance = nep_philox_uniform(8, (uint64_t)j, (uint64_t)k) < 0.06;
            s->labels[j * S_DRUGS + k] = class && k % 4 != 3 ? (k % 2 ? NEP_LABEL_SYMPTOMATIC : NEP_LABEL_APPROVED)
                                         : chance             ? NEP_LABEL_APPROVED
                                         : (k + j) % 13 == 12 ? NEP_LABEL_FAILED
                                         : (k + j) % 17 == 16 ? NEP_LABEL_INVESTIGATIONAL
                                                              : NEP_LABEL_NONE;
        }
    }
}

/* Filled but not prepared: call nep_inputs_prepare, and nep_inputs_release at the end. */
static inline void synthetic_make(synthetic *s)
{
    memset(s, 0, sizeof *s);
    synthetic_drugs(s);
    synthetic_affinities(s);
    synthetic_maps(s);
    synthetic_labels(s);
    for (int t = 0; t < S_TARGETS; t++) {
        snprintf(s->target[t], sizeof s->target[t], "T%d", t);
        s->targets[t] = s->target[t];
    }
    s->in.drugs = &s->drugs;
    s->in.n_drugs = S_DRUGS;
    s->in.n_targets = S_TARGETS;
    s->in.n_mapped = S_MAPPED;
    s->in.n_regions = S_REGIONS;
    s->in.n_disorders = S_DISORDERS;
    s->in.targets = s->in.target_names = s->targets;
    s->in.geometry = &s->geometry;
    s->in.receptor = s->receptor;
    s->in.effect = s->effect;
    s->in.effect_se = s->effect_se;
    s->in.direction = s->direction;
    s->in.disorder_ids = s->in.disorder_names = s->disorders;
    s->in.labels = s->labels;
    s->in.seed = 11;
    s->in.relative_occupancy = 0.75;
    s->in.mode = 'U';
    s->in.score = 'B';
    s->in.n_nulls = 199;
}

/* One row of a synthetic table; text may be NULL. */
static inline void synthetic_row(nep_ctx *ctx, nep_tables_one *one, nep_tables_row row, const char *source, const char *licence)
{
    row.line = one->n_rows + 2;
    if (nep_alloc_string(ctx, source, &row.source) != NEP_OK || nep_alloc_string(ctx, licence, &row.licence) != NEP_OK)
        abort();
    one->rows[one->n_rows++] = row;
}

/* Evidence tables of every kind; what they say has nothing to do with the labels. Free with nep_tables_free(s->in.tables). */
static inline void synthetic_tables(nep_ctx *ctx, synthetic *s)
{
    static const nep_label words[] = {NEP_LABEL_APPROVED, NEP_LABEL_SYMPTOMATIC, NEP_LABEL_FAILED};
    s->tables = (nep_tables){.n_disorders = S_DISORDERS, .n_drugs = S_DRUGS};
    for (int kind = 0; kind < NEP_TABLES_COUNT; kind++) {
        nep_tables_one one = {.n_raters = kind == NEP_TABLES_VOTES ? 3 : 0};
        if (nep_alloc_string(ctx, "table.tsv", &one.path) != NEP_OK ||
            nep_alloc(ctx, 3 * S_DISORDERS * S_DRUGS, sizeof *one.rows, "rows", &one.rows) != NEP_OK ||
            nep_alloc(ctx, 3, sizeof *one.raters, "raters", &one.raters) != NEP_OK)
            abort();
        for (int r = 0; r < one.n_raters; r++)
            if (nep_alloc_string(ctx, (const char *[]){"A", "B", "C"}[r], &one.raters[r]) != NEP_OK)
                abort();
        for (int j = 0; j < (kind == NEP_TABLES_EXPOSURE ? 1 : S_DISORDERS); j++)
            for (int k = 0; k < S_DRUGS; k += 2 + (kind + j) % 2) {
                const double x = synthetic_normal(60 + (uint64_t)kind, (uint64_t)(j * S_DRUGS + k));
                nep_tables_row row = {.drug = k, .disorder = j, .value = 6 + x, .se = 0.5, .n = (double)NAN, .hit = (double)NAN};
                row.value = kind == NEP_TABLES_LITERATURE ? floor(3 + fabs(x)) : kind == NEP_TABLES_EXPOSURE ? x - 1 : row.value;
                row.year = kind == NEP_TABLES_LITERATURE ? 2000 + k % 17 : 0;
                for (int r = 0; r < one.n_raters; r++) {
                    const double doubt = nep_philox_uniform(9, (uint64_t)r, (uint64_t)(j * S_DRUGS + k));
                    row.rater = r;
                    row.vote = words[((int)fabs(3 * x) + (doubt < 0.2 + 0.1 * r)) % 3];
                    synthetic_row(ctx, &one, row, "raters, of-2015", r == 2 ? "CC BY-NC 4.0" : "CC0");
                }
                if (!one.n_raters)
                    synthetic_row(ctx, &one, row, "made here", kind == NEP_TABLES_ASSAY ? "ODbL" : "CC BY 4.0");
            }
        if (nep_tables_take(ctx, &s->tables, (nep_tables_kind)kind, &one) != NEP_OK)
            abort();
    }
    s->in.tables = &s->tables;
}

/* Gene signatures: drugs of class j (but every fifth drug has none) move genes against disorder j; as sets, or as whole lists. Free with
 * nep_signatures_free(s->in.signatures). */
static inline void synthetic_signatures(nep_ctx *ctx, synthetic *s, bool lists)
{
    enum { GENES = 400 };
    nep_signatures *x = &s->signatures;
    *x = (nep_signatures){.n_disorders = S_DISORDERS, .n_drugs = S_DRUGS, .n_genes = GENES, .drugs_are_lists = lists, .n_licences = 2};
    if (nep_alloc(ctx, GENES, sizeof *x->genes, "genes", &x->genes) != NEP_OK || nep_alloc(ctx, 2, sizeof *x->licences, "l", &x->licences) != NEP_OK ||
        nep_alloc_string(ctx, "CC0", &x->licences[0]) != NEP_OK || nep_alloc_string(ctx, "ODbL", &x->licences[1]) != NEP_OK ||
        nep_alloc(ctx, S_DISORDERS * GENES, sizeof(double), "z", &x->disorder_z) != NEP_OK ||
        nep_alloc(ctx, S_DISORDERS * GENES, 1, "licences", &x->disorder_licence) != NEP_OK ||
        nep_alloc(ctx, S_DRUGS + 1, sizeof(int64_t), "start", &x->drug_start) != NEP_OK ||
        nep_alloc(ctx, S_DRUGS * GENES, sizeof(int32_t), "genes", &x->drug_gene) != NEP_OK ||
        nep_alloc(ctx, S_DRUGS * GENES, sizeof(double), "weights", &x->drug_weight) != NEP_OK ||
        nep_alloc(ctx, S_DRUGS * GENES, 1, "licences", &x->drug_licence) != NEP_OK)
        abort();
    for (int g = 0; g < GENES; g++) {
        char name[8];
        snprintf(name, sizeof name, "G%d", g);
        if (nep_alloc_string(ctx, name, &x->genes[g]) != NEP_OK)
            abort();
        for (int j = 0; j < S_DISORDERS; j++) {
            const bool missing = (g * 7 + j) % 31 == 0;
            x->disorder_z[j * GENES + g] = missing ? (double)NAN : round(20 * synthetic_normal(70 + (uint64_t)j, (uint64_t)g)) / 10;
            x->disorder_licence[j * GENES + g] = g % 9 == 0;
        }
    }
    int64_t n = 0;
    for (int k = 0; k < S_DRUGS; k++) {
        x->drug_start[k] = n;
        for (int g = 0; k % 5 != 4 && g < GENES; g++) {
            const int j = k % S_CLASSES % S_DISORDERS;
            const double z = x->disorder_z[j * GENES + g], noise = synthetic_normal(80 + (uint64_t)k, (uint64_t)g);
            const double move = (isnan(z) ? 0 : -0.5 * z) + noise;
            if (!lists && fabs(move) < 2)
                continue;
            x->drug_gene[n] = g;
            x->drug_licence[n] = g % 7 == 0;
            x->drug_weight[n++] = lists ? move : move > 0 ? 1 : -1;
        }
    }
    x->drug_start[S_DRUGS] = n;
    s->in.signatures = x;
}

/* One metaedge at random: node i of n_from joined with node k of n_to with probability p; every tenth row is of no open licence. */
static inline void synthetic_edges(nep_ctx *ctx, nep_network *net, const char *id, char *const *from, int n_from, const char *to, int n_to, double p,
                                   uint64_t stream)
{
    char a[32], b[16];
    if (nep_network_add_metaedge(ctx, net, id, "edges.tsv") != NEP_OK)
        abort();
    int64_t line = 1;
    for (int i = 0; i < n_from; i++)
        for (int k = 0; k < n_to; k++) {
            const double u = nep_philox_uniform(12, stream, (uint64_t)(i * n_to + k));
            if (u >= p)
                continue;
            snprintf(a, sizeof a, "%s%d", from ? "" : id[0] == 'A' ? "A" : id[0] == 'P' ? "PC" : "G", i);
            snprintf(b, sizeof b, "%s%d", to, k);
            const nep_network_row row = {.from = from ? from[i] : a, .to = b, .licence = line % 10 ? "CC0-1.0" : "CC-BY-NC-4.0", .source = "made here",
                                         .weight = (double)NAN, .sign = u < p / 3 ? -1 : u < p / 1.5 ? 1 : 0, .line = ++line};
            if (nep_network_add_edge(ctx, net, NULL, &row) != NEP_OK)
                abort();
        }
}

/* A network of the drugs (the last three bind nothing) and disorders (the last one has no gene), which has nothing to do with the labels.
 * Free with nep_network_free(&s->network). */
static inline void synthetic_network(nep_ctx *ctx, synthetic *s)
{
    nep_network *net = &s->network;
    *net = (nep_network){0};
    synthetic_edges(ctx, net, "CbG", s->ids, S_DRUGS - 3, "G", 30, 0.1, 1);
    synthetic_edges(ctx, net, "DaG", s->disorders, S_DISORDERS - 1, "G", 30, 0.2, 2);
    synthetic_edges(ctx, net, "DgG", s->disorders, S_DISORDERS - 1, "G", 30, 0.1, 3);
    synthetic_edges(ctx, net, "DcG", s->disorders, S_DISORDERS - 1, "G", 30, 0.1, 4);
    synthetic_edges(ctx, net, "GpPW", NULL, 30, "W", 8, 0.2, 5);
    synthetic_edges(ctx, net, "GiG", NULL, 30, "G", 30, 0.06, 6);
    synthetic_edges(ctx, net, "CcSE", s->ids, S_DRUGS, "S", 25, 0.2, 7);
    synthetic_edges(ctx, net, "DlA", s->disorders, S_DISORDERS, "A", 6, 0.5, 8);
    synthetic_edges(ctx, net, "AuG", NULL, 6, "G", 30, 0.3, 9);
    synthetic_edges(ctx, net, "AdG", NULL, 6, "G", 30, 0.1, 10);
    if (nep_network_finish(ctx, net, NULL) != NEP_OK)
        abort();
    s->in.network = net;
}

#endif
