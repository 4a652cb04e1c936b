/* SPDX-License-Identifier: Apache-2.0 */
/* h5wire.h - what the HDF5 reader helper writes to its stdout and hdf5_answer.c takes from it. Little-endian.
 *
 *   either  "NEPH5ERR" and one sentence up to the end
 *   or      "NEPH5DAT", rank (int64, 0 to 4), dims (int64 [4], unused ones 1), values (float64, row-major),
 * "NEPH5END"
 *   or      "NEPH5TXT", n (int64), then pieces until n texts have come: texts of the piece (int64, at least 1),
 * its bytes (int64), texts that each end in a NUL; "NEPH5END"
 */
#ifndef NEP_IO_H5WIRE_H
#define NEP_IO_H5WIRE_H

#define NEP_H5WIRE_ERROR "NEPH5ERR"
#define NEP_H5WIRE_DATA  "NEPH5DAT"
#define NEP_H5WIRE_TEXT  "NEPH5TXT"
#define NEP_H5WIRE_END   "NEPH5END"

enum { NEP_H5WIRE_MARK = 8, NEP_H5WIRE_RANK = 4, NEP_H5WIRE_HEAD = 8 + 8 + 4 * 8 };

/* Third word of the helper's command line: what it is asked for. */
#define NEP_H5WIRE_NUMBERS "numbers"
#define NEP_H5WIRE_TEXTS   "texts"

/* What the helper limits itself to: memory, and CPU time to open a file; reading gets a second more for each
 * so many bytes. */
enum { NEP_H5WIRE_MEGABYTES = 448, NEP_H5WIRE_CPU_SECONDS = 4, NEP_H5WIRE_SECOND_BYTES = 50 << 20 };

#endif
