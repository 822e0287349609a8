import Foundation
import Glibc
import Synchronization
import TestPlatform
import TestServers

/// The processes of one run: ingest and its workers, which are counted from 0. nil means ingest.
final class FaultNodes: Sendable {
  private struct State {
    var ingest: (process: PlatformProcess, address: String)?
    var workers: [Int: PlatformProcess] = [:]
  }

  private let platform: Platform
  private let clocks: SkewedClocks?
  private let state = Mutex(State())

  /// The usual limit of descriptors, as ingest must live with it.
  private static let ingestDescriptors = 1_024

  /// - Parameter clocks: nil: no clock is set wrong.
  init(_ platform: Platform, clocks: SkewedClocks?) {
    self.platform = platform
    self.clocks = clocks
  }

  /// The address of ingest; it changes with each restart.
  var address: String { state.withLock { $0.ingest?.address ?? "" } }

  static var all: [Int?] { [nil] + (0..<Fault.workers).map { $0 } }

  static func name(_ worker: Int?) -> String { worker.map { "worker-\($0)" } ?? "ingest" }

  func process(_ worker: Int?) -> PlatformProcess? {
    state.withLock { state in worker.map { state.workers[$0] } ?? state.ingest?.process }
  }

  func send(_ signal: Int32, to worker: Int?) { process(worker)?.send(signal) }

  func isRunning(_ worker: Int?) -> Bool { process(worker)?.isRunning == true }

  /// Starts a process. Where it fails to start it is started again, as a supervisor does: a server may still be
  /// starting.
  ///
  /// - Parameter log: where its log goes; nil: to a file of its own.
  func start(_ worker: Int?, log: String? = nil) async throws {
    let end = ContinuousClock.now + .seconds(60)
    while true {
      do { return try await startOnce(worker, log: log) } catch {
        guard ContinuousClock.now < end, !Task.isCancelled else { throw error }
        print("\(Self.name(worker)) did not start and is started again: \(String(describing: error).prefix(200))")
        try await Task.sleep(for: .milliseconds(200))
      }
    }
  }

  private func startOnce(_ worker: Int?, log: String?) async throws {
    var environment = try clocks?.environment(of: Self.name(worker)) ?? [:]
    // Without descriptors the backtrace of a crash takes seconds and shows nothing: the process would end after its
    // fault.
    environment["SWIFT_BACKTRACE"] = "enable=no"
    // A log that cannot be read does not say on which port the process listens.
    let port = try log.map { _ in try Loopback.freePort() }
    let redirection = log.map { "exec 2>>\($0)" }
    if let worker {
      let process = try await platform.startWorker(overriding: environment, shell: redirection, port: port)
      state.withLock { $0.workers[worker] = process }
    } else {
      let limit = "ulimit -n \(Self.ingestDescriptors)"
      let shell = [limit, redirection].compactMap(\.self).joined(separator: "; ")
      let ingest = try await platform.startIngest(overriding: environment, shell: shell, port: port)
      state.withLock { $0.ingest = ingest }
    }
  }

  /// Kills a process that does not stop in time, as a supervisor does.
  func stopGracefully(_ worker: Int?) async throws {
    guard let process = process(worker) else { return }
    process.send(SIGTERM)
    do { try await process.ended(within: .seconds(30)) } catch is TestError {
      print("\(Self.name(worker)) did not stop within 30 s and is killed")
      process.send(SIGKILL)
      try await process.ended()
    }
  }
}
