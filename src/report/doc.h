/* SPDX-License-Identifier: Apache-2.0 */
/* doc.h - what the files of this room share: building the gathered document and reading it back.
 *
 * A builder returns a new reference, or NULL when memory ran out; NULL travels upwards because jansson refuses to store it.
 */
#ifndef NEP_REPORT_DOC_H
#define NEP_REPORT_DOC_H

#include <nepenthe/report.h>

/* Stores `value` (reference taken, NULL counts as a failure) and remembers a failure in the int `bad` of the caller. */
#define DOC_PUT(object, key, value) (bad |= json_object_set_new((object), (key), (value)) != 0)
#define DOC_ADD(array, value)       (bad |= json_array_append_new((array), (value)) != 0)
/* Ends a builder: the document, or NULL and nothing leaked. */
#define DOC_END(object) return bad ? (json_decref(object), (json_t *)NULL) : (object)

enum { NEP_DOC_REASONS = 8, NEP_DOC_EXPLAINED = 100, NEP_DOC_PRECISION = 9 };

/* null for what is not finite. */
json_t *nep_doc_number(double x);
/* null for NULL; bytes that are no UTF-8 become '?'. */
json_t *nep_doc_text(const char *text);
json_t *nep_doc_words(const char *joined); /* "a;b" as ["a", "b"], empty pieces dropped */
json_t *nep_doc_numbers(const double *x, int64_t n);
/* Adds the `;`-separated words of `joined` that `set` lacks. 0 on success. */
int nep_doc_collect(json_t *set, const char *joined);

/* Lent; "" and NaN when absent or null. */
const char *nep_doc_get_text(const json_t *object, const char *key);
double nep_doc_get_number(const json_t *object, const char *key);

/* Parts of the document (gather_*.c). `st` receives the status of a channel that failed. */
json_t *nep_gather_candidates(nep_ctx *ctx, const nep_ranking *r, int64_t disorder, nep_status *st);
json_t *nep_gather_labelled(const nep_ranking *r, int64_t disorder);
json_t *nep_gather_drugs(nep_ctx *ctx, const nep_ranking *r, nep_status *st);
json_t *nep_gather_methods(const nep_ranking *r);
json_t *nep_gather_paragraph(const char *heading, const char *text, const char *source);
int nep_gather_model(const nep_ranking *r, json_t *array); /* paragraphs of the hierarchical model; 0 on success */
json_t *nep_gather_weights(const nep_ranking *r, int64_t disorder); /* weight and spread by channel; empty for Stouffer's fusion */
bool nep_gather_has_map(const nep_inputs *in); /* whether receptor maps and a disorder's map enter at all */
json_t *nep_imaging_disorders(const nep_ranking *r); /* the increment of imaging per disorder; */
json_t *nep_imaging_overall(const nep_ranking *r);   /* over all, with its sentences */
/* [{id, from, to, n, licences: [{licence, n}]}] by kind of edge, in the order of the network; empty without one. */
json_t *nep_gather_network(nep_ctx *ctx, const nep_network *net, nep_status *st);
json_t *nep_gather_licences(const nep_ranking *r, const json_t *provenance);

/* Of one channel in one disorder: the value at which it adds nothing, and 5 % and 95 % of what it adds where it speaks. */
typedef struct {
    double level, low, high;
} nep_gather_scale;
NEP_MUST_USE nep_status nep_gather_scales(nep_ctx *ctx, const nep_ranking *r, int64_t disorder, nep_gather_scale **out); /* [n_channels] */
/* Score per unit of the channel's value for cell `at` [drug, channel]: contribution / (value - level). NaN where it does not speak. */
double nep_gather_slope(const nep_ranking_disorder *d, const nep_gather_scale *scale, int64_t at);
/* Adds `reasons` (source rows by channel), `edges` (the same by edge at the drug, for paths) and `level` (by channel, what is left of its
 * contribution) to the row: the parts of the reasons and the levels sum to the score. 0 on success. */
int nep_gather_explain(nep_ctx *ctx, const nep_ranking *r, const nep_visible *visible, const nep_gather_scale *scales, int64_t drug, json_t *row,
                       nep_status *st);
