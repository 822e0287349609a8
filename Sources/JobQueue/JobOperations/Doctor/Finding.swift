/// Something that is wrong, and what to do about it.
package struct Finding: Sendable, Equatable, Encodable {
  package enum Severity: String, Sendable, Codable {
    /// Jobs are worked on, or will be again without help; an operator should look at it.
    case warning
    /// Jobs are not worked on, or soon will not be.
    case problem
  }

  package let check: DoctorCheck
  package let severity: Severity
  /// What is wrong, and where: names and numbers, nothing of a job's content.
  package let message: String
  /// What to do, in words.
  package let advice: String
  /// What to type, in order; a command may have several lines.
  package let commands: [String]

  init(_ check: DoctorCheck, _ severity: Severity, _ message: String, advice: String, _ commands: String...) {
    self.init(check, severity, message, advice: advice, commands: commands)
  }

  init(_ check: DoctorCheck, _ severity: Severity, _ message: String, advice: String, commands: [String]) {
    self.check = check
    self.severity = severity
    self.message = message
    self.advice = advice
    self.commands = commands
  }
}
