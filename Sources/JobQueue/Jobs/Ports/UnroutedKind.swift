/// A job whose kind is in no pool of queues.yaml. `vluma check` finds it; a follow-up's attempt is retried, because
/// queues.yaml can be corrected.
package struct UnroutedKind: JobError, CustomStringConvertible {
  package let kind: JobKind

  package init(kind: JobKind) { self.kind = kind }

  package var isPermanent: Bool { false }
  package var description: String { "job kind \(kind) is in no pool of queues.yaml" }
}
