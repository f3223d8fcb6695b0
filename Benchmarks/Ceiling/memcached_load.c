/* memcached's text protocol at full speed from many connections: for the server's CPU time per command. Prints one line of JSON.
 *
 *   memcached_load PORT CONNECTIONS DEPTH COMMANDS KEYS VALUE_BYTES fill|get|set|get16 SEED
 *
 * Every connection sends DEPTH commands in one write and waits for all replies. Keys are of 16 bytes, drawn at random (`fill`: each once);
 * `get16` asks for 16 keys at a time. Every reply is looked at: a `set` is STORED, a `get` finds its key with a value that begins with it.
 * Linux (epoll). */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { KEY_BYTES = 16, BATCH_MAX = 1 << 17 };

struct peer {
  int socket;
  int owed;           /* commands whose replies have not come */
  char *expected;     /* what must come next, exactly */
  size_t expected_count, received;
};

static int depth, value_bytes, keys_per_command;
static long keys, left, next_key;
static int is_fill, is_set;
static uint64_t seed;
static char *request, *input;

static void fail(const char *what) {
  fprintf(stderr, "memcached_load: %s: %s\n", what, strerror(errno));
  exit(1);
}

static uint64_t random_number(void) {
  seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
  return seed;
}

static long draw(void) { return is_fill ? next_key++ : (long)(random_number() % keys); }

/* A value begins with its key, so that a reply shows whose it is. */
static char *append_value(char *place, long key) {
  int count = value_bytes < KEY_BYTES ? 0 : sprintf(place, "key:%012ld", key);
  memset(place + count, 'v', value_bytes - count);
  place += value_bytes;
  return memcpy(place, "\r\n", 2), place + 2;
}

static void send_batch(struct peer *peer) {
  char *place = request, *reply = peer->expected;
  int count = left < depth ? (int)left : depth;
  for (int index = 0; index < count; index++) {
    if (is_set) {
      long key = draw();
      place = append_value(place + sprintf(place, "set key:%012ld 0 0 %d\r\n", key, value_bytes), key);
      reply = (char *)memcpy(reply, "STORED\r\n", 8) + 8;
    } else {
      place = (char *)memcpy(place, "get", 3) + 3;
      for (int each = 0; each < keys_per_command; each++) {
        long key = draw();
        place += sprintf(place, " key:%012ld", key);
        reply = append_value(reply + sprintf(reply, "VALUE key:%012ld 0 %d\r\n", key, value_bytes), key);
      }
      place = (char *)memcpy(place, "\r\n", 2) + 2;
      reply = (char *)memcpy(reply, "END\r\n", 5) + 5;
    }
  }
  left -= count, peer->owed = count;
  peer->expected_count = reply - peer->expected, peer->received = 0;
  for (char *from = request; from < place;) {
    ssize_t sent = send(peer->socket, from, place - from, MSG_NOSIGNAL);
    if (sent < 0) fail("send");
    from += sent;
  }
}

/* True: all replies of the batch have come. */
static int receive(struct peer *peer) {
  ssize_t got = recv(peer->socket, input, BATCH_MAX, MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return 0;
  if (got <= 0) fail("the server has closed");
  if (peer->received + got > peer->expected_count || memcmp(input, peer->expected + peer->received, got) != 0) {
    fprintf(stderr, "memcached_load: a wrong reply: %.*s\n", (int)(got < 200 ? got : 200), input);
    exit(1);
  }
  peer->received += got;
  return peer->received == peer->expected_count;
}

int main(int argc, char **argv) {
  if (argc != 9) return fprintf(stderr, "memcached_load PORT CONNECTIONS DEPTH COMMANDS KEYS VALUE_BYTES fill|get|set|get16 SEED\n"), 2;
  int count = atoi(argv[2]);
  depth = atoi(argv[3]), left = atol(argv[4]), keys = atol(argv[5]), value_bytes = atoi(argv[6]);
  is_fill = strcmp(argv[7], "fill") == 0, is_set = is_fill || strcmp(argv[7], "set") == 0;
  keys_per_command = strcmp(argv[7], "get16") == 0 ? 16 : 1;
  seed = strtoull(argv[8], NULL, 10) * 0x9E3779B97F4A7C15u | 1;
  if (is_fill) left = keys;
  long commands = left;
  size_t each = (size_t)depth * keys_per_command * (value_bytes + 64) + 64;
  request = malloc(each), input = malloc(BATCH_MAX);
  struct peer *peers = calloc(count, sizeof *peers);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int poll = epoll_create1(0), on = 1, open = 0;
  for (int index = 0; index < count; index++) {
    peers[index].socket = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(peers[index].socket, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
    setsockopt(peers[index].socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    peers[index].expected = malloc(each);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &peers[index]};
    epoll_ctl(poll, EPOLL_CTL_ADD, peers[index].socket, &event);
  }
  struct timespec begin, end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  for (int index = 0; index < count && left > 0; index++) send_batch(&peers[index]), open++;
  while (open > 0) {
    struct epoll_event events[64];
    int ready = epoll_wait(poll, events, 64, 10000);
    if (ready <= 0) fail("no reply within 10 s");
    for (int index = 0; index < ready; index++) {
      struct peer *peer = events[index].data.ptr;
      if (!receive(peer)) continue;
      if (left > 0) send_batch(peer); else open--;
    }
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  double seconds = (end.tv_sec - begin.tv_sec) + (end.tv_nsec - begin.tv_nsec) / 1e9;
  printf("{\"commands\":%ld,\"seconds\":%.6f,\"rate\":%.0f}\n", commands, seconds, commands / seconds);
  return 0;
}
