// Short numbers for the places of a kernel's code that access memory.
#pragma once

#include <cstdint>
#include <vector>

#include "check/record.h"
#include "device/image.h"
#include "device/sync.h"

namespace hipaudit {

class Sites {
 public:
  explicit Sites(const Image& image)
      : base_(image.code_begin()), serial_(image.serial()), numbers_(image.code_bytes(), 0) {
    places_.reserve(kMost);
    places_.push_back(0);
  }
  // An image may be unloaded and another one take its address.
  bool belongs_to(const Image& image) const {
    return base_ == image.code_begin() && numbers_.size() == image.code_bytes() &&
           serial_ == image.serial();
  }
  // By offset in the code; 0 where no number was given yet.
  const uint16_t* numbers() const { return numbers_.data(); }
  // Numbers are given anew to each launch when they are about to run out.
  void renew() {
    if (places_.size() < kMost - kMost / 4) return;
    for (uint32_t place : places_) numbers_[place] = 0;
    places_.resize(1);
  }
  uint16_t number(uintptr_t pc) {
    size_t offset = pc - base_;
    if (offset >= numbers_.size()) return 0;
    uint16_t known = numbers_[offset];
    return known != 0 ? known : add(offset);
  }
  // The place's address, 0 for a number that stands for none.
  uintptr_t place(uint16_t number) const { return number == 0 ? 0 : base_ + places_[number]; }

 private:
  static constexpr size_t kMost = Record::kMostSites;
  uint16_t add(size_t offset) {
    Locked lock(mutex_);
    if (numbers_[offset] != 0) return numbers_[offset];
    if (places_.size() == kMost) return 0;
    places_.push_back(static_cast<uint32_t>(offset));
    return numbers_[offset] = static_cast<uint16_t>(places_.size() - 1);
  }
  uintptr_t base_;
  uint64_t serial_;
  std::vector<uint16_t> numbers_;
  std::vector<uint32_t> places_;
  Mutex mutex_;
};

// Of the image whose kernel runs.
Sites& running_sites();
void enter_sites(const Image& image);

}  // namespace hipaudit
