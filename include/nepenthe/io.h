/* SPDX-License-Identifier: Apache-2.0 */
/* io - files to structs and back: one format per source file, bounded readers, atomic writers.
 *
 * What it is not: it measures nothing. A reader checks every field before it trusts it, names file and place in its
 * sentence, and never takes more memory than the file can justify.
 */
#ifndef NEPENTHE_IO_H
#define NEPENTHE_IO_H

#include <nepenthe/data.h>
#include <nepenthe/index.h>
#include <nepenthe/network.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- NIfTI-1 and -2, .nii and .nii.gz (nifti.c) ---------------------------------------------------------------- */
typedef struct {
    nep_grid grid;
    int64_t n_t;        /* 1 for a 3D image; trailing singleton dimensions do not count */
    double tr_s;        /* NaN when the header has none; ms and us are converted */
    int datatype;       /* NIfTI code */
    double slope, inter; /* 1 and 0 when the header says none (slope 0 or NaN) */
    int form;           /* where the affine came from: 2 sform, 1 qform, 0 neither (pixdim alone, a warning) */
    bool gz, big_endian;
} nep_nifti_header;

typedef struct nep_nifti nep_nifti;
/* Opens for streaming: one volume at a time, nothing else held. Errors: NEP_E_MISSING, NEP_E_NIFTI, NEP_E_TRUNCATED. */
NEP_MUST_USE nep_status nep_nifti_open(nep_ctx *ctx, const char *path, nep_nifti **out);
/* Memory that an image takes which is opened now: 27 MiB, or 4 MiB (and slower) where less than 256 MiB of the budget is left. */
int64_t nep_nifti_bytes(const nep_ctx *ctx);
const nep_nifti_header *nep_nifti_info(const nep_nifti *n);
/* Next volume as float32 with scaling applied, [nx * ny * nz]. Errors: NEP_E_TRUNCATED, NEP_E_FORMAT (gzip damaged). */
NEP_MUST_USE nep_status nep_nifti_next(nep_nifti *n, float *out);
/* Next volume as stored (native endianness, no scaling); datatype and slope are in the header. */
NEP_MUST_USE nep_status nep_nifti_next_raw(nep_nifti *n, void *out);
void nep_nifti_free(nep_nifti *n);

NEP_MUST_USE nep_status nep_nifti_read_volume(nep_ctx *ctx, const char *path, nep_volume *out); /* 4D is refused */
/* Masked 4D as series [n_t, n_mask]: columns are the voxels with mask != 0 in storage order; mask may be NULL (all). */
NEP_MUST_USE nep_status nep_nifti_read_series(nep_ctx *ctx, const char *path, const nep_volume *mask, nep_series *out,
                                              nep_grid *grid);
/* labels may be NULL; a TSV/CSV with `index|id` and `name|label` [and `hemisphere`]. Errors: NEP_E_FORMAT (a value that is
 * no whole number, no region at all, duplicate names). */
NEP_MUST_USE nep_status nep_nifti_read_atlas(nep_ctx *ctx, const char *path, const char *labels, nep_atlas *out);
/* Writes float32 (or int16 when `as_int16`) [n_t, voxels]; .gz by the name; mtime 0; no private text. tr_s used when
 * n_t > 1. NIfTI-2 when a dimension exceeds 32767. */
NEP_MUST_USE nep_status nep_nifti_write(nep_ctx *ctx, const char *path, const nep_grid *grid, int64_t n_t, double tr_s,
                                        const float *data, bool as_int16);

/* ---- TSV and CSV (tsv.c) ---------------------------------------------------------------------------------------
 * Strict: UTF-8, header, every row as wide as the header, no duplicate columns; `n/a` and empty are missing.
 * A name that ends in .csv is read with commas and RFC 4180 quotes; .gz is inflated. */
