/* SPDX-License-Identifier: Apache-2.0 */
/* paths_pairs - path counts of all pairs that have a path, and of the same pairs in permuted networks. */
#include "cli/paths.h"

#include <math.h>

#include "cli/network.h"
#include "cli/tabular.h"

typedef struct {
    const char **metapath, **source, **source_name, **target, **target_name;
    double *dwpc, *paths;
    double *mean, *sd, *reached; /* of permuted networks: first sums and sums of squares */
    int64_t *at;                 /* cell of the matrix of its metapath */
    int64_t n, room;
} rows;

static void rows_free(rows *t)
{
    void *const parts[] = {t->metapath, t->source, t->source_name, t->target, t->target_name, t->dwpc, t->paths, t->mean, t->sd, t->reached, t->at};
    for (int i = 0; i < NEP_LEN(parts); i++)
        nep_alloc_free(parts[i]);
}

static nep_status rows_grow(nep_ctx *ctx, rows *t)
{
    const char ***const texts[] = {&t->metapath, &t->source, &t->source_name, &t->target, &t->target_name};
    double **const numbers[] = {&t->dwpc, &t->paths, &t->mean, &t->sd, &t->reached};
    if (t->n < t->room)
        return NEP_OK;
    t->room = 2 * t->room + 1024;
    for (int i = 0; i < NEP_LEN(texts); i++)
        NEP_TRY(nep_alloc_grow(ctx, t->room, sizeof(char *), "paths: rows", texts[i]));
    for (int i = 0; i < NEP_LEN(numbers); i++)
        NEP_TRY(nep_alloc_grow(ctx, t->room, sizeof(double), "paths: rows", numbers[i]));
    return nep_alloc_grow(ctx, t->room, sizeof *t->at, "paths: rows", &t->at);
}

typedef struct {
    double *dwpc, *paths; /* of one metapath */
    rows t;
    int64_t *start;       /* [n + 1] rows of each metapath */
} job;

static nep_status add_rows(cli_paths *p, int i, job *j)
{
    const nep_metapath *m = &p->path[i];
    const int64_t first = m->kind[0], last = m->kind[m->length], n_to = p->net.kind[last].n;
    rows *t = &j->t;
    for (int64_t a = p->from < 0 ? 0 : p->from; a < (p->from < 0 ? p->net.kind[first].n : p->from + 1); a++)
        for (int64_t b = p->to < 0 ? 0 : p->to; b < (p->to < 0 ? n_to : p->to + 1); b++) {
            const int64_t at = a * n_to + b;
            if (j->paths[at] == 0.0)
                continue;
            NEP_TRY(rows_grow(cli_ctx(p->c), t));
            t->metapath[t->n] = p->text[i];
            t->source[t->n] = p->net.kind[first].node[a];
            t->source_name[t->n] = cli_network_name(&p->net, first, a);
            t->target[t->n] = p->net.kind[last].node[b];
            t->target_name[t->n] = cli_network_name(&p->net, last, b);
            t->dwpc[t->n] = j->dwpc[at];
            t->paths[t->n] = j->paths[at];
            t->at[t->n++] = at;
        }
    j->start[i + 1] = t->n;
    return NEP_OK;
}

static nep_status observe(cli_paths *p, job *j)
{
    nep_ctx *ctx = cli_ctx(p->c);
    for (int i = 0; i < p->n; i++) {
        NEP_TRY(nep_dwpc_matrix(ctx, &p->net, &p->path[i], &p->opts, j->dwpc, j->paths));
        NEP_TRY(add_rows(p, i, j));
    }
    return NEP_OK;
}

/* Every metaedge of a metapath anew, each from the permuted one before. */
static nep_status permute(cli_paths *p, uint64_t number)
{
    for (int64_t m = 0; m < p->net.n_metaedges; m++) {
        bool used = false;
        for (int i = 0; i < p->n; i++)
            for (int s = 0; s < p->path[i].length; s++)
                used |= p->path[i].step[s].metaedge == m;
        if (used)
            NEP_TRY(nep_xswap_permute(cli_ctx(p->c), &p->net, m, 10, number, NULL));
    }
    return NEP_OK;
}

static nep_status compare(cli_paths *p, job *j, int64_t n_permuted)
{
    nep_ctx *ctx = cli_ctx(p->c);
    rows *t = &j->t;
    for (int64_t number = 1; number <= n_permuted; number++) {
        NEP_TRY(permute(p, (uint64_t)number));
        for (int i = 0; i < p->n; i++) {
            NEP_TRY(nep_dwpc_matrix(ctx, &p->net, &p->path[i], &p->opts, j->dwpc, NULL));
            for (int64_t r = j->start[i]; r < j->start[i + 1]; r++) {
                const double x = j->dwpc[t->at[r]];
                t->mean[r] += x;
                t->sd[r] += x * x;
                t->reached[r] += x >= t->dwpc[r] * (1 - 1e-10);
            }
        }
        nep_progress_step(ctx, number);
    }
    for (int64_t r = 0; r < t->n; r++) {
        const double n = (double)n_permuted, mean = t->mean[r] / n, squares = t->sd[r] - n * mean * mean;
        t->sd[r] = n_permuted > 1 ? sqrt(squares > 0 ? squares / (n - 1) : 0) : (double)NAN;
        t->mean[r] = mean;
    }
    return NEP_OK;
}

static nep_status make_rows(cli_paths *p, int64_t n_permuted, job *j)
{
    nep_ctx *ctx = cli_ctx(p->c);
    const int64_t cells = p->net.kind[p->path[0].kind[0]].n * p->net.kind[p->path[0].kind[p->path[0].length]].n;
    NEP_TRY(nep_alloc(ctx, cells, sizeof *j->dwpc, "paths: counts", &j->dwpc));
    NEP_TRY(nep_alloc(ctx, cells, sizeof *j->paths, "paths: counts", &j->paths));
    NEP_TRY(nep_alloc(ctx, p->n + 1, sizeof *j->start, "paths: rows", &j->start));
    NEP_TRY(observe(p, j));
    if (n_permuted == 0)
        return NEP_OK;
    nep_progress_open(ctx, "permuted networks", n_permuted);
    const nep_status st = compare(p, j, n_permuted);
    nep_progress_close(ctx);
    return st;
}

nep_status cli_paths_pairs(cli_paths *p, int64_t n_permuted)
{
    job j = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, make_rows(p, n_permuted, &j));
    const rows *t = &j.t;
    const cli_column columns[] = {{"metapath", t->metapath, NULL},       {"source", t->source, NULL}, {"target", t->target, NULL},
                                  {"dwpc", NULL, t->dwpc},               {"n_paths", NULL, t->paths}, {"source_name", t->source_name, NULL},
                                  {"target_name", t->target_name, NULL}, {"null_mean", NULL, t->mean}, {"null_sd", NULL, t->sd},
                                  {"null_reached", NULL, t->reached}};
    st = cli_tabular_emit(p->c, "pairs", columns, NEP_LEN(columns) - (n_permuted ? 0 : 3), t->n, NULL);
done:
    rows_free(&j.t);
    nep_alloc_free(j.dwpc);
    nep_alloc_free(j.paths);
    nep_alloc_free(j.start);
    return st;
}
