/* SPDX-License-Identifier: Apache-2.0 */
/* dtype - size and name of an item. */
#include <nepenthe/backend.h>

static const struct {
    const char *name;
    size_t size;
} types[] = {
    [NEP_U8] = {"uint8", 1},   [NEP_I16] = {"int16", 2},   [NEP_I32] = {"int32", 4},   [NEP_I64] = {"int64", 8},
    [NEP_U64] = {"uint64", 8}, [NEP_F32] = {"float32", 4}, [NEP_F64] = {"float64", 8},
};

size_t nep_dtype_size(nep_dtype t)
{
    return (unsigned)t < (unsigned)NEP_LEN(types) ? types[t].size : 0;
}

const char *nep_dtype_name(nep_dtype t)
{
    return (unsigned)t < (unsigned)NEP_LEN(types) ? types[t].name : "unknown type";
}
