/* SPDX-License-Identifier: Apache-2.0 */
/* cases_people - who is in the reference of `similar cases`, with which diagnosis, confounds and site, and who is compared with it. */
#ifndef NEP_CLI_CASES_PEOPLE_H
#define NEP_CLI_CASES_PEOPLE_H

#include <nepenthe/cases.h>

#include "cli/subjects.h"

typedef struct {
    const char *name; /* of the column; lent by the table of people */
    int64_t n_levels;
    char **level;     /* [n_levels] sorted; NULL when the column is numbers (confounds) */
    int64_t column;   /* in the table of people */
} cases_factor;

typedef struct {
    const char *id;
    int64_t row;
} cases_person;

/* One subject that is compared. */
typedef struct {
    int64_t reference; /* its own row of the reference; -1 = it is not in it */
    int64_t outside;   /* row of `outside`, -1 = it is in the reference */
    const char *id;
} cases_query;

typedef struct {
    cli *c;
    nep_ctx *ctx;
    cli_subjects all;        /* the table, features chosen */
    nep_table people;
    int64_t id_column;
    cases_person *by_id;     /* [rows of people] sorted by id */
    cases_factor diagnosis, site, exchange; /* site, exchange: name NULL when not asked for */
    cases_factor *confound;  /* [n_confounds] as asked for */
    int n_confounds;
    bool regress;

    int64_t n, p;            /* the reference */
    int64_t *row;            /* [n] of `all` */
    char **ids;              /* [n] lent by `all` */
    int64_t *person;         /* [n] row of the table of people */
    float *x;                /* [n, p] features kept */
    char **features;         /* [p] lent by `all` */
    int32_t *label, *group, *block; /* [n] diagnosis, site, exchangeability */
    int64_t wide;            /* columns that the confounds make */
    double *coded;           /* [n, wide] */
    bool *of_site;           /* [wide] made of the site's column */
    int64_t n_missing, n_constant; /* features left out */
    json_t *left_out;        /* their names */

    cli_subjects outside;    /* of --query */
    int64_t n_outside;       /* compared, but not in the reference */
    float *outside_x;        /* [n_outside, p] */
    double *outside_coded;   /* [n_outside, wide] */
    cases_query *query;      /* [n_queries] */
    int64_t n_queries;
} cases_people;

/* Reads what the command line names and joins it. Errors: NEP_E_USAGE (an option is missing), NEP_E_ARG (an unknown column or id, a
 * column of dates), NEP_E_FORMAT, NEP_E_SHAPE (nobody in common, features that do not agree). */
NEP_MUST_USE nep_status cases_people_read(cli *c, cases_people *out);
/* Empties it; a zeroed one is fine. */
void cases_people_free(cases_people *p);
/* Cell of the table of people as it may be shown: ages of 90 and more are 89+. NULL when missing. */
const char *cases_people_cell(const cases_people *p, int64_t person, int64_t column);
/* A column of the table of people. Errors: NEP_E_FORMAT (unknown), NEP_E_ARG (it holds dates: they tell who somebody is). */
NEP_MUST_USE nep_status cases_people_column(const cases_people *p, const char *name, int64_t *column);
/* Row of the table of people, -1 when absent. */
int64_t cases_people_find(const cases_people *p, const char *id);
/* Columns [wide] that the confounds of one row of the table of people make: numbers as they are, words as one 0/1 column per level but
 * the first. False when one is missing, is no number where the reference has numbers, or a level that nobody in the reference has. */
bool cases_people_code(const cases_people *p, int64_t row, double *out);
/* Fills outside and queries: those of --query, or of the table itself; --id picks. Errors as cases_people_read. */
NEP_MUST_USE nep_status cases_queries_read(cases_people *p);

#endif
