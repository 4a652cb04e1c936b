/* SPDX-License-Identifier: Apache-2.0 */
/* parity - what one op gave on one shape, how near another backend must come, and what was found: a tally per op, printed and
 * written as JSON. */
#ifndef NEP_TESTS_PARITY_H
#define NEP_TESTS_PARITY_H

#include "support.h"

#include <float.h>

typedef enum { EXACT, FORMULA, REDUCTION, GEMM } parity_class;
typedef enum { INTEGER, FLOAT32, FLOAT64 } kind;

typedef struct {
    int64_t rows, cols;
    bool missing; /* some values are NaN or infinite */
} shape;

typedef struct {
    double *value, *tolerance;
    int64_t n, room;
    parity_class parity;
} result;

/* magnitude: sum of the magnitudes that were added up to get the value. */
static inline void push(result *r, double value, double magnitude, kind k)
{
    if (r->n == r->room) {
        r->room = r->room ? 2 * r->room : 64;
        r->value = realloc(r->value, (size_t)r->room * sizeof *r->value);
        r->tolerance = realloc(r->tolerance, (size_t)r->room * sizeof *r->tolerance);
    }
    double tolerance = 0;
    if (k != INTEGER && r->parity == FORMULA)
        tolerance = 2 * (double)FLT_EPSILON * fabs(value);
    else if (k != INTEGER && r->parity != EXACT)
        tolerance = (k == FLOAT32 ? 1e-6 : 1e-12) * magnitude;
    r->value[r->n] = value;
    r->tolerance[r->n++] = tolerance;
}

static inline void result_free(result *r)
{
    free(r->value);
    free(r->tolerance);
    *r = (result){0};
}

/* Error in units of the tolerance; more than 1 is a mismatch. What is NaN or infinite on one side must be the same on the other,
 * and where no finite tolerance above zero is given only equality will do: else the error is infinite. */
static inline double parity_error(double want, double got, double tolerance)
{
    if (want == got || (isnan(want) && isnan(got)))
        return 0;
    if (!isfinite(want) || !isfinite(got) || !isfinite(tolerance) || !(tolerance > 0))
        return (double)INFINITY;
    return fabs(want - got) / tolerance;
}

/* Of one op over all shapes. */
typedef struct {
    const char *op, *parity;
    int64_t values, mismatches;
    double worst; /* in units of the tolerance; infinite when something had to be equal and is not */
    shape worst_at;
    char first[256]; /* the first mismatch */
} tally;

/* The other backend could not do it: that is a mismatch, and the other ops are still compared. */
static inline void tally_refused(tally *t, const shape *s, const char *sentence)
{
    t->worst = (double)INFINITY;
    t->worst_at = *s;
    if (!t->mismatches++)
        snprintf(t->first, sizeof t->first, "%lld x %lld: %s", (long long)s->rows, (long long)s->cols, sentence);
}

static inline void tally_add(tally *t, const shape *s, const result *want, const result *got)
{
    if (want->n != got->n && !t->mismatches++)
        snprintf(t->first, sizeof t->first, "%lld x %lld: %lld values, the CPU gives %lld", (long long)s->rows, (long long)s->cols,
                 (long long)got->n, (long long)want->n);
    for (int64_t i = 0; i < want->n && i < got->n; i++) {
        const double e = parity_error(want->value[i], got->value[i], want->tolerance[i]);
        if (e > t->worst || t->values == 0) {
            t->worst = e;
            t->worst_at = *s;
        }
        t->values++;
        if (e > 1 && !t->mismatches++)
            snprintf(t->first, sizeof t->first, "%lld x %lld: value %lld is %.17g, the CPU has %.17g (tolerance %.3g)",
                     (long long)s->rows, (long long)s->cols, (long long)i, got->value[i], want->value[i], want->tolerance[i]);
    }
}

static inline void tally_print(const tally *t, int n)
{
    for (int i = 0; i < n; i++)
        printf("%-20s %-9s %9lld values, %lld mismatches, worst %.3g of its tolerance (%lld x %lld)\n", t[i].op, t[i].parity,
               (long long)t[i].values, (long long)t[i].mismatches, t[i].worst, (long long)t[i].worst_at.rows,
               (long long)t[i].worst_at.cols);
}

/* Fails with the first mismatch; an op of which nothing was compared has not passed. */
static inline void tally_assert(const tally *t, int n)
{
    for (int i = 0; i < n; i++) {
        if (t[i].mismatches)
            fail_msg("%s on %s; %lld of %lld values differ", t[i].op, t[i].first, (long long)t[i].mismatches, (long long)t[i].values);
        if (t[i].values == 0)
            fail_msg("%s: no value was compared", t[i].op);
    }
}

/* Control characters become spaces. */
static inline void tally_quote(FILE *f, const char *text)
{
    fputc('"', f);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', f);
        fputc((unsigned char)*text < ' ' ? ' ' : *text, f);
    }
    fputc('"', f);
}

/* One object {"device", "shapes", "ops": [...]}; an infinite error is null. False when it cannot be written. */
static inline bool tally_write(const tally *t, int n, const char *device, int shapes, const char *path)
{
    FILE *f = fopen(path, "w");
    if (!f)
        return false;
    fprintf(f, "{\"schema\": \"nepenthe/parity/1\", \"device\": ");
    tally_quote(f, device);
    fprintf(f, ", \"against\": \"cpu\", \"shapes\": %d, \"ops\": [", shapes);
    for (int i = 0; i < n; i++) {
        fprintf(f, "%s\n{\"op\": \"%s\", \"class\": \"%s\", \"values\": %lld, \"mismatches\": %lld, \"worst_in_tolerances\": ",
                i ? "," : "", t[i].op, t[i].parity, (long long)t[i].values, (long long)t[i].mismatches);
        if (isfinite(t[i].worst))
            fprintf(f, "%.6g", t[i].worst);
        else
            fprintf(f, "null");
        fprintf(f, ", \"worst_rows\": %lld, \"worst_cols\": %lld, \"first_mismatch\": ", (long long)t[i].worst_at.rows,
                (long long)t[i].worst_at.cols);
        if (t[i].mismatches)
            tally_quote(f, t[i].first);
        else
            fprintf(f, "null");
        fputc('}', f);
    }
    fprintf(f, "]}\n");
    const bool ok = !ferror(f);
    return fclose(f) == 0 && ok;
}

#endif
