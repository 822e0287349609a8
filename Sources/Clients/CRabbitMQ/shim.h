#ifndef VLUMA_CRABBITMQ_SHIM_H
#define VLUMA_CRABBITMQ_SHIM_H

#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
// OpenSSL's headers are there wherever librabbitmq's are: librabbitmq-dev depends on libssl-dev.
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

// Swift takes timeval's members for those of whichever C module it has loaded first, which changes with the order of
// imports, so they are set here.
static inline struct timeval vluma_timeval(long microseconds) {
  struct timeval time = {microseconds / 1000000, microseconds % 1000000};
  return time;
}

// amqp_login_with_properties is variadic, which Swift cannot call.
static inline amqp_rpc_reply_t vluma_amqp_login_plain(
    amqp_connection_state_t state, const char *vhost, int channel_max, int frame_max, int heartbeat,
    const amqp_table_t *properties, const char *user, const char *password) {
  return amqp_login_with_properties(state, vhost, channel_max, frame_max, heartbeat, properties,
                                    AMQP_SASL_METHOD_PLAIN, user, password);
}

// What librabbitmq 0.11 has no functions for: an expected name that is not the host's, addresses in certificates, and
// why a certificate was refused. OpenSSL is used directly, for the length of one handshake.
typedef struct {
  const char *indicated_name;  // NULL: none
  int verification;            // the first error of the certificate, or X509_V_OK
} vluma_tls_handshake;

static inline vluma_tls_handshake *vluma_tls_current(const SSL *ssl) {
  return (vluma_tls_handshake *)SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
}

// librabbitmq sets the TLS server name (SNI) to the host it connects to. OpenSSL calls this just before it writes the
// ClientHello, and the name is replaced.
static inline void vluma_tls_indicate_name(const SSL *ssl, int where, int result) {
  vluma_tls_handshake *handshake = vluma_tls_current(ssl);
  (void)result;
  if (handshake && (where & SSL_CB_HANDSHAKE_START)) SSL_set_tlsext_host_name((SSL *)ssl, handshake->indicated_name);
}

static inline int vluma_tls_note_error(int is_valid, X509_STORE_CTX *check) {
  SSL *ssl = (SSL *)X509_STORE_CTX_get_ex_data(check, SSL_get_ex_data_X509_STORE_CTX_idx());
  vluma_tls_handshake *handshake = vluma_tls_current(ssl);
  if (!is_valid && handshake && handshake->verification == X509_V_OK)
    handshake->verification = X509_STORE_CTX_get_error(check);
  return is_valid;
}

// amqp_socket_open_noblock for a TLS socket. The certificate must be for server_name, a DNS name or an address, unless
// verifies is 0; verification is the certificate's error, or X509_V_OK.
static inline int vluma_tls_open(amqp_socket_t *socket, const char *host, int port, const char *server_name,
                                 int verifies, const struct timeval *timeout, int *verification) {
  SSL_CTX *context = (SSL_CTX *)amqp_ssl_socket_get_context(socket);
  X509_VERIFY_PARAM *rules = SSL_CTX_get0_param(context);
  int is_address = X509_VERIFY_PARAM_set1_ip_asc(rules, server_name);
  if (!is_address && !X509_VERIFY_PARAM_set1_host(rules, server_name, 0)) return AMQP_STATUS_NO_MEMORY;
  X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  // Addresses are not indicated: RFC 6066, section 3.
  vluma_tls_handshake handshake = {is_address ? NULL : server_name, X509_V_OK};
  SSL_CTX_set_app_data(context, &handshake);
  SSL_CTX_set_info_callback(context, vluma_tls_indicate_name);
  SSL_CTX_set_verify(context, verifies ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, vluma_tls_note_error);
  int status = amqp_socket_open_noblock(socket, host, port, timeout);
  SSL_CTX_set_info_callback(context, NULL);
  SSL_CTX_set_app_data(context, NULL);
  *verification = handshake.verification;
  return status;
}

// Without this OpenSSL asks the terminal for the password of an encrypted key, and waits. librabbitmq keeps the
// pointer.
static inline void vluma_tls_ask_no_password(amqp_socket_t *socket) { amqp_ssl_socket_set_key_passwd(socket, ""); }

#endif
