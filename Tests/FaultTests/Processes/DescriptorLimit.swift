import Foundation
import Glibc
import TestServers

/// The limit of open descriptors (RLIMIT_NOFILE) of a running process, set by util-linux's prlimit.
struct DescriptorLimit {
  private let process: Int32
  private let former: Int

  /// Lowers the soft limit to `spare` more than the process has open; nil: the process has ended.
  init?(_ process: Int32, spare: Int) async throws {
    guard let open = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd").count,
      let limits = try? String(contentsOfFile: "/proc/\(process)/limits", encoding: .utf8),
      let former = limits.firstMatch(of: /Max open files +([0-9]+)/).flatMap({ Int($0.1) })
    else { return nil }
    self.process = process
    self.former = former
    try await set(min(former, open + spare))
  }

  /// Nothing happens where the process has ended.
  func restore() async { _ = try? await set(former) }

  private func set(_ soft: Int) async throws {
    try await runTool(
      URL(filePath: "/usr/bin/prlimit"), ["--pid", "\(process)", "--nofile=\(soft):"],
      environment: ProcessInfo.processInfo.environment)
  }

  /// Raises this process' own soft limit to its hard one, and returns that.
  static func raiseOwn() -> Int {
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    var limit = rlimit()
    guard getrlimit(resource, &limit) == 0 else { return 1_024 }
    limit.rlim_cur = limit.rlim_max
    _ = setrlimit(resource, &limit)
    return Int(clamping: limit.rlim_max)
  }
}
