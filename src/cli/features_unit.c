/* SPDX-License-Identifier: Apache-2.0 */
/* features_unit - of which inputs and parameters an image's outputs are, and that they are whole: provenance,
 * key and mark. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/confound_sets.h"
#include "cli/features_unit.h"

static nep_status add_input(features *f, json_t *list, const char *path)
{
    char full[4096];
    nep_hash h;
    if (!path)
        return NEP_OK;
    NEP_TRY(cli_features_path(f->ctx, full, sizeof full, "%s/%s", f->root, path));
    NEP_TRY(nep_hash_file(f->ctx, full, &h));
    NEP_REQUIRE(f->ctx,
                json_array_append_new(list, json_pack("{s:s,s:s}", "name", path, "xxh3_128", h.hex)) == 0,
                NEP_E_NOMEM, "%s: no memory for its provenance", path);
    return NEP_OK;
}

/* Events may lie in another data set: their name alone says which. */
static nep_status add_events(features *f, json_t *list, const nep_bids_run *run)
{
    char path[4096];
    nep_hash h;
    NEP_TRY(cli_features_events(f, run, path, sizeof path));
    NEP_TRY(nep_hash_file(f->ctx, path, &h));
    NEP_REQUIRE(f->ctx, json_array_append_new(list, json_pack("{s:s,s:s}", "name", strrchr(path, '/') + 1, "xxh3_128", h.hex)) == 0, NEP_E_NOMEM,
                "%s: no memory for its provenance", run->bold);
    return NEP_OK;
}

nep_status cli_features_provenance(features *f, const nep_bids_run *run, json_t **out)
{
    json_t *p = json_deep_copy(f->provenance), *list = p ? json_object_get(p, "inputs") : NULL;
    char masks[4096] = "", full[4096]; /* of aCompCor, beside the confounds */
    nep_status st = NEP_OK;
    if (run->confounds)
        cli_confounds_json(run->confounds, masks, sizeof masks);
    NEP_TRY_OR_DONE(st, cli_features_path(f->ctx, full, sizeof full, "%s/%s", f->root, masks));
    const char *const files[] = {run->bold,    run->mask,   run->confounds,
                                 run->sidecar, run->labels, masks[0] && nep_file_exists(full) ? masks : NULL};
    NEP_REQUIRE_OR_DONE(st, f->ctx, list, NEP_E_NOMEM, "%s: no memory for its provenance", run->bold);
    for (int i = 0; i < NEP_LEN(files); i++)
        NEP_TRY_OR_DONE(st, add_input(f, list, files[i]));
    if (f->o.glm && run->datatype == NEP_BIDS_FUNC)
        NEP_TRY_OR_DONE(st, add_events(f, list, run));
    *out = p;
    p = NULL;
done:
    json_decref(p);
    return st;
}

nep_status cli_features_key(features *f, const json_t *provenance, nep_hash *out)
{
    char *text = json_dumps(provenance, JSON_SORT_KEYS | JSON_COMPACT);
    NEP_REQUIRE(f->ctx, text, NEP_E_NOMEM, "no memory for the key of a run");
    *out = nep_hash_bytes(text, strlen(text));
    free(text);
    return NEP_OK;
}

nep_status cli_features_same(features *f, const char *path, const nep_hash *want, bool *same)
{
    nep_hash have;
    *same = false;
    if (!nep_file_exists(path))
        return NEP_OK;
    NEP_TRY(nep_hash_file(f->ctx, path, &have));
    *same = strcmp(have.hex, want->hex) == 0;
    return NEP_OK;
}

/* ---- images other than BOLD ---- */

typedef struct {
    nep_hash table[FEATURES_UNIT_TABLES], sidecar[FEATURES_UNIT_TABLES];
} unit_mark;

