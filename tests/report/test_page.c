/* SPDX-License-Identifier: Apache-2.0 */
/* test_page - the pages in a real browser: controls work, nothing is asked of the network, nothing is reported as wrong.
 * The folder NEP_REPORT_SHOTS, when set, receives screenshots. */
#include "report/fixture.h"

#include <unistd.h>

static char folder[] = "/tmp/nep_page_XXXXXX";

static char *read_text(nep_ctx *ctx, const char *path)
{
    char *text = NULL;
    int64_t n;
    assert_ok(ctx, nep_file_read(ctx, path, 1 << 26, &text, &n));
    return text;
}

static int shell(const char *fmt, ...) NEP_PRINTF(1, 2);
static int shell(const char *fmt, ...)
{
    char command[8192];
    va_list args;
    va_start(args, fmt);
    vsnprintf(command, sizeof command, fmt, args);
    va_end(args);
    return system(command);
}

#define BROWSER                                                                                                       \
    "timeout 120 chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --no-first-run --disable-extensions " \
    "--disable-background-networking --proxy-server=127.0.0.1:9 --user-data-dir=%s/profile --enable-logging=stderr "

/* Loads the page with its own test, reads the drawn document and what the browser had to say. */
static void browse(nep_ctx *ctx, const char *name, int width)
{
    char path[256];
    assert_int_equal(shell(BROWSER "--window-size=%d,1000 --virtual-time-budget=20000 --dump-dom 'file://%s/%s#selftest' >%s/dom.html 2>%s/talk.txt",
                           folder, width, folder, name, folder, folder), 0);
    snprintf(path, sizeof path, "%s/dom.html", folder);
    char *dom = read_text(ctx, path);
    const char *mark = strstr(dom, "data-selftest=\"");
    if (!mark || strncmp(mark, "data-selftest=\"ok\"", 18) != 0)
        fail_msg("%s at %d px: %.200s", name, width, mark ? mark : "the page did not run its test");
    snprintf(path, sizeof path, "%s/talk.txt", folder);
    char *talk = read_text(ctx, path);
    const char *complaint = strstr(talk, "CONSOLE");
    if (complaint)
        fail_msg("%s: the browser reports: %.300s", name, complaint);
    assert_null(strstr(dom, "<img src=\"x\"")); /* the hostile name did not become an element */
    nep_alloc_free(talk);
    nep_alloc_free(dom);
}

/* A window of a phone's width: headless Chromium lays out none under 500 px, so the page stands in a frame, which hears
 * how the page's own test went. */
static void browse_phone(nep_ctx *ctx, const char *name)
{
    char path[256];
    nep_file *f = NULL;
    snprintf(path, sizeof path, "%s/frame.html", folder);
    assert_ok(ctx, nep_file_create(ctx, path, &f));
    assert_ok(ctx, nep_file_printf(f, "<body style='margin:0'><script>onmessage=(e)=>document.body.dataset.heard=e.data</script>"
                                      "<iframe src='%s#selftest' style='border:0;width:390px;height:%spx'></iframe>", name, getenv("NEP_REPORT_SHOTS") ? "9000" : "844"));
    assert_ok(ctx, nep_file_commit(f));
    assert_int_equal(shell(BROWSER "--window-size=500,1000 --virtual-time-budget=20000 --dump-dom 'file://%s/frame.html' >%s/dom.html 2>%s/talk.txt",
                           folder, folder, folder, folder), 0);
    snprintf(path, sizeof path, "%s/dom.html", folder);
    char *dom = read_text(ctx, path);
    const char *heard = strstr(dom, "data-heard=\"");
    if (!heard || strncmp(heard, "data-heard=\"ok\"", 15) != 0)
        fail_msg("%s at 390 px: %.200s", name, heard ? heard : "the page did not run its test");
    nep_alloc_free(dom);
}

static void shoot(const char *name, int width, int height, const char *shot)
{
    const char *to = getenv("NEP_REPORT_SHOTS");
    if (to && *to)
        shell(BROWSER "--window-size=%d,%d --virtual-time-budget=20000 --screenshot=%s/%s.png 'file://%s/%s' >/dev/null 2>&1", folder,
              width, height, to, shot, folder, name);
}

static void test_report_works(void **state)
{
    fixture *f = *state;
    json_t *evaluation = fix_evaluation(), *provenance = fix_provenance();
    assert_ok(f->ctx, nep_report_write_all(f->ctx, &f->ranking, evaluation, provenance, folder));
    json_decref(provenance);
    json_decref(evaluation);
    browse(f->ctx, "report.html", 1400);
    browse_phone(f->ctx, "report.html");
    shoot("report.html", 1400, 7000, "report_desktop");
    shoot("frame.html", 500, 9000, "report_phone");
}

static void test_evaluation_works(void **state)
{
    fixture *f = *state;
    char path[256];
    json_t *evaluation = fix_evaluation(), *provenance = fix_provenance();
    snprintf(path, sizeof path, "%s/evaluation.html", folder);
    assert_ok(f->ctx, nep_report_write_evaluation(f->ctx, evaluation, provenance, path));
    json_decref(provenance);
    json_decref(evaluation);
    browse(f->ctx, "evaluation.html", 1400);
    browse_phone(f->ctx, "evaluation.html");
    shoot("evaluation.html", 1400, 3600, "evaluation_desktop");
}

int main(void)
{
    if (system("command -v chromium >/dev/null 2>&1") != 0) {
        puts("no chromium: the pages were not opened");
        return NEP_TEST_SKIPPED;
    }
    if (!mkdtemp(folder))
        return 1;
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(test_report_works),
        WITH_FIXTURE(test_evaluation_works),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (!failed)
        shell("rm -rf '%s'", folder);
    return failed;
}
