/* A relay loop without a protocol, and its publisher and subscribers: what the sockets of this machine can do.
 *
 * The same system calls as the package: sendmsg with UDP_SEGMENT, recvmsg with UDP_GRO, poll. Payloads of one size fill
 * datagrams of 1,200 bytes; a larger payload is cut. Nothing is sent again. So that the publisher does not run ahead of
 * the sockets' buffers, each subscriber tells it, through the relay, how many bytes it has; what is lost costs a pause.
 *
 * usage: bare relay | bare publish PORT SIZE COUNT SUBSCRIBERS [--paced] | bare subscribe PORT SIZE COUNT INDEX
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { DATAGRAM = 1200, RUN = 54, WINDOW = 300000, MOST = 64 };
static unsigned char buffer[65536];

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static uint64_t processor(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static struct sockaddr_in local(int port) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  return a;
}

static int open_socket(int port) {
  int s = socket(AF_INET, SOCK_DGRAM, 0), size = 4 << 20, on = 1;
  setsockopt(s, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  setsockopt(s, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  setsockopt(s, IPPROTO_UDP, UDP_GRO, &on, sizeof on);
  struct sockaddr_in a = local(port);
  if (bind(s, (struct sockaddr *)&a, sizeof a)) { perror("bind"); exit(1); }
  return s;
}

static void send_run(int s, struct sockaddr_in *to, unsigned char *bytes, size_t count, int segment) {
  char control[CMSG_SPACE(2)] = {0};
  struct iovec part = {bytes, count};
  struct msghdr m = {.msg_name = to, .msg_namelen = sizeof *to, .msg_iov = &part, .msg_iovlen = 1};
  if (count > (size_t)segment) {
    m.msg_control = control;
    m.msg_controllen = sizeof control;
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = IPPROTO_UDP, c->cmsg_type = UDP_SEGMENT, c->cmsg_len = CMSG_LEN(2);
    *(uint16_t *)CMSG_DATA(c) = segment;
  }
  sendmsg(s, &m, 0);
}

/* Waits, then receives a run; returns its bytes, or -1 after the time. */
static ssize_t receive(int s, struct sockaddr_in *from, int *segment, int wait) {
  char control[64];
  struct iovec part = {buffer, sizeof buffer};
  struct msghdr m = {.msg_name = from, .msg_namelen = sizeof *from, .msg_iov = &part, .msg_iovlen = 1,
                     .msg_control = control, .msg_controllen = sizeof control};
  ssize_t count = recvmsg(s, &m, MSG_DONTWAIT);
  if (count < 0) {
    struct pollfd p = {s, POLLIN, 0};
    if (poll(&p, 1, wait) <= 0) return -1;
    m.msg_controllen = sizeof control;
    count = recvmsg(s, &m, MSG_DONTWAIT);
  }
  *segment = count;
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); count > 0 && c; c = CMSG_NXTHDR(&m, c))
    if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) *segment = *(int *)CMSG_DATA(c);
  return count;
}

/* Datagrams of a publisher begin with 'P' and go to every subscriber; those with 'S' come from one and register it;
 * those with 'A' go to the publisher. */
static _Noreturn void relay(void) {
  int s = open_socket(0), subscribers = 0, segment;
  struct sockaddr_in me, from, publisher = {0}, all[MOST];
  socklen_t size = sizeof me;
  getsockname(s, (struct sockaddr *)&me, &size);
  printf("%d\n", ntohs(me.sin_port));
  fflush(stdout);
  for (;;) {
    ssize_t count = receive(s, &from, &segment, -1);
    if (count <= 0) continue;
    if (buffer[0] == 'S' && subscribers < MOST) {
      all[subscribers++] = from;
      send_run(s, &from, buffer, count, count);
    } else if (buffer[0] == 'A') {
      send_run(s, &publisher, buffer, count, segment);
    } else if (buffer[0] == 'P') {
      publisher = from;
      for (int i = 0; i < subscribers; i++) send_run(s, &all[i], buffer, count, segment);
    }
  }
}

/* 'P', three bytes of nothing, then whole payloads, or a piece of one. */
static int per_datagram(int size) { return (DATAGRAM - 4) / size; }
static int datagrams(int size) { return (size + DATAGRAM - 5) / (DATAGRAM - 4); }

