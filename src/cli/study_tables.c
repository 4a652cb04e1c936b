/* SPDX-License-Identifier: Apache-2.0 */
/* study_tables.c - tables of a study, noted with their licences, and names to numbers. */
#include "cli/study_tables.h"

#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_name(const void *a, const void *b)
{
    return strcmp(((const study_entry *)a)->name, ((const study_entry *)b)->name);
}

nep_status cli_study_lookup_make(nep_ctx *ctx, char *const *names, int64_t n, study_lookup *out)
{
    NEP_TRY(nep_alloc(ctx, n, sizeof *out->list, "names", &out->list));
    out->n = n;
    for (int64_t i = 0; i < n; i++)
        out->list[i] = (study_entry){names[i], i};
    qsort(out->list, (size_t)n, sizeof *out->list, by_name);
    return NEP_OK;
}

int64_t cli_study_find(const study_lookup *l, const char *name)
{
    const study_entry key = {name, 0};
    const study_entry *e = name && l->n ? bsearch(&key, l->list, (size_t)l->n, sizeof key, by_name) : NULL;
    return e ? e->i : -1;
}

static bool holds_word(const char *list, const char *word)
{
    const size_t n = strlen(word);
    for (const char *p = list; p && *p; p = strchr(p, ';') ? strchr(p, ';') + 1 : NULL)
        if (strncmp(p, word, n) == 0 && (p[n] == ';' || p[n] == '\0'))
            return true;
    return false;
}

static nep_status note_licence(nep_ctx *ctx, cli_study *s, const char *licence)
{
    if (!licence || !*licence || holds_word(s->licences, licence))
        return NEP_OK;
    const size_t old = s->licences ? strlen(s->licences) : 0, n = strlen(licence);
    NEP_TRY(nep_alloc_grow(ctx, (int64_t)(old + n + 2), 1, "licences", &s->licences));
    if (old)
        s->licences[old] = ';';
    memcpy(s->licences + old + (old ? 1 : 0), licence, n + 1);
    return NEP_OK;
}

/* The sidecar of a file: the same path with .json for its ending (of .nii.gz and the like, both). */
nep_status cli_study_sidecar_of(nep_ctx *ctx, const char *path, const char *section, const char *key, char **out)
{
    const char *dot = strrchr(path, '.');
    char *sidecar = NULL;
    json_t *doc = NULL;
    nep_status st = NEP_OK;
    if (!dot || strchr(dot, '/'))
        return NEP_OK;
    size_t stem = (size_t)(dot - path);
    if (strcmp(dot, ".gz") == 0 && stem > 4 && path[stem - 4] == '.')
        stem -= 4;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, (int64_t)stem + 6, 1, "sidecar", &sidecar));
    memcpy(sidecar, path, stem);
    memcpy(sidecar + stem, ".json", 6);
    if (!nep_file_exists(sidecar))
        goto done;
    NEP_TRY_OR_DONE(st, nep_json_read(ctx, sidecar, &doc));
    const char *text = json_string_value(json_object_get(section ? json_object_get(doc, section) : doc, key));
    st = text ? nep_alloc_string(ctx, text, out) : NEP_OK;
done:
    json_decref(doc);
    nep_alloc_free(sidecar);
    return st;
}

nep_status cli_study_sidecar(nep_ctx *ctx, const char *path, const char *key, char **out)
{
    return cli_study_sidecar_of(ctx, path, NULL, key, out);
}

nep_status cli_study_file(nep_ctx *ctx, cli_study *s, const char *path)
{
    for (int64_t i = 0; i < s->n_files; i++)
        if (strcmp(s->files[i], path) == 0)
            return NEP_OK;
    NEP_TRY(nep_alloc_grow(ctx, s->n_files + 1, sizeof *s->files, "files", &s->files));
    NEP_TRY(nep_alloc_grow(ctx, s->n_files + 1, sizeof *s->file_licences, "files", &s->file_licences));
    s->file_licences[s->n_files] = NULL;
    NEP_TRY(nep_alloc_string(ctx, path, &s->files[s->n_files]));
    char **licence = &s->file_licences[s->n_files++];
    NEP_TRY(cli_study_sidecar(ctx, path, "licence", licence));
    return s->open_only && !nep_licence_is_open(*licence) ? NEP_OK : note_licence(ctx, s, *licence);
}

nep_status cli_study_table(nep_ctx *ctx, cli_study *s, const char *path, nep_table *t)
{
    NEP_TRY(cli_study_file(ctx, s, path));
    NEP_TRY(nep_tsv_read(ctx, path, t));
    const int64_t licence = nep_table_column(t, "licence");
    for (int64_t i = 0; licence >= 0 && i < t->n_rows; i++)
        if (cli_study_keeps(s, t, i))
            NEP_TRY(note_licence(ctx, s, nep_table_cell(t, i, licence)));
    return NEP_OK;
}

const char *cli_study_cell(const nep_table *t, int64_t row, int64_t col)
{
    return col < 0 ? NULL : nep_table_cell(t, row, col);
}

void cli_study_stranger(study_strangers *s, const char *name)
{
    s->rows++;
    for (int i = 0; i < s->n_first; i++)
        if (strcmp(s->first[i], name) == 0)
            return;
    if (s->n_first < NEP_LEN(s->first))
        s->first[s->n_first++] = name;
}

void cli_study_warn_strangers(nep_ctx *ctx, const char *path, const char *what, const study_strangers *s)
{
    char list[200] = "";
    size_t used = 0;
    for (int i = 0; i < s->n_first && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%.40s", i ? ", " : "", s->first[i]);
    if (s->rows)
        nep_warn(ctx, "%s: %lld rows are of %s that the study does not have and are left out (first: %s)", path, (long long)s->rows, what, list);
}
