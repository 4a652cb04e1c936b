/* SPDX-License-Identifier: Apache-2.0 */
/* glm_model - contrasts as they were given, and designs of runs: events, confounds and drifts, or a table per frame. */
#include "cli/glm_model.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include <nepenthe/bids.h>
#include <nepenthe/io.h>

/* ---- contrasts ---- */

void cli_glm_words_free(cli_glm_words *w)
{
    nep_data_free_names(w->name, w->name ? w->n : 0);
    nep_data_free_names(w->formula, w->formula ? w->n : 0);
    *w = (cli_glm_words){0};
}

static nep_status add_word(nep_ctx *ctx, const char *piece, cli_glm_words *w)
{
    const size_t n = strcspn(piece, "=");
    bool fit = n > 0 && piece[n] == '=' && piece[n + 1] != '\0';
    for (size_t i = 0; i < n; i++)
        fit = fit && (isalnum((unsigned char)piece[i]) || strchr("_.-", piece[i]));
    NEP_REQUIRE(ctx, fit, NEP_E_USAGE,
                "--contrast '%s' is not NAME=FORMULA, such as faces='face - house'; a name has letters, digits, '_', '.' and '-'", piece);
    const int at = w->n++; /* counted at once, so that it is freed whatever comes */
    NEP_TRY(nep_alloc(ctx, (int64_t)n + 1, 1, "contrast", &w->name[at]));
    memcpy(w->name[at], piece, n);
    for (int k = 0; k < at; k++)
        NEP_REQUIRE(ctx, strcmp(w->name[k], w->name[at]) != 0, NEP_E_USAGE, "--contrast '%s' is given twice", w->name[k]);
    NEP_TRY(nep_alloc_string(ctx, piece + n + 1, &w->formula[at]));
    return NEP_OK;
}

static nep_status continue_word(nep_ctx *ctx, const char *piece, char **formula)
{
    char *longer = NULL;
    const size_t a = strlen(*formula), b = strlen(piece);
    NEP_TRY(nep_alloc(ctx, (int64_t)(a + b + 2), 1, "contrast", &longer));
    memcpy(longer, *formula, a);
    longer[a] = ',';
    memcpy(longer + a + 1, piece, b);
    nep_alloc_free(*formula);
    *formula = longer;
    return NEP_OK;
}

nep_status cli_glm_words_read(cli *c, const char *standing, cli_glm_words *w)
{
    nep_ctx *ctx = cli_ctx(c);
    int n = 0;
    const char *const *piece = cli_texts(c, "contrast", &n);
    if (n == 0 && standing) {
        piece = &standing;
        n = 1;
    }
    NEP_REQUIRE(ctx, n > 0, NEP_E_USAGE, "--contrast NAME=FORMULA is needed, such as faces='face - house'");
    NEP_TRY(nep_alloc(ctx, n, sizeof *w->name, "contrasts", &w->name));
    NEP_TRY(nep_alloc(ctx, n, sizeof *w->formula, "contrasts", &w->formula));
    for (int i = 0; i < n; i++)
        NEP_TRY(w->n > 0 && !strchr(piece[i], '=') ? continue_word(ctx, piece[i], &w->formula[w->n - 1]) : add_word(ctx, piece[i], w));
    return NEP_OK;
}

void cli_glm_contrasts_free(nep_glm_contrast *c, int n)
{
    for (int i = 0; c && i < n; i++)
        nep_glm_contrast_free(&c[i]);
    nep_alloc_free(c);
}

nep_status cli_glm_contrasts(nep_ctx *ctx, const cli_glm_words *w, const nep_glm_design *d, const char *where, nep_glm_contrast **out)
{
    nep_glm_contrast *c = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, w->n, sizeof *c, "contrasts", &c));
    for (int i = 0; i < w->n; i++)
        NEP_TRY_OR_DONE(st, nep_glm_contrast_read(ctx, w->name[i], w->formula[i], d, where, &c[i]));
    *out = c;
    c = NULL;
done:
    cli_glm_contrasts_free(c, w->n);
    return st;
}

/* ---- tables ---- */

static nep_status read_column(nep_ctx *ctx, const nep_table *t, int64_t from, bool first_row, int64_t j, nep_glm_design *d)
{
    double sum = 0;
    NEP_TRY(nep_alloc_string(ctx, t->header[from], &d->names[j]));
    for (int64_t i = 0; i < d->n; i++) {
        double *v = &d->x[i * d->p + j];
        NEP_TRY(nep_table_number(ctx, t, i, from, v));
        sum += i > 0 ? *v : 0;
    }
    if (first_row && d->n > 1 && isnan(d->x[j]))
        d->x[j] = sum / (double)(d->n - 1);
    return NEP_OK;
}

nep_status cli_glm_table(nep_ctx *ctx, const char *path, const char *const *names, int n_names, bool first_row, nep_glm_design *out)
{
    nep_table t = {0};
    nep_glm_design d = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_tsv_read(ctx, path, &t));
    d.n = t.n_rows;
    d.p = n_names ? n_names : t.n_cols;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d.n * d.p, sizeof *d.x, "design", &d.x));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d.p, sizeof *d.names, "design", &d.names));
    for (int64_t j = 0; j < d.p; j++) {
        int64_t from = j;
        if (n_names)
            NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, names[j], &from));
        NEP_TRY_OR_DONE(st, read_column(ctx, &t, from, first_row, j, &d));
    }
    *out = d;
    d = (nep_glm_design){0};
