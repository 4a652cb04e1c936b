/* SPDX-License-Identifier: Apache-2.0 */
/* molset - molecules with fingerprints and descriptors. */
#include <nepenthe/data.h>

#include <math.h>
#include <string.h>

void nep_molset_free(nep_molset *m)
{
    nep_data_free_names(m->id, m->n);
    nep_data_free_names(m->names, m->n);
    nep_data_free_names(m->smiles, m->n);
    nep_data_free_names(m->atc4, m->n);
    nep_data_free_names(m->mechanism, m->n);
    nep_data_free_names(m->descriptor_names, m->n_descriptors);
    nep_alloc_free(m->bits);
    nep_alloc_free(m->descriptor);
    *m = (nep_molset){0};
}

int64_t nep_molset_find(const nep_molset *m, const char *id)
{
    for (int64_t i = 0; i < m->n; i++)
        if (strcmp(m->id[i], id) == 0)
            return i;
    return -1;
}

double nep_molset_descriptor(const nep_molset *m, int64_t i, const char *name)
{
    if (i < 0 || i >= m->n)
        return (double)NAN;
    for (int64_t d = 0; d < m->n_descriptors; d++)
        if (strcmp(m->descriptor_names[d], name) == 0)
            return m->descriptor[i * m->n_descriptors + d];
    return (double)NAN;
}