json_t *nep_gather_counter(const nep_ranking *r, int64_t disorder, int64_t drug, const json_t *reasons); /* one line */
int64_t nep_gather_warned(const nep_ranking *r, int64_t disorder);                 /* drugs known to make the disorder worse */
int64_t nep_gather_count(const nep_ranking *r, int64_t disorder, nep_label label); /* drugs with that label */
/* [{channel, evidence, direction (down, up, either), low, high, rank_at_low, rank_at_high, obtainable, how}], what could move the score furthest
 * first, four at most; empty without a score. `row` lends reasons and edges. What one row adds is taken off as it stands: the curve between
 * value and score makes that an approximation. The ranks are those of a drug whose score alone changed. */
json_t *nep_gather_moves(const nep_ranking *r, int64_t disorder, int64_t drug, double score, const nep_gather_scale *scales, const json_t *row);
json_t *nep_gather_opinions(const nep_ranking *r, int64_t disorder, int64_t drug); /* rank by each other way to fuse */
json_t *nep_gather_disagreement(const nep_ranking *r, int64_t disorder);

json_t *nep_tripod_points(const nep_evaluation *e); /* [{item, section, topic, status, text}] */

/* One writer per format; each takes the document and the path of its file. */
NEP_MUST_USE nep_status nep_candidates_write(nep_ctx *ctx, const json_t *doc, const char *path, bool csv);
NEP_MUST_USE nep_status nep_xlsx_write(nep_ctx *ctx, const json_t *doc, const char *path);
NEP_MUST_USE nep_status nep_results_write(nep_ctx *ctx, const json_t *doc, const nep_ranking *r, const char *path);
NEP_MUST_USE nep_status nep_html_write_report(nep_ctx *ctx, const json_t *doc, const nep_ranking *r, const char *path);
/* Any page: the shell with title, style, script and data. */
NEP_MUST_USE nep_status nep_html_write_page(nep_ctx *ctx, const char *title, bool simulated, const json_t *data,
                                            const char *path);

/* Adds `percentile` by BASELINE channel to every candidate of the document. Errors: NEP_E_NOMEM. */
NEP_MUST_USE nep_status nep_html_percentiles(nep_ctx *ctx, const json_t *doc);
/* The evaluation with the disorders of the page alone; null without one. */
json_t *nep_html_evaluation(const json_t *evaluation, const json_t *disorders);

/* The 14 fixed columns of a candidate table, in order; channels follow. */
extern const char *const nep_candidates_columns[];
enum { NEP_CANDIDATES_COLUMNS = 14 };

/* base64(SHA-256(bytes)), 44 characters and a NUL: what a Content-Security-Policy wants. */
void nep_sha256_base64(const void *bytes, size_t n, char out[45]);
/* 32 bytes. FIPS 180-4. */
void nep_sha256_bytes(const void *bytes, size_t n, unsigned char out[32]);
/* Base64 of n bytes, with padding; out holds 4 * ceil(n / 3) + 1. RFC 4648. */
void nep_base64_encode(const unsigned char *bytes, size_t n, char *out);

/* The schematic parcellation as {shape, origin, step, rle}: runs of (label low byte, label high byte, length 1..255),
 * base64; label 0 outside, 1 + region, n_regions + 1 tissue without a region. NULL with a warning when it cannot be drawn. */
NEP_MUST_USE nep_status nep_brain_pack(nep_ctx *ctx, const nep_geometry *geometry, json_t **out);
/* The study's atlas in the same form, with `atlas` (its name), `stored_mm` and `resampled`: at its own voxel size (1 mm at
 * least), or coarser by halves of a millimetre until the text has at most most_bytes, or 10 mm is reached. */
NEP_MUST_USE nep_status nep_brain_pack_atlas(nep_ctx *ctx, const nep_atlas *atlas, const char *name, int64_t most_bytes, json_t **out);
/* An atlas on a grid of `step` mm whose axes run along x, y and z: each voxel takes the label that fills most of it (sampled at
 * up to 4^3 places; of a tie the lowest region, background last), and a region that would vanish keeps one voxel where no other loses its last. Labels may
 * reach n_regions + 1. Errors: NEP_E_GRID (affine), NEP_E_FORMAT (no region), NEP_E_ARG (more than 2^23 voxels). */
NEP_MUST_USE nep_status nep_brain_upright(nep_ctx *ctx, const nep_atlas *a, double step, nep_atlas *out);

/* Embedded by CMake from src/report/assets/. */
typedef struct {
    const unsigned char *bytes;
    size_t n;
} nep_asset;
extern const nep_asset nep_asset_css, nep_asset_js, nep_asset_html;

#endif
