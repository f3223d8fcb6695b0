/// One connection of a load: sends what its lane says, checks what comes back.
///
/// The life of a round, in `receive`: look at each reply that is whole → count it → send what is next. A closed loop sends a whole pipeline
/// with one write once the last one is answered, at once (`.full`), and reads the clock then: what the generator did for other connections
/// meanwhile is not the server's latency. An open loop's requests count from when they were due, so they may go out with the turn's other
/// output.

import MartletBytes

struct LoadSession: ByteSession, ~Copyable {
  private let lane: LoadLane
  private let id: ConnectionID
  /// Requests under way.
  private var flights: FlightQueue
  /// The greeting's reply has come, if there is one.
  private var isUp = false
  /// In the lane's list of those with room.
  private var isIdle = false
  /// How the requests under way are to be counted if this ends now.
  private var failure = LoadFailure.lost
  /// When the last reply came, or the first of these requests was sent.
  private var progressed: UInt64 = 0
  private var deadline = MonotonicTime.never

  init(_ lane: LoadLane, _ id: ConnectionID) {
    self.lane = lane
    self.id = id
    flights = FlightQueue(capacity: max(lane.state.value.pipeline, lane.state.value.preloadDepth))
  }

  deinit {
    let now = MonotonicTime.now.nanoseconds
    let isOver = lane.state.value.phase == .ending
    if isIdle { lane.state.value.idle.remove(id) }
    if failure == .noReply || isOver {
      for index in 0..<flights.count { lane.state.value.recordUnanswered(flights[index], at: now) }
    }
    lane.state.value.tally.fail(isOver && failure == .lost ? .noReply : failure, times: flights.count)
    lane.sessionEnded(wasUp: isUp, hadTrouble: flights.count > 0 || failure != .lost || progressed == 0)
  }

  // MARK: Replies

  mutating func receive(_ input: RawSpan, into output: inout ByteBuffer, at now: MonotonicTime) -> Progress {
    // The lane is reached once for a whole read: each time costs a retain and a release.
    isUp ? answered(input, &output, &lane.state.value) : greeted(input, &output, &lane.state.value)
  }

  private mutating func answered(_ input: RawSpan, _ output: inout ByteBuffer, _ state: inout LaneState) -> Progress {
    var offset = 0
    var wanted = 1
    if input.byteCount > 0 {
      let arrived = MonotonicTime.now.nanoseconds
      while flights.count > 0 {
        let flight = flights[0]
        let verdict = state.dialect.check(input[offset..<input.byteCount], flight)
        if verdict.outcome == .incomplete {
          wanted = verdict.bytes
          break
        }
        if verdict.outcome != .right { note(verdict, input[offset..<input.byteCount], &state) }
        if verdict.outcome == .malformed { return malformed(input.byteCount) }
        flights.removeFirst()
        offset &+= verdict.bytes
        progressed = arrived
        state.record(flight, verdict, at: arrived)
        if verdict.closes { return Progress(consumed: offset, next: .close(.finished), deadline: .never) }
      }
      if flights.count == 0 && offset < input.byteCount {
        state.tally.fail(.malformedReply, example: "more than was asked for: " + excerpt(input[offset..<input.byteCount]))
        return malformed(input.byteCount)
      }
    }
    return send(into: &output, &state, consumed: offset, wanted: wanted, takeMax: .max)
  }

  private mutating func greeted(_ input: RawSpan, _ output: inout ByteBuffer, _ state: inout LaneState) -> Progress {
    let expected = lane.greetingReply
    guard input.byteCount >= expected.count else { return Progress(consumed: 0, next: .read(atLeast: expected.count), deadline: deadline) }
    guard input.equals(expected.rawSpan) else {
      state.tally.fail(.wrongReply, example: excerpt(input))
      return malformed(input.byteCount)
    }
    return begin(&output, &state, consumed: expected.count)
  }

  /// Counts what was wrong, with its beginning as an example.
  private func note(_ verdict: Verdict, _ reply: RawSpan, _ state: inout LaneState) {
    switch verdict.outcome {
    case .wrongValue: state.tally.fail(.wrongValue, example: excerpt(reply))
    case .wrongReply: state.tally.fail(.wrongReply, example: excerpt(reply))
    case .malformed: state.tally.fail(.malformedReply, example: excerpt(reply))
    case .right, .incomplete: break
    }
  }

  /// Nothing that follows can be understood: the connection is given up, and dialled anew.
  private mutating func malformed(_ consumed: Int) -> Progress {
    failure = .malformedReply
    if flights.count > 0 { flights.removeFirst() }  // counted already
    return Progress(consumed: consumed, next: .close(.aborted), deadline: .never)
  }

  // MARK: Requests

  private mutating func begin(_ output: inout ByteBuffer, _ state: inout LaneState, consumed: Int) -> Progress {
    isUp = true
    lane.sessionIsUp(&state)
    return send(into: &output, &state, consumed: consumed, wanted: 1, takeMax: .max)
  }

  /// Sends what is next, at most `takeMax` of what is due in an open loop, and waits for `wanted` bytes.
  private mutating func send(
    into output: inout ByteBuffer, _ state: inout LaneState, consumed: Int, wanted: Int, takeMax: Int
  ) -> Progress {
    let before = flights.count
    switch state.phase {
    case .closedLoop: if before == 0 { sendPipeline(&output, &state) }
    case .openLoop: sendDue(&output, &state, takeMax)
    case .preloading:
      while flights.count < state.preloadDepth, let flight = state.nextPreload() { append(flight, &output, &state) }
    case .waiting, .ending: break
    }
    if flights.count == 0 && state.hasEnded { return Progress(consumed: consumed, next: .close(.finished), deadline: .never) }
    if flights.count > before && before == 0 { watch(&state) }
    if !isIdle && hasRoom(in: state.phase, pipeline: state.pipeline) { becomeIdle(&state) }
    let isUrgent = flights.count > before && state.phase != .openLoop
    return Progress(consumed: consumed, next: isUrgent ? .full : .read(atLeast: wanted), deadline: deadline)
  }

