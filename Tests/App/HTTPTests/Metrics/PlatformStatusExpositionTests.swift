import JobOperations
import Jobs
import Testing

@testable import HTTP

struct PlatformStatusExpositionTests {
  @Test func `unknown values are left out`() {
    var status = PlatformStatus()
    status.pools = [PlatformStatus.Pool(name: "known"), PlatformStatus.Pool(name: "unknown")]
    status.pools[0].queued = 3
    status.tiers = [.init(name: "1s", retrying: 2), .init(name: "5s", retrying: nil)]
    let lines = status.exposition().split(separator: "\n")
    #expect(lines.contains(#"vluma_jobs_queued{pool="known"} 3"#))
    #expect(!lines.contains { $0.hasPrefix(#"vluma_jobs_queued{pool="unknown"}"#) })
    #expect(lines.contains(#"vluma_jobs_retrying{tier="1s"} 2"#))
    #expect(!lines.contains { $0.hasPrefix(#"vluma_jobs_retrying{tier="5s"}"#) })
    #expect(!lines.contains { $0.hasPrefix("vluma_jobs_unroutable ") })
    #expect(!lines.contains { $0.hasPrefix("vluma_outbox_oldest_age_seconds ") })
  }

  @Test func `every sample belongs to a family with help and type, each written once`() {
    var status = PlatformStatus()
    status.pools = [PlatformStatus.Pool(name: "a")]
    status.errors = ["the broker could not be asked"]
    status.gauges = [
      .init("vluma_messages", help: "Messages by state.", label: ["state", "in_doubt"], value: 1),
      .init("vluma_messages", help: "Messages by state.", label: ["state", "sent"], value: 2),
      .init("vluma_suspensions", help: "Suspended sending.", value: 0),
    ]
    let lines = status.exposition().split(separator: "\n").map(String.init)
    let types = lines.filter { $0.hasPrefix("# TYPE ") }.map { $0.split(separator: " ")[2] }
    #expect(Set(types).count == types.count)
    for line in lines where !line.hasPrefix("#") {
      let name = line.prefix { $0 != "{" && $0 != " " }
      #expect(types.contains(name), "\(line)")
      #expect(lines.contains { $0.hasPrefix("# HELP \(name) ") }, "\(line)")
    }
    #expect(lines.contains("vluma_status_errors 1"))
    #expect(lines.contains(#"vluma_messages{state="in_doubt"} 1"#))
    #expect(lines.contains("vluma_suspensions 0"))
  }
}
