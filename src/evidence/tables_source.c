/* SPDX-License-Identifier: Apache-2.0 */
/* tables_source.c - where rows come from: which licences are open, and which tables share a source with the labels. */
#include <nepenthe/tables.h>

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { WORD = 64, LEAST = 4, MANY = 256 };

/* The next word of a list, without case and punctuation; returns what follows it, NULL at the end. */
static const char *next_word(const char *text, char word[WORD])
{
    int n = 0;
    for (; *text && !strchr(";,|+", *text); text++)
        if (isalnum((unsigned char)*text) && n < WORD - 1)
            word[n++] = (char)tolower((unsigned char)*text);
    word[n] = '\0';
    return *text ? text + 1 : NULL;
}

/* "ccby", then a version or nothing, then perhaps a jurisdiction's or a text's name: "ccby40international". */
static bool is_attribution(const char *word)
{
    const char *p = word + strlen("ccby");
    while (isdigit((unsigned char)*p))
        p++;
    return *p == '\0' || strcmp(p, "international") == 0 || strcmp(p, "unported") == 0 || strcmp(p, "igo") == 0;
}

static bool open_word(const char *word)
{
    static const char *const open[] = {"cc0", "cc010", "cc0universal", "cc010universal", "publicdomain", "pd", "pddl", "creativecommonszero",
                                       "publicdomainusgov", "usgovernmentwork", "usgovernmentpublicdomain"};
    for (int i = 0; i < NEP_LEN(open); i++)
        if (strcmp(word, open[i]) == 0)
            return true;
    return strncmp(word, "ccby", 4) == 0 && is_attribution(word);
}

bool nep_tables_open_licence(const char *licence)
{
    bool any = false;
    for (const char *p = licence; p;) {
        char word[WORD];
        p = next_word(p, word);
        if (!*word)
            continue;
        if (!open_word(word)) /* of several licences all bind */
            return false;
        any = true;
    }
    return any;
}

static bool same_word(const char *a, const char *b)
{
    const size_t n = strlen(a), m = strlen(b), least = n < m ? n : m;
    return n == m ? n > 0 && strcmp(a, b) == 0 : least >= LEAST && strncmp(a, b, least) == 0;
}

static bool same_source(const char *a, const char *b)
{
    char x[WORD], y[WORD];
    for (const char *p = a; p;) {
        p = next_word(p, x);
        for (const char *q = b; q;) {
            q = next_word(q, y);
            if (same_word(x, y))
                return true;
        }
    }
    return false;
}

/* The distinct sources of the labels, which are few; with more than fit, n is 0 and the whole list is read each time. */
typedef struct {
    const char *of[MANY];
    int n;
    char *const *list;
    int64_t n_list;
} sources;

static void gather(sources *s)
{
    for (int64_t i = 0; i < s->n_list; i++) {
        bool known = s->list[i] == NULL;
        for (int k = s->n - 1; !known && k >= 0; k--)
            known = strcmp(s->of[k], s->list[i]) == 0;
        if (known)
            continue;
        if (s->n == MANY) {
            s->n = 0;
            return;
        }
        s->of[s->n++] = s->list[i];
    }
}

static bool among(const char *source, const sources *s)
{
    for (int k = 0; k < s->n; k++)
        if (same_source(source, s->of[k]))
            return true;
    for (int64_t i = 0; s->n == 0 && i < s->n_list; i++)
        if (s->list[i] && same_source(source, s->list[i]))
            return true;
    return false;
}

bool nep_tables_overlap(const nep_tables_one *one, char *const *label_source, int64_t n, nep_tables_shared *out)
{
    nep_tables_shared found = {.n_rows = one->n_rows};
    sources s = {.list = label_source, .n_list = label_source ? n : 0};
    const char *last = NULL;
    bool shared = false;
    gather(&s);
    if (one->labels_from && among(one->labels_from, &s)) {
        found.n_shared = one->n_rows; /* all of them, whatever they say themselves */
        snprintf(found.source, sizeof found.source, "%s", one->labels_from);
    }
    for (int64_t i = 0; found.n_shared < one->n_rows && i < one->n_rows; i++) {
        const char *source = one->rows[i].source;
        if (!source)
            continue;
        if (!last || strcmp(last, source) != 0)
            shared = among(source, &s);
        last = source;
        if (shared && found.n_shared == 0)
            snprintf(found.source, sizeof found.source, "%s", source);
        found.n_shared += shared;
    }
    *out = found;
    return found.n_shared > 0;
}