NEP_MUST_USE nep_status nep_tsv_read(nep_ctx *ctx, const char *path, nep_table *out);
NEP_MUST_USE nep_status nep_tsv_read_series(nep_ctx *ctx, const char *path, nep_series *out);
NEP_MUST_USE nep_status nep_tsv_read_maps(nep_ctx *ctx, const char *path, nep_maps *out); /* first column region */
NEP_MUST_USE nep_status nep_tsv_read_geometry(nep_ctx *ctx, const char *path, nep_geometry *out);
/* Columns hemisphere (L, R), sphere_x, sphere_y, sphere_z (any radius) and parcel (n/a = none); one row per vertex. */
NEP_MUST_USE nep_status nep_tsv_read_surface(nep_ctx *ctx, const char *path, nep_surface *out);
NEP_MUST_USE nep_status nep_tsv_read_molset(nep_ctx *ctx, const char *path, nep_molset *out);
/* A matrix with a header; row_names may be NULL, else `corner` heads them. NaN is written n/a; %.9g. */
NEP_MUST_USE nep_status nep_tsv_write_matrix(nep_ctx *ctx, const char *path, const char *corner, char *const *row_names,
                                             char *const *col_names, int64_t rows, int64_t cols, const double *values);
NEP_MUST_USE nep_status nep_tsv_write_series(nep_ctx *ctx, const char *path, const nep_series *s);

/* ---- molecules: .smi, .sdf, .csv, .tsv, each also .gz (records.c) ------------------------------------------------
 * Records are cut apart here and understood by whoever knows molecules; one that is cut wrong is told of, not fatal. */
typedef struct {
    const char *format;        /* "smi", "sdf", "csv" or "tsv"; NULL = by the name */
    const char *smiles_column; /* csv, tsv; NULL = smiles or canonical_smiles, in any case */
    const char *id_column;     /* csv, tsv; NULL = id, drug_id or name where there is such. sdf: data field; NULL = title line */
} nep_records_opts;

/* Lent until the next call. */
typedef struct {
    int64_t line;     /* where it begins, 1-based */
    const char *text; /* SMILES or mol block, with a NUL past its end */
    int64_t n_bytes;
    const char *id;      /* one line of UTF-8; NULL = it has none */
    const char *problem; /* not NULL: why there is no text */
} nep_record;

typedef struct nep_records nep_records;
/* .smi: SMILES, blank or tab, id (to the next tab); empty lines and lines from '#' on are no records, nor is a first line that
 * begins with the word SMILES. .sdf: to $$$$. Memory: the longest record, at most 4 MiB (a longer one is a problem of its own), and
 * the stream. Errors: NEP_E_MISSING, NEP_E_ARG (no format to tell by the name, no such column), NEP_E_FORMAT (no header). */
NEP_MUST_USE nep_status nep_records_open(nep_ctx *ctx, const char *path, const nep_records_opts *opts, nep_records **out);
/* Errors: those of reading and inflating; *more is false after the last. */
NEP_MUST_USE nep_status nep_records_next(nep_records *r, nep_record *out, bool *more);
bool nep_records_molblocks(const nep_records *r);                               /* texts are mol blocks, not SMILES */
void nep_records_progress(const nep_records *r, int64_t *done, int64_t *total); /* bytes of the file; total 0 for a pipe */
void nep_records_close(nep_records *r);                                         /* takes NULL */

/* ---- BIDS events (events.c) ------------------------------------------------------------------------------------
 * What happened during a run: columns onset and duration in s, trial_type and modulation where there are such. */
typedef struct {
    int64_t n;
    double *onset_s, *duration_s;
    double *modulation; /* or NULL */
    char **trial_type;  /* or NULL; no entry is */
} nep_events;
/* Rows without a trial_type are left out with a warning. Errors: NEP_E_FORMAT (no event; an onset, a duration or a modulation that
 * is missing or not finite, a negative duration), those of nep_tsv_read. */
NEP_MUST_USE nep_status nep_events_read(nep_ctx *ctx, const char *path, nep_events *out);
void nep_events_free(nep_events *e); /* a zeroed one is fine */

