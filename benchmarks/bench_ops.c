/* SPDX-License-Identifier: Apache-2.0 */
/* bench_ops [DEVICE [OP...]] - every op of the backend on buffers already in place: the result is checked against plain loops
 * on a sample first, then the best of many runs is timed and set against its floor: the bytes of its arrays, inputs read once
 * and results written once, at the rate of a copy, or its operations at the rate of the multipliers, whichever is longer (on
 * the CPU by CPU time). */
#include "bench_case_bits.h"
#include "bench_case_dense.h"
#include "bench_case_logit.h"
#include "bench_case_maps.h"
#include "bench_case_near.h"
#include "bench_case_series.h"
#include "bench_case_spin.h"
#include "bench_case_variogram.h"

typedef struct {
    const char *op, *work;
    double flops; /* the least an op must do: a multiply-add counts two, a power one, integers none */
    enum { F64, F32, F32_ON_CPU } arithmetic; /* what most of them are done in */
    nep_status (*make)(state *s);
    nep_status (*run)(state *s);
    nep_status (*check)(state *s, double *worst); /* largest error, in units that must stay below 1 */
} row;

#define FUNCTIONS(op) op##_make, op##_run, op##_check
static const row rows[] = {
    {"occupancy", "4,000,000 values", 4.0 * OCC, F64, FUNCTIONS(occupancy)},
    {"parcel_sums", "40 volumes x 400,000 voxels, 400 regions", 1.0 * VOLUMES * VOXELS, F64, FUNCTIONS(parcel_sums)},
    {"weighted_sums", "40 volumes x 400,000 voxels, 400 lists, each voxel in 4", 2.0 * OVERLAP * VOLUMES * VOXELS, F64,
     FUNCTIONS(weighted_sums)},
    {"sparse_product", "20,000 x 400 with 370,000 entries on 400 x 64", 2.0 * SP_ENTRIES * SP_COLS, F64, FUNCTIONS(sparse_product)},
    {"moments", "300 x 100,000", 4.0 * T * V, F64, FUNCTIONS(moments)},
    {"apply_operator", "300 x 300 on 300 x 100,000", 2.0 * T * T * V, F32_ON_CPU, FUNCTIONS(apply_operator)},
    {"amplitude_sums", "300 x 100,000, all bins", 4.0 * (HALF + 1) * HALF * V, F64, FUNCTIONS(amplitude_sums)},
    {"gram", "1200 x 1000", 1.0 * GT * GN * GN, F64, FUNCTIONS(gram)},
    {"difference_squares", "300 x 100,000, weighted", 4.0 * T * V, F64, FUNCTIONS(difference_squares)},
    {"permute_t", "100 x 50,000, 4 nuisance columns, 200 permutations", 2.0 * PN * PV * PP * (1 + PK), F32_ON_CPU,
     FUNCTIONS(permute_t)},
    {"tanimoto", "1,000 x 20,000 fingerprints of 1,024 bits", 0, F64, FUNCTIONS(tanimoto)},
    {"quadratic_forms", "130,000 vectors, 19 forms of 19 x 19", 1.0 * QN * QM * QP * (QP + 1), F64,
     FUNCTIONS(quadratic_forms)},
    {"exceedances", "2,000 rows x 10,000 nulls, 19 wide", 2.0 * EN * EP * ENULL, F64, FUNCTIONS(exceedances)},
    {"best_pair", "26 x 100,000, 100 pairs", 4.0 * BT * BV * BN, F64, FUNCTIONS(best_pair)},
    {"resample", "4 volumes of 91 x 109 x 91, cubic", 2.0 * 84 * RN * RV, F64, FUNCTIONS(resample)},
    {"smooth_axis", "4 volumes of 91 x 109 x 91, slowest axis, 17 weights", 3.0 * SR * RN * RV, F64,
     FUNCTIONS(smooth_axis)},
    {"lag_products", "24 rows on 300 x 100,000", 2.0 * (LQ + 2) * T * V, F64, FUNCTIONS(lag_products)},
    {"time_ranks", "300 x 100,000", 0, F64, FUNCTIONS(time_ranks)},
    {"neighbour_ranks", "27 neighbours, 300 x 97,336", 0, F64, FUNCTIONS(neighbour_ranks)},
    {"paired_dots", "300 x 100,000, mirrored pairs", 2.0 * T * V, F64, FUNCTIONS(paired_dots)},
    {"permute_maps", "100 x 20,000, 1 nuisance column, 200 permutations", 2.0 * PN * MV * PP * (1 + MK), F64,
     FUNCTIONS(permute_maps)},
    {"pair_sums", "6,000 rows of 300: count, sum, z", 1.0 * UN * UN * UT, F32, FUNCTIONS(pair_sums)},
    {"top_pairs", "6,000 rows of 300, the 10 nearest", 1.0 * UN * UN * UT, F32, FUNCTIONS(top_pairs)},
    {"project_rows", "6,000 rows of 300 on 32", 2.0 * UN * UT * UM, F64, FUNCTIONS(project_rows)},
    {"bit_hits", "1 query, 400,000 rows of 2,048 bits", 0, F64, FUNCTIONS(bit_hits)},
    {"dense_hits", "256 queries, 40,000 rows of 256", 2.0 * DQ * DN * DD, F32, FUNCTIONS(dense_hits)},
    {"dense_scores", "100,000 pairs of 256", 2.0 * DPAIRS * DD, F64, FUNCTIONS(dense_scores)},
    {"pair_squares", "9 maps of 400 points x 256, 20,000 pairs, 192 bins, 4 moments", 9.0 * VM * VPAIRS * VC, F64, FUNCTIONS(pair_squares)},
    {"logit_sums", "8 draws of 24,000 rows of 41 in 16 groups", 1.0 * LD * LN * LW * (LW + 5), F64, FUNCTIONS(logit_sums)},
    {"spin_nearest", "100 turns of 10,242 vertices", 23.0 * STURNS * SN, F64, FUNCTIONS(spin_nearest)},
    {"spin_greedy", "1,000 turns of 200 regions", 9.0 * GREEDY_TURNS * GREEDY_N * GREEDY_N, F64, FUNCTIONS(spin_greedy)},
    {"shell_smooth", "16 shuffles of 125,000 voxels, 924 neighbours", NV_ADDS * NVOX * N_COLS, F32, FUNCTIONS(shell_smooth)},
    {"shell_squares", "5 x 16 maps of 125,000 voxels, 500 of them, 27 shells", 4.0 * 750 * N_SAMPLE * N_MAPS * N_COLS, F64,
     FUNCTIONS(shell_squares)},
    {"list_smooth", "16 shuffles of 10,000 vertices, 1,000 neighbours", 2.0 * NL_ADDS * NLIST * N_COLS, F64, FUNCTIONS(list_smooth)},
    {"list_squares", "5 x 16 maps of 10,000 vertices, 500 of them, 700 pairs each, 25 lags",
     2.0 * NL_PAIRS * N_SAMPLE * N_MAPS * N_COLS * NEP_VARIOGRAM_LAGS, F64, FUNCTIONS(list_squares)},
    {"mode_sums", "2,000 maps of 399 modes at 400 places", 2.0 * MODES * PLACES * SURROGATES, F64, FUNCTIONS(mode_sums)},
    {"sparse_chebyshev", "degree 40 of a grid of 48 x 48 x 48 on 16 columns", 16.0 * CHEB_N * CHEB_COLS * CHEB_DEGREE, F64,
     FUNCTIONS(sparse_chebyshev)},
};
_Static_assert(NEP_LEN(rows) == NEP_OP_COUNT, "an op without a benchmark does not compile");

