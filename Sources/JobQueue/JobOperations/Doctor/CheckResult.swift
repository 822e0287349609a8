/// The result of one check.
struct CheckResult {
  let findings: [Finding]
  let status: DoctorReport.Status
  let note: String

  /// - Parameters:
  ///   - note: what to say when nothing was found.
  ///   - unknownReason: what could not be read, in case nothing was found in the rest; nil: all was read.
  init(_ findings: [Finding] = [], note: String, unknownReason: String? = nil) {
    self.findings = findings
    if findings.isEmpty {
      status = unknownReason == nil ? .ok : .unknown
      self.note = unknownReason.map { "not known: \($0)" } ?? note
    } else {
      status = findings.contains { $0.severity == .problem } ? .problem : .warning
      self.note = findings.count == 1 ? "see below" : "\(findings.count) findings, see below"
    }
  }

  /// Nothing could be checked.
  init(unknownReason: String) { self.init(note: "", unknownReason: unknownReason) }
}
