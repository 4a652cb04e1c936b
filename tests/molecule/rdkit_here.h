/* SPDX-License-Identifier: Apache-2.0 */
/* rdkit_here - for tests that need the RDKit module: is it part of this build, and which. */
#ifndef NEP_TESTS_RDKIT_HERE_H
#define NEP_TESTS_RDKIT_HERE_H

#include "support.h"

#include <unistd.h>

#include <nepenthe/molecule.h>

/* RDKit 2022.09 loses memory of mol blocks that it refuses; LeakSanitizer asks this function what is not ours. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libRDKit";
}

/* The module lies beside the program that loads it. */
static inline bool rdkit_here(void)
{
    char path[4096];
    const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 64);
    path[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(path, '/');
    if (!slash)
        return false;
    strcpy(slash, "/nepenthe_rdkit.so");
    return access(path, R_OK) == 0 && !getenv("NEPENTHE_RDKIT_MODULE");
}

#endif