static int publish(int port, int size, long count, int subscribers, int paced) {
  int s = open_socket(0), segment;
  struct sockaddr_in to = local(port), from;
  static unsigned char run[65536];
  uint64_t had[MOST] = {0}, sent = 0, base = 0;
  int several = per_datagram(size) > 0;
  int segment_bytes = several ? 4 + per_datagram(size) * size : DATAGRAM;
  char line[16];
  if (!fgets(line, sizeof line, stdin)) return 1;
  uint64_t start = now(), before = processor();
  for (long done = 0; done < count;) {
    long payloads;
    size_t bytes = 0;
    if (paced) {
      payloads = 1;
    } else if (several) {
      payloads = (long)RUN * per_datagram(size);
      if (payloads > count - done) payloads = count - done;
    } else {
      payloads = 1;
    }
    /* One run after the other; a large payload takes several. */
    long pieces = several ? (payloads + per_datagram(size) - 1) / per_datagram(size) : datagrams(size);
    long left = several ? payloads * size : size;
    uint64_t stamp = now();
    int first = 1;
    while (pieces > 0) {
      bytes = 0;
      for (int i = 0; i < RUN && pieces > 0; i++, pieces--) {
        int data = segment_bytes - 4;
        if (data > left) data = left;
        memset(run + bytes, 0, 4);
        run[bytes] = 'P';
        if (first) memcpy(run + bytes + 4, &stamp, 8), run[bytes + 1] = 1;
        first = several ? first : 0;
        bytes += 4 + data, left -= data;
      }
      if (several) first = 0;
      send_run(s, &to, run, bytes, segment_bytes);
      sent += bytes;
      uint64_t least;
      for (;;) {
        least = UINT64_MAX;
        for (int i = 0; i < subscribers; i++) if (had[i] < least) least = had[i];
        uint64_t under = sent - base > least ? sent - base - least : 0;
        ssize_t n = receive(s, &from, &segment, under > WINDOW ? 20 : 0);
        if (n < 0) {
          if (under <= WINDOW) break;
          base = sent; /* lost: begin to count anew */
          memset(had, 0, sizeof had);
          break;
        }
        for (ssize_t at = 0; at + 12 <= n; at += segment > 0 ? segment : n) had[buffer[at + 1] % MOST] += *(uint64_t *)(buffer + at + 4);
      }
    }
    done += payloads;
    if (paced) usleep(1000);
  }
  printf("%llu %llu %llu\n", (unsigned long long)start, (unsigned long long)now(), (unsigned long long)(processor() - before));
  return 0;
}

static int compare(const void *a, const void *b) {
  uint64_t x = *(uint64_t *)a, y = *(uint64_t *)b;
  return x < y ? -1 : x > y;
}

/* Ends when all has come, or nothing comes for a second; says how many payloads came. */
static int subscribe(int port, int size, long count, int index) {
  int s = open_socket(0), segment;
  struct sockaddr_in to = local(port), from;
  unsigned char hello[12] = "S", told[12] = "A";
  do { send_run(s, &to, hello, 12, 12); } while (receive(s, &from, &segment, 200) < 0);
  printf("ready\n");
  fflush(stdout);
  uint64_t before = processor(), first = 0, last = 0, had = 0, stamp = 0;
  long long bytes = 0, all = (long long)size * count;
  long delays = 0;
  uint64_t *delay = calloc(count + 1, 8);
  long long within = 0;
  while (bytes < all) {
    ssize_t n = receive(s, &from, &segment, first ? 1000 : 60000);
    if (n < 0) break;
    uint64_t time = now();
    if (!first) first = time;
    last = time;
    for (ssize_t at = 0; at < n; at += segment) {
      ssize_t end = at + segment < n ? at + segment : n;
      bytes += end - at - 4, within += end - at - 4;
      if (buffer[at + 1] == 1) { memcpy(&stamp, buffer + at + 4, 8); within = end - at - 4; }
      if (within >= size && stamp && delays < count) { delay[delays++] = time - stamp; within = 0; stamp = 0; }
    }
    had += n;
    if (had >= WINDOW / 8) {
      told[1] = index;
      memcpy(told + 4, &had, 8);
      send_run(s, &to, told, 12, 12);
      had = 0;
    }
  }
  qsort(delay, delays, 8, compare);
  printf("%llu %llu %llu %llu %llu %lld\n", (unsigned long long)first, (unsigned long long)last,
         (unsigned long long)(processor() - before), delays ? (unsigned long long)delay[delays / 2] : 0,
         delays ? (unsigned long long)delay[delays * 99 / 100] : 0, bytes / size);
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 2 && !strcmp(argv[1], "relay")) relay();
  if (argc >= 6 && !strcmp(argv[1], "publish"))
    return publish(atoi(argv[2]), atoi(argv[3]), atol(argv[4]), atoi(argv[5]), argc > 6);
  if (argc == 6 && !strcmp(argv[1], "subscribe"))
    return subscribe(atoi(argv[2]), atoi(argv[3]), atol(argv[4]), atoi(argv[5]));
  fprintf(stderr, "usage: bare relay | bare publish PORT SIZE COUNT SUBSCRIBERS [--paced] | "
                  "bare subscribe PORT SIZE COUNT INDEX\n");
  return 2;
}
