/* SPDX-License-Identifier: Apache-2.0 */
/* features_pet - one preprocessed dynamic PET image: regional curves, and what a model says of them against a
 * reference region. */
#include <math.h>
#include <string.h>

#include "cli/features_pet.h"
#include "cli/images.h"
#include "cli/tabular.h"

typedef struct {
    nep_parcels *p;
    double *tac;
    int64_t n_regions;
} curves;

static nep_status add_frame(nep_ctx *ctx, const float *volume, int64_t t, void *user)
{
    (void)ctx;
    const curves *u = user;
    return nep_parcels_add(u->p, volume, 1, u->tac + t * u->n_regions);
}

static nep_status read_image(features_pet_job *j, const nep_bids_run *run)
{
    nep_ctx *ctx = j->f->ctx;
    nep_nifti_header h;
    nep_parcels *p = NULL;
    NEP_TRY(cli_features_path(ctx, j->path, sizeof j->path, "%s/%s", j->f->root, run->bold));
    NEP_TRY(cli_images_header(ctx, j->path, true, &h));
    j->grid = h.grid;
    j->n_t = h.n_t;
    NEP_TRY(cli_pet_frames_read(ctx, j->path, NULL, "duration", j->n_t, &j->frames));
    NEP_TRY(cli_features_atlas(j->f, &h.grid, run->bold, &j->atlas));
    j->n_regions = j->atlas->n_regions;
    NEP_TRY(nep_alloc(ctx, j->n_t * j->n_regions, sizeof *j->tac, "regional curves", &j->tac));
    NEP_TRY(nep_parcels_open(ctx, j->atlas, NULL, &p));
    const nep_status st = cli_images_volumes(ctx, j->path, NULL, add_frame, &(curves){p, j->tac, j->n_regions});
    nep_parcels_free(p);
    return st;
}

static nep_status fit(features_pet_job *j, const nep_bids_run *run)
{
    nep_ctx *ctx = j->f->ctx;
    const features_opts *o = &j->f->o;
    float *x = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, j->n_t * j->n_regions, sizeof *x, "regional curves", &x));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, j->n_t, sizeof *j->curve, "reference", &j->curve));
    NEP_TRY_OR_DONE(st,
                    nep_alloc(ctx, j->n_regions * 2 * j->n_parameters, sizeof *j->value, "fits", &j->value));
    for (int64_t i = 0; i < j->n_t * j->n_regions; i++)
        x[i] = (float)j->tac[i];
    for (int64_t t = 0; t < j->n_t; t++) {
        j->curve[t] = j->tac[t * j->n_regions + j->reference];
        NEP_REQUIRE_OR_DONE(st, ctx, isfinite(j->curve[t]), NEP_E_FORMAT,
                            "%s: the reference region '%s' has no voxel with a value", run->bold,
                            o->pet_reference);
    }
    st = nep_pet_fit(ctx, o->pet_model, &j->frames.f, j->curve, x, j->n_regions, &o->pet, j->value);
done:
    nep_alloc_free(x);
    return st;
}

static nep_status write_curves(const features_pet_job *j, const char *path)
{
    nep_ctx *ctx = j->f->ctx;
    const int64_t width = j->n_regions + 2;
    double *x = NULL;
    char **names = NULL;
    static char start[] = "frame_start", length[] = "frame_duration";
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, j->n_t * width, sizeof *x, "regional curves", &x));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, width, sizeof *names, "regional curves", &names));
    names[0] = start;
    names[1] = length;
    memcpy(names + 2, j->atlas->names, (size_t)j->n_regions * sizeof *names);
    for (int64_t t = 0; t < j->n_t; t++) {
        x[t * width] = j->frames.f.start_s[t];
        x[t * width + 1] = j->frames.f.duration_s[t];
        memcpy(x + t * width + 2, j->tac + t * j->n_regions, (size_t)j->n_regions * sizeof *x);
    }
    st = nep_tsv_write_matrix(ctx, path, NULL, NULL, names, j->n_t, width, x);
done:
    nep_alloc_free(names);
    nep_alloc_free(x);
    return st;
}

