/* SPDX-License-Identifier: Apache-2.0 */
/* gather_explain.c - a score taken apart: channels, their source rows, and for paths the edges at the drug, all in units of the score. */
#include "doc.h"

#include <math.h>
#include <stdlib.h>

enum { ASKED = 64 /* reasons asked of a channel; the largest are shown */ };

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Value at which a channel adds nothing: between the drugs next to 0 on either side, or on the line through the outermost two. */
static double level_of(const nep_ranking_disorder *d, int64_t n, int channels, int c)
{
    int64_t below = -1, above = -1, least = -1, most = -1;
    for (int64_t k = 0; k < n; k++) {
        const double v = d->value[k * channels + c], x = d->contribution[k * channels + c];
        if (isnan(v) || isnan(x))
            continue;
        if (x <= 0 && (below < 0 || x > d->contribution[below * channels + c]))
            below = k;
        if (x >= 0 && (above < 0 || x < d->contribution[above * channels + c]))
            above = k;
        if (least < 0 || v < d->value[least * channels + c])
            least = k;
        if (most < 0 || v > d->value[most * channels + c])
            most = k;
    }
    const int64_t p = below >= 0 && above >= 0 ? below : least, q = below >= 0 && above >= 0 ? above : most;
    if (p < 0 || q < 0)
        return NAN;
    const double v = d->value[p * channels + c], step = d->value[q * channels + c] - v, x = d->contribution[p * channels + c],
                 rise = d->contribution[q * channels + c] - x;
    return rise == 0 ? v : v - x * step / rise;
}

/* What the channel adds to the drugs that it speaks of, 5 % and 95 %. */
static void range_of(const nep_ranking_disorder *d, int64_t n, int channels, int c, double *sorted, nep_gather_scale *out)
{
    int64_t m = 0;
    for (int64_t k = 0; k < n; k++)
        if (!isnan(d->value[k * channels + c]) && !isnan(d->contribution[k * channels + c]))
            sorted[m++] = d->contribution[k * channels + c];
    qsort(sorted, (size_t)m, sizeof *sorted, by_value);
    out->low = m ? sorted[(m - 1) / 20] : NAN;
    out->high = m ? sorted[(m - 1) - (m - 1) / 20] : NAN;
}

nep_status nep_gather_scales(nep_ctx *ctx, const nep_ranking *r, int64_t disorder, nep_gather_scale **out)
{
    const nep_ranking_disorder *d = &r->disorders[disorder];
    const int64_t n = r->inputs->n_drugs;
    nep_gather_scale *made = NULL;
    double *sorted = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, r->n_channels, sizeof *made, "scales of channels", &made));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *sorted, "scales of channels", &sorted));
    for (int c = 0; c < r->n_channels; c++) {
        made[c].level = r->channels[c]->role == NEP_ROLE_VOTE ? level_of(d, n, r->n_channels, c) : 0;
        range_of(d, n, r->n_channels, c, sorted, &made[c]);
    }
    *out = made;
    made = NULL; /* ownership moved to the caller */
done:
    nep_alloc_free(sorted);
    nep_alloc_free(made);
    return st;
}

double nep_gather_slope(const nep_ranking_disorder *d, const nep_gather_scale *scale, int64_t at)
{
    const double step = d->value[at] - scale->level;
    return isnan(d->contribution[at]) || isnan(step) ? NAN : step == 0 ? 0 : d->contribution[at] / step;
}

/* `record` as in nep_reason: the row of the label table it rests on, whose source is told. */
static json_t *reason_row(const nep_inputs *in, const char *label, const char *detail, double share, double slope, int64_t record)
{
    int bad = 0;
    json_t *row = json_object();
    DOC_PUT(row, "label", nep_doc_text(label));
    DOC_PUT(row, "detail", nep_doc_text(detail));
    DOC_PUT(row, "share", nep_doc_number(share));
    if (!isnan(slope))
        DOC_PUT(row, "part", nep_doc_number(share * slope));
    if (record > 0 && in->label_source)
        DOC_PUT(row, "source", nep_doc_text(in->label_source[record - 1] ? in->label_source[record - 1] : "source not recorded"));
    DOC_END(row);
}

