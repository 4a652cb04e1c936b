/* SPDX-License-Identifier: Apache-2.0 */
/* cases_report - what `similar cases` found: neighbours as a table, counts of diagnoses per query, the check, a few lines of talk. */
#ifndef NEP_CLI_CASES_REPORT_H
#define NEP_CLI_CASES_REPORT_H

#include "cli/cases_people.h"

typedef struct {
    bool done;          /* asked for, and possible */
    nep_vote_result r;
} cases_check;

typedef struct {
    const cases_people *p;
    nep_cases_metric metric;
    int64_t k;
    nep_cases_near own;     /* of each of the reference, itself left out */
    nep_cases_near outside; /* of those outside */
    nep_cases_spread spread;
    cases_check one, site;  /* one left out, one site left out */
} cases_result;

/* Tables, sidecars or the JSON document, as the command line asks. */
NEP_MUST_USE nep_status cases_report_write(cli *c, const cases_result *r);
/* A line on each of the first queries and on the check. */
void cases_report_say(cli *c, const cases_result *r);

#endif
