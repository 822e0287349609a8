import Foundation
import TestServers
import Testing

@testable import WhatsAppSandbox

/// The log file records what happened, without personal data.
@Suite(.timeLimit(.minutes(1)))
struct SandboxLogTests {
  @Test func `requests and webhooks are logged, recipients masked`() async throws {
    let file = FileManager.default.temporaryDirectory.appending(path: TestEnvironment.uniqueName("sandbox") + ".log")
    defer { try? FileManager.default.removeItem(at: file) }
    func text() throws -> String { try String(contentsOf: file, encoding: .utf8) }
    try Data("{\"event\":\"earlier\"}\n".utf8).write(to: file)
    try await WebhookReceiver.with { receiver in
      let configuration = SandboxConfiguration.test {
        $0.logFile = file.path
        $0.webhookURL = receiver.url
      }
      try await withSandbox(configuration) { (sandbox) async throws in
        #expect(try await sandbox.send(Sample.template()).status == 200)
        _ = try await sandbox.request("POST", "/v23.0/\(Sample.phoneNumberID)/messages", Data("{".utf8), token: "wrong")
        try await eventually("all is logged") { try text().filter { $0 == "\n" }.count == 5 }
      }
    }
    let logged = try text().split(separator: "\n").compactMap { JSONValue(Data($0.utf8)) }
    #expect(logged.count == 5)
    #expect(logged.first?["event"]?.stringValue == "earlier")
    let requests = logged.filter { $0["event"]?.stringValue == "request" }
    #expect(requests.compactMap { $0["outcome"]?.stringValue } == ["accepted", "refused"])
    #expect(requests.compactMap { $0["http_status"]?.intValue } == [200, 401])
    #expect(requests.first?["to"]?.stringValue == "5511*****4321")
    #expect(requests.first?["callback"]?.stringValue == "job:1")
    let webhooks = logged.filter { $0["event"]?.stringValue?.hasPrefix("webhook") == true }
    #expect(Set(webhooks.compactMap { $0["event"]?.stringValue }) == ["webhook sent", "webhook delivered"])
    #expect(webhooks.allSatisfy { $0["outcome"]?.stringValue == "delivered" && $0["http_status"]?.intValue == 200 })
    let all = try text()
    for secret in [Sample.recipient, "test-token", "test-secret", "wrong", "Maria", "Clínica", "confirm:1"] {
      #expect(!all.contains(secret), "\(secret)")
    }
  }

  @Test func `a log that cannot be written stops nothing`() async throws {
    try await withSandbox(.test { $0.logFile = "/nowhere/at/all.log" }) { (sandbox) async throws in
      #expect(try await sandbox.send(Sample.template()).status == 200)
    }
  }
}
