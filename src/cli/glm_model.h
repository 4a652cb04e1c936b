/* SPDX-License-Identifier: Apache-2.0 */
/* glm_model - designs and contrasts of the command glm: out of events and confounds, of a table per frame, of a table of people. */
#ifndef NEP_CLI_GLM_MODEL_H
#define NEP_CLI_GLM_MODEL_H

#include <nepenthe/data.h>
#include <nepenthe/glm.h>

#include "cli/cli.h"
#include "cli/people.h"

/* --contrast NAME=FORMULA as it was given. */
typedef struct {
    int n;
    char **name, **formula;
} cli_glm_words;
void cli_glm_words_free(cli_glm_words *w);
/* Reads --contrast, or `standing` (NULL = it is needed) where none is given; the lists that its commas were split into are put together again. Errors: NEP_E_USAGE (none, another form, a
 * name twice or of other characters than a file name can have). */
NEP_MUST_USE nep_status cli_glm_words_read(cli *c, const char *standing, cli_glm_words *w);
/* The contrasts on a design. out [w->n], freed with cli_glm_contrasts_free. */
NEP_MUST_USE nep_status cli_glm_contrasts(nep_ctx *ctx, const cli_glm_words *w, const nep_glm_design *d, const char *where,
                                          nep_glm_contrast **out);
void cli_glm_contrasts_free(nep_glm_contrast *c, int n);

/* A table's columns as a design (names NULL = all). `first_row`: n/a there takes the mean of the rows below, as derivatives have
 * it. Errors: NEP_E_FORMAT (no number; a column that is not there). */
NEP_MUST_USE nep_status cli_glm_table(nep_ctx *ctx, const char *path, const char *const *names, int n_names, bool first_row,
                                      nep_glm_design *out);
/* Where BIDS has the events of an image: sub-01_task-x_events.tsv for x/sub-01_task-x_space-Y_desc-preproc_bold.nii.gz. False when
 * the name is none of BIDS, or too long. */
bool cli_glm_events_of(const char *image, char *out, size_t size);
/* Design of run i, of n_t frames, out of --design, or of --events (default: the BIDS events.tsv beside the image), --confounds and
 * what describes the response and the drifts. */
NEP_MUST_USE nep_status cli_glm_run_design(cli *c, int run, const char *path, int64_t n_t, double tr_s, nep_glm_design *out);

/* Design of the people of both the table and the data who lack nothing in its columns: numbers as they are (less their mean where
 * `centre`), words as 0/1 columns `column=level`, of all levels for the first such column and of all but the first level for
 * others, `intercept` in front where the columns do not span it. row [out->n] says who: a row of the data. People left out are
 * counted in a warning. Errors: NEP_E_FORMAT (a participant twice), NEP_E_SHAPE (nobody in common). */
NEP_MUST_USE nep_status cli_glm_people_design(nep_ctx *ctx, const nep_table *t, const cli_people *d, const char *const *names, int n_names,
                                              bool centre, int64_t **row, nep_glm_design *out);

#endif
