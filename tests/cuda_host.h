// CUDA's text on the host: the threads of a block are fibers, blocks run one after the other.
//
// A barrier waits for every thread of the block that has not returned, a shuffle for its whole warp. A
// thread that waits for ever ends the program. `reversed` turns the order of the fibers around: what a
// kernel computes must not depend on it.
#include <ucontext.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#define KERASISH_HOST
#define __device__
#define __global__
#define __forceinline__ inline
#define __launch_bounds__(threads, blocks)
#define __shared__ static

struct Index {
  unsigned x;
};
static Index threadIdx, blockIdx, gridDim;

namespace host {
constexpr int kThreads = 256, kStack = 64 * 1024;
struct Fiber {
  ucontext_t context;
  bool done;
};
static Fiber fibers[kThreads];
static char* stacks = static_cast<char*>(malloc(size_t(kThreads) * kStack));
static ucontext_t scheduler;
static int current, live, arrived, block_turn, warp_arrived[8], warp_turn[8];
static bool progress;
static uint32_t slots[kThreads];
static void (*kernel)(const void*);
static const void* arguments;
extern "C" int reversed;
int reversed = 0;

static void yield() {
  const int self = current;
  swapcontext(&fibers[self].context, &scheduler);
  current = self;
  threadIdx.x = unsigned(self);
}
static void body() {
  kernel(arguments);
  fibers[current].done = true;
  --live;
  progress = true;
  if (arrived && arrived == live) {
    arrived = 0;
    ++block_turn;
  }
  swapcontext(&fibers[current].context, &scheduler);
}
static void block_barrier() {
  const int turn = block_turn;
  progress = true;
  if (++arrived == live) {
    arrived = 0;
    ++block_turn;
    return;
  }
  while (turn == block_turn) yield();
  progress = true;
}
static void warp_barrier() {
  const int w = current / 32, turn = warp_turn[w];
  progress = true;
  if (++warp_arrived[w] == 32) {
    warp_arrived[w] = 0;
    ++warp_turn[w];
    return;
  }
  while (turn == warp_turn[w]) yield();
  progress = true;
}
// PTX's mma.m16n8kK over a warp: which lane has which elements is as the manual of PTX says. A word has
// EACH elements, `of(word, i)` is the element i.
template <int EACH, class Of>
static void mma_of(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1, Of of) {
  static uint32_t of_a[kThreads][4], of_b[kThreads][2];
  const int self = current, first = self / 32 * 32, lane = self % 32, half = 4 * EACH;
  memcpy(of_a[self], a, sizeof a);
  of_b[self][0] = b0;
  of_b[self][1] = b1;
  warp_barrier();
  for (int e = 0; e < 4; ++e) {
    const int row = lane / 4 + e / 2 * 8, column = lane % 4 * 2 + e % 2;
    for (int k = 0; k < 2 * half; ++k) {
      const int beside = k % half / EACH;
      const uint32_t left = of_a[first + row % 8 * 4 + beside][row / 8 + k / half * 2];
      const uint32_t right = of_b[first + column * 4 + beside][k / half];
      c[e] += of(left, k % EACH) * of(right, k % EACH);
    }
  }
  warp_barrier();
}
template <class Widened>
static void mma(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1, Widened widened) {
  mma_of<2>(c, a, b0, b1, [&](uint32_t word, int i) { return widened(uint16_t(word >> 16 * i)); });
}
static void mma_tf32(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  mma_of<1>(c, a, b0, b1, [](uint32_t word, int) {
    if (word & 0x1fffu) {
      fprintf(stderr, "an operand that is not rounded to TF32\n");
      abort();
    }
    float x;
    memcpy(&x, &word, sizeof x);
    return x;
  });
}
static void must_be_aligned(const void* p) {
  if (uintptr_t(p) % 16 == 0) return;
  fprintf(stderr, "an address that is no multiple of 16 bytes\n");
  abort();
}
// Asynchronous copies: as late as their thread allows or, with threads reversed, at once.
struct Copy {
  void* to;
  const void* from;
};
static Copy copies[kThreads][64];
static int copies_open[kThreads], groups_open[kThreads], group_ends[kThreads][8];
static void copy_now(const Copy& copy) {
  if (copy.from)
    memcpy(copy.to, copy.from, 16);
  else
    memset(copy.to, 0, 16);
}
static void copy_chunk(void* to, const void* from) {
  must_be_aligned(to);
  must_be_aligned(from);
  if (reversed)
    copy_now({to, from});
  else
    copies[current][copies_open[current]++] = {to, from};
}
static void close_copies() { group_ends[current][groups_open[current]++] = copies_open[current]; }
static void await_copies(int groups) {
  const int self = current;
  for (; groups_open[self] > groups; --groups_open[self]) {
    const int end = group_ends[self][0];
    for (int i = 0; i < end; ++i) copy_now(copies[self][i]);
    copies_open[self] -= end;
    memmove(copies[self], copies[self] + end, size_t(copies_open[self]) * sizeof(Copy));
    for (int g = 0; g + 1 < groups_open[self]; ++g) group_ends[self][g] = group_ends[self][g + 1] - end;
  }
}
// PTX's ldmatrix.x4 of 16-bit elements: lane 8 m + r gives the address of row r of matrix m.
static void load_matrices(uint32_t (&to)[4], const void* row, bool turned) {
  static const uint16_t* rows[kThreads];
  const int self = current, first = self / 32 * 32, lane = self % 32, pair = lane % 4 * 2;
  must_be_aligned(row);
  rows[self] = static_cast<const uint16_t*>(row);
  warp_barrier();
  for (int m = 0; m < 4; ++m) {
    const uint16_t* const* of = rows + first + 8 * m;
    const uint32_t low = turned ? of[pair][lane / 4] : of[lane / 4][pair];
    const uint32_t high = turned ? of[pair + 1][lane / 4] : of[lane / 4][pair + 1];
    to[m] = low | high << 16;
  }
  warp_barrier();
}
static void run(unsigned blocks, void (*function)(const void*), const void* given) {
  kernel = function;
  arguments = given;
  gridDim.x = blocks;
  for (unsigned b = 0; b < blocks; ++b) {
    blockIdx.x = reversed ? blocks - 1 - b : b;
    live = kThreads;
    arrived = 0;
    for (int t = 0; t < kThreads; ++t) {
      Fiber& f = fibers[t];
      f.done = false;
      copies_open[t] = groups_open[t] = 0;
      getcontext(&f.context);
      f.context.uc_stack.ss_sp = stacks + size_t(t) * kStack;
      f.context.uc_stack.ss_size = kStack;
      f.context.uc_link = nullptr;
      makecontext(&f.context, body, 0);
    }
    for (int w = 0; w < 8; ++w) warp_arrived[w] = 0;
    while (live) {
      progress = false;
      for (int k = 0; k < kThreads; ++k) {
        const int t = reversed ? kThreads - 1 - k : k;
        if (fibers[t].done) continue;
        current = t;
        threadIdx.x = unsigned(t);
        swapcontext(&scheduler, &fibers[t].context);
      }
      if (!progress) {
        fprintf(stderr, "block %u: threads wait for ever\n", blockIdx.x);
        abort();
      }
    }
  }
}
}  // namespace host

static inline void __syncthreads() { host::block_barrier(); }
template <class T>
static inline T __shfl_xor_sync(unsigned, T x, int mask) {
  static_assert(sizeof(T) == 4, "");
  memcpy(&host::slots[host::current], &x, 4);
  host::warp_barrier();
  T found;
  memcpy(&found, &host::slots[host::current ^ mask], 4);
  host::warp_barrier();
  return found;
}

// CUDA has these, C has not. By Newton's method on erf.
static inline double erfinv(double y) {
  if (y != y || y < -1 || y > 1) return NAN;
  if (y == 1 || y == -1) return y * INFINITY;
  const double w = log((1 - y) * (1 + y)), a = 2 / (M_PI * 0.147) + w / 2;
  double x = copysign(sqrt(sqrt(a * a - w / 0.147) - a), y);
  for (int i = 0; i < 6; ++i) {
    const double error = fabs(y) < 0.5 ? erf(x) - y : y > 0 ? (1 - y) - erfc(x) : erfc(-x) - (1 + y);
    x -= error / (M_2_SQRTPI * exp(-x * x));
  }
  return x;
}
static inline float erfinvf(float y) { return float(erfinv(double(y))); }
