/* SPDX-License-Identifier: Apache-2.0 */
/* permute_run - a permutation test of people from their data on: design, blocks, what can be tested, each contrast in turn. */
#include "cli/permute_run.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include <nepenthe/io.h>

void cli_permute_free(cli_permute *j)
{
    cli_permute_result_free(&j->p);
    nep_table_free(&j->design);
    cli_glm_words_free(&j->words);
    nep_alloc_free(j->row);
    nep_alloc_free(j->block);
    nep_alloc_free(j->y);
    nep_alloc_free(j->inside);
}

/* ---- options ---- */

static nep_status read_statistics(cli_permute *j)
{
    static const struct {
        const char *name;
        unsigned flag;
    } all[] = {{"max-t", NEP_PERMUTE_MAX_T}, {"cluster-size", NEP_PERMUTE_CLUSTER_SIZE}, {"cluster-mass", NEP_PERMUTE_CLUSTER_MASS},
               {"tfce", NEP_PERMUTE_TFCE}};
    int n = 0;
    const char *const *names = cli_texts(j->c, "statistic", &n);
    j->p.o.statistics = 0;
    for (int i = 0; i < n; i++) {
        int k = 0;
        while (k < NEP_LEN(all) && strcmp(names[i], all[k].name) != 0)
            k++;
        NEP_REQUIRE(cli_ctx(j->c), k < NEP_LEN(all), NEP_E_USAGE, "--statistic '%s' is none of max-t, cluster-size, cluster-mass and tfce", names[i]);
        j->p.o.statistics |= all[k].flag;
    }
    return NEP_OK;
}

nep_status cli_permute_options(cli_permute *j, int64_t n)
{
    cli *c = j->c;
    nep_ctx *ctx = cli_ctx(c);
    nep_permute_opts *o = &j->p.o;
    NEP_TRY(read_statistics(j));
    NEP_REQUIRE(ctx, !cli_flag(c, "whole") || cli_given(c, "exchange"), NEP_E_USAGE, "--whole is for the blocks of --exchange");
    NEP_REQUIRE(ctx, cli_real(c, "cluster-p") > 0 && cli_real(c, "cluster-p") < 1, NEP_E_ARG, "--cluster-p must lie between 0 and 1");
    NEP_REQUIRE(ctx, cli_given(c, "design") || (!cli_given(c, "columns") && !cli_flag(c, "centre")), NEP_E_USAGE,
                "--columns and --centre are for the columns of --design");
    o->n_perm = j->p.asked = n;
    o->positive = cli_flag(c, "positive");
    o->tail = cli_flag(c, "tail");
    j->p.whole = cli_flag(c, "whole");
    return NEP_OK;
}

/* ---- people ---- */

/* The mean alone, of everybody. */
static nep_status mean_design(cli_permute *j)
{
    nep_ctx *ctx = cli_ctx(j->c);
    nep_glm_design *d = &j->p.design;
    d->n = j->p.people.n;
    NEP_TRY(nep_alloc(ctx, d->n, sizeof *j->row, "design: people", &j->row));
    NEP_TRY(nep_alloc(ctx, d->n, sizeof *d->x, "design", &d->x));
    NEP_TRY(nep_alloc(ctx, 1, sizeof *d->names, "design", &d->names));
    d->p = 1;
    NEP_TRY(nep_alloc_string(ctx, "intercept", &d->names[0]));
    for (int64_t i = 0; i < d->n; i++) {
        d->x[i] = 1;
        j->row[i] = i;
    }
    return NEP_OK;
}

static nep_status make_design(cli_permute *j)
{
    nep_ctx *ctx = cli_ctx(j->c);
    int n_names = 0;
    const char *const *names = cli_texts(j->c, "columns", &n_names);
    const cli_people *d = &j->p.people;
    NEP_TRY(j->design.header ? cli_glm_people_design(ctx, &j->design, d, names, n_names, cli_flag(j->c, "centre"), &j->row, &j->p.design)
                             : mean_design(j));
    j->p.n_people = j->p.design.n;
    NEP_TRY(nep_alloc(ctx, j->p.n_people * d->n_cols, sizeof *j->y, "data of those who take part", &j->y));
    for (int64_t i = 0; i < j->p.n_people; i++)
        memcpy(j->y + i * d->n_cols, d->y + j->row[i] * d->n_cols, (size_t)d->n_cols * sizeof *j->y);
    nep_alloc_free(j->p.people.y);
    j->p.people.y = NULL;
    return NEP_OK;
}

