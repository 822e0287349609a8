internal import Foundation

/// The private servers that `scripts/services up` starts, as the environment names them.
package enum TestEnvironment {
  package static func rabbitMQ() throws -> ServerURL { try ServerURL(variable: "VLUMA_RABBITMQ_URL") }

  package static func postgres() throws -> ServerURL { try ServerURL(variable: "VLUMA_POSTGRES_URL") }

  package static func redis() throws -> ServerURL { try ServerURL(variable: "VLUMA_REDIS_URL") }

  /// A name that no other test uses: letters, digits and underscores.
  package static func uniqueName(_ prefix: String) -> String {
    prefix + "_" + UUID().uuidString.lowercased().replacingOccurrences(of: "-", with: "")
  }
}

/// The environment names no server that a test needs.
package struct ServerMissing: Error, CustomStringConvertible {
  package let description: String
}
