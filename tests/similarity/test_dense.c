/* SPDX-License-Identifier: Apache-2.0 */
/* Exact search of dense vectors against every pair scored by plain loops, on data made to be hard; and the properties that the order
 * promises: shards, batches, threads, k, kernels, shadows and filters change no byte. */
#include "support.h"

#include <float.h>

#include <nepenthe/similarity.h>

#include "backend/cpu.h"
#include "similarity/dense_parts.h"

typedef enum { RANDOM, CLUSTERED, LOW_RANK, TIES, DENORMAL, HUGE_NORMS, MIXED, ZEROS, KINDS } kind;
static const char *const kinds[] = {"random", "clustered", "low rank", "near ties", "denormal", "huge", "mixed", "zeros"};
static const nep_metric metrics[] = {NEP_METRIC_COSINE, NEP_METRIC_INNER, NEP_METRIC_L2};
static const char *const metric_names[] = {"cosine", "inner", "l2"};

static double normal(uint64_t stream, int64_t i)
{
    return nep_philox_normal(5, stream, (uint64_t)i);
}

static float item_of(kind how, int64_t i, int64_t j, int64_t dims)
{
    const double z = normal(1, i * dims + j);
    double v = z;
    switch (how) {
    case CLUSTERED: v = normal(2, i % 7 * dims + j) * 3 + 0.05 * z; break;
    case LOW_RANK: v = normal(3, i) * normal(4, j) + normal(5, i) * normal(6, j) + 1e-3 * z; break;
    case DENORMAL: v = z * 1e-40; break;
    case HUGE_NORMS: v = z * 8e37; break;
    case MIXED: v = z * pow(10, 30 * (2 * nep_philox_uniform(5, 7, (uint64_t)i) - 1)); break;
    case ZEROS: v = i % 3 == 0 ? 0 : z; break;
    case TIES: { /* one vector over and over, every other time with one item an ulp off */
        const float base = (float)normal(8, j);
        return i % 2 && j == i / 2 % dims ? nextafterf(base, i % 4 == 1 ? INFINITY : -INFINITY) : base;
    }
    default: break;
    }
    return (float)fmax(-(double)FLT_MAX, fmin((double)FLT_MAX, v));
}

static float *rows_of(kind how, nep_vector_type type, int64_t n, int64_t dims)
{
    float *x = malloc((size_t)(n * dims) * sizeof *x);
    for (int64_t i = 0; i < n * dims; i++) {
        x[i] = item_of(how, i / dims, i % dims, dims);
        if (type == NEP_VECTOR_F16)
            x[i] = fmaxf(-60000.0f, fminf(60000.0f, x[i]));
    }
    return x;
}

/* Near the rows, so that scores are close; the last one is zero where rows may be. */
static float *queries_of(kind how, int64_t n_q, int64_t dims)
{
    float *q = malloc((size_t)(n_q * dims) * sizeof *q);
    for (int64_t i = 0; i < n_q * dims; i++) {
        const float like = item_of(how, 3 * (i / dims) + 1, i % dims, dims);
        q[i] = (float)fmax(-(double)FLT_MAX, fmin((double)FLT_MAX, (double)like * (1 + 0.1 * normal(9, i))));
        if (how == ZEROS && n_q > 1 && i / dims == n_q - 1)
            q[i] = 0;
    }
    return q;
}

/* ---- the answer by plain loops ----------------------------------------------------------------------------------- */
static double item_at(const nep_index_vectors *v, int64_t row, int64_t i)
{
    switch (v->type) {
    case NEP_VECTOR_F32: return (double)((const float *)v->row)[row * v->stride + i];
    case NEP_VECTOR_F16: return (double)nep_half_unpack_f16(((const uint16_t *)v->row)[row * v->stride + i]);
    case NEP_VECTOR_BF16: return (double)nep_half_unpack_bf16(((const uint16_t *)v->row)[row * v->stride + i]);
    default: return (double)((const int8_t *)v->row)[row * v->stride + i] * (double)v->scale[row];
    }
}

static double fold(double lane[32])
{
    for (int half = 16; half > 0; half /= 2)
        for (int l = 0; l < half; l++)
            lane[l] += lane[l + half];
    return lane[0];
}

