/* SPDX-License-Identifier: Apache-2.0 */
/* pet_frames - frame times from BIDS-PET JSON, from a TSV, or from columns of the curves themselves. */
#include "cli/pet_frames.h"

#include <jansson.h>
#include <nepenthe/io.h>
#include <string.h>

void cli_pet_frames_free(cli_pet_frames *f)
{
    nep_alloc_free(f->memory);
    *f = (cli_pet_frames){0};
}

static nep_status make(nep_ctx *ctx, int64_t n, const char *from, cli_pet_frames *out)
{
    NEP_TRY(nep_alloc(ctx, 3 * n, sizeof *out->memory, "frames", &out->memory));
    out->f = (nep_pet_frames){.n = n, .start_s = out->memory, .duration_s = out->memory + n, .weight = NULL};
    out->from = from;
    return NEP_OK;
}

static nep_status numbers(nep_ctx *ctx, const char *file, const json_t *doc, const char *key, int64_t n, double *out)
{
    const json_t *list = json_object_get(doc, key);
    if (!json_is_array(list))
        return nep_ctx_fail_file(ctx, NEP_E_FORMAT, file, "%s: no list %s; BIDS-PET asks for it", file, key);
    if ((int64_t)json_array_size(list) != n)
        return nep_ctx_fail_file(ctx, NEP_E_FORMAT, file, "%s: %s has %zu entries for %lld frames", file, key, json_array_size(list),
                                 (long long)n);
    for (int64_t i = 0; i < n; i++) {
        const json_t *x = json_array_get(list, (size_t)i);
        if (!json_is_number(x))
            return nep_ctx_fail_file(ctx, NEP_E_FORMAT, file, "%s: entry %lld of %s is no number", file, (long long)i + 1, key);
        out[i] = json_number_value(x);
    }
    return NEP_OK;
}

static nep_status from_json(nep_ctx *ctx, const char *file, int64_t n, cli_pet_frames *out)
{
    json_t *doc = NULL;
    nep_status st;
    NEP_TRY(nep_json_read(ctx, file, &doc));
    NEP_TRY_OR_DONE(st, make(ctx, n, "sidecar", out));
    NEP_TRY_OR_DONE(st, numbers(ctx, file, doc, "FrameTimesStart", n, out->memory));
    NEP_TRY_OR_DONE(st, numbers(ctx, file, doc, "FrameDuration", n, out->memory + n));
    if (json_is_false(json_object_get(doc, "ImageDecayCorrected")))
        st = nep_ctx_fail_file(ctx, NEP_E_FORMAT, file, "%s: ImageDecayCorrected is false; correct the image for decay first", file);
    const json_t *injection = json_object_get(doc, "InjectionStart");
    for (int64_t i = 0; json_is_number(injection) && i < n; i++)
        out->memory[i] -= json_number_value(injection);
done:
    json_decref(doc);
    return st;
}

/* Ends in place of durations are turned into them. */
static void ends_to_durations(cli_pet_frames *f, bool ends)
{
    const int64_t n = f->f.n;
    for (int64_t i = 0; ends && i < n; i++)
        f->memory[n + i] -= f->memory[i];
}

static nep_status from_table(nep_ctx *ctx, const char *file, int64_t n, bool weighted, cli_pet_frames *out)
{
    nep_table t = {0};
    int64_t start, length, weight = -1;
    nep_status st;
    NEP_TRY(nep_tsv_read(ctx, file, &t));
    const bool ends = nep_table_column(&t, "frame_duration") < 0;
    NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, "frame_start", &start));
    NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, ends ? "frame_end" : "frame_duration", &length));
    if (weighted)
        NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, "weight", &weight));
    if (t.n_rows != n) {
        st = nep_ctx_fail_file(ctx, NEP_E_FORMAT, file, "%s: %lld rows for %lld frames", file, (long long)t.n_rows, (long long)n);
        goto done;
    }
    NEP_TRY_OR_DONE(st, make(ctx, n, "file", out));
    for (int64_t i = 0; i < n; i++) {
        NEP_TRY_OR_DONE(st, nep_table_number(ctx, &t, i, start, out->memory + i));
        NEP_TRY_OR_DONE(st, nep_table_number(ctx, &t, i, length, out->memory + n + i));
        if (weighted)
            NEP_TRY_OR_DONE(st, nep_table_number(ctx, &t, i, weight, out->memory + 2 * n + i));
    }
    ends_to_durations(out, ends);
    if (weighted)
        out->f.weight = out->memory + 2 * n;
