internal import NIOCore
internal import NIOHTTP1

/// Drives the state machine of one client's connection; used on its event loop only.
///
/// It stands at two places of the pipeline: before the HTTP decoder (``ByteHandler``), where it sees bytes, and behind
/// it (``RequestHandler``), where it sees requests. Requests are handed on one at a time and complete, so that neither
/// a route nor a task ever waits for a client.
final class ClientConnection {
  let channel: any Channel
  let connections: ClientConnections
  var state: ConnectionState
  var id: ObjectIdentifier { ObjectIdentifier(channel) }

  var byteContext: ChannelHandlerContext?
  var requestContext: ChannelHandlerContext?

  /// Bytes that are not decoded yet.
  private var held = ByteBuffer()
  private var isPumping = false
  private var isReadWanted = false
  /// The client has closed its side; what is held comes first.
  private var hasInputEnd = false
  private var isInputEndTold = false

  /// What was decoded behind the request under way: what is left of one small piece of input.
  private var decoded = CircularBuffer<Result<HTTPServerRequestPart, HTTPParserError>>(initialCapacity: 0)
  private var head: HTTPRequestHead?
  private var limit = BodyLimit.none
  private var body = ByteBuffer()
  /// A webhook with a valid signature came over this connection.
  private var isTrusted = false
  private var closeReason: CloseReason?

  var now: NIODeadline { channel.eventLoop.now }

  init(channel: any Channel, connections: ClientConnections) {
    self.channel = channel
    self.connections = connections
    state = ConnectionState(limits: connections.limits, now: channel.eventLoop.now)
  }

  // MARK: Bytes

  /// The pipeline asks for more input.
  func readWanted() {
    isReadWanted = true
    readIfPossible()
  }

  private func readIfPossible() {
    guard isReadWanted, state.readsInput, held.readableBytes == 0 else { return }
    isReadWanted = false
    byteContext?.read()
  }

  func arrived(_ bytes: inout ByteBuffer) {
    if held.readableBytes == 0 { held = bytes } else { held.writeBuffer(&bytes) }
    // When a client closes its side, all that it has sent arrives at once, wanted or not.
    if held.readableBytes > state.limits.pipelinedBytes, state.decodableBytes == nil {
      state.inputEnded()
      held = ByteBuffer()
    }
    pump()
  }

  func inputEnded() {
    hasInputEnd = true
    pump()
  }

  /// Gives the decoder what it may have.
  private func pump() {
    guard !isPumping else { return }
    isPumping = true
    while held.readableBytes > 0 {
      if state.phase == .closing {
        _ = state.received(held.readableBytes, now)
        held = ByteBuffer()
      }
      guard let count = state.decodableBytes, held.readableBytes > 0,
        let piece = held.readSlice(length: min(count, held.readableBytes))
      else { break }
      let isBlank = state.phase == .idle && piece.readableBytesView.allSatisfy { $0 == 0x0A || $0 == 0x0D }
      if state.received(piece.readableBytes, isBlank: isBlank, now) != nil {
        refuse(.headTooLarge)
      } else {
        byteContext?.fireChannelRead(NIOAny(piece))
      }
    }
    // Frees the memory that a small rest of a large read would keep.
    if held.readableBytes == 0 { held = ByteBuffer() }
    isPumping = false
    if hasInputEnd, held.readableBytes == 0, state.phase != .answering, state.phase != .flushing { endInput() }
    readIfPossible()
  }

  private func endInput() {
    switch state.phase {
    case .idle, .closing: close(.client)
    case .head, .body:
      guard !isInputEndTold else { return }
      isInputEndTold = true
      // The decoder finds the request incomplete.
      byteContext?.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    case .answering, .flushing, .closed: break
    }
  }

  // MARK: Requests

  func decoded(_ part: Result<HTTPServerRequestPart, HTTPParserError>) {
    switch state.phase {
    case .answering where !state.closesAfterAnswer, .flushing where !state.closesAfterAnswer: decoded.append(part)
    case .idle, .head, .body: handle(part)
    case .answering, .flushing, .closing, .closed: break
    }
  }

  private func handle(_ part: Result<HTTPServerRequestPart, HTTPParserError>) {
    switch part {
    case .success(.head(let head)): begin(head)
    case .success(.body(var bytes)): take(&bytes)
    case .success(.end): if state.phase == .body { complete() }
    case .failure(let error): refuse(.decoding(error))
    }
  }

