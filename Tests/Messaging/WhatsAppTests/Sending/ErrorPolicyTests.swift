import Testing
import WhatsApp

/// What follows from an error: decided by its code, never by texts, and by the HTTP status only for unknown codes.
struct ErrorPolicyTests {
  @Test(arguments: ErrorCodeExample.table)
  func `a known code has its class`(_ example: ErrorCodeExample) {
    let error = CloudError(code: example.code, httpStatus: example.http)
    #expect(error.policy().text == example.policy)
  }

  @Test(arguments: ErrorCodeExample.table.filter { $0.code != 0 })
  func `a known code means the same with any HTTP status`(_ example: ErrorCodeExample) {
    for http in [200, 400, 401, 403, 404, 429, 500, 503] {
      for isTransient in [false, true] {
        let error = CloudError(code: example.code, httpStatus: http, isTransient: isTransient)
        #expect(error.policy().text == example.policy, "with HTTP \(http)")
      }
    }
  }

  @Test func `a limit that was hit again is waited out longer, up to a minute`() throws {
    var last = Duration.zero
    for repeats in [0, 1, 2, 3, 4, 5, 6, 7, 20, 63, 64, 1_000, .max] {
      let policy = CloudError(code: 130429, httpStatus: 400).policy(repeats: repeats)
      guard case .retryAfter(let delay, .number) = policy else {
        Issue.record("\(policy) is no delay of the number")
        return
      }
      #expect(delay >= max(last, .seconds(1)) && delay <= .seconds(60))
      last = delay
    }
    #expect(last > .seconds(1))
  }

  @Test(arguments: zip(0...5, [1, 4, 16, 64, 256, 1_024]))
  func `a pair's limit is waited out for four to the power of the repeats`(_ repeats: Int, _ seconds: Int) {
    let policy = CloudError(code: 131056, httpStatus: 400).policy(repeats: repeats)
    #expect(policy == .retryAfter(.seconds(seconds), .pair))
  }

  @Test(arguments: [20, 32, 64, 1_000, Int.max])
  func `after any number of repeats there is a delay, and no overflow`(_ repeats: Int) {
    for code in [130429, 131056] {
      guard case .retryAfter(let delay, _) = CloudError(code: code, httpStatus: 400).policy(repeats: repeats) else {
        Issue.record("\(code) has no delay")
        continue
      }
      #expect(delay > .zero && delay <= .seconds(86_400))
    }
  }

  @Test func `a cap on marketing is no opt-out of the recipient`() {
    #expect(CloudError(code: 131049, httpStatus: 400).policy() == .permanent(needsAttention: false))
    #expect(CloudError(code: 131050, httpStatus: 400).policy() == .suppress)
  }

  @Test(arguments: [132000, 132005, 132012, 132018])
  func `parameters that do not fit need attention`(_ code: Int) {
    #expect(CloudError(code: code, httpStatus: 400).policy() == .permanent(needsAttention: true))
  }

  @Test func `a spam limit suspends the number for a day, and a limited template too`() {
    #expect(CloudError(code: 131048, httpStatus: 400).policy() == .suspend(.number, probeAfter: .seconds(86_400)))
    #expect(CloudError(code: 131064, httpStatus: 400).policy() == .suspend(.template, probeAfter: .seconds(86_400)))
  }

  @Test func `a register limit is waited out`() {
    #expect(CloudError(code: 133016, httpStatus: 400).policy().text.hasPrefix("RA "))
  }

  @Test(arguments: [-1, 5, 199, 300, 999, 131001, 131099, 132099, 2_494_073, Int(Int32.max)])
  func `an unknown code is tried again only where it is transient, or the server's fault`(_ code: Int) {
    for http in [400, 401, 403, 404, 408, 429, 499] {
      let text = CloudError(code: code, httpStatus: http).policy().text
      #expect(text == "P", "HTTP \(http)")
      #expect(CloudError(code: code, httpStatus: http, isTransient: true).policy() == .retry(atMost: nil))
    }
    for http in [500, 502, 503, 504, 599] {
      #expect(CloudError(code: code, httpStatus: http).policy() == .retry(atMost: nil))
    }
  }

  @Test(arguments: [408, 425, 429])
  func `a gateway that asks to wait delays all messages of the account by a minute`(_ http: Int) {
    #expect(CloudError(code: 0, httpStatus: http).policy() == .retryAfter(.seconds(60), .account))
  }

  @Test(arguments: [301, 302, 400, 401, 403, 404, 407, 410, 413, 424, 426, 451, 499])
  func `any other answer without a code suspends the account, and no message is lost`(_ http: Int) {
    let wanted = ErrorPolicy.suspend(.account, probeAfter: .seconds(60))
    for repeats in [0, 1, 100] {
      for isTransient in [false, true] {
        let error = CloudError(code: 0, httpStatus: http, isTransient: isTransient)
        #expect(error.policy(repeats: repeats) == wanted, "repeated \(repeats) times")
      }
    }
  }

  @Test(arguments: [500, 502, 503, 504, 599])
  func `a server's fault without a code is tried again`(_ http: Int) {
    #expect(CloudError(code: 0, httpStatus: http).policy() == .retry(atMost: nil))
  }

  @Test func `a probe waits at least a minute`() {
    for example in ErrorCodeExample.table {
      guard case .suspend(_, let delay) = CloudError(code: example.code, httpStatus: example.http).policy() else {
        continue
      }
      #expect(delay >= .seconds(60), "\(example.code)")
    }
  }
}
