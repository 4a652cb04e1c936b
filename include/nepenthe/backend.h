/* SPDX-License-Identifier: Apache-2.0 */
/* backend - buffers that know where they live, the op table, and the front doors that check once for every backend.
 *
 * What it is not: no algorithm of the mission is decided here; an op is one coarse computation over whole arrays.
 * The CPU table is always there; the CUDA table comes from a module loaded at run time (nepenthe_cuda.so). A third
 * table, `rig`, exists only in the tests: the CUDA sources compiled as host C++. A context's backend does all of its work:
 * there is no switch by size, small work is not sent to the CPU.
 *
 * Layouts are row-major, indices int64. Every op gives the same bits for any thread count and tile size; between
 * backends the class named at each op holds: EXACT (integers and orders), FORMULA (2 ulp of float), REDUCTION (1e-6
 * relative to the sum of magnitudes for float32 results, 1e-12 for float64), GEMM (as REDUCTION).
 */
#ifndef NEPENTHE_BACKEND_H
#define NEPENTHE_BACKEND_H

#include <nepenthe/core.h>
#include <nepenthe/math/dense.h>
#include <nepenthe/math/neighbourhood.h>
#include <nepenthe/math/rank.h>
#include <nepenthe/math/sphere.h>
#include <nepenthe/math/spline.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { NEP_U8, NEP_I16, NEP_I32, NEP_I64, NEP_U64, NEP_F32, NEP_F64 } nep_dtype;
/* Bytes of one item, and the name for sentences. */
size_t nep_dtype_size(nep_dtype t);
const char *nep_dtype_name(nep_dtype t);

typedef struct nep_queue nep_queue; /* a CUDA stream, or nothing on the CPU */
typedef struct nep_backend nep_backend;

typedef struct {
    const nep_backend *be; /* NULL = empty */
    void *ptr;
    nep_dtype dtype;
    int64_t n;                 /* items */
    struct nep_resident *lent; /* what lends it, where it is not its own */
} nep_buf;

/* Buffers live on the context's backend. Errors: NEP_E_NOMEM, NEP_E_ARG (n < 0), NEP_E_DEVICE. */
NEP_MUST_USE nep_status nep_buf_new(nep_ctx *ctx, nep_dtype dtype, int64_t n, const char *what, nep_buf *out);
NEP_MUST_USE nep_status nep_buf_put(nep_ctx *ctx, const void *src, nep_dtype dtype, int64_t n, const char *what,
                                    nep_buf *out); /* new + copy in */
NEP_MUST_USE nep_status nep_buf_get(nep_ctx *ctx, const nep_buf *b, void *dst); /* copy out, waits for the queue */
/* Items first .. first + n - 1 alone. */
NEP_MUST_USE nep_status nep_buf_get_part(nep_ctx *ctx, const nep_buf *b, int64_t first, int64_t n, void *dst);
void nep_buf_free(nep_buf *b);

/* One row per op: name and parity class. The op's function type is nep_op_<name>. */
#define NEP_OP_LIST(X)                                                                                                \
    X(occupancy, FORMULA)                                                                                             \
    X(parcel_sums, REDUCTION)                                                                                         \
    X(weighted_sums, REDUCTION)                                                                                       \
    X(moments, REDUCTION)                                                                                             \
    X(apply_operator, GEMM)                                                                                           \
    X(amplitude_sums, REDUCTION)                                                                                      \
    X(gram, GEMM)                                                                                                     \
    X(difference_squares, REDUCTION)                                                                                  \
    X(permute_t, GEMM)                                                                                                \
    X(tanimoto, EXACT)                                                                                                \
    X(quadratic_forms, GEMM)                                                                                          \
    X(exceedances, EXACT)                                                                                             \
    X(best_pair, EXACT)                                                                                               \
    X(resample, REDUCTION)                                                                                            \
    X(smooth_axis, REDUCTION)                                                                                         \
    X(lag_products, GEMM)                                                                                             \
    X(time_ranks, EXACT)                                                                                              \
    X(neighbour_ranks, EXACT)                                                                                         \
    X(paired_dots, REDUCTION)                                                                                         \
    X(permute_maps, GEMM)                                                                                             \
    X(pair_sums, GEMM)                                                                                                \
    X(top_pairs, EXACT)                                                                                               \
    X(project_rows, GEMM)                                                                                             \
    X(bit_hits, EXACT)                                                                                                \
    X(dense_hits, EXACT)                                                                                              \
    X(dense_scores, EXACT)                                                                                            \
    X(sparse_product, REDUCTION)                                                                                       \
    X(pair_squares, REDUCTION)                                                                                         \
    X(logit_sums, GEMM)                                                                                                \
    X(spin_nearest, EXACT)                                                                                             \
    X(spin_greedy, EXACT)                                                                                              \
    X(shell_smooth, REDUCTION)                                                                                         \
    X(shell_squares, REDUCTION)                                                                                        \
    X(list_smooth, REDUCTION)                                                                                          \
    X(list_squares, REDUCTION)                                                                                        \
    X(mode_sums, EXACT)                                                                                               \
    X(sparse_chebyshev, EXACT)

