/* SPDX-License-Identifier: Apache-2.0 */
/* rephetio - the published drug-disease model of Hetionet: its features over a network, its coefficients, its probabilities. */
#include "graph/legs.h"

#include <math.h>
#include <string.h>

void nep_rephetio_model_free(nep_rephetio_model *m)
{
    nep_data_free_names(m->feature, m->n);
    nep_alloc_free(m->coefficient);
    *m = (nep_rephetio_model){0};
}

void nep_rephetio_free(nep_rephetio *r)
{
    nep_alloc_free(r->compound);
    nep_alloc_free(r->disease);
    nep_alloc_free(r->probability);
    nep_alloc_free(r->term);
    *r = (nep_rephetio){0};
}

static const char *after(const char *text, const char *start)
{
    const size_t n = strlen(start);
    return strncmp(text, start, n) == 0 ? text + n : NULL;
}

/* Row i of the table into the model; which of the two needed rows it was is told by `seen`. */
static nep_status read_row(nep_ctx *ctx, const nep_table *t, int64_t i, int64_t name, int64_t number, nep_rephetio_model *m, bool seen[2])
{
    const char *feature = nep_table_cell(t, i, name);
    double v;
    NEP_TRY(nep_table_number(ctx, t, i, number, &v));
    if (!feature || !isfinite(v))
        return nep_ctx_fail_file(ctx, NEP_E_FORMAT, t->path, "%s: line %lld: a feature needs a name and a coefficient", t->path, (long long)i + 2);
    if (strcmp(feature, "intercept") == 0) {
        m->intercept = v;
        seen[0] = true;
        return NEP_OK;
    }
    if (strcmp(feature, "prior_logit") == 0) {
        m->prior = v;
        seen[1] = true;
        return NEP_OK;
    }
    if (!after(feature, "dwpc_") && !after(feature, "degree_"))
        return nep_ctx_fail_file(ctx, NEP_E_FORMAT, t->path, "%s: line %lld: '%.60s' is no feature; dwpc_<metapath> or degree_<metaedge>", t->path,
                                 (long long)i + 2, feature);
    m->coefficient[m->n] = v;
    return nep_alloc_string(ctx, feature, &m->feature[m->n++]);
}

nep_status nep_rephetio_from_table(nep_ctx *ctx, const nep_table *t, nep_rephetio_model *out)
{
    nep_rephetio_model m = {0};
    int64_t name, number;
    bool seen[2] = {false, false};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_table_need(ctx, t, "feature", &name));
    NEP_TRY_OR_DONE(st, nep_table_need(ctx, t, "coefficient", &number));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, t->n_rows, sizeof *m.feature, "model", &m.feature));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, t->n_rows, sizeof *m.coefficient, "model", &m.coefficient));
    for (int64_t i = 0; i < t->n_rows; i++)
        NEP_TRY_OR_DONE(st, read_row(ctx, t, i, name, number, &m, seen));
    if (!seen[0] || !seen[1]) {
        st = nep_ctx_fail_file(ctx, NEP_E_FORMAT, t->path, "%s: has no row '%s'", t->path, seen[0] ? "prior_logit" : "intercept");
        goto done;
    }
    *out = m;
    m = (nep_rephetio_model){0};
done:
    nep_rephetio_model_free(&m);
    return st;
}

/* ---- the network ---- */

/* Nodes of a kind that have an edge of any metaedge. */
static nep_status linked_nodes(nep_ctx *ctx, const nep_network *net, int64_t kind, int32_t **node, int64_t *n)
{
    NEP_TRY(nep_alloc(ctx, net->kind[kind].n, sizeof **node, "nodes", node));
    *n = 0;
    for (int64_t i = 0; i < net->kind[kind].n; i++) {
        bool linked = false;
        for (int64_t m = 0; m < net->n_metaedges && !linked; m++)
            linked = (net->metaedge[m].from == kind && nep_network_degree(net, m, false, i) > 0) ||
                     (net->metaedge[m].to == kind && nep_network_degree(net, m, true, i) > 0);
        if (linked)
            (*node)[(*n)++] = (int32_t)i;
    }
    return NEP_OK;
}