/* what: 0 q.x, 1 (q - x)^2, 2 q.q */
static double lane_sum(const float *q, const nep_index_vectors *v, int64_t row, int what)
{
    double total = 0;
    for (int64_t from = 0; from < v->dims; from += 8192) {
        double lane[32] = {0};
        for (int64_t i = from; i < v->dims && i < from + 8192; i++) {
            const double a = (double)q[i], b = what == 2 ? a : item_at(v, row, i);
            lane[i % 32] += what == 1 ? (a - b) * (a - b) : a * b;
        }
        total += fold(lane);
    }
    return total;
}

static double score_of(const nep_index *x, const float *q, int64_t row, nep_metric m)
{
    const nep_index_vectors *v = &x->vectors;
    if (m == NEP_METRIC_L2)
        return sqrt(lane_sum(q, v, row, 1));
    const double dot = lane_sum(q, v, row, 0), norm = sqrt(lane_sum(q, v, row, 2));
    if (m == NEP_METRIC_INNER)
        return dot;
    return norm > 0 && v->norm[row] > 0 ? dot / (norm * v->norm[row]) : 0;
}

typedef struct {
    double score;
    int64_t position, number;
    int sign;
} scored;

static int by_order(const void *x, const void *y)
{
    const scored *a = x, *b = y;
    if (a->score != b->score)
        return (a->score > b->score ? -1 : 1) * a->sign;
    return (a->number > b->number) - (a->number < b->number);
}

static bool may(const nep_search_opts *o, int64_t number)
{
    return (o->last == 0 || (number >= o->first && number < o->last)) && (!o->allow || (o->allow[number / 64] >> (number % 64) & 1));
}

/* Fails unless `h` is what loops over all pairs give. */
static void assert_answer(const nep_index *x, const float *query, int64_t n_q, const nep_search_opts *o, const nep_hits *h, const char *what)
{
    scored *all = malloc((size_t)(x->n + 1) * sizeof *all);
    const double threshold = o->by_threshold ? (double)o->threshold.num / (double)o->threshold.den : 0;
    assert_int_equal(h->n_queries, n_q);
    assert_null(h->common);
    for (int64_t q = 0; q < n_q; q++) {
        int64_t n = 0;
        for (int64_t i = 0; i < x->n; i++) {
            const double s = score_of(x, query + q * x->vectors.dims, i, o->metric);
            const bool reaches = !o->by_threshold || (o->metric == NEP_METRIC_L2 ? s <= threshold : s >= threshold);
            if (reaches && may(o, nep_index_number(x, i)))
                all[n++] = (scored){s, i, nep_index_number(x, i), o->metric == NEP_METRIC_L2 ? -1 : 1};
        }
        qsort(all, (size_t)n, sizeof *all, by_order);
        n = o->k > 0 && n > o->k ? o->k : n;
        if (h->start[q + 1] - h->start[q] != n)
            fail_msg("%s: query %lld has %lld hits, not %lld", what, (long long)q, (long long)(h->start[q + 1] - h->start[q]), (long long)n);
        for (int64_t i = 0; i < n; i++) {
            const int64_t at = h->start[q] + i;
            if (h->position[at] != all[i].position || h->number[at] != all[i].number || h->score[at] != all[i].score)
                fail_msg("%s: query %lld, hit %lld is row %lld (%.17g), not %lld (%.17g)", what, (long long)q, (long long)i,
                         (long long)h->number[at], h->score[at], (long long)all[i].number, all[i].score);
        }
    }
    free(all);
}

static void assert_same(const nep_hits *a, const nep_hits *b, const char *what)
{
    const size_t starts = (size_t)(a->n_queries + 1) * sizeof *a->start;
    if (a->n_queries != b->n_queries || memcmp(a->start, b->start, starts) != 0)
        fail_msg("%s: other numbers of hits", what);
    const size_t n = (size_t)a->start[a->n_queries];
    if (memcmp(a->number, b->number, n * sizeof *a->number) != 0 || memcmp(a->score, b->score, n * sizeof *a->score) != 0)
        fail_msg("%s: other hits", what);
}

static nep_hits search(nep_ctx *ctx, const nep_index *x, const float *q, int64_t n_q, const nep_search_opts *o, nep_search_report *r)
{
    nep_hits h = {0};
    assert_ok(ctx, nep_dense_search(ctx, x, q, n_q, o, &h, r));
    return h;
}

