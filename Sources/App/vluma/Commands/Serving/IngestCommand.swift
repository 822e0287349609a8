import ArgumentParser

struct IngestCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ingest", abstract: "Run the HTTP server that accepts bookings and webhooks.")

  func run() async throws { try await AppBuilder().run([.ingest]) }
}
