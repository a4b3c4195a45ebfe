// The same kernel on a card and without one.
//
// nvcc compiles it for the card. g++ compiles it for the processor, where it is slow, but repeatable and strict: the threads of a block are fibers, of which
// one runs until it returns or waits at a barrier, and then the next; blocks follow one another. `order` says in which order threads have their turn: 0 upwards,
// 1 downwards, others shuffled. A kernel with all its barriers gives the same in every order. Shared memory is full of NaN when a block begins.
#pragma once
#include <type_traits>

template <class T>
constexpr char letter() {
    return std::is_pointer<T>::value ? 'p' : std::is_floating_point<T>::value ? (sizeof(T) == 8 ? 'd' : 'f') : sizeof(T) == 8 ? 'l' : 'i';
}

template <class... A>
const char *letters(void (*)(A...)) {
    static const char text[] = {letter<A>()..., 0};
    return text;
}

#ifdef __CUDACC__

#define LAUNCHER(NAME)                                                                                                              \
    extern "C" const char *signature() { return letters(NAME); }                                                                    \
    extern "C" const char *launch(void **arguments, unsigned grid, unsigned block, void *stream, int, int) {                        \
        cudaError_t error = cudaLaunchKernel((const void *)NAME, dim3(grid), dim3(block), arguments, 0, (cudaStream_t)stream);      \
        return error == cudaSuccess ? nullptr : cudaGetErrorString(error);                                                          \
    }

#else

#include <ucontext.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __shared__ static __attribute__((section("tile")))

struct uint3 { unsigned x, y, z; };
struct dim3 { unsigned x, y, z; };
struct alignas(8) float2 { float x, y; };
struct alignas(16) float4 { float x, y, z, w; };
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }

static uint3 threadIdx, blockIdx;
static dim3 blockDim, gridDim;
static const int warpSize = 32;
extern "C" char __start_tile[] __attribute__((weak));
extern "C" char __stop_tile[] __attribute__((weak));

