import ArgumentParser
import Messaging
import Postgres
import WhatsApp

extension WhatsAppCommand {
  struct Lift: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Lift a suspension now: its messages are sent again.")

    @Argument(help: "number, template or account.")
    var scope: String
    @Argument(help: "The key, as vluma whatsapp suspensions shows it.")
    var key: String

    func run() async throws {
      guard let scope = ErrorPolicy.Scope(rawValue: scope), [.number, .template, .account].contains(scope) else {
        throw ValidationError("The scope must be number, template or account, not \"\(scope)\".")
      }
      let key = key
      let pool = try AppBuilder().pool()
      let isThere = try await SuspensionStore().all(in: pool).contains {
        $0.suspension.scope == scope && $0.suspension.key == key
      }
      if isThere { try await pool.withTransaction { try await SuspensionStore().lift([(scope, key)], in: $0) } }
      await pool.close()
      guard isThere else { throw NoSuspension(scope: scope.rawValue, key: key) }
      print("\(scope.rawValue) \(key): lifted")
    }

    private struct NoSuspension: Error, CustomStringConvertible {
      let scope: String
      let key: String
      var description: String { "there is no suspension of \(scope) \(key); see vluma whatsapp suspensions" }
    }
  }
}
