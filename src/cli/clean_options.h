/* SPDX-License-Identifier: Apache-2.0 */
/* clean_options - censoring of `clean` as the library takes them. */
#ifndef NEP_CLI_CLEAN_OPTIONS_H
#define NEP_CLI_CLEAN_OPTIONS_H

#include <nepenthe/imaging.h>
#include <nepenthe/io.h>

#include "cli/cli.h"

/* Which frames a censoring table keeps: a column `frame` lists censored frames from 0; any other table has one row per
 * frame, censored where a column is not 0. keep [n_t], freed with nep_alloc_free. */
NEP_MUST_USE nep_status cli_clean_keep(nep_ctx *ctx, const char *path, int64_t n_t, bool **keep);
/* What was taken away: frames, confounds, degrees of freedom; of several runs a list `runs`. New reference. */
json_t *cli_clean_report(const nep_clean_runs *r);

#endif
