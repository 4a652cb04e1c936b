/* SPDX-License-Identifier: Apache-2.0 */
/* demo_cohort - the images of the demo: a drawn atlas and two BIDS-derivative cohorts of simulated people. */
#include <math.h>

#include <nepenthe/simulate.h>

#include "cli/demo.h"

/* The planted pattern: the target's tiers, z-scored over the regions that have one; 0 where none is published. */
static nep_status planted_profile(demo *d, const char *target, double **out)
{
    const int64_t n = d->geometry.n_regions, map = nep_maps_find(&d->receptors, target);
    double *x = NULL, mean = 0, ss = 0;
    int64_t known = 0;
    NEP_REQUIRE(d->ctx, map >= 0, NEP_E_FORMAT, "demo: receptors.tsv has no column '%s'", target);
    NEP_TRY(nep_alloc(d->ctx, n, sizeof *x, "planted profile", &x));
    for (int64_t r = 0; r < n; r++) {
        const int64_t row = nep_maps_find_region(&d->receptors, d->geometry.names[r]);
        x[r] = row >= 0 ? d->receptors.value[row * d->receptors.n_maps + map] : (double)NAN;
        if (isfinite(x[r])) {
            mean += x[r];
            known++;
        }
    }
    mean /= (double)(known ? known : 1);
    for (int64_t r = 0; r < n; r++)
        ss += isfinite(x[r]) ? (x[r] - mean) * (x[r] - mean) : 0;
    const double sd = sqrt(ss / (double)(known > 1 ? known - 1 : 1));
    for (int64_t r = 0; r < n; r++)
        x[r] = isfinite(x[r]) && sd > 0 ? (x[r] - mean) / sd : 0;
    *out = x;
    return NEP_OK;
}

nep_status demo_write_atlas(demo *d)
{
    const int64_t n_vox = nep_grid_voxels(&d->atlas.grid);
    char path[8600];
    float *x = NULL;
    nep_file *f = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(d->ctx, n_vox, sizeof *x, "atlas", &x));
    for (int64_t v = 0; v < n_vox; v++)
        x[v] = (float)d->atlas.label[v];
    snprintf(path, sizeof path, "%s/atlas-schematic_dseg.nii.gz", d->out);
    NEP_TRY_OR_DONE(st, nep_nifti_write(d->ctx, path, &d->atlas.grid, 1, (double)NAN, x, true));
    snprintf(path, sizeof path, "%s/atlas-schematic_dseg.tsv", d->out);
    NEP_TRY_OR_DONE(st, nep_file_create(d->ctx, path, &f));
    NEP_TRY_OR_DONE(st, nep_file_printf(f, "index\tname\n"));
    for (int64_t r = 0; r < d->atlas.n_regions; r++)
        NEP_TRY_OR_DONE(st, nep_file_printf(f, "%d\t%s\n", d->atlas.id[r], d->atlas.names[r]));
    st = nep_file_commit(f);
    f = NULL;
done:
    nep_file_abort(f);
    nep_alloc_free(x);
    return st;
}

static nep_status write_subject(demo *d, const nep_cohort_opts *o, int k, int s, const char *folder, float *bold)
{
    const int64_t n_vox = nep_grid_voxels(&d->atlas.grid);
    char func[4600], path[5200], stem[64];
    nep_series confounds = {0};
    nep_status st;
    snprintf(stem, sizeof stem, "sub-%s%02d_task-rest", demo_plans[k].letter, s + 1);
    snprintf(func, sizeof func, "%s/sub-%s%02d/func", folder, demo_plans[k].letter, s + 1);
    NEP_TRY_OR_DONE(st, nep_file_folder(d->ctx, func));
    NEP_TRY_OR_DONE(st, nep_cohort_subject(d->ctx, &d->atlas, o, s, s >= DEMO_GROUP, s == demo_plans[k].bad, bold, &confounds));
    snprintf(path, sizeof path, "%s/%s_space-MNI152NLin2009cAsym_desc-preproc_bold.nii.gz", func, stem);
    NEP_TRY_OR_DONE(st, nep_nifti_write(d->ctx, path, &d->atlas.grid, o->n_t, o->tr_s, bold, true));
    snprintf(path, sizeof path, "%s/%s_desc-confounds_timeseries.tsv", func, stem);
    NEP_TRY_OR_DONE(st, nep_tsv_write_series(d->ctx, path, &confounds));
    for (int64_t v = 0; v < n_vox; v++)
        bold[v] = d->atlas.label[v] > 0;
    snprintf(path, sizeof path, "%s/%s_space-MNI152NLin2009cAsym_desc-brain_mask.nii.gz", func, stem);
    NEP_TRY_OR_DONE(st, nep_nifti_write(d->ctx, path, &d->atlas.grid, 1, (double)NAN, bold, true));
done:
    nep_series_free(&confounds);
    return st;
}

