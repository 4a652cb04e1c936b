/* SPDX-License-Identifier: Apache-2.0 */
/* order - how numbers are sorted. */
#ifndef NEP_CORE_ORDER_H
#define NEP_CORE_ORDER_H

/* For qsort of doubles that are not NaN, ascending. */
static inline int nep_order_ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

#endif