/* ---- JSON (json.c) ---------------------------------------------------------------------------------------------
 * At most 64 MiB, duplicate keys refused. The document is jansson's; the caller gives it back with json_decref. */
struct json_t;
NEP_MUST_USE nep_status nep_json_read(nep_ctx *ctx, const char *path, struct json_t **out);

/* ---- study file (study.c) --------------------------------------------------------------------------------------
 * YAML, schema nepenthe/study/1; README.md shows one with every key. Unknown keys are refused with the nearest known one. Paths are
 * resolved against the file; `${NEPENTHE_SHARED}` is expanded. Errors: NEP_E_CONFIG with line and column. */
typedef struct {
    char *id, *name;
    char *map_table, *map_value, *map_se; /* map_se: column name or NULL */
    double n1, n2;                        /* NaN when se is a column */
    int direction;                        /* -1 decrease, 0 unknown, +1 increase */
    bool simulated;                       /* key `simulated: true`: watermarked on every page */
    char *truth;                          /* key `truth`: TSV drug_id relevant, for simulated disorders; or NULL */
    bool context;                         /* key `role: context`: lends its labels, is not ranked */
} nep_study_disorder;

typedef struct {
    char *name;
    char **keys;   /* option names, sorted */
    char **values; /* their text */
    int64_t n_options;
} nep_study_channel;

typedef struct {
    char *channel, *table;  /* a kind of evidence table by the name of its channel; a file */
    char *labels_from;      /* where its judgements come from, or NULL */
    double half_life;       /* of literature, years; 0 = not given */
    int64_t reference_year; /* of literature; 0 = not given */
} nep_study_evidence;

typedef struct {
    char *path, *name;
    char *geometry, *receptors, *reliability, *drugs, *affinities, *labels, *targets, *network; /* or NULL */
    nep_study_evidence *evidence; /* key `evidence: [{channel: literature, table: FILE, half_life: 5, reference_year: 2016}, ...]` */
    int64_t n_evidence;
    char *disorder_signatures, *drug_signatures; /* key `signatures: {disorders: TSV, drugs: TSV}`; or NULL */
    char *atlas, *atlas_labels; /* key `atlas: IMAGE` or `atlas: {image: IMAGE, labels: TSV}`; or NULL */
    nep_study_disorder *disorders;
    int64_t n_disorders, n_ranked; /* those of role `ranked` stand first */
    bool other_disorders;          /* labels of disorders that the study does not list count too, as context */
    nep_study_channel *channels;
    int64_t n_channels;
    char **primary_channels;
    int64_t n_primary_channels;
    bool primary_cortex_only; /* scope: cortex */
    double relative_occupancy; /* 0.75 */
    char *score;               /* "A" or "B" (default) */
    char *mode;                /* "U" (default), "S", "T" */
    bool hierarchical;         /* key `model: hierarchical` of primary; else stouffer */
    bool investigational_negative; /* key `investigational: negative` of evaluate: such drugs count as not recorded; else they are left out */
    char **protocols;
    int64_t n_protocols;
    char **negatives;
    int64_t n_negatives;
    int64_t bootstrap;
    int64_t n_controls; /* key `controls` of evaluate: permutations of each negative control (2) */
    int64_t time_split; /* key `time_split` of evaluate: a year; 0 = none */
    int64_t n_nulls; /* key `nulls: {n: 10000, kind: moran}` */
    char *null_kind;
} nep_study;
NEP_MUST_USE nep_status nep_study_read(nep_ctx *ctx, const char *path, nep_study *out);
void nep_study_free(nep_study *s);

/* ---- networks (network.c): a YAML file that names tables, schema nepenthe/network/1, or the tables one by one ----
 * Edge list: TSV or CSV, also .gz, columns source and target, where known weight, sign (-1, 0, 1), licence, source_db or provenance;
 * others are left alone. A row without licence or source_db has those of the file. docs/graph.md shows both.
 * Errors: NEP_E_CONFIG (the YAML, with line and column), NEP_E_FORMAT (those of nep_network_add_*; a cell missing), NEP_E_MISSING. */
