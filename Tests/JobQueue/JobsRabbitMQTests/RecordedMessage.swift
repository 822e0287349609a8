import Foundation
import Jobs
import RabbitMQ
import Workers

@testable import JobsRabbitMQ

/// A job's message and its row in the store, in the form in which version 1 of the program writes them. The files are
/// never edited: other versions of the program must be able to read what this one has left in queues and tables.
struct RecordedMessage: Decodable {
  private struct Message: Decodable {
    let message_id: String
    let type: String
    let content_type: String
    let correlation_id: String?
    let timestamp: UInt64
    let headers: [String: JSONTree]
  }

  private let message: Message
  private let body: String?
  /// For bytes that are no text.
  private let body_base64: String?
  /// The envelope in `jobs.outbox` and `jobs.scheduled`, as PostgreSQL shows it.
  let row: String

  private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Recorded")

  /// The kinds that are recorded, in order.
  static func kinds() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }.sorted()
  }

  /// The recording of a kind.
  static func of(_ kind: JobKind) throws -> RecordedMessage {
    let data = try Data(contentsOf: folder.appending(path: "\(kind).json"))
    return try JSONDecoder().decode(RecordedMessage.self, from: data)
  }

  /// The message's properties.
  var properties: RabbitMQProperties {
    var properties = RabbitMQProperties()
    properties.messageID = message.message_id
    properties.type = message.type
    properties.contentType = message.content_type
    properties.correlationID = message.correlation_id
    properties.timestamp = message.timestamp
    for (name, value) in message.headers {
      switch value {
      case .text(let text): properties.headers[name] = .string(text)
      case .number(let number): properties.headers[name] = .integer(Int64(number))
      default: properties.headers[name] = .unsupported
      }
    }
    return properties
  }

  /// The message's body.
  var bytes: Data { body.map { Data($0.utf8) } ?? body_base64.flatMap { Data(base64Encoded: $0) } ?? Data() }

  /// The job that today's program reads from it.
  func envelope() throws -> JobEnvelope { try JobEnvelope(properties, body: bytes) }
}

/// A kind of job, and how today's program reads and writes it.
struct JobShape: Sendable, CustomStringConvertible {
  let kind: JobKind
  let schemaVersion: Int
  /// True: the body is another party's JSON, stored as it came.
  let isRaw: Bool
  /// Reads the job and writes its body again.
  let rewritten: @Sendable (JobEnvelope) throws -> Data

  var description: String { kind.rawValue }

  init<Work: Job>(_ type: Work.Type) {
    kind = Work.kind
    schemaVersion = Work.schemaVersion
    isRaw = type is any RawJob.Type
    rewritten = { try JobCodec.encode(JobCodec.decode(Work.self, from: $0)) }
  }

  /// Every kind of the platform.
  static let all = [
    JobShape(ValidateBooking.self), JobShape(ResolveBooking.self), JobShape(CancelBooking.self),
    JobShape(RescheduleBooking.self), JobShape(ConfirmAttendance.self), JobShape(SendTemplate.self),
    JobShape(WhatsAppEvent.self), JobShape(CountEvent.self),
  ]
}

/// Any JSON.
enum JSONTree: Decodable, Equatable {
  case null
  case flag(Bool)
  case number(Double)
  case text(String)
  case list([JSONTree])
  case object([String: JSONTree])

  init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      self = .null
    } else if let flag = try? value.decode(Bool.self) {
      self = .flag(flag)
    } else if let number = try? value.decode(Double.self) {
      self = .number(number)
    } else if let text = try? value.decode(String.self) {
      self = .text(text)
    } else if let list = try? value.decode([JSONTree].self) {
      self = .list(list)
    } else {
      self = .object(try value.decode([String: JSONTree].self))
    }
  }

  init(_ data: Data) throws { self = try JSONDecoder().decode(JSONTree.self, from: data) }

  /// Where the other lacks something that stands here, or has something else; what it has besides does not matter.
  func differences(in other: JSONTree, at path: String = "") -> [String] {
    switch (self, other) {
    case (.object(let mine), .object(let others)):
      return mine.sorted { $0.key < $1.key }.flatMap { key, value in
        others[key].map { value.differences(in: $0, at: "\(path).\(key)") } ?? ["\(path).\(key) is missing"]
      }
    case (.list(let mine), .list(let others)) where mine.count == others.count:
      return zip(mine, others).enumerated().flatMap { index, pair in
        pair.0.differences(in: pair.1, at: "\(path)[\(index)]")
      }
    default: return self == other ? [] : ["\(path) is another"]
    }
  }
}
