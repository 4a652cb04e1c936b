/* SPDX-License-Identifier: Apache-2.0 */
/* similar_recall - how much of the exact answer a search of some inverted lists finds: its first queries, searched both ways. */
#include <math.h>

#include "cli/similar_search.h"

/* A query's own row is no hit of it: numbers and starts alone. */
static void drop_self(const similar_search *s, nep_hits *h)
{
    int64_t kept = 0, first = h->start[0];
    for (int64_t q = 0; q < h->n_queries; q++) {
        const int64_t last = h->start[q + 1];
        for (int64_t i = first; i < last; i++)
            if (h->number[i] != s->queries.number[q])
                h->number[kept++] = h->number[i];
        h->start[q + 1] = kept;
        first = last;
    }
}

nep_status similar_search_recall(similar_search *s)
{
    const int64_t most = similar_search_batch(s), n = s->n_recall < s->queries.n ? s->n_recall : s->queries.n;
    nep_search_opts few = s->opts, all;
    nep_hits found = {0}, exact = {0};
    nep_status st;
    s->recall.n = n < most ? n : most;
    few.k += few.k > 0 && s->no_self;
    all = few;
    all.probe = 0;
    NEP_TRY_OR_DONE(st, nep_dense_search(s->ctx, &s->rows, s->queries.x, s->recall.n, &few, &found, NULL));
    NEP_TRY_OR_DONE(st, nep_dense_search(s->ctx, &s->rows, s->queries.x, s->recall.n, &all, &exact, NULL));
    if (s->no_self) {
        drop_self(s, &found);
        drop_self(s, &exact);
    }
    st = nep_ivf_recall(s->ctx, &exact, &found, &s->recall.share, &s->recall.low, &s->recall.high);
done:
    nep_hits_free(&found);
    nep_hits_free(&exact);
    return st;
}

static json_t *number(double x)
{
    return isnan(x) ? json_null() : json_real(x);
}

json_t *similar_search_recall_report(const similar_search *s)
{
    return json_pack("{s:I,s:o,s:o,s:o}", "queries", (json_int_t)s->recall.n, "share", number(s->recall.share), "low", number(s->recall.low), "high",
                     number(s->recall.high));
}
