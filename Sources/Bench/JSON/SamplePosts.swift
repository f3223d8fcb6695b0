/// Text for the scanner that looks like a page of posts from a social network: half a megabyte of short objects, prose in several scripts, escapes,
/// links, numbers of 18 digits. Made here, the same each time.

import MartletBytes

enum SamplePosts {
  static func text(count: Int) -> [UInt8] {
    var random = SplitMix64(seed: 20)
    var text = #"{"statuses":["#
    for number in 0..<count { text += (number == 0 ? "" : ",") + post(&random) }
    return Array((text + #"],"count":\#(count)}"#).utf8)
  }

  private static let phrases = [
    "the kettle sings at seven, as it does every morning of the year", "一羽の鳥が朝の空を低く飛んでいく", "Der Mauersegler landet nie, sagt man",
    "see https:\\/\\/example.org\\/p\\/1 for more", "said \\\"hello\\\" and left", "une tasse de thé, s'il vous plaît",
    "line one\\nline two",
    "plain words with nothing in them that anybody would have to escape", "🎉 at last 🎉",
  ]

  private static func post(_ random: inout SplitMix64) -> String {
    let id = 500_000_000_000_000_000 + random.next() >> 12
    let author = random.next() % 1_000_000
    let words = (0..<2).map { _ in phrases[Int(random.next() % UInt64(phrases.count))] }.joined(separator: " ")
    return
      #"{"created_at":"Sun Aug 31 00:29:15 +0000 2014","id":\#(id),"id_str":"\#(id)","text":"\#(words)","truncated":false,"#
      + #""in_reply_to_status_id":null,"user":{"id":\#(author),"name":"user \#(author)","screen_name":"u\#(author)","verified":false,"#
      + #""followers_count":\#(author % 4096),"profile_image_url":"http:\/\/example.org\/images\/\#(author)\/normal.jpeg","lang":"ja"},"#
      + #""geo":null,"coordinates":[\#(Double(author % 18_000) / 100),-\#(Double(author % 9000) / 100)],"retweet_count":\#(author % 77),"#
      + #""entities":{"hashtags":[],"urls":[{"url":"https:\/\/example.org\/p\/1","indices":[8,30]}]},"favorited":false}"#
  }
}
