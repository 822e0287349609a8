/// What is wrong with the platform, where, and what to do about it; made of a ``SystemSnapshot`` alone.
package struct DoctorReport: Sendable, Encodable {
  package enum Status: String, Sendable, Codable {
    case ok, warning, problem
    /// The server or file that the check needs could not be read; another check says why.
    case unknown
  }

  /// A check and its result.
  package struct Line: Sendable, Equatable, Encodable {
    package let check: DoctorCheck
    /// The worst of its findings.
    package let status: Status
    /// A few words on it.
    package let note: String
  }

  /// True: nothing is wrong.
  package let isHealthy: Bool
  /// Every check, in order.
  package let checks: [Line]
  /// Problems first.
  package let findings: [Finding]

  package init(_ snapshot: SystemSnapshot) {
    let runner = CheckRunner(snapshot)
    var checks: [Line] = []
    var findings: [Finding] = []
    for check in DoctorCheck.allCases {
      let result = runner.result(of: check)
      checks.append(Line(check: check, status: result.status, note: result.note))
      findings += result.findings
    }
    isHealthy = findings.isEmpty
    self.checks = checks
    self.findings = findings.filter { $0.severity == .problem } + findings.filter { $0.severity == .warning }
  }

  private enum CodingKeys: String, CodingKey {
    case isHealthy = "is_healthy"
    case checks, findings
  }
}
