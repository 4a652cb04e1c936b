/* SPDX-License-Identifier: Apache-2.0 */
/* ivf - inverted lists: centroids by k-means on our own search for the nearest, and rows put in the order of their lists. */
#include "data/index_parts.h"
#include <nepenthe/similarity.h>

#include <math.h>
#include <string.h>

enum { ROUNDS = 10, PER_LIST = 256, CHUNK = 4096, DRAW = 0x1f5 };

/* The nearest centroid of rows row[0 .. n - 1] (NULL = 0 .. n - 1); sum and count (or NULL) add up the rows of each list, in order. */
static nep_status assign(nep_ctx *ctx, const nep_index *x, const int32_t *row, int64_t n, const float *centroid, int64_t n_lists, int32_t *list,
                         double *sum, int64_t *count)
{
    const int64_t dims = x->vectors.dims;
    nep_index centres = {0};
    nep_hits h = {0};
    float *part = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_index_from_vectors(ctx, centroid, n_lists, dims, NEP_VECTOR_F32, NULL, false, "", &centres));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, CHUNK * dims, sizeof *part, "rows to assign", &part));
    for (int64_t from = 0; from < n; from += CHUNK) {
        const int64_t here = n - from < CHUNK ? n - from : CHUNK;
        for (int64_t i = 0; i < here; i++)
            nep_index_decode(&x->vectors, row ? row[from + i] : from + i, part + i * dims);
        nep_hits_free(&h);
        NEP_TRY_OR_DONE(st, nep_dense_search(ctx, &centres, part, here, &(nep_search_opts){.metric = NEP_METRIC_L2, .k = 1}, &h, NULL));
        for (int64_t i = 0; i < here; i++) {
            const int64_t l = h.number[i];
            list[from + i] = (int32_t)l;
            for (int64_t j = 0; sum && j < dims; j++)
                sum[l * dims + j] += (double)part[i * dims + j];
            if (count)
                count[l]++;
        }
    }
done:
    nep_alloc_free(part);
    nep_hits_free(&h);
    nep_index_free(&centres);
    return st;
}

/* k-means on drawn rows. A list that loses all of its rows keeps its centroid. */
static nep_status find_centroids(nep_ctx *ctx, const nep_index *x, int64_t n_lists, int rounds, float *centroid)
{
    const int64_t dims = x->vectors.dims, n = x->n / PER_LIST < n_lists ? x->n : PER_LIST * n_lists;
    int32_t *drawn = NULL, *list = NULL;
    double *sum = NULL;
    int64_t *count = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, x->n, sizeof *drawn, "rows drawn", &drawn));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *list, "lists of rows", &list));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_lists * dims, sizeof *sum, "sums of lists", &sum));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_lists, sizeof *count, "counts of lists", &count));
    nep_philox_permutation(nep_ctx_seed(ctx), DRAW, x->n, drawn);
    for (int64_t l = 0; l < n_lists; l++)
        nep_index_decode(&x->vectors, drawn[l], centroid + l * dims);
    for (int r = 0; r < rounds; r++) {
        memset(sum, 0, (size_t)(n_lists * dims) * sizeof *sum);
        memset(count, 0, (size_t)n_lists * sizeof *count);
        NEP_TRY_OR_DONE(st, assign(ctx, x, drawn, n, centroid, n_lists, list, sum, count));
        for (int64_t l = 0; l < n_lists; l++)
            for (int64_t j = 0; count[l] > 0 && j < dims; j++)
                centroid[l * dims + j] = (float)(sum[l * dims + j] / (double)count[l]);
    }
done:
    nep_alloc_free(count);
    nep_alloc_free(sum);
    nep_alloc_free(list);
    nep_alloc_free(drawn);
    return st;
}

/* ---- the rows in their new order --------------------------------------------------------------------------------- */
static nep_status take(nep_ctx *ctx, nep_index *out, const void *from, int64_t n, size_t size, const int64_t *order, void *to)
{
    char *made = NULL;
    *(const void **)to = NULL;
    if (!from)
        return NEP_OK;
    NEP_TRY(nep_index_memory_alloc(ctx, out, n, size, "rows of lists", &made));
    for (int64_t i = 0; i < n; i++)
        memcpy(made + (size_t)i * size, (const char *)from + (size_t)order[i] * size, size);
    *(const void **)to = made;
    return NEP_OK;
}

