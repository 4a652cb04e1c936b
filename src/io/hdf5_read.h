/* SPDX-License-Identifier: Apache-2.0 */
/* hdf5_read.h - the receiving end of the HDF5 reader helper. */
#ifndef NEP_IO_HDF5_READ_H
#define NEP_IO_HDF5_READ_H

#include <nepenthe/core.h>

/* Takes one answer (h5wire.h) from fd, waiting at most idle_s seconds for each piece. The answer is not
 * trusted: memory grows with the bytes that have come. Errors: NEP_E_FORMAT (the helper's sentence, or an
 * answer that breaks off). */
NEP_MUST_USE nep_status nep_hdf5_receive(nep_ctx *ctx, const char *path, int fd, double idle_s, double **out,
                                         int *rank, int64_t dims[4]);
/* The same for texts; names [n] is freed with nep_data_free_names. Errors: as above, and a text that is not UTF-8 or has control
 * characters. */
NEP_MUST_USE nep_status nep_hdf5_receive_strings(nep_ctx *ctx, const char *path, int fd, double idle_s, char ***names, int64_t *n);

#endif
