/* SPDX-License-Identifier: Apache-2.0 */
/* study - the study file (schema nepenthe/study/1): every key checked, paths resolved, defaults filled in. */
#include <nepenthe/io.h>

#include "io/study.h"
#include "io/yaml.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FIND(y, node, what, keys, values) nep_yaml_map((y), (node), (what), (keys), NEP_LEN(keys), (values))

static nep_status own_text(nep_yaml *y, yaml_node_t *node, const char *what, char **out)
{
    const char *text;
    if (!node)
        return NEP_OK;
    NEP_TRY(nep_yaml_text(y, node, what, &text));
    return nep_alloc_string(y->ctx, text, out);
}

static nep_status own_path(nep_yaml *y, yaml_node_t *node, const char *what, char **out)
{
    return node ? nep_yaml_path(y, node, what, out) : NEP_OK;
}

static nep_status own_words(nep_yaml *y, yaml_node_t *node, const char *what, const char *const *known,
                            int n_known, char ***out, int64_t *n_out)
{
    int64_t n = 0;
    int index;
    if (!node)
        return NEP_OK;
    NEP_TRY(nep_yaml_list(y, node, what, &n));
    NEP_TRY(nep_alloc(y->ctx, n, sizeof **out, what, out));
    *n_out = n;
    for (int64_t i = 0; i < n; i++) {
        yaml_node_t *item = nep_yaml_item(y, node, i);
        if (known)
            NEP_TRY(nep_yaml_choice(y, item, what, known, n_known, &index));
        NEP_TRY(own_text(y, item, what, &(*out)[i]));
        for (int64_t j = 0; j < i; j++)
            if (strcmp((*out)[i], (*out)[j]) == 0)
                return nep_yaml_fail(y, item, "%s lists '%.60s' twice", what, (*out)[i]);
    }
    return NEP_OK;
}

static nep_status default_words(nep_ctx *ctx, const char *const *known, int n, char ***out, int64_t *n_out)
{
    if (*out)
        return NEP_OK;
    NEP_TRY(nep_alloc(ctx, n, sizeof **out, "words", out));
    *n_out = n;
    for (int i = 0; i < n; i++)
        NEP_TRY(nep_alloc_string(ctx, known[i], &(*out)[i]));
    return NEP_OK;
}

static nep_status default_text(nep_ctx *ctx, const char *text, char **out)
{
    return *out ? NEP_OK : nep_alloc_string(ctx, text, out);
}

static nep_status read_map(nep_yaml *y, yaml_node_t *node, nep_study_disorder *d)
{
    static const char *const keys[] = {"table", "value", "se"};
    yaml_node_t *v[NEP_LEN(keys)];
    int64_t n = 0;
    if (!node)
        return NEP_OK;
    NEP_TRY(FIND(y, node, "map", keys, v));
    if (!v[0] || !v[1] || !v[2])
        return nep_yaml_fail(y, node, "map needs table, value and se (a column, or [n1, n2])");
    NEP_TRY(own_path(y, v[0], "map table", &d->map_table));
    NEP_TRY(own_text(y, v[1], "map value", &d->map_value));
    if (v[2]->type != YAML_SEQUENCE_NODE)
        return own_text(y, v[2], "map se", &d->map_se);
    NEP_TRY(nep_yaml_list(y, v[2], "map se", &n));
    if (n != 2)
        return nep_yaml_fail(y, v[2], "map se has %lld numbers, must be a column or [n1, n2]", (long long)n);
    NEP_TRY(nep_yaml_number(y, nep_yaml_item(y, v[2], 0), "n1", 2, 1e9, &d->n1));
    return nep_yaml_number(y, nep_yaml_item(y, v[2], 1), "n2", 2, 1e9, &d->n2);
}

