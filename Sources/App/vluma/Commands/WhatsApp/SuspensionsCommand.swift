import ArgumentParser
import Foundation
import Messaging
import Postgres
import WhatsApp

extension WhatsAppCommand {
  struct Suspensions: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show numbers, templates and accounts that sending is suspended for, because WhatsApp refuses them.",
      discussion: "When its time has passed one message is tried; the suspension ends when WhatsApp accepts it.")

    @Flag(help: "Print JSON.")
    var json = false

    private struct Document: Encodable {
      let scope: String
      let key: String
      let code: Int
      let since: Date
      let until: Date
    }

    func run() async throws {
      let pool = try AppBuilder().pool()
      let documents = try await SuspensionStore().all(in: pool).map { suspension, since in
        Document(
          scope: suspension.scope.rawValue, key: suspension.key, code: suspension.code, since: since,
          until: suspension.until)
      }
      await pool.close()
      if json { return try printJSON(documents) }
      var table = TextTable(header: ["SCOPE", "KEY", "CODE", "SINCE", "UNTIL"])
      for document in documents {
        table.add([
          document.scope, document.key, "\(document.code)", document.since.formatted(.iso8601),
          document.until.formatted(.iso8601),
        ])
      }
      print(documents.isEmpty ? "Nothing is suspended." : table.lines().joined(separator: "\n"))
    }
  }
}
