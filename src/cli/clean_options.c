/* SPDX-License-Identifier: Apache-2.0 */
/* clean_options - censored frames, and the report of what cleaning took away. */
#include "cli/clean_options.h"

#include <math.h>
#include <string.h>

static nep_status censor_listed(nep_ctx *ctx, const nep_table *t, int64_t col, const char *path, int64_t n_t, bool *keep)
{
    for (int64_t i = 0; i < t->n_rows; i++) {
        double v;
        NEP_TRY(nep_table_number(ctx, t, i, col, &v));
        if (!(v >= 0 && v < (double)n_t && v == floor(v)))
            return nep_ctx_fail_file(ctx, NEP_E_FORMAT, path, "'%s' row %lld: frame %g; frames are 0 to %lld", path, (long long)i + 1, v,
                                     (long long)n_t - 1);
        keep[(int64_t)v] = false;
    }
    return NEP_OK;
}

static nep_status censor_flagged(nep_ctx *ctx, const nep_table *t, const char *path, int64_t n_t, bool *keep)
{
    if (t->n_rows != n_t)
        return nep_ctx_fail_file(ctx, NEP_E_SHAPE, path, "'%s' has %lld rows, the series has %lld frames", path, (long long)t->n_rows,
                                 (long long)n_t);
    for (int64_t i = 0; i < n_t; i++)
        for (int64_t c = 0; c < t->n_cols; c++) {
            double v;
            NEP_TRY(nep_table_number(ctx, t, i, c, &v));
            if (v != 0 && v != 1)
                return nep_ctx_fail_file(ctx, NEP_E_FORMAT, path, "'%s' row %lld, column '%s': a censoring flag is 0 or 1", path,
                                         (long long)i + 1, t->header[c]);
            if (v == 1)
                keep[i] = false;
        }
    return NEP_OK;
}

nep_status cli_clean_keep(nep_ctx *ctx, const char *path, int64_t n_t, bool **keep)
{
    nep_table t = {0};
    bool *k = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_tsv_read(ctx, path, &t));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_t, sizeof *k, "censoring", &k));
    memset(k, 1, (size_t)n_t * sizeof *k);
    const int64_t listed = nep_table_column(&t, "frame");
    NEP_TRY_OR_DONE(st, listed >= 0 ? censor_listed(ctx, &t, listed, path, n_t, k) : censor_flagged(ctx, &t, path, n_t, k));
    *keep = k;
    k = NULL;
done:
    nep_alloc_free(k);
    nep_table_free(&t);
    return st;
}

static json_t *report_run(const nep_clean *op)
{
    json_t *frames = json_array();
    for (int64_t i = 0, next = 0; i <= op->n_out; i++) {
        const int64_t end = i < op->n_out ? op->frame[i] : op->n_in;
        for (; next < end; next++)
            json_array_append_new(frames, json_integer(next));
        next = end + 1;
    }
    return json_pack("{s:I,s:I,s:o,s:I,s:I,s:f,s:f}", "frames_in", (json_int_t)op->n_in, "frames_out", (json_int_t)op->n_out,
                     "frames_left_out", frames, "confounds", (json_int_t)op->n_confounds, "confounds_rank", (json_int_t)op->rank,
                     "degrees_of_freedom", op->effective_dof, "degrees_of_freedom_lost", (double)op->n_in - op->effective_dof);
}

json_t *cli_clean_report(const nep_clean_runs *r)
{
    if (r->n == 1)
        return report_run(&r->run[0]);
    json_t *list = json_array();
    for (int64_t i = 0; i < r->n; i++)
        json_array_append_new(list, report_run(&r->run[i]));
    return json_pack("{s:o}", "runs", list);
}
