import Foundation
import Glibc
import Jobs
import TestServers
import Testing

struct JobIDTests {
  /// The 32 hexadecimal digits of an id.
  private func digits(_ id: UUID) -> [Character] { Array(id.uuidString.lowercased().filter { $0 != "-" }) }

  @Test func `an id is a UUID of version 7 and of the RFC's variant`() {
    for _ in 0..<200 {
      let hex = digits(JobID().uuid)
      #expect(hex[12] == "7")
      #expect("89ab".contains(hex[16]))
    }
  }

  @Test func `an id begins with the milliseconds since 1970`() throws {
    let id = UUID.version7(at: Date(timeIntervalSince1970: 1_700_000_000.5))
    #expect(Int(String(digits(id).prefix(12)), radix: 16) == 1_700_000_000_500)
    let now = Date()
    let new = try #require(Int(String(digits(JobID().uuid).prefix(12)), radix: 16))
    #expect(abs(Double(new) / 1_000 - now.timeIntervalSince1970) < 60)
  }

  @Test func `a date before 1970 gives an id of 1970`() {
    #expect(digits(UUID.version7(at: .distantPast)).prefix(12).allSatisfy { $0 == "0" })
  }

  @Test func `ids are ordered by the millisecond they were made in`() {
    var random = SeededRandom(seed: 1)
    let times = (0..<500).map { _ in Int.random(in: 0...4_000_000_000_000, using: &random) }
    let made = Set(times).shuffled(using: &random).map { milliseconds in
      (milliseconds, JobID(.version7(at: Date(timeIntervalSince1970: Double(milliseconds) / 1_000 + 0.0001))))
    }
    let byID = made.sorted { $0.1 < $1.1 }.map(\.0)
    #expect(byID == made.map(\.0).sorted())
    let byText = made.sorted { "\($0.1)" < "\($1.1)" }.map(\.0)
    #expect(byText == byID)
  }

  @Test func `ids of the same instant differ`() {
    let now = Date()
    #expect(Set((0..<1_000).map { _ in UUID.version7(at: now) }).count == 1_000)
  }

  @Test func `an id is read from its 36 characters in either case, and written in lower case`() throws {
    let text = "018bcfe5-6800-7abc-9def-0123456789ab"
    #expect(try #require(JobID(text)).description == text)
    #expect(JobID(text.uppercased()) == JobID(text))
  }

  @Test(arguments: ["", "018bcfe5", "018bcfe5-6800-7abc-9def-0123456789a", "018bcfe5-6800-7abc-9def-0123456789ag"])
  func `a text that is not an id is rejected`(_ text: String) {
    #expect(JobID(text) == nil)
  }

  @Test func `an id is coded as its text`() throws {
    let id = JobID()
    let document = try JSONEncoder().encode([id])
    #expect(String(decoding: document, as: UTF8.self).lowercased() == "[\"\(id)\"]")
    #expect(try JSONDecoder().decode([JobID].self, from: document) == [id])
    #expect(throws: DecodingError.self) { try JSONDecoder().decode([JobID].self, from: Data(#"["none"]"#.utf8)) }
  }

  @Test func `a run after the first is written behind the job's id`() throws {
    let id = try #require(JobID("018bcfe5-6800-7abc-9def-0123456789ab"))
    #expect(JobRun(id: id).description == "018bcfe5-6800-7abc-9def-0123456789ab")
    #expect(JobRun(id: id, run: 2).description == "018bcfe5-6800-7abc-9def-0123456789ab#2")
    #expect(JobRun(id: id) != JobRun(id: id, run: 2))
  }

  @Test func `ids stay different in a process that has no file descriptor left`() async {
    await #expect(processExitsWith: .success) {
      var none = rlimit(rlim_cur: 0, rlim_max: 0)
      precondition(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &none) == 0)
      let now = Date()
      let ids = Set((0..<1_000).map { _ in UUID.version7(at: now) } + (0..<1_000).map { _ in UUID.version4() })
      exit(ids.count == 2_000 ? EXIT_SUCCESS : EXIT_FAILURE)
    }
  }
}
