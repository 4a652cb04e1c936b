/* SPDX-License-Identifier: Apache-2.0 */
/* evidence - the channel table: one file per channel, each giving one number and its standard error per candidate and
 * disorder, or nothing (NaN).
 *
 * What it is not: no fusion, no ranks, no files. A channel sees labels only through `visible`: that is what makes an
 * evaluation leak-proof.
 */
#ifndef NEPENTHE_EVIDENCE_H
#define NEPENTHE_EVIDENCE_H

#include <nepenthe/molecule.h>
#include <nepenthe/network.h>

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
bool nep_label_find(const char *name, nep_label *out); /* false: no such word */
/* Approved and symptomatic count as indicated. */
bool nep_label_indicated(nep_label l);

/* Which drugs' labels are hidden while drug k is scored: list[start[k]] .. list[start[k + 1] - 1], ascending, k among them. */
typedef struct {
    int64_t *start; /* [n_drugs + 1] */
    int64_t *list;
} nep_mask;

struct nep_tables;
struct nep_signatures;
struct nep_path_counts;
struct nep_direction;
struct nep_anatomy;
struct nep_smoother; /* smoother.h: what drugs like a drug are recorded for, as weights */
struct nep_kinship;  /* kinship.h: how alike disorders are by what the network says of them */
struct nep_profile; /* brainmap.h: a disorder's map and its null maps seen through the receptor maps */

/* Everything the channels may read, joined by name once. */
typedef struct {
    const nep_molset *drugs;       /* [n_drugs] */
    int64_t n_drugs, n_targets, n_regions, n_disorders;
    int64_t n_ranked, n_listed;    /* disorders [0, n_ranked) are ranked; up to n_listed they are the study's own; all after
                                    * lend their labels (and teach weights), no more. 0 = all: read by nep_inputs_ranked */
    char **targets;                /* HGNC symbols, those with a map first */
    char **target_names;           /* 5-HT2A */
    int64_t n_mapped;              /* targets [0, n_mapped) have a receptor map */
    nep_affinity *affinities;      /* one consensus per pair that has any, sorted by drug, target */
    int64_t n_affinities;
    int64_t *affinity_start;       /* [n_drugs + 1] */
    const nep_geometry *geometry;  /* the regions used, in order */
    const nep_atlas *atlas;        /* for pictures alone, or NULL: label 0, 1 + region of the geometry, or n_regions + 1 where
                                    * it shows something that is no region of it */
    const char *atlas_name;        /* its file, without folder */
    double *receptor;              /* [n_regions, n_mapped], z-scored within compartment */
    double *reliability;           /* [n_mapped, 2] cortex, subcortex: inter-tracer rho; NaN = not known */
    double *effect, *effect_se;    /* [n_disorders, n_regions]; NaN = missing */
    int *direction;                /* [n_disorders] -1, 0 (unknown), +1; NULL = all unknown */
    double *tracer;                /* [n_tracers, n_regions] further maps of a mapped target, z-scored alike; or NULL */
    int64_t *tracer_target;        /* [n_tracers] */
    int64_t n_tracers;
    char **disorder_ids, **disorder_names; /* [n_disorders] */
    bool *simulated;               /* [n_disorders] or NULL */
    struct nep_tables *tables;     /* tables.h: evidence that others measured; or NULL */
    struct nep_signatures *signatures; /* signature.h: what disorders and drugs do to genes; or NULL */
    const struct nep_direction *known_direction; /* direction.h: prior knowledge of directions and of drugs that make worse; or NULL */
    const struct nep_anatomy *anatomy; /* anatomy.h: which regions lie in which anatomy of the network; or NULL */
    nep_label *labels;             /* [n_disorders, n_drugs] the full truth: channels never get this */
    signed char *truth;            /* [n_disorders, n_drugs] simulated: 1 relevant, 0 not, -1 no truth; or NULL; hidden too */
    char **label_source;           /* [n_disorders, n_drugs] or NULL */
    int16_t *label_year;           /* [n_disorders, n_drugs] since when it is recorded, 0 = not known; or NULL; hidden too */
    const nep_network *network;    /* or NULL; kinds C (drugs, by drug_id) and D (disorders, by id) meet the study */
    bool investigational_negative; /* when judged, investigational drugs count as not recorded instead of being left out */
    uint64_t seed;
    bool cortex_only;
    bool any_strongest;            /* drops the second half of the coverage gate: the strongest target needs no map */
    double relative_occupancy;
    char mode, score;              /* 'U' 'S' 'T'; 'A' 'B' */
    int64_t n_nulls;
    /* What nep_inputs_prepare adds. */
    const char *null_kind;         /* as asked for; lent */
    struct nep_profile **profiles; /* [n_disorders, 1 + NEP_EVIDENCE_TRACERS]: as measured, then with redrawn tracers;
                                    * NULL for a disorder without a map */
    struct nep_profile **second;   /* [n_disorders] as measured, with null maps of another family; an entry is NULL where the
                                    * geometry has none */
    double *map_p;                 /* [n_disorders] map-null p of the largest |score| over all drugs that pass the gate: the
                                    * larger of both families */
    double *map_p_family;          /* [n_disorders, NEP_EVIDENCE_FAMILIES] p of each family; NaN = none */
    double *weights;               /* [n_drugs, n_mapped] nep_engagement_weights of stream 0, kept */
    signed char *coverage;         /* [n_drugs] nep_coverage, kept */
    float *similarity;             /* [n_drugs, n_drugs] Tanimoto, NaN without a fingerprint; NULL without any */
    nep_mask itself, similar;      /* the drug alone; the drug and all like it (nep_mask_alike) */
    struct nep_path_counts *paths; /* counted as channels ask for them; NULL without a network of drugs and disorders */
    struct nep_smoother *smoother; /* NULL without a network of drugs */
    struct nep_kinship *kinship;   /* NULL without a network of disorders */
    int64_t *drug_node, *disorder_node; /* [n_drugs], [n_disorders] in the network's kinds C and D, -1 = not there; NULL without */
} nep_inputs;

