// Package wire is the protocol between programs and the daemon: the messages
// of mapi.proto and the local socket that carries them.
//
// A record on the socket is one message; the kernel keeps its borders. What
// comes in is hostile on both sides: records are bounded, descriptors that
// nobody asked for are closed, and a record that does not parse ends the
// connection.
package wire

// The path of the module stands here and not in mapi.proto, of which the generated file
// has a copy: so it is in no generated file.
//
//go:generate protoc --go_out=../.. --go_opt=module=gomapi --go_opt=Minternal/wire/mapi.proto=gomapi/internal/wire --proto_path=../.. internal/wire/mapi.proto

// Version is the number of the protocol. Daemon and program must agree.
const Version = 1

// MaxMessage is the largest record in bytes.
const MaxMessage = 64 << 10

// MaxFiles is the largest number of descriptors beside one record.
const MaxFiles = 4

// PageLimit is how many entries a program asks for at a time. The daemon sends
// as many of them as fit into a record.
const PageLimit = 1024
