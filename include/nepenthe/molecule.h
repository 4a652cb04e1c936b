/* SPDX-License-Identifier: Apache-2.0 */
/* molecule - what is known of a compound by itself: its structure in one canonical form, fingerprint and descriptors, its
 * affinities, made one per target, and its CNS exposure rules.
 *
 * What it is not: no brain maps, no labels, no files. Affinities are -log10 of a molar concentration; missing is NaN,
 * never zero.
 */
#ifndef NEPENTHE_MOLECULE_H
#define NEPENTHE_MOLECULE_H

#include <nepenthe/data.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One measurement, as a row of the affinity table gives it. Texts are lent. */
typedef struct {
    int64_t drug, target; /* indices, >= 0 */
    double p_affinity;    /* NaN when the row tells an action only */
    const char *relation; /* of the concentration: "=", "~", ">" (weaker than), "<" (stronger than); NULL reads "=" */
    const char *type;     /* Ki, Kd, IC50, EC50, ...; NULL = unknown */
    const char *species;  /* "Homo sapiens" or "human"; anything else is non-human; NULL = unknown, non-human */
    const char *action;   /* ANTAGONIST, ...; `;`-separated; NULL = unknown */
    const char *source, *licence;
} nep_affinity_row;

/* The one affinity used for a drug-target pair. */
typedef struct {
    int64_t drug, target; /* indices */
    double p_affinity;    /* -log10 M, NaN when only the action is known */
    double p_se;          /* of p_affinity, log10 units */
    int action;           /* +1 agonist-like, -1 antagonist-like, 0 unknown; partial agonists +1 with `partial` */
    bool partial, censored; /* censored: relation was > or <; kept apart, never used as equality */
    int n_measurements;
    char *type, *species, *source, *licence; /* of the rows used, `;`-joined */
} nep_affinity;

/* A standard error is never below this, in log10 units: replicates of one laboratory share its bias. */
#define NEP_AFFINITY_SE_FLOOR 0.3
/* Spread of one measurement: 0.54 for Ki and Kd (Kramer 2012, doi:10.1021/jm300131x), a quarter more for IC50 and
 * EC50 (Kalliokoski 2013, doi:10.1371/journal.pone.0061007). */
#define NEP_AFFINITY_SD_KI   0.54
#define NEP_AFFINITY_SD_IC50 0.675

/* One consensus per drug-target pair: the median of the best tier that has an exact value. Tiers: human Ki, Kd, IC50,
 * EC50, other type; then the same order for non-human rows.
 *
 * rows  [n]  in any order; out gets [*n_out] sorted by drug, then target
 *
 * The standard error is s / sqrt(k) for k values of the tier (times sqrt(pi / 2) for k >= 3, a median's efficiency),
 * s^2 the spread of the values pooled with three degrees of freedom of the literature spread above, and at least the
 * floor. Censored rows count only when a pair has no exact value: the tightest bound is kept and `censored` set.
 * The action is the sign all signed rows of the pair agree on, else 0. Cost: n log n.
 * Errors: NEP_E_ARG (negative index, p_affinity outside -3..15), NEP_E_NOMEM. Free with nep_affinity_free.
 */
NEP_MUST_USE nep_status nep_affinity_consensus(nep_ctx *ctx, const nep_affinity_row *rows, int64_t n, nep_affinity **out,
                                               int64_t *n_out);
void nep_affinity_free(nep_affinity *list, int64_t n);

/* What an action word means for a receptor: +1, -1 or 0 (unknown word, or one that says nothing of direction).
 * `partial` is set for partial agonists and may be NULL. Case does not matter. */
int nep_affinity_action(const char *word, bool *partial);

/* What the CNS rules were computed from. NaN = not given. */
typedef struct {
    double clogp, clogd, mw, tpsa, hbd, pka;
} nep_exposure_input;

/* CNS multiparameter optimisation, 0 to 6: six desirabilities of 0 to 1, linear between ClogP 3 to 5, ClogD7.4 2 to 4,
 * MW 360 to 500, HBD 0.5 to 3.5 and most basic pKa 8 to 10 (all falling), TPSA rising 20 to 40 and falling 90 to 120.
 * Without pKa or ClogD the mean of the others is rescaled to 6; `n_used` (may be NULL) says how many entered, and fewer
 * than 4 give NaN.
 * Source: Wager et al. (2010) ACS Chem Neurosci 1:435, doi:10.1021/cn100008c. */