/* How many disorders are ranked, and how many are the study's own. */
int64_t nep_inputs_ranked(const nep_inputs *in);
int64_t nep_inputs_listed(const nep_inputs *in);
/* Whether rankings of the disorder are measured by a simulated truth instead of its labels. */
bool nep_inputs_by_truth(const nep_inputs *in, int64_t disorder);

#define NEP_EVIDENCE_RIDGE       0.1 /* lambda of score B, on a correlation matrix */
#define NEP_EVIDENCE_RELIABILITY 0.6 /* inter-tracer rho taken where none is given */
#define NEP_EVIDENCE_TRACERS     7   /* redraws of the receptor maps kept per disorder */
enum { NEP_EVIDENCE_FAMILIES = 2 };  /* of null maps behind every p: what one family gets wrong another need not */
#define NEP_EVIDENCE_MIN_TARGETS 3   /* measured targets with a map that the coverage gate asks for */
/* A redraw forgets each visible label with this probability. A stated assumption: physicians who judged the same
 * indications agreed only moderately, so a record is not a certainty. */
#define NEP_EVIDENCE_LABEL_DOUBT 0.1

/* Adds profiles (map nulls and what follows from them) and similarities. Channels need it done once.
 *
 * null_kind  a name of brainmap.h; NULL = moran, within each compartment when the scope has more than the cortex
 *
 * Beside it a second family draws null maps of the measured map (nep_inputs_second_null), and every p of the map is the
 * larger of both. Scores, their errors and intervals rest on the first.
 * A redrawn receptor map is another tracer's map of the target where there is one (each equally likely), else the map
 * plus white noise of variance (1 - rho) / rho, rho at least 0.2.
 * Errors: NEP_E_ARG (a score, mode, null or occupancy that is none), NEP_E_NOMEM (n_drugs^2 similarities), and those of
 * nep_profile_create. Cost: 8 n_disorders * n_nulls * n_regions * (n_regions + n_mapped). */
NEP_MUST_USE nep_status nep_inputs_prepare(nep_ctx *ctx, nep_inputs *in, const char *null_kind);
/* How many families of null maps a disorder's map allows; 0 without a map. */
NEP_MUST_USE nep_status nep_inputs_count_nulls(nep_ctx *ctx, const nep_inputs *in, int64_t disorder, int *families);
/* The first n null maps of a disorder by family 0 or 1, those that engagement is tested against: out [n, n_regions]; regions that no profile uses
 * keep what they have. Errors: NEP_E_ARG (no map, no such family), those of nep_nulls_draw. */
NEP_MUST_USE nep_status nep_inputs_null_maps(nep_ctx *ctx, const nep_inputs *in, int64_t disorder, int family, int64_t n, double *out);
/* False-positive rate of a null at the study's regions: of n_maps random smooth maps (covariance exp(-D / 40 mm)) tested
 * against a second one with n_nulls null maps, the share with p <= alpha; 90 % interval. In brainmap.h in full. */
/* The other family that the regions of the study allow: moran beside spins or eigenmodes; beside moran spins where every region
 * is cortex with a place on the sphere, else eigenmodes; NULL without places on the sphere. */
