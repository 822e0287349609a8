import Curl
import Foundation
import Postgres
import TestPlatform
import TestServers
import Testing

extension MessagingTests {
  /// Buttons of messages about a time that has changed since.
  struct RescheduledBookingReplyTests {
    @Test func `Confirmar confirms the time that its message names, and no other`() async throws {
      try await withMessaging { platform, sandbox, address in
        let booking = try await platform.newBooking(0, at: address)
        try await platform.waitForMessage("confirmed", state: "accepted", about: booking)
        let body = #"{"starts_at": "\#(platform.slot(3).formatted(.iso8601))"}"#
        let move = try await platform.request("POST", "\(address)/v1/bookings/\(booking)/reschedule", body: body)
        #expect(move.status == 202)
        try await platform.waitForMessage("rescheduled", state: "accepted", about: booking)
        // The message about the time it was moved from.
        let old = try await platform.wamid(of: "confirmed", about: booking)
        try await sandbox.press("confirm:\(booking)", from: Platform.customer, context: old)
        try await eventually("the reply is stored") { try await replies(to: old, platform) == 1 }
        try await platform.waitUntilIdle()
        #expect(try await platform.isAttendanceConfirmed(of: booking) == false)
        #expect(try await platform.number("SELECT count(*) FROM jobs.receipt WHERE kind = 'booking.confirm'") == 0)
        // The message about the time it was moved to.
        let new = try await platform.wamid(of: "rescheduled", about: booking)
        try await sandbox.press("confirm:\(booking)", from: Platform.customer, context: new)
        try await eventually("the attendance is confirmed") {
          try await platform.isAttendanceConfirmed(of: booking)
        }
      }
    }

    @Test func `Cancelar on a message about another time cancels the booking too`() async throws {
      try await withMessaging { platform, sandbox, address in
        let booking = try await platform.newBooking(0, at: address)
        try await platform.waitForMessage("confirmed", state: "accepted", about: booking)
        let body = #"{"starts_at": "\#(platform.slot(3).formatted(.iso8601))"}"#
        let move = try await platform.request("POST", "\(address)/v1/bookings/\(booking)/reschedule", body: body)
        #expect(move.status == 202)
        try await platform.waitForMessage("rescheduled", state: "accepted", about: booking)
        let old = try await platform.wamid(of: "confirmed", about: booking)
        try await sandbox.press("cancel:\(booking)", from: Platform.customer, context: old)
        try await platform.waitForBooking(booking, status: "cancelled")
      }
    }

    private func replies(to wamid: String, _ platform: Platform) async throws -> Int {
      try await platform.number("SELECT count(*) FROM messaging.inbound_message WHERE context_id = \(wamid)")
    }
  }
}
