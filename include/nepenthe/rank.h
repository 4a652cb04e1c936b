/* SPDX-License-Identifier: Apache-2.0 */
/* rank - from channels to one order per disorder: fusion, intervals, verdicts, protocols, explanation.
 *
 * What it is not: it measures nothing and writes nothing. `nep_ranking` is what every report format reads; it is
 * gathered once. Intervals are 90 %. Everything follows from the inputs and the seed, on any number of threads.
 */
#ifndef NEPENTHE_RANK_H
#define NEPENTHE_RANK_H

#include <nepenthe/evidence.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- words ------------------------------------------------------------------------------------------------------
 * A candidate's verdict is the first that applies:
 *   contraindicated  recorded as contraindicated or as failed for harm: label `contraindicated`; or known to make the
 *                    disorder worse (direction.h)
 *   gated            the exposure gate is below NEP_VERDICT_GATE, and no disorder of the study records the drug
 *   insufficient     the coverage gate failed, or no VOTE channel speaks
 *   weak             recorded as failed; or flagged opposite_direction and no recorded treatment
 *   supported        score >= NEP_VERDICT_SCORE with its lower bound above 0, and either imaging adds for the disorder or
 *                    the score without engagement reaches NEP_VERDICT_SCORE as well
 *   weak             everything else */
typedef enum { NEP_VERDICT_SUPPORTED, NEP_VERDICT_WEAK, NEP_VERDICT_INSUFFICIENT, NEP_VERDICT_GATED, NEP_VERDICT_CONTRAINDICATED } nep_verdict;
#define NEP_VERDICT_GATE  2.0   /* CNS MPO of 6; below NEP_VERDICT_FLAG the flag `low_exposure` */
#define NEP_VERDICT_FLAG  4.0
#define NEP_VERDICT_SCORE 1.645 /* the upper 5 % of a ranking without signal */
#define NEP_VERDICT_ODDS  2.303 /* the same for NEP_FUSION_HIERARCHICAL: ten times the odds of the disorder's average drug */

/* How channels become one score.
 *   stouffer      sum of normal scores over its SD: needs no other disorder (fuse.c)
 *   hierarchical  log odds above the disorder's average drug, by a logistic regression whose weights come from other disorders (model.h) */
typedef enum { NEP_FUSION_STOUFFER, NEP_FUSION_HIERARCHICAL } nep_fusion;
const char *nep_fusion_name(nep_fusion f);
/* A disorder's verdict on imaging, with >= NEP_INCREMENT_MIN_POS scored recorded treatments:
 *   adds          p_holm <= 0.05 and the interval of the gain lies above 0
 *   no_signal     not so, and a gain of NEP_INCREMENT_RELEVANT would have been detected with power 0.8
 *   undetermined  neither: too little power
 * With fewer, the map alone is tested (p_map of the strongest engagement over all drugs): no_signal when p_holm > 0.05 and a
 * correlation of NEP_INCREMENT_RELEVANT_R with one drug's engagement map would have been detected, else undetermined. A map
 * that follows receptors does not show by itself that it helps to rank.
 *
 * Hierarchical fusion: the gain is that of the model with every channel over the model of the same channels but the imaging ones, each learned
 * from the other disorders, over all drugs; p is of the gain itself, against null maps pushed through channel, score and average precision with
 * the weights as they were learned from the measured maps. adds asks for a gain above the null maps' mean, too: having measured targets helps to
 * rank whatever the map says. Where the model gives imaging no weight nothing can be told of the map: undetermined. */
typedef enum { NEP_IMAGING_ADDS, NEP_IMAGING_NO_SIGNAL, NEP_IMAGING_UNDETERMINED } nep_imaging_verdict;
#define NEP_INCREMENT_MIN_POS    3
#define NEP_INCREMENT_RELEVANT   0.10
#define NEP_INCREMENT_RELEVANT_R 0.70 /* one mechanism behind about half of the map's variance */
/* Whether a channel reads the disorders' maps: engagement, anatomy_imaging. */
bool nep_imaging_channel(const nep_channel *c);
const char *nep_verdict_name(nep_verdict v);
const char *nep_imaging_verdict_name(nep_imaging_verdict v);

