import Testing
import WhatsApp

/// What follows from a refusal: decided by its code, never by texts, and by HTTP only where there is no known code.
struct SendVerdictTests {
  @Test(arguments: Refusal.table)
  func `a known code has its class`(_ refusal: Refusal) {
    let error = CloudError(code: refusal.code, httpStatus: refusal.http)
    #expect(error.verdict().text == refusal.verdict)
  }

  @Test(arguments: Refusal.table.filter { $0.code != 0 })
  func `a known code means the same with any HTTP status`(_ refusal: Refusal) {
    for http in [200, 400, 401, 403, 404, 429, 500, 503] {
      for isTransient in [false, true] {
        let error = CloudError(code: refusal.code, httpStatus: http, isTransient: isTransient)
        #expect(error.verdict().text == refusal.verdict, "with HTTP \(http)")
      }
    }
  }

  @Test func `a limit that was hit again is waited out longer, up to a minute`() throws {
    var last = Duration.zero
    for repeats in [0, 1, 2, 3, 4, 5, 6, 7, 20, 63, 64, 1_000, .max] {
      let verdict = CloudError(code: 130429, httpStatus: 400).verdict(repeats: repeats)
      guard case .retryAfter(let pause, .number) = verdict else {
        Issue.record("\(verdict) is no pause of the number")
        return
      }
      #expect(pause >= max(last, .seconds(1)) && pause <= .seconds(60))
      last = pause
    }
    #expect(last > .seconds(1))
  }

  @Test(arguments: zip(0...5, [1, 4, 16, 64, 256, 1_024]))
  func `a pair's limit is waited out for four to the power of the repeats`(_ repeats: Int, _ seconds: Int) {
    let verdict = CloudError(code: 131056, httpStatus: 400).verdict(repeats: repeats)
    #expect(verdict == .retryAfter(.seconds(seconds), .pair))
  }

  @Test(arguments: [20, 32, 64, 1_000, Int.max])
  func `after any number of repeats there is a pause, and no overflow`(_ repeats: Int) {
    for code in [130429, 131056] {
      guard case .retryAfter(let pause, _) = CloudError(code: code, httpStatus: 400).verdict(repeats: repeats) else {
        Issue.record("\(code) has no pause")
        continue
      }
      #expect(pause > .zero && pause <= .seconds(86_400))
    }
  }

  @Test func `a cap on marketing is waited out, and no refusal by the recipient`() {
    let cap = CloudError(code: 131049, httpStatus: 400)
    guard case .retryAfter(let pause, let scope) = cap.verdict(isMarketing: true) else {
      Issue.record("\(cap.verdict(isMarketing: true)) is no pause")
      return
    }
    #expect(pause >= .seconds(86_400))
    // That recipient and marketing alone: nobody else's messages wait, nor this recipient's others.
    #expect(scope == .message)
    #expect(cap.verdict(isMarketing: false) != .suppress)
    let stopped = CloudError(code: 131050, httpStatus: 400)
    #expect(stopped.verdict(isMarketing: true) == .suppress)
    #expect(stopped.verdict(isMarketing: true) != cap.verdict(isMarketing: true))
  }

  @Test(arguments: [132000, 132005, 132012, 132018])
  func `parameters that do not fit need attention`(_ code: Int) {
    #expect(CloudError(code: code, httpStatus: 400).verdict() == .permanent(needsAttention: true))
  }

  @Test func `a spam limit stops the number for a day, and a misjudged template for one`() {
    #expect(CloudError(code: 131048, httpStatus: 400).verdict() == .pause(.number, probeAfter: .seconds(86_400)))
    #expect(CloudError(code: 131064, httpStatus: 400).verdict() == .pause(.template, probeAfter: .seconds(86_400)))
  }

  @Test func `a register limit is waited out`() {
    #expect(CloudError(code: 133016, httpStatus: 400).verdict().text.hasPrefix("RA "))
  }

  @Test func `a known code says the same of marketing, but for the cap`() {
    for refusal in Refusal.table {
      let error = CloudError(code: refusal.code, httpStatus: refusal.http)
      #expect(error.verdict(isMarketing: true) == error.verdict(isMarketing: false), "\(refusal.code)")
    }
  }

  @Test(arguments: [-1, 5, 199, 300, 999, 131001, 131099, 132099, 2_494_073, Int(Int32.max)])
  func `an unknown code is tried again only where it is transient, or the server's fault`(_ code: Int) {
    for http in [400, 401, 403, 404, 408, 429, 499] {
      let text = CloudError(code: code, httpStatus: http).verdict().text
      #expect(text == "P", "HTTP \(http)")
      #expect(CloudError(code: code, httpStatus: http, isTransient: true).verdict() == .retry(atMost: nil))
    }
    for http in [500, 502, 503, 504, 599] {
      #expect(CloudError(code: code, httpStatus: http).verdict() == .retry(atMost: nil))
    }
  }

  @Test(arguments: [408, 425, 429])
  func `a gateway that asks for patience is given a minute, by all messages of the account`(_ http: Int) {
    #expect(CloudError(code: 0, httpStatus: http).verdict() == .retryAfter(.seconds(60), .account))
  }

  @Test(arguments: [301, 302, 400, 401, 403, 404, 407, 410, 413, 424, 426, 451, 499])
  func `any other answer without a code stops the account, and no message is lost by it`(_ http: Int) {
    let wanted = SendVerdict.pause(.account, probeAfter: .seconds(60))
    for repeats in [0, 1, 100] {
      for isTransient in [false, true] {
        let error = CloudError(code: 0, httpStatus: http, isTransient: isTransient)
        #expect(error.verdict(repeats: repeats) == wanted, "repeated \(repeats) times")
      }
    }
  }

  @Test(arguments: [500, 502, 503, 504, 599])
  func `a server's fault without a code is tried again`(_ http: Int) {
    #expect(CloudError(code: 0, httpStatus: http).verdict() == .retry(atMost: nil))
  }

  @Test func `whoever probes waits first`() {
    for refusal in Refusal.table {
      guard case .pause(_, let pause) = CloudError(code: refusal.code, httpStatus: refusal.http).verdict() else {
        continue
      }
      #expect(pause >= .seconds(60), "\(refusal.code)")
    }
  }
}
