/* SPDX-License-Identifier: Apache-2.0 */
/* signature.c - a list of genes ranked once, so that a set's enrichment is read at its own genes alone. */
#include "signature_sets.h"

#include <math.h>
#include <stdlib.h>

static int descending(const void *a, const void *b)
{
    const signature_entry *p = a, *q = b;
    if (p->z != q->z)
        return p->z > q->z ? -1 : 1;
    return p->gene < q->gene ? -1 : p->gene > q->gene;
}

bool nep_signature_is_extreme(const nep_signature_list *list, int64_t gene)
{
    return !isnan(list->z[gene]) && (list->before[gene] < list->extreme || list->n_measured - list->through[gene] < list->extreme);
}

void signature_rank_into(const double *z, int64_t n, int64_t extreme, signature_entry *entries, nep_signature_list *list)
{
    int64_t measured = 0;
    double norm = 0;
    for (int64_t g = 0; g < n; g++)
        if (!isnan(z[g]))
            entries[measured++] = (signature_entry){z[g], (int32_t)g};
    qsort(entries, (size_t)measured, sizeof *entries, descending);
    for (int64_t i = 0, next; i < measured; i = next) {
        next = i + 1;
        while (next < measured && entries[next].z == entries[i].z)
            next++;
        for (int64_t k = i; k < next; k++) {
            list->before[entries[k].gene] = (int32_t)i;
            list->through[entries[k].gene] = (int32_t)next;
        }
    }
    list->n = n;
    list->n_measured = measured;
    list->z = z;
    list->extreme = extreme;
    for (int64_t g = 0; g < n; g++)
        if (nep_signature_is_extreme(list, g))
            norm += z[g] * z[g];
    list->norm = sqrt(norm);
}

nep_status nep_signature_rank(nep_ctx *ctx, const double *z, int64_t n, int64_t extreme, nep_signature_list *out)
{
    nep_signature_list list = {0};
    signature_entry *entries = NULL;
    nep_status st;

    NEP_REQUIRE(ctx, n >= 1 && n <= INT32_MAX, NEP_E_ARG, "signature: %lld genes, must be 1 to %d", (long long)n, INT32_MAX);
    NEP_REQUIRE(ctx, extreme >= 1, NEP_E_ARG, "signature: %lld extreme genes a side, must be at least 1", (long long)extreme);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *list.before, "signature: ranks", &list.before));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *list.through, "signature: ranks", &list.through));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *entries, "signature: order", &entries));
    signature_rank_into(z, n, extreme, entries, &list);
    *out = list;
    list = (nep_signature_list){0};
done:
    nep_alloc_free(entries);
    nep_signature_free(&list);
    return st;
}

void nep_signature_free(nep_signature_list *list)
{
    nep_alloc_free(list->before);
    nep_alloc_free(list->through);
    *list = (nep_signature_list){0};
}
