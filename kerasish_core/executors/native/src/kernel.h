// The contract between a program and its kernels.
//
// A kernel is a function of raw addresses and integers. It allocates nothing that outlives it,
// knows nothing of Python, and splits its work by sizes alone, never by the number of threads, so
// that results are equal in bits for any number of them.
//
// Every file in kernels/ is compiled once per instruction set, with KERASISH_ISA set to the
// namespace (plain, avx2, avx512); at load the best set that the machine has is chosen. Kernel
// files therefore use no container or function template of the standard library: the linker could
// keep the copy of the wrong instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__clang__)
// Bit operators on truths are meant: they do not branch. Loops of integers may stay scalar.
#pragma clang diagnostic ignored "-Wunknown-warning-option"
#pragma clang diagnostic ignored "-Wbitwise-conditional-parentheses"
#pragma clang diagnostic ignored "-Wbitwise-instead-of-logical"
#pragma clang diagnostic ignored "-Wpass-failed"
#endif

namespace kerasish {

class Pool;

struct Call {
  void* const* data;      // addresses of the inputs, then of the outputs
  const int64_t* params;  // as the lowering gave them; real numbers by their bits (see `real`)
  char* scratch;          // 64-byte aligned, as long as the lowering asked for; null if it did not
  Pool* pool;
};

using Kernel = void (*)(const Call&);

struct Entry {
  const char* name;
  Kernel kernel;
};

// Calls task(context, i) once for each i in [0, count), on any thread and in any order.
void run_parallel(Pool* pool, int64_t count, void (*task)(void*, int64_t), void* context);

// Ends the step with an IndexError. Only on the thread that called the kernel, outside tasks.
[[noreturn]] void fail_index();

// Memory of the calling thread, 64-byte aligned; what it held is lost at the next call.
char* thread_scratch(size_t bytes);
// The same for a kernel that calls others, which leave it alone.
char* block_memory(size_t bytes);

template <class F>
inline void parallel_for(Pool* pool, int64_t count, const F& body) {
  if (count <= 1) {
    if (count == 1) body(int64_t(0));
    return;
  }
  run_parallel(
      pool, count,
      [](void* context, int64_t i) { (*static_cast<const F*>(context))(i); },
      const_cast<F*>(&body));
}

inline double real(int64_t bits) {
  double value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

}  // namespace kerasish

#if defined(_MSC_VER) && !defined(__clang__)
#define KERASISH_RESTRICT __restrict
#else
#define KERASISH_RESTRICT __restrict__
#endif

// The iterations of the loop that follows are independent, though the result may be an operand.
#if defined(__clang__)
#define KERASISH_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define KERASISH_INDEPENDENT _Pragma("GCC ivdep")
#else
#define KERASISH_INDEPENDENT __pragma(loop(ivdep))
#endif

// At the end of a file in kernels/, inside no namespace:
//   KERASISH_TABLE(gemm, {"gemm_f32", gemm<float>}, {"gemm_f64", gemm<double>})
#define KERASISH_TABLE(family, ...)                                \
  namespace kerasish {                                             \
  namespace KERASISH_ISA {                                         \
  extern const Entry family##_table[];                             \
  const Entry family##_table[] = {__VA_ARGS__, {nullptr, nullptr}}; \
  }                                                                \
  }