typedef struct {
    nep_ctx *ctx;
    const nep_network *net;
    const nep_dwpc_opts *opts;
    nep_rephetio *r;
    double *all;   /* [all compounds, all diseases] of one metapath */
} job;

/* All metapaths of the model at once: what the network lacks is named before anything is computed. */
static nep_status parse_features(nep_ctx *ctx, const nep_network *net, const nep_rephetio_model *m, int64_t compound, int64_t disease, nep_metapath *path)
{
    for (int64_t f = 0; f < m->n; f++) {
        const char *dwpc = after(m->feature[f], "dwpc_"), *degree = after(m->feature[f], "degree_");
        NEP_TRY(nep_metapath_parse(ctx, net, dwpc ? dwpc : degree, &path[f]));
        const bool fits = path[f].kind[0] == compound && (dwpc ? path[f].kind[path[f].length] == disease : path[f].length == 1);
        NEP_REQUIRE(ctx, fits, NEP_E_FORMAT, "rephetio: the feature %s is not one of compounds%s", m->feature[f], dwpc ? " and diseases" : "");
    }
    return NEP_OK;
}

static nep_status find_pairs(job *j, int64_t *compound, int64_t *disease)
{
    nep_rephetio *r = j->r;
    *compound = nep_network_find_kind(j->net, "C");
    *disease = nep_network_find_kind(j->net, "D");
    const int64_t treats = nep_network_find_metaedge(j->net, "CtD");
    NEP_REQUIRE(j->ctx, *compound >= 0 && *disease >= 0 && treats >= 0, NEP_E_FORMAT,
                "rephetio: the network needs compounds (C), diseases (D) and treatments (CtD); it lacks %s", *compound < 0 ? "C" : *disease < 0 ? "D" : "CtD");
    NEP_TRY(linked_nodes(j->ctx, j->net, *compound, &r->compound, &r->n_compounds));
    NEP_TRY(linked_nodes(j->ctx, j->net, *disease, &r->disease, &r->n_diseases));
    const bool *hidden = nep_legs_hidden(j->opts, treats);
    int64_t treated = 0;
    for (int64_t e = 0; e < j->net->metaedge[treats].n; e++)
        treated += !(hidden && hidden[e]);
    const int64_t pairs = r->n_compounds * r->n_diseases;
    NEP_REQUIRE(j->ctx, treated > 0 && treated < pairs, NEP_E_FORMAT, "rephetio: %lld of %lld pairs are treated (CtD); the prior needs some and not all",
                (long long)treated, (long long)pairs);
    r->prevalence = (double)treated / (double)pairs;
    return NEP_OK;
}

/* Values of one feature over all pairs, before any scaling. */
static nep_status measure(job *j, const nep_metapath *path, bool degree, double *x)
{
    const nep_rephetio *r = j->r;
    const nep_metapath_step *s = &path->step[0];
    if (!degree)
        NEP_TRY(nep_dwpc_matrix(j->ctx, j->net, path, j->opts, j->all, NULL));
    const nep_network_metaedge *m = &j->net->metaedge[s->metaedge];
    const nep_network_side *side = s->reverse ? &m->in : &m->out;
    const bool *hidden = nep_legs_hidden(j->opts, s->metaedge);
    const int64_t n_all = degree ? 0 : j->net->kind[path->kind[path->length]].n;
    for (int64_t c = 0; c < r->n_compounds; c++) {
        double *row = x + c * r->n_diseases;
        int64_t edges = 0;
        for (int64_t k = side->start[r->compound[c]]; degree && k < side->start[r->compound[c] + 1]; k++)
            edges += !(hidden && hidden[side->edge[k]]);
        for (int64_t d = 0; d < r->n_diseases; d++)
            row[d] = degree ? (double)edges : j->all[r->compound[c] * n_all + r->disease[d]];
    }
    return NEP_OK;
}

