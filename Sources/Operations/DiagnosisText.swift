extension Diagnosis {
  /// The diagnosis for people: a line for each check, then what was found and what to do. It fits 80 columns but for
  /// commands, which stand in lines of their own.
  public func text(isColoured: Bool) -> String {
    let page = DiagnosisPage(isColoured: isColoured)
    var lines = checks.map(page.line)
    for finding in findings { lines += [""] + page.paragraph(finding) }
    return (lines + ["", summary]).joined(separator: "\n")
  }

  private var summary: String {
    let problems = findings.count { $0.severity == .problem }
    let warnings = findings.count - problems
    let parts = [(problems, "problem"), (warnings, "warning")].filter { $0.0 > 0 }
      .map { count, noun in count == 1 ? "1 \(noun)" : "\(count) \(noun)s" }
    if !parts.isEmpty { return parts.joined(separator: ", ") + "." }
    return checks.contains { $0.verdict == .unknown }
      ? "Nothing wrong was found, but not everything could be looked at." : "Nothing is wrong."
  }
}

/// Lays lines and paragraphs out.
private struct DiagnosisPage {
  let isColoured: Bool
  private let titleWidth = HealthCheck.allCases.map(\.title.count).max() ?? 0

  private static let width = 80
  /// The longest verdict.
  private static let verdictWidth = 7
  private static let indent = String(repeating: " ", count: verdictWidth + 2)

  init(isColoured: Bool) { self.isColoured = isColoured }

  func line(_ line: Diagnosis.Line) -> String {
    let start = padded(line.check.title, titleWidth) + "  "
    let room = Self.width - start.count - Self.verdictWidth - 2
    let note = line.note.count > room ? "\(line.note.prefix(room - 1))…" : line.note
    return "\(start)\(painted(padded(line.verdict.rawValue, Self.verdictWidth), line.verdict))  \(note)"
  }

  func paragraph(_ finding: Finding) -> [String] {
    let verdict: Diagnosis.Verdict = finding.severity == .problem ? .problem : .warning
    let room = Self.width - Self.indent.count
    var lines = (wrapped(finding.sentence, room) + wrapped(finding.advice, room)).map { Self.indent + $0 }
    if let first = lines.first {
      let word = painted(padded(verdict.rawValue, Self.indent.count), verdict)
      lines[0] = "\(word)\(first.dropFirst(Self.indent.count))"
    }
    let commands = finding.commands.flatMap { $0.split(separator: "\n") }
    return lines + commands.map { "\(Self.indent)  \($0)" }
  }

  private func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  private func painted(_ text: String, _ verdict: Diagnosis.Verdict) -> String {
    guard isColoured else { return text }
    let colour =
      switch verdict {
      case .ok: 32
      case .warning: 33
      case .problem: 31
      case .unknown: 36
      }
    return "\u{1B}[\(colour)m\(text)\u{1B}[0m"
  }

  /// Lines of at most `width` characters, but for words that are longer.
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