static nep_status read_disorder(nep_yaml *y, yaml_node_t *node, nep_study_disorder *d)
{
    static const char *const keys[] = {"id", "name", "map", "direction", "simulated", "truth", "role"};
    static const char *const directions[] = {"decrease", "unknown", "increase"}, *const switches[] = {"false", "true"},
                             *const roles[] = {"ranked", "context"};
    yaml_node_t *v[NEP_LEN(keys)];
    int k = 0;
    d->n1 = d->n2 = (double)NAN;
    NEP_TRY(FIND(y, node, "a disorder", keys, v));
    if (!v[0] || !v[1])
        return nep_yaml_fail(y, node, "a disorder needs %s", v[0] ? "a name" : "an id (DOID:...)");
    NEP_TRY(own_text(y, v[0], "id", &d->id));
    NEP_TRY(own_text(y, v[1], "name", &d->name));
    NEP_TRY(read_map(y, v[2], d));
    if (v[3]) {
        NEP_TRY(nep_yaml_choice(y, v[3], "direction", directions, 3, &k));
        d->direction = k - 1;
    }
    if (v[4]) {
        NEP_TRY(nep_yaml_choice(y, v[4], "simulated", switches, 2, &k));
        d->simulated = k == 1;
    }
    if (v[6]) {
        NEP_TRY(nep_yaml_choice(y, v[6], "role", roles, 2, &k));
        d->context = k == 1;
    }
    return own_path(y, v[5], "truth", &d->truth);
}

/* Ranked disorders first, else in the order of the file. */
static nep_status put_ranked_first(nep_yaml *y, yaml_node_t *node, nep_study *s)
{
    nep_study_disorder *sorted = NULL;
    int64_t n = 0;
    NEP_TRY(nep_alloc(y->ctx, s->n_disorders, sizeof *sorted, "disorders", &sorted));
    for (int context = 0; context < 2; context++)
        for (int64_t i = 0; i < s->n_disorders; i++)
            if (s->disorders[i].context == (context == 1))
                sorted[n++] = s->disorders[i];
    nep_alloc_free(s->disorders);
    s->disorders = sorted;
    for (s->n_ranked = 0; s->n_ranked < n && !sorted[s->n_ranked].context;)
        s->n_ranked++;
    return s->n_ranked ? NEP_OK : nep_yaml_fail(y, node, "every disorder has the role context; a study needs one to rank");
}

static nep_status read_disorders(nep_yaml *y, yaml_node_t *node, nep_study *s)
{
    int64_t n = 0;
    NEP_TRY(nep_yaml_list(y, node, "disorders", &n));
    if (n == 0)
        return nep_yaml_fail(y, node, "disorders is empty; a study needs one");
    NEP_TRY(nep_alloc(y->ctx, n, sizeof *s->disorders, "disorders", &s->disorders));
    s->n_disorders = n;
    for (int64_t i = 0; i < n; i++) {
        yaml_node_t *item = nep_yaml_item(y, node, i);
        NEP_TRY(read_disorder(y, item, &s->disorders[i]));
        for (int64_t j = 0; j < i; j++)
            if (strcmp(s->disorders[i].id, s->disorders[j].id) == 0)
                return nep_yaml_fail(y, item, "the disorder '%.60s' stands there twice", s->disorders[i].id);
    }
    return put_ranked_first(y, node, s);
}

typedef struct {
    char *key, *value;
} option;

static int by_key(const void *a, const void *b)
{
    return strcmp(((const option *)a)->key, ((const option *)b)->key);
}

/* Free keys, scalar values, sorted by key. */
static nep_status read_options(nep_yaml *y, yaml_node_t *node, nep_study_channel *c)
{
    option *sorted = NULL;
    nep_status st = NEP_OK;
    if (!node)
        return NEP_OK;
    if (node->type != YAML_MAPPING_NODE)
        return nep_yaml_fail(y, node, "options must be a mapping (key: value)");
    const yaml_node_pair_t *p = node->data.mapping.pairs.start;
    const int64_t n = node->data.mapping.pairs.top - p;
    NEP_TRY(nep_alloc(y->ctx, n, sizeof *c->keys, "options", &c->keys));
    NEP_TRY(nep_alloc(y->ctx, n, sizeof *c->values, "options", &c->values));
    c->n_options = n;
    for (int64_t i = 0; i < n; i++) {
        NEP_TRY(own_text(y, yaml_document_get_node(&y->doc, p[i].key), "an option", &c->keys[i]));
        NEP_TRY(own_text(y, yaml_document_get_node(&y->doc, p[i].value), c->keys[i], &c->values[i]));
    }
    NEP_TRY(nep_alloc(y->ctx, n, sizeof *sorted, "options", &sorted));
    for (int64_t i = 0; i < n; i++)
        sorted[i] = (option){c->keys[i], c->values[i]};
    qsort(sorted, (size_t)n, sizeof *sorted, by_key);
    for (int64_t i = 0; i < n; i++) {
        c->keys[i] = sorted[i].key;
        c->values[i] = sorted[i].value;
        if (i > 0 && strcmp(c->keys[i - 1], c->keys[i]) == 0)
            st = nep_yaml_fail(y, node, "the option '%.60s' is given twice", c->keys[i]);
    }
    nep_alloc_free(sorted);
    return st;
}

