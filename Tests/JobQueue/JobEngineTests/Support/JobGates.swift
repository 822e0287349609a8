import JobsTesting
import TestServers

/// Where echoJobs stop until the test lets them go on, so that it knows what runs.
final class JobGates: Sendable {
  private struct State {
    var began: [String] = []
    var running: [String] = []
    var most = 0
    var gates: [String: Gate] = [:]
    var isOpen = false
  }
  private let state = Locked(State())

  /// Waits until the echoJob, or everyone, may go on.
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

  /// Lets one echoJob go on, now or when it comes.
  func release(_ name: String) { state.change { Self.gate(name, &$0) }.open() }

  /// Lets everyone go on, now and from now on.
  func releaseAll() {
    let gates = state.change { state in
      state.isOpen = true
      return Array(state.gates.values)
    }
    for gate in gates { gate.open() }
  }

  /// The echoJobs that have begun, in order; one that began twice stands twice.
  var began: [String] { state.value.began }
  /// The echoJobs that wait at the gates.
  var running: [String] { state.value.running }
  /// The most that were at the gates together.
  var most: Int { state.value.most }

  private static func gate(_ name: String, _ state: inout State) -> Gate {
    let gate = state.gates[name] ?? Gate()
    state.gates[name] = gate
    if state.isOpen { gate.open() }
    return gate
  }
}
