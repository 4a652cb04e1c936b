/* SPDX-License-Identifier: Apache-2.0 */
/* index_file.h - the parts of an index file, nepenthe/index/1, as its readers and writers see them; docs/index_files.md is the format. */
#ifndef NEP_IO_INDEX_FILE_H
#define NEP_IO_INDEX_FILE_H

#include <nepenthe/io.h>

#include "data/index_parts.h"

#define NEP_INDEX_SCHEMA "nepenthe/index/"

enum {
    NEP_INDEX_MAJOR = 1,
    NEP_INDEX_HEAD = 128,         /* bytes of the header */
    NEP_INDEX_ENTRY = 32,         /* bytes of a section's entry */
    NEP_INDEX_SECTIONS_MOST = 64, /* entries that a reader takes */
    NEP_INDEX_COLUMNS_MOST = 4096,
    NEP_INDEX_LINE = 64,  /* every section begins on this */
    NEP_INDEX_PAGE = 4096 /* rows and their int8 copy on that */
};

/* Fields of the header, by offset. */
enum {
    NEP_INDEX_AT_KIND = 24,
    NEP_INDEX_AT_TYPE = 28,
    NEP_INDEX_AT_WIDTH = 32,
    NEP_INDEX_AT_N = 40,
    NEP_INDEX_AT_TOTAL = 48,
    NEP_INDEX_AT_FIRST = 56,
    NEP_INDEX_AT_CONTENT = 64,
    NEP_INDEX_AT_SUM = 72,
    NEP_INDEX_AT_COLUMNS = 80,
    NEP_INDEX_AT_SECTIONS = 84,
    NEP_INDEX_AT_LISTS = 88,
    NEP_INDEX_AT_BYTES = 96,
    NEP_INDEX_AT_CHECKSUM = 120
};

typedef enum {
    NEP_SECTION_ROWS,
    NEP_SECTION_POPCOUNT,
    NEP_SECTION_SKETCH,
    NEP_SECTION_SCALE,
    NEP_SECTION_NORM,
    NEP_SECTION_SHADOW,
    NEP_SECTION_SHADOW_SCALE,
    NEP_SECTION_SHADOW_RESIDUAL,
    NEP_SECTION_CENTROID,
    NEP_SECTION_LIST_START,
    NEP_SECTION_NUMBER,
    NEP_SECTION_ID_START,
    NEP_SECTION_ID_TEXT,
    NEP_SECTION_COLUMNS,
    NEP_SECTION_CELL_START,
    NEP_SECTION_CELL_TEXT,
    NEP_SECTION_ABOUT,
    NEP_SECTION_COUNT
} nep_index_section;

/* Tag of a section in the file, up to 8 bytes. */
const char *nep_index_section_tag(nep_index_section s);

/* The checksum of a header and its table: XXH3-64 of the table, seeded with that of the bytes before the checksum. */
uint64_t nep_index_header_hash(const char *head, uint32_t n_sections);

/* Bytes that every section of x has, -1 for those it lacks: what the file must hold, no more and no less. Text is counted apart.
 * False when a size overflows. */
bool nep_index_section_sizes(const nep_index *x, int64_t id_bytes, int64_t cell_bytes, int64_t column_bytes, int64_t about_bytes,
                             int64_t size[NEP_SECTION_COUNT]);

/* A file in the making: all of it mapped, sections to be filled, then the header. */
typedef struct {
    nep_ctx *ctx;
    const char *path; /* lent */
    nep_file *file;
    int fd;
    char *map;
    int64_t bytes;
    int64_t offset[NEP_SECTION_COUNT], size[NEP_SECTION_COUNT];
} nep_index_out;

/* Opens the temporary of path, empty so far; what was opened is given up by nep_index_out_abort. */
NEP_MUST_USE nep_status nep_index_out_begin(nep_ctx *ctx, const char *path, nep_index_out *o);
/* Gives it its size and maps it; what was written to o->fd from NEP_INDEX_PAGE on stays as the rows. */
NEP_MUST_USE nep_status nep_index_out_lay(nep_index_out *o, const int64_t size[NEP_SECTION_COUNT]);
/* Where a section lies in memory, NULL when there is none. */
void *nep_index_out_at(const nep_index_out *o, nep_index_section s);
/* Writes checksums and header after the facts of x, and lands the file. Frees o, also on failure. */
NEP_MUST_USE nep_status nep_index_out_commit(nep_index_out *o, const nep_index *x, uint64_t sum);
void nep_index_out_abort(nep_index_out *o); /* a zeroed one is fine */
/* All n bytes at fd's place. */
NEP_MUST_USE nep_status nep_index_out_write(nep_ctx *ctx, const char *path, int fd, const void *bytes, int64_t n);

/* A nameless file beside path that grows, then is mapped; a zeroed one is closed. */
typedef struct {
    int fd; /* 0 = closed */
    char *buffer;
    int64_t have, bytes; /* in the buffer, in all */
    char *map;
} nep_index_spool;
NEP_MUST_USE nep_status nep_index_spool_open(nep_ctx *ctx, const char *path, nep_index_spool *s);
NEP_MUST_USE nep_status nep_index_spool_add(nep_ctx *ctx, const char *path, nep_index_spool *s, const void *bytes, int64_t n);
/* From here on all of it is at s->map (NULL when it is empty). A closed one stays so. */
NEP_MUST_USE nep_status nep_index_spool_map(nep_ctx *ctx, const char *path, nep_index_spool *s);
void nep_index_spool_close(nep_index_spool *s);

/* A mapped file, for those that look behind nep_index. NULL for an index in memory. */
typedef struct {
    nep_index_owner owner; /* first */
    void *map;
    int64_t bytes;
    char **column;
    char *path;
    uint64_t sum; /* of the hashes of the rows here */
    int64_t offset[NEP_SECTION_COUNT], size[NEP_SECTION_COUNT]; /* size -1 = absent */
    uint64_t checksum[NEP_SECTION_COUNT];
} nep_index_mapping;
nep_index_mapping *nep_index_mapping_of(const nep_index *x);

/* What may be trusted is checked: the arrays that place others, and all that a search takes for granted. */
NEP_MUST_USE nep_status nep_index_scan(nep_ctx *ctx, const nep_index *x, const char *path, int64_t id_bytes, int64_t cell_bytes);

#endif
