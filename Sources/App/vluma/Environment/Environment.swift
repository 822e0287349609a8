import Configuration
import Foundation
import Logging
import Postgres
import RabbitMQ
import Redis

/// The program's environment, read here and nowhere else.
struct Environment: Sendable {
  typealias Variable = EnvironmentVariable

  static let rabbitMQ = Variable(
    name: "VLUMA_RABBITMQ_URL", meaning: "amqp:// or amqps://user:password@host:port[,host:port...]/vhost",
    fallback: nil,
    isSecret: true)
  static let postgres = Variable(
    name: "VLUMA_POSTGRES_URL", meaning: "postgres://user:password@host:port/database", fallback: nil, isSecret: true)
  static let redis = Variable(
    name: "VLUMA_REDIS_URL",
    meaning: """
      redis://[user:password@]host:port[/database]; without it rate limits are per node and repeated requests are \
      found only by the worker
      """,
    fallback: "none", isSecret: true)
  static let httpHost = Variable(name: "VLUMA_HTTP_HOST", meaning: "the address to listen on", fallback: "127.0.0.1")
  static let httpPort = Variable(
    name: "VLUMA_HTTP_PORT", meaning: "the port to listen on; 0 lets the system choose", fallback: "8080")
  static let queuesFile = Variable(
    name: "VLUMA_QUEUES_FILE", meaning: "the file of pools and queues", fallback: "queues.yaml")
  static let logLevel = Variable(
    name: "VLUMA_LOG_LEVEL", meaning: Logger.Level.allCases.map(\.rawValue).joined(separator: ", "), fallback: "info")
  static let logFormat = Variable(name: "VLUMA_LOG_FORMAT", meaning: "json (ECS field names) or text", fallback: "text")
  static let shutdownGrace = Variable(
    name: "VLUMA_GRACE_SECONDS", meaning: "how long running jobs may take to finish when the process stops",
    fallback: "30")
  static let connections = Variable(
    name: "VLUMA_POSTGRES_CONNECTIONS", meaning: "the most PostgreSQL connections of this process, 2 to 200",
    fallback: "16")
  static let receiptDays = Variable(
    name: "VLUMA_RECEIPT_DAYS",
    meaning: "how many days receipts are kept, 9 to 90; a pool must not stay paused for longer than this less 9",
    fallback: "15")

  static let all =
    [
      rabbitMQ, postgres, redis, httpHost, httpPort, queuesFile, logLevel, logFormat, shutdownGrace, connections,
      receiptDays,
    ] + whatsApp

  /// A variable that is missing or malformed: one line that names it.
  struct Invalid: Error, CustomStringConvertible {
    let variable: String
    let problem: String
    var description: String { "\(variable) \(problem)" }
  }

  /// Values that take precedence over the process environment.
  var overrides: [String: String] = [:]
  private let reader = ConfigReader(provider: EnvironmentVariablesProvider())

  /// The value that is set; nil where the variable is unset or empty.
  func value(_ variable: Variable) -> String? {
    if let value = overrides[variable.name] { return value }
    let key = ConfigKey(variable.name.lowercased().split(separator: "_").map(String.init))
    let value = reader.string(forKey: key, isSecret: variable.isSecret)
    return value?.isEmpty == true ? nil : value
  }

  /// The value that is set, or else the variable's fallback.
  func effective(_ variable: Variable) -> String { value(variable) ?? variable.fallback ?? "" }

  func required(_ variable: Variable) throws(Invalid) -> String {
    guard let value = value(variable) else {
      throw Invalid(variable: variable.name, problem: "is not set; expected \(variable.meaning)")
    }
    return value
  }

  /// The values that have what a copied line or a file of variables leaves behind: blanks or quotes around them, a line
  /// break, another control character. Taken as it is, such a secret would refuse every webhook without a word.
  func malformedValues() -> [Invalid] {
    Self.all.compactMap { variable in
      value(variable).flatMap(Self.problem).map { Invalid(variable: variable.name, problem: $0) }
    }
  }

  private static func problem(of value: String) -> String? {
    if value.allSatisfy(\.isWhitespace) { return "has only blanks; set it, or unset it" }
    if value.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
      return "contains a line break or another control character"
    }
    if value.first?.isWhitespace == true || value.last?.isWhitespace == true { return "begins or ends with a blank" }
    if let first = value.first, first == value.last, value.count > 1, "\"'`".contains(first) {
      return "is in quotes; they would be part of the value"
    }
    return nil
  }

  func integer(_ variable: Variable, _ range: ClosedRange<Int>) throws(Invalid) -> Int {
    let text = effective(variable)
    guard let number = Int(text), range.contains(number) else {  // Int reads ASCII digits only
      throw Invalid(
        variable: variable.name,
        problem: "must be a number from \(range.lowerBound) to \(range.upperBound), not \"\(text)\"")
    }
    return number
  }

  func rabbitMQ() throws(Invalid) -> RabbitMQConfiguration {
    let url = try required(Self.rabbitMQ)
    do { return try RabbitMQConfiguration(url: url) } catch {
      throw Invalid(variable: Self.rabbitMQ.name, problem: "is malformed: \(error)")
    }
  }

  func postgres() throws(Invalid) -> PostgresConfiguration {
    let url = try required(Self.postgres)
    do { return try PostgresConfiguration(url: url) } catch {
      throw Invalid(variable: Self.postgres.name, problem: "is malformed: \(error)")
    }
  }

  func redis() throws(Invalid) -> RedisConfiguration? {
    guard let url = value(Self.redis) else { return nil }
    do { return try RedisConfiguration(url: url) } catch {
      throw Invalid(variable: Self.redis.name, problem: "is malformed: \(error)")
    }
  }

  func httpAddress() throws(Invalid) -> (host: String, port: Int) {
    (effective(Self.httpHost), try integer(Self.httpPort, 0...65_535))
  }

  func queuesFile() -> String { effective(Self.queuesFile) }

  func shutdownGrace() throws(Invalid) -> Duration { .seconds(try integer(Self.shutdownGrace, 0...3_600)) }

  func postgresConnections() throws(Invalid) -> Int { try integer(Self.connections, 2...200) }

  func receiptDays() throws(Invalid) -> Int { try integer(Self.receiptDays, 9...90) }

  func logLevel() throws(Invalid) -> Logger.Level {
    let text = effective(Self.logLevel)
    guard let level = Logger.Level(rawValue: text) else {
      throw Invalid(variable: Self.logLevel.name, problem: "must be one of \(Self.logLevel.meaning), not \"\(text)\"")
    }
    return level
  }

  func logsJSON() throws(Invalid) -> Bool {
    switch effective(Self.logFormat) {
    case "json": return true
    case "text": return false
    case let other: throw Invalid(variable: Self.logFormat.name, problem: "must be json or text, not \"\(other)\"")
    }
  }

  /// The failpoints to arm; only debug builds have any.
  func failpoints() -> String? {
    reader.string(forKey: ["vluma", "failpoints"])
  }
}
