/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs: bench_pairs DIR checks pairs, picks and clusters of Morgan fingerprints against what the peers left in DIR, then times all pairs of
 * 25,000 to 100,000 rows of 2,048 bits at 0.7 (with sketches, and in whole), 1,000 picks of 100,000, and the clusters of 5,000 and of
 * 100,000 at 0.5. */
#include "bench_bits.h"

#include <nepenthe/similarity.h>

enum { N = 100000, SLICE = 20000, CLUSTERED = 5000, PICKS = 1000, REPEATS = 3 };

typedef struct {
    const uint64_t *bits;
    const double *found, *picks, *centroid;
    nep_index whole, slice, few; /* N, SLICE and CLUSTERED rows */
} data;

static const nep_search_opts near7 = {.metric = NEP_METRIC_TANIMOTO, .by_threshold = true, .threshold = {7, 10}};
static const nep_search_opts near5 = {.metric = NEP_METRIC_TANIMOTO, .by_threshold = true, .threshold = {5, 10}};

/* ---- what is checked ---- */

static nep_status count(nep_ctx *ctx, void *user, const nep_pair *pair, int64_t n)
{
    (void)ctx;
    (void)pair;
    *(int64_t *)user += n;
    return NEP_OK;
}

static nep_status check_clusters(nep_ctx *ctx, const data *d)
{
    nep_clusters k = {0};
    int64_t other = 0;
    NEP_TRY(nep_butina_cluster(ctx, &d->few, &near5, false, &k));
    for (int64_t m = 0; m < k.n_clusters; m++)
        for (int64_t i = k.start[m]; i < k.start[m + 1]; i++)
            other += (int64_t)d->centroid[nep_index_number(&d->few, k.position[i])] != nep_index_number(&d->few, k.position[k.start[m]]);
    nep_butina_free(&k);
    NEP_REQUIRE(ctx, other == 0, NEP_E_INTERNAL, "clusters: %lld rows have another centroid than RDKit's", (long long)other);
    return NEP_OK;
}

static nep_status pick(nep_ctx *ctx, const data *d, nep_picks *out)
{
    int64_t first = 0;
    while (nep_index_number(&d->whole, first) != 0)
        first++;
    const nep_maxmin_opts o = {.metric = NEP_METRIC_TANIMOTO, .n = PICKS, .first = &first, .n_first = 1};
    return nep_maxmin_pick(ctx, &d->whole, &o, out);
}

static nep_status check(nep_ctx *ctx, const data *d)
{
    nep_picks p = {0};
    int64_t pairs = 0, other = 0;
    NEP_TRY(nep_pairs_within(ctx, &d->slice, &near7, 0, SLICE, count, &pairs, NULL));
    NEP_REQUIRE(ctx, pairs == (int64_t)d->found[0], NEP_E_INTERNAL, "pairs: %lld, FPSim2 has %.0f", (long long)pairs, d->found[0]);
    NEP_TRY(check_clusters(ctx, d));
    NEP_TRY(pick(ctx, d, &p));
    for (int64_t i = 0; i < PICKS; i++)
        other += nep_index_number(&d->whole, p.position[i]) != (int64_t)d->picks[i];
    nep_maxmin_free(&p);
    NEP_REQUIRE(ctx, other == 0, NEP_E_INTERNAL, "picks: %lld of %d are not RDKit's", (long long)other, PICKS);
    return NEP_OK;
}

/* ---- what is timed ---- */

static nep_status time_pairs(nep_ctx *ctx, const nep_index *x, bool sketch, bench_time *best, nep_search_report *r)
{
    nep_search_opts o = near7;
    o.no_sketch = !sketch;
    for (int i = 0; i < REPEATS; i++) {
        int64_t pairs = 0;
        const bench_time start = bench_now();
        NEP_TRY(nep_pairs_within(ctx, x, &o, 0, x->n, count, &pairs, r));
        bench_keep(best, start);
    }
    return NEP_OK;
}

static nep_status time_sizes(nep_ctx *ctx, const data *d, char *sizes, size_t room)
{
    for (int64_t n = N / 4; n <= N; n *= 2) {
        nep_index x = {0};
        bench_time best = {0, 0};
        nep_search_report r;
        NEP_TRY(nep_index_from_bits(ctx, d->bits, n, 64 * WORDS, NULL, true, "", &x));
        const nep_status st = time_pairs(ctx, &x, true, &best, &r);
        nep_index_free(&x);
        NEP_TRY(st);
        bench_size(sizes, room, n, best);
    }
    return NEP_OK;
}