/* `runs` in a row, then waited for: a word of the first buffer is fetched. */
static nep_status run_many(state *s, const row *r, int runs)
{
    double word;
    for (int i = 0; i < runs; i++)
        NEP_TRY(r->run(s));
    return s->be->download(s->ctx, &word, s->b[0].ptr, 4);
}

/* Of one run, the best of many. A device is given runs for 2 ms at a time, so that waiting for it is not what is timed. */
static nep_status time_row(state *s, const row *r, bench_time *best, int *batch)
{
    double spent = 0;
    *batch = 1;
    for (int i = 0; i < 5 || (spent < 1 && i < 1000); i++) {
        const bench_time start = bench_now();
        NEP_TRY(run_many(s, r, *batch));
        const bench_time now = bench_now(), took = {(now.wall - start.wall) / *batch, (now.cpu - start.cpu) / *batch};
        if (i == 0 || (s->be->host ? took.cpu < best->cpu : took.wall < best->wall))
            *best = took;
        spent += now.wall - start.wall;
        if (!s->be->host && i == 1)
            *batch = best->wall > 2e-3 ? 1 : best->wall < 2e-5 ? 100 : (int)(2e-3 / best->wall);
    }
    return NEP_OK;
}

/* Inputs read once, results written once. */
static double bytes_of(const state *s)
{
    double bytes = 0;
    for (int i = 0; i < BUFS; i++)
        if (s->b[i].be)
            bytes += (double)s->b[i].n * (double)nep_dtype_size(s->b[i].dtype);
    return bytes;
}

