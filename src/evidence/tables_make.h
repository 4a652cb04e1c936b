/* SPDX-License-Identifier: Apache-2.0 */
/* tables_make.h - what each channel makes of its table, and what those channels share. */
#ifndef NEP_EVIDENCE_TABLES_MAKE_H
#define NEP_EVIDENCE_TABLES_MAKE_H

#include <nepenthe/evidence.h>
#include <nepenthe/tables.h>

/* Each fills one->value and one->se, which are there and NaN, from one->rows by one->start (n_pairs). */
NEP_MUST_USE nep_status nep_expert_votes_make(nep_ctx *ctx, nep_tables_one *one, int64_t n_pairs);
NEP_MUST_USE nep_status nep_literature_make(nep_ctx *ctx, nep_tables_one *one, int64_t n_pairs);
NEP_MUST_USE nep_status nep_record_signal_make(nep_ctx *ctx, nep_tables_one *one, int64_t n_disorders, int64_t n_drugs);
NEP_MUST_USE nep_status nep_assay_potency_make(nep_ctx *ctx, nep_tables_one *one, int64_t n_pairs);
NEP_MUST_USE nep_status nep_exposure_make(nep_ctx *ctx, nep_tables_one *one, int64_t n_pairs);

/* The table of a kind, NULL when the study has none. */
const nep_tables_one *nep_tables_get(const nep_inputs *in, nep_tables_kind kind);
/* A channel's score: what was made for the disorder; a redraw adds se times a normal number, on the logit for probabilities, and
 * counts and potencies do not fall below 0. */
void nep_tables_score(const nep_inputs *in, nep_tables_kind kind, int64_t disorder, uint64_t stream, double *value, double *se);
/* "SOURCE" or "line N" into label; detail gets what the caller formatted and the line, source and licence after it. */
void nep_tables_reason(const nep_tables_row *r, double share, nep_reason *out, const char *fmt, ...) NEP_PRINTF(4, 5);
/* Keeps the `limit` reasons with the largest share in absolute value as they are added; *n counts those kept. */
void nep_tables_keep_reason(const nep_reason *one, int limit, nep_reason *out, int *n);

#endif
