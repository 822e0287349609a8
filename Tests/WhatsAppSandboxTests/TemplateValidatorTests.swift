import Testing

@testable import WhatsAppSandbox

/// The components of template messages.
struct TemplateValidatorTests {
  private let texts = ["Maria", "24/11 às 10h", "Clínica Vida"]

  private func code(_ components: [JSONValue], template name: String = "lembrete_consulta") throws -> Int? {
    let check = TemplateValidator(template: try #require(ApprovedTemplate.named(name)))
    do throws(GraphError) {
      _ = try check.payloads(in: components)
      return nil
    } catch {
      return error.code
    }
  }

  private func body(replacing last: JSONValue) -> [JSONValue] {
    [Sample.body([Sample.parameter("Maria"), Sample.parameter("10h"), last])]
  }

  private func withButton(_ button: JSONValue) -> [JSONValue] {
    [Sample.body(texts.map { Sample.parameter($0) }), button]
  }

  @Test(arguments: ApprovedTemplate.all)
  func `every template takes as many parameters and buttons as it has`(_ template: ApprovedTemplate) throws {
    let parameters = (0..<template.bodyParameters).map { Sample.parameter("text \($0)") }
    let buttons = (0..<template.quickReplies).map { Sample.button(String($0), "payload \($0)") }
    #expect(try code([Sample.body(parameters)] + buttons, template: template.name) == nil)
    #expect(try code([Sample.body(parameters)], template: template.name) == nil)
    #expect(try code([Sample.body(Array(parameters.dropLast()))] + buttons, template: template.name) == 132_000)
    #expect(try code([Sample.body(parameters + parameters)], template: template.name) == 132_000)
    let extra = Sample.button(String(template.quickReplies), "payload")
    #expect(try code([Sample.body(parameters), extra], template: template.name) == 132_018)
  }

  @Test(arguments: ["", "two\nlines", "a\ttab", "five     spaces", "a\r\nb", "\u{2028}"])
  func `texts that Meta does not take`(_ text: String) throws {
    #expect(try code(body(replacing: Sample.parameter(text))) == 132_018)
  }

  @Test func `texts that Meta takes`() throws {
    for text in ["four    spaces", " ", String(repeating: "á", count: 1_024), "😀"] {
      #expect(try code(body(replacing: Sample.parameter(text))) == nil)
    }
  }

  @Test func `a long text is refused`() throws {
    #expect(try code(body(replacing: Sample.parameter(String(repeating: "x", count: 1_025)))) == 132_005)
  }

  @Test func `parameters are positional texts`() throws {
    let currency: JSONValue = ["type": "currency", "currency": ["fallback_value": "R$ 1,00", "code": "BRL"]]
    #expect(try code(body(replacing: currency)) == 132_012)
    #expect(try code(body(replacing: Sample.parameter("x").with("parameter_name", "hora"))) == 132_012)
    #expect(try code(body(replacing: ["type": "text"])) == 131_008)
    #expect(try code(body(replacing: ["text": "x"])) == 131_008)
  }

  @Test func `buttons are quick replies with a payload`() throws {
    let good = Sample.button("1", "cancel:1")
    #expect(try code(withButton(good)) == nil)
    #expect(try code(withButton(good.with("index", 1))) == nil)
    #expect(try code(withButton(good.with("index", "2"))) == 132_018)
    #expect(try code(withButton(good.with("index", "x"))) == 131_008)
    #expect(try code(withButton(good.with("sub_type", "url"))) == 132_018)
    #expect(try code(withButton(good.with("parameters", nil))) == 132_018)
    #expect(try code(withButton(good.with("parameters", [["type": "text", "text": "x"]]))) == 132_018)
    #expect(try code(withButton(Sample.button("1", String(repeating: "x", count: 256)))) == nil)
    #expect(try code(withButton(Sample.button("1", String(repeating: "x", count: 257)))) == 132_018)
    #expect(try code(withButton(Sample.button("1", ""))) == 132_018)
    #expect(try code(withButton(good) + [good]) == 132_018)
  }

  @Test func `there is no header`() throws {
    let header: JSONValue = ["type": "header", "parameters": [["type": "text", "text": "x"]]]
    #expect(try code(withButton(header)) == 132_018)
    #expect(try code([]) == 132_000)
    #expect(try code(withButton(["parameters": []])) == 131_008)
  }

  @Test func `payloads come in the order of their buttons`() throws {
    let check = TemplateValidator(template: try #require(ApprovedTemplate.named("lembrete_consulta")))
    let components = withButton(Sample.button("1", "second")) + [Sample.button("0", "first")]
    #expect(try check.payloads(in: components) == ["first", "second"])
  }
}