static nep_status read_channels(nep_yaml *y, yaml_node_t *node, nep_study *s)
{
    static const char *const keys[] = {"name", "options"};
    yaml_node_t *v[NEP_LEN(keys)];
    int64_t n = 0;
    if (!node)
        return NEP_OK;
    NEP_TRY(nep_yaml_list(y, node, "channels", &n));
    NEP_TRY(nep_alloc(y->ctx, n, sizeof *s->channels, "channels", &s->channels));
    s->n_channels = n;
    for (int64_t i = 0; i < n; i++) {
        yaml_node_t *item = nep_yaml_item(y, node, i);
        NEP_TRY(FIND(y, item, "a channel", keys, v));
        if (!v[0])
            return nep_yaml_fail(y, item, "a channel needs a name; see `nepenthe channels`");
        NEP_TRY(own_text(y, v[0], "channel name", &s->channels[i].name));
        for (int64_t j = 0; j < i; j++)
            if (strcmp(s->channels[i].name, s->channels[j].name) == 0)
                return nep_yaml_fail(y, item, "the channel '%.60s' stands there twice", s->channels[i].name);
        NEP_TRY(read_options(y, v[1], &s->channels[i]));
    }
    return NEP_OK;
}

static nep_status read_one_evidence(nep_yaml *y, yaml_node_t *node, nep_study_evidence *e)
{
    static const char *const keys[] = {"channel", "table", "labels_from", "half_life", "reference_year"};
    yaml_node_t *v[NEP_LEN(keys)];
    NEP_TRY(FIND(y, node, "an evidence table", keys, v));
    if (!v[0] || !v[1])
        return nep_yaml_fail(y, node, "an evidence table needs %s", v[0] ? "a table (a file)" : "a channel (expert_votes, literature, ...)");
    NEP_TRY(own_text(y, v[0], "evidence channel", &e->channel));
    NEP_TRY(own_path(y, v[1], "evidence table", &e->table));
    NEP_TRY(own_text(y, v[2], "labels_from", &e->labels_from));
    if ((v[3] || v[4]) && strcmp(e->channel, "literature") != 0)
        return nep_yaml_fail(y, v[3] ? v[3] : v[4], "half_life and reference_year belong to literature, not to %.40s", e->channel);
    if (v[3])
        NEP_TRY(nep_yaml_number(y, v[3], "half_life", 0.1, 1000, &e->half_life));
    return v[4] ? nep_yaml_whole(y, v[4], "reference_year", 1600, 2200, &e->reference_year) : NEP_OK;
}

static nep_status read_evidence(nep_yaml *y, yaml_node_t *node, nep_study *s)
{
    int64_t n = 0;
    if (!node)
        return NEP_OK;
    NEP_TRY(nep_yaml_list(y, node, "evidence", &n));
    NEP_TRY(nep_alloc(y->ctx, n, sizeof *s->evidence, "evidence", &s->evidence));
    s->n_evidence = n;
    for (int64_t i = 0; i < n; i++) {
        yaml_node_t *item = nep_yaml_item(y, node, i);
        NEP_TRY(read_one_evidence(y, item, &s->evidence[i]));
        for (int64_t j = 0; j < i; j++)
            if (strcmp(s->evidence[i].channel, s->evidence[j].channel) == 0)
                return nep_yaml_fail(y, item, "evidence has two tables for '%.60s'; join them into one", s->evidence[i].channel);
    }
    return NEP_OK;
}

static nep_status read_signatures(nep_yaml *y, yaml_node_t *node, nep_study *s)
{
    static const char *const keys[] = {"disorders", "drugs"};
    yaml_node_t *v[NEP_LEN(keys)];
    if (!node)
        return NEP_OK;
    NEP_TRY(FIND(y, node, "signatures", keys, v));
    if (!v[0] || !v[1])
        return nep_yaml_fail(y, node, "signatures needs both: a table of disorders and one of drugs");
    NEP_TRY(own_path(y, v[0], "signatures of disorders", &s->disorder_signatures));
    return own_path(y, v[1], "signatures of drugs", &s->drug_signatures);
}