typedef struct {
    double value, low, high; /* NaN when not estimable */
    int64_t n;
    double t_low, t_high;    /* macro means: t interval over disorders; NaN else */
} nep_estimate;

typedef struct {
    int64_t drug;
    double score, score_low, score_high; /* NaN: no VOTE channel speaks */
    double rank_low, rank_high, p_top10;
    double p_recorded; /* probability of being a recorded treatment; NaN when not calibrated */
    nep_verdict verdict;
    int n_channels, n_targets; /* VOTE channels present; measured targets with a map */
    char *flags;          /* `;`-separated words, "" when none */
    double engagement;    /* signed engagement score, NaN = none */
    double engagement_p;  /* two-sided map-null p, NaN = none */
    double score_without_low, score_without_high; /* sensitivity: range of the score when one VOTE channel is left out */
} nep_candidate;

typedef struct {
    int64_t n_pos, n_neg, n_failed; /* n_failed: negatives recorded as failed or contraindicated; 0 when not asked for */
    double prevalence;
    nep_estimate ap, auroc, bedroc20, p_at_20, ndcg_at_20;
    /* against fewer negatives (nep_negatives); NaN where none is recorded or they were not asked for. n of
     * auroc_vs_popularity: the treatments that have a match */
    nep_estimate auroc_vs_ns, auroc_vs_popularity, auroc_vs_failed;
    double null_low, null_high, null_p; /* of auroc under map nulls: 95 % of the first family, p the larger of both; NaN without imaging */
    double null_p_family[NEP_EVIDENCE_FAMILIES]; /* NaN = no such family */
} nep_performance;

typedef struct {
    nep_estimate delta;    /* gain of AP by imaging, masked protocol: over ligand_only and analogue without it, or (hierarchical) over
                            * the model of the same channels but the imaging ones; n = recorded treatments that the image scores;
                            * NaN: too few, and the map alone was tested */
    double p_family[NEP_EVIDENCE_FAMILIES]; /* p_map by each family of null maps; NaN = none */
    double p_map, p_holm;  /* two-sided, by map nulls, the larger of both families, Holm over the disorders: of the excess of the recorded treatments' mean
                            * engagement score over the others' (a rank would not see how strongly a map speaks); of the
                            * strongest drug's score where the map alone was tested; hierarchical: of the gain itself */
    double detectable;     /* smallest gain that would stand out from the gains of null maps and, by its interval, from chance
                            * in the drugs, with power 0.8; a correlation where the map alone was tested */
    double null_gain;      /* hierarchical: mean gain of null maps, the larger of both families; NaN else */
    double weight;         /* hierarchical: largest weight of an imaging channel in the model of the other disorders; NaN else */
    nep_imaging_verdict verdict;
} nep_increment;

/* The same channels fused in other ways, beside the ranking: the plain mean of their normal scores (nothing to tune), robust rank
 * aggregation (nep_aggregation_rho: nothing to tune, one surprising list suffices), and the elastic net over the same features
 * (hierarchical fusion alone). None of them knows the gate `direction`. */
typedef enum { NEP_OPINION_MEAN, NEP_OPINION_AGGREGATION, NEP_OPINION_ELASTIC, NEP_OPINION_COUNT } nep_opinion;
const char *nep_opinion_name(nep_opinion o);

