/* SPDX-License-Identifier: Apache-2.0 */
/* header.h - the gate before nifticlib: a NIfTI header checked field by field from a bounded buffer. */
#ifndef NEP_IO_HEADER_H
#define NEP_IO_HEADER_H

#include <nepenthe/io.h>

enum { NEP_HEADER_MOST = 544 }; /* NIfTI-2 header and its extender */

typedef struct {
    nep_nifti_header info;
    int64_t header_bytes; /* 348 or 540 */
    int64_t vox_offset;
    int64_t voxels;      /* per volume */
    int item_bytes;      /* per voxel */
    int64_t total_bytes; /* of the inflated file up to the end of the data */
    bool extended;       /* extensions follow the header */
    bool nifti2;
} nep_header;

/* How many bytes the header takes with its extender: 352 or 544; 0 when the first 4 bytes start no NIfTI
 * file. */
int64_t nep_header_size(const unsigned char first[4]);
/* Checks the bytes (nep_header_size of them) and interprets them through nifticlib. `most` is the size that
 * the file can have at the most once inflated. Errors: NEP_E_NIFTI with the field's name, NEP_E_TRUNCATED. */
NEP_MUST_USE nep_status nep_header_parse(nep_ctx *ctx, const char *path, const unsigned char *bytes,
                                         int64_t most, nep_header *out);
/* One extension's first 8 bytes; *size gets its length, which is checked against `room`. */
NEP_MUST_USE nep_status nep_header_extension(nep_ctx *ctx, const char *path, const nep_header *h,
                                             const unsigned char bytes[8], int64_t room, int64_t *size);
/* Builds a header of 352 or 544 bytes for float32 or int16 data. Errors: NEP_E_ARG. */
NEP_MUST_USE nep_status nep_header_build(nep_ctx *ctx, const char *path, const nep_grid *grid, int64_t n_t,
                                         double tr_s, bool as_int16, unsigned char out[NEP_HEADER_MOST],
                                         int64_t *n_out);

#endif
