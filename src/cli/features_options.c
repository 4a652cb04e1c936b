/* SPDX-License-Identifier: Apache-2.0 */
/* features_options - the options of `nepenthe features`, read and checked. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/features_permute.h"

static nep_status read_features(features *f, unsigned *datatypes)
{
    static const char *const known[] = {"timeseries", "connectivity", "alff",            "falff",  "quality", "reho",        "lcor", "vmhc",
                                        "gcor",       "degree",       "weighted-degree", "mean-z", "rms",     "eigenvector", "strength", "mean-r", "glm",  "pet",
                                        "radiomics", "partial", "covariance", "precision", "tsnr", "seed", "nearest"};
    bool wanted[NEP_LEN(known)] = {false};
    int n;
    const char *const *list = cli_texts(f->c, "features", &n);
    for (int i = 0; i < n; i++) {
        int at = 0;
        while (at < NEP_LEN(known) && strcmp(known[at], list[i]) != 0)
            at++;
        const char *near = nep_data_nearest(list[i], known, NEP_LEN(known));
        NEP_REQUIRE(f->ctx, at < NEP_LEN(known), NEP_E_USAGE, "--features: there is no '%s'%s%s%s", list[i],
                    near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
        wanted[at] = true;
    }
    f->o.series = wanted[0];
    f->o.connectivity = wanted[1];
    f->o.alff = wanted[2];
    f->o.falff = wanted[3];
    for (int m = 0; m < CLI_LOCALS; m++) /* after quality, in their order */
        f->o.local.wants[m] = wanted[5 + m];
    for (int m = 0; m < CLI_CONNECTOME_REGIONAL; m++)
        f->o.pairs[m] = wanted[5 + CLI_LOCALS + m];
    f->o.glm = wanted[5 + CLI_LOCALS + CLI_CONNECTOME_REGIONAL];
    const int pet = 6 + CLI_LOCALS + CLI_CONNECTOME_REGIONAL;
    for (int k = 0; k < FEATURES_KINDS; k++)
        f->o.kinds[k] = wanted[pet + 2 + k];
    f->o.tsnr = wanted[pet + 2 + FEATURES_KINDS];
    f->o.seed = wanted[pet + 3 + FEATURES_KINDS];
    f->o.nearest = wanted[pet + 4 + FEATURES_KINDS];
    for (int at = 0; at < NEP_LEN(known); at++)
        *datatypes |= wanted[at] && at != pet && at != pet + 1 ? NEP_BIDS_FUNC : 0;
    *datatypes |= (wanted[pet] ? NEP_BIDS_PET : 0) | (wanted[pet + 1] ? NEP_BIDS_ANAT : 0);
    bool tests;
    NEP_TRY(cli_features_permute_wanted(f, &tests));
    if (tests) { /* its contrasts are of people */
        f->tests = json_array();
        return NEP_OK;
    }
    NEP_REQUIRE(f->ctx, f->o.glm || !cli_given(f->c, "contrast"), NEP_E_USAGE, "--contrast is for --features glm, or for --permute at the group level");
    return f->o.glm ? cli_glm_words_read(f->c, NULL, &f->contrasts) : NEP_OK;
}

static nep_status read_pair(features *f, const char *option, const char *example, double *low, double *high)
{
    int n;
    char *end[2];
    const char *const *text = cli_texts(f->c, option, &n);
    NEP_REQUIRE(f->ctx, n == 2, NEP_E_USAGE, "--%s needs two numbers, as %s", option, example);
    *low = strtod(text[0], &end[0]);
    *high = strtod(text[1], &end[1]);
    for (int i = 0; i < 2; i++)
        NEP_REQUIRE(f->ctx, end[i] != text[i] && *end[i] == '\0', NEP_E_USAGE, "--%s: '%s' is not a number",
                    option, text[i]);
    NEP_REQUIRE(f->ctx, *low >= 0 && *high > *low, NEP_E_USAGE, "--%s %s,%s: needs 0 < LOW < HIGH", option,
                text[0], text[1]);
    return NEP_OK;
}

