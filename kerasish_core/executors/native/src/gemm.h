// Matrix products, for kernels of the same instruction set: C = A B (+ add) (+ bias), then relu.
#pragma once

#include "kernel.h"

namespace kerasish {
namespace KERASISH_ISA {

template <class T>
struct Product {
  int64_t m, n, k;
  const T* a;  // [m, k] with any strides
  int64_t a_row, a_col;
  const T* b;  // [k, n] with any strides
  int64_t b_row, b_col;
  T* c;  // [m, n], rows contiguous
  int64_t c_row;
  const T* add = nullptr;  // [m, n], rows contiguous; may be c
  int64_t add_row = 0;
  const T* bias = nullptr;  // [n]
  bool relu = false;
};

// On all threads. Memory for packing is the calling thread's scratch.
template <class T>
void gemm(Pool* pool, const Product<T>& product);

// On the calling thread; `buffer` holds gemm_buffer(product) elements (none: null will do).
template <class T>
void gemm_serial(const Product<T>& product, T* buffer);
template <class T>
int64_t gemm_buffer(const Product<T>& product);

}  // namespace KERASISH_ISA
}  // namespace kerasish
