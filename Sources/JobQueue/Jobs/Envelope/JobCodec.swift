public import Foundation

/// The one place where jobs become bytes and bytes become jobs.
public enum JobCodec {
  /// A body larger than this is dead at once: no job of the platform comes near it (a webhook POST is at most 3 MiB).
  public static let maxBodyBytes = 4 << 20

  /// Why a body cannot become a job. The texts name fields and types, never values.
  public enum Failure: Error, Equatable, CustomStringConvertible {
    /// The body is not JSON of the job's shape.
    case unreadable(String)
    /// The body is of a newer shape than this program knows.
    case newerSchema(found: Int, known: Int)

    /// A sentence that is safe to log: it tells fields, types and versions, and quotes nothing of the body's values.
    public var description: String {
      switch self {
      case .unreadable(let what): "the body cannot be read: \(what)"
      case .newerSchema(let found, let known):
        "schema version \(found) is newer than this program's \(known): update the workers"
      }
    }
  }

  /// The job's JSON, keys sorted so that equal jobs have equal bytes; a ``RawJob``'s own bytes.
  public static func encode<Work: Job>(_ job: Work) throws -> Data {
    if let raw = job as? any RawJob { return raw.body }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .iso8601
    return try encoder.encode(job)
  }

  /// Reads a job of the given type.
  public static func decode<Work: Job>(_ type: Work.Type, from envelope: JobEnvelope) throws(Failure) -> Work {
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

  private static func explain(_ error: DecodingError, _ body: Data) -> String {
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
      (try? JSONSerialization.jsonObject(with: body, options: .fragmentsAllowed)) == nil
        ? "it is not JSON" : "a value in it is malformed"
    @unknown default: "it is malformed"
    }
  }

  /// An envelope around a job, ready to be enqueued.
  ///
  /// - Parameter now: the time of day, which is in the id too, unless there is one already.
  public static func envelope<Work: Job>(
    for job: Work, id: JobID? = nil, at now: Date = Date(), tenant: UUID?, deadline: Date? = nil,
    correlationID: String? = nil, traceparent: String? = nil
  ) throws -> JobEnvelope {
    JobEnvelope(
      id: id ?? JobID(.version7(at: now)), kind: Work.kind, schemaVersion: Work.schemaVersion, tenant: tenant,
      enqueuedAt: now, deadline: deadline, correlationID: correlationID, traceparent: traceparent,
      body: try encode(job))
  }
}
