// Kernels of another machine against the C library in float64; scripts/arm64 builds and runs it.
#include <cmath>
#include <cstdio>
#include <vector>

#include "pool.h"
#include "table.h"

using namespace kerasish;

namespace {

int wrong = 0;

void judge(const char* what, double error, double allowed) {
  const bool right = error <= allowed;  // false for NaN
  if (!right) ++wrong;
  std::printf("%-32s %.3g of %.3g%s\n", what, error, allowed, right ? "" : "  WRONG");
}

double draw() {  // from -1 to 1
  static unsigned state = 1;
  state = state * 1664525u + 1013904223u;
  return (state >> 8) / 8388608.0 - 1;
}

void run(const char* kernel, std::vector<void*> data, std::vector<int64_t> params) {
  find_kernel(kernel)(Call{data.data(), params.data(), nullptr, &Pool::instance()});
}

// a and b lie as they are or transposed.
template <class T>
void product(const char* kernel, int64_t m, int64_t n, int64_t k, bool a_turned, bool b_turned) {
  std::vector<T> a(static_cast<size_t>(m * k)), b(static_cast<size_t>(k * n));
  std::vector<T> c(static_cast<size_t>(m * n));
  for (T& x : a) x = static_cast<T>(draw());
  for (T& x : b) x = static_cast<T>(draw());
  const int64_t a_row = a_turned ? 1 : k, a_col = a_turned ? m : 1;
  const int64_t b_row = b_turned ? 1 : n, b_col = b_turned ? k : 1;
  run(kernel, {a.data(), b.data(), c.data()}, {m, n, k, 0, a_row, a_col, b_row, b_col, n, 0, 0});
  double error = 0;
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      double sum = 0;
      for (int64_t l = 0; l < k; ++l)
        sum += double(a[size_t(i * a_row + l * a_col)]) * double(b[size_t(l * b_row + j * b_col)]);
      error = std::fmax(error, std::fabs(sum - double(c[size_t(i * n + j)])));
    }
  char name[64];
  std::snprintf(name, sizeof name, "%s %dx%dx%d%s%s", kernel, int(m), int(k), int(n),
                a_turned ? " a'" : "", b_turned ? " b'" : "");
  judge(name, error, double(k) * (sizeof(T) == 4 ? 0x1p-22 : 0x1p-51));
}

// In units of the last place of the result.
template <class T>
void one_number(const char* name, int64_t index, double (*function)(double), double low,
                double high) {
  const size_t n = 10001;
  std::vector<T> x(n), y(n);
  for (T& v : x) v = static_cast<T>(low + (high - low) * (draw() + 1) / 2);
  run("tile", {x.data(), y.data()}, {index, int64_t(n), 1});
  double error = 0;
  for (size_t i = 0; i < n; ++i) {
    const double exact = function(double(x[i])), epsilon = sizeof(T) == 4 ? 0x1p-23 : 0x1p-52;
    error = std::fmax(error, std::fabs(exact - double(y[i])) / (std::fabs(exact) * epsilon + 1e-300));
  }
  judge(name, error, 4);
}

void softmax() {
  const int64_t rows = 9, n = 70;
  std::vector<float> x(rows * n), y(rows * n);
  for (float& v : x) v = static_cast<float>(8 * draw());
  run("softmax_f32", {x.data(), y.data()}, {rows, n, 1});
  double error = 0;
  for (int64_t r = 0; r < rows; ++r) {
    double sum = 0;
    for (int64_t i = r * n; i < (r + 1) * n; ++i) sum += std::exp(double(x[size_t(i)]));
    for (int64_t i = r * n; i < (r + 1) * n; ++i)
      error = std::fmax(error, std::fabs(y[size_t(i)] - std::exp(double(x[size_t(i)])) / sum));
  }
  judge("softmax", error, 5e-7);
}

}  // namespace

int main() {
  Pool::instance().set_width(2);
  const int64_t sizes[][3] = {{1, 1, 1},    {5, 7, 3},   {33, 65, 129},  {12, 8, 300},
                              {100, 4, 50}, {1, 50, 40}, {150, 130, 70}};
  for (auto& [m, n, k] : sizes)
    for (int turned = 0; turned < 4; ++turned) {
      product<float>("gemm_f32", m, n, k, turned & 1, turned & 2);
      product<double>("gemm_f64", m, n, k, turned & 1, turned & 2);
    }
#include "cases.inc"
  softmax();
  std::printf("%d wrong\n", wrong);
  return wrong != 0;
}
