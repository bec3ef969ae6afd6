// A HIP library with nothing behind it: memory is the host's own, work is done when it is asked
// for. It checks nothing, as ROCm checks little, and counts what reaches it.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef int hipError_t;
typedef void* handle;
typedef struct {
  char reserved[64];
} hipIpcMemHandle_t;
typedef struct {
  int x, y, z, w, f;
} hipChannelFormatDesc;

static unsigned long calls[4];  // allocations, frees, copies, fills
enum { kAllocations, kFrees, kCopies, kFills };
static hipError_t last_error;

static hipError_t say(hipError_t error) {
  if (error != 0) last_error = error;
  return error;
}

unsigned long hipPlainCalls(int which) { return calls[which]; }

static hipError_t make(void** out, size_t size) {
  if (out == NULL) return say(1);
  *out = NULL;
  if (size == 0) return 0;
  ++calls[kAllocations];
  *out = aligned_alloc(256, (size + 255) / 256 * 256);
  return say(*out != NULL ? 0 : 2);
}

static hipError_t release(void* memory) {
  ++calls[kFrees];
  free(memory);
  return 0;
}

static hipError_t make_handle(handle* out) {
  if (out == NULL) return say(1);
  *out = malloc(64);
  return 0;
}

static hipError_t drop_handle(handle given) {
  if (given == NULL) return say(400);
  free(given);
  return 0;
}

hipError_t hipInit(unsigned flags) { return say(flags == 0 ? 0 : 1); }
hipError_t hipGetDevice(int* device) { return *device = 0; }
hipError_t hipSetDevice(int device) { return say(device == 0 ? 0 : 101); }
hipError_t hipGetDeviceCount(int* count) {
  *count = 1;
  return 0;
}
hipError_t hipGetLastError(void) {
  hipError_t error = last_error;
  last_error = 0;
  return error;
}
hipError_t hipPeekAtLastError(void) { return last_error; }
hipError_t hipDeviceSynchronize(void) { return 0; }

hipError_t hipMalloc(void** out, size_t size) { return make(out, size); }
hipError_t hipFree(void* memory) { return release(memory); }
hipError_t hipHostMalloc(void** out, size_t size, unsigned flags) {
  return flags == 0 ? make(out, size) : say(1);
}
hipError_t hipHostFree(void* memory) { return release(memory); }
hipError_t hipMallocArray(handle* out, const hipChannelFormatDesc* desc, size_t width,
                          size_t height, unsigned flags) {
  (void)desc, (void)width, (void)height, (void)flags;
  return make_handle(out);
}
hipError_t hipFreeArray(handle array) { return drop_handle(array); }

hipError_t hipIpcGetMemHandle(hipIpcMemHandle_t* out, void* memory) {
  memcpy(out->reserved, &memory, sizeof memory);
  return 0;
}
hipError_t hipIpcOpenMemHandle(void** out, hipIpcMemHandle_t given, unsigned flags) {
  (void)flags;
  char* memory;
  memcpy(&memory, given.reserved, sizeof memory);
  *out = memory + (1ull << 46);  // another view of it, that nobody looks through
  return 0;
}
hipError_t hipIpcCloseMemHandle(void* memory) { return say(memory != NULL ? 0 : 1); }

hipError_t hipMemcpy(void* to, const void* from, size_t size, int kind) {
  (void)kind;
  ++calls[kCopies];
  memmove(to, from, size);
  return 0;
}
hipError_t hipMemcpyAsync(void* to, const void* from, size_t size, int kind, handle stream) {
  (void)stream;
  return hipMemcpy(to, from, size, kind);
}
hipError_t hipMemset(void* to, int value, size_t size) {
  ++calls[kFills];
  memset(to, value, size);
  return 0;
}
hipError_t hipMemsetAsync(void* to, int value, size_t size, handle stream) {
  (void)stream;
  return hipMemset(to, value, size);
}

hipError_t hipStreamCreate(handle* out) { return make_handle(out); }
hipError_t hipStreamCreateWithFlags(handle* out, unsigned flags) {
  (void)flags;
  return make_handle(out);
}
hipError_t hipStreamDestroy(handle stream) { return drop_handle(stream); }
hipError_t hipStreamSynchronize(handle stream) {
  (void)stream;
  return 0;
}
hipError_t hipStreamSynchronize_spt(handle stream) { return hipStreamSynchronize(stream); }
hipError_t hipMemsetAsync_spt(void* to, int value, size_t size, handle stream) {
  return hipMemsetAsync(to, value, size, stream);
}
hipError_t hipEventCreate(handle* out) { return make_handle(out); }
hipError_t hipEventDestroy(handle event) { return drop_handle(event); }
hipError_t hipEventRecord(handle event, handle stream) {
  (void)stream;
  return say(event != NULL ? 0 : 400);
}
hipError_t hipStreamWaitEvent(handle stream, handle event, unsigned flags) {
  (void)stream, (void)flags;
  return say(event != NULL ? 0 : 400);
}

hipError_t hipGraphCreate(handle* out, unsigned flags) { return say(flags) ? 1 : make_handle(out); }
hipError_t hipGraphDestroy(handle graph) { return drop_handle(graph); }
hipError_t hipGraphInstantiate(handle* out, handle graph, handle* bad, char* log, size_t size) {
  (void)bad, (void)log, (void)size;
  return graph != NULL ? make_handle(out) : say(1);
}
hipError_t hipGraphLaunch(handle exec, handle stream) {
  (void)stream;
  return say(exec != NULL ? 0 : 1);
}
hipError_t hipGraphExecDestroy(handle exec) { return drop_handle(exec); }
hipError_t hipStreamBeginCapture(handle stream, int mode) {
  (void)mode;
  return say(stream != NULL ? 0 : 1);
}
hipError_t hipStreamEndCapture(handle stream, handle* out) {
  return stream != NULL ? make_handle(out) : say(1);
}

// What no ledger tracks passes through.
hipError_t hipRuntimeGetVersion(int* version) { return (*version = 70000000), 0; }
