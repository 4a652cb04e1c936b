/* SPDX-License-Identifier: Apache-2.0 */
/* replay - main of a target without libFuzzer: every file of the corpus folder once. An ordinary test in any
 * build. */
#include "fuzz.h"

#include <dirent.h>

static void run_file(const char *path)
{
    static uint8_t bytes[1 << 20];
    FILE *f = fopen(path, "rb");
    if (!f)
        abort();
    const size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    uint8_t *exact = malloc(n ? n : 1); /* its own size, so that a step past the end is seen */
    if (!exact)
        abort();
    memcpy(exact, bytes, n);
    LLVMFuzzerTestOneInput(exact, n);
    free(exact);
}

int main(int argc, char **argv)
{
    DIR *d = argc == 2 ? opendir(argv[1]) : NULL;
    int n = 0;
    if (!d) {
        fprintf(stderr, "usage: replay FOLDER\n");
        return 64;
    }
    for (struct dirent *e; (e = readdir(d));) {
        char path[4096];
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", argv[1], e->d_name);
        run_file(path);
        n++;
    }
    closedir(d);
    printf("%d inputs\n", n);
    return n > 0 ? 0 : 1;
}
