/// What the broker lacks of a topology, and what it has with other arguments under the same name. Exchanges and queues
/// are written as `exchange NAME` and `queue NAME`.
package struct TopologyPlan: Sendable, Equatable {
  /// Applying creates them.
  package var missing: [String] = []
  package var present: [String] = []
  /// They keep the topology from being applied.
  package var different: [Difference] = []

  package struct Difference: Sendable, Equatable {
    package let name: String
    /// The broker's words on the first argument that differs (reply code 406).
    package let detail: String

    package init(name: String, detail: String) {
      self.name = name
      self.detail = detail
    }
  }

  package init() {}
}
