/* SPDX-License-Identifier: Apache-2.0 */
/* core - what lies under every room: status, context, memory, files, log, progress, checkpoints, random numbers.
 *
 * What it is not: it knows no file format, no algorithm and no device. It never prints and never exits: a log
 * or progress line goes to the sink that the caller set.
 *
 * Conventions of all rooms: `_create/_open/_read` is freed by the caller with `_free`, which takes NULL; getters
 * lend; outputs are written only on success; a context serves one thread at a time.
 */
#ifndef NEPENTHE_CORE_H
#define NEPENTHE_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NEP_VERSION "0.1.0"

#if defined(__GNUC__)
#define NEP_MUST_USE         __attribute__((warn_unused_result))
#define NEP_PRINTF(fmt, arg) __attribute__((format(printf, fmt, arg)))
#else
#define NEP_MUST_USE
#define NEP_PRINTF(fmt, arg)
#endif

#define NEP_LEN(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* ---- status -------------------------------------------------------------------------------------------------
 * One list ties a status to its exit code, its symbol (what --json and `explain` show), its text and a hint. */
#define NEP_STATUS_LIST(X)                                                                                            \
    X(NEP_OK, 0, "OK", "ok", "nothing to do")                                                                         \
    X(NEP_E_PARTIAL, 1, "PARTIAL", "some units failed, the rest is complete",                                         \
      "read the table of failures, mend those inputs and run again: finished units are skipped")                      \
    X(NEP_E_USAGE, 64, "USAGE", "the command line is not understood", "see `nepenthe <command> --help`")              \
    X(NEP_E_ARG, 64, "ARGUMENT", "invalid argument", "check the option the sentence names")                           \
    X(NEP_E_FORMAT, 65, "MALFORMED", "malformed input", "the sentence names the file and the place; correct it there") \
    X(NEP_E_SHAPE, 65, "SHAPE", "array shapes do not agree", "check that both inputs belong to the same data set")    \
    X(NEP_E_TRUNCATED, 65, "TRUNCATED", "the file ends before its data", "copy it again from its source")             \
    X(NEP_E_NIFTI, 65, "NIFTI_HEADER", "the NIfTI header is not usable", "look at the named field with `nifti_tool`") \
    X(NEP_E_GRID, 65, "GRID", "images lie on different grids", "give --resample to bring the atlas onto the image")   \
    X(NEP_E_SINGULAR, 65, "SINGULAR", "the problem has no unique solution", "remove the columns the sentence names")  \
    X(NEP_E_MISSING, 66, "INPUT_MISSING", "input is missing", "check the path; relative paths start at the caller")   \
    X(NEP_E_DEVICE, 69, "DEVICE", "the device is not available", "use --device cpu, or see `nepenthe doctor`")        \
    X(NEP_E_NOTSUP, 69, "NOT_SUPPORTED", "this build or device cannot do that", "see `nepenthe doctor`")              \
    X(NEP_E_INTERNAL, 70, "INTERNAL", "internal error", "please report it with the command line and the version")     \
    X(NEP_E_NOMEM, 71, "MEMORY", "out of memory after tiling", "raise --mem-mb or give fewer inputs at once")         \
    X(NEP_E_WRITE, 73, "OUTPUT", "the output cannot be created", "check that the folder exists and is writable")      \
    X(NEP_E_IO, 74, "IO", "input or output failed", "check the disk and run again")                                   \
    X(NEP_E_REQUEUE, 75, "CHECKPOINTED", "stopped at a checkpoint", "run the same command again: it resumes")         \
    X(NEP_E_PERMISSION, 77, "PERMISSION", "permission denied", "check the rights of the named file")                  \
    X(NEP_E_CONFIG, 78, "CONFIGURATION", "the study file is not usable", "correct the key or value the sentence names") \
    X(NEP_E_INTERRUPTED, 130, "INTERRUPTED", "interrupted", "run the same command again")

