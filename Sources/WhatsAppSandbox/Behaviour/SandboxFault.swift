/// A behaviour that a share of all requests gets.
package struct SandboxFault: Sendable {
  /// 0 to 1.
  package var share: Double
  package var behaviour: SandboxBehaviour
}

extension SandboxFault {
  /// Parses a share and a behaviour, such as `5%:refuse:131000` or `0.05:cut-after`; nil for any other text.
  package init?(_ text: String) {
    guard let colon = text.firstIndex(of: ":"),
      let behaviour = SandboxBehaviour(String(text[text.index(after: colon)...]))
    else { return nil }
    let share = String(text[..<colon])
    let isPercentage = share.hasSuffix("%")
    guard let number = Double(isPercentage ? String(share.dropLast()) : share) else { return nil }
    let fraction = isPercentage ? number / 100 : number
    guard fraction >= 0, fraction <= 1 else { return nil }
    self.init(share: fraction, behaviour: behaviour)
  }
}
