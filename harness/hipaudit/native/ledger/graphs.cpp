#include "graphs.h"

#include <map>

namespace hipaudit::ledger {
namespace {

struct Captured {
  uint64_t address = 0;  // of the allocation
  Access use;
};
using Uses = std::vector<Captured>;

struct Graphs {
  std::map<uint64_t, Uses> captures;
  std::map<const void*, Uses> graphs;
};

// Held by the ledger's lock.
Graphs& graphs() {
  static auto* known = new Graphs;
  return *known;
}

Finding freed_before(const Call& call, const Record& record, const Captured& captured) {
  Finding finding;
  finding.kind = "use-after-free";
  finding.kernel = captured.use.kernel;
  finding.subject = subject_of(record, record.address + captured.use.begin);
  finding.call = call.name;
  finding.stack = call.stack;
  finding.other_call = record.death_call;
  finding.other_stack = record.death_stack;
  finding.message = std::string(call.name) + " of a graph in which " + captured.use.call +
                    " uses " + title(record) + ", which was freed";
  return finding;
}

}  // namespace

void capture_use(int slot, const Call& call, const Record& record, const Access& use) {
  Captured captured{record.address, use};
  captured.use.call = call.name;
  captured.use.stack = call.stack;
  graphs().captures[ledger().order.lane(slot).capture].push_back(captured);
}

void begin_capture(const Call& call, hipStream_t stream) {
  Locked lock(ledger().mutex);
  ledger().order.begin_capture(slot_of(call, stream));
}

void end_capture(const Call& call, hipStream_t stream, hipGraph_t graph) {
  Locked lock(ledger().mutex);
  int slot = slot_of(call, stream);
  uint64_t capture = ledger().order.lane(slot).capture;
  graphs().graphs[graph] = std::move(graphs().captures[capture]);
  graphs().captures.erase(capture);
  ledger().order.end_capture(slot);
}

void copy_uses(const void* from, const void* to) {
  Locked lock(ledger().mutex);
  auto found = graphs().graphs.find(from);
  if (found != graphs().graphs.end()) graphs().graphs[to] = Uses(found->second);
}

void drop_uses(const void* graph) {
  Locked lock(ledger().mutex);
  graphs().graphs.erase(graph);
}

bool check_graph(const Call& call, hipGraphExec_t graph) {
  std::vector<Finding> findings;
  {
    Locked lock(ledger().mutex);
    auto found = graphs().graphs.find(graph);
    if (found == graphs().graphs.end()) return true;
    for (const Captured& captured : found->second) {
      const Record* record = ledger().records.find_memory(captured.address);
      if (record != nullptr && !record->live)
        findings.push_back(freed_before(call, *record, captured));
    }
  }
  report_all(findings);
  return findings.empty();
}

void note_graph(const Call& call, hipGraphExec_t graph, hipStream_t stream) {
  std::vector<Finding> findings;
  {
    Locked lock(ledger().mutex);
    int slot = slot_of(call, stream);
    if (!ledger().order.advance(slot, *call.thread)) return;
    auto found = graphs().graphs.find(graph);
    if (found == graphs().graphs.end()) return;
    // Within the graph its own edges order what it does.
    for (const Captured& captured : found->second) {
      Record* record = ledger().records.find_memory(captured.address);
      if (record == nullptr || !record->live || captured.use.end > record->size) continue;
      const Access& use = captured.use;
      note_use(*record, access_by(call, slot, use.use, use.begin, use.end, use.kernel), &findings);
      if (use.use != Use::read) ++record->version;
    }
  }
  report_all(findings);
}

}  // namespace hipaudit::ledger