typedef struct {
    char *id, *name;
    bool simulated;
    bool left_out;             /* of reports: it was ranked and evaluated, and nobody asked to read it */
    int direction;
    nep_candidate *candidates; /* [n_drugs] best first; the array index is rank - 1 */
    double *value, *se;        /* [n_drugs, n_channels] by drug index */
    double *contribution;      /* [n_drugs, n_channels] by drug index; VOTE channels sum to the score; NaN = not fused */
    double *opinion;           /* [NEP_OPINION_COUNT, n_drugs] rank of each drug in each other order, ties in the middle; NaN = none */
    double intercept;          /* hierarchical: log odds of the average drug; score + intercept is the logit; NaN else */
    nep_increment increment;
    double truth_auroc, truth_recall10; /* recovery against a simulated truth; NaN else */
    char *trust;               /* the sentence of the trust box */
} nep_ranking_disorder;

typedef struct {
    char *name;                /* moran, spin, ... */
    double alpha, rate, low, high; /* false-positive rate measured at this parcellation */
    int64_t n_maps;
} nep_null_rate;

typedef struct {
    const char *study_name, *study_path; /* lent */
    const nep_inputs *inputs;
    int n_channels;
    const nep_channel **channels;  /* those used, VOTE first */
    nep_ranking_disorder *disorders;
    int64_t n_disorders;
    double *target_profile;        /* [n_disorders, n_mapped] beta of score B: what the map says per target */
    nep_null_rate *null_rates;
    int n_null_rates;
    nep_fusion fusion;
    nep_increment imaging;         /* hierarchical: over the disorders whose gain was measured (delta.n of them): mean gain, interval by resampling
                                    * disorders and drugs, p of the mean; blank else */
    char *imaging_text;            /* what the images add to the study, in a few sentences */
    double *weight, *spread;       /* hierarchical: [n_disorders, VOTE channels] weight per SD of a channel in the model of the other
                                    * disorders, and its SD between disorders; else NULL */
} nep_ranking;

typedef struct {
    const char *study_name, *study_path;  /* lent to the ranking */
    const char *const *votes;             /* names of the VOTE channels to fuse (the declared primary analysis) */
    int n_votes;                          /* 0 = every VOTE channel whose tables are there */
    const char *const *null_kinds;        /* nulls whose false-positive rate is measured */
    int n_null_kinds;
    int64_t n_streams;                    /* redraws of the inputs behind the intervals, >= 20 */
    int64_t n_bootstrap;                  /* of the evaluation and of the increments */
    int64_t null_maps;                    /* random maps of each false-positive rate */
    nep_fusion fusion;
    bool imaging_only;                    /* no candidate is ranked: the increment of imaging alone is measured */
} nep_ranking_opts;
#define NEP_RANKING_DEFAULTS {.n_streams = 200, .n_bootstrap = 2000, .null_maps = 500}

/* Ranks every drug for every disorder. `in` is prepared (nep_inputs_prepare) and lent: it must outlive the ranking.
 *
 * Per disorder: channel scores, within-disorder normal scores, Stouffer's fusion; intervals from n_streams redraws of the
 * inputs; the increment of imaging; verdicts; the probability of being a recorded treatment by a logistic curve fitted on
 * the other disorders. Order: score, then drug id; drugs without a score last.
 * Errors: NEP_E_CONFIG (a channel that is unknown, is not a VOTE, lacks its tables, or reads the truth, nep_leaks_refuse; named), NEP_E_ARG (no drugs), NEP_E_NOMEM, NEP_E_INTERRUPTED. Cost:
 * n_streams * n_disorders * cost of the VOTE channels. */
NEP_MUST_USE nep_status nep_ranking_create(nep_ctx *ctx, const nep_inputs *in, const nep_ranking_opts *opts,
                                           nep_ranking **out);
void nep_ranking_free(nep_ranking *r);

/* ---- fusion ----------------------------------------------------------------------------------------------------- */
/* Normal scores: z = Phi^-1((r - 3/8) / (n + 1/4)) with r the mid-rank among the n values that are there; NaN stays NaN.
 * Source: Blom (1958) Statistical Estimates and Transformed Beta-Variables, Wiley. */
