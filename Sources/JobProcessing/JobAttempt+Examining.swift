internal import Foundation
internal import JobConfiguration
internal import Jobs
internal import Logging
internal import Synchronization
internal import Wires

/// Steps 1 and 3: is it a job that can be begun?
extension JobAttempt {
  /// A job that can be read as such, and whose worker is known.
  struct Known: Sendable {
    let delivery: JobDelivery
    let envelope: JobEnvelope
    let worker: RegisteredWorker<Ledger.Transaction>
  }

  func recognise(_ delivery: JobDelivery) async -> Known? {
    guard case .job(let envelope) = delivery.content else {
      guard case .unreadable(let reason) = delivery.content else { return nil }
      await exits.bury(delivery, nil, .unreadable, detail: reason, cause: "properties")
      return nil
    }
    guard envelope.body.count <= JobCodec.bodyBytesMax else {
      let detail = "the body has \(envelope.body.count) bytes; at most \(JobCodec.bodyBytesMax) are allowed"
      await exits.bury(delivery, envelope, .oversize, detail: detail, cause: "size")
      return nil
    }
    guard let worker = workers[envelope.kind] else {
      let detail = "no worker of pool \(pool.name) does jobs of kind \(envelope.kind)"
      await exits.bury(delivery, envelope, .unknownKind, detail: detail, cause: "kind")
      return nil
    }
    return Known(delivery: delivery, envelope: envelope, worker: worker)
  }

  /// Puts the job aside where its kind is paused; false where it is not.
  func isParked(_ known: Known) async -> Bool {
    guard paused.contains(known.envelope.kind) else { return false }
    await exits.park(known.delivery, known.envelope)
    // It may have been resumed at this very moment, when this one was not parked yet.
    paused.parked(known.envelope.kind)
    return true
  }

  func decode(_ known: Known) async -> Ready? {
    let (delivery, envelope) = (known.delivery, known.envelope)
    do {
      let job = try known.worker.decode(envelope)
      let ready = Ready(delivery: delivery, envelope: envelope, worker: known.worker, job: job)
      JobMetrics.queueWait(
        CurrentRuntime.date.timeIntervalSince(envelope.enqueuedAt), pool: pool.name, kind: envelope.kind)
      guard let isLate = await isLate(envelope) else {
        await exits.giveBack(delivery, envelope)
        return nil
      }
      guard isLate else { return ready }
      await close([ready]) { _, _ in [.discarded(reason: "its deadline passed before it was begun")] }
      return nil
    } catch JobCodec.Failure.newerSchema(let found, let known) {
      let failure = JobCodec.Failure.newerSchema(found: found, known: known)
      await exits.bury(delivery, envelope, .newerSchema, detail: failure.description, cause: "schema")
    } catch {
      await exits.bury(delivery, envelope, .unreadable, detail: "\(error)", cause: "body")
    }
    return nil
  }

  /// Whether a job's deadline has passed; nil where the task was cancelled before that was known. Where this node thinks
  /// so the ledger is asked as well: a clock that has jumped must not cost jobs their lives.
  private func isLate(_ envelope: JobEnvelope) async -> Bool? {
    guard let deadline = envelope.deadline, deadline < now() else { return false }
    return await exits.persist("reading its clock") { try await ledger.now() }.map { deadline < $0 }
  }
}
