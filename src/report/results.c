/* SPDX-License-Identifier: Apache-2.0 */
/* results.c - results.h5: axes, channel cubes, the candidate table that pandas.read_hdf opens, provenance. */
#include "doc.h"

#include <nepenthe/io.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One column of a table of rows: numbers when every value is a number or null, else text. `keep` owns the arrays. */
static nep_status column(nep_ctx *ctx, json_t *const *rows, int64_t n, const char *outer, const char *key,
                         nep_hdf5_column *out)
{
    char **text = NULL;
    double *number = NULL;
    bool words = false;
    for (int64_t i = 0; i < n && !words; i++) {
        const json_t *o = outer ? json_object_get(rows[i], outer) : rows[i];
        words = json_is_string(json_object_get(o, key));
    }
    if (words)
        NEP_TRY(nep_alloc(ctx, n, sizeof *text, "text column", &text));
    else
        NEP_TRY(nep_alloc(ctx, n, sizeof *number, "number column", &number));
    for (int64_t i = 0; i < n; i++) {
        const json_t *o = outer ? json_object_get(rows[i], outer) : rows[i];
        if (words)
            text[i] = (char *)(uintptr_t)nep_doc_get_text(o, key);
        else
            number[i] = nep_doc_get_number(o, key);
    }
    *out = (nep_hdf5_column){.name = key, .text = text, .number = number};
    return NEP_OK;
}

static void column_free(nep_hdf5_column *c)
{
    nep_alloc_free((void *)(uintptr_t)c->text);
    nep_alloc_free((void *)(uintptr_t)c->number);
}

static nep_status flatten(nep_ctx *ctx, const json_t *doc, json_t ***out, int64_t *n)
{
    size_t d, k;
    json_t *disorder, *row, **rows = NULL;
    int64_t total = 0;
    json_array_foreach(json_object_get(doc, "disorders"), d, disorder)
        total += (int64_t)json_array_size(json_object_get(disorder, "candidates"));
    NEP_TRY(nep_alloc(ctx, total, sizeof *rows, "candidate rows", &rows));
    *n = 0;
    json_array_foreach(json_object_get(doc, "disorders"), d, disorder)
        json_array_foreach(json_object_get(disorder, "candidates"), k, row) rows[(*n)++] = row;
    *out = rows;
    return NEP_OK;
}

static nep_status write_candidates(nep_ctx *ctx, nep_hdf5 *h, const json_t *doc)
{
    const json_t *channels = json_object_get(doc, "channels");
    const int64_t n_columns = NEP_CANDIDATES_COLUMNS + (int64_t)json_array_size(channels);
    nep_hdf5_column *columns = NULL;
    json_t **rows = NULL;
    int64_t n = 0;
    nep_status st;
    NEP_TRY(nep_alloc(ctx, n_columns, sizeof *columns, "candidate columns", &columns));
    NEP_TRY_OR_DONE(st, flatten(ctx, doc, &rows, &n));
    for (int64_t c = 0; c < n_columns; c++) {
        const bool fixed = c < NEP_CANDIDATES_COLUMNS;
        const char *key = fixed ? nep_candidates_columns[c]
                                : nep_doc_get_text(json_array_get(channels, (size_t)(c - NEP_CANDIDATES_COLUMNS)), "name");
        NEP_TRY_OR_DONE(st, column(ctx, rows, n, fixed ? NULL : "contribution", key, &columns[c]));
    }
    st = nep_hdf5_write_table(h, "/candidates", columns, n_columns, n);
done:
    for (int64_t c = 0; c < n_columns; c++)
        column_free(&columns[c]);
    nep_alloc_free(rows);
    nep_alloc_free(columns);
    return st;
}

/* A table of two text columns from an array of objects. */
static nep_status write_axis(nep_ctx *ctx, nep_hdf5 *h, const char *name, const json_t *array, const char *first,
                             const char *second)
{
    const char *const keys[2] = {first, second};
    const int64_t n = (int64_t)json_array_size(array);
    nep_hdf5_column columns[2] = {{0}, {0}};
    char **text[2] = {NULL, NULL};
    nep_status st = NEP_OK;
    for (int c = 0; c < 2; c++) {
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof(char *), name, &text[c]));
        for (int64_t i = 0; i < n; i++)
            text[c][i] = (char *)(uintptr_t)nep_doc_get_text(json_array_get(array, (size_t)i), keys[c]);
        columns[c] = (nep_hdf5_column){.name = keys[c], .text = text[c]};
    }
    st = nep_hdf5_write_table(h, name, columns, 2, n);
done:
    nep_alloc_free(text[1]);
    nep_alloc_free(text[0]);
    return st;
}

