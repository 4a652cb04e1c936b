/* SPDX-License-Identifier: Apache-2.0 */
/* design - a design table joined to data by participant: who takes part, in which group, with which
 * covariates. */
#ifndef NEP_CLI_DESIGN_H
#define NEP_CLI_DESIGN_H

#include <nepenthe/data.h>

/* `NAME=COLUMN:LEVEL1-LEVEL2`, e.g. schizophrenia=group:patient-control. All owned. */
typedef struct {
    char *name, *column, *first, *second;
} cli_contrast_spec;

/* Splits the text against the design: the levels are looked up in the column, so that they may hold '-'
 * themselves. Errors: NEP_E_USAGE (another form), NEP_E_ARG (an unknown column or level; the sentence names
 * those there are). */
NEP_MUST_USE nep_status cli_design_spec(nep_ctx *ctx, const nep_table *design, const char *text,
                                        cli_contrast_spec *out);
void cli_design_spec_free(cli_contrast_spec *s);

typedef struct {
    int64_t n, k;
    int64_t *row;       /* [n] row of the data that takes part */
    bool *first;        /* [n] in the first group */
    double *covariates; /* [n, k], text columns as one 0/1 column per level but the first */
    char **names;       /* [k] `age`, `site=B` */
} cli_design;
void cli_design_free(cli_design *d);

/* Joins by participant_id. ids [n_ids] are those of the data; covariates [n_cov] are design columns. People
 * who are not in the design, in neither group, or without a covariate are left out with a warning that counts
 * them. Errors: NEP_E_FORMAT (a participant twice), NEP_E_SHAPE (nobody in common). */
NEP_MUST_USE nep_status cli_design_join(nep_ctx *ctx, const nep_table *design, const cli_contrast_spec *spec,
                                        char *const *ids, int64_t n_ids, const int64_t *covariates, int n_cov,
                                        cli_design *out);

#endif
