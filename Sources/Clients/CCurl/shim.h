#ifndef VLUMA_CCURL_SHIM_H
#define VLUMA_CCURL_SHIM_H

#include <curl/curl.h>

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