typedef enum {
#define NEP_X(name, exit_code, symbol, text, hint) name,
    NEP_STATUS_LIST(NEP_X)
#undef NEP_X
        NEP_STATUS_COUNT
} nep_status;

/* Facts about one status; an unknown value reads as NEP_E_INTERNAL. `nep_status_find` takes a symbol and returns
 * NEP_STATUS_COUNT when there is none. */
int nep_status_exit(nep_status st);
const char *nep_status_symbol(nep_status st);
const char *nep_status_text(nep_status st);
const char *nep_status_hint(nep_status st);
nep_status nep_status_find(const char *symbol);

#define NEP_TRY(expr)                                                                                                 \
    do {                                                                                                              \
        const nep_status nep_try_status_ = (expr);                                                                    \
        if (nep_try_status_ != NEP_OK)                                                                                \
            return nep_try_status_;                                                                                   \
    } while (0)

#define NEP_TRY_OR_DONE(st, expr)                                                                                     \
    do {                                                                                                              \
        (st) = (expr);                                                                                                \
        if ((st) != NEP_OK)                                                                                           \
            goto done;                                                                                                \
    } while (0)

#define NEP_REQUIRE(ctx, cond, status, ...)                                                                           \
    do {                                                                                                              \
        if (!(cond))                                                                                                  \
            return nep_ctx_fail((ctx), (status), __VA_ARGS__);                                                        \
    } while (0)

#define NEP_REQUIRE_OR_DONE(st, ctx, cond, status, ...)                                                               \
    do {                                                                                                              \
        if (!(cond)) {                                                                                                \
            (st) = nep_ctx_fail((ctx), (status), __VA_ARGS__);                                                        \
            goto done;                                                                                                \
        }                                                                                                             \
    } while (0)

/* ---- context ------------------------------------------------------------------------------------------------ */
typedef struct nep_ctx nep_ctx;
struct nep_backend; /* backend.h */
typedef struct nep_life nep_life; /* of something that others keep copies of until it ends (core/life.h) */

typedef enum { NEP_LOG_ERROR, NEP_LOG_WARN, NEP_LOG_INFO, NEP_LOG_DEBUG } nep_log_level;

/* Sinks are called from the context's own thread. `done` of -1 opens a task, `done == total` closes it. */
typedef void nep_log_sink(void *user, nep_log_level level, const char *line);
typedef void nep_progress_sink(void *user, const char *task, int64_t done, int64_t total);

typedef struct {
    int threads;           /* OpenMP threads, 0 = OMP_NUM_THREADS > SLURM_CPUS_PER_TASK > affinity and cgroup */
    int64_t mem_bytes;     /* budget of nep_alloc, 0 = three quarters of what machine, cgroup and limits of the process allow */
    int64_t vram_bytes;    /* bound of device memory, 0 = what the device has free */
    uint64_t seed;         /* of every random stream */
    nep_log_level level;   /* lines above it are dropped */
    nep_log_sink *log;     /* NULL = silent */
    nep_progress_sink *progress;
    void *user;            /* handed to both sinks */
} nep_ctx_opts;

#define NEP_CTX_DEFAULTS {.level = NEP_LOG_WARN}

/* Makes a context. opts may be NULL. Errors: NEP_E_ARG (negative threads or budget), NEP_E_NOMEM. */
NEP_MUST_USE nep_status nep_ctx_create(const nep_ctx_opts *opts, nep_ctx **out);
void nep_ctx_free(nep_ctx *ctx);

/* Records the sentence and returns `st`, so that `return nep_ctx_fail(...)` is the whole of an error path. The first
 * sentence after a clear is kept: the deepest function knows best. `nep_ctx_fail_file` also records the file. */
