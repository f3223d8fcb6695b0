// The ceiling: what one thread of libuv can do at best for `GET /json`.
//
// It reads, counts ends of heads (`\r\n\r\n`), and answers each with the same canned bytes, all replies of one read in one
// write. It parses nothing, routes nothing, serialises nothing, has no limits and no timeouts: it is not a server, it is the
// mark that a server is measured against. Each way of calling libuv here is the cheapest known: one read buffer for all
// connections, `uv_try_write` (libuv 1.44's `uv_write` costs an epoll_ctl each time), what does not fit queued.
//
//   ceiling --port N [--body TEXT]      port 0 picks a free one; prints `listening http 127.0.0.1:PORT`, then `ready`

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <uv.h>

enum { read_bytes = 64 * 1024, replies_max = 1024, reply_bytes_max = 1024 };

static char input[read_bytes];                         // one loop, one read at a time: one buffer will do
static char replies[replies_max * reply_bytes_max];    // the reply, again and again: n of them are its first n * size bytes
static size_t reply_size;

typedef struct {
  uv_tcp_t tcp;
  int matched;  // bytes of "\r\n\r\n" seen at the end of the last read
} connection;

typedef struct {
  uv_write_t write;
  char bytes[];
} queued;

static void fail(int status, const char *what) {
  if (status >= 0) return;
  fprintf(stderr, "ceiling: %s: %s\n", what, uv_strerror(status));
  exit(1);
}

static void closed(uv_handle_t *handle) { free(handle); }
static void hang_up(uv_stream_t *stream) {
  if (!uv_is_closing((uv_handle_t *)stream)) uv_close((uv_handle_t *)stream, closed);
}

static void wrote(uv_write_t *write, int status) {
  if (status < 0) hang_up(write->handle);
  free(write);
}

static void answer(uv_stream_t *stream, size_t count) {
  while (count > 0) {
    size_t batch = count < replies_max ? count : replies_max;
    size_t size = batch * reply_size;
    uv_buf_t all = uv_buf_init(replies, (unsigned)size);
    int sent = uv_try_write(stream, &all, 1);
    if (sent == UV_EAGAIN) sent = 0;
    if (sent < 0) return hang_up(stream);
    if ((size_t)sent < size) {
      queued *rest = malloc(sizeof *rest + size - sent);
      memcpy(rest->bytes, replies + sent, size - sent);
      uv_buf_t buffer = uv_buf_init(rest->bytes, (unsigned)(size - sent));
      if (uv_write(&rest->write, stream, &buffer, 1, wrote) < 0) return hang_up(stream);
    }
    count -= batch;
  }
}

static void lend_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
  (void)handle, (void)suggested;
  *buffer = uv_buf_init(input, read_bytes);
}

static void received(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer) {
  if (size == 0) return;
  if (size < 0) return hang_up(stream);
  connection *c = (connection *)stream;
  size_t heads = 0;
  int matched = c->matched;
  const char *at = buffer->base, *end = at + size;
  while (at < end) {
    if (matched == 0) {
      at = memchr(at, '\r', end - at);
      if (!at) break;
    }
    char byte = *at++;
    matched = byte == "\r\n\r\n"[matched] ? matched + 1 : byte == '\r';
    if (matched == 4) heads++, matched = 0;
  }
  c->matched = matched;
  if (heads) answer(stream, heads);
}

static void accepted(uv_stream_t *listener, int status) {
  if (status < 0) return;
  connection *c = calloc(1, sizeof *c);
  uv_tcp_init(listener->loop, &c->tcp);
  if (uv_accept(listener, (uv_stream_t *)&c->tcp) < 0) return hang_up((uv_stream_t *)&c->tcp);
  uv_tcp_nodelay(&c->tcp, 1);
  uv_read_start((uv_stream_t *)&c->tcp, lend_buffer, received);
}

static void stop(uv_signal_t *signal, int number) {
  (void)number;
  uv_stop(signal->loop);
}

int main(int count, char **arguments) {
  int port = 0;
  const char *body = "{\"message\":\"Hello, World!\"}";
  for (int i = 1; i + 1 < count; i += 2) {
    if (!strcmp(arguments[i], "--port")) port = atoi(arguments[i + 1]);
    else if (!strcmp(arguments[i], "--body")) body = arguments[i + 1];
    else return fprintf(stderr, "ceiling: unknown option %s\n", arguments[i]), 2;
  }
  // The same fields, and so the same size, as martlet's reply to `GET /json`; the Date stands still.
  char reply[reply_bytes_max];
  reply_size = snprintf(reply, sizeof reply,
    "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
    strlen(body), body);
  if (reply_size >= sizeof reply) return fprintf(stderr, "ceiling: the body is too long\n"), 2;
  for (size_t i = 0; i < replies_max; i++) memcpy(replies + i * reply_size, reply, reply_size);

  uv_loop_t *loop = uv_default_loop();
  uv_tcp_t listener;
  struct sockaddr_in address;
  fail(uv_tcp_init(loop, &listener), "socket");
  fail(uv_ip4_addr("127.0.0.1", port, &address), "address");
  fail(uv_tcp_bind(&listener, (const struct sockaddr *)&address, 0), "bind");
  fail(uv_listen((uv_stream_t *)&listener, 1024, accepted), "listen");
  int size = sizeof address;
  fail(uv_tcp_getsockname(&listener, (struct sockaddr *)&address, &size), "port");
  uv_signal_t term;
  fail(uv_signal_init(loop, &term), "signal");
  fail(uv_signal_start(&term, stop, SIGTERM), "signal");
  printf("listening http 127.0.0.1:%d\nready\n", ntohs(address.sin_port));
  fflush(stdout);
  uv_run(loop, UV_RUN_DEFAULT);
  return 0;
}