/* occupancy: out[i] = 1 / (1 + (kd/conc)^hill), conc 0 gives 0 (math/occupancy.h). All float32 [n]. */
typedef nep_status nep_op_occupancy(nep_ctx *, nep_queue *, const float *conc_nM, const float *kd_nM, const float *hill,
                                    int64_t n, float *out);

/* parcel_sums: voxels of region r are voxel[start[r] .. start[r+1]); per volume and region the sum of the finite
 * values and their count. x float32 [n_vol, n_vox]; sum float64 and count int64 [n_vol, n_regions]. */
typedef nep_status nep_op_parcel_sums(nep_ctx *, nep_queue *, const float *x, int64_t n_vol, int64_t n_vox,
                                      const int64_t *start, const int32_t *voxel, int64_t n_regions, double *sum,
                                      int64_t *count);

/* weighted_sums: the same for lists of voxels that may overlap, each entry with its weight float32: per volume and list the sum of
 * weight times value over the finite values, and their count. */
typedef nep_status nep_op_weighted_sums(nep_ctx *, nep_queue *, const float *x, int64_t n_vol, int64_t n_vox, const int64_t *start,
                                        const int32_t *voxel, const float *weight, int64_t n_lists, double *sum, int64_t *count);

/* moments: per column of x float32 [n_t, n_cols] the mean and the sum of squared deviations, float64 [n_cols],
 * two passes. A column with a non-finite value gives NaN for both. */
typedef nep_status nep_op_moments(nep_ctx *, nep_queue *, const float *x, int64_t n_t, int64_t n_cols, double *mean,
                                  double *m2);

/* apply_operator: out[r, v] = sum_t m[r, t] (x[t, v] - mean[v]); m float64 [n_r, n_t], x float32 [n_t, n_cols],
 * mean float64 [n_cols] or NULL (0), out float32 [n_r, n_cols]. Within 1e-6 of a column's SD of exact arithmetic whatever
 * its level, for rows of norm 1 or less. A column with a value that is not finite gives NaN. */
typedef nep_status nep_op_apply_operator(nep_ctx *, nep_queue *, const double *m, int64_t n_r, int64_t n_t,
                                         const float *x, int64_t n_cols, const double *mean, float *out);

/* amplitude_sums: X = DFT of each column of x [n_t, n_cols] less its mean, A_m = 2 |X_m| / n_t; band = sum of A_m over
 * m = first..last inclusive, all = sum over m = 1..floor((n_t - 1) / 2). float64 [n_cols]; `all` may be NULL. */
typedef nep_status nep_op_amplitude_sums(nep_ctx *, nep_queue *, const float *x, int64_t n_t, int64_t n_cols,
                                         int64_t first, int64_t last, double *band, double *all);

/* gram: out[i, j] = sum_t (x[t, i] - mean[i]) scale[i] (x[t, j] - mean[j]) scale[j]; x float32 [n_t, n_cols], mean and
 * scale float64 [n_cols], out float64 [n_cols, n_cols], both triangles filled. */
typedef nep_status nep_op_gram(nep_ctx *, nep_queue *, const float *x, int64_t n_t, int64_t n_cols, const double *mean,
                               const double *scale, double *out);

/* difference_squares: out[t] = sum_v weight[v] (x[t, v] - x[t-1, v])^2 for t = 1..n_t-1, out[0] = 0; weight float64
 * [n_cols] or NULL (1); out float64 [n_t]. */
typedef nep_status nep_op_difference_squares(nep_ctx *, nep_queue *, const float *x, int64_t n_t, int64_t n_cols,
                                             const double *weight, double *out);

/* permute_t: Freedman-Lane t for many permutations at once. y float64 [n, n_cols]: residuals on the nuisance, unit
 * length per column. For permutation p, basis [p, 0, :] is the residualised, unit regressor and [p, 1..k, :] the
 * orthonormal nuisance basis, rows permuted; b = basis[p,0].y, a2 = sum_k (basis[p,k].y)^2,
 *   t = b sqrt((dof - 1) / (1 - a2 - b^2)),   dof = n - k.
 * max_abs float64 [n_perm] gets max over columns of |t|; count int64 [n_cols] is increased by one where
 * |t| >= |observed| (1 - 1e-10); count_max int64 [n_cols] likewise for max_abs (NULL = not wanted; a front door that
 * tiles columns counts after the last tile). NaN columns are skipped. t by math/tstat.h: compute `observed` with it too.
 * observed float64 [n_cols]. */
typedef nep_status nep_op_permute_t(nep_ctx *, nep_queue *, const double *y, int64_t n, int64_t n_cols,
                                    const double *basis, int64_t n_perm, int64_t k, const double *observed,
                                    double *max_abs, int64_t *count, int64_t *count_max);

/* tanimoto: common[i, j] and total[i, j] = popcount of AND and of OR of rows a[i] and b[j]; uint64 [n_a, words] and
 * [n_b, words]; int32 [n_a, n_b]. The score is common / total, 0 when both rows are empty. */
typedef nep_status nep_op_tanimoto(nep_ctx *, nep_queue *, const uint64_t *a, int64_t n_a, const uint64_t *b,
                                   int64_t n_b, int64_t words, int32_t *common, int32_t *total);

/* quadratic_forms: out[i, j] = r[i]' q[j] r[i] + k[j]; r float64 [n, p], q float64 [m, p, p], k float64 [m],
 * out float64 [n, m]. */