namespace cpu {
enum State { READY, AT_BLOCK, AT_WARP, DONE };
const int MOST = 1024, STACK = 64 * 1024;
static ucontext_t scheduler, fiber[MOST];
static State state[MOST];
static unsigned mask[MOST];
static double slot[MOST];
static bool freed[MOST];
static int turn[MOST], now, threads;
static char problem[200];
static void (*body)(void **);
static void **given;

inline void wait(State where) {
    state[now] = where;
    swapcontext(&fiber[now], &scheduler);
}

static void start() {
    body(given);
    state[now] = DONE;
}

// Lets those go on whom nobody keeps waiting; false where all are done, or where nobody could.
inline bool release() {
    int waiting = 0, done = 0;
    bool any = false;
    for (int t = 0; t < threads; ++t) waiting += state[t] == AT_BLOCK, done += state[t] == DONE;
    if (done == threads) return false;
    for (int t = 0; t < threads; ++t) {
        freed[t] = state[t] == AT_WARP || (state[t] == AT_BLOCK && waiting == threads);
        for (int lane = 0, first = t - t % 32; state[t] == AT_WARP && lane < 32; ++lane)
            if (mask[t] >> lane & 1 && first + lane < threads) freed[t] &= state[first + lane] == AT_WARP;
        any |= freed[t];
    }
    for (int t = 0; t < threads; ++t)
        if (freed[t]) state[t] = READY;
    if (!any) snprintf(problem, sizeof problem, "block %u: %d of %d threads wait at a barrier to which the others never come", blockIdx.x, threads - done, threads);
    return any;
}

inline void run_block(char *stacks, int order) {
    if (__start_tile) memset(__start_tile, 0xFF, __stop_tile - __start_tile);
    for (int t = 0; t < threads; ++t) {
        getcontext(&fiber[t]);
        fiber[t].uc_stack.ss_sp = stacks + (size_t)t * STACK;
        fiber[t].uc_stack.ss_size = STACK;
        fiber[t].uc_link = &scheduler;
        makecontext(&fiber[t], start, 0);
        state[t] = READY;
        turn[t] = order == 1 ? threads - 1 - t : t;
    }
    unsigned random = order;
    for (int t = threads - 1; order > 1 && t > 0; --t) std::swap(turn[t], turn[((random = random * 1664525u + 1013904223u) >> 8) % (t + 1)]);
    do {
        for (int k = 0; k < threads; ++k) {
            now = turn[k];
            if (state[now] != READY) continue;
            threadIdx = {(unsigned)now, 0, 0};
            swapcontext(&scheduler, &fiber[now]);
        }
    } while (release());
}

template <class... A, size_t... I>
void call(void (*kernel)(A...), void **arguments, std::index_sequence<I...>) {
    kernel(*(typename std::remove_reference<A>::type *)arguments[I]...);
}
template <class... A>
void call(void (*kernel)(A...), void **arguments) {
    call(kernel, arguments, std::index_sequence_for<A...>());
}

// Runs all blocks, or `only` one of them. Returns what went wrong, or null.
inline const char *run(void (*kernel)(void **), void **arguments, unsigned grid, unsigned block, int only, int order) {
    if (grid == 0 || block == 0 || block > MOST) return "a grid has at least one block, and a block 1 to 1024 threads";
    if (__start_tile && __stop_tile - __start_tile > 48 * 1024) return "a block has at most 48 KB of shared memory";
    char *stacks = (char *)malloc((size_t)block * STACK);
    body = kernel, given = arguments, threads = block, problem[0] = 0;
    gridDim = {grid, 1, 1}, blockDim = {block, 1, 1};
    for (unsigned b = 0; b < grid && !problem[0]; ++b) {
        blockIdx = {b, 0, 0};
        if (only < 0 || b == (unsigned)only) run_block(stacks, order);
    }
    free(stacks);
    return problem[0] ? problem : nullptr;
}

template <class T>
T from_lane(unsigned lanes, T value, int lane) {
    static_assert(sizeof(T) <= sizeof(double), "a shuffle moves at most 8 bytes");
    int me = now;
    memcpy(&slot[me], &value, sizeof value);
    mask[me] = lanes;
    wait(AT_WARP);
    if (lane >= 0 && lane < 32 && me - me % 32 + lane < threads) memcpy(&value, &slot[me - me % 32 + lane], sizeof value);
    wait(AT_WARP);
    return value;
}
}  // namespace cpu

inline void __syncthreads() { cpu::wait(cpu::AT_BLOCK); }
inline void __syncwarp(unsigned lanes = ~0u) { cpu::mask[cpu::now] = lanes, cpu::wait(cpu::AT_WARP); }
template <class T> T __shfl_sync(unsigned lanes, T value, int lane) { return cpu::from_lane(lanes, value, lane); }
template <class T> T __shfl_down_sync(unsigned lanes, T value, int by) { return cpu::from_lane(lanes, value, cpu::now % 32 + by); }
template <class T> T __shfl_xor_sync(unsigned lanes, T value, int by) { return cpu::from_lane(lanes, value, cpu::now % 32 ^ by); }
template <class T> T atomicAdd(T *place, T value) { T old = *place; *place = old + value; return old; }
template <class T> T __ldg(const T *place) { return *place; }
inline int min(int a, int b) { return a < b ? a : b; }
inline int max(int a, int b) { return a > b ? a : b; }
inline float __expf(float x) { return expf(x); }
inline float __fdividef(float a, float b) { return a / b; }

#define LAUNCHER(NAME)                                                                                                              \
    static void call_##NAME(void **arguments) { cpu::call(NAME, arguments); }                                                       \
    extern "C" const char *signature() { return letters(NAME); }                                                                    \
    extern "C" const char *launch(void **arguments, unsigned grid, unsigned block, void *, int only, int order) {                   \
        return cpu::run(call_##NAME, arguments, grid, block, only, order);                                                          \
    }

#endif
