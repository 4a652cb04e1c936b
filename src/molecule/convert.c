/* SPDX-License-Identifier: Apache-2.0 */
/* convert - structures through the RDKit module, one molecule at a time in each of several threads.
 *
 * The threads are our own: RDKit and InChI recurse along the molecule and need more stack than OpenMP's threads have. */
#include <nepenthe/molecule.h>

#include "molecule/rdkit.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { most_smiles = 20000, most_lines = 3 * NEP_CONVERT_ATOMS_MOST };

const char *const nep_convert_descriptor_names[NEP_CONVERT_DESCRIPTORS] = {
    "mw",          "clogp",         "tpsa",         "hbd",
    "hba",         "rotatable_bonds", "rings",      "aromatic_rings",
    "heavy_atoms", "formal_charge", "fraction_sp3", "molar_refractivity",
    "components",  "lipinski_violations", "cns_mpo", "cns_mpo_terms"};
enum { MW, CLOGP, TPSA, HBD, HBA, VIOLATIONS = NEP_CONVERT_MEASURED, MPO, MPO_TERMS };

/* ---- the module ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const nep_rdkit *loaded;

static nep_status load(nep_ctx *ctx, const nep_rdkit **out)
{
    static const nep_plugin plugin = {
        .who = "molecules",
        .file = NEP_RDKIT_FILE,
        .symbol = NEP_RDKIT_SYMBOL,
        .environment = "NEPENTHE_RDKIT_MODULE",
        .remedy = "RDKit reads structures: install librdkit-dev and libinchi-dev and build again. FPS files need no RDKit",
        .status = NEP_E_NOTSUP};
    char path[4096];
    void *handle = NULL, *symbol = NULL;
    nep_rdkit_entry *entry;
    NEP_TRY(nep_plugin_open(ctx, &plugin, path, &handle, &symbol));
    memcpy(&entry, &symbol, sizeof entry);
    const nep_rdkit *m = entry(nep_rdkit_hash());
    if (!m)
        return nep_plugin_refuse(ctx, &plugin, path, handle);
    *out = m; /* stays loaded for the life of the process */
    return NEP_OK;
}

static nep_status module(nep_ctx *ctx, const nep_rdkit **out)
{
    nep_status st = NEP_OK;
    pthread_mutex_lock(&lock);
    if (!loaded)
        st = load(ctx, &loaded);
    *out = loaded;
    pthread_mutex_unlock(&lock);
    return st;
}

nep_status nep_convert_about(nep_ctx *ctx, const char **out)
{
    const nep_rdkit *m = NULL;
    NEP_TRY(module(ctx, &m));
    *out = m->about;
    return NEP_OK;
}

/* ---- one molecule ---- */

/* No fewer than the atoms of a SMILES: brackets, and letters that begin an element outside of them. */
static int64_t atoms_of_smiles(const char *text, int64_t n)
{
    int64_t atoms = 0;
    bool inside = false;
    for (int64_t i = 0; i < n && text[i] != ' ' && text[i] != '\t' && text[i] != '|'; i++) {
        const char c = text[i];
        atoms += c == '[' || (!inside && (strchr("BCNOPSFIbcnops*", c) != NULL));
        inside = c == '[' ? true : c == ']' ? false : inside;
    }
    return atoms;
}

/* A number of five digits or more, or above 4999, in the next `most` numbers at c. */
static bool large_number(const char *c, int most)
{
    for (; most > 0 && *c != '\n' && *c != '\0'; most--) {
        c += strspn(c, " \t");
        const size_t digits = strspn(c, "0123456789");
        if (digits > 4 || (digits == 4 && *c > '4'))
            return true;
        c += digits;
        if (digits == 0)
            break;
    }
    return false;
}

/* RDKit makes space for what a V3000 block promises before it reads on: in its counts line, and in the length before each list,
 * ATOMS=(999999999 1). A line that ends in '-' goes on in the next, also within a number. */
static bool promises_too_much(const nep_convert_input *in)
{
    static const char on[] = "-\nM  V30 ";
    const size_t n = (size_t)in->n_bytes;
    char *text = malloc(n + 1);
    size_t m = 0;
    bool found = text == NULL;
    for (size_t i = 0; text && i < n; i++)
        if (n - i >= strlen(on) && memcmp(in->text + i, on, strlen(on)) == 0)
            i += strlen(on) - 1;
        else
            text[m++] = in->text[i];
    if (text)
        text[m] = '\0';
    for (const char *c = text; !found && c && *c; c++)
        found = (*c == '(' && large_number(c + 1, 1)) || ((*c == 'C' || *c == 'c') && strncasecmp(c, "counts", 6) == 0 && large_number(c + 6, 5));
    free(text);
    return found;
}