typedef nep_status nep_op_quadratic_forms(nep_ctx *, nep_queue *, const double *r, int64_t n, int64_t p,
                                          const double *q, const double *k, int64_t m, double *out);

/* exceedances: count[i] = #{ b : |a[i] . (c[b] - centre)| >= |observed[i]| (1 - 1e-10) }; a float64 [n, p], c float64
 * [n_null, p], centre float64 [p], observed float64 [n] in the units of a . c; int64 [n]. NaN rows count 0. */
typedef nep_status nep_op_exceedances(nep_ctx *, nep_queue *, const double *a, int64_t n, int64_t p, const double *c,
                                      int64_t n_null, const double *centre, const double *observed, int64_t *count);

/* best_pair: best[c] = the j with the largest (pair[j, 0].x_c)^2 + (pair[j, 1].x_c)^2, the first of equals, -1 when no sum is a
 * number; pair float64 [n_pairs, 2, n_t], x float32 [n_t, n_cols], best int32 [n_cols]. Sums run over time in order. */
typedef nep_status nep_op_best_pair(nep_ctx *, nep_queue *, const double *pair, int64_t n_pairs, int64_t n_t,
                                    const float *x, int64_t n_cols, int32_t *best);

/* resample: volumes c float32 [n_vol, plan->in] read on another grid, out float32 [n_vol, plan->out] (math/spline.h). The plan
 * lies on the host for every backend. */
typedef nep_status nep_op_resample(nep_ctx *, nep_queue *, const float *c, int64_t n_vol, const nep_spline_plan *plan,
                                   float *out);

/* smooth_axis: out[o, i, c] = weight[0] x[o, i, c] + sum_k weight[k] (x[o, i - k, c] + x[o, i + k, c]), k = radius .. 1, reflected
 * at the ends (math/spline.h); x and out float32 [outer, len, inner], weight float64 [radius + 1]. */
typedef nep_status nep_op_smooth_axis(nep_ctx *, nep_queue *, const float *x, int64_t outer, int64_t len, int64_t inner,
                                      const double *weight, int64_t radius, float *out);

/* lag_products: out[k, c] = sum_t q[k, t] x[t, c] for k < n_q, out[n_q, c] = sum_t x[t, c]^2 and out[n_q + 1, c] = sum over
 * t >= 1 of x[t, c] x[t - 1, c], all of it in float64: what least squares with errors of first order need of a series. q
 * float64 [n_q, n_t], x float32 [n_t, n_cols], out float64 [n_q + 2, n_cols]. */
typedef nep_status nep_op_lag_products(nep_ctx *, nep_queue *, const double *q, int64_t n_q, int64_t n_t, const float *x,
                                       int64_t n_cols, double *out);

/* time_ranks: 2 rank - (n_t + 1) of each value among those of its column of x float32 [n_t, n_cols] (math/rank.h); rank int16
 * [n_cols, n_t], a column's ranks side by side; tie int64 [n_cols] gets sum (t^3 - t) over runs of t tied values, -1 and ranks of 0
 * where a value is not finite or all are the same. n_t <= NEP_RANK_MOST. */
typedef nep_status nep_op_time_ranks(nep_ctx *, nep_queue *, const float *x, int64_t n_t, int64_t n_cols, nep_rank_rule rule,
                                     int16_t *rank, int64_t *tie);

/* neighbour_ranks: R_t = sum over k of rank[neighbour[c, k], t], where neighbour is not -1; sum[c] = sum_t R_t and squares[c] =
 * sum_t R_t^2. rank int16 [any, n_t] as from time_ranks, |rank| < n_t; neighbour int32 [n_out, n_near], n_near <= 256; int64 [n_out].
 * The front door takes n_cols columns and as many rows of neighbours. */
typedef nep_status nep_op_neighbour_ranks(nep_ctx *, nep_queue *, const int16_t *rank, int64_t n_t, const int32_t *neighbour,
                                          int64_t n_near, int64_t n_out, int64_t *sum, int64_t *squares);

/* paired_dots: out[c] += sum_t a[t, c] b[t, at[c]], time in order; at -1 leaves out[c] as it is, at NULL pairs column c with c.
 * a float32 [n_t, n_a], b float32 [n_t, n_b] (may be a), at int32 [n_a], out float64 [n_a]. */
typedef nep_status nep_op_paired_dots(nep_ctx *, nep_queue *, const float *a, int64_t n_t, int64_t n_a, const float *b, int64_t n_b,
                                      const int32_t *at, double *out);

/* permute_maps: the statistics themselves, for what needs whole maps. As permute_t, but basis float64 [n_perm, r + k, n] begins
 * with r orthonormal regressors, df is given (k may leave out nuisance that every permutation leaves in place), and out
 * float64 [n_perm, n_cols] gets t (r = 1, signed) or F (r > 1) on r and df degrees of freedom (math/tstat.h). NaN columns stay. */
typedef nep_status nep_op_permute_maps(nep_ctx *, nep_queue *, const double *y, int64_t n, int64_t n_cols,
                                       const double *basis, int64_t n_perm, int64_t r, int64_t k, double df, double *out);

