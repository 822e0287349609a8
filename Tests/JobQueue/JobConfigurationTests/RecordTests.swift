import JobConfiguration
import Jobs
import Testing

/// What is recorded of accepted jobs, as queues.yaml says it.
struct RecordTests {
  private func configuration(_ line: String) throws -> JobConfiguration {
    try JobConfiguration(yaml: mailDocument(line), workers: workers("mail.send"))
  }

  @Test func `bodies are recorded unless a pool says ids`() throws {
    #expect(try configuration("").bodilessPools.isEmpty)
    #expect(try configuration("record: bodies").bodilessPools.isEmpty)
    #expect(try configuration("record: ids").bodilessPools == ["mail"])
  }

  @Test(arguments: ["none", "true", "[ids]"])
  func `anything else is a problem`(_ value: String) {
    #expect(throws: InvalidConfiguration.self) { try configuration("record: \(value)") }
  }
}
