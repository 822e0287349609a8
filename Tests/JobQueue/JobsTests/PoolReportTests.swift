import Foundation
import Jobs
import Testing

struct PoolReportTests {
  private let report = PoolReport(
    localConcurrency: 3, running: 2, lastFetchedEnqueuedAt: Date(timeIntervalSince1970: 1_790_000_050))

  @Test func `a report survives coding, with keys in snake_case`() throws {
    let document = try JSONEncoder().encode(report)
    let fields = try #require(try JSONSerialization.jsonObject(with: document) as? [String: Any])
    #expect(fields.keys.sorted() == ["last_fetched_enqueued_at", "local_concurrency", "running"])
    #expect(try JSONDecoder().decode(PoolReport.self, from: document) == report)
  }

  @Test(arguments: ["{}", #"{"share": 4, "in_hand": 1}"#])
  func `absent fields are read as defaults, unknown ones are ignored`(_ document: String) throws {
    #expect(try JSONDecoder().decode(PoolReport.self, from: Data(document.utf8)) == PoolReport())
  }

  @Test func `resources survive coding, with keys in snake_case, and what is absent is unknown`() throws {
    let resources = NodeResources(openDescriptors: 12, descriptorsMax: 1_024, clientsMax: 624)
    let document = try JSONEncoder().encode(resources)
    let fields = try #require(try JSONSerialization.jsonObject(with: document) as? [String: Any])
    #expect(fields.keys.sorted() == ["clients_max", "descriptors_max", "open_descriptors"])
    #expect(try JSONDecoder().decode(NodeResources.self, from: document) == resources)
    #expect(try JSONDecoder().decode(NodeResources.self, from: Data(#"{"threads": 4}"#.utf8)) == NodeResources())
  }
}
