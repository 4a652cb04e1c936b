/* SPDX-License-Identifier: Apache-2.0 */
/* features_pet_maps - the parameters of a PET model voxel by voxel, each with its standard error, under BIDS-derivative names. */
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "cli/features_pet.h"
#include "cli/images.h"
#include "cli/pet_maps.h"

/* bp_nd becomes model-srtm_meas-bpnd_mimap, its error model-srtm_meas-bpnd_desc-se_mimap; k2_per_min is meas-k2. */
void cli_features_pet_tail(nep_pet_model model, int k, char out[96])
{
    int n;
    char label[40] = "";
    const char *name = nep_pet_parameters(model, &n)[k / 2], *end = strstr(name, "_per_min");
    size_t at = 0;
    for (const char *p = name; *p && p != end && at + 1 < sizeof label; p++)
        if (*p != '_')
            label[at++] = *p;
    snprintf(out, 96, "model-%s_meas-%s%s_mimap", nep_pet_name(model), label, k % 2 ? "_desc-se" : "");
}

nep_status cli_features_pet_maps_open(const features_pet_job *j, features_unit *u)
{
    char tail[96];
    for (int k = 0; k < 2 * j->n_parameters && j->f->o.maps; k++) {
        cli_features_pet_tail(j->f->o.pet_model, k, tail);
        NEP_TRY(cli_features_unit_image(u, tail));
    }
    return NEP_OK;
}

static nep_status clear(const features_pet_job *j)
{
    static const char *const ends[] = {".nii.gz", ".json"};
    char tail[96], path[4096];
    for (int k = 0; k < 2 * j->n_parameters; k++)
        for (int i = 0; i < NEP_LEN(ends); i++) {
            cli_features_pet_tail(j->f->o.pet_model, k, tail);
            NEP_TRY(cli_features_file(j->f, j->run, j->f->seg, tail, ends[i], path, sizeof path));
            unlink(path);
        }
    return NEP_OK;
}

static nep_status write_sidecar(const features_pet_job *j, features_unit *u, int k)
{
    const features_opts *o = &j->f->o;
    const char *name = j->names[k / 2];
    char text[160];
    snprintf(text, sizeof text, "%s%s of the model of every voxel's curve against the reference region", k % 2 ? "Standard error of " : "Parameter ", name);
    json_t *extra = json_pack("{s:s,s:s,s:s,s:[o,o],s:f,s:b}", "Model", nep_pet_name(o->pet_model), "Parameter", name, "ReferenceRegion",
                              o->pet_reference, "WindowMin", cli_number(o->pet.from_min), cli_number(o->pet.to_min), "TStarMin",
                              o->pet.t_star_min, "Masked", j->run->mask != NULL);
    return cli_features_unit_sidecar(u, FEATURES_PET_TABLES + k, text, strstr(name, "_per_min") ? "1/min" : "1", extra);
}

nep_status cli_features_pet_maps_fit(features_pet_job *j)
{
    nep_ctx *ctx = j->f->ctx;
    char path[4096];
    nep_volume mask = {0};
    nep_status st;
    if (!j->f->o.maps)
        return NEP_OK;
    if (j->run->mask) {
        NEP_TRY_OR_DONE(st, cli_features_path(ctx, path, sizeof path, "%s/%s", j->f->root, j->run->mask));
        NEP_TRY_OR_DONE(st, cli_images_mask(ctx, path, &j->grid, j->run->bold, &mask));
    }
    st = cli_pet_maps(ctx, j->path, &j->grid, mask.data ? &mask : NULL, j->f->o.pet_model, &j->frames.f, j->curve, &j->f->o.pet, &j->maps);
done:
    nep_volume_free(&mask);
    return st;
}

nep_status cli_features_pet_maps_write(const features_pet_job *j, features_unit *u)
{
    const int64_t n_vox = nep_grid_voxels(&j->grid);
    if (!j->maps)
        return clear(j);
    for (int k = 0; k < 2 * j->n_parameters; k++) {
        NEP_TRY(nep_nifti_write(j->f->ctx, u->table[FEATURES_PET_TABLES + k], &j->grid, 1, (double)NAN, j->maps + k * n_vox, false));
        NEP_TRY(write_sidecar(j, u, k));
    }
    return NEP_OK;
}
