import Bookings
import Foundation
import Jobs
import Testing
import Workers

@testable import JobsRabbitMQ

/// What today's workers read from the bodies that version 1 wrote, field by field.
struct RecordedJobTests {
  private static let booking = UUID(uuidString: "01a2099c-2302-7c0f-8fee-0123456789ab")
  private static let business = UUID(uuidString: "5b1f0c9e-3a52-4c6f-9d0e-1a2b3c4d5e6f")
  private static let professional = UUID(uuidString: "8d3f2e9a-5c74-4e81-9f20-3c4d5e6f7081")
  /// 2026-11-23T18:12:00Z.
  private static let minute = Date(timeIntervalSince1970: 1_795_457_520)

  private func recorded<Work: Job>(_ type: Work.Type) throws -> Work {
    try JobCodec.decode(type, from: RecordedMessage.of(Work.kind).envelope())
  }

  @Test func `booking.validate`() throws {
    let job = try recorded(ValidateBooking.self)
    #expect(job.booking == Self.booking)
    #expect(job.business == Self.business)
    #expect(job.service == UUID(uuidString: "7c2e1d8f-4b63-4d70-8e1f-2b3c4d5e6f70"))
    #expect(job.professional == Self.professional)
    #expect(job.customer == Customer(name: "Conceição D'Ávila / \"Ção\"", phone: "+5511987654321"))
    #expect(job.startsAt == Date(timeIntervalSince1970: 1_795_539_600))
    #expect(job.fingerprint == "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")
  }

  @Test func `booking.resolve`() throws {
    #expect(try recorded(ResolveBooking.self).booking == Self.booking)
  }

  @Test func `booking.cancel`() throws {
    let job = try recorded(CancelBooking.self)
    #expect(job.booking == Self.booking)
    #expect(job.business == Self.business)
  }

  @Test func `booking.reschedule`() throws {
    let job = try recorded(RescheduleBooking.self)
    #expect(job.booking == Self.booking)
    #expect(job.business == Self.business)
    #expect(job.startsAt == Date(timeIntervalSince1970: 1_795_609_800))
    #expect(job.professional == Self.professional)
  }

  @Test func `booking.reschedule of the same professional`() throws {
    var envelope = try RecordedMessage.of("booking.reschedule").envelope()
    let body = String(decoding: envelope.body, as: UTF8.self)
    let shorter = body.replacing(#""professional":"8D3F2E9A-5C74-4E81-9F20-3C4D5E6F7081","#, with: "")
    #expect(shorter != body)
    envelope.body = Data(shorter.utf8)
    #expect(try JobCodec.decode(RescheduleBooking.self, from: envelope).professional == nil)
  }

  @Test func `booking.confirm`() throws {
    let job = try recorded(ConfirmAttendance.self)
    #expect(job.booking == Self.booking)
    #expect(job.business == Self.business)
  }

  @Test func `whatsapp.send_template`() throws {
    let job = try recorded(SendTemplate.self)
    #expect(job.message == UUID(uuidString: "01a2099c-27e4-70a1-8b2c-3d4e5f607182"))
    #expect(job.number == "106540352242922")
    #expect(job.rateKey == "106540352242922")
  }

  @Test func `whatsapp.event`() throws {
    let job = try recorded(WhatsAppEvent.self)
    #expect(job.body.count == 374)
    #expect(job.body.starts(with: Data(#"{"object":"whatsapp_business_account","#.utf8)))
    // The bytes are the provider's, even those that are no text.
    #expect(job.body.last == 0xff)
  }

  @Test func `metrics.event, with and without a business`() throws {
    let job = try recorded(CountEvent.self)
    try #require(job.counts.count == 2)
    #expect(job.counts.map(\.business) == [Self.business, nil])
    #expect(job.counts.map(\.metric) == ["booking.confirmed", "job.completed"])
    #expect(job.counts.map(\.detail) == ["", "whatsapp.event"])
    #expect(job.counts.map(\.minute) == [Self.minute, Self.minute])
    #expect(job.counts.map(\.count) == [2, 1])
  }
}
