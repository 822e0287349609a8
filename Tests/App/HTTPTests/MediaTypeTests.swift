import HTTPTypes
import Testing

@testable import HTTP

struct MediaTypeTests {
  @Test(arguments: [
    "application/json", "application/json; charset=utf-8", "Application/JSON;charset=\"UTF-8\"",
    "application/json; x=y",
  ])
  func `JSON in UTF-8 is taken`(_ type: String) {
    #expect(throws: Never.self) { try MediaType.requireJSON([.contentType: type]) }
    #expect(throws: Never.self) { try MediaType.requireJSON([.contentType: type, .contentEncoding: "identity"]) }
  }

  @Test(arguments: [
    "", "text/plain", "application/problem+json", "application/jsonx", "application/json; charset=utf-16",
    "application/json; charset=iso-8859-1",
  ])
  func `any other type is a 415 that names what is taken`(_ type: String) throws {
    let problem = try #require(throws: Problem.self) { try MediaType.requireJSON([.contentType: type]) }
    #expect(problem.status == .unsupportedMediaType)
    #expect(problem.detail.contains("application/json") && problem.detail.contains("UTF-8"))
    #expect(problem.fields.map(\.pointer) == ["header:Content-Type"])
  }

  @Test(arguments: ["gzip", "br", "identity, gzip"])
  func `a compressed body is a 415`(_ encoding: String) throws {
    let problem = try #require(throws: Problem.self) {
      try MediaType.requireJSON([.contentType: "application/json", .contentEncoding: encoding])
    }
    #expect(problem.fields.map(\.pointer) == ["header:Content-Encoding"])
  }
}
