/* SPDX-License-Identifier: Apache-2.0 */
/* source.h - a file of rows while it is read: what its format's start found, and how rows lie in it. */
#ifndef NEP_IO_SOURCE_H
#define NEP_IO_SOURCE_H

#include <nepenthe/io.h>

#include "io/stream.h"

typedef enum { NEP_ITEM_F32, NEP_ITEM_F64, NEP_ITEM_F16, NEP_ITEM_BF16, NEP_ITEM_U8, NEP_ITEM_I8, NEP_ITEM_I32, NEP_ITEM_BOOL, NEP_ITEM_BYTES } nep_item;

struct nep_source {
    nep_ctx *ctx;
    char *path;
    nep_source_opts opts;
    nep_source_info info;
    nep_stream *stream;
    int64_t done; /* rows given */

    /* rows of items one after the other, which source.c reads by itself */
    nep_item item;
    int64_t items;   /* of a row in the file; bytes of a packed row */
    bool prefixed;   /* each row begins with its number of items, int32 (.fvecs) */
    bool open_end;   /* bytes after the rows are none of its business */
    bool first_read; /* the prefix of the first row is taken already */
    char *raw;       /* a block as it lies in the file */
    int64_t raw_rows;

    char *id_text; /* ids of the block that is lent */
    int64_t id_room;

    /* .fps */
    char *text; /* of lines at hand */
    char *held; /* a line that was read and not yet used */
    int64_t text_have, text_at, line;
    char *about; /* owned text of info.about */

    struct nep_hdf5_rows *hdf5; /* .h5 */
};

/* Each reads the head of its format and fills info and the fields of its kind of rows. */
NEP_MUST_USE nep_status nep_npy_start(nep_source *s);
NEP_MUST_USE nep_status nep_vecs_start(nep_source *s, nep_item item);
NEP_MUST_USE nep_status nep_vecs_start_bin(nep_source *s, nep_item item);
NEP_MUST_USE nep_status nep_safetensors_start(nep_source *s);
NEP_MUST_USE nep_status nep_fps_start(nep_source *s);
NEP_MUST_USE nep_status nep_fps_next(nep_source *s, uint64_t *rows, int64_t n, char **ids, int64_t *got);
NEP_MUST_USE nep_status nep_hdf5_source_start(nep_source *s);
/* n rows of float64 into s->raw, which has room, and their ids (NULL = not wanted). */
NEP_MUST_USE nep_status nep_hdf5_source_next(nep_source *s, int64_t n, char **ids);
void nep_hdf5_source_end(nep_source *s); /* also of what never started */

int64_t nep_source_item_bytes(nep_item item);
/* Keeps an id until the next block; *used counts its bytes, from 0. The text may move while the block grows: */
NEP_MUST_USE nep_status nep_source_keep_id(nep_source *s, const char *id, int64_t *used);
/* the n kept ones, in order, into ids [n] (NULL = not wanted) when it is whole. */
void nep_source_lend_ids(const nep_source *s, char **ids, int64_t n);
/* NEP_E_FORMAT with the file's name before the words. */
nep_status nep_source_refuse(const nep_source *s, const char *fmt, ...) NEP_PRINTF(2, 3);
/* Sets info for n rows of dims items: as vectors, or as bits when they were asked for. n -1 = not known. */
NEP_MUST_USE nep_status nep_source_shape(nep_source *s, nep_item item, int64_t n, int64_t dims);

#endif
