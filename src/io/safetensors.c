/* SPDX-License-Identifier: Apache-2.0 */
/* safetensors - a JSON header of named tensors, then their bytes. One matrix is read: the named one, or the only one there is. */
#include "io/source.h"

#include <jansson.h>
#include <string.h>

enum { most_head = 16 << 20 };

static const struct {
    const char *name;
    nep_item item;
} types[] = {{"F32", NEP_ITEM_F32}, {"F64", NEP_ITEM_F64}, {"F16", NEP_ITEM_F16}, {"BF16", NEP_ITEM_BF16}, {"I8", NEP_ITEM_I8}, {"U8", NEP_ITEM_U8}};

/* The tensor of that name, or the only matrix; NULL leaves why in the sentence. */
static json_t *choose(nep_source *s, json_t *all, const char **name)
{
    json_t *found = NULL, *value;
    const char *key;
    int matrices = 0;
    json_object_foreach(all, key, value) {
        const bool matrix = json_array_size(json_object_get(value, "shape")) == 2 && strcmp(key, "__metadata__") != 0;
        if (s->opts.dataset ? strcmp(key, s->opts.dataset) != 0 : !matrix)
            continue;
        matrices++;
        found = value;
        *name = key;
    }
    if (matrices == 1)
        return found;
    if (s->opts.dataset)
        (void)nep_source_refuse(s, "has no tensor '%.80s'", s->opts.dataset);
    else
        (void)nep_source_refuse(s, "has %d matrices; name one with --dataset", matrices);
    return NULL;
}

static nep_status start_tensor(nep_source *s, json_t *tensor, const char *name)
{
    const char *dtype = json_string_value(json_object_get(tensor, "dtype"));
    json_t *shape = json_object_get(tensor, "shape"), *place = json_object_get(tensor, "data_offsets");
    int t = 0;
    while (dtype && t < NEP_LEN(types) && strcmp(types[t].name, dtype) != 0)
        t++;
    if (!dtype || t == NEP_LEN(types))
        return nep_source_refuse(s, "'%.80s' holds numbers of type '%.20s'; F16 BF16 F32 F64 I8 U8 are read", name, dtype ? dtype : "");
    if (json_array_size(shape) != 2 || json_array_size(place) != 2)
        return nep_source_refuse(s, "'%.80s' has %d dimensions; rows of vectors have 2", name, (int)json_array_size(shape));
    int64_t v[4], bytes;
    for (size_t i = 0; i < 4; i++) {
        json_t *number = json_array_get(i < 2 ? shape : place, i % 2);
        v[i] = json_is_integer(number) ? json_integer_value(number) : -1;
        if (v[i] < 0)
            return nep_source_refuse(s, "'%.80s' has a shape or place that is no whole number", name);
    }
    if (__builtin_mul_overflow(v[0], v[1], &bytes) || __builtin_mul_overflow(bytes, nep_source_item_bytes(types[t].item), &bytes) ||
        v[3] < v[2] || v[3] - v[2] != bytes)
        return nep_source_refuse(s, "'%.80s' takes %lld bytes, which its shape does not", name, (long long)(v[3] - v[2]));
    NEP_TRY(nep_source_shape(s, types[t].item, v[0], v[1]));
    s->open_end = true;
    return nep_stream_skip(s->stream, v[2]);
}

nep_status nep_safetensors_start(nep_source *s)
{
    uint64_t n = 0;
    char *text = NULL;
    json_t *all = NULL;
    json_error_t why;
    const char *name = "";
    nep_status st;
    NEP_TRY(nep_stream_read(s->stream, &n, sizeof n));
    if (n > most_head)
        return nep_source_refuse(s, "is no .safetensors file (a header of %llu bytes)", (unsigned long long)n);
    NEP_TRY_OR_DONE(st, nep_alloc(s->ctx, (int64_t)n + 1, 1, "safetensors header", &text));
    NEP_TRY_OR_DONE(st, nep_stream_read(s->stream, text, (int64_t)n));
    all = json_loadb(text, n, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(all)) {
        st = nep_source_refuse(s, "has a header that is not JSON (%.100s)", all ? "no object" : why.text);
        goto done;
    }
    json_t *tensor = choose(s, all, &name);
    st = tensor ? start_tensor(s, tensor, name) : NEP_E_FORMAT;
done:
    json_decref(all);
    nep_alloc_free(text);
    return st;
}
