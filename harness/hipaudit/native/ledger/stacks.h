// Stacks of calls, stored once: a stack is the number of a node, a frame below its callers' node.
// Frames are text (file, function, line), so they outlive the code objects they were read from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../device/json.h"
#include "thread.h"

namespace hipaudit::ledger {

struct Frame {
  bool python = true;
  std::string file;      // source file, or the native object
  std::string function;  // empty: it has no symbol
  uint64_t line = 0;     // or the offset in the native object
};

// The stack of the calling thread, as the options ask for it; 0: none, or not known. No lock of the
// ledger may be held.
uint32_t capture_stack(Thread& thread);

// The node of a frame that was called from `parent`, found in the thread's cache or made from what
// `read` says of the frame.
template <typename Read>
uint32_t node_of(Thread& thread, const void* code, uint32_t instruction, uint32_t parent,
                 Read read);

uint32_t intern(uint32_t parent, const Frame& frame);

// Innermost first.
std::vector<Frame> frames_of(uint32_t stack);

void put_stack(JsonWriter& json, uint32_t stack);

// True when a frame of the stack lies in a file whose name ends so; line 0 stands for any.
bool passes_through(uint32_t stack, const std::string& file_suffix, int line);

void lock_stacks();
void unlock_stacks();

// Frames of one kind, the outermost called from `parent`. 0 or `parent` when there are none.
uint32_t capture_python(Thread& thread, uint32_t parent, int depth);
uint32_t capture_native(Thread& thread, uint32_t parent, int depth);

template <typename Read>
uint32_t node_of(Thread& thread, const void* code, uint32_t instruction, uint32_t parent,
                 Read read) {
  uint64_t key = reinterpret_cast<uintptr_t>(code) * 31 + instruction;
  key = (key ^ parent * uint64_t{0x9e3779b97f4a7c15}) * 0xbf58476d1ce4e5b9;
  CachedFrame& cached = thread.frames[key >> 32 & (Thread::kCachedFrames - 1)];
  if (cached.code == code && cached.instruction == instruction && cached.parent == parent)
    return cached.node;
  Frame frame;
  bool keep = read(&frame);
  uint32_t node = intern(parent, frame);
  if (keep) cached = {code, instruction, parent, node};
  return node;
}

}  // namespace hipaudit::ledger
