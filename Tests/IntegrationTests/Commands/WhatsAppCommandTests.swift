import Foundation
import Messaging
import Postgres
import TestPlatform
import TestServers
import Testing
import WhatsApp
import WhatsAppSandbox

extension MessagingTests {
  /// `vluma whatsapp`, and the options of the WhatsApp sandbox.
  struct WhatsAppCommandTests {
    private struct ListedSuspension: Decodable {
      let scope: String
      let key: String
      let code: Int
      let since: Date
      let until: Date
    }

    private func suspensions(_ platform: Platform) async throws -> [ListedSuspension] {
      let (status, output) = try await platform.command("whatsapp", "suspensions", "--json")
      #expect(status == 0, "\(output)")
      let decoder = JSONDecoder()
      decoder.dateDecodingStrategy = .custom(CommandJSON.date)
      return try decoder.decode([ListedSuspension].self, from: Data(output.utf8))
    }

    @Test func `a number is given to a business that exists, and belongs to one business only`() async throws {
      var setup = Platform.Setup()
      setup.sandbox = .quick
      try await Platform.with(setup) { platform in
        let stranger = UUID().uuidString.lowercased()
        let unknown = try await platform.command("whatsapp", "number", stranger, "123456")
        #expect(unknown.status == 1)
        #expect(unknown.output.contains("there is no business \(stranger)"))
        let other = UUID()
        try await platform.pool.query(
          "INSERT INTO bookings.business (id, name, time_zone) VALUES (\(other), 'Another', 'America/Sao_Paulo')")
        let name = other.uuidString.lowercased()
        let taken = try await platform.command("whatsapp", "number", name, Platform.phoneNumberID)
        #expect(taken.status == 1)
        #expect(taken.output.contains("another business sends from \(Platform.phoneNumberID)"))
        #expect(try await platform.number("SELECT count(*) FROM messaging.phone_number") == 1)
        for number in ["123456", "654321"] {
          let given = try await platform.command("whatsapp", "number", name, number, "--account", "77")
          #expect(given.status == 0)
          #expect(given.output == "\(name) sends from \(number)\n")
        }
        let rows = try await platform.pool.query(
          "SELECT phone_number_id, account_id FROM messaging.phone_number WHERE business_id = \(other)")
        try #require(rows.count == 1)
        #expect(try rows[0].decode(0, as: String.self) == "654321")
        #expect(try rows[0].decode(1, as: String.self) == "77")
        #expect(try await platform.command("whatsapp", "number", "nobody", "123456").status == 2)
        #expect(try await platform.command("whatsapp", "number", name, "12a").status == 2)
      }
    }

    @Test func `suspensions are shown and lifted, and lifting a missing one fails`() async throws {
      try await Platform.with { platform in
        #expect(try await suspensions(platform).isEmpty)
        #expect(try await platform.command("whatsapp", "suspensions").output == "Nothing is suspended.\n")
        let until = Date() + 600
        let suspension = Suspension(scope: .number, key: Platform.phoneNumberID, until: until, code: 131_048)
        try await platform.pool.withTransaction { try await SuspensionStore().put(suspension, in: $0) }
        let shown = try await suspensions(platform)
        try #require(shown.count == 1)
        #expect(shown[0].scope == "number" && shown[0].key == Platform.phoneNumberID && shown[0].code == 131_048)
        #expect(abs(shown[0].until.timeIntervalSince(until)) <= 0.01 && shown[0].since <= Date())
        let nothing = try await platform.command("whatsapp", "lift", "number", "1")
        #expect(nothing.status == 1)
        #expect(nothing.output.contains("there is no suspension of number 1"))
        #expect(try await platform.command("whatsapp", "lift", "account", Platform.phoneNumberID).status == 1)
        #expect(try await platform.command("whatsapp", "lift", "pair", "1").status == 2)
        #expect(try await suspensions(platform).count == 1)
        let lifted = try await platform.command("whatsapp", "lift", "number", Platform.phoneNumberID)
        #expect(lifted.status == 0)
        #expect(lifted.output == "number \(Platform.phoneNumberID): lifted\n")
        #expect(try await suspensions(platform).isEmpty)
      }
    }

    @Test func `faults go with the sandbox, and have a share and a behaviour`() async throws {
      try await Platform.with { platform in
        for arguments in [
          ["up", "--fault", "5%:accept"], ["up", "--sandbox-log", "/dev/null"],
          ["up", "--sandbox", "--fault", "accept"], ["up", "--sandbox", "--fault", "5%:nonsense"],
          ["sandbox", "--fault", "105%:accept"],
        ] {
          let process = try await platform.start(arguments)
          #expect(try await process.ended() == 2, "\(arguments): \(process.output)")
          #expect(process.output.contains("--fault"), "\(process.output)")
        }
      }
    }
  }
}
