/* SPDX-License-Identifier: Apache-2.0 */
/* Exact search of dense vectors: bench_dense DIR checks the nearest of 2,000 rows against what the peer left in DIR, then times the 100
 * nearest by inner product among 200,000 rows of 768, one query at a time and 1,024 together, by the index as it is built by default (with an
 * int8 copy) and over its float32 rows alone, and how time grows to 10,000,000 rows of 16; beside what reading the same memory takes between
 * the turns, and multiply-adds in registers. */
#include "bench_bits.h"
#include "bench_op.h"

#include <math.h>

enum {
    DIMS = 768,
    CHECK_ROWS = 2000,
    CHECK_QUERIES = 20,
    TOP = 100,
    ROWS = 200000,
    SINGLES = 16,
    MANY = 1024,
    TURNS = 5,
    SHORT = 16,     /* dims of the rows that time grows with */
    MOST = 10000000 /* of them */
};

/* Largest part of a score by which the nearest differ from the peer's; rows other than the peer's count as 1. */
static nep_status check(nep_ctx *ctx, const char *dir, double *worst)
{
    float *x = bench_load(dir, "dense_x.f32", (size_t)CHECK_ROWS * DIMS, sizeof *x);
    float *q = bench_load(dir, "dense_q.f32", (size_t)CHECK_QUERIES * DIMS, sizeof *q);
    double *want = bench_load(dir, "dense_want.f64", (size_t)CHECK_QUERIES * TOP * 2, sizeof *want); /* row, score */
    nep_index index = {0};
    nep_hits h = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_index_from_vectors(ctx, x, CHECK_ROWS, DIMS, NEP_VECTOR_F32, NULL, true, "", &index));
    NEP_TRY_OR_DONE(st, nep_dense_search(ctx, &index, q, CHECK_QUERIES, &(nep_search_opts){.metric = NEP_METRIC_INNER, .k = TOP}, &h, NULL));
    for (int64_t i = 0; i < CHECK_QUERIES * TOP; i++) {
        const double off = (double)h.number[i] != want[2 * i] ? 1 : fabs(h.score[i] - want[2 * i + 1]) / fabs(want[2 * i + 1]);
        *worst = off <= *worst ? *worst : off;
    }
done:
    nep_hits_free(&h);
    nep_index_free(&index);
    free(want);
    free(q);
    free(x);
    return st;
}

/* Sums of four uniform numbers: cheap, and near enough to normal. */
static void fill(float *x, int64_t n, uint64_t stream, int threads)
{
#pragma omp parallel for num_threads(threads)
    for (int64_t i = 0; i < n; i++) {
        uint64_t h = ((uint64_t)i + (stream << 40) + 1) * 0x9E3779B97F4A7C15u;
        h ^= h >> 29;
        h *= 0xBF58476D1CE4E5B9u;
        h ^= h >> 32;
        const double sum = (double)(h & 0xffff) + (double)(h >> 16 & 0xffff) + (double)(h >> 32 & 0xffff) + (double)(h >> 48);
        x[i] = (float)(sum / 65536 - 2);
    }
}

static nep_status time_search(nep_ctx *ctx, const nep_index *index, const float *q, int64_t n_q, int64_t each, bool no_shadow, int repeats,
                              bench_time *best, nep_search_report *r)
{
    const nep_search_opts o = {.metric = NEP_METRIC_INNER, .k = TOP, .no_shadow = no_shadow};
    for (int i = 0; i < repeats; i++) {
        const bench_time start = bench_now();
        int64_t candidates = 0;
        for (int64_t k = 0; k < n_q; k += each) {
            nep_hits h = {0};
            NEP_TRY(nep_dense_search(ctx, index, q + k * index->vectors.dims, each, &o, &h, r));
            candidates += r->candidates;
            nep_hits_free(&h);
        }
        r->candidates = candidates;
        bench_keep(best, start);
    }
    return NEP_OK;
}

/* The int8 copy changes no byte. */
static nep_status same_answer(nep_ctx *ctx, const nep_index *index, const float *q)
{
    nep_hits h[2] = {{0}, {0}};
    nep_status st;
    for (int i = 0; i < 2; i++)
        NEP_TRY_OR_DONE(st, nep_dense_search(ctx, index, q, SINGLES, &(nep_search_opts){.metric = NEP_METRIC_INNER, .k = TOP, .no_shadow = i}, &h[i], NULL));
    NEP_REQUIRE_OR_DONE(st, ctx, memcmp(h[0].number, h[1].number, SINGLES * TOP * sizeof(int64_t)) == 0 &&
                                     memcmp(h[0].score, h[1].score, SINGLES * TOP * sizeof(double)) == 0,
                        NEP_E_INTERNAL, "dense: the int8 copy changes the answer");
done:
    nep_hits_free(&h[0]);
    nep_hits_free(&h[1]);
    return st;
}

static void field(char *fields, size_t room, const char *name, bench_time t, int64_t n, const nep_search_report *r)
{
    const size_t used = strlen(fields);
    snprintf(fields + used, room - used, "\"%sseconds_wall\": %.6f, \"%sseconds_cpu\": %.6f, \"%scandidates\": %lld, ", name, t.wall / (double)n,
             name, t.cpu / (double)n, name, (long long)(r->candidates / n));
}

