/* SPDX-License-Identifier: Apache-2.0 */
/* signature_sets.h - connectivity without allocation: what many pairs share. */
#ifndef NEP_EVIDENCE_SIGNATURE_SETS_H
#define NEP_EVIDENCE_SIGNATURE_SETS_H

#include <nepenthe/signature.h>

typedef struct {
    double z;
    int32_t gene;
} signature_entry;

/* A measured gene of a query. */
typedef struct {
    int32_t before, through;
    double z, weight;
    bool extreme;
    double left_out; /* the score without this gene */
} signature_hit;

/* Ranks z into arrays that are there: before, through [n], entries [n] is scratch. */
void signature_rank_into(const double *z, int64_t n, int64_t extreme, signature_entry *entries, nep_signature_list *list);
/* Scores with scratch hits [query->n]; se may be NULL. */
double signature_score_with(const nep_signature_list *list, const nep_signature_query *query, nep_signature_method method, signature_hit *hits,
                            double *se);

#endif
