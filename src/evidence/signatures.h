/* SPDX-License-Identifier: Apache-2.0 */
/* signatures.h - lists and queries of a study's pairs, for the channels that explain them. */
#ifndef NEP_EVIDENCE_SIGNATURES_H
#define NEP_EVIDENCE_SIGNATURES_H

#include <nepenthe/signature.h>

/* The drug's signature as a list, into z [n_genes]; returns z. */
const double *signatures_drug_list(const nep_signatures *s, int64_t drug, double *z);
/* The drug's signature as a query; lent. */
nep_signature_query signatures_drug_query(const nep_signatures *s, int64_t drug);
/* The outermost genes of a disorder; gene and weight are given back with nep_alloc_free, also on failure. */
NEP_MUST_USE nep_status signatures_disorder_query(nep_ctx *ctx, const nep_signatures *s, int64_t disorder, int32_t **gene, double **weight, int64_t *n);

#endif
