import Foundation
import Testing
import WhatsApp

/// A name as a customer may have given it.
struct OddName: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let text: String

  init(_ description: String, _ text: String) {
    testDescription = description
    self.text = text
  }

  static let all = [
    OddName("nothing", ""), OddName("a space", " "), OddName("ten spaces", String(repeating: " ", count: 10)),
    OddName("a line break", "\n"), OddName("tabs", "\t\t\t"),
    OddName("no-break spaces", String(repeating: "\u{a0}", count: 6)),
    OddName("a name on two lines", "Ana\nMaria"), OddName("a name on two lines of Windows", "Ana\r\n\r\nMaria"),
    OddName("a name with a tab", "Ana\tMaria"), OddName("a name with six spaces", "Ana      Maria"),
    OddName("a name between spaces", "   Ana   "), OddName("a line separator", "Ana\u{2028}Maria"),
    OddName("a paragraph separator", "Ana\u{2029}Maria"), OddName("a next line", "Ana\u{85}Maria"),
    OddName("a form feed", "Ana\u{c}\u{b}Maria"), OddName("a NUL", "Ana\u{0}Maria"), OddName("only a NUL", "\u{0}"),
    OddName("an escape", "\u{1b}[31mAna"),
    OddName("5,000 letters", String(repeating: "x", count: 5_000)),
    OddName("5,000 words", String(repeating: "Ana ", count: 5_000)),
    OddName("5,000 line breaks", String(repeating: "\n", count: 5_000)),
    OddName("5,000 foxes", String(repeating: "🦊", count: 5_000)),
    OddName("5,000 families", String(repeating: "👩‍👩‍👧‍👦", count: 5_000)),
    OddName("one letter with 5,000 accents", "e" + String(repeating: "\u{301}", count: 5_000)),
    OddName("a fox", "🦊"), OddName("a place of a template", "{{1}}"), OddName("right to left", "\u{202e}anA"),
  ]
}

/// No name keeps a message from being sent.
struct OddNameTests {
  /// What a customer of that name is called in a message.
  private func called(_ name: String) throws -> String? {
    NotificationKind.cancelled.content(try templateValues(customer: name), booking: UUID()).parameters.first
  }

  private func contents(_ templateValues: NotificationKind.TemplateValues) -> [TemplateContent] {
    NotificationKind.allCases.map { $0.content(templateValues, booking: UUID()) }
  }

  @Test(arguments: OddName.all)
  func `no parameter with an odd name is one that the provider refuses`(_ name: OddName) throws {
    let one = try templateValues(customer: name.text)
    let all = try templateValues(
      customer: name.text, business: name.text, service: name.text, professional: name.text,
      alternatives: [("2026-11-24T14:00", name.text), ("2026-11-24T15:00", nil)])
    for content in contents(one) + contents(all) {
      for (place, parameter) in content.parameters.enumerated() {
        let parameterViolation = parameterViolation(to: parameter)
        #expect(parameterViolation == nil, "{{\(place + 1)}} of \(content.name)")
      }
    }
  }

  @Test(arguments: OddName.all)
  func `with odd names everywhere the whole body is no longer than the provider takes`(_ name: OddName) throws {
    let templateValues = try templateValues(
      customer: name.text, business: name.text, service: name.text, professional: name.text,
      alternatives: Array(repeating: (startsAt: "2026-11-24T14:00", professional: name.text), count: 10))
    for content in contents(templateValues) {
      let length = try content.body().unicodeScalars.count
      #expect(length <= 1_024, "\(content.name)")
    }
  }

  @Test func `a name without oddities stays as it is`() throws {
    for name in ["Maria", "José da Silva", "D'Ávila-Müller", "李小龍", "🦊 Fox", "Ana (mãe)", "50% off; A/B"] {
      #expect(try called(name) == name)
    }
  }

  @Test func `what is between the words of an odd name becomes one space`() throws {
    for name in ["Ana\nMaria", "Ana \r\n Maria", " Ana\t\tMaria ", "Ana        Maria", "Ana\u{0}Maria"] {
      #expect(try called(name) == "Ana Maria")
    }
  }

  @Test func `a long name is cut, and shows that it was`() throws {
    let parameter = try #require(try called(String(repeating: "x", count: 5_000)))
    #expect(parameter.hasPrefix("xxx"))
    #expect(parameter.hasSuffix("…"))
  }

  @Test func `a long list of free times keeps its beginning`() throws {
    let templateValues = try templateValues(
      alternatives: Array(repeating: (startsAt: "2026-11-24T14:00", professional: "Dr. Caio"), count: 100))
    let times = try #require(NotificationKind.rejected.content(templateValues, booking: UUID()).parameters.last)
    #expect(times.hasPrefix("ter., 24/11 às 11:00 com Dr. Caio; ter."))
    #expect(parameterViolation(to: times) == nil)
  }
}