/* pair_sums: over all pairs i != j of rows of z float32 [n, n_t], finite and of unit length, r = z[i] . z[j]; per row int64 count
 * of r > threshold, float64 sum of r over those, float64 sum of atanh(fisher_scale r) over all (math/pair.h); two_sided takes |r|
 * for count and sum. Pairs that float32 leaves open are settled in float64: the count is that of exact products of z. The matrix
 * is never held. Each output may be NULL. */
typedef nep_status nep_op_pair_sums(nep_ctx *, nep_queue *, const float *z, int64_t n, int64_t n_t, double threshold, bool two_sided,
                                    double fisher_scale, int64_t *count, double *weighted, double *fisher);

/* top_pairs: per row of z as above the k rows j != i with the largest r, r descending and j ascending among equals; int32 index
 * and float64 r in float64 products, both [n, k]; -1 and NaN where there are fewer than k others. */
typedef nep_status nep_op_top_pairs(nep_ctx *, nep_queue *, const float *z, int64_t n, int64_t n_t, int64_t k, int32_t *index,
                                    double *r);

/* project_rows: out[i, j] = z[i] . q[j]; z float32 [n, n_t], q float64 [m, n_t], out float64 [n, m]. squares: out[i] = sum over j of
 * (z[i] . q[j])^2, float64 [n]. */
typedef nep_status nep_op_project_rows(nep_ctx *, nep_queue *, const float *z, int64_t n, int64_t n_t, const double *q, int64_t m,
                                       bool squares, double *out);

/* Bit vectors in order of their counts of bits, and queries with what each asks of a row. */
enum { NEP_BIT_WORDS = 128, NEP_BIT_SKETCH = 16, NEP_BIT_NEVER = 0xFFFF };
typedef struct {
    const uint64_t *row;      /* [n, words] */
    const uint16_t *popcount; /* [n] ascending */
    const uint8_t *sketch;    /* [n, 16] bits in each of 16 equal parts of a row, or NULL */
    int64_t n, words;         /* words <= NEP_BIT_WORDS, <= 63 with a sketch */
} nep_bit_rows;
typedef struct {
    const uint64_t *query; /* [n_q, words] */
    const uint8_t *sketch; /* [n_q, 16], or NULL */
    const uint16_t *need;  /* [n_q, 64 words + 1] */
    int64_t n_q;
} nep_bit_queries;

/* bit_hits: row i is a hit of query q when it has common >= need[q, popcount[i]] bits in common with it (NEP_BIT_NEVER: never).
 * count int32 [n_q] gets the number of hits; position int32 [n_q, cap] and common uint16 [n_q, cap] get them in any order where there
 * are no more than cap, else nothing that holds. Sketches change no answer: hits have at most sum_p min(sketch_p, sketch_q,p) bits in
 * common, so rows are left out by it where it pays. The structs lie on the host for every backend, their arrays where it works. */
typedef nep_status nep_op_bit_hits(nep_ctx *, nep_queue *, const nep_bit_rows *rows, const nep_bit_queries *queries, int64_t cap,
                                   int32_t *count, int32_t *position, uint16_t *common);

/* dense_hits: the first pass of a search (math/dense.h): rows that are allowed and whose product with the query is not below t. count
 * int32 [n_q] gets their number; hit [n_q, cap] gets them, in any order, where there are no more than cap, else nothing that holds.
 * The product is exact for int8 rows up to the rounding of its scale, else a float32 sum in any order: at the edge of t backends may
 * differ, what the search answers does not. The structs lie on the host for every backend, their arrays where it works. */
typedef nep_status nep_op_dense_hits(nep_ctx *, nep_queue *, const nep_dense_rows *rows, const nep_dense_queries *queries, int64_t cap,
                                     int32_t *count, nep_dense_hit *hit);

/* dense_scores: out[i] = the lane sum of q.x, or of (q - x)^2 when `square`, of query pair_query[i] (float32 [any, dims]) and row
 * pair_row[i]; float64 [n_pairs]. norm, residual and allow of the rows are not read. */
typedef nep_status nep_op_dense_scores(nep_ctx *, nep_queue *, const nep_dense_rows *rows, const float *query, bool square,
                                       const int32_t *pair_query, const int32_t *pair_row, int64_t n_pairs, double *out);

/* sparse_product: out[i, :] = sum over k = start[i] .. start[i + 1] - 1, in order, of weight[k] x[column[k], :]; weight, x [n_x, n_cols] and
 * out [n_rows, n_cols] float64, columns may repeat within a row. */
typedef nep_status nep_op_sparse_product(nep_ctx *, nep_queue *, const int64_t *start, const int32_t *column, const double *weight,
                                         int64_t n_rows, const double *x, int64_t n_x, int64_t n_cols, double *out);

/* pair_squares: per map, bin of pairs and column the moments of squared differences, for a variogram: out[m, s, q, c] = sum over p of
 * bin s of offset[p]^q (x[m, a[p], c] - x[m, b[p], c])^2, q < n_moments <= 4, pairs in order (math/variogram.h). Bin s is pairs start[s] ..
 * start[s + 1]; x float32 [n_maps, n, n_cols], a and b int32 and offset float64 [start[n_bins]], out float64 [n_maps, n_bins, n_moments,
 * n_cols]. */
