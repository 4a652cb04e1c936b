/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe contrast - two groups with covariates, per region of a table or per voxel of images. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nepenthe/contrast.h>
#include <nepenthe/io.h>

#include "cli/design.h"
#include "cli/people.h"
#include "cli/tabular.h"

static const cli_option options[] = {
    {"design", 0, CLI_INPUT, "TSV", NULL, NULL,
     "participant_id, the group column, covariates; joined by participant_id"},
    {"contrast", 0, CLI_TEXTS, "NAME=COLUMN:A-B", NULL, NULL,
     "group A less group B of a design column, e.g. illness=group:patient-control"},
    {"covariates", 0, CLI_TEXTS, "NAMES", NULL, NULL,
     "design columns held fixed; numbers as they are, words as one 0/1 column per level; default all others, "
     "`none` for none"},
    {"n", 0, CLI_INT, "N", "10000", NULL,
     "relabelings for p; all distinct ones when there are no more; 0 = no p"},
    {"mask", 0, CLI_INPUT, "IMAGE", NULL, NULL, "voxels that take part (images only); default all"},
};

/* ---- covariates ---- */

static nep_status choose_covariates(cli *c, const nep_table *design, const cli_contrast_spec *spec,
                                    int64_t *col, int *n)
{
    int given = 0;
    const char *const *names = cli_texts(c, "covariates", &given);
    *n = 0;
    if (given == 1 && strcmp(names[0], "none") == 0)
        return NEP_OK;
    for (int i = 0; i < given; i++) {
        NEP_TRY(nep_table_need(cli_ctx(c), design, names[i], &col[*n]));
        NEP_REQUIRE(cli_ctx(c), strcmp(names[i], spec->column) != 0, NEP_E_ARG,
                    "'%s' is the group of contrast %s and cannot be its covariate", names[i], spec->name);
        (*n)++;
    }
    for (int64_t k = 0; given == 0 && k < design->n_cols; k++)
        if (strcmp(design->header[k], "participant_id") != 0 && strcmp(design->header[k], spec->column) != 0)
            col[(*n)++] = k;
    return NEP_OK;
}

/* One contrast on the people who take part. */
static nep_status one_contrast(cli *c, const cli_people *d, const nep_table *design, const cli_contrast_spec *spec,
                               nep_contrast_result *out)
{
    nep_ctx *ctx = cli_ctx(c);
    cli_design people = {0};
    int64_t *col = NULL;
    float *y = NULL;
    int n_cov = 0;
    nep_status st;
    const nep_contrast_opts o = {.n_perm = cli_int(c, "n")};

    int given = 0;
    (void)cli_texts(c, "covariates", &given);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, design->n_cols + given, sizeof *col, "contrast: covariates", &col));
    NEP_TRY_OR_DONE(st, choose_covariates(c, design, spec, col, &n_cov));
    NEP_TRY_OR_DONE(st, cli_design_join(ctx, design, spec, d->ids, d->n, col, n_cov, &people));
    NEP_TRY_OR_DONE(
        st, nep_alloc(ctx, people.n * d->n_cols, sizeof *y, "contrast: data of those who take part", &y));
    for (int64_t i = 0; i < people.n; i++)
        memcpy(y + i * d->n_cols, d->y + people.row[i] * d->n_cols, (size_t)d->n_cols * sizeof *y);
    NEP_TRY_OR_DONE(st, nep_contrast_groups(ctx, y, people.n, d->n_cols, d->columns, people.first,
                                            people.covariates, people.k, people.names, &o, out));
    cli_say(c, "%s: %lld %s, %lld %s, df %g; %s%lld %s", spec->name, (long long)out->n1, spec->first,
            (long long)out->n2, spec->second, out->df, out->exhaustive ? "all " : "",
            (long long)out->n_relabelings,
            out->exhaustive ? "distinct relabelings were used, fewer than were asked for" : "relabelings");
done:
    nep_alloc_free(y);
    nep_alloc_free(col);
    cli_design_free(&people);
    return st;
}

/* ---- output ---- */

static json_t *describe(const cli_contrast_spec *spec, const nep_contrast_result *r, int n)
{
    json_t *list = json_array();
    for (int i = 0; i < n; i++)
        json_array_append_new(
            list, json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:f,s:I,s:b,s:I,s:I}", "name", spec[i].name, "column",
                            spec[i].column, "first", spec[i].first, "second", spec[i].second, "n1",
                            (json_int_t)r[i].n1, "n2", (json_int_t)r[i].n2, "df", r[i].df, "relabelings",
                            (json_int_t)r[i].n_relabelings, "exhaustive", r[i].exhaustive, "columns_missing",
                            (json_int_t)r[i].n_missing, "columns_constant", (json_int_t)r[i].n_constant));
    return json_pack("{s:o,s:s,s:s,s:f}", "contrast", list, "g",
                     "J(df) t sqrt(1/n1 + 1/n2), J exact (Hedges 1981)", "se",
                     "sqrt(1/n1 + 1/n2 + g^2 / (2 (n1 + n2))) (Hedges & Olkin 1985)", "interval", 0.90);
}

