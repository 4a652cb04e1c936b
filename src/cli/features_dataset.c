/* SPDX-License-Identifier: Apache-2.0 */
/* features_dataset - what the output folder holds of its own: dataset_description.json, .bidsignore; paths and JSON files below it. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/features.h"

nep_status cli_features_path(nep_ctx *ctx, char *out, size_t size, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    const int n = vsnprintf(out, size, fmt, args);
    va_end(args);
    NEP_REQUIRE(ctx, n >= 0 && (size_t)n < size, NEP_E_ARG, "a path is longer than %zu characters", size - 1);
    return NEP_OK;
}

/* seg- comes before res-, den- and label-. */
nep_status cli_features_file(features *f, const nep_bids_run *run, const char *seg, const char *tail, const char *ext, char *out, size_t size)
{
    static const char *const later[] = {"_scale-", "_res-", "_den-", "_label-"};
    size_t at = strlen(run->stem);
    for (int i = 0; i < NEP_LEN(later); i++) {
        const char *p = strstr(run->stem, later[i]);
        if (p && (size_t)(p - run->stem) < at)
            at = (size_t)(p - run->stem);
    }
    return cli_features_path(f->ctx, out, size, "%s/%s/%.*s%s%s%s_%s%s", f->out, run->folder, (int)at, run->stem, seg ? "_seg-" : "", seg ? seg : "",
                             run->stem + at, tail, ext);
}

static nep_status write_text(nep_ctx *ctx, const char *path, const char *text)
{
    nep_file *file = NULL;
    NEP_TRY(nep_file_create(ctx, path, &file));
    const nep_status st = nep_file_printf(file, "%s\n", text);
    if (st != NEP_OK) {
        nep_file_abort(file);
        return st;
    }
    return nep_file_commit(file);
}

nep_status cli_features_json(nep_ctx *ctx, const char *path, const json_t *doc)
{
    char *text = json_dumps(doc, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    NEP_REQUIRE(ctx, text, NEP_E_NOMEM, "no memory for a sidecar");
    const nep_status st = write_text(ctx, path, text);
    free(text);
    return st;
}

/* Where the preprocessed data lie as seen from the outputs, when they are near; far away, the path would say too much. */
static void relative_link(const features *f, char *out, size_t size)
{
    char *a = realpath(f->root, NULL), *b = realpath(f->out, NULL);
    size_t shared = 0; /* length of the common folders */
    int ups = 0;
    *out = '\0';
    for (size_t i = 0; a && b && i <= strlen(a) && i <= strlen(b); i++) {
        if ((a[i] == '/' || a[i] == '\0') && (b[i] == '/' || b[i] == '\0'))
            shared = i;
        if (a[i] != b[i])
            break;
    }
    for (const char *p = b ? b + shared : ""; *p; p++)
        ups += *p == '/';
    if (shared > 0 && ups >= 1 && ups <= 2)
        snprintf(out, size, "%s%s", ups == 1 ? ".." : "../..", a + shared);
    free(a);
    free(b);
}

nep_status cli_features_dataset(features *f)
{
    char path[4096], link[4096];
    int lock = -1;
    nep_status st;
    json_t *doc = json_pack("{s:s,s:s,s:s,s:s,s:[{s:s,s:s}]}", "Name", "nepenthe derivatives", "BIDSVersion", "1.10.0", "DatasetType", "derivative",
                            "License", "as the inputs", "GeneratedBy", "Name", "nepenthe", "Version", NEP_VERSION);
    NEP_REQUIRE(f->ctx, doc, NEP_E_NOMEM, "no memory for dataset_description.json");
    relative_link(f, link, sizeof link);
    if (link[0])
        json_object_set_new(doc, "DatasetLinks", json_pack("{s:s}", "preprocessed", link));
    NEP_TRY_OR_DONE(st, cli_features_lock(f, &lock));
    NEP_TRY_OR_DONE(st, cli_features_path(f->ctx, path, sizeof path, "%s/dataset_description.json", f->out));
    NEP_TRY_OR_DONE(st, cli_features_json(f->ctx, path, doc));
    NEP_TRY_OR_DONE(st, cli_features_path(f->ctx, path, sizeof path, "%s/.bidsignore", f->out));
    st = write_text(f->ctx, path, "*_relmat.*\n*_timeseries.*\n*_bold.tsv\n*_bold.json\n*_boldmap.*\n*_tacs.*\n*_kinpar.*\n*_T1w.tsv\n*_T1w.json\n*.h5\ngroup_*\ngroup/\nfailures.tsv");
done:
    if (lock >= 0)
        close(lock);
    json_decref(doc);
    return st;
}
