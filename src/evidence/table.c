/* SPDX-License-Identifier: Apache-2.0 */
/* table.c - every channel this build knows: what votes, what gates, what is only shown beside. */
#include "channels.h"

const nep_channel *const nep_evidence_table[] = {
    &nep_engagement_channel,
    &nep_analogue_channel,
    &nep_expert_votes_channel,
    &nep_literature_channel,
    &nep_record_signal_channel,
    &nep_assay_potency_channel,
    &nep_reversal_wtcs_channel,
    &nep_reversal_xsum_channel,
    &nep_reversal_cosine_channel,
    &nep_target_gene_channel,
    &nep_target_gene_gwas_channel,
    &nep_target_gene_curated_channel,
    &nep_pathway_channel,
    &nep_interaction_channel,
    &nep_exposure_channel,
    &nep_direction_channel,
    &nep_popularity_channel,
    &nep_target_count_channel,
    &nep_mechanism_class_channel,
    &nep_atc_class_channel,
    &nep_ligand_only_channel,
    &nep_degree_targets_channel,
    &nep_degree_side_effects_channel,
    &nep_degree_uses_channel,
    NULL,
};