/* asinh(x / mean) - of a degree asinh(x) - and then (x - mean) / SD, whose divisor is pairs - 1, times the coefficient. A feature that is
 * the same everywhere says nothing: 0. Sums run in one order, whatever the threads. */
static void scale(double *x, int64_t n, bool degree, double coefficient)
{
    double sum = 0.0, squares = 0.0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i];
    const double divisor = degree ? 1.0 : sum / (double)n;
    sum = 0.0;
    for (int64_t i = 0; i < n; i++) {
        x[i] = x[i] == 0.0 ? 0.0 : asinh(x[i] / divisor);
        sum += x[i];
    }
    const double mean = sum / (double)n;
    for (int64_t i = 0; i < n; i++)
        squares += (x[i] - mean) * (x[i] - mean);
    const double sd = sqrt(squares / (double)(n - 1));
    for (int64_t i = 0; i < n; i++)
        x[i] = sd > 0.0 ? coefficient * ((x[i] - mean) / sd) : 0.0;
}

static bool is_degree(const nep_rephetio_model *m, int64_t f)
{
    return after(m->feature[f], "degree_") != NULL;
}

static nep_status compute(job *j, const nep_rephetio_model *m, const nep_metapath *path)
{
    nep_rephetio *r = j->r;
    const int64_t n = r->n_compounds * r->n_diseases;
    const double start = m->intercept + m->prior * log(r->prevalence / (1.0 - r->prevalence));
    NEP_TRY(nep_alloc(j->ctx, n, sizeof *r->probability, "predictions", &r->probability));
    NEP_TRY(nep_alloc(j->ctx, m->n * n, sizeof *r->term, "features of all pairs", &r->term));
    r->n_terms = m->n;
    for (int64_t f = 0; f < m->n; f++) {
        NEP_TRY(nep_ctx_check(j->ctx));
        NEP_TRY(measure(j, &path[f], is_degree(m, f), r->term + f * n));
    }
#pragma omp parallel for schedule(dynamic, 1) num_threads(nep_ctx_threads(j->ctx))
    for (int64_t f = 0; f < m->n; f++)
        scale(r->term + f * n, n, is_degree(m, f), m->coefficient[f]);
    for (int64_t i = 0; i < n; i++) {
        double logit = start;
        for (int64_t f = 0; f < m->n; f++)
            logit += r->term[f * n + i];
        r->probability[i] = 1.0 / (1.0 + exp(-logit));
    }
    return NEP_OK;
}

nep_status nep_rephetio_predict(nep_ctx *ctx, const nep_network *net, const nep_rephetio_model *model, const nep_dwpc_opts *opts, bool terms,
                                nep_rephetio *out)
{
    static const nep_dwpc_opts defaults = NEP_DWPC_DEFAULTS;
    nep_rephetio r = {0};
    job j = {.ctx = ctx, .net = net, .opts = opts ? opts : &defaults, .r = &r};
    nep_metapath *path = NULL;
    int64_t compound, disease;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_legs_check(ctx, net, j.opts));
    NEP_TRY_OR_DONE(st, find_pairs(&j, &compound, &disease));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, model->n, sizeof *path, "metapaths", &path));
    NEP_TRY_OR_DONE(st, parse_features(ctx, net, model, compound, disease, path));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, net->kind[compound].n * net->kind[disease].n, sizeof *j.all, "path counts", &j.all));
    NEP_TRY_OR_DONE(st, compute(&j, model, path));
    if (!terms) {
        nep_alloc_free(r.term);
        r.term = NULL;
        r.n_terms = 0;
    }
    *out = r;
    r = (nep_rephetio){0};
done:
    nep_alloc_free(path);
    nep_alloc_free(j.all);
    nep_rephetio_free(&r);
    return st;
}
