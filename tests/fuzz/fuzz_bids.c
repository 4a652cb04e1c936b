/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_bids - a BIDS file name: what is taken apart must go together again to the same name. */
#include "fuzz.h"

#include <nepenthe/bids.h>

static void rejoin(const nep_bids_name *k, char *out, size_t size)
{
    size_t at = 0;
    for (int i = 0; i < k->n; i++)
        at += (size_t)snprintf(out + at, size - at, "%s-%s_", k->key[i], k->value[i]);
    snprintf(out + at, size - at, "%s%s", k->suffix, k->ext);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *name = malloc(size + 1), again[2 * NEP_BIDS_MAX_NAME];
    nep_bids_name k;
    if (!name)
        abort();
    memcpy(name, data, size);
    name[size] = '\0';
    if (nep_bids_parse(name, &k)) {
        rejoin(&k, again, sizeof again);
        if (strcmp(again, name) != 0 || k.n < 1 || k.n > NEP_BIDS_MAX_ENTITIES)
            abort();
        for (int i = 0; i < k.n; i++)
            if (nep_bids_value(&k, k.key[i]) != k.value[i])
                abort();
    }
    free(name);
    return 0;
}