typedef nep_status nep_op_pair_squares(nep_ctx *, nep_queue *, const float *x, int64_t n_maps, int64_t n, int64_t n_cols,
                                       const int32_t *a, const int32_t *b, const double *offset, const int64_t *start, int64_t n_bins,
                                       int64_t n_moments, double *out);

/* logit_sums: what a step of many logistic regressions on copies of the same rows needs. Row i of group j, start[j] <= i < start[j + 1], has
 * f [n, width], an outcome y in [0, 1] and the weight w[i] times[d, unit[i]] in draw d. Per draw and group, at the coefficients at[d, j]:
 * log likelihood, its gradient, and the information (minus the Hessian), out [n_draws, n_groups, nep_logit_size(width)], laid out as
 * math/logit.h says; zeros where wanted[d, j] is 0. f, y, w, at, out float64; unit [n], times [n_draws, n_units] and wanted [n_draws,
 * n_groups] int32. */
typedef nep_status nep_op_logit_sums(nep_ctx *, nep_queue *, const double *f, const double *y, const double *w, const int32_t *unit,
                                     const int64_t *start, int64_t n_groups, int64_t width, const int32_t *times, int64_t n_units,
                                     const int32_t *wanted, const double *at, int64_t n_draws, double *out);

/* spin_nearest: per rotation R float64 [n_rotations, 3, 3] and query q the number of the point p whose turned place R p lies nearest to q, the
 * lowest of equals, -1 where there are no points; out int32 [n_rotations, n_query] in the queries' order. Distances are those of q turned back
 * (math/sphere.h). The struct lies on the host for every backend, its arrays where it works. */
typedef nep_status nep_op_spin_nearest(nep_ctx *, nep_queue *, const nep_sphere *sphere, const double *rotation, int64_t n_rotations,
                                       int32_t *out);

/* spin_greedy: per rotation R a one-to-one assignment of turned points to points, D[i, j] = |p_i - R p_j|: again and again the i that is
 * farthest from the nearest j left takes that j, the lowest i and the lowest j of equals, and both leave. point float64 [n, 3], rotation float64
 * [n_rotations, 3, 3]; out int32 [n_rotations, n] gets the j of each i. Source: Vasa et al. (2018) Cereb Cortex 28:281,
 * doi:10.1093/cercor/bhx249. */
typedef nep_status nep_op_spin_greedy(nep_ctx *, nep_queue *, const double *point, int64_t n, const double *rotation, int64_t n_rotations,
                                      int32_t *out);

/* shell_smooth: sixteen shuffles of a map and their smoothings on a grid (math/neighbourhood.h). value float32 [n]; column c of line i is
 * value[order[c, i]], order int32 [COLS, n]; lines float32 [slots, COLS] is work space. out float32 [SCALES + 1, n, COLS]: the columns
 * smoothed over each neighbourhood, and last the map itself in every column. A shell is summed in float32 and four sums side by side, what
 * follows in float64: with L offsets in the largest shell the result is within (L / 4 + 5) 2^-24 of the sum of magnitudes; both backends add
 * in this same order. A missing value makes what it reaches NaN. The struct lies on the host for every backend, its arrays where it works. */
typedef nep_status nep_op_shell_smooth(nep_ctx *, nep_queue *, const nep_shells *g, const float *value, const int32_t *order, float *lines,
                                       float *out);

/* shell_squares: per map, shell and column half the squared differences, summed, of the places of a sample with their neighbours in that
 * shell, and how many such pairs there are. x float32 [n_maps, n, COLS], sample int32 [n_sample], squares float64 [n_maps, n_bins, COLS],
 * pairs float64 [n_bins], exact. Differences are rounded to float32, sums run in float64. */
typedef nep_status nep_op_shell_squares(nep_ctx *, nep_queue *, const nep_shells *g, const float *x, int64_t n_maps, const int32_t *sample,
                                        int64_t n_sample, double *squares, double *pairs);

/* list_smooth: as shell_smooth, over lists; lines float32 [n, COLS]. All of it in float64, weights by nep_near_weight. */
typedef nep_status nep_op_list_smooth(nep_ctx *, nep_queue *, const nep_lists *g, const float *value, const int32_t *order, float *lines,
                                      float *out);

/* list_squares: per map, lag and column half the squared differences, weighted by nep_near_lag and summed, of the places of a sample with the
 * neighbours nearer than the last lag, and the sum of these weights. As shell_squares; squares float64 [n_maps, LAGS, COLS], weights [LAGS]. */
typedef nep_status nep_op_list_squares(nep_ctx *, nep_queue *, const nep_lists *g, const float *x, int64_t n_maps, const int32_t *sample,
                                       int64_t n_sample, double *squares, double *weights);

/* mode_sums: out[b, i] = base[i] + sum_k c[b, k] v[k, i], added in the order of k. v float64 [n_v, n_places], c float64 [n_maps, n_v], base
 * float64 [n_places], out float64 [n_maps, n_places]. */
typedef nep_status nep_op_mode_sums(nep_ctx *, nep_queue *, const double *v, int64_t n_v, int64_t n_places, const double *c, int64_t n_maps,
                                    const double *base, double *out);

/* sparse_chebyshev: T_degree(S) x by the three-term recurrence t_0 = x, t_1 = S x, t_k = 2 S t_(k-1) - t_(k-2), S square in rows as for
 * sparse_product, each row's sum in the order of its entries. even float64 [n_rows, n_cols] holds x and odd [n_rows, n_cols] takes the first
 * product: a degree that is even leaves its result in even, another one in odd. degree >= 1. */
