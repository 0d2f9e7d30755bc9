/* Preloaded into a Redis: moves its wall clock by what a file says, in ms. Its monotonic clock stays. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *offset_ms;

__attribute__((constructor)) static void map_offset(void) {
  const char *path = getenv("CHAOS_CLOCK_FILE");
  int fd = path ? open(path, O_RDONLY) : -1;
  if (fd < 0) return;
  void *page = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
  if (page != MAP_FAILED) offset_ms = page;
  close(fd);
}

static int64_t real_ns(void) {
  struct timespec now;
  /* Not the libc's own: this is the libc's own for whoever calls it. */
  syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec + (offset_ms ? *offset_ms * 1000000LL : 0);
}

int clock_gettime(clockid_t id, struct timespec *out) {
  if (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE) return (int)syscall(SYS_clock_gettime, id, out);
  int64_t ns = real_ns();
  out->tv_sec = ns / 1000000000LL;
  out->tv_nsec = ns % 1000000000LL;
  return 0;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone) {
  (void)zone;
  int64_t ns = real_ns();
  out->tv_sec = ns / 1000000000LL;
  out->tv_usec = ns % 1000000000LL / 1000;
  return 0;
}

time_t time(time_t *out) {
  time_t seconds = (time_t)(real_ns() / 1000000000LL);
  if (out) *out = seconds;
  return seconds;
}
