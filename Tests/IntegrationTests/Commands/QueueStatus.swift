import Foundation
import TestPlatform
import Testing

/// The JSON of `vluma queues --json`, as far as tests read it.
struct QueueStatus: Decodable {
  struct Pool: Decodable {
    let name: String
    let queued: Int?
    let running: Int
    let dead: Int
    let size: Int
    let localConcurrency: Int
    let isPaused: Bool
    let nodes: Int
  }

  let pools: [Pool]

  func pool(_ name: String) throws -> Pool { try #require(pools.first { $0.name == name }) }
}

extension Platform {
  func queueStatus() async throws -> QueueStatus {
    let (code, output) = try await command("queues", "--json")
    #expect(code == 0, "\(output)")
    #expect(output.contains("\"local_concurrency\"") && output.contains("\"oldest_age_seconds\""))
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(QueueStatus.self, from: Data(output.utf8))
  }
}
