/* SPDX-License-Identifier: Apache-2.0 */
/* door_dense - what the front doors of the ops on dense vectors share. */
#ifndef NEP_BACKEND_DOOR_DENSE_H
#define NEP_BACKEND_DOOR_DENSE_H

#include "backend/place.h"
#include "backend/resident.h"

/* Errors: NEP_E_ARG (a type, a number or a width that rows do not have, an array missing). */
NEP_MUST_USE nep_status nep_door_dense_check(nep_ctx *ctx, const char *op, const nep_dense_rows *r);
/* Rows of a block: a multiple of 64 near the backend's tile, or all. */
int64_t nep_door_dense_block(const nep_backend *be, const nep_dense_rows *r);

#endif