NEP_MUST_USE nep_status nep_network_read(nep_ctx *ctx, const char *path, const nep_network_opts *opts, nep_network *out);
/* One edge list as a metaedge of a network that is being built; licence and source of rows that have none may be NULL. */
NEP_MUST_USE nep_status nep_network_read_edges(nep_ctx *ctx, nep_network *net, const nep_network_opts *opts, const char *id, const char *path,
                                               const char *licence, const char *source);
/* One table of nodes, columns id and where known name, as a kind. */
NEP_MUST_USE nep_status nep_network_read_nodes(nep_ctx *ctx, nep_network *net, const char *id, const char *name, const char *path);

/* ---- index files, nepenthe/index/1 (index*.c; docs/index_files.md has the format byte by byte) ------------------
 * Opens by mapping the file; nep_index_free unmaps it. Verified at once: header and table (checksum), sizes against the file, order and
 * range of all that a search relies on to place a row, an id or a cell. Left to nep_index_check: the checksums of the sections and what
 * follows from the rows. Nepenthe replaces files and never shortens one in place; where another program shortens a mapped file, the
 * system ends this one with SIGBUS.
 * Errors: NEP_E_MISSING, NEP_E_PERMISSION, NEP_E_FORMAT (no index, damaged), NEP_E_TRUNCATED, NEP_E_NOTSUP (a newer version), NEP_E_NOMEM. */
NEP_MUST_USE nep_status nep_index_open(nep_ctx *ctx, const char *path, nep_index *out);
/* Verifies all of an index: checksums of its sections, and counts, sketches, norms, int8 copies and hashes against the rows.
 * Cost: reads everything once. Errors: NEP_E_FORMAT with what does not agree, NEP_E_INTERRUPTED, NEP_E_NOMEM (a bit per row). */
NEP_MUST_USE nep_status nep_index_check(nep_ctx *ctx, const nep_index *x);
/* Writes x; the same rows give the same bytes, whoever made x. Errors: NEP_E_WRITE, NEP_E_PERMISSION, NEP_E_IO (the disk is full). */
NEP_MUST_USE nep_status nep_index_write(nep_ctx *ctx, const char *path, const nep_index *x);

/* Rows to a file, block by block, in memory that one block and its ids need (and, for bits, nothing per row): what cannot be placed yet
 * waits in nameless files beside the output. */
typedef struct {
    nep_index_kind kind;
    int64_t width;        /* bits or dims */
    nep_vector_type type; /* of vectors */
    bool sketch, shadow;  /* made where such rows can have them (up to 63 words; not int8) */
    bool ids;             /* rows may have ids */
    int64_t n_columns;    /* metadata */
    const char *const *column;
    const char *about;       /* one line, or NULL */
    int64_t total;           /* rows that will come; needed for a shard of vectors, else 0 = not known */
    int64_t shard, n_shards; /* 0, 0 = all; else rows of shard 1..n: vectors by ranges of row numbers, bits in turn (number mod n) */
} nep_index_layout;
typedef struct nep_index_writer nep_index_writer;
/* source: a name for sentences on rows. Errors: those of nep_index_write, NEP_E_ARG (width, shard, columns). */
NEP_MUST_USE nep_status nep_index_writer_create(nep_ctx *ctx, const char *path, const char *source, const nep_index_layout *layout,
                                                nep_index_writer **out);
/* The next n rows: uint64_t [n, words] or float [n, dims]; ids [n] and cells [n, n_columns] as the layout has them, each entry NULL or
 * one line of UTF-8. Errors: NEP_E_FORMAT (row and column are named), NEP_E_IO, NEP_E_NOMEM. */
