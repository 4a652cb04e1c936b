/* SPDX-License-Identifier: Apache-2.0 */
/* fps - chemfp's FPS, version 1: header lines from '#', then a fingerprint in hexadecimal, a tab and an id per line. Byte 0 comes first and
 * bit 0 is its lowest. Source: Dalke (2013) doi:10.1186/1758-2946-5-S1-O36. */
#include "io/source.h"

#include <stdlib.h>
#include <string.h>

enum { text_bytes = 1 << 18 };

/* The next line without its end, which becomes NUL; NULL at the end of the file. */
static nep_status next_line(nep_source *s, char **line)
{
    *line = s->held;
    s->held = NULL;
    while (!*line) {
        char *from = s->text + s->text_at, *end = memchr(from, '\n', (size_t)(s->text_have - s->text_at));
        if (end) {
            *end = '\0';
            if (end > from && end[-1] == '\r')
                end[-1] = '\0';
            s->text_at = end + 1 - s->text;
            s->line++;
            if (strlen(from) + 1 < (size_t)(end - from))
                return nep_source_refuse(s, "line %lld: holds a byte 0x00", (long long)s->line);
            *line = from;
            break;
        }
        memmove(s->text, from, (size_t)(s->text_have - s->text_at));
        s->text_have -= s->text_at;
        s->text_at = 0;
        if (s->text_have == text_bytes)
            return nep_source_refuse(s, "line %lld is longer than %d bytes", (long long)s->line + 1, text_bytes);
        int64_t got;
        NEP_TRY(nep_stream_some(s->stream, s->text + s->text_have, text_bytes - s->text_have, &got));
        if (got == 0 && s->text_have == 0)
            return NEP_OK;
        if (got == 0) /* a last line without its end */
            s->text[s->text_have++] = '\n';
        s->text_have += got;
    }
    return NEP_OK;
}

static nep_status header_line(nep_source *s, const char *line)
{
    if (strncmp(line, "#num_bits=", 10) == 0) {
        char *end;
        const long long n = strtoll(line + 10, &end, 10);
        if (end == line + 10 || *end != '\0' || n < 1 || n > NEP_INDEX_BITS_MOST || s->info.width != 0)
            return nep_source_refuse(s, "line %lld: '%.40s' is not a number of bits from 1 to %d, given once", (long long)s->line, line,
                                     NEP_INDEX_BITS_MOST);
        s->info.width = n;
    }
    if (strncmp(line, "#type=", 6) == 0 && !s->about) {
        NEP_TRY(nep_alloc_string(s->ctx, line + 6, &s->about));
        s->info.about = s->about;
    }
    return NEP_OK;
}

nep_status nep_fps_start(nep_source *s)
{
    char *line;
    s->info.kind = NEP_INDEX_BITS;
    s->info.ids = true;
    NEP_TRY(nep_alloc(s->ctx, text_bytes + 1, 1, "text", &s->text));
    for (bool first = true;; first = false) {
        NEP_TRY(next_line(s, &line));
        if (first && (!line || strncmp(line, "#FPS1", 5) != 0))
            return nep_source_refuse(s, "does not begin with #FPS1, as an FPS file does");
        if (!line)
            break;
        if (line[0] != '#') { /* the first fingerprint */
            if (s->info.width == 0)
                s->info.width = (int64_t)strcspn(line, "\t") * 4;
            s->held = line;
            break;
        }
        NEP_TRY(header_line(s, line));
    }
    if (s->info.width < 1 || s->info.width > NEP_INDEX_BITS_MOST)
        return nep_source_refuse(s, "has fingerprints of %lld bits; an index holds 1 to %d", (long long)s->info.width, NEP_INDEX_BITS_MOST);
    return NEP_OK;
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static nep_status read_bits(const nep_source *s, const char *line, int64_t digits, uint64_t *row)
{
    memset(row, 0, (size_t)((s->info.width + 63) / 64) * 8);
    for (int64_t b = 0; b < digits / 2; b++) {
        const int high = digit(line[2 * b]), low = digit(line[2 * b + 1]);
        if (high < 0 || low < 0)
            return nep_source_refuse(s, "line %lld: '%.2s' is not hexadecimal", (long long)s->line, line + 2 * b);
        row[b / 8] |= (uint64_t)(high * 16 + low) << (8 * (b % 8));
    }
    if (s->info.width % 64 != 0 && row[s->info.width / 64] >> (s->info.width % 64) != 0)
        return nep_source_refuse(s, "line %lld: a bit past the last of %lld is set", (long long)s->line, (long long)s->info.width);
    return NEP_OK;
}

static nep_status read_row(nep_source *s, char *line, uint64_t *row, int64_t *used)
{
    const int64_t digits = (int64_t)strcspn(line, "\t"), want = (s->info.width + 7) / 8 * 2;
    if (digits != want)
        return nep_source_refuse(s, "line %lld: the fingerprint has %lld digits, %lld bits take %lld", (long long)s->line, (long long)digits,
                                 (long long)s->info.width, (long long)want);
    if (line[digits] != '\t')
        return nep_source_refuse(s, "line %lld: no tab and id follow the fingerprint", (long long)s->line);
    NEP_TRY(read_bits(s, line, digits, row));
    char *id = line + digits + 1;
    id[strcspn(id, "\t")] = '\0';
    return nep_source_keep_id(s, id, used);
}

nep_status nep_fps_next(nep_source *s, uint64_t *rows, int64_t n, char **ids, int64_t *got)
{
    const int64_t words = (s->info.width + 63) / 64;
    int64_t used = 0;
    *got = 0;
    while (*got < n) {
        char *line;
        NEP_TRY(next_line(s, &line));
        if (!line)
            break;
        if (line[0] == '\0')
            continue;
        NEP_TRY(read_row(s, line, rows + *got * words, &used));
        ++*got;
    }
    nep_source_lend_ids(s, ids, *got);
    return NEP_OK;
}
