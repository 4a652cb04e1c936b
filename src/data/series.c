/* SPDX-License-Identifier: Apache-2.0 */
/* series - time series of named columns. */
#include <nepenthe/data.h>

void nep_series_free(nep_series *s)
{
    nep_data_free_names(s->names, s->n_cols);
    nep_alloc_free(s->data);
    *s = (nep_series){0};
}