/* What would cost RDKit minutes or its stack is refused before it sees it. */
static bool refused(const nep_convert_input *in, char *reason, size_t size)
{
    int64_t lines = 0;
    reason[0] = '\0';
    for (int64_t i = 0; i < in->n_bytes; i++)
        lines += in->text[i] == '\n';
    if (memchr(in->text, '\0', (size_t)in->n_bytes))
        snprintf(reason, size, "it holds a NUL byte");
    else if (in->molblock && lines > most_lines)
        snprintf(reason, size, "its mol block has %lld lines, more than %d", (long long)lines, most_lines);
    else if (in->molblock && promises_too_much(in))
        snprintf(reason, size, "it promises lists of 5,000 items or more");
    else if (!in->molblock && in->n_bytes > most_smiles)
        snprintf(reason, size, "its SMILES has %lld characters, more than %d", (long long)in->n_bytes, most_smiles);
    else if (!in->molblock && atoms_of_smiles(in->text, in->n_bytes) > NEP_CONVERT_ATOMS_MOST)
        snprintf(reason, size, "it has more than %d atoms", NEP_CONVERT_ATOMS_MOST);
    return reason[0] != '\0';
}

/* Lipinski's four bounds (1997, doi:10.1016/S0169-409X(96)00423-1) and CNS MPO of what is at hand: no pKa and no logD is made up. */
static void follow(double *d)
{
    d[VIOLATIONS] = (d[MW] > 500.0) + (d[CLOGP] > 5.0) + (d[HBD] > 5.0) + (d[HBA] > 10.0);
    const nep_exposure_input in = {.clogp = d[CLOGP], .clogd = (double)NAN, .mw = d[MW], .tpsa = d[TPSA], .hbd = d[HBD], .pka = (double)NAN};
    int used = 0;
    d[MPO] = nep_exposure_mpo(&in, &used);
    d[MPO_TERMS] = used;
}

typedef struct {
    const nep_rdkit *rdkit;
    const nep_convert_opts *opts;
    const nep_convert_input *in;
    nep_converted *out;
    uint64_t *bits;
    double *descriptor;
    int64_t n, words;
    _Atomic int64_t next;
} work;

static void one(work *w, int64_t i)
{
    uint64_t *bits = w->words ? w->bits + i * w->words : NULL;
    double *d = w->opts->descriptors ? w->descriptor + i * NEP_CONVERT_DESCRIPTORS : NULL;
    nep_converted *out = &w->out[i];
    const bool ok = !refused(&w->in[i], out->reason, sizeof out->reason) && w->rdkit->convert(&w->in[i], w->opts, out, bits, d);
    if (ok) {
        out->reason[0] = '\0';
        if (d)
            follow(d);
        return;
    }
    for (int64_t k = 0; k < w->words; k++)
        bits[k] = 0;
    for (int k = 0; d && k < NEP_CONVERT_DESCRIPTORS; k++)
        d[k] = (double)NAN;
}

static void *run(void *user)
{
    work *w = user;
    while (!nep_ctx_interrupt_signal()) {
        const int64_t i = atomic_fetch_add(&w->next, 1);
        if (i >= w->n)
            break;
        one(w, i);
    }
    return NULL;
}

nep_status nep_convert_batch(nep_ctx *ctx, const nep_convert_opts *opts, const nep_convert_input *in, int64_t n, nep_converted *out,
                             uint64_t *bits, double *descriptor)
{
    enum { most_threads = 256 };
    pthread_t thread[most_threads];
    pthread_attr_t attributes;
    work w = {.opts = opts, .in = in, .out = out, .bits = bits, .descriptor = descriptor, .n = n, .words = nep_fingerprint_words(&opts->fingerprint)};
    int wanted = nep_ctx_threads(ctx), started = 0;
    NEP_REQUIRE(ctx, n >= 0 && (n == 0 || (in && out)) && (!w.words || bits) && (!opts->descriptors || descriptor), NEP_E_ARG,
                "molecules: an array is missing");
    NEP_TRY(module(ctx, &w.rdkit));
    wanted = wanted > most_threads ? most_threads : wanted > n ? (int)n : wanted;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, NEP_RDKIT_STACK);
    while (started < wanted && pthread_create(&thread[started], &attributes, run, &w) == 0)
        started++;
    pthread_attr_destroy(&attributes);
    for (int t = 0; t < started; t++)
        pthread_join(thread[t], NULL);
    NEP_REQUIRE(ctx, started > 0 || n == 0, NEP_E_NOMEM, "molecules: no thread with %d MiB of address space for its stack can be started",
                NEP_RDKIT_STACK >> 20);
    return nep_ctx_check(ctx);
}

void nep_convert_free(nep_converted *out, int64_t n)
{
    for (int64_t i = 0; out && i < n; i++) {
        free(out[i].smiles);
        free(out[i].parent_smiles);
        out[i] = (nep_converted){0};
    }
}
