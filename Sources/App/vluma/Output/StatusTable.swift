import Foundation
import JobOperations
import Jobs

/// Rows aligned in columns: the first one left, the others right.
struct TextTable {
  private var rows: [[String]] = []

  init(header: [String]) { rows = [header] }

  mutating func add(_ row: [String]) { rows.append(row) }

  /// The table's lines.
  func lines() -> [String] {
    let widths = rows.reduce(into: [Int](repeating: 0, count: rows.first?.count ?? 0)) { widths, row in
      for (index, cell) in row.enumerated() { widths[index] = max(widths[index], cell.count) }
    }
    return rows.map { row in
      row.enumerated().map { index, cell in
        let padding = String(repeating: " ", count: widths[index] - cell.count)
        return index == 0 ? cell + padding : padding + cell
      }.joined(separator: "  ")
    }
  }
}

/// The platform's status for people; fits 80 columns.
struct StatusTable {
  private let status: PlatformStatus

  init(_ status: PlatformStatus) { self.status = status }

  func text(isColoured: Bool) -> String {
    var table = TextTable(header: ["POOL", "READY", "IN HAND", "DELAYED", "DEAD", "OLDEST", "SIZE", "NODES"])
    for pool in status.pools {
      table.add([
        pool.name.rawValue, pool.queued.map(String.init) ?? "?", "\(pool.running)", "\(pool.scheduled)", "\(pool.dead)",
        pool.oldestAgeSeconds.map { "~\(Int($0))s" } ?? "-",
        pool.isPaused ? "paused" : "\(pool.localConcurrency)/\(pool.size)",
        "\(pool.nodes)",
      ])
    }
    var lines = table.lines()
    if isColoured, let header = lines.first { lines[0] = "\u{1B}[1m\(header)\u{1B}[0m" }
    let tiers = status.tiers.map { "\($0.name) \($0.retrying.map(String.init) ?? "?")" }.joined(separator: "  ")
    for pool in status.pools where !pool.pausedKinds.isEmpty {
      lines.append("\(pool.name): \(pool.pausedKinds.map(\.rawValue).joined(separator: ", ")) paused")
    }
    lines.append("")
    lines.append("retry tiers  \(tiers)")
    lines.append(
      "outbox \(status.outbox)  unroutable \(status.unroutable.map(String.init) ?? "?")  nodes \(status.nodes.count)")
    let gauges = status.gauges.filter { $0.value > 0 }.map { figure in
      let name = figure.name.replacing("_", with: " ")
      return "\(figure.label.map { "\(name) \($0[1])" } ?? name) \(Int(figure.value))"
    }
    if !gauges.isEmpty { lines.append(gauges.joined(separator: "  ")) }
    for error in status.errors { lines.append(isColoured ? "\u{1B}[31m\(error)\u{1B}[0m" : error) }
    return lines.joined(separator: "\n")
  }
}