  private func begin(_ head: HTTPRequestHead) {
    let check: RequestHeadCheck
    do throws(RequestHeadCheck.Refused) { check = try RequestHeadCheck(head) } catch { return refuse(error.refusal) }
    connections.dependsOnClient(self)
    self.head = head
    limit = check.limit
    state.headEnded(announced: check.announced, closes: check.closes, now)
    if limit.bytesMax == 0, check.announced != 0 {
      // The route answers (there is none, or it takes no body); the body is not read.
      complete(isCutOff: true)
    } else if check.waitsForContinue {
      byteContext?.writeAndFlush(
        NIOAny(IOData.byteBuffer(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n"))), promise: nil)
    }
  }

  private func take(_ bytes: inout ByteBuffer) {
    let count = bytes.readableBytes
    guard state.bodyReceived(count) == nil else { return refuse(.chunksTooSmall) }
    guard state.bodyBytes <= limit.bytesMax else { return refuse(.bodyTooLarge(limit.bytesMax)) }
    guard connections.charge(self, count, limit.kind, isTrusted: isTrusted) else { return refuse(.bodiesFull) }
    body.writeBuffer(&bytes)
  }

  /// Hands the request on.
  private func complete(isCutOff: Bool = false) {
    guard let head, let context = requestContext else { return }
    connections.bodyArrived(self)
    state.requestEnded(isRefused: isCutOff, now)
    self.head = nil
    var whole = ByteBuffer()
    swap(&whole, &body)
    context.fireChannelRead(NIOAny(HTTPServerRequestPart.head(head)))
    if whole.readableBytes > 0 { context.fireChannelRead(NIOAny(HTTPServerRequestPart.body(whole))) }
    context.fireChannelRead(NIOAny(HTTPServerRequestPart.end(nil)))
    context.fireChannelReadComplete()
  }

  /// Answers without the routes; the connection ends with it.
  func refuse(_ refusal: Refusal) {
    guard [.idle, .head, .body].contains(state.phase), let context = requestContext, channel.isActive else { return }
    ConnectionMetrics.refused(refusal.reason)
    connections.dependsOnClient(self)
    connections.releaseBody(self)
    connections.log.note(refusal.reason)
    closeReason = .refused
    state.requestEnded(isRefused: true, now)
    (head, body) = (nil, ByteBuffer())
    let (head, text) = refusal.response
    context.write(NIOAny(HTTPServerResponsePart.head(head)), promise: nil)
    context.write(NIOAny(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
    context.writeAndFlush(NIOAny(HTTPServerResponsePart.end(nil)), promise: nil)
    answerEnded()
  }

  // MARK: Answers

  /// The head of the routes' answer, with what it has to say of the connection.
  func answered(_ head: HTTPResponseHead) -> HTTPResponseHead {
    if limit.kind == .webhook, head.status == .ok { isTrusted = true }
    guard state.closesAfterAnswer, head.status.code >= 200 else { return head }
    var head = head
    head.headers.replaceOrAdd(name: "Connection", value: "close")
    return head
  }

  func answerEnded() {
    state.answerEnded(now)
    if state.phase == .flushing, !state.isAnswered { connections.dependsOnClient(self) }
    continueIfAnswered()
  }

  func wrote(_ count: Int) { state.wrote(count, now) }

  func taken(_ count: Int) {
    state.taken(count, now)
    continueIfAnswered()
  }

  private func continueIfAnswered() {
    guard state.isAnswered else { return }
    connections.becameIdle(self)
    state.next(now)
    if state.phase == .closing { return endOutput() }
    while state.phase != .answering, state.phase != .flushing, let part = decoded.popFirst() { handle(part) }
    pump()
  }

  /// Closes our side, and reads a little of what the client may still be sending.
  private func endOutput() {
    decoded.removeAll()
    if closeReason == nil { closeReason = .answered }
    guard !hasInputEnd, let byteContext else { return close(closeReason ?? .answered) }
    let promise = channel.eventLoop.makePromise(of: Void.self)
    promise.futureResult.assumeIsolatedUnsafeUnchecked().whenFailure { _ in self.close(.answered) }
    byteContext.close(mode: .output, promise: promise)
    pump()
  }

  /// The routes' side has closed its output.
  func outputEnded() {
    switch state.phase {
    case .flushing: state.inputEnded()
    case .idle, .head, .body, .answering: close(.answered)
    case .closing, .closed: break
    }
  }

  // MARK: The end

  func drain() {
    state.drain(now)
    if state.phase == .idle { close(.drained) } else if closeReason == nil { closeReason = .drained }
  }

  /// Looks at the clock.
  func tick() {
    switch state.expired(now) {
    case nil: break
    case .idle: close(.idle)
    case .head: refuse(.headSlow)
    case .body: refuse(.bodySlow)
    case .answer:
      connections.log.note(CloseReason.unanswered)
      close(.unanswered)
    case .unread:
      connections.log.note(CloseReason.unread)
      close(.unread)
    case .linger: close(closeReason ?? .answered)
    case .drain: close(.drained)
    }
  }

  func close(_ reason: CloseReason) {
    if closeReason == nil { closeReason = reason }
    channel.close(promise: nil)
  }

  func closed() {
    guard state.phase != .closed else { return }
    state.closed(now)
    held = ByteBuffer()
    body = ByteBuffer()
    decoded.removeAll()
    ConnectionMetrics.closed(closeReason ?? .client)
    connections.removed(self)
  }
}
