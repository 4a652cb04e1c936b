/* SPDX-License-Identifier: Apache-2.0 */
/* deflate.h - a stretch of a raw deflate stream, from the start of one of its blocks to that of a later one.
 */
#ifndef NEP_IO_DEFLATE_H
#define NEP_IO_DEFLATE_H

#include <nepenthe/core.h>

enum {
    NEP_DEFLATE_WINDOW = 32 << 10,                    /* bytes that a stream may copy from */
    NEP_DEFLATE_BEFORE = 5 + NEP_DEFLATE_WINDOW + 16, /* bytes before a stretch that are written over */
    NEP_DEFLATE_AFTER = 24,                           /* bytes past the packed ones that must be there */
    NEP_DEFLATE_MARK = 15                             /* bytes past its result that a stretch writes over */
};

/* What nep_deflate_stretch gives instead of a number of bytes. */
enum { NEP_DEFLATE_BAD = -1, NEP_DEFLATE_FULL = -2 };

typedef struct nep_deflate nep_deflate;

/* Memory: 20 KiB. Errors: NEP_E_NOMEM, NEP_E_INTERNAL (the system gives no random bytes). */
NEP_MUST_USE nep_status nep_deflate_create(nep_ctx *ctx, nep_deflate **out);
void nep_deflate_free(nep_deflate *d); /* takes NULL */

/* The first bit in from .. to - 1 of packed[n] that looks like the start of a block with codes of its own
 * that is not the last; -1 = none. A guess, though seldom a wrong one. Cost: about 1 ns a byte. Source:
 * Kerbiriou & Chikhi (2019) doi:10.1109/IPDPSW.2019.00062; Knespel & Brunst (2023)
 * doi:10.1145/3588195.3592992. */
int64_t nep_deflate_find(const nep_deflate *d, const unsigned char *packed, int64_t n, int64_t from,
                         int64_t to);

/* Inflates the bits from .. to - 1 of packed to out, of which out[-NEP_DEFLATE_WINDOW .. room +
 * NEP_DEFLATE_MARK - 1] are written over. A block starts at `from`; `window` holds the bytes that were
 * inflated before. Gives the number of bytes, NEP_DEFLATE_FULL where they are more than `room`,
 * NEP_DEFLATE_BAD where the bits are damaged or hold the stream's end, or where no block starts at `to`.
 * Packed bytes from `from` on are as before afterwards. */
int64_t nep_deflate_stretch(nep_deflate *d, unsigned char *packed, int64_t from, int64_t to,
                            const unsigned char window[NEP_DEFLATE_WINDOW], unsigned char *out, int64_t room);

#endif