static nep_index make(nep_ctx *ctx, const float *x, int64_t n, int64_t dims, nep_vector_type type, bool shadow)
{
    nep_index index = {0};
    assert_ok(ctx, nep_index_from_vectors(ctx, x, n, dims, type, NULL, shadow, NULL, &index));
    return index;
}

/* A threshold that some rows of the first query reach and others miss. */
static nep_decimal middle(const nep_hits *h)
{
    const int64_t n = h->start[1] - h->start[0];
    const double s = n ? h->score[n / 2] : 0;
    return fabs(s) < 1e6 ? (nep_decimal){(int64_t)floor(s * 1e6), 1000000} : (nep_decimal){1, 1};
}

/* ---- tests ------------------------------------------------------------------------------------------------------- */
static void one_case(nep_ctx *ctx, kind how, nep_vector_type type, int64_t n, int64_t dims, int64_t n_q)
{
    float *x = rows_of(how, type, n, dims), *q = queries_of(how, n_q, dims);
    nep_index index = make(ctx, x, n, dims, type, true);
    for (int m = 0; m < NEP_LEN(metrics); m++) {
        char what[160];
        nep_search_opts o = {.metric = metrics[m], .k = 1 + (n / 9) % 40};
        snprintf(what, sizeof what, "%s, %s, %s, %lld x %lld, %lld queries", kinds[how], nep_index_type_name(type), metric_names[m], (long long)n,
                 (long long)dims, (long long)n_q);
        nep_search_report with, without;
        nep_hits a = search(ctx, &index, q, n_q, &o, &with);
        assert_answer(&index, q, n_q, &o, &a, what);
        o.no_shadow = true;
        nep_hits b = search(ctx, &index, q, n_q, &o, &without);
        assert_same(&a, &b, what);
        assert_true(with.exact && without.exact);
        assert_string_equal(without.path, type == NEP_VECTOR_I8 && dims > NEP_DENSE_INT_MOST ? "every row scored" : nep_index_type_name(type));
        o = (nep_search_opts){.metric = metrics[m], .by_threshold = true, .threshold = middle(&a)};
        nep_hits c = search(ctx, &index, q, n_q, &o, NULL);
        assert_answer(&index, q, n_q, &o, &c, what);
        o.k = 5;
        nep_hits d = search(ctx, &index, q, n_q, &o, NULL);
        assert_answer(&index, q, n_q, &o, &d, what);
        nep_hits_free(&a);
        nep_hits_free(&b);
        nep_hits_free(&c);
        nep_hits_free(&d);
    }
    nep_index_free(&index);
    free(x);
    free(q);
}

static void test_against_loops(void **state)
{
    (void)state;
    static const struct {
        int64_t n, dims, n_q;
    } sizes[] = {{1, 1, 1}, {37, 5, 9}, {700, 33, 3}, {1300, 20, 26}};
    nep_ctx *ctx = test_ctx(2);
    for (nep_cpu_family f = NEP_CPU_SCALAR; f <= NEP_CPU_AVX512; f++) {
        nep_cpu_family_limit(f == NEP_CPU_AVX512 ? NEP_CPU_AVX512_POPCNT : f);
        for (int how = 0; how < KINDS; how++)
            for (int t = NEP_VECTOR_F32; t <= NEP_VECTOR_I8; t++)
                for (int k = 0; k < NEP_LEN(sizes); k++)
                    if (f == NEP_CPU_AVX512 || k < 3)
                        one_case(ctx, (kind)how, (nep_vector_type)t, sizes[k].n, sizes[k].dims, sizes[k].n_q);
    }
    nep_ctx_free(ctx);
}

/* More rows than the first tiles hold, so that gates rise. */
static void test_tiles(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    one_case(ctx, RANDOM, NEP_VECTOR_F32, 9000, 40, 2);
    one_case(ctx, CLUSTERED, NEP_VECTOR_BF16, 6000, 16, 30);
    one_case(ctx, TIES, NEP_VECTOR_F32, 30000, 6, 1); /* more ties than there is room for at once */
    nep_ctx_free(ctx);
}

