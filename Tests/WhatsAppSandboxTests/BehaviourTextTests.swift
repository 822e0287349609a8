import Testing

@testable import WhatsAppSandbox

/// The texts of behaviours and faults.
struct BehaviourTextTests {
  @Test func `each behaviour has its text`() {
    let texts: [(String, SandboxBehaviour)] = [
      ("accept", .accept), ("refuse:131056", .refuse(code: 131_056, httpStatus: nil)),
      ("refuse:131000:503", .refuse(code: 131_000, httpStatus: 503)), ("cut-before", .cutBefore),
      ("cut-after", .cutAfter), ("silent", .silent), ("silent-after", .silentAfter),
      ("delay:250", .delay(.milliseconds(250))), ("fail-later:131026", .failLater(code: 131_026)),
      ("no-status", .withoutStatus), ("cut-after-no-status", .cutAfterWithoutStatus),
      ("wa-id:553188888888", .waID("553188888888")),
    ]
    for (text, behaviour) in texts { #expect(SandboxBehaviour(text) == behaviour, "\(text)") }
  }

  @Test(arguments: [
    "", "Accept", "accept:", "refuse", "refuse:", "refuse:x", "refuse:-1", "refuse:1:200", "refuse:1:500:2", "cut",
    "delay", "delay:-1", "delay:600001", "delay:1s", "fail-later", "wa-id:", "wa-id:1234567", "wa-id:+5511987654321",
    "no-status:1", "silent ",
  ])
  func `other texts are refused`(_ text: String) { #expect(SandboxBehaviour(text) == nil) }

  @Test func `a fault is a share and a behaviour`() throws {
    let percentage = try #require(SandboxFault("5%:refuse:131000"))
    #expect(abs(percentage.share - 0.05) < 1e-9)
    #expect(percentage.behaviour == .refuse(code: 131_000, httpStatus: nil))
    let fraction = try #require(SandboxFault("0.25:cut-after"))
    #expect(fraction.share == 0.25)
    #expect(fraction.behaviour == .cutAfter)
    #expect(SandboxFault("100%:silent")?.share == 1)
  }

  @Test(arguments: ["", "5%", "accept", ":accept", "101%:accept", "-1%:accept", "1.5:accept", "x:accept", "nan:accept"])
  func `a text that is no fault is refused`(_ text: String) { #expect(SandboxFault(text) == nil) }

  @Test func `recipients are masked but for both ends`() {
    #expect(PhoneDigits.masked("5511987654321") == "5511*****4321")
    #expect(PhoneDigits.masked("12345678") == "********")
    #expect(PhoneDigits.masked("").isEmpty)
  }

  @Test func `a Brazilian mobile number is one account with and without its ninth digit`() {
    #expect(PhoneDigits.account("5531988888888") == PhoneDigits.account("553188888888"))
    #expect(PhoneDigits.account("551130031234") == "551130031234")
    #expect(PhoneDigits.account("4915112345678") == "4915112345678")
  }
}
