extension DoctorReport {
  /// The report for people: a line for each check, then the findings. Only commands, which have lines of their own, may
  /// be longer than 80 columns.
  package func text(isColoured: Bool) -> String {
    let page = DoctorReportFormatter(isColoured: isColoured)
    var lines = checks.map(page.line)
    for finding in findings { lines += [""] + page.paragraph(finding) }
    return (lines + ["", summary]).joined(separator: "\n")
  }

  private var summary: String {
    let problems = findings.count { $0.severity == .problem }
    let warnings = findings.count - problems
    let parts = [(problems, "problem"), (warnings, "warning")].filter { $0.0 > 0 }
      .map { counted($0, $1) }
    if !parts.isEmpty { return parts.joined(separator: ", ") + "." }
    return checks.contains { $0.status == .unknown }
      ? "Nothing wrong was found, but not everything could be checked." : "Nothing is wrong."
  }
}

private struct DoctorReportFormatter {
  let isColoured: Bool
  private let titleWidth = DoctorCheck.allCases.map(\.title.count).max() ?? 0

  private static let width = 80
  /// Of the longest status.
  private static let statusWidth = 7
  private static let indent = String(repeating: " ", count: statusWidth + 2)

  init(isColoured: Bool) { self.isColoured = isColoured }

  func line(_ line: DoctorReport.Line) -> String {
    let start = padded(line.check.title, titleWidth) + "  "
    let room = Self.width - start.count - Self.statusWidth - 2
    let note = line.note.count > room ? "\(line.note.prefix(room - 1))…" : line.note
    return "\(start)\(painted(padded(line.status.rawValue, Self.statusWidth), line.status))  \(note)"
  }

  func paragraph(_ finding: Finding) -> [String] {
    let status: DoctorReport.Status = finding.severity == .problem ? .problem : .warning
    let room = Self.width - Self.indent.count
    var lines = (wrapped(finding.message, room) + wrapped(finding.advice, room)).map { Self.indent + $0 }
    if let first = lines.first {
      let word = painted(padded(status.rawValue, Self.indent.count), status)
      lines[0] = "\(word)\(first.dropFirst(Self.indent.count))"
    }
    let commands = finding.commands.flatMap { $0.split(separator: "\n") }
    return lines + commands.map { "\(Self.indent)  \($0)" }
  }

  private func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  private func painted(_ text: String, _ status: DoctorReport.Status) -> String {
    guard isColoured else { return text }
    let colour =
      switch status {
      case .ok: 32
      case .warning: 33
      case .problem: 31
      case .unknown: 36
      }
    return "\u{1B}[\(colour)m\(text)\u{1B}[0m"
  }

  /// Lines of at most `width` characters; only a longer word makes a longer line.
  private func wrapped(_ text: String, _ width: Int) -> [String] {
    var lines: [String] = []
    for word in text.split(whereSeparator: \.isWhitespace) {
      if let last = lines.last, last.count + 1 + word.count <= width {
        lines[lines.count - 1] = "\(last) \(word)"
      } else {
        lines.append(String(word))
      }
    }
    return lines
  }
}
