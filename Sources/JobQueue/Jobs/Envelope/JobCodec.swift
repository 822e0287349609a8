public import Foundation

/// Turns jobs into envelopes, and envelopes back into jobs.
public enum JobCodec {
  /// A job with a larger body is not enqueued (``JobTooLarge``), and is dead at once where it comes all the same. The
  /// largest body of the platform is a webhook's, of at most 3 MiB.
  package static let maxBodyBytes = 4 << 20

  /// Why a body cannot become a job. The texts name fields, types and versions, never values: they are safe to log.
  package enum Failure: Error, Equatable, CustomStringConvertible {
    case unreadable(String)
    case newerSchema(found: Int, known: Int)

    package var description: String {
      switch self {
      case .unreadable(let what): "the body cannot be read: \(what)"
      case .newerSchema(let found, let known):
        "schema version \(found) is newer than this program's \(known): update the workers"
      }
    }
  }

  /// The job's JSON with sorted keys, so that equal jobs have equal bytes; the bytes of a ``RawJob``.
  package static func encode<Work: Job>(_ job: Work) throws -> Data {
    if let raw = job as? any RawJob { return raw.body }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .iso8601
    return try encoder.encode(job)
  }

  package static func decode<Work: Job>(_ type: Work.Type, from envelope: JobEnvelope) throws(Failure) -> Work {
    guard envelope.schemaVersion <= Work.schemaVersion else {
      throw .newerSchema(found: envelope.schemaVersion, known: Work.schemaVersion)
    }
    if let raw = type as? any RawJob.Type, let job = raw.init(body: envelope.body) as? Work { return job }
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .iso8601
    do {
      return try decoder.decode(type, from: envelope.body)
    } catch let error as DecodingError {
      throw .unreadable(explain(error, envelope.body))
    } catch {
      throw .unreadable("it is not JSON")
    }
  }

  /// Names fields and types, never values.
  ///
  /// - Parameter body: what was read; nil: it is JSON.
  package static func explain(_ error: DecodingError, _ body: Data? = nil) -> String {
    func path(_ context: DecodingError.Context, _ last: (any CodingKey)? = nil) -> String {
      let keys = (context.codingPath + (last.map { [$0] } ?? [])).map(\.stringValue)
      return keys.isEmpty ? "the whole" : keys.joined(separator: ".")
    }
    return switch error {
    case .keyNotFound(let key, let context): "\(path(context, key)) is missing"
    case .typeMismatch(let type, let context): "\(path(context)) is not a \(type)"
    case .valueNotFound(let type, let context): "\(path(context)) is null, not a \(type)"
    case .dataCorrupted(let context) where !context.codingPath.isEmpty: "\(path(context)) is malformed"
    case .dataCorrupted:
      // Foundation names no place for a number or date that does not fit.
      body.map { (try? JSONSerialization.jsonObject(with: $0, options: .fragmentsAllowed)) == nil } ?? false
        ? "it is not JSON" : "a value in it is malformed"
    @unknown default: "it is malformed"
    }
  }

  /// An envelope around a job, ready to be enqueued as the first attempt of run 1.
  ///
  /// - Parameter id: the job's id; nil: a new one, made at `now`.
  /// - Parameter now: when the job counts as enqueued.
  /// - Parameter tenant: the business; nil: not known yet.
  /// - Parameter deadline: a job that has not begun at this instant is cancelled; nil: no deadline.
  /// - Parameter correlationID: the id of the request or job it came from; nil: it is the first.
  /// - Parameter traceparent: W3C trace context; nil: not traced.
  /// - Throws: ``JobTooLarge``, and what the job's `Encodable` conformance throws.
  public static func envelope<Work: Job>(
    for job: Work, id: JobID? = nil, at now: Date = Date(), tenant: UUID?, deadline: Date? = nil,
    correlationID: String? = nil, traceparent: String? = nil
  ) throws -> JobEnvelope {
    let envelope = JobEnvelope(
      id: id ?? JobID(.version7(at: now)), kind: Work.kind, schemaVersion: Work.schemaVersion, tenant: tenant,
      enqueuedAt: now, deadline: deadline, correlationID: correlationID, traceparent: traceparent,
      body: try encode(job))
    try JobTooLarge.check(envelope)
    return envelope
  }
}
