/// A job that the broker has confirmed, for the store to record.
package struct AcceptedJob: Sendable, Equatable {
  package let envelope: JobEnvelope
  package let pool: PoolName
  /// Nil: the body is kept.
  package let reference: AcceptedReference?

  package init(_ envelope: JobEnvelope, pool: PoolName, reference: AcceptedReference? = nil) {
    self.envelope = envelope
    self.pool = pool
    self.reference = reference
  }
}

/// What is kept of a job instead of its body: enough to ask its sender for it again.
package struct AcceptedReference: Sendable, Equatable {
  /// Who sent it, such as `whatsapp`; empty: nobody that can be asked.
  package let source: String
  /// The sender's own ids of what is in the job; not all of them where there are very many.
  package let eventIDs: [String]

  package init(source: String, eventIDs: [String]) {
    self.source = source
    self.eventIDs = eventIDs
  }
}
