/* SPDX-License-Identifier: Apache-2.0 */
/* inflate.h - a gzip file front to back in bounded memory. It touches no context once made, so that a thread
 * can run it. */
#ifndef NEP_IO_INFLATE_H
#define NEP_IO_INFLATE_H

#include <nepenthe/core.h>

typedef enum { NEP_GOING, NEP_ENDED, NEP_CUT, NEP_DAMAGED, NEP_CHECKSUM, NEP_UNREADABLE } nep_verdict;

typedef struct nep_inflate nep_inflate;

/* The file fd, which stays the caller's, read input_bytes at a time. Its first n bytes were read before: they
 * are at `first`. Memory: 160 KiB + input_bytes. Errors: NEP_E_NOMEM. */
NEP_MUST_USE nep_status nep_inflate_create(nep_ctx *ctx, int fd, int64_t input_bytes, const void *first,
                                           int64_t n, nep_inflate **out);
void nep_inflate_free(nep_inflate *g); /* takes NULL */

/* From here on in leaps from block to block at libdeflate's speed where that works, else as before: the same
 * bytes. Of a damaged file the same verdict and total, but its last bytes may lack or lie beyond the damage.
 * Nothing happens where a file of file_bytes is too small to gain by it. fd must be able to go back to its
 * start. Memory: 2 MiB more. Errors: NEP_E_NOMEM, NEP_E_INTERNAL. */
NEP_MUST_USE nep_status nep_inflate_leap(nep_inflate *g, int64_t file_bytes);
/* Packed bytes of the first leap of every inflater from now on, 256 KiB if never called: tests make it small,
 * so that leaps begin and end everywhere. 0 takes leaping away. */
void nep_inflate_set_leap(int64_t bytes);

/* Some of the next inflated bytes to out, which has space for NEP_INFLATE_BEFORE bytes before it and for room
 * + NEP_INFLATE_AFTER from it on, all of which may be written over. *n may be 0 while it goes on. */
enum { NEP_INFLATE_BEFORE = 32 << 10, NEP_INFLATE_AFTER = 16 };
nep_verdict nep_inflate_fill(nep_inflate *g, unsigned char *out, int64_t room, int64_t *n);
/* Inflated bytes; once the file is found damaged, those before the damage. */
int64_t nep_inflate_total(const nep_inflate *g);
/* Bytes that came by leaps. */
int64_t nep_inflate_leapt(const nep_inflate *g);
/* errno of a failed read. */
int nep_inflate_errno(const nep_inflate *g);

#endif