nep_status cli_features_unit_open(features *f, const nep_bids_run *run, const char *what, const char *seg,
                                  features_unit *u)
{
    memset(u, 0, sizeof *u);
    u->f = f;
    u->run = run;
    u->seg = seg;
    NEP_TRY(cli_features_path(f->ctx, u->mark, sizeof u->mark, "%s/.nepenthe/units/%s%s%s_%s.done", f->out,
                              run->stem, seg ? "_seg-" : "", seg ? seg : "", what));
    NEP_TRY(cli_features_provenance(f, run, &u->provenance));
    return cli_features_key(f, u->provenance, &u->key);
}

static nep_status add_output(features_unit *u, const char *tail, const char *ext)
{
    const int k = u->n_tables;
    NEP_REQUIRE(u->f->ctx, k < FEATURES_UNIT_TABLES, NEP_E_INTERNAL, "%s: an image has more outputs than there is room for", u->run->bold);
    NEP_TRY(cli_features_file(u->f, u->run, u->seg, tail, ext, u->table[k], sizeof u->table[k]));
    NEP_TRY(cli_features_file(u->f, u->run, u->seg, tail, ".json", u->sidecar[k], sizeof u->sidecar[k]));
    u->n_tables++;
    return NEP_OK;
}

nep_status cli_features_unit_table(features_unit *u, const char *tail)
{
    return add_output(u, tail, ".tsv");
}

nep_status cli_features_unit_image(features_unit *u, const char *tail)
{
    return add_output(u, tail, ".nii.gz");
}

nep_status cli_features_unit_done(features_unit *u, bool *done)
{
    unit_mark m;
    *done = false;
    if (!nep_file_exists(u->mark))
        return NEP_OK;
    NEP_TRY(nep_checkpoint_load(u->f->ctx, u->mark, &u->key, &m, sizeof m, done));
    for (int k = 0; k < u->n_tables && *done; k++) {
        NEP_TRY(cli_features_same(u->f, u->table[k], &m.table[k], done));
        if (*done)
            NEP_TRY(cli_features_same(u->f, u->sidecar[k], &m.sidecar[k], done));
    }
    return NEP_OK;
}

nep_status cli_features_unit_begin(features_unit *u)
{
    char folder[4096];
    unlink(u->mark); /* from here on until the end, the outputs are not whole */
    NEP_TRY(cli_features_path(u->f->ctx, folder, sizeof folder, "%s/%s", u->f->out, u->run->folder));
    return nep_file_folder(u->f->ctx, folder);
}

nep_status cli_features_unit_sidecar(features_unit *u, int table, const char *description, const char *units,
                                     json_t *extra)
{
    json_t *doc = json_pack("{s:s,s:s,s:[o],s:O}", "Description", description, "Units", units, "Sources",
                            json_sprintf("bids:preprocessed:%s", u->run->bold), "Provenance", u->provenance);
    nep_status st = NEP_OK;
    NEP_REQUIRE_OR_DONE(st, u->f->ctx, doc && extra && json_object_update(doc, extra) == 0, NEP_E_NOMEM,
                        "%s: no memory for a sidecar", u->run->bold);
    st = cli_features_json(u->f->ctx, u->sidecar[table], doc);
done:
    json_decref(extra);
    json_decref(doc);
    return st;
}

nep_status cli_features_unit_end(features_unit *u)
{
    char folder[4096];
    unit_mark m;
    memset(&m, 0, sizeof m);
    for (int k = 0; k < u->n_tables; k++) {
        NEP_TRY(nep_hash_file(u->f->ctx, u->table[k], &m.table[k]));
        NEP_TRY(nep_hash_file(u->f->ctx, u->sidecar[k], &m.sidecar[k]));
    }
    NEP_TRY(cli_features_path(u->f->ctx, folder, sizeof folder, "%s/.nepenthe/units", u->f->out));
    NEP_TRY(nep_file_folder(u->f->ctx, folder));
    return nep_checkpoint_save(u->f->ctx, u->mark, &u->key, &m, sizeof m);
}

void cli_features_unit_close(features_unit *u)
{
    json_decref(u->provenance);
    u->provenance = NULL;
}
