import ArgumentParser
import Foundation
import Glibc
import JobConfiguration
import JobOperations
import Jobs
import JobsPostgres
import Postgres

/// Who an audit row names: the login of whoever typed the command.
func operatorName() -> String { getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) } ?? "uid \(getuid())" }

struct Queues: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show queues and pools: what waits, what is in hand, what died.")

  @Flag(help: "Print JSON.")
  var json = false
  @Flag(help: "Look again every second until interrupted.")
  var watch = false

  func run() async throws {
    let builder = try AppBuilder()
    let pool = try builder.pool()
    let monitor = try builder.monitor(try builder.configuration(), pool)
    repeat {
      let status = await monitor.status()
      if json {
        try printJSON(status, isIndented: !watch)
      } else {
        if watch, isatty(STDOUT_FILENO) == 1 { print("\u{1B}[H\u{1B}[2J", terminator: "") }
        print(StatusTable(status).text(isColoured: isatty(STDOUT_FILENO) == 1))
      }
      fflush(nil)
      if !watch, !status.errors.isEmpty { throw ExitCode.failure }
      if watch { try await Task.sleep(for: .seconds(1)) }
    } while watch
    await pool.close()
  }
}

struct Scale: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Set how many jobs of a pool run at a time, over all nodes together.",
    discussion: "Takes effect within a second, survives restarts, and is audited. Shrinking lets running jobs finish.")

  @Argument(help: "The pool.")
  var pool: String
  @Argument(help: "The size, within the pool's min and max in queues.yaml.")
  var size: Int

  func run() async throws {
    let size = size
    try await changePool(pool) { setting, entry in
      let counts = entry.workers
      guard (counts.min...counts.max).contains(size) else {
        throw ValidationError("\(pool) may have \(counts.min) to \(counts.max) workers (queues.yaml), not \(size).")
      }
      setting = { $0.size = size }
    }
  }
}

struct Pause: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Stop a pool, or kinds of its jobs, on all nodes; the jobs wait. Running ones finish.")
  @Argument(help: "The pool.")
  var pool: String
  @Option(name: .customLong("kind"), help: "Only jobs of this kind; may be given several times.")
  var kinds: [String] = []

  func run() async throws {
    try await changePool(pool, kinds) { kinds, setting in
      if kinds.isEmpty { setting.isPaused = true } else { setting.pausedKinds.formUnion(kinds) }
    }
  }
}

struct Resume: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Let a paused pool go on, with all kinds of its jobs.")
  @Argument(help: "The pool.")
  var pool: String
  @Option(name: .customLong("kind"), help: "Only jobs of this kind; may be given several times.")
  var kinds: [String] = []

  func run() async throws {
    try await changePool(pool, kinds) { kinds, setting in
      if kinds.isEmpty {
        setting.isPaused = false
        setting.pausedKinds = []
      } else {
        setting.pausedKinds.subtract(kinds)
      }
    }
  }
}

/// Changes a pool's setting for kinds that are the pool's, or for all of it.
private func changePool(
  _ name: String, _ kinds: [String], _ change: @escaping @Sendable (Set<JobKind>, inout PoolSetting) -> Void
) async throws {
  let kinds = Set(kinds.map(JobKind.init(rawValue:)))
  try await changePool(name) { setting, pool in
    if let stranger = kinds.subtracting(pool.jobs).first {
      throw ValidationError(
        "\(name) does no jobs of kind \"\(stranger)\"; it does \(pool.jobs.map(\.rawValue).joined(separator: ", ")).")
    }
    setting = { change(kinds, &$0) }
  }
}

/// Changes a pool's setting and says what holds now.
private func changePool(
  _ name: String, _ choose: (inout @Sendable (inout PoolSetting) -> Void, PoolConfiguration) throws -> Void
) async throws {
  let builder = try AppBuilder()
  let configuration = try builder.configuration()
  guard let entry = configuration.pool(PoolName(rawValue: name)) else {
    throw UnknownPool(name: PoolName(rawValue: name), known: configuration.pools.map(\.name))
  }
  var change: @Sendable (inout PoolSetting) -> Void = { _ in }
  try choose(&change, entry)
  let pool = try builder.pool()
  let setting = try await builder.directory(pool).change(entry.name, by: operatorName(), change)
  let paused = setting.pausedKinds.map(\.rawValue).sorted()
  print(
    "\(name): size \(setting.size ?? entry.workers.start)" + (setting.isPaused ? ", paused" : "")
      + (paused.isEmpty ? "" : ", paused kinds: \(paused.joined(separator: ", "))"))
  await pool.close()
}
