// One allocation or handle, from its birth until it is forgotten.
#pragma once

#include <cstdint>

namespace hipaudit::ledger {

enum class Kind : uint8_t {
  device,
  async,
  pool,
  pitched,
  extended,
  managed,
  host,
  registered,
  ipc,
  global,  // of a module; goes with it
  array,
  stream,
  event,
  module,
  mempool,
  graph,
  graph_exec,
};

constexpr int kKinds = static_cast<int>(Kind::graph_exec) + 1;

const char* kind_name(Kind kind);   // as the journal has it
const char* kind_title(Kind kind);  // as a sentence has it: "device allocation", "stream"
// Memory has an address and a size; the rest are handles.
constexpr bool is_memory(Kind kind) { return kind < Kind::array; }
constexpr bool is_host(Kind kind) { return kind == Kind::host || kind == Kind::registered; }

struct History;

// Whether all of memory that the program brought itself can be read and written, and not run.
enum class Plain : uint8_t { unknown, yes, no };

struct Record {
  uint64_t address = 0;  // or the handle
  uint64_t size = 0;
  uint64_t serial = 0;         // counts everything that was ever made, from 1
  History* history = nullptr;  // who used it lately; memory only
  uint64_t owning_module = 0;  // of a module's variable
  uint64_t version = 0;        // counts what was written to it
  uint32_t number = 0;         // counts memory, or handles of its kind, from 1
  uint32_t site = 0;           // where it was made
  uint32_t death_stack = 0;
  uint32_t owner = 0;  // thread that made it
  uint32_t index = 0;  // where the record itself is kept
  const char* death_call = nullptr;
  uint32_t zone = 0;    // bytes of red zone on each side
  int16_t stream = -1;  // slot of the stream it is ordered in; -1: of none
  uint8_t device = 0;
  Kind kind = Kind::device;
  Plain plain = Plain::unknown;
  bool live = false;
  bool used = false;           // the number stands for a record
  bool freed_wrongly = false;  // by a call for memory of another kind: the right one may follow
};

}  // namespace hipaudit::ledger