static nep_status read_primary(nep_yaml *y, yaml_node_t *node, nep_study *s)
{
    static const char *const keys[] = {"channels", "scope", "relative_occupancy", "score", "mode", "model"};
    static const char *const scopes[] = {"all", "cortex"}, *const scores[] = {"A", "B"},
                             *const modes[] = {"U", "S", "T"},
                             *const models[] = {"stouffer", "hierarchical"};
    yaml_node_t *v[NEP_LEN(keys)];
    int k = 0;
    if (!node)
        return NEP_OK;
    NEP_TRY(FIND(y, node, "primary", keys, v));
    NEP_TRY(own_words(y, v[0], "primary channels", NULL, 0, &s->primary_channels, &s->n_primary_channels));
    for (int64_t i = 0; s->n_channels > 0 && i < s->n_primary_channels; i++) {
        bool listed = false;
        for (int64_t j = 0; j < s->n_channels; j++)
            listed |= strcmp(s->primary_channels[i], s->channels[j].name) == 0;
        if (!listed)
            return nep_yaml_fail(y, nep_yaml_item(y, v[0], i),
                                 "primary names '%.60s', which `channels` does not list",
                                 s->primary_channels[i]);
    }
    if (v[1])
        NEP_TRY(nep_yaml_choice(y, v[1], "scope", scopes, 2, &k));
    s->primary_cortex_only = k == 1;
    if (v[2])
        NEP_TRY(nep_yaml_number(y, v[2], "relative_occupancy", 1e-6, 1 - 1e-6, &s->relative_occupancy));
    if (v[3])
        NEP_TRY(nep_yaml_choice(y, v[3], "score", scores, 2, &k));
    NEP_TRY(own_text(y, v[3], "score", &s->score));
    if (v[4])
        NEP_TRY(nep_yaml_choice(y, v[4], "mode", modes, 3, &k));
    if (v[5]) {
        NEP_TRY(nep_yaml_choice(y, v[5], "model", models, 2, &k));
        s->hierarchical = k == 1;
    }
    return own_text(y, v[4], "mode", &s->mode);
}

static const char *const protocols[] = {"masked", "zero_shot", "new_drug", "approved_vs_failed"};
static const char *const negatives[] = {"all", "nervous_system", "popularity", "failed"};

static nep_status read_evaluate(nep_yaml *y, yaml_node_t *node, nep_study *s)
{
    static const char *const keys[] = {"protocols", "negatives", "bootstrap", "investigational", "controls", "time_split"};
    yaml_node_t *v[NEP_LEN(keys)];
    if (!node)
        return NEP_OK;
    NEP_TRY(FIND(y, node, "evaluate", keys, v));
    NEP_TRY(own_words(y, v[0], "protocols", protocols, NEP_LEN(protocols), &s->protocols, &s->n_protocols));
    NEP_TRY(own_words(y, v[1], "negatives", negatives, NEP_LEN(negatives), &s->negatives, &s->n_negatives));
    if (v[3]) {
        static const char *const uses[] = {"left_out", "negative"};
        int k = 0;
        NEP_TRY(nep_yaml_choice(y, v[3], "investigational", uses, 2, &k));
        s->investigational_negative = k == 1;
    }
    if (v[4])
        NEP_TRY(nep_yaml_whole(y, v[4], "controls", 0, 1000, &s->n_controls));
    if (v[5])
        NEP_TRY(nep_yaml_whole(y, v[5], "time_split", 1000, 9999, &s->time_split));
    return v[2] ? nep_yaml_whole(y, v[2], "bootstrap", 0, 1000000, &s->bootstrap) : NEP_OK;
}

static nep_status read_nulls(nep_yaml *y, yaml_node_t *node, nep_study *s)
{
    static const char *const keys[] = {"n", "kind"}, *const kinds[] = {"moran", "spin", "eigenmodes"};
    yaml_node_t *v[NEP_LEN(keys)];
    int k = 0;
    if (!node)
        return NEP_OK;
    NEP_TRY(FIND(y, node, "nulls", keys, v));
    if (v[0])
        NEP_TRY(nep_yaml_whole(y, v[0], "nulls n", 1, 10000000, &s->n_nulls));
    if (v[1])
        NEP_TRY(nep_yaml_choice(y, v[1], "nulls kind", kinds, NEP_LEN(kinds), &k));
    return own_text(y, v[1], "nulls kind", &s->null_kind);
}

