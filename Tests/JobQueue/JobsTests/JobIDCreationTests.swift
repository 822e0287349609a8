import Foundation
import Jobs
import TestServers
import Testing

struct JobIDCreationTests {
  @Test func `the RFC's example was made when the RFC says`() throws {
    // RFC 9562, appendix A.6: Tuesday, 22 February 2022, 2:22:22 PM GMT-05:00.
    let id = try #require(JobID("017f22e2-79b0-7cc3-98c4-dc0c0c07398f"))
    #expect(id.createdAt == Date(timeIntervalSince1970: 1_645_557_742))
  }

  @Test func `a new id was made just now`() throws {
    let before = Date()
    let createdAt = try #require(JobID().createdAt)
    // Whole milliseconds, rounded down.
    #expect(createdAt > before - 0.002 && createdAt <= Date())
  }

  @Test func `an id has the millisecond it was made in`() throws {
    var random = SeededRandom(seed: 71)
    for _ in 0..<1_000 {
      let milliseconds = Int.random(in: 0...4_102_444_800_000, using: &random)
      let instant = Date(timeIntervalSince1970: Double(milliseconds) / 1_000 + 0.000_3)
      let createdAt = try #require(JobID(.version7(at: instant)).createdAt)
      #expect(abs(createdAt.timeIntervalSince1970 - Double(milliseconds) / 1_000) < 0.000_5)
    }
  }

  @Test(arguments: [
    "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "f47ac10b-58cc-4372-a567-0e02b2c3d479",
    "919108f7-52d1-5320-9bac-f847db4148a8", "1ec9414c-232a-6b00-b3c8-9f6bdeced846",
    "2489e9ad-2ee2-8e00-8ec9-32d5f69181c0", "00000000-0000-0000-0000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
  ])
  func `an id of another version has no time`(_ text: String) throws {
    let id = try #require(JobID(text))
    #expect(id.createdAt == nil)
  }
}
