/* SPDX-License-Identifier: Apache-2.0 */
/* atlas - labels on a grid. */
#include <nepenthe/data.h>

void nep_atlas_free(nep_atlas *a)
{
    nep_data_free_names(a->names, a->n_regions);
    nep_alloc_free(a->label);
    nep_alloc_free(a->id);
    *a = (nep_atlas){0};
}