/* What pet and radiomics are to do. */
static nep_status read_others(features *f, unsigned datatypes)
{
    features_opts *o = &f->o;
    const nep_pet_opts pet = NEP_PET_DEFAULTS;
    const nep_radiomics_opts radiomics = NEP_RADIOMICS_DEFAULTS;
    o->pet = pet;
    o->radiomics = radiomics;
    for (int m = NEP_PET_SUVR; m <= NEP_PET_PATLAK; m++)
        if (strcmp(cli_text(f->c, "pet-model"), nep_pet_name((nep_pet_model)m)) == 0)
            o->pet_model = (nep_pet_model)m;
    o->pet_reference = cli_text(f->c, "pet-reference");
    o->pet.t_star_min = cli_real(f->c, "pet-t-star");
    o->pet.k2_prime_per_min = cli_real(f->c, "pet-k2-prime");
    NEP_REQUIRE(f->ctx, !(datatypes & NEP_BIDS_PET) || o->pet_model != NEP_PET_MRTM2 || cli_given(f->c, "pet-k2-prime"), NEP_E_USAGE,
                "--pet-model mrtm2 needs --pet-k2-prime: the efflux of the reference, 1/min");
    if (cli_given(f->c, "pet-window"))
        NEP_TRY(read_pair(f, "pet-window", "50,70", &o->pet.from_min, &o->pet.to_min));
    o->radiomics.bin_width = cli_real(f->c, "radiomics-bin-width");
    NEP_REQUIRE(f->ctx, !(datatypes & NEP_BIDS_PET) || o->pet_reference, NEP_E_USAGE,
                "--features pet needs --pet-reference: a region of the atlas");
    NEP_REQUIRE(f->ctx, !cli_given(f->c, "pet-window") || o->pet_model == NEP_PET_SUVR, NEP_E_USAGE,
                "--pet-window is for --pet-model suvr");
    return NEP_OK;
}

nep_status cli_features_options(features *f, unsigned *datatypes)
{
    features_opts *o = &f->o;
    NEP_TRY(read_pair(f, "band", "0.01,0.08", &o->low_hz, &o->high_hz));
    NEP_REQUIRE(f->ctx, o->low_hz > 0, NEP_E_USAGE, "--band must begin above 0 Hz");
    o->confounds = cli_texts(f->c, "confounds", &o->n_confounds);
    o->tr_s = cli_real(f->c, "tr");
    o->censor_mm = cli_real(f->c, "censor-fd");
    o->fail_fd_mm = cli_real(f->c, "fail-fd");
    o->warn_fd_mm = cli_real(f->c, "warn-fd");
    o->min_frames = cli_int(f->c, "min-frames");
    o->min_run = cli_int(f->c, "min-run");
    o->min_coverage = cli_real(f->c, "min-coverage");
    o->resample = cli_flag(f->c, "resample");
    o->maps = cli_flag(f->c, "maps");
    o->shrinks = strcmp(cli_text(f->c, "shrinkage"), "ledoit-wolf") == 0;
    static const char *const cleanings[] = {"nepenthe", "nilearn", "xcpd", "afni"};
    for (int k = 0; k < NEP_LEN(cleanings); k++)
        if (strcmp(cli_text(f->c, "clean"), cleanings[k]) == 0)
            o->clean = (nep_clean_definition)k;
    o->resample_to = cli_text(f->c, "resample-to");
    o->fwhm_mm = cli_given(f->c, "fwhm") ? cli_real(f->c, "fwhm") : 0;
    NEP_REQUIRE(f->ctx, o->fwhm_mm >= 0 && o->fwhm_mm <= 100, NEP_E_USAGE, "--fwhm is a width of 0 (none) to 100 mm");
    NEP_REQUIRE(
        f->ctx,
        !(o->tr_s <= 0) && o->censor_mm >= 0 && o->fail_fd_mm >= 0 && o->warn_fd_mm >= 0 &&
            o->min_frames >= 0 && o->min_run >= 0,
        NEP_E_USAGE,
        "--tr must be above 0, --censor-fd, --fail-fd, --warn-fd, --min-run and --min-frames must not be negative");
    NEP_REQUIRE(f->ctx, o->min_coverage >= 0 && o->min_coverage <= 1, NEP_E_USAGE,
                "--min-coverage is a share from 0 to 1");
    o->local.neighbours = atoi(cli_text(f->c, "reho-neighbours"));
    o->local.fwhm_mm = cli_real(f->c, "lcor-fwhm");
    NEP_REQUIRE(f->ctx, o->local.fwhm_mm > 0, NEP_E_USAGE, "--lcor-fwhm is a width above 0 mm");
    o->threshold = cli_real(f->c, "degree-threshold");
    NEP_REQUIRE(f->ctx, o->threshold >= 0 && o->threshold < 1, NEP_E_USAGE, "--degree-threshold is a correlation, at least 0 and below 1");
    o->fisher_z = cli_flag(f->c, "fisher-z");
    o->top = cli_int(f->c, "top");
    NEP_REQUIRE(f->ctx, o->top >= 1 && o->top <= 100000, NEP_E_USAGE, "--top %lld must be 1 to 100000", (long long)o->top);
    NEP_TRY(read_features(f, datatypes));
    NEP_REQUIRE(f->ctx, o->seed == cli_given(f->c, "place"), NEP_E_USAGE,
                o->seed ? "--features seed needs --place X,Y,Z (mm)" : "--place is for --features seed");
    if (o->seed)
        NEP_TRY(cli_connectome_places_check(f->c));
    return read_others(f, *datatypes);
}

