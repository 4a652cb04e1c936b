/* SPDX-License-Identifier: Apache-2.0 */
/* molecules_write - molecules as TSV, FPS and HDF5 molset, and the list of records that are none. */
#include "cli/molecules.h"

#include <math.h>
#include <string.h>

/* FPS hex: byte by byte, bit 0 of byte 0 first. */
static void hex(const uint64_t *bits, int64_t n_bits, char *out)
{
    static const char digit[] = "0123456789abcdef";
    const int64_t n = (n_bits + 7) / 8;
    for (int64_t b = 0; b < n; b++) {
        const unsigned byte = (unsigned)(bits[b / 8] >> (8 * (b % 8))) & 255u;
        out[2 * b] = digit[byte >> 4];
        out[2 * b + 1] = digit[byte & 15];
    }
    out[2 * n] = '\0';
}

static const char *or_missing(const char *text)
{
    return text && text[0] ? text : "n/a";
}

static nep_status tsv_row(nep_file *f, const cli_molecules_job *j, int64_t i)
{
    const cli_molecules *m = &j->kept;
    char row[NEP_FINGERPRINT_BITS_MOST / 4 + 1];
    NEP_TRY(nep_file_printf(f, "%s\t%s\t%s\t%s\t%s\t%s", cli_molecules_text(m, m->id[i]), cli_molecules_text(m, m->smiles[i]),
                            or_missing(m->inchikey[i]), or_missing(cli_molecules_text(m, m->parent_smiles[i])),
                            or_missing(m->parent_inchikey[i]),
                            m->duplicate_of[i] < 0 ? "n/a" : cli_molecules_text(m, m->id[m->duplicate_of[i]])));
    if (m->words) {
        hex(m->bits + i * m->words, j->opts.fingerprint.n_bits, row);
        NEP_TRY(nep_file_printf(f, "\t%s", row));
    }
    for (int64_t d = 0; d < m->n_descriptors; d++) {
        const double v = m->descriptor[i * m->n_descriptors + d];
        NEP_TRY(isnan(v) ? nep_file_printf(f, "\tn/a") : nep_file_printf(f, "\t%.9g", v));
    }
    return nep_file_printf(f, "\n");
}

nep_status cli_molecules_tsv(nep_ctx *ctx, const char *path, void *user)
{
    const cli_molecules_job *j = user;
    nep_file *f = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_file_create(ctx, path, &f));
    NEP_TRY_OR_DONE(st, nep_file_printf(f, "drug_id\tsmiles\tinchikey\tparent_smiles\tparent_inchikey\tduplicate_of%s",
                                        j->kept.words ? "\tfingerprint" : ""));
    for (int64_t d = 0; d < j->kept.n_descriptors; d++)
        NEP_TRY_OR_DONE(st, nep_file_printf(f, "\t%s", nep_convert_descriptor_names[d]));
    NEP_TRY_OR_DONE(st, nep_file_printf(f, "\n"));
    for (int64_t i = 0; i < j->kept.n; i++)
        NEP_TRY_OR_DONE(st, tsv_row(f, j, i));
    st = nep_file_commit(f);
    f = NULL;
done:
    nep_file_abort(f);
    return st;
}

/* What chemfp calls the same fingerprint, where it has it. */
static void fps_type(const nep_fingerprint *p, char *out, size_t size)
{
    if (p->kind == NEP_FINGERPRINT_MORGAN)
        snprintf(out, size, "RDKit-Morgan/1 radius=%d fpSize=%lld useFeatures=0 useChirality=0 useBondTypes=1", p->radius, (long long)p->n_bits);
    else if (p->kind == NEP_FINGERPRINT_RDKIT)
        snprintf(out, size, "RDKit-Fingerprint/2 minPath=1 maxPath=7 fpSize=%lld nBitsPerHash=2 useHs=1", (long long)p->n_bits);
    else
        snprintf(out, size, "RDKit-MACCS167 bit 0 is never set");
}

nep_status cli_molecules_fps(nep_ctx *ctx, const char *path, void *user)
{
    const cli_molecules_job *j = user;
    const cli_molecules *m = &j->kept;
    char row[NEP_FINGERPRINT_BITS_MOST / 4 + 1], type[160];
    nep_file *f = NULL;
    nep_status st;
    fps_type(&j->opts.fingerprint, type, sizeof type);
    NEP_TRY_OR_DONE(st, nep_file_create(ctx, path, &f));
    NEP_TRY_OR_DONE(st, nep_file_printf(f, "#FPS1\n#num_bits=%lld\n#type=%s\n#software=nepenthe/%s with %s\n",
                                        (long long)j->opts.fingerprint.n_bits, type, NEP_VERSION, j->about));
    for (int64_t i = 0; i < m->n; i++) {
        hex(m->bits + i * m->words, j->opts.fingerprint.n_bits, row);
        NEP_TRY_OR_DONE(st, nep_file_printf(f, "%s\t%s\n", row, cli_molecules_text(m, m->id[i])));
    }
    st = nep_file_commit(f);
    f = NULL;
done:
    nep_file_abort(f);
    return st;
}

