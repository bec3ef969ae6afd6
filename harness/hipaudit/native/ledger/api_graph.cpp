// Graphs, memory pools and arrays: handles that live and end.
#include "../device/export.h"
#include "below.h"
#include "graphs.h"
#include "ledger.h"
#include "options.h"

namespace hipaudit::ledger {
namespace {

uint64_t number(const void* handle) { return reinterpret_cast<uintptr_t>(handle); }

template <typename Handle, typename Forward>
hipError_t make(const char* name, Kind kind, Handle* out, Forward forward) {
  Call call(name);
  hipError_t status = forward();
  if (call.tracked && status == hipSuccess && out != nullptr && *out != nullptr)
    enter(call, {kind, number(*out)});
  return status;
}

template <typename Handle, typename Function>
hipError_t end(const char* name, Kind kind, Handle handle, Function& below) {
  Call call(name);
  if (!call.tracked || handle == nullptr) return below(handle);
  return end_life(
      {call, number(handle), only(kind), kind}, [&] { return below(handle); },
      [&] { return below(nullptr); });
}

// Freeing an array is taken to wait as hipFree does.
void waits_for_all() {
  if (!tracking()) return;
  int device = current_device(this_thread());
  Locked lock(ledger().mutex);
  ledger().order.host_waits(ledger().order.pending_on(device));
}

}  // namespace

HIPAUDIT_EXPORT hipError_t hipGraphCreate(hipGraph_t* graph, unsigned int flags) {
  static constinit Below<decltype(hipGraphCreate)> below("hipGraphCreate");
  return make("hipGraphCreate", Kind::graph, graph, [&] { return below(graph, flags); });
}

HIPAUDIT_EXPORT hipError_t hipGraphClone(hipGraph_t* clone, hipGraph_t graph) {
  static constinit Below<decltype(hipGraphClone)> below("hipGraphClone");
  hipError_t status =
      make("hipGraphClone", Kind::graph, clone, [&] { return below(clone, graph); });
  if (status == hipSuccess) copy_uses(graph, *clone);
  return status;
}

HIPAUDIT_EXPORT hipError_t hipGraphDestroy(hipGraph_t graph) {
  static constinit Below<decltype(hipGraphDestroy)> below("hipGraphDestroy");
  drop_uses(graph);
  return end("hipGraphDestroy", Kind::graph, graph, below);
}

HIPAUDIT_EXPORT hipError_t hipGraphInstantiate(hipGraphExec_t* made, hipGraph_t graph,
                                               hipGraphNode_t* bad, char* log, size_t log_size) {
  static constinit Below<decltype(hipGraphInstantiate)> below("hipGraphInstantiate");
  hipError_t status = make("hipGraphInstantiate", Kind::graph_exec, made,
                           [&] { return below(made, graph, bad, log, log_size); });
  if (status == hipSuccess) copy_uses(graph, *made);
  return status;
}

HIPAUDIT_EXPORT hipError_t hipGraphInstantiateWithFlags(hipGraphExec_t* made, hipGraph_t graph,
                                                        unsigned long long flags) {
  static constinit Below<decltype(hipGraphInstantiateWithFlags)> below(
      "hipGraphInstantiateWithFlags");
  hipError_t status = make("hipGraphInstantiateWithFlags", Kind::graph_exec, made,
                           [&] { return below(made, graph, flags); });
  if (status == hipSuccess) copy_uses(graph, *made);
  return status;
}

HIPAUDIT_EXPORT hipError_t hipGraphExecDestroy(hipGraphExec_t graph) {
  static constinit Below<decltype(hipGraphExecDestroy)> below("hipGraphExecDestroy");
  drop_uses(graph);
  return end("hipGraphExecDestroy", Kind::graph_exec, graph, below);
}

HIPAUDIT_EXPORT hipError_t hipGraphLaunch(hipGraphExec_t graph, hipStream_t stream) {
  static constinit Below<decltype(hipGraphLaunch)> below("hipGraphLaunch");
  Call call("hipGraphLaunch");
  if (!call.tracked) return below(graph, stream);
  if (!check_graph(call, graph)) return refuse();
  hipError_t status = below(graph, stream);
  if (status == hipSuccess) note_graph(call, graph, stream);
  return status;
}

HIPAUDIT_EXPORT hipError_t hipStreamBeginCapture(hipStream_t stream, hipStreamCaptureMode mode) {
  static constinit Below<decltype(hipStreamBeginCapture)> below("hipStreamBeginCapture");
  Call call("hipStreamBeginCapture");
  hipError_t status = below(stream, mode);
  if (call.tracked && status == hipSuccess) begin_capture(call, stream);
  return status;
}

HIPAUDIT_EXPORT hipError_t hipStreamEndCapture(hipStream_t stream, hipGraph_t* graph) {
  static constinit Below<decltype(hipStreamEndCapture)> below("hipStreamEndCapture");
  Call call("hipStreamEndCapture");
  hipError_t status = below(stream, graph);
  if (!call.tracked) return status;
  bool made = status == hipSuccess && graph != nullptr && *graph != nullptr;
  end_capture(call, stream, made ? *graph : nullptr);
  if (made) enter(call, {Kind::graph, number(*graph)});
  return status;
}

HIPAUDIT_EXPORT hipError_t hipMemPoolCreate(hipMemPool_t* pool, const hipMemPoolProps* properties) {
  static constinit Below<decltype(hipMemPoolCreate)> below("hipMemPoolCreate");
  return make("hipMemPoolCreate", Kind::mempool, pool, [&] { return below(pool, properties); });
}

HIPAUDIT_EXPORT hipError_t hipMemPoolDestroy(hipMemPool_t pool) {
  static constinit Below<decltype(hipMemPoolDestroy)> below("hipMemPoolDestroy");
  return end("hipMemPoolDestroy", Kind::mempool, pool, below);
}

HIPAUDIT_EXPORT hipError_t hipMallocArray(hipArray_t* array, const hipChannelFormatDesc* format,
                                          size_t width, size_t height, unsigned int flags) {
  static constinit Below<decltype(hipMallocArray)> below("hipMallocArray");
  return make("hipMallocArray", Kind::array, array,
              [&] { return below(array, format, width, height, flags); });
}

HIPAUDIT_EXPORT hipError_t hipMalloc3DArray(hipArray_t* array, const hipChannelFormatDesc* format,
                                            hipExtent extent, unsigned int flags) {
  static constinit Below<decltype(hipMalloc3DArray)> below("hipMalloc3DArray");
  return make("hipMalloc3DArray", Kind::array, array,
              [&] { return below(array, format, extent, flags); });
}

HIPAUDIT_EXPORT hipError_t hipArrayCreate(hipArray_t* array, const HIP_ARRAY_DESCRIPTOR* layout) {
  static constinit Below<decltype(hipArrayCreate)> below("hipArrayCreate");
  return make("hipArrayCreate", Kind::array, array, [&] { return below(array, layout); });
}

HIPAUDIT_EXPORT hipError_t hipArray3DCreate(hipArray_t* array,
                                            const HIP_ARRAY3D_DESCRIPTOR* layout) {
  static constinit Below<decltype(hipArray3DCreate)> below("hipArray3DCreate");
  return make("hipArray3DCreate", Kind::array, array, [&] { return below(array, layout); });
}

HIPAUDIT_EXPORT hipError_t hipFreeArray(hipArray_t array) {
  static constinit Below<decltype(hipFreeArray)> below("hipFreeArray");
  waits_for_all();
  return end("hipFreeArray", Kind::array, array, below);
}

HIPAUDIT_EXPORT hipError_t hipArrayDestroy(hipArray_t array) {
  static constinit Below<decltype(hipArrayDestroy)> below("hipArrayDestroy");
  waits_for_all();
  return end("hipArrayDestroy", Kind::array, array, below);
}

}  // namespace hipaudit::ledger
