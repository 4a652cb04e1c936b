/* SPDX-License-Identifier: Apache-2.0 */
/* rank_run.h - what `rank` and `evaluate` share: from the study file to a ranking. */
#ifndef NEPENTHE_CLI_RANK_RUN_H
#define NEPENTHE_CLI_RANK_RUN_H

#include <nepenthe/rank.h>

#include "cli/cli.h"
#include "cli/study_load.h"

/* Loads the study of the first input, registers its tables for the provenance, and ranks. */
NEP_MUST_USE nep_status cli_rank_run(cli *c, cli_study *study, bool imaging_only, nep_ranking **out);
/* Provenance, with what --open-only left out. */
json_t *cli_rank_provenance(cli *c, const cli_study *study);
/* Whether any drug is recorded as a treatment, or is one by a simulated truth: what an evaluation needs. */
bool cli_rank_has_treatments(const nep_inputs *in);
/* Evaluates it under the protocols of --protocols, else of the study. Errors: NEP_E_USAGE, NEP_E_CONFIG (unknown protocol, no
 * treatment recorded). */
NEP_MUST_USE nep_status cli_rank_evaluate(cli *c, const cli_study *study, const nep_ranking *ranking, nep_evaluation **out);
/* The folder of -o, made when absent; refused when not given. */
NEP_MUST_USE nep_status cli_rank_folder(cli *c, const char **folder);

#endif
