internal import CRabbitMQ
internal import Foundation

/// Opens TLS sockets to one host with librabbitmq and OpenSSL: TLS 1.2 or later. Nothing is sent, the password above
/// all, before the broker's certificate is verified.
struct TLSSocket {
  let tls: RabbitMQConfiguration.TLS
  let host: RabbitMQConfiguration.Host
  /// The host's address to connect to.
  let address: String

  /// Opens the connection's socket and performs the TLS handshake, blocking for `timeout` at most.
  func open(_ connection: amqp_connection_state_t, within timeout: timeval) throws(RabbitMQError) {
    guard let socket = amqp_ssl_socket_new(connection) else { throw failed("OpenSSL cannot be used") }
    guard amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST) == AMQP_STATUS_OK.rawValue else {
      throw failed("this system's OpenSSL has no TLS 1.2")
    }
    let verifies: Int32 = tls.verifiesServer ? 1 : 0
    amqp_ssl_socket_set_verify_peer(socket, verifies)
    // OpenSSL compares the names (see the shim): librabbitmq 0.11 knows DNS names only, no addresses.
    amqp_ssl_socket_set_verify_hostname(socket, 0)
    vluma_tls_ask_no_password(socket)
    ERR_clear_error()
    if let file = tls.authoritiesFile {
      guard amqp_ssl_socket_set_cacert(socket, file) == AMQP_STATUS_OK.rawValue else {
        throw failed("cacertfile \(file) cannot be used: \(AMQPStatus.lastOpenSSLError ?? "it holds no certificates")")
      }
    }
    if let identity = tls.identity {
      let (certificate, key) = (identity.certificateFile, identity.keyFile)
      guard amqp_ssl_socket_set_key(socket, certificate, key) == AMQP_STATUS_OK.rawValue else {
        let text = AMQPStatus.lastOpenSSLError ?? "certificate and key do not match"
        throw failed("certfile \(certificate) and keyfile \(key) cannot be used: \(text) (keys must have no password)")
      }
    }
    let name = tls.serverName ?? host.name
    var timeout = timeout
    var verification: Int32 = 0
    let status = vluma_tls_open(socket, address, Int32(host.port), name, verifies, &timeout, &verification)
    guard status != AMQP_STATUS_OK.rawValue else { return }
    if tls.verifiesServer, verification != X509_V_OK {
      let fault = String(cString: X509_verify_cert_error_string(Int(verification)))
      throw failed("its certificate is refused: \(fault) (expected: \(name), by an authority of cacertfile)")
    }
    if status == AMQP_STATUS_SSL_CONNECTION_FAILED.rawValue {
      let text = AMQPStatus.lastOpenSSLError ?? "the broker closed the connection"
      throw failed("the TLS handshake failed: \(text) (does that port speak TLS?)")
    }
    throw failed(AMQPStatus.text(status))
  }

  private func failed(_ reason: String) -> RabbitMQError { .connectionFailed(server: host.label, reason: reason) }
}
