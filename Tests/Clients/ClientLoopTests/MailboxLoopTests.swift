import ClientLoop
import Glibc
import TestServers
import Testing

/// Numbers for a loop's thread.
private struct Numbers: LoopMailbox {
  var numbers: [Int] = []
  var isEmpty: Bool { numbers.isEmpty }
}

/// A loop without a thread: each test plays the thread itself, where nothing else is said.
@Suite(.timeLimit(.minutes(1)))
struct MailboxLoopTests {
  private let loop: MailboxLoop<Numbers>

  init() throws { loop = try MailboxLoop(name: "test") }

  private func post(_ number: Int) -> Bool { loop.post { $0.numbers.append(number) } }

  @Test func `mail is taken in one go, in its order`() {
    for number in 0..<5 { #expect(post(number)) }
    #expect(loop.take().mail.numbers == [0, 1, 2, 3, 4])
    #expect(loop.take().mail.isEmpty)
  }

  @Test func `mail that was posted before the thread started is there when it starts`() async throws {
    #expect(post(7))
    let taken = Promise<[Int]>()
    loop.start { [loop] in
      taken.resolve(.success(loop.take().mail.numbers))
      _ = loop.close()
    }
    #expect(try await taken.wait() == [7])
  }

  @Test func `a closed mailbox refuses mail, and returns what was not taken`() {
    #expect(post(1))
    #expect(loop.close().numbers == [1])
    #expect(!loop.isOpen)
    #expect(!post(2))
    #expect(loop.take().mail.isEmpty)
    loop.open()
    #expect(post(3))
    #expect(loop.take().mail.numbers == [3])
  }

  @Test func `a loop that starts closed refuses mail until it is opened`() throws {
    let loop = try MailboxLoop<Numbers>(name: "test", isOpen: false)
    #expect(!loop.post { $0.numbers.append(1) })
    loop.open()
    #expect(loop.post { $0.numbers.append(1) })
  }

  @Test func `only mail for an empty mailbox wakes the thread`() throws {
    let sockets = try SocketPair()
    #expect(post(1))
    #expect(loop.poll(sockets.own, timeout: .seconds(20)) == .woken)
    #expect(post(2))
    #expect(loop.poll(sockets.own, timeout: .zero) == .timeout)
    #expect(loop.take().mail.numbers == [1, 2])
    #expect(post(3))
    #expect(loop.poll(sockets.own, timeout: .seconds(20)) == .woken)
  }

  @Test func `a poll ends when the socket has bytes, and when the peer is gone`() throws {
    var sockets = try SocketPair()
    #expect(loop.poll(sockets.own, timeout: .milliseconds(1)) == .timeout)
    #expect(loop.poll(sockets.own, for: POLLOUT, timeout: nil) == .socket(events: POLLOUT))
    #expect(!loop.poll(sockets.own, for: POLLOUT, timeout: nil).isReadable)
    sockets.write()
    #expect(loop.poll(sockets.own, timeout: nil) == .socket(events: POLLIN))
    sockets.closePeer()
    #expect(loop.poll(sockets.own, timeout: nil).isReadable)
  }

  @Test func `a ready socket does not hide a wake, and the wake is drained`() throws {
    let sockets = try SocketPair()
    sockets.write()
    #expect(post(1))
    #expect(loop.poll(sockets.own, timeout: nil).isReadable)
    #expect(loop.poll(-1, timeout: .zero) == .timeout)
    #expect(loop.take().mail.numbers == [1])
  }

  @Test func `a stop ends a poll and a sleep`() async throws {
    loop.stop()
    #expect(loop.isStopRequested)
    #expect(loop.poll(-1, timeout: .seconds(20)) == .woken)
    let took = await duration { loop.sleep(for: .seconds(20)) }
    #expect(took < .seconds(5))
  }

  @Test func `mail ends a sleep, a wake of mail that is taken already does not`() async {
    #expect(post(1))
    let short = await duration { loop.sleep(for: .seconds(20)) }
    #expect(short < .seconds(5))
    #expect(post(2))
    _ = loop.take()
    let whole = await duration { loop.sleep(for: .milliseconds(30)) }
    #expect(whole >= .milliseconds(30))
  }

  @Test func `the mail that says stop holds all that was posted before`() {
    #expect(post(1))
    loop.stop()
    let (mail, isStopRequested) = loop.take()
    #expect(mail.numbers == [1])
    #expect(isStopRequested)
    #expect(post(2), "the mailbox is open until the thread closes it")
    #expect(loop.close().numbers == [2])
  }

  @Test func `the wakeup's descriptor is readable until it is drained`() {
    #expect(post(1))
    var descriptor = pollfd(fd: loop.wakeupDescriptor, events: Int16(POLLIN), revents: 0)
    #expect(poll(&descriptor, 1, 0) == 1)
    loop.drainWakeup()
    #expect(poll(&descriptor, 1, 0) == 0)
  }

  @Test func `of mail that races with the end, every piece is taken, returned or refused`() async throws {
    for _ in 0..<100 {
      let loop = try MailboxLoop<Numbers>(name: "race")
      let seen = Locked<[Int]>([])
      let ended = Promise<Void>()
      loop.start {
        while true {
          let (mail, isStopRequested) = loop.take()
          seen.change { $0 += mail.numbers }
          if isStopRequested { break }
          loop.poll(-1, timeout: nil)
        }
        let left = loop.close().numbers
        seen.change { $0 += left }
        ended.resolve()
      }
      let refused = Locked<[Int]>([])
      await withDiscardingTaskGroup { group in
        for number in 0..<20 {
          group.addTask {
            if !loop.post({ $0.numbers.append(number) }) { refused.change { $0.append(number) } }
            if number == 10 { loop.stop() }
          }
        }
      }
      try await ended.wait()
      #expect((seen.value + refused.value).sorted() == Array(0..<20))
    }
  }
}

/// Two connected sockets.
private struct SocketPair: ~Copyable {
  let own: Int32
  private var peer: Int32

  init() throws {
    var descriptors: [Int32] = [-1, -1]
    try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &descriptors) == 0)
    (own, peer) = (descriptors[0], descriptors[1])
  }

  deinit {
    close(own)
    if peer >= 0 { close(peer) }
  }

  func write() {
    var byte: UInt8 = 1
    _ = Glibc.write(peer, &byte, 1)
  }

  mutating func closePeer() {
    close(peer)
    peer = -1
  }
}
