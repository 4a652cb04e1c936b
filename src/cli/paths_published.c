/* SPDX-License-Identifier: Apache-2.0 */
/* paths_published - the published drug-disease model of Hetionet over a network: its probabilities, or the terms of one. */
#include "cli/paths.h"

#include <math.h>

#include <nepenthe/io.h>

#include "cli/network.h"
#include "cli/spawn.h"
#include "cli/tabular.h"

static nep_status read_model(cli *c, nep_rephetio_model *out)
{
    char folder[4096], path[4200];
    nep_table t = {0};
    nep_status st;
    NEP_TRY(cli_data_folder(c, folder, sizeof folder));
    snprintf(path, sizeof path, "%s/rephetio.tsv", folder);
    NEP_TRY_OR_DONE(st, nep_tsv_read(cli_ctx(c), path, &t));
    NEP_TRY_OR_DONE(st, nep_rephetio_from_table(cli_ctx(c), &t, out));
    st = cli_input_add(c, path);
done:
    nep_table_free(&t);
    return st;
}

static nep_status write_all(cli_paths *p, const nep_rephetio *r)
{
    nep_ctx *ctx = cli_ctx(p->c);
    const int64_t c = nep_network_find_kind(&p->net, "C"), d = nep_network_find_kind(&p->net, "D"), most = r->n_compounds * r->n_diseases;
    const char **text[4] = {NULL};
    double *probability = NULL;
    int64_t n = 0;
    nep_status st;
    for (int i = 0; i < 4; i++)
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, most, sizeof **text, "paths: rows", &text[i]));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, most, sizeof *probability, "paths: rows", &probability));
    for (int64_t i = 0; i < most; i++) {
        const int64_t drug = r->compound[i / r->n_diseases], disease = r->disease[i % r->n_diseases];
        if ((p->from >= 0 && p->from != drug) || (p->to >= 0 && p->to != disease))
            continue;
        text[0][n] = p->net.kind[c].node[drug];
        text[1][n] = p->net.kind[d].node[disease];
        text[2][n] = cli_network_name(&p->net, c, drug);
        text[3][n] = cli_network_name(&p->net, d, disease);
        probability[n++] = r->probability[i];
    }
    const cli_column columns[] = {{"source", text[0], NULL}, {"target", text[1], NULL}, {"probability", NULL, probability}, {"source_name", text[2], NULL}, {"target_name", text[3], NULL}};
    st = cli_tabular_emit(p->c, "predictions", columns, NEP_LEN(columns), n, json_pack("{s:f}", "prevalence", r->prevalence));
done:
    for (int i = 0; i < 4; i++)
        nep_alloc_free(text[i]);
    nep_alloc_free(probability);
    return st;
}

/* Cell of the pair of --from and --to, -1 when one of the two has no edge at all. */
static int64_t cell_of(const cli_paths *p, const nep_rephetio *r)
{
    for (int64_t i = 0; i < r->n_compounds; i++)
        for (int64_t k = 0; r->compound[i] == p->from && k < r->n_diseases; k++)
            if (r->disease[k] == p->to)
                return i * r->n_diseases + k;
    return -1;
}

static nep_status write_terms(cli_paths *p, const nep_rephetio_model *m, const nep_rephetio *r)
{
    nep_ctx *ctx = cli_ctx(p->c);
    const int64_t at = cell_of(p, r), n_pairs = r->n_compounds * r->n_diseases, n = m->n + 2;
    const char **feature = NULL;
    double *term = NULL;
    nep_status st;
    NEP_REQUIRE(ctx, at >= 0, NEP_E_ARG, "--from, --to: a node without any edge is not ranked");
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *feature, "paths: rows", &feature));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *term, "paths: rows", &term));
    feature[0] = "intercept";
    term[0] = m->intercept;
    feature[1] = "prior_logit";
    term[1] = m->prior * log(r->prevalence / (1 - r->prevalence));
    for (int64_t f = 0; f < m->n; f++) {
        feature[f + 2] = m->feature[f];
        term[f + 2] = r->term[f * n_pairs + at];
    }
    const cli_column columns[] = {{"feature", feature, NULL}, {"term", NULL, term}};
    cli_say(p->c, "probability %.6g: the logistic of the sum of the terms", r->probability[at]);
    st = cli_tabular_emit(p->c, "terms", columns, NEP_LEN(columns), n, json_pack("{s:f}", "probability", r->probability[at]));
done:
    nep_alloc_free(feature);
    nep_alloc_free(term);
    return st;
}

nep_status cli_paths_published(cli_paths *p)
{
    const bool one = p->from >= 0 && p->to >= 0;
    nep_rephetio_model m = {0};
    nep_rephetio r = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, read_model(p->c, &m));
    NEP_TRY_OR_DONE(st, nep_rephetio_predict(cli_ctx(p->c), &p->net, &m, &p->opts, one, &r));
    st = one ? write_terms(p, &m, &r) : write_all(p, &r);
done:
    nep_rephetio_free(&r);
    nep_rephetio_model_free(&m);
    return st;
}
