import Foundation
import TestPlatform
import TestServers

/// What a process takes of the machine.
extension PlatformProcess {
  /// Resident memory in MiB.
  func residentMegabytes() throws -> Int { try statusField("VmRSS") / 1_024 }

  /// The most resident memory it has had, in MiB.
  func residentMegabytesMax() throws -> Int { try statusField("VmHWM") / 1_024 }

  private func statusField(_ name: String) throws -> Int {
    let text = try String(contentsOfFile: "/proc/\(processIdentifier)/status", encoding: .utf8)
    let line = text.split(separator: "\n").first { $0.hasPrefix("\(name):") }
    guard let number = line?.split(whereSeparator: { !$0.isNumber }).first.flatMap({ Int($0) }) else {
      throw TestError(description: "\(name) is not in the process' status")
    }
    return number
  }

  /// Processor time in seconds.
  func processorSeconds() throws -> Double {
    let text = try String(contentsOfFile: "/proc/\(processIdentifier)/stat", encoding: .utf8)
    let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
    guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else {
      throw TestError(description: "the process' processor time cannot be read")
    }
    return (user + system) / 100
  }
}
