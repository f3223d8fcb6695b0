/* A stampede: many connections ask for one key that is not there, at once. Whoever is given the lease calls an origin that takes its time
 * (a deadline: nothing blocks meanwhile), and fills. Prints one line of JSON.
 *
 *   herd PORT CONNECTIONS ORIGIN_MS BODY_BYTES KEY
 *
 * Each connection's answer is checked: 200 with the whole body. Linux (epoll). */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum state { WAITING, FILLING, DONE };

struct peer {
  int socket;
  enum state state;
  char *reply; /* what has arrived of it */
  size_t count;
  double answered;
};

static int port, origin_ms;
static size_t body_bytes;
static const char *key;
static double origin_due = -1, filled_at = -1;
static struct peer *filler;
static int leases, fills, refused, retries, answered;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static void fail(const char *what, const char *reply) {
  fprintf(stderr, "herd: %s: %s: %.300s\n", what, strerror(errno), reply ? reply : "");
  exit(1);
}

static void send_all(struct peer *peer, const char *bytes, size_t count) {
  while (count > 0) {
    ssize_t sent = send(peer->socket, bytes, count, MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) continue;
    if (sent < 0) fail("send", NULL);
    bytes += sent, count -= sent;
  }
}

static void ask(struct peer *peer) {
  char request[512];
  int count = snprintf(request, sizeof request, "GET /v1/cache/%s?lease=30&wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n", key);
  peer->state = WAITING;
  send_all(peer, request, count);
}

static char lease[64];

static void fill(void) {
  char *request = malloc(body_bytes + 512);
  int count = sprintf(request, "PUT /v1/cache/%s?ttl=600 HTTP/1.1\r\nHost: localhost\r\nMartlet-Lease: %s\r\nContent-Length: %zu\r\n\r\n",
                      key, lease, body_bytes);
  memset(request + count, 'v', body_bytes);
  filled_at = now();
  send_all(filler, request, count + body_bytes);
  free(request);
  fills++;
  origin_due = -1;
}

/* One whole reply is in peer->reply. */
static void take(struct peer *peer, const char *body, size_t length) {
  int status = atoi(peer->reply + 9);
  if (peer->state == FILLING) {
    if (status != 201 && status != 204) refused++;
    peer->state = DONE, answered++, peer->answered = now();
  } else if (status == 200) {
    if (length != body_bytes || body[0] != 'v' || body[length - 1] != 'v') fail("a wrong body", peer->reply);
    peer->state = DONE, answered++, peer->answered = now();
  } else if (status == 404) {
    const char *field = strstr(peer->reply, "Martlet-Lease: ");
    if (field && field < body) {
      sscanf(field + 15, "%63[^\r]", lease);
      peer->state = FILLING, filler = peer, leases++;
      origin_due = now() + origin_ms;
    } else {
      retries++;
      ask(peer);
    }
  } else {
    fail("a wrong reply", peer->reply);
  }
}

static void receive(struct peer *peer) {
  if (!peer->reply) peer->reply = malloc(body_bytes + 2048);
  ssize_t got = recv(peer->socket, peer->reply + peer->count, body_bytes + 2047 - peer->count, 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) fail("closed", peer->reply);
  peer->count += got;
  peer->reply[peer->count] = 0;
  char *end = strstr(peer->reply, "\r\n\r\n");
  if (!end) return;
  char *field = strstr(peer->reply, "Content-Length: ");
  size_t length = field && field < end ? strtoul(field + 16, NULL, 10) : 0;
  if (peer->count < (size_t)(end + 4 - peer->reply) + length) return;
  peer->count = 0;
  take(peer, end + 4, length);
  free(peer->reply);
  peer->reply = NULL;
}

static int compare(const void *left, const void *right) {
  double difference = *(const double *)left - *(const double *)right;
  return (difference > 0) - (difference < 0);
}

int main(int argc, char **argv) {
  if (argc != 6) return fprintf(stderr, "herd PORT CONNECTIONS ORIGIN_MS BODY_BYTES KEY\n"), 2;
  port = atoi(argv[1]);
  int count = atoi(argv[2]);
  origin_ms = atoi(argv[3]), body_bytes = atoi(argv[4]), key = argv[5];
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);

  struct peer *peers = calloc(count, sizeof *peers);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int poll = epoll_create1(0), on = 1;
  for (int index = 0; index < count; index++) {
    int one = socket(AF_INET, SOCK_STREAM, 0);
    if (one < 0 || connect(one, (struct sockaddr *)&address, sizeof address) < 0) fail("connect", NULL);
    setsockopt(one, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(one, F_SETFL, O_NONBLOCK);
    peers[index].socket = one;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &peers[index]};
    epoll_ctl(poll, EPOLL_CTL_ADD, one, &event);
  }
  printf("ready\n");
  fflush(stdout);
  if (getchar() == EOF) return 1; /* whoever measures has read its clocks */

  double start = now();
  for (int index = 0; index < count; index++) ask(&peers[index]);
  double asked = now();
  struct epoll_event events[512];
  while (answered < count) {
    int wait = 10000;
    if (origin_due >= 0) wait = origin_due <= now() ? 0 : (int)(origin_due - now()) + 1;
    int ready = epoll_wait(poll, events, 512, wait);
    if (ready == 0 && origin_due < 0) fail("nothing for ten seconds", NULL);
    for (int index = 0; index < ready; index++) receive(events[index].data.ptr);
    if (origin_due >= 0 && origin_due <= now()) fill();
  }
  double *times = malloc(count * sizeof *times);
  for (int index = 0; index < count; index++) times[index] = peers[index].answered - start;
  qsort(times, count, sizeof *times, compare);
  printf("{\"connections\":%d,\"leases\":%d,\"fills\":%d,\"refused\":%d,\"retries\":%d,\"asked_ms\":%.1f,\"filled_ms\":%.1f,"
         "\"answered_ms\":{\"first\":%.1f,\"median\":%.1f,\"last\":%.1f}}\n",
         count, leases, fills, refused, retries, asked - start, filled_at - start, times[0], times[count / 2], times[count - 1]);
  fflush(stdout);
  getchar(); /* connections close when the clocks have been read again */
  return 0;
}
