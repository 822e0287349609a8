import Foundation
import TestServers
import Testing

@testable import WhatsAppSandbox

/// The limits of the sandbox's memory.
struct MemoryTests {
  @Test func `a recent dictionary forgets what was written longest ago`() {
    var recent = RecentDictionary<Int, Int>(max: 10)
    for number in 0..<100 { recent[number] = number }
    #expect((95..<100).allSatisfy { recent[$0] == $0 })
    #expect((0..<90).allSatisfy { recent[$0] == nil })
    recent[99] = nil
    #expect(recent[99] == nil)
    recent[98] = -1
    #expect(recent[98] == -1)
  }

  @Test func `statuses find their message after others were forgotten`() {
    let history = MessageHistory()
    for number in 0..<100_001 {
      history.append(
        MessageRecord(
          wamid: "wamid.\(number)", to: "", template: nil, callback: nil, phoneNumberID: "", outcome: .accepted,
          code: nil, at: Date(timeIntervalSince1970: 0), payloads: []))
    }
    history.recordStatus(.sent, of: "wamid.0")
    history.recordStatus(.sent, of: "wamid.100000")
    #expect(history.records.count == 90_001)
    #expect(history.records.last?.statuses == [.sent])
    #expect(history.records.filter { !$0.statuses.isEmpty }.count == 1)
  }

  @Test func `ids are unique, also those of another run`() {
    let (one, other) = (SandboxIDs(), SandboxIDs())
    let ids = (0..<100).flatMap { _ in [one.wamid(), other.wamid()] }
    #expect(Set(ids).count == 200)
    #expect(ids.allSatisfy { $0.wholeMatch(of: /wamid\.HBgN[A-Za-z0-9+\/]{36}/) != nil })
  }
}
