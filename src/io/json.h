/* SPDX-License-Identifier: Apache-2.0 */
/* json.h - JSON files for the io room: bounded, duplicate keys refused. */
#ifndef NEP_IO_JSON_H
#define NEP_IO_JSON_H

#include <nepenthe/core.h>

#include <jansson.h>

/* The sidecar of a table or image (its name with the extension replaced by .json); *out is NULL when there is
 * none. */
NEP_MUST_USE nep_status nep_json_sidecar(nep_ctx *ctx, const char *path, json_t **out);
NEP_MUST_USE nep_status nep_json_parse(nep_ctx *ctx, const char *path, const char *text, int64_t n,
                                       json_t **out);

#endif
