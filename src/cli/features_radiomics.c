/* SPDX-License-Identifier: Apache-2.0 */
/* features_radiomics - one preprocessed T1-weighted image: radiomics of the regions beside it. */
#include <string.h>

#include "cli/features_unit.h"
#include "cli/images.h"
#include "cli/radiomics_regions.h"

typedef struct {
    features *f;
    nep_volume image;
    nep_atlas labels;
    int32_t *region; /* every region */
    cli_radiomics_regions r;
} anat_job;

static nep_status read_images(anat_job *j, const nep_bids_run *run)
{
    nep_ctx *ctx = j->f->ctx;
    char image[4096], labels[4096];
    NEP_REQUIRE(ctx, run->labels, NEP_E_MISSING,
                "%s: comes without regions %s_%s.nii.gz; --radiomics-labels says how their name ends",
                run->bold, run->stem, cli_text(j->f->c, "radiomics-labels"));
    NEP_TRY(cli_features_path(ctx, image, sizeof image, "%s/%s", j->f->root, run->bold));
    NEP_TRY(cli_features_path(ctx, labels, sizeof labels, "%s/%s", j->f->root, run->labels));
    NEP_TRY(nep_nifti_read_volume(ctx, image, &j->image));
    NEP_TRY(nep_nifti_read_atlas(ctx, labels, NULL, &j->labels));
    if (!nep_grid_same(&j->labels.grid, &j->image.grid))
        return nep_ctx_fail_file(ctx, NEP_E_GRID, labels, "%s: lies on another grid than its image %s",
                                 run->labels, run->bold);
    NEP_TRY(nep_alloc(ctx, j->labels.n_regions, sizeof *j->region, "regions", &j->region));
    for (int64_t r = 0; r < j->labels.n_regions; r++)
        j->region[r] = (int32_t)r;
    return NEP_OK;
}

static nep_status write_all(anat_job *j, features_unit *u)
{
    cli_radiomics_table t = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, cli_radiomics_tabulate(j->f->ctx, &j->labels, &j->r, &t));
    NEP_TRY_OR_DONE(st, cli_features_unit_begin(u));
    NEP_TRY_OR_DONE(st, cli_tabular_write(j->f->ctx, u->table[0], t.column, NEP_LEN(t.column), t.n_rows));
    NEP_TRY_OR_DONE(st, cli_features_unit_sidecar(
                            u, 0, "Intensity, shape and texture of every region, as IBSI defines them",
                            "mm, and as the image",
                            json_pack("{s:o}", "Radiomics", cli_radiomics_says(&j->f->o.radiomics, &j->r))));
    st = cli_features_unit_end(u);
done:
    cli_radiomics_table_free(&t);
    return st;
}

nep_status cli_features_radiomics(features *f, const nep_bids_run *run, bool may_skip, bool *skipped)
{
    anat_job j = {.f = f};
    features_unit u = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, cli_features_unit_open(f, run, "radiomics", NULL, &u));
    NEP_TRY_OR_DONE(st, cli_features_unit_table(&u, "desc-radiomics_T1w"));
    NEP_TRY_OR_DONE(st, may_skip ? cli_features_unit_done(&u, skipped) : NEP_OK);
    if (*skipped)
        goto done;
    NEP_TRY_OR_DONE(st, read_images(&j, run));
    NEP_TRY_OR_DONE(st, cli_radiomics_measure(f->ctx, &j.image, &j.labels, j.region, j.labels.n_regions,
                                              &f->o.radiomics, run->bold, &j.r));
    st = write_all(&j, &u);
done:
    cli_features_unit_close(&u);
    cli_radiomics_free(&j.r);
    nep_alloc_free(j.region);
    nep_atlas_free(&j.labels);
    nep_volume_free(&j.image);
    return st;
}
