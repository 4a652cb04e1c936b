/* SPDX-License-Identifier: Apache-2.0 */
/* help.h - texts made from the option tables. */
#ifndef NEP_CLI_HELP_H
#define NEP_CLI_HELP_H

#include <stdio.h>

void cli_help_markdown(FILE *out);
void cli_help_man(FILE *out);
void cli_help_bash(FILE *out);
void cli_help_fish(FILE *out);

#endif
