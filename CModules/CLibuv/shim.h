/* libuv for Swift: the library's own header, and as `static inline` what Swift cannot import (variadic calls, GNU extensions,
   differences between Linux and macOS). Every function answers as libuv does: 0 or a value, or the negated errno. */
#ifndef MARTLET_CLIBUV_SHIM_H
#define MARTLET_CLIBUV_SHIM_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>
#if defined(__linux__)
#include <linux/sockios.h>
#include <sys/timerfd.h>
/* Declared by the C library for GNU sources only. */
extern int martlet_accept4(int, struct sockaddr *, socklen_t *, int) __asm__("accept4");
extern int martlet_sched_setaffinity(pid_t, size_t, const unsigned long *) __asm__("sched_setaffinity");
#endif

/* The calling thread runs when others do not want its core, and is off it as soon as they do; it still gets a tenth of one that is busy. */
static inline int martlet_give_way(void) {
#if defined(__linux__)
  errno = 0;
  return nice(10) == -1 && errno != 0 ? -errno : 0; /* of one thread, there; from where it stands */
#else
  return -pthread_set_qos_class_self_np(QOS_CLASS_UTILITY, 0);
#endif
}

static inline int martlet_prepare_descriptor(int fd) {
  if (fcntl(fd, F_SETFD, FD_CLOEXEC) == -1 || fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == -1) return -errno;
  return 0;
}

/* A stream socket that does not block and is not inherited. */
static inline int martlet_socket(int family) {
#if defined(__linux__)
  int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  return fd == -1 ? -errno : fd;
#else
  int fd = socket(family, SOCK_STREAM, 0);
  if (fd == -1) return -errno;
  int code = martlet_prepare_descriptor(fd);
  if (code != 0) close(fd);
  return code != 0 ? code : fd;
#endif
}

/* The next connection in the queue, as a socket that does not block and is not inherited. */
static inline int martlet_accept(int listener, struct sockaddr_storage *address, socklen_t *length) {
  int fd;
#if defined(__linux__)
  do fd = martlet_accept4(listener, (struct sockaddr *)address, length, SOCK_CLOEXEC | SOCK_NONBLOCK);
  while (fd == -1 && errno == EINTR);
  return fd == -1 ? -errno : fd;
#else
  do fd = accept(listener, (struct sockaddr *)address, length);
  while (fd == -1 && errno == EINTR);
  if (fd == -1) return -errno;
  int code = martlet_prepare_descriptor(fd);
  if (code != 0) close(fd);
  return code != 0 ? code : fd;
#endif
}

static inline int martlet_set_option(int fd, int level, int option, int value) {
  return setsockopt(fd, level, option, &value, sizeof value) == -1 ? -errno : 0;
}

/* Bytes written to the socket that the peer has not acknowledged (Unix sockets: not read) yet. */
static inline long martlet_bytes_unsent(int fd) {
  int bytes = 0;
#if defined(__linux__)
  if (ioctl(fd, SIOCOUTQ, &bytes) == -1) return -errno;
#else
  socklen_t length = sizeof bytes;
  if (getsockopt(fd, SOL_SOCKET, SO_NWRITE, &bytes, &length) == -1) return -errno;
#endif
  return bytes;
}

/* Bytes that have arrived and were not read yet. */
static inline long martlet_bytes_unread(int fd) {
  int bytes = 0;
  return ioctl(fd, FIONREAD, &bytes) == -1 ? -errno : bytes;
}

/* Sends without waiting and without SIGPIPE. */
static inline long martlet_send(int fd, const void *bytes, size_t count) {
#if defined(__linux__)
  ssize_t sent = send(fd, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL);
#else
  ssize_t sent = send(fd, bytes, count, MSG_DONTWAIT);
#endif
  return sent == -1 ? -errno : sent;
}

/* Reads and forgets what has arrived, once. */
static inline long martlet_discard(int fd, void *buffer, size_t count) {
  ssize_t received = recv(fd, buffer, count, MSG_DONTWAIT);
  return received == -1 ? -errno : received;
}

/* Raises the soft limit of open files to the hard one; the limit then in force. */
static inline long martlet_raise_descriptor_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == -1) return -errno;
  if (limit.rlim_cur != limit.rlim_max) {
    struct rlimit raised = {limit.rlim_max, limit.rlim_max};
#if defined(__APPLE__)
    if (raised.rlim_cur > OPEN_MAX) raised.rlim_cur = OPEN_MAX;
#endif
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  return limit.rlim_cur > 1L << 30 ? 1L << 30 : (long)limit.rlim_cur;
}

/* Names the calling thread. */
static inline uintptr_t martlet_thread(void) { return (uintptr_t)pthread_self(); }

/* Keeps the calling thread on one core; -ENOSYS where the system has no such call. */
static inline int martlet_pin_thread(int core) {
#if defined(__linux__)
  unsigned long mask[1024 / (8 * sizeof(unsigned long))] = {0};
  if (core < 0 || core >= 1024) return -EINVAL;
  mask[core / (8 * sizeof(unsigned long))] = 1UL << (core % (8 * sizeof(unsigned long)));
  return martlet_sched_setaffinity(0, sizeof mask, mask) == -1 ? -errno : 0;
#else
  (void)core;
  return -ENOSYS;
#endif
}

/* A timer as a descriptor that becomes readable when its time has come; -ENOSYS where there is none. */
static inline int martlet_timer_open(void) {
#if defined(__linux__)
  int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  return fd == -1 ? -errno : fd;
#else
  return -ENOSYS;
#endif
}

/* Sets the timer to a time of the monotonic clock, and makes it unreadable until then; 0: never. */
static inline int martlet_timer_set(int fd, uint64_t nanoseconds) {
#if defined(__linux__)
  struct itimerspec time = {{0, 0}, {(time_t)(nanoseconds / 1000000000), (long)(nanoseconds % 1000000000)}};
  return timerfd_settime(fd, TFD_TIMER_ABSTIME, &time, NULL) == -1 ? -errno : 0;
#else
  (void)fd;
  (void)nanoseconds;
  return -ENOSYS;
#endif
}

/* A descriptor that can be given up when none is left. */
static inline int martlet_open_reserve(void) {
  int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  return fd == -1 ? -errno : fd;
}

#endif
