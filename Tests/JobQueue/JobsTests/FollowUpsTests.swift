import Foundation
import Jobs
import Testing

struct FollowUpsTests {
  private let minute = Date(timeIntervalSince1970: 1_795_414_320)
  private let cause = JobEnvelope(
    id: JobID(), run: 2, kind: "test.sample", schemaVersion: 3, tenant: UUID(), attempt: 4,
    correlationID: "request-1", traceparent: "00-1-2-01", body: Data())

  @Test func `a job that follows has the tenant, correlation id and trace of its cause`() throws {
    var followUps = FollowUps()
    let due = Date(timeIntervalSince1970: 2_000_000_000)
    try followUps.enqueue(FollowUpJob(to: "Ana"), from: JobInfo(cause), dueAt: due, deadline: due + 60)
    let item = try #require(followUps.items.first)
    #expect(item.dueAt == due)
    #expect(item.envelope.deadline == due + 60)
    #expect(item.envelope.kind == "test.follow_up")
    #expect(item.envelope.tenant == cause.tenant)
    #expect(item.envelope.correlationID == "request-1")
    #expect(item.envelope.traceparent == "00-1-2-01")
    #expect(item.envelope.attempt == 1 && item.envelope.run == 1)
    #expect(item.envelope.id != cause.id)
    #expect(try JobCodec.decode(FollowUpJob.self, from: item.envelope) == FollowUpJob(to: "Ana"))
  }

  @Test func `a job that follows from one without a correlation id has that job's id`() throws {
    var first = cause
    first.correlationID = nil
    var followUps = FollowUps()
    try followUps.enqueue(FollowUpJob(to: "Ana"), from: JobInfo(first))
    try followUps.enqueue(FollowUpJob(to: "Rui"), from: JobInfo(first))
    #expect(followUps.items.map(\.envelope.correlationID) == ["\(first.id)", "\(first.id)"])
    #expect(followUps.items.map(\.dueAt) == [nil, nil])
  }

  @Test func `counts of one counter add up`() {
    let tenant = UUID()
    var followUps = FollowUps()
    followUps.count("message.received", "text", of: tenant, at: minute)
    followUps.count("message.received", "text", of: tenant, at: minute + 59.9, by: 4)
    followUps.count("message.received", "text", of: tenant, at: minute + 60)
    followUps.count("message.received", "image", of: tenant, at: minute)
    followUps.count("message.received", "text", of: nil, at: minute)
    followUps.count("message.status", of: tenant, at: minute, by: 2)
    let expected = [
      Counter(tenant: tenant, metric: "message.received", detail: "text", at: minute): 5,
      Counter(tenant: tenant, metric: "message.received", detail: "text", at: minute + 60): 1,
      Counter(tenant: tenant, metric: "message.received", detail: "image", at: minute): 1,
      Counter(tenant: nil, metric: "message.received", detail: "text", at: minute): 1,
      Counter(tenant: tenant, metric: "message.status", at: minute): 2,
    ]
    #expect(followUps.counts == expected)
    #expect(followUps.items.isEmpty)
  }

  @Test func `new follow-ups have no counts`() {
    #expect(FollowUps().counts.isEmpty)
  }

  @Test func `a job in its envelope is enqueued unchanged`() throws {
    var followUps = FollowUps()
    let envelope = try JobCodec.envelope(for: FollowUpJob(to: "Ana"), tenant: UUID(), correlationID: "request-1")
    followUps.enqueue(envelope)
    #expect(followUps.items.map(\.envelope) == [envelope])
    #expect(followUps.items.allSatisfy { $0.dueAt == nil })
    #expect(followUps.counts.isEmpty)
  }
}
