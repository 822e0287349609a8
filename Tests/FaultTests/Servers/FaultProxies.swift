import TestServers

/// The proxies between a run's processes and its servers.
struct FaultProxies: Sendable {
  private let rabbitMQ: TCPProxy
  private let postgres: TCPProxy
  private let redis: TCPProxy

  init(_ servers: PrivateServers) throws {
    rabbitMQ = try servers.rabbitMQ.proxy()
    postgres = try servers.postgres.proxy()
    redis = try servers.redis.proxy()
  }

  subscript(server: FaultServer) -> TCPProxy {
    switch server {
    case .rabbitmq: rabbitMQ
    case .postgres: postgres
    case .redis: redis
    }
  }

  func stop() { for server in FaultServer.allCases { self[server].stop() } }
}
