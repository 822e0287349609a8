internal import Synchronization

enum TemplateState: String, Sendable {
  case approved, paused, disabled
}

/// The states of the templates. All are approved at first.
final class TemplateCatalog: Sendable {
  private let states = Mutex<[String: TemplateState]>([:])

  func set(_ state: TemplateState, of template: ApprovedTemplate) { states.withLock { $0[template.name] = state } }

  /// Returns an approved template; throws Meta's error where it is unknown, paused or disabled.
  func usable(_ name: String, language: String) throws(GraphError) -> ApprovedTemplate {
    guard language == ApprovedTemplate.language, let template = ApprovedTemplate.named(name) else {
      throw GraphError(132_001, "template name (\(name)) does not exist in \(language)")
    }
    switch states.withLock({ $0[name] }) {
    case .paused: throw GraphError(132_015, "template name (\(name)) is paused")
    case .disabled: throw GraphError(132_016, "template name (\(name)) is disabled")
    case .approved, nil: return template
    }
  }
}