static nep_status write_fit(const features_pet_job *j, const char *path)
{
    char text[2 * FEATURES_PET_PARAMETERS][40], *names[2 * FEATURES_PET_PARAMETERS];
    for (int p = 0; p < 2 * j->n_parameters; p++) {
        snprintf(text[p], sizeof text[p], "%s%s", j->names[p / 2], p % 2 ? "_se" : "");
        names[p] = text[p];
    }
    return nep_tsv_write_matrix(j->f->ctx, path, "Node", j->atlas->names, names, j->n_regions,
                                2 * j->n_parameters, j->value);
}

static nep_status write_all(const features_pet_job *j, features_unit *u)
{
    const features_opts *o = &j->f->o;
    NEP_TRY(cli_features_unit_begin(u));
    NEP_TRY(write_curves(j, u->table[FEATURES_PET_TACS]));
    NEP_TRY(cli_features_unit_sidecar(
        u, FEATURES_PET_TACS, "Mean activity of every region, one row per frame; frames in s from injection",
        "as the image", json_pack("{s:I}", "NumberOfFrames", (json_int_t)j->n_t)));
    NEP_TRY(write_fit(j, u->table[FEATURES_PET_FIT]));
    NEP_TRY(cli_features_unit_sidecar(u, FEATURES_PET_FIT,
                                      "Parameters of the model of every region's curve against the reference "
                                      "region, each with its standard error",
                                      "rates 1/min, others 1",
                                      json_pack("{s:s,s:s,s:[o,o]}", "Model", nep_pet_name(o->pet_model),
                                                "ReferenceRegion", o->pet_reference, "WindowMin",
                                                cli_number(o->pet.from_min), cli_number(o->pet.to_min))));
    NEP_TRY(cli_features_pet_maps_write(j, u));
    return cli_features_unit_end(u);
}

/* The reference is a region of the atlas; known before any image is read. */
static nep_status find_reference(features_pet_job *j)
{
    const nep_atlas *a = &j->f->atlas;
    const char *name = j->f->o.pet_reference;
    while (j->reference < a->n_regions && strcmp(a->names[j->reference], name) != 0)
        j->reference++;
    if (j->reference < a->n_regions)
        return NEP_OK;
    const char *near = nep_data_nearest(name, (const char *const *)a->names, a->n_regions);
    return nep_ctx_fail(j->f->ctx, NEP_E_USAGE, "--pet-reference: the atlas has no region '%s'%s%s%s", name,
                        near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

nep_status cli_features_pet(features *f, const nep_bids_run *run, bool may_skip, bool *skipped)
{
    features_pet_job j = {.f = f, .run = run};
    features_unit u = {0};
    char tail[64];
    nep_status st;
    j.names = nep_pet_parameters(f->o.pet_model, &j.n_parameters);
    snprintf(tail, sizeof tail, "model-%s_kinpar", nep_pet_name(f->o.pet_model));
    NEP_TRY(find_reference(&j));
    NEP_TRY_OR_DONE(st, cli_features_unit_open(f, run, "pet", f->seg, &u));
    NEP_TRY_OR_DONE(st, cli_features_unit_table(&u, "tacs"));
    NEP_TRY_OR_DONE(st, cli_features_unit_table(&u, tail));
    NEP_TRY_OR_DONE(st, cli_features_pet_maps_open(&j, &u));
    NEP_TRY_OR_DONE(st, may_skip ? cli_features_unit_done(&u, skipped) : NEP_OK);
    if (*skipped)
        goto done;
    NEP_TRY_OR_DONE(st, read_image(&j, run));
    NEP_TRY_OR_DONE(st, fit(&j, run));
    NEP_TRY_OR_DONE(st, cli_features_pet_maps_fit(&j));
    st = write_all(&j, &u);
done:
    cli_features_unit_close(&u);
    cli_pet_frames_free(&j.frames);
    nep_alloc_free(j.tac);
    nep_alloc_free(j.curve);
    nep_alloc_free(j.maps);
    nep_alloc_free(j.value);
    return st;
}
