/* SPDX-License-Identifier: Apache-2.0 */
/* molecules_index - the fingerprints of molecules as an index file, with SMILES and InChIKey beside each row. */
#include "cli/molecules.h"

#include <string.h>

enum { block = 4096, columns = 2 };
static const char *const column[columns] = {"smiles", "inchikey"};

static nep_status add_block(nep_index_writer *w, const cli_molecules *m, int64_t from, int64_t n, char **ids, char **cells)
{
    for (int64_t i = 0; i < n; i++) {
        ids[i] = m->text + m->id[from + i];
        cells[columns * i] = m->text + m->smiles[from + i];
        cells[columns * i + 1] = m->inchikey[from + i][0] ? m->inchikey[from + i] : NULL;
    }
    return nep_index_writer_add(w, m->bits + from * m->words, n, ids, cells);
}

nep_status cli_molecules_index(nep_ctx *ctx, const char *path, void *user)
{
    const cli_molecules_job *j = user;
    const cli_molecules *m = &j->kept;
    char about[256], **ids = NULL, **cells = NULL;
    nep_index_writer *w = NULL;
    nep_status st;
    snprintf(about, sizeof about, "%s%s by %.*s", j->fingerprint, j->opts.parent ? " of the largest component" : "", (int)strcspn(j->about, ","),
             j->about);
    const nep_index_layout layout = {.kind = NEP_INDEX_BITS,
                                     .width = j->opts.fingerprint.n_bits,
                                     .sketch = m->words <= 63,
                                     .ids = true,
                                     .n_columns = columns,
                                     .column = column,
                                     .about = about};
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, block, sizeof *ids, "ids of molecules", &ids));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, columns * block, sizeof *cells, "texts of molecules", &cells));
    NEP_TRY_OR_DONE(st, nep_index_writer_create(ctx, path, j->source, &layout, &w));
    for (int64_t from = 0; from < m->n; from += block)
        NEP_TRY_OR_DONE(st, add_block(w, m, from, m->n - from < block ? m->n - from : block, ids, cells));
    st = nep_index_writer_commit(w);
    w = NULL;
done:
    nep_index_writer_abort(w);
    nep_alloc_free(cells);
    nep_alloc_free(ids);
    return st;
}
