/// Addresses of the RabbitMQ nodes, login and encryption.
package struct RabbitMQConfiguration: Sendable {
  /// One node of a cluster.
  struct Host: Sendable, Equatable {
    let name: String
    /// TCP port; where the URL names none 5672, and 5671 for `amqps://`.
    let port: Int

    /// `name:port`, as errors show it.
    var label: String { "\(name):\(port)" }
  }

  /// The largest frame that we ask for, in bytes: RabbitMQ's default. The broker may allow less.
  static let frameMax = 131_072

  /// The nodes, tried in random order.
  let hosts: [Host]
  /// The virtual host, `/` by default.
  let virtualHost: String
  /// Login name, `guest` by default.
  package let user: String
  /// Password. Never logged.
  package let password: String
  /// nil: `amqp://`, not encrypted.
  let tls: TLS?
  /// Heartbeat interval; a peer silent for twice as long is disconnected. 10 s: RabbitMQ's guide advises 5 to 20.
  var heartbeat: Duration = .seconds(10)
  /// How long connecting (looking up the name and TLS included) may take, and logging in as long again, per host.
  package var connectTimeout: Duration = .seconds(5)

  /// `host:port` of every node: safe to show.
  package var serverName: String { hosts.map(\.label).joined(separator: ",") }

  /// Reads `amqp://user:password@host:port[,host:port...]/vhost?parameter=value&...`, or the same with `amqps://` for a
  /// connection through TLS. Throws ``RabbitMQError/invalidURL(_:)``, also for a file that cannot be read.
  ///
  /// The parameters are those of https://www.rabbitmq.com/docs/uri-query-parameters, percent-escaped:
  /// `heartbeat` (1 to 60 seconds, default 10), `connection_timeout` (100 to 60,000 milliseconds, default 5,000), and
  /// for `amqps://` those of ``TLS``. Others are refused.
  package init(url: String) throws(RabbitMQError) {
    let parts = try RabbitMQURL(url)
    hosts = parts.hosts
    virtualHost = parts.virtualHost
    user = parts.user
    password = parts.password
    if parts.isEncrypted { tls = try TLS(parts.parameters) } else { tls = nil }
    // Not 0, AMQP's "none": without heartbeats a peer that vanished is not noticed.
    if let seconds = try parts.parameters.number("heartbeat", in: 1...60) { heartbeat = .seconds(seconds) }
    if let milliseconds = try parts.parameters.number("connection_timeout", in: 100...60_000) {
      connectTimeout = .milliseconds(milliseconds)
    }
  }
}
