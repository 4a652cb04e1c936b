/* SPDX-License-Identifier: Apache-2.0 */
/* bench_graph DIR checks the probabilities of the published drug-disease model over Hetionet against what the peer left in DIR, then times all
 * of it after loading: 27 degree-weighted path counts, 3 degrees, scaling, logistic; and the first 10 and 20 of its features alone. */
#include "bench.h"

#include <math.h>

#include <nepenthe/graph.h>
#include <nepenthe/io.h>

enum { REPEATS = 9, PAIRS = 1538 * 136 };

static nep_status load(nep_ctx *ctx, const char *dir, nep_network *net, nep_rephetio_model *model)
{
    char path[4200];
    nep_table t = {0};
    snprintf(path, sizeof path, "%s/network.yaml", dir);
    NEP_TRY(nep_network_read(ctx, path, NULL, net));
    snprintf(path, sizeof path, "%s/rephetio.tsv", dir);
    NEP_TRY(nep_tsv_read(ctx, path, &t));
    const nep_status st = nep_rephetio_from_table(ctx, &t, model);
    nep_table_free(&t);
    return st;
}

/* Largest relative difference from the peer's probabilities. */
static nep_status check(nep_ctx *ctx, const char *dir, const nep_network *net, const nep_rephetio_model *model, double *worst)
{
    nep_rephetio r = {0};
    double *want = bench_load(dir, "graph_want.f64", PAIRS, sizeof *want);
    const nep_status st = nep_rephetio_predict(ctx, net, model, NULL, false, &r);
    for (int64_t i = 0; st == NEP_OK && i < PAIRS; i++) {
        const double off = r.n_compounds * r.n_diseases == PAIRS ? fabs(r.probability[i] / want[i] - 1) : (double)NAN;
        *worst = off <= *worst ? *worst : off; /* a NaN stays */
    }
    nep_rephetio_free(&r);
    free(want);
    return st;
}

static nep_status time_features(nep_ctx *ctx, const nep_network *net, const nep_rephetio_model *model, int64_t n, bench_time *best)
{
    nep_rephetio_model part = *model;
    part.n = n;
    for (int i = 0; i < REPEATS; i++) {
        nep_rephetio r = {0};
        const bench_time start = bench_now();
        NEP_TRY(nep_rephetio_predict(ctx, net, &part, NULL, false, &r));
        bench_keep(best, start);
        nep_rephetio_free(&r);
    }
    return NEP_OK;
}

/* Multiplications and additions of dense columns along every metapath, without the counting that tells where no path is: what a product of
 * sparse and dense matrices does. */
static nep_status operations(nep_ctx *ctx, const nep_network *net, const nep_rephetio_model *model, double *out)
{
    for (int64_t f = 0; f < model->n; f++) {
        nep_metapath p;
        if (strncmp(model->feature[f], "dwpc_", 5) != 0)
            continue;
        NEP_TRY(nep_metapath_parse(ctx, net, model->feature[f] + 5, &p));
        for (int s = 0; s < p.length; s++) {
            const nep_network_metaedge *m = &net->metaedge[p.step[s].metaedge];
            *out += 2.0 * 137 * (double)m->n * (m->from == m->to && !m->directed ? 2 : 1);
        }
    }
    return NEP_OK;
}

int main(int argc, char **argv)
{
    nep_ctx *ctx = NULL;
    nep_network net = {0};
    nep_rephetio_model model = {0};
    double worst = 0, work = 0;
    bench_time all = {0, 0};
    nep_status st;
    char fields[1024], ceilings[512], sizes[512] = "";

    if (argc != 2 || nep_ctx_create(NULL, &ctx) != NEP_OK)
        return 64;
    NEP_TRY_OR_DONE(st, nep_backend_choose(ctx, "cpu"));
    NEP_TRY_OR_DONE(st, load(ctx, argv[1], &net, &model));
    NEP_TRY_OR_DONE(st, check(ctx, argv[1], &net, &model, &worst));
    NEP_REQUIRE_OR_DONE(st, ctx, worst < 1e-9, NEP_E_INTERNAL, "graph: differs from the peer by %g", worst);
    NEP_TRY_OR_DONE(st, operations(ctx, &net, &model, &work));
    for (int64_t n = 10; n <= 30; n += 10) {
        bench_time best = {0, 0};
        NEP_TRY_OR_DONE(st, time_features(ctx, &net, &model, n, &best));
        bench_size(sizes, sizeof sizes, n, best);
        all = best;
    }
    bench_ceilings_json(ctx, ceilings, sizeof ceilings);
    snprintf(fields, sizeof fields,
             "\"check\": %.2g, \"check_tolerance\": 1e-9, \"seconds_wall\": %.4f, \"seconds_cpu\": %.4f, \"gflops_per_cpu_s\": %.3f, \"size\": "
             "\"features\", \"sizes\": [%s], %s",
             worst, all.wall, all.cpu, work / all.cpu * 1e-9, sizes, ceilings);
    bench_report(ctx, "graph", "the published model of Hetionet: 31 features of 209,168 pairs, after loading", fields);
done:
    if (st != NEP_OK)
        fprintf(stderr, "bench_graph: %s\n", nep_ctx_error(ctx));
    nep_rephetio_model_free(&model);
    nep_network_free(&net);
    nep_ctx_free(ctx);
    return st == NEP_OK ? 0 : nep_status_exit(st);
}
