/* SPDX-License-Identifier: Apache-2.0 */
/* index_facts - what is in an index, told in one way by every command that makes or looks at one. */
#include "cli/index_facts.h"

#include <nepenthe/io.h>

json_t *cli_index_facts(const nep_index *x)
{
    char content[24];
    const bool bits = x->kind == NEP_INDEX_BITS;
    snprintf(content, sizeof content, "%016llx", (unsigned long long)x->content);
    json_t *columns = json_array();
    for (int64_t c = 0; c < x->n_columns; c++)
        json_array_append_new(columns, json_string(x->column[c]));
    json_t *facts = json_pack("{s:s,s:I,s:s,s:I,s:I,s:b,s:o,s:s,s:s}", "kind", bits ? "bits" : "vectors", "width",
                              (json_int_t)(bits ? x->bits.n_bits : x->vectors.dims), "type", bits ? "bit" : nep_index_type_name(x->vectors.type),
                              "rows", (json_int_t)x->n, "total", (json_int_t)x->total, "ids", x->id_start != NULL, "columns", columns, "about",
                              x->about, "content", content);
    if (facts && bits)
        json_object_set_new(facts, "sketch", json_boolean(x->bits.sketch != NULL));
    if (facts && !bits) {
        json_object_set_new(facts, "shadow", x->vectors.shadow ? json_string("int8") : json_null());
        json_object_set_new(facts, "lists", json_integer((json_int_t)x->vectors.n_lists));
    }
    return facts;
}

const char *cli_index_line(const nep_index *x, char *buf, size_t size)
{
    char part[48] = "";
    if (x->n < x->total)
        snprintf(part, sizeof part, " (a shard of %lld)", (long long)x->total);
    if (x->kind == NEP_INDEX_BITS)
        snprintf(buf, size, "%lld rows%s of %lld bits", (long long)x->n, part, (long long)x->bits.n_bits);
    else
        snprintf(buf, size, "%lld rows%s of %lld %s numbers", (long long)x->n, part, (long long)x->vectors.dims,
                 nep_index_type_name(x->vectors.type));
    return buf;
}

nep_status cli_index_need_out(cli *c, const char *command)
{
    NEP_REQUIRE(cli_ctx(c), cli_out(c), NEP_E_USAGE, "%s needs -o INDEX: an index is a file that is mapped, not a stream", command);
    return NEP_OK;
}

nep_status cli_index_tell(cli *c, const char *path)
{
    nep_index x = {0};
    char line[128];
    NEP_TRY(nep_index_open(cli_ctx(c), path, &x));
    cli_say(c, "%s: %s", path, cli_index_line(&x, line, sizeof line));
    json_t *facts = cli_index_facts(&x);
    nep_index_free(&x);
    const nep_status st = cli_sidecar(c, path, NULL, json_pack("{s:O}", "Index", facts));
    if (st == NEP_OK)
        return cli_document(c, facts);
    json_decref(facts);
    return st;
}
