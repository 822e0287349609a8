import NIOCore
import Testing

@testable import HTTP

struct ConnectionStateTests {
  private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
  private func at(_ seconds: Int64) -> NIODeadline { Self.start + .seconds(seconds) }
  private func state() -> ConnectionState { ConnectionState(limits: ConnectionLimits(), now: Self.start) }

  /// A connection whose head has arrived.
  private func receiving(announced: Int?, closes: Bool = false) -> ConnectionState {
    var state = state()
    _ = state.received(200, Self.start)
    state.headEnded(announced: announced, closes: closes, Self.start)
    return state
  }

  @Test func `a request goes through every phase and leaves the connection idle`() {
    var state = state()
    #expect(state.phase == .idle && state.readsInput)
    #expect(state.received(100, at(0)) == nil)
    #expect(state.phase == .head && state.readsInput)
    state.headEnded(announced: 5, closes: false, at(0))
    #expect(state.phase == .body && state.decodableBytes == 5)
    #expect(state.bodyReceived(5) == nil)
    state.requestEnded(at(1))
    #expect(state.phase == .answering && !state.readsInput && state.decodableBytes == nil)
    state.wrote(300, at(2))
    state.answerEnded(at(2))
    #expect(state.phase == .flushing && !state.isAnswered)
    state.taken(300, at(3))
    #expect(state.isAnswered)
    state.next(at(3))
    #expect(state.phase == .idle && state.readsInput)
  }

  @Test func `an idle connection ends after 75 seconds, one with half a head after 5`() {
    var idle = state()
    #expect(idle.expired(at(74)) == nil)
    #expect(idle.expired(at(75)) == .idle)
    var half = state()
    _ = half.received(1, at(70))
    #expect(half.expired(at(74)) == nil)
    _ = half.received(1, at(74))
    #expect(half.expired(at(75)) == .head)
  }

  @Test func `empty lines between requests leave a connection idle, and do not keep it`() {
    var state = state()
    for second in 1..<75 {
      _ = state.received(2, isBlank: true, at(Int64(second)))
      #expect(state.phase == .idle)
    }
    #expect(state.expired(at(75)) == .idle)
  }

  @Test func `a head has a bound in bytes`() {
    var state = state()
    for _ in 0..<17 { #expect(state.received(1 << 10, at(0)) == nil) }
    #expect(state.received(1 << 10, at(0)) == .head)
  }

  @Test func `a silent body ends after 5 seconds, a steady one after 30`() {
    var silent = receiving(announced: 3 << 20)
    #expect(silent.expired(at(4)) == nil)
    #expect(silent.expired(at(5)) == .body)
    var steady = receiving(announced: 3 << 20)
    for second in 1..<30 {
      _ = steady.bodyReceived(4 << 10)
      #expect(steady.expired(at(Int64(second))) == nil)
    }
    #expect(steady.expired(at(30)) == .body)
  }

  @Test func `a body that comes quickly and then stops ends within two spans`() {
    var state = receiving(announced: 3 << 20)
    _ = state.bodyReceived(2 << 20)
    #expect(state.expired(at(5)) == nil)
    _ = state.bodyReceived(100)
    #expect(state.expired(at(9)) == nil)
    #expect(state.expired(at(10)) == .body)
  }

  @Test func `chunks of one byte are refused early, chunks of 20 bytes are not`() {
    var tiny = receiving(announced: nil)
    var count = 0
    while count < 1 << 20 {
      _ = tiny.received(6, at(0))
      count += 1
      if tiny.bodyReceived(1) != nil { break }
    }
    #expect(count < 5_000)
    var small = receiving(announced: nil)
    for _ in 0..<10_000 {
      _ = small.received(26, at(0))
      #expect(small.bodyReceived(20) == nil)
    }
  }

  @Test func `a client that takes nothing of its answer is cut off, a slow one is not until a minute has passed`() {
    var stuck = receiving(announced: 0)
    stuck.requestEnded(at(0))
    stuck.wrote(1_000, at(1))
    stuck.answerEnded(at(1))
    #expect(stuck.expired(at(10)) == nil)
    #expect(stuck.expired(at(11)) == .unread)
    var slow = receiving(announced: 0)
    slow.requestEnded(at(0))
    slow.wrote(1_000, at(1))
    slow.answerEnded(at(1))
    for second in 2..<61 {
      slow.taken(1, at(Int64(second)))
      #expect(slow.expired(at(Int64(second))) == nil)
    }
    #expect(slow.expired(at(61)) == .unread)
  }

  @Test func `an answer that never comes ends the connection`() {
    var state = receiving(announced: 0)
    state.requestEnded(at(0))
    #expect(state.expired(at(59)) == nil)
    #expect(state.expired(at(60)) == .answer)
  }

  @Test func `a refused request closes our side, and little of what follows is read`() {
    var state = receiving(announced: 3 << 20)
    state.requestEnded(isRefused: true, at(0))
    #expect(state.closesAfterAnswer)
    state.answerEnded(at(0))
    state.next(at(0))
    #expect(state.phase == .closing && state.readsInput)
    _ = state.received(256 << 10, at(0))
    #expect(!state.readsInput)
    #expect(state.expired(at(1)) == nil)
    #expect(state.expired(at(2)) == .linger)
  }

  @Test func `once the process stops, the request under way is the last, and has 10 seconds`() {
    var state = receiving(announced: 10)
    state.drain(at(1))
    #expect(state.closesAfterAnswer)
    state.requestEnded(at(2))
    state.drain(at(9))
    #expect(state.expired(at(10)) == nil)
    #expect(state.expired(at(11)) == .drain)
  }

  @Test func `a process with a short grace drains its connections in it`() {
    var state = ConnectionState(limits: ConnectionLimits(grace: .seconds(3)), now: Self.start)
    state.drain(at(0))
    #expect(state.expired(at(3)) == .drain)
  }
}
