// Tensor cores: products of tiles of half types, spread over a warp.

// Before compute capability 8.0 there are none that take both half types.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
constexpr bool kTensorCores = false;
#else
constexpr bool kTensorCores = true;
#endif
template <class T>
struct IsHalf {
  static constexpr bool value = false;
};
template <>
struct IsHalf<float16> {
  static constexpr bool value = true;
};
template <>
struct IsHalf<bfloat16> {
  static constexpr bool value = true;
};

#ifndef KERASISH_HOST
// c += a b of 16 x 16 and 16 x 8 elements, spread over a warp as PTX has it.
DEVICE void mma(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1, float16) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
DEVICE void mma(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1, bfloat16) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
// Of 16 x 8 and 8 x 8 elements of float32, rounded to TF32 before.
DEVICE void mma(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1, float) {
  asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
DEVICE uint32_t to_tf32(uint32_t bits) {
  uint32_t rounded;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(rounded) : "f"(k::from_bits(bits)));
  return rounded;
}
#else
template <class T>
static float widened(uint16_t bits) {
  return k::get(T{bits});
}
template <class T>
DEVICE void mma(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1, T) {
  host::mma(c, a, b0, b1, widened<T>);
}
DEVICE void mma(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1, float) {
  host::mma_tf32(c, a, b0, b1);
}
// To nearest, ties away from zero; of a number.
DEVICE uint32_t to_tf32(uint32_t bits) { return (bits + 0x1000u) & 0xffffe000u; }
#endif
template <class T>
DEVICE uint32_t pair(T low, T high) {
  return uint32_t(low.bits) | uint32_t(high.bits) << 16;
}

// Two neighbours at an even place, or one float.
template <class T>
DEVICE uint32_t word(const T* from) {
  return *reinterpret_cast<const uint32_t*>(from);
}
