import Jobs

struct EchoJob: Job, Equatable {
  static let kind: JobKind = "test.echo"
  var name: String
  /// The key that its rate limit counts under; nil: the pool's name.
  var rateLimitKey: String?

  var rateKey: String? { rateLimitKey }
}

let echoJobs: PoolName = "echoJobs"
