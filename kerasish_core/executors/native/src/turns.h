// A lock for one writer or many readers that is granted in the order of asking.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace kerasish {

// std::shared_mutex lets predictions that overlap keep a training step waiting for ever, and a
// training loop, which asks again at once, keep out whoever is just waking up. Here nobody is
// passed over.
class Turns {
 public:
  bool try_lock() {
    std::lock_guard<std::mutex> guard(mutex_);
    if (next_ != serving_ || writing_ || readers_ > 0) return false;
    return writing_ = true;
  }
  void lock() {
    std::unique_lock<std::mutex> guard(mutex_);
    const uint64_t mine = next_++;
    turn_.wait(guard, [&] { return serving_ == mine && !writing_ && readers_ == 0; });
    ++serving_;
    writing_ = true;
  }
  void unlock() {
    std::lock_guard<std::mutex> guard(mutex_);
    writing_ = false;
    if (next_ != serving_) turn_.notify_all();
  }

  bool try_lock_shared() {
    std::lock_guard<std::mutex> guard(mutex_);
    if (next_ != serving_ || writing_) return false;
    ++readers_;
    return true;
  }
  void lock_shared() {
    std::unique_lock<std::mutex> guard(mutex_);
    const uint64_t mine = next_++;
    turn_.wait(guard, [&] { return serving_ == mine && !writing_; });
    ++serving_;
    ++readers_;
    if (next_ != serving_) turn_.notify_all();  // the next may be a reader too
  }
  void unlock_shared() {
    std::lock_guard<std::mutex> guard(mutex_);
    if (--readers_ == 0 && next_ != serving_) turn_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable turn_;
  uint64_t next_ = 0, serving_ = 0;  // tickets: drawn, and of whom it is the turn
  int readers_ = 0;
  bool writing_ = false;
};

}  // namespace kerasish