/* Whether the voxel has a value in everybody, and whether these differ. */
static bool varies(const cli_permute *j, int64_t v, int64_t *missing, int64_t *constant)
{
    const int64_t n_cols = j->p.people.n_cols;
    bool whole = true, differs = false;
    for (int64_t i = 0; i < j->p.n_people; i++) {
        whole = whole && isfinite(j->y[i * n_cols + v]);
        differs = differs || j->y[i * n_cols + v] != j->y[v];
    }
    *missing += !whole;
    *constant += whole && !differs;
    return whole && differs;
}

/* Leaves out voxels that cannot be tested, such as those around the brain where no mask was given. */
static nep_status drop_voxels(cli_permute *j)
{
    cli_people *d = &j->p.people;
    nep_ctx *ctx = cli_ctx(j->c);
    int64_t kept = 0, missing = 0, constant = 0;
    const int64_t n_cols = d->n_cols;
    bool *keep = NULL;
    if (d->columns)
        return NEP_OK;
    NEP_TRY(nep_alloc(ctx, n_cols, sizeof *keep, "voxels that vary", &keep));
    for (int64_t v = 0; v < n_cols; v++) {
        keep[v] = varies(j, v, &missing, &constant);
        kept += keep[v];
    }
    for (int64_t i = 0, at = 0; i < j->p.n_people; i++)
        for (int64_t v = 0; v < n_cols; v++)
            if (keep[v])
                j->y[at++] = j->y[i * n_cols + v];
    for (int64_t v = 0, at = 0; v < n_cols; v++)
        if (keep[v])
            d->voxel[at++] = d->voxel[v];
    d->n_cols = kept;
    nep_alloc_free(keep);
    if (missing + constant > 0)
        nep_warn(ctx, "permute: of %lld voxels %lld have a missing value in somebody and %lld are the same in everybody; they are left out",
                 (long long)n_cols, (long long)missing, (long long)constant);
    NEP_REQUIRE(ctx, kept > 0, NEP_E_FORMAT, "permute: no voxel has a value in everybody that differs between people");
    return NEP_OK;
}

/* Numbers the words of column `block`; everybody who takes part needs one. */
static nep_status fill_blocks(cli_permute *j, const nep_table *t)
{
    nep_ctx *ctx = cli_ctx(j->c);
    int64_t id_col, col;
    NEP_TRY(nep_table_need(ctx, t, "participant_id", &id_col));
    NEP_TRY(nep_table_need(ctx, t, "block", &col));
    NEP_TRY(nep_alloc(ctx, j->p.n_people, sizeof *j->block, "blocks", &j->block));
    for (int64_t i = 0; i < j->p.n_people; i++) {
        const char *who = j->p.people.ids[j->row[i]], *own = NULL;
        int32_t first = -1;
        for (int64_t r = 0; r < t->n_rows; r++) {
            const char *id = nep_table_cell(t, r, id_col);
            if (!id || strcmp(id, who) != 0)
                continue;
            NEP_REQUIRE(ctx, !own, NEP_E_FORMAT, "%s: participant '%s' stands there twice", t->path, who);
            own = nep_table_cell(t, r, col);
            NEP_REQUIRE(ctx, own, NEP_E_FORMAT, "%s: participant '%s' has no block", t->path, who);
        }
        NEP_REQUIRE(ctx, own, NEP_E_FORMAT, "%s: participant '%s' is not in it: everybody needs a block", t->path, who);
        for (int64_t r = 0; r < t->n_rows && first < 0; r++)
            if (nep_table_cell(t, r, col) && strcmp(nep_table_cell(t, r, col), own) == 0)
                first = (int32_t)(r + 1);
        j->block[i] = first;
    }
    return NEP_OK;
}

static nep_status read_blocks(cli_permute *j)
{
    nep_table t = {0};
    nep_status st;
    if (!cli_given(j->c, "exchange"))
        return NEP_OK;
    NEP_TRY_OR_DONE(st, nep_tsv_read(cli_ctx(j->c), cli_text(j->c, "exchange"), &t));
    NEP_TRY_OR_DONE(st, fill_blocks(j, &t));
    j->p.blocks = true;
done:
    nep_table_free(&t);
    return st;
}

