/* SPDX-License-Identifier: Apache-2.0 */
/* study_load.h - a study file and the tables it names, joined by name into what the channels read. */
#ifndef NEPENTHE_CLI_STUDY_LOAD_H
#define NEPENTHE_CLI_STUDY_LOAD_H

#include <nepenthe/anatomy.h>
#include <nepenthe/direction.h>
#include <nepenthe/io.h>

/* What --open-only left out of one table. */
typedef struct {
    char *table;
    int64_t rows, of;
} study_dropped;

typedef struct {
    nep_study study;
    nep_inputs inputs; /* prepared; points into what follows */
    nep_molset drugs;
    nep_geometry geometry;
    nep_atlas atlas;
    nep_network network;
    nep_direction direction;
    nep_anatomy anatomy;
    nep_label *labels;
    char *licences;    /* of the tables, `;`-joined, in order of appearance */
    char **files;      /* every table that was read */
    char **file_licences; /* [n_files] of its sidecar, NULL = none */
    bool open_only;
    study_dropped *dropped; /* with open_only: every table that says its licences */
    int64_t n_dropped;
    int64_t n_files;
    char **others;     /* disorders that only the label table names */
    int64_t n_others;
} cli_study;

/* Reads everything and prepares it (map nulls, similarities). seed is that of every random stream. open_only leaves out every row of labels,
 * affinities, evidence, signatures, maps, receptor maps and network whose licence is not open, and what was computed from the structure of a
 * drug whose row is not.
 * Errors: NEP_E_CONFIG (a file names a drug twice, a target map twice, ...), those of the readers. */
NEP_MUST_USE nep_status cli_study_load(nep_ctx *ctx, const char *path, uint64_t seed, bool open_only, cli_study *out);
void cli_study_free(cli_study *s);

#endif
