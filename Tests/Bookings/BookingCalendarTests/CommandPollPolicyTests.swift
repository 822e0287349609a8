import BookingCalendar
import Foundation
import Testing

struct CommandPollPolicyTests {
  @Test(arguments: zip([-50.0, 0, 5, 80, 4_800, 80_000], [1.0, 1, 1, 10, 600, 600]))
  func `the longer it has waited, the longer the next delay`(waited: TimeInterval, delay: TimeInterval) {
    #expect(CommandPollPolicy.delay(afterWaiting: waited) == delay)
  }

  @Test func `after a day it waits no more`() {
    #expect(CommandPollPolicy.delay(afterWaiting: 86_399) != nil)
    #expect(CommandPollPolicy.delay(afterWaiting: 86_400) == nil)
  }

  @Test func `a command about no booking at all costs some 200 looks`() {
    var (waited, looks) = (0.0, 0)
    while let delay = CommandPollPolicy.delay(afterWaiting: waited) {
      waited += delay
      looks += 1
    }
    #expect((150...250).contains(looks))
  }
}