static nep_status time_picks(nep_ctx *ctx, const data *d, bench_time *best)
{
    for (int i = 0; i < REPEATS; i++) {
        nep_picks p = {0};
        const bench_time start = bench_now();
        NEP_TRY(pick(ctx, d, &p));
        bench_keep(best, start);
        nep_maxmin_free(&p);
    }
    return NEP_OK;
}

static nep_status time_clusters(nep_ctx *ctx, const nep_index *x, bench_time *best, int64_t *pairs)
{
    for (int i = 0; i < REPEATS; i++) {
        nep_clusters k = {0};
        const bench_time start = bench_now();
        NEP_TRY(nep_butina_cluster(ctx, x, &near5, false, &k));
        bench_keep(best, start);
        *pairs = k.n_pairs;
        nep_butina_free(&k);
    }
    return NEP_OK;
}

static nep_status measure(nep_ctx *ctx, const data *d)
{
    char fields[2048], ceilings[128], sizes[512] = "";
    bench_time sketch = {0, 0}, whole = {0, 0}, picks = {0, 0}, few = {0, 0}, all = {0, 0};
    nep_search_report r = {0};
    int64_t pairs = 0, ignored = 0;
    NEP_TRY(time_sizes(ctx, d, sizes, sizeof sizes));
    NEP_TRY(time_pairs(ctx, &d->whole, true, &sketch, &r));
    NEP_TRY(time_pairs(ctx, &d->whole, false, &whole, &r));
    NEP_TRY(time_picks(ctx, d, &picks));
    NEP_TRY(time_clusters(ctx, &d->few, &few, &ignored));
    NEP_TRY(time_clusters(ctx, &d->whole, &all, &pairs));
    snprintf(ceilings, sizeof ceilings, "\"ceilings\": {\"mpairs_per_cpu_s\": %.1f}", bench_bits_counts(nep_ctx_threads(ctx), true));
    snprintf(fields, sizeof fields,
             "\"check\": 0, \"check_tolerance\": 1, \"seconds_wall\": %.4f, \"seconds_cpu\": %.4f, \"whole_seconds_wall\": %.4f, "
             "\"whole_seconds_cpu\": %.4f, \"mpairs_per_cpu_s\": %.1f, \"pick_seconds_wall\": %.4f, \"pick_seconds_cpu\": %.4f, "
             "\"cluster_seconds_wall\": %.4f, \"cluster_seconds_cpu\": %.4f, \"cluster_all_seconds_wall\": %.3f, \"cluster_all_pairs\": %lld, "
             "\"size\": \"rows\", \"sizes\": [%s], %s",
             sketch.wall, sketch.cpu, whole.wall, whole.cpu, (double)r.compared / whole.cpu * 1e-6, picks.wall, picks.cpu, few.wall, few.cpu, all.wall,
             (long long)pairs, sizes, ceilings);
    bench_report(ctx, "pairs", "all pairs of 100,000 fingerprints of 2,048 bits at Tanimoto 0.7", fields);
    return NEP_OK;
}

int main(int argc, char **argv)
{
    nep_ctx *ctx = NULL;
    data d = {0};
    nep_status st;
    if (argc != 2 || nep_ctx_create(NULL, &ctx) != NEP_OK)
        return 64;
    uint64_t *bits = bench_load(argv[1], "pairs_fp.u64", (size_t)N * WORDS, sizeof *bits);
    double *found = bench_load(argv[1], "pairs_found.f64", 1, sizeof *found);
    double *picks = bench_load(argv[1], "pairs_picks.f64", PICKS, sizeof *picks);
    double *centroid = bench_load(argv[1], "pairs_centroid.f64", CLUSTERED, sizeof *centroid);
    d.bits = bits;
    d.found = found;
    d.picks = picks;
    d.centroid = centroid;
    NEP_TRY_OR_DONE(st, nep_backend_choose(ctx, "cpu"));
    NEP_TRY_OR_DONE(st, nep_index_from_bits(ctx, bits, N, 64 * WORDS, NULL, true, "", &d.whole));
    NEP_TRY_OR_DONE(st, nep_index_from_bits(ctx, bits, SLICE, 64 * WORDS, NULL, true, "", &d.slice));
    NEP_TRY_OR_DONE(st, nep_index_from_bits(ctx, bits, CLUSTERED, 64 * WORDS, NULL, true, "", &d.few));
    NEP_TRY_OR_DONE(st, check(ctx, &d));
    st = measure(ctx, &d);
done:
    if (st != NEP_OK)
        fprintf(stderr, "bench_pairs: %s\n", nep_ctx_error(ctx));
    nep_index_free(&d.few);
    nep_index_free(&d.slice);
    nep_index_free(&d.whole);
    free(centroid);
    free(picks);
    free(found);
    free(bits);
    nep_ctx_free(ctx);
    return st == NEP_OK ? 0 : nep_status_exit(st);
}
