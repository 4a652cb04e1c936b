/* SPDX-License-Identifier: Apache-2.0 */
/* features_permute - permutation tests at the group level: of every regional feature, of PET's parameters and radiomics, and of every
 * map that is there. */
#include "cli/features_permute.h"

#include <dirent.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "cli/permute_run.h"

/* ---- options ---- */

/* What a name keeps as a label of BIDS: letters and digits. */
static void label_of(const char *name, char *out, size_t size)
{
    size_t n = 0;
    for (const char *p = name; *p && n + 1 < size; p++)
        if ((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z'))
            out[n++] = *p;
    out[n] = '\0';
}

static nep_status read_words(features *f, cli_glm_words *w)
{
    return cli_glm_words_read(f->c, cli_given(f->c, "design") ? NULL : "mean=intercept", w);
}

static nep_status check_words(features *f, const cli_glm_words *w)
{
    for (int i = 0; i < w->n; i++)
        for (int j = 0; j <= i; j++) {
            char a[256], b[256];
            label_of(w->name[i], a, sizeof a);
            label_of(w->name[j], b, sizeof b);
            NEP_REQUIRE(f->ctx, a[0] && (i == j || strcmp(a, b) != 0), NEP_E_USAGE,
                        "--contrast: '%s' and '%s' are not told apart by the letters and digits that file names keep", w->name[j], w->name[i]);
        }
    return NEP_OK;
}

nep_status cli_features_permute_wanted(features *f, bool *wanted)
{
    static const char *const words[] = {"permute", "design", "columns", "exchange"}, *const flags[] = {"centre", "whole", "positive", "tail"};
    const bool group = strcmp(cli_input(f->c, 2), "group") == 0;
    cli_glm_words w = {0};
    nep_status st;
    *wanted = group && cli_given(f->c, "permute");
    for (int i = 0; i < NEP_LEN(words) && !*wanted; i++) {
        NEP_REQUIRE(f->ctx, !cli_given(f->c, words[i]), NEP_E_USAGE, group ? "--%s is for --permute N" : "--%s is for the group level", words[i]);
        NEP_REQUIRE(f->ctx, !cli_flag(f->c, flags[i]), NEP_E_USAGE, group ? "--%s is for --permute N" : "--%s is for the group level", flags[i]);
    }
    if (!*wanted)
        return NEP_OK;
    NEP_REQUIRE(f->ctx, cli_int(f->c, "permute") >= 1, NEP_E_USAGE, "--permute is a number of shuffles, 1 or more");
    NEP_TRY_OR_DONE(st, read_words(f, &w));
    st = check_words(f, &w);
done:
    cli_glm_words_free(&w);
    return st;
}

/* ---- one test ---- */

typedef struct {
    features_gathering *g;
    char desc[NEP_BIDS_MAX_NAME + 32]; /* the feature as a label */
    const char *feature, *seg;         /* seg NULL = of no atlas */
    const cli_permute *j;
} test;

bool cli_features_permute_takes(const features_gathering *g, int64_t person)
{
    return strcmp(g->verdicts[person], "fail") != 0;
}

static nep_status sidecar(void *user, const char *contrast, const char *quantity, const char *path)
{
    const test *t = user;
    const cli_permute_result *p = &t->j->p;
    json_t *ids = json_array();
    char says[256];
    for (int64_t i = 0; i < p->n_people; i++)
        json_array_append_new(ids, json_string(p->people.ids[t->j->row[i]]));
    snprintf(says, sizeof says, "Permutation test of %.120s: %s", t->feature, contrast ? quantity : p->people.columns ? "every region" : "peaks of clusters");
    json_t *doc = json_pack("{s:s,s:s,s:o,s:o}", "Description", says, "Feature", t->feature, "Participants", ids, "Permute", cli_permute_describe(p));
    if (doc && contrast)
        json_object_set_new(doc, "Contrast", json_string(contrast));
    return cli_sidecar(t->g->f->c, path, "as the inputs", doc);
}

static nep_status name_map(void *user, const char *contrast, const char *quantity, char out[4096])
{
    const test *t = user;
    char label[256];
    if (!contrast)
        return cli_features_path(t->g->ctx, out, 4096, "%s/group/desc-%s_%s.tsv", t->g->f->out, t->desc, quantity);
    label_of(contrast, label, sizeof label);
    return cli_features_path(t->g->ctx, out, 4096, "%s/group/desc-%s_contrast-%s_stat-%s_statmap.nii.gz", t->g->f->out, t->desc, label, quantity);
}

static nep_status write_test(test *t)
{
    const cli_permute_names names = {.user = t, .path = name_map, .wrote = sidecar};
    const cli_permute_result *p = &t->j->p;
    cli *c = t->g->f->c;
    char path[4096];
    if (!p->people.columns)
        return cli_permute_maps_write(c, p, &names);
    NEP_TRY(cli_features_path(t->g->ctx, path, sizeof path, "%s/group/%s%s%sdesc-%s_permutation.tsv", t->g->f->out, t->seg ? "seg-" : "",
                              t->seg ? t->seg : "", t->seg ? "_" : "", t->desc));
    NEP_TRY(cli_permute_table_write(c, p, path));
    return sidecar(t, NULL, NULL, path);
}

/* Tests these people, whom it takes over. */
static nep_status run_test(test *t, cli_people *people)
{
    const nep_permute_opts defaults = NEP_PERMUTE_DEFAULTS;
    features *f = t->g->f;
    cli_permute j = {.c = f->c, .p = {.people = *people, .o = defaults}, .resumes = !cli_flag(f->c, "no-resume")};
    nep_status st;
    *people = (cli_people){0};
    t->j = &j;
    NEP_TRY_OR_DONE(st, cli_permute_options(&j, cli_int(f->c, "permute")));
    if (j.p.people.columns)
        j.p.o.statistics = NEP_PERMUTE_MAX_T; /* regions have no neighbours */
    NEP_TRY_OR_DONE(st, read_words(f, &j.words));
    NEP_TRY_OR_DONE(st, cli_features_path(f->ctx, j.prefix, sizeof j.prefix, "%s/.nepenthe/permute/%s_%s", f->out, t->desc,
                                          j.p.people.columns ? "regions" : "voxels"));
    NEP_TRY_OR_DONE(st, cli_permute_prepare(&j));
    cli_say(f->c, "%s, %s: %lld participants", t->feature, j.p.people.columns ? "regions" : "voxels", (long long)j.p.n_people);
    NEP_TRY_OR_DONE(st, cli_permute_test(&j, (double)NAN, NEP_PERMUTE_AUTO));
    NEP_TRY_OR_DONE(st, write_test(t));
    json_array_append_new(f->tests, json_pack("{s:s,s:s,s:o}", "feature", t->feature, "of", j.p.people.columns ? "regions" : "voxels", "permute",
                                              cli_permute_describe(&j.p)));
done:
    t->j = NULL;
    cli_permute_free(&j);
    return st;
}

/* ---- regions ---- */

static nep_status copy_people(features_gathering *g, const double *x, char *const *names, int64_t n, cli_people *d)
{
    d->n_cols = n;
    NEP_TRY(nep_alloc(g->ctx, n, sizeof *d->columns, "regions", &d->columns));
    NEP_TRY(nep_alloc(g->ctx, g->n_people, sizeof *d->ids, "participants", &d->ids));
    NEP_TRY(nep_alloc(g->ctx, g->n_people * n, sizeof *d->y, "regional values", &d->y));
    for (int64_t q = 0; q < n; q++)
        NEP_TRY(nep_alloc_string(g->ctx, names[q], &d->columns[q]));
    for (int64_t i = 0; i < g->n_people; i++) {
        bool any = false;
        for (int64_t q = 0; q < n; q++) {
            d->y[d->n * n + q] = (float)x[i * n + q];
            any = any || isfinite(x[i * n + q]);
        }
        if (any && cli_features_permute_takes(g, i))
            NEP_TRY(nep_alloc_string(g->ctx, g->ids[i], &d->ids[d->n++]));
    }
    return NEP_OK;
}

/* Who has no value of a feature in any region is left out, and a feature that nobody has. */
static nep_status test_regions(features_gathering *g, const char *feature, const char *seg, const double *x, char *const *names, int64_t n)
{
    test t = {.g = g, .feature = feature, .seg = seg};
    cli_people d = {0};
    nep_status st;
    label_of(feature, t.desc, sizeof t.desc);
    NEP_TRY_OR_DONE(st, copy_people(g, x, names, n, &d));
    st = d.n > 0 ? run_test(&t, &d) : NEP_OK;
done:
    cli_people_free(&d);
    return st;
}

static nep_status test_all_regions(features_gathering *g)
{
    const char *seg = g->f->seg;
    for (int k = 0; k < FEATURES && g->n > 0; k++)
        if (strcmp(cli_features_regional[k], "coverage") != 0)
            NEP_TRY(test_regions(g, cli_features_regional[k], seg, g->x[k], g->regions, g->n_regions));
    for (int64_t k = 0; k < g->n_contrasts; k++) {
        char name[512];
        snprintf(name, sizeof name, "glm_%.400s", g->contrasts[k].name);
        NEP_TRY(test_regions(g, name, seg, g->contrasts[k].effect, g->regions, g->n_regions));
    }
    for (int64_t b = 0; b < g->others.n; b++) {
        const features_block *k = &g->others.block[b];
        NEP_TRY(test_regions(g, k->feature, strcmp(k->feature, "radiomics") == 0 ? NULL : seg, k->x, k->names, k->n));
    }
    return NEP_OK;
}

/* ---- voxels ---- */

static nep_status test_maps(features_gathering *g, int64_t *tested)
{
    for (int k = 0; k < FEATURES_MAPS && g->n > 0; k++) {
        const char *const how = g->desc > 0 ? strchr(cli_features_desc[g->desc], '-') + 1 : "";
        test t = {.g = g, .feature = cli_features_regional[k]};
        cli_people d = {0};
        nep_status st = cli_features_permute_maps(g, k, &d);
        snprintf(t.desc, sizeof t.desc, "%s%s", cli_features_regional[k], how);
        *tested += d.n > 0;
        if (st == NEP_OK && d.n > 0)
            st = run_test(&t, &d);
        cli_people_free(&d);
        NEP_TRY(st);
    }
    return NEP_OK;
}

/* ---- the whole ---- */

/* Takes the files away whose names hold one of these parts. */
static nep_status clear_folder(features *f, const char *folder, const char *const *parts, int n)
{
    char path[4096];
    NEP_TRY(cli_features_path(f->ctx, path, sizeof path, "%s/%s", f->out, folder));
    NEP_TRY(nep_file_folder(f->ctx, path));
    DIR *d = opendir(path);
    NEP_REQUIRE(f->ctx, d, NEP_E_MISSING, "%s: cannot be listed", path);
    nep_status st = NEP_OK;
    for (struct dirent *e = readdir(d); e && st == NEP_OK; e = readdir(d))
        for (int i = 0; i < n; i++) {
            if (!strstr(e->d_name, parts[i]))
                continue;
            st = cli_features_path(f->ctx, path, sizeof path, "%s/%s/%s", f->out, folder, e->d_name);
            if (st == NEP_OK)
                unlink(path);
            break;
        }
    closedir(d);
    return st;
}

nep_status cli_features_permute(features_gathering *g)
{
    static const char *const results[] = {"_permutation.", "_statmap.", "_peaks."}, *const checkpoints[] = {".checkpoint"};
    int64_t failed = 0, maps = 0;
    int n = 0;
    bool clusters = false;
    const char *const *statistics = cli_texts(g->f->c, "statistic", &n);
    for (int i = 0; i < n; i++)
        clusters = clusters || strcmp(statistics[i], "max-t") != 0;
    for (int64_t i = 0; i < g->n_people; i++)
        failed += !cli_features_permute_takes(g, i);
    if (failed > 0)
        cli_say(g->f->c, "%lld participants whose every run fails quality are not tested", (long long)failed);
    NEP_TRY(clear_folder(g->f, "group", results, NEP_LEN(results)));
    NEP_TRY(clear_folder(g->f, ".nepenthe/permute", NULL, 0));
    NEP_TRY(test_all_regions(g));
    NEP_TRY(test_maps(g, &maps));
    NEP_REQUIRE(g->ctx, maps > 0 || !clusters, NEP_E_MISSING,
                "--statistic: clusters and TFCE are of maps, and there are none; measure them with --maps at the participant level");
    return clear_folder(g->f, ".nepenthe/permute", checkpoints, 1);
}
