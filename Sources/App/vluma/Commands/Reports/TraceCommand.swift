import ArgumentParser
import Foundation
import Jobs
import Postgres

struct TraceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace", abstract: "Show the timeline of a booking, a message or a job.",
    discussion: "Takes the id of a booking, a job or a message, a wamid, or the key of a provider's event.")

  @Argument(help: "The id of a booking, job or message, a wamid, or an event's key.")
  var id: String
  @Flag(help: "Print JSON.")
  var json = false

  private struct UnknownID: Error, CustomStringConvertible {
    let id: String
    var description: String { "nothing is known under the id \(id)" }
  }

  func run() async throws {
    let pool = try AppBuilder().pool()
    let entries = try await TraceEntry.entries(of: id, pool)
    await pool.close()
    guard !entries.isEmpty else { throw UnknownID(id: id) }
    if json { return try printJSON(entries) }
    print(Self.text(entries).joined(separator: "\n"))
  }

  /// The timeline in about 80 columns: jobs have short names, which are explained at the end.
  private static func text(_ entries: [TraceEntry]) -> [String] {
    var names: [String: String] = [:]
    for job in entries.compactMap(\.jobId) where names[job] == nil { names[job] = "J\(names.count + 1)" }
    let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    let eventWidth = entries.map(\.event.count).max() ?? 0
    let nameWidth = names.values.map(\.count).max() ?? 0
    func padded(_ text: String, _ width: Int) -> String { text.padding(toLength: width, withPad: " ", startingAt: 0) }
    var day = ""
    var text: [String] = []
    for entry in entries {
      let timestamp = entry.at.formatted(style)
      if timestamp.prefix(10) != day {
        day = String(timestamp.prefix(10))
        text.append("\(day), UTC")
      }
      let name = entry.jobId.flatMap { names[$0] } ?? ""
      let time = timestamp.dropFirst(11).dropLast()
      text.append("  \(time)  \(padded(name, nameWidth))  \(padded(entry.event, eventWidth))  \(entry.detail)")
    }
    text += names.sorted { $0.value.localizedStandardCompare($1.value) == .orderedAscending }
      .map { "\(padded($0.value, nameWidth))  job \($0.key)" }
    return text
  }
}