static nep_status read_receptors(nep_yaml *y, yaml_node_t *node, nep_study *s)
{
    static const char *const keys[] = {"table", "reliability"};
    yaml_node_t *v[NEP_LEN(keys)];
    if (!node)
        return NEP_OK;
    NEP_TRY(FIND(y, node, "receptors", keys, v));
    if (!v[0])
        return nep_yaml_fail(y, node, "receptors needs a table");
    NEP_TRY(own_path(y, v[0], "receptors table", &s->receptors));
    return own_path(y, v[1], "receptors reliability", &s->reliability);
}

/* A label image, alone or with the table of its names. */
static nep_status read_atlas(nep_yaml *y, yaml_node_t *node, nep_study *s)
{
    static const char *const keys[] = {"image", "labels"};
    yaml_node_t *v[NEP_LEN(keys)];
    if (!node || node->type == YAML_SCALAR_NODE)
        return own_path(y, node, "atlas", &s->atlas);
    NEP_TRY(FIND(y, node, "atlas", keys, v));
    if (!v[0])
        return nep_yaml_fail(y, node, "atlas needs an image");
    NEP_TRY(own_path(y, v[0], "atlas image", &s->atlas));
    return own_path(y, v[1], "atlas labels", &s->atlas_labels);
}

static nep_status fill_defaults(nep_ctx *ctx, nep_study *s)
{
    NEP_TRY(default_text(ctx, "B", &s->score));
    NEP_TRY(default_text(ctx, "U", &s->mode));
    NEP_TRY(default_text(ctx, "moran", &s->null_kind));
    NEP_TRY(default_words(ctx, protocols, 3, &s->protocols, &s->n_protocols));
    return default_words(ctx, negatives, NEP_LEN(negatives), &s->negatives, &s->n_negatives);
}

/* Any nepenthe/study/1 or nepenthe/study/1.x; another major is refused by name. */
static nep_status check_schema(nep_yaml *y, yaml_node_t *root, yaml_node_t *node)
{
    static const char family[] = "nepenthe/study/";
    const char *text;
    if (!node)
        return nep_yaml_fail(y, root, "the study has no schema; start it with `schema: nepenthe/study/1`");
    NEP_TRY(nep_yaml_text(y, node, "schema", &text));
    const char *version = text + sizeof family - 1;
    if (strncmp(text, family, sizeof family - 1) != 0 || version[0] != '1' ||
        (version[1] != '\0' && version[1] != '.'))
        return nep_yaml_fail(y, node, "schema is '%.60s', this version reads nepenthe/study/1", text);
    return NEP_OK;
}