static nep_status make_grid(cli_permute *j)
{
    const cli_people *d = &j->p.people;
    if (d->columns)
        return NEP_OK;
    NEP_TRY(nep_alloc(cli_ctx(j->c), nep_grid_voxels(&d->grid), sizeof *j->inside, "mask", &j->inside));
    for (int64_t k = 0; k < d->n_cols; k++)
        j->inside[d->voxel[k]] = true;
    j->dims[0] = d->grid.nx;
    j->dims[1] = d->grid.ny;
    j->dims[2] = d->grid.nz;
    j->p.o.dims = j->dims;
    j->p.o.inside = j->inside;
    return NEP_OK;
}

nep_status cli_permute_prepare(cli_permute *j)
{
    if (cli_given(j->c, "design") && !j->design.header)
        NEP_TRY(nep_tsv_read(cli_ctx(j->c), cli_text(j->c, "design"), &j->design));
    NEP_TRY(make_design(j));
    NEP_TRY(drop_voxels(j));
    NEP_TRY(read_blocks(j));
    return make_grid(j);
}

/* ---- testing ---- */

static nep_status checkpoint_name(const cli_permute *j, int k, char path[4096])
{
    NEP_REQUIRE(cli_ctx(j->c), snprintf(path, 4096, "%s_%s.checkpoint", j->prefix, j->words.name[k]) < 4096, NEP_E_ARG,
                "the output's name is too long");
    return NEP_OK;
}

nep_status cli_permute_clear(const cli_permute *j)
{
    char path[4096];
    for (int k = 0; j->prefix[0] && k < j->words.n; k++) {
        NEP_TRY(checkpoint_name(j, k, path));
        unlink(path); /* there is none after a short test */
    }
    return NEP_OK;
}

static nep_status test_one(cli_permute *j, int k, double forming, nep_permute_shuffle shuffle)
{
    const nep_glm_design *d = &j->p.design;
    const nep_glm_contrast *t = &j->p.contrasts[k];
    const bool f = t->f || t->rows > 1;
    nep_permute_opts o = j->p.o;
    char path[4096];
    const nep_permute_model m = {.n = d->n, .p = d->p, .x = d->x, .columns = d->names, .contrast = t->name, .rows = t->rows, .f = t->f,
                           .weight = t->weight, .block = j->block, .whole = j->p.whole, .shuffle = shuffle};
    o.forming = isfinite(forming)
                    ? forming
                    : nep_permute_quantile(cli_real(j->c, "cluster-p"), f ? t->rows : 0, (double)(d->n - d->p), o.positive);
    if (!isfinite(o.forming)) /* too few rows for a degree of freedom: the test says so */
        o.forming = 0;
    NEP_TRY(checkpoint_name(j, k, path));
    o.checkpoint = j->prefix[0] ? path : NULL;
    o.resume = o.resume || (j->resumes && o.checkpoint && nep_file_exists(path));
    j->p.forming[k] = o.forming;
    NEP_TRY(nep_permute_run(cli_ctx(j->c), j->y, j->p.people.n_cols, &m, &o, &j->p.r[k]));
    cli_permute_result_say(j->c, &j->p, k);
    return NEP_OK;
}

nep_status cli_permute_test(cli_permute *j, double forming, nep_permute_shuffle shuffle)
{
    nep_ctx *ctx = cli_ctx(j->c);
    char where[4300];
    snprintf(where, sizeof where, "the design '%.4000s'", j->design.header ? j->design.path : "of the mean");
    NEP_TRY(cli_glm_contrasts(ctx, &j->words, &j->p.design, where, &j->p.contrasts));
    j->p.n = j->words.n;
    j->p.formula = j->words.formula;
    NEP_TRY(nep_alloc(ctx, j->p.n, sizeof *j->p.r, "permute: results", &j->p.r));
    NEP_TRY(nep_alloc(ctx, j->p.n, sizeof *j->p.forming, "permute: thresholds", &j->p.forming));
    for (int k = 0; k < j->p.n; k++)
        NEP_TRY(test_one(j, k, forming, shuffle));
    return NEP_OK;
}
