/* SPDX-License-Identifier: Apache-2.0 */
/* features_permute.h - permutation tests at the group level: of every regional feature, and of every map that is there. */
#ifndef NEP_CLI_FEATURES_PERMUTE_H
#define NEP_CLI_FEATURES_PERMUTE_H

#include "cli/features_gather.h"
#include "cli/people.h"

/* Whether --permute was given, at the group level. Errors: NEP_E_USAGE (at the other; its options without it; contrasts that are none). */
NEP_MUST_USE nep_status cli_features_permute_wanted(features *f, bool *wanted);
/* Tests what was gathered. Files of an earlier test are taken away first. */
NEP_MUST_USE nep_status cli_features_permute(features_gathering *g);
/* Who is tested: whose quality does not fail. */
bool cli_features_permute_takes(const features_gathering *g, int64_t person);
/* The maps of regional feature k, one row for each participant who has one: a participant's runs averaged by their kept frames, the
 * voxels those of the first (features_permute_maps.c). Nobody: out->n = 0. Errors: NEP_E_GRID (maps on several grids). */
NEP_MUST_USE nep_status cli_features_permute_maps(features_gathering *g, int k, cli_people *out);

#endif