/* The largest reasons one by one, the rest as one row with its sum; *told gets the sum of all rows. */
static json_t *reason_rows(const nep_inputs *in, const nep_reason *found, int n, double value, double slope, double *told)
{
    int bad = 0;
    double rest = 0.0, shown = 0.0;
    json_t *rows = json_array();
    for (int i = 0; i < n; i++) {
        if (i >= NEP_DOC_REASONS) {
            rest += found[i].share;
            continue;
        }
        shown += found[i].share;
        DOC_ADD(rows, reason_row(in, found[i].label, found[i].detail, found[i].share, slope, found[i].record));
    }
    if (n >= ASKED && !isnan(value))
        rest = value - shown; /* there may be more than were asked for */
    if (n > NEP_DOC_REASONS)
        DOC_ADD(rows, reason_row(in, "all others", "their sum", rest, slope, 0));
    *told = shown + rest;
    DOC_END(rows);
}

typedef nep_status (*asker)(nep_ctx *ctx, const nep_channel *c, const nep_inputs *in, const nep_visible *visible, int64_t drug, int limit,
                            nep_reason *out, int *n);

/* Rows of every channel for one drug, by `ask`. The drug's own label is hidden: no channel counts it. */
static json_t *rows_by(nep_ctx *ctx, const nep_ranking *r, asker ask, const nep_visible *visible, const nep_gather_scale *scales, int64_t drug,
                       nep_status *st)
{
    int bad = 0;
    const nep_ranking_disorder *d = &r->disorders[visible->disorder];
    json_t *o = json_object();
    for (int c = 0; c < r->n_channels && *st == NEP_OK; c++) {
        const int64_t at = drug * r->n_channels + c;
        nep_reason found[ASKED];
        double told;
        int n = 0;
        *st = ask(ctx, r->channels[c], r->inputs, visible, drug, ASKED, found, &n);
        if (*st == NEP_OK && n > 0)
            DOC_PUT(o, r->channels[c]->name, reason_rows(r->inputs, found, n, d->value[at], nep_gather_slope(d, &scales[c], at), &told));
    }
    DOC_END(o);
}

/* What a channel adds beyond its rows: that of the average drug, taken off; what silence is worth; or the whole where it has no rows. */
static json_t *levels(const nep_ranking *r, const nep_ranking_disorder *d, const json_t *reasons, int64_t drug)
{
    int bad = 0;
    json_t *o = json_object();
    for (int c = 0; c < r->n_channels; c++) {
        double rest = d->contribution[drug * r->n_channels + c];
        size_t i;
        json_t *row;
        if (isnan(rest))
            continue;
        json_array_foreach(json_object_get(reasons, r->channels[c]->name), i, row) rest -= nep_doc_get_number(row, "part");
        DOC_PUT(o, r->channels[c]->name, nep_doc_number(rest));
    }
    DOC_END(o);
}

int nep_gather_explain(nep_ctx *ctx, const nep_ranking *r, const nep_visible *visible, const nep_gather_scale *scales, int64_t drug, json_t *row,
                       nep_status *st)
{
    int bad = 0;
    json_t *edges;
    DOC_PUT(row, "reasons", rows_by(ctx, r, nep_channel_explain, visible, scales, drug, st));
    if (*st == NEP_OK && !bad)
        DOC_PUT(row, "level", levels(r, &r->disorders[visible->disorder], json_object_get(row, "reasons"), drug));
    if (*st != NEP_OK || bad)
        return bad;
    edges = rows_by(ctx, r, nep_channel_edges, visible, scales, drug, st);
    if (edges && json_object_size(edges) == 0)
        json_decref(edges);
    else
        DOC_PUT(row, "edges", edges);
    return bad;
}
