/* SPDX-License-Identifier: Apache-2.0 */
/* book - reads the reference arrays of tests/golden/make_brainmap.py: name, rows, columns, values. */
#ifndef NEP_TESTS_BOOK_H
#define NEP_TESTS_BOOK_H

#include "support.h"

/* The array's values (free with free), its shape in rows and cols (either may be NULL). Aborts when it is not
 * there. */
static inline double *book_read(const char *path, const char *name, int *rows, int *cols)
{
    FILE *f = fopen(path, "r");
    char *line = NULL;
    size_t room = 0;
    const size_t length = strlen(name);
    double *out = NULL;
    while (f && !out && getline(&line, &room, f) > 0) {
        if (strncmp(line, name, length) != 0 || line[length] != '\t')
            continue;
        char *at = line + length + 1;
        const int r = (int)strtol(at, &at, 10), c = (int)strtol(at, &at, 10);
        out = calloc((size_t)(r * c), sizeof *out);
        for (int i = 0; out && i < r * c; i++) {
            at++;
            if (strncmp(at, "n/a", 3) == 0) {
                out[i] = (double)NAN;
                at += 3;
            } else {
                out[i] = strtod(at, &at);
            }
        }
        if (rows)
            *rows = r;
        if (cols)
            *cols = c;
    }
    free(line);
    if (f)
        fclose(f);
    if (!out) {
        fprintf(stderr, "no array '%s' in %s\n", name, path);
        abort();
    }
    return out;
}

#endif
