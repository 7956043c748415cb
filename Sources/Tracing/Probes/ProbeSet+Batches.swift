import LuaRuntime
import ProbeCompiler
import Support

/// Batches: what a chunk registers goes live together, or not at all.
extension ProbeSet {
  /// What there was before a chunk ran.
  struct Checkpoint {
    fileprivate var compiler: ProbeCompiler
    fileprivate var requestCount: Int
    fileprivate var handlerCounts: [Int]
  }

  /// Lets a chunk register probes; what it does can be taken back.
  func open() -> Checkpoint {
    isOpen = true
    return Checkpoint(compiler: compiler, requestCount: requestCount, handlerCounts: handlers.map(\.count))
  }

  /// Makes what has been registered live, and ends the batch. What could not be attached, where something else of the
  /// same probe could, is noted.
  ///
  /// - Parameter checkpoint: from before the batch; nil when there was nothing.
  /// - Throws: what is wrong with the batch; nothing of it is attached then, and `rollBack` forgets the rest.
  func commit(since checkpoint: Checkpoint? = nil, in session: TracingSession) throws(MoontraceError) {
    isOpen = false
    if !registrations.isEmpty {
      let batch = try LiveProbes(self, in: session)
      defer { settle() }
      try start(batch, in: session)
      batches.append(batch)
    }
    try addHandlers(since: checkpoint)
    try events?.addTypes(of: compiler.schema, handlers: handlers)
    registrations = []
    compiler = compiler.continued()
  }

  private func start(_ batch: LiveProbes, in session: TracingSession) throws(MoontraceError) {
    do throws(MoontraceError) {
      try storePending()
      try openEvents(in: session)
      try batch.attach(pid: configuration.pid) { session.diagnostics.note($0) }
    } catch {
      batch.close()
      if let events { while session.drain(events) {} }  // the numbers of what it sent will be others'
      throw error
    }
  }

  /// Forgets what has been registered since the checkpoint. Maps, aggregates, globals and streams that were made stay,
  /// for variables may hold them.
  func rollBack(to checkpoint: Checkpoint) {
    isOpen = false
    adoptAggregates()
    let made = compiler.schema
    // The numbers of its functions will be others', so nothing that was read of them may stay.
    compiler = checkpoint.compiler.withoutProbes()
    takeOver(made)
    for (map, type) in zip(maps, made.maps) where !type.isSettled { map.discard() }
    for (aggregate, type) in zip(aggregates, made.aggregates) where !type.isSettled { aggregate.discard() }
    registrations = []
    requestCount = checkpoint.requestCount
    for stream in handlers.indices {
      handlers[stream].removeSubrange(handlerCount(of: stream, at: checkpoint)...)
    }
    host.end()
  }

  /// Keeps what has been made since the compiler's checkpoint, without the types that are not settled.
  private func takeOver(_ made: ProbeSchema) {
    let known = compiler.schema
    compiler.schema.streamCount = made.streamCount
    compiler.schema.globals = made.globals
    compiler.schema.maps = made.maps.enumerated().map { number, map in
      map.isSettled ? map : map.known(as: number < known.maps.count ? known.maps[number] : maps[number].declaration)
    }
    compiler.schema.aggregates = made.aggregates.enumerated().map { number, aggregate in
      let key = number < known.aggregates.count ? known.aggregates[number].key : nil
      return aggregate.isSettled ? aggregate : aggregate.known(as: key)
    }
  }

  /// Takes the types of what is in the kernel now as final.
  private func settle() {
    for (number, map) in maps.enumerated() where map.map != nil { compiler.schema.maps[number].isSettled = true }
    for (number, aggregate) in aggregates.enumerated() where aggregate.map != nil {
      compiler.schema.aggregates[number].isSettled = true
    }
  }

  // MARK: Events

  /// New handlers of streams whose events come already.
  private func addHandlers(since checkpoint: Checkpoint?) throws(MoontraceError) {
    guard let events, let checkpoint else { return }
    for stream in handlers.indices {
      for handler in handlers[stream][handlerCount(of: stream, at: checkpoint)...] {
        try events.add(handler, toStream: stream)
      }
    }
  }

  private func handlerCount(of stream: Int, at checkpoint: Checkpoint) -> Int {
    stream < checkpoint.handlerCounts.count ? checkpoint.handlerCounts[stream] : 0
  }

  /// Listens to the ring of events, once there is one.
  private func openEvents(in session: TracingSession) throws(MoontraceError) {
    guard let ring = shared.ring, events == nil else { return }
    let events = try ProbeEvents(ring: ring, exitHandler: exitHandler, namer: namer.core, in: session)
    for descriptor in events.descriptors {
      try session.loop.addSource(descriptor: descriptor, rests: events.isRoomy) { [unowned session, unowned events] in
        session.drain(events)
      }
    }
    self.events = events
  }

  // MARK: Types

  /// Compiles all probes; what the user half has stored decides types that no probe shows.
  func compile() throws(MoontraceError) -> [CompiledProbe] {
    try settleMaps()
    let programs = try compiler.finish()
    adoptAggregates()
    host.end()
    return programs
  }

  /// Gives maps the types of what the user half has stored, where no probe shows them.
  func settleMaps() throws(MoontraceError) {
    for (number, map) in maps.enumerated() { try settle(map, number) }
  }

  private func settle(_ map: ScriptMap, _ number: Int) throws(MoontraceError) {
    let type = compiler.schema.maps[number]
    guard type.key == nil || type.value == nil else { return }
    let entries = try pendingEntries(of: map)
    guard !entries.isEmpty else { return }
    do throws(MoontraceError) {
      let key = try DataType.common(entries.map(\.key))
      let value = try DataType.common(entries.map(\.value))
      compiler.schema.maps[number].key = type.key ?? key
      compiler.schema.maps[number].value = type.value ?? value
    } catch {
      throw MoontraceError(
        .scriptFailed, "map '\(type.name)': what is stored in it: \(error.message)", remedy: error.remedy,
        location: map.location)
    }
  }

  private func pendingEntries(of map: ScriptMap) throws(MoontraceError) -> [(key: LuaValue, value: LuaValue)] {
    do throws(LuaFailure) {
      guard case .table(let list)? = try runtime.call(map.pending).first else { return [] }
      return list.list.compactMap { entry in
        guard case .table(let pair) = entry, pair.list.count == 2 else { return nil }
        return (pair.list[0], pair.list[1])
      }
    } catch {
      throw error.asError
    }
  }

  /// Moves what the user half has stored into the kernel's maps.
  func storePending() throws(MoontraceError) {
    for map in maps where map.binding != nil {
      do throws(LuaFailure) {
        try runtime.call(map.store)
      } catch {
        var problem = error.asError
        problem.location = problem.location ?? map.location
        throw problem
      }
    }
  }
}

extension ProbeSchema.MapType {
  /// The same map, of which only so much is known.
  fileprivate func known(as earlier: ProbeSchema.MapType) -> ProbeSchema.MapType {
    var map = self
    map.key = earlier.key
    map.value = earlier.value
    return map
  }
}

extension ProbeSchema.AggregateType {
  fileprivate func known(as key: DataType?) -> ProbeSchema.AggregateType {
    var aggregate = self
    aggregate.key = key
    return aggregate
  }
}
