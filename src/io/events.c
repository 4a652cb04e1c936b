/* SPDX-License-Identifier: Apache-2.0 */
/* events - the events of a run out of a BIDS events.tsv. */
#include <nepenthe/io.h>

#include <math.h>
#include <string.h>

void nep_events_free(nep_events *e)
{
    nep_alloc_free(e->onset_s);
    nep_alloc_free(e->duration_s);
    nep_alloc_free(e->modulation);
    nep_data_free_names(e->trial_type, e->trial_type ? e->n : 0);
    *e = (nep_events){0};
}

static nep_status need_number(nep_ctx *ctx, const nep_table *t, int64_t row, int64_t col, double *out)
{
    NEP_TRY(nep_table_number(ctx, t, row, col, out));
    if (!isfinite(*out))
        return nep_ctx_fail_file(ctx, NEP_E_FORMAT, t->path, "%s: line %lld: an event without %s", t->path, (long long)row + 2, t->header[col]);
    return NEP_OK;
}

/* Row of the table as the next event; one without a trial_type is none. */
static nep_status read_event(nep_ctx *ctx, const nep_table *t, int64_t row, const int64_t col[4], nep_events *e)
{
    const char *type = col[2] >= 0 ? nep_table_cell(t, row, col[2]) : NULL;
    if (col[2] >= 0 && !type)
        return NEP_OK;
    NEP_TRY(need_number(ctx, t, row, col[0], &e->onset_s[e->n]));
    NEP_TRY(need_number(ctx, t, row, col[1], &e->duration_s[e->n]));
    if (e->modulation)
        NEP_TRY(need_number(ctx, t, row, col[3], &e->modulation[e->n]));
    if (e->duration_s[e->n] < 0)
        return nep_ctx_fail_file(ctx, NEP_E_FORMAT, t->path, "%s: line %lld: a duration of %g s; durations are 0 or more", t->path,
                                 (long long)row + 2, e->duration_s[e->n]);
    if (type)
        NEP_TRY(nep_alloc_string(ctx, type, &e->trial_type[e->n]));
    e->n++;
    return NEP_OK;
}

nep_status nep_events_read(nep_ctx *ctx, const char *path, nep_events *out)
{
    nep_table t = {0};
    nep_events e = {0};
    int64_t col[4];
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_tsv_read(ctx, path, &t));
    NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, "onset", &col[0]));
    NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, "duration", &col[1]));
    col[2] = nep_table_column(&t, "trial_type");
    col[3] = nep_table_column(&t, "modulation");
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, t.n_rows, sizeof *e.onset_s, "events", &e.onset_s));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, t.n_rows, sizeof *e.duration_s, "events", &e.duration_s));
    if (col[2] >= 0)
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, t.n_rows, sizeof *e.trial_type, "events", &e.trial_type));
    if (col[3] >= 0)
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, t.n_rows, sizeof *e.modulation, "events", &e.modulation));
    for (int64_t r = 0; r < t.n_rows; r++)
        NEP_TRY_OR_DONE(st, read_event(ctx, &t, r, col, &e));
    if (e.n == 0) {
        st = nep_ctx_fail_file(ctx, NEP_E_FORMAT, path, "%s: no event", path);
        goto done;
    }
    if (e.n < t.n_rows)
        nep_warn(ctx, "%s: %lld of %lld rows have no trial_type and are left out", path, (long long)(t.n_rows - e.n), (long long)t.n_rows);
    *out = e;
    e = (nep_events){0};
done:
    nep_events_free(&e);
    nep_table_free(&t);
    return st;
}
