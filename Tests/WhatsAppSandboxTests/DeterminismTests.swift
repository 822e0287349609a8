import Testing

@testable import WhatsAppSandbox

/// The same seed gives the same behaviour.
@Suite(.timeLimit(.minutes(1)))
struct DeterminismTests {
  /// The answers to forty messages, each sent twice: a second attempt is another draw.
  private func outcomes(
    _ seed: UInt64, hasCallback: Bool = true, isReversed: Bool = false
  ) async throws -> [Int: [Int]] {
    let faults = ["30%:refuse:131000", "30%:refuse:131056"].compactMap { SandboxFault($0) }
    let configuration = SandboxConfiguration.test {
      $0.seed = seed
      $0.faults = faults
    }
    var outcomes: [Int: [Int]] = [:]
    try await withSandbox(configuration) { (sandbox) async throws in
      for index in 0..<80 {
        let number = (isReversed ? 79 - index : index) % 40
        let parameters = ["Maria", "\(number)", "Clínica"]
        let callback = hasCallback ? "job:\(number)" : nil
        let answer = try await sandbox.send(Sample.template(parameters: parameters, callback: callback))
        outcomes[number, default: []].append(answer.code ?? 0)
      }
    }
    return outcomes
  }

  @Test func `the same seed has the same outcome, in whatever order messages arrive`() async throws {
    let one = try await outcomes(5)
    let other = try await outcomes(5, isReversed: true)
    let another = try await outcomes(6)
    #expect(one == other)
    #expect(one != another)
    let codes = Set(one.values.joined())
    #expect(codes == [0, 131_000, 131_056])
    #expect(one.values.contains(where: { $0[0] != $0[1] }))
  }

  @Test func `without callback data the body tells messages apart`() async throws {
    let one = try await outcomes(5, hasCallback: false)
    let other = try await outcomes(5, hasCallback: false, isReversed: true)
    #expect(one == other)
    #expect(Set(one.values).count > 3)
  }
}
