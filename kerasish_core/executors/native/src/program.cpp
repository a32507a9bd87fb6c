#include "program.h"

#include <mutex>
#include <new>

#ifndef _WIN32
#include <pthread.h>
#endif

#include "pool.h"

namespace kerasish {

namespace {

std::mutex arenas_lock;
std::vector<Arenas::Arena>& idle() {
  // Never destroyed: threads may still run when the process ends.
  static auto* arenas = new std::vector<Arenas::Arena>();
  return *arenas;
}
size_t all_bytes = 0;

void free_arena(Arenas::Arena arena) {
  ::operator delete(arena.data, std::align_val_t(64));
  all_bytes -= arena.size;
}

#ifndef _WIN32
// A child of a fork finds the list whole and the lock free.
[[maybe_unused]] const int fork_handlers = pthread_atfork([] { arenas_lock.lock(); }, [] { arenas_lock.unlock(); },
                                         [] { arenas_lock.unlock(); });
#endif

}  // namespace

// Kernels that call it are named by _MAY_FAIL in lowering.py: nothing that was written before them is
// written in place.
void fail_index() { throw IndexFailure(); }

void (*check_interrupts)() = [] {};

Arenas::Arena Arenas::borrow(size_t size) {
  std::lock_guard<std::mutex> lock(arenas_lock);
  auto& list = idle();
  size_t best = list.size(), largest = list.size();
  for (size_t i = 0; i < list.size(); ++i) {
    if (list[i].size >= size && (best == list.size() || list[i].size < list[best].size)) best = i;
    if (largest == list.size() || list[i].size > list[largest].size) largest = i;
  }
  if (best < list.size()) {
    Arena found = list[best];
    list.erase(list.begin() + static_cast<std::ptrdiff_t>(best));
    return found;
  }
  if (largest < list.size()) {  // too small: it grows instead of staying beside the new one
    free_arena(list[largest]);
    list.erase(list.begin() + static_cast<std::ptrdiff_t>(largest));
  }
  Arena made;
  made.data = static_cast<char*>(::operator new(size, std::align_val_t(64)));
  made.size = size;
  all_bytes += size;
  return made;
}

void Arenas::give_back(Arena arena) {
  std::lock_guard<std::mutex> lock(arenas_lock);
  idle().push_back(arena);
}

void Arenas::release() {
  std::lock_guard<std::mutex> lock(arenas_lock);
  for (Arena arena : idle()) free_arena(arena);
  idle().clear();
}

size_t Arenas::held() {
  std::lock_guard<std::mutex> lock(arenas_lock);
  return all_bytes;
}

void Program::run(char* arena, void* const* external, size_t first, size_t last) const {
  Pool* pool = &Pool::instance();
  void* data[kMostOperands];
  std::vector<void*> many;
  for (size_t i = first; i < last; ++i) {
    const Instruction& step = instructions[i];
    void** place = data;
    if (step.count > kMostOperands) {
      many.resize(static_cast<size_t>(step.count));
      place = many.data();
    }
    const Operand* operand = &operands[static_cast<size_t>(step.first)];
    for (int32_t k = 0; k < step.count; ++k, ++operand) {
      char* base = operand->slot < 0 ? arena : static_cast<char*>(external[operand->slot]);
      place[k] = base + operand->offset;
    }
    Call call{place, params.data() + step.params,
              step.scratch < 0 ? nullptr : arena + step.scratch, pool};
    try {
      step.kernel(call);
    } catch (IndexFailure& failure) {
      if (failure.where.empty()) failure.where = locations[i];
      throw;
    }
  }
}

}  // namespace kerasish
