/* SPDX-License-Identifier: Apache-2.0 */
/* molecules.h - what `molecules` gathers from a file of structures, and its writers. */
#ifndef NEP_CLI_MOLECULES_H
#define NEP_CLI_MOLECULES_H

#include <nepenthe/io.h>
#include <nepenthe/molecule.h>

/* Converted records in the order of the file. Texts are offsets into `text`, -1 = none. */
typedef struct {
    int64_t n, room, words, n_descriptors;
    char *text;
    int64_t text_bytes, text_room;
    int64_t *id, *smiles, *parent_smiles; /* [n] */
    char (*inchikey)[28], (*parent_inchikey)[28];
    int64_t *line, *duplicate_of; /* [n] row of the first with the same InChIKey, -1 = none before */
    uint64_t *bits;               /* [n, words] */
    double *descriptor;           /* [n, n_descriptors] */
} cli_molecules;

/* Records that were not converted: line, id (or -1), reason. */
typedef struct {
    int64_t n, room;
    char *text;
    int64_t text_bytes, text_room;
    int64_t *line, *id, *reason;
} cli_skipped;

typedef struct {
    nep_convert_opts opts;
    char fingerprint[64]; /* as it was asked for */
    const char *about;    /* versions of RDKit and InChI */
    const char *source;   /* name of the input, for sentences */
    cli_molecules kept;
    cli_skipped skipped;
    int64_t n_duplicates, n_without_key;
} cli_molecules_job;

/* Reads and converts in batches. Errors: those of the reader and of nep_convert_batch. */
NEP_MUST_USE nep_status cli_molecules_read(nep_ctx *ctx, nep_records *records, cli_molecules_job *j);
/* Records of the file, unconverted. */
NEP_MUST_USE nep_status cli_molecules_count(nep_ctx *ctx, nep_records *records, int64_t *n);
void cli_molecules_free(cli_molecules_job *j);
const char *cli_molecules_text(const cli_molecules *m, int64_t at); /* NULL for -1 */

/* The writers; `user` is the job. */
NEP_MUST_USE nep_status cli_molecules_tsv(nep_ctx *ctx, const char *path, void *user);
NEP_MUST_USE nep_status cli_molecules_fps(nep_ctx *ctx, const char *path, void *user);
NEP_MUST_USE nep_status cli_molecules_index(nep_ctx *ctx, const char *path, void *user);
NEP_MUST_USE nep_status cli_molecules_hdf5(nep_ctx *ctx, const char *path, const cli_molecules_job *j, const char *provenance);
NEP_MUST_USE nep_status cli_molecules_skipped(nep_ctx *ctx, const char *path, const cli_molecules_job *j);

#endif