NEP_MUST_USE nep_status nep_index_writer_add(nep_index_writer *w, const void *rows, int64_t n, char *const *ids, char *const *cells);
int64_t nep_index_writer_rows(const nep_index_writer *w); /* that came so far */
/* Sorts, hashes and lands the file; frees w, also on failure. Errors: NEP_E_FORMAT (no row at all, or none in this shard), NEP_E_IO. */
NEP_MUST_USE nep_status nep_index_writer_commit(nep_index_writer *w);
void nep_index_writer_abort(nep_index_writer *w); /* takes NULL */

/* One file from several: the shards of one set (all of them, in any order), or whole sets, whose rows then follow one another and get
 * new numbers. Either way the bytes are those of one run over all rows. Names are for sentences.
 * Errors: NEP_E_FORMAT (a shard is missing, foreign or there twice; kinds, widths, types, columns or descriptions differ), NEP_E_NOTSUP
 * (inverted lists), those of nep_index_write. */
NEP_MUST_USE nep_status nep_index_merge(nep_ctx *ctx, const char *path, const nep_index *parts, const char *const *names, int64_t n_parts);

/* ---- rows of other programs' files (source.c, and one file per format) -------------------------------------------
 * Vectors: .npy (versions 1 to 3, C order, f2 f4 f8 u1 i1), .fvecs .bvecs .ivecs, .fbin .u8bin .i8bin, .safetensors (F16 BF16 F32 F64 I8
 * U8), .h5 (one dataset; an AnnData file's X with its obs names). Bits: .fps, .npy of booleans, and .npy of u1 or u8 (little-endian) when
 * `bits` says so: bit b is bit b % 8 of byte b / 8, numpy.packbits(bitorder="little"). All but .h5 also as .gz. */
typedef struct {
    const char *format;  /* an ending of the list above without its point; NULL = by the name */
    const char *dataset; /* of .h5 and .safetensors; NULL = X, or the only matrix there is */
    bool bits;
} nep_source_opts;
typedef struct {
    nep_index_kind kind;
    int64_t n;            /* rows; -1 = not known before the end */
    int64_t width;        /* bits or dims */
    nep_vector_type type; /* of vectors, in which nothing is lost (f64 and whole numbers: f32) */
    bool ids;             /* rows come with ids */
    const char *about;    /* what the file says of its rows, "" = nothing */
} nep_source_info;
typedef struct nep_source nep_source;
/* Memory: one block and the stream, of .h5 too: two helper programs hold it meanwhile (448 MB each at most). Errors: NEP_E_MISSING,
 * NEP_E_ARG (no format to tell by the name, a dataset of a file that has none, HDF5 from stdin), NEP_E_SHAPE (bits are wanted of what holds
 * none), NEP_E_FORMAT (not what it says), NEP_E_TRUNCATED. */
NEP_MUST_USE nep_status nep_source_open(nep_ctx *ctx, const char *path, const nep_source_opts *opts, nep_source **out);
const nep_source_info *nep_source_about(const nep_source *s);
/* Up to n rows into rows (uint64_t [n, words] or float [n, dims]); *got is 0 at the end. ids [n] gets what they are called, lent until
 * the next call; NULL where a source has none. Errors: NEP_E_FORMAT (row or line is named), NEP_E_TRUNCATED. */
NEP_MUST_USE nep_status nep_source_next(nep_source *s, void *rows, int64_t n, char **ids, int64_t *got);
void nep_source_free(nep_source *s); /* takes NULL */

/* ---- HDF5 (hdf5.c) ---------------------------------------------------------------------------------------------
 * Output is built, then lands atomically; no times are stored, so equal input gives equal bytes. */
typedef struct nep_hdf5 nep_hdf5;
NEP_MUST_USE nep_status nep_hdf5_create(nep_ctx *ctx, const char *path, nep_hdf5 **out);
NEP_MUST_USE nep_status nep_hdf5_group(nep_hdf5 *h, const char *name); /* intermediate groups are made */
NEP_MUST_USE nep_status nep_hdf5_attribute(nep_hdf5 *h, const char *object, const char *name, const char *text);
/* Attributes that are lists: anndata's `column-order`, `shape`. */
NEP_MUST_USE nep_status nep_hdf5_attribute_strings(nep_hdf5 *h, const char *object, const char *name, char *const *texts,
                                                   int64_t n);
