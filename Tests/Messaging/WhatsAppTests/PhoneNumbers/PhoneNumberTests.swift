import Testing
import WhatsApp

/// Brazil's numbers with and without the ninth digit, and everybody else's as they are.
struct PhoneNumberTests {
  /// The area codes that are in use.
  private static let areas: Set<Int> = {
    let ranges = [
      11...19, 21...22, 24...24, 27...28, 31...35, 37...38, 41...49, 51...51, 53...55, 61...69, 71...71, 73...75,
      77...77, 79...79, 81...89, 91...99,
    ]
    return Set(ranges.flatMap { Array($0) })
  }()

  @Test(
    arguments: zip(
      [
        "5531988888888", "553188888888", "5511987654321", "551187654321", "5511967654321", "551167654321",
      ],
      [
        "553188888888", "5531988888888", "551187654321", "5511987654321", "551167654321", "5511967654321",
      ]))
  func `a Brazilian mobile number has an alternate number`(_ digits: String, _ other: String) {
    #expect(PhoneNumber.alternateNumber(of: digits) == other)
  }

  @Test func `the digits of a number in E.164 are those after the plus sign`() {
    #expect(PhoneNumber.digits(e164: "+5511987654321") == "5511987654321")
    #expect(PhoneNumber.digits(e164: "5511987654321") == "5511987654321")
  }

  @Test func `a mobile number is known by the form with nine digits`() {
    #expect(PhoneNumber.identity(of: "553188888888") == "5531988888888")
    #expect(PhoneNumber.identity(of: "5531988888888") == "5531988888888")
  }

  @Test func `every area that is in use has both forms, and no other two digits do`() {
    for area in 0...99 {
      let area = (area < 10 ? "0" : "") + "\(area)"
      let isInUse = Int(area).map(Self.areas.contains) ?? false
      #expect((PhoneNumber.alternateNumber(of: "55\(area)88887777") != nil) == isInUse, "\(area)")
      #expect((PhoneNumber.alternateNumber(of: "55\(area)988887777") != nil) == isInUse, "\(area)")
    }
  }

  @Test func `landlines never get a ninth digit`() {
    for area in Self.areas {
      for first in 2...5 {
        let landline = "55\(area)\(first)0031234"
        #expect(PhoneNumber.alternateNumber(of: landline) == nil)
        #expect(PhoneNumber.identity(of: landline) == landline)
        // And what looks like one with a nine before it loses none.
        let long = "55\(area)9\(first)0031234"
        #expect(PhoneNumber.alternateNumber(of: long) == nil)
      }
    }
  }

  @Test(arguments: [
    "0800 123 4567", "08001234567", "+55 0800 123 4567", "3003 1234", "4004-1234", "(11) 3003-1234", "11 4004-1234",
  ])
  func `service numbers never get a ninth digit`(_ text: String) {
    guard let digits = PhoneNumber.digits(of: text) else { return }
    #expect(PhoneNumber.alternateNumber(of: digits) == nil)
    #expect(PhoneNumber.identity(of: digits) == digits)
  }

  @Test(arguments: [
    "16505551234", "972987654321", "351911234567", "5491123456789", "4915112345678", "55", "5511", "551188", "",
    "55318888888", "55319888888888", "55110888888888", "5511088887777", "5511188887777", "55118888777x",
    "+553188888888", "5531٩88887777",
  ])
  func `any other number has no alternate number`(_ digits: String) {
    #expect(PhoneNumber.alternateNumber(of: digits) == nil)
    #expect(PhoneNumber.identity(of: digits) == digits)
  }

  @Test func `the alternate number's alternate is the number itself, and both have one identity`() throws {
    for area in Self.areas {
      for first in 6...9 {
        let (short, long) = ("55\(area)\(first)1234567", "55\(area)9\(first)1234567")
        #expect(PhoneNumber.alternateNumber(of: short) == long)
        #expect(PhoneNumber.alternateNumber(of: long) == short)
        #expect(PhoneNumber.identity(of: short) == long)
        #expect(PhoneNumber.identity(of: long) == long)
      }
    }
  }
}
