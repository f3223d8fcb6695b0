/// Changing a document at a place: what patches are made of. Each verb says whether the place was there.

import MartletBytes

extension JanssonDocument {
  /// A look at the place; nil if there is none. Of equal names the last one in the text is the one in the tree.
  func cell(at pointer: JSONPointer) -> JanssonCell? { JanssonDocument.cell(at: pointer.tokens[...], below: node.cell) }

  private static func cell(at tokens: ArraySlice<[UInt8]>, below root: JanssonCell) -> JanssonCell? {
    var cell = root
    for token in tokens {
      guard let next = cell.child(token) else { return nil }
      cell = next
    }
    return cell
  }

  /// The object or array that the place is in, and its name there. `pointer` does not name the whole document.
  private func parent(of pointer: JSONPointer) -> (JanssonCell, token: [UInt8])? {
    guard let token = pointer.tokens.last, let parent = JanssonDocument.cell(at: pointer.tokens.dropLast(), below: node.cell) else {
      return nil
    }
    return (parent, token)
  }

  /// RFC 6902 section 4.1: sets a member, inserts an element before the index (`-`: after the last), or replaces the whole document.
  ///
  /// `work` is charged with the bytes that inserting moves.
  mutating func add(_ value: consuming JanssonNode, at pointer: JSONPointer, work: inout Int) -> Bool {
    if pointer.tokens.isEmpty {
      node = value
      return true
    }
    guard let (parent, token) = parent(of: pointer) else { return false }
    if parent.isObject {
      parent.setMember(token.rawSpan, value)
      return true
    }
    guard parent.isArray else { return false }
    if token == [UInt8(ascii: "-")] {
      parent.append(value)
      return true
    }
    guard let index = JSONPointer.index(token, count: parent.count + 1) else { return false }
    work -= (parent.count - index) * JanssonNode.Cost.slot
    parent.insert(value, at: index)
    return true
  }

  /// RFC 6902 section 4.2: takes the value out; nil if there is none, or if it is the whole document.
  ///
  /// `work` is charged with the bytes that closing the gap moves.
  mutating func remove(at pointer: JSONPointer, work: inout Int) -> JanssonNode? {
    guard let (parent, token) = parent(of: pointer) else { return nil }
    if parent.isObject { return parent.removeMember(token.rawSpan) }
    guard parent.isArray, let index = JSONPointer.index(token, count: parent.count) else { return nil }
    work -= (parent.count - index) * JanssonNode.Cost.slot
    return parent.removeElement(index)
  }

  /// RFC 6902 section 4.3: in place of a value that is there.
  mutating func replace(_ value: consuming JanssonNode, at pointer: JSONPointer) -> Bool {
    if pointer.tokens.isEmpty {
      node = value
      return true
    }
    guard let (parent, token) = parent(of: pointer), parent.child(token) != nil else { return false }
    if parent.isObject {
      parent.setMember(token.rawSpan, value)
    } else if let index = JSONPointer.index(token, count: parent.count) {
      parent.setElement(index, value)
    }
    return true
  }

  /// RFC 7396 section 2: members of `patch` replace, or remove where null; anything but an object replaces the whole document.
  mutating func merge(_ patch: borrowing JanssonDocument) {
    guard patch.node.cell.isObject else {
      node = JanssonNode(sharing: patch.node.cell)
      return
    }
    if !node.cell.isObject { node = JanssonNode.object() }
    JanssonDocument.merge(patch.node.cell, into: node.cell)
  }

  /// Both are objects. Recurses within the depth of the patch; what is taken from the patch is shared, as nobody changes it any more.
  private static func merge(_ patch: JanssonCell, into target: JanssonCell) {
    patch.forEachMember { key, value in
      if value.isNull {
        _ = target.removeMember(key)
      } else if !value.isObject {
        target.setMember(key, JanssonNode(sharing: value))
      } else if let existing = target.member(key), existing.isObject {
        merge(value, into: existing)
      } else {
        let created = JanssonNode.object()
        merge(value, into: created.cell)
        target.setMember(key, created)
      }
    }
  }
}

extension JanssonNode.Cost {
  /// An element's place in an array, in bytes.
  static var slot: Int { 8 }
}

extension JanssonCell {
  /// What a reference token names inside of this value; nil if nothing.
  fileprivate func child(_ token: [UInt8]) -> JanssonCell? {
    if isObject { return member(token.rawSpan) }
    guard isArray, let index = JSONPointer.index(token, count: count) else { return nil }
    return element(index)
  }
}
