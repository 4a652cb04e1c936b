/* SPDX-License-Identifier: Apache-2.0 */
/* rig - fibers, meetings and shared memory of the host rig (rig.hpp). */
#include "cuda_host/rig.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <vector>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace rig
{
place here;

enum state { RUNNABLE, AT_BLOCK, AT_WARP, LEFT };

/* ---- switching stacks: a few instructions where we know them, since swapcontext enters the kernel each time --------- */
#if defined(__x86_64__)
typedef void *context; /* the stack pointer; the saved registers lie on the stack */
extern "C" void rig_switch(context *save, context load);
asm(".text\n"
    ".globl rig_switch\n"
    ".type rig_switch, @function\n"
    "rig_switch:\n"
    "pushq %rbp; pushq %rbx; pushq %r12; pushq %r13; pushq %r14; pushq %r15\n"
    "movq %rsp, (%rdi)\n"
    "movq %rsi, %rsp\n"
    "popq %r15; popq %r14; popq %r13; popq %r12; popq %rbx; popq %rbp\n"
    "ret\n"
    ".size rig_switch, . - rig_switch\n");

static void switch_to(context *save, context *load)
{
    rig_switch(save, *load);
}

/* The first switch to it pops six registers and returns into `entry`, with the stack as a call would leave it. */
static void context_make(context *c, char *stack, size_t size, void (*entry)())
{
    void **top = reinterpret_cast<void **>(reinterpret_cast<uintptr_t>(stack + size) & ~(uintptr_t)15);
    memset(top - 8, 0, 8 * sizeof *top);
    top[-2] = reinterpret_cast<void *>(entry);
    *c = top - 8;
}
#else
typedef ucontext_t context;

static void switch_to(context *save, context *load)
{
    swapcontext(save, load);
}

static void context_make(context *c, char *stack, size_t size, void (*entry)())
{
    getcontext(c);
    c->uc_stack.ss_sp = stack;
    c->uc_stack.ss_size = size;
    c->uc_link = nullptr;
    makecontext(c, entry, 0);
}
#endif

struct fiber {
    context where;
    std::unique_ptr<char[]> stack;
    void *fake = nullptr; /* ASan's stack of this fiber */
    state at = RUNNABLE;
    meeting kind = BARRIER;
    unsigned mask = 0;
    bool vote = false;
    dim3 thread;
    unsigned char value[8];
    uint64_t result; /* votes counted, or lanes that met */
};

enum { STACK = 32 << 10, LANES = 32, MOST_THREADS = 1024 };

static std::vector<fiber> fibers; /* grown, never shrunk: stacks are kept */
static unsigned n_threads;
static fiber *self;
static unsigned char met[MOST_THREADS][8]; /* what each thread brought to its last warp operation */
static context scheduler;
static void *scheduler_fake;
static const void *scheduler_bottom;
static size_t scheduler_size;
static const std::function<void()> *body;
static const char *kernel_name = "";
static std::map<const void *, std::unique_ptr<char[]>> shared_blocks;
static std::map<const void *, size_t> shared_sizes;
static size_t dynamic_bytes;
static int garbage;
static std::mt19937_64 random_numbers;
static unsigned long long the_seed;
static bool seeded;

static void say_seed()
{
    fprintf(stderr, "rig: kernel %s, block (%u, %u, %u), thread (%u, %u, %u); replay with NEP_RIG_SEED=%llu\n", kernel_name,
            here.block.x, here.block.y, here.block.z, here.thread.x, here.thread.y, here.thread.z, the_seed);
}

void reseed(unsigned long long s)
{
    the_seed = s;
    random_numbers.seed(s);
    seeded = true;
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_set_death_callback(say_seed);
#endif
}

unsigned long long seed()
{
    if (!seeded) {
        const char *env = getenv("NEP_RIG_SEED");
        reseed(env && *env ? strtoull(env, nullptr, 10) : std::random_device{}());
    }
    return the_seed;
}

[[noreturn]] static void die(const char *sentence)
{
    fprintf(stderr, "rig: %s\n", sentence);
    say_seed();
    abort();
}

static uint64_t below(uint64_t n)
{
    return random_numbers() % n;
}

/* ---- switching ---------------------------------------------------------------------------------------------- */
static void to_scheduler(bool leaving)
{
    fiber *f = self;
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(leaving ? nullptr : &f->fake, scheduler_bottom, scheduler_size);
#else
    (void)leaving;
#endif
    switch_to(&f->where, &scheduler);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(f->fake, &scheduler_bottom, &scheduler_size);
#endif
}

static void enter()
{
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(nullptr, &scheduler_bottom, &scheduler_size);
#endif
    (*body)();
    self->at = LEFT;
    to_scheduler(true);
}

static void resume(fiber &f)
{
    self = &f;
    here.thread = f.thread;
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(&scheduler_fake, f.stack.get(), STACK);
#endif
    switch_to(&scheduler, &f.where);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(scheduler_fake, nullptr, nullptr);
#endif
}

/* ---- meetings ----------------------------------------------------------------------------------------------- */
unsigned my_lane()
{
    return (unsigned)(self - fibers.data()) % LANES;
}

unsigned meet_block(meeting kind, bool vote)
{
    self->at = AT_BLOCK;
    self->kind = kind;
    self->vote = vote;
    to_scheduler(false);
    return (unsigned)self->result;
}

void meet_warp(meeting kind, unsigned mask, const void *value, size_t size)
{
    if (!(mask >> my_lane() & 1))
        die("a thread calls a warp operation whose mask leaves it out");
    self->at = AT_WARP;
    self->kind = kind;
    self->mask = mask;
    if (size)
        memcpy(self->value, value, size);
    to_scheduler(false);
}

bool brought(unsigned lane, void *value, size_t size)
{
    if (lane >= LANES || !(self->result >> lane & 1))
        return false;
    memcpy(value, met[(self - fibers.data()) / LANES * LANES + lane], size);
    return true;
}

unsigned ballot(unsigned mask, bool vote)
{
    const unsigned char byte = vote;
    unsigned out = 0;
    meet_warp(VOTE, mask, &byte, 1);
    for (unsigned lane = 0; lane < LANES; lane++) {
        unsigned char v = 0;
        if (brought(lane, &v, 1) && v)
            out |= 1u << lane;
    }
    return out;
}

/* Lets the threads of a warp's mask go when all of them are there. A thread that has left is not waited for. */
static bool try_warp(unsigned i)
{
    const unsigned first = i / LANES * LANES, last = std::min(first + LANES, n_threads);
    const unsigned mask = fibers[i].mask;
    uint64_t here_now = 0;
    for (unsigned l = first; l < last; l++) {
        const fiber &f = fibers[l];
        if (!(mask >> (l - first) & 1) || f.at == LEFT)
            continue;
        if (f.at != AT_WARP || f.mask != mask)
            return false;
        if (f.kind != fibers[i].kind)
            die("lanes of one mask are at different warp operations");
        here_now |= 1ull << (l - first);
    }
    for (unsigned l = first; l < last; l++)
        if (here_now >> (l - first) & 1)
            memcpy(met[l], fibers[l].value, sizeof fibers[l].value);
    for (unsigned l = first; l < last; l++)
        if (here_now >> (l - first) & 1) {
            fibers[l].result = here_now;
            fibers[l].at = RUNNABLE;
        }
    return true;
}

/* A barrier opens only when every thread of the block is at it: one that has left does not count. */
static bool try_block()
{
    unsigned votes = 0;
    for (unsigned i = 0; i < n_threads; i++) {
        if (fibers[i].at != AT_BLOCK || fibers[i].kind != fibers[0].kind)
            return false;
        votes += fibers[i].vote;
    }
    for (unsigned i = 0; i < n_threads; i++) {
        fibers[i].result = votes;
        fibers[i].at = RUNNABLE;
    }
    return true;
}

static bool all_left()
{
    for (unsigned i = 0; i < n_threads; i++)
        if (fibers[i].at != LEFT)
            return false;
    return true;
}

[[noreturn]] static void stuck()
{
    char text[256];
    unsigned count[4] = {0};
    for (unsigned i = 0; i < n_threads; i++)
        count[fibers[i].at]++;
    snprintf(text, sizeof text,
             "barrier divergence: of %u threads %u wait at a block barrier, %u at a warp operation, %u have left",
             n_threads, count[AT_BLOCK], count[AT_WARP], count[LEFT]);
    die(text);
}

/* ---- blocks and launches ------------------------------------------------------------------------------------ */
void *shared(const void *key, size_t bytes)
{
    std::unique_ptr<char[]> &block = shared_blocks[key];
    if (!block) {
        block.reset(new char[bytes]);
        memset(block.get(), garbage, bytes);
        shared_sizes[key] = bytes;
    }
    if (shared_sizes[key] != bytes)
        die("shared memory is declared with two sizes");
    return block.get();
}

static void make_fibers(dim3 block)
{
    n_threads = block.x * block.y * block.z;
    if (n_threads == 0 || n_threads > MOST_THREADS)
        die("a block has 1 to 1024 threads");
    if (fibers.size() < n_threads)
        fibers.resize(n_threads);
    for (unsigned i = 0; i < n_threads; i++) {
        fiber &f = fibers[i];
        if (!f.stack)
            f.stack.reset(new char[STACK]);
        f.at = RUNNABLE;
        f.fake = nullptr;
        f.thread = dim3(i % block.x, i / block.x % block.y, i / block.x / block.y);
#if defined(__SANITIZE_ADDRESS__)
        __asan_unpoison_memory_region(f.stack.get(), STACK); /* what the last block left there */
#endif
        context_make(&f.where, f.stack.get(), STACK, enter);
    }
}

static void run_block(dim3 block)
{
    static const int fillings[] = {0xFF, 0xCD, 0x7B, 0x00};
    std::vector<unsigned> ready;
    garbage = fillings[below(4)];
    shared_blocks.clear();
    shared_sizes.clear();
    make_fibers(block);
    while (!all_left()) {
        ready.clear();
        for (unsigned i = 0; i < n_threads; i++)
            if (fibers[i].at == RUNNABLE)
                ready.push_back(i);
        std::shuffle(ready.begin(), ready.end(), random_numbers);
        for (unsigned i : ready)
            resume(fibers[i]);
        /* let some of the complete warps go, at least one: warps drift apart as they do on a device */
        std::vector<unsigned> warps;
        for (unsigned first = 0; first < n_threads; first += LANES)
            warps.push_back(first);
        std::shuffle(warps.begin(), warps.end(), random_numbers);
        bool moved = false;
        for (unsigned first : warps) {
            if (moved && below(2))
                continue;
            for (unsigned i = first; i < std::min(first + LANES, n_threads); i++)
                if (fibers[i].at == AT_WARP)
                    moved = try_warp(i) || moved;
        }
        if (!moved && !all_left() && !try_block())
            stuck();
    }
}

void *shared_dynamic()
{
    return shared(&dynamic_bytes, dynamic_bytes);
}

void launch(const char *kernel, dim3 grid, dim3 block, size_t bytes, const std::function<void()> &function)
{
    dynamic_bytes = bytes;
    seed();
    kernel_name = kernel;
    body = &function;
    here.block_size = block;
    here.grid_size = grid;
    if (grid.x == 0 || grid.y == 0 || grid.z == 0)
        die("a grid has at least one block");
    std::vector<unsigned> order(grid.x * grid.y * grid.z);
    for (unsigned i = 0; i < order.size(); i++)
        order[i] = i;
    std::shuffle(order.begin(), order.end(), random_numbers);
    for (unsigned i : order) {
        here.block = dim3(i % grid.x, i / grid.x % grid.y, i / grid.x / grid.y);
        run_block(block);
    }
}
} // namespace rig
