import ClientLoop
import Foundation
import Glibc
import Jobs
import Metrics
import Synchronization

/// What the process takes of the machine, under the names that Prometheus' client libraries use.
///
/// A figure that cannot be read is NaN: unknown, never zero.
enum ProcessMetrics {
  private static let openDescriptors = "process_open_fds"
  private static let descriptorsMax = "process_max_fds"
  private static let residentMemory = "process_resident_memory_bytes"
  private static let threads = "process_threads"

  /// What each metric measures, by name.
  static let help = [
    openDescriptors: "Open files and connections.",
    descriptorsMax: "How many files and connections may be open: the soft limit RLIMIT_NOFILE.",
    residentMemory: "Resident memory.",
    threads: "Threads.",
  ]

  private static let interval = Duration.seconds(5)
  private static let latest = Mutex(NodeResources())

  /// The figures of the last reading that other processes are told.
  static var resources: NodeResources { latest.withLock { $0 } }

  /// Records the figures until the task is cancelled, and gives freed memory back to the system.
  static func run() async {
    while !Task.isCancelled {
      // Off the cooperative pool: giving memory back may take some milliseconds.
      DispatchQueue.global(qos: .utility).async {
        record()
        FreedMemory.giveBack()
      }
      try? await Task.sleep(for: interval)
    }
  }

  /// Reads the figures, which blocks for some milliseconds where many descriptors are open.
  static func record() {
    let (figures, limit) = (ProcessFigures.current(), DescriptorLimit.current)
    latest.withLock { $0 = NodeResources(openDescriptors: figures.openDescriptors, descriptorsMax: limit) }
    record(openDescriptors, figures.openDescriptors)
    record(descriptorsMax, limit)
    record(residentMemory, figures.residentBytes)
    record(threads, figures.threads)
  }

  private static func record(_ name: String, _ value: Int?) {
    Gauge(label: name).record(value.map { Double($0) } ?? .nan)
  }
}

/// Figures of this process, as the system tells them.
struct ProcessFigures: Equatable {
  /// nil: unknown.
  var openDescriptors: Int?
  var residentBytes: Int?
  var threads: Int?

  static func current() -> ProcessFigures {
    var figures = ProcessFigures(openDescriptors: openDescriptorCount())
    // Nothing can be opened when no descriptor is left.
    if let text = try? String(contentsOfFile: "/proc/self/stat", encoding: .utf8) { figures.read(stat: text) }
    return figures
  }

  /// Reads `/proc/self/stat` (proc_pid_stat(5)); its second field is a name in parentheses that may hold blanks.
  mutating func read(stat text: String) {
    guard let end = text.lastIndex(of: ")") else { return }
    let fields = text[text.index(after: end)...].split(separator: " ")
    // The fields 20 and 24, counted from 1; the first here is the third.
    guard fields.count > 21 else { return }
    threads = Int(fields[17])
    residentBytes = Int(fields[21]).map { $0 * Int(getpagesize()) }
  }

  /// nil where they cannot be listed, as when no descriptor is left: the listing itself takes one, which is not
  /// counted.
  private static func openDescriptorCount() -> Int? {
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")).map { $0.count - 1 }
  }
}
