// A program: a list of instructions over one arena, constants and arrays given at each run.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernel.h"

namespace kerasish {

// Where an operand lies: in the arena at an offset, or `offset` bytes into the external array
// `slot` (an input, a variable, an output or a constant).
struct Operand {
  int32_t slot;  // -1: the arena
  int64_t offset;
};

struct Instruction {
  Kernel kernel;
  int32_t first, count;  // operands
  int64_t params;        // place of the first parameter
  int64_t scratch;       // offset in the arena, or -1
};

// Memory that runs borrow. One list for the whole process: arenas of programs that never run at
// the same time are the same memory.
class Arenas {
 public:
  struct Arena {
    char* data = nullptr;
    size_t size = 0;
  };
  static Arena borrow(size_t size);
  static void give_back(Arena arena);
  static void release();  // frees all that nobody uses
  static size_t held();
};

// What `fail_index` throws; the programs that it passes through say where the innermost was.
struct IndexFailure : std::out_of_range {
  IndexFailure() : std::out_of_range("an index is out of range") {}
  std::string where;
};

// The step was interrupted; whoever asked for it has said why.
struct Interrupted {};

// Loops call it about every 50 ms. It may throw Interrupted. Set by the extension module.
extern void (*check_interrupts)();

class Program {
 public:
  std::vector<Instruction> instructions;
  std::vector<Operand> operands;
  std::vector<int64_t> params;
  std::vector<std::string> locations;  // the user's lines, by instruction
  size_t arena_size = 0;
  // Slots are inputs, variables, constants, outputs, in this order.
  size_t inputs = 0, outputs = 0;
  std::vector<void*> constants;

  // Runs the instructions [first, last) with `arena` and the external addresses.
  void run(char* arena, void* const* external, size_t first, size_t last) const;

 private:
  static constexpr int kMostOperands = 64;
};

}  // namespace kerasish
