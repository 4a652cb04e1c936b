/* SPDX-License-Identifier: Apache-2.0 */
/* study.h - the study file from bytes, for nep_study_read and the fuzzer. */
#ifndef NEP_IO_STUDY_H
#define NEP_IO_STUDY_H

#include <nepenthe/io.h>

NEP_MUST_USE nep_status nep_study_parse(nep_ctx *ctx, const char *path, const char *text, int64_t n,
                                        nep_study *out);

#endif