typedef nep_status nep_op_sparse_chebyshev(nep_ctx *, nep_queue *, const int64_t *start, const int32_t *column, const double *weight,
                                           int64_t n_rows, int64_t n_cols, int64_t degree, double *even, double *odd);

typedef struct {
#define NEP_X(name, parity) nep_op_##name *name;
    NEP_OP_LIST(NEP_X)
#undef NEP_X
} nep_ops;

enum {
#define NEP_X(name, parity) NEP_OP_##name,
    NEP_OP_LIST(NEP_X)
#undef NEP_X
        NEP_OP_COUNT
};

struct nep_backend {
    const char *name;   /* "cpu", "cuda" */
    bool host;          /* ops take host memory as it is */
    int64_t tile_bytes; /* front doors place at most about this much of one array at a time; 0 = all of it */
    nep_status (*alloc)(nep_ctx *ctx, size_t bytes, const char *what, void **out);
    void (*release)(void *ptr);
    nep_status (*upload)(nep_ctx *ctx, void *dst, const void *src, size_t bytes);
    nep_status (*download)(nep_ctx *ctx, void *dst, const void *src, size_t bytes);
    nep_status (*describe)(nep_ctx *ctx, char *text, size_t size); /* one line: device, kernel family */
    nep_queue *(*queue)(nep_ctx *ctx);
    int64_t (*room)(nep_ctx *ctx); /* bytes that may still be taken; NULL on a host */
    nep_ops ops;
};

extern const nep_backend nep_backend_cpu;

/* "auto", "cpu", "cuda", "cuda:1". auto takes CUDA when the module and a device are there, and logs the choice once;
 * an explicit cuda never falls back. Errors: NEP_E_DEVICE, NEP_E_ARG (unknown name; the sentence names the choices). */
NEP_MUST_USE nep_status nep_backend_choose(nep_ctx *ctx, const char *device);
NEP_MUST_USE nep_status nep_backend_describe(nep_ctx *ctx, char *text, size_t size);

/* Front doors: host arrays in, host arrays out. They check shapes and sizes, place what must be placed, run the op on
 * the context's backend in tiles that depend on n only, and bring the result back. Same parameters as the op. */
NEP_MUST_USE nep_status nep_backend_occupancy(nep_ctx *ctx, const float *conc_nM, const float *kd_nM, const float *hill,
                                              int64_t n, float *out);
NEP_MUST_USE nep_status nep_backend_parcel_sums(nep_ctx *ctx, const float *x, int64_t n_vol, int64_t n_vox,
                                                const int64_t *start, const int32_t *voxel, int64_t n_regions,
                                                double *sum, int64_t *count);
NEP_MUST_USE nep_status nep_backend_weighted_sums(nep_ctx *ctx, const float *x, int64_t n_vol, int64_t n_vox, const int64_t *start,
                                                  const int32_t *voxel, const float *weight, int64_t n_lists, double *sum,
                                                  int64_t *count);
NEP_MUST_USE nep_status nep_backend_moments(nep_ctx *ctx, const float *x, int64_t n_t, int64_t n_cols, double *mean,
                                            double *m2);
NEP_MUST_USE nep_status nep_backend_apply_operator(nep_ctx *ctx, const double *m, int64_t n_r, int64_t n_t,
                                                   const float *x, int64_t n_cols, const double *mean, float *out);
NEP_MUST_USE nep_status nep_backend_amplitude_sums(nep_ctx *ctx, const float *x, int64_t n_t, int64_t n_cols,
                                                   int64_t first, int64_t last, double *band, double *all);
NEP_MUST_USE nep_status nep_backend_gram(nep_ctx *ctx, const float *x, int64_t n_t, int64_t n_cols, const double *mean,
                                         const double *scale, double *out);
NEP_MUST_USE nep_status nep_backend_difference_squares(nep_ctx *ctx, const float *x, int64_t n_t, int64_t n_cols,
                                                       const double *weight, double *out);
NEP_MUST_USE nep_status nep_backend_permute_t(nep_ctx *ctx, const double *y, int64_t n, int64_t n_cols,
                                              const double *basis, int64_t n_perm, int64_t k, const double *observed,
                                              double *max_abs, int64_t *count, int64_t *count_max);
NEP_MUST_USE nep_status nep_backend_tanimoto(nep_ctx *ctx, const uint64_t *a, int64_t n_a, const uint64_t *b,
                                             int64_t n_b, int64_t words, int32_t *common, int32_t *total);
NEP_MUST_USE nep_status nep_backend_quadratic_forms(nep_ctx *ctx, const double *r, int64_t n, int64_t p,
                                                    const double *q, const double *k, int64_t m, double *out);
NEP_MUST_USE nep_status nep_backend_exceedances(nep_ctx *ctx, const double *a, int64_t n, int64_t p, const double *c,
                                                int64_t n_null, const double *centre, const double *observed,
                                                int64_t *count);
NEP_MUST_USE nep_status nep_backend_best_pair(nep_ctx *ctx, const double *pair, int64_t n_pairs, int64_t n_t,
                                              const float *x, int64_t n_cols, int32_t *best);
