/* SPDX-License-Identifier: Apache-2.0 */
/* report - pages and tables of one ranking: gathered once into a JSON document, then one writer per format.
 *
 * What it is not: it scores nothing and decides nothing; every number it shows stands in `nep_ranking`, in the evaluation
 * document or in the provenance that the caller hands over. Pages are single offline files that ask the network for
 * nothing. Intervals are 90 %, coordinates mm, affinities -log10 M. Equal inputs give equal bytes.
 */
#ifndef NEPENTHE_REPORT_H
#define NEPENTHE_REPORT_H

#include <jansson.h>
#include <nepenthe/rank.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Gathers everything the formats show into one document `nepenthe/report/1`.
 *
 * ranking     read only; channels are asked to explain the best 100 candidates and every labelled one per disorder
 * evaluation  a `nepenthe/evaluation/1` document or NULL (the report then says that nothing was evaluated)
 * provenance  any JSON object (version, command, parameters, seed, device, inputs with hashes and licences) or NULL
 * out         a new reference, freed with json_decref; written only on success
 *
 * The warnings of the context (nep_warn) are taken along. A missing number is null. Cost: O(disorders * drugs * channels).
 * Errors: NEP_E_ARG (NULL pointer, ranking without inputs or disorders), NEP_E_NOMEM; whatever a channel's explain gives.
 */
NEP_MUST_USE nep_status nep_report_gather(nep_ctx *ctx, const nep_ranking *ranking, const json_t *evaluation,
                                          const json_t *provenance, json_t **out);

/* Writes report.html, candidates.csv, candidates.tsv, candidates.xlsx, candidates.json and results.h5 into `folder`, which
 * is made when absent. Each file lands atomically; a failure leaves those already there whole.
 *
 * Arguments as in nep_report_gather. A report larger than 5 MB keeps its table and drops details from the worst rank
 * upwards, and says so on the page.
 * Errors: those of nep_report_gather, NEP_E_WRITE, NEP_E_IO.
 */
NEP_MUST_USE nep_status nep_report_write_all(nep_ctx *ctx, const nep_ranking *ranking, const json_t *evaluation,
                                             const json_t *provenance, const char *folder);

/* Writes the page of an evaluation: protocols with intervals, baselines beside them, each disorder against its map-null
 * range, calibration, ablation, increment of imaging, measured false-positive rates.
 *
 * evaluation  a `nepenthe/evaluation/1` document
 * provenance  as in nep_report_gather, or NULL
 * path        the file to write, atomically
 *
 * Errors: NEP_E_ARG (NULL pointer), NEP_E_FORMAT (another schema), NEP_E_NOMEM, NEP_E_WRITE, NEP_E_IO.
 */
NEP_MUST_USE nep_status nep_report_write_evaluation(nep_ctx *ctx, const json_t *evaluation, const json_t *provenance,
                                                    const char *path);

/* What imaging adds, alone: the document nepenthe/imaging/1. Errors: NEP_E_NOMEM. */
NEP_MUST_USE nep_status nep_imaging_json(nep_ctx *ctx, const nep_ranking *r, json_t **out);
/* The evaluation as the document `nepenthe/evaluation/1` of the contracts. A number that could not be estimated is null;
 * keys beside the contract's are additions. out: a new reference. Errors: NEP_E_NOMEM. */
NEP_MUST_USE nep_status nep_evaluation_json(nep_ctx *ctx, const nep_evaluation *evaluation, json_t **out);

/* Writes the evaluation's `tripod_ai` as a table `item section topic status text`: the points of TRIPOD+AI filled in from the run, or who
 * must fill them. Errors: NEP_E_ARG, NEP_E_WRITE, NEP_E_IO. Source: Collins et al. (2024) BMJ 385:e078378, doi:10.1136/bmj-2023-078378. */
NEP_MUST_USE nep_status nep_tripod_write(nep_ctx *ctx, const json_t *evaluation, const char *path);

#ifdef __cplusplus
}
#endif
#endif
