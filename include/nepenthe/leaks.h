/* SPDX-License-Identifier: Apache-2.0 */
/* leaks - ways in which what predicts a treatment could have read that it is one, and inputs that an evaluation cannot use.
 *
 * What it is not: it proves no channel innocent. Labels are hidden by the protocols (rank.h); this looks for what hiding does not reach.
 */
#ifndef NEPENTHE_LEAKS_H
#define NEPENTHE_LEAKS_H

#include <nepenthe/rank.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Refuses channels that cannot be masked and read the truth: a table that shares a source with the labels (nep_channel_overlaps), and
 * a metaedge of the network that joins drugs (C) with disorders (D). Gates are let pass: they are no part of what is measured.
 * Errors: NEP_E_CONFIG (channel, file and source are named). */
NEP_MUST_USE nep_status nep_leaks_refuse(nep_ctx *ctx, const nep_inputs *in, const nep_channel *const *channels, int n_channels);

/*   unlabelled  a ranked disorder without a recorded treatment: it is not measured
 *   twin        another disorder is recorded for the same drugs (NEP_LEAKS_TWIN of those of either, both with NEP_LEAKS_MIN_POS or more) or
 *               has the same name: through channels that read other disorders it gives away the labels that zero_shot hides
 *   truth       a channel that reads no label tells treatments from all other drugs almost without error (AUROC NEP_LEAKS_TRUTH or more,
 *               NEP_LEAKS_MIN_POS treatments or more): the truth under another name
 *   constant    a VOTE channel has one value for all drugs that it speaks of, in every ranked disorder
 *   silent      a VOTE channel speaks of no drug in any ranked disorder */
typedef enum { NEP_LEAK_UNLABELLED, NEP_LEAK_TWIN, NEP_LEAK_TRUTH, NEP_LEAK_CONSTANT, NEP_LEAK_SILENT, NEP_LEAK_COUNT } nep_leak_kind;
const char *nep_leaks_name(nep_leak_kind kind);
#define NEP_LEAKS_TWIN  0.6
#define NEP_LEAKS_TRUTH 0.98
enum { NEP_LEAKS_MIN_POS = 5 };

typedef struct {
    nep_leak_kind kind;
    const char *channel;     /* lent; NULL = none */
    int64_t disorder, other; /* of the inputs; -1 = none */
    double value;            /* the share of drugs in common, the AUROC; NaN else */
    char *text;              /* one sentence */
} nep_leak;

typedef struct nep_leaks {
    nep_leak *list;
    int64_t n;
} nep_leaks;

/* Looks for all of these in a ranking, by kind, then disorder, then channel. Errors: NEP_E_NOMEM. Cost: n_disorders^2 * n_drugs. */
NEP_MUST_USE nep_status nep_leaks_find(nep_ctx *ctx, const nep_ranking *r, nep_leaks *out);
void nep_leaks_free(nep_leaks *l); /* a zeroed one is fine */

#ifdef __cplusplus
}
#endif
#endif