const char *nep_inputs_second_null(const nep_inputs *in, const char *null_kind);
/* The kind that a family's null maps of a disorder have; NULL where it has none. */
const char *nep_inputs_null_name(const nep_inputs *in, int64_t disorder, int family);
NEP_MUST_USE nep_status nep_inputs_null_rate(nep_ctx *ctx, const nep_inputs *in, const char *null_kind, double alpha,
                                             int64_t n_maps, int64_t n_nulls, double rate_low_high[3]);
/* What the map says per target: beta of score B [n_mapped]; NaN for a disorder without a map. */
void nep_inputs_target_profile(const nep_inputs *in, int64_t disorder, double *out);
void nep_inputs_release(nep_inputs *in); /* frees what prepare added; the rest belongs to whoever filled it */
/* Prepared inputs over permuted network number `number`: every metaedge is permuted by swaps that keep all degrees (graph.h), but for CrC,
 * since which drugs are alike decides what is hidden from whom. What does not depend on the network is lent by `in`, which must outlive it.
 * Errors: NEP_E_ARG (no network), NEP_E_NOMEM, NEP_E_INTERRUPTED. Cost: 10 swaps per edge, and what prepare does of the network. */
NEP_MUST_USE nep_status nep_inputs_permute(nep_ctx *ctx, const nep_inputs *in, uint64_t number, nep_inputs *out);
void nep_inputs_release_permuted(const nep_inputs *in, nep_inputs *out); /* of nep_inputs_permute alone */

typedef enum {
    NEP_COVERAGE_OK,
    NEP_COVERAGE_NONE,     /* no measured target at all */
    NEP_COVERAGE_FEW,      /* fewer than NEP_EVIDENCE_MIN_TARGETS measured targets with a map */
    NEP_COVERAGE_STRONGEST /* the strongest measured target has no map, by more than NEP_AFFINITY_SE_FLOOR */
} nep_coverage;

/* Drugs too alike for one to be judged by the other's labels: the same, Dice >= 0.5, the same first InChIKey block, the same ATC-4
 * class, or joined in the network as compounds that resemble each other (metaedge CrC). */
bool nep_mask_alike(const nep_inputs *in, int64_t k, int64_t i);

/* What a channel may know of labels: status per drug of the scored disorder, and the label matrix of the others. */
typedef struct {
    int64_t disorder;
    const nep_label *own;    /* [n_drugs], hidden ones are NEP_LABEL_NONE */
    const nep_label *others; /* [n_disorders, n_drugs], row `disorder` all NONE */
    const nep_mask *mask;    /* &in->itself or &in->similar: own and others hold all labels, and the labels that the mask hides from a
                              * drug must not reach its score, of any disorder; NULL = all that is here may be read. Given only to
                              * a channel that `masks` */
    const int64_t *only;     /* [n_only] the drugs whose scores will be read, NULL = all: a channel may leave out the others */
    int64_t n_only;
} nep_visible;
/* All labels, but that the disorder's own are kept from `others`: own [n_drugs] and others [n_disorders, n_drugs] are written. No labels: none
 * are recorded. */
nep_visible nep_visible_labels(const nep_inputs *in, int64_t disorder, nep_label *own, nep_label *others);
/* Whether a channel may count the drug as indicated; a redraw forgets some. */
bool nep_visible_indicated(const nep_inputs *in, const nep_visible *v, int64_t drug, uint64_t stream);
/* Whether drug i's label is hidden while drug k is scored: by the mask, or because they are one. */
bool nep_visible_hides(const nep_visible *v, int64_t k, int64_t i);
/* Writes the indices of all such drugs, ascending, into list [n_drugs] and returns their number. */
int64_t nep_visible_list(const nep_inputs *in, const nep_visible *v, uint64_t stream, int64_t *list);

/* One source row of an explanation. `share` sums to the score over all rows. */
typedef struct {
    char label[96];  /* e.g. a target or a neighbour drug */
    char detail[256];
    double share;
    int64_t record; /* 1 + disorder * n_drugs + drug of the label that the row rests on, 0 = none: the caller may add its source */
} nep_reason;

typedef struct nep_channel {
    const char *name, *summary, *source, *orientation, *licence;
    nep_role role;
    unsigned needs;       /* NEP_NEEDS_*: the front door names the missing table */
    bool uses_labels;     /* of the scored disorder */
    bool uses_others;     /* labels of other disorders */
    bool knows_drug;      /* reads what the scored drug itself is recorded for elsewhere: silent while the drug is to be new */
    bool masks;           /* honours visible->mask, or reads no label of the scored disorder */
    const char *edges;    /* metaedges of the network it reads, "CbG DaG", or NULL */
    /* value and se [n_drugs]; NaN = no evidence. `stream` 0 is the unperturbed score; another stream redraws the
     * channel's inputs within their errors. */
    nep_status (*score)(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, uint64_t stream, double *value,
                        double *se);
    /* Writes up to `limit` reasons for one drug and their number. NULL = the channel has nothing to take apart. */
    nep_status (*explain)(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, int64_t drug, int limit,
                          nep_reason *out, int *n);
    /* The same score by the edge at the drug (one of its targets) that paths leave by. NULL = the channel counts no paths. */
    nep_status (*by_edge)(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, int64_t drug, int limit,
                        nep_reason *out, int *n);
} nep_channel;

