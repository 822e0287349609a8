import Logging
import Postgres
import TestServers
import Testing

@Suite(.timeLimit(.minutes(1)))
struct PostgresListenerTests {
  /// Runs a listener on two channels of its own for the length of `body`.
  private func withListener(
    _ configuration: PostgresConfiguration,
    _ body: (_ channels: [String], _ events: Locked<[PostgresListener.Event]>) async throws -> Void
  ) async throws {
    let channels = [TestEnvironment.uniqueName("one"), TestEnvironment.uniqueName("two")]
    let events = Locked<[PostgresListener.Event]>([])
    let listener = PostgresListener(configuration, channels: channels, logger: Logger(label: "test"))
    let running = Task { await listener.run { event in events.change { $0.append(event) } } }
    defer { running.cancel() }
    try await body(channels, events)
    running.cancel()
    try await withTimeout(within: .seconds(5), "the listener stops") { await running.value }
  }

  private func listenings(_ events: Locked<[PostgresListener.Event]>) -> Int { events.value.count { $0 == .listening } }

  @Test func `it reports that it listens, and every notification in order`() async throws {
    let admin = try await observer()
    try await withListener(postgres()) { channels, events async throws in
      try await eventually("it listens") { events.value == [.listening] }
      for number in 0..<100 {
        try await admin.query("SELECT pg_notify(\(channels[number % 2]), \("payload \(number) ü"))")
      }
      let expected =
        [PostgresListener.Event.listening]
        + (0..<100).map { .notification(channel: channels[$0 % 2], payload: "payload \($0) ü") }
      try await eventually("all were reported") { events.value.count == 101 }
      #expect(events.value == expected)
    }
  }

  @Test func `many notifications of one transaction all arrive`() async throws {
    let admin = try await observer()
    try await withListener(postgres()) { channels, events async throws in
      try await eventually("it listens") { events.value == [.listening] }
      try await admin.query("SELECT pg_notify(\(channels[0]), n::text) FROM generate_series(1, 3000) n")
      try await eventually("all were reported") { events.value.count == 3_001 }
      #expect(events.value.last == .notification(channel: channels[0], payload: "3000"))
    }
  }

  @Test func `notifications of other channels are not reported`() async throws {
    let admin = try await observer()
    try await withListener(postgres()) { channels, events async throws in
      try await eventually("it listens") { events.value == [.listening] }
      try await admin.query("SELECT pg_notify(\(TestEnvironment.uniqueName("other")), 'x')")
      try await admin.query("SELECT pg_notify(\(channels[1]), '')")
      try await eventually("one was reported") { events.value.count > 1 }
      #expect(events.value == [.listening, .notification(channel: channels[1], payload: "")])
    }
  }

  @Test func `after its backend was terminated it listens again and reports it`() async throws {
    let name = TestEnvironment.uniqueName("listener")
    let admin = try await observer()
    try await withListener(postgres(name: name)) { channels, events async throws in
      for round in 1...3 {
        try await eventually("it listens") { listenings(events) == round }
        try await admin.query("SELECT pg_notify(\(channels[0]), \("\(round)"))")
        try await eventually("the notification was reported") {
          events.value.last == .notification(channel: channels[0], payload: "\(round)")
        }
        if round < 3 { try await admin.terminate(name) }
      }
    }
  }

  @Test func `after a cut it listens again`() async throws {
    let proxy = try TestEnvironment.postgres().proxy()
    defer { proxy.stop() }
    try await withListener(postgres(port: proxy.port)) { _, events async throws in
      try await eventually("it listens") { listenings(events) == 1 }
      proxy.cutAll()
      try await eventually("it listens again") { listenings(events) == 2 }
    }
  }

  @Test func `it waits for a server that is unavailable at first`() async throws {
    let proxy = try TestEnvironment.postgres().proxy()
    defer { proxy.stop() }
    proxy.refuseNew()
    try await withListener(postgres(port: proxy.port)) { _, events async throws in
      #expect(events.value.isEmpty)
      proxy.acceptNew()
      try await eventually(within: .seconds(20), "it listens") { listenings(events) == 1 }
    }
  }

  @Test func `cancelling ends it, and its connection is gone`() async throws {
    let name = TestEnvironment.uniqueName("ends")
    let admin = try await observer()
    try await withListener(postgres(name: name)) { _, events async throws in
      try await eventually("it listens") { listenings(events) == 1 }
      #expect(try await admin.backends(of: name).count == 1)
    }
    try await eventually("its backend is gone") { try await admin.backends(of: name).isEmpty }
  }
}