done:
    nep_table_free(&t);
    return st;
}

static bool ends_with(const char *text, const char *tail)
{
    const size_t n = strlen(text), m = strlen(tail);
    return n >= m && strcmp(text + n - m, tail) == 0;
}

static nep_status weigh(nep_ctx *ctx, const char *weights, cli_pet_frames *f)
{
    NEP_REQUIRE(ctx, strcmp(weights, "column") != 0 || f->f.weight, NEP_E_ARG,
                "--weights column needs a column `weight` beside the frame times; a JSON sidecar has none");
    if (strcmp(weights, "uniform") == 0) {
        for (int64_t i = 0; i < f->f.n; i++)
            f->memory[2 * f->f.n + i] = 1;
        f->f.weight = f->memory + 2 * f->f.n;
    }
    return NEP_OK;
}

nep_status cli_pet_frames_read(nep_ctx *ctx, const char *path, const char *file, const char *weights, int64_t n_t, cli_pet_frames *out)
{
    char name[4096];
    if (!file) {
        const size_t n = strlen(path) - (ends_with(path, ".gz") ? 7 : 4); /* .nii.gz, .nii, .tsv */
        if (snprintf(name, sizeof name, "%.*s.json", (int)n, path) >= (int)sizeof name || !nep_file_exists(name))
            return nep_ctx_fail_file(ctx, NEP_E_MISSING, path, "'%s' has no JSON sidecar with FrameTimesStart and FrameDuration; give --frames FILE", path);
    }
    if (file && ends_with(file, ".tsv"))
        NEP_TRY(from_table(ctx, file, n_t, strcmp(weights, "column") == 0, out));
    else
        NEP_TRY(from_json(ctx, file ? file : name, n_t, out));
    return weigh(ctx, weights, out);
}

static int64_t find(const nep_series *s, const char *name)
{
    for (int64_t i = 0; i < s->n_cols; i++)
        if (strcmp(s->names[i], name) == 0)
            return i;
    return -1;
}

static void take(const nep_series *s, int64_t column, double *out)
{
    for (int64_t t = 0; t < s->n_t; t++)
        out[t] = (double)s->data[t * s->n_cols + column];
}

static bool is_timing(const char *name)
{
    return strcmp(name, "frame_start") == 0 || strcmp(name, "frame_end") == 0 || strcmp(name, "frame_duration") == 0 || strcmp(name, "weight") == 0;
}

/* Curves move up over the timing columns, whose names go to the end and are freed with the rest. */
static void drop_timing(nep_series *s)
{
    int64_t kept = 0;
    for (int64_t c = 0; c < s->n_cols; c++)
        kept += !is_timing(s->names[c]);
    for (int64_t t = 0; t < s->n_t; t++) {
        int64_t to = t * kept;
        for (int64_t c = 0; c < s->n_cols; c++)
            if (!is_timing(s->names[c]))
                s->data[to++] = s->data[t * s->n_cols + c];
    }
    int64_t to = 0;
    for (int64_t c = 0; c < s->n_cols; c++) {
        char *name = s->names[c];
        if (is_timing(name))
            nep_alloc_free(name);
        else
            s->names[to++] = name;
    }
    s->n_cols = kept;
}

nep_status cli_pet_frames_of_series(nep_ctx *ctx, const char *path, const char *file, const char *weights, nep_series *s,
                                    cli_pet_frames *out)
{
    const int64_t start = find(s, "frame_start"), length = find(s, "frame_duration"), end = find(s, "frame_end");
    const int64_t weight = find(s, "weight");
    if (file || start < 0 || (length < 0 && end < 0)) {
        NEP_TRY(cli_pet_frames_read(ctx, path, file, weights, s->n_t, out));
    } else {
        NEP_TRY(make(ctx, s->n_t, "columns", out));
        take(s, start, out->memory);
        take(s, length >= 0 ? length : end, out->memory + s->n_t);
        ends_to_durations(out, length < 0);
        if (strcmp(weights, "column") == 0 && weight >= 0) {
            take(s, weight, out->memory + 2 * s->n_t);
            out->f.weight = out->memory + 2 * s->n_t;
        }
        NEP_TRY(weigh(ctx, weights, out));
    }
    drop_timing(s);
    NEP_REQUIRE(ctx, s->n_cols > 0, NEP_E_FORMAT, "%s: no curve beside the frame times", path);
    return NEP_OK;
}
