/// Everything that a Swift program needs to serve JSON: `import Martlet`. Re-exports, nothing else.

@_exported public import MartletAPI
@_exported public import MartletBytes
@_exported public import MartletCache
@_exported public import MartletCacheClient
@_exported public import MartletHTTP
@_exported public import MartletJSON
@_exported public import MartletServer
