import Testing
import WhatsApp

/// Numbers as people write them.
struct PhoneDigitsTests {
  @Test(
    arguments: zip(
      [
        "+55 (11) 98765-4321", "5511987654321", "55 11 98765 4321", "11 98765-4321", "(11) 98765-4321", "11.98765.4321",
        "011 98765-4321", "0 15 11 98765-4321", "0 21 31 98888-8888", "00 55 11 98765-4321",
        "(11) 3456-7890", "11 3456-7890", "0 11 3456-7890", "0 15 11 3456-7890", "0055 11 3456 7890",
        "+553188888888", "(31) 8888-8888", "+55 55 99999-8888", "(55) 99999-8888",
      ],
      [
        "5511987654321", "5511987654321", "5511987654321", "5511987654321", "5511987654321", "5511987654321",
        "5511987654321", "5511987654321", "5531988888888", "5511987654321",
        "551134567890", "551134567890", "551134567890", "551134567890", "551134567890",
        "553188888888", "553188888888", "5555999998888", "5555999998888",
      ]))
  func `a Brazilian number is digits with the country code`(_ text: String, _ digits: String) {
    #expect(PhoneNumber.digits(of: text) == digits)
  }

  @Test(
    arguments: zip(
      ["+1 650 555 1234", "+1 (650) 555-1234", "00 1 650 555 1234", "+351 911 234 567", "+972-98-765-4321"],
      ["16505551234", "16505551234", "16505551234", "351911234567", "972987654321"]))
  func `a number of another country keeps its own`(_ text: String, _ digits: String) {
    #expect(PhoneNumber.digits(of: text) == digits)
  }

  @Test(arguments: [
    "(10) 98765-4321", "20 98765-4321", "23 98765-4321", "(25) 3456-7890", "26 3456-7890", "29 98765-4321",
    "30 98765-4321", "36 98765-4321", "39 3456-7890", "40 98765-4321", "50 98765-4321", "52 98765-4321",
    "(60) 98765-4321", "70 98765-4321", "72 98765-4321", "76 98765-4321", "78 98765-4321", "80 98765-4321",
    "90 98765-4321", "0 20 98765-4321", "0 15 20 98765-4321",
  ])
  func `a national number of an area that does not exist is none`(_ text: String) {
    #expect(PhoneNumber.digits(of: text) == nil)
  }

  @Test(arguments: [
    "", " ", "+", "-", "Maria", "123", "+55", "+1234567", "1234567890123456", "+1234567890123456",
    "00 1234567890123456", "٠١٢٣٤٥٦٧٨٩", "११ ९८७६५ ४३२१",
  ])
  func `what is no number is none`(_ text: String) {
    #expect(PhoneNumber.digits(of: text) == nil)
  }

  @Test func `both ways to write a mobile number come to one identity`() {
    let ways = ["+55 31 98888-8888", "+55 31 8888-8888", "(31) 98888-8888", "31 8888 8888", "0 41 31 98888-8888"]
    #expect(Set(ways.compactMap { PhoneNumber.digits(of: $0).map(PhoneNumber.identity) }) == ["5531988888888"])
  }

  @Test func `digits are read as they are written`() {
    for text in ["5511987654321", "551134567890", "553188888888", "16505551234567"] {
      #expect(PhoneNumber.digits(of: "+" + text) == text)
    }
  }
}
