public import Jobs

/// The servers of a job queue, and the part that one process takes in it.
public struct JobQueueConfiguration: Sendable {
  /// The text of queues.yaml: the pools, and the kinds of jobs each takes.
  public var queues: String
  /// The file's name in error messages; `queues.yaml` by default.
  public var queuesFile: String
  /// `amqp://` or `amqps://user:password@host:port[,host:port...]/vhost`.
  public var rabbitMQ: String
  /// `postgres://user:password@host:port/database`.
  public var postgres: String
  /// `redis://[user:password@]host:port[/database]`; nil: rate limits are divided by the number of nodes.
  public var redis: String?
  /// The most PostgreSQL connections of this process, 2 to 200; 16 by default. A job's transaction takes one.
  public var postgresConnections: Int
  /// The pools whose workers run in this process; nil: all of queues.yaml.
  public var pools: Set<PoolName>?
  /// How long running jobs may take to finish on graceful shutdown, 30 s by default; the rest is requeued untouched.
  public var shutdownGrace: Duration

  /// Stores the values unchecked; ``JobQueueService/init(_:workers:logger:)`` checks them.
  public init(
    queues: String, queuesFile: String = "queues.yaml", rabbitMQ: String, postgres: String, redis: String? = nil,
    postgresConnections: Int = 16, pools: Set<PoolName>? = nil, shutdownGrace: Duration = .seconds(30)
  ) {
    self.queues = queues
    self.queuesFile = queuesFile
    self.rabbitMQ = rabbitMQ
    self.postgres = postgres
    self.redis = redis
    self.postgresConnections = postgresConnections
    self.pools = pools
    self.shutdownGrace = shutdownGrace
  }
}
