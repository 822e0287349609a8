internal import Foundation
internal import JobConfiguration
internal import Jobs
internal import Logging
internal import Synchronization
internal import Wires

/// Steps 1 to 3: is it a job that can be begun?
extension JobAttempt {
  func examine(_ delivery: JobDelivery) async -> Ready? {
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
    // A copy of a job that was closed before: an effect outside of the ledger must not even begin. (A batch's receipts
    // come first anyway.)
    if delivery.redelivered || envelope.attempt > 1, !worker.takesBatches {
      let isClosed = await exits.persist("looking for a receipt") { try await ledger.isClosed(envelope.jobRun) }
      if isClosed != false {
        if isClosed == nil {
          await exits.giveBack(delivery, envelope)
        } else {
          await exits.leave(delivery, envelope, nil)
        }
        return nil
      }
    }
    if delivery.redelivered, await hasCrashedTooOften(delivery, envelope) { return nil }
    do {
      let job = try worker.decode(envelope)
      let ready = Ready(delivery: delivery, envelope: envelope, worker: worker, job: job)
      JobMetrics.queueWait(Date().timeIntervalSince(envelope.enqueuedAt), pool: pool.name, kind: envelope.kind)
      if let deadline = envelope.deadline, deadline < Date() {
        await close([ready]) { _, _ in [.discarded(reason: "its deadline passed before it was begun")] }
        return nil
      }
      return ready
    } catch JobCodec.Failure.newerSchema(let found, let known) {
      let failure = JobCodec.Failure.newerSchema(found: found, known: known)
      await exits.bury(delivery, envelope, .newerSchema, detail: failure.description, cause: "schema")
    } catch {
      await exits.bury(delivery, envelope, .unreadable, detail: "\(error)", cause: "body")
    }
    return nil
  }

  func hasCrashedTooOften(_ delivery: JobDelivery, _ envelope: JobEnvelope) async -> Bool {
    let starts = await exits.persist("marking a start") { try await ledger.markStart(envelope.jobRun, node: node) }
    guard let starts else {
      await exits.giveBack(delivery, envelope)
      return true
    }
    // The first start of all was not marked, being no redelivery; this one is, and is not made.
    guard starts >= pool.maxCrashes else { return false }
    let detail = "\(starts) processes died, or lost their connection, while working on it"
    await exits.bury(delivery, envelope, .crashed, detail: detail, cause: "crash")
    return true
  }
}