nep_status nep_ctx_fail(nep_ctx *ctx, nep_status st, const char *fmt, ...) NEP_PRINTF(3, 4);
nep_status nep_ctx_fail_file(nep_ctx *ctx, nep_status st, const char *file, const char *fmt, ...) NEP_PRINTF(4, 5);
void nep_ctx_clear(nep_ctx *ctx);
const char *nep_ctx_error(const nep_ctx *ctx);      /* the sentence, "" when none */
const char *nep_ctx_error_file(const nep_ctx *ctx); /* the file it is about, "" when none */

/* What the options came to; vram 0 = what the device has free. */
int nep_ctx_threads(const nep_ctx *ctx);
uint64_t nep_ctx_seed(const nep_ctx *ctx);
int64_t nep_ctx_vram(const nep_ctx *ctx);
/* The chosen backend and its own state; NULL before nep_backend_choose. */
const struct nep_backend *nep_ctx_backend(const nep_ctx *ctx);
void nep_ctx_backend_set(nep_ctx *ctx, const struct nep_backend *backend, void *state,
                         void (*close)(nep_ctx *ctx, void *state)); /* `close` runs in nep_ctx_free */
void *nep_ctx_backend_state(const nep_ctx *ctx);
/* What is kept on the backend between calls, NULL = nothing; `drop` runs before the backend is closed. */
void *nep_ctx_kept(const nep_ctx *ctx);
void nep_ctx_kept_set(nep_ctx *ctx, void *kept, void (*drop)(void *kept));

/* Interruption: a signal handler may call nep_ctx_interrupt_all (async-signal-safe); long loops call nep_ctx_check,
 * which returns NEP_E_INTERRUPTED after that. */
void nep_ctx_interrupt_all(int signal_number);
int nep_ctx_interrupt_signal(void);
NEP_MUST_USE nep_status nep_ctx_check(nep_ctx *ctx);

/* ---- log and progress --------------------------------------------------------------------------------------- */
/* One line to the log sink, dropped when above the level. */
void nep_log(nep_ctx *ctx, nep_log_level level, const char *fmt, ...) NEP_PRINTF(3, 4);
/* One task at a time: open with its total, step with the absolute number done, close. */
void nep_progress_open(nep_ctx *ctx, const char *task, int64_t total);
void nep_progress_step(nep_ctx *ctx, int64_t done); /* absolute; cheap, call it as often as you like */
void nep_progress_close(nep_ctx *ctx);
bool nep_progress_is_open(const nep_ctx *ctx); /* a task within another leaves telling to that one */

/* Warnings that belong in a report: kept in order, each once. */
void nep_warn(nep_ctx *ctx, const char *fmt, ...) NEP_PRINTF(2, 3);
int nep_warn_count(const nep_ctx *ctx);
const char *nep_warn_get(const nep_ctx *ctx, int i);

/* ---- memory -------------------------------------------------------------------------------------------------
 * Zeroed, 64-byte aligned. `what` names the thing for the sentence. bytes 0 gives a valid pointer.
 * Errors: NEP_E_NOMEM (over the budget, or the machine refuses), NEP_E_ARG (n * size overflows). */
NEP_MUST_USE nep_status nep_alloc(nep_ctx *ctx, int64_t n, size_t size, const char *what, void *out_pointer);
NEP_MUST_USE nep_status nep_alloc_copy(nep_ctx *ctx, const void *src, int64_t n, size_t size, const char *what,
                                       void *out_pointer);
NEP_MUST_USE nep_status nep_alloc_string(nep_ctx *ctx, const char *text, char **out);
/* Grows to n items, keeping the first ones; *pointer may be NULL. The tail is zeroed. */
NEP_MUST_USE nep_status nep_alloc_grow(nep_ctx *ctx, int64_t n, size_t size, const char *what, void *pointer_to_pointer);
void nep_alloc_free(void *pointer); /* any thread, any context, takes NULL */
int64_t nep_alloc_used(const nep_ctx *ctx);
int64_t nep_alloc_peak(const nep_ctx *ctx);
int64_t nep_alloc_budget(const nep_ctx *ctx);
/* The k-th allocation from now (0 = next) fails once; -1 turns the hook off. */
void nep_alloc_fail_at(nep_ctx *ctx, int64_t k);

