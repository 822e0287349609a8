import HTTP
import JobConfiguration
import Jobs
import Logging
import RabbitMQ
import Workers

/// The environment of a process that serves, read completely before anything starts.
struct ProcessSettings {
  let rabbitMQ: RabbitMQConfiguration
  let httpAddress: (host: String, port: Int)
  let clients: ClientConnections
  /// How many clients may be connected at a time.
  let clientsMax: Int
  let receiptDays: Int
  /// How webhooks are checked; nil: they are answered 503.
  let webhookSecrets: WhatsAppSecrets?
  let whatsApp: WhatsAppSettings

  /// - Parameter pools: the pools whose workers run; empty: all.
  init(
    _ environment: Environment, _ configuration: JobConfiguration, roles: ProcessRoles, pools: [PoolName],
    logger: Logger
  ) throws {
    rabbitMQ = try environment.rabbitMQ()
    httpAddress = try environment.httpAddress()
    clientsMax = try DescriptorLimit.clients(
      limit: DescriptorLimit.current, postgresConnections: try environment.postgresConnections())
    clients = ClientConnections(
      limit: clientsMax, limits: ConnectionLimits(grace: try environment.shutdownGrace()), logger: logger)
    receiptDays = try environment.receiptDays()
    webhookSecrets = roles.contains(.ingest) ? try environment.whatsAppSecrets() : nil
    let sends = configuration.routes[SendTemplate.kind].map { pools.isEmpty || pools.contains($0) } ?? false
    whatsApp = try environment.whatsAppSettings(isNeeded: roles.contains(.workers) && sends)
  }
}
