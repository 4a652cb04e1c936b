/* SPDX-License-Identifier: Apache-2.0 */
/* confound_sets - columns of a confounds table by name or by set, and the frames that such a table censors. */
#ifndef NEP_CLI_CONFOUND_SETS_H
#define NEP_CLI_CONFOUND_SETS_H

#include <nepenthe/io.h>

/* For help texts: what a list of confounds may hold. */
#define CLI_CONFOUND_SETS                                                                                                       \
    "6p, 8p (6p, csf, white_matter), 9p (and global_signal), 24p, 32p, 36p (with derivatives and squares), acompcor[N] (of CSF and " \
    "of WM), acompcor-combined[N], tcompcor[N], cosine, or simple, scrubbing, compcor as load_confounds of nilearn"

/* The columns that a list of names and sets asks for, each once, as series [n_rows, k], and the same in float64
 * as `exact`, freed with nep_alloc_free (n 0: every column of the table).
 * Derivatives and squares are made of the base columns. aCompCor's masks are read from the JSON beside `path`. Fewer components
 * than asked give a warning. Errors: NEP_E_FORMAT (a column, component or mask that is not there), NEP_E_ARG (too many). */
NEP_MUST_USE nep_status cli_confounds_read(nep_ctx *ctx, const nep_table *t, const char *path, const char *const *names, int n, nep_series *out,
                                           double **exact);

/* The name of the JSON beside a table: without .gz, .tsv, .csv, with .json. */
void cli_confounds_json(const char *path, char *out, size_t size);

typedef struct {
    double fd_mm, std_dvars; /* frames above are censored; NaN = not asked */
    bool unsteady;           /* columns non_steady_state_outlier* mark frames */
} cli_confounds_censor;

/* Kept stretches of keep [n] shorter than `least` are censored too, once any frame is. */
void cli_confounds_short_runs(int64_t n, int64_t least, bool *keep);

/* keep [n_rows] becomes false where the table says so; true stays only where it was. Errors: NEP_E_FORMAT (no such column). */
NEP_MUST_USE nep_status cli_confounds_keep(nep_ctx *ctx, const nep_table *t, const cli_confounds_censor *k, bool *keep);

#endif
