/* SPDX-License-Identifier: Apache-2.0 */
/* commands - one row per command, in the order of the help. */
#include "cli/cli.h"

#define CLI_COMMAND_LIST(X)                                                                                           \
    X(features)                                                                                                       \
    X(parcels)                                                                                                        \
    X(clean)                                                                                                          \
    X(connectivity)                                                                                                   \
    X(quality)                                                                                                        \
    X(pet)                                                                                                            \
    X(radiomics)                                                                                                      \
    X(resample)                                                                                                       \
    X(smooth)                                                                                                         \
    X(voxelwise)                                                                                                      \
    X(glm)                                                                                                            \
    X(contrast)                                                                                                       \
    X(permute)                                                                                                        \
    X(tfce)                                                                                                           \
    X(similar_cases)                                                                                                  \
    X(maps_compare)                                                                                                   \
    X(maps_nulls)                                                                                                     \
    X(maps_dominance)                                                                                                 \
    X(maps_calibrate)                                                                                                 \
    X(molecules)                                                                                                      \
    X(vectors)                                                                                                        \
    X(similar)                                                                                                        \
    X(neighbours)                                                                                                     \
    X(cluster)                                                                                                        \
    X(pick)                                                                                                           \
    X(paths)                                                                                                          \
    X(rank)                                                                                                           \
    X(evaluate)                                                                                                       \
    X(channels)                                                                                                       \
    X(demo)                                                                                                           \
    X(version)                                                                                                        \
    X(explain)                                                                                                        \
    X(doctor)                                                                                                         \
    X(merge)                                                                                                          \
    X(verify)                                                                                                         \
    X(completion)

#define CLI_X(name) extern const cli_command cli_cmd_##name;
CLI_COMMAND_LIST(CLI_X)
#undef CLI_X

const cli_command *const cli_commands[] = {
#define CLI_X(name) &cli_cmd_##name,
    CLI_COMMAND_LIST(CLI_X)
#undef CLI_X
        NULL,
};
