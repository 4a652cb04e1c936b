/* SPDX-License-Identifier: Apache-2.0 */
/* surface - the vertices below regions. */
#include <nepenthe/data.h>

void nep_surface_free(nep_surface *s)
{
    nep_alloc_free(s->hemisphere);
    nep_alloc_free(s->sphere);
    nep_data_free_names(s->parcel, s->n);
    *s = (nep_surface){0};
}
