/* SPDX-License-Identifier: Apache-2.0 */
/* number.h - numbers of a table as text. */
#ifndef NEP_IO_NUMBER_H
#define NEP_IO_NUMBER_H

enum { NEP_NUMBER_MOST = 32 };

/* What printf's "%.9g" gives, with a NUL; returns its length. Cost: 20 ns for the usual numbers. */
int nep_number_print(double v, char text[NEP_NUMBER_MOST]);

#endif
