/* SPDX-License-Identifier: Apache-2.0 */
/* study_load.c - a study file and the tables it names, joined by name into what the channels read. */
#include "cli/study_tables.h"

#include <nepenthe/signature.h>
#include <nepenthe/tables.h>

#include <string.h>

static void take_choices(const nep_study *study, uint64_t seed, nep_inputs *in)
{
    in->seed = seed;
    in->investigational_negative = study->investigational_negative;
    in->cortex_only = study->primary_cortex_only;
    in->relative_occupancy = study->relative_occupancy > 0 ? study->relative_occupancy : 0.75;
    in->mode = study->mode ? study->mode[0] : 'U';
    in->score = study->score ? study->score[0] : 'B';
    in->n_nulls = study->n_nulls > 0 ? study->n_nulls : 10000;
}

static nep_status take_options(nep_ctx *ctx, const nep_study *study, nep_inputs *in)
{
    for (int64_t c = 0; c < study->n_channels; c++)
        for (int64_t o = 0; o < study->channels[c].n_options; o++) {
            const char *key = study->channels[c].keys[o], *value = study->channels[c].values[o];
            const bool known = strcmp(study->channels[c].name, "engagement") == 0 && strcmp(key, "strongest_target") == 0;
            NEP_REQUIRE(ctx, known, NEP_E_CONFIG, "%s: channel %s has no option '%s'%s", study->path, study->channels[c].name,
                        key, strcmp(study->channels[c].name, "engagement") ? "" : "; it has strongest_target: mapped | any");
            NEP_REQUIRE(ctx, strcmp(value, "any") == 0 || strcmp(value, "mapped") == 0, NEP_E_CONFIG,
                        "%s: strongest_target is '%s', must be mapped or any", study->path, value);
            in->any_strongest = strcmp(value, "any") == 0;
        }
    return NEP_OK;
}

static nep_status check_drugs(nep_ctx *ctx, const cli_study *s, const study_lookup *drugs)
{
    for (int64_t i = 1; i < drugs->n; i++)
        NEP_REQUIRE(ctx, strcmp(drugs->list[i].name, drugs->list[i - 1].name) != 0, NEP_E_FORMAT, "%s: drug %s stands twice",
                    s->study.drugs, drugs->list[i].name);
    return NEP_OK;
}

static nep_status load_network(nep_ctx *ctx, cli_study *s)
{
    const nep_network_opts opts = {.open_only = s->open_only};
    int64_t known = 0;
    if (!s->study.network)
        return NEP_OK;
    NEP_TRY(cli_study_file(ctx, s, s->study.network));
    NEP_TRY(nep_network_read(ctx, s->study.network, &opts, &s->network));
    for (int64_t i = 0; i < s->network.n_metaedges; i++)
        if (s->network.metaedge[i].path)
            NEP_TRY(cli_study_file(ctx, s, s->network.metaedge[i].path));
    for (int64_t i = 0; i < s->network.n_metaedges; i++) {
        const nep_network_metaedge *e = &s->network.metaedge[i];
        NEP_TRY(cli_study_note_dropped(ctx, s, e->path ? e->path : e->id, e->n_not_open, e->n_rows));
    }
    const int64_t kind = nep_network_find_kind(&s->network, "C");
    for (int64_t k = 0; k < s->drugs.n && kind >= 0; k++)
        known += nep_network_find_node(&s->network, kind, s->drugs.id[k]) >= 0;
    NEP_REQUIRE(ctx, known > 0, NEP_E_CONFIG, "%s: no drug of %s is a node of kind C there; both must name drugs alike", s->study.network,
                s->study.drugs);
    s->inputs.network = &s->network;
    return NEP_OK;
}

