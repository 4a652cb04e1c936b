/* SPDX-License-Identifier: Apache-2.0 */
/* mechanism_class.c - BASELINE: which share of the other drugs of its class is indicated? By mechanism, and by ATC. */
#include "channels.h"

#include <math.h>
#include <string.h>

enum { MAX_WORDS = 12 };

typedef struct {
    uint64_t word[MAX_WORDS]; /* content hashes of the `;`-joined words; 0 = none */
} words;

static words read_words(const char *list)
{
    words w = {{0}};
    int n = 0;
    for (const char *p = list; p && *p && n < MAX_WORDS; p = strchr(p, ';') ? strchr(p, ';') + 1 : NULL) {
        const size_t length = strcspn(p, ";");
        uint64_t hash = 14695981039346656037u; /* FNV-1a */
        for (size_t i = 0; i < length; i++)
            hash = (hash ^ (unsigned char)p[i]) * 1099511628211u;
        if (length)
            w.word[n++] = hash ? hash : 1;
    }
    return w;
}

static bool share_word(const words *a, const words *b)
{
    for (int i = 0; i < MAX_WORDS && a->word[i]; i++)
        for (int j = 0; j < MAX_WORDS && b->word[j]; j++)
            if (a->word[i] == b->word[j])
                return true;
    return false;
}

static nep_status share_of_class(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, uint64_t stream,
                                 char *const *class, double *value, double *se)
{
    words *w = NULL;
    NEP_TRY(nep_alloc(ctx, in->n_drugs, sizeof *w, "classes", &w));
    for (int64_t k = 0; k < in->n_drugs; k++)
        w[k] = read_words(class ? class[k] : NULL);
    for (int64_t k = 0; k < in->n_drugs; k++) {
        int64_t n = 0, hits = 0;
        for (int64_t i = 0; w[k].word[0] && i < in->n_drugs; i++)
            if (i != k && share_word(&w[k], &w[i])) {
                n++;
                hits += !nep_visible_hides(visible, k, i) && nep_visible_indicated(in, visible, i, stream);
            }
        value[k] = n ? (double)hits / (double)n : NAN;
        se[k] = n ? sqrt(value[k] * (1.0 - value[k]) / (double)n) : NAN;
    }
    nep_alloc_free(w);
    return NEP_OK;
}

static nep_status score_mechanism(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, uint64_t stream,
                                  double *value, double *se)
{
    return share_of_class(ctx, in, visible, stream, in->drugs->mechanism, value, se);
}

static nep_status score_atc(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, uint64_t stream,
                            double *value, double *se)
{
    return share_of_class(ctx, in, visible, stream, in->drugs->atc4, value, se);
}

const nep_channel nep_mechanism_class_channel = {
    .name = "mechanism_class",
    .summary = "share of the other drugs of the same mechanism class that are visible indicated drugs",
    .source = "class baseline; binomial error",
    .orientation = "larger is a class used more for the disorder",
    .licence = "that of the drug and label tables of the study",
    .role = NEP_ROLE_BASELINE,
    .needs = NEP_NEEDS_LABELS,
    .uses_labels = true,
    .masks = true,
    .score = score_mechanism,
};

const nep_channel nep_atc_class_channel = {
    .name = "atc_class",
    .summary = "share of the other drugs of the same ATC-4 class that are visible indicated drugs; ATC encodes the indication, so "
               "this is an upper bound, never a rival",
    .source = "WHO Collaborating Centre for Drug Statistics Methodology, ATC index; binomial error",
    .orientation = "larger is a class used more for the disorder",
    .licence = "that of the drug and label tables of the study",
    .role = NEP_ROLE_BASELINE,
    .needs = NEP_NEEDS_LABELS,
    .uses_labels = true,
    .masks = true,
    .score = score_atc,
};