NEP_MUST_USE nep_status nep_backend_resample(nep_ctx *ctx, const float *c, int64_t n_vol, const nep_spline_plan *plan,
                                             float *out);
NEP_MUST_USE nep_status nep_backend_smooth_axis(nep_ctx *ctx, const float *x, int64_t outer, int64_t len, int64_t inner,
                                                const double *weight, int64_t radius, float *out);
NEP_MUST_USE nep_status nep_backend_lag_products(nep_ctx *ctx, const double *q, int64_t n_q, int64_t n_t, const float *x,
                                                 int64_t n_cols, double *out);
NEP_MUST_USE nep_status nep_backend_time_ranks(nep_ctx *ctx, const float *x, int64_t n_t, int64_t n_cols, nep_rank_rule rule,
                                               int16_t *rank, int64_t *tie);
NEP_MUST_USE nep_status nep_backend_neighbour_ranks(nep_ctx *ctx, const int16_t *rank, int64_t n_t, int64_t n_cols,
                                                    const int32_t *neighbour, int64_t n_near, int64_t *sum, int64_t *squares);
NEP_MUST_USE nep_status nep_backend_paired_dots(nep_ctx *ctx, const float *a, int64_t n_t, int64_t n_a, const float *b, int64_t n_b,
                                                const int32_t *at, double *out);
NEP_MUST_USE nep_status nep_backend_permute_maps(nep_ctx *ctx, const double *y, int64_t n, int64_t n_cols,
                                                 const double *basis, int64_t n_perm, int64_t r, int64_t k, double df,
                                                 double *out);
NEP_MUST_USE nep_status nep_backend_pair_sums(nep_ctx *ctx, const float *z, int64_t n, int64_t n_t, double threshold, bool two_sided,
                                              double fisher_scale, int64_t *count, double *weighted, double *fisher);
NEP_MUST_USE nep_status nep_backend_top_pairs(nep_ctx *ctx, const float *z, int64_t n, int64_t n_t, int64_t k, int32_t *index,
                                              double *r);
NEP_MUST_USE nep_status nep_backend_project_rows(nep_ctx *ctx, const float *z, int64_t n, int64_t n_t, const double *q, int64_t m,
                                                 bool squares, double *out);
/* Rows of one thing stay on a device between calls, as far as they fit, when its life is handed over (NULL: they are sent at every call
 * and freed after it). They are freed when it ends or the backend is closed, whichever is first, and nobody may write to them before.
 *
 * Bytes that may stay of something alive, less what stays of others: three quarters of what the device had free when the first were kept
 * (--vram-mb, or nine tenths of it, less what is in use), and no more than leaves four of the backend's tiles (four of 256 MB on CUDA) for
 * everything else; 0 on a host backend. First come, first kept; what else needs the memory gets it. No answer depends on it. */
int64_t nep_backend_keeps(nep_ctx *ctx, const nep_life *life);

/* dense_hits on rows first .. first + n - 1 of `rows`, which lie on the host; positions and bits of allow count from `first`.
 * Errors: NEP_E_ARG (a shape, a stride that is no multiple of 64 bytes, more dims than int8 rows take). */
NEP_MUST_USE nep_status nep_backend_dense_hits(nep_ctx *ctx, const nep_dense_rows *rows, nep_life *life, int64_t first, int64_t n,
                                               const nep_dense_queries *queries, int64_t cap, int32_t *count, nep_dense_hit *hit);
/* n_q queries; of the rows those that pairs name are placed, or, with a life, kept with those about them. */
NEP_MUST_USE nep_status nep_backend_dense_scores(nep_ctx *ctx, const nep_dense_rows *rows, nep_life *life, const float *query, int64_t n_q,
                                                 bool square, const int32_t *pair_query, const int32_t *pair_row, int64_t n_pairs, double *out);
NEP_MUST_USE nep_status nep_backend_pair_squares(nep_ctx *ctx, const float *x, int64_t n_maps, int64_t n, int64_t n_cols,
                                                 const int32_t *a, const int32_t *b, const double *offset, const int64_t *start,
                                                 int64_t n_bins, int64_t n_moments, double *out);
/* Errors: NEP_E_ARG (starts that go down, a unit outside 0 .. n_units - 1, rows wider than NEP_LOGIT_WIDTH). */
NEP_MUST_USE nep_status nep_backend_logit_sums(nep_ctx *ctx, const double *f, const double *y, const double *w, const int32_t *unit,
                                               const int64_t *start, int64_t n_groups, int64_t width, const int32_t *times, int64_t n_units,
                                               const int32_t *wanted, const double *at, int64_t n_draws, double *out);

/* Errors: NEP_E_ARG (starts that go down, a column outside 0 .. n_x - 1). */
NEP_MUST_USE nep_status nep_backend_sparse_product(nep_ctx *ctx, const int64_t *start, const int32_t *column, const double *weight,
                                                   int64_t n_rows, const double *x, int64_t n_x, int64_t n_cols, double *out);

/* x float64 [n_rows, n_cols] becomes T_degree(S) x, S of n_rows columns too. For |S| <= 1 nothing grows; eigenvalues beyond 1 grow as
 * cosh(degree arccosh). Errors: NEP_E_ARG (degree < 0, starts that go down, a column outside 0 .. n_rows - 1). Cost: degree products. Source:
 * Rivlin (1990) Chebyshev Polynomials, ISBN 978-0-471-62896-5. */