/* Texts of `per` cells a row. */
static nep_status take_text(nep_ctx *ctx, nep_index *out, const int64_t *start, const char *text, int64_t n, int64_t per, const int64_t *order,
                            const int64_t **start_out, const char **text_out)
{
    int64_t *s = NULL;
    char *t = NULL;
    if (!start || per == 0)
        return NEP_OK;
    NEP_TRY(nep_index_memory_alloc(ctx, out, n * per + 1, sizeof *s, "texts of rows", &s));
    NEP_TRY(nep_index_memory_alloc(ctx, out, start[n * per] - start[0] + 1, 1, "texts of rows", &t));
    for (int64_t i = 0; i < n * per; i++) {
        const int64_t from = order[i / per] * per + i % per, size = start[from + 1] - start[from];
        memcpy(t + s[i], text + start[from], (size_t)size);
        s[i + 1] = s[i] + size;
    }
    *start_out = s;
    *text_out = t;
    return NEP_OK;
}

static nep_status take_words(nep_ctx *ctx, nep_index *out, const nep_index *x)
{
    size_t bytes = strlen(x->about ? x->about : "") + 1;
    char *text = NULL, **column = NULL;
    for (int64_t i = 0; i < x->n_columns; i++)
        bytes += strlen(x->column[i]) + 1;
    NEP_TRY(nep_index_memory_alloc(ctx, out, (int64_t)bytes, 1, "names", &text));
    out->about = strcpy(text, x->about ? x->about : "");
    if (x->n_columns == 0)
        return NEP_OK;
    NEP_TRY(nep_index_memory_alloc(ctx, out, x->n_columns, sizeof *column, "names", &column));
    for (int64_t i = 0; i < x->n_columns; i++) {
        text += strlen(text) + 1;
        column[i] = strcpy(text, x->column[i]);
    }
    out->n_columns = x->n_columns;
    out->column = column;
    return NEP_OK;
}

static nep_status reorder(nep_ctx *ctx, const nep_index *x, const int64_t *order, nep_index *out)
{
    const nep_index_vectors *v = &x->vectors;
    nep_index_vectors *w = &out->vectors;
    int64_t *number = NULL;
    NEP_TRY(take(ctx, out, v->row, x->n, (size_t)v->stride * nep_index_item_size(v->type), order, &w->row));
    NEP_TRY(take(ctx, out, v->scale, x->n, sizeof *v->scale, order, &w->scale));
    NEP_TRY(take(ctx, out, v->norm, x->n, sizeof *v->norm, order, &w->norm));
    NEP_TRY(take(ctx, out, v->shadow, x->n, (size_t)v->shadow_stride, order, &w->shadow));
    NEP_TRY(take(ctx, out, v->shadow_scale, x->n, sizeof *v->shadow_scale, order, &w->shadow_scale));
    NEP_TRY(take(ctx, out, v->shadow_residual, x->n, sizeof *v->shadow_residual, order, &w->shadow_residual));
    NEP_TRY(nep_index_memory_alloc(ctx, out, x->n, sizeof *number, "row numbers", &number));
    for (int64_t i = 0; i < x->n; i++)
        number[i] = nep_index_number(x, order[i]);
    out->number = number;
    NEP_TRY(take_text(ctx, out, x->id_start, x->id_text, x->n, 1, order, &out->id_start, &out->id_text));
    NEP_TRY(take_text(ctx, out, x->cell_start, x->cell_text, x->n, x->n_columns, order, &out->cell_start, &out->cell_text));
    return take_words(ctx, out, x);
}

