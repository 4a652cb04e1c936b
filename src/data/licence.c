/* SPDX-License-Identifier: Apache-2.0 */
/* licence - which licences are open: CC0, CC BY, public domain. */
#include <nepenthe/network.h>

#include <ctype.h>
#include <string.h>

/* Letters and digits of one licence, in lower case: "CC BY-NC 4.0" is "ccbync40". */
static bool open_word(const char *word)
{
    if (strncmp(word, "ccby", 4) == 0)
        return word[4] == '\0' || isdigit((unsigned char)word[4]);
    return strncmp(word, "cc0", 3) == 0 || strncmp(word, "publicdomain", 12) == 0 || strcmp(word, "pd") == 0;
}

/* Words parted by `|` (one that is open suffices) and `;` (all must be). */
bool nep_licence_is_open(const char *licence)
{
    char word[32];
    size_t n = 0;
    bool any = false, all = true, open = false; /* any, all: of the alternative at hand */
    if (!licence)
        return false;
    for (const char *c = licence;; c++) {
        if (*c == '\0' || *c == '|' || *c == ';') {
            word[n] = '\0';
            any |= n > 0;
            all &= n == 0 || open_word(word);
            n = 0;
        } else if (isalnum((unsigned char)*c) && n + 1 < sizeof word) {
            word[n++] = (char)tolower((unsigned char)*c);
        }
        if (*c == '\0' || *c == '|') {
            open |= any && all;
            any = false;
            all = true;
        }
        if (*c == '\0')
            return open;
    }
}
