/* SPDX-License-Identifier: Apache-2.0 */
/* molecules_read - structures of a file through the converter, batch by batch, gathered in the order of the file. */
#include "cli/molecules.h"

#include <stdlib.h>
#include <string.h>

enum { batch = 2048, batch_bytes = 64 << 20 };

/* One batch: the texts of its records lie in one piece. */
typedef struct {
    int64_t n, bytes, room;
    char *text;
    int64_t at[batch], n_bytes[batch], id[batch], line[batch];
    const char *problem[batch]; /* constant texts of the reader */
    nep_convert_input in[batch];
    nep_converted out[batch];
    uint64_t *bits;
    double *descriptor;
} work;

static nep_status add_text(nep_ctx *ctx, char **text, int64_t *bytes, int64_t *room, const char *s, int64_t n, int64_t *at)
{
    if (*bytes + n + 1 > *room) {
        *room = 2 * (*bytes + n) + 65536;
        NEP_TRY(nep_alloc_grow(ctx, *room, 1, "texts of molecules", text));
    }
    memcpy(*text + *bytes, s, (size_t)n);
    (*text)[*bytes + n] = '\0';
    *at = *bytes;
    *bytes += n + 1;
    return NEP_OK;
}

const char *cli_molecules_text(const cli_molecules *m, int64_t at)
{
    return at < 0 ? NULL : m->text + at;
}

static nep_status read_batch(nep_ctx *ctx, nep_records *records, work *w, bool *more)
{
    w->n = w->bytes = 0;
    while (w->n < batch && w->bytes < batch_bytes) {
        nep_record r;
        NEP_TRY(nep_records_next(records, &r, more));
        if (!*more)
            break;
        NEP_TRY(add_text(ctx, &w->text, &w->bytes, &w->room, r.text, r.n_bytes, &w->at[w->n]));
        w->id[w->n] = -1;
        if (r.id)
            NEP_TRY(add_text(ctx, &w->text, &w->bytes, &w->room, r.id, (int64_t)strlen(r.id), &w->id[w->n]));
        w->n_bytes[w->n] = r.n_bytes;
        w->line[w->n] = r.line;
        w->problem[w->n++] = r.problem;
    }
    for (int64_t i = 0; i < w->n; i++)
        w->in[i] = (nep_convert_input){.text = w->text + w->at[i], .n_bytes = w->n_bytes[i], .molblock = nep_records_molblocks(records)};
    return NEP_OK;
}

/* ---- gathering ---- */

#define GROW(field, width)                                                                                                                 \
    NEP_TRY(nep_alloc_grow(ctx, m->room *(width), sizeof *m->field, "molecules", &m->field))

static nep_status more_room(nep_ctx *ctx, cli_molecules *m)
{
    if (m->n < m->room)
        return NEP_OK;
    m->room = m->room + m->room / 2 + batch;
    GROW(id, 1);
    GROW(smiles, 1);
    GROW(parent_smiles, 1);
    GROW(inchikey, 1);
    GROW(parent_inchikey, 1);
    GROW(line, 1);
    if (m->words)
        GROW(bits, m->words);
    if (m->n_descriptors)
        GROW(descriptor, m->n_descriptors);
    return NEP_OK;
}

/* The id of a record without one: its InChIKey, else its line. */
static nep_status add_id(nep_ctx *ctx, cli_molecules *m, const work *w, int64_t i)
{
    char made[40];
    const char *id = w->id[i] >= 0 ? w->text + w->id[i] : w->out[i].inchikey;
    if (!id[0]) {
        snprintf(made, sizeof made, "line%lld", (long long)w->line[i]);
        id = made;
    }
    return add_text(ctx, &m->text, &m->text_bytes, &m->text_room, id, (int64_t)strlen(id), &m->id[m->n]);
}

static nep_status keep(nep_ctx *ctx, cli_molecules *m, const work *w, int64_t i)
{
    const nep_converted *c = &w->out[i];
    NEP_TRY(more_room(ctx, m));
    NEP_TRY(add_id(ctx, m, w, i));
    NEP_TRY(add_text(ctx, &m->text, &m->text_bytes, &m->text_room, c->smiles, (int64_t)strlen(c->smiles), &m->smiles[m->n]));
    m->parent_smiles[m->n] = -1;
    if (c->parent_smiles)
        NEP_TRY(add_text(ctx, &m->text, &m->text_bytes, &m->text_room, c->parent_smiles, (int64_t)strlen(c->parent_smiles),
                         &m->parent_smiles[m->n]));
    memcpy(m->inchikey[m->n], c->inchikey, sizeof c->inchikey);
    memcpy(m->parent_inchikey[m->n], c->parent_inchikey, sizeof c->parent_inchikey);
    m->line[m->n] = w->line[i];
    if (m->words)
        memcpy(m->bits + m->n * m->words, w->bits + i * m->words, (size_t)m->words * sizeof *m->bits);
    if (m->n_descriptors)
        memcpy(m->descriptor + m->n * m->n_descriptors, w->descriptor + i * m->n_descriptors, (size_t)m->n_descriptors * sizeof *m->descriptor);
    m->n++;
    return NEP_OK;
}

