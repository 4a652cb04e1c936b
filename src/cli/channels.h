/* SPDX-License-Identifier: Apache-2.0 */
/* channels.h - `channels STUDY.yaml`: what every channel says of every drug of a study. */
#ifndef NEP_CLI_CHANNELS_H
#define NEP_CLI_CHANNELS_H

#include "cli/cli.h"

/* One row per disorder and drug, two columns per channel: value and standard error, n/a where the channel is silent. Every label is
 * visible but the drug's own of that disorder, as `rank` sees them. A channel that the study lacks the tables for is left out, and said;
 * one that --channels names is an error. Errors: NEP_E_USAGE (unknown channel), NEP_E_CONFIG (a named channel without its tables), those
 * of the study and of the channels. */
NEP_MUST_USE nep_status cli_channels_study(cli *c);

#endif
