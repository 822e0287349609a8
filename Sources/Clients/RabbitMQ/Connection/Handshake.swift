internal import CRabbitMQ
internal import ClientLoop
internal import Foundation

/// Opens a connection to one host and logs in, blocking the calling thread within the configured time.
struct Handshake {
  private let configuration: RabbitMQConfiguration
  private let host: RabbitMQConfiguration.Host
  private let name: String

  init(_ configuration: RabbitMQConfiguration, host: RabbitMQConfiguration.Host, name: String) {
    self.configuration = configuration
    self.host = host
    self.name = name
  }

  /// The connection, ready for channels; the caller destroys it. The host's addresses are tried one after the other.
  func connect() throws(RabbitMQError) -> amqp_connection_state_t {
    let end = ContinuousClock.now + configuration.connectTimeout
    let addresses: [String]
    do throws(HostResolver.Failure) { addresses = try HostResolver.system.addresses(of: host.name, until: end) } catch {
      throw failed(error.description)
    }
    var failure = failed("it has no address")
    for address in addresses {
      do throws(RabbitMQError) { return try connect(to: address, until: end) } catch {
        // Another address of the same name is the same broker: its refusal is final.
        if error.isRefusedLogin { throw error }
        failure = error
      }
    }
    throw failure
  }

  private func connect(
    to address: String, until end: ContinuousClock.Instant
  ) throws(RabbitMQError) -> amqp_connection_state_t {
    guard let connection = amqp_new_connection() else { throw failed("out of memory") }
    do throws(RabbitMQError) {
      var timeout = Self.timeval(max(.milliseconds(1), end - .now))
      if let tls = configuration.tls {
        try TLSSocket(tls: tls, host: host, address: address).open(connection, within: timeout)
      } else {
        try openWithoutTLS(connection, to: address, within: timeout)
      }
      timeout = Self.timeval(configuration.connectTimeout)
      amqp_set_handshake_timeout(connection, &timeout)
      try login(connection)
      return connection
    } catch {
      amqp_destroy_connection(connection)
      throw error
    }
  }

  private static func timeval(_ duration: Duration) -> timeval {
    let (seconds, attoseconds) = duration.components
    return vluma_timeval(Int(seconds) * 1_000_000 + Int(attoseconds / 1_000_000_000_000))
  }

  private func openWithoutTLS(
    _ connection: amqp_connection_state_t, to address: String, within timeout: timeval
  ) throws(RabbitMQError) {
    guard let socket = amqp_tcp_socket_new(connection) else { throw failed("out of memory") }
    var timeout = timeout
    let status = amqp_socket_open_noblock(socket, address, Int32(host.port), &timeout)
    guard status == AMQP_STATUS_OK.rawValue else { throw failed(AMQPStatus.text(status)) }
  }

  private func login(_ connection: amqp_connection_state_t) throws(RabbitMQError) {
    let reply = clientProperties { properties in
      var properties = properties
      return vluma_amqp_login_plain(
        connection, configuration.virtualHost, 0, Int32(RabbitMQConfiguration.frameMax),
        Int32(configuration.heartbeat.components.seconds),
        &properties, configuration.user, configuration.password)
    }
    switch reply.reply_type {
    case AMQP_RESPONSE_NORMAL: return
    case AMQP_RESPONSE_SERVER_EXCEPTION:
      var reason = "it closed the connection"
      if reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD {
        reason = String(reply.reply.decoded.assumingMemoryBound(to: amqp_connection_close_t.self).pointee.reply_text)
      }
      throw .loginRefused(server: host.label, reason: reason)
    default: throw failed(AMQPStatus.text(reply.library_error) + hint(reply.library_error))
    }
  }

  /// The usual cause of a login that fails without an answer.
  private func hint(_ status: Int32) -> String {
    guard configuration.tls == nil else {
      // With TLS 1.3 a client learns only after the handshake whether the server accepts its certificate.
      return status == AMQP_STATUS_SSL_ERROR.rawValue
        ? " during the login (does the broker want a client certificate, or another one than certfile?)" : ""
    }
    // A TLS port answers the AMQP protocol header with a TLS alert, or closes the connection.
    let strange = [AMQP_STATUS_BAD_AMQP_DATA, AMQP_STATUS_CONNECTION_CLOSED, AMQP_STATUS_SOCKET_ERROR].map(\.rawValue)
    return strange.contains(status) ? " during the login (a port for TLS needs a URL that begins with amqps://)" : ""
  }

  private func failed(_ reason: String) -> RabbitMQError { .connectionFailed(server: host.label, reason: reason) }

  /// The capabilities librabbitmq does not announce by itself, and the connection's name.
  private func clientProperties<Result>(_ body: (amqp_table_t) -> Result) -> Result {
    let capabilities: [String: RabbitMQValue] = [
      "connection.blocked": .bool(true), "consumer_cancel_notify": .bool(true), "publisher_confirms": .bool(true),
      "basic.nack": .bool(true), "authentication_failure_close": .bool(true),
    ]
    var arena = ByteArena()
    let ranges = (arena.add("capabilities"), arena.add("connection_name"), arena.add(name))
    return capabilities.withTable { nested in
      arena.withPointers { bytes in
        var table = amqp_field_value_t()
        table.kind = UInt8(AMQP_FIELD_KIND_TABLE.rawValue)
        table.value.table = nested
        var title = amqp_field_value_t()
        title.kind = UInt8(AMQP_FIELD_KIND_UTF8.rawValue)
        title.value.bytes = bytes(ranges.2)
        var entries = [
          amqp_table_entry_t(key: bytes(ranges.0), value: table),
          amqp_table_entry_t(key: bytes(ranges.1), value: title),
        ]
        return entries.withUnsafeMutableBufferPointer {
          body(amqp_table_t(num_entries: Int32($0.count), entries: $0.baseAddress))
        }
      }
    }
  }
}
