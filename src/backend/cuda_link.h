/* SPDX-License-Identifier: Apache-2.0 */
/* cuda_link - the module's way back to the program: callbacks under the names that core gives them. */
#ifndef NEP_BACKEND_CUDA_LINK_H
#define NEP_BACKEND_CUDA_LINK_H

#include "backend/module.h"

void nep_cuda_link(const nep_module_host *host);

/* The one symbol the module exports. */
__attribute__((visibility("default"))) nep_module_entry nep_cuda_module;

#endif
