/* SPDX-License-Identifier: Apache-2.0 */
/* demo.h - what the parts of the demo share: the plan of the two simulated disorders and the shipped tables. */
#ifndef NEP_CLI_DEMO_H
#define NEP_CLI_DEMO_H

#include <nepenthe/io.h>
#include <nepenthe/molecule.h>

#include "cli/cli.h"

enum { DEMO_GROUP = 10, DEMO_COHORTS = 2 };

/* One simulated disorder. `target` is planted in the images of patients (NULL: nothing is), `indication` picks the drugs
 * that its simulated label table calls treatments. */
typedef struct {
    const char *letter, *id, *name, *target, *indication;
    double effect;
    int bad; /* the subject who moves too much */
} demo_plan;

extern const demo_plan demo_plans[DEMO_COHORTS];

typedef struct {
    cli *c;
    nep_ctx *ctx;
    const char *out;
    char data[4096];
    nep_geometry geometry;
    nep_maps receptors;
    nep_atlas atlas;
    nep_molset drugs;
    nep_table affinities;
    char **targets; /* of the affinity table, each once */
    int64_t n_targets;
    nep_affinity *consensus;
    int64_t n_consensus;
} demo;

/* Whole small text file, atomically. */
nep_status demo_write_text(nep_ctx *ctx, const char *path, const char *text);
/* Fills d->consensus: the same one number per drug and target that the ranking uses. */
nep_status demo_consensus(demo *d);
/* labels.tsv (every other drug that acts through the indication's target, as approved) and truth-<letter>.tsv (all of
 * them where the target is planted in the images): the rest is to be found. */
nep_status demo_write_truth(demo *d);
/* cohort-<letter>/: a BIDS derivative of 2 * DEMO_GROUP simulated people; its path goes to `folder`. */
nep_status demo_write_cohort(demo *d, int k, char *folder, size_t size);
/* atlas-schematic_dseg.nii.gz and its table. */
nep_status demo_write_atlas(demo *d);

#endif
