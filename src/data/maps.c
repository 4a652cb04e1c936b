/* SPDX-License-Identifier: Apache-2.0 */
/* maps - values per region, joined to other tables by the region's name and never by its place. */
#include <nepenthe/data.h>

#include <math.h>
#include <string.h>

void nep_maps_free(nep_maps *m)
{
    nep_data_free_names(m->regions, m->n_regions);
    nep_data_free_names(m->names, m->n_maps);
    nep_alloc_free(m->value);
    nep_alloc_free(m->se);
    *m = (nep_maps){0};
}

int64_t nep_maps_find_region(const nep_maps *m, const char *region)
{
    for (int64_t i = 0; i < m->n_regions; i++)
        if (strcmp(m->regions[i], region) == 0)
            return i;
    return -1;
}

int64_t nep_maps_find(const nep_maps *m, const char *name)
{
    for (int64_t j = 0; j < m->n_maps; j++)
        if (strcmp(m->names[j], name) == 0)
            return j;
    return -1;
}

nep_status nep_maps_align(nep_ctx *ctx, const nep_maps *m, char *const *names, int64_t n, double *out)
{
    int64_t joined = 0;
    for (int64_t i = 0; i < n; i++)
        joined += nep_maps_find_region(m, names[i]) >= 0;
    NEP_REQUIRE(ctx, joined > 0, NEP_E_SHAPE, "maps: none of the %lld regions (first: '%s') stands in the map table (first: '%s')",
                (long long)n, n > 0 ? names[0] : "", m->n_regions > 0 ? m->regions[0] : "");
    for (int64_t i = 0; i < n; i++) {
        const int64_t r = nep_maps_find_region(m, names[i]);
        for (int64_t j = 0; j < m->n_maps; j++)
            out[i * m->n_maps + j] = r >= 0 ? m->value[r * m->n_maps + j] : (double)NAN;
    }
    return NEP_OK;
}
