/* SPDX-License-Identifier: Apache-2.0 */
/* rank_run.c - what `rank` and `evaluate` share: from the study file to a ranking. */
#include "cli/rank_run.h"

#include "cli/study_tables.h"

#include <math.h>
#include <string.h>

nep_status cli_rank_folder(cli *c, const char **folder)
{
    *folder = cli_out(c);
    NEP_REQUIRE(cli_ctx(c), *folder && strcmp(*folder, "-") != 0, NEP_E_USAGE,
                "%s: name the folder to write with -o DIR", cli_input(c, 0));
    return NEP_OK;
}

json_t *cli_rank_provenance(cli *c, const cli_study *study)
{
    json_t *p = cli_provenance(c, study->licences);
    if (study->open_only)
        json_object_set_new(p, "open_only", cli_study_open_json(study));
    return p;
}

static int64_t bootstrap_samples(const cli *c, const nep_study *study)
{
    return cli_given(c, "bootstrap") ? cli_int(c, "bootstrap") : study->bootstrap > 0 ? study->bootstrap : 2000;
}

nep_status cli_rank_run(cli *c, cli_study *study, bool imaging_only, nep_ranking **out)
{
    nep_ctx *ctx = cli_ctx(c);
    nep_ranking_opts opts = NEP_RANKING_DEFAULTS;
    const char *kinds[3] = {"moran", NULL, NULL};

    NEP_TRY(cli_study_load(ctx, cli_input(c, 0), nep_ctx_seed(ctx), cli_flag(c, "open-only"), study));
    NEP_TRY(cli_study_direction(c, study));
    NEP_TRY(cli_study_anatomy(c, study));
    for (int64_t i = 0; i < study->n_files; i++)
        NEP_TRY(cli_input_add(c, study->files[i]));
    opts.study_name = study->study.name;
    opts.study_path = study->study.path;
    opts.votes = (const char *const *)study->study.primary_channels;
    opts.n_votes = (int)study->study.n_primary_channels;
    opts.fusion = study->study.hierarchical ? NEP_FUSION_HIERARCHICAL : NEP_FUSION_STOUFFER;
    opts.n_streams = cli_int(c, "redraws");
    opts.n_bootstrap = bootstrap_samples(c, &study->study);
    opts.null_maps = cli_int(c, "null-maps");
    opts.imaging_only = imaging_only;
    if (study->study.null_kind)
        kinds[0] = study->study.null_kind;
    opts.null_kinds = kinds;
    opts.n_null_kinds = 1;
    kinds[1] = nep_inputs_second_null(&study->inputs, kinds[0]);
    if (kinds[1])
        opts.n_null_kinds++;
    return nep_ranking_create(ctx, &study->inputs, &opts, out);
}

static nep_status choose_protocols(cli *c, const nep_study *study, nep_evaluation_opts *o)
{
    int n = 0;
    const char *const *asked = cli_texts(c, "protocols", &n);
    const char *const *names = n ? asked : (const char *const *)study->protocols;
    const int64_t count = n ? n : study->n_protocols;
    for (int64_t i = 0; i < count; i++) {
        nep_protocol p;
        NEP_REQUIRE(cli_ctx(c), nep_protocol_find(names[i], &p), n ? NEP_E_USAGE : NEP_E_CONFIG,
                    "unknown protocol '%s', must be masked, zero_shot, new_drug or approved_vs_failed", names[i]);
        o->protocols[p] = true;
    }
    return NEP_OK;
}

bool cli_rank_has_treatments(const nep_inputs *in)
{
    for (int64_t i = 0; in->labels && i < in->n_drugs * nep_inputs_ranked(in); i++)
        if (nep_label_indicated(in->labels[i]) || (in->truth && in->truth[i] == 1))
            return true;
    return false;
}

nep_status cli_rank_evaluate(cli *c, const cli_study *study, const nep_ranking *ranking, nep_evaluation **out)
{
    nep_evaluation_opts opts = {.n_bootstrap = bootstrap_samples(c, &study->study), .n_controls = study->study.n_controls,
                                .time_split = study->study.time_split};
    NEP_REQUIRE(cli_ctx(c), cli_rank_has_treatments(&study->inputs), NEP_E_CONFIG,
                "%s: its labels record no approved or symptomatic drug for any of its disorders; there is nothing to evaluate against", study->study.path);
    NEP_TRY(choose_protocols(c, &study->study, &opts));
    for (int64_t i = 0; i < study->study.n_negatives; i++) {
        nep_negatives k;
        NEP_REQUIRE(cli_ctx(c), nep_negatives_find(study->study.negatives[i], &k), NEP_E_CONFIG,
                    "unknown negatives '%s', must be all, nervous_system, popularity or failed", study->study.negatives[i]);
        opts.negatives[k] = true;
    }
    return nep_evaluation_create(cli_ctx(c), ranking, &opts, out);
}