/* Long rows: more than a chunk of lanes, and int8 rows too long for sums of 32 bits. */
static void test_long_rows(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    one_case(ctx, RANDOM, NEP_VECTOR_F32, 40, 8200, 2);
    one_case(ctx, RANDOM, NEP_VECTOR_I8, 12, NEP_DENSE_INT_MOST + 1, 1);
    const int64_t dims = NEP_DENSE_INT_MOST + 1;
    float *x = rows_of(RANDOM, NEP_VECTOR_I8, 3, dims);
    nep_index index = make(ctx, x, 3, dims, NEP_VECTOR_I8, false);
    nep_search_report r;
    nep_hits h = search(ctx, &index, x, 1, &(nep_search_opts){.metric = NEP_METRIC_INNER, .k = 1}, &r);
    assert_string_equal(r.path, "every row scored");
    assert_int_equal(r.candidates, 3);
    nep_hits_free(&h);
    nep_index_free(&index);
    free(x);
    nep_ctx_free(ctx);
}

enum { N = 3000, DIMS = 24, QUERIES = 29, K = 17 };

static void test_properties(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    float *x = rows_of(CLUSTERED, NEP_VECTOR_F32, N, DIMS), *q = queries_of(CLUSTERED, QUERIES, DIMS);
    memcpy(x + 2000 * DIMS, x + 5 * DIMS, 40 * DIMS * sizeof *x); /* equal rows: the smaller number comes first */
    nep_index index = make(ctx, x, N, DIMS, NEP_VECTOR_F32, true);
    for (int m = 0; m < NEP_LEN(metrics); m++) {
        nep_search_opts o = {.metric = metrics[m], .k = K};
        nep_search_report r, r2;
        nep_hits want = search(ctx, &index, q, QUERIES, &o, &r);
        for (int threads = 1; threads <= 5; threads += 2) {
            nep_ctx *other = test_ctx(threads);
            nep_hits got = search(other, &index, q, QUERIES, &o, &r2);
            assert_same(&want, &got, "threads");
            assert_int_equal(r.candidates, r2.candidates);
            nep_hits_free(&got);
            nep_ctx_free(other);
        }
        for (o.batch = 1; o.batch <= QUERIES; o.batch += 9) {
            nep_hits got = search(ctx, &index, q, QUERIES, &o, NULL);
            assert_same(&want, &got, "batch");
            nep_hits_free(&got);
        }
        o = (nep_search_opts){.metric = metrics[m], .k = 3};
        nep_hits few = search(ctx, &index, q, QUERIES, &o, NULL);
        for (int64_t i = 0; i < QUERIES * 3; i++)
            assert_true(few.number[i] == want.number[i / 3 * K + i % 3] && few.score[i] == want.score[i / 3 * K + i % 3]);
        o.k = 10 * N; /* all of them */
        nep_hits all = search(ctx, &index, q, 2, &o, NULL);
        assert_answer(&index, q, 2, &o, &all, "all rows");
        assert_int_equal(all.start[1], N);
        nep_hits_free(&all);
        nep_hits_free(&few);
        nep_hits_free(&want);
    }
    nep_index_free(&index);
    free(x);
    free(q);
    nep_ctx_free(ctx);
}

/* Shards whose rows are shuffled, merged, are the whole. */
static void test_shards(void **state)
{
    (void)state;
    enum { SHARDS = 3 };
    nep_ctx *ctx = test_ctx(2);
    float *x = rows_of(TIES, NEP_VECTOR_F32, N, DIMS), *part = malloc(N * DIMS * sizeof *part), *q = queries_of(TIES, 3, DIMS);
    int32_t *order = malloc(N * sizeof *order);
    int64_t *number = malloc(N * sizeof *number);
    nep_philox_permutation(1, 1, N, order);
    nep_index whole = make(ctx, x, N, DIMS, NEP_VECTOR_F32, true);
    for (int m = 0; m < NEP_LEN(metrics); m++) {
        const nep_search_opts o = {.metric = metrics[m], .k = K};
        nep_hits want = search(ctx, &whole, q, 3, &o, NULL), parts[SHARDS] = {0}, got = {0};
        for (int s = 0; s < SHARDS; s++) {
            int64_t n = 0;
            for (int64_t i = s; i < N; i += SHARDS) {
                memcpy(part + n * DIMS, x + order[i] * DIMS, DIMS * sizeof *x);
                number[n++] = order[i];
            }
            nep_index shard = make(ctx, part, n, DIMS, NEP_VECTOR_F32, s != 1);
            shard.number = number;
            shard.total = N;
            parts[s] = search(ctx, &shard, q, 3, &o, NULL);
            nep_index_free(&shard);
        }
        assert_ok(ctx, nep_hits_merge(ctx, parts, SHARDS, &o, &got));
        assert_same(&want, &got, "shards");
        for (int s = 0; s < SHARDS; s++)
            nep_hits_free(&parts[s]);
        nep_hits_free(&got);
        nep_hits_free(&want);
    }
    nep_index_free(&whole);
    free(x);
    free(part);
    free(q);
    free(order);
    free(number);
    nep_ctx_free(ctx);
}

