/// Thrown where an adapter breaks a rule of its port.
package struct ConformanceFailure: Error, CustomStringConvertible {
  /// Which rule, and what was seen instead, in a sentence.
  package let description: String

  /// A failure with these words.
  package init(_ description: String) { self.description = description }
}

/// One rule of a port, and the check that an adapter keeps it.
///
/// A test runs every rule of a suite, each against a fresh subject (``JobStoreConformance``, ``BrokerConformance`` ...).
package struct ConformanceRule<Subject: Sendable>: Sendable, CustomStringConvertible {
  /// The rule in a sentence.
  package let description: String
  private let body: @Sendable (Subject) async throws -> Void

  init(_ description: String, _ body: @escaping @Sendable (Subject) async throws -> Void) {
    self.description = description
    self.body = body
  }

  /// Checks the rule; throws ``ConformanceFailure`` where the subject breaks it.
  package func check(_ subject: Subject) async throws {
    do {
      try await body(subject)
    } catch let failure as ConformanceFailure {
      throw ConformanceFailure("\(description): \(failure.description)")
    }
  }
}

/// Thrown by checks from inside the adapter's closures, to see that it comes out again.
struct TestFailure: Error {}

/// Throws the sentence where the condition does not hold.
func require(_ holds: Bool, _ sentence: @autoclosure () -> String) throws(ConformanceFailure) {
  guard holds else { throw ConformanceFailure(sentence()) }
}

/// Throws where the values differ; `what` names them.
func requireEqual<Value: Equatable>(
  _ seen: Value, _ expected: Value, _ what: @autoclosure () -> String
) throws(ConformanceFailure) {
  guard seen == expected else { throw ConformanceFailure("\(what()): expected \(expected), saw \(seen)") }
}

/// Looks every few milliseconds until the condition holds; throws `what` as what did not happen in time.
func waitUntil(
  _ what: String, within limit: Duration = .seconds(20), _ condition: () async throws -> Bool
) async throws {
  let end = ContinuousClock.now + limit
  while try await !condition() {
    guard ContinuousClock.now < end else { throw ConformanceFailure("not within \(limit): \(what)") }
    try await Task.sleep(for: .milliseconds(5))
  }
}