/* The place of this job in its Slurm array, from 0, and the size of the array. Arrays with gaps have no
 * places. */
static nep_status slurm_place(features *f, int64_t *place, int64_t *n)
{
    static const char *const names[] = {"SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_MAX",
                                        "SLURM_ARRAY_TASK_COUNT"};
    long long value[NEP_LEN(names)], step = 1;
    char *end;
    for (int i = 0; i < NEP_LEN(names); i++) {
        const char *text = getenv(names[i]);
        NEP_REQUIRE(f->ctx, text && *text, NEP_E_USAGE,
                    "--array-shard auto: %s is not set, this is no job of a Slurm array; give --shard I/N",
                    names[i]);
        value[i] = strtoll(text, &end, 10);
        NEP_REQUIRE(f->ctx, *end == '\0', NEP_E_USAGE, "--array-shard auto: %s is '%s'", names[i], text);
    }
    if (value[3] > 1)
        step = (value[2] - value[1]) / (value[3] - 1);
    NEP_REQUIRE(f->ctx,
                value[3] >= 1 && step >= 1 && value[1] + step * (value[3] - 1) == value[2] &&
                    (value[0] - value[1]) % step == 0 && value[0] >= value[1] && value[0] <= value[2],
                NEP_E_USAGE,
                "--array-shard auto: the indices of the Slurm array have gaps; number it from 0 to N - 1, or "
                "give --shard I/N");
    *place = (value[0] - value[1]) / step;
    *n = value[3];
    return NEP_OK;
}

nep_status cli_features_shard(features *f, nep_bids_filter *filter)
{
    const char *text = cli_text(f->c, "shard");
    if (cli_text(f->c, "array-shard")) {
        NEP_REQUIRE(f->ctx, !text, NEP_E_USAGE,
                    "--shard and --array-shard are two ways to say the same; give one of them");
        return slurm_place(f, &filter->shard, &filter->n_shards);
    }
    if (!text)
        return NEP_OK;
    int64_t shard, n;
    NEP_TRY(cli_shard(f->c, &shard, &n));
    filter->shard = shard - 1;
    filter->n_shards = n;
    return NEP_OK;
}