NEP_MUST_USE nep_status nep_fuse_normal_scores(nep_ctx *ctx, const double *x, int64_t n, double *z);

/* Correlation of the columns of z [n, c] over pairs that are both there; a pair with fewer than 10 common rows, and a
 * negative correlation, count 0, so that fusing never enlarges what one channel says. r [c, c]. */
void nep_fuse_correlation(const double *z, int64_t n, int c, double *r);

/* Stouffer: score = sum z / sqrt(1' R 1) over the columns that are there; contribution (may be NULL) [n, c] sums to the score;
 * n_present (may be NULL) [n]. A row without any gives NaN. Source: Stouffer et al. (1949) The American Soldier 1; Strube
 * (1985) Psychol Bull 97:334, doi:10.1037/0033-2909.97.2.334. */
void nep_fuse_stouffer(const double *z, int64_t n, int c, const double *r, double *score, double *contribution,
                       int *n_present);

/* Mean of the columns that are there, the comparator without a weight to tune: score [n], NaN for a row without any; n_present (may
 * be NULL) [n]. It favours rows that few columns know (see nep_fuse_stouffer). */
void nep_fuse_mean(const double *z, int64_t n, int c, double *score, int *n_present);

/* ---- measures of a ranking --------------------------------------------------------------------------------------- */
enum { NEP_METRICS_AP, NEP_METRICS_AUROC, NEP_METRICS_BEDROC20, NEP_METRICS_P_AT_20, NEP_METRICS_COUNT };

/* All measures of one score in one pass.
 *
 * order   [n]  items by score, best first
 * tie     [n]  tie[i] true: item i has the score of item i - 1
 * pos     [n]  by item: 1 positive, 0 negative, anything else left out
 * weight  [n]  by item, whole numbers (how often a bootstrap drew it); NULL = 1
 * out     [NEP_METRICS_COUNT]  NaN without a positive or without a negative
 *
 * Ties: AUROC counts half, AP takes a tie as one threshold, precision at 20 and BEDROC take the expectation over the orders
 * of a tie. Precision at 20 divides by min(20, n).
 * Source: Truchon & Bayly (2007) J Chem Inf Model 47:488, doi:10.1021/ci600426e (BEDROC, alpha 20). */
void nep_metrics_compute(const int64_t *order, const bool *tie, const signed char *pos, const int32_t *weight, int64_t n,
                         double out[NEP_METRICS_COUNT]);
/* Normalised discounted cumulative gain of the first k places: sum over places i of (2^g - 1) / log2(i + 1), over that of the best order.
 *
 * order, tie, weight  [n]  as above; grade [n] by item: 0 to 7, negative = left out
 *
 * A tie takes the expectation over its orders. NaN where no item has a grade above 0.
 * Source: Jarvelin & Kekalainen (2002) ACM Trans Inf Syst 20:422, doi:10.1145/582415.582418; ties: McSherry & Najork (2008) ECIR, LNCS 4956:414,
 * doi:10.1007/978-3-540-78646-7_38. */
double nep_metrics_ndcg(const int64_t *order, const bool *tie, const signed char *grade, const int32_t *weight, int64_t n, int k);
/* Sorts item indices by score, best first; NaN last as one tie; equal scores keep the item order. */
NEP_MUST_USE nep_status nep_metrics_order(nep_ctx *ctx, const double *score, int64_t n, int64_t *order, bool *tie);
/* The same by stratum [n] first (NULL = one stratum): what nep_metrics_matched reads. */
NEP_MUST_USE nep_status nep_metrics_order_within(nep_ctx *ctx, const double *score, const int64_t *stratum, int64_t n, int64_t *order,
                                                 bool *tie);