static void test_filters(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    float *x = rows_of(RANDOM, NEP_VECTOR_F32, N, DIMS), *q = queries_of(RANDOM, QUERIES, DIMS);
    uint64_t allow[N / 64 + 1] = {0};
    for (int64_t i = 0; i < N; i++)
        allow[i / 64] |= (uint64_t)(i % 13 == 2) << (i % 64);
    nep_index index = make(ctx, x, N, DIMS, NEP_VECTOR_F32, true);
    for (int m = 0; m < NEP_LEN(metrics); m++)
        for (int how = 1; how < 4; how++)
            for (int shadow = 0; shadow < 2; shadow++) {
                const nep_search_opts o = {.metric = metrics[m], .k = K, .allow = how & 1 ? allow : NULL, .first = how & 2 ? 777 : 0,
                                           .last = how & 2 ? 2100 : 0, .no_shadow = !shadow};
                nep_hits h = search(ctx, &index, q, QUERIES, &o, NULL);
                assert_answer(&index, q, QUERIES, &o, &h, "filter");
                nep_hits_free(&h);
            }
    nep_index_free(&index);
    free(x);
    free(q);
    nep_ctx_free(ctx);
}

/* FAISS' nearest where it is defined: no two scores are close. It computes in float32. */
static void test_golden(void **state)
{
    (void)state;
    enum { ROWS = 250, ASKED = 6, LONG = 20, TOP = 15 };
    nep_ctx *ctx = test_ctx(2);
    static float x[(ROWS + ASKED) * LONG];
    char line[1024], metric[16];
    int64_t hits = 0;
    FILE *f = fopen(TEST_GOLDEN("similarity_dense_rows.tsv"), "r");
    assert_true(f && fgets(line, sizeof line, f));
    for (int64_t i = 0; i < (ROWS + ASKED) * LONG; i++)
        assert_int_equal(fscanf(f, "%f", &x[i]), 1);
    fclose(f);
    nep_index index = make(ctx, x, ROWS, LONG, NEP_VECTOR_F32, true);
    nep_hits h[3];
    for (int m = 0; m < 3; m++)
        h[m] = search(ctx, &index, x + ROWS * LONG, ASKED, &(nep_search_opts){.metric = metrics[m], .k = TOP}, NULL);
    f = fopen(TEST_GOLDEN("similarity_dense.tsv"), "r");
    assert_true(f && fgets(line, sizeof line, f));
    long long query, rank, row;
    for (double score; fscanf(f, "%15s %lld %lld %lld %lf", metric, &query, &rank, &row, &score) == 5; hits++) {
        const int m = strcmp(metric, "cosine") == 0 ? 0 : strcmp(metric, "inner") == 0 ? 1 : 2;
        assert_int_equal(h[m].number[query * TOP + rank], row);
        assert_near(h[m].score[query * TOP + rank], score, 2e-6);
    }
    fclose(f);
    assert_int_equal(hits, 3 * ASKED * TOP);
    for (int m = 0; m < 3; m++)
        nep_hits_free(&h[m]);
    nep_index_free(&index);
    nep_ctx_free(ctx);
}

