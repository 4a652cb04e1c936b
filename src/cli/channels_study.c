/* SPDX-License-Identifier: Apache-2.0 */
/* channels_study - what every channel says of every drug of a study, before anything is fused. */
#include "cli/channels.h"

#include <math.h>

#include "cli/study_load.h"
#include "cli/study_tables.h"
#include "cli/tabular.h"

enum { MOST = 64, NAMED = 3 }; /* channels; columns that name the row */

typedef struct {
    const nep_channel *channel[MOST];
    int n;
    char se_name[MOST][64];
    double *value[MOST], *se[MOST]; /* [rows] */
    const char **disorder, **drug, **name;
    nep_label *own, *others;
} job;

static void close_job(job *j)
{
    for (int i = 0; i < j->n; i++) {
        nep_alloc_free(j->value[i]);
        nep_alloc_free(j->se[i]);
    }
    void *const all[] = {j->disorder, j->drug, j->name, j->own, j->others};
    for (int i = 0; i < NEP_LEN(all); i++)
        nep_alloc_free(all[i]);
}

static nep_status add(nep_ctx *ctx, const nep_channel *x, const nep_inputs *in, bool asked, job *j)
{
    const int64_t rows = nep_inputs_ranked(in) * in->n_drugs;
    if (nep_channel_missing(x, in)) {
        NEP_REQUIRE(ctx, !asked, NEP_E_CONFIG, "study: channel %s needs a table that the study does not name; `nepenthe channels` tells which",
                    x->name);
        nep_warn(ctx, "channel %s is left out: the study lacks what it needs", x->name);
        return NEP_OK;
    }
    NEP_REQUIRE(ctx, j->n < MOST, NEP_E_INTERNAL, "channels: more than %d", MOST);
    const int i = j->n++;
    j->channel[i] = x;
    snprintf(j->se_name[i], sizeof j->se_name[i], "%s_se", x->name);
    NEP_TRY(nep_alloc(ctx, rows, sizeof(double), "channels: values", &j->value[i]));
    return nep_alloc(ctx, rows, sizeof(double), "channels: errors", &j->se[i]);
}

static nep_status choose(cli *c, const nep_inputs *in, job *j)
{
    int n = 0;
    const char *const *asked = cli_texts(c, "channels", &n);
    for (int i = 0; i < n; i++) {
        const nep_channel *x = nep_channel_find(asked[i]);
        NEP_REQUIRE(cli_ctx(c), x, NEP_E_USAGE, "--channels: there is no channel '%s'; `nepenthe channels` lists them", asked[i]);
        NEP_TRY(add(cli_ctx(c), x, in, true, j));
    }
    for (int i = 0; n == 0 && nep_evidence_table[i]; i++)
        NEP_TRY(add(cli_ctx(c), nep_evidence_table[i], in, false, j));
    NEP_REQUIRE(cli_ctx(c), j->n > 0, NEP_E_CONFIG, "study: no channel has the tables it needs; `nepenthe channels` tells which they are");
    return NEP_OK;
}

/* A channel leaves the scored drug's own label out. */
static nep_status score(nep_ctx *ctx, const nep_inputs *in, int64_t d, job *j)
{
    const int64_t n = in->n_drugs;
    const nep_visible labels = nep_visible_labels(in, d, j->own, j->others);
    for (int i = 0; i < j->n; i++) {
        const nep_channel *x = j->channel[i];
        nep_visible visible = labels;
        if (x->masks && !x->knows_drug && x->uses_labels)
            visible.mask = &in->itself;
        NEP_TRY(nep_channel_score(ctx, x, in, &visible, 0, j->value[i] + d * n, j->se[i] + d * n));
        NEP_TRY(nep_ctx_check(ctx));
    }
    for (int64_t k = 0; k < n; k++) {
        j->disorder[d * n + k] = in->disorder_ids[d];
        j->drug[d * n + k] = in->drugs->id[k];
        j->name[d * n + k] = in->drugs->names[k];
    }
    return NEP_OK;
}

static nep_status score_all(cli *c, const nep_inputs *in, job *j)
{
    nep_ctx *ctx = cli_ctx(c);
    const int64_t d = nep_inputs_ranked(in), n = in->n_drugs;
    NEP_TRY(nep_alloc(ctx, d * n, sizeof *j->disorder, "channels: rows", &j->disorder));
    NEP_TRY(nep_alloc(ctx, d * n, sizeof *j->drug, "channels: rows", &j->drug));
    NEP_TRY(nep_alloc(ctx, d * n, sizeof *j->name, "channels: rows", &j->name));
    NEP_TRY(nep_alloc(ctx, n, sizeof *j->own, "channels: labels", &j->own));
    NEP_TRY(nep_alloc(ctx, in->n_disorders * n, sizeof *j->others, "channels: labels", &j->others));
    nep_progress_open(ctx, "disorders", d);
    for (int64_t i = 0; i < d; i++) {
        nep_progress_step(ctx, i);
        NEP_TRY(score(ctx, in, i, j));
    }
    nep_progress_close(ctx);
    return NEP_OK;
}

/* Of how many drugs each channel speaks, per disorder. */
static json_t *coverage(const nep_inputs *in, const job *j)
{
    json_t *list = json_array();
    for (int i = 0; i < j->n; i++)
        for (int64_t d = 0; d < nep_inputs_ranked(in); d++) {
            int64_t there = 0;
            for (int64_t k = 0; k < in->n_drugs; k++)
                there += !isnan(j->value[i][d * in->n_drugs + k]);
            json_array_append_new(list, json_pack("{s:s,s:s,s:I,s:I}", "channel", j->channel[i]->name, "disorder", in->disorder_ids[d],
                                                  "n_drugs", (json_int_t)there, "of", (json_int_t)in->n_drugs));
        }
    return list;
}

static nep_status emit(cli *c, const cli_study *s, const job *j)
{
    cli_column columns[NAMED + 2 * MOST] = {{"disorder", j->disorder, NULL}, {"drug_id", j->drug, NULL}, {"name", j->name, NULL}};
    const nep_inputs *in = &s->inputs;
    json_t *extra = json_pack("{s:o}", "coverage", coverage(in, j));
    for (int i = 0; i < j->n; i++) {
        columns[NAMED + 2 * i] = (cli_column){j->channel[i]->name, NULL, j->value[i]};
        columns[NAMED + 2 * i + 1] = (cli_column){j->se_name[i], NULL, j->se[i]};
    }
    if (s->open_only)
        json_object_set_new(extra, "open_only", cli_study_open_json(s));
    return cli_tabular_emit(c, "values", columns, NAMED + 2 * j->n, nep_inputs_ranked(in) * in->n_drugs, extra);
}

nep_status cli_channels_study(cli *c)
{
    nep_ctx *ctx = cli_ctx(c);
    cli_study study = {0};
    job j = {0};
    nep_status st;

    NEP_TRY_OR_DONE(st, cli_study_load(ctx, cli_input(c, 0), nep_ctx_seed(ctx), cli_flag(c, "open-only"), &study));
    NEP_TRY_OR_DONE(st, cli_study_direction(c, &study));
    NEP_TRY_OR_DONE(st, cli_study_anatomy(c, &study));
    for (int64_t i = 0; i < study.n_files; i++)
        NEP_TRY_OR_DONE(st, cli_input_add(c, study.files[i]));
    NEP_TRY_OR_DONE(st, choose(c, &study.inputs, &j));
    NEP_TRY_OR_DONE(st, score_all(c, &study.inputs, &j));
    st = emit(c, &study, &j);
done:
    close_job(&j);
    cli_study_free(&study);
    return st;
}