/* AUROC against matched negatives: the mean, over the positives whose stratum has a negative, of the share of that stratum's
 * negatives which the positive precedes, ties half. A score that is constant within strata gives 0.5.
 *
 * order, tie  [n]  of nep_metrics_order_within
 * stratum     [n]  by item
 * pos, weight [n]  as in nep_metrics_compute
 * n_matched        (may be NULL) the positives that have a match, weights counted
 *
 * NaN without any. Source: Janes & Pepe (2009) Biometrika 96:371, doi:10.1093/biomet/asp002 (covariate-adjusted ROC). */
double nep_metrics_matched(const int64_t *order, const bool *tie, const int64_t *stratum, const signed char *pos, const int32_t *weight,
                           int64_t n, int64_t *n_matched);

/* ---- calibration ------------------------------------------------------------------------------------------------- */
typedef struct {
    double intercept, slope;
} nep_calibration_curve;
/* Logistic regression of y (0, 1; anything else left out) on x by Newton's method, with a ridge of 1e-3 on the slope. NaN
 * curve when all y agree. */
nep_calibration_curve nep_calibration_fit(const double *x, const signed char *y, int64_t n);
/* The same beside a part of the logit that is given: logit = offset + intercept + slope x. offset [n] or NULL. */
nep_calibration_curve nep_calibration_fit_offset(const double *x, const double *offset, const signed char *y, int64_t n);
double nep_calibration_apply(nep_calibration_curve c, double x);

typedef struct {
    double oe, slope, brier, brier_null; /* observed / expected, slope of logit(p), Brier score, of the mean prevalence */
    int64_t n, n_pos;
} nep_calibration;
/* Pairs of about one predicted probability: a point of the calibration curve. */
typedef struct {
    int64_t n, n_pos;
    double predicted, observed, low, high; /* means; 90 % Wilson interval of observed */
} nep_calibration_bin;
/* logit [n] of the predicted probabilities. */
void nep_calibration_measure(const double *logit, const signed char *y, int64_t n, nep_calibration *out);

/* Holm's step-down adjustment, in place order kept; NaN stays NaN. Source: Holm (1979) Scand J Stat 6:65. */
void nep_holm_adjust(const double *p, int64_t n, double *out);

/* ---- evaluation -------------------------------------------------------------------------------------------------- */
typedef enum { NEP_PROTOCOL_MASKED, NEP_PROTOCOL_ZERO_SHOT, NEP_PROTOCOL_NEW_DRUG, NEP_PROTOCOL_APPROVED_VS_FAILED, NEP_PROTOCOL_COUNT } nep_protocol;
const char *nep_protocol_name(nep_protocol p);
const char *nep_protocol_definition(nep_protocol p);
bool nep_protocol_find(const char *name, nep_protocol *out);

/* Which drugs the recorded treatments are held against. AP and most measures take all; the others give one AUROC each. */
typedef enum { NEP_NEGATIVES_ALL, NEP_NEGATIVES_NERVOUS_SYSTEM, NEP_NEGATIVES_POPULARITY, NEP_NEGATIVES_FAILED, NEP_NEGATIVES_COUNT } nep_negatives;
const char *nep_negatives_name(nep_negatives k);
const char *nep_negatives_definition(nep_negatives k);
bool nep_negatives_find(const char *name, nep_negatives *out);
/* What popularity-matched drugs share, as one number per drug, out [n_drugs]: for how many other disorders of the study the
 * drug is recorded (exactly), and its number of measured targets, bounds left out (0, 1, 2 to 3, 4 to 7, ... are alike). */
void nep_negatives_strata(const nep_inputs *in, int64_t disorder, int64_t *out);

/* What every channel says of every drug when the labels a protocol hides are hidden; n_disorders are those ranked: [n_disorders, n_drugs, n_channels]
 * values and normal scores, and the fused score of the VOTE channels [n_disorders, n_drugs]. */
typedef struct {
    double *value, *z, *score;
    double *scale; /* [n_disorders, n_drugs] sqrt(1' R 1) of each drug's fusion */
} nep_protocol_scores;

