// A ring of messages between two processes in C: one sender, one receiver, shared memory, and nothing else: no locks, no
// sleep, no proof of death. `ring SIZE CAPACITY OBJECT`, then a count a line on stdin. It shows the cost of moving the
// bytes. The object's name is not used: the memory is anonymous, and shared with the child by fork.

#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

struct shared {
  _Alignas(128) _Atomic uint64_t end;   // bytes sent
  _Alignas(128) _Atomic uint64_t begin; // bytes received
  _Alignas(128) char bytes[];
};

// Each message is its length in 8 bytes, and its payload, padded to a multiple of 8. A length that does not fit before the
// end of the ring goes to the start, as in a channel.
enum { RECORD = 8 };

static uint64_t size, capacity, record;
static struct shared *ring;

// The other process has nothing for us: after some looks it may need this processor.
static void wait_a_little(unsigned *looks) {
  if (++*looks % 64 == 0) sched_yield();
#if defined(__x86_64__)
  else __builtin_ia32_pause();
#endif
}

// Receives as many messages as each number from the pipe says. Between two streams it sleeps: the other contenders have
// their turn then.
static void receive(int announced) {
  char *target = malloc(size);
  uint64_t begin = 0, end = 0, missing = 0;
  for (unsigned looks = 0;;) {
    if (missing == 0 && read(announced, &missing, sizeof missing) != sizeof missing) return;
    if (begin == end) {
      end = atomic_load_explicit(&ring->end, memory_order_acquire);
      if (begin == end) {
        wait_a_little(&looks);
        continue;
      }
    }
    uint64_t at = begin % capacity;
    if (capacity - at < record) {
      begin += capacity - at;
      at = 0;
    }
    uint64_t length;
    memcpy(&length, ring->bytes + at, sizeof length);
    memcpy(target, ring->bytes + at + RECORD, length);
    // The compiler must not leave the copy out because nothing reads it.
    __asm__ volatile("" : : "r"(target) : "memory");
    begin += record;
    missing -= 1;
    atomic_store_explicit(&ring->begin, begin, memory_order_release);
  }
}

static void wait_until_received(uint64_t end) {
  for (unsigned looks = 0; atomic_load_explicit(&ring->begin, memory_order_acquire) != end;) wait_a_little(&looks);
}

int main(int count, char **words) {
  if (count < 3) return fputs("usage: ring SIZE CAPACITY OBJECT\n", stderr), 2;
  size = strtoull(words[1], NULL, 10);
  capacity = strtoull(words[2], NULL, 10);
  record = RECORD + (size + 7) / 8 * 8;
  ring = mmap(NULL, sizeof *ring + capacity, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (ring == MAP_FAILED) return perror("mmap"), 1;
  char *data = malloc(size);
  for (uint64_t i = 0; i < size; i++) data[i] = (char)(i % 251);
  int announced[2];
  if (pipe(announced) < 0) return perror("pipe"), 1;
  pid_t parent = getpid(), child = fork();
  if (child < 0) return perror("fork"), 1;
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent) receive(announced[0]);
    return 0;
  }
  puts("ready");
  fflush(stdout);
  uint64_t end = 0, begin = 0;
  char line[64];
  while (fgets(line, sizeof line, stdin)) {
    uint64_t messages = strtoull(line, NULL, 10);
    struct timespec start, stop;
    clock_gettime(CLOCK_MONOTONIC, &start);
    if (write(announced[1], &messages, sizeof messages) != sizeof messages) return perror("write"), 1;
    unsigned looks = 0;
    for (uint64_t i = 0; i < messages; i++) {
      uint64_t at = end % capacity;
      if (capacity - at < record) {
        end += capacity - at;
        at = 0;
      }
      while (end + record - begin > capacity) {
        begin = atomic_load_explicit(&ring->begin, memory_order_acquire);
        if (end + record - begin > capacity) wait_a_little(&looks);
      }
      memcpy(ring->bytes + at, &size, sizeof size);
      memcpy(ring->bytes + at + RECORD, data, size);
      end += record;
      atomic_store_explicit(&ring->end, end, memory_order_release);
    }
    wait_until_received(end);
    clock_gettime(CLOCK_MONOTONIC, &stop);
    int64_t took = (stop.tv_sec - start.tv_sec) * 1000000000LL + (stop.tv_nsec - start.tv_nsec);
    printf("{\"operations\":%llu,\"nanoseconds\":%lld,\"work\":%llu}\n", (unsigned long long)messages,
           (long long)took, (unsigned long long)(messages * size));
    fflush(stdout);
  }
  kill(child, SIGKILL);
}
