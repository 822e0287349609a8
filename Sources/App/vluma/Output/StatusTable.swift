import Foundation
import JobOperations
import Jobs

/// The platform's status for people; fits 80 columns.
struct StatusTable {
  private let status: PlatformStatus

  init(_ status: PlatformStatus) { self.status = status }

  private func text(_ count: Int?) -> String { count.map(String.init) ?? "?" }

  func text(isColoured: Bool) -> String {
    var table = TextTable(header: ["POOL", "QUEUED", "RUNNING", "SCHEDULED", "DEAD", "OLDEST", "SIZE", "NODES"])
    for pool in status.pools {
      table.add([
        pool.name.rawValue, text(pool.queued), text(pool.running), text(pool.scheduled), text(pool.dead),
        pool.oldestAgeSeconds.map { "~\(Int($0))s" } ?? "-",
        pool.isPaused == true ? "paused" : "\(text(pool.localConcurrency))/\(text(pool.size))",
        text(pool.nodes),
      ])
    }
    var lines = table.lines()
    if isColoured, let header = lines.first { lines[0] = "\u{1B}[1m\(header)\u{1B}[0m" }
    let tiers = status.tiers.map { "\($0.name) \(text($0.retrying))" }.joined(separator: "  ")
    for pool in status.pools where !pool.pausedKinds.isEmpty {
      lines.append("\(pool.name): \(pool.pausedKinds.map(\.rawValue).joined(separator: ", ")) paused")
    }
    lines.append("")
    lines.append("retry tiers  \(tiers)")
    lines.append(
      "outbox \(text(status.outbox))  unroutable \(text(status.unroutable))  nodes \(text(status.nodes?.count))")
    let gauges = status.gauges.filter { $0.value > 0 }.map { gauge in
      let name = gauge.name.trimmingPrefix("vluma_").replacing("_", with: " ")
      return "\(gauge.label.map { "\(name) \($0[1])" } ?? name) \(Int(gauge.value))"
    }
    if !gauges.isEmpty { lines.append(gauges.joined(separator: "  ")) }
    for error in status.errors { lines.append(isColoured ? "\u{1B}[31m\(error)\u{1B}[0m" : error) }
    return lines.joined(separator: "\n")
  }
}
