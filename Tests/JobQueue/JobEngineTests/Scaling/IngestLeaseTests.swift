import ClientLoop
import JobEngine
import Jobs
import JobsTesting
import Logging
import Testing

/// An ingest process among the live nodes.
struct IngestLeaseTests {
  private let directory = InMemoryPoolDirectory()
  private let resources = NodeResources(openDescriptors: 30, descriptorsMax: 1_024, clientsMax: 624)

  /// Runs the lease beside `body`, in simulated time, and then ends it.
  private func withLease(_ body: @escaping @Sendable () async throws -> Void) async throws {
    let (directory, resources) = (directory, resources)
    try await Simulation(seed: 1).run {
      let lease = IngestLease(
        node: "ingest", directory: directory, resources: { resources },
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await lease.run() }
        try await TimeSource.sleep(for: .seconds(1))
        try await body()
        group.cancelAll()
        try await group.waitForAll()
      }
    }
  }

  @Test func `it is listed with its resources, as no worker, for as long as it runs`() async throws {
    let (directory, resources) = (directory, resources)
    try await withLease {
      for _ in 0..<60 {
        let node = try #require(try await directory.overview().nodes.first)
        #expect(node.id == "ingest" && node.resources == resources)
        #expect(!node.isWorker)
        try await TimeSource.sleep(for: .seconds(1))
      }
    }
    #expect(try await directory.overview().nodes.isEmpty)
  }

  @Test func `an outage of the store ends the lease only, and later it is listed again`() async throws {
    let directory = directory
    directory.isAvailable = false
    try await withLease {
      try await TimeSource.sleep(for: .seconds(120))
      directory.isAvailable = true
      #expect(try await directory.overview().nodes.isEmpty)
      try await TimeSource.sleep(for: .seconds(6))
      #expect(try await directory.overview().nodes.map(\.id) == ["ingest"])
    }
  }

  @Test func `one that ends during an outage does not wait for its end`() async throws {
    let directory = directory
    try await withLease { directory.isAvailable = false }
    directory.isAvailable = true
    directory.advance(by: .seconds(3_600))
    #expect(try await directory.overview().nodes.isEmpty)
  }
}
