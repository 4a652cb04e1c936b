/* SPDX-License-Identifier: Apache-2.0 */
/* select.h - order statistics without sorting. */
#ifndef NEP_CORE_SELECT_H
#define NEP_CORE_SELECT_H

#include <stdint.h>

/* The k-th smallest (k from 0) of x [n], n >= 1 and free of NaN. x is reordered: what stands before k is not larger, what
 * stands behind it not smaller. Cost: linear on average. Source: Hoare (1961) Commun ACM 4:321, algorithm 65. */
double nep_select_kth(double *x, int64_t n, int64_t k);

#endif