  private mutating func sendPipeline(_ output: inout ByteBuffer, _ state: inout LaneState) {
    let count = min(state.pipeline, state.closedLoopLeft)
    state.closedLoopLeft &-= count
    let now = MonotonicTime.now.nanoseconds
    for _ in 0..<count { append(state.draw(at: now), &output, &state) }
  }

  private mutating func sendDue(_ output: inout ByteBuffer, _ state: inout LaneState, _ takeMax: Int) {
    let now = MonotonicTime.now.nanoseconds
    var left = takeMax
    while left > 0, flights.count < state.pipeline, let time = state.schedule.take(at: now) {
      append(state.draw(at: time), &output, &state)
      left &-= 1
    }
    lane.setAlarm(for: state.schedule.nextTime, after: now)
  }

  private mutating func append(_ flight: Flight, _ output: inout ByteBuffer, _ state: inout LaneState) {
    state.dialect.append(flight, to: &output)
    flights.append(flight)
  }

  /// Whether it could send more than there is to send.
  private func hasRoom(in phase: LoadPhase, pipeline: Int) -> Bool {
    switch phase {
    case .waiting, .preloading, .closedLoop: flights.count == 0
    case .openLoop: flights.count < pipeline
    case .ending: false
    }
  }

  private mutating func becomeIdle(_ state: inout LaneState) {
    isIdle = true
    state.idle.append(id)
    if state.phase == .preloading { lane.preloadMayBeDone(state) }
  }

  /// Requests are under way: looks at the time until they are answered. The deadline stays where it is while replies come.
  private mutating func watch(_ state: inout LaneState) {
    progressed = state.phase == .closedLoop ? flights[0].time : MonotonicTime.now.nanoseconds
    guard deadline == .never else { return }
    deadline = MonotonicTime(nanoseconds: progressed).advanced(byNanoseconds: state.timeoutNanoseconds)
  }

  // MARK: What else happens

  mutating func wake(_ cause: Wake, into output: inout ByteBuffer, at now: MonotonicTime) -> Progress {
    woken(cause, &output, &lane.state.value, now)
  }

  private mutating func woken(_ cause: Wake, _ output: inout ByteBuffer, _ state: inout LaneState, _ now: MonotonicTime) -> Progress {
    switch cause {
    case .connected:
      guard !lane.greeting.isEmpty else { return begin(&output, &state, consumed: 0) }
      output.append(lane.greeting)
      deadline = now.advanced(byNanoseconds: state.timeoutNanoseconds)
      return Progress(consumed: 0, next: .read(atLeast: lane.greetingReply.count), deadline: deadline)
    case .message:
      isIdle = false  // it was taken out of the list to be woken
      return send(into: &output, &state, consumed: 0, wanted: 1, takeMax: state.share)
    case .deadline: return deadlineCame(&state, now)
    case .endOfInput: return Progress(consumed: 0, next: .close(.peerClosed), deadline: .never)
    case .drain:
      if flights.count == 0 { return Progress(consumed: 0, next: .close(.finished), deadline: .never) }
      return Progress(consumed: 0, next: .read(atLeast: 1), deadline: deadline)
    }
  }

  private mutating func deadlineCame(_ state: inout LaneState, _ now: MonotonicTime) -> Progress {
    deadline = .never
    if isUp && flights.count == 0 { return Progress(consumed: 0, next: .read(atLeast: 1), deadline: deadline) }
    let due = MonotonicTime(nanoseconds: progressed).advanced(byNanoseconds: state.timeoutNanoseconds)
    guard isUp, due > now else {
      failure = .noReply
      if !isUp { state.tally.fail(.noReply) }
      return Progress(consumed: 0, next: .close(.aborted), deadline: .never)
    }
    deadline = due
    return Progress(consumed: 0, next: .read(atLeast: 1), deadline: deadline)
  }

  private func excerpt(_ bytes: RawSpan) -> String {
    let line = bytes[0..<min(bytes.byteCount, 80)].text
    return String(
      line.prefix { $0 != "\r\n" && $0 != "\n" && $0 != "\r" }.filter {
        $0 == " " || $0.isLetter || $0.isNumber || $0.isPunctuation || $0.isSymbol
      })
  }
}

/// Requests under way on one connection, in their order: a ring of fixed size.
struct FlightQueue: ~Copyable {
  private var flights: FixedArray<Flight>
  private var head = 0
  private(set) var count = 0

  init(capacity: Int) {
    flights = FixedArray(repeating: Flight(time: 0, key: 0, operation: .get), count: capacity)
  }

  mutating func append(_ flight: Flight) {
    precondition(count < flights.count, "more requests under way than a connection has room for")
    flights[place(count)] = flight
    count &+= 1
  }

  mutating func removeFirst() {
    precondition(count > 0, "no request is under way")
    head = place(1)
    count &-= 1
  }

  /// The request at `index` of those under way, the oldest first.
  subscript(index: Int) -> Flight { flights[place(index)] }

  private func place(_ index: Int) -> Int {
    let sum = head &+ index
    return sum < flights.count ? sum : sum &- flights.count
  }
}
