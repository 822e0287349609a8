internal import Glibc
internal import Synchronization

/// What callers leave for a loop's thread, which takes all of it at once.
package protocol LoopMailbox: Sendable {
  /// An empty mailbox.
  init()
  var isEmpty: Bool { get }
}

/// The thread that owns one C connection, with a mailbox: the base of the loops of RabbitMQ, Redis and Curl.
///
/// The glossary's *client loop*; the type has another name than its module, so that `ClientLoop.Promise` can be
/// written. Callers change the mailbox under its lock; the thread is woken only when the mailbox was empty. The
/// thread's body takes the mail, does the I/O, waits with ``poll(_:for:timeout:)``, and starts over.
package final class MailboxLoop<Mailbox: LoopMailbox>: Sendable {
  private struct State {
    var mailbox = Mailbox()
    var isOpen: Bool
    var isStopRequested = false
  }

  private let name: String
  private let wakeup: Wakeup
  private let state: Mutex<State>

  /// Prepares a loop whose mailbox is open, or is opened later by ``open()``.
  package init(name: String, isOpen: Bool = true) throws(ClientLoopError) {
    self.name = name
    wakeup = try Wakeup()
    state = Mutex(State(isOpen: isOpen))
  }

  /// Starts the thread. The body calls ``close()`` before it returns, and answers what that returns.
  package func start(_ body: @escaping @Sendable () -> Void) {
    NamedThread.start(named: name) {
      body()
      precondition(!self.isOpen, "a loop's body closes the mailbox before it returns")
    }
  }

  // MARK: Any thread

  /// True while ``post(_:)`` accepts mail.
  package var isOpen: Bool { state.withLock { $0.isOpen } }

  package var isStopRequested: Bool { state.withLock { $0.isStopRequested } }

  /// Changes the mailbox; false where it is closed: then `change` was not called.
  package func post(_ change: (inout Mailbox) -> Void) -> Bool {
    let (isPosted, wakes) = state.withLock { state in
      guard state.isOpen else { return (false, false) }
      let wasEmpty = state.mailbox.isEmpty
      change(&state.mailbox)
      return (true, wasEmpty)
    }
    if wakes { wakeup.wake() }
    return isPosted
  }

  /// Asks the thread to end. The mailbox stays open until the thread closes it.
  package func stop() {
    state.withLock { $0.isStopRequested = true }
    wakeup.wake()
  }

  // MARK: The loop's thread

  /// Empties the mailbox. Both values are read under one lock: where a stop is requested, the mail holds all that was
  /// posted before it.
  package func take() -> (mail: Mailbox, isStopRequested: Bool) {
    state.withLock { state in
      defer { state.mailbox = Mailbox() }
      return (state.mailbox, state.isStopRequested)
    }
  }

  package func open() { state.withLock { $0.isOpen = true } }

  /// Refuses mail from now on; returns what was not taken, for the caller to answer.
  package func close() -> Mailbox {
    state.withLock { state in
      state.isOpen = false
      defer { state.mailbox = Mailbox() }
      return state.mailbox
    }
  }

  /// Blocks the thread until the socket is ready, mail or a stop arrives, or the time has passed (nil: no limit).
  ///
  /// Mail that was posted after the last ``take()`` ends it at once.
  @discardableResult
  package func poll(_ socket: Int32, for events: Int32 = POLLIN, timeout: Duration?) -> PollResult {
    wakeup.poll(socket, for: events, timeout: timeout)
  }

  /// Blocks the thread for this long; mail or a stop request ends it early.
  package func sleep(for time: Duration) {
    let end = ContinuousClock.now + time
    while state.withLock({ $0.mailbox.isEmpty && !$0.isStopRequested }) {
      let left = end - .now
      guard left > .zero else { return }
      wakeup.wait(timeout: left)
    }
  }

  /// For a client that polls by itself (`curl_multi_poll`): the descriptor to poll for reading; then ``drainWakeup()``.
  package var wakeupDescriptor: Int32 { wakeup.fileDescriptor }

  /// Makes the descriptor unreadable again; called before ``take()``.
  package func drainWakeup() { wakeup.drain() }
}
