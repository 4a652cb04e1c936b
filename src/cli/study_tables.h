/* SPDX-License-Identifier: Apache-2.0 */
/* study_tables.h - what the loaders of a study share: tables noted with their licence, names to numbers. */
#ifndef NEPENTHE_CLI_STUDY_TABLES_H
#define NEPENTHE_CLI_STUDY_TABLES_H

#include "cli/cli.h"
#include "cli/study_load.h"

typedef struct {
    const char *name;
    int64_t i;
} study_entry;

typedef struct {
    study_entry *list;
    int64_t n;
} study_lookup;

/* Names sorted, each with its index; names are lent, list is freed by the owner. */
NEP_MUST_USE nep_status cli_study_lookup_make(nep_ctx *ctx, char *const *names, int64_t n, study_lookup *out);
/* Index of a name, -1 when it is absent or NULL. */
int64_t cli_study_find(const study_lookup *l, const char *name);
/* Notes a file for the provenance, and the licence in its sidecar. */
NEP_MUST_USE nep_status cli_study_file(nep_ctx *ctx, cli_study *s, const char *path);
/* A text in the sidecar of a file (the same name with .json for its ending); *out stays as it is without sidecar or key. */
NEP_MUST_USE nep_status cli_study_sidecar(nep_ctx *ctx, const char *path, const char *key, char **out);
/* The same of one object in it, such as a column of maps; section NULL = the sidecar itself. */
NEP_MUST_USE nep_status cli_study_sidecar_of(nep_ctx *ctx, const char *path, const char *section, const char *key, char **out);

/* ---- open licences alone (study_open.c); without s->open_only every row is kept ---- */
/* Whether a row stays: its own licence, else that of the file's sidecar, is open. */
bool cli_study_keeps(const cli_study *s, const nep_table *t, int64_t row);
/* Counts the rows that stay and notes the rest, once per file. */
NEP_MUST_USE nep_status cli_study_count(nep_ctx *ctx, cli_study *s, const nep_table *t, int64_t *kept);
NEP_MUST_USE nep_status cli_study_note_dropped(nep_ctx *ctx, cli_study *s, const char *table, int64_t rows, int64_t of);
/* Whether a column of maps stays. */
NEP_MUST_USE nep_status cli_study_keeps_map(nep_ctx *ctx, const cli_study *s, const char *path, const char *column, bool *keep);
/* Takes structure, fingerprint and descriptors from drugs whose row does not stay. */
NEP_MUST_USE nep_status cli_study_open_drugs(nep_ctx *ctx, cli_study *s);
/* {"dropped": [{"table", "rows", "of"}, ...]} */
json_t *cli_study_open_json(const cli_study *s);

/* Reads a table, notes it and the licences of its rows that stay. */
NEP_MUST_USE nep_status cli_study_table(nep_ctx *ctx, cli_study *s, const char *path, nep_table *t);
/* A cell, NULL when the table has no such column (-1). */
const char *cli_study_cell(const nep_table *t, int64_t row, int64_t col);

/* Names that the study does not have, counted by row; the first few distinct ones are named in one warning. Names are lent. */
typedef struct {
    int64_t rows;
    const char *first[3];
    int n_first;
} study_strangers;
void cli_study_stranger(study_strangers *s, const char *name);
void cli_study_warn_strangers(nep_ctx *ctx, const char *path, const char *what, const study_strangers *s);

/* The parts of a study, in the order in which they are read: each fills its fields of s->inputs. */
NEP_MUST_USE nep_status cli_study_receptors(nep_ctx *ctx, cli_study *s);
NEP_MUST_USE nep_status cli_study_affinities(nep_ctx *ctx, cli_study *s, const study_lookup *drugs);
NEP_MUST_USE nep_status cli_study_name_targets(nep_ctx *ctx, cli_study *s);
NEP_MUST_USE nep_status cli_study_disorders(nep_ctx *ctx, cli_study *s, const study_lookup *drugs);
/* The study's own atlas for the pictures (study_atlas.c). Errors: those of the reader, NEP_E_CONFIG (no geometry), NEP_E_MISSING
 * (no table of names), NEP_E_SHAPE (a region of the geometry has no voxel). */
NEP_MUST_USE nep_status cli_study_atlas(nep_ctx *ctx, cli_study *s);
/* The tables under `evidence` (study_evidence.c). Errors: NEP_E_CONFIG (no such kind), NEP_E_FORMAT (file and line are named),
 * NEP_E_SHAPE (no row is of the study's drugs and disorders). */
NEP_MUST_USE nep_status cli_study_evidence(nep_ctx *ctx, cli_study *s, const study_lookup *drugs);
/* The tables under `signatures` (study_signatures.c). Errors: NEP_E_FORMAT (file and line are named), NEP_E_SHAPE (nothing joins). */
NEP_MUST_USE nep_status cli_study_signatures(nep_ctx *ctx, cli_study *s, const study_lookup *drugs);
/* Directions that disorders want and drugs that make them worse (study_direction.c), from the program's data folder; for a study with a
 * network alone. Genes are joined by Entrez number or symbol, disorders and drugs by id or name. Errors: those of cli_data_folder and the reader,
 * NEP_E_FORMAT (the line is named). */
NEP_MUST_USE nep_status cli_study_direction(cli *c, cli_study *s);
/* Regions of the geometry in anatomies of the network (study_anatomy.c), for a study with both. Errors: those of cli_data_folder and the reader. */
NEP_MUST_USE nep_status cli_study_anatomy(cli *c, cli_study *s);
NEP_MUST_USE nep_status cli_study_labels(nep_ctx *ctx, cli_study *s, const study_lookup *drugs);

#endif