double nep_exposure_mpo(const nep_exposure_input *in, int *n_used);

/* ---- structures through RDKit (fingerprint.c, convert.c) ------------------------------------------------------------
 * RDKit lies in a module that is loaded when first needed (NEPENTHE_RDKIT_MODULE, beside the program, the library folder). */
typedef enum { NEP_FINGERPRINT_NONE, NEP_FINGERPRINT_MORGAN, NEP_FINGERPRINT_RDKIT, NEP_FINGERPRINT_MACCS, NEP_FINGERPRINT_KINDS } nep_fingerprint_kind;
enum { NEP_FINGERPRINT_BITS_MOST = 8192 };

typedef struct {
    nep_fingerprint_kind kind;
    int radius;     /* morgan: 0 to 10 bonds */
    int64_t n_bits; /* 64 to 8192; 167 for maccs, whose bit 0 is never set */
} nep_fingerprint;

/* "morgan:R:BITS" (also called ECFP of diameter 2 R), "rdkit:BITS" (paths of 1 to 7 bonds, 2 bits each), "maccs" or "none".
 * Errors: NEP_E_ARG with what is understood. */
NEP_MUST_USE nep_status nep_fingerprint_parse(nep_ctx *ctx, const char *text, nep_fingerprint *out);
/* 64-bit words of a row: bit b is bit b % 64 of word b / 64, so that the bytes of a row are those of an FPS line. */
int64_t nep_fingerprint_words(const nep_fingerprint *f);

typedef struct {
    const char *text; /* SMILES or mol block; need not end in NUL */
    int64_t n_bytes;
    bool molblock; /* V2000 or V3000 */
} nep_convert_input;

typedef struct {
    nep_fingerprint fingerprint;
    bool inchikey, descriptors;
    bool parent; /* everything of the largest component, in place of the record as given */
} nep_convert_opts;

/* One molecule. Texts are owned. */
typedef struct {
    char *smiles;         /* canonical, isomeric; NULL: not converted */
    char *parent_smiles;  /* of the largest component (heavy atoms, then weight, then SMILES); NULL when there is one only */
    char inchikey[28];    /* standard InChIKey, "" when not asked for or InChI has none (over 1,023 atoms, a query atom) */
    char parent_inchikey[28]; /* of the largest component; equal to inchikey when there is one only */
    char reason[224];     /* why it was not converted */
} nep_converted;

/* Descriptors, in this order; the first NEP_CONVERT_MEASURED are RDKit's, the rest follow from them. */
enum { NEP_CONVERT_MEASURED = 13, NEP_CONVERT_DESCRIPTORS = 16 };
extern const char *const nep_convert_descriptor_names[NEP_CONVERT_DESCRIPTORS];

/* Converts n molecules, each by itself: the same answers for any thread count.
 *
 * in          [n]
 * out         [n]  zeroed or freed before; free with nep_convert_free, also after a failure
 * bits        [n, words] or NULL without a fingerprint; rows of unconverted molecules are 0
 * descriptor  [n, NEP_CONVERT_DESCRIPTORS] or NULL without descriptors; NaN = none
 *
 * A molecule is refused with a reason when RDKit refuses it or it is past NEP_CONVERT_ATOMS_MOST atoms. Cost: about 0.5 ms each.
 * Errors: NEP_E_NOTSUP (no RDKit here; says what to install), NEP_E_INTERRUPTED, NEP_E_NOMEM (no thread). */
enum { NEP_CONVERT_ATOMS_MOST = 2000 };
NEP_MUST_USE nep_status nep_convert_batch(nep_ctx *ctx, const nep_convert_opts *opts, const nep_convert_input *in, int64_t n,
                                          nep_converted *out, uint64_t *bits, double *descriptor);
void nep_convert_free(nep_converted *out, int64_t n);
/* "RDKit 2022.09.3, InChI 1.03". Errors: NEP_E_NOTSUP. */
NEP_MUST_USE nep_status nep_convert_about(nep_ctx *ctx, const char **out);

#ifdef __cplusplus
}
#endif
#endif
