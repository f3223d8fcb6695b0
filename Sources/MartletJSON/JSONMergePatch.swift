/// JSON Merge Patch (RFC 7396): a document's members replaced, or removed where the patch says null.
///
/// Trees, numbers and bounds as for `JSONPatch`. Any JSON value is a merge patch; one that is no object takes the document's place.

public import MartletBytes

public enum JSONMergePatch {
  /// Appends `document` changed by `patch` to `output`. `output` is as before if it throws.
  ///
  /// Of the errors, `notAPatch`, `pathMissing`, `testFailed` and `tooDeep` do not occur. `bytesMax`: what the result may have in bytes;
  /// `treeBytesMax`: what both trees may take, about.
  public static func apply(
    patch: RawSpan, to document: RawSpan, into output: inout ByteBuffer, bytesMax: Int = JSONPatch.bytesMaxDefault,
    treeBytesMax: Int = JSONPatch.treeBytesMaxDefault
  ) throws(JSONPatchError) {
    // Depth cannot grow: a member of the patch takes the place that it has there.
    var memory = treeBytesMax
    let changes: JanssonDocument
    do throws(JSONError) { changes = try JanssonDocument(scanning: patch, memory: &memory) } catch { throw JSONPatchError(patch: error) }
    var target: JanssonDocument
    do throws(JSONError) { target = try JanssonDocument(scanning: document, memory: &memory) } catch {
      throw JSONPatchError(document: error)
    }
    target.merge(changes)
    try target.write(to: &output, bytesMax: bytesMax)
  }

  /// `document` changed by `patch`.
  public static func apply(
    patch: RawSpan, to document: RawSpan, bytesMax: Int = JSONPatch.bytesMaxDefault,
    treeBytesMax: Int = JSONPatch.treeBytesMaxDefault
  ) throws(JSONPatchError) -> ByteBuffer {
    var output = ByteBuffer()
    try apply(patch: patch, to: document, into: &output, bytesMax: bytesMax, treeBytesMax: treeBytesMax)
    return output
  }
}