nep_status cli_study_load(nep_ctx *ctx, const char *path, uint64_t seed, bool open_only, cli_study *out)
{
    cli_study *s = out;
    study_lookup drugs = {0};
    nep_status st;

    *s = (cli_study){.open_only = open_only};
    NEP_TRY_OR_DONE(st, nep_study_read(ctx, path, &s->study));
    NEP_REQUIRE_OR_DONE(st, ctx, s->study.drugs, NEP_E_CONFIG, "%s: the study names no drugs table", path);
    NEP_TRY_OR_DONE(st, cli_study_file(ctx, s, s->study.drugs));
    NEP_TRY_OR_DONE(st, nep_tsv_read_molset(ctx, s->study.drugs, &s->drugs));
    NEP_TRY_OR_DONE(st, cli_study_open_drugs(ctx, s));
    s->inputs.drugs = &s->drugs;
    s->inputs.n_drugs = s->drugs.n;
    NEP_TRY_OR_DONE(st, cli_study_lookup_make(ctx, s->drugs.id, s->drugs.n, &drugs));
    NEP_TRY_OR_DONE(st, check_drugs(ctx, s, &drugs));
    take_choices(&s->study, seed, &s->inputs);
    NEP_TRY_OR_DONE(st, take_options(ctx, &s->study, &s->inputs));
    if (s->study.geometry) {
        NEP_TRY_OR_DONE(st, cli_study_file(ctx, s, s->study.geometry));
        NEP_TRY_OR_DONE(st, nep_tsv_read_geometry(ctx, s->study.geometry, &s->geometry));
        s->inputs.geometry = &s->geometry;
        s->inputs.n_regions = s->geometry.n_regions;
    }
    NEP_TRY_OR_DONE(st, cli_study_atlas(ctx, s));
    NEP_TRY_OR_DONE(st, cli_study_receptors(ctx, s));
    NEP_TRY_OR_DONE(st, cli_study_affinities(ctx, s, &drugs));
    NEP_TRY_OR_DONE(st, cli_study_name_targets(ctx, s));
    NEP_TRY_OR_DONE(st, cli_study_disorders(ctx, s, &drugs));
    NEP_TRY_OR_DONE(st, cli_study_labels(ctx, s, &drugs));
    NEP_TRY_OR_DONE(st, load_network(ctx, s));
    NEP_TRY_OR_DONE(st, cli_study_evidence(ctx, s, &drugs));
    NEP_TRY_OR_DONE(st, cli_study_signatures(ctx, s, &drugs));
    NEP_TRY_OR_DONE(st, nep_inputs_prepare(ctx, &s->inputs, s->study.null_kind));
done:
    nep_alloc_free(drugs.list);
    if (st != NEP_OK)
        cli_study_free(s);
    return st;
}

static void free_texts(char **list, int64_t n)
{
    for (int64_t i = 0; list && i < n; i++)
        nep_alloc_free(list[i]);
    nep_alloc_free(list);
}

void cli_study_free(cli_study *s)
{
    nep_inputs *in = &s->inputs;
    nep_inputs_release(in);
    if (in->tables)
        nep_tables_free(in->tables);
    nep_alloc_free(in->tables);
    if (in->signatures)
        nep_signatures_free(in->signatures);
    nep_alloc_free(in->signatures);
    free_texts(in->targets, in->n_targets);
    free_texts(in->target_names, in->n_targets);
    free_texts(in->label_source, in->n_disorders * in->n_drugs);
    free_texts(s->files, s->n_files);
    free_texts(s->file_licences, s->n_files);
    for (int64_t i = 0; i < s->n_dropped; i++)
        nep_alloc_free(s->dropped[i].table);
    nep_alloc_free(s->dropped);
    free_texts(s->others, s->n_others);
    nep_affinity_free(in->affinities, in->n_affinities);
    void *const all[] = {in->affinity_start, in->receptor,  in->reliability,    in->tracer,    in->tracer_target, in->effect, in->effect_se,
                         in->direction,      in->simulated, in->disorder_names, in->disorder_ids, in->labels,     in->truth,  s->licences, in->label_year};
    for (int i = 0; i < NEP_LEN(all); i++)
        nep_alloc_free(all[i]);
    nep_molset_free(&s->drugs);
    nep_geometry_free(&s->geometry);
    nep_atlas_free(&s->atlas);
    nep_network_free(&s->network);
    nep_direction_free(&s->direction);
    nep_anatomy_free(&s->anatomy);
    nep_study_free(&s->study);
    *s = (cli_study){0};
}
