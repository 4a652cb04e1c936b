/* SPDX-License-Identifier: Apache-2.0 */
/* pages - the feature table: what each imaging number is, where it comes from, and what peers do differently. `nepenthe explain NAME` and
 * docs/features are made from it and from the option tables. */
#ifndef NEP_CLI_PAGES_H
#define NEP_CLI_PAGES_H

#include <stdio.h>

typedef struct {
    const char *name, *title;
    const char *command; /* whose options they are */
    const char *features; /* how `nepenthe features` is asked for it, or NULL */
    const char *options; /* those that bear on it, separated by blanks */
    const char *unit;
    const char *definition, *source, *peers;
} cli_page;

/* In the order of the docs, ends with a row without a name. */
extern const cli_page cli_pages[];

/* NULL when there is none. */
const cli_page *cli_page_find(const char *name);
void cli_page_print(const cli_page *p, FILE *out);
void cli_page_markdown(const cli_page *p, FILE *out);

#endif
