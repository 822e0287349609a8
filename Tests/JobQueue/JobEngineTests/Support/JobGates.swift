import JobsTesting
import TestServers

/// Gates at which jobs wait until the test releases them, so that it knows which jobs run.
final class JobGates: Sendable {
  private struct State {
    var began: [String] = []
    var running: [String] = []
    var most = 0
    var gates: [String: Gate] = [:]
    var isOpen = false
  }
  private let state = Locked(State())

  /// Waits until this job, or all jobs, are released.
  func enter(_ name: String) async throws {
    let gate = state.change { state in
      state.began.append(name)
      state.running.append(name)
      state.most = max(state.most, state.running.count)
      return Self.gate(name, &state)
    }
    defer {
      state.change { state in
        if let place = state.running.firstIndex(of: name) { state.running.remove(at: place) }
      }
    }
    try await gate.wait()
  }

  /// Releases one job, whether it waits already or enters later.
  func release(_ name: String) { state.change { Self.gate(name, &$0) }.open() }

  /// Releases all jobs, those that wait and those that enter later.
  func releaseAll() {
    let gates = state.change { state in
      state.isOpen = true
      return Array(state.gates.values)
    }
    for gate in gates { gate.open() }
  }

  /// The jobs that have entered, in order; one that entered twice is listed twice.
  var began: [String] { state.value.began }
  /// The jobs that wait at the gates.
  var running: [String] { state.value.running }
  /// The most jobs that waited together.
  var most: Int { state.value.most }

  private static func gate(_ name: String, _ state: inout State) -> Gate {
    let gate = state.gates[name] ?? Gate()
    state.gates[name] = gate
    if state.isOpen { gate.open() }
    return gate
  }
}
