import ArgumentParser
import Foundation
import Jobs
import JobsPostgres

extension DeadCommand {
  struct Groups: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Dead letters by cause.")

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
      let groups = try await DeadCommand.withIndex { try await $0.groups() }
      if json { return try printJSON(groups) }
      var table = TextTable(header: ["FINGERPRINT", "POOL", "COUNT", "LATEST", "KIND", "REASON"])
      for group in groups {
        table.add([
          group.fingerprint, group.pool.rawValue, "\(group.count)", group.lastAt.formatted(.iso8601), group.kind,
          group.reason.rawValue,
        ])
      }
      print(groups.isEmpty ? "No dead letters." : table.lines().joined(separator: "\n"))
      for group in groups { print("\(group.fingerprint): \(group.detail)") }
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Dead letters, latest first.")

    @OptionGroup var selection: DeadLetterSelection
    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
      var filter = selection.filter(nil)
      filter.readsBodies = false
      let letters = try await DeadCommand.withIndex { [filter] in try await $0.letters(filter) }
      if json { return try printJSON(letters.map(DeadLetterDocument.init)) }
      var table = TextTable(header: ["JOB", "DIED_AT", "KIND", "REASON", "ATTEMPTS"])
      for letter in letters {
        let info = letter.deadLetterInfo
        table.add([
          "\(letter.jobRun)", info.at.formatted(.iso8601), letter.envelope?.kind.rawValue ?? "-",
          info.reason.rawValue, "\(info.attempts)",
        ])
      }
      print(letters.isEmpty ? "No dead letters." : table.lines().joined(separator: "\n"))
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "One dead letter, as JSON.")

    @Argument(help: "The job's id.")
    var id: String
    @Flag(help: "Print the body too. It may hold personal data.")
    var body = false

    func run() async throws {
      let filter = DeadLetterFilter(ids: [try JobID(argument: id)])
      guard let letter = try await DeadCommand.withIndex({ try await $0.letters(filter) }).first else {
        throw NotFound(id: id)
      }
      var document = DeadLetterDocument(letter)
      if body { document.body = String(decoding: letter.body, as: UTF8.self) }
      try printJSON(document)
    }
  }

  private struct NotFound: Error, CustomStringConvertible {
    let id: String
    var description: String { "there is no open dead letter with the id \(id)" }
  }
}
