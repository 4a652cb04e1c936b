/* SPDX-License-Identifier: Apache-2.0 */
/* study_load.h - a study file and the tables it names, joined by name into what the channels read. */
#ifndef NEPENTHE_CLI_STUDY_LOAD_H
#define NEPENTHE_CLI_STUDY_LOAD_H

#include <nepenthe/direction.h>
#include <nepenthe/io.h>

typedef struct {
    nep_study study;
    nep_inputs inputs; /* prepared; points into what follows */
    nep_molset drugs;
    nep_geometry geometry;
    nep_atlas atlas;
    nep_network network;
    nep_direction direction;
    nep_label *labels;
    char *licences;    /* of the tables, `;`-joined, in order of appearance */
    char **files;      /* every table that was read */
    int64_t n_files;
    char **others;     /* disorders that only the label table names */
    int64_t n_others;
} cli_study;

/* Reads everything and prepares it (map nulls, similarities). seed is that of every random stream.
 * Errors: NEP_E_CONFIG (a file names a drug twice, a target map twice, ...), those of the readers. */
NEP_MUST_USE nep_status cli_study_load(nep_ctx *ctx, const char *path, uint64_t seed, cli_study *out);
void cli_study_free(cli_study *s);

#endif
