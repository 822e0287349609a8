/// A job is not enqueued, because its body is larger than any executor takes. No other attempt can succeed.
public struct JobTooLarge: JobError, Equatable, CustomStringConvertible {
  /// The kind of the job that was to be enqueued.
  public let kind: JobKind
  /// The size of its body.
  public let bytes: Int

  /// Always true: the job that enqueues it is dead at once, where its worker decides nothing else.
  public var isPermanent: Bool { true }

  /// A sentence that is safe to log.
  public var description: String {
    """
    a job of kind \(kind) is not enqueued: its body has \(bytes) bytes, and at most \(JobCodec.maxBodyBytes) are allowed
    """
  }

  /// Throws where the body of the envelope is too large.
  package static func check(_ envelope: JobEnvelope) throws(JobTooLarge) {
    guard envelope.body.count <= JobCodec.maxBodyBytes else {
      throw JobTooLarge(kind: envelope.kind, bytes: envelope.body.count)
    }
  }
}
