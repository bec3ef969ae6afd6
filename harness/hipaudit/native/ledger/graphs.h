// Graphs: what was captured is used when a graph is launched, not when it was captured.
#pragma once

#include "ledger.h"
#include "uses.h"

namespace hipaudit::ledger {

// A use that a stream's capture took. With the ledger's lock held.
void capture_use(int slot, const Call& call, const Record& record, const Access& use);

void begin_capture(const Call& call, hipStream_t stream);
void end_capture(const Call& call, hipStream_t stream, hipGraph_t graph);

// An executable graph, or a clone, does what its graph does.
void copy_uses(const void* from, const void* to);
void drop_uses(const void* graph);

// False when the graph uses memory that was freed: it was reported.
bool check_graph(const Call& call, hipGraphExec_t graph);
void note_graph(const Call& call, hipGraphExec_t graph, hipStream_t stream);

}  // namespace hipaudit::ledger