static nep_status skip(nep_ctx *ctx, cli_skipped *s, const work *w, int64_t i)
{
    const char *reason = w->problem[i] ? w->problem[i] : w->out[i].reason;
    if (s->n == s->room) {
        s->room = 2 * s->room + 256;
        NEP_TRY(nep_alloc_grow(ctx, s->room, sizeof *s->line, "skipped records", &s->line));
        NEP_TRY(nep_alloc_grow(ctx, s->room, sizeof *s->id, "skipped records", &s->id));
        NEP_TRY(nep_alloc_grow(ctx, s->room, sizeof *s->reason, "skipped records", &s->reason));
    }
    s->line[s->n] = w->line[i];
    s->id[s->n] = -1;
    if (w->id[i] >= 0)
        NEP_TRY(add_text(ctx, &s->text, &s->text_bytes, &s->text_room, w->text + w->id[i], (int64_t)strlen(w->text + w->id[i]), &s->id[s->n]));
    NEP_TRY(add_text(ctx, &s->text, &s->text_bytes, &s->text_room, reason, (int64_t)strlen(reason), &s->reason[s->n]));
    s->n++;
    return NEP_OK;
}

/* ---- duplicates ---- */

typedef struct {
    const char *key;
    int64_t row;
} keyed;

static int by_key(const void *a, const void *b)
{
    const keyed *x = a, *y = b;
    const int d = strcmp(x->key, y->key);
    return d ? d : (x->row > y->row) - (x->row < y->row);
}

static nep_status find_duplicates(nep_ctx *ctx, cli_molecules_job *j)
{
    cli_molecules *m = &j->kept;
    keyed *list = NULL;
    NEP_TRY(nep_alloc(ctx, m->n, sizeof *m->duplicate_of, "duplicates", &m->duplicate_of));
    NEP_TRY(nep_alloc(ctx, m->n, sizeof *list, "duplicates", &list));
    for (int64_t i = 0; i < m->n; i++)
        list[i] = (keyed){m->inchikey[i], i};
    qsort(list, (size_t)m->n, sizeof *list, by_key);
    for (int64_t i = 0, first = 0; i < m->n; i++) {
        if (strcmp(list[i].key, list[first].key) != 0)
            first = i;
        const bool repeats = list[i].key[0] && i > first;
        m->duplicate_of[list[i].row] = repeats ? list[first].row : -1;
        j->n_duplicates += repeats;
        j->n_without_key += !list[i].key[0];
    }
    nep_alloc_free(list);
    return NEP_OK;
}

/* ---- all ---- */

static nep_status convert_batch(nep_ctx *ctx, cli_molecules_job *j, work *w)
{
    for (int64_t i = 0; i < w->n; i++)
        w->out[i] = (nep_converted){0};
    if (w->bits)
        memset(w->bits, 0, (size_t)(batch * j->kept.words) * sizeof *w->bits);
    NEP_TRY(nep_convert_batch(ctx, &j->opts, w->in, w->n, w->out, w->bits, w->descriptor));
    for (int64_t i = 0; i < w->n; i++)
        NEP_TRY(w->problem[i] || !w->out[i].smiles ? skip(ctx, &j->skipped, w, i) : keep(ctx, &j->kept, w, i));
    return NEP_OK;
}

nep_status cli_molecules_read(nep_ctx *ctx, nep_records *records, cli_molecules_job *j)
{
    work *w = NULL;
    bool more = true;
    int64_t done, total;
    nep_status st;
    j->kept.words = nep_fingerprint_words(&j->opts.fingerprint);
    j->kept.n_descriptors = j->opts.descriptors ? NEP_CONVERT_DESCRIPTORS : 0;
    NEP_TRY_OR_DONE(st, nep_convert_about(ctx, &j->about));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 1, sizeof *w, "batch of molecules", &w));
    if (j->kept.words)
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, batch * j->kept.words, sizeof *w->bits, "batch of molecules", &w->bits));
    if (j->kept.n_descriptors)
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, batch * j->kept.n_descriptors, sizeof *w->descriptor, "batch of molecules", &w->descriptor));
    nep_records_progress(records, &done, &total);
    nep_progress_open(ctx, "molecules (bytes read)", total);
    while (more) {
        NEP_TRY_OR_DONE(st, read_batch(ctx, records, w, &more));
        NEP_TRY_OR_DONE(st, convert_batch(ctx, j, w));
        nep_convert_free(w->out, w->n);
        nep_records_progress(records, &done, &total);
        nep_progress_step(ctx, done);
    }
    nep_progress_close(ctx);
    st = find_duplicates(ctx, j);
done:
    if (w) {
        nep_convert_free(w->out, w->n);
        nep_alloc_free(w->text);
        nep_alloc_free(w->bits);
        nep_alloc_free(w->descriptor);
        nep_alloc_free(w);
    }
    return st;
}

nep_status cli_molecules_count(nep_ctx *ctx, nep_records *records, int64_t *n)
{
    nep_record r;
    bool more = true;
    for (*n = -1; more; ++*n) {
        NEP_TRY(nep_ctx_check(ctx));
        NEP_TRY(nep_records_next(records, &r, &more));
    }
    return NEP_OK;
}

void cli_molecules_free(cli_molecules_job *j)
{
    void *const all[] = {j->kept.text,          j->kept.id,           j->kept.smiles, j->kept.parent_smiles, j->kept.inchikey,
                         j->kept.parent_inchikey, j->kept.line,       j->kept.duplicate_of, j->kept.bits,    j->kept.descriptor,
                         j->skipped.text,       j->skipped.line,      j->skipped.id,  j->skipped.reason};
    for (int i = 0; i < NEP_LEN(all); i++)
        nep_alloc_free(all[i]);
    *j = (cli_molecules_job){0};
}
