/// A server that the platform needs, by its name in `scripts/services`.
enum FaultServer: String, CaseIterable, Sendable {
  case rabbitmq, postgres, redis
}
