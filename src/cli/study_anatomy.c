/* SPDX-License-Identifier: Apache-2.0 */
/* study_anatomy.c - which regions of the study's geometry lie in which anatomies of its network, from the table that comes with the program. */
#include "cli/spawn.h"
#include "cli/study_tables.h"

#include <stdio.h>
#include <string.h>

/* L_insula, R_insula and B_insula are regions of the structure insula. */
static bool is_of(const char *region, const char *structure)
{
    const bool sided = region[0] && region[1] == '_' && strchr("LRB", region[0]);
    return strcmp(sided ? region + 2 : region, structure) == 0;
}

nep_status cli_study_anatomy(cli *c, cli_study *s)
{
    nep_ctx *ctx = cli_ctx(c);
    const int64_t kind = s->inputs.network ? nep_network_find_kind(&s->network, "A") : -1;
    char folder[4096], path[4200];
    int64_t anatomy, region;
    nep_table t = {0};
    nep_status st;

    if (kind < 0 || !s->inputs.geometry)
        return NEP_OK;
    NEP_TRY(cli_data_folder(c, folder, sizeof folder));
    snprintf(path, sizeof path, "%s/anatomy_regions.tsv", folder);
    NEP_TRY_OR_DONE(st, cli_study_table(ctx, s, path, &t));
    NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, "anatomy", &anatomy));
    NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, "region", &region));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, t.n_rows * s->geometry.n_regions, sizeof(int64_t), "anatomies", &s->anatomy.node));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, t.n_rows * s->geometry.n_regions, sizeof(int64_t), "anatomies", &s->anatomy.region));
    for (int64_t r = 0; r < t.n_rows; r++) {
        const char *id = nep_table_cell(&t, r, anatomy), *structure = nep_table_cell(&t, r, region);
        const int64_t node = id ? nep_network_find_node(&s->network, kind, id) : -1;
        for (int64_t i = 0; node >= 0 && structure && i < s->geometry.n_regions; i++) {
            if (!is_of(s->geometry.names[i], structure))
                continue;
            s->anatomy.node[s->anatomy.n] = node;
            s->anatomy.region[s->anatomy.n++] = i;
        }
    }
    s->inputs.anatomy = &s->anatomy;
done:
    nep_table_free(&t);
    return st;
}