NEP_MUST_USE nep_status nep_hdf5_attribute_i64(nep_hdf5 *h, const char *object, const char *name, const int64_t *x, int64_t n);
/* Arrays of up to 4 dimensions; above 64 KiB chunked, shuffled and deflated. Strings are of variable length, NULL is "". */
NEP_MUST_USE nep_status nep_hdf5_write_f64(nep_hdf5 *h, const char *name, const double *x, int rank, const int64_t *dims);
NEP_MUST_USE nep_status nep_hdf5_write_f32(nep_hdf5 *h, const char *name, const float *x, int rank, const int64_t *dims);
NEP_MUST_USE nep_status nep_hdf5_write_i64(nep_hdf5 *h, const char *name, const int64_t *x, int rank, const int64_t *dims);
NEP_MUST_USE nep_status nep_hdf5_write_u64(nep_hdf5 *h, const char *name, const uint64_t *x, int rank, const int64_t *dims);
/* A float32 array of rows that is filled some rows at a time, each once; stored as it is, not deflated. One at a time. */
NEP_MUST_USE nep_status nep_hdf5_rows_begin(nep_hdf5 *h, const char *name, int64_t n_rows, int64_t n_cols);
NEP_MUST_USE nep_status nep_hdf5_rows_write(nep_hdf5 *h, int64_t first, int64_t count, const float *x);
NEP_MUST_USE nep_status nep_hdf5_rows_end(nep_hdf5 *h);
NEP_MUST_USE nep_status nep_hdf5_write_strings(nep_hdf5 *h, const char *name, char *const *x, int64_t n);
/* One compound table with fixed-length strings (pandas.read_hdf opens it). A column is text or number, not both. */
typedef struct {
    const char *name;
    char *const *text;
    const double *number;
} nep_hdf5_column;
NEP_MUST_USE nep_status nep_hdf5_write_table(nep_hdf5 *h, const char *name, const nep_hdf5_column *columns,
                                             int64_t n_columns, int64_t n_rows);
NEP_MUST_USE nep_status nep_hdf5_commit(nep_hdf5 *h); /* frees h, also on failure */
void nep_hdf5_abort(nep_hdf5 *h);
/* Reads one numeric dataset through the reader helper program (`nepenthe-h5read`), which has memory, time and
 * write limits of its own. dims [4]; out is freed with nep_alloc_free. */
NEP_MUST_USE nep_status nep_hdf5_read_f64(nep_ctx *ctx, const char *path, const char *dataset, double **out, int *rank,
                                          int64_t dims[4]);
/* The same for one list of texts; names [n] is freed with nep_data_free_names. */
NEP_MUST_USE nep_status nep_hdf5_read_strings(nep_ctx *ctx, const char *path, const char *dataset, char ***names, int64_t *n);

/* ---- AnnData (anndata.c) ---------------------------------------------------------------------------------------
 * On-disk format 0.1.0: X, obs and var as data frames, empty obsm, varm, obsp, varp, layers; uns holds one text. */
typedef struct {
    const char *name;
    char *const *text;    /* entries may be NULL: "" */
    const double *number; /* or numbers */
} nep_anndata_column;
typedef struct {
    int64_t n_obs, n_var, n_obs_columns, n_var_columns;
    const double *x; /* [n_obs, n_var], NaN = missing */
    const char *obs_name, *var_name; /* what the names are called */
    char *const *obs, *const *var;   /* unique names */
    const nep_anndata_column *obs_columns, *var_columns;
    const char *provenance; /* uns/provenance, JSON; or NULL */
} nep_anndata;
/* Writes the file; anndata, h5py and R open it. Errors: NEP_E_ARG (no names), those of the HDF5 writer. */
NEP_MUST_USE nep_status nep_anndata_write(nep_ctx *ctx, const char *path, const nep_anndata *a);

#ifdef __cplusplus
}
#endif
#endif
