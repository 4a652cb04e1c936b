/* SPDX-License-Identifier: Apache-2.0 */
/* shorten.c - names and sources cut to the width of a reason, so that a reader sees that they were cut. */
#include "channels.h"

#include <stdio.h>
#include <string.h>

void evidence_shorten(char *out, size_t size, size_t most, const char *text)
{
    most = most < size ? most : size - 1;
    if (strlen(text) <= most) {
        snprintf(out, size, "%s", text);
        return;
    }
    size_t kept = most - 3;
    while (kept > 0 && ((unsigned char)text[kept] & 0xC0) == 0x80) /* not inside a character of UTF-8 */
        kept--;
    snprintf(out, size, "%.*s...", (int)kept, text);
}
