import ArgumentParser
import Foundation
import Postgres

struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Send a clinic's bookings to a running platform, and compare all results with the database.",
    discussion: """
      Creates a business of its own in the database. Exit status 0 only if every 202 ended as promised and the database \
      agrees.
      """)

  @Option(help: "The URL of ingest.")
  var url = "http://127.0.0.1:8080"
  @Option(help: "Seed of the order of requests.")
  var seed: UInt64 = 1
  @Option(help: "The URL of the WhatsApp sandbox (vluma sandbox); without it messages are not checked.")
  var sandbox: String?
  @Option(help: "Kill this worker process when half of the requests are sent.")
  var killPid: Int32?
  @Option(help: "Create this file when three quarters of the requests are sent, for scripts that inject faults then.")
  var milestone: String?
  @Option(help: "Customers at a time.")
  var concurrency = 16
  @Option(help: "Delay between two requests of a customer, in milliseconds.")
  var delay = 250

  func run() async throws {
    let pool = try AppBuilder().pool()
    let business = try DemoBusiness()
    try await business.load(pool)
    let scenario = DemoScenario(business, now: Date(), seed: seed)
    let phones = sandbox.map { DemoWhatsAppClient(base: $0, number: business.phoneNumberID) }
    let disturbance = DemoRun.Disturbance(killPid: killPid, milestone: milestone)
    var run = DemoRun(
      client: DemoClient(base: url, business: business.id), phones: phones, concurrency: concurrency,
      delay: .milliseconds(delay), disturbance: disturbance)
    print(
      "A clinic in São Paulo with \(business.professionals.count) professionals; \(scenario.bookingRequests.count) customers book."
    )
    try await run.play(scenario)
    let agrees = try await DemoReport(
      results: run.results, reconciliation: DemoReconciliation(business: business.id, pool: pool), phones: phones
    ).print()
    await pool.close()
    if !agrees { throw ExitCode.failure }
  }
}