/* What the certificate costs, and that a shadow that tells nothing is given up. */
static void test_report(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    enum { MANY = 20000, LONG = 64 };
    float *x = rows_of(RANDOM, NEP_VECTOR_F32, MANY, LONG), *q = queries_of(RANDOM, 4, LONG);
    nep_index index = make(ctx, x, MANY, LONG, NEP_VECTOR_F32, true);
    nep_search_opts o = {.metric = NEP_METRIC_COSINE, .k = 10};
    nep_search_report r;
    nep_hits h = search(ctx, &index, q, 4, &o, &r);
    assert_string_equal(r.path, "int8 shadow");
    assert_int_equal(r.compared, 4 * MANY);
    assert_in_range(r.candidates, 4 * 10, 4 * MANY / 50);
    nep_hits_free(&h);
    o.no_shadow = true;
    h = search(ctx, &index, q, 4, &o, &r);
    assert_string_equal(r.path, "f32");
    assert_in_range(r.candidates, 4 * 10, 4 * 12);
    nep_hits_free(&h);
    nep_index_free(&index);
    free(x);
    x = rows_of(TIES, NEP_VECTOR_F32, MANY, LONG);
    for (int64_t i = 0; i < MANY; i++) /* apart by more than float32 needs, by less than int8 shows */
        x[i * LONG] += (float)i * 1e-4f;
    index = make(ctx, x, MANY, LONG, NEP_VECTOR_F32, true);
    o.no_shadow = false;
    h = search(ctx, &index, q, 1, &o, &r);
    assert_string_equal(r.path, "int8 shadow, then f32");
    assert_answer(&index, q, 1, &o, &h, "shadow given up");
    nep_hits_free(&h);
    nep_index_free(&index);
    free(x);
    free(q);
    nep_ctx_free(ctx);
}

static void test_refusals(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    const float x[6] = {1, 2, 3, 4, 5, 6}, bad[2] = {1, NAN};
    nep_index index = make(ctx, x, 3, 2, NEP_VECTOR_F32, true), bits = {.kind = NEP_INDEX_BITS, .n = 1};
    nep_hits h = {0};
    nep_search_opts o = {.metric = NEP_METRIC_COSINE, .k = 1};
    assert_fails(nep_dense_search(ctx, &index, bad, 1, &o, &h, NULL), NEP_E_FORMAT);
    assert_non_null(strstr(nep_ctx_error(ctx), "query 1 has a value that is not finite at item 2"));
    nep_ctx_clear(ctx);
    assert_fails(nep_dense_search(ctx, &bits, x, 1, &o, &h, NULL), NEP_E_ARG);
    assert_fails(nep_dense_search(ctx, &index, x, 0, &o, &h, NULL), NEP_E_ARG);
    const nep_search_opts wrong[] = {{.metric = NEP_METRIC_TANIMOTO, .k = 1}, {.metric = NEP_METRIC_L2, .k = -1}, {.metric = NEP_METRIC_L2},
                                     {.metric = NEP_METRIC_L2, .k = 1, .probe = 1}, {.metric = NEP_METRIC_L2, .k = 1, .first = 2, .last = 1},
                                     {.metric = NEP_METRIC_L2, .by_threshold = true}, {.metric = NEP_METRIC_L2, .k = 1, .batch = -1}};
    for (int i = 0; i < NEP_LEN(wrong); i++) {
        nep_ctx_clear(ctx);
        assert_fails(nep_dense_search(ctx, &index, x, 1, &wrong[i], &h, NULL), NEP_E_ARG);
        assert_true(strlen(nep_ctx_error(ctx)) > 20);
    }
    assert_null(h.start);
    /* nothing lies at a negative distance */
    o = (nep_search_opts){.metric = NEP_METRIC_L2, .by_threshold = true, .threshold = {-1, 2}};
    nep_ctx_clear(ctx);
    assert_ok(ctx, nep_dense_search(ctx, &index, x, 3, &o, &h, NULL));
    assert_int_equal(h.start[3], 0);
    nep_hits_free(&h);
    o.threshold.num = 0; /* a row lies on itself */
    assert_ok(ctx, nep_dense_search(ctx, &index, x, 3, &o, &h, NULL));
    assert_int_equal(h.start[3], 3);
    nep_hits_free(&h);
    nep_index_free(&index);
    nep_ctx_free(ctx);
}

/* The certificate itself: whatever order float32 adds in, the interval holds the value of the score, and a row whose upper end just
 * reaches the gate passes the test made for it. */
