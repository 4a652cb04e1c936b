/* SPDX-License-Identifier: Apache-2.0 */
/* maps - what the maps commands share: tables of maps joined to a geometry by name, and which regions take
 * part. */
#ifndef NEP_CLI_MAPS_H
#define NEP_CLI_MAPS_H

#include <nepenthe/brainmap.h>

#include "cli/cli.h"

#define CLI_MAPS_KINDS "moran|moran-compartment|moran-pair|eigenmodes|spin|spin-hungarian|spin-nearest|spin-baum|spin-cornblath|variogram|variogram-values|shuffle"

/* Surrogates of each map, at most, when the false-positive rate of a kind is measured that is fitted to each map. */
enum { CLI_MAPS_FITTED = 199 };

#define CLI_MAPS_SURFACE {"surface", 0, CLI_INPUT, "TSV", NULL, NULL, "vertices of both spheres for spin-baum and spin-cornblath: hemisphere sphere_x sphere_y sphere_z parcel"}

#define CLI_MAPS_COLUMNS {"columns", 0, CLI_TEXTS, "NAMES", NULL, NULL, "the columns that are maps, such as g of a contrast; default all; a table without any of them is read whole"}

/* The option of the commands that test by two families of surrogates. */
#define CLI_MAPS_SECOND {"second", 0, CLI_CHOICE, "KIND", "auto", "auto|none|" CLI_MAPS_KINDS, "a second family of surrogates, the larger p counts; auto: spin (cortex alone) or eigenmodes beside moran, moran beside others"}

typedef struct {
    nep_geometry geometry; /* empty without --geometry */
    nep_surface surface;   /* empty without --surface */
    nep_maps maps[2];
    double *value[2]; /* [n, n_maps] on the common regions */
    char **regions;   /* lent by the geometry or the first map */
    bool *use;        /* [n] by --scope */
    int64_t n;
    nep_nulls_kind kinds[2]; /* --nulls, then --second */
    int n_kinds;
} cli_maps;

/* Reads the geometry (--geometry, may be absent) and one or two tables of maps; chooses regions by --scope
 * and --nulls. */
NEP_MUST_USE nep_status cli_maps_load(cli *c, const char *const *paths, int n_paths, cli_maps *s);
void cli_maps_free(cli_maps *s);
/* Takes --second into kinds and n_kinds; auto by the regions in scope, none where they allow none. After loading. */
void cli_maps_second(const cli *c, cli_maps *s);
/* Map number `map` of table `which`, [n]. */
void cli_maps_column(const cli_maps *s, int which, int64_t map, double *out);
/* --n; 0 without a geometry, since surrogates keep a structure in space. */
NEP_MUST_USE nep_status cli_maps_count(cli *c, int64_t *n);

#endif
