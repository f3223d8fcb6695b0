// The floor: what the system alone takes of a server that answers pipelined requests of a known size with replies of a known size.
//
// It waits (epoll), reads, divides the bytes that came by the size of a request, and writes as many copies of the reply, all replies of one
// read in one write. It parses nothing, looks nothing up and keeps nothing: what it spends is the socket calls and what the system does in
// them, and no server that is asked through sockets, one read and one write for what has come, spends less.
//
//   floor PORT REQUEST REPLY      one request and one reply, as bytes; what does not begin like the request is answered with an error

#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>

enum { read_bytes = 64 * 1024, connections_max = 4096, events_max = 1024, alike_bytes = 8 };

static char input[read_bytes];
static char *replies;                     // the reply, again and again
static size_t left[connections_max];      // by descriptor: bytes of a request that is not whole yet
static const char error_reply[] = "-ERR this is the floor\r\n";

static void fail(const char *what) {
  fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
  exit(1);
}

// Replies are smaller than what the kernel's buffers take of a client that reads: a write that is cut short ends the measurement.
static void send_all(int peer, const char *bytes, size_t size) {
  if (size > 0 && write(peer, bytes, size) != (ssize_t)size) fail("write");
}

static void answer(int peer, const char *request, size_t request_bytes, size_t reply_bytes) {
  ssize_t size = read(peer, input, sizeof input);
  if (size < 0 && errno == EAGAIN) return;
  if (size <= 0) {
    close(peer);
    return;
  }
  if (left[peer] == 0 && (size < alike_bytes || memcmp(input, request, alike_bytes) != 0)) {
    // What a client asks before it begins: as many errors as there are commands, an inline one being one.
    int commands = input[0] != '*';
    for (char *at = input; at + 1 < input + size; at++) commands += *at == '*' && (at == input || at[-1] == '\n');
    while (commands-- > 0) send_all(peer, error_reply, sizeof error_reply - 1);
    return;
  }
  size_t total = left[peer] + (size_t)size;
  left[peer] = total % request_bytes;
  send_all(peer, replies, total / request_bytes * reply_bytes);
}

int main(int count, char **words) {
  if (count != 4 || strlen(words[2]) < alike_bytes) return fprintf(stderr, "usage: floor PORT REQUEST REPLY\n"), 2;
  size_t request_bytes = strlen(words[2]), reply_bytes = strlen(words[3]);
  size_t copies = read_bytes / request_bytes + 2;
  replies = malloc(copies * reply_bytes);
  if (!replies) fail("memory");
  for (size_t i = 0; i < copies; i++) memcpy(replies + i * reply_bytes, words[3], reply_bytes);

  int yes = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(words[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 1024) < 0) fail("listen");
  int epoll = epoll_create1(0);
  struct epoll_event wanted = {.events = EPOLLIN, .data.fd = listener}, events[events_max];
  if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &wanted) < 0) fail("epoll");
  for (;;) {
    int ready = epoll_wait(epoll, events, events_max, -1);
    for (int i = 0; i < ready; i++) {
      int peer = events[i].data.fd;
      if (peer != listener) {
        answer(peer, words[2], request_bytes, reply_bytes);
        continue;
      }
      peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
      if (peer < 0 || peer >= connections_max) fail("accept");
      setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
      left[peer] = 0;
      wanted.data.fd = peer;
      if (epoll_ctl(epoll, EPOLL_CTL_ADD, peer, &wanted) < 0) fail("epoll_ctl");
    }
  }
}
