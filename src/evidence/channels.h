/* SPDX-License-Identifier: Apache-2.0 */
/* channels.h - the channel values that table.c lists, one per file of this room. */
#ifndef NEP_EVIDENCE_CHANNELS_H
#define NEP_EVIDENCE_CHANNELS_H

#include <nepenthe/brainmap.h>
#include <nepenthe/evidence.h>

extern const nep_channel nep_neighbours_channel, nep_transfer_channel, nep_transfer_close_channel, nep_other_uses_channel,
    nep_other_uses_close_channel, nep_gene_neighbours_channel;
extern const nep_channel nep_engagement_channel, nep_analogue_channel, nep_exposure_channel, nep_popularity_channel,
    nep_target_count_channel, nep_mechanism_class_channel, nep_atc_class_channel, nep_ligand_only_channel,
    nep_expert_votes_channel, nep_literature_channel, nep_record_signal_channel, nep_assay_potency_channel,
    nep_reversal_wtcs_channel, nep_reversal_xsum_channel, nep_reversal_cosine_channel;
extern const nep_channel nep_target_gene_channel, nep_target_gene_gwas_channel, nep_target_gene_curated_channel, nep_pathway_channel,
    nep_interaction_channel, nep_anatomy_channel, nep_anatomy_imaging_channel, nep_direction_channel, nep_degree_targets_channel, nep_degree_side_effects_channel, nep_degree_uses_channel;

/* Copies text into out [size, 4 at least], `most` bytes of it (3 at least); what does not fit ends in "..." after a whole character (shorten.c). */
void evidence_shorten(char *out, size_t size, size_t most, const char *text);

/* Fills in->itself and in->similar (mask.c). Errors: NEP_E_NOMEM, NEP_E_INTERRUPTED. Cost: n_drugs^2. */
NEP_MUST_USE nep_status evidence_mask_make(nep_ctx *ctx, nep_inputs *in);

/* Mode T: moves what a drug does to a transporter or an enzyme to the receptors of that transmitter, in a row a
 * [n_mapped] of signed occupancies; `blocked` [n_targets] is the drug's blocking occupancy per target. */
void nep_tone_apply(const nep_inputs *in, const double *blocked, double *a);
/* Whether the target is a transporter or an enzyme that mode T moves. */
bool nep_tone_moves(const char *target);

/* use [n_regions]: the regions that a disorder's profile stands on; kinds [NEP_EVIDENCE_FAMILIES]: the families of null maps
 * that they allow, the one asked for first (NULL = moran). n_kinds is 0 without any region. */
NEP_MUST_USE nep_status nep_inputs_choose_nulls(nep_ctx *ctx, const nep_inputs *in, int64_t disorder, const char *null_kind,
                                                bool *use, nep_nulls_kind *kinds, int *n_kinds);

#endif
