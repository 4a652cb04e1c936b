/* SPDX-License-Identifier: Apache-2.0 */
/* hdf5_read.h - an answer of the HDF5 reader helper: asked for, taken piece by piece or whole, ended. */
#ifndef NEP_IO_HDF5_READ_H
#define NEP_IO_HDF5_READ_H

#include <nepenthe/core.h>

#include <sys/types.h>

/* While it comes. The answer (h5wire.h) is not trusted: memory grows with the bytes that have come. */
typedef struct {
    nep_ctx *ctx;
    const char *path; /* lent */
    int fd;
    pid_t pid;       /* of the helper, 0 = none */
    double idle_s;   /* longest wait for a piece */
    int rank;        /* of numbers */
    int64_t dims[4];
    int64_t n, done; /* numbers or texts: in all, and taken */
} nep_hdf5_answer;

/* ---- taking (hdf5_answer.c): errors are NEP_E_FORMAT (the helper's sentence, or an answer that breaks off) ---- */

/* Reads what stands before numbers, or before texts; ctx, path, fd and idle_s are set. */
NEP_MUST_USE nep_status nep_hdf5_begin(nep_hdf5_answer *a, bool texts);
/* The next n numbers, at most those that are left; the last ones bring the end of the answer. */
NEP_MUST_USE nep_status nep_hdf5_values(nep_hdf5_answer *a, double *out, int64_t n);
/* The next piece of texts, one after the other with their NULs: *text (freed and made anew), *n = 0 at the end. Also NEP_E_FORMAT: a
 * text that is not UTF-8 or has control characters. */
NEP_MUST_USE nep_status nep_hdf5_texts(nep_hdf5_answer *a, char **text, int64_t *n);
/* All of an answer that has begun; freed with nep_alloc_free, and [a->n] with nep_data_free_names. */
NEP_MUST_USE nep_status nep_hdf5_all_values(nep_hdf5_answer *a, double **out);
NEP_MUST_USE nep_status nep_hdf5_all_texts(nep_hdf5_answer *a, char ***names);

/* ---- the helper (hdf5_read.c) ---- */

/* Starts it on one dataset of a file and begins the answer. Nothing is left to end when it fails. Errors: NEP_E_MISSING,
 * NEP_E_PERMISSION, NEP_E_NOTSUP (no helper), NEP_E_FORMAT. */
NEP_MUST_USE nep_status nep_hdf5_ask(nep_ctx *ctx, const char *path, const char *dataset, bool texts, nep_hdf5_answer *a);
/* Ends it, however far it came. Returns st; when that is a failure because the helper crashed, with the sentence that says so. A zeroed
 * one is fine. */
nep_status nep_hdf5_end(nep_hdf5_answer *a, nep_status st);

#endif
