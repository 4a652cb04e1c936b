/* SPDX-License-Identifier: Apache-2.0 */
/* evidence - the channel table: one file per channel, each giving one number and its standard error per candidate and
 * disorder, or nothing (NaN).
 *
 * What it is not: no fusion, no ranks, no files. A channel sees labels only through `visible`: that is what makes an
 * evaluation leak-proof.
 */
#ifndef NEPENTHE_EVIDENCE_H
#define NEPENTHE_EVIDENCE_H

#include <nepenthe/data.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { NEP_ROLE_VOTE, NEP_ROLE_GATE, NEP_ROLE_BASELINE, NEP_ROLE_NUISANCE } nep_role;
/* The word used in outputs. */
const char *nep_role_name(nep_role r);

typedef enum {
    NEP_LABEL_NONE, /* not recorded */
    NEP_LABEL_APPROVED,
    NEP_LABEL_SYMPTOMATIC,
    NEP_LABEL_INVESTIGATIONAL,
    NEP_LABEL_FAILED,
    NEP_LABEL_CONTRAINDICATED
} nep_label;
/* The word used in tables. */
const char *nep_label_name(nep_label l);

/* One affinity measurement or the consensus used for a drug-target pair. */
typedef struct {
    int64_t drug, target; /* indices */
    double p_affinity;    /* -log10 M, NaN when only the action is known */
    double p_se;          /* of p_affinity, log10 units */
    int action;           /* +1 agonist-like, -1 antagonist-like, 0 unknown; partial agonists +1 with `partial` */
    bool partial, censored; /* censored: relation was > or <; kept apart, never used as equality */
    int n_measurements;
    char *type, *species, *source, *licence; /* of the rows used, `;`-joined */
} nep_affinity;

/* Everything the channels may read, joined by name once. */
typedef struct {
    const nep_molset *drugs;       /* [n_drugs] */
    int64_t n_drugs, n_targets, n_regions, n_disorders;
    char **targets;                /* HGNC symbols, those with a map first */
    char **target_names;           /* 5-HT2A */
    int64_t n_mapped;              /* targets [0, n_mapped) have a receptor map */
    nep_affinity *affinities;      /* one consensus per pair that has any, sorted by drug, target */
    int64_t n_affinities;
    int64_t *affinity_start;       /* [n_drugs + 1] */
    const nep_geometry *geometry;  /* the regions used, in order */
    double *receptor;              /* [n_regions, n_mapped], z-scored within compartment */
    double *reliability;           /* [n_mapped, 2] cortex, subcortex: inter-tracer rho */
    double *effect, *effect_se;    /* [n_disorders, n_regions]; NaN = missing */
    nep_label *labels;             /* [n_disorders, n_drugs] the full truth: channels never get this */
    char **label_source;           /* [n_disorders, n_drugs] or NULL */
    uint64_t seed;
    bool cortex_only;
    double relative_occupancy;
    char mode, score;              /* 'U' 'S' 'T'; 'A' 'B' */
    int64_t n_nulls;
} nep_inputs;

/* What a channel may know of labels: status per drug of the scored disorder, and the label matrix of the others. */
typedef struct {
    int64_t disorder;
    const nep_label *own;    /* [n_drugs], hidden ones are NEP_LABEL_NONE */
    const nep_label *others; /* [n_disorders, n_drugs], row `disorder` all NONE */
} nep_visible;

/* One source row of an explanation. `share` sums to the score over the rows. */
typedef struct {
    char label[96];  /* e.g. a target or a neighbour drug */
    char detail[192];
    double share;
} nep_reason;

typedef struct nep_channel {
    const char *name, *summary, *source, *orientation, *licence;
    nep_role role;
    unsigned needs;       /* NEP_NEEDS_*: the front door names the missing table */
    bool uses_labels;
    /* value and se [n_drugs]; NaN = no evidence. `stream` 0 is the unperturbed score; another stream redraws the
     * channel's inputs within their errors. */
    nep_status (*score)(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, uint64_t stream, double *value,
                        double *se);
    /* Writes up to `limit` reasons for one drug and their number. NULL = the channel has nothing to take apart. */
    nep_status (*explain)(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, int64_t drug, int limit,
                          nep_reason *out, int *n);
} nep_channel;

enum { NEP_NEEDS_MAP = 1, NEP_NEEDS_AFFINITY = 2, NEP_NEEDS_FINGERPRINT = 4, NEP_NEEDS_DESCRIPTORS = 8, NEP_NEEDS_LABELS = 16 };

extern const nep_channel *const nep_evidence_table[]; /* NULL-terminated */
/* By name, NULL when there is none; and how many there are. */
const nep_channel *nep_channel_find(const char *name);
int nep_channel_count(void);

#ifdef __cplusplus
}
#endif
#endif
