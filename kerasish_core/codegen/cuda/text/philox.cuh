// Philox4x32-10: word i of a stream is word i % 4 of the block whose counter is i / 4.
//
// Source: J. K. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.

struct Words {
  uint32_t v[4];
};
DEVICE Words philox(uint32_t key0, uint32_t key1, uint64_t counter, uint64_t stream) {
  uint32_t c0 = uint32_t(counter), c1 = uint32_t(counter >> 32);
  uint32_t c2 = uint32_t(stream), c3 = uint32_t(stream >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t(0xD2511F53u) * c0, p1 = uint64_t(0xCD9E8D57u) * c2;
    c0 = uint32_t(p1 >> 32) ^ c1 ^ key0;
    c1 = uint32_t(p1);
    c2 = uint32_t(p0 >> 32) ^ c3 ^ key1;
    c3 = uint32_t(p0);
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return Words{{c0, c1, c2, c3}};
}

// What becomes of a block of words: NUMBERS numbers.
struct Bits {
  using Item = uint32_t;
  static constexpr int numbers = 4;
  DEVICE uint32_t make(const Words& w, int i) { return w.v[i]; }
};
struct Uniform32 {
  using Item = float;
  static constexpr int numbers = 4;
  DEVICE float make(const Words& w, int i) { return float(w.v[i] >> 8) * 0x1p-24f; }
};
struct Uniform64 {
  using Item = double;
  static constexpr int numbers = 2;
  DEVICE double make(const Words& w, int i) {
    const uint64_t whole = (uint64_t(w.v[2 * i]) << 21) ^ (w.v[2 * i + 1] >> 11);
    return double(whole) * 0x1p-53;
  }
};
struct Uniform16 {
  using Item = float16;
  static constexpr int numbers = 4;
  DEVICE float16 make(const Words& w, int i) {
    return k::put<float16>(float(w.v[i] >> 21) * 0x1p-11f);
  }
};
struct UniformBrain {
  using Item = bfloat16;
  static constexpr int numbers = 4;
  DEVICE bfloat16 make(const Words& w, int i) {
    return k::put<bfloat16>(float(w.v[i] >> 24) * 0x1p-8f);
  }
};

template <class Form>
DEVICE void draw(const uint32_t* key, typename Form::Item* out, int64_t stream, int64_t count) {
  const int64_t step = int64_t(gridDim.x) * 256;
  for (int64_t b = blockIdx.x * int64_t(256) + threadIdx.x; b * Form::numbers < count; b += step) {
    const Words words = philox(key[0], key[1], uint64_t(b), uint64_t(stream));
    for (int i = 0; i < Form::numbers && b * Form::numbers + i < count; ++i)
      out[b * Form::numbers + i] = Form::make(words, i);
  }
}