/* Scores under one protocol. Drugs that share a set of visible labels are scored together; within a set nothing hidden
 * enters, correlations included. channels [n_channels], n_votes first of them VOTE.
 * Errors: as nep_channel_score. */
NEP_MUST_USE nep_status nep_protocol_score(nep_ctx *ctx, const nep_inputs *in, nep_protocol p,
                                           const nep_channel *const *channels, int n_channels, int n_votes,
                                           nep_protocol_scores *out);
void nep_protocol_scores_free(nep_protocol_scores *s);
/* Whether the protocol hides drug i's label of the disorder when drug k is scored. */
bool nep_protocol_hides(const nep_inputs *in, nep_protocol p, int64_t k, int64_t i);

typedef struct {
    char *name;
    bool upper_bound; /* shown as a bound, never as a rival */
    bool run[NEP_PROTOCOL_COUNT];
    nep_performance macro[NEP_PROTOCOL_COUNT];
    nep_performance *disorders[NEP_PROTOCOL_COUNT]; /* [n_disorders] each */
    nep_estimate gain[NEP_PROTOCOL_COUNT]; /* of the fused ranking over it: macro AP, paired two-way bootstrap; NaN for fused itself */
} nep_evaluation_score;

/* The set of drugs that should hold 90 % of a disorder's treatments, asked of the disorder's recorded ones. */
typedef struct {
    int64_t n_pos, covered;
    double coverage, low, high; /* Clopper and Pearson, 95 % */
    double size;                /* share of all drugs in the set */
    bool own;                   /* its bound comes from the disorder's own treatments, each by the others; else from other disorders */
} nep_conformal_set;
enum { NEP_CONFORMAL_MIN_OWN = 10 }; /* recorded treatments from which on a disorder sets its own bound, where its labels are visible */

enum { NEP_CALIBRATION_CURVE = 10 }; /* points: groups of equal size by predicted probability */

typedef struct {
    char *channel;
    nep_estimate delta_ap; /* macro AP with it less without it, masked protocol */
    double p, p_holm;      /* two-sided, paired bootstrap */
} nep_ablation;

typedef struct {
    double auroc;                       /* engagement alone, as it is ranked */
    double null_low, null_high, null_p; /* 95 % of it under the first family of map nulls; two-sided p about their mean, the larger of both families */
    double null_p_family[NEP_EVIDENCE_FAMILIES];
    double ligand_only;                 /* AUROC of the ligand-only baseline on the same drugs, masked protocol */
    double ligand_only_new_drug;        /* the same, new_drug protocol (leave one out) */
    int64_t n_pos, n_neg;
} nep_imaging_alone;

/* What should be at chance, and is asked whether it is. AUROCs are macro means, masked protocol; matched: against drugs recorded for as many
 * disorders in all and alike in the numbers of targets and side effects (0, 1, 2 to 3, 4 to 7, ...), since permuting keeps these. */
typedef enum {
    NEP_CONTROL_LABELS,  /* treatments permuted by swaps: every drug and every disorder keeps how many it has */
    NEP_CONTROL_NETWORK, /* every metaedge permuted by swaps (nep_inputs_permute); labels as they are */
    NEP_CONTROL_DECOYS,  /* no permutation: antibacterials (ATC J01) that are not recorded, against all other drugs that are not */
    NEP_CONTROL_COUNT
} nep_control_kind;
const char *nep_controls_name(nep_control_kind kind);
const char *nep_controls_definition(nep_control_kind kind);
typedef struct {
    nep_control_kind kind;
    int64_t n;                 /* permutations; of decoys: those of the study */
    double prevalence;
    nep_estimate ap, auroc, matched; /* means over permutations; intervals pool their bootstrap draws; n = disorders. NaN: not estimable */
    nep_estimate own_ap, own_auroc, own_matched; /* the ranking itself, same strata; NaN for decoys */
    bool chance;               /* the interval of matched (of decoys: auroc) reaches down to 0.5 */
} nep_control;

