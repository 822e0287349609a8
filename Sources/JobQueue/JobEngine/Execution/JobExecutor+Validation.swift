internal import ClientLoop
internal import Foundation
internal import JobConfiguration
internal import Jobs
internal import Logging
internal import Synchronization

/// Steps 1 and 3: is it a job that can be begun?
extension JobExecutor {
  /// A job that can be read as such, and whose worker is known.
  struct ValidatedJob: Sendable {
    let delivery: JobDelivery
    let envelope: JobEnvelope
    let worker: RegisteredWorker<Store.Transaction>
  }

  func validate(_ delivery: JobDelivery) async -> ValidatedJob? {
    guard case .job(let envelope) = delivery.content else {
      guard case .unreadable(let reason) = delivery.content else { return nil }
      await completer.deadLetter(delivery, nil, .unreadable, detail: reason, cause: "properties")
      return nil
    }
    guard envelope.body.count <= JobCodec.maxBodyBytes else {
      let detail = "the body has \(envelope.body.count) bytes; at most \(JobCodec.maxBodyBytes) are allowed"
      await completer.deadLetter(delivery, envelope, .oversize, detail: detail, cause: "size")
      return nil
    }
    guard let worker = workers[envelope.kind] else {
      let detail = "no worker of pool \(pool.name) does jobs of kind \(envelope.kind)"
      await completer.deadLetter(delivery, envelope, .unknownKind, detail: detail, cause: "kind")
      return nil
    }
    return ValidatedJob(delivery: delivery, envelope: envelope, worker: worker)
  }

  /// Puts the job aside where its kind is paused; false where it is not.
  func parkIfPaused(_ known: ValidatedJob) async -> Bool {
    guard paused.contains(known.envelope.kind) else { return false }
    await completer.park(known.delivery, known.envelope)
    // It may have been resumed at this very moment, when this one was not parked yet.
    paused.parked(known.envelope.kind)
    return true
  }

  func decode(_ known: ValidatedJob) async -> DecodedJob? {
    let (delivery, envelope) = (known.delivery, known.envelope)
    do {
      let job = try known.worker.decode(envelope)
      let ready = DecodedJob(delivery: delivery, envelope: envelope, worker: known.worker, job: job)
      JobMetrics.queueWait(
        TimeSource.date.timeIntervalSince(envelope.enqueuedAt), pool: pool.name, kind: envelope.kind)
      guard let isLate = await isLate(envelope) else {
        await completer.requeue(delivery, envelope)
        return nil
      }
      guard isLate else { return ready }
      await complete([ready]) { _, _ in [.cancelled(reason: "its deadline passed before it was begun")] }
      return nil
    } catch JobCodec.Failure.newerSchema(let found, let known) {
      let failure = JobCodec.Failure.newerSchema(found: found, known: known)
      await completer.deadLetter(delivery, envelope, .newerSchema, detail: failure.description, cause: "schema")
    } catch {
      await completer.deadLetter(delivery, envelope, .unreadable, detail: "\(error)", cause: "body")
    }
    return nil
  }

  /// Whether a job's deadline has passed; nil where the task was cancelled before that was known. Where this node thinks
  /// so the store is asked as well: a clock that has jumped must not cost jobs their lives.
  private func isLate(_ envelope: JobEnvelope) async -> Bool? {
    guard let deadline = envelope.deadline, deadline < now() else { return false }
    return await completer.retryingStoreCall("reading its clock") { try await store.now() }.map { deadline < $0 }
  }
}