nep_status cli_molecules_skipped(nep_ctx *ctx, const char *path, const cli_molecules_job *j)
{
    const cli_skipped *s = &j->skipped;
    nep_file *f = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_file_create(ctx, path, &f));
    NEP_TRY_OR_DONE(st, nep_file_printf(f, "line\tid\treason\n"));
    for (int64_t i = 0; i < s->n; i++)
        NEP_TRY_OR_DONE(st, nep_file_printf(f, "%lld\t%s\t%s\n", (long long)s->line[i], s->id[i] < 0 ? "n/a" : s->text + s->id[i],
                                            s->text + s->reason[i]));
    st = nep_file_commit(f);
    f = NULL;
done:
    nep_file_abort(f);
    return st;
}

/* ---- HDF5 ---- */

static nep_status write_texts(nep_ctx *ctx, nep_hdf5 *h, const cli_molecules *m, const char *name, const int64_t *at)
{
    char **list = NULL;
    nep_status st;
    NEP_TRY(nep_alloc(ctx, m->n, sizeof *list, "texts of molecules", &list));
    for (int64_t i = 0; i < m->n; i++)
        list[i] = at[i] < 0 ? NULL : m->text + at[i];
    st = nep_hdf5_write_strings(h, name, list, m->n);
    nep_alloc_free(list);
    return st;
}

static nep_status write_keys(nep_ctx *ctx, nep_hdf5 *h, int64_t n, const char *name, char (*keys)[28])
{
    char **list = NULL;
    nep_status st;
    NEP_TRY(nep_alloc(ctx, n, sizeof *list, "InChIKeys", &list));
    for (int64_t i = 0; i < n; i++)
        list[i] = keys[i];
    st = nep_hdf5_write_strings(h, name, list, n);
    nep_alloc_free(list);
    return st;
}

/* schema nepenthe/molset/1, described in src/molecule/README.md */
static nep_status fill_hdf5(nep_ctx *ctx, nep_hdf5 *h, const cli_molecules_job *j, const char *provenance)
{
    const cli_molecules *m = &j->kept;
    const int64_t bits[] = {m->n, m->words}, descriptors[] = {m->n, m->n_descriptors};
    NEP_TRY(nep_hdf5_attribute(h, "/", "schema", "nepenthe/molset/1"));
    NEP_TRY(nep_hdf5_attribute(h, "/", "fingerprint", j->fingerprint));
    NEP_TRY(nep_hdf5_attribute_i64(h, "/", "n_bits", &j->opts.fingerprint.n_bits, 1));
    NEP_TRY(nep_hdf5_attribute(h, "/", "software", j->about));
    NEP_TRY(nep_hdf5_attribute(h, "/", "provenance", provenance));
    NEP_TRY(write_texts(ctx, h, m, "id", m->id));
    NEP_TRY(write_texts(ctx, h, m, "smiles", m->smiles));
    NEP_TRY(write_texts(ctx, h, m, "parent_smiles", m->parent_smiles));
    NEP_TRY(write_keys(ctx, h, m->n, "inchikey", m->inchikey));
    NEP_TRY(write_keys(ctx, h, m->n, "parent_inchikey", m->parent_inchikey));
    NEP_TRY(nep_hdf5_write_i64(h, "line", m->line, 1, &m->n));
    NEP_TRY(nep_hdf5_write_i64(h, "duplicate_of", m->duplicate_of, 1, &m->n));
    if (m->words)
        NEP_TRY(nep_hdf5_write_u64(h, "bits", m->bits, 2, bits));
    if (m->n_descriptors) {
        NEP_TRY(nep_hdf5_write_strings(h, "descriptor_names", (char *const *)nep_convert_descriptor_names, m->n_descriptors));
        NEP_TRY(nep_hdf5_write_f64(h, "descriptors", m->descriptor, 2, descriptors));
    }
    return NEP_OK;
}

nep_status cli_molecules_hdf5(nep_ctx *ctx, const char *path, const cli_molecules_job *j, const char *provenance)
{
    nep_hdf5 *h = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_hdf5_create(ctx, path, &h));
    NEP_TRY_OR_DONE(st, fill_hdf5(ctx, h, j, provenance));
    st = nep_hdf5_commit(h);
    h = NULL;
done:
    nep_hdf5_abort(h);
    return st;
}
