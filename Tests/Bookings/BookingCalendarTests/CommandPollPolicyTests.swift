import BookingCalendar
import Foundation
import Testing

struct CommandPollPolicyTests {
  @Test(arguments: zip([-50.0, 0, 5, 80, 4_800, 80_000], [1.0, 1, 1, 10, 600, 600]))
  func `the longer a decision takes, the longer the next delay`(waited: TimeInterval, delay: TimeInterval) {
    #expect(CommandPollPolicy.delay(.decision, afterWaiting: waited) == delay)
  }

  @Test(arguments: zip([-50.0, 0, 1, 5, 80, 4_800], [1.0, 1, 1, 5, 80, 600]))
  func `a booking that is not stored is looked for after as long as was waited`(
    waited: TimeInterval, delay: TimeInterval
  ) {
    #expect(CommandPollPolicy.delay(.booking, afterWaiting: waited) == delay)
  }

  @Test(arguments: [CommandPollPolicy.Wait.booking, .decision])
  func `after a day it waits no more`(_ wait: CommandPollPolicy.Wait) {
    #expect(CommandPollPolicy.delay(wait, afterWaiting: 86_399) != nil)
    #expect(CommandPollPolicy.delay(wait, afterWaiting: 86_400) == nil)
  }

  @Test(arguments: zip([60.0, 86_400], [6...8, 140...170]))
  func `a command about no booking at all costs seven looks in a minute, and some 150 in a day`(
    span: TimeInterval, expected: ClosedRange<Int>
  ) {
    var (waited, looks) = (0.0, 0)
    while waited < span, let delay = CommandPollPolicy.delay(.booking, afterWaiting: waited) {
      waited += delay
      looks += 1
    }
    #expect(expected.contains(looks), "\(looks)")
  }

  /// A UUID of a version, with a time of version 7.
  private func id(version: Int, at seconds: TimeInterval) throws -> UUID {
    let time = String(UInt64(seconds * 1_000), radix: 16)
    let digits = String(repeating: "0", count: 12 - time.count) + time
    return try #require(UUID(uuidString: "\(digits.prefix(8))-\(digits.suffix(4))-\(version)abc-8123-456789abcdef"))
  }

  @Test func `only ids that the front could have made are waited for`() throws {
    let now = Date(timeIntervalSince1970: 1_795_539_600)
    func may(_ version: Int, _ age: TimeInterval) throws -> Bool {
      CommandPollPolicy.mayBeOnItsWay(try id(version: version, at: now.timeIntervalSince1970 - age), at: now)
    }
    #expect(try may(7, 0))
    #expect(try may(7, 7 * 86_400))
    #expect(try may(7, -300))
    #expect(try !may(7, 9 * 86_400))
    #expect(try !may(7, -3_600))
    #expect(try may(8, 1_000_000))
    #expect(try !may(4, 0))
    #expect(try !may(1, 0))
    #expect(!CommandPollPolicy.mayBeOnItsWay(UUID(), at: now))
  }
}
