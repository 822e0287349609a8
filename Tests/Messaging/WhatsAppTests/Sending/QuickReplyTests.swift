import Foundation
import Testing
import WhatsApp

struct QuickReplyTests {
  private let id = "3f0c1d2e-1111-4222-8333-abcdefabcdef"

  @Test func `what a button sends back is read as what was given to it`() {
    for _ in 0..<200 {
      let booking = UUID()
      for reply in [QuickReply.confirm(booking: booking), .cancel(booking: booking)] {
        #expect(QuickReply(payload: reply.payload) == reply)
        #expect(reply.booking == booking)
      }
    }
  }

  @Test func `a payload is a word and an id in lower case, and fits a button`() throws {
    let booking = try #require(UUID(uuidString: id.uppercased()))
    #expect(QuickReply.confirm(booking: booking).payload == "confirm:\(id)")
    #expect(QuickReply.cancel(booking: booking).payload == "cancel:\(id)")
    #expect(QuickReply.confirm(booking: booking).payload.utf8.count <= 200)
    #expect(QuickReply(payload: "confirm:\(id.uppercased())") == .confirm(booking: booking))
  }

  @Test(arguments: [
    "", ":", "::", "confirm", "confirm:", ":3f0c1d2e-1111-4222-8333-abcdefabcdef", "Unsubscribe", "cancel-button",
    "confirm:01JD8Y4N7W", "confirm:3f0c1d2e-1111-4222-8333-abcdefabcde",
    "confirm:3f0c1d2e-1111-4222-8333-abcdefabcdefa", "confirm:3f0c1d2e-1111-4222-8333-abcdefabcdeg",
    "confirm:3f0c1d2e-1111-4222-8333-abcdefabcdef:",
    "confirm::3f0c1d2e-1111-4222-8333-abcdefabcdef", "confirm:3f0c1d2e-1111-4222-8333-abcdefabcdef:x",
    "delete:3f0c1d2e-1111-4222-8333-abcdefabcdef", "CONFIRM:3f0c1d2e-1111-4222-8333-abcdefabcdef",
    " confirm:3f0c1d2e-1111-4222-8333-abcdefabcdef", "confirm :3f0c1d2e-1111-4222-8333-abcdefabcdef",
    "confirm:3f0c1d2e111142228333abcdefabcdef", "confirm;3f0c1d2e-1111-4222-8333-abcdefabcdef", "🦊:🦊",
    "priority_express", "confirm:nil", "3f0c1d2e-1111-4222-8333-abcdefabcdef",
  ])
  func `a payload of any other kind is none of ours`(_ payload: String) {
    #expect(QuickReply(payload: payload) == nil)
  }

  @Test func `a payload of a million characters is none of ours`() {
    let isOurs = QuickReply(payload: "confirm:" + String(repeating: "3", count: 1_000_000)) != nil
    #expect(!isOurs)
  }
}
