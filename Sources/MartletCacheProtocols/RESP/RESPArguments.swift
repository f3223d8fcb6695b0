/// The arguments of one command, borrowed from the bytes they arrived in. Argument 0 is the command's name.

package typealias RESPSlice = ArgumentSlice
package typealias RESPArguments = ArgumentList