done:
    nep_glm_design_free(&d);
    nep_table_free(&t);
    return st;
}

/* ---- runs ---- */

/* File of run i out of an option that lists one per run; NULL when it is not given. */
static nep_status file_of_run(cli *c, const char *option, int run, const char **out)
{
    int n = 0;
    const char *const *files = cli_texts(c, option, &n);
    *out = NULL;
    if (n == 0)
        return NEP_OK;
    NEP_REQUIRE(cli_ctx(c), n == cli_input_count(c), NEP_E_USAGE, "--%s names %d files for %d runs; give one each, in their order", option, n,
                cli_input_count(c));
    *out = files[run];
    return NEP_OK;
}

bool cli_glm_events_of(const char *image, char *out, size_t size)
{
    static const char *const derived[] = {"space", "res", "den", "desc", "echo", "part", "hemi"};
    const char *slash = strrchr(image, '/');
    nep_bids_name name;
    if (!nep_bids_parse(slash ? slash + 1 : image, &name))
        return false;
    size_t used = slash ? (size_t)(slash + 1 - image) : 0;
    if (used >= size)
        return false;
    memcpy(out, image, used);
    for (int i = 0; i < name.n; i++) {
        bool keep = true;
        for (int k = 0; k < NEP_LEN(derived); k++)
            keep = keep && strcmp(name.key[i], derived[k]) != 0;
        if (keep && used < size)
            used += (size_t)snprintf(out + used, size - used, "%s-%s_", name.key[i], name.value[i]);
    }
    return used < size && snprintf(out + used, size - used, "events.tsv") < (int)(size - used);
}

static nep_status read_events(cli *c, int run, const char *image, nep_events *out)
{
    char beside[4096];
    const char *path;
    NEP_TRY(file_of_run(c, "events", run, &path));
    if (!path) {
        NEP_REQUIRE(cli_ctx(c), cli_glm_events_of(image, beside, sizeof beside) && nep_file_exists(beside), NEP_E_USAGE,
                    "'%s' has no BIDS events.tsv beside it; give --events TSV (first level) or --design TSV", image);
        path = beside;
        NEP_TRY(cli_input_add(c, path));
    }
    return nep_events_read(cli_ctx(c), path, out);
}

static nep_glm_timing read_timing(const cli *c, double tr_s)
{
    const char *derivatives = cli_text(c, "derivatives"), *drift = cli_text(c, "drift");
    return (nep_glm_timing){
        .tr_s = tr_s,
        .slice_time_ref = cli_real(c, "slice-time-ref"),
        .hrf = strcmp(cli_text(c, "hrf"), "spm") == 0 ? NEP_GLM_SPM : NEP_GLM_GLOVER,
        .derivatives = strcmp(derivatives, "none") == 0 ? 0 : strcmp(derivatives, "time") == 0 ? 1 : 2,
        .drift = strcmp(drift, "cosine") == 0 ? NEP_GLM_COSINE : strcmp(drift, "none") == 0 ? NEP_GLM_NO_DRIFT : NEP_GLM_POLYNOMIAL,
        .high_pass_hz = cli_real(c, "high-pass"),
        .drift_order = (int)fmin((double)cli_int(c, "drift-order"), 1e6),
        .leave_outside = cli_flag(c, "leave-outside"),
        .nilearn = strcmp(cli_text(c, "definition"), "nilearn") == 0,
    };
}

nep_status cli_glm_run_design(cli *c, int run, const char *path, int64_t n_t, double tr_s, nep_glm_design *out)
{
    nep_ctx *ctx = cli_ctx(c);
    nep_events e = {0};
    nep_glm_design confounds = {0};
    const char *design, *table;
    int n_names = 0;
    const char *const *names = cli_texts(c, "columns", &n_names);
    nep_status st;
    NEP_TRY(file_of_run(c, "design", run, &design));
    if (design) {
        NEP_TRY(cli_glm_table(ctx, design, names, n_names, false, out));
        NEP_REQUIRE(ctx, out->n == n_t, NEP_E_SHAPE, "'%s' has %lld rows, '%s' has %lld frames", design, (long long)out->n, path, (long long)n_t);
        return NEP_OK;
    }
    NEP_REQUIRE(ctx, tr_s > 0 && isfinite(tr_s), NEP_E_ARG, "'%s' does not say its repetition time; give --tr S", path);
    NEP_TRY(file_of_run(c, "confounds", run, &table));
    NEP_REQUIRE(ctx, table || n_names == 0, NEP_E_USAGE, "--columns needs --confounds TSV or --design TSV");
    const nep_glm_timing timing = read_timing(c, tr_s);
    NEP_TRY_OR_DONE(st, read_events(c, run, path, &e));
    if (table) {
        NEP_TRY_OR_DONE(st, cli_glm_table(ctx, table, names, n_names, true, &confounds));
        NEP_REQUIRE_OR_DONE(st, ctx, confounds.n == n_t, NEP_E_SHAPE, "'%s' has %lld rows, '%s' has %lld frames", table, (long long)confounds.n, path,
                            (long long)n_t);
    }
    const nep_glm_events events = {e.n, e.onset_s, e.duration_s, e.modulation, (const char *const *)e.trial_type};
    st = nep_glm_design_first(ctx, n_t, &events, table ? &confounds : NULL, &timing, out);
done:
    nep_glm_design_free(&confounds);
    nep_events_free(&e);
    return st;
}
