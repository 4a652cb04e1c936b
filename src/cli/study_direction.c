/* SPDX-License-Identifier: Apache-2.0 */
/* study_direction.c - directions that disorders want and drugs that make them worse, from the tables that come with the program. */
#include "cli/spawn.h"
#include "cli/study_tables.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* By id, else by its name whatever the case; -1 when it is neither. */
static int64_t find_named(char *const *ids, char *const *names, int64_t n, const char *id, const char *name)
{
    for (int64_t i = 0; i < n; i++)
        if (id && strcmp(ids[i], id) == 0)
            return i;
    for (int64_t i = 0; i < n; i++)
        if (name && names && names[i] && strcasecmp(names[i], name) == 0)
            return i;
    return -1;
}

static int64_t find_disorder(const nep_inputs *in, const nep_table *t, int64_t r)
{
    return find_named(in->disorder_ids, in->disorder_names, in->n_disorders, cli_study_cell(t, r, nep_table_column(t, "disorder")),
                      cli_study_cell(t, r, nep_table_column(t, "disorder_name")));
}

/* "Fox 2018 Mov Disord 33:1248, doi:10.1002/mds.27372". */
static nep_status take_source(nep_ctx *ctx, const nep_table *t, int64_t r, char **source, char **note)
{
    char text[256];
    const char *from = cli_study_cell(t, r, nep_table_column(t, "source")), *doi = cli_study_cell(t, r, nep_table_column(t, "doi"));
    const char *said = cli_study_cell(t, r, nep_table_column(t, "note"));
    NEP_REQUIRE(ctx, from, NEP_E_FORMAT, "%s: line %lld: the source is missing", t->path, (long long)r + 2);
    snprintf(text, sizeof text, "%.160s%s%.80s", from, doi ? ", doi:" : "", doi ? doi : "");
    NEP_TRY(nep_alloc_string(ctx, text, source));
    return said ? nep_alloc_string(ctx, said, note) : NEP_OK;
}

static nep_status take_goals(nep_ctx *ctx, cli_study *s, const nep_table *t)
{
    const int64_t genes = nep_network_find_kind(&s->network, "G");
    int64_t entrez, symbol, desired;
    NEP_TRY(nep_table_need(ctx, t, "entrez", &entrez));
    NEP_TRY(nep_table_need(ctx, t, "gene", &symbol));
    NEP_TRY(nep_table_need(ctx, t, "desired", &desired));
    NEP_TRY(nep_alloc(ctx, t->n_rows, sizeof *s->direction.goals, "directions", &s->direction.goals));
    for (int64_t r = 0; r < t->n_rows && genes >= 0; r++) {
        const char *number = nep_table_cell(t, r, entrez), *name = nep_table_cell(t, r, symbol), *sign = nep_table_cell(t, r, desired);
        const int64_t j = find_disorder(&s->inputs, t, r);
        int64_t g = number ? nep_network_find_node(&s->network, genes, number) : -1;
        g = g < 0 && name ? nep_network_find_node(&s->network, genes, name) : g;
        NEP_REQUIRE(ctx, sign && (strcmp(sign, "1") == 0 || strcmp(sign, "-1") == 0), NEP_E_FORMAT, "%s: line %lld: desired is '%s', must be 1 or -1",
                    t->path, (long long)r + 2, sign ? sign : "n/a");
        if (j < 0 || g < 0)
            continue;
        nep_direction_goal *goal = &s->direction.goals[s->direction.n_goals++];
        *goal = (nep_direction_goal){.disorder = j, .gene = g, .desired = sign[0] == '-' ? -1 : 1, .line = r + 2};
        NEP_TRY(take_source(ctx, t, r, &goal->source, &goal->note));
    }
    return NEP_OK;
}

static nep_status take_warnings(nep_ctx *ctx, cli_study *s, const nep_table *t)
{
    int64_t id, name;
    NEP_TRY(nep_table_need(ctx, t, "drug_id", &id));
    NEP_TRY(nep_table_need(ctx, t, "drug", &name));
    NEP_TRY(nep_alloc(ctx, t->n_rows, sizeof *s->direction.warnings, "warnings", &s->direction.warnings));
    for (int64_t r = 0; r < t->n_rows; r++) {
        const int64_t j = find_disorder(&s->inputs, t, r);
        const int64_t k = find_named(s->drugs.id, s->drugs.names, s->drugs.n, nep_table_cell(t, r, id), nep_table_cell(t, r, name));
        if (j < 0 || k < 0)
            continue;
        nep_direction_warning *warning = &s->direction.warnings[s->direction.n_warnings++];
        *warning = (nep_direction_warning){.disorder = j, .drug = k, .line = r + 2};
        NEP_TRY(take_source(ctx, t, r, &warning->source, &warning->note));
    }
    return NEP_OK;
}

nep_status cli_study_direction(cli *c, cli_study *s)
{
    static const struct {
        const char *name;
        nep_status (*take)(nep_ctx *, cli_study *, const nep_table *);
    } tables[] = {{"desired_direction.tsv", take_goals}, {"worsening.tsv", take_warnings}};
    nep_ctx *ctx = cli_ctx(c);
    char folder[4096], path[4200];
    nep_table t = {0};
    nep_status st = NEP_OK;

    if (!s->inputs.network)
        return NEP_OK;
    NEP_TRY(cli_data_folder(c, folder, sizeof folder));
    for (int i = 0; i < NEP_LEN(tables); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, tables[i].name);
        NEP_TRY_OR_DONE(st, cli_study_table(ctx, s, path, &t));
        NEP_TRY_OR_DONE(st, tables[i].take(ctx, s, &t));
        nep_table_free(&t);
    }
    s->inputs.known_direction = &s->direction;
done:
    nep_table_free(&t);
    return st;
}
