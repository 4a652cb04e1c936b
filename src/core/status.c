/* SPDX-License-Identifier: Apache-2.0 */
/* status - the facts of NEP_STATUS_LIST by value and by symbol. */
#include <nepenthe/core.h>

#include <string.h>

static const struct {
    int exit_code;
    const char *symbol, *text, *hint;
} facts[NEP_STATUS_COUNT] = {
#define NEP_X(name, code, sym, txt, hnt) [name] = {code, sym, txt, hnt},
    NEP_STATUS_LIST(NEP_X)
#undef NEP_X
};

static nep_status known(nep_status st)
{
    return (unsigned)st < (unsigned)NEP_STATUS_COUNT ? st : NEP_E_INTERNAL;
}

int nep_status_exit(nep_status st)
{
    return facts[known(st)].exit_code;
}

const char *nep_status_symbol(nep_status st)
{
    return facts[known(st)].symbol;
}

const char *nep_status_text(nep_status st)
{
    return facts[known(st)].text;
}

const char *nep_status_hint(nep_status st)
{
    return facts[known(st)].hint;
}

nep_status nep_status_find(const char *symbol)
{
    for (int i = 0; i < NEP_STATUS_COUNT; i++)
        if (symbol && strcmp(facts[i].symbol, symbol) == 0)
            return (nep_status)i;
    return NEP_STATUS_COUNT;
}