enum { NEP_NEEDS_MAP = 1, NEP_NEEDS_AFFINITY = 2, NEP_NEEDS_FINGERPRINT = 4, NEP_NEEDS_DESCRIPTORS = 8, NEP_NEEDS_LABELS = 16, NEP_NEEDS_NETWORK = 32,
       NEP_NEEDS_TABLE = 64 /* the evidence table of the channel's name */, NEP_NEEDS_SIGNATURES = 128 };

extern const nep_channel *const nep_evidence_table[]; /* NULL-terminated */
/* By name, NULL when there is none; and how many there are. */
const nep_channel *nep_channel_find(const char *name);
int nep_channel_count(void);
/* Which needs of a channel the inputs do not meet (NEP_NEEDS_*), 0 = all met. */
unsigned nep_channel_missing(const nep_channel *c, const nep_inputs *in);
/* The front door: checks what the channel needs and names the missing table, hides the truth, and scores.
 * Errors: NEP_E_ARG. */
NEP_MUST_USE nep_status nep_channel_score(nep_ctx *ctx, const nep_channel *c, const nep_inputs *in,
                                          const nep_visible *visible, uint64_t stream, double *value, double *se);
/* Whether the channel's table, which cannot be masked, shares a source with the study's labels: its evaluation would read the truth.
 * source [64] (may be NULL) gets the first such source. False for channels without a table of their own. */
bool nep_channel_overlaps(const nep_channel *c, const nep_inputs *in, char source[64]);
/* Reasons of one score, largest |share| first; none when the channel has nothing to take apart. */
NEP_MUST_USE nep_status nep_channel_explain(nep_ctx *ctx, const nep_channel *c, const nep_inputs *in,
                                            const nep_visible *visible, int64_t drug, int limit, nep_reason *out, int *n);
/* The same by edge at the drug, for channels that count paths; none for the others. */
NEP_MUST_USE nep_status nep_channel_edges(nep_ctx *ctx, const nep_channel *c, const nep_inputs *in,
                                          const nep_visible *visible, int64_t drug, int limit, nep_reason *out, int *n);

/* ---- engagement, beyond its channel ---- */
/* The coverage gate of one drug; n_measured (may be NULL) counts its measured targets with a map. */
nep_coverage nep_engagement_coverage(const nep_inputs *in, int64_t drug, int *n_measured);
/* Signed occupancies [n_drugs, n_mapped] under the inputs' mode and relative dose, 0 where nothing is measured. */
NEP_MUST_USE nep_status nep_engagement_weights(nep_ctx *ctx, const nep_inputs *in, uint64_t stream, double *a);
/* Signed scores [n_drugs] of one disorder, their error by the map's SE, and two-sided map-null p, the larger of both families
 * (se and p may be NULL); NaN where the coverage gate fails. */
NEP_MUST_USE nep_status nep_engagement_signed(nep_ctx *ctx, const nep_inputs *in, int64_t disorder, uint64_t stream,
                                              double *value, double *se, double *p);
/* The channel's score, as it is ranked, had the disorder had null map first .. first + n: out [n, n_drugs]. */
NEP_MUST_USE nep_status nep_engagement_null(nep_ctx *ctx, const nep_inputs *in, int64_t disorder, int64_t first,
                                            int64_t n, double *out);

/* The same by family 0 or 1, and the measured map's own scores by that family: out [n_drugs]. */
NEP_MUST_USE nep_status nep_engagement_null_family(nep_ctx *ctx, const nep_inputs *in, int64_t disorder, int family,
                                                   int64_t first, int64_t n, double *out);
NEP_MUST_USE nep_status nep_engagement_family(nep_ctx *ctx, const nep_inputs *in, int64_t disorder, int family, double *out);

/* Stream ids keep the draws of different inputs apart; what is common to all disorders takes disorder 0. */
typedef enum { NEP_STREAM_AFFINITY = 1, NEP_STREAM_MAP, NEP_STREAM_TRACER, NEP_STREAM_LABEL, NEP_STREAM_BOOTSTRAP, NEP_STREAM_NULL, NEP_STREAM_TABLE, NEP_STREAM_PATH } nep_stream;
uint64_t nep_stream_id(nep_stream kind, int64_t disorder, uint64_t stream);

#ifdef __cplusplus
}
#endif
#endif
