#ifndef VLUMA_CCURL_SHIM_H
#define VLUMA_CCURL_SHIM_H

#include <curl/curl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

// curl's option and info functions are variadic, which Swift cannot call.
static inline CURLcode vluma_setopt_long(CURL *easy, CURLoption option, long value) {
  return curl_easy_setopt(easy, option, value);
}
static inline CURLcode vluma_setopt_pointer(CURL *easy, CURLoption option, const void *value) {
  return curl_easy_setopt(easy, option, value);
}
typedef size_t (*vluma_data_callback)(char *, size_t, size_t, void *);
static inline CURLcode vluma_setopt_callback(CURL *easy, CURLoption option, vluma_data_callback value) {
  return curl_easy_setopt(easy, option, value);
}
typedef int (*vluma_seek_callback)(void *, curl_off_t, int);
static inline CURLcode vluma_setopt_seek_callback(CURL *easy, vluma_seek_callback value) {
  return curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, value);
}
// curl calls it when the connection is established, before it writes the request.
typedef int (*vluma_request_callback)(void *, char *, char *, int, int);
static inline CURLcode vluma_setopt_request_callback(CURL *easy, vluma_request_callback value) {
  return curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, value);
}
// curl calls it for each new socket, before it connects.
typedef int (*vluma_socket_callback)(void *, curl_socket_t, curlsocktype);
static inline CURLcode vluma_setopt_socket_callback(CURL *easy, vluma_socket_callback value) {
  return curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, value);
}
// Lets the kernel end a connection whose peer is gone: bytes that stay unacknowledged for so many milliseconds, or an
// idle connection that does not answer a probe (the first after 10 s, then every 5 s).
static inline void vluma_bound_silence(curl_socket_t socket, unsigned int milliseconds) {
  int on = 1, idle = 10, interval = 5, count = 3;
  setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
  setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof milliseconds);
}
// True where the socket connects these TCP ports.
static inline int vluma_connects(curl_socket_t socket, int local_port, int remote_port) {
  union {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
  } local = {{0}}, remote = {{0}};
  socklen_t local_size = sizeof local, remote_size = sizeof remote;
  if (getsockname(socket, &local.any, &local_size) || getpeername(socket, &remote.any, &remote_size)) return 0;
  if (local.any.sa_family == AF_INET)
    return ntohs(local.four.sin_port) == local_port && ntohs(remote.four.sin_port) == remote_port;
  return local.any.sa_family == AF_INET6 && ntohs(local.six.sin6_port) == local_port &&
         ntohs(remote.six.sin6_port) == remote_port;
}
static inline int vluma_has_asynchronous_resolver(void) {
  return (curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_ASYNCHDNS) != 0;
}
static inline CURLcode vluma_getinfo_long(CURL *easy, CURLINFO info, long *value) {
  return curl_easy_getinfo(easy, info, value);
}
static inline CURLcode vluma_getinfo_pointer(CURL *easy, void **value) {
  return curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)value);
}
static inline CURLMcode vluma_multi_setopt_long(CURLM *multi, CURLMoption option, long value) {
  return curl_multi_setopt(multi, option, value);
}
// CURLMsg holds a union, of which only the result is used.
static inline CURLcode vluma_message_result(const CURLMsg *message) { return message->data.result; }

#endif
