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
}
