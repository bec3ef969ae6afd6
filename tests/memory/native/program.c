// A native HIP program as the ledger sees one under LD_PRELOAD: argv[1] names what it does wrong.
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef void* handle;
typedef struct {
  char reserved[64];
} hipIpcMemHandle_t;
int hipInit(unsigned flags);
int hipGetDeviceCount(int* count);
int hipMalloc(void** out, size_t size);
int hipFree(void* memory);
int hipHostFree(void* memory);
int hipIpcGetMemHandle(hipIpcMemHandle_t* out, void* memory);
int hipIpcOpenMemHandle(void** out, hipIpcMemHandle_t given, unsigned flags);
int hipIpcCloseMemHandle(void* memory);
int hipMemcpy(void* to, const void* from, size_t size, int kind);
int hipMemset(void* to, int value, size_t size);
int hipMemsetAsync(void* to, int value, size_t size, handle stream);
int hipStreamCreateWithFlags(handle* out, unsigned flags);
int hipStreamDestroy(handle stream);
int hipStreamSynchronize(handle stream);
int hipDeviceSynchronize(void);
int hipMallocArray(handle* out, const void* desc, size_t width, size_t height, unsigned flags);
int hipFreeArray(handle array);
int hipStreamBeginCapture(handle stream, int mode);
int hipStreamEndCapture(handle stream, handle* graph);
int hipGraphInstantiate(handle* exec, handle graph, handle* bad, char* log, size_t size);
int hipGraphLaunch(handle exec, handle stream);
int hipGraphExecDestroy(handle exec);
int hipGraphDestroy(handle graph);
int hipStreamSynchronize_spt(handle stream);
int hipMemsetAsync_spt(void* to, int value, size_t size, handle stream);
int hipRuntimeGetVersion(int* version);
unsigned long hipPlainCalls(int which);

enum { kAllocations, kFrees, kCopies, kHostToDevice = 1, kDeviceToHost = 2 };

__attribute__((noinline)) static char* make(size_t size) {
  void* memory = NULL;
  if (hipMalloc(&memory, size) != 0) exit(90);
  return memory;
}

static void graph(int early) {
  handle stream, made, exec;
  char* memory = make(64);
  hipStreamCreateWithFlags(&stream, 1);
  hipStreamBeginCapture(stream, 0);
  hipMemsetAsync(memory, 1, 64, stream);
  hipStreamEndCapture(stream, &made);
  hipGraphInstantiate(&exec, made, NULL, NULL, 0);
  hipGraphLaunch(exec, stream);
  hipStreamSynchronize(stream);
  hipFree(memory);
  if (early) printf("launch %d\n", hipGraphLaunch(exec, stream));
  hipGraphExecDestroy(exec);
  hipGraphDestroy(made);
  hipStreamDestroy(stream);
}

static void streams(int wait) {
  handle one, two;
  char* memory = make(64);
  hipStreamCreateWithFlags(&one, 1);
  hipStreamCreateWithFlags(&two, 1);
  hipMemsetAsync(memory, 1, 64, one);
  if (wait) hipStreamSynchronize(one);
  hipMemsetAsync(memory, 2, 64, two);
  hipDeviceSynchronize();
  hipStreamDestroy(one);
  hipStreamDestroy(two);
  hipFree(memory);
}

static void per_thread(int wait) {
  handle other;
  char* memory = make(64);
  hipStreamCreateWithFlags(&other, 1);
  hipMemsetAsync_spt(memory, 1, 64, NULL);
  if (wait) hipStreamSynchronize_spt(NULL);
  hipMemsetAsync(memory, 2, 64, other);
  hipDeviceSynchronize();
  hipStreamDestroy(other);
  hipFree(memory);
}

// Memory of another process, as this one sees it.
static void ipc(const char* what) {
  hipIpcMemHandle_t shared;
  void* view = NULL;
  char host[8];
  char* memory = make(64);
  hipIpcGetMemHandle(&shared, memory);
  hipIpcOpenMemHandle(&view, shared, 0);
  if (strcmp(what, "ipc-freed") == 0) printf("free %d\n", hipFree(view));
  if (strcmp(what, "ipc-kept") != 0) hipIpcCloseMemHandle(view);  // right behind a wrong one too
  if (strcmp(what, "ipc-closed-twice") == 0) printf("close %d\n", hipIpcCloseMemHandle(view));
  if (strcmp(what, "ipc-used-after") == 0)
    printf("copy %d\n", hipMemcpy(host, view, sizeof host, kDeviceToHost));
  hipFree(memory);
}

static void arrays(int keep) {
  handle array;
  hipMallocArray(&array, NULL, 4, 4, 0);
  if (!keep) hipFreeArray(array);
}

// What a kernel would do to device memory, this library's being the host's own.
static void stray(int where) {
  char* memory = make(100);
  if (where < 2) memory[where == 0 ? 100 : -1] = 7;
  hipMemset(memory, 0, 100);
  if (where == 3) hipDeviceSynchronize();
  hipFree(memory);
  if (where == 2) memory[10] = 7;
}

