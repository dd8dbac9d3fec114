/* Tells a program where its first thread's stack lies without /proc, which runs do not have and glibc would read.
 * Mono asks for it before anything else. Preloaded for it alone; see Dockerfile.languages.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

extern void *__libc_stack_end;

int pthread_getattr_np(pthread_t thread, pthread_attr_t *attributes) {
  static int (*original)(pthread_t, pthread_attr_t *);
  if (!original) original = (int (*)(pthread_t, pthread_attr_t *))dlsym(RTLD_NEXT, "pthread_getattr_np");
  if (!pthread_equal(thread, pthread_self()) || getpid() != syscall(SYS_gettid)) return original(thread, attributes);
  struct rlimit limit;
  if (getrlimit(RLIMIT_STACK, &limit)) return original(thread, attributes);
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  uintptr_t end = ((uintptr_t)__libc_stack_end + page) & ~(page - 1);
  uintptr_t size = limit.rlim_cur == RLIM_INFINITY ? (uintptr_t)8 << 20 : limit.rlim_cur & ~(page - 1);
  pthread_attr_init(attributes);
  return pthread_attr_setstack(attributes, (void *)(end - size), size);
}
