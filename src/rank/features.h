/* SPDX-License-Identifier: Apache-2.0 */
/* features.h - what each channel says of every drug while a protocol hides labels from it, and what a model may read of that. */
#ifndef NEP_RANK_FEATURES_H
#define NEP_RANK_FEATURES_H

#include <nepenthe/rank.h>

typedef struct {
    const nep_inputs *in;
    const nep_channel *const *channels;
    int n_channels;
    nep_label *own, *others; /* [n_drugs], [n_disorders, n_drugs] */
    double *value, *se;      /* [n_drugs] */
} rank_features;

NEP_MUST_USE nep_status rank_features_open(nep_ctx *ctx, const nep_inputs *in, const nep_channel *const *channels, int n_channels,
                                           rank_features *out);
void rank_features_close(rank_features *f);

/* Whether the channel speaks under the protocol: a VOTE or NUISANCE that reads what the scored drug is recorded for elsewhere is
 * silent where the drug is to be new. */
bool rank_features_speaks(const nep_channel *c, nep_protocol p);

/* Values of the channels for one disorder [n_drugs, n_channels]; NaN = silent. Labels of disorder held_out (-1: none) are hidden
 * altogether; `changed` keeps what is in value but for channels that read other disorders. stream as in nep_channel_score.
 *
 *   masked              every label of the drug and of all drugs like it is hidden from its score
 *   new_drug            every label of the drug itself is
 *   zero_shot           every label of the disorder is
 *   approved_vs_failed  only the drug's label of the disorder is
 *
 * Errors: NEP_E_CONFIG (a channel that cannot be masked, by name), those of the channels. */
NEP_MUST_USE nep_status rank_features_read(nep_ctx *ctx, rank_features *f, nep_protocol p, int64_t disorder, int64_t held_out, bool changed,
                                           uint64_t stream, double *value);

/* x = asinh(0.3 v / mean |v|) of one column in place, the mean over the drugs where it speaks: the same for a disorder with many
 * recorded treatments as for one with few. A column of zeros stays. Nuisances are taken as they are. */
void rank_features_scale(double *column, int64_t n, int64_t step);

#endif
