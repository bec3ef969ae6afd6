// Programs on the emulated device whose host code uses pinned memory: argv[1] says which.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef void* stream_t;
typedef void* event_t;
int hipMalloc(void**, size_t);
int hipFree(void*);
int hipHostMalloc(void**, size_t, unsigned);
int hipHostFree(void*);
int hipMallocManaged(void**, size_t, unsigned);
int hipHostRegister(void*, size_t, unsigned);
int hipHostUnregister(void*);
int hipMemcpy(void*, const void*, size_t, int);
int hipMemcpyAsync(void*, const void*, size_t, int, stream_t);
int hipMemsetAsync(void*, int, size_t, stream_t);
int hipStreamCreateWithFlags(stream_t*, unsigned);
int hipStreamDestroy(stream_t);
int hipStreamSynchronize(stream_t);
int hipStreamQuery(stream_t);
int hipStreamWaitEvent(stream_t, event_t, unsigned);
int hipDeviceSynchronize(void);
int hipEventCreate(event_t*);
int hipEventDestroy(event_t);
int hipEventRecord(event_t, stream_t);
int hipEventSynchronize(event_t);
int hipEventQuery(event_t);
int hipLaunchHostFunc(stream_t, void (*)(void*), void*);

enum { kToDevice = 1, kToHost = 2, kBytes = 1 << 16 };

static stream_t one, two;
static event_t event;
static char *device, *pinned, *other;
static volatile long sum;

static void check(int status) {
  if (status != 0) abort();
}

static long __attribute__((noinline)) add(const char* from, size_t bytes) {
  long total = 0;
  for (size_t i = 0; i < bytes; ++i) total += ((const volatile char*)from)[i];
  return total;
}

static void fetch(stream_t stream) {
  check(hipMemcpyAsync(pinned, device, kBytes, kToHost, stream));
}
static void send(stream_t stream) {
  check(hipMemcpyAsync(device, pinned, kBytes, kToDevice, stream));
}

// Faults.
static void load(void) {
  fetch(one);
  sum = add(pinned, kBytes);
}
static void store(void) {
  send(one);
  memset(pinned, 1, kBytes);
}
static void wrong_stream(void) {
  fetch(one);
  check(hipStreamSynchronize(two));
  sum = add(pinned, 8);
}
static void early_event(void) {
  check(hipEventRecord(event, one));
  fetch(one);
  check(hipEventSynchronize(event));
  sum = add(pinned, 8);
}
static void filled(void) {
  check(hipMemsetAsync(pinned, 3, kBytes, one));
  sum = add(pinned + 5000, 1);
}
static void managed(void) {
  char* both;
  check(hipMallocManaged((void**)&both, kBytes, 1));
  check(hipMemcpyAsync(both, device, kBytes, 3, one));
  sum = add(both, 1);
  check(hipDeviceSynchronize());
  check(hipFree(both));
}
static void registered(void) {
  char* own = malloc(kBytes);
  check(hipHostRegister(own, kBytes, 0));
  check(hipMemcpyAsync(own, device, kBytes, kToHost, one));
  sum = add(own + 8192, 1);
  check(hipDeviceSynchronize());
  check(hipHostUnregister(own));
  free(own);
}
static void* thread_load(void* unused) {
  sum = add(pinned, 16);
  return unused;
}
static void called_back(void* unused) { thread_load(unused); }
static void in_thread(void) {
  pthread_t thread;
  fetch(one);
  pthread_create(&thread, NULL, thread_load, NULL);
  pthread_join(thread, NULL);
}
static void callback_of_other(void) {
  fetch(one);
  check(hipLaunchHostFunc(two, called_back, NULL));
}
static void library_call(void) {
  fetch(one);
  sum = memchr(pinned, 9, kBytes) != NULL;
}

static void to_file(void) {
  fetch(one);
  FILE* file = tmpfile();
  if (fwrite(pinned, 1, kBytes, file) != kBytes) abort();
  fclose(file);
}
static void from_file(void) {
  FILE* file = fopen("/dev/zero", "r");
  send(one);
  if (read(fileno(file), pinned, kBytes) != kBytes) abort();
  fclose(file);
}

