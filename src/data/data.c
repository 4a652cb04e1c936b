/* SPDX-License-Identifier: Apache-2.0 */
/* data - what every struct of the room shares: owned name lists, and the nearest name for a typo. */
#include <nepenthe/data.h>

#include <string.h>

void nep_data_free_names(char **names, int64_t n)
{
    if (!names)
        return;
    for (int64_t i = 0; i < n; i++)
        nep_alloc_free(names[i]);
    nep_alloc_free(names);
}

/* Levenshtein distance of words up to 63 characters, capped by their length. */
static int distance(const char *a, const char *b)
{
    const int n = (int)strnlen(a, 63), m = (int)strnlen(b, 63);
    int row[64];
    for (int j = 0; j <= m; j++)
        row[j] = j;
    for (int i = 1; i <= n; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= m; j++) {
            const int substitute = diagonal + (a[i - 1] != b[j - 1]);
            const int insert = row[j - 1] + 1, remove = row[j] + 1;
            diagonal = row[j];
            row[j] = substitute < insert ? substitute : insert;
            if (remove < row[j])
                row[j] = remove;
        }
    }
    return row[m];
}

const char *nep_data_nearest(const char *word, const char *const *names, int64_t n)
{
    const char *best = NULL;
    int least = 1 + (int)strlen(word) / 3; /* farther than that is another word, not a typo */
    if (least < 2)
        least = 2;
    for (int64_t i = 0; i < n; i++) {
        if (!names[i])
            continue;
        const int d = distance(word, names[i]);
        if (d <= least && (!best || d < least)) {
            best = names[i];
            least = d;
        }
    }
    return best;
}
