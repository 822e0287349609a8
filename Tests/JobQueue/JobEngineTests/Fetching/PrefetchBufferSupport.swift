import Foundation
import Jobs
import Testing

@testable import JobEngine

extension JobDelivery {
  /// A job whose name is its body.
  static func named(_ name: String, _ kind: JobKind = "single", redelivered: Bool = false) -> JobDelivery {
    let body = Data(name.utf8)
    return JobDelivery(content: .job(JobEnvelope(kind: kind, body: body)), body: body, redelivered: redelivered) { _ in
    }
  }

  /// A message that holds no job.
  static func unreadable(named name: String) -> JobDelivery {
    JobDelivery(content: .unreadable(reason: "no kind"), body: Data(name.utf8), redelivered: false) { _ in }
  }

  var name: String { String(decoding: body, as: UTF8.self) }
}

/// A step of a buffer that can be compared: jobs are given by name.
enum BufferStep: Equatable {
  case begin([String])
  case requeue([String])
  case wait(until: ContinuousClock.Instant?)
  case finished
}

extension PrefetchBuffer {
  mutating func step(_ now: ContinuousClock.Instant) -> BufferStep {
    switch next(now: now) {
    case .begin(let deliveries, _): .begin(deliveries.map(\.name))
    case .requeue(let deliveries): .requeue(deliveries.map(\.name))
    case .wait(let until): .wait(until: until)
    case .finished: .finished
    }
  }

  /// Ends so many jobs that ran together.
  mutating func finished(jobs: Int) {
    finished((0..<jobs).map { _ in .unreadable(named: "") })
  }

  /// Adds jobs and expects that none is to be requeued.
  mutating func take(_ deliveries: JobDelivery..., at now: ContinuousClock.Instant) {
    let unwanted = add(deliveries, now: now)
    #expect(unwanted.isEmpty)
  }
}