static nep_status write_cubes(nep_ctx *ctx, nep_hdf5 *h, const nep_ranking *r)
{
    int64_t dims[3] = {0, r->inputs->n_drugs, r->n_channels}, at = 0;
    const int64_t slab = dims[1] * dims[2];
    double *value = NULL, *se = NULL;
    nep_status st;
    for (int64_t j = 0; j < r->n_disorders; j++)
        dims[0] += !r->disorders[j].left_out;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, dims[0] * slab, sizeof *value, "channel values", &value));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, dims[0] * slab, sizeof *se, "channel errors", &se));
    for (int64_t j = 0; j < r->n_disorders; j++) {
        const nep_ranking_disorder *d = &r->disorders[j];
        for (int64_t i = 0; i < slab && !d->left_out; i++, at++) {
            value[at] = d->value ? d->value[i] : NAN;
            se[at] = d->se ? d->se[i] : NAN;
        }
    }
    NEP_TRY_OR_DONE(st, nep_hdf5_write_f64(h, "/channels/value", value, 3, dims));
    NEP_TRY_OR_DONE(st, nep_hdf5_write_f64(h, "/channels/se", se, 3, dims));
done:
    nep_alloc_free(se);
    nep_alloc_free(value);
    return st;
}

static nep_status write_attributes(nep_ctx *ctx, nep_hdf5 *h, const json_t *doc)
{
    const json_t *provenance = json_object_get(doc, "provenance"), *settings = json_object_get(doc, "settings");
    char seed[32], *text = json_dumps(settings, JSON_COMPACT | JSON_REAL_PRECISION(NEP_DOC_PRECISION));
    char *licences = json_dumps(json_object_get(doc, "licences"), JSON_COMPACT);
    char *story = json_dumps(provenance, JSON_INDENT(1) | JSON_REAL_PRECISION(NEP_DOC_PRECISION));
    nep_status st;
    NEP_REQUIRE_OR_DONE(st, ctx, text && licences && story, NEP_E_NOMEM, "results.h5: memory ran out");
    const nep_hash hash = nep_hash_bytes(text, strlen(text));
    const char *given = nep_doc_get_text(provenance, "config_hash");
    snprintf(seed, sizeof seed, "%lld", (long long)json_integer_value(json_object_get(settings, "seed")));
    NEP_TRY_OR_DONE(st, nep_hdf5_attribute(h, "/", "schema", "nepenthe/results/1"));
    NEP_TRY_OR_DONE(st, nep_hdf5_attribute(h, "/", "version", NEP_VERSION));
    NEP_TRY_OR_DONE(st, nep_hdf5_attribute(h, "/", "seed", seed));
    NEP_TRY_OR_DONE(st, nep_hdf5_attribute(h, "/", "config_hash", *given ? given : hash.hex));
    NEP_TRY_OR_DONE(st, nep_hdf5_attribute(h, "/", "licence", licences));
    NEP_TRY_OR_DONE(st, nep_hdf5_attribute(h, "/", "simulated", json_is_true(json_object_get(doc, "simulated")) ? "yes" : "no"));
    NEP_TRY_OR_DONE(st, nep_hdf5_group(h, "/provenance"));
    NEP_TRY_OR_DONE(st, nep_hdf5_write_strings(h, "/provenance/json", &story, 1));
done:
    free(story);
    free(licences);
    free(text);
    return st;
}

nep_status nep_results_write(nep_ctx *ctx, const json_t *doc, const nep_ranking *r, const char *path)
{
    nep_hdf5 *h = NULL;
    nep_status st;
    NEP_TRY(nep_hdf5_create(ctx, path, &h));
    NEP_TRY_OR_DONE(st, write_attributes(ctx, h, doc));
    NEP_TRY_OR_DONE(st, nep_hdf5_group(h, "/axes"));
    NEP_TRY_OR_DONE(st, nep_hdf5_group(h, "/channels"));
    NEP_TRY_OR_DONE(st, write_axis(ctx, h, "/axes/drugs", json_object_get(doc, "drugs"), "id", "name"));
    NEP_TRY_OR_DONE(st, write_axis(ctx, h, "/axes/disorders", json_object_get(doc, "disorders"), "id", "name"));
    NEP_TRY_OR_DONE(st, write_axis(ctx, h, "/axes/channels", json_object_get(doc, "channels"), "name", "role"));
    NEP_TRY_OR_DONE(st, write_cubes(ctx, h, r));
    NEP_TRY_OR_DONE(st, write_candidates(ctx, h, doc));
    st = nep_hdf5_commit(h);
    h = NULL;
done:
    nep_hdf5_abort(h);
    return st;
}