static void test_certificate(void **state)
{
    (void)state;
    enum { ROWS = 60, LONG = 70 };
    nep_ctx *ctx = test_ctx(1);
    int64_t tight = 0;
    for (int how = 0; how < KINDS; how++)
        for (int t = NEP_VECTOR_F32; t <= NEP_VECTOR_I8; t++) {
            float *x = rows_of((kind)how, (nep_vector_type)t, ROWS, LONG), *q = queries_of((kind)how, ROWS, LONG), held[128];
            nep_index index = make(ctx, x, ROWS, LONG, (nep_vector_type)t, true);
            const nep_index_vectors *v = &index.vectors;
            for (int64_t i = 0; i < ROWS * ROWS * 6; i++) {
                const int64_t row = i % ROWS, query = i / ROWS % ROWS, m = i / ROWS / ROWS % 3;
                const bool whole = i / ROWS / ROWS >= 3 || t == NEP_VECTOR_I8;
                const int8_t *bytes = v->shadow ? v->shadow + row * v->shadow_stride : (const int8_t *)v->row + row * v->stride;
                nep_dense_query b;
                float a = 0, n, s, r, gate[4];
                int32_t sum = 0;
                nep_dense_query_prepare(q + query * LONG, LONG, whole ? NEP_DENSE_I8 : (nep_dense_type)t, 128, held, &b);
                for (int64_t j = LONG - 1; j >= 0; j--)
                    if (whole)
                        sum += ((int8_t *)held)[j] * bytes[j];
                    else
                        a += held[j] * (float)item_at(v, row, j);
                if (whole)
                    a = (float)sum * (v->shadow ? v->shadow_scale[row] : v->scale[row]);
                const float residual = whole && v->shadow ? v->shadow_residual[row] : 0;
                const nep_dense_metric metric = m == 0 ? NEP_DENSE_COSINE : m == 1 ? NEP_DENSE_INNER : NEP_DENSE_L2;
                const double score = score_of(&index, q + query * LONG, row, metrics[m]), value = m == 2 ? -(score * score) : score;
                double low, high;
                nep_dense_query_interval(&b, metric, v->norm[row], residual, a, &low, &high);
                if (!(low <= value && value <= high))
                    fail_msg("%s, %s, %s%s: %.17g is not in %.17g .. %.17g", kinds[how], nep_index_type_name((nep_vector_type)t), metric_names[m],
                             whole ? ", bytes" : "", value, low, high);
                nep_dense_row_bound(metric, v->norm[row], residual, true, &n, &s, &r);
                nep_dense_query_gate(&b, metric, high, 1, gate);
                if (a < nep_dense_need(gate, 1, n, s, r))
                    fail_msg("%s, %s, %s: a row that reaches the gate %.17g fails the test", kinds[how], nep_index_type_name((nep_vector_type)t),
                             metric_names[m], high);
                nep_dense_query_gate(&b, metric, high + (high - low) + 1e-3 * fabs(high), 1, gate);
                tight += a < nep_dense_need(gate, 1, n, s, r);
            }
            nep_index_free(&index);
            free(x);
            free(q);
        }
    assert_true(tight > KINDS * 4 * ROWS * ROWS * 6 / 2); /* and one that misses it by some fails it as a rule */
    nep_ctx_free(ctx);
}

static void test_failing_memory(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    float *x = rows_of(RANDOM, NEP_VECTOR_F32, 400, DIMS), *q = queries_of(RANDOM, QUERIES, DIMS);
    nep_index index = make(ctx, x, 400, DIMS, NEP_VECTOR_F32, true);
    const int64_t used = nep_alloc_used(ctx);
    const nep_search_opts o = {.metric = NEP_METRIC_L2, .k = 3, .first = 1, .last = 300};
    nep_status st = NEP_E_NOMEM;
    for (int64_t k = 0; st != NEP_OK; k++) {
        nep_hits h = {0};
        nep_ctx_clear(ctx);
        nep_alloc_fail_at(ctx, k);
        st = nep_dense_search(ctx, &index, q, QUERIES, &o, &h, NULL);
        nep_alloc_fail_at(ctx, -1);
        assert_true(st == NEP_OK || (st == NEP_E_NOMEM && !h.start));
        nep_hits_free(&h);
        assert_int_equal(nep_alloc_used(ctx), used);
        assert_true(k < 500);
    }
    nep_index_free(&index);
    free(x);
    free(q);
    nep_ctx_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_loops), cmocka_unit_test(test_tiles),   cmocka_unit_test(test_long_rows),
        cmocka_unit_test(test_properties),    cmocka_unit_test(test_shards),  cmocka_unit_test(test_filters),
        cmocka_unit_test(test_report), cmocka_unit_test(test_golden), cmocka_unit_test(test_certificate),       cmocka_unit_test(test_refusals), cmocka_unit_test(test_failing_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