static long resident_kib(void) {
  long all = 0, resident = 0;
  FILE* file = fopen("/proc/self/statm", "r");
  if (file == NULL || fscanf(file, "%ld %ld", &all, &resident) != 2) exit(91);
  fclose(file);
  return resident * 4;
}

static void* churn(void* rounds) {
  handle stream;
  for (long i = 0; i < (long)rounds; ++i) {
    char* memory = make(1 + i % 4096);
    hipStreamCreateWithFlags(&stream, i % 2);
    hipMemsetAsync(memory, 1, 1, stream);
    hipStreamDestroy(stream);
    hipFree(memory);
  }
  return NULL;
}

// How much memory a million events take once the ledger has seen a few of them.
static int busy(void) {
  churn((void*)50000);
  long before = resident_kib();
  churn((void*)200000);
  printf("%ld KiB more\n", resident_kib() - before);
  return 0;
}

static int threads(void) {
  pthread_t started[16];
  for (int i = 0; i < 16; ++i) pthread_create(&started[i], NULL, churn, (void*)2000);
  for (int i = 0; i < 16; ++i) pthread_join(started[i], NULL);
  return 0;
}

// The child forks while other threads hold the ledger's locks, and answers for its own alone.
static int forks(void) {
  pthread_t other;
  char* memory = make(64);
  pthread_create(&other, NULL, churn, (void*)20000);
  for (int i = 0; i < 10; ++i) {
    pid_t child = fork();
    if (child == 0) {
      hipFree(make(32));
      exit(0);
    }
    int status = 1;
    if (waitpid(child, &status, 0) != child || status != 0) exit(92);
  }
  pthread_join(other, NULL);
  hipFree(memory);
  return 0;
}

static int copies(const char* what) {
  char host[64] = {0};
  char* memory = make(32);
  int freed = strcmp(what, "copy-freed") == 0;
  if (freed) hipFree(memory);
  unsigned long before = hipPlainCalls(kCopies);
  int status = 0;
  if (strcmp(what, "copy-too-long") == 0) status = hipMemcpy(memory, host, 64, kHostToDevice);
  if (strcmp(what, "copy-beside") == 0) status = hipMemcpy(host, memory + 40, 8, kDeviceToHost);
  if (strcmp(what, "copy-wrong-way") == 0) status = hipMemcpy(memory, host, 32, kDeviceToHost);
  if (strcmp(what, "copy-right-way") == 0) status = hipMemcpy(memory, host, 32, kHostToDevice);
  if (freed) status = hipMemcpy(host, memory, 32, kDeviceToHost);
  printf("copy %d, copies below %lu\n", status, hipPlainCalls(kCopies) - before);
  if (!freed) hipFree(memory);
  return 0;
}

static int frees(const char* what) {
  char* memory = make(64);
  if (strcmp(what, "leak") == 0) return 0;
  if (strcmp(what, "leak-and-fail") == 0) return 5;
  if (strcmp(what, "wrong-free") == 0) {
    unsigned long frees = hipPlainCalls(kFrees);
    int wrong = hipHostFree(memory);
    int right = hipFree(memory);
    printf("frees %d %d, below %lu\n", wrong, right, hipPlainCalls(kFrees) - frees);
    return 0;
  }
  if (strcmp(what, "inside") == 0) printf("free %d\n", hipFree(memory + 16));
  hipFree(memory);
  unsigned long before = hipPlainCalls(kFrees);
  if (strcmp(what, "double-free") == 0) printf("free %d\n", hipFree(memory));
  if (strcmp(what, "clean") != 0) printf("frees below %lu\n", hipPlainCalls(kFrees) - before);
  hipFree(NULL);
  return 0;
}

int main(int count, char** words) {
  const char* what = count > 1 ? words[1] : "clean";
  if (strcmp(what, "busy") == 0) return busy();
  if (strcmp(what, "threads") == 0) return threads();
  if (strcmp(what, "forks") == 0) return forks();
  if (strncmp(what, "copy", 4) == 0) return copies(what);
  if (strcmp(what, "past-the-end") == 0) return stray(0), 0;
  if (strcmp(what, "before-the-start") == 0) return stray(1), 0;
  if (strcmp(what, "after-free") == 0) return stray(2), 0;
  if (strcmp(what, "guarded") == 0) return stray(3), 0;
  if (strcmp(what, "streams") == 0) return streams(1), 0;
  if (strcmp(what, "streams-unordered") == 0) return streams(0), 0;
  if (strcmp(what, "per-thread") == 0) return per_thread(1), 0;
  if (strcmp(what, "per-thread-unordered") == 0) return per_thread(0), 0;
  if (strcmp(what, "graph") == 0) return graph(0), 0;
  if (strcmp(what, "graph-of-freed") == 0) return graph(1), 0;
  if (strncmp(what, "ipc", 3) == 0) return ipc(what), 0;
  if (strcmp(what, "array") == 0) return arrays(0), 0;
  if (strcmp(what, "array-kept") == 0) return arrays(1), 0;
  return frees(what);
}