static nep_status emit_table(cli *c, const cli_people *d, const cli_contrast_spec *spec,
                             const nep_contrast_result *r, int n)
{
    enum { NUMBERS = 10 };
    nep_ctx *ctx = cli_ctx(c);
    const int64_t rows = d->n_cols * n;
    const char **region = NULL, **name = NULL;
    double *x = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, rows, sizeof *region, "contrast: rows", &region));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, rows, sizeof *name, "contrast: rows", &name));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, NUMBERS * rows, sizeof *x, "contrast: rows", &x));
    for (int i = 0; i < n; i++)
        for (int64_t v = 0; v < d->n_cols; v++) {
            const int64_t row = i * d->n_cols + v;
            const double values[NUMBERS] = {r[i].g[v],       r[i].se[v],     r[i].low[v], r[i].high[v],
                                            r[i].t[v],       r[i].df,        r[i].p[v],   r[i].p_fwe[v],
                                            (double)r[i].n1, (double)r[i].n2};
            region[row] = d->columns[v];
            name[row] = spec[i].name;
            for (int k = 0; k < NUMBERS; k++)
                x[k * rows + row] = values[k];
        }
    const char *const heads[NUMBERS] = {"g", "se", "low", "high", "t", "df", "p", "p_fwe", "n1", "n2"};
    cli_column columns[NUMBERS + 2] = {{"region", region, NULL}};
    for (int k = 0; k < NUMBERS; k++)
        columns[k + 1] = (cli_column){heads[k], NULL, x + k * rows};
    columns[NUMBERS + 1] = (cli_column){"contrast", name, NULL};
    st = cli_tabular_emit(c, "rows", columns, NUMBERS + 2, rows, describe(spec, r, n));
done:
    nep_alloc_free(x);
    nep_alloc_free(name);
    nep_alloc_free(region);
    return st;
}

static nep_status write_map(cli *c, const cli_people *d, const char *name, const char *quantity, const double *x,
                            float *image)
{
    char path[4096];
    const int64_t all = nep_grid_voxels(&d->grid);
    NEP_REQUIRE(cli_ctx(c),
                snprintf(path, sizeof path, "%s_%s_%s.nii.gz", cli_out(c), name, quantity) < (int)sizeof path,
                NEP_E_ARG, "the output's name is too long");
    for (int64_t v = 0; v < all; v++)
        image[v] = NAN;
    for (int64_t j = 0; j < d->n_cols; j++)
        image[d->voxel[j]] = (float)x[j];
    return nep_nifti_write(cli_ctx(c), path, &d->grid, 1, (double)NAN, image, false);
}

static nep_status emit_images(cli *c, const cli_people *d, const cli_contrast_spec *spec,
                              const nep_contrast_result *r, int n)
{
    float *image = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(
        st, nep_alloc(cli_ctx(c), nep_grid_voxels(&d->grid), sizeof *image, "contrast: an image", &image));
    for (int i = 0; i < n; i++) {
        const struct {
            const char *name;
            const double *x;
        } maps[] = {{"g", r[i].g}, {"se", r[i].se}, {"low", r[i].low},   {"high", r[i].high},
                    {"t", r[i].t}, {"p", r[i].p},   {"pfwe", r[i].p_fwe}};
        for (int k = 0; k < NEP_LEN(maps); k++)
            NEP_TRY_OR_DONE(st, write_map(c, d, spec[i].name, maps[k].name, maps[k].x, image));
    }
    NEP_TRY_OR_DONE(st, cli_sidecar(c, cli_out(c), NULL, describe(spec, r, n)));
    st = cli_document(c, describe(spec, r, n));
done:
    nep_alloc_free(image);
    return st;
}

static nep_status plan(cli *c, const cli_people *d)
{
    const char *out[1] = {cli_out(c) ? cli_out(c) : "standard output"};
    return cli_plan(c, d->n_cols, (int64_t)(sizeof(float) + sizeof(double)) * d->n * d->n_cols, (double)NAN,
                    out, 1);
}

static nep_status run(cli *c)
{
    nep_ctx *ctx = cli_ctx(c);
    int n = 0;
    const char *const *texts = cli_texts(c, "contrast", &n);
    nep_table design = {0};
    cli_contrast_spec *spec = NULL;
    nep_contrast_result *r = NULL;
    cli_people d = {0};
    nep_status st;

    NEP_REQUIRE(ctx, cli_given(c, "design"), NEP_E_USAGE,
                "--design is needed: a table with participant_id and the group column");
    NEP_REQUIRE(ctx, n > 0, NEP_E_USAGE,
                "--contrast NAME=COLUMN:A-B is needed, such as illness=group:patient-control");
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *spec, "contrast: list", &spec));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *r, "contrast: results", &r));
    NEP_TRY_OR_DONE(st, nep_tsv_read(ctx, cli_text(c, "design"), &design));
    for (int i = 0; i < n; i++)
        NEP_TRY_OR_DONE(st, cli_design_spec(ctx, &design, texts[i], &spec[i]));
    NEP_TRY_OR_DONE(st, cli_people_read(c, &d));
    if (cli_dry_run(c)) {
        st = plan(c, &d);
        goto done;
    }
    for (int i = 0; i < n; i++)
        NEP_TRY_OR_DONE(st, one_contrast(c, &d, &design, &spec[i], &r[i]));
    st = d.columns ? emit_table(c, &d, spec, r, n) : emit_images(c, &d, spec, r, n);
done:
    for (int i = 0; spec && r && i < n; i++) {
        cli_design_spec_free(&spec[i]);
        nep_contrast_free(&r[i]);
    }
    nep_alloc_free(spec);
    nep_alloc_free(r);
    nep_table_free(&design);
    cli_people_free(&d);
    return st;
}

const cli_command cli_cmd_contrast = {
    .name = "contrast",
    .group = "Imaging",
    .summary = "two groups with covariates: Hedges' g, its error, permutation p with max-T",
    .inputs = "TABLE|IMAGE...",
    .min_inputs = 1,
    .max_inputs = -1,
    .inputs_are_files = true,
    .options = options,
    .n_options = NEP_LEN(options),
    .run = run,
    .example =
        "nepenthe contrast alff.tsv --design participants.tsv --contrast illness=group:patient-control",
};
