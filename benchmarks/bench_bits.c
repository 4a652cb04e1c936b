/* SPDX-License-Identifier: Apache-2.0 */
/* Search of fingerprints: bench_bits DIR checks the nearest of 30,000 molecules against what the peer left in DIR, then times whole
 * scans, the 100 nearest and thresholds among rows made from those molecules, beside what reading memory and counting bits in registers
 * take in the same run. */
#include "bench_bits.h"

enum {
    CHECKED = 20, /* queries of the check, and their nearest */
    TOP = 100,
    ROWS = 2000000,
    MOST = 10000000, /* rows of the largest scan */
    MANY = 400000,   /* rows met by 1,024 queries */
    SINGLES = 16,    /* queries one at a time */
    TURNS = 8,       /* of the largest scan and of reading its rows */
    BLOCK_Q = 64,
    LARGE_Q = 1024
};

typedef struct {
    nep_ctx *ctx;
    uint64_t *parent, *row, *query;
    nep_index index, some; /* ROWS and MANY of the rows */
} bench;

/* How many numbers differ from the peer's. */
static nep_status check(bench *b, const char *dir, double *worst)
{
    int64_t *want = bench_load(dir, "bits_golden.i64", (size_t)CHECKED * TOP * 3, sizeof *want);
    nep_index molecules = {0};
    nep_hits h = {0};
    nep_status st;
    const nep_search_opts o = {.metric = NEP_METRIC_TANIMOTO, .k = TOP};
    NEP_TRY_OR_DONE(st, nep_index_from_bits(b->ctx, b->parent, PARENTS, BITS, NULL, true, "", &molecules));
    for (int64_t q = 0; q < CHECKED; q++)
        memcpy(b->query + q * WORDS, b->parent + q * (PARENTS / CHECKED) * WORDS, WORDS * sizeof(uint64_t));
    NEP_TRY_OR_DONE(st, nep_bits_search(b->ctx, &molecules, b->query, CHECKED, &o, &h, NULL));
    for (int64_t i = 0; i < CHECKED * TOP; i++)
        *worst += h.number[i] != want[3 * i] || h.common[i] != want[3 * i + 1] || h.total[i] != want[3 * i + 2];
done:
    nep_hits_free(&h);
    nep_index_free(&molecules);
    free(want);
    return st;
}

/* All rows against n_q queries none of which finds anything, whatever their counts of bits. */
static nep_status whole_scan(bench *b, int64_t n, int64_t n_q, int repeats, bench_time *best)
{
    uint16_t *popcount = NULL, *need = NULL, *found = NULL;
    int32_t *count = NULL, *position = NULL;
    nep_bit_place placed = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(b->ctx, n, sizeof *popcount, "counts of bits", &popcount)); /* all 0: they are only looked up */
    NEP_TRY_OR_DONE(st, nep_alloc(b->ctx, n_q * (BITS + 1), sizeof *need, "needs", &need));
    NEP_TRY_OR_DONE(st, nep_alloc(b->ctx, n_q, sizeof *count, "counts", &count));
    NEP_TRY_OR_DONE(st, nep_alloc(b->ctx, n_q, sizeof *position, "positions", &position));
    NEP_TRY_OR_DONE(st, nep_alloc(b->ctx, n_q, sizeof *found, "common bits", &found));
    for (int64_t i = 0; i < n_q * (BITS + 1); i++)
        need[i] = BITS + 1;
    const nep_bit_rows rows = {b->row, popcount, NULL, n, WORDS};
    const nep_bit_queries queries = {b->query, NULL, need, n_q};
    NEP_TRY_OR_DONE(st, nep_backend_bit_rows(b->ctx, &rows, NULL, &placed));
    for (int i = 0; i < repeats; i++) {
        const bench_time start = bench_now();
        NEP_TRY_OR_DONE(st, nep_backend_bit_hits(b->ctx, &placed, 0, n, &queries, 1, count, position, found));
        bench_keep(best, start);
    }
    NEP_REQUIRE_OR_DONE(st, b->ctx, count[0] == 0 && count[n_q - 1] == 0, NEP_E_INTERNAL, "bits: a scan that can find nothing found something");
done:
    nep_backend_bit_rows_free(&placed);
    nep_alloc_free(found);
    nep_alloc_free(position);
    nep_alloc_free(count);
    nep_alloc_free(need);
    nep_alloc_free(popcount);
    return st;
}

/* n_q queries, `each` at a time; pairs compared and hits of all. */
static nep_status search(bench *b, const nep_index *index, int64_t n_q, int64_t each, const nep_search_opts *o, int repeats, bench_time *best,
                         int64_t *compared, int64_t *hits)
{
    for (int i = 0; i < repeats; i++) {
        const bench_time start = bench_now();
        *compared = *hits = 0;
        for (int64_t q = 0; q < n_q; q += each) {
            nep_hits h = {0};
            nep_search_report r;
            NEP_TRY(nep_bits_search(b->ctx, index, b->query + q * WORDS, each, o, &h, &r));
            *compared += r.compared;
            *hits += h.start[each];
            nep_hits_free(&h);
        }
        bench_keep(best, start);
    }
    return NEP_OK;
}