/* participants.tsv is also the design: group, and an age that differs by chance alone. */
static nep_status write_participants(demo *d, int k, uint64_t seed, const char *folder)
{
    char path[8600];
    nep_file *f = NULL;
    nep_status st;
    snprintf(path, sizeof path, "%s/participants.tsv", folder);
    NEP_TRY_OR_DONE(st, nep_file_create(d->ctx, path, &f));
    NEP_TRY_OR_DONE(st, nep_file_printf(f, "participant_id\tgroup\tage\n"));
    for (int s = 0; s < 2 * DEMO_GROUP; s++)
        NEP_TRY_OR_DONE(st, nep_file_printf(f, "sub-%s%02d\t%s\t%.0f\n", demo_plans[k].letter, s + 1, s < DEMO_GROUP ? "control" : "patient",
                                            floor(22 + 30 * nep_philox_uniform(seed, UINT64_MAX, (uint64_t)s))));
    st = nep_file_commit(f);
    f = NULL;
done:
    nep_file_abort(f);
    return st;
}

nep_status demo_write_cohort(demo *d, int k, char *folder, size_t size)
{
    nep_cohort_opts o = NEP_COHORT_DEFAULTS;
    float *bold = NULL;
    double *profile = NULL;
    char path[8600];
    nep_status st;
    o.seed = nep_ctx_seed(d->ctx) * DEMO_COHORTS + (uint64_t)k + 1;
    o.effect = demo_plans[k].effect;
    snprintf(folder, size, "%s/cohort-%s", d->out, demo_plans[k].letter);
    NEP_TRY_OR_DONE(st, nep_file_folder(d->ctx, folder));
    snprintf(path, sizeof path, "%s/dataset_description.json", folder);
    NEP_TRY_OR_DONE(st, demo_write_text(d->ctx, path,
                                   "{\n  \"Name\": \"Simulated cohort (no person was scanned)\",\n  \"BIDSVersion\": \"1.10.0\",\n"
                                   "  \"DatasetType\": \"derivative\",\n  \"License\": \"CC0\",\n"
                                   "  \"GeneratedBy\": [{\"Name\": \"nepenthe demo\", \"Version\": \"" NEP_VERSION "\"}]\n}\n"));
    NEP_TRY_OR_DONE(st, write_participants(d, k, o.seed, folder));
    if (demo_plans[k].target)
        NEP_TRY_OR_DONE(st, planted_profile(d, demo_plans[k].target, &profile));
    o.profile = profile;
    NEP_TRY_OR_DONE(st, nep_alloc(d->ctx, o.n_t * nep_grid_voxels(&d->atlas.grid), sizeof *bold, "simulated run", &bold));
    nep_progress_open(d->ctx, demo_plans[k].name, 2 * DEMO_GROUP);
    for (int s = 0; s < 2 * DEMO_GROUP; s++) {
        NEP_TRY_OR_DONE(st, nep_ctx_check(d->ctx));
        NEP_TRY_OR_DONE(st, write_subject(d, &o, k, s, folder, bold));
        nep_progress_step(d->ctx, s + 1);
    }
    nep_progress_close(d->ctx);
done:
    nep_alloc_free(profile);
    nep_alloc_free(bold);
    return st;
}
