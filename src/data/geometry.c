/* SPDX-License-Identifier: Apache-2.0 */
/* geometry - where regions lie. */
#include <nepenthe/data.h>

#include <string.h>

void nep_geometry_free(nep_geometry *g)
{
    nep_data_free_names(g->names, g->n_regions);
    nep_alloc_free(g->hemisphere);
    nep_alloc_free(g->cortex);
    nep_alloc_free(g->mm);
    nep_alloc_free(g->sphere);
    *g = (nep_geometry){0};
}

int64_t nep_geometry_find(const nep_geometry *g, const char *region)
{
    for (int64_t i = 0; i < g->n_regions; i++)
        if (strcmp(g->names[i], region) == 0)
            return i;
    return -1;
}