/* The same hits with sketches and without. */
static nep_status compare_hits(bench *b, const nep_search_opts *with, const nep_search_opts *without, int64_t *hits)
{
    nep_hits h[2] = {{0}, {0}};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_bits_search(b->ctx, &b->index, b->query, BLOCK_Q, with, &h[0], NULL));
    NEP_TRY_OR_DONE(st, nep_bits_search(b->ctx, &b->index, b->query, BLOCK_Q, without, &h[1], NULL));
    const int64_t n = h[0].start[BLOCK_Q];
    NEP_REQUIRE_OR_DONE(st, b->ctx,
                        memcmp(h[0].start, h[1].start, (BLOCK_Q + 1) * sizeof *h[0].start) == 0 &&
                            memcmp(h[0].number, h[1].number, (size_t)n * sizeof *h[0].number) == 0 &&
                            memcmp(h[0].score, h[1].score, (size_t)n * sizeof *h[0].score) == 0,
                        NEP_E_INTERNAL, "bits: sketches change the hits at %lld / %lld", (long long)with->threshold.num,
                        (long long)with->threshold.den);
    *hits = n;
done:
    nep_hits_free(&h[0]);
    nep_hits_free(&h[1]);
    return st;
}

/* One more "name_seconds_wall": ..., "name_seconds_cpu": ..., */
static void field(char *fields, size_t room, const char *name, bench_time t)
{
    const size_t used = strlen(fields);
    snprintf(fields + used, room - used, "\"%s_seconds_wall\": %.6f, \"%s_seconds_cpu\": %.6f, ", name, t.wall, name, t.cpu);
}

static void number(char *fields, size_t room, const char *name, double v)
{
    const size_t used = strlen(fields);
    snprintf(fields + used, room - used, "\"%s\": %.10g, ", name, v);
}

static nep_status thresholds(bench *b, char *fields, size_t room)
{
    static const int hundredths[] = {35, 50, 70, 80};
    for (int i = 0; i < NEP_LEN(hundredths); i++) {
        nep_search_opts o = {.metric = NEP_METRIC_TANIMOTO, .by_threshold = true, .threshold = {hundredths[i], 100}}, plain = o;
        bench_time one = {0, 0}, one_plain = {0, 0}, many = {0, 0}, many_plain = {0, 0};
        int64_t compared, hits, same = 0;
        char name[32];
        plain.no_sketch = true;
        NEP_TRY(compare_hits(b, &o, &plain, &same));
        for (int turn = 0; turn < 3; turn++) {
            NEP_TRY(search(b, &b->index, SINGLES, 1, &o, 1, &one, &compared, &hits));
            NEP_TRY(search(b, &b->index, SINGLES, 1, &plain, 1, &one_plain, &compared, &hits));
            NEP_TRY(search(b, &b->index, BLOCK_Q, BLOCK_Q, &o, 1, &many, &compared, &hits));
            NEP_TRY(search(b, &b->index, BLOCK_Q, BLOCK_Q, &plain, 1, &many_plain, &compared, &hits));
        }
        snprintf(name, sizeof name, "t%d_sketch", hundredths[i]);
        field(fields, room, name, one);
        snprintf(name, sizeof name, "t%d_plain", hundredths[i]);
        field(fields, room, name, one_plain);
        snprintf(name, sizeof name, "t%d_sketch64", hundredths[i]);
        field(fields, room, name, many);
        snprintf(name, sizeof name, "t%d_plain64", hundredths[i]);
        field(fields, room, name, many_plain);
        snprintf(name, sizeof name, "t%d_hits64", hundredths[i]);
        number(fields, room, name, (double)same);
    }
    return NEP_OK;
}

static nep_status nearest(bench *b, char *fields, size_t room)
{
    const nep_search_opts o = {.metric = NEP_METRIC_TANIMOTO, .k = TOP};
    static const struct {
        const char *name;
        int64_t n_q, each;
        int repeats;
    } cases[] = {{"top1", SINGLES, 1, 5}, {"top64", BLOCK_Q, BLOCK_Q, 5}, {"top1024", LARGE_Q, LARGE_Q, 2}};
    for (int i = 0; i < NEP_LEN(cases); i++) {
        bench_time best = {0, 0};
        int64_t compared = 0, hits = 0;
        char name[32];
        NEP_TRY(search(b, cases[i].n_q == LARGE_Q ? &b->some : &b->index, cases[i].n_q, cases[i].each, &o, cases[i].repeats, &best, &compared,
                       &hits));
        if (cases[i].each == 1) {
            best.wall /= SINGLES;
            best.cpu /= SINGLES;
            const size_t used = strlen(fields);
            snprintf(fields + used, room - used, "\"seconds_wall\": %.6f, \"seconds_cpu\": %.6f, ", best.wall, best.cpu);
        } else {
            field(fields, room, cases[i].name, best);
        }
        snprintf(name, sizeof name, "%s_compared", cases[i].name);
        number(fields, room, name, (double)compared / (cases[i].each == 1 ? SINGLES : 1));
    }
    return NEP_OK;
}

