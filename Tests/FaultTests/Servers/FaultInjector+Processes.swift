import Foundation
import TestPlatform
import TestServers

/// Faults of the platform's processes.
extension FaultInjector {
  func lowerLimit(_ worker: Int?, spare: Int) async throws {
    guard let process = nodes.process(worker), process.isRunning else { return }
    let limit = try await DescriptorLimit(process.processIdentifier, spare: spare)
    limits.change { $0[worker] = limit }
    if worker == nil { try startSlowClients(50) }
  }

  func restartWithFullDisk(_ worker: Int?) async throws {
    let disk = try await FullDisk()
    disks.change { $0.append(disk) }
    try await nodes.stopGracefully(worker)
    try await nodes.start(worker, log: disk.log)
  }

  func restartWithStuckReader(_ worker: Int?) async throws {
    let reader = try StuckReader()
    readers.change { $0.append(reader) }
    try await nodes.stopGracefully(worker)
    try await nodes.start(worker, log: reader.path)
  }

  func startSlowClients(_ count: Int) throws {
    guard let port = URLComponents(string: address)?.port else { throw TestError(description: "ingest has no port") }
    let slow = SlowClients(count, port: port)
    clients.change { $0 = slow }
  }

  /// Starts processes again that have ended although their step does not kill them: a violation, unless they had no
  /// descriptors left. libdispatch ends a process that cannot open a file of /proc; what counts is that no job is lost.
  func checkProcesses(after step: FaultStep?) async throws {
    for node in FaultNodes.all where !nodes.isRunning(node) {
      let status = try await nodes.process(node)?.ended() ?? 0
      let hadNoDescriptors =
        step?.faults.contains { if case .nofile(node, _, _) = $0 { true } else { false } } ?? false
      let what = "\(FaultNodes.name(node)) has ended with \(status): \(step.map { "\($0)" } ?? "at the end")"
      print(what)
      results.change { if hadNoDescriptors { $0.ended += 1 } else { $0.violations.append(what) } }
      try await nodes.start(node)
    }
  }
}
