// Package wire is the protocol between programs and the daemon: the messages of
// mapi.proto and the local socket that carries them.
//
// Each record on the socket is one message; the kernel preserves record
// boundaries. Both sides treat received data as hostile: records have a maximum
// size, unexpected descriptors are closed, and a record that does not parse
// ends the connection.
package wire

// The module path is an option here, not in mapi.proto, because the generated
// file embeds the contents of mapi.proto. So no generated file contains it.
//
//go:generate protoc --go_out=../.. --go_opt=module=gomapi --go_opt=Minternal/wire/mapi.proto=gomapi/internal/wire --proto_path=../.. internal/wire/mapi.proto

// Version is the version of the protocol. Daemon and program must have the
// same.
const Version = 1

// MaxMessage is the maximum size of a record in bytes.
const MaxMessage = 64 << 10

// MaxFiles is the maximum number of descriptors in one record.
const MaxFiles = 4

// PageLimit is how many entries a program requests at a time. The daemon sends
// as many as fit into a record.
const PageLimit = 1024
