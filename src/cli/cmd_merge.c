/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe merge - parts to a whole; the kind of the parts is told by the first bytes of the first. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include <nepenthe/io.h>

#include "cli/index_facts.h"
#include "cli/merge.h"
#include "cli/pairs.h"
#include "cli/similar.h"

static const cli_merge_kind kinds[] = {
    {"nepenthe/index/", "index files", cli_merge_indexes},
    {"nepenthe/similar-part/", "parts of a search", similar_merge_run},
    {CLI_NEIGHBOURS_PART, "parts of neighbours", cli_neighbours_merge},
};

static nep_status open_all(cli *c, nep_index *parts, const char **names)
{
    for (int i = 0; i < cli_input_count(c); i++) {
        names[i] = cli_input(c, i);
        NEP_TRY(nep_index_open(cli_ctx(c), names[i], &parts[i]));
    }
    return NEP_OK;
}

nep_status cli_merge_indexes(cli *c)
{
    nep_ctx *ctx = cli_ctx(c);
    const int n = cli_input_count(c);
    nep_index *parts = NULL;
    const char **names = NULL;
    int64_t rows = 0;
    nep_status st;
    NEP_TRY(cli_index_need_out(c, "merge"));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *parts, "parts", &parts));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *names, "parts", &names));
    NEP_TRY_OR_DONE(st, open_all(c, parts, names));
    for (int i = 0; i < n; i++)
        rows += parts[i].n;
    if (cli_dry_run(c)) {
        const char *outputs[] = {cli_out(c)};
        st = cli_plan(c, rows, 1 << 20, NAN, outputs, 1);
        goto done;
    }
    NEP_TRY_OR_DONE(st, nep_index_merge(ctx, cli_out(c), parts, names, n));
    st = cli_index_tell(c, cli_out(c));
done:
    for (int i = 0; parts && i < n; i++)
        nep_index_free(&parts[i]);
    nep_alloc_free(parts);
    nep_alloc_free(names);
    return st;
}

static nep_status first_bytes(nep_ctx *ctx, const char *path, char head[64])
{
    FILE *f = fopen(path, "rbe");
    if (!f)
        return nep_ctx_fail_file(ctx, errno == EACCES ? NEP_E_PERMISSION : NEP_E_MISSING, path, "%s: cannot be opened (%s)", path, strerror(errno));
    const size_t n = fread(head, 1, 63, f);
    fclose(f);
    head[n] = '\0';
    return NEP_OK;
}

static nep_status run(cli *c)
{
    char head[64] = "", known[256] = "";
    NEP_TRY(first_bytes(cli_ctx(c), cli_input(c, 0), head));
    for (int k = 0; k < NEP_LEN(kinds); k++) {
        if (strncmp(head, kinds[k].prefix, strlen(kinds[k].prefix)) == 0)
            return kinds[k].run(c);
        snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", k > 0 ? ", " : "", kinds[k].what);
    }
    return nep_ctx_fail_file(cli_ctx(c), NEP_E_FORMAT, cli_input(c, 0), "%s: is no part of a kind that can be merged; known are: %s",
                             cli_input(c, 0), known);
}

const cli_command cli_cmd_merge = {.name = "merge",
                                   .group = "Upkeep",
                                   .summary = "parts that were made with --shard, or whole indexes one after the other, to one file",
                                   .inputs = "PART...",
                                   .min_inputs = 1,
                                   .max_inputs = -1,
                                   .inputs_are_files = true,
                                   .run = run,
                                   .example = "nepenthe merge part1.nepx part2.nepx -o all.nepx"};
