internal import CRabbitMQ
internal import Foundation

/// Opens a TCP connection to one of the hosts and logs in, blocking the calling thread within the configured time.
struct ConnectionLogin {
  private let configuration: RabbitMQConfiguration
  private let name: String

  init(_ configuration: RabbitMQConfiguration, name: String) {
    self.configuration = configuration
    self.name = name
  }

  /// Tries the hosts in random order; throws what the last one said.
  func connect() throws(RabbitMQError) -> amqp_connection_state_t {
    var failure = RabbitMQError.connectionFailed(server: configuration.serverName, reason: "no host")
    for host in configuration.hosts.shuffled() {
      do throws(RabbitMQError) { return try connect(to: host) } catch { failure = error }
    }
    throw failure
  }

  private func connect(to host: RabbitMQConfiguration.Host) throws(RabbitMQError) -> amqp_connection_state_t {
    let server = "\(host.name):\(host.port)"
    guard let connection = amqp_new_connection() else {
      throw .connectionFailed(server: server, reason: "out of memory")
    }
    do throws(RabbitMQError) {
      guard let socket = amqp_tcp_socket_new(connection) else {
        throw .connectionFailed(server: server, reason: "out of memory")
      }
      var patience = timeval(tv_sec: max(1, Int(configuration.connectTimeout.components.seconds)), tv_usec: 0)
      let status = amqp_socket_open_noblock(socket, host.name, Int32(host.port), &patience)
      guard status == AMQP_STATUS_OK.rawValue else {
        throw .connectionFailed(server: server, reason: String(cString: amqp_error_string2(status)))
      }
      amqp_set_handshake_timeout(connection, &patience)
      try login(connection, server)
      return connection
    } catch {
      amqp_destroy_connection(connection)
      throw error
    }
  }

  private func login(_ connection: amqp_connection_state_t, _ server: String) throws(RabbitMQError) {
    let reply = clientProperties { properties in
      var properties = properties
      return vluma_amqp_login_plain(
        connection, configuration.virtualHost, 0, 131_072, Int32(configuration.heartbeat.components.seconds),
        &properties, configuration.user, configuration.password)
    }
    switch reply.reply_type {
    case AMQP_RESPONSE_NORMAL: return
    case AMQP_RESPONSE_SERVER_EXCEPTION:
      var reason = "it closed the connection"
      if reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD {
        reason = String(reply.reply.decoded.assumingMemoryBound(to: amqp_connection_close_t.self).pointee.reply_text)
      }
      throw .loginRefused(server: server, reason: reason)
    default:
      throw .connectionFailed(server: server, reason: String(cString: amqp_error_string2(reply.library_error)))
    }
  }

  /// The capabilities librabbitmq does not announce by itself, and the name the broker shows for the connection.
  private func clientProperties<Result>(_ body: (amqp_table_t) -> Result) -> Result {
    let capabilities: [String: RabbitMQValue] = [
      "connection.blocked": .bool(true), "consumer_cancel_notify": .bool(true), "publisher_confirms": .bool(true),
      "basic.nack": .bool(true), "authentication_failure_close": .bool(true),
    ]
    var arena = ByteArena()
    let places = (arena.add("capabilities"), arena.add("connection_name"), arena.add(name))
    return capabilities.withTable { nested in
      arena.withPointers { bytes in
        var table = amqp_field_value_t()
        table.kind = UInt8(AMQP_FIELD_KIND_TABLE.rawValue)
        table.value.table = nested
        var title = amqp_field_value_t()
        title.kind = UInt8(AMQP_FIELD_KIND_UTF8.rawValue)
        title.value.bytes = bytes(places.2)
        var entries = [
          amqp_table_entry_t(key: bytes(places.0), value: table),
          amqp_table_entry_t(key: bytes(places.1), value: title),
        ]
        return entries.withUnsafeMutableBufferPointer {
          body(amqp_table_t(num_entries: Int32($0.count), entries: $0.baseAddress))
        }
      }
    }
  }
}
