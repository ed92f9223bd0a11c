/* A publisher and a subscriber of nats-server, by its C client (libnats-dev).
 *
 * usage: nats publish URL SIZE COUNT [--paced] | nats subscribe URL SIZE COUNT
 */
#include <nats/nats.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *subject = "0123456789abcdef0123456789abcdef";

static uint64_t clock_of(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return t.tv_sec * 1000000000ull + t.tv_nsec;
}
static uint64_t now(void) { return clock_of(CLOCK_MONOTONIC); }
static uint64_t processor(void) { return clock_of(CLOCK_PROCESS_CPUTIME_ID); }

static void check(natsStatus s, const char *what) {
  if (s == NATS_OK) return;
  fprintf(stderr, "nats: %s: %s\n", what, natsStatus_GetText(s));
  exit(1);
}

static natsConnection *open_connection(const char *url) {
  natsOptions *options = NULL;
  natsConnection *connection = NULL;
  check(natsOptions_Create(&options), "options");
  check(natsOptions_SetURL(options, url), "url");
  if (!strncmp(url, "tls:", 4)) {
    check(natsOptions_SetSecure(options, true), "tls");
    check(natsOptions_SkipServerVerification(options, true), "certificate");
  }
  check(natsConnection_Connect(&connection, options), "connecting");
  return connection;
}

static int publish(const char *url, int size, long count, int paced) {
  natsConnection *connection = open_connection(url);
  char *payload = malloc(size), line[16];
  memset(payload, 1, size);
  if (!fgets(line, sizeof line, stdin)) return 1;
  uint64_t start = now(), before = processor();
  for (long i = 0; i < count; i++) {
    if (paced) {
      uint64_t stamp = now();
      memcpy(payload, &stamp, 8);
    }
    check(natsConnection_Publish(connection, subject, payload, size), "publishing");
    if (paced) {
      check(natsConnection_Flush(connection), "flushing");
      usleep(1000);
    }
  }
  check(natsConnection_FlushTimeout(connection, 60000), "flushing");
  printf("%llu %llu %llu\n", (unsigned long long)start, (unsigned long long)now(),
         (unsigned long long)(processor() - before));
  return 0;
}

struct counting { long left, count; uint64_t first, last; uint64_t *delay; };

static void received(natsConnection *connection, natsSubscription *subscription, natsMsg *message, void *closure) {
  struct counting *c = closure;
  uint64_t time = now(), stamp;
  if (!c->first) c->first = time;
  memcpy(&stamp, natsMsg_GetData(message), 8);
  if (c->left > 0) c->delay[c->count - c->left] = time - stamp;
  natsMsg_Destroy(message);
  c->last = time;
  __atomic_sub_fetch(&c->left, 1, __ATOMIC_SEQ_CST);
}

static int compare(const void *a, const void *b) {
  uint64_t x = *(uint64_t *)a, y = *(uint64_t *)b;
  return x < y ? -1 : x > y;
}

static int subscribe(const char *url, long count) {
  natsConnection *connection = open_connection(url);
  natsSubscription *subscription = NULL;
  struct counting c = {count, count, 0, 0, calloc(count, 8)};
  check(natsConnection_Subscribe(&subscription, connection, subject, received, &c), "subscribing");
  check(natsSubscription_SetPendingLimits(subscription, -1, -1), "limits");
  check(natsConnection_Flush(connection), "flushing");
  printf("ready\n");
  fflush(stdout);
  uint64_t before = processor(), seen = 0;
  long quiet = 0;
  while (__atomic_load_n(&c.left, __ATOMIC_SEQ_CST) > 0 && quiet < 20000) {
    usleep(1000);
    quiet = c.last == seen && seen ? quiet + 1 : 0;
    seen = c.last;
  }
  long had = count - c.left;
  qsort(c.delay, had, 8, compare);
  printf("%llu %llu %llu %llu %llu %ld\n", (unsigned long long)c.first, (unsigned long long)c.last,
         (unsigned long long)(processor() - before), had ? (unsigned long long)c.delay[had / 2] : 0,
         had ? (unsigned long long)c.delay[had * 99 / 100] : 0, had);
  return 0;
}

int main(int argc, char **argv) {
  if (argc >= 5 && !strcmp(argv[1], "publish")) return publish(argv[2], atoi(argv[3]), atol(argv[4]), argc > 5);
  if (argc == 5 && !strcmp(argv[1], "subscribe")) return subscribe(argv[2], atol(argv[4]));
  fprintf(stderr, "usage: nats publish URL SIZE COUNT [--paced] | nats subscribe URL SIZE COUNT\n");
  return 2;
}
