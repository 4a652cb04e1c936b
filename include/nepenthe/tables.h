/* SPDX-License-Identifier: Apache-2.0 */
/* tables - evidence that others measured: rows of a table, joined by name, and what each kind of table makes of them.
 *
 * What it is not: it reads no file. A table is static: nothing of it is hidden when labels are, so that one whose source is the
 * labels' source must not be evaluated against them (nep_tables_overlap).
 *
 * kind           a row is                                    value          further columns
 * expert_votes   one rater's word on a pair                  -              rater, vote (a label's word; DM SYM NOT are taken for
 *                                                                           approved symptomatic failed)
 * literature     the papers of one year on a pair            their number   year
 * record_signal  one estimate from records of patients,      larger speaks  se > 0
 *                such as a log odds ratio                    for the drug
 * assay_potency  one potency in an assay of the disorder     -log10 M       se, n (1), hit (1; 0 = tested without effect)
 * cns_exposure   one measured brain to blood ratio, or       log10 BB       se, class BBB+ or BBB-; no disorder
 *                the class it fell into
 */
#ifndef NEPENTHE_TABLES_H
#define NEPENTHE_TABLES_H

#include <nepenthe/votes.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { NEP_TABLES_VOTES, NEP_TABLES_LITERATURE, NEP_TABLES_RECORDS, NEP_TABLES_ASSAY, NEP_TABLES_EXPOSURE, NEP_TABLES_COUNT } nep_tables_kind;
/* The word used in study files, and back (false: no such word). */
const char *nep_tables_name(nep_tables_kind kind);
bool nep_tables_find(const char *name, nep_tables_kind *out);

#define NEP_TABLES_HALF_LIFE  5.0  /* years in which a paper's weight halves; an assumption, option half_life */
#define NEP_TABLES_POTENCY    4.0  /* -log10 M where potency begins to count: 100 uM, what assays usually end at */
#define NEP_TABLES_POTENCY_SE 0.3  /* of a potency without one: between laboratories, as of affinities */
#define NEP_TABLES_BBB        -1.0 /* log10 BB at and above which a drug counts as reaching the brain, as in B3DB */
#define NEP_TABLES_BBB_SE     0.3  /* of a log BB without one: an assumption */
#define NEP_TABLES_BBB_CLASS  0.9  /* probability that a class BBB+ or BBB- is right: an assumption */
#define NEP_TABLES_FEW        5    /* estimates that shrinking asks for */

typedef struct {
    int64_t drug, disorder; /* disorder 0 where the kind has none */
    int64_t line;           /* of the file, for sentences and explanations */
    double value, se, n, hit; /* NaN = not given */
    int64_t year;
    int rater, vote;        /* index into raters; a nep_label */
    char *source, *licence, *note; /* owned; NULL = not given */
} nep_tables_row;

typedef struct {
    char *path;          /* for sentences */
    char *labels_from;   /* where its judgements come from, beside the sources of its rows; or NULL */
    nep_tables_row *rows; /* sorted by disorder, drug, year, source, rater, note */
    int64_t n_rows;
    char **raters;       /* [n_raters] */
    int n_raters;
    double half_life;    /* literature; 0 = NEP_TABLES_HALF_LIFE */
    int64_t reference_year; /* literature; 0 = its latest year. Never today's: a result must not change with the calendar */
    int64_t *start;      /* [n_disorders * n_drugs + 1] rows of each pair; cns_exposure: [n_drugs + 1] */
    double *value, *se;  /* what prepare made, per pair as start; NaN = no evidence */
    nep_votes_model votes; /* expert_votes: items are the pairs that have votes, in order */
    int64_t *vote_item;  /* [n_disorders * n_drugs] item of a pair, -1 = none */
    int *vote_class;     /* [votes.n_classes] the label each class stands for */
    double mean, spread; /* record_signal: of the pooled estimates; NaN with fewer than NEP_TABLES_FEW */
} nep_tables_one;

typedef struct nep_tables {
    int64_t n_disorders, n_drugs;
    nep_tables_one *of[NEP_TABLES_COUNT]; /* NULL = not given */
} nep_tables;

/* Takes over a table of joined rows: checks every value by its kind, sorts, refuses a row that stands twice. `one` is emptied, also
 * on failure. Errors: NEP_E_FORMAT (file and line are named), NEP_E_ARG (the kind is there already), NEP_E_NOMEM. */
NEP_MUST_USE nep_status nep_tables_take(nep_ctx *ctx, nep_tables *t, nep_tables_kind kind, nep_tables_one *one);
void nep_tables_free_one(nep_tables_one *one); /* a zeroed one is fine */
void nep_tables_free(nep_tables *t);

/* Whether a licence is open in the sense of --open-only: CC0, CC BY of any version, public domain. Share-alike, ODbL, no derivatives,
 * non-commercial, unknown and none are not. */
bool nep_tables_open_licence(const char *licence);
/* Drops the rows whose licence is not open, before prepare; dropped (may be NULL) [NEP_TABLES_COUNT] counts them. A table that loses
 * all rows is gone. */
void nep_tables_keep_open(nep_tables *t, int64_t *dropped);

/* Makes value and se of every table. Errors: NEP_E_NOMEM, NEP_E_INTERRUPTED. */
NEP_MUST_USE nep_status nep_tables_prepare(nep_ctx *ctx, nep_tables *t);
/* Forgets what prepare made. */
void nep_tables_release(nep_tables *t);

/* Which of a table's rows share a source with the labels: sources are compared by words (split at ; , | +), case and punctuation
 * left out, one the beginning of the other (4 letters or more) counting as the same. */
typedef struct {
    int64_t n_rows, n_shared;
    char source[64]; /* the first shared one, as the table spells it */
} nep_tables_shared;
/* label_source [n] as the label table gives them, NULL where it does not. True when at least one row, or labels_from, is shared. */
bool nep_tables_overlap(const nep_tables_one *one, char *const *label_source, int64_t n, nep_tables_shared *out);

/* The raters' posterior probability that the pair is a treatment (approved or symptomatic), as a weight of its label; NaN without
 * votes. se may be NULL. */
double nep_expert_votes_weight(const nep_tables *t, int64_t disorder, int64_t drug, double *se);

#ifdef __cplusplus
}
#endif
#endif
