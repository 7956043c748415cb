// A conversation through OpenSSL, which is looked for at run time, so that the build needs no headers of it.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "tasks.h"

// From openssl/ssl.h and openssl/tls1.h.
enum { SET_MAX_PROTO_VERSION = 124, TLS_1_2 = 0x0303 };

static struct {
  void *(*method)(void), *(*new_context)(void *method), *(*new_session)(void *context);
  long (*control)(void *context, int command, long number, void *pointer);
  int (*set_ciphers)(void *context, const char *list);
  int (*set_descriptor)(void *session, int fd), (*accept)(void *session), (*connect)(void *session);
  int (*read)(void *session, void *bytes, int size), (*write)(void *session, const void *bytes, int size);
} ssl;

static int load_library(void) {
  void *library = dlopen("libssl.so.3", RTLD_NOW);
  if (!library) library = dlopen("libssl.so.1.1", RTLD_NOW);
  const struct {
    void *place;
    const char *name;
  } functions[] = {
      {&ssl.method, "TLS_method"},           {&ssl.new_context, "SSL_CTX_new"}, {&ssl.new_session, "SSL_new"},
      {&ssl.control, "SSL_CTX_ctrl"},        {&ssl.accept, "SSL_accept"},       {&ssl.connect, "SSL_connect"},
      {&ssl.set_descriptor, "SSL_set_fd"},   {&ssl.read, "SSL_read"},           {&ssl.write, "SSL_write"},
      {&ssl.set_ciphers, "SSL_CTX_set_cipher_list"},
  };
  for (size_t i = 0; library && i < sizeof functions / sizeof *functions; i++) {
    void *function = dlsym(library, functions[i].name);
    if (!function) return -1;
    memcpy(functions[i].place, &function, sizeof function);
  }
  return library ? 0 : -1;
}

// A session without certificates, which only old versions of the protocol know.
static void *make_session(int fd) {
  void *context = ssl.new_context(ssl.method());
  ssl.control(context, SET_MAX_PROTO_VERSION, TLS_1_2, NULL);
  if (!ssl.set_ciphers(context, "AECDH-AES128-SHA:@SECLEVEL=0")) return NULL;
  void *session = ssl.new_session(context);
  return ssl.set_descriptor(session, fd) ? session : NULL;
}

static void *serve(void *descriptor) {
  void *session = make_session(*(int *)descriptor);
  char bytes[100];
  int size = session && ssl.accept(session) == 1 ? ssl.read(session, bytes, sizeof bytes) : -1;
  return size > 0 && ssl.write(session, "answer", 6) == 6 ? descriptor : NULL;
}

// tls TEXT: a client thread sends the text, a server thread reads it and sends "answer", which the client reads.
static int converse(char **arguments) {
  int ends[2], length = (int)strlen(arguments[0]);
  pthread_t server;
  void *served = NULL;
  char bytes[100];
  if (load_library() || socketpair(AF_UNIX, SOCK_STREAM, 0, ends)) {
    fprintf(stderr, "workload: no OpenSSL: %s\n", dlerror());
    return 1;
  }
  if (pthread_create(&server, NULL, serve, &ends[1])) return 1;
  void *session = make_session(ends[0]);
  if (!session || ssl.connect(session) != 1 || ssl.write(session, arguments[0], length) != length) return 1;
  int answer = ssl.read(session, bytes, sizeof bytes);
  pthread_join(server, &served);
  return answer == 6 && served ? 0 : 1;
}

const struct task tls_tasks[] = {{"tls", converse}, {NULL, NULL}};