/* The largest scan, and after each turn the memory that it met, read: both meet the machine at the same rate. */
static nep_status scan_and_read(bench *b, bench_time *best, double *read)
{
    const int threads = nep_ctx_threads(b->ctx);
    for (int turn = 0; turn < TURNS; turn++) {
        NEP_TRY(whole_scan(b, MOST, 1, 1, best));
        const double rate = bench_bits_read(b->row, (int64_t)MOST * WORDS, threads);
        *read = rate > *read ? rate : *read;
    }
    return NEP_OK;
}

static nep_status scans(bench *b, char *fields, size_t room, char *sizes, size_t sizes_room, double *read)
{
    bench_time most = {0, 0}, block = {0, 0}, large = {0, 0};
    for (int64_t n = 100000; n < MOST; n *= 10) {
        bench_time best = {0, 0};
        NEP_TRY(whole_scan(b, n, 1, 10, &best));
        bench_size(sizes, sizes_room, n, best);
    }
    NEP_TRY(scan_and_read(b, &most, read));
    bench_size(sizes, sizes_room, MOST, most);
    field(fields, room, "full1", most);
    NEP_TRY(whole_scan(b, ROWS, BLOCK_Q, 5, &block));
    field(fields, room, "full64", block);
    NEP_TRY(whole_scan(b, MANY, LARGE_Q, 2, &large));
    field(fields, room, "full1024", large);
    return NEP_OK;
}

int main(int argc, char **argv)
{
    bench b = {0};
    nep_status st;
    static char fields[8192], sizes[512];
    double worst = 0, read = 0;
    if (argc != 2 || nep_ctx_create(NULL, &b.ctx) != NEP_OK)
        return 64;
    NEP_TRY_OR_DONE(st, nep_backend_choose(b.ctx, "cpu"));
    b.parent = bench_load(argv[1], "bits_parents.u64", (size_t)PARENTS * WORDS, sizeof *b.parent);
    NEP_TRY_OR_DONE(st, nep_alloc(b.ctx, (int64_t)LARGE_Q * WORDS, sizeof *b.query, "queries", &b.query));
    NEP_TRY_OR_DONE(st, check(&b, argv[1], &worst));
    NEP_REQUIRE_OR_DONE(st, b.ctx, worst == 0, NEP_E_INTERNAL, "bits: %g of the nearest differ from the peer's", worst);
    NEP_TRY_OR_DONE(st, nep_alloc(b.ctx, (int64_t)MOST * WORDS, sizeof *b.row, "rows", &b.row));
    NEP_TRY_OR_DONE(st, bench_bits_rows(b.ctx, b.parent, 1, MOST, b.row));
    NEP_TRY_OR_DONE(st, bench_bits_rows(b.ctx, b.parent, 2, LARGE_Q, b.query));
    number(fields, sizeof fields, "check", worst);
    NEP_TRY_OR_DONE(st, scans(&b, fields, sizeof fields, sizes, sizeof sizes, &read));
    NEP_TRY_OR_DONE(st, nep_index_from_bits(b.ctx, b.row, ROWS, BITS, NULL, true, "", &b.index));
    NEP_TRY_OR_DONE(st, nep_index_from_bits(b.ctx, b.row, MANY, BITS, NULL, true, "", &b.some));
    NEP_TRY_OR_DONE(st, nearest(&b, fields, sizeof fields));
    NEP_TRY_OR_DONE(st, thresholds(&b, fields, sizeof fields));
    const size_t used = strlen(fields);
    snprintf(fields + used, sizeof fields - used,
             "\"check_tolerance\": 0.5, \"rows\": %d, \"most_rows\": %d, \"many_rows\": %d, \"singles\": %d, "
             "\"size\": \"rows, whole scan\", "
             "\"sizes\": [%s], \"ceilings\": {\"read_gbs\": %.2f, \"mpairs\": %.1f, \"mpairs_per_cpu_s\": %.1f}",
             ROWS, MOST, MANY, SINGLES, sizes, read, bench_bits_counts(nep_ctx_threads(b.ctx), false),
             bench_bits_counts(nep_ctx_threads(b.ctx), true));
    bench_report(b.ctx, "bits", "the 100 nearest of 2,000,000 fingerprints of 2,048 bits to one, Tanimoto", fields);
done:
    if (st != NEP_OK)
        fprintf(stderr, "bench_bits: %s\n", nep_ctx_error(b.ctx));
    nep_index_free(&b.some);
    nep_index_free(&b.index);
    nep_alloc_free(b.row);
    nep_alloc_free(b.query);
    free(b.parent);
    nep_ctx_free(b.ctx);
    return st == NEP_OK ? 0 : nep_status_exit(st);
}