// Right.
static void waited(void) {
  fetch(one);
  check(hipStreamSynchronize(one));
  sum = add(pinned, kBytes);
}
static void queried(void) {
  fetch(one);
  while (hipStreamQuery(one) != 0) {
  }
  sum = add(pinned, kBytes);
}
static void event_queried(void) {
  fetch(one);
  check(hipEventRecord(event, one));
  while (hipEventQuery(event) != 0) {
  }
  sum = add(pinned, kBytes);
}
static void through_two(void) {
  fetch(one);
  check(hipEventRecord(event, one));
  check(hipStreamWaitEvent(two, event, 0));
  check(hipStreamSynchronize(two));
  memset(pinned, 0, kBytes);
}
static void reads_while_sent(void) {
  send(one);
  sum = add(pinned, kBytes);
  check(hipDeviceSynchronize());
  memset(pinned, 1, 9);
}
static void other_half(void) {
  check(hipMemcpyAsync(pinned, device, kBytes / 2 + 100, kToHost, one));
  memset(pinned + kBytes / 2 + 100, 1, kBytes / 2 - 100);
  sum = add(pinned + kBytes / 2 + 100, 100);
  check(hipDeviceSynchronize());
}
static void chained(void) {
  for (int i = 0; i < 100; ++i) {
    send(one);
    fetch(one);
  }
  check(hipMemcpyAsync(other, pinned, kBytes, 0, one));
  check(hipStreamSynchronize(one));
  sum = add(pinned, kBytes) + add(other, kBytes);
}
static void blocking_copy(void) {
  fetch(NULL);
  check(hipMemcpy(other, device, kBytes, kToHost));
  sum = add(pinned, 9);
}
static void freed(void) { fetch(one); }
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int done;
static void tell_host(void* unused) {
  (void)unused;
  sum = add(pinned, kBytes);
  pthread_mutex_lock(&mutex);
  done = 1;
  pthread_cond_signal(&condition);
  pthread_mutex_unlock(&mutex);
}
static void callback(void) {
  fetch(one);
  check(hipLaunchHostFunc(one, tell_host, NULL));
  pthread_mutex_lock(&mutex);
  while (!done) pthread_cond_wait(&condition, &mutex);
  pthread_mutex_unlock(&mutex);
  sum = add(pinned, kBytes);
}
static void written_out(void) {
  int ends[2];
  char head[4096];
  if (pipe(ends) != 0) abort();
  fetch(one);
  check(hipStreamSynchronize(one));
  if (write(ends[1], pinned, 4096) != 4096 || read(ends[0], head, 4096) != 4096) abort();
  send(one);
  if (write(ends[1], pinned, 4096) != 4096) abort();
  check(hipStreamSynchronize(one));
  if (read(ends[0], pinned, 4096) != 4096) abort();
}
static void forks(void) {
  fetch(one);
  pid_t child = fork();
  if (child == 0) _exit(add(pinned, kBytes) == 0x01010101);
  int status;
  if (waitpid(child, &status, 0) != child || status != 0) abort();
  check(hipStreamSynchronize(one));
  sum = add(pinned, kBytes);
}
static void* worker(void* unused) {
  stream_t own;
  char *mine, *there;
  check(hipStreamCreateWithFlags(&own, 1));
  check(hipHostMalloc((void**)&mine, 20000, 0));
  check(hipMalloc((void**)&there, 20000));
  for (int i = 0; i < 300; ++i) {
    memset(mine, i, 20000);
    check(hipMemcpyAsync(there, mine, 20000, kToDevice, own));
    check(hipStreamSynchronize(own));
    memset(mine, 0, 20000);
    check(hipMemcpyAsync(mine, there, 20000, kToHost, own));
    check(i % 2 ? hipStreamSynchronize(own) : hipStreamQuery(own));
    if (mine[0] != (char)i || mine[19999] != (char)i) abort();
  }
  check(hipFree(there));
  check(hipHostFree(mine));
  check(hipStreamDestroy(own));
  return unused;
}
static void threads(void) {
  pthread_t all[16];
  for (int i = 0; i < 16; ++i) pthread_create(&all[i], NULL, worker, NULL);
  for (int i = 0; i < 16; ++i) pthread_join(all[i], NULL);
}

static const struct {
  const char* name;
  void (*run)(void);
} kinds[] = {
    {"load", load},
    {"store", store},
    {"wrong-stream", wrong_stream},
    {"early-event", early_event},
    {"filled", filled},
    {"managed", managed},
    {"registered", registered},
    {"in-thread", in_thread},
    {"callback-of-other", callback_of_other},
    {"library-call", library_call},
    {"to-file", to_file},
    {"from-file", from_file},
    {"waited", waited},
    {"queried", queried},
    {"event-queried", event_queried},
    {"through-two", through_two},
    {"reads-while-sent", reads_while_sent},
    {"other-half", other_half},
    {"chained", chained},
    {"blocking-copy", blocking_copy},
    {"freed", freed},
    {"callback", callback},
    {"written-out", written_out},
    {"forks", forks},
    {"threads", threads},
};

int main(int count, char** words) {
  check(hipStreamCreateWithFlags(&one, 1));
  check(hipStreamCreateWithFlags(&two, 1));
  check(hipEventCreate(&event));
  check(hipMalloc((void**)&device, kBytes));
  check(hipHostMalloc((void**)&pinned, kBytes, 0));
  check(hipHostMalloc((void**)&other, kBytes, 0));
  memset(pinned, 1, kBytes);
  check(hipMemcpy(device, pinned, kBytes, kToDevice));
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; ++i)
    if (count == 2 && strcmp(kinds[i].name, words[1]) == 0) kinds[i].run();
  check(hipDeviceSynchronize());
  check(hipEventDestroy(event));
  check(hipHostFree(pinned));
  check(hipHostFree(other));
  check(hipFree(device));
  check(hipStreamDestroy(one));
  check(hipStreamDestroy(two));
  return 0;
}
