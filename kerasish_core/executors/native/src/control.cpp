#include "control.h"

#include <chrono>
#include <cstring>
#include <vector>

#include "program.h"

namespace kerasish {

namespace {

size_t rounded(int64_t bytes) { return (static_cast<size_t>(bytes) + 63) / 64 * 64; }

// A body and the addresses of its slots.
class Body {
 public:
  Body(int64_t address, char* arena)
      : program_(*reinterpret_cast<const Program*>(address)),
        arena_(arena),
        slots_(program_.inputs + program_.constants.size() + program_.outputs) {
    for (size_t i = 0; i < program_.constants.size(); ++i)
      slots_[program_.inputs + i] = program_.constants[i];
  }

  void*& input(int64_t i) { return slots_[static_cast<size_t>(i)]; }
  void*& output(int64_t i) {
    return slots_[program_.inputs + program_.constants.size() + static_cast<size_t>(i)];
  }
  void run() const { program_.run(arena_, slots_.data(), 0, program_.instructions.size()); }

 private:
  const Program& program_;
  char* arena_;
  std::vector<void*> slots_;
};

// Asks now and then whether to go on.
class Watch {
 public:
  void tick() {
    const auto now = Clock::now();
    if (now < next_) return;
    check_interrupts();
    next_ = now + std::chrono::milliseconds(50);
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point next_ = Clock::now() + std::chrono::milliseconds(50);
};

// One of two places for each carry, in turns, since a body may not write where it reads.
std::vector<char*> places(char* start, const int64_t* bytes, int64_t count) {
  std::vector<char*> found;
  for (int64_t i = 0; i < count; ++i) {
    found.push_back(start);
    start += rounded(bytes[i]);
  }
  return found;
}

// Operands: carries, sequences, what stays the same; last carries, stacked results.
// Parameters: body, size of its arena, length, reverse, numbers of carries, sequences, things that
// stay and stacks; bytes of each carry, of a row of each sequence, of a row of each stack.
// Scratch: the body's arena, then the carries once more.
void scan(const Call& call) {
  const int64_t *p = call.params, length = p[2], reverse = p[3];
  const int64_t carries = p[4], sequences = p[5], fixed = p[6], stacks = p[7];
  const int64_t *carry_bytes = p + 8, *row_bytes = carry_bytes + carries,
                *stack_bytes = row_bytes + sequences;
  void* const* data = call.data;
  void* const* results = data + carries + sequences + fixed;
  Body body(p[0], call.scratch);
  const std::vector<char*> spare = places(call.scratch + rounded(p[1]), carry_bytes, carries);
  for (int64_t i = 0; i < carries; ++i) body.input(i) = data[i];
  for (int64_t i = 0; i < fixed; ++i)
    body.input(carries + sequences + i) = data[carries + sequences + i];
  if (length == 0)
    for (int64_t i = 0; i < carries; ++i)
      std::memcpy(results[i], data[i], static_cast<size_t>(carry_bytes[i]));
  Watch watch;
  for (int64_t done = 0; done < length; ++done) {
    const int64_t row = reverse ? length - 1 - done : done;
    for (int64_t i = 0; i < sequences; ++i)
      body.input(carries + i) = static_cast<char*>(data[carries + i]) + row * row_bytes[i];
    for (int64_t i = 0; i < stacks; ++i)
      body.output(carries + i) = static_cast<char*>(results[carries + i]) + row * stack_bytes[i];
    const bool last_place = (length - done) % 2 == 1;  // so that the last step writes the results
    for (int64_t i = 0; i < carries; ++i)
      body.output(i) = last_place ? results[i] : spare[static_cast<size_t>(i)];
    body.run();
    for (int64_t i = 0; i < carries; ++i) body.input(i) = body.output(i);
    watch.tick();
  }
}

// Operands: carries, what the test reads besides, what the body reads besides; last carries.
// Parameters: test, size of its arena, body, size of its arena, numbers of carries, of what the
// test reads, of what the body reads; bytes of each carry.
// Scratch: the arenas, the truth, then the carries once more.
void repeat(const Call& call) {
  const int64_t *p = call.params, carries = p[4], tests = p[5], fixed = p[6], *bytes = p + 7;
  void* const* data = call.data;
  void* const* results = data + carries + tests + fixed;
  char* scratch = call.scratch;
  Body test(p[0], scratch), body(p[2], scratch + rounded(p[1]));
  scratch += rounded(p[1]) + rounded(p[3]);
  char* truth = scratch;
  const std::vector<char*> spare = places(scratch + 64, bytes, carries);
  for (int64_t i = 0; i < tests; ++i) test.input(carries + i) = data[carries + i];
  for (int64_t i = 0; i < fixed; ++i) body.input(carries + i) = data[carries + tests + i];
  for (int64_t i = 0; i < carries; ++i) test.input(i) = body.input(i) = data[i];
  test.output(0) = truth;
  Watch watch;
  bool to_results = true;
  for (test.run(); *truth; test.run()) {
    for (int64_t i = 0; i < carries; ++i)
      body.output(i) = to_results ? results[i] : spare[static_cast<size_t>(i)];
    body.run();
    for (int64_t i = 0; i < carries; ++i) test.input(i) = body.input(i) = body.output(i);
    to_results = !to_results;
    watch.tick();
  }
  for (int64_t i = 0; i < carries; ++i)
    if (body.input(i) != results[i])
      std::memcpy(results[i], body.input(i), static_cast<size_t>(bytes[i]));
}

// Operands: the number of the branch, moved into range, what the branches read; their results.
// Parameters: numbers of branches, operands and results; the branches. Scratch: their arena.
void choose(const Call& call) {
  const int64_t *p = call.params, branches = p[0], operands = p[1], results = p[2];
  int32_t index;
  std::memcpy(&index, call.data[0], sizeof index);
  const int64_t chosen = index < 0 ? 0 : index < branches ? index : branches - 1;
  Body body(p[3 + chosen], call.scratch);
  for (int64_t i = 0; i < operands; ++i) body.input(i) = call.data[1 + i];
  for (int64_t i = 0; i < results; ++i) body.output(i) = call.data[1 + operands + i];
  body.run();
}

}  // namespace

const Entry control_table[] = {
    {"scan", scan}, {"while", repeat}, {"switch", choose}, {nullptr, nullptr}};

}  // namespace kerasish
