/* SPDX-License-Identifier: Apache-2.0 */
/* bids - names to entities, and which runs a folder holds with what belongs to them. */
#include <ftw.h>

#include "io/files.h"

#include <nepenthe/bids.h>

static nep_ctx *ctx;

static void put(const char *relative)
{
    char path[700];
    snprintf(path, sizeof path, "%s", test_path(relative));
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0755) != 0 && access(path, F_OK) != 0)
            abort();
        *slash = '/';
    }
    FILE *f = fopen(path, "w");
    if (!f || fclose(f) != 0)
        abort();
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

static int remove_all(void **state)
{
    (void)state;
    return nftw(test_path(""), remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void test_names(void **state)
{
    (void)state;
    nep_bids_name k;
    assert_true(nep_bids_parse("sub-01_ses-A_task-rest_desc-preproc_bold.nii.gz", &k));
    assert_int_equal(k.n, 4);
    assert_string_equal(nep_bids_value(&k, "ses"), "A");
    assert_string_equal(k.suffix, "bold");
    assert_string_equal(k.ext, ".nii.gz");
    assert_null(nep_bids_value(&k, "run"));
    assert_true(nep_bids_parse("sub-01_task-jr+wc_bold", &k));
    assert_string_equal(k.ext, "");
    static const char *const bad[] = {"", "bold.nii.gz", "sub-01", "sub-01_.tsv", "sub-_bold.nii", "-01_bold.nii", "sub-01_sub-02_bold.nii",
                                      "sub-01__bold.nii", "sub-01_rest_bold.nii", "sub-0/1_bold.nii", "sub-a-b_bold.nii", "_bold.nii"};
    for (int i = 0; i < NEP_LEN(bad); i++)
        if (nep_bids_parse(bad[i], &k))
            fail_msg("'%s' is taken for a BIDS name", bad[i]);
    char longest[NEP_BIDS_MAX_NAME + 8];
    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    assert_false(nep_bids_parse(longest, &k));
    longest[NEP_BIDS_MAX_NAME] = '\0';
    memcpy(longest, "sub-", 4);
    memcpy(longest + 40, "_bold.nii", 9);
    assert_false(nep_bids_parse(longest, &k)); /* no room for its dot */
}

static void test_runs(void **state)
{
    (void)state;
    nep_bids_runs r = {0};
    put("a/sub-02/func/sub-02_task-rest_space-X_desc-preproc_bold.nii.gz");
    put("a/sub-02/func/sub-02_task-rest_space-X_desc-brain_mask.nii.gz");
    put("a/sub-02/func/sub-02_task-rest_desc-confounds_timeseries.tsv");
    put("a/sub-02/func/sub-02_task-rest_space-X_desc-preproc_bold.json");
    put("a/sub-02/func/sub-02_task-rest_run-1_desc-confounds_timeseries.tsv"); /* another run's */
    put("a/sub-02/anat/sub-02_desc-preproc_bold.nii.gz");                      /* not func */
    put("a/sub-01/ses-B/func/sub-01_ses-B_task-rest_desc-preproc_bold.nii");
    put("a/sub-01/ses-A/func/sub-01_ses-A_task-nback_run-2_space-X_res-2_desc-preproc_bold.nii.gz");
    put("a/sub-01/ses-A/func/sub-01_ses-A_task-nback_run-2_desc-confounds_regressors.tsv");
    put("a/sub-01/ses-A/func/sub-09_ses-A_task-nback_desc-preproc_bold.nii.gz"); /* another's */
    put("a/sub-03/func/sub-03_task-rest_bold.nii.gz");                           /* not preprocessed */
    put("a/derivatives/sub-04/func/sub-04_desc-preproc_bold.nii.gz");
    assert_ok(ctx, nep_bids_find(ctx, test_path("a"), NULL, &r));
    assert_int_equal(r.n_participants, 3);
    assert_int_equal(r.n, 3);
    assert_string_equal(r.runs[0].bold, "sub-01/ses-A/func/sub-01_ses-A_task-nback_run-2_space-X_res-2_desc-preproc_bold.nii.gz");
    assert_string_equal(r.runs[0].confounds, "sub-01/ses-A/func/sub-01_ses-A_task-nback_run-2_desc-confounds_regressors.tsv");
    assert_string_equal(r.runs[0].stem, "sub-01_ses-A_task-nback_run-2_space-X_res-2");
    assert_string_equal(r.runs[1].session, "B");
    assert_null(r.runs[1].confounds);
    assert_string_equal(r.runs[2].mask, "sub-02/func/sub-02_task-rest_space-X_desc-brain_mask.nii.gz");
    assert_string_equal(r.runs[2].confounds, "sub-02/func/sub-02_task-rest_desc-confounds_timeseries.tsv");
    assert_string_equal(r.runs[2].sidecar, "sub-02/func/sub-02_task-rest_space-X_desc-preproc_bold.json");
    nep_bids_free(&r);
}

static void test_datatypes(void **state)
{
    (void)state;
    nep_bids_runs r = {0};
    put("d/sub-1/anat/sub-1_desc-preproc_T1w.nii.gz");
    put("d/sub-1/anat/sub-1_space-X_desc-preproc_T1w.nii.gz");
    put("d/sub-1/anat/sub-1_desc-aseg_dseg.nii.gz");
    put("d/sub-1/anat/sub-1_label-lesion_roi.nii");
    put("d/sub-1/anat/sub-1_label-lesion_roi.json");
    put("d/sub-1/func/sub-1_task-rest_desc-preproc_bold.nii.gz");
    put("d/sub-1/pet/sub-1_trc-X_space-T1w_desc-preproc_pet.nii.gz");
    put("d/sub-1/pet/sub-1_trc-X_space-T1w_desc-preproc_pet.json");
    put("d/sub-2/ses-B/anat/sub-2_ses-B_run-1_desc-preproc_T1w.nii");
    put("d/sub-2/ses-B/anat/sub-2_ses-B_run-2_desc-aseg_dseg.nii"); /* another run's */
    nep_bids_filter f = {.datatypes = NEP_BIDS_FUNC | NEP_BIDS_PET | NEP_BIDS_ANAT};
    assert_ok(ctx, nep_bids_find(ctx, test_path("d"), &f, &r));
    assert_int_equal(r.n, 4);
    assert_int_equal(r.runs[0].datatype, NEP_BIDS_ANAT);
    assert_string_equal(r.runs[0].bold, "sub-1/anat/sub-1_desc-preproc_T1w.nii.gz");
    assert_string_equal(r.runs[0].labels, "sub-1/anat/sub-1_desc-aseg_dseg.nii.gz");
    assert_int_equal(r.runs[1].datatype, NEP_BIDS_FUNC);
    assert_null(r.runs[1].labels);
    assert_int_equal(r.runs[2].datatype, NEP_BIDS_PET);
    assert_string_equal(r.runs[2].sidecar, "sub-1/pet/sub-1_trc-X_space-T1w_desc-preproc_pet.json");
    assert_string_equal(r.runs[3].session, "B");
    assert_null(r.runs[3].labels);
    nep_bids_free(&r);
    const char *const task[] = {"nback"};
    f = (nep_bids_filter){.datatypes = NEP_BIDS_PET | NEP_BIDS_ANAT, .labels = "label-lesion_roi", .tasks = task, .n_tasks = 1};
    assert_ok(ctx, nep_bids_find(ctx, test_path("d"), &f, &r));
    assert_int_equal(r.n, 3);
    assert_string_equal(r.runs[0].labels, "sub-1/anat/sub-1_label-lesion_roi.nii");
    nep_bids_free(&r);
    assert_ok(ctx, nep_bids_find_files(ctx, test_path("d"), &(nep_bids_filter){.datatypes = NEP_BIDS_ANAT}, "aseg", "dseg", ".nii.gz", &r));
    assert_int_equal(r.n, 2);
    nep_bids_free(&r);
}

static void test_filters(void **state)
{
    (void)state;
    nep_bids_runs r = {0};
    const char *const people[] = {"sub-01", "02"}, *const one[] = {"01"}, *const session[] = {"ses-B"}, *const task[] = {"task-nback"};
    assert_ok(ctx, nep_bids_find(ctx, test_path("a"), &(nep_bids_filter){.participants = people, .n_participants = 2}, &r));
    assert_int_equal(r.n_participants, 2);
    assert_int_equal(r.n, 3);
    nep_bids_free(&r);
    assert_ok(ctx, nep_bids_find(ctx, test_path("a"), &(nep_bids_filter){.participants = one, .n_participants = 1, .sessions = session, .n_sessions = 1}, &r));
    assert_int_equal(r.n, 1);
    assert_string_equal(r.runs[0].session, "B");
    nep_bids_free(&r);
    assert_ok(ctx, nep_bids_find(ctx, test_path("a"), &(nep_bids_filter){.tasks = task, .n_tasks = 1}, &r));
    assert_int_equal(r.n, 1);
    nep_bids_free(&r);
    assert_ok(ctx, nep_bids_find(ctx, test_path("a"), &(nep_bids_filter){.space = "X"}, &r));
    assert_int_equal(r.n, 2);
    nep_bids_free(&r);
    assert_ok(ctx, nep_bids_find_files(ctx, test_path("a"), NULL, "confounds", "regressors", ".tsv", &r));
    assert_int_equal(r.n, 1);
    nep_bids_free(&r);
}

static void test_refused(void **state)
{
    (void)state;
    nep_bids_runs r = {0};
    const char *const nobody[] = {"77"};
    put("empty/participants.tsv");
    put("twice/sub-01/func/sub-01_task-rest_space-T1w_desc-preproc_bold.nii.gz");
    put("twice/sub-01/func/sub-01_task-rest_space-X_desc-preproc_bold.nii.gz");
    assert_refused(ctx, nep_bids_find(ctx, test_path("absent"), NULL, &r), NEP_E_MISSING, "cannot be read");
    assert_refused(ctx, nep_bids_find(ctx, test_path("empty"), NULL, &r), NEP_E_MISSING, "no folder sub-");
    assert_refused(ctx, nep_bids_find(ctx, test_path("a"), &(nep_bids_filter){.participants = nobody, .n_participants = 1}, &r), NEP_E_MISSING, "sub-77");
    assert_refused(ctx, nep_bids_find(ctx, test_path("twice"), NULL, &r), NEP_E_ARG, "--space");
    assert_int_equal(r.n, 0);
    assert_ok(ctx, nep_bids_find(ctx, test_path("twice"), &(nep_bids_filter){.space = "T1w"}, &r));
    assert_int_equal(r.n, 1);
    nep_bids_free(&r);
}

static void test_no_memory(void **state)
{
    (void)state;
    nep_bids_runs r = {0};
    const int64_t before = nep_alloc_used(ctx);
    nep_status st = NEP_E_NOMEM;
    for (int64_t k = 0; st != NEP_OK && k < 500; k++) {
        nep_ctx_clear(ctx);
        nep_alloc_fail_at(ctx, k);
        st = nep_bids_find(ctx, test_path("a"), NULL, &r);
        nep_alloc_fail_at(ctx, -1);
        assert_true(st == NEP_OK || (st == NEP_E_NOMEM && r.n == 0 && nep_alloc_used(ctx) == before));
    }
    assert_int_equal(st, NEP_OK);
    nep_bids_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),   cmocka_unit_test(test_runs), cmocka_unit_test(test_datatypes),      cmocka_unit_test(test_filters),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_no_memory),
    };
    ctx = test_ctx(1);
    const int failed = cmocka_run_group_tests(tests, NULL, remove_all);
    nep_ctx_free(ctx);
    return failed;
}