/* Trained on labels recorded up to a year, tested on treatments recorded later. Labels without a date are not visible, and no such treatment
 * is tested. At the year all that was recorded is visible, of the scored drug too. */
typedef struct {
    int64_t year, n_early, n_late, n_undated; /* treatments of ranked disorders */
    nep_performance macro, *disorders;        /* [n_disorders]; n_pos: treatments recorded later; drugs with an earlier label are left out */
} nep_time_split;
const char *nep_time_split_definition(void);

struct nep_leaks; /* leaks.h: what hiding labels does not reach */

typedef struct {
    const nep_ranking *ranking;    /* lent */
    int64_t n_disorders;
    uint64_t seed;
    int64_t n_bootstrap;
    bool negatives[NEP_NEGATIVES_COUNT]; /* those measured; all always is */
    nep_evaluation_score fused;    /* the primary analysis */
    nep_evaluation_score *baselines;
    int n_baselines;
    nep_protocol_scores scores[NEP_PROTOCOL_COUNT]; /* those run */
    nep_calibration pooled, *calibration; /* new_drug protocol, each disorder by a curve of the others */
    nep_calibration_bin *curve; /* [1 + n_disorders, NEP_CALIBRATION_CURVE] pooled, then by disorder; n 0 = no such point */
    double conformal_level, conformal_coverage, conformal_min, conformal_size; /* set that should hold 90 % of treatments */
    nep_conformal_set *conformal; /* [n_disorders] of the hierarchical fusion; else NULL */
    int64_t conformal_failing;  /* disorders whose upper bound lies below the level */
    nep_protocol calibrated;    /* the protocol that calibration and conformal sets are of */
    nep_calibration by_protocol[NEP_PROTOCOL_COUNT]; /* pooled calibration under each protocol; n 0 where not run or not a probability */
    nep_ablation *ablation;
    int n_ablation;
    nep_imaging_alone *imaging;    /* [n_disorders] */
    nep_time_split *time_split;    /* NULL = not asked for */
    nep_control *controls;         /* [n_controls] negative controls */
    int n_controls;
    struct nep_leaks *leaks;       /* what was found; each was warned of */
} nep_evaluation;

typedef struct {
    bool protocols[NEP_PROTOCOL_COUNT]; /* all false = all */
    bool negatives[NEP_NEGATIVES_COUNT]; /* all false = all */
    int64_t n_bootstrap;
    int64_t time_split; /* a year; 0 = none */
    int64_t n_controls; /* permutations of each negative control; 0 = none of these */
} nep_evaluation_opts;

/* Evaluates the ranking's primary analysis under the protocols, baselines beside it. The ranking and its inputs are lent.
 * Intervals resample disorders and drugs together (two-way percentile); per disorder, drugs. Positives are approved and
 * symptomatic; investigational drugs are left out; all other drugs are negatives. Only drugs the fusion scores enter, for
 * baselines too: one that a baseline is silent on takes its median, since silence is no evidence.
 * Errors: NEP_E_ARG (no labels), NEP_E_CONFIG (a time split without treatments on both sides), NEP_E_NOMEM, NEP_E_INTERRUPTED. Cost: n_bootstrap * n_disorders * n_drugs * scores. */
NEP_MUST_USE nep_status nep_evaluation_create(nep_ctx *ctx, const nep_ranking *ranking, const nep_evaluation_opts *opts,
                                              nep_evaluation **out);
void nep_evaluation_free(nep_evaluation *e);

/* The increment of imaging per disorder, from masked scores over ligand_only and the VOTE channels; filled by
 * nep_ranking_create. out [n_disorders]. */
NEP_MUST_USE nep_status nep_increment_measure(nep_ctx *ctx, const nep_inputs *in, int64_t n_bootstrap, nep_increment *out);

#ifdef __cplusplus
}
#endif
#endif
