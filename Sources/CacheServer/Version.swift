/// The product's version, said by `martlet version`, and later by INFO and OpenAPI.
public enum MartletVersion {
  public static let text = "0.1.0"
}