/* ---- files --------------------------------------------------------------------------------------------------
 * A file is written to a temporary beside its target; commit = fsync, rename, fsync of the folder. A file neither
 * committed nor aborted leaves only its temporary, which the next run of the same target removes. */
typedef struct nep_file nep_file;
/* Opens <path>.part for writing. Errors: NEP_E_WRITE, NEP_E_PERMISSION, NEP_E_ARG (empty name). */
NEP_MUST_USE nep_status nep_file_create(nep_ctx *ctx, const char *path, nep_file **out);
NEP_MUST_USE nep_status nep_file_write(nep_file *f, const void *bytes, size_t n);
NEP_MUST_USE nep_status nep_file_printf(nep_file *f, const char *fmt, ...) NEP_PRINTF(2, 3);
const char *nep_file_temporary(const nep_file *f); /* for libraries that want a path */
NEP_MUST_USE nep_status nep_file_commit(nep_file *f); /* frees f, also on failure */
void nep_file_abort(nep_file *f);                     /* removes the temporary; takes NULL */
/* Reads a whole file of at most `limit` bytes; the buffer gets a NUL past its end. Errors: NEP_E_MISSING,
 * NEP_E_PERMISSION, NEP_E_IO, NEP_E_FORMAT (larger than limit, or not a regular file). "-" is stdin. */
NEP_MUST_USE nep_status nep_file_read(nep_ctx *ctx, const char *path, int64_t limit, char **out, int64_t *n_bytes);
NEP_MUST_USE nep_status nep_file_folder(nep_ctx *ctx, const char *path); /* mkdir -p */
bool nep_file_exists(const char *path);
NEP_MUST_USE nep_status nep_file_join(nep_ctx *ctx, const char *folder, const char *name, char **out);

/* ---- content hash and checkpoint ----------------------------------------------------------------------------
 * XXH3-128, 32 lower-case hex digits and a NUL. */
typedef struct {
    char hex[33];
} nep_hash;
nep_hash nep_hash_bytes(const void *bytes, size_t n);
NEP_MUST_USE nep_status nep_hash_file(nep_ctx *ctx, const char *path, nep_hash *out);
/* For a thread without a context: false when the file cannot be read or go_on(user), asked now and then, is false. */
bool nep_hash_file_while(const char *path, bool (*go_on)(void *user), void *user, nep_hash *out);

/* A checkpoint is a blob under a key (the hash of everything that determines it). Found only when key and size
 * agree and its own hash holds; otherwise it counts as absent. */
NEP_MUST_USE nep_status nep_checkpoint_save(nep_ctx *ctx, const char *path, const nep_hash *key, const void *bytes,
                                            int64_t n);
NEP_MUST_USE nep_status nep_checkpoint_load(nep_ctx *ctx, const char *path, const nep_hash *key, void *bytes, int64_t n,
                                            bool *found);

/* ---- random numbers: Philox4x32-10 (Salmon et al. 2011, doi:10.1145/2063384.2063405) -----------------------
 * Counter based: number `index` of `stream` under `seed` is the same on any thread and device (math/philox.h). */
uint32_t nep_philox_u32(uint64_t seed, uint64_t stream, uint64_t index);
double nep_philox_uniform(uint64_t seed, uint64_t stream, uint64_t index); /* in (0, 1), 53 bits */
double nep_philox_normal(uint64_t seed, uint64_t stream, uint64_t index);
/* Fisher-Yates shuffle of 0..n-1 under (seed, stream). */
void nep_philox_permutation(uint64_t seed, uint64_t stream, int64_t n, int32_t *out);

#ifdef __cplusplus
}
#endif
#endif