static nep_status read_root(nep_yaml *y, nep_study *s)
{
    enum {
        SCHEMA,
        NAME,
        GEOMETRY,
        DISORDERS,
        RECEPTORS,
        DRUGS,
        AFFINITIES,
        LABELS,
        EVIDENCE,
        TARGETS,
        ATLAS,
        CHANNELS,
        PRIMARY,
        EVALUATE,
        NULLS,
        OTHERS,
        NETWORK,
        SIGNATURES
    };
    static const char *const keys[] = {"schema", "name",       "geometry", "disorders", "receptors",
                                       "drugs",  "affinities", "labels",   "evidence",  "targets",
                                       "atlas",  "channels",   "primary",  "evaluate",  "nulls",
                                       "other_disorders", "network", "signatures"};
    static const char *const switches[] = {"false", "true"};
    int k = 0;
    yaml_node_t *root = nep_yaml_root(y), *v[NEP_LEN(keys)];
    NEP_TRY(FIND(y, root, "the study", keys, v));
    NEP_TRY(check_schema(y, root, v[SCHEMA]));
    static const int needed[] = {NAME, DISORDERS, DRUGS};
    for (int i = 0; i < NEP_LEN(needed); i++)
        if (!v[needed[i]])
            return nep_yaml_fail(y, root, "the study needs the key '%s'", keys[needed[i]]);
    NEP_TRY(own_text(y, v[NAME], "name", &s->name));
    NEP_TRY(own_path(y, v[GEOMETRY], "geometry", &s->geometry));
    NEP_TRY(own_path(y, v[DRUGS], "drugs", &s->drugs));
    NEP_TRY(own_path(y, v[AFFINITIES], "affinities", &s->affinities));
    NEP_TRY(own_path(y, v[LABELS], "labels", &s->labels));
    NEP_TRY(read_evidence(y, v[EVIDENCE], s));
    NEP_TRY(read_signatures(y, v[SIGNATURES], s));
    NEP_TRY(own_path(y, v[TARGETS], "targets", &s->targets));
    NEP_TRY(own_path(y, v[NETWORK], "network", &s->network));
    if (v[OTHERS])
        NEP_TRY(nep_yaml_choice(y, v[OTHERS], "other_disorders", switches, 2, &k));
    s->other_disorders = k == 1;
    NEP_TRY(read_atlas(y, v[ATLAS], s));
    NEP_TRY(read_receptors(y, v[RECEPTORS], s));
    NEP_TRY(read_disorders(y, v[DISORDERS], s));
    NEP_TRY(read_channels(y, v[CHANNELS], s));
    NEP_TRY(read_primary(y, v[PRIMARY], s));
    NEP_TRY(read_evaluate(y, v[EVALUATE], s));
    NEP_TRY(read_nulls(y, v[NULLS], s));
    return fill_defaults(y->ctx, s);
}

nep_status nep_study_parse(nep_ctx *ctx, const char *path, const char *text, int64_t n, nep_study *out)
{
    nep_yaml y = {0};
    nep_study s = {.relative_occupancy = 0.75, .bootstrap = 2000, .n_controls = 2, .n_nulls = 10000};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_yaml_open(ctx, path, text, n, &y));
    NEP_TRY_OR_DONE(st, nep_alloc_string(ctx, path, &s.path));
    NEP_TRY_OR_DONE(st, read_root(&y, &s));
    *out = s;
    s = (nep_study){0};
done:
    nep_study_free(&s);
    nep_yaml_free(&y);
    return st;
}

nep_status nep_study_read(nep_ctx *ctx, const char *path, nep_study *out)
{
    char *text = NULL;
    int64_t n = 0;
    NEP_TRY(nep_file_read(ctx, path, (int64_t)2 << 20, &text, &n));
    const nep_status st = nep_study_parse(ctx, path, text, n, out);
    nep_alloc_free(text);
    return st;
}

static void free_disorder(nep_study_disorder *d)
{
    nep_alloc_free(d->id);
    nep_alloc_free(d->name);
    nep_alloc_free(d->map_table);
    nep_alloc_free(d->map_value);
    nep_alloc_free(d->map_se);
    nep_alloc_free(d->truth);
}

void nep_study_free(nep_study *s)
{
    char *const texts[] = {s->path,  s->name,       s->geometry, s->receptors, s->reliability,
                           s->drugs, s->affinities, s->labels,   s->targets,   s->atlas,
                           s->atlas_labels, s->score, s->mode, s->null_kind, s->disorder_signatures, s->drug_signatures,
                           s->network};
    for (int i = 0; i < NEP_LEN(texts); i++)
        nep_alloc_free(texts[i]);
    for (int64_t i = 0; i < s->n_disorders; i++)
        free_disorder(&s->disorders[i]);
    nep_alloc_free(s->disorders);
    for (int64_t i = 0; i < s->n_evidence; i++) {
        nep_alloc_free(s->evidence[i].channel);
        nep_alloc_free(s->evidence[i].table);
        nep_alloc_free(s->evidence[i].labels_from);
    }
    nep_alloc_free(s->evidence);
    for (int64_t i = 0; i < s->n_channels; i++) {
        nep_alloc_free(s->channels[i].name);
        nep_data_free_names(s->channels[i].keys, s->channels[i].n_options);
        nep_data_free_names(s->channels[i].values, s->channels[i].n_options);
    }
    nep_alloc_free(s->channels);
    nep_data_free_names(s->primary_channels, s->n_primary_channels);
    nep_data_free_names(s->protocols, s->n_protocols);
    nep_data_free_names(s->negatives, s->n_negatives);
    *s = (nep_study){0};
}
