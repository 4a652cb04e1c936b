/* SPDX-License-Identifier: Apache-2.0 */
/* stream.h - bytes of a file in order, inflated when it is gzip, ahead of the reader in a thread of its own
 * when asked. */
#ifndef NEP_IO_STREAM_H
#define NEP_IO_STREAM_H

#include <nepenthe/core.h>

typedef struct nep_stream nep_stream;

/* Opens path ("-" = stdin). Memory: nep_stream_bytes for gzip, 1 MiB else. Errors: NEP_E_MISSING,
 * NEP_E_PERMISSION, NEP_E_FORMAT (a folder), NEP_E_NOMEM. */
NEP_MUST_USE nep_status nep_stream_open(nep_ctx *ctx, const char *path, nep_stream **out);
/* What a gzip file takes that is opened now: 27 MiB, or 4 MiB where less than 256 MiB of the budget is left,
 * which is slower. */
int64_t nep_stream_bytes(const nep_ctx *ctx);
bool nep_stream_gz(const nep_stream *s);
/* The most bytes that the file can hold once inflated; INT64_MAX when it has no size (a pipe). */
int64_t nep_stream_most(const nep_stream *s);
/* Bytes of the file that were read so far, ahead of the reader at times, and its size; both 0 for a pipe. */
void nep_stream_progress(const nep_stream *s, int64_t *done, int64_t *total);
/* Exactly n bytes. Errors: NEP_E_TRUNCATED, NEP_E_FORMAT (gzip damaged, checksum), NEP_E_IO. */
NEP_MUST_USE nep_status nep_stream_read(nep_stream *s, void *out, int64_t n);
/* Up to n bytes; less only at a sound end of the file. Errors: as nep_stream_read, for an end that is not sound. */
NEP_MUST_USE nep_status nep_stream_some(nep_stream *s, void *out, int64_t n, int64_t *got);
NEP_MUST_USE nep_status nep_stream_skip(nep_stream *s, int64_t n);
/* From here on a thread inflates while the caller works. Nothing happens for a file that is not gzip. */
NEP_MUST_USE nep_status nep_stream_run_ahead(nep_stream *s);
/* Takes a gzip file into memory at once, which is faster than streaming: it must hold `need` bytes and at
 * most `spare` more. Nothing happens for a pipe or a plain file. */
NEP_MUST_USE nep_status nep_stream_load(nep_stream *s, int64_t need, int64_t spare);
/* Reads to the end, so that the last checksum is verified. More than `spare` further bytes are NEP_E_FORMAT.
 */
NEP_MUST_USE nep_status nep_stream_finish(nep_stream *s, int64_t spare);
void nep_stream_close(nep_stream *s); /* takes NULL */

#endif