/* Searches of both kinds in turns, so that they meet the machine at the same rate, and the rows read in between. */
static nep_status times(nep_ctx *ctx, const float *x, const float *q, char *fields, size_t room, double *read)
{
    static const struct {
        const char *name;
        bool plain;
        int64_t n_q, each;
    } cases[] = {{"", false, SINGLES, 1}, {"plain_", true, SINGLES, 1}, {"q1024_", false, MANY, MANY}, {"plain_q1024_", true, MANY, MANY}};
    bench_time best[NEP_LEN(cases)] = {{0, 0}};
    nep_search_report r[NEP_LEN(cases)];
    nep_index index = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_index_from_vectors(ctx, x, ROWS, DIMS, NEP_VECTOR_F32, NULL, true, "", &index));
    NEP_TRY_OR_DONE(st, same_answer(ctx, &index, q));
    for (int turn = 0; turn < TURNS; turn++)
        for (int i = 0; i < NEP_LEN(cases); i++) {
            NEP_TRY_OR_DONE(st, time_search(ctx, &index, q, cases[i].n_q, cases[i].each, cases[i].plain, 1, &best[i], &r[i]));
            const double rate = bench_bits_read((const uint64_t *)index.vectors.row, (int64_t)ROWS * DIMS / 2, nep_ctx_threads(ctx));
            *read = rate > *read ? rate : *read;
        }
    for (int i = 0; i < NEP_LEN(cases); i++)
        field(fields, room, cases[i].name, best[i], cases[i].n_q / cases[i].each, &r[i]);
done:
    nep_index_free(&index);
    return st;
}

/* Rows of SHORT items as they lie: no copy of ten million is made. */
static nep_status growth(nep_ctx *ctx, const float *x, const float *q, char *sizes, size_t room)
{
    double *norm = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, MOST, sizeof *norm, "norms", &norm));
    for (int64_t i = 0; i < MOST; i++)
        norm[i] = sqrt(nep_dense_sum(NEP_DENSE_F32, false, x + i * SHORT, x + i * SHORT, 1.0f, SHORT));
    for (int64_t n = 100000; n <= MOST; n *= 10) {
        const nep_index index = {.kind = NEP_INDEX_VECTORS, .n = n, .total = n,
                                 .vectors = {.dims = SHORT, .stride = SHORT, .type = NEP_VECTOR_F32, .row = x, .norm = norm}};
        bench_time best = {0, 0};
        nep_search_report r;
        NEP_TRY_OR_DONE(st, time_search(ctx, &index, q, 1, 1, true, n == MOST ? 5 : 20, &best, &r));
        bench_size(sizes, room, n, best);
    }
done:
    nep_alloc_free(norm);
    return st;
}

int main(int argc, char **argv)
{
    nep_ctx *ctx = NULL;
    nep_status st;
    static char fields[4096], sizes[512];
    bench_ceilings top;
    double worst = 0, read = 0;
    float *x = NULL, *q = NULL;
    if (argc != 2 || nep_ctx_create(NULL, &ctx) != NEP_OK)
        return 64;
    NEP_TRY_OR_DONE(st, nep_backend_choose(ctx, "cpu"));
    NEP_TRY_OR_DONE(st, check(ctx, argv[1], &worst));
    NEP_REQUIRE_OR_DONE(st, ctx, worst < 1e-10, NEP_E_INTERNAL, "dense: the nearest differ from the peer's by %g", worst);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, (int64_t)MOST * SHORT, sizeof *x, "rows", &x));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, (int64_t)MANY * DIMS, sizeof *q, "queries", &q));
    fill(x, (int64_t)MOST * SHORT, 1, nep_ctx_threads(ctx));
    fill(q, (int64_t)MANY * DIMS, 2, nep_ctx_threads(ctx));
    NEP_TRY_OR_DONE(st, times(ctx, x, q, fields, sizeof fields, &read));
    NEP_TRY_OR_DONE(st, growth(ctx, x, q, sizes, sizeof sizes));
    NEP_TRY_OR_DONE(st, bench_ceilings_measure(ctx, &top));
    const size_t used = strlen(fields);
    snprintf(fields + used, sizeof fields - used,
             "\"check\": %.2g, \"check_tolerance\": 1e-10, \"rows\": %d, \"dims\": %d, \"size\": \"rows of 16, one query\", \"sizes\": [%s], "
             "\"ceilings\": {\"read_gbs\": %.2f, \"fma_gflops\": %.1f}",
             worst, ROWS, DIMS, sizes, read, top.f32_gflops);
    bench_report(ctx, "dense", "the 100 nearest of 200,000 vectors of 768 float32 to one, inner product, by the index as it is built by default",
                 fields);
done:
    if (st != NEP_OK)
        fprintf(stderr, "bench_dense: %s\n", nep_ctx_error(ctx));
    nep_alloc_free(q);
    nep_alloc_free(x);
    nep_ctx_free(ctx);
    return st == NEP_OK ? 0 : nep_status_exit(st);
}