static nep_status check(nep_ctx *ctx, const nep_index *x, int64_t n_lists, int rounds)
{
    NEP_REQUIRE(ctx, x && x->kind == NEP_INDEX_VECTORS && x->vectors.n_lists == 0, NEP_E_ARG,
                "lists: they are made of an index of dense vectors that has none");
    NEP_REQUIRE(ctx, n_lists >= 1 && n_lists <= x->n && x->n <= INT32_MAX - 1, NEP_E_ARG,
                "lists: %lld lists of %lld rows; there must be 1 list or more, and a row for each", (long long)n_lists, (long long)x->n);
    NEP_REQUIRE(ctx, rounds >= 0, NEP_E_ARG, "lists: %d rounds; 0 takes the usual number", rounds);
    for (int64_t i = 1; i < x->n; i++)
        NEP_REQUIRE(ctx, nep_index_number(x, i - 1) < nep_index_number(x, i), NEP_E_ARG,
                    "lists: the rows of the index are not in the order of their numbers; merge or build it anew");
    return NEP_OK;
}

nep_status nep_ivf_build(nep_ctx *ctx, const nep_index *index, int64_t n_lists, int rounds, nep_index *out)
{
    nep_index made;
    float *centroid = NULL;
    int64_t *start = NULL, *order = NULL;
    int32_t *list = NULL;
    nep_status st;
    NEP_TRY(check(ctx, index, n_lists, rounds));
    made = (nep_index){.kind = index->kind, .n = index->n, .total = index->total, .content = index->content};
    made.vectors = (nep_index_vectors){.dims = index->vectors.dims, .stride = index->vectors.stride, .type = index->vectors.type,
                                       .shadow_stride = index->vectors.shadow_stride, .n_lists = n_lists};
    NEP_TRY_OR_DONE(st, nep_index_memory_create(ctx, &made));
    NEP_TRY_OR_DONE(st, nep_index_memory_alloc(ctx, &made, n_lists * made.vectors.dims, sizeof *centroid, "centroids", &centroid));
    NEP_TRY_OR_DONE(st, nep_index_memory_alloc(ctx, &made, n_lists + 1, sizeof *start, "starts of lists", &start));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, index->n, sizeof *list, "lists of rows", &list));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, index->n, sizeof *order, "order of rows", &order));
    NEP_TRY_OR_DONE(st, find_centroids(ctx, index, n_lists, rounds ? rounds : ROUNDS, centroid));
    NEP_TRY_OR_DONE(st, assign(ctx, index, NULL, index->n, centroid, n_lists, list, NULL, NULL));
    for (int64_t i = 0; i < index->n; i++)
        start[list[i] + 1]++;
    for (int64_t l = 0; l < n_lists; l++)
        start[l + 1] += start[l];
    for (int64_t i = 0; i < index->n; i++) /* in order, so that numbers ascend in each list */
        order[start[list[i]]++] = i;
    for (int64_t l = n_lists; l > 0; l--)
        start[l] = start[l - 1];
    start[0] = 0;
    NEP_TRY_OR_DONE(st, reorder(ctx, index, order, &made));
    made.vectors.centroid = centroid;
    made.vectors.list_start = start;
    *out = made;
    made = (nep_index){0};
done:
    nep_alloc_free(order);
    nep_alloc_free(list);
    nep_index_free(&made);
    return st;
}

nep_status nep_ivf_recall(nep_ctx *ctx, const nep_hits *exact, const nep_hits *found, double *recall, double *low, double *high)
{
    const double z = 1.6448536269514722; /* 90 % */
    int64_t n = 0, common = 0;
    NEP_REQUIRE(ctx, exact && found && exact->n_queries == found->n_queries, NEP_E_ARG, "recall: the answers are not to the same queries");
    for (int64_t q = 0; q < exact->n_queries; q++)
        for (int64_t i = exact->start[q]; i < exact->start[q + 1]; i++, n++)
            for (int64_t j = found->start[q]; j < found->start[q + 1]; j++)
                if (found->number[j] == exact->number[i]) {
                    common++;
                    break;
                }
    const double m = (double)n, p = (double)common / m, mid = (p + z * z / (2 * m)) / (1 + z * z / m);
    const double half = z / (1 + z * z / m) * sqrt(p * (1 - p) / m + z * z / (4 * m * m));
    *recall = p;
    *low = fmax(0, mid - half);
    *high = fmin(1, mid + half);
    if (n == 0)
        *recall = *low = *high = (double)NAN;
    return NEP_OK;
}
