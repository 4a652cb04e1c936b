/* SPDX-License-Identifier: Apache-2.0 */
/* doc.c - small builders over jansson: missing numbers are null, broken bytes never stop a report. */
#include "doc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

json_t *nep_doc_number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

json_t *nep_doc_text(const char *text)
{
    if (!text)
        return json_null();
    json_t *value = json_string(text);
    if (value)
        return value;
    char *copy = strdup(text);
    if (!copy)
        return NULL;
    for (char *c = copy; *c; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    value = json_string(copy);
    free(copy);
    return value;
}

json_t *nep_doc_numbers(const double *x, int64_t n)
{
    int bad = 0;
    json_t *array = json_array();
    for (int64_t i = 0; i < n && !bad; i++)
        DOC_ADD(array, nep_doc_number(x[i]));
    DOC_END(array);
}

/* Next piece of a `;`-joined text without the blanks around it; returns where the rest begins, NULL at the end. */
static const char *piece(const char *rest, const char **start, size_t *length)
{
    while (*rest == ' ' || *rest == ';')
        rest++;
    if (!*rest)
        return NULL;
    *start = rest;
    *length = strcspn(rest, ";");
    rest += *length;
    while (*length > 0 && (*start)[*length - 1] == ' ')
        (*length)--;
    return rest;
}

static json_t *piece_text(const char *start, size_t length)
{
    char *copy = strndup(start, length);
    json_t *value = copy ? nep_doc_text(copy) : NULL;
    free(copy);
    return value;
}

json_t *nep_doc_words(const char *joined)
{
    int bad = 0;
    const char *start;
    size_t length;
    json_t *array = json_array();
    for (const char *rest = joined ? joined : ""; (rest = piece(rest, &start, &length)) != NULL;)
        DOC_ADD(array, piece_text(start, length));
    DOC_END(array);
}

static bool holds(const json_t *set, const json_t *word)
{
    size_t i;
    json_t *known;
    json_array_foreach(set, i, known) if (json_equal(known, word)) return true;
    return false;
}

int nep_doc_collect(json_t *set, const char *joined)
{
    int bad = 0;
    const char *start;
    size_t length;
    for (const char *rest = joined ? joined : ""; (rest = piece(rest, &start, &length)) != NULL;) {
        json_t *word = piece_text(start, length);
        if (word && holds(set, word))
            json_decref(word);
        else
            DOC_ADD(set, word);
    }
    return bad;
}

const char *nep_doc_get_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

double nep_doc_get_number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}
