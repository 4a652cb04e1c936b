/* SPDX-License-Identifier: Apache-2.0 */
/* hdf5_source - rows of an HDF5 dataset, and the names of AnnData's observations beside them, while two reader helpers are at work. */
#include "io/hdf5_read.h"
#include "io/source.h"

#include <string.h>

struct nep_hdf5_rows {
    nep_hdf5_answer values, names;
    bool named;
    char *text, *at; /* a piece of names, and the next of them */
    int64_t left;    /* names of the piece that were not given yet */
};

static nep_status find_names(nep_source *s, struct nep_hdf5_rows *h)
{
    static const char *const index[] = {"obs/_index", "obs/participant_id", "obs/index"};
    for (int i = 0; i < NEP_LEN(index) && !h->named; i++) {
        h->named = nep_hdf5_ask(s->ctx, s->path, index[i], true, &h->names) == NEP_OK;
        if (!h->named)
            nep_ctx_clear(s->ctx); /* not every file has names */
    }
    if (h->named && h->names.n != s->info.n)
        return nep_source_refuse(s, "has %lld names for %lld rows", (long long)h->names.n, (long long)s->info.n);
    s->info.ids = h->named;
    return NEP_OK;
}

nep_status nep_hdf5_source_start(nep_source *s)
{
    const char *dataset = s->opts.dataset ? s->opts.dataset : "X";
    NEP_REQUIRE(s->ctx, !s->opts.bits, NEP_E_SHAPE, "%s: bits are read from .fps and .npy, not from HDF5", s->path);
    NEP_REQUIRE(s->ctx, strcmp(s->path, "-") != 0, NEP_E_ARG, "stdin: HDF5 is no stream; give the file by its name");
    NEP_TRY(nep_alloc(s->ctx, 1, sizeof *s->hdf5, "HDF5 rows", &s->hdf5));
    nep_hdf5_answer *a = &s->hdf5->values;
    NEP_TRY(nep_hdf5_ask(s->ctx, s->path, dataset, false, a));
    if (a->rank != 2)
        return nep_source_refuse(s, "'%s' has %d dimensions; rows of vectors have 2", dataset, a->rank);
    NEP_TRY(nep_source_shape(s, NEP_ITEM_F64, a->dims[0], a->dims[1]));
    return s->opts.dataset ? NEP_OK : find_names(s, s->hdf5);
}

static nep_status next_names(nep_source *s, struct nep_hdf5_rows *h, int64_t n, char **ids)
{
    int64_t used = 0;
    for (int64_t i = 0; i < n; i++) {
        if (h->left == 0) {
            const nep_status st = nep_hdf5_texts(&h->names, &h->text, &h->left);
            if (st != NEP_OK)
                return nep_hdf5_end(&h->names, st);
            h->at = h->text;
        }
        NEP_TRY(nep_source_keep_id(s, h->at, &used));
        h->at += strlen(h->at) + 1;
        h->left--;
    }
    nep_source_lend_ids(s, ids, n);
    return NEP_OK;
}

nep_status nep_hdf5_source_next(nep_source *s, int64_t n, char **ids)
{
    struct nep_hdf5_rows *h = s->hdf5;
    const nep_status st = nep_hdf5_values(&h->values, (double *)(void *)s->raw, n * s->items);
    if (st != NEP_OK)
        return nep_hdf5_end(&h->values, st);
    return h->named ? next_names(s, h, n, ids) : NEP_OK;
}

void nep_hdf5_source_end(nep_source *s)
{
    if (!s->hdf5)
        return;
    (void)nep_hdf5_end(&s->hdf5->values, NEP_OK);
    (void)nep_hdf5_end(&s->hdf5->names, NEP_OK);
    nep_alloc_free(s->hdf5->text);
    nep_alloc_free(s->hdf5);
}