NEP_MUST_USE nep_status nep_backend_sparse_chebyshev(nep_ctx *ctx, const int64_t *start, const int32_t *column, const double *weight,
                                                     int64_t n_rows, int64_t n_cols, int64_t degree, double *x);

/* Points of the unit sphere (within 2 %) [n, 3], sorted into cubes, and queries [n_query, 3] (may be the points), brought once to where the
 * backend works, for many calls of spin_nearest on the same backend. Keeps nothing of the caller's. Errors: NEP_E_ARG (sizes, a coordinate
 * that is not finite or beyond 1.03), NEP_E_NOMEM. */
typedef struct {
    nep_sphere at;
    nep_buf point, name, start, query, column;
} nep_sphere_place;
NEP_MUST_USE nep_status nep_backend_sphere(nep_ctx *ctx, const double *point, int64_t n, const double *query, int64_t n_query,
                                           nep_sphere_place *out);
void nep_backend_sphere_free(nep_sphere_place *p);
/* Rotations lie on the host. Errors: NEP_E_ARG (an entry of a rotation beyond 1.01 or not finite, points placed on another backend),
 * NEP_E_NOMEM. */
NEP_MUST_USE nep_status nep_backend_spin_nearest(nep_ctx *ctx, const nep_sphere_place *sphere, const double *rotation, int64_t n_rotations,
                                                 int32_t *out);
/* Errors: NEP_E_ARG (as above, n < 0), NEP_E_NOMEM. Memory: n^2 float64 per thread on the CPU. */
NEP_MUST_USE nep_status nep_backend_spin_greedy(nep_ctx *ctx, const double *point, int64_t n, const double *rotation, int64_t n_rotations,
                                                int32_t *out);

/* Rows brought once to where the backend works, for many calls; on a host backend the caller's arrays as they are. With a life those of
 * them that calls ask for are brought, and stay when they are freed here. */
typedef struct {
    nep_bit_rows at;
    nep_buf row, popcount, sketch;
} nep_bit_place;
NEP_MUST_USE nep_status nep_backend_bit_rows(nep_ctx *ctx, const nep_bit_rows *rows, nep_life *life, nep_bit_place *out);
void nep_backend_bit_rows_free(nep_bit_place *p);
/* bit_hits on rows first .. first + n - 1 of those placed; positions count from `first`. Errors: NEP_E_ARG, NEP_E_NOMEM. */
NEP_MUST_USE nep_status nep_backend_bit_hits(nep_ctx *ctx, const nep_bit_place *rows, int64_t first, int64_t n,
                                             const nep_bit_queries *queries, int64_t cap, int32_t *count, int32_t *position,
                                             uint16_t *common);

/* The nearest of very many places, brought once to where the backend works, for many calls by the same context; on a host backend the
 * caller's arrays as they are. Errors: NEP_E_ARG (what leads outside the arrays, shells or lists out of order; the sentence says where),
 * NEP_E_NOMEM. */
typedef struct {
    const nep_backend *be;
    nep_shells at;
    nep_buf part[8];
} nep_shell_place;
typedef struct {
    const nep_backend *be;
    nep_lists at;
    nep_buf part[5];
} nep_list_place;
NEP_MUST_USE nep_status nep_backend_shells(nep_ctx *ctx, const nep_shells *shells, nep_shell_place *out);
NEP_MUST_USE nep_status nep_backend_lists(nep_ctx *ctx, const nep_lists *lists, nep_list_place *out);
void nep_backend_shells_free(nep_shell_place *p);
void nep_backend_lists_free(nep_list_place *p);
/* The ops on what was placed. Lines and maps are buffers of the context that stay where it works, value, order, sample and sums lie on the
 * host; maps as they come from smoothing, or any n_maps. Errors: NEP_E_ARG (another backend than that of the places, a number outside
 * 0 .. n - 1 in order or sample, a buffer that is too small). */
NEP_MUST_USE nep_status nep_backend_shell_smooth(nep_ctx *ctx, const nep_shell_place *g, const float *value, const int32_t *order,
                                                 nep_buf *lines, nep_buf *maps);
NEP_MUST_USE nep_status nep_backend_shell_squares(nep_ctx *ctx, const nep_shell_place *g, const nep_buf *maps, int64_t n_maps,
                                                  const int32_t *sample, int64_t n_sample, double *squares, double *pairs);
NEP_MUST_USE nep_status nep_backend_list_smooth(nep_ctx *ctx, const nep_list_place *g, const float *value, const int32_t *order,
                                                nep_buf *lines, nep_buf *maps);
NEP_MUST_USE nep_status nep_backend_list_squares(nep_ctx *ctx, const nep_list_place *g, const nep_buf *maps, int64_t n_maps,
                                                 const int32_t *sample, int64_t n_sample, double *squares, double *weights);
NEP_MUST_USE nep_status nep_backend_mode_sums(nep_ctx *ctx, const double *v, int64_t n_v, int64_t n_places, const double *c, int64_t n_maps,
                                              const double *base, double *out);

#ifdef __cplusplus
}
#endif
#endif
