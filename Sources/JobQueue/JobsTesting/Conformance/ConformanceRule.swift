/// An adapter breaks a rule of its port.
struct ConformanceFailure: Error, CustomStringConvertible {
  /// The rule, and what happened instead.
  let description: String

  init(_ description: String) { self.description = description }
}

/// One rule of a port. A test checks every rule of a suite (``JobStoreConformance``, ``BrokerConformance`` ...), each
/// against a new subject.
package struct ConformanceRule<Subject: Sendable>: Sendable, CustomStringConvertible {
  /// The rule in a sentence.
  package let description: String
  private let body: @Sendable (Subject) async throws -> Void

  init(_ description: String, _ body: @escaping @Sendable (Subject) async throws -> Void) {
    self.description = description
    self.body = body
  }

  /// Throws ``ConformanceFailure`` when the subject breaks the rule.
  package func check(_ subject: Subject) async throws {
    do {
      try await body(subject)
    } catch let failure as ConformanceFailure {
      throw ConformanceFailure("\(description): \(failure.description)")
    }
  }
}

/// Thrown by rules inside an adapter's closures, to check that the adapter rethrows it.
struct TestFailure: Error {}

func require(_ holds: Bool, _ sentence: @autoclosure () -> String) throws(ConformanceFailure) {
  guard holds else { throw ConformanceFailure(sentence()) }
}

/// - Parameter what: names the value.
func requireEqual<Value: Equatable>(
  _ actual: Value, _ expected: Value, _ what: @autoclosure () -> String
) throws(ConformanceFailure) {
  guard actual == expected else { throw ConformanceFailure("\(what()): expected \(expected), got \(actual)") }
}

/// Polls until the condition holds.
///
/// - Parameter what: names what is waited for.
func waitUntil(
  _ what: String, within limit: Duration = .seconds(20), _ condition: () async throws -> Bool
) async throws {
  let end = ContinuousClock.now + limit
  while try await !condition() {
    guard ContinuousClock.now < end else { throw ConformanceFailure("not within \(limit): \(what)") }
    try await Task.sleep(for: .milliseconds(5))
  }
}