static void report_row(const state *s, const row *r, const bench_ceilings *c, double worst, bench_time best, int batch)
{
    char fields[1024], name[64];
    const bool single = r->arithmetic == F32 || (r->arithmetic == F32_ON_CPU && s->be->host);
    const double peak = single ? c->f32_gflops : c->f64_gflops, bytes = bytes_of(s);
    const double by_flops = r->flops / (peak * 1e9), by_bytes = bytes / (c->copy_gbs * 1e9);
    const double floor_s = by_flops > by_bytes ? by_flops : by_bytes;
    const double took = s->be->host ? best.cpu / nep_ctx_threads(s->ctx) : best.wall;
    snprintf(fields, sizeof fields,
             "\"check\": %.2g, \"seconds_wall\": %.7f, \"seconds_cpu\": %.7f, \"runs_per_wait\": %d, \"bytes\": %.0f, "
             "\"flops\": %.0f, \"arithmetic\": \"%s\", \"copy_gbs\": %.1f, \"f64_gflops\": %.1f, \"f32_gflops\": %.1f, "
             "\"floor_memory_s\": %.7f, \"floor_arithmetic_s\": %.7f, \"floor_s\": %.7f, \"bound\": \"%s\", \"of_floor\": %.3f",
             worst, best.wall, best.cpu, batch, bytes, r->flops, single ? "float32" : "float64", c->copy_gbs,
             c->f64_gflops, c->f32_gflops, by_bytes, by_flops, floor_s, by_flops > by_bytes ? "arithmetic" : "memory",
             floor_s / took);
    snprintf(name, sizeof name, "op %s", r->op);
    bench_report(s->ctx, name, r->work, fields);
}

static nep_status bench_row(state *s, const row *r, const bench_ceilings *c)
{
    bench_time best = {0, 0};
    double worst = 0;
    int batch = 1;
    NEP_TRY(r->make(s));
    NEP_TRY(run_many(s, r, 1));
    NEP_TRY(r->check(s, &worst));
    NEP_REQUIRE(s->ctx, worst <= 1, NEP_E_INTERNAL, "%s: wrong by %g times what is allowed", r->op, worst);
    NEP_TRY(time_row(s, r, &best, &batch));
    report_row(s, r, c, worst, best, batch);
    return NEP_OK;
}

/* The first of the named ops that there is not, or NULL. */
static const char *unknown(int argc, char **argv)
{
    for (int i = 2; i < argc; i++) {
        bool found = false;
        for (int k = 0; k < NEP_LEN(rows); k++)
            found = found || strcmp(argv[i], rows[k].op) == 0;
        if (!found)
            return argv[i];
    }
    return NULL;
}

static bool wanted(const char *op, int argc, char **argv)
{
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], op) == 0)
            return true;
    return argc <= 2;
}

int main(int argc, char **argv)
{
    const char *device = argc > 1 ? argv[1] : "cpu";
    bench_ceilings c;
    state s = {0};
    nep_status st;
    if (nep_ctx_create(NULL, &s.ctx) != NEP_OK)
        return 70;
    NEP_REQUIRE_OR_DONE(st, s.ctx, !unknown(argc, argv), NEP_E_ARG, "there is no op '%s'", unknown(argc, argv));
    NEP_TRY_OR_DONE(st, nep_backend_choose(s.ctx, device));
    s.be = nep_ctx_backend(s.ctx);
    NEP_TRY_OR_DONE(st, bench_ceilings_measure(s.ctx, &c));
    for (int i = 0; i < NEP_LEN(rows); i++) {
        if (!wanted(rows[i].op, argc, argv))
            continue;
        st = bench_row(&s, &rows[i], &c);
        clear(&s);
        if (st != NEP_OK)
            goto done;
        fflush(stdout);
    }
done:
    if (st != NEP_OK)
        fprintf(stderr, "bench_ops: %s\n", nep_ctx_error(s.ctx));
    nep_ctx_free(s.ctx);
    return st == NEP_OK ? 0 : nep_status_exit(st);
}
